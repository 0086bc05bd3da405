//! Accounts: their names, devices, invitations and audit log.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::MemoryState;
use crate::chat::{
    AccountOrigin, AuditEntry, BanTarget, DeviceKey, IdentityId, InviteHash, ServerRole, Stamp,
    UserName,
};
use crate::server::store::{
    AccountChange, AccountRecord, BanRecord, DeviceRecord, DeviceStatus, IdentityRecord,
    InvitePurpose, InviteRecord, NewAudit, NewDevice, OtherDevices, StoreError,
};

/// What is stored about accounts besides their names.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    pub devices: HashMap<DeviceKey, StoredDevice>,
    pub invites: HashMap<InviteHash, InviteRecord>,
    pub facts: HashMap<IdentityId, AccountFacts>,
    pub audit: Vec<NewAudit>,
    /// The newest first.
    pub bans: Vec<BanRecord>,
    removed: HashSet<IdentityId>,
}

#[derive(Debug)]
pub(super) struct StoredDevice {
    pub account: IdentityId,
    pub status: DeviceStatus,
    record: DeviceRecord,
}

#[derive(Clone, Debug, Default)]
pub(super) struct AccountFacts {
    role: ServerRole,
    origin: AccountOrigin,
    /// The former name, and the log time in milliseconds until which it is reserved for the account.
    former: Option<(UserName, u64)>,
    pub seen_log_ms: u64,
}

impl Accounts {
    pub fn is_removed(&self, account: IdentityId) -> bool {
        self.removed.contains(&account)
    }

    /// Returns the addresses from which devices signed in last, the newest first.
    pub fn addresses(&self, most: usize) -> Vec<String> {
        let active = self.devices.values();
        let active = active.filter(|it| it.status == DeviceStatus::Active);
        let mut records: Vec<&DeviceRecord> = active.map(|it| &it.record).collect();
        records.sort_by_key(|it| Reverse(it.seen_ms));
        let mut addresses: Vec<String> = Vec::new();
        for record in records {
            let is_new = !record.from.is_empty() && !addresses.contains(&record.from);
            if is_new && addresses.len() < most {
                addresses.push(record.from.clone());
            }
        }
        addresses
    }

    pub fn devices_of(&self, account: IdentityId) -> Vec<DeviceRecord> {
        let active = self.devices.values();
        let active = active.filter(|it| it.account == account && it.status == DeviceStatus::Active);
        let mut devices: Vec<DeviceRecord> = active.map(|it| it.record.clone()).collect();
        devices.sort_by_key(|it| (Reverse(it.seen_ms), it.key));
        devices
    }

    /// Returns rows of the audit log, newest first. They have no hashes, because rows in memory cannot be edited.
    pub fn audit_before(&self, before: u64, most: usize) -> Vec<AuditEntry> {
        let rows: Vec<(u64, &NewAudit)> = (1..).zip(&self.audit).collect();
        let rows = rows.into_iter().rev();
        let rows = rows.filter(|(number, _)| *number < before).take(most);
        rows.map(|(number, row)| AuditEntry {
            number,
            at_ms: row.at_ms,
            actor: row.actor.clone(),
            act: row.act.word().to_owned(),
            target: row.target.clone(),
            detail: row.detail.clone(),
            hash: [0; 32],
        })
        .collect()
    }

    fn revoke(&mut self, of: impl Fn(DeviceKey, &StoredDevice) -> bool) {
        for (key, device) in &mut self.devices {
            if of(*key, device) {
                device.status = DeviceStatus::Revoked;
            }
        }
    }
}

impl MemoryState {
    /// See [`Store::accounts`](crate::server::store::Store::accounts).
    pub(super) fn accounts(&self, now_ms: u64) -> Vec<AccountRecord> {
        let accounts = self.identities.values();
        let accounts =
            accounts.filter(|it| !it.via.is_bridge() && !self.accounts.is_removed(it.id));
        let mut accounts: Vec<AccountRecord> = accounts
            .map(|account| {
                let facts = self.accounts.facts.get(&account.id);
                let facts = facts.cloned().unwrap_or_default();
                let seen_ms = self.personal.get(&account.id).map(|it| it.seen_ms);
                AccountRecord {
                    id: account.id,
                    name: account.name.clone(),
                    former: facts.former.filter(|(_, until_ms)| *until_ms > now_ms),
                    role: facts.role,
                    origin: facts.origin,
                    seen: Stamp {
                        at_ms: seen_ms.unwrap_or_default(),
                        log_ms: facts.seen_log_ms,
                        doubt_ms: 0,
                    },
                    has_posted: self.has_posted(account.id),
                }
            })
            .collect();
        accounts.sort_by_key(|account| account.id);
        accounts
    }

    /// See [`Store::forget_guest`](crate::server::store::Store::forget_guest).
    pub(super) fn forget_guest(&mut self, id: IdentityId) {
        let mut pairs = self.rooms.values().filter_map(|it| it.record.pair);
        let is_named = pairs.any(|(low, high)| low == id || high == id);
        if !is_named {
            let is_guest = |it: &IdentityRecord| it.via.is_bridge();
            if self.identities.get(&id).is_some_and(is_guest) {
                self.identities.remove(&id);
            }
        }
    }

    fn has_posted(&self, identity: IdentityId) -> bool {
        let mut marks = self.rooms.values().flat_map(|room| room.marks.keys());
        marks.any(|(author, _)| *author == identity)
    }

