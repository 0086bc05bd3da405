//! Queries and writes for one person's data: read positions, unread counts, mentions, status, settings and invitations.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::conversations::{self, NOT_HIDDEN};
use super::decode::readable;
use super::decode::{self, ENTRY, bytes, entry, flag, number, text};
use super::encode::MESSAGE_KINDS;
use super::encode::signed;
use super::page::add_mentions;
use super::read::room_number;
use super::read::{ROOM, any_room, epoch, role, via};
use super::writer::WriteError;
use crate::chat::{
    Author, Entry, Epoch, IdentityId, Level, NameKey, Person, Presence, RoomId, Seq, Settings,
    Status, Unread,
};
use crate::server::store::{Personal, PersonalChange, RoomRecord, UNREAD_WINDOW};

/// The condition that an entry's author is neither `:me` nor a person that `:me` ignores.
const BY_OTHERS: &str = "e.author <> :me
    AND e.author NOT IN (SELECT person FROM ignored WHERE identity = :me)";

pub fn read_position(db: &Connection, room: RoomId, identity: IdentityId) -> rusqlite::Result<Seq> {
    let Some(num) = room_number(db, room)? else {
        return Ok(Seq::ZERO);
    };
    let found = db
        .prepare_cached("SELECT seq FROM reads WHERE room = ?1 AND identity = ?2")?
        .query_row(params![num, identity.bytes()], |row| number(row, 0))
        .optional()?;
    Ok(Seq(found.flatten().unwrap_or(0)))
}

pub fn mark_read(db: &Connection, marks: &[(RoomId, IdentityId, Seq)]) -> Result<(), WriteError> {
    for (room, identity, seq) in marks {
        let Some(num) = room_number(db, *room)? else {
            continue;
        };
        // A person who has left meanwhile has no read position.
        db.prepare_cached(
            "INSERT INTO reads (room, identity, seq)
             SELECT room, identity, ?3 FROM members WHERE room = ?1 AND identity = ?2
             ON CONFLICT (room, identity) DO UPDATE SET seq = max(seq, ?3)",
        )?
        .execute(params![num, identity.bytes(), signed(seq.0)])?;
    }
    Ok(())
}

pub fn unread(
    db: &Connection,
    room: RoomId,
    identity: IdentityId,
    read: Seq,
    last: Seq,
) -> rusqlite::Result<Unread> {
    let Some(num) = room_number(db, room)? else {
        return Ok(Unread::none_after(read));
    };
    let (above, last) = (
        signed(read.0.max(last.0.saturating_sub(UNREAD_WINDOW))),
        signed(last.0),
    );
    let (me, all, most) = (
        identity.bytes(),
        IdentityId::EVERYBODY.bytes(),
        Unread::LIMIT,
    );
    let messages = db
        .prepare_cached(&format!(
            "SELECT count(*) FROM (SELECT 1 FROM entries e INDEXED BY entries_said
             WHERE e.room = :room AND e.{MESSAGE_KINDS} AND e.seq > :above AND e.seq <= :last
             AND {BY_OTHERS} LIMIT :most)"
        ))?
        .query_row(
            named_params! {":room": num, ":above": above, ":last": last, ":me": me, ":most": most},
            |row| row.get(0),
        )?;
    let mentions = db
        .prepare_cached(&format!(
            "SELECT count(*) FROM (SELECT DISTINCT m.seq FROM mentions m INDEXED BY mentions_of
             CROSS JOIN entries e ON e.room = m.room AND e.seq = m.seq
             WHERE m.person IN (:me, :all) AND m.room = :room AND m.seq > :above AND m.seq <= :last
             AND e.{MESSAGE_KINDS} AND {BY_OTHERS} LIMIT :most)"
        ))?
        .query_row(
            named_params! {
                ":room": num, ":above": above, ":last": last, ":me": me, ":all": all, ":most": most,
            },
            |row| row.get(0),
        )?;
    Ok(Unread {
        read,
        messages,
        mentions,
    })
}

