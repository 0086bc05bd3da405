//! The queries of the store. Each runs on a connection that cannot write.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::decode::readable;
use super::decode::{self, ENTRY, LOG_MS, bytes, entry, flag, number, text};
use super::encode::MESSAGE_KINDS;
use super::encode::{CLOSED, signed};
use super::slow_mode;
use crate::chat::{
    Digest, Entry, Epoch, IdentityId, InstanceId, NameKey, Removal, RemovalKind, Role, RoomId,
    RoomKind, RoomName, RoomRules, Seq, ServerId, Stamp, Standing, Until, UserName, Via,
};
use crate::server::store::{IdentityRecord, RetentionCutoff, RoomRecord, RoomState, pair};

pub(super) const ROOM: &str = "r.id, r.kind, r.name, r.topic, r.capacity, r.position, r.epoch, r.low, r.high, r.key, r.slow_s, r.read_only";
pub(super) const IDENTITY: &str = "id, name, via, key";

pub fn server_id(db: &Connection) -> rusqlite::Result<ServerId> {
    db.query_row(
        "SELECT value FROM meta WHERE key = 'server_id'",
        [],
        |row| row.get(0).map(ServerId::new),
    )
}

pub fn room(db: &Connection, id: RoomId) -> rusqlite::Result<Option<RoomState>> {
    let Some(num) = room_number(db, id)? else {
        return Ok(None);
    };
    let kind = db
        .prepare_cached("SELECT kind FROM rooms WHERE num = ?1")?
        .query_row([num], |row| number(row, 0))?;
    if kind == Some(CLOSED.unsigned_abs()) {
        return Ok(None);
    }
    let record = db
        .prepare_cached(&format!("SELECT {ROOM} FROM rooms r WHERE num = ?1"))?
        .query_row([num], |row| room_record(row, id))?;
    let last = db
        .prepare_cached(&format!(
            "SELECT seq, digest, {LOG_MS} FROM entries WHERE room = ?1 ORDER BY seq DESC LIMIT 1"
        ))?
        .query_row([num], |row| {
            Ok((
                Seq(number(row, 0)?.unwrap_or_default()),
                // If the digest cannot be read the chain continues from zeros; `verify` reports the entry.
                Digest(bytes(row, 1)?.unwrap_or_default()),
                number(row, 2)?.unwrap_or_default(),
            ))
        })
        .optional()?;
    let first = Seq(first_seq(db, num)?.try_into().unwrap_or(1));
    let marks = db
        .prepare_cached("SELECT author, instance, counter FROM marks WHERE room = ?1")?
        .query_map([num], mark)
        .and_then(readable)?;
    let members = db
        .prepare_cached("SELECT identity, role FROM members WHERE room = ?1")?
        .query_map([num], |row| {
            let role = role(decode::small_number(row, 1)?);
            Ok(bytes(row, 0)?.map(|id| (IdentityId::new(id), role)))
        })
        .and_then(readable)?;
    let standings = db
        .prepare_cached(
            "SELECT identity, invited, role, banned_ms, muted_ms, out_seq, out_by, out_reason, out_is_ban,
                 invited_by
             FROM standings WHERE room = ?1",
        )?
        .query_map([num], |row| {
            let standing = standing(row)?;
            Ok(bytes(row, 0)?.map(|id| (IdentityId::new(id), standing)))
        })
        .and_then(readable)?;
    let wrote_ms = slow_mode::wrote(
        db,
        num,
        record.rules,
        last.map_or(0, |(_, _, log_ms)| log_ms),
    )?;
    Ok(Some(RoomState {
        record,
        first,
        last,
        marks,
        members,
        standings,
        wrote_ms,
    }))
}

/// Returns the first seq of a room. It is read from the entries, because `rooms.first` may be damaged.
pub(super) fn first_seq(db: &Connection, num: i64) -> rusqlite::Result<i64> {
    let first = db
        .prepare_cached("SELECT seq FROM entries WHERE room = ?1 ORDER BY seq LIMIT 1")?
        .query_row([num], |row| row.get(0))
        .optional()?;
    Ok(first.unwrap_or(1))
}

