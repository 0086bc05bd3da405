//! The audit log: what administrators did. Each row has a hash over itself and the hash of the row
//! before it, so that an edit of an earlier row is detected.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::decode::{bytes, number, readable, text};
use super::encode::signed;
use super::writer::WriteError;
use crate::chat::{AuditEntry, Author, IdentityId};
use crate::server::store::NewAudit;

/// The columns of a row, in the order of [`row`].
const ROW: &str = "num, at_ms, actor, actor_name, act, target, detail, hash";

/// Adds a row.
pub fn add(db: &Connection, new: &NewAudit) -> Result<(), WriteError> {
    let last = db
        .prepare_cached("SELECT num, hash FROM audit ORDER BY num DESC LIMIT 1")?
        .query_row([], |row| Ok((number(row, 0)?, bytes::<32>(row, 1)?)))
        .optional()?;
    let (number, before) = last.unwrap_or_default();
    let mut entry = AuditEntry {
        number: number.unwrap_or_default() + 1,
        at_ms: new.at_ms,
        actor: new.actor.clone(),
        act: new.act.word().to_owned(),
        target: new.target.clone(),
        detail: new.detail.clone(),
        hash: [0; 32],
    };
    entry.hash = entry.hash_after(&before.unwrap_or_default());
    db.prepare_cached(&format!(
        "INSERT INTO audit ({ROW}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    ))?
    .execute(params![
        signed(entry.number),
        signed(entry.at_ms),
        entry.actor.as_ref().map(|it| it.id.bytes()),
        entry.actor.as_ref().map_or("", |it| &it.name),
        entry.act,
        entry.target,
        entry.detail,
        entry.hash,
    ])?;
    Ok(())
}

/// Returns the rows with numbers below `before`, newest first.
pub fn before(db: &Connection, before: u64, most: usize) -> rusqlite::Result<Vec<AuditEntry>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    db.prepare_cached(&format!(
        "SELECT {ROW} FROM audit WHERE num < ?1 ORDER BY num DESC LIMIT ?2"
    ))?
    .query_map(params![signed(before), most], row)
    .and_then(readable)
}

fn row(row: &Row<'_>) -> rusqlite::Result<Option<AuditEntry>> {
    let (id, name) = (bytes(row, 2)?, text(row, 3)?);
    let (act, target, detail) = (text(row, 4)?, text(row, 5)?, text(row, 6)?);
    let (at_ms, hash) = (number(row, 1)?, bytes(row, 7)?);
    Ok(number(row, 0)?.map(|number| AuditEntry {
        number,
        at_ms: at_ms.unwrap_or_default(),
        actor: id.map(|id| Author {
            id: IdentityId::new(id),
            name,
        }),
        act,
        target,
        detail,
        hash: hash.unwrap_or_default(),
    }))
}

/// Returns the number of the first row that does not follow from the one before it.
pub fn first_edited(db: &Connection) -> rusqlite::Result<Option<u64>> {
    let mut statement = db.prepare(&format!("SELECT {ROW} FROM audit ORDER BY num"))?;
    let mut before = ([0; 32], 0);
    for entry in statement.query_map([], row)? {
        // A row without a number cannot exist: the number is its key.
        let Some(entry) = entry? else { continue };
        if entry.number != before.1 + 1 || entry.hash != entry.hash_after(&before.0) {
            return Ok(Some(entry.number));
        }
        before = (entry.hash, entry.number);
    }
    Ok(None)
}
