//! Accounts: their devices, the secrets of earlier versions, and the invitations with which new ones are made.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::decode::{self, bytes, number, readable};
use super::encode::{MESSAGE_KINDS, signed};
use super::read::{IDENTITY, identity_record, one_identity};
use super::write::put_identity;
use super::writer::WriteError;
use crate::chat::{DeviceKey, IdentityId, InviteHash, SecretHash, Stamp, UserName};
use crate::server::store::{AccountNames, DeviceRecord, IdentityRecord, InviteRecord};

pub fn identity_by_device(
    db: &Connection,
    device: DeviceKey,
) -> rusqlite::Result<Option<IdentityRecord>> {
    let bound = "id = (SELECT identity FROM devices WHERE key = ?1)";
    one_identity(db, bound, device.bytes())
}

/// Returns an account with the hash of its former secret, by the first bytes of that hash.
pub fn identity_by_former_secret(
    db: &Connection,
    hint: [u8; 8],
) -> rusqlite::Result<Option<(IdentityRecord, SecretHash)>> {
    // All hashes that begin so are in one range of the index.
    let range = |filler: u8| {
        let mut end = [filler; 32];
        end[..hint.len()].copy_from_slice(&hint);
        end
    };
    db.prepare_cached(&format!(
        "SELECT {IDENTITY}, secret FROM identities WHERE secret BETWEEN ?1 AND ?2"
    ))?
    .query_row([range(0), range(0xff)], |row| {
        let secret = bytes(row, 4)?.map(SecretHash::new);
        Ok(identity_record(row)?.zip(secret))
    })
    .optional()
    .map(Option::flatten)
}

/// Returns all accounts with their names.
pub fn accounts(db: &Connection, now_ms: u64) -> rusqlite::Result<Vec<AccountNames>> {
    db.prepare_cached(&format!(
        "SELECT {IDENTITY}, former, former_until_ms FROM identities WHERE via = 0 ORDER BY id"
    ))?
    .query_map([], |row| {
        let former = decode::valid_text(row, 4)?.map(UserName::from_stored);
        let former = former.zip(number(row, 5)?);
        Ok(identity_record(row)?.map(|account| AccountNames {
            id: account.id,
            name: account.name,
            former: former.filter(|(_, until_ms)| *until_ms > now_ms),
        }))
    })
    .and_then(readable)
}

/// Gives an account another name, and keeps the present one as its former name.
pub fn rename_account(
    db: &Connection,
    account: &IdentityRecord,
    kept_until_ms: u64,
) -> Result<(), WriteError> {
    db.prepare_cached(
        "UPDATE identities SET former = name, former_until_ms = ?4, name = ?2, key = ?3 WHERE id = ?1",
    )?
    .execute(params![
        account.id.bytes(),
        account.name.as_str(),
        account.name.key().as_str(),
        signed(kept_until_ms)
    ])?;
    Ok(())
}

/// Returns how many messages of a person are stored. It reads all entries.
pub fn messages_of(db: &Connection, identity: IdentityId) -> rusqlite::Result<u64> {
    db.query_row(
        &format!("SELECT count(*) FROM entries WHERE author = ?1 AND {MESSAGE_KINDS}"),
        [identity.bytes()],
        |row| Ok(number(row, 0)?.unwrap_or_default()),
    )
}

/// Adds a device to an account, and the account if it is new. Its former secret is forgotten, and one use of the invitation is taken.
pub fn add_device(
    db: &Connection,
    account: &IdentityRecord,
    device: &DeviceRecord,
    invite: Option<(InviteHash, Stamp)>,
) -> Result<(), WriteError> {
    if let Some((invite, now)) = invite {
        let taken = db
            .prepare_cached(
                "UPDATE invites SET uses = uses - 1
                 WHERE hash = ?1 AND uses > 0 AND expires_log_ms > ?2 AND expires_at_ms > ?3",
            )?
            .execute(params![
                invite.bytes(),
                signed(now.log_ms),
                signed(now.at_ms)
            ])?;
        if taken == 0 {
            return Err(WriteError::Conflict);
        }
    }
    put_identity(db, account, device.added_ms)?;
    db.prepare_cached("UPDATE identities SET secret = NULL WHERE id = ?1")?
        .execute([account.id.bytes()])?;
    db.prepare_cached(
        "INSERT INTO devices (key, identity, name, added_ms) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        device.key.bytes(),
        account.id.bytes(),
        device.name,
        signed(device.added_ms)
    ])?;
    Ok(())
}

/// Adds an invitation, and deletes those that cannot be used any longer.
pub fn put_invite(db: &Connection, invite: &InviteRecord, now: Stamp) -> Result<(), WriteError> {
    db.prepare_cached(
        "DELETE FROM invites WHERE uses = 0 OR expires_log_ms <= ?1 OR expires_at_ms <= ?2",
    )?
    .execute([signed(now.log_ms), signed(now.at_ms)])?;
    db.prepare_cached(
        "INSERT INTO invites (hash, uses, expires_log_ms, expires_at_ms, maker) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        invite.hash.bytes(),
        invite.uses_left,
        signed(invite.expires.log_ms),
        signed(invite.expires.at_ms),
        invite.maker.as_ref().map(IdentityId::bytes)
    ])?;
    Ok(())
}

/// Returns the invitations that can still be used. One that is damaged is left out: it cannot be used.
pub fn invites(db: &Connection, now: Stamp) -> rusqlite::Result<Vec<InviteRecord>> {
    let mut statement = db.prepare_cached(
        "SELECT hash, uses, expires_log_ms, expires_at_ms, maker FROM invites
         WHERE uses > 0 AND expires_log_ms > ?1 AND expires_at_ms > ?2 ORDER BY expires_log_ms DESC, hash",
    )?;
    statement
        .query_map([signed(now.log_ms), signed(now.at_ms)], invite_record)
        .and_then(readable)
}

/// Returns an invitation, or `None` if it is damaged.
fn invite_record(row: &Row<'_>) -> rusqlite::Result<Option<InviteRecord>> {
    let (hash, uses) = (bytes(row, 0)?, number(row, 1)?);
    let (log, at) = (number(row, 2)?, number(row, 3)?);
    let (Some(hash), Some(uses), Some((log_ms, at_ms))) = (hash, uses, log.zip(at)) else {
        return Ok(None);
    };
    Ok(Some(InviteRecord {
        hash: InviteHash::new(hash),
        uses_left: u32::try_from(uses).unwrap_or(u32::MAX),
        expires: Stamp {
            at_ms,
            log_ms,
            doubt_ms: 0,
        },
        maker: bytes(row, 4)?.map(IdentityId::new),
    }))
}

pub fn remove_invite(db: &Connection, invite: InviteHash) -> Result<(), WriteError> {
    db.prepare_cached("DELETE FROM invites WHERE hash = ?1")?
        .execute([invite.bytes()])?;
    Ok(())
}
