//! The outbox on disk: posts that the server has not answered yet, and those that it refused.

use rusqlite::{Connection, Row, params};

use super::values::{damaged, signed, unsigned};
use crate::chat::{Body, ClientId, IdentityId, InstanceId, Recipient, Refusal, RoomId, ServerId};
use crate::client::OutgoingPost;
use crate::client::cache::Unsent;
use crate::wire::{refusal_from_bytes, refusal_to_bytes};

/// How a recipient is stored: a room, an identity or a name.
const ROOM: i64 = 1;
const PERSON: i64 = 2;
const NAME: i64 = 3;

/// Adds a post. The draft or the failed post it replaces is removed in the same transaction, so that no text is stored twice or lost.
pub fn add(
    db: &Connection,
    server: ServerId,
    post: &OutgoingPost,
    instead_of: Option<ClientId>,
) -> rusqlite::Result<()> {
    let (to_kind, recipient) = match &post.to {
        Recipient::Room(room) => (ROOM, room.bytes().to_vec()),
        Recipient::Person(person) => (PERSON, person.bytes().to_vec()),
        Recipient::Name(name) => (NAME, name.as_bytes().to_vec()),
    };
    db.prepare_cached(
        "INSERT INTO outbox (server, instance, counter, to_kind, recipient, kind, text, at_ms, room, typed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        server.bytes(),
        post.client_id.instance.bytes(),
        signed(post.client_id.counter),
        to_kind,
        recipient,
        post.body.kind(),
        post.body.payload(),
        signed(post.at_ms),
        post.from.map(|room| *room.bytes()),
        post.typed,
    ])?;
    if instead_of.is_none() {
        super::drafts::put_draft(db, server, post.client_id.instance, post.from, "")?;
    }
    instead_of.map_or(Ok(()), |id| remove(db, id))
}

pub fn remove(db: &Connection, id: ClientId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM outbox WHERE instance = ?1 AND counter = ?2")?
        .execute(params![id.instance.bytes(), signed(id.counter)])?;
    Ok(())
}

pub fn mark_failed(db: &Connection, id: ClientId, refusal: &Refusal) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE outbox SET failed = ?3 WHERE instance = ?1 AND counter = ?2")?
        .execute(params![
            id.instance.bytes(),
            signed(id.counter),
            refusal_to_bytes(refusal)
        ])?;
    Ok(())
}

pub fn set_recipient_room(
    db: &Connection,
    posts: &[ClientId],
    room: RoomId,
) -> rusqlite::Result<()> {
    for id in posts {
        db.prepare_cached(
            "UPDATE outbox SET to_kind = ?3, recipient = ?4 WHERE instance = ?1 AND counter = ?2",
        )?
        .execute(params![
            id.instance.bytes(),
            signed(id.counter),
            ROOM,
            room.bytes()
        ])?;
    }
    Ok(())
}

/// Returns the instances that have posts or drafts here.
pub fn instances(db: &Connection) -> rusqlite::Result<Vec<InstanceId>> {
    db.prepare_cached("SELECT instance FROM outbox UNION SELECT instance FROM drafts")?
        .query_map([], |row| row.get(0).map(InstanceId::new))?
        .collect()
}

/// Returns the posts of these outboxes for a server, in the order they were composed.
pub fn posts(
    db: &Connection,
    server: ServerId,
    instances: &[InstanceId],
) -> rusqlite::Result<Vec<Unsent>> {
    let mut statement = db.prepare_cached(
        "SELECT instance, counter, to_kind, recipient, kind, text, at_ms, room, typed, failed
         FROM outbox WHERE server = ?1 ORDER BY n",
    )?;
    let all = statement.query_map([server.bytes()], unsent)?;
    let is_ours = |unsent: &Unsent| instances.contains(&unsent.post.client_id.instance);
    all.filter(|unsent| unsent.as_ref().map_or(true, is_ours))
        .collect()
}

fn unsent(row: &Row<'_>) -> rusqlite::Result<Unsent> {
    let recipient: Vec<u8> = row.get(3)?;
    let to = match row.get::<_, i64>(2)? {
        ROOM => RoomId::from_slice(&recipient).map(Recipient::Room),
        PERSON => IdentityId::from_slice(&recipient).map(Recipient::Person),
        NAME => String::from_utf8(recipient).ok().map(Recipient::Name),
        _ => None,
    };
    let post = OutgoingPost {
        client_id: ClientId {
            instance: InstanceId::new(row.get(0)?),
            counter: unsigned(row, 1)?,
        },
        to: to.ok_or_else(|| damaged(3))?,
        body: Body::from_parts(row.get(4)?, row.get(5)?),
        at_ms: unsigned(row, 6)?,
        from: row.get::<_, Option<[u8; 16]>>(7)?.map(RoomId::new),
        typed: row.get(8)?,
    };
    let failed: Option<Vec<u8>> = row.get(9)?;
    Ok(Unsent {
        post,
        failed: failed.map(|bytes| refusal_from_bytes(&bytes)),
    })
}
