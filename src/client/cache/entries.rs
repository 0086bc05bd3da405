//! Copies of entries, as amended so far.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::values::{damaged, signed, unsigned};
use crate::chat::{
    Amendment, Author, Body, ClientId, Digest, Entry, Epoch, IdentityId, InstanceId, RoomId, Seq,
};
use crate::wire::{amended_from_bytes, amended_to_bytes};

/// The columns of an entry, as [`entry`] reads them.
pub const ENTRY: &str = "epoch, seq, digest, at_ms, author, author_name, instance, counter, kind, text, amended, mentions";

/// Stores an entry, or updates it if it is stored already, and applies it to the entry it amends.
pub fn put(db: &Connection, num: i64, entry: &Entry) -> rusqlite::Result<()> {
    let is_new = db
        .prepare_cached(
            "INSERT OR IGNORE INTO entries
             (room, epoch, seq, digest, at_ms, author, author_name, instance, counter, kind, text, amended, mentions)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params![
            num,
            entry.epoch.bytes(),
            signed(entry.seq.0),
            entry.digest.0,
            signed(entry.at_ms),
            entry.author.id.bytes(),
            entry.author.name,
            entry.client_id.map(|id| *id.instance.bytes()),
            entry.client_id.map(|id| signed(id.counter)),
            entry.body.kind(),
            entry.body.payload(),
            amended(entry),
            mentions(entry),
        ])?
        > 0;
    if !is_new && is_newer(db, num, entry)? {
        update_row(db, num, entry)?;
    }
    if is_new && entry.body.is_message() {
        apply_later_amendments(db, num, entry)?;
    }
    match &entry.body {
        Body::Amendment { target, what } => amend(db, num, entry, *target, what),
        _ => Ok(()),
    }
}

/// Returns the query for the amendments of an entry. It uses a partial index, so it must repeat the index's condition
/// word for word.
fn amendments_query() -> String {
    format!(
        "SELECT {ENTRY} FROM entries INDEXED BY entries_amending WHERE room = ?1 AND epoch = ?2 AND seq > ?3 AND kind BETWEEN 18 AND 20
         AND (text = ?4 OR text LIKE ?4 || char(10) || '%') ORDER BY seq"
    )
}

/// Returns the query for the edits of any message after an entry.
fn edits_query() -> String {
    format!(
        "SELECT {ENTRY} FROM entries INDEXED BY entries_amending WHERE room = ?1 AND epoch = ?2 AND seq > ?3 AND kind BETWEEN 18 AND 20 AND kind = 18"
    )
}

/// Applies stored amendments to a new entry: its page may be older than amendments that have arrived since.
fn apply_later_amendments(db: &Connection, num: i64, entry: &Entry) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(&amendments_query())?;
    let seq = signed(entry.seq.0);
    let found = statement.query_map(
        params![num, entry.epoch.bytes(), seq, entry.seq.to_string()],
        |row| self::entry(entry.room, row),
    )?;
    let found: Vec<Entry> = found.collect::<Result<_, _>>()?;
    let mut copy = entry.clone();
    let mut is_changed = false;
    for by in &found {
        is_changed |= copy.amend(by);
    }
    if is_changed {
        update_row(db, num, &copy)?;
    }
    Ok(())
}

fn mentions(entry: &Entry) -> Option<Vec<u8>> {
    let ids = entry.mentions.iter().flat_map(IdentityId::bytes);
    (!entry.mentions.is_empty()).then(|| ids.copied().collect())
}

fn amended(entry: &Entry) -> Option<Vec<u8>> {
    entry.amended.as_deref().map(amended_to_bytes)
}

/// Returns whether an entry is newer than its copy. A deleted copy never gets its text back.
fn is_newer(db: &Connection, num: i64, entry: &Entry) -> rusqlite::Result<bool> {
    let Some(copy) = entry_at(db, num, entry, entry.seq)? else {
        return Ok(false);
    };
    let seq = |entry: &Entry| entry.amended.as_ref().map_or(Seq::ZERO, |it| it.seq);
    let is_erased = |entry: &Entry| matches!(entry.body, Body::Erased(_));
    Ok(seq(entry) > seq(&copy) || (is_erased(entry) && !is_erased(&copy)))
}

