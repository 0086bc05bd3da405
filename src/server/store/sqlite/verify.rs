//! Whether a database is what it should be: its pages, its rooms, and the digest chain of every room.

use std::path::Path;

use rusqlite::{Connection, Row, params};

use super::read;
use crate::chat::{Digest, Entry, RoomId, Seq, digest};
use crate::server::store::{PageLimit, Span};

/// Problems named at most.
const NAMED: usize = 3;

/// What a database that was looked through holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    pub rooms: u64,
    pub entries: u64,
}

/// Lets SQLite look through all pages of a file: seconds for a large one.
///
/// # Errors
/// What is wrong, in SQLite's words.
pub fn quick_check(path: &Path) -> Result<(), String> {
    let db = Connection::open(path).map_err(|error| error.to_string())?;
    pages(&db)
}

fn pages(db: &Connection) -> Result<(), String> {
    let words = |error: rusqlite::Error| error.to_string();
    let mut statement = db.prepare("PRAGMA quick_check(3)").map_err(words)?;
    let found = statement
        .query_map([], |row: &Row<'_>| row.get::<_, String>(0))
        .map_err(words)?;
    let found: Vec<String> = found.collect::<Result<_, _>>().map_err(words)?;
    if found == ["ok"] {
        Ok(())
    } else {
        Err(found.into_iter().take(NAMED).collect::<Vec<_>>().join("; "))
    }
}

/// Looks through everything: SQLite's pages, that every room's seqs have no hole, and that its digests follow from its entries.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn verify(db: &Connection) -> Result<Verified, String> {
    pages(db)?;
    let words = |error: rusqlite::Error| error.to_string();
    let mut statement = db.prepare("SELECT id, first FROM rooms").map_err(words)?;
    let rooms = statement
        .query_map([], |row| {
            Ok((RoomId::new(row.get(0)?), read::unsigned(row, 1)?))
        })
        .map_err(words)?;
    let rooms: Vec<(RoomId, u64)> = rooms.collect::<Result<_, _>>().map_err(words)?;
    let mut verified = Verified::default();
    for (room, first) in rooms {
        verified.rooms += 1;
        verified.entries += chain(db, room, Seq(first))?;
    }
    Ok(verified)
}

fn chain(db: &Connection, room: RoomId, first: Seq) -> Result<u64, String> {
    let wrong = |seq: Seq, what: &str| format!("entry {seq} of room {room} {what}");
    let mut after = first.before();
    // What the first entry follows is not here once a room was trimmed.
    let mut previous = (after == Seq::ZERO).then(Digest::default);
    let mut count = 0;
    loop {
        let page = read::page(db, room, Span::After(after), PageLimit::PAGE)
            .map_err(|error| wrong(after.next(), &format!("cannot be read: {error}")))?;
        if page.is_empty() {
            return Ok(count);
        }
        for entry in page {
            if entry.seq != after.next() {
                return Err(wrong(after.next(), "is missing"));
            }
            if previous.is_some_and(|previous| expected(previous, &entry) != entry.digest) {
                return Err(wrong(entry.seq, "is not what was stored"));
            }
            (after, previous) = (entry.seq, Some(entry.digest));
            count += 1;
        }
    }
}

fn expected(previous: Digest, entry: &Entry) -> Digest {
    digest(
        previous,
        entry.seq,
        entry.author.id,
        entry.client_id,
        &entry.body,
    )
}

/// Gives every room a new epoch: what is in this file now is another history than the one that clients have seen.
pub(super) fn renew_epochs(db: &Connection) -> rusqlite::Result<()> {
    db.execute("UPDATE rooms SET epoch = randomblob(16)", params![])?;
    Ok(())
}
