//! The data directory: it is used by one server at a time and must be on a local disk. It does not know what the database contains.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::hub::random_bytes;
use super::store::Verified;
use super::store::sqlite::{self, Backup, BackupError, OpenError, Restored, SqliteStore};
use crate::chat::{DeviceKey, SecretHash, ServerId};
use crate::files::{PRIVATE, PUBLIC, read_if_exists, write_atomically};

const DATABASE: &str = "tchat.db";
const LOCK: &str = "tchat.lock";
/// Contains the key of the profile with which the directory's user joins this server, whatever its port.
const PROFILE: &str = "tchat.profile";
/// Contains the key of the device that owns the rooms.
const OWNER: &str = "tchat.owner-device";
/// Contains the hash of the owner's secret. Written by earlier versions.
const FORMER_OWNER: &str = "tchat.owner";
/// Exists after a server stopped because its disk failed, and contains the cause.
const FAILED: &str = "tchat.failed";
/// Contains a [`ServerNote`].
const SERVER: &str = "tchat.id";
/// Contains the uptime of the machine when the server was started.
const UPTIME: &str = "tchat.uptime";
/// Exists after the server was stopped on purpose, until one is started again. While it exists, running clients do not
/// start the server.
const STOPPED: &str = "tchat.stopped";

mod file_system;
mod server_key;
mod server_note;

use self::file_system::network_file_system;
use self::server_key::KeyHistory;
pub use self::server_key::{CertificateFiles, KeyError, ServerKey};
pub use self::server_note::ServerNote;

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error("cannot use the data directory '{path}': {cause}")]
    Directory { path: PathBuf, cause: io::Error },
    #[error("another tchat{holder} is using the data directory '{path}'")]
    InUse {
        path: PathBuf,
        holder: String,
        address: Option<String>,
    },
    #[error(
        "cannot use the data directory '{path}': it is on a network file system ({kind}), where locks and the database log are not safe"
    )]
    Network { path: PathBuf, kind: &'static str },
    /// The database is damaged.
    #[error("'{path}' is damaged: {cause}")]
    Damaged { path: PathBuf, cause: String },
    /// A server has run here before, and its database is missing or empty.
    #[error(
        "cannot serve from '{path}': a server has run here before, and its database '{DATABASE}' is missing or empty"
    )]
    Lost { path: PathBuf },
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error(transparent)]
    Backup(#[from] BackupError),
}

/// Returns the key of the profile with which the user of a directory joins its server.
pub fn own_profile(path: &Path) -> Option<String> {
    let key = fs::read_to_string(path.join(PROFILE)).ok()?;
    let key = key.trim();
    (!key.is_empty()).then(|| key.to_owned())
}

/// What a process uses a directory for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Serve,
    Restore,
}

impl Purpose {
    /// Returns the word that is written to the lock file for this purpose.
    const fn word(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Restore => "restore",
        }
    }
}

/// The process that uses a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LockHolder {
    /// The process id. `None` until the process has written it.
    pub process: Option<u32>,
    pub purpose: Purpose,
}