fn amend(
    db: &Connection,
    num: i64,
    by: &Entry,
    target: Seq,
    what: &Amendment,
) -> rusqlite::Result<()> {
    if let Some(mut copy) = entry_at(db, num, by, target)?
        && copy.amend(by)
    {
        update_row(db, num, &copy)?;
    }
    if *what != Amendment::Erase {
        return Ok(());
    }
    // Delete the text of the target's edits, too.
    let mut statement = db.prepare_cached(&edits_query())?;
    let edits = statement.query_map(params![num, by.epoch.bytes(), signed(target.0)], |row| {
        entry(by.room, row)
    })?;
    let edits: Vec<Entry> = edits.collect::<Result<_, _>>()?;
    for mut edit in edits {
        if edit.erase_edit_of(target) {
            update_row(db, num, &edit)?;
        }
    }
    Ok(())
}

/// Returns the copy of the entry at a seq, in the same room and history as `of`.
fn entry_at(db: &Connection, num: i64, of: &Entry, seq: Seq) -> rusqlite::Result<Option<Entry>> {
    db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries WHERE room = ?1 AND epoch = ?2 AND seq = ?3"
    ))?
    .query_row(params![num, of.epoch.bytes(), signed(seq.0)], |row| {
        entry(of.room, row)
    })
    .optional()
}

fn update_row(db: &Connection, num: i64, entry: &Entry) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE entries SET kind = ?4, text = ?5, amended = ?6, mentions = ?7 WHERE room = ?1 AND epoch = ?2 AND seq = ?3",
    )?
    .execute(params![
        num,
        entry.epoch.bytes(),
        signed(entry.seq.0),
        entry.body.kind(),
        entry.body.payload(),
        amended(entry),
        mentions(entry),
    ])?;
    Ok(())
}

pub fn entry(room: RoomId, row: &Row<'_>) -> rusqlite::Result<Entry> {
    let instance: Option<[u8; 16]> = row.get(6)?;
    let counter: Option<i64> = row.get(7)?;
    let amended: Option<Vec<u8>> = row.get(10)?;
    let amended = amended.map(|bytes| {
        let amended = amended_from_bytes(&bytes);
        amended.map(Box::new).map_err(|_| damaged(10))
    });
    Ok(Entry {
        room,
        epoch: Epoch::new(row.get(0)?),
        seq: Seq(unsigned(row, 1)?),
        digest: Digest(row.get(2)?),
        at_ms: unsigned(row, 3)?,
        author: Author {
            id: IdentityId::new(row.get(4)?),
            name: row.get(5)?,
        },
        client_id: match instance.zip(counter) {
            Some((instance, counter)) => Some(ClientId {
                instance: InstanceId::new(instance),
                counter: u64::try_from(counter).map_err(|_| damaged(7))?,
            }),
            None => None,
        },
        body: Body::from_parts(row.get(8)?, row.get(9)?),
        mentions: row
            .get::<_, Option<Vec<u8>>>(11)?
            .unwrap_or_default()
            .chunks(16)
            .filter_map(IdentityId::from_slice)
            .collect(),
        amended: amended.transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::cache::schema;

    #[test]
    fn amendments_are_found_through_their_index() {
        let directory = tempfile::tempdir().unwrap();
        let db = schema::open(&directory.path().join("cache.db")).unwrap();
        for query in [amendments_query(), edits_query()] {
            let sql = format!("EXPLAIN QUERY PLAN {query}");
            let mut statement = db.prepare(&sql).unwrap();
            let parameters = vec![rusqlite::types::Null; statement.parameter_count()];
            let plan: Vec<String> = statement
                .query_map(rusqlite::params_from_iter(parameters), |row| row.get(3))
                .unwrap()
                .collect::<Result<_, _>>()
                .unwrap();
            assert!(plan[0].contains("entries_amending"), "{plan:?}");
        }
    }
}