pub fn mentions_of(
    db: &Connection,
    identity: IdentityId,
    most: usize,
) -> rusqlite::Result<Vec<Entry>> {
    let rooms: Vec<(i64, RoomId, Epoch)> = db
        .prepare_cached(&format!(
            "SELECT r.num, r.id, r.epoch FROM members m JOIN rooms r ON r.num = m.room
                 WHERE m.identity = :me AND {NOT_HIDDEN}"
        ))?
        .query_map(named_params! {":me": identity.bytes()}, |row| {
            let Some(room) = bytes(row, 1)?.map(RoomId::new) else {
                return Ok(None);
            };
            Ok(Some((row.get(0)?, room, epoch(row, 2, room)?)))
        })
        .and_then(readable)?;
    let mut query = db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries e WHERE e.room = :room AND e.seq IN
         (SELECT m.seq FROM mentions m WHERE m.person IN (:me, :all) AND m.room = :room)
         AND e.{MESSAGE_KINDS} AND {BY_OTHERS} ORDER BY e.seq DESC LIMIT :most"
    ))?;
    let mut found = Vec::new();
    for (num, room, epoch) in rooms {
        let of_room = query.query_map(
            named_params! {
                ":room": num, ":me": identity.bytes(), ":all": IdentityId::EVERYBODY.bytes(),
                ":most": i64::try_from(most).unwrap_or(i64::MAX),
            },
            |row| entry(row, room, epoch),
        )?;
        let mut of_room: Vec<Entry> = of_room.collect::<Result<_, _>>()?;
        of_room.reverse();
        add_mentions(db, num, &mut of_room)?;
        found.extend(of_room);
    }
    found.sort_by_key(|entry| std::cmp::Reverse((entry.at_ms, entry.seq)));
    found.truncate(most);
    Ok(found)
}

fn status(row: &Row<'_>, column: usize) -> rusqlite::Result<Status> {
    Ok(Status {
        is_away: flag(row, column)?,
        text: text(row, column + 1)?,
    })
}

pub fn personal(db: &Connection, identity: IdentityId) -> rusqlite::Result<Personal> {
    let found = db
        .prepare_cached("SELECT away, status, seen_ms, keywords FROM identities WHERE id = ?1")?
        .query_row([identity.bytes()], |row| {
            let seen_ms = number(row, 2)?.unwrap_or_default();
            Ok((status(row, 0)?, seen_ms, text(row, 3)?))
        })
        .optional()?;
    let Some((status, seen_ms, keywords)) = found else {
        return Ok(Personal::default());
    };
    let ignored = db
        .prepare_cached(
            "SELECT g.person, coalesce(i.name, ''), g.blocked FROM ignored g LEFT JOIN identities i ON i.id = g.person
             WHERE g.identity = ?1 ORDER BY 2, 1",
        )?
        .query_map([identity.bytes()], |row| {
            let (id, name) = (bytes(row, 0)?.map(IdentityId::new), text(row, 1)?);
            let is_blocked = flag(row, 2)?;
            Ok(id.map(|id| (Author { id, name }, is_blocked)))
        })
        .and_then(readable)?;
    let blocked = ignored.iter().filter(|(_, is_blocked)| *is_blocked);
    let blocked = blocked.map(|(person, _)| person.id).collect();
    let levels = db
        .prepare_cached(
            "SELECT r.id, l.level FROM levels l JOIN rooms r ON r.num = l.room WHERE l.identity = ?1 ORDER BY r.num",
        )?
        .query_map([identity.bytes()], |row| {
            let level = decode::small_number(row, 1)?.and_then(Level::from_number);
            Ok(bytes(row, 0)?.map(RoomId::new).zip(level))
        })
        .and_then(readable)?;
    Ok(Personal {
        status,
        seen_ms,
        settings: Settings {
            blocked,
            ignored: ignored.into_iter().map(|(person, _)| person).collect(),
            levels,
            keywords: keywords.lines().map(str::to_owned).collect(),
        },
    })
}

