//! What is stored about accounts: names, devices, the secrets of earlier versions, and invitations.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};

use super::decode::{self, bytes, number, readable};
use super::encode::{MESSAGE_KINDS, signed};
use super::read::{IDENTITY, identity_record};
use crate::chat::{
    AccountOrigin, DeviceKey, IdentityId, InviteHash, RoomId, SecretHash, ServerRole, Stamp,
    UserName,
};
use crate::server::store::{
    AccountRecord, DeviceRecord, DeviceStatus, IdentityRecord, InvitePurpose, InviteRecord,
    OtherDevices,
};

/// Returns the account of a device, even if the device was revoked.
pub fn identity_by_device(
    db: &Connection,
    device: DeviceKey,
) -> rusqlite::Result<Option<(IdentityRecord, DeviceStatus)>> {
    db.prepare_cached(&format!(
        "SELECT {IDENTITY}, (SELECT revoked_ms FROM devices WHERE key = ?1) FROM identities
         WHERE id = (SELECT identity FROM devices WHERE key = ?1)"
    ))?
    .query_row([device.bytes()], |row| {
        // Anything in that column revokes the device, damaged or not.
        let status = match row.get_ref(4)? {
            ValueRef::Null => DeviceStatus::Active,
            _ => DeviceStatus::Revoked,
        };
        Ok(identity_record(row)?.map(|account| (account, status)))
    })
    .optional()
    .map(Option::flatten)
}

/// Returns the devices of an account that are not revoked, the most recent sign-in first.
pub fn devices(db: &Connection, account: IdentityId) -> rusqlite::Result<Vec<DeviceRecord>> {
    db.prepare_cached(
        "SELECT key, name, added_ms, seen_ms, seen_from FROM devices WHERE identity = ?1 AND revoked_ms IS NULL
         ORDER BY seen_ms DESC, key",
    )?
    .query_map([account.bytes()], |row| {
        let (added_ms, seen_ms) = (number(row, 2)?, number(row, 3)?);
        let (name, from) = (decode::text(row, 1)?, decode::text(row, 4)?);
        Ok(bytes(row, 0)?.map(|key| DeviceRecord {
            key: DeviceKey::new(key),
            name,
            added_ms: added_ms.unwrap_or_default(),
            seen_ms: seen_ms.unwrap_or_default(),
            from,
        }))
    })
    .and_then(readable)
}

/// Returns an account with the hash of its former secret, by the first bytes of that hash.
pub fn identity_by_former_secret(
    db: &Connection,
    hint: [u8; 8],
) -> rusqlite::Result<Option<(IdentityRecord, SecretHash)>> {
    // All hashes that begin with these bytes are in one range of the index.
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

/// Returns the addresses from which devices signed in last, the newest first.
pub fn device_addresses(db: &Connection, most: usize) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached(
        "SELECT seen_from FROM devices WHERE seen_from <> '' AND revoked_ms IS NULL
         GROUP BY seen_from ORDER BY max(seen_ms) DESC LIMIT ?1",
    )?
    .query_map([i64::try_from(most).unwrap_or(i64::MAX)], |row| row.get(0))?
    .collect()
}

/// Returns all accounts that were not removed.
pub fn accounts(db: &Connection, now_ms: u64) -> rusqlite::Result<Vec<AccountRecord>> {
    db.prepare_cached(&format!(
        "SELECT {IDENTITY}, former, former_until_ms, role, origin, seen_ms, seen_log_ms,
         EXISTS (SELECT 1 FROM marks m WHERE m.author = i.id)
         FROM identities i WHERE via = 0 AND removed_ms IS NULL ORDER BY id"
    ))?
    .query_map([], |row| {
        let former = decode::valid_text(row, 4)?.map(UserName::from_stored);
        let former = former.zip(number(row, 5)?);
        let (role, origin) = (number(row, 6)?, number(row, 7)?);
        let (at_ms, log_ms) = (number(row, 8)?, number(row, 9)?);
        let has_posted = decode::flag(row, 10)?;
        Ok(identity_record(row)?.map(|account| AccountRecord {
            id: account.id,
            name: account.name,
            former: former.filter(|(_, until_ms)| *until_ms > now_ms),
            role: ServerRole::from_number(role.unwrap_or_default()),
            origin: AccountOrigin::from_number(origin.unwrap_or_default()),
            seen: Stamp {
                at_ms: at_ms.unwrap_or_default(),
                log_ms: log_ms.unwrap_or_default(),
                doubt_ms: 0,
            },
            has_posted,
        }))
    })
    .and_then(readable)
}

/// Returns how many messages of a person are stored. It reads all entries.
pub fn messages_of(db: &Connection, identity: IdentityId) -> rusqlite::Result<u64> {
    db.query_row(
        &format!("SELECT count(*) FROM entries WHERE author = ?1 AND {MESSAGE_KINDS}"),
        [identity.bytes()],
        |row| Ok(number(row, 0)?.unwrap_or_default()),
    )
}

/// Returns the invitations that can still be used. One that is damaged is left out: it cannot be used.
pub fn invites(db: &Connection, now: Stamp) -> rusqlite::Result<Vec<InviteRecord>> {
    let mut statement = db.prepare_cached(
        "SELECT hash, uses, expires_log_ms, expires_at_ms, maker, role, rooms, account, revokes_others FROM invites
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
    let (Some(hash), Some(uses), Some((log_ms, at_ms)), Some(purpose)) =
        (hash, uses, log.zip(at), purpose(row)?)
    else {
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
        purpose,
    }))
}

/// Returns what an invitation is for, or `None` if that is damaged: the invitation must not become one for another
/// purpose.
fn purpose(row: &Row<'_>) -> rusqlite::Result<Option<InvitePurpose>> {
    if !matches!(row.get_ref(7)?, ValueRef::Null) {
        let others = match number(row, 8)? {
            Some(0) => Some(OtherDevices::Stay),
            Some(1) => Some(OtherDevices::Revoked),
            _ => None,
        };
        let account = bytes(row, 7)?.map(IdentityId::new);
        let device = account.zip(others);
        return Ok(device.map(|(account, others)| InvitePurpose::Device(account, others)));
    }
    let ValueRef::Blob(rooms) = row.get_ref(6)? else {
        return Ok(None);
    };
    let (rooms, rest) = rooms.as_chunks();
    let role = number(row, 5)?.filter(|_| rest.is_empty());
    Ok(role.map(|role| InvitePurpose::Account {
        role: ServerRole::from_number(role),
        rooms: rooms.iter().copied().map(RoomId::new).collect(),
    }))
}
