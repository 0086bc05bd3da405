//! The queries. Each runs on a connection that cannot write.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::write::{CLOSED, ERASED, room_number, signed};
use crate::chat::{
    Amended, Author, Body, ClientId, Digest, Entry, Epoch, Exit, IdentityId, InstanceId, NameKey,
    PutOut, Role, RoomId, RoomKind, RoomName, SecretHash, Seq, ServerId, Stamp, Standing, Until,
    UserName, Via, react,
};
use crate::server::store::{IdentityRecord, PageLimit, RoomRecord, RoomState, Since, Span, pair};

pub(super) const ROOM: &str =
    "r.id, r.kind, r.name, r.topic, r.capacity, r.position, r.epoch, r.low, r.high";
pub(super) const ENTRY: &str = "e.seq, e.digest, e.at_ms, e.author, e.author_name, e.instance, e.counter, e.kind, e.text, e.body_hash, e.amended, e.is_edited";
/// The log time of an entry; one of a version that kept none was taken at the time that people are shown.
const LOG_MS: &str = "coalesce(log_ms, at_ms)";
const IDENTITY: &str = "id, secret, name, present, via";

/// What a damaged or foreign value is answered with.
fn damaged(column: usize, what: &'static str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, what.into())
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    u64::try_from(row.get::<_, i64>(column)?).map_err(|_| damaged(column, "a negative number"))
}

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
    let kind: i64 = db
        .prepare_cached("SELECT kind FROM rooms WHERE num = ?1")?
        .query_row([num], |row| row.get(0))?;
    if kind == CLOSED {
        return Ok(None);
    }
    let (record, first) = db
        .prepare_cached(&format!(
            "SELECT {ROOM}, r.first FROM rooms r WHERE num = ?1"
        ))?
        .query_row([num], |row| Ok((room_record(row)?, Seq(unsigned(row, 9)?))))?;
    let last = db
        .prepare_cached(&format!(
            "SELECT seq, digest, {LOG_MS} FROM entries WHERE room = ?1 ORDER BY seq DESC LIMIT 1"
        ))?
        .query_row([num], |row| {
            Ok((
                Seq(unsigned(row, 0)?),
                Digest(row.get(1)?),
                unsigned(row, 2)?,
            ))
        })
        .optional()?;
    let marks = db
        .prepare_cached("SELECT author, instance, counter FROM marks WHERE room = ?1")?
        .query_map([num], |row| {
            Ok((
                IdentityId::new(row.get(0)?),
                InstanceId::new(row.get(1)?),
                unsigned(row, 2)?,
            ))
        })?
        .collect::<Result<_, _>>()?;
    let members = db
        .prepare_cached("SELECT identity, role FROM members WHERE room = ?1")?
        .query_map([num], |row| {
            Ok((IdentityId::new(row.get(0)?), role(row.get(1)?)))
        })?
        .collect::<Result<_, _>>()?;
    let standings = db
        .prepare_cached(
            "SELECT identity, invited, role, banned_ms, muted_ms, out_seq, out_by, out_reason, out_is_ban
             FROM standings WHERE room = ?1",
        )?
        .query_map([num], |row| {
            Ok((IdentityId::new(row.get(0)?), standing(row)?))
        })?
        .collect::<Result<_, _>>()?;
    Ok(Some(RoomState {
        record,
        first,
        last,
        marks,
        members,
        standings,
    }))
}

/// A role of a later version grants nothing here.
pub(super) fn role(number: u8) -> Role {
    Role::from_number(number).unwrap_or(Role::Member)
}

fn standing(row: &Row<'_>) -> rusqlite::Result<Standing> {
    let until = |column| -> rusqlite::Result<Option<Until>> {
        let at: Option<i64> = row.get(column)?;
        let at = at.map(|at| u64::try_from(at).map_err(|_| damaged(column, "a negative time")));
        Ok(at.transpose()?.map(Until::from_millis))
    };
    let put_out = match row.get::<_, Option<i64>>(5)? {
        Some(_) => Some(PutOut {
            at: Seq(unsigned(row, 5)?),
            by: row.get(6)?,
            reason: row.get(7)?,
            exit: if row.get(8)? {
                Exit::Banned
            } else {
                Exit::Kicked
            },
        }),
        None => None,
    };
    Ok(Standing {
        is_invited: row.get(1)?,
        role: row.get::<_, Option<u8>>(2)?.map(role),
        banned: until(3)?,
        muted: until(4)?,
        put_out,
    })
}