/// An opened and locked directory. Dropping it releases the lock.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Creates the directory if it does not exist, and takes its lock.
    ///
    /// # Errors
    /// The directory cannot be written, is used by another server, or is not on a local disk.
    pub fn open(path: &Path, purpose: Purpose) -> Result<Self, DataError> {
        let cause = |cause| DataError::Directory {
            path: path.to_owned(),
            cause,
        };
        make_directory(path).map_err(cause)?;
        if let Some(kind) = network_file_system(path).map_err(cause)? {
            return Err(DataError::Network {
                path: path.to_owned(),
                kind,
            });
        }
        let mut lock = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path.join(LOCK))
            .map_err(cause)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                // The process id only helps to find the other server. Without it the message still says what is wrong.
                let holder = match holder_in(&mut lock).process {
                    Some(process) => format!(" (process {process})"),
                    None => String::new(),
                };
                let address = ServerNote::read(path).map(|note| note.address);
                return Err(DataError::InUse {
                    path: path.to_owned(),
                    holder,
                    address,
                });
            }
            Err(TryLockError::Error(error)) => return Err(cause(error)),
        }
        lock.set_len(0).map_err(cause)?;
        lock.rewind().map_err(cause)?;
        writeln!(lock, "{}\n{}", std::process::id(), purpose.word()).map_err(cause)?;
        if purpose == Purpose::Serve {
            set_stopped(path, false).map_err(cause)?;
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Returns the key of the profile with which the user joins this server. The first `key` that is passed is recorded for good.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn profile(&self, key: &str) -> Result<String, DataError> {
        if let Some(recorded) = own_profile(&self.path) {
            return Ok(recorded);
        }
        let written = write_atomically(&self.path.join(PROFILE), &format!("{key}\n"), PUBLIC);
        written.map_err(|cause| DataError::Directory {
            path: self.path.clone(),
            cause,
        })?;
        Ok(key.to_owned())
    }

    /// Returns the device that owns the rooms of this directory. The first `host` that is passed becomes the owner for good, unless an
    /// earlier version recorded another owner by their secret.
    ///
    /// # Errors
    /// The directory cannot be read or written.
    pub fn owner(
        &self,
        host: Option<(DeviceKey, Option<SecretHash>)>,
    ) -> Result<Option<DeviceKey>, DataError> {
        let cause = |cause| DataError::Directory {
            path: self.path.clone(),
            cause,
        };
        if let Some(owner) = read_if_exists(&self.path.join(OWNER)).map_err(cause)? {
            let damaged = || {
                io::Error::other(format!(
                    "'{OWNER}' does not contain a key; remove it to become the owner at the next start"
                ))
            };
            return Ok(Some(
                DeviceKey::from_file(&owner)
                    .ok_or_else(damaged)
                    .map_err(cause)?,
            ));
        }
        let former = read_if_exists(&self.path.join(FORMER_OWNER)).map_err(cause)?;
        let Some((device, secret)) = host else {
            return Ok(None);
        };
        if let Some(former) = former
            && (secret.is_none() || SecretHash::from_file(&former) != secret)
        {
            tracing::warn!("the rooms belong to a different user, recorded by an earlier version");
            return Ok(None);
        }
        let text = format!("{}\n", hex::encode(device.bytes()));
        write_atomically(&self.path.join(OWNER), &text, PRIVATE).map_err(cause)?;
        Ok(Some(device))
    }

    /// Returns the path of the file with the uptime of the machine when the server was started.
    pub fn uptime(&self) -> PathBuf {
        self.path.join(UPTIME)
    }

    /// Writes the server's id, address and pin to the directory, for clients of the same user.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn write_server(&self, note: &ServerNote) -> Result<(), DataError> {
        note.write(&self.path)
            .map_err(|cause| DataError::Directory {
                path: self.path.clone(),
                cause,
            })
    }

    /// Returns the server's key: the one in the files, or the directory's own, which is made at the first start.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn key(&self, files: Option<&CertificateFiles>) -> Result<ServerKey, DataError> {
        if let Some(files) = files {
            return Ok(ServerKey::of_files(&files.certificate, &files.key)?);
        }
        // A note that cannot be read may belong to a server that had a key, and a key is never replaced silently.
        let had_key = match ServerNote::read(&self.path) {
            Some(note) => note.has_own_key,
            None => self.path.join(SERVER).exists(),
        };
        let history = if had_key {
            KeyHistory::Made
        } else {
            KeyHistory::New
        };
        Ok(ServerKey::of_directory(&self.path, history)?)
    }

    /// Opens the database, or creates it if no server has run here before. After a disk failure the database is checked first.
    ///
    /// # Errors
    /// See [`OpenError`]; or the database is damaged, missing or empty.
    pub fn store(&self) -> Result<SqliteStore, DataError> {
        let database = self.path.join(DATABASE);
        // This must come before the database is opened: SQLite deletes the write-ahead log of an empty file, and that
        // log may contain all the data.
        if is_lost(&self.path) {
            return Err(DataError::Lost {
                path: self.path.clone(),
            });
        }
        if let Some(why) = self.failure() {
            tracing::warn!(%why, "the disk failed during the last run; checking the database");
            check(&database)?;
        }
        make_private_file(&database).map_err(|cause| DataError::Directory {
            path: self.path.clone(),
            cause,
        })?;
        let store = SqliteStore::open(&database, ServerId::new(random_bytes()))?;
        self.clear_failure();
        Ok(store)
    }

    /// Records for the next start that the disk failed. Best effort: even this write may fail.
    pub fn record_failure(&self, cause: &str) {
        let _unnoted = fs::write(self.path.join(FAILED), format!("{cause}\n"));
    }

    /// Returns the cause that an earlier server recorded when its disk failed.
    fn failure(&self) -> Option<String> {
        let text = fs::read_to_string(self.path.join(FAILED)).ok()?;
        Some(text.trim().to_owned())
    }

    fn clear_failure(&self) {
        // If the file cannot be removed, the next start checks the database again.
        let _stays = fs::remove_file(self.path.join(FAILED));
    }

    /// Replaces the database with a backup, and the server's key with the one in the backup.
    ///
    /// # Errors
    /// See [`BackupError`]; the database is then unchanged. Or the uptime file cannot be removed, or the key cannot be
    /// written.
    pub fn restore(&self, from: &Path) -> Result<Restored, DataError> {
        let restored = sqlite::restore(from, &self.path.join(DATABASE))?;
        self.clear_failure();
        // The uptime file contains the log time of the replaced database.
        match fs::remove_file(self.path.join(UPTIME)) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(DataError::Directory {
                    path: self.path.clone(),
                    cause,
                });
            }
            _ => {}
        }
        if let Some(key) = &restored.key {
            ServerKey::restore(&self.path, &key.0)?;
        }
        Ok(restored)
    }
}

