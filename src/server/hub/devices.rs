//! The devices of an account: listing, adding and revoking them.

use super::administration::AdminFailure;
use super::invites::fresh;
use super::sign_in::DEVICES;
use super::{AttachedSession, Caller, Hub, now_ms};
use crate::chat::{
    Author, Body, Device, DeviceKey, IdentityId, Invite, InviteTerms, Post, RoomId, RoomKind,
};
use crate::server::room::mailbox::RoomMsg;
use crate::server::store::{
    AccountChange, DeviceRecord, InvitePurpose, NewAudit, OtherDevices, StoreError,
};
use crate::wire::GoodbyeReason;

/// Maximum number of conversations that get an entry when a person has signed in with a new key.
const NEW_KEY_ROOMS: usize = 512;

impl Hub {
    /// Returns the devices of an account. `this` is the device of the caller, if it is one of them.
    pub async fn devices_of(
        &self,
        account: IdentityId,
        this: Option<DeviceKey>,
    ) -> Result<Vec<Device>, StoreError> {
        let records = self.store.devices(account).await?;
        let connected = self.connected_devices(account);
        let device = |record: DeviceRecord| Device {
            id: record.key.id(),
            is_this: Some(record.key) == this,
            is_connected: connected.contains(&record.key),
            name: record.name,
            seen_ms: record.seen_ms,
            from: record.from,
        };
        Ok(records.into_iter().map(device).collect())
    }

    fn connected_devices(&self, account: IdentityId) -> Vec<DeviceKey> {
        let state = self.lock();
        let sessions = state.people.get(&account).map(|it| it.sessions.values());
        let credentials = sessions
            .into_iter()
            .flatten()
            .filter_map(|it| it.credentials);
        credentials.map(|(_, device)| device).collect()
    }

    /// Makes an invitation that adds one more device to the caller's account.
    pub async fn create_device_link(&self, caller: Caller) -> Result<Invite, AdminFailure> {
        let maker = Some(caller.person);
        self.create_link_for(caller.person, maker, OtherDevices::Stay, None)
            .await
    }

    /// Makes an invitation that adds a device to an account. It replaces only an earlier invitation of the same kind:
    /// somebody who has stolen a device must not be able to withdraw an administrator's link.
    pub(super) async fn create_link_for(
        &self,
        account: IdentityId,
        maker: Option<IdentityId>,
        others: OtherDevices,
        audit: Option<NewAudit>,
    ) -> Result<Invite, AdminFailure> {
        let _lock = self.person_locks.lock(account).await;
        let devices = self.store.devices(account).await?.len();
        if others == OtherDevices::Stay && devices >= DEVICES {
            return Err(AdminFailure::TooMany);
        }
        let now = self.rooms.clock.stamp();
        let purpose = InvitePurpose::Device(account, others);
        let before = self.store.invites(now).await?.into_iter();
        for invite in before.filter(|it| it.purpose == purpose) {
            let change = AccountChange::RemoveInvite(invite.hash);
            self.store.change_account(change, None).await?;
        }
        let terms = InviteTerms {
            valid: InviteTerms::DEVICE_LINK,
            ..InviteTerms::default()
        };
        let (invite, record) = fresh(&terms, purpose, maker, now);
        let change = AccountChange::AddInvite(record, now);
        match self.store.change_account(change, audit).await {
            // The account was just removed.
            Err(StoreError::Conflict) => return Err(AdminFailure::Unknown),
            added => added?,
        }
        tracing::info!(identity = %account, "made a link for another device");
        Ok(invite)
    }

    /// Revokes the device with this id. Its sessions end at once. If several devices have the same id, which does not
    /// happen by chance, all of them are revoked.
    pub async fn revoke_device(
        &self,
        account: IdentityId,
        id: &str,
        mut audit: Option<NewAudit>,
    ) -> Result<(), AdminFailure> {
        let _lock = self.person_locks.lock(account).await;
        let mut devices = self.store.devices(account).await?;
        devices.retain(|it| it.key.id() == id);
        if devices.is_empty() {
            return Err(AdminFailure::Unknown);
        }
        for device in devices {
            let change = AccountChange::RevokeDevice(device.key, now_ms());
            self.store.change_account(change, audit.take()).await?;
            self.end_sessions(account, GoodbyeReason::Revoked, |it| it == device.key);
            tracing::info!(identity = %account, key = ?device.key, "revoked a device");
        }
        Ok(())
    }

    /// Ends the sessions of some devices of an account, or all sessions of a guest. Their tokens become invalid at once.
    pub(super) fn end_sessions(
        &self,
        person: IdentityId,
        reason: GoodbyeReason,
        of: impl Fn(DeviceKey) -> bool,
    ) {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(person) = state.people.get(&person) else {
            return;
        };
        let is_ended =
            |session: &&AttachedSession| session.credentials.is_none_or(|(_, device)| of(device));
        for session in person.sessions.values().filter(is_ended) {
            if let Some((token, _)) = session.credentials {
                state.tokens.remove(&token);
            }
            session.end.cancel(reason);
        }
    }

    /// Adds an entry to the conversations of a person, which shows the others that somebody has signed in as that
    /// person with a new key.
    pub(super) async fn announce_new_key(&self, person: IdentityId) -> Result<(), StoreError> {
        let author = self.author_of(person).await?;
        let rooms = self.store.memberships(person).await?.into_iter();
        let conversations = rooms.filter(|room| room.kind == RoomKind::Conversation);
        for room in conversations.take(NEW_KEY_ROOMS) {
            self.announce_in(room.id, &author, Body::NewKey).await;
        }
        Ok(())
    }

    /// Adds an entry by `author` to a room. No client posted it, and there is no reply.
    pub(super) async fn announce_in(&self, room: RoomId, author: &Author, body: Body) {
        let post = Post {
            author: author.clone(),
            client_id: None,
            body,
            mentions: Vec::new(),
        };
        self.send(room, RoomMsg::Announce(post)).await;
    }
}
