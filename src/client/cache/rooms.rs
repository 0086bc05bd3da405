//! Rooms and copies of their entries.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::entries::{self, ENTRY, entry};
use super::values::{damaged, signed, unsigned};
use super::{CachedServer, HistoryMatch, Page};
use crate::chat::{
    Author, ClientId, Cursor, Digest, Entry, Epoch, IdentityId, InstanceId, Limits,
    RequestDirection, RoomId, RoomInfo, RoomKind, RoomRules, Seq, ServerId,
};

/// The maximum number of entries in a page, and of former entries that are shown.
const PAGE: usize = 200;
/// The size of a cache after trimming, in percent of its limit.
const TRIM_TO_PERCENT: u64 = 80;
/// How many entries are deleted at once: few, because some are long.
const TRIM_ENTRIES: i64 = 64;

/// Returns what is stored about the server that was joined last.
pub fn cached_server(db: &Connection) -> rusqlite::Result<Option<CachedServer>> {
    let last = db
        .prepare_cached(
            "SELECT id, me, me_name, body_bytes, body_lines, burst, per_second FROM servers ORDER BY seen DESC LIMIT 1",
        )?
        .query_row([], |row| {
            let you = Author {
                id: IdentityId::new(row.get(1)?),
                name: row.get(2)?,
            };
            let limits = Limits {
                body_bytes: size(row, 3)?,
                body_lines: size(row, 4)?,
                burst: row.get(5)?,
                per_second: row.get(6)?,
            };
            Ok((ServerId::new(row.get(0)?), you, limits))
        })
        .optional()?;
    let Some((server, you, limits)) = last else {
        return Ok(None);
    };
    let mut rooms = Vec::new();
    let mut statement = db.prepare_cached(
        "SELECT id, kind, name, topic, capacity, peer, peer_name, num, epoch, request FROM rooms WHERE server = ?1 ORDER BY place, num",
    )?;
    let found = statement.query_map([server.bytes()], |row| {
        let (num, epoch): (i64, Option<[u8; 16]>) = (row.get(7)?, row.get(8)?);
        Ok((room_info(row)?, num, epoch.map(Epoch::new)))
    })?;
    for found in found {
        let (info, num, epoch) = found?;
        let cursor = epoch
            .map(|epoch| cursor(db, num, epoch))
            .transpose()?
            .flatten();
        rooms.push((info, cursor));
    }
    Ok(Some(CachedServer {
        server,
        you,
        limits,
        rooms,
    }))
}

fn size(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    usize::try_from(row.get::<_, i64>(column)?).map_err(|_| damaged(column))
}

fn integer(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn room_info(row: &Row<'_>) -> rusqlite::Result<RoomInfo> {
    let peer: Option<[u8; 16]> = row.get(5)?;
    let peer_name: Option<String> = row.get(6)?;
    Ok(RoomInfo {
        id: RoomId::new(row.get(0)?),
        kind: match row.get::<_, i64>(1)? {
            2 => RoomKind::Conversation,
            3 => RoomKind::Private,
            4 => RoomKind::Secret,
            _ => RoomKind::Public,
        },
        name: row.get(2)?,
        topic: row.get(3)?,
        capacity: row.get(4)?,
        present: 0,
        peer: peer.zip(peer_name).map(|(id, name)| Author {
            id: IdentityId::new(id),
            name,
        }),
        role: None,
        rules: RoomRules::default(),
        request: match row.get::<_, i64>(9)? {
            1 => Some(RequestDirection::Incoming),
            2 => Some(RequestDirection::Outgoing),
            _ => None,
        },
        last: None,
    })
}

/// Returns the cursor of the newest entry in the cache: everything up to it was shown, or is a gap that the screen shows.
fn cursor(db: &Connection, room: i64, epoch: Epoch) -> rusqlite::Result<Option<Cursor>> {
    db.prepare_cached(
        "SELECT seq, digest FROM entries WHERE room = ?1 AND epoch = ?2 ORDER BY seq DESC LIMIT 1",
    )?
    .query_row(params![room, epoch.bytes()], |row| {
        Ok(Cursor {
            epoch,
            seq: Seq(unsigned(row, 0)?),
            digest: Some(Digest(row.get(1)?)),
        })
    })
    .optional()
}

pub fn store_memberships(
    db: &Connection,
    server: ServerId,
    you: &Author,
    limits: &Limits,
    (rooms, ending): (&[RoomInfo], &[RoomId]),
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO servers (id, me, me_name, body_bytes, body_lines, burst, per_second, seen)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT coalesce(max(seen), 0) + 1 FROM servers))",
    )?
    .execute(params![
        server.bytes(),
        you.id.bytes(),
        you.name,
        integer(limits.body_bytes),
        integer(limits.body_lines),
        limits.burst,
        limits.per_second
    ])?;
    let known: Vec<RoomId> = db
        .prepare_cached("SELECT id FROM rooms WHERE server = ?1")?
        .query_map([server.bytes()], |row| row.get(0).map(RoomId::new))?
        .collect::<Result<_, _>>()?;
    for gone in known
        .into_iter()
        .filter(|id| !ending.contains(id) && rooms.iter().all(|room| room.id != *id))
    {
        remove(db, server, gone)?;
    }
    for (place, room) in rooms.iter().enumerate() {
        put(db, server, room, Some(place))?;
    }
    Ok(())
}

