//! The full-text index that `search` uses. It is updated shortly after the entries, and rebuilt when it is damaged.
//!
//! The index contains only data derived from the entries, so a damaged index must not stop the server. A failed change of the index is
//! undone without the rest of its transaction, the damage is recorded in the database, and the next step rebuilds the index.

use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Row, Transaction, TransactionBehavior, ffi, params,
};

use super::decode::readable;
use super::decode::{self, ENTRY, entry};
use crate::chat::{Body, Epoch, Has, IdentityId, RoomId};
use crate::text::{folded, has, tokens};

/// How many entries are indexed in one commit, so that posts do not wait for long meanwhile.
const BATCH: usize = 128;
/// The number of low bits in a row number that contain the seq. The bits above them contain the room's number.
const SEQ_BITS: u32 = 40;
/// How many rebuilds are allowed in one run of the server. If the index is damaged even more often, the disk is failing.
const REBUILDS: usize = 3;

/// Creates an empty index, as version 5 of the schema did.
const CREATE: &str = "
CREATE VIRTUAL TABLE said USING fts5(text, marks, content = '', tokenize = 'ascii');
INSERT INTO said (said, rank) VALUES ('secure-delete', 1);
UPDATE rooms SET indexed = 0;
INSERT OR IGNORE INTO behind SELECT num FROM rooms;
DELETE FROM meta WHERE key = 'index_damaged';
";
/// Drops the index. FTS5 can do that only if it can read its configuration, which is therefore repaired first.
const DROP: &str = "
CREATE TABLE IF NOT EXISTS said_config (k PRIMARY KEY, v) WITHOUT ROWID;
INSERT OR REPLACE INTO said_config VALUES ('version', 4);
DROP TABLE IF EXISTS said;
DROP TABLE IF EXISTS said_data;
DROP TABLE IF EXISTS said_idx;
DROP TABLE IF EXISTS said_docsize;
DROP TABLE IF EXISTS said_config;
";
/// Removes the index from the schema only. If its pages are damaged, dropping it could free pages of other tables. The old pages stay in
/// the file unused; a restored backup does not have them.
const REMOVE_FROM_SCHEMA: &str = "
PRAGMA writable_schema = ON;
DELETE FROM sqlite_schema WHERE tbl_name IN ('said', 'said_data', 'said_idx', 'said_docsize', 'said_config');
PRAGMA writable_schema = RESET;
";

/// How the index is damaged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IndexDamage {
    /// Whether its pages are damaged too, so that it must not be dropped.
    affects_pages: bool,
    why: String,
}

impl IndexDamage {
    /// Interprets an error of a statement that uses the index. Returns `None` if the error is about something else.
    pub fn of(db: &Connection, error: &rusqlite::Error) -> Option<Self> {
        let code = error.sqlite_error()?;
        let is_damage = code.code == ErrorCode::DatabaseCorrupt
            // FTS5 reports a missing or unusable table as a plain error, like a mistake in a statement.
            || (code.extended_code == ffi::SQLITE_ERROR && !is_readable(db));
        is_damage.then(|| {
            Self::new(
                code.extended_code == ffi::SQLITE_CORRUPT,
                &error.to_string(),
            )
        })
    }

    pub fn new(affects_pages: bool, why: &str) -> Self {
        Self {
            affects_pages,
            why: why.to_owned(),
        }
    }
}

fn is_readable(db: &Connection) -> bool {
    let query = "SELECT rowid FROM said WHERE said MATCH '\"a\"' LIMIT 1";
    let found = db.query_row(query, [], |_| Ok(()));
    found.optional().is_ok()
}

/// Whether the index is waiting to be rebuilt. Until then it is neither read nor written.
pub fn is_damaged(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM meta WHERE key = 'index_damaged'")?
        .exists([])
}

/// Records that the index has to be rebuilt.
pub fn note_damage(db: &Connection, damage: &IndexDamage) -> rusqlite::Result<()> {
    let how = if damage.affects_pages {
        "pages"
    } else {
        "words"
    };
    let noted = db
        .prepare_cached(
            "INSERT INTO meta (key, value) VALUES ('index_damaged', ?1)
             ON CONFLICT (key) DO UPDATE SET value = ?1 WHERE value <> ?1 AND ?1 = x'7061676573'",
        )?
        .execute([how.as_bytes()])?;
    if noted > 0 {
        tracing::error!(cause = %damage.why, "the search index is damaged and will be rebuilt");
    }
    Ok(())
}

/// Keeps the index up to date, one step at a time.
#[derive(Debug, Default)]
pub struct Indexer {
    rebuilds: usize,
}

/// Why a step failed.
enum IndexError {
    Index(rusqlite::Error),
    Entries(rusqlite::Error),
}

