//! Drafts: texts that were typed and not sent, by room and by the instance in which they were typed.

use rusqlite::{Connection, OptionalExtension, params};

use super::Drafts;
use crate::chat::{InstanceId, RoomId, ServerId};

/// A draft without a room is stored under an empty id.
fn draft_key(room: Option<RoomId>) -> Vec<u8> {
    room.map(|room| room.bytes().to_vec()).unwrap_or_default()
}

pub fn put_draft(
    db: &Connection,
    server: ServerId,
    instance: InstanceId,
    room: Option<RoomId>,
    text: &str,
) -> rusqlite::Result<()> {
    let key = draft_key(room);
    if text.is_empty() {
        db.prepare_cached("DELETE FROM drafts WHERE server = ?1 AND room = ?2 AND instance = ?3")?
            .execute(params![server.bytes(), key, instance.bytes()])?;
    } else {
        db.prepare_cached(
            "INSERT OR REPLACE INTO drafts (server, room, instance, text) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![server.bytes(), key, instance.bytes(), text])?;
    }
    Ok(())
}

/// Like [`adopt_drafts`], in a transaction of its own.
pub fn take_over_drafts(
    db: &mut Connection,
    server: ServerId,
    own: InstanceId,
    ours: &[InstanceId],
) -> rusqlite::Result<Drafts> {
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let drafts = adopt_drafts(&transaction, server, own, ours)?;
    transaction.commit()?;
    Ok(drafts)
}

/// Takes over the drafts of instances that ended. Drafts of one room by several instances are joined.
pub fn adopt_drafts(
    db: &Connection,
    server: ServerId,
    own: InstanceId,
    ours: &[InstanceId],
) -> rusqlite::Result<Drafts> {
    let mut statement =
        db.prepare_cached("SELECT room, instance, text FROM drafts WHERE server = ?1")?;
    let found = statement.query_map([server.bytes()], |row| {
        let key: Vec<u8> = row.get(0)?;
        let instance = InstanceId::new(row.get(1)?);
        Ok((RoomId::from_slice(&key), instance, row.get(2)?))
    })?;
    let found: Vec<(Option<RoomId>, InstanceId, String)> = found.collect::<Result<_, _>>()?;
    let mut drafts = Drafts::new();
    for (room, instance, text) in found.into_iter().filter(|it| ours.contains(&it.1)) {
        match drafts.iter_mut().find(|(other, _)| *other == room) {
            Some((_, known)) if *known != text => {
                known.push('\n');
                known.push_str(&text);
            }
            Some(_) => {}
            None => drafts.push((room, text)),
        }
        if instance != own {
            put_draft(db, server, instance, room, "")?;
        }
    }
    for (room, text) in &drafts {
        // The text typed in this process comes first, as on its screen.
        let kept = db
            .prepare_cached(
                "SELECT text FROM drafts WHERE server = ?1 AND room = ?2 AND instance = ?3",
            )?
            .query_row(
                params![server.bytes(), draft_key(*room), own.bytes()],
                |row| row.get::<_, String>(0),
            )
            .optional()?;
        let whole = match kept {
            Some(kept) if kept != *text => format!("{kept}\n{text}"),
            _ => text.clone(),
        };
        put_draft(db, server, own, *room, &whole)?;
    }
    Ok(drafts)
}
