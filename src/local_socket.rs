//! The socket through which clients of the same user reach their own server. Nobody else can open it or take its place.
//!
//! Both ends use it: they agree on its path, and each checks that the other runs as the same user or as root.
#![cfg(unix)]

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tokio::net::{UnixListener, UnixStream};

/// The maximum length of a socket's path: 104 bytes with the NUL at the end on macOS, 108 on Linux.
const MAX_PATH: usize = 103;

/// Returns the path of the socket of a server with this data directory: inside it or, if that is too long for a socket, in the user's runtime
/// directory. `None` if neither is possible.
pub fn path(data: &Path, runtime: Option<&Path>) -> Option<PathBuf> {
    let inside = data.join("run").join("host.sock");
    if inside.as_os_str().len() <= MAX_PATH {
        return Some(inside);
    }
    let data = fs::canonicalize(data).unwrap_or_else(|_| data.to_owned());
    let hash = Sha256::digest(data.as_os_str().as_encoded_bytes());
    let outside = runtime?.join(format!("{}.sock", hex::encode(&hash[..8])));
    (outside.as_os_str().len() <= MAX_PATH).then_some(outside)
}

/// A listening socket. The file is removed when this is dropped.
#[derive(Debug)]
pub struct LocalListener {
    listener: UnixListener,
    path: PathBuf,
}

impl LocalListener {
    /// Starts to listen, and replaces the socket of a server that was killed. The caller has locked the data directory, so no
    /// other server is running.
    ///
    /// # Errors
    /// The directory of the socket cannot be made, belongs to somebody else, or is open to others.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            private_directory(directory)?;
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self {
            listener: UnixListener::bind(path)?,
            path: path.to_owned(),
        })
    }

    /// Accepts a connection of this user or of root. Others are dropped.
    ///
    /// # Errors
    /// Accepting failed.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            match check_peer(&stream) {
                Ok(()) => return Ok(stream),
                Err(error) => tracing::warn!(%error, "dropped a connection to the local socket"),
            }
        }
    }
}

impl Drop for LocalListener {
    fn drop(&mut self) {
        // If this fails, the next server replaces the file.
        let _removed = fs::remove_file(&self.path);
    }
}

/// Connects to the server of this user.
///
/// # Errors
/// No server is listening there, or it belongs to another user.
pub async fn connect(path: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(path).await?;
    check_peer(&stream)?;
    Ok(stream)
}

fn check_peer(stream: &UnixStream) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    if peer == 0 || peer == own_user() {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("the other end runs as user id {peer}"),
        ))
    }
}

/// Makes a directory that only this user can use.
fn private_directory(path: &Path) -> io::Result<()> {
    let made = DirBuilder::new().mode(0o700).create(path);
    match made {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let mut metadata = fs::symlink_metadata(path)?;
    if metadata.is_dir() && metadata.uid() == own_user() && metadata.mode() & 0o777 != 0o700 {
        // The directory was copied, or created by something else.
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        metadata = fs::symlink_metadata(path)?;
    }
    let is_private = metadata.is_dir()
        && metadata.mode() & 0o777 == 0o700
        && (metadata.uid() == own_user() || metadata.uid() == 0);
    if is_private {
        Ok(())
    } else {
        let words = format!(
            "'{}' is not a directory that only you can open",
            path.display()
        );
        Err(io::Error::new(io::ErrorKind::PermissionDenied, words))
    }
}

fn own_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_socket_replaces_one_that_was_left_and_is_removed_at_the_end() {
        let data = tempfile::tempdir().unwrap();
        let path = path(data.path(), None).unwrap();
        drop(LocalListener::bind(&path).unwrap());
        assert!(connect(&path).await.is_err());
        // As a killed server leaves it.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let refused = connect(&path).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        let listener = LocalListener::bind(&path).unwrap();
        let (near, far) = tokio::join!(connect(&path), listener.accept());
        near.unwrap().write_all(b"hi").await.unwrap();
        let mut read = Vec::new();
        far.unwrap().read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"hi");
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn the_directory_is_private_even_if_it_was_not_before() {
        let data = tempfile::tempdir().unwrap();
        let run = data.path().join("run");
        fs::create_dir(&run).unwrap();
        for mode in [0o755, 0o770, 0o701] {
            fs::set_permissions(&run, fs::Permissions::from_mode(mode)).unwrap();
            LocalListener::bind(&run.join("host.sock")).unwrap();
            let made = fs::metadata(&run).unwrap().permissions().mode();
            assert_eq!(made & 0o777, 0o700, "{mode:o}");
        }
        // A link to somewhere else is refused.
        let link = data.path().join("link");
        std::os::unix::fs::symlink(&run, &link).unwrap();
        assert!(LocalListener::bind(&link.join("host.sock")).is_err());
    }

    #[test]
    fn a_path_that_is_too_long_moves_to_the_runtime_directory() {
        let short = Path::new("/home/ann/.local/share/tchat");
        let runtime = Path::new("/run/user/1000/tchat");
        assert_eq!(
            path(short, Some(runtime)),
            Some(short.join("run/host.sock"))
        );
        let (long, other) = (
            PathBuf::from(format!("/{}", "长".repeat(60))),
            PathBuf::from(format!("/{}", "远".repeat(60))),
        );
        let moved = path(&long, Some(runtime)).unwrap();
        assert!(moved.starts_with(runtime) && moved.as_os_str().len() <= MAX_PATH);
        assert_ne!(path(&other, Some(runtime)), Some(moved));
        assert_eq!(path(&long, None), None);
        assert_eq!(path(&long, Some(&long)), None);
    }
}
