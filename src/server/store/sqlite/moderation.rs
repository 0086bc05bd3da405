//! What moderators did in a room.

use rusqlite::{Connection, params};

use super::decode::{ENTRY, entry};
use super::encode::signed;
use super::read::number_and_epoch;
use crate::chat::{Entry, RoomId, Seq};

/// The kinds of entries that change a room or its members. Must be those of the index `entries_moderating`.
const KINDS: &str = "kind IN (7, 8, 9, 10, 11, 12, 13, 14, 16, 19, 24)";

/// Returns what moderators did in a room before a seq, the newest first. Deletions of own messages are left out.
pub fn entries(
    db: &Connection,
    room: RoomId,
    before: Seq,
    most: usize,
) -> rusqlite::Result<Vec<Entry>> {
    let Some((num, epoch)) = number_and_epoch(db, room)? else {
        return Ok(Vec::new());
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries e INDEXED BY entries_moderating WHERE e.room = ?1 AND e.{KINDS} AND e.seq < ?2
         AND (e.kind <> 19 OR e.author <> (SELECT t.author FROM entries t WHERE t.room = e.room AND t.seq = e.target))
         ORDER BY e.seq DESC LIMIT ?3"
    ))?
    .query_map(params![num, signed(before.0), most], |row| {
        entry(row, room, epoch)
    })?
    .collect()
}
