//! Queries and writes for the status of private conversations, and for blocked people.

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::decode::{bytes, number, readable};
use super::encode::signed;
use super::read::room_number;
use crate::chat::{ClientId, ConversationSide, ConversationStatus, IdentityId, InstanceId, RoomId};

/// The condition that a room `r` is no conversation that `:me` has not accepted or has left. Such a conversation shows nothing
/// outside itself.
pub const NOT_HIDDEN: &str = "r.num NOT IN (SELECT c.room FROM conversations c WHERE c.identity = :me AND c.status IN (1, 2, 3))";

/// Returns both sides of a conversation, or `None` if the room is no conversation.
pub fn sides(db: &Connection, room: RoomId) -> rusqlite::Result<Option<[ConversationSide; 2]>> {
    let found = db
        .prepare_cached("SELECT num, low, high FROM rooms WHERE id = ?1 AND low IS NOT NULL")?
        .query_row([room.bytes()], |row| {
            let pair = bytes(row, 1)?.zip(bytes(row, 2)?);
            Ok((row.get::<_, i64>(0)?, pair))
        })
        .optional()?;
    let Some((num, Some((low, high)))) = found else {
        return Ok(None);
    };
    let (low, high) = (IdentityId::new(low), IdentityId::new(high));
    Ok(Some([
        side(db, num, (low, high))?,
        side(db, num, (high, low))?,
    ]))
}

fn side(
    db: &Connection,
    room: i64,
    (person, other): (IdentityId, IdentityId),
) -> rusqlite::Result<ConversationSide> {
    let stored = db
        .prepare_cached(
            "SELECT status, instance, counter FROM conversations WHERE identity = ?1 AND room = ?2",
        )?
        .query_row(params![person.bytes(), room], |row| {
            let instance = bytes(row, 1)?.map(InstanceId::new);
            let id = instance.zip(number(row, 2)?);
            let status = ConversationStatus::from_number(number(row, 0)?);
            Ok((
                status,
                id.map(|(instance, counter)| ClientId { instance, counter }),
            ))
        })
        .optional()?;
    let (status, request) = stored.unwrap_or_default();
    Ok(ConversationSide {
        person,
        status,
        request,
        blocks: has_blocked(db, person, other)?,
    })
}

/// Returns the conversations of a person that are not open for them.
pub fn of_person(
    db: &Connection,
    person: IdentityId,
) -> rusqlite::Result<Vec<(RoomId, ConversationStatus)>> {
    db.prepare_cached(
        "SELECT r.id, c.status FROM conversations c JOIN rooms r ON r.num = c.room WHERE c.identity = ?1",
    )?
    .query_map([person.bytes()], |row| {
        let status = ConversationStatus::from_number(number(row, 1)?);
        Ok(bytes(row, 0)?.map(RoomId::new).map(|room| (room, status)))
    })
    .and_then(readable)
}

/// Whether a person blocks another one.
fn has_blocked(db: &Connection, person: IdentityId, other: IdentityId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM ignored WHERE identity = ?1 AND person = ?2 AND blocked > 0")?
        .exists(params![person.bytes(), other.bytes()])
}

/// Sets the status of a conversation for a person. A request is stored with the post that it consists of.
pub fn set_status(
    db: &Connection,
    person: IdentityId,
    room: RoomId,
    status: ConversationStatus,
    request: Option<ClientId>,
) -> rusqlite::Result<usize> {
    let Some(num) = room_number(db, room)? else {
        return Ok(0);
    };
    if status == ConversationStatus::Open {
        return db
            .prepare_cached("DELETE FROM conversations WHERE identity = ?1 AND room = ?2")?
            .execute(params![person.bytes(), num]);
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO conversations (identity, room, status, instance, counter)
         VALUES (:person, :room, :status, :instance, :counter)",
    )?
    .execute(named_params! {
        ":person": person.bytes(), ":room": num, ":status": status.number(),
        ":instance": request.map(|it| *it.instance.bytes()), ":counter": request.map(|it| signed(it.counter)),
    })
}