impl Indexer {
    /// Indexes some entries that are not indexed yet, or rebuilds a damaged index. Returns how much was done: 0 if
    /// everything is indexed.
    ///
    /// It uses transactions of its own: when SQLite finds a damaged page it rolls back the whole transaction, and that
    /// must not lose a post.
    ///
    /// # Errors
    /// The entries cannot be read, the disk failed, or the index is damaged again and again.
    pub fn step(&mut self, db: &mut Connection) -> rusqlite::Result<usize> {
        if is_damaged(db)? {
            self.rebuild(db)?;
            return Ok(1);
        }
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let error = match index_some(&transaction) {
            Ok(done) => {
                transaction.commit()?;
                return Ok(done);
            }
            Err(IndexError::Entries(error)) => return Err(error),
            Err(IndexError::Index(error)) => error,
        };
        transaction.rollback()?;
        match IndexDamage::of(db, &error) {
            Some(damage) => note_damage(db, &damage).map(|()| 1),
            None => Err(error),
        }
    }

    fn rebuild(&mut self, db: &mut Connection) -> rusqlite::Result<()> {
        if self.rebuilds == REBUILDS {
            let words = "the search index was damaged again after it had been rebuilt".to_owned();
            let code = ffi::Error::new(ffi::SQLITE_CORRUPT_VTAB);
            return Err(rusqlite::Error::SqliteFailure(code, Some(words)));
        }
        self.rebuilds += 1;
        let how: Vec<u8> = db.query_row(
            "SELECT value FROM meta WHERE key = 'index_damaged'",
            [],
            |row| row.get(0),
        )?;
        // Cached statements refer to the old tables.
        db.flush_prepared_statement_cache();
        let made = if how == b"pages" {
            rebuild_after(db, REMOVE_FROM_SCHEMA)
        } else {
            rebuild_after(db, DROP).or_else(|error| match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt) => rebuild_after(db, REMOVE_FROM_SCHEMA),
                _ => Err(error),
            })
        };
        made?;
        tracing::info!("rebuilt the search index; entries are indexed again in the background");
        Ok(())
    }
}

fn rebuild_after(db: &mut Connection, gone: &str) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(gone)?;
    transaction.execute_batch(CREATE)?;
    transaction.commit()
}

fn index_some(db: &Transaction<'_>) -> Result<usize, IndexError> {
    let behind: Vec<(i64, i64)> = rooms_behind(db).map_err(IndexError::Entries)?;
    let mut done = 0;
    for (num, indexed) in behind {
        let left = BATCH.saturating_sub(done);
        let rows = not_indexed(db, num, indexed, left).map_err(IndexError::Entries)?;
        let put = rows.iter().try_for_each(|row| row.put(db, num));
        put.map_err(IndexError::Index)?;
        record_progress(db, num, rows.last().map(|last| last.seq), rows.len() < left)
            .map_err(IndexError::Entries)?;
        // A room that turns out to be complete counts as work: the next room may not be.
        done += rows.len().max(1);
        if done >= BATCH {
            break;
        }
    }
    flush(db).map_err(IndexError::Index)?;
    Ok(done)
}

fn rooms_behind(db: &Connection) -> rusqlite::Result<Vec<(i64, i64)>> {
    db.prepare_cached(
        "SELECT b.room, r.indexed FROM behind b JOIN rooms r ON r.num = b.room LIMIT 8",
    )?
    .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

fn not_indexed(
    db: &Connection,
    num: i64,
    indexed: i64,
    most: usize,
) -> rusqlite::Result<Vec<IndexRow>> {
    let most = i64::try_from(most).unwrap_or(0);
    db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries e WHERE e.room = ?1 AND e.seq > ?2 ORDER BY e.seq LIMIT ?3"
    ))?
    .query_map(params![num, indexed, most], index_row)
    .and_then(readable)
}

/// Records up to which seq a room is indexed, and whether that is all of it.
fn record_progress(
    db: &Connection,
    num: i64,
    last: Option<i64>,
    is_done: bool,
) -> rusqlite::Result<()> {
    if let Some(last) = last {
        db.prepare_cached("UPDATE rooms SET indexed = ?2 WHERE num = ?1")?
            .execute([num, last])?;
    }
    if is_done {
        db.prepare_cached("DELETE FROM behind WHERE room = ?1")?
            .execute([num])?;
    }
    Ok(())
}

/// Makes FTS5 write the changes that it still has in memory. It would otherwise do so at the commit, and an error there would affect
/// everyone who shares the commit.
fn flush(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("SAVEPOINT written; RELEASE written")
}

/// Changes the index within a post's transaction. If the index is damaged, only this change is undone and the post goes through. A damaged
/// page is different: SQLite rolls back the whole transaction, the server stops as for any damaged page, and the next start rebuilds the
/// index.
fn change(db: &Connection, change: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    if is_damaged(db)? {
        return Ok(());
    }
    db.execute_batch("SAVEPOINT words")?;
    let Err(error) = change().and_then(|()| flush(db)) else {
        return db.execute_batch("RELEASE words");
    };
    match IndexDamage::of(db, &error) {
        Some(damage) if !damage.affects_pages => {
            db.execute_batch("ROLLBACK TO words; RELEASE words")?;
            note_damage(db, &damage)
        }
        _ => Err(error),
    }
}