    pub(super) fn messages_of(&self, identity: IdentityId) -> u64 {
        let entries = self.rooms.values().flat_map(|room| &room.entries);
        let of = entries.filter(|entry| entry.author.id == identity && entry.body.is_message());
        of.count() as u64
    }

    /// See [`Store::change_account`](crate::server::store::Store::change_account).
    pub(super) fn change_account(&mut self, change: AccountChange) -> Result<(), StoreError> {
        match change {
            AccountChange::AddDevice(new) => return self.add_device(*new),
            AccountChange::SignedIn {
                device,
                seen_ms,
                from,
            } => {
                if let Some(device) = self.accounts.devices.get_mut(&device) {
                    (device.record.seen_ms, device.record.from) = (seen_ms, from);
                }
            }
            AccountChange::RevokeDevice(device, _) => {
                let account = self.accounts.devices.get(&device).map(|it| it.account);
                self.accounts.invites.retain(|_, it| {
                    !matches!(it.purpose, InvitePurpose::Device(of, OtherDevices::Stay) if Some(of) == account)
                });
                self.accounts.revoke(|key, _| key == device);
            }
            AccountChange::AddInvite(invite, now) => {
                if matches!(invite.purpose, InvitePurpose::Device(of, _) if self.accounts.is_removed(of))
                {
                    return Err(StoreError::Conflict);
                }
                self.accounts.invites.retain(|_, it| it.is_open(now));
                if self.accounts.invites.contains_key(&invite.hash) {
                    return Err(StoreError::Conflict);
                }
                self.accounts.invites.insert(invite.hash, invite);
            }
            AccountChange::RemoveInvite(invite) => {
                self.accounts.invites.remove(&invite);
            }
            AccountChange::Rename {
                account,
                kept_until_ms,
            } => {
                if let Some(before) = self.identities.get(&account.id) {
                    let former = kept_until_ms.map(|until_ms| (before.name.clone(), until_ms));
                    if former.is_some() {
                        self.facts(account.id).former = former;
                    }
                    self.identities.insert(account.id, account);
                }
            }
            AccountChange::SetRole(account, role) => self.set_role(account, role),
            AccountChange::Remove(account, _) => self.remove_account(account),
            AccountChange::Ban(ban, now_ms) => {
                let bans = &mut self.accounts.bans;
                bans.retain(|it| it.target != ban.target && it.until.is_active(now_ms));
                if let BanTarget::Account(account) = ban.target {
                    let invites = &mut self.accounts.invites;
                    invites.retain(|_, invite| invite.maker != Some(account));
                }
                bans.insert(0, ban);
            }
            AccountChange::Unban(target) => {
                self.accounts.bans.retain(|it| it.target != target);
            }
        }
        Ok(())
    }

    fn set_role(&mut self, account: IdentityId, role: ServerRole) {
        self.facts(account).role = role;
        self.accounts.invites.retain(|_, invite| {
            let is_own = invite.maker == Some(account);
            match &invite.purpose {
                InvitePurpose::Account { role: given, .. } => {
                    !is_own || *given <= role && role != ServerRole::Member
                }
                InvitePurpose::Device(of, _) => is_own == (*of == account),
            }
        });
        if role == ServerRole::Member {
            self.operators.retain(|_, bound| *bound != account);
        }
    }

    fn facts(&mut self, account: IdentityId) -> &mut AccountFacts {
        self.accounts.facts.entry(account).or_default()
    }

    fn add_device(&mut self, new: NewDevice) -> Result<(), StoreError> {
        let NewDevice {
            account, device, ..
        } = new;
        let known = self.accounts.devices.get(&device.key);
        let is_replaced =
            |it: &StoredDevice| it.account == account.id && new.others == OtherDevices::Revoked;
        let is_taken = |it: &StoredDevice| it.status == DeviceStatus::Active && !is_replaced(it);
        if known.is_some_and(is_taken) || self.accounts.is_removed(account.id) {
            return Err(StoreError::Conflict);
        }
        if let Some((hash, now)) = new.invite {
            let usable = self.accounts.invites.get_mut(&hash);
            let usable = usable.filter(|it| it.is_open(now));
            usable.ok_or(StoreError::Conflict)?.uses_left -= 1;
        }
        if !self.identities.contains_key(&account.id) {
            self.personal.entry(account.id).or_default().seen_ms = new.now.at_ms;
            let facts = self.facts(account.id);
            (facts.role, facts.origin) = (new.role, new.origin);
            facts.seen_log_ms = new.now.log_ms;
        }
        if new.others == OtherDevices::Revoked {
            self.accounts.revoke(|_, it| it.account == account.id);
            let is_for = |it: &InviteRecord| matches!(it.purpose, InvitePurpose::Device(of, _) if of == account.id);
            self.accounts.invites.retain(|_, it| !is_for(it));
        }
        let stored = StoredDevice {
            account: account.id,
            status: DeviceStatus::Active,
            record: device.clone(),
        };
        self.accounts.devices.insert(device.key, stored);
        self.identities.entry(account.id).or_insert(account);
        Ok(())
    }

    fn remove_account(&mut self, account: IdentityId) {
        self.accounts.removed.insert(account);
        self.accounts.facts.remove(&account);
        self.accounts.devices.retain(|_, it| it.account != account);
        self.accounts.invites.retain(|_, invite| {
            let is_for = matches!(invite.purpose, InvitePurpose::Device(of, _) if of == account);
            invite.maker != Some(account) && !is_for
        });
        let target = BanTarget::Account(account);
        self.accounts.bans.retain(|it| it.target != target);
        self.operators.retain(|_, bound| *bound != account);
    }
}
