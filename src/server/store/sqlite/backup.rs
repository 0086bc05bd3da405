//! Backups: copies of a database that is in use, their verification, and restoring them.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::verify::{renew_epochs, verify};
use super::{OpenError, index, schema};
use crate::files::sync_directory;
use crate::server::store::Verified;

/// Deletes all invitations of a backup: some may have been used up or withdrawn after it was made.
fn revoke_invites(db: &Connection) -> rusqlite::Result<()> {
    let has_invites = "SELECT 1 FROM sqlite_schema WHERE name = 'invites'";
    let has_invites = db.query_row(has_invites, [], |_| Ok(())).optional()?;
    if has_invites.is_some() {
        db.execute("DELETE FROM invites", [])?;
    }
    Ok(())
}

/// Why a backup could not be made or restored. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("cannot read '{path}': {cause}")]
    Read { path: PathBuf, cause: String },
    #[error("cannot write '{path}': {cause}")]
    Write { path: PathBuf, cause: String },
    #[error("'{0}' already exists; nothing was overwritten")]
    Exists(PathBuf),
    #[error("'{path}' is damaged: {cause}")]
    Damaged { path: PathBuf, cause: String },
}

/// What a new backup contains.
pub type Backup = Verified;

/// What was restored, and where the previous database is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Restored {
    pub contents: Verified,
    pub before: Option<PathBuf>,
    /// The server's key, if the copy has one.
    pub key: Option<KeyText>,
}

/// A private key in PEM format. It never appears in an error message or a log.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(pub String);

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText")
    }
}

/// The table of a backup that contains the server's key. The database of a server does not have this table.
const KEY_TABLE: &str = "backup_key";

/// Copies a snapshot of a database that may be in use, and verifies the copy. The server's `key`, in PEM format, is
/// put into the copy.
///
/// # Errors
/// See [`BackupError`]; a damaged copy is removed.
pub fn backup(database: &Path, to: &Path, key: Option<&str>) -> Result<Backup, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    // Each process has its own partial file, so that two backups at the same time do not collide before the last step.
    let partial = beside(to, &format!(".partial-{}", std::process::id()));
    let _stale = fs::remove_file(&partial);
    let made = copy(database, &partial).and_then(|()| {
        verify_copy(&partial, database, |db| {
            let holds = verify(db)?;
            put_key(db, key).map_err(|error| error.to_string())?;
            Ok(holds)
        })
    });
    let moved = made.and_then(|holds| {
        // A hard link, unlike a rename, never replaces an existing file.
        fs::hard_link(&partial, to)
            .and_then(|()| sync_directory(to))
            .map_err(|error| cannot_write(to, &error))?;
        Ok(holds)
    });
    // A finished copy has its final name by now. An unfinished one must not be taken for a backup.
    let _gone = fs::remove_file(&partial);
    moved
}

