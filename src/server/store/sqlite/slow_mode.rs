//! What slow mode needs to know of a room's past.

use std::collections::HashMap;

use rusqlite::Connection;

use super::decode::{LOG_MS, bytes, number, text};
use crate::chat::{Body, IdentityId, RoomRules};

/// Returns when members last wrote, as far as slow mode needs it. `now_ms` is the log time of the room's last entry.
pub fn wrote(
    db: &Connection,
    num: i64,
    rules: RoomRules,
    now_ms: u64,
) -> rusqlite::Result<Vec<(IdentityId, u64)>> {
    if rules.slow_s == 0 {
        return Ok(Vec::new());
    }
    let since_ms = now_ms.saturating_sub(u64::from(rules.slow_s) * 1000);
    let mut wrote: HashMap<IdentityId, u64> = HashMap::new();
    let begun = turned_on(db, num)?;
    // Also messages that were deleted since (kind 21): deleting one does not let its author write sooner.
    let mut newest = db.prepare_cached(&format!(
        "SELECT author, {LOG_MS} FROM entries WHERE room = ?1 AND seq > ?2 AND kind IN (1, 2, 17, 21) ORDER BY seq DESC"
    ))?;
    let mut rows = newest.query([num, begun])?;
    while let Some(row) = rows.next()? {
        let at_ms = number(row, 1)?.unwrap_or_default();
        if at_ms < since_ms {
            break;
        }
        if let Some(author) = bytes(row, 0)?.map(IdentityId::new) {
            wrote.entry(author).or_insert(at_ms);
        }
    }
    Ok(wrote.into_iter().collect())
}

/// Returns the seq of the entry that turned slow mode on.
fn turned_on(db: &Connection, num: i64) -> rusqlite::Result<i64> {
    let mut changes = db.prepare_cached(
        "SELECT seq, text FROM entries INDEXED BY entries_moderating WHERE room = ?1 AND kind = 24
         AND kind IN (7, 8, 9, 10, 11, 12, 13, 14, 16, 19, 24) ORDER BY seq DESC",
    )?;
    let mut rows = changes.query([num])?;
    let mut first = 0;
    while let Some(row) = rows.next()? {
        match Body::from_parts(24, text(row, 1)?) {
            Body::Rules(rules) if rules.slow_s > 0 => first = row.get(0)?,
            _ => break,
        }
    }
    Ok(first)
}