pub(super) fn room_record(row: &Row<'_>) -> rusqlite::Result<RoomRecord> {
    let name: String = row.get(2)?;
    let low: Option<[u8; 16]> = row.get(7)?;
    let high: Option<[u8; 16]> = row.get(8)?;
    Ok(RoomRecord {
        id: RoomId::new(row.get(0)?),
        kind: match row.get::<_, i64>(1)? {
            1 => RoomKind::Public,
            2 => RoomKind::Conversation,
            3 => RoomKind::Private,
            4 => RoomKind::Secret,
            _ => return Err(damaged(1, "an unknown kind of room")),
        },
        key: RoomName::new(&name).ok().map(|name| name.key()),
        name,
        topic: row.get(3)?,
        capacity: row.get(4)?,
        position: row.get(5)?,
        epoch: Epoch::new(row.get(6)?),
        pair: low
            .zip(high)
            .map(|(low, high)| (IdentityId::new(low), IdentityId::new(high))),
    })
}

pub fn named_rooms(db: &Connection) -> rusqlite::Result<Vec<RoomRecord>> {
    db.prepare_cached(&format!(
        "SELECT {ROOM} FROM rooms r WHERE kind IN (1, 3, 4) ORDER BY position, name"
    ))?
    .query_map([], room_record)?
    .collect()
}

pub fn memberships(db: &Connection, identity: IdentityId) -> rusqlite::Result<Vec<RoomRecord>> {
    db.prepare_cached(&format!(
        "SELECT {ROOM} FROM members m JOIN rooms r ON r.num = m.room WHERE m.identity = ?1
         ORDER BY r.position, r.name,
            (SELECT at_ms FROM entries e WHERE e.room = r.num ORDER BY seq DESC LIMIT 1) DESC, r.id"
    ))?
    .query_map([identity.bytes()], room_record)?
    .collect()
}

pub fn members(db: &Connection, room: RoomId) -> rusqlite::Result<Vec<IdentityId>> {
    db.prepare_cached("SELECT m.identity FROM members m JOIN rooms r ON r.num = m.room WHERE r.id = ?1 ORDER BY m.identity")?
        .query_map([room.bytes()], |row| row.get(0).map(IdentityId::new))?
        .collect()
}

pub fn bans(db: &Connection, identity: IdentityId) -> rusqlite::Result<Vec<(RoomId, Until)>> {
    db.prepare_cached(
        "SELECT r.id, s.banned_ms FROM standings s JOIN rooms r ON r.num = s.room
         WHERE s.identity = ?1 AND s.banned_ms IS NOT NULL",
    )?
    .query_map([identity.bytes()], |row| {
        Ok((
            RoomId::new(row.get(0)?),
            Until::from_millis(unsigned(row, 1)?),
        ))
    })?
    .collect()
}

/// By the partial index over what people say.
pub fn last_said(db: &Connection, room: RoomId) -> rusqlite::Result<Option<Entry>> {
    let Some((num, epoch)) = number_and_epoch(db, room)? else {
        return Ok(None);
    };
    db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries e INDEXED BY entries_said
         WHERE e.room = ?1 AND e.kind IN (1, 2, 17) ORDER BY e.seq DESC LIMIT 1"
    ))?
    .query_row([num], |row| entry(row, room, epoch))
    .optional()
}