fn mark(row: &Row<'_>) -> rusqlite::Result<Option<(IdentityId, InstanceId, u64)>> {
    let (author, instance) = (bytes(row, 0)?, bytes(row, 1)?);
    let outbox = author.zip(instance).zip(number(row, 2)?);
    Ok(outbox.map(|((author, instance), counter)| {
        (IdentityId::new(author), InstanceId::new(instance), counter)
    }))
}

/// A role of a later version, or a damaged one, grants no rights.
pub(super) fn role(number: Option<u8>) -> Role {
    number.and_then(Role::from_number).unwrap_or(Role::Member)
}

fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    let is_null = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)? == ValueRef::Null);
    // A ban or mute whose end cannot be read does not expire; a moderator can lift it.
    let until = |column| -> rusqlite::Result<Option<Until>> {
        let at = number(row, column)?.map(Until::from_millis);
        Ok((!is_null(column)?).then(|| at.unwrap_or(Until::Forever)))
    };
    let put_out = match number(row, 5)? {
        Some(seq) => Some(Removal {
            at: Seq(seq),
            by: text(row, 6)?,
            reason: text(row, 7)?,
            kind: if flag(row, 8)? {
                RemovalKind::Banned
            } else {
                RemovalKind::Kicked
            },
        }),
        None => None,
    };
    Ok(Standing {
        is_invited: flag(row, 1)?,
        role: (!is_null(2)?)
            .then(|| decode::small_number(row, 2))
            .transpose()?
            .map(role),
        banned: until(3)?,
        muted: until(4)?,
        removal: put_out,
        invited_by: bytes(row, 9)?.map(IdentityId::new),
    })
}

/// Returns a room, or `None` if its id is damaged.
pub(super) fn any_room(row: &Row<'_>) -> rusqlite::Result<Option<RoomRecord>> {
    let id = bytes(row, 0)?.map(RoomId::new);
    id.map(|id| room_record(row, id)).transpose()
}

fn room_record(row: &Row<'_>, id: RoomId) -> rusqlite::Result<RoomRecord> {
    // The name is stored as typed and, except for secret rooms, as it is compared. If the first form is damaged, the second is used.
    let name = match (decode::valid_text(row, 2)?, text(row, 9)?) {
        (Some(name), _) => name,
        (None, key) if !key.is_empty() => key,
        (None, _) => text(row, 2)?,
    };
    let low: Option<[u8; 16]> = bytes(row, 7)?;
    let high: Option<[u8; 16]> = bytes(row, 8)?;
    let pair = low
        .zip(high)
        .map(|(low, high)| (IdentityId::new(low), IdentityId::new(high)));
    let capacity = number(row, 4)?.and_then(|it| it.try_into().ok());
    let slow_s = number(row, 10)?.and_then(|it| it.try_into().ok());
    let position = number(row, 5)?.and_then(|it| it.try_into().ok());
    Ok(RoomRecord {
        id,
        kind: match number(row, 1)? {
            // A conversation stays private even if its kind is damaged.
            _ if pair.is_some() => RoomKind::Conversation,
            Some(1) => RoomKind::Public,
            Some(3) => RoomKind::Private,
            // A room whose kind cannot be read is visible only to its members.
            _ => RoomKind::Secret,
        },
        key: RoomName::new(&name).ok().map(|name| name.key()),
        name,
        topic: text(row, 3)?,
        capacity: capacity.unwrap_or_default(),
        position: position.unwrap_or(u32::MAX),
        // A damaged epoch is replaced by another one, the same for everyone: clients then load the room again.
        epoch: epoch(row, 6, id)?,
        pair,
        rules: RoomRules {
            slow_s: slow_s.unwrap_or_default(),
            is_read_only: flag(row, 11)?,
        },
    })
}