pub fn change_personal(
    db: &Connection,
    identity: IdentityId,
    change: &PersonalChange,
) -> Result<(), WriteError> {
    let me = identity.bytes();
    match change {
        PersonalChange::Status(status) => db
            .prepare_cached("UPDATE identities SET away = ?2, status = ?3 WHERE id = ?1")?
            .execute(params![me, status.is_away, status.text])?,
        PersonalChange::Ignore(person) => db
            .prepare_cached("INSERT OR IGNORE INTO ignored (identity, person) VALUES (?1, ?2)")?
            .execute(params![me, person.bytes()])?,
        PersonalChange::Block(person) => db
            .prepare_cached(
                "INSERT OR REPLACE INTO ignored (identity, person, blocked) VALUES (?1, ?2, 1)",
            )?
            .execute(params![me, person.bytes()])?,
        PersonalChange::Conversation(room, status, request) => {
            conversations::set_status(db, identity, *room, *status, *request)?
        }
        PersonalChange::Unignore(person) => db
            .prepare_cached("DELETE FROM ignored WHERE identity = ?1 AND person = ?2")?
            .execute(params![me, person.bytes()])?,
        PersonalChange::Level(room, level) => {
            let Some(num) = room_number(db, *room)? else {
                return Ok(());
            };
            match level {
                Some(level) => db
                    .prepare_cached(
                        "INSERT OR REPLACE INTO levels (identity, room, level) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![me, num, level.number()])?,
                None => db
                    .prepare_cached("DELETE FROM levels WHERE identity = ?1 AND room = ?2")?
                    .execute(params![me, num])?,
            }
        }
        PersonalChange::Keywords(words) => db
            .prepare_cached("UPDATE identities SET keywords = ?2 WHERE id = ?1")?
            .execute(params![me, words.join("\n")])?,
    };
    Ok(())
}

pub fn recently_present(
    db: &Connection,
    room: RoomId,
    most: usize,
) -> rusqlite::Result<Vec<Person>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    db.prepare_cached(
        "SELECT i.id, i.name, i.via, i.away, i.status, m.role FROM members m JOIN rooms r ON r.num = m.room
         JOIN identities i ON i.id = m.identity WHERE r.id = ?1 ORDER BY i.seen_ms DESC, i.id LIMIT ?2",
    )?
    .query_map(params![room.bytes(), most], |row| {
        let person = Person {
            id: IdentityId::NOBODY,
            name: text(row, 1)?,
            presence: Presence::Offline,
            role: role(decode::small_number(row, 5)?),
            via: via(row, 2)?,
            status: status(row, 3)?.text,
        };
        let id = bytes(row, 0)?.map(IdentityId::new);
        Ok(id.map(|id| Person { id, ..person }))
    })
    .and_then(readable)
}

pub fn invitations(db: &Connection, identity: IdentityId) -> rusqlite::Result<Vec<RoomRecord>> {
    db.prepare_cached(&format!(
        "SELECT {ROOM} FROM standings s JOIN rooms r ON r.num = s.room
         WHERE s.identity = ?1 AND s.invited = 1
         AND (s.invited_by IS NULL OR s.invited_by NOT IN (SELECT g.person FROM ignored g WHERE g.identity = ?1))
         ORDER BY r.name"
    ))?
    .query_map([identity.bytes()], any_room)
    .and_then(readable)
}

pub fn members_named(
    db: &Connection,
    room: RoomId,
    keys: Vec<NameKey>,
) -> rusqlite::Result<Vec<(NameKey, IdentityId)>> {
    let Some(num) = room_number(db, room)? else {
        return Ok(Vec::new());
    };
    let mut query = db.prepare_cached(
        "SELECT i.id FROM identities i JOIN members m ON m.room = ?1 AND m.identity = i.id WHERE i.key = ?2 LIMIT 2",
    )?;
    let mut found = Vec::new();
    for key in keys {
        let ids = query.query_map(params![num, key.as_str()], |row| bytes(row, 0));
        let ids = ids.and_then(readable)?.into_iter().map(IdentityId::new);
        found.extend(ids.map(|id| (key.clone(), id)));
    }
    Ok(found)
}
