//! Reads the small text files that people write for tchat, such as the config file and the list of forbidden words. None of
//! them may block tchat or fill its memory.

use std::fs::{self, File};
use std::io::{self, Error, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The maximum size of a file, in bytes. A larger one was not written by hand.
const BYTES: u64 = 1024 * 1024;
/// The time limit for reading anything that is not a regular file: a pipe that nobody writes to would block forever.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads a whole text file. A pipe is read too, if somebody writes to it.
///
/// # Errors
/// The file does not exist, is a directory, is too large, is not UTF-8, or could not be read in time.
pub fn text(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.is_file() {
        return whole(path);
    }
    let (done, answer) = mpsc::sync_channel(1);
    let from: PathBuf = path.to_owned();
    // Opening a pipe cannot be interrupted. The thread ends with the process.
    thread::spawn(move || done.send(whole(&from)));
    answer.recv_timeout(READ_TIMEOUT).unwrap_or_else(|_| {
        let words = format!(
            "it is not a regular file, and no data arrived within {} s",
            READ_TIMEOUT.as_secs()
        );
        Err(Error::new(ErrorKind::TimedOut, words))
    })
}

fn whole(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES {
        let words = format!("it is larger than {BYTES} bytes");
        return Err(Error::new(ErrorKind::FileTooLarge, words));
    }
    let not_text = |_| Error::new(ErrorKind::InvalidData, "it is not UTF-8 text");
    String::from_utf8(bytes).map_err(not_text)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn pipe(directory: &Path) -> PathBuf {
        let path = directory.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo failed");
        path
    }

    #[test]
    fn a_silent_or_endless_file_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let silent = text(&pipe(directory.path())).unwrap_err();
        assert_eq!(silent.kind(), ErrorKind::TimedOut);
        assert!(
            silent.to_string().contains("it is not a regular file"),
            "{silent}"
        );
        let endless = text(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(endless.kind(), ErrorKind::FileTooLarge);
        let large = directory.path().join("large");
        fs::write(&large, "x".repeat(2 * 1024 * 1024)).unwrap();
        assert_eq!(text(&large).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert!(text(directory.path()).is_err(), "a directory");
        let nothing = text(&directory.path().join("none")).unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_file_an_empty_device_and_a_pipe_with_a_writer_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "大厅\n").unwrap();
        assert_eq!(text(&file).unwrap(), "大厅\n");
        assert_eq!(text(Path::new("/dev/null")).unwrap(), "");
        let path = pipe(directory.path());
        let to = path.clone();
        let writer = thread::spawn(move || fs::write(to, "name = \"ann\"\n"));
        assert_eq!(text(&path).unwrap(), "name = \"ann\"\n");
        writer.join().unwrap().unwrap();
    }
}