/// Whether a server has run in this directory and its database is missing or empty. The id file shows that one has run: it is written after
/// the database is created.
fn is_lost(path: &Path) -> bool {
    path.join(SERVER).exists() && sqlite::is_missing_or_empty(&path.join(DATABASE))
}

/// What is in a data directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Stored {
    /// No server has run here.
    Nothing,
    /// A server has run here, and its database is missing or empty.
    Lost(PathBuf),
    Rooms(Verified),
}

/// Returns the path of the database in a directory.
pub(crate) fn database(path: &Path) -> PathBuf {
    path.join(DATABASE)
}

/// Verifies the database of a directory. A server may be using it meanwhile.
///
/// # Errors
/// The database cannot be read, or its pages are damaged.
pub(crate) fn verify(path: &Path) -> Result<Stored, DataError> {
    let database = path.join(DATABASE);
    if is_lost(path) {
        return Ok(Stored::Lost(database));
    }
    if !database.exists() {
        return Ok(Stored::Nothing);
    }
    let found = sqlite::verify_file(&database);
    found
        .map(Stored::Rooms)
        .map_err(|cause| DataError::Damaged {
            path: database,
            cause,
        })
}

/// Checks a database after its disk has failed. A missing file passes.
fn check(database: &Path) -> Result<(), DataError> {
    if !database.exists() {
        return Ok(());
    }
    sqlite::quick_check(database).map_err(|cause| DataError::Damaged {
        path: database.to_owned(),
        cause,
    })
}

/// Copies the database of a directory, with the server's own key. A server may be using it meanwhile.
///
/// # Errors
/// See [`BackupError`]; or there is a key that cannot be read.
pub(crate) fn backup(path: &Path, to: &Path) -> Result<Backup, DataError> {
    let key = ServerKey::stored(path)?;
    Ok(sqlite::backup(&path.join(DATABASE), to, key.as_deref())?)
}

/// Returns the process that uses a directory now, or `None` if nobody does or there is no such directory.
///
/// # Errors
/// The lock file cannot be opened or checked.
pub(crate) fn holder(path: &Path) -> Result<Option<LockHolder>, DataError> {
    let cause = |cause| DataError::Directory {
        path: path.to_owned(),
        cause,
    };
    // Also opened for writing: if a named pipe is in its place, opening that only for reading would block.
    let mut options = File::options();
    let mut lock = match options.read(true).write(true).open(path.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cause(error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(holder_in(&mut lock))),
        Err(TryLockError::Error(error)) => Err(cause(error)),
    }
}

/// Reads what the process that has the lock wrote into the file.
fn holder_in(lock: &mut File) -> LockHolder {
    let mut text = String::new();
    // If the file cannot be read, the process is unknown.
    let _unread = lock.read_to_string(&mut text);
    let mut lines = text.lines().map(str::trim);
    LockHolder {
        process: lines.next().and_then(|line| line.parse().ok()),
        purpose: match lines.next() {
            Some(word) if word == Purpose::Restore.word() => Purpose::Restore,
            _ => Purpose::Serve,
        },
    }
}

/// Records that the server of a directory was stopped on purpose, or that it may be started again.
///
/// # Errors
/// The directory cannot be written.
pub(crate) fn set_stopped(path: &Path, is_stopped: bool) -> io::Result<()> {
    let note = path.join(STOPPED);
    if is_stopped {
        return fs::write(note, "");
    }
    match fs::remove_file(note) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether the server of a directory was stopped on purpose and none has been started since.
pub(crate) fn is_stopped(path: &Path) -> bool {
    path.join(STOPPED).exists()
}

/// Returns the id of the server of a directory, if one has ever run there.
pub(crate) fn server_of(path: &Path) -> Option<ServerId> {
    Some(ServerNote::read(path)?.id)
}

/// Creates a directory and its parents, private to the user. One that already exists keeps its mode: it may be shared on purpose.
///
/// # Errors
/// The directory cannot be created.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Creates a file that is private to the user, if it does not exist: the directory may be open to others. SQLite gives the files beside it
/// the same mode.
fn make_private_file(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests;
