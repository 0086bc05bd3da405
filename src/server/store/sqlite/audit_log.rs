//! The audit log: what administrators did. Each row has a hash over itself and the row before it, so that an edit of an earlier row shows.

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest as _, Sha256};

use super::decode::{bytes, number, readable, text};
use super::encode::signed;
use super::writer::WriteError;
use crate::chat::AuditEntry;
use crate::server::store::NewAudit;

/// Adds a row.
pub fn add(db: &Connection, new: &NewAudit) -> Result<(), WriteError> {
    let last = db
        .prepare_cached("SELECT num, hash FROM audit ORDER BY num DESC LIMIT 1")?
        .query_row([], |row| Ok((number(row, 0)?, bytes::<32>(row, 1)?)))
        .optional()?;
    let (number, before) = last.unwrap_or_default();
    let (number, before) = (number.unwrap_or_default() + 1, before.unwrap_or_default());
    let (actor, name) = match &new.actor {
        Some((id, name)) => (id.bytes().to_vec(), name.as_str()),
        None => (Vec::new(), ""),
    };
    let hash = hash(&before, number, new, &actor, name);
    db.prepare_cached(
        "INSERT INTO audit (num, at_ms, actor, actor_name, act, target, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        signed(number),
        signed(new.at_ms),
        new.actor.as_ref().map(|(id, _)| id.bytes()),
        name,
        new.act.word(),
        new.target,
        new.detail,
        hash,
    ])?;
    Ok(())
}

/// Returns the hash of a row: over the hash of the row before it and all fields, each with its length in 4 bytes (big-endian) before it.
fn hash(before: &[u8; 32], number: u64, new: &NewAudit, actor: &[u8], name: &str) -> [u8; 32] {
    let fields: [&[u8]; 8] = [
        before,
        &number.to_be_bytes(),
        &new.at_ms.to_be_bytes(),
        actor,
        name.as_bytes(),
        new.act.word().as_bytes(),
        new.target.as_bytes(),
        new.detail.as_bytes(),
    ];
    let mut hash = Sha256::new();
    for field in fields {
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        hash.update(length.to_be_bytes());
        hash.update(field);
    }
    hash.finalize().into()
}

/// Returns rows below a number, newest first.
pub fn before(db: &Connection, before: u64, most: usize) -> rusqlite::Result<Vec<AuditEntry>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    db.prepare_cached(
        "SELECT num, at_ms, actor_name, act, target, detail, hash FROM audit WHERE num < ?1 ORDER BY num DESC LIMIT ?2",
    )?
    .query_map([signed(before), most], |row| {
        let (actor, act) = (text(row, 2)?, text(row, 3)?);
        let (target, detail) = (text(row, 4)?, text(row, 5)?);
        let (at_ms, hash) = (number(row, 1)?, bytes(row, 6)?);
        Ok(number(row, 0)?.map(|number| AuditEntry {
            number,
            at_ms: at_ms.unwrap_or_default(),
            actor,
            act,
            target,
            detail,
            hash: hash.unwrap_or_default(),
        }))
    })
    .and_then(readable)
}
