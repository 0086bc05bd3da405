//! The writes of the store. Each runs inside the writer's transaction.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::encode::EDIT;
use super::encode::{CLOSED, ERASED, signed, via_number};
use super::read::first_seq;
use super::read::room_number;
use super::writer::WriteError;
use super::{conversations, decode, index};
use crate::chat::{
    Amendment, Body, Changes, ConversationStatus, Entry, IdentityId, NameKey, RemovalKind, Role,
    RoomId, RoomKind, Seq, Stamp, Standing, Until,
};
use crate::server::store::{Append, IdentityRecord, RoomRecord};

pub const fn kind_number(kind: RoomKind) -> i64 {
    match kind {
        RoomKind::Public => 1,
        RoomKind::Conversation => 2,
        RoomKind::Private => 3,
        RoomKind::Secret => 4,
    }
}

pub fn create_room(
    db: &Connection,
    record: &RoomRecord,
    created: &Append,
) -> Result<(), WriteError> {
    db.prepare_cached(
        "INSERT INTO rooms (id, kind, name, key, topic, capacity, position, epoch, low, high)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        record.id.bytes(),
        kind_number(record.kind),
        record.name,
        unique_key(record),
        record.topic,
        record.capacity,
        record.position,
        record.epoch.bytes(),
        record.pair.map(|(low, _)| *low.bytes()),
        record.pair.map(|(_, high)| *high.bytes()),
    ])?;
    append(db, created)?;
    if let Some(person) = created.changes.request_to {
        conversations::set_status(db, person, record.id, ConversationStatus::Unsent, None)?;
    }
    Ok(())
}

/// Returns the key that no other room may have. A secret room has none, so that it reserves no name.
fn unique_key(record: &RoomRecord) -> Option<&str> {
    let key = record.key.as_ref().map(NameKey::as_str);
    key.filter(|_| record.kind != RoomKind::Secret)
}

pub fn update_room(db: &Connection, record: &RoomRecord) -> Result<(), WriteError> {
    db.prepare_cached(
        "UPDATE rooms SET topic = iif(topic_is_set, topic, ?2), capacity = ?3, position = ?4 WHERE id = ?1",
    )?
    .execute(params![
        record.id.bytes(),
        record.topic,
        record.capacity,
        record.position
    ])?;
    Ok(())
}

