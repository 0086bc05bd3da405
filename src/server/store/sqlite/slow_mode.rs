//! What slow mode needs to know of a room's past.

use std::collections::HashMap;

use rusqlite::Connection;

use super::decode::{LOG_MS, bytes, number};
use super::encode::MESSAGE_KINDS;
use crate::chat::{IdentityId, RoomRules};

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
    let mut newest = db.prepare_cached(&format!(
        "SELECT author, {LOG_MS} FROM entries INDEXED BY entries_said WHERE room = ?1 AND {MESSAGE_KINDS} ORDER BY seq DESC"
    ))?;
    let mut rows = newest.query([num])?;
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