/// Records that a room has new entries.
pub fn mark_behind(db: &Connection, num: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO behind (room) VALUES (?1)")?
        .execute([num])
        .map(drop)
}

/// Removes an entry from the index, before its text changes.
pub fn forget(db: &Connection, num: i64, seq: i64) -> rusqlite::Result<()> {
    forget_all(db, num, (seq, seq))
}

/// Adds an entry again with its current text.
pub fn put(db: &Connection, num: i64, seq: i64) -> rusqlite::Result<()> {
    let rows = indexed(db, num, (seq, seq))?;
    change(db, || rows.iter().try_for_each(|row| row.put(db, num)))
}

/// Removes the entries before a seq from the index.
pub fn trim(db: &Connection, num: i64, before: i64) -> rusqlite::Result<()> {
    forget_all(db, num, (0, before - 1))
}

fn forget_all(db: &Connection, num: i64, seqs: (i64, i64)) -> rusqlite::Result<()> {
    let rows = indexed(db, num, seqs)?;
    // FTS5 stores no copy of the words, so removing a row needs the same words it was added with. Those of a damaged text are unknown.
    if rows.iter().any(|row| row.is_damaged) {
        let why = "the words of a damaged entry cannot be removed";
        return note_damage(db, &IndexDamage::new(false, why));
    }
    change(db, || rows.iter().try_for_each(|row| row.remove(db, num)))
}

/// Returns the entries within a range of seqs that are in the index.
fn indexed(db: &Connection, num: i64, (from, to): (i64, i64)) -> rusqlite::Result<Vec<IndexRow>> {
    db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries e JOIN rooms r ON r.num = e.room
         WHERE e.room = ?1 AND e.seq BETWEEN ?2 AND ?3 AND e.seq <= r.indexed"
    ))?
    .query_map([num, from, to], index_row)
    .and_then(readable)
}

/// An entry as it is added to the index.
struct IndexRow {
    seq: i64,
    /// Its words and its marks. `None` for an entry that is not indexed.
    columns: Option<(String, String)>,
    is_damaged: bool,
}

fn index_row(row: &Row<'_>) -> rusqlite::Result<Option<IndexRow>> {
    let entry = entry(row, RoomId::new([0; 16]), Epoch::new([0; 16]))?;
    let columns = entry.body.is_message().then(|| {
        let mut text = String::new();
        for token in tokens(entry.body.text()) {
            text.push_str(&token.word);
            text.push(' ');
        }
        let marks = marks(entry.author.id, &entry.author.name, &entry.body);
        (text, marks)
    });
    let seq = decode::number(row, 0)?.and_then(|seq| i64::try_from(seq).ok());
    Ok(seq.map(|seq| IndexRow {
        seq,
        columns,
        is_damaged: matches!(entry.body, Body::Damaged(_)),
    }))
}

impl IndexRow {
    fn put(&self, db: &Connection, num: i64) -> rusqlite::Result<()> {
        let Some((text, marks)) = &self.columns else {
            return Ok(());
        };
        db.prepare_cached("INSERT INTO said (rowid, text, marks) VALUES (?1, ?2, ?3)")?
            .execute(params![row_number(num, self.seq), text, marks])
            .map(drop)
    }

    fn remove(&self, db: &Connection, num: i64) -> rusqlite::Result<()> {
        let Some((text, marks)) = &self.columns else {
            return Ok(());
        };
        db.prepare_cached(
            "INSERT INTO said (said, rowid, text, marks) VALUES ('delete', ?1, ?2, ?3)",
        )?
        .execute(params![row_number(num, self.seq), text, marks])
        .map(drop)
    }
}

pub const fn row_number(num: i64, seq: i64) -> i64 {
    (num << SEQ_BITS) | seq
}

/// Returns the room's number and the seq of a row.
pub const fn place(row: i64) -> (i64, i64) {
    (row >> SEQ_BITS, row & ((1 << SEQ_BITS) - 1))
}

/// Returns the marks of an entry: extra words, indexed in a column of their own, for its author, the author's name, and features such as
/// links.
fn marks(author: IdentityId, name: &str, body: &Body) -> String {
    let mut marks = format!("{} {}", author_mark(author), name_mark(&folded(name)));
    let kept = Has::ALL
        .iter()
        .filter_map(|(_, what)| Some((*what, mark(*what)?)));
    for (_, mark) in kept.filter(|(what, _)| has(body, *what)) {
        marks.push(' ');
        marks.push_str(mark);
    }
    marks
}

pub fn author_mark(author: IdentityId) -> String {
    format!("a{}", hex::encode(author.bytes()))
}

pub fn name_mark(folded: &str) -> String {
    format!("n{}", hex::encode(folded))
}

/// Returns the mark of a feature of the body itself. `None` for one that is added to an entry later, or that depends on the person who
/// searches.
pub const fn mark(what: Has) -> Option<&'static str> {
    match what {
        Has::Link => Some("link"),
        Has::Code => Some("code"),
        Has::Reply => Some("reply"),
        Has::Mention | Has::Reaction => None,
    }
}