/// Adds or updates a room. Without a place, a known room stays in its place and a new one comes last.
pub fn put(
    db: &Connection,
    server: ServerId,
    room: &RoomInfo,
    place: Option<usize>,
) -> rusqlite::Result<()> {
    let kind = match room.kind {
        RoomKind::Public => 1,
        RoomKind::Conversation => 2,
        RoomKind::Private => 3,
        RoomKind::Secret => 4,
    };
    let request = match room.request {
        None => 0,
        Some(RequestDirection::Incoming) => 1,
        Some(RequestDirection::Outgoing) => 2,
    };
    db.prepare_cached(
        "INSERT INTO rooms (server, id, kind, name, topic, capacity, peer, peer_name, place, request)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
                 coalesce(?9, (SELECT coalesce(max(place), 0) + 1 FROM rooms WHERE server = ?1)), ?10)
         ON CONFLICT (server, id) DO UPDATE SET name = ?4, topic = ?5, capacity = ?6, peer_name = ?8,
                 place = coalesce(?9, place), request = ?10",
    )?
    .execute(params![
        server.bytes(),
        room.id.bytes(),
        kind,
        room.name,
        room.topic,
        room.capacity,
        room.peer.as_ref().map(|peer| *peer.id.bytes()),
        room.peer.as_ref().map(|peer| &peer.name),
        place.map(integer),
        request,
    ])?;
    Ok(())
}

/// Returns the number of a room in the cache, and its current epoch.
fn room_number(
    db: &Connection,
    server: ServerId,
    room: RoomId,
) -> rusqlite::Result<Option<(i64, Option<Epoch>)>> {
    db.prepare_cached("SELECT num, epoch FROM rooms WHERE server = ?1 AND id = ?2")?
        .query_row(params![server.bytes(), room.bytes()], |row| {
            let epoch: Option<[u8; 16]> = row.get(1)?;
            Ok((row.get(0)?, epoch.map(Epoch::new)))
        })
        .optional()
}

/// Removes a room that we are no longer in, with all its entries.
pub fn remove(db: &Connection, server: ServerId, room: RoomId) -> rusqlite::Result<()> {
    if let Some((num, _)) = room_number(db, server, room)? {
        db.execute("DELETE FROM entries WHERE room = ?1", [num])?;
        db.execute("DELETE FROM rooms WHERE num = ?1", [num])?;
    }
    Ok(())
}

pub fn record_history(
    db: &Connection,
    server: ServerId,
    room: RoomId,
    epoch: Epoch,
    first: Seq,
    history: HistoryMatch,
) -> rusqlite::Result<()> {
    let Some((num, before)) = room_number(db, server, room)? else {
        return Ok(());
    };
    let is_another = history == HistoryMatch::Replaced && before.is_some();
    if is_another {
        if before == Some(epoch) {
            // The new history has the same epoch: move the old entries to a random epoch that nothing else uses.
            db.execute(
                "UPDATE entries SET epoch = (SELECT randomblob(16)) WHERE room = ?1 AND epoch = ?2",
                params![num, epoch.bytes()],
            )?;
        }
        // Only the messages of a replaced history are worth keeping.
        db.execute(
            "DELETE FROM entries WHERE room = ?1 AND epoch <> ?2 AND (kind NOT IN (1, 2, 17) OR instance IS NULL)",
            params![num, epoch.bytes()],
        )?;
    }
    if history == HistoryMatch::Gap {
        db.execute(
            "DELETE FROM entries WHERE room = ?1 AND epoch = ?2",
            params![num, epoch.bytes()],
        )?;
    }
    db.prepare_cached(
        "UPDATE rooms SET epoch = ?2, first = ?3, has_former = max(has_former, ?4) WHERE num = ?1",
    )?
    .execute(params![num, epoch.bytes(), signed(first.0), is_another])?;
    Ok(())
}

/// Stores copies of entries of one room.
pub fn put_entries(db: &Connection, server: ServerId, entries: &[Entry]) -> rusqlite::Result<()> {
    let Some(first) = entries.first() else {
        return Ok(());
    };
    let Some((num, epoch)) = room_number(db, server, first.room)? else {
        return Ok(());
    };
    if epoch != Some(first.epoch) {
        db.execute(
            "UPDATE rooms SET epoch = ?2 WHERE num = ?1",
            params![num, first.epoch.bytes()],
        )?;
    }
    for entry in entries {
        entries::put(db, num, entry)?;
    }
    let has_former = db
        .prepare_cached(
            "UPDATE rooms SET used = (SELECT max(used) + 1 FROM rooms) WHERE num = ?1 RETURNING has_former",
        )?
        .query_row([num], |row| row.get::<_, bool>(0))?;
    if has_former {
        forget_matched(db, num, entries)?;
    }
    Ok(())
}

