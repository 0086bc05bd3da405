//! The changes to accounts, their devices and the invitations. Each runs inside the writer's transaction.

use rusqlite::{Connection, params};

use super::bans;
use super::encode::signed;
use super::write::put_identity;
use super::writer::WriteError;
use crate::chat::{DeviceKey, IdentityId, InviteHash, RoomId, ServerRole, Stamp};
use crate::server::store::{
    AccountChange, IdentityRecord, InvitePurpose, InviteRecord, NewDevice, OtherDevices,
};

/// How many revoked devices are stored per account. An older one gets the same answer as an unknown device.
const MAX_REVOKED_DEVICES: u32 = 32;

pub fn change(db: &Connection, change: &AccountChange) -> Result<(), WriteError> {
    match change {
        AccountChange::AddDevice(new) => add_device(db, new),
        AccountChange::SignedIn {
            device,
            seen_ms,
            from,
        } => signed_in(db, *device, *seen_ms, from),
        AccountChange::RevokeDevice(device, at_ms) => revoke_device(db, *device, *at_ms),
        AccountChange::AddInvite(invite, now) => add_invite(db, invite, *now),
        AccountChange::RemoveInvite(invite) => {
            db.prepare_cached("DELETE FROM invites WHERE hash = ?1")?
                .execute([invite.bytes()])?;
            Ok(())
        }
        AccountChange::Rename {
            account,
            kept_until_ms,
        } => rename(db, account, *kept_until_ms),
        AccountChange::SetRole(account, role) => set_role(db, *account, *role),
        AccountChange::Remove(account, at_ms) => remove(db, *account, *at_ms),
        AccountChange::Ban(ban, now_ms) => bans::add(db, ban, *now_ms),
        AccountChange::Unban(target) => bans::remove(db, *target),
    }
}

fn add_device(db: &Connection, new: &NewDevice) -> Result<(), WriteError> {
    let NewDevice {
        account, device, ..
    } = new;
    if let Some((invite, now)) = new.invite {
        take_invite(db, invite, now)?;
    }
    let is_new = db
        .prepare_cached("INSERT OR IGNORE INTO identities (id, name, key, seen_ms, role, origin) VALUES (?1, '', '', 0, ?2, ?3)")?
        .execute(params![
            account.id.bytes(),
            new.role.number(),
            new.origin.number()
        ])?;
    if is_new > 0 {
        put_identity(db, account, new.now)?;
    } else if is_removed(db, account.id)? {
        return Err(WriteError::Conflict);
    }
    db.prepare_cached("UPDATE identities SET secret = NULL WHERE id = ?1")?
        .execute([account.id.bytes()])?;
    if new.others == OtherDevices::Revoked {
        revoke_all(db, account.id, device.added_ms)?;
        db.prepare_cached("DELETE FROM invites WHERE account = ?1")?
            .execute([account.id.bytes()])?;
    }
    // A device that was revoked may be added again.
    db.prepare_cached("DELETE FROM devices WHERE key = ?1 AND revoked_ms IS NOT NULL")?
        .execute([device.key.bytes()])?;
    db.prepare_cached(
        "INSERT INTO devices (key, identity, name, added_ms, seen_ms, seen_from) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        device.key.bytes(),
        account.id.bytes(),
        device.name,
        signed(device.added_ms),
        signed(device.seen_ms),
        device.from,
    ])?;
    Ok(())
}

/// Takes one use of an invitation.
fn take_invite(db: &Connection, invite: InviteHash, now: Stamp) -> Result<(), WriteError> {
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
    Ok(())
}

fn signed_in(
    db: &Connection,
    device: DeviceKey,
    seen_ms: u64,
    from: &str,
) -> Result<(), WriteError> {
    db.prepare_cached("UPDATE devices SET seen_ms = ?2, seen_from = ?3 WHERE key = ?1")?
        .execute(params![device.bytes(), signed(seen_ms), from])?;
    Ok(())
}

fn is_removed(db: &Connection, account: IdentityId) -> Result<bool, WriteError> {
    let removed = db
        .prepare_cached("SELECT 1 FROM identities WHERE id = ?1 AND removed_ms IS NOT NULL")?
        .exists([account.bytes()])?;
    Ok(removed)
}

fn set_role(db: &Connection, account: IdentityId, role: ServerRole) -> Result<(), WriteError> {
    db.prepare_cached("UPDATE identities SET role = ?2 WHERE id = ?1")?
        .execute(params![account.bytes(), role.number()])?;
    db.prepare_cached(
        "DELETE FROM invites WHERE maker = ?1 AND (role > ?2 OR ?2 = 0 AND account IS NULL)
         OR maker = ?1 AND account <> ?1 OR account = ?1 AND maker IS NOT ?1",
    )?
    .execute(params![account.bytes(), role.number()])?;
    if role == ServerRole::Member {
        db.prepare_cached("DELETE FROM operators WHERE identity = ?1")?
            .execute([account.bytes()])?;
    }
    Ok(())
}

