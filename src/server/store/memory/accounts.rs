//! Accounts: their names and devices.

use super::MemoryState;
use crate::chat::{IdentityId, InviteHash, Stamp};
use crate::server::store::{AccountNames, DeviceRecord, IdentityRecord, StoreError};

impl MemoryState {
    /// As [`Store::accounts`](crate::server::store::Store::accounts).
    pub(super) fn accounts(&self, now_ms: u64) -> Vec<AccountNames> {
        let accounts = self.identities.values().filter(|it| !it.via.is_bridge());
        let mut accounts: Vec<AccountNames> = accounts
            .map(|account| AccountNames {
                id: account.id,
                name: account.name.clone(),
                former: self
                    .former_names
                    .get(&account.id)
                    .filter(|(_, until_ms)| *until_ms > now_ms)
                    .cloned(),
            })
            .collect();
        accounts.sort_by_key(|account| account.id);
        accounts
    }

    pub(super) fn rename_account(&mut self, account: IdentityRecord, kept_until_ms: u64) {
        if let Some(before) = self.identities.get(&account.id) {
            let former = (before.name.clone(), kept_until_ms);
            self.former_names.insert(account.id, former);
            self.identities.insert(account.id, account);
        }
    }

    pub(super) fn messages_of(&self, identity: IdentityId) -> u64 {
        let entries = self.rooms.values().flat_map(|room| &room.entries);
        let of = entries.filter(|entry| entry.author.id == identity && entry.body.is_message());
        of.count() as u64
    }

    pub(super) fn add_device(
        &mut self,
        account: IdentityRecord,
        device: DeviceRecord,
        invite: Option<(InviteHash, Stamp)>,
    ) -> Result<(), StoreError> {
        if self.devices.contains_key(&device.key) {
            return Err(StoreError::Conflict);
        }
        if let Some((hash, now)) = invite {
            let usable = self.invites.get_mut(&hash);
            let usable = usable.filter(|it| it.is_open(now));
            usable.ok_or(StoreError::Conflict)?.uses_left -= 1;
        }
        self.personal.entry(account.id).or_default().seen_ms = device.added_ms;
        self.devices.insert(device.key, (account.id, device));
        self.identities.insert(account.id, account);
        Ok(())
    }
}
