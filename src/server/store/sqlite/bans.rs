//! Bans from the server.

use rusqlite::{Connection, Row, params};

use super::decode::{bytes, number, readable, text};
use super::encode::signed;
use super::writer::WriteError;
use crate::chat::{BanTarget, IdentityId, Until};
use crate::server::store::BanRecord;

/// Returns the text that is stored for what is banned. It is the key of the table.
fn key(target: BanTarget) -> String {
    match target {
        BanTarget::Account(account) => account.to_string(),
        BanTarget::Network(network) => network.to_string(),
    }
}

/// Adds a ban. A banned account lets nobody in: the invitations it made are withdrawn.
pub fn add(db: &Connection, ban: &BanRecord, now_ms: u64) -> Result<(), WriteError> {
    db.prepare_cached("DELETE FROM bans WHERE until_ms > 0 AND until_ms <= ?1")?
        .execute([signed(now_ms)])?;
    let account = match &ban.target {
        BanTarget::Account(account) => Some(account.bytes()),
        BanTarget::Network(_) => None,
    };
    db.prepare_cached(
        "INSERT OR REPLACE INTO bans (target, account, until_ms, at_ms, by_name, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        key(ban.target),
        account,
        signed(ban.until.millis()),
        signed(ban.at_ms),
        ban.by,
        ban.reason,
    ])?;
    if let Some(account) = account {
        db.prepare_cached("DELETE FROM invites WHERE maker = ?1")?
            .execute([account])?;
    }
    Ok(())
}

pub fn remove(db: &Connection, target: BanTarget) -> Result<(), WriteError> {
    db.prepare_cached("DELETE FROM bans WHERE target = ?1")?
        .execute([key(target)])?;
    Ok(())
}

pub fn all(db: &Connection) -> rusqlite::Result<Vec<BanRecord>> {
    db.prepare_cached(
        "SELECT target, account, until_ms, at_ms, by_name, reason FROM bans ORDER BY at_ms DESC, target",
    )?
    .query_map([], ban)
    .and_then(readable)
}

/// A row whose target cannot be read is left out, because it cannot be enforced.
fn ban(row: &Row<'_>) -> rusqlite::Result<Option<BanRecord>> {
    let target = match bytes(row, 1)? {
        Some(account) => Some(BanTarget::Account(IdentityId::new(account))),
        None => text(row, 0)?.parse().ok().map(BanTarget::Network),
    };
    // An end that cannot be read does not expire; an administrator can lift the ban.
    let until = number(row, 2)?.map_or(Until::Forever, Until::from_millis);
    let (at_ms, by, reason) = (number(row, 3)?, text(row, 4)?, text(row, 5)?);
    Ok(target.map(|target| BanRecord {
        target,
        until,
        at_ms: at_ms.unwrap_or_default(),
        by,
        reason,
    }))
}