/// Deletes entries of former histories that are also in the current one.
fn forget_matched(db: &Connection, room: i64, entries: &[Entry]) -> rusqlite::Result<()> {
    let Some(epoch) = entries.first().map(|entry| entry.epoch) else {
        return Ok(());
    };
    let arrived: HashSet<(IdentityId, ClientId)> = entries
        .iter()
        .filter_map(|entry| Some((entry.author.id, entry.client_id?)))
        .collect();
    let mut statement = db.prepare_cached(
        "SELECT epoch, seq, author, instance, counter FROM entries WHERE room = ?1 AND epoch <> ?2",
    )?;
    let former = statement.query_map(params![room, epoch.bytes()], |row| {
        let id = ClientId {
            instance: InstanceId::new(row.get(3)?),
            counter: unsigned(row, 4)?,
        };
        let place: ([u8; 16], i64) = (row.get(0)?, row.get(1)?);
        Ok((place, (IdentityId::new(row.get(2)?), id)))
    })?;
    let former: Vec<_> = former.collect::<Result<_, _>>()?;
    let mut left = former.len();
    for ((epoch, seq), _) in former.iter().filter(|(_, key)| arrived.contains(key)) {
        left -= db
            .prepare_cached("DELETE FROM entries WHERE room = ?1 AND epoch = ?2 AND seq = ?3")?
            .execute(params![room, epoch, seq])?;
    }
    if left == 0 {
        // No former entries are left, so later reads need not look for them.
        db.execute("UPDATE rooms SET has_former = 0 WHERE num = ?1", [room])?;
    }
    Ok(())
}

pub fn page(
    db: &Connection,
    server: ServerId,
    room: RoomId,
    before: Seq,
) -> rusqlite::Result<Option<Page>> {
    let Some((num, Some(epoch))) = room_number(db, server, room)? else {
        return Ok(None);
    };
    let first = db
        .prepare_cached("SELECT first FROM rooms WHERE num = ?1")?
        .query_row([num], |row| Ok(Seq(unsigned(row, 0)?)))?;
    let mut statement = db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries WHERE room = ?1 AND epoch = ?2 AND seq < ?3 ORDER BY seq DESC LIMIT {PAGE}"
    ))?;
    let found = statement.query_map(params![num, epoch.bytes(), signed(before.0)], |row| {
        entry(room, row)
    })?;
    let mut entries: Vec<Entry> = Vec::new();
    for found in found {
        let found = found?;
        let wanted = entries.last().map_or(before, |later| later.seq).before();
        let is_newest = entries.is_empty() && before == Seq(u64::MAX);
        if found.seq != wanted && !is_newest {
            break;
        }
        entries.push(found);
    }
    entries.reverse();
    Ok((!entries.is_empty()).then_some(Page {
        epoch,
        first,
        entries,
    }))
}

pub fn former_entries(
    db: &Connection,
    server: ServerId,
    room: RoomId,
) -> rusqlite::Result<Vec<Entry>> {
    let Some((num, Some(epoch))) = room_number(db, server, room)? else {
        return Ok(Vec::new());
    };
    let has_former = db
        .prepare_cached("SELECT has_former FROM rooms WHERE num = ?1")?
        .query_row([num], |row| row.get::<_, bool>(0))?;
    if !has_former {
        // Searching for entries that do not exist would read the whole room.
        return Ok(Vec::new());
    }
    let mut statement = db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries WHERE room = ?1 AND epoch <> ?2 ORDER BY at_ms DESC, seq DESC LIMIT {PAGE}"
    ))?;
    let found = statement.query_map(params![num, epoch.bytes()], |row| entry(room, row))?;
    let mut entries: Vec<Entry> = found.collect::<Result<_, _>>()?;
    entries.reverse();
    Ok(entries)
}

/// Shrinks the file if it exceeds its limit, in bytes: deletes the oldest copies of the least recently used rooms
/// first. The outbox and drafts stay.
pub fn trim(db: &Connection, limit: u64) -> rusqlite::Result<()> {
    if bytes(db)? <= limit {
        return Ok(());
    }
    let wanted = limit / 100 * TRIM_TO_PERCENT;
    let rooms: Vec<i64> = db
        .prepare_cached("SELECT num FROM rooms ORDER BY used")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for room in rooms {
        while bytes(db)? > wanted {
            let gone = db
                .prepare_cached(
                    "DELETE FROM entries WHERE room = ?1 AND (epoch, seq) IN
                     (SELECT epoch, seq FROM entries WHERE room = ?1 ORDER BY epoch, seq LIMIT ?2)",
                )?
                .execute([room, TRIM_ENTRIES])?;
            if gone == 0 {
                break;
            }
        }
    }
    // Each step frees one page.
    let mut vacuum = db.prepare("PRAGMA incremental_vacuum")?;
    let mut steps = vacuum.query([])?;
    while steps.next()?.is_some() {}
    Ok(())
}

fn bytes(db: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    Ok(u64::try_from(pages * pragma("page_size")?).unwrap_or(0))
}