fn number_and_epoch(db: &Connection, room: RoomId) -> rusqlite::Result<Option<(i64, Epoch)>> {
    db.prepare_cached("SELECT num, epoch FROM rooms WHERE id = ?1")?
        .query_row([room.bytes()], |row| {
            Ok((row.get(0)?, Epoch::new(row.get(1)?)))
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
    .query_row(params![low.bytes(), high.bytes()], room_record)
    .optional()
}

/// The first and the last seq that may be of a time by the wall clock. No entry outside of them is. Where the clock was set back, some
/// between them are not either. Nothing if no entry is of that time.
pub(super) fn seqs_of(
    db: &Connection,
    num: i64,
    since_ms: u64,
    before_ms: u64,
) -> rusqlite::Result<Option<(u64, u64)>> {
    let Some((first, last)) = ends(db, num)? else {
        return Ok(None);
    };
    if is_stepped(db, num)? {
        return Ok(Some((first, last)));
    }
    let from = match since_ms {
        0 => Some(first),
        _ => halve(db, num, "at_ms", since_ms)?,
    };
    let behind = match before_ms {
        u64::MAX => None,
        _ => halve(db, num, "at_ms", before_ms)?,
    };
    let to = behind.map_or(last, |behind| behind.saturating_sub(1));
    Ok(from.filter(|from| *from <= to).map(|from| (from, to)))
}

pub fn first_kept(db: &Connection, room: RoomId, since: Since) -> rusqlite::Result<Option<Seq>> {
    let Some(num) = room_number(db, room)? else {
        return Ok(None);
    };
    let by_log = halve(db, num, LOG_MS, since.log_ms)?;
    let by_wall = if is_stepped(db, num)? {
        // Only what would go is looked at.
        let before = by_log.unwrap_or(u64::MAX);
        db.prepare_cached(
            "SELECT seq FROM entries WHERE room = ?1 AND seq < ?2 AND at_ms BETWEEN ?3 AND ?4 ORDER BY seq LIMIT 1",
        )?
        .query_row(
            params![num, signed(before), signed(since.at_ms), signed(since.now_ms)],
            |row| unsigned(row, 0),
        )
        .optional()?
    } else {
        halve(db, num, "at_ms", since.at_ms)?
    };
    Ok([by_log, by_wall].into_iter().flatten().min().map(Seq))
}

/// The stamp of the newest entry of all rooms. The rooms are looked through, not the entries.
pub fn newest(db: &Connection) -> rusqlite::Result<Option<Stamp>> {
    db.prepare_cached(&format!(
        "SELECT e.at_ms, {LOG_MS} AS log, e.doubt_ms FROM rooms r JOIN entries e ON e.room = r.num
         AND e.seq = (SELECT seq FROM entries WHERE room = r.num ORDER BY seq DESC LIMIT 1)
         ORDER BY log DESC LIMIT 1"
    ))?
    .query_row([], |row| {
        Ok(Stamp {
            at_ms: unsigned(row, 0)?,
            log_ms: unsigned(row, 1)?,
            doubt_ms: unsigned(row, 2)?,
        })
    })
    .optional()
}

/// Whether the times of a room's entries are in no order, because the clock was set back between two of them.
fn is_stepped(db: &Connection, num: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT is_stepped FROM rooms WHERE num = ?1")?
        .query_row([num], |row| row.get(0))
}

/// The seqs of a room's first and last entry.
fn ends(db: &Connection, num: i64) -> rusqlite::Result<Option<(u64, u64)>> {
    let end = |order: &str| {
        let sql = format!("SELECT seq FROM entries WHERE room = ?1 ORDER BY seq {order} LIMIT 1");
        let mut statement = db.prepare_cached(&sql)?;
        statement
            .query_row([num], |row| unsigned(row, 0))
            .optional()
    };
    Ok(end("ASC")?.zip(end("DESC")?))
}

/// The first entry at a time or later, by a clock that never went back in this room: halving finds the place without an index. What is
/// taken away meanwhile was older.
fn halve(db: &Connection, num: i64, clock: &str, at_ms: u64) -> rusqlite::Result<Option<u64>> {
    let Some((first, last)) = ends(db, num)? else {
        return Ok(None);
    };
    let sql = format!("SELECT {clock} FROM entries WHERE room = ?1 AND seq = ?2");
    let mut at = db.prepare_cached(&sql)?;
    let (mut low, mut high) = (first, last + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let found = at.query_row(params![num, signed(middle)], |row| unsigned(row, 0));
        if found.optional()?.is_none_or(|found| found < at_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok((low <= last).then_some(low))
}

pub fn page(
    db: &Connection,
    room: RoomId,
    span: Span,
    limit: PageLimit,
) -> rusqlite::Result<Vec<Entry>> {
    let Some((num, epoch)) = number_and_epoch(db, room)? else {
        return Ok(Vec::new());
    };
    let (bound, order, seq) = match span {
        Span::After(seq) => ("e.seq > ?2", "ASC", seq),
        Span::Before(seq) => ("e.seq < ?2", "DESC", seq),
    };
    let mut query = db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries e WHERE e.room = ?1 AND {bound} ORDER BY e.seq {order} LIMIT ?3"
    ))?;
    let most = i64::try_from(limit.entries).unwrap_or(i64::MAX);
    let mut rows = query.query(params![num, i64::try_from(seq.0).unwrap_or(i64::MAX), most])?;
    let mut page = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let entry = entry(row, room, epoch)?;
        bytes += entry.body.payload().len();
        if bytes > limit.bytes && !page.is_empty() {
            break;
        }
        page.push(entry);
    }
    if matches!(span, Span::Before(_)) {
        page.reverse();
    }
    add_reactions(db, num, &mut page)?;
    add_mentions(db, num, &mut page)?;
    // What people reacted with was not known when the page was filled.
    while page.len() > 1 && page.iter().map(Entry::weight).sum::<usize>() > limit.bytes {
        match span {
            Span::After(_) => drop(page.pop()),
            Span::Before(_) => drop(page.remove(0)),
        }
    }
    Ok(page)
}

pub(super) fn entry(row: &Row<'_>, room: RoomId, epoch: Epoch) -> rusqlite::Result<Entry> {
    let instance: Option<[u8; 16]> = row.get(5)?;
    let client_id = match instance {
        Some(instance) => Some(ClientId {
            instance: InstanceId::new(instance),
            counter: unsigned(row, 6)?,
        }),
        None => None,
    };
    let body = match row.get(7)? {
        ERASED => Body::Erased(row.get(9)?),
        kind => Body::from_parts(kind, row.get(8)?),
    };
    let amended = match row.get::<_, Option<i64>>(10)? {
        Some(_) => Some(Amended {
            seq: Seq(unsigned(row, 10)?),
            hash: row.get(9)?,
            is_edited: row.get(11)?,
            reactions: Vec::new(),
        }),
        None => None,
    };
    Ok(Entry {
        room,
        epoch,
        seq: Seq(unsigned(row, 0)?),
        digest: Digest(row.get(1)?),
        at_ms: unsigned(row, 2)?,
        author: Author {
            id: IdentityId::new(row.get(3)?),
            name: row.get(4)?,
        },
        client_id,
        body,
        mentions: Vec::new(),
        amended: amended.map(Box::new),
    })
}

/// Whom the entries of a page call.
pub(super) fn add_mentions(db: &Connection, num: i64, page: &mut [Entry]) -> rusqlite::Result<()> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return Ok(());
    };
    let bounds = [first.seq, last.seq].map(|seq| i64::try_from(seq.0).unwrap_or(i64::MAX));
    let mut query = db.prepare_cached(
        "SELECT seq, person FROM mentions WHERE room = ?1 AND seq BETWEEN ?2 AND ?3",
    )?;
    let mut rows = query.query([num, bounds[0], bounds[1]])?;
    while let Some(row) = rows.next()? {
        let seq = Seq(unsigned(row, 0)?);
        let person = IdentityId::new(row.get(1)?);
        let place = page.binary_search_by_key(&seq, |entry| entry.seq);
        if let Some(entry) = place.ok().and_then(|place| page.get_mut(place)) {
            entry.mentions.push(person);
        }
    }
    Ok(())
}