pub(super) fn epoch(row: &Row<'_>, column: usize, room: RoomId) -> rusqlite::Result<Epoch> {
    Ok(Epoch::new(bytes(row, column)?.unwrap_or(*room.bytes())))
}

pub fn named_rooms(db: &Connection) -> rusqlite::Result<Vec<RoomRecord>> {
    db.prepare_cached(&format!(
        "SELECT {ROOM} FROM rooms r WHERE kind NOT IN (2, {CLOSED}) AND low IS NULL ORDER BY position, name"
    ))?
    .query_map([], any_room)
    .and_then(readable)
}

pub fn memberships(db: &Connection, identity: IdentityId) -> rusqlite::Result<Vec<RoomRecord>> {
    db.prepare_cached(&format!(
        "SELECT {ROOM} FROM members m JOIN rooms r ON r.num = m.room WHERE m.identity = ?1
         ORDER BY r.position, r.name,
            (SELECT at_ms FROM entries e WHERE e.room = r.num ORDER BY seq DESC LIMIT 1) DESC, r.id"
    ))?
    .query_map([identity.bytes()], any_room)
    .and_then(readable)
}

/// Counts the rooms that a person owns, including those that they have left and will own again when they return.
pub fn rooms_owned(db: &Connection, identity: IdentityId) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "SELECT count(*) FROM rooms r WHERE r.position = ?3 AND r.low IS NULL AND (
            r.num IN (SELECT m.room FROM members m WHERE m.identity = ?1 AND m.role = ?2)
            OR r.num IN (SELECT s.room FROM standings s WHERE s.identity = ?1 AND s.role = ?2))",
    )?
    .query_row(
        params![identity.bytes(), Role::Owner.number(), u32::MAX],
        |row| row.get::<_, i64>(0),
    )
    .map(|count| usize::try_from(count).unwrap_or(usize::MAX))
}

pub fn members(db: &Connection, room: RoomId) -> rusqlite::Result<Vec<IdentityId>> {
    db.prepare_cached("SELECT m.identity FROM members m JOIN rooms r ON r.num = m.room WHERE r.id = ?1 ORDER BY m.identity")?
        .query_map([room.bytes()], |row| Ok(bytes(row, 0)?.map(IdentityId::new)))
        .and_then(readable)
}

pub fn bans(db: &Connection, identity: IdentityId) -> rusqlite::Result<Vec<(RoomId, Until)>> {
    db.prepare_cached(
        "SELECT r.id, s.banned_ms FROM standings s JOIN rooms r ON r.num = s.room
         WHERE s.identity = ?1 AND s.banned_ms IS NOT NULL",
    )?
    .query_map([identity.bytes()], |row| {
        let until = number(row, 1)?.map_or(Until::Forever, Until::from_millis);
        Ok(bytes(row, 0)?.map(|id| (RoomId::new(id), until)))
    })
    .and_then(readable)
}

/// Returns the newest message of a room. Uses the partial index over messages.
pub fn last_message(db: &Connection, room: RoomId) -> rusqlite::Result<Option<Entry>> {
    let Some((num, epoch)) = number_and_epoch(db, room)? else {
        return Ok(None);
    };
    db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries e INDEXED BY entries_said
         WHERE e.room = ?1 AND e.{MESSAGE_KINDS} ORDER BY e.seq DESC LIMIT 1"
    ))?
    .query_row([num], |row| entry(row, room, epoch))
    .optional()
}

pub(super) fn number_and_epoch(
    db: &Connection,
    room: RoomId,
) -> rusqlite::Result<Option<(i64, Epoch)>> {
    db.prepare_cached("SELECT num, epoch FROM rooms WHERE id = ?1")?
        .query_row([room.bytes()], |row| {
            Ok((row.get(0)?, epoch(row, 1, room)?))
        })
        .optional()
}

