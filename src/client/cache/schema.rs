//! The tables of the cache. Existing migration steps never change; later versions add steps.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::CacheError;

/// "tchc" in ASCII. It marks an SQLite file as a tchat cache.
const APPLICATION_ID: i64 = 0x7463_6863;

/// Step `n` upgrades a file from version n to n + 1, in one transaction.
const STEPS: [&str; 5] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5];

/// `used` and `seen` rise with every use, so that the most and the least recently used are found without a clock.
const VERSION_1: &str = "
CREATE TABLE servers (
    id BLOB PRIMARY KEY, me BLOB NOT NULL, me_name TEXT NOT NULL, body_bytes INTEGER NOT NULL, body_lines INTEGER NOT NULL,
    burst INTEGER NOT NULL, per_second INTEGER NOT NULL, seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rooms (
    num INTEGER PRIMARY KEY, server BLOB NOT NULL, id BLOB NOT NULL, kind INTEGER NOT NULL, name TEXT NOT NULL,
    topic TEXT NOT NULL, capacity INTEGER NOT NULL, peer BLOB, peer_name TEXT, place INTEGER NOT NULL,
    epoch BLOB, first INTEGER NOT NULL DEFAULT 1, has_former INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0,
    UNIQUE (server, id)
) STRICT;

CREATE TABLE entries (
    room INTEGER NOT NULL, epoch BLOB NOT NULL, seq INTEGER NOT NULL, digest BLOB NOT NULL, at_ms INTEGER NOT NULL,
    author BLOB NOT NULL, author_name TEXT NOT NULL, instance BLOB, counter INTEGER,
    kind INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (room, epoch, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE drafts (
    server BLOB NOT NULL, room BLOB NOT NULL, instance BLOB NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (server, room, instance)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    n INTEGER PRIMARY KEY AUTOINCREMENT, server BLOB NOT NULL, instance BLOB NOT NULL, counter INTEGER NOT NULL,
    to_kind INTEGER NOT NULL, recipient BLOB NOT NULL, kind INTEGER NOT NULL, text TEXT NOT NULL, at_ms INTEGER NOT NULL,
    room BLOB, typed TEXT NOT NULL, failed BLOB, UNIQUE (instance, counter)
) STRICT;
";

/// What later entries changed in an entry, as the protocol encodes it; `text` is as amended.
const VERSION_2: &str = "ALTER TABLE entries ADD COLUMN amended BLOB;";

/// The mentions of a text: ids, one after the other.
const VERSION_3: &str = "ALTER TABLE entries ADD COLUMN mentions BLOB;";

/// An index that finds amendments without reading all later entries.
const VERSION_4: &str =
    "CREATE INDEX entries_amending ON entries (room, epoch, seq) WHERE kind BETWEEN 18 AND 20;";

/// Which request a conversation is: 1 incoming, 2 outgoing, 0 none.
const VERSION_5: &str = "ALTER TABLE rooms ADD COLUMN request INTEGER NOT NULL DEFAULT 0;";

/// Opens or creates the file and upgrades it. Only its owner can read a new file.
pub fn open(path: &Path) -> Result<Connection, CacheError> {
    let io = |error: std::io::Error| CacheError::Unusable {
        path: path.to_owned(),
        cause: error.to_string(),
    };
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(io)?;
    }
    create_private(path).map_err(io)?;
    let mut db = Connection::open(path).map_err(|error| cache_error(path, &error))?;
    let version = prepare(&mut db).map_err(|error| cache_error(path, &error))?;
    match version {
        Version::Ours => Ok(db),
        Version::Newer => Err(CacheError::Newer(path.to_owned())),
        Version::Foreign => Err(CacheError::Damaged {
            path: path.to_owned(),
            cause: "it is not a tchat cache".into(),
        }),
    }
}

/// Returns what an SQLite error means for the file.
pub fn cache_error(path: &Path, error: &rusqlite::Error) -> CacheError {
    let (path, cause) = (path.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            CacheError::Damaged { path, cause }
        }
        _ => CacheError::Unusable { path, cause },
    }
}

enum Version {
    Ours,
    Newer,
    Foreign,
}

fn prepare(db: &mut Connection) -> rusqlite::Result<Version> {
    db.busy_timeout(Duration::from_secs(5))?;
    let pragma =
        |db: &Connection, name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let version = pragma(db, "user_version")?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    if version > known {
        return Ok(Version::Newer);
    }
    if version == 0 {
        // Lets the file shrink when it is trimmed. This must be set before the first table is created.
        db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    db.execute_batch(
        // Most pages are written and read once: the file cache of the operating system is enough, so SQLite's is small.
        "PRAGMA journal_mode = WAL; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 4194304;
         PRAGMA secure_delete = ON; PRAGMA cache_size = -256;",
    )?;
    if version < known {
        migrate(db)?;
    }
    if pragma(db, "application_id")? == APPLICATION_ID {
        Ok(Version::Ours)
    } else {
        Ok(Version::Foreign)
    }
}

fn migrate(db: &mut Connection) -> rusqlite::Result<()> {
    let migration = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    // Another process may have upgraded the file in the meantime.
    let version = migration.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
    for sql in STEPS
        .iter()
        .skip(usize::try_from(version).unwrap_or(usize::MAX))
    {
        migration.execute_batch(sql)?;
    }
    migration.pragma_update(None, "application_id", APPLICATION_ID)?;
    migration.pragma_update(
        None,
        "user_version",
        i64::try_from(STEPS.len()).unwrap_or(i64::MAX),
    )?;
    migration.commit()
}

/// Creates the file, if it does not exist, so that only its owner can read it. SQLite gives the write-ahead log the
/// same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Renames a damaged file and its write-ahead log.
pub fn rename_damaged(path: &Path) -> std::io::Result<PathBuf> {
    let beside = |path: &Path, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let free = |n: &u32| !beside(path, &format!(".damaged-{n}")).exists();
    let n = (1..u32::MAX).find(free).unwrap_or(u32::MAX);
    let aside = beside(path, &format!(".damaged-{n}"));
    // The log must have the same name as its file.
    for suffix in ["-wal", "-shm"] {
        if beside(path, suffix).exists() {
            fs::rename(beside(path, suffix), beside(&aside, suffix))?;
        }
    }
    fs::rename(path, &aside)?;
    Ok(aside)
}