/// What people reacted to the entries of a page with, in the order they did.
pub(super) fn add_reactions(db: &Connection, num: i64, page: &mut [Entry]) -> rusqlite::Result<()> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return Ok(());
    };
    if page.iter().all(|entry| entry.amended.is_none()) {
        return Ok(());
    }
    let bounds = [first.seq, last.seq].map(|seq| i64::try_from(seq.0).unwrap_or(i64::MAX));
    let mut query = db.prepare_cached(
        "SELECT target, emoji, person, name FROM reactions WHERE room = ?1 AND target BETWEEN ?2 AND ?3 ORDER BY seq",
    )?;
    let mut rows = query.query([num, bounds[0], bounds[1]])?;
    while let Some(row) = rows.next()? {
        let target = Seq(unsigned(row, 0)?);
        let emoji: String = row.get(1)?;
        let who = Author {
            id: IdentityId::new(row.get(2)?),
            name: row.get(3)?,
        };
        let place = page.binary_search_by_key(&target, |entry| entry.seq);
        let entry = place.ok().and_then(|place| page.get_mut(place));
        if let Some(amended) = entry.and_then(|entry| entry.amended.as_mut()) {
            react(&mut amended.reactions, &who, &emoji, true);
        }
    }
    Ok(())
}

pub fn entries_at(db: &Connection, room: RoomId, seqs: &[Seq]) -> rusqlite::Result<Vec<Entry>> {
    let Some((num, epoch)) = number_and_epoch(db, room)? else {
        return Ok(Vec::new());
    };
    let mut query = db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries e WHERE e.room = ?1 AND e.seq = ?2"
    ))?;
    let mut found = Vec::new();
    for seq in seqs {
        let seq = i64::try_from(seq.0).unwrap_or(i64::MAX);
        let row = query.query_row([num, seq], |row| entry(row, room, epoch));
        let mut one: Vec<Entry> = row.optional()?.into_iter().collect();
        add_reactions(db, num, &mut one)?;
        add_mentions(db, num, &mut one)?;
        found.extend(one);
    }
    Ok(found)
}