pub fn conversation(
    db: &Connection,
    one: IdentityId,
    other: IdentityId,
) -> rusqlite::Result<Option<RoomRecord>> {
    let (low, high) = pair(one, other);
    db.prepare_cached(&format!(
        "SELECT {ROOM} FROM rooms r WHERE low = ?1 AND high = ?2"
    ))?
    .query_row(params![low.bytes(), high.bytes()], any_room)
    .optional()
    .map(Option::flatten)
}

/// Returns the first and last seq that may be within a range of wall-clock times, or `None` if there are none. No entry outside the two
/// seqs is in the range. If the clock was set back, some entries between them are not in it either.
pub(super) fn seq_range(
    db: &Connection,
    num: i64,
    since_ms: u64,
    before_ms: u64,
) -> rusqlite::Result<Option<(u64, u64)>> {
    let Some((first, last)) = first_and_last(db, num)? else {
        return Ok(None);
    };
    if has_clock_steps(db, num)? {
        return Ok(Some((first, last)));
    }
    let from = match since_ms {
        0 => Some(first),
        _ => first_at_or_after(db, num, "at_ms", since_ms)?,
    };
    let behind = match before_ms {
        u64::MAX => None,
        _ => first_at_or_after(db, num, "at_ms", before_ms)?,
    };
    let to = behind.map_or(last, |behind| behind.saturating_sub(1));
    Ok(from.filter(|from| *from <= to).map(|from| (from, to)))
}

pub fn first_retained(
    db: &Connection,
    room: RoomId,
    since: RetentionCutoff,
) -> rusqlite::Result<Option<Seq>> {
    let Some(num) = room_number(db, room)? else {
        return Ok(None);
    };
    let by_log = first_at_or_after(db, num, LOG_MS, since.log_ms)?;
    let by_wall = if has_clock_steps(db, num)? {
        // Only entries that would otherwise be deleted are looked at.
        let before = by_log.unwrap_or(u64::MAX);
        db.prepare_cached(
            "SELECT seq FROM entries WHERE room = ?1 AND seq < ?2 AND at_ms BETWEEN ?3 AND ?4 ORDER BY seq LIMIT 1",
        )?
        .query_row(
            params![num, signed(before), signed(since.at_ms), signed(since.now_ms)],
            |row| number(row, 0),
        )
        .optional()?
        .flatten()
    } else {
        first_at_or_after(db, num, "at_ms", since.at_ms)?
    };
    Ok([by_log, by_wall].into_iter().flatten().min().map(Seq))
}

/// Returns the stamp of the newest entry of all rooms. It reads one entry of each room, not all entries.
pub fn newest(db: &Connection) -> rusqlite::Result<Option<Stamp>> {
    db.prepare_cached(&format!(
        "SELECT e.at_ms, {LOG_MS} AS log, e.doubt_ms FROM rooms r JOIN entries e ON e.room = r.num
         AND e.seq = (SELECT seq FROM entries WHERE room = r.num ORDER BY seq DESC LIMIT 1)
         ORDER BY log DESC LIMIT 1"
    ))?
    .query_row([], |row| {
        Ok(Stamp {
            at_ms: number(row, 0)?.unwrap_or_default(),
            log_ms: number(row, 1)?.unwrap_or_default(),
            doubt_ms: number(row, 2)?.unwrap_or_default(),
        })
    })
    .optional()
}

/// Whether the wall-clock times of a room's entries are not in order, because the clock was set back.
fn has_clock_steps(db: &Connection, num: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT is_stepped FROM rooms WHERE num = ?1")?
        .query_row([num], |row| flag(row, 0))
}

/// Returns the seqs of a room's first and last entry.
fn first_and_last(db: &Connection, num: i64) -> rusqlite::Result<Option<(u64, u64)>> {
    let end = |order: &str| {
        let sql = format!("SELECT seq FROM entries WHERE room = ?1 ORDER BY seq {order} LIMIT 1");
        let mut statement = db.prepare_cached(&sql)?;
        statement
            .query_row([num], |row| number(row, 0))
            .optional()
            .map(Option::flatten)
    };
    Ok(end("ASC")?.zip(end("DESC")?))
}