fn revoke_device(db: &Connection, device: DeviceKey, at_ms: u64) -> Result<(), WriteError> {
    db.prepare_cached(
        "DELETE FROM invites WHERE account = (SELECT identity FROM devices WHERE key = ?1) AND revokes_others = 0",
    )?
    .execute([device.bytes()])?;
    db.prepare_cached("UPDATE devices SET revoked_ms = ?2 WHERE key = ?1 AND revoked_ms IS NULL")?
        .execute(params![device.bytes(), signed(at_ms)])?;
    forget_revoked(
        db,
        "(SELECT identity FROM devices WHERE key = ?1)",
        device.bytes(),
    )
}

fn revoke_all(db: &Connection, account: IdentityId, at_ms: u64) -> Result<(), WriteError> {
    db.prepare_cached(
        "UPDATE devices SET revoked_ms = ?2 WHERE identity = ?1 AND revoked_ms IS NULL",
    )?
    .execute(params![account.bytes(), signed(at_ms)])?;
    forget_revoked(db, "?1", account.bytes())
}

/// Forgets the oldest revoked devices of an account, so that they cannot fill the database.
fn forget_revoked(db: &Connection, account: &str, value: &[u8]) -> Result<(), WriteError> {
    db.prepare_cached(&format!(
        "DELETE FROM devices WHERE key IN (
             SELECT key FROM devices WHERE identity = {account} AND revoked_ms IS NOT NULL
             ORDER BY revoked_ms DESC, key LIMIT -1 OFFSET {MAX_REVOKED_DEVICES}
         )"
    ))?
    .execute([value])?;
    Ok(())
}

fn add_invite(db: &Connection, invite: &InviteRecord, now: Stamp) -> Result<(), WriteError> {
    db.prepare_cached(
        "DELETE FROM invites WHERE uses = 0 OR expires_log_ms <= ?1 OR expires_at_ms <= ?2",
    )?
    .execute([signed(now.log_ms), signed(now.at_ms)])?;
    let (role, rooms, account, others) = match &invite.purpose {
        InvitePurpose::Account { role, rooms } => {
            let rooms = rooms.iter().flat_map(RoomId::bytes).copied().collect();
            (role.number(), rooms, None, OtherDevices::Stay)
        }
        InvitePurpose::Device(account, _) if is_removed(db, *account)? => {
            return Err(WriteError::Conflict);
        }
        InvitePurpose::Device(account, others) => (0, Vec::new(), Some(account.bytes()), *others),
    };
    db.prepare_cached(
        "INSERT INTO invites (hash, uses, expires_log_ms, expires_at_ms, maker, role, rooms, account, revokes_others)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        invite.hash.bytes(),
        invite.uses_left,
        signed(invite.expires.log_ms),
        signed(invite.expires.at_ms),
        invite.maker.as_ref().map(IdentityId::bytes),
        role,
        rooms,
        account,
        others == OtherDevices::Revoked,
    ])?;
    Ok(())
}

/// Renames an account. If `kept_until_ms` is given, the previous name becomes its former name.
fn rename(
    db: &Connection,
    account: &IdentityRecord,
    kept_until_ms: Option<u64>,
) -> Result<(), WriteError> {
    if let Some(kept_until_ms) = kept_until_ms {
        db.prepare_cached(
            "UPDATE identities SET former = name, former_until_ms = ?2 WHERE id = ?1",
        )?
        .execute(params![account.id.bytes(), signed(kept_until_ms)])?;
    }
    db.prepare_cached("UPDATE identities SET name = ?2, key = ?3 WHERE id = ?1")?
        .execute(params![
            account.id.bytes(),
            account.name.as_str(),
            account.name.key().as_str(),
        ])?;
    Ok(())
}

fn remove(db: &Connection, account: IdentityId, at_ms: u64) -> Result<(), WriteError> {
    db.prepare_cached(
        "UPDATE identities SET removed_ms = ?2, role = 0, secret = NULL, former = NULL, away = 0, status = '', keywords = ''
         WHERE id = ?1",
    )?
    .execute(params![account.bytes(), signed(at_ms)])?;
    db.prepare_cached("DELETE FROM devices WHERE identity = ?1")?
        .execute([account.bytes()])?;
    db.prepare_cached("DELETE FROM bans WHERE account = ?1")?
        .execute([account.bytes()])?;
    // The invitations that it made, and the links that add a device to it.
    db.prepare_cached("DELETE FROM invites WHERE maker = ?1 OR account = ?1")?
        .execute([account.bytes()])?;
    for table in ["ignored", "levels", "operators", "conversations"] {
        db.execute(
            &format!("DELETE FROM {table} WHERE identity = ?1"),
            [account.bytes()],
        )?;
    }
    Ok(())
}
