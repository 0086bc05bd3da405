//! The tables and their migrations. A later version adds steps; it never changes one that was released.

use std::path::Path;

use rusqlite::{Connection, Transaction, params};

use super::OpenError;
use crate::chat::ServerId;

/// The bytes "tcht", so that `file` and other tools can recognize the format.
const APPLICATION_ID: i64 = 0x7463_6874;

/// One migration per version: step `n` migrates a database from `user_version` n to n + 1, in one transaction.
const STEPS: [&str; 12] = [
    VERSION_1, VERSION_2, VERSION_3, VERSION_4, VERSION_5, VERSION_6, VERSION_7, VERSION_8,
    VERSION_9, VERSION_10, VERSION_11, VERSION_12,
];

const VERSION_1: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE identities (
    id BLOB PRIMARY KEY, secret BLOB NOT NULL UNIQUE, name TEXT NOT NULL, key TEXT NOT NULL,
    present INTEGER NOT NULL, seen_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX identities_by_key ON identities (key);
CREATE INDEX identities_present ON identities (present) WHERE present = 1;

CREATE TABLE rooms (
    num INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind INTEGER NOT NULL, name TEXT NOT NULL, key TEXT UNIQUE,
    topic TEXT NOT NULL, capacity INTEGER NOT NULL, position INTEGER NOT NULL, epoch BLOB NOT NULL,
    first INTEGER NOT NULL DEFAULT 1, low BLOB, high BLOB, UNIQUE (low, high)
) STRICT;

CREATE TABLE members (
    room INTEGER NOT NULL REFERENCES rooms, identity BLOB NOT NULL, role INTEGER NOT NULL, PRIMARY KEY (room, identity)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_identity ON members (identity);

CREATE TABLE entries (
    room INTEGER NOT NULL REFERENCES rooms, seq INTEGER NOT NULL, digest BLOB NOT NULL, at_ms INTEGER NOT NULL,
    author BLOB NOT NULL, author_name TEXT NOT NULL, instance BLOB, counter INTEGER,
    kind INTEGER NOT NULL, text TEXT NOT NULL, body_hash BLOB NOT NULL, PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE marks (
    room INTEGER NOT NULL REFERENCES rooms, author BLOB NOT NULL, instance BLOB NOT NULL, counter INTEGER NOT NULL,
    PRIMARY KEY (room, author, instance)
) STRICT, WITHOUT ROWID;

CREATE TABLE operators (key TEXT PRIMARY KEY, identity BLOB NOT NULL) STRICT, WITHOUT ROWID;
";

/// Adds guests of bridges, and how they are connected.
const VERSION_2: &str = "
ALTER TABLE identities ADD COLUMN via INTEGER NOT NULL DEFAULT 0;
CREATE INDEX identities_guests ON identities (id) WHERE via > 0;
CREATE INDEX rooms_by_high ON rooms (high) WHERE high IS NOT NULL;
";

/// Adds standings (what a room stores about people besides memberships) and amendments. `amended` is the seq of the
/// last amendment of an entry. An amended entry has the amended text and the hash of the original body. A deleted
/// entry has the kind 21. A time of 0 means for ever. The `out_` columns describe how a person was removed.
const VERSION_3: &str = "
CREATE TABLE standings (
    room INTEGER NOT NULL REFERENCES rooms, identity BLOB NOT NULL, invited INTEGER NOT NULL, role INTEGER,
    banned_ms INTEGER, muted_ms INTEGER, out_seq INTEGER, out_by TEXT, out_reason TEXT, out_is_ban INTEGER,
    PRIMARY KEY (room, identity)
) STRICT, WITHOUT ROWID;
CREATE INDEX standings_banned ON standings (identity) WHERE banned_ms IS NOT NULL;
ALTER TABLE rooms ADD COLUMN topic_is_set INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entries_said ON entries (room, seq) WHERE kind IN (1, 2, 17);
ALTER TABLE entries ADD COLUMN target INTEGER;
ALTER TABLE entries ADD COLUMN amended INTEGER;
ALTER TABLE entries ADD COLUMN is_edited INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entries_amending ON entries (room, target) WHERE target IS NOT NULL;
CREATE TABLE reactions (
    room INTEGER NOT NULL REFERENCES rooms, target INTEGER NOT NULL, emoji TEXT NOT NULL, person BLOB NOT NULL,
    name TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (room, target, emoji, person)
) STRICT, WITHOUT ROWID;
";

/// Adds mentions, read positions, status and settings. Existing members have read everything so far. A mention of 16 zero bytes mentions
/// everyone; keywords are stored one per line.
const VERSION_4: &str = "
CREATE TABLE mentions (
    room INTEGER NOT NULL REFERENCES rooms, seq INTEGER NOT NULL, person BLOB NOT NULL, PRIMARY KEY (room, seq, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX mentions_of ON mentions (person, room, seq);
CREATE TABLE reads (
    room INTEGER NOT NULL REFERENCES rooms, identity BLOB NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (room, identity)
) STRICT, WITHOUT ROWID;
INSERT INTO reads SELECT m.room, m.identity,
    coalesce((SELECT e.seq FROM entries e WHERE e.room = m.room ORDER BY e.seq DESC LIMIT 1), 0) FROM members m;
ALTER TABLE identities ADD COLUMN away INTEGER NOT NULL DEFAULT 0;
ALTER TABLE identities ADD COLUMN status TEXT NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN keywords TEXT NOT NULL DEFAULT '';
CREATE TABLE ignored (
    identity BLOB NOT NULL, person BLOB NOT NULL, PRIMARY KEY (identity, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE levels (
    identity BLOB NOT NULL, room INTEGER NOT NULL REFERENCES rooms, level INTEGER NOT NULL, PRIMARY KEY (identity, room)
) STRICT, WITHOUT ROWID;
CREATE INDEX standings_invited ON standings (identity) WHERE invited = 1;
";

/// Adds the full-text index. It has no copy of the texts, and deleted rows are overwritten. A room is indexed up to the seq `indexed`.
/// Rooms in `behind` have more entries, which are indexed little by little while the server runs.
const VERSION_5: &str = "
CREATE VIRTUAL TABLE said USING fts5(text, marks, content = '', tokenize = 'ascii');
INSERT INTO said (said, rank) VALUES ('secure-delete', 1);
ALTER TABLE rooms ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
CREATE TABLE behind (room INTEGER PRIMARY KEY REFERENCES rooms) STRICT;
INSERT INTO behind SELECT num FROM rooms;
";

/// Adds log time. Entries without it are from versions whose `at_ms` never went back; for them `at_ms` is the log
/// time. If the clock had once been ahead, those versions stamped all later entries in the future. Such entries get
/// the current time as their log time. If no entry of any room is in the past, the current clock is the wrong one, and
/// nothing is changed. The ends of bans and mutes are already in log time and stay as they are.
const VERSION_6: &str = "
ALTER TABLE entries ADD COLUMN log_ms INTEGER;
ALTER TABLE entries ADD COLUMN doubt_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN is_stepped INTEGER NOT NULL DEFAULT 0;
UPDATE entries SET log_ms = unixepoch() * 1000
    WHERE at_ms > unixepoch() * 1000
    AND room IN (
        SELECT r.num FROM rooms r
        WHERE (SELECT e.at_ms FROM entries e WHERE e.room = r.num ORDER BY e.seq DESC LIMIT 1) > unixepoch() * 1000
    )
    AND EXISTS (SELECT 1 FROM entries e WHERE e.at_ms <= unixepoch() * 1000);
";

/// Removes the unique key of secret rooms (kind 4): a refused name would reveal that the room exists.
const VERSION_7: &str = "UPDATE rooms SET key = NULL WHERE kind = 4;";

/// Adds devices and invitations. An account keeps the hash of its former secret until a device is added to it; new accounts have none, and
/// guests never needed theirs. Names belong to accounts, so presence is no longer stored.
const VERSION_8: &str = "
CREATE TABLE devices (
    key BLOB PRIMARY KEY, identity BLOB NOT NULL, name TEXT NOT NULL, added_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_identity ON devices (identity);
CREATE TABLE invites (
    hash BLOB PRIMARY KEY, uses INTEGER NOT NULL, expires_log_ms INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL, maker BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE accounts (
    id BLOB PRIMARY KEY, secret BLOB UNIQUE, name TEXT NOT NULL, key TEXT NOT NULL, seen_ms INTEGER NOT NULL,
    via INTEGER NOT NULL DEFAULT 0, away INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT '', keywords TEXT NOT NULL DEFAULT '',
    former TEXT, former_until_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO accounts (id, secret, name, key, seen_ms, via, away, status, keywords)
    SELECT id, iif(via = 0, secret, NULL), name, key, seen_ms, via, away, status, keywords FROM identities;
DROP TABLE identities;
ALTER TABLE accounts RENAME TO identities;
CREATE INDEX identities_by_key ON identities (key);
CREATE INDEX identities_guests ON identities (id) WHERE via > 0;
";

/// Adds roles on the server and how an account was made, when a person was last connected in log time, the audit log,
/// revoked devices, and invitations for a device, a role or rooms. `rooms` has the 16 bytes of each room's id, one
/// after another. A removed account keeps its id and its name, as the author of its messages. The index is for finding
/// out whether a person has ever posted.
const VERSION_9: &str = "
ALTER TABLE identities ADD COLUMN role INTEGER NOT NULL DEFAULT 0;
ALTER TABLE identities ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
ALTER TABLE identities ADD COLUMN seen_log_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE identities ADD COLUMN removed_ms INTEGER;
ALTER TABLE devices ADD COLUMN seen_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE devices ADD COLUMN seen_from TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN revoked_ms INTEGER;
UPDATE devices SET seen_ms = added_ms;
ALTER TABLE invites ADD COLUMN role INTEGER NOT NULL DEFAULT 0;
ALTER TABLE invites ADD COLUMN rooms BLOB NOT NULL DEFAULT x'';
ALTER TABLE invites ADD COLUMN account BLOB;
ALTER TABLE invites ADD COLUMN revokes_others INTEGER NOT NULL DEFAULT 0;
CREATE TABLE audit (
    num INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor BLOB, actor_name TEXT NOT NULL, act TEXT NOT NULL, target TEXT NOT NULL,
    detail TEXT NOT NULL, hash BLOB NOT NULL
) STRICT;
CREATE INDEX marks_by_author ON marks (author);
";

/// Adds bans from the server, of accounts and of networks. Ends are log time; 0 means until the ban is lifted.
const VERSION_10: &str = "
CREATE TABLE bans (
    target TEXT PRIMARY KEY, account BLOB, until_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL, by_name TEXT NOT NULL, reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Adds the status of private conversations, blocked people, and who made an invitation. A conversation without a row is open.
const VERSION_11: &str = "
CREATE TABLE conversations (
    identity BLOB NOT NULL, room INTEGER NOT NULL REFERENCES rooms, status INTEGER NOT NULL, instance BLOB, counter INTEGER,
    PRIMARY KEY (identity, room)
) STRICT, WITHOUT ROWID;
ALTER TABLE ignored ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE standings ADD COLUMN invited_by BLOB;
";

/// Adds the rules of rooms, an index over what moderators did (its kinds are those of `moderation::KINDS`), and one over the roles of
/// people who have left.
const VERSION_12: &str = "
ALTER TABLE rooms ADD COLUMN slow_s INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
CREATE INDEX entries_moderating ON entries (room, seq) WHERE kind IN (7, 8, 9, 10, 11, 12, 13, 14, 16, 19, 24);
CREATE INDEX standings_role ON standings (identity) WHERE role IS NOT NULL;
";

/// Checks that this is a tchat database, and not one of a newer version.
///
/// # Errors
/// It is another program's database, or a newer version made it.
pub fn is_ours(db: &Connection, path: &Path) -> Result<(), OpenError> {
    let cause = |cause| OpenError::of(path, cause);
    let pragma = |name| {
        db.pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(cause)
    };
    if pragma("application_id")? != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    let (found, known) = (
        pragma("user_version")?,
        STEPS.len().try_into().unwrap_or(i64::MAX),
    );
    if found > known {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(())
}

/// Configures a connection and migrates the database to the current version.
pub fn prepare(db: &mut Connection, path: &Path, fresh_id: ServerId) -> Result<(), OpenError> {
    let cause = |cause| OpenError::of(path, cause);
    let pragma = |db: &Connection, name| {
        db.pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(cause)
    };
    let known = STEPS.len().try_into().unwrap_or(i64::MAX);
    let version = pragma(db, "user_version")?;
    let application = pragma(db, "application_id")?;
    if application != APPLICATION_ID {
        let tables: i64 = db
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(cause)?;
        if application != 0 || tables != 0 {
            return Err(OpenError::Foreign(path.to_owned()));
        }
    }
    if version > known {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found: version,
            known,
        });
    }
    // `secure_delete` overwrites deleted data instead of only freeing it. Automatic checkpoints are off because they would make the
    // writer's slowest commits slow; `writer` runs them in another thread.
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = 0; PRAGMA secure_delete = ON;",
    )
    .map_err(cause)?;
    for (step, sql) in STEPS
        .iter()
        .enumerate()
        .skip(usize::try_from(version).unwrap_or(0))
    {
        let migration = db.transaction().map_err(cause)?;
        migrate(&migration, step, sql, fresh_id).map_err(cause)?;
        migration.commit().map_err(cause)?;
    }
    Ok(())
}

fn migrate(
    db: &Transaction<'_>,
    step: usize,
    sql: &str,
    fresh_id: ServerId,
) -> rusqlite::Result<()> {
    db.execute_batch(sql)?;
    if step == 0 {
        db.pragma_update(None, "application_id", APPLICATION_ID)?;
        db.execute(
            "INSERT INTO meta (key, value) VALUES ('server_id', ?1)",
            params![fresh_id.bytes()],
        )?;
    }
    db.pragma_update(
        None,
        "user_version",
        i64::try_from(step + 1).unwrap_or(i64::MAX),
    )
}
