//! Files: reads one that may be missing, and writes one so that a crash leaves either its old contents or all of the new ones.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The mode of a file that only its user can read.
pub const PRIVATE: u32 = 0o600;
/// The mode of a file that everybody may read, unless the umask forbids it.
pub const PUBLIC: u32 = 0o644;

/// Replaces the contents of a file, or creates it. `mode` is its mode on Unix, before the umask is applied.
///
/// # Errors
/// The directory is missing or cannot be written. The file is then unchanged.
pub fn write_atomically(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    // Each process has its own temporary file, so that two processes that write at once do not mix their texts.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".new-{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    // A temporary file that remained after a crash would keep its old mode.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = create(&temporary, mode).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_directory(path)
    });
    if written.is_err() {
        let _gone = fs::remove_file(&temporary);
    }
    written
}

/// Reads a file. Returns `None` if there is none.
///
/// # Errors
/// It exists and cannot be read.
pub fn read_if_exists(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Syncs the directory of a path. A file that was created or renamed there is durable only after that.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => directory,
        _ => Path::new("."),
    };
    if cfg!(unix) {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _no_modes_here = mode;
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for text in ["first\n", "second, which is longer\n", ""] {
            write_atomically(&path, text, PRIVATE).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, PRIVATE);
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        // A directory cannot be replaced by a file.
        fs::create_dir(&path).unwrap();
        write_atomically(&path, "text", PRIVATE).unwrap_err();
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        write_atomically(&directory.path().join("no/file"), "text", PRIVATE).unwrap_err();
    }
}