/// Replaces a database that is not in use with a copy. Every room gets a new epoch, because new entries will
/// reuse the seqs of entries that were made after the copy. The previous database is first stored completely under
/// another name.
///
/// # Errors
/// See [`BackupError`]; the database is unchanged.
pub fn restore(from: &Path, database: &Path) -> Result<Restored, BackupError> {
    let fresh = beside(database, ".restoring");
    // An earlier attempt may have left an unfinished file.
    let _none = fs::remove_file(&fresh);
    let mut key = None;
    let holds = copy(from, &fresh).and_then(|()| {
        verify_copy(&fresh, from, |db| {
            let holds = verify(db)?;
            renew_epochs(db)
                .and_then(|()| revoke_invites(db))
                .map_err(|error| error.to_string())?;
            key = take_key(db).map_err(|error| error.to_string())?;
            Ok(holds)
        })
    });
    let put = holds.and_then(|holds| {
        let write = |error: io::Error| cannot_write(database, &error);
        File::open(&fresh)
            .and_then(|file| file.sync_all())
            .map_err(write)?;
        let before = preserve_previous(database).map_err(write)?;
        fs::rename(&fresh, database)
            .and_then(|()| sync_directory(database))
            .map_err(write)?;
        Ok(Restored {
            contents: holds,
            before,
            key,
        })
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
    schema::is_ours(&db, from).map_err(|error| match error {
        // The error already names the file.
        OpenError::Open { cause, .. } | OpenError::Damaged { cause, .. } => read(cause.to_string()),
        other => read(other.to_string()),
    })?;
    let Some(name) = to.to_str() else {
        return Err(cannot_write(
            to,
            &io::Error::other("the path is not valid UTF-8"),
        ));
    };
    create_private(to).map_err(|error| cannot_write(to, &error))?;
    db.execute("VACUUM INTO ?1", [name]).map_err(|error| {
        let is_full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        if is_full {
            cannot_write(to, &io::Error::from(io::ErrorKind::StorageFull))
        } else {
            read(error.to_string())
        }
    })?;
    File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|error| cannot_write(to, &error))
}

fn put_key(db: &Connection, key: Option<&str>) -> rusqlite::Result<()> {
    let Some(key) = key else { return Ok(()) };
    db.execute_batch(&format!("CREATE TABLE {KEY_TABLE} (pem TEXT NOT NULL)"))?;
    db.execute(&format!("INSERT INTO {KEY_TABLE} VALUES (?1)"), [key])?;
    Ok(())
}

/// Returns the key in a backup, and removes it from the database.
fn take_key(db: &Connection) -> rusqlite::Result<Option<KeyText>> {
    if !db.table_exists(None, KEY_TABLE)? {
        return Ok(None);
    }
    let select = format!("SELECT pem FROM {KEY_TABLE}");
    let key = db
        .query_row(&select, [], |row| row.get(0).map(KeyText))
        .optional()?;
    db.execute_batch(&format!(
        "PRAGMA secure_delete = ON; DROP TABLE {KEY_TABLE}"
    ))?;
    Ok(key)
}

/// Creates an empty file that nobody else can read, for the copy.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Checks a copy with `look`. Damage in the copy is damage in its original, so the error names the original.
fn verify_copy(
    copy: &Path,
    of: &Path,
    look: impl FnOnce(&Connection) -> Result<Verified, String>,
) -> Result<Verified, BackupError> {
    let damaged = |cause: String| BackupError::Damaged {
        path: of.to_owned(),
        cause,
    };
    let db = Connection::open(copy).map_err(|error| damaged(error.to_string()))?;
    let holds = look(&db).map_err(damaged)?;
    if holds.index_is_damaged {
        // The copy has sound pages of its own; only their contents are damaged.
        let damage = index::IndexDamage::new(false, "it was damaged when the copy was made");
        index::note_damage(&db, &damage).map_err(|error| damaged(error.to_string()))?;
    }
    Ok(holds)
}

/// Gives the previous database a second name, together with its log if that cannot be merged. Returns the new name, or
/// `None` if there was no previous database. At every moment the database is complete under at least one name.
fn preserve_previous(database: &Path) -> io::Result<Option<PathBuf>> {
    let log = beside(database, "-wal");
    let is_empty = fs::metadata(database).map_or(true, |file| file.len() == 0);
    if is_empty && !log.exists() {
        return Ok(None);
    }
    let free = |n: &u32| {
        let aside = beside(database, &format!(".before-restore-{n}"));
        !aside.exists() && !beside(&aside, "-wal").exists()
    };
    let n = (1..u32::MAX).find(free).unwrap_or(u32::MAX);
    let aside = beside(database, &format!(".before-restore-{n}"));
    // Opening and closing the database merges its log and removes it, unless the log is too damaged.
    // A missing or empty database is not opened, because SQLite would delete its log, which may contain all the data.
    if !is_empty && let Ok(db) = Connection::open(database) {
        let _damaged = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    let aside_log = beside(&aside, "-wal");
    if log.exists() {
        fs::copy(&log, &aside_log)?;
    }
    let aside = if database.exists() {
        fs::hard_link(database, &aside)?;
        aside
    } else {
        aside_log
    };
    sync_directory(database)?;
    for log in ["-wal", "-shm"] {
        // An old log must not be used with the new database.
        match fs::remove_file(beside(database, log)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
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