pub fn append(db: &Connection, append: &Append) -> Result<(), WriteError> {
    let num = room_number(db, append.room)?.ok_or(WriteError::Conflict)?;
    let (last, last_ms) = last(db, num)?;
    let follows = append
        .entries
        .iter()
        .zip(last + 1..)
        .all(|(entry, seq)| signed(entry.seq.0) == seq);
    if !follows || append.entries.is_empty() {
        return Err(WriteError::Conflict);
    }
    let times = append.entries.iter().map(|entry| signed(entry.at_ms));
    if !last_ms.into_iter().chain(times).is_sorted() {
        db.prepare_cached("UPDATE rooms SET is_stepped = 1 WHERE num = ?1")?
            .execute([num])?;
    }
    for entry in append.entries.iter() {
        append_one(db, num, entry, append.at)?;
    }
    // Only the highest counter of each client outbox is stored; within a batch that is the last one.
    let marks: HashMap<_, _> = append
        .entries
        .iter()
        .filter_map(|entry| {
            Some((
                (entry.author.id, entry.client_id?.instance),
                entry.client_id?.counter,
            ))
        })
        .collect();
    for ((author, instance), counter) in marks {
        db.prepare_cached("INSERT OR REPLACE INTO marks (room, author, instance, counter) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![num, author.bytes(), instance.bytes(), signed(counter)])?;
    }
    change(db, num, &append.changes)?;
    index::mark_behind(db, num)?;
    Ok(())
}

fn change(db: &Connection, num: i64, changes: &Changes) -> rusqlite::Result<()> {
    for (identity, role) in &changes.members {
        if let Some(role) = role {
            db.prepare_cached(
                "INSERT OR REPLACE INTO members (room, identity, role) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![num, identity.bytes(), role.number()])?;
            continue;
        }
        for table in ["reads", "members"] {
            let sql = format!("DELETE FROM {table} WHERE room = ?1 AND identity = ?2");
            db.prepare_cached(&sql)?
                .execute(params![num, identity.bytes()])?;
        }
    }
    for (identity, standing) in &changes.standings {
        put_standing(db, num, *identity, standing)?;
    }
    if let Some(topic) = &changes.topic {
        db.prepare_cached("UPDATE rooms SET topic = ?2, topic_is_set = 1 WHERE num = ?1")?
            .execute(params![num, topic])?;
    }
    if let Some(rules) = changes.rules {
        db.prepare_cached("UPDATE rooms SET slow_s = ?2, read_only = ?3 WHERE num = ?1")?
            .execute(params![num, rules.slow_s, rules.is_read_only])?;
    }
    if changes.closed.is_some() {
        db.execute(
            "UPDATE rooms SET kind = ?2, key = NULL WHERE num = ?1",
            [num, CLOSED],
        )?;
        for table in ["members", "standings", "reads", "mentions", "levels"] {
            db.execute(&format!("DELETE FROM {table} WHERE room = ?1"), [num])?;
        }
    }
    Ok(())
}

fn put_standing(
    db: &Connection,
    num: i64,
    identity: IdentityId,
    standing: &Standing,
) -> rusqlite::Result<()> {
    if standing.is_empty() {
        db.prepare_cached("DELETE FROM standings WHERE room = ?1 AND identity = ?2")?
            .execute(params![num, identity.bytes()])?;
        return Ok(());
    }
    let until = |until: Until| signed(until.millis());
    let put_out = standing.removal.as_ref();
    db.prepare_cached(
        "INSERT OR REPLACE INTO standings
         (room, identity, invited, role, banned_ms, muted_ms, out_seq, out_by, out_reason, out_is_ban, invited_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        num,
        identity.bytes(),
        standing.is_invited,
        standing.role.map(Role::number),
        standing.banned.map(until),
        standing.muted.map(until),
        put_out.map(|it| signed(it.at.0)),
        put_out.map(|it| &it.by),
        put_out.map(|it| &it.reason),
        put_out.map(|it| it.kind == RemovalKind::Banned),
        standing.invited_by.map(|it| *it.bytes()),
    ])?;
    Ok(())
}

/// Deletes some of the oldest entries before a seq. Returns true when none is left.
pub fn trim(db: &Connection, room: RoomId, first: Seq) -> Result<bool, WriteError> {
    let num = room_number(db, room)?.ok_or(WriteError::Conflict)?;
    let most = i64::try_from(super::TRIM_ROWS).unwrap_or(i64::MAX);
    let begins = first_seq(db, num)?;
    // The last entry is never deleted, because numbering continues from it.
    let first = signed(first.0).min(last(db, num)?.0);
    let to = first.min(begins + most);
    if to <= begins {
        return Ok(true);
    }
    index::trim(db, num, to)?;
    db.prepare_cached("DELETE FROM entries WHERE room = ?1 AND seq < ?2")?
        .execute([num, to])?;
    db.prepare_cached("DELETE FROM reactions WHERE room = ?1 AND target < ?2")?
        .execute([num, to])?;
    db.prepare_cached("DELETE FROM mentions WHERE room = ?1 AND seq < ?2")?
        .execute([num, to])?;
    db.prepare_cached("UPDATE rooms SET first = ?2 WHERE num = ?1")?
        .execute([num, to])?;
    Ok(to == first)
}

/// Returns the seq and time of a room's last entry. It uses `ORDER BY` and `LIMIT`, because `max()` inside an expression reads the whole
/// room.
pub(super) fn last(db: &Connection, num: i64) -> rusqlite::Result<(i64, Option<i64>)> {
    let last = db
        .prepare_cached("SELECT seq, at_ms FROM entries WHERE room = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([num], |row| Ok((row.get(0)?, Some(row.get(1)?))))
        .optional()?;
    match last {
        Some(last) => Ok(last),
        None => db
            .prepare_cached("SELECT first - 1 FROM rooms WHERE num = ?1")?
            .query_row([num], |row| Ok((row.get(0)?, None))),
    }
}

fn append_one(db: &Connection, num: i64, entry: &Entry, at: Stamp) -> Result<(), WriteError> {
    db.prepare_cached(
        "INSERT INTO entries (room, seq, digest, at_ms, author, author_name, instance, counter, kind, text, body_hash, target,
         log_ms, doubt_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        num,
        signed(entry.seq.0),
        entry.digest.0,
        signed(entry.at_ms),
        entry.author.id.bytes(),
        entry.author.name,
        entry.client_id.map(|id| *id.instance.bytes()),
        entry.client_id.map(|id| signed(id.counter)),
        entry.body.kind(),
        entry.body.payload(),
        entry.body.hash(),
        target(&entry.body),
        signed(at.log_ms),
        signed(at.doubt_ms),
    ])?;
    mention(db, num, signed(entry.seq.0), &entry.mentions)?;
    match &entry.body {
        Body::Amendment { target, what } => amend(db, num, entry, signed(target.0), what)?,
        // A person who joins has read up to their join.
        Body::Joined(_) | Body::Created => {
            db.prepare_cached(
                "INSERT OR REPLACE INTO reads (room, identity, seq) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![num, entry.author.id.bytes(), signed(entry.seq.0)])?;
        }
        _ => {}
    }
    Ok(())
}

fn mention(db: &Connection, num: i64, seq: i64, people: &[IdentityId]) -> rusqlite::Result<()> {
    for person in people {
        db.prepare_cached(
            "INSERT OR IGNORE INTO mentions (room, seq, person) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![num, seq, person.bytes()])?;
    }
    Ok(())
}

fn target(body: &Body) -> Option<i64> {
    match body {
        Body::Amendment { target, .. } => Some(signed(target.0)),
        _ => None,
    }
}

/// Applies an amendment to its target.
fn amend(
    db: &Connection,
    num: i64,
    by: &Entry,
    target: i64,
    what: &Amendment,
) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE entries SET amended = ?3 WHERE room = ?1 AND seq = ?2")?
        .execute([num, target, signed(by.seq.0)])?;
    match what {
        Amendment::Edit(text) => edit(db, num, by, target, text)?,
        Amendment::Erase => erase(db, num, target)?,
        Amendment::React { emoji, is_on: true } => add_reaction(db, num, by, target, emoji)?,
        Amendment::React { emoji, .. } => {
            db.prepare_cached(
                "DELETE FROM reactions WHERE room = ?1 AND target = ?2 AND emoji = ?3 AND person = ?4",
            )?
            .execute(params![num, target, emoji, by.author.id.bytes()])?;
        }
    }
    Ok(())
}

/// Replaces the text and the mentions of an entry, if it has a text.
fn edit(db: &Connection, num: i64, by: &Entry, target: i64, text: &str) -> rusqlite::Result<()> {
    let old = db
        .prepare_cached("SELECT kind, text FROM entries WHERE room = ?1 AND seq = ?2")?
        .query_row([num, target], |row| {
            Ok(decode::small_number(row, 0)?.zip(decode::valid_text(row, 1)?))
        })
        .optional()?
        .flatten();
    let edited = old.and_then(|(kind, old)| Body::from_parts(kind, old).with_text(text));
    let Some(body) = edited else {
        return Ok(());
    };
    index::forget(db, num, target)?;
    db.prepare_cached("UPDATE entries SET text = ?3, is_edited = 1 WHERE room = ?1 AND seq = ?2")?
        .execute(params![num, target, body.payload()])?;
    index::put(db, num, target)?;
    db.prepare_cached("DELETE FROM mentions WHERE room = ?1 AND seq = ?2")?
        .execute([num, target])?;
    mention(db, num, target, &by.mentions)
}

/// Erases the text of an entry and of every edit of it, and deletes its reactions and mentions.
fn erase(db: &Connection, num: i64, target: i64) -> rusqlite::Result<()> {
    index::forget(db, num, target)?;
    db.prepare_cached(&format!(
        "UPDATE entries SET kind = ?3, text = '', is_edited = 0
         WHERE room = ?1 AND (seq = ?2 OR (target = ?2 AND {EDIT}))"
    ))?
    .execute(params![num, target, ERASED])?;
    for gone in [
        "DELETE FROM reactions WHERE room = ?1 AND target = ?2",
        "DELETE FROM mentions WHERE room = ?1 AND (seq = ?2 OR seq IN
         (SELECT seq FROM entries WHERE room = ?1 AND target = ?2))",
    ] {
        db.prepare_cached(gone)?.execute([num, target])?;
    }
    Ok(())
}

/// Adds a reaction to an entry, if it exists and was not erased.
fn add_reaction(
    db: &Connection,
    num: i64,
    by: &Entry,
    target: i64,
    emoji: &str,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO reactions (room, target, emoji, person, name, seq)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS
         (SELECT 1 FROM entries WHERE room = ?1 AND seq = ?2 AND kind <> ?7)",
    )?
    .execute(params![
        num,
        target,
        emoji,
        by.author.id.bytes(),
        by.author.name,
        signed(by.seq.0),
        ERASED
    ])?;
    Ok(())
}

pub fn put_identity(
    db: &Connection,
    record: &IdentityRecord,
    seen: Stamp,
) -> Result<(), WriteError> {
    db.prepare_cached(
        "INSERT INTO identities (id, name, key, seen_ms, via, seen_log_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET name = ?2, key = ?3, seen_ms = ?4, seen_log_ms = ?6",
    )?
    .execute(params![
        record.id.bytes(),
        record.name.as_str(),
        record.name.key().as_str(),
        signed(seen.at_ms),
        via_number(record.via),
        signed(seen.log_ms),
    ])?;
    Ok(())
}

/// Deletes a guest, unless they have a conversation.
pub fn forget_guest(db: &Connection, id: IdentityId) -> Result<(), WriteError> {
    db.prepare_cached(
        "DELETE FROM identities WHERE id = ?1 AND via > 0
         AND NOT EXISTS (SELECT 1 FROM rooms WHERE low = ?1) AND NOT EXISTS (SELECT 1 FROM rooms WHERE high = ?1)",
    )?
    .execute(params![id.bytes()])?;
    Ok(())
}

pub fn bind_operator(
    db: &Connection,
    key: &NameKey,
    identity: IdentityId,
) -> Result<IdentityId, WriteError> {
    db.prepare_cached("INSERT OR IGNORE INTO operators (key, identity) VALUES (?1, ?2)")?
        .execute(params![key.as_str(), identity.bytes()])?;
    let bound = db
        .prepare_cached("SELECT identity FROM operators WHERE key = ?1")?
        .query_row([key.as_str()], |row| decode::bytes(row, 0))?;
    // If the bound identity cannot be read, nobody may use the name: a stranger must not get an operator's rights.
    Ok(bound.map_or(IdentityId::NOBODY, IdentityId::new))
}
