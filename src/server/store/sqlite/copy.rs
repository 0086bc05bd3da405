//! Copies of a database: made while it is in use, looked through, and put back.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::schema;
use super::verify::{Verified, renew_epochs, verify};

/// Why a copy could not be made or put back. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("cannot read '{path}': {cause}")]
    Read { path: PathBuf, cause: String },
    #[error("cannot write '{path}': {cause}")]
    Write { path: PathBuf, cause: String },
    #[error("'{0}' is there already; nothing was overwritten")]
    Exists(PathBuf),
    #[error("'{path}' is damaged: {cause}")]
    Damaged { path: PathBuf, cause: String },
}

/// A backup that was made, with what it holds.
pub type Backup = Verified;

/// What was put back, and where what was there before is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    pub holds: Verified,
    pub before: Option<PathBuf>,
}

/// Copies a database that may be in use, as it is at one moment, and looks the copy through.
///
/// # Errors
/// See [`BackupError`]; a copy that is not good is removed.
pub fn backup(database: &Path, to: &Path) -> Result<Backup, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let partial = beside(to, ".partial");
    let made = copy(database, &partial).and_then(|()| look_through(&partial, verify));
    let moved = made.and_then(|holds| {
        fs::rename(&partial, to)
            .and_then(|()| sync_directory(to))
            .map_err(|error| cannot_write(to, &error))?;
        Ok(holds)
    });
    if moved.is_err() {
        // Half a copy is worse than none.
        let _gone = fs::remove_file(&partial);
    }
    moved
}

/// Puts a copy in the place of a database that nobody uses, under new epochs: entries that were made after the copy have numbers
/// that will be given again.
///
/// # Errors
/// See [`BackupError`]; the database is as it was.
pub fn restore(from: &Path, database: &Path) -> Result<Restored, BackupError> {
    let fresh = beside(database, ".restoring");
    // What an earlier attempt left is of no use.
    let _none = fs::remove_file(&fresh);
    let holds = copy(from, &fresh).and_then(|()| {
        look_through(&fresh, |db| {
            let holds = verify(db)?;
            renew_epochs(db).map_err(|error| error.to_string())?;
            Ok(holds)
        })
    });
    let put = holds.and_then(|holds| {
        let write = |error: io::Error| cannot_write(database, &error);
        File::open(&fresh)
            .and_then(|file| file.sync_all())
            .map_err(write)?;
        let before = put_aside(database).map_err(write)?;
        fs::rename(&fresh, database)
            .and_then(|()| sync_directory(database))
            .map_err(write)?;
        Ok(Restored { holds, before })
    });
    if put.is_err() {
        let _gone = fs::remove_file(&fresh);
    }
    put
}

fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let read = |cause: String| BackupError::Read {
        path: from.to_owned(),
        cause,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(from, flags).map_err(|error| read(error.to_string()))?;
    schema::is_ours(&db, from).map_err(|error| read(error.to_string()))?;
    let Some(name) = to.to_str() else {
        return Err(cannot_write(to, &io::Error::other("its name is no UTF-8")));
    };
    private(to).map_err(|error| cannot_write(to, &error))?;
    db.execute("VACUUM INTO ?1", [name])
        .map_err(|error| read(error.to_string()))?;
    File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|error| cannot_write(to, &error))
}

/// An empty file that nobody else can read, for the copy to be written into.
fn private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn look_through(
    path: &Path,
    look: impl FnOnce(&Connection) -> Result<Verified, String>,
) -> Result<Verified, BackupError> {
    let damaged = |cause: String| BackupError::Damaged {
        path: path.to_owned(),
        cause,
    };
    let db = Connection::open(path).map_err(|error| damaged(error.to_string()))?;
    look(&db).map_err(damaged)
}

/// Renames a database with its log, which belongs to it; says under which name it is now.
fn put_aside(database: &Path) -> io::Result<Option<PathBuf>> {
    if !database.exists() {
        return Ok(None);
    }
    let free = |n: &u32| !beside(database, &format!(".before-restore-{n}")).exists();
    let n = (1..u32::MAX).find(free).unwrap_or(u32::MAX);
    let aside = beside(database, &format!(".before-restore-{n}"));
    for log in ["-wal", "-shm"] {
        let log_file = beside(database, log);
        if log_file.exists() {
            fs::rename(log_file, beside(&aside, log))?;
        }
    }
    fs::rename(database, &aside)?;
    Ok(Some(aside))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn cannot_write(path: &Path, cause: &io::Error) -> BackupError {
    BackupError::Write {
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}

/// A new name is on the disk once its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) if cfg!(unix) => {
            let directory = if directory.as_os_str().is_empty() {
                Path::new(".")
            } else {
                directory
            };
            File::open(directory)?.sync_all()
        }
        _ => Ok(()),
    }
}
