//! Message search in the cached copies, newest first.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::entries::{self, ENTRY};
use crate::chat::{Epoch, IdentityId, RoomId, Search, SearchResults, ServerId};
use crate::text::Finder;

/// The condition for messages: the kinds of texts, actions and replies.
const MESSAGE_KINDS: &str = "kind IN (1, 2, 17)";

/// How many copies are read between two checks for cancellation.
const CANCEL_CHECK_ROWS: usize = 256;

/// Searches the copies of a server's rooms until there are enough results from each. It uses a connection of its own, so that writing does
/// not wait for it. It ends early when the result is no longer wanted.
pub fn search(
    path: &Path,
    server: ServerId,
    search: &Search,
    is_wanted: impl Fn() -> bool,
) -> rusqlite::Result<SearchResults> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    let me: [u8; 16] = db.query_row(
        "SELECT me FROM servers WHERE id = ?1",
        [server.bytes()],
        |row| row.get(0),
    )?;
    // The cache does not store who has a name now, so only the server finds messages that a person wrote under another
    // name.
    let finder = Finder::new(search, IdentityId::new(me), Vec::new());
    let open = finder.as_prefix_search().filter(|_| search.is_prefix);
    let finder = open.unwrap_or(finder);
    let mut rooms = db.prepare("SELECT num, id, epoch FROM rooms WHERE server = ?1")?;
    let rooms = rooms.query_map([server.bytes()], |row| {
        let epoch: Option<[u8; 16]> = row.get(2)?;
        let room = RoomId::new(row.get(1)?);
        Ok((row.get::<_, i64>(0)?, room, epoch.map(Epoch::new)))
    })?;
    let mut copies = db.prepare(&format!(
        "SELECT {ENTRY} FROM entries WHERE room = ?1 AND epoch = ?2 AND {MESSAGE_KINDS} ORDER BY seq DESC"
    ))?;
    let mut found = SearchResults::default();
    for room in rooms {
        let (num, id, Some(epoch)) = room? else {
            continue;
        };
        if !search.rooms.is_empty() && !search.rooms.contains(&id) {
            continue;
        }
        let mut of_room = 0;
        let mut rows = copies.query(params![num, epoch.bytes()])?;
        let mut read = 0;
        while of_room < Search::RESULT_LIMIT
            && let Some(row) = rows.next()?
        {
            let entry = entries::entry(id, row)?;
            if finder.matches(&entry) {
                found.entries.push(entry);
                of_room += 1;
            }
            read += 1;
            if read % CANCEL_CHECK_ROWS == 0 && !is_wanted() {
                return Ok(found);
            }
        }
    }
    found
        .entries
        .sort_by_key(|entry| std::cmp::Reverse((entry.at_ms, entry.room, entry.seq)));
    found.has_more = found.entries.len() >= Search::RESULT_LIMIT;
    found.entries.truncate(Search::RESULT_LIMIT);
    Ok(found)
}
