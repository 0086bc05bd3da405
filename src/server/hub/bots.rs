//! Bots, which are the accounts of programs, and the rooms that new accounts are in from the start.

use super::administration::{AdminFailure, Administrator};
use super::names::parse_name;
use super::people::Entitled;
use super::{Hub, now_ms, random_bytes};
use crate::chat::{
    AccountOrigin, AuditAct, Author, Body, DeviceSecret, IdentityId, Role, RoomId, RoomKind,
    Ruling, Via,
};
use crate::server::room::mailbox::RoomMsg;
use crate::server::store::{AccountChange, DeviceRecord, IdentityRecord, NewDevice, StoreError};

/// Maximum number of bots.
const BOTS: usize = 256;

impl Hub {
    /// Creates a bot and makes it a member of `rooms`. Returns its key, which is not stored.
    pub async fn create_bot(
        &self,
        by: &Administrator,
        name: &str,
        rooms: &[String],
    ) -> Result<DeviceSecret, AdminFailure> {
        let _one_at_a_time = self.role_lock.lock().await;
        if self.bots() >= BOTS {
            return Err(AdminFailure::TooMany);
        }
        let rooms = self.rooms_for(by, rooms).await?;
        let name = parse_name(name).map_err(AdminFailure::Name)?;
        self.filter
            .check_name(name.as_str())
            .map_err(AdminFailure::Name)?;
        let id = IdentityId::new(random_bytes());
        self.claim(&name, id, Entitled::No).await?;
        let secret = DeviceSecret::new(random_bytes());
        let account = IdentityRecord {
            id,
            name,
            via: Via::Tchat,
        };
        let device = DeviceRecord {
            key: secret.public(),
            name: "bot".into(),
            added_ms: now_ms(),
            seen_ms: 0,
            from: String::new(),
        };
        let new = NewDevice {
            origin: AccountOrigin::Bot,
            ..NewDevice::new(account.clone(), device, self.rooms.clock.stamp())
        };
        let audit = self.audited(Some(by), AuditAct::Bot, &account.name, "");
        let change = AccountChange::AddDevice(Box::new(new));
        if let Err(error) = self.store.change_account(change, Some(audit)).await {
            self.lock().names.release(&account.name, id);
            return Err(error.into());
        }
        self.lock().accounts.insert(id, AccountOrigin::Bot);
        self.enrol(&account, &rooms, by.person()).await?;
        tracing::info!(name = %account.name, identity = %id, "created a bot");
        Ok(secret)
    }

    fn bots(&self) -> usize {
        let state = self.lock();
        let origins = state.accounts.values();
        origins.filter(|it| **it == AccountOrigin::Bot).count()
    }

    /// Makes a new account a member of rooms. If there is an `inviter`, they first invite it to each of them.
    pub(super) async fn enrol(
        &self,
        account: &IdentityRecord,
        rooms: &[RoomId],
        inviter: Option<IdentityId>,
    ) -> Result<(), StoreError> {
        let author = Author {
            id: account.id,
            name: account.name.to_string(),
        };
        for room in rooms {
            if let Some(inviter) = inviter {
                let inviter = self.author_of(inviter).await?;
                let ruling = Body::Ruling(author.clone(), Ruling::Invited);
                self.announce_in(*room, &inviter, ruling).await;
            }
            let author = author.clone();
            let joined = self.ask(*room, |reply| RoomMsg::Enrol { author, reply });
            // The room may be gone, or the inviter may no longer be allowed to invite.
            if let Some(Err(refusal)) = joined.await {
                tracing::info!(identity = %account.id, %room, code = ?refusal.code, "a new account cannot join a room");
            }
        }
        Ok(())
    }

    /// Returns rooms by their names, if the administrator may add people to them: public ones, and those that they may invite to.
    pub(super) async fn rooms_for(
        &self,
        by: &Administrator,
        names: &[String],
    ) -> Result<Vec<RoomId>, AdminFailure> {
        let mut rooms = Vec::new();
        for name in names {
            let viewer = by.person().unwrap_or(IdentityId::NOBODY);
            let room = self
                .find(name, viewer)
                .await
                .map_err(|_| AdminFailure::Unknown)?;
            let is_public = self
                .rooms
                .directory
                .rooms()
                .iter()
                .any(|record| record.id == room && record.kind == RoomKind::Public);
            let role = self.role_in(room, viewer).await;
            // A member of a private room may not invite to it unless they moderate it.
            if !is_public && role.is_none_or(|role| role < Role::Moderator) {
                return Err(AdminFailure::Unknown);
            }
            rooms.push(room);
        }
        Ok(rooms)
    }
}