/// Finds the first entry at or after a time by binary search, which needs no index. The clock must never have gone
/// back in this room. If the probed entry is missing, because it was trimmed meanwhile or lost, the next one is used.
fn first_at_or_after(
    db: &Connection,
    num: i64,
    clock: &str,
    at_ms: u64,
) -> rusqlite::Result<Option<u64>> {
    let Some((first, last)) = first_and_last(db, num)? else {
        return Ok(None);
    };
    let sql =
        format!("SELECT {clock} FROM entries WHERE room = ?1 AND seq >= ?2 ORDER BY seq LIMIT 1");
    let mut at = db.prepare_cached(&sql)?;
    let (mut low, mut high) = (first, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let found = at.query_row(params![num, signed(middle)], |row| number(row, 0));
        // A time that cannot be read does not make an entry old.
        let is_older = |found: Option<u64>| found.is_some_and(|found| found < at_ms);
        if found.optional()?.is_none_or(is_older) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok((low <= last).then_some(low))
}

pub fn identity(db: &Connection, id: IdentityId) -> rusqlite::Result<Option<IdentityRecord>> {
    one_identity(db, "id = ?1", id.bytes())
}

pub(super) fn one_identity(
    db: &Connection,
    bound: &str,
    value: &[u8],
) -> rusqlite::Result<Option<IdentityRecord>> {
    db.prepare_cached(&format!("SELECT {IDENTITY} FROM identities WHERE {bound}"))?
        .query_row([value], identity_record)
        .optional()
        .map(Option::flatten)
}

pub fn identities_named(db: &Connection, key: &NameKey) -> rusqlite::Result<Vec<IdentityRecord>> {
    db.prepare_cached(&format!(
        "SELECT {IDENTITY} FROM identities WHERE key = ?1 AND removed_ms IS NULL"
    ))?
    .query_map([key.as_str()], identity_record)
    .and_then(readable)
}

pub fn guests(db: &Connection) -> rusqlite::Result<Vec<IdentityRecord>> {
    db.prepare_cached(&format!(
        "SELECT {IDENTITY} FROM identities i WHERE (via > 0 OR removed_ms IS NOT NULL)
         AND EXISTS (SELECT 1 FROM members m WHERE m.identity = i.id)"
    ))?
    .query_map([], identity_record)
    .and_then(readable)
}

pub fn operator(db: &Connection, key: &NameKey) -> rusqlite::Result<Option<IdentityId>> {
    db.prepare_cached("SELECT identity FROM operators WHERE key = ?1")?
        .query_row([key.as_str()], |row| {
            Ok(bytes(row, 0)?.map_or(IdentityId::NOBODY, IdentityId::new))
        })
        .optional()
}

/// Returns a person, or `None` if the id is damaged.
pub(super) fn identity_record(row: &Row<'_>) -> rusqlite::Result<Option<IdentityRecord>> {
    let Some(id) = bytes(row, 0)? else {
        return Ok(None);
    };
    // Like a room's name, a person's name is stored in two forms.
    let name = match decode::valid_text(row, 1)? {
        Some(name) => name,
        None => text(row, 3)?,
    };
    Ok(Some(IdentityRecord {
        id: IdentityId::new(id),
        name: UserName::from_stored(name),
        via: via(row, 2)?,
    }))
}

/// Returns how a person is connected. A value that cannot be read means [`Via::Tchat`].
pub(super) fn via(row: &Row<'_>, column: usize) -> rusqlite::Result<Via> {
    let number = number(row, column)?;
    let all = [
        Via::User,
        Via::Gochat,
        Via::Chat,
        Via::Service,
        Via::WebSocket,
    ];
    let is_it = |via: &Via| number == Some(super::encode::via_number(*via).unsigned_abs());
    Ok(all.into_iter().find(is_it).unwrap_or_default())
}

pub fn room_number(db: &Connection, id: RoomId) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT num FROM rooms WHERE id = ?1")?
        .query_row([id.bytes()], |row| row.get(0))
        .optional()
}