pub fn identity(db: &Connection, id: IdentityId) -> rusqlite::Result<Option<IdentityRecord>> {
    one_identity(db, "id = ?1", id.bytes())
}

pub fn identity_of(
    db: &Connection,
    secret: SecretHash,
) -> rusqlite::Result<Option<IdentityRecord>> {
    one_identity(db, "secret = ?1", secret.bytes())
}

fn one_identity(
    db: &Connection,
    bound: &str,
    value: &[u8],
) -> rusqlite::Result<Option<IdentityRecord>> {
    db.prepare_cached(&format!("SELECT {IDENTITY} FROM identities WHERE {bound}"))?
        .query_row([value], identity_record)
        .optional()
}

pub fn called(db: &Connection, key: &NameKey) -> rusqlite::Result<Vec<IdentityRecord>> {
    db.prepare_cached(&format!("SELECT {IDENTITY} FROM identities WHERE key = ?1"))?
        .query_map([key.as_str()], identity_record)?
        .collect()
}

pub fn present(db: &Connection) -> rusqlite::Result<Vec<IdentityRecord>> {
    db.prepare_cached(&format!(
        "SELECT {IDENTITY} FROM identities WHERE present = 1"
    ))?
    .query_map([], identity_record)?
    .collect()
}

pub fn guests(db: &Connection) -> rusqlite::Result<Vec<IdentityRecord>> {
    db.prepare_cached(&format!(
        "SELECT {IDENTITY} FROM identities i WHERE via > 0 AND EXISTS (SELECT 1 FROM members m WHERE m.identity = i.id)"
    ))?
    .query_map([], identity_record)?
    .collect()
}

pub fn operator(db: &Connection, key: &NameKey) -> rusqlite::Result<Option<IdentityId>> {
    db.prepare_cached("SELECT identity FROM operators WHERE key = ?1")?
        .query_row([key.as_str()], |row| row.get(0).map(IdentityId::new))
        .optional()
}

fn identity_record(row: &Row<'_>) -> rusqlite::Result<IdentityRecord> {
    Ok(IdentityRecord {
        id: IdentityId::new(row.get(0)?),
        secret: SecretHash::new(row.get(1)?),
        name: UserName::kept(row.get(2)?),
        present: row.get(3)?,
        via: via(row.get(4)?),
    })
}

pub(super) fn via(number: i64) -> Via {
    [
        Via::User,
        Via::Gochat,
        Via::Chat,
        Via::Service,
        Via::WebSocket,
    ]
    .into_iter()
    .find(|via| super::write::via_number(*via) == number)
    .unwrap_or_default()
}
