//! Administration of accounts: roles, names, removal and devices. Every change is recorded in the audit log.

use std::sync::{Arc, Weak};

use tokio::time::Instant;

use super::names::parse_name;
use super::people::Entitled;
use super::{AdmitError, Hub, now_ms};
use crate::chat::{
    AccountInfo, AccountOrigin, AuditAct, AuditEntry, Author, Body, Device, IdentityId, Invite,
    Refusal, Role, RoomId, Ruling, ServerRole, UserName,
};
use crate::server::room::mailbox::RoomQuery;
use crate::server::store::{
    AccountChange, AccountRecord, IdentityRecord, NewAudit, OtherDevices, RoomRecord, StoreError,
};
use crate::wire::GoodbyeReason;

/// The caller of an administrative request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Administrator {
    /// The user who runs the server, or root.
    Host,
    Person(Author, ServerRole),
}

impl Administrator {
    /// Returns the highest role that they may give, and take from others.
    pub(super) fn role(&self) -> ServerRole {
        match self {
            Self::Host => ServerRole::Owner,
            Self::Person(_, role) => *role,
        }
    }

    /// Returns their name; empty: the user who runs the server.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Host => "",
            Self::Person(author, _) => &author.name,
        }
    }

    pub(super) fn person(&self) -> Option<IdentityId> {
        match self {
            Self::Host => None,
            Self::Person(author, _) => Some(author.id),
        }
    }
}

/// When to remove an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RemoveWhen {
    Always,
    /// Only if its person is not connected.
    Absent,
}

/// Why an administrative action failed.
#[derive(Debug)]
pub enum AdminFailure {
    /// There are too many invitations, devices or bots.
    TooMany,
    /// There is no such account, invitation, device or room.
    Unknown,
    /// The administrator's role is too low for it.
    NotAllowed,
    /// The server would be left without an owner.
    LastOwner,
    /// The room does not allow it.
    Refused,
    /// The name was refused.
    Name(Refusal),
    Store(StoreError),
}

impl From<StoreError> for AdminFailure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<AdmitError> for AdminFailure {
    fn from(error: AdmitError) -> Self {
        match error {
            AdmitError::Refused(refusal) => Self::Name(refusal),
            AdmitError::Store(error) => Self::Store(error),
        }
    }
}

impl Hub {
    /// Returns a person as an administrator, if they are connected and their role is at least Admin.
    pub fn administrator(&self, person: IdentityId) -> Option<Administrator> {
        let role = self.server_role(person);
        let author = self.author(person)?;
        (role >= ServerRole::Admin).then_some(Administrator::Person(author, role))
    }

    /// Returns all accounts.
    pub async fn list_accounts(&self) -> Result<Vec<AccountInfo>, StoreError> {
        let accounts = self.store.accounts(self.log_now_ms()).await?;
        let state = self.lock();
        let info = |account: AccountRecord| AccountInfo {
            name: account.name.to_string(),
            role: account.role,
            is_bot: account.origin == AccountOrigin::Bot,
            seen_ms: account.seen.at_ms,
            is_connected: state.people.contains_key(&account.id),
        };
        Ok(accounts.into_iter().map(info).collect())
    }

    /// Returns the devices of an account.
    pub async fn devices_of_account(&self, name: &str) -> Result<Vec<Device>, AdminFailure> {
        let account = self.account_named(name).await?;
        Ok(self.devices_of(account.id, None).await?)
    }

    /// Revokes a device of an account.
    pub async fn revoke_device_of(
        &self,
        by: &Administrator,
        name: &str,
        id: &str,
    ) -> Result<(), AdminFailure> {
        let account = self.account_below(by, name).await?;
        let audit = self.audited(Some(by), AuditAct::RevokeDevice, &account.name, id);
        self.revoke_device(account.id, id, Some(audit)).await
    }

    /// Sets the role of an account. Only owners may do this. The last owner stays an owner.
    pub async fn set_role(
        &self,
        by: &Administrator,
        name: &str,
        role: ServerRole,
    ) -> Result<(), AdminFailure> {
        let _one_at_a_time = self.role_lock.lock().await;
        if self.role_of(by) < ServerRole::Owner {
            return Err(AdminFailure::NotAllowed);
        }
        let account = self.account_named(name).await?;
        // The person must not sign in at the same time.
        let _lock = self.person_locks.lock(account.id).await;
        let before = self.server_role(account.id);
        if before == ServerRole::Owner && role < before && self.owners() <= 1 {
            return Err(AdminFailure::LastOwner);
        }
        if before != role {
            let audit = self.audited(Some(by), AuditAct::Role, &account.name, role.word());
            let change = AccountChange::SetRole(account.id, role);
            self.store.change_account(change, Some(audit)).await?;
            self.set_cached_role(account.id, role);
            tracing::info!(name = %account.name, identity = %account.id, %role, "changed a role");
        }
        if role >= ServerRole::Admin {
            self.bind_operator(&account.name, account.id).await?;
        }
        // Also done if the role is unchanged: a full disk may have kept a room from being updated earlier.
        self.follow_role(&account, role).await?;
        Ok(())
    }

    /// Updates the role of an account in the preset rooms after its role on the server was set.
    async fn follow_role(
        &self,
        account: &IdentityRecord,
        role: ServerRole,
    ) -> Result<(), StoreError> {
        let owns_rooms = role >= ServerRole::Admin || self.is_operator(account).await?;
        if let Some(person) = self.lock().people.get_mut(&account.id) {
            person.is_owner = owns_rooms;
        }
        let wanted = if owns_rooms {
            Role::Owner
        } else {
            Role::Member
        };
        let author = self.author_of(account.id).await?;
        let rooms = self.rooms.directory.rooms().into_iter();
        for room in rooms.filter(RoomRecord::is_preset) {
            if self.role_must_change(room.id, account.id, wanted).await {
                let ruling = Body::Ruling(author.clone(), Ruling::Role(wanted));
                let server = self.rooms.server.clone();
                self.announce_in(room.id, &server, ruling).await;
            }
        }
        Ok(())
    }

    /// Whether a person's role in a room differs from `wanted`, or may differ when they return to the room.
    async fn role_must_change(&self, room: RoomId, identity: IdentityId, wanted: Role) -> bool {
        if let Some(role) = self.role_in(room, identity).await {
            return role != wanted;
        }
        let remembered = self.ask(room, RoomQuery::PeopleWithStanding).await;
        let is_remembered = remembered.is_some_and(|it| it.contains(&identity));
        wanted == Role::Member && is_remembered
    }

    /// Gives an account another name.
    pub async fn rename_account(
        &self,
        by: &Administrator,
        name: &str,
        asked: &str,
    ) -> Result<(), AdminFailure> {
        let account = self.account_below(by, name).await?;
        let new = parse_name(asked).map_err(AdminFailure::Name)?;
        let _lock = self.person_locks.lock(account.id).await;
        let old = self.author_of(account.id).await?;
        if !self.exists(account.id) || old.name != account.name.as_str() {
            return Err(AdminFailure::Unknown);
        }
        if new.as_str() == old.name {
            return Ok(());
        }
        let entitled = if self.role_of(by) == ServerRole::Owner {
            Entitled::Yes
        } else {
            Entitled::No
        };
        self.claim(&new, account.id, entitled).await?;
        let before = UserName::from_stored(old.name.clone());
        let record = IdentityRecord {
            name: new.clone(),
            ..account
        };
        let audit = self.audited(Some(by), AuditAct::Rename, &before, &new);
        if let Err(error) = self.store_rename(record, &before, Some(audit)).await {
            let mut state = self.lock();
            state.names.release(&new, old.id);
            state.names.claim(&before, old.id, Instant::now());
            return Err(error.into());
        }
        if entitled == Entitled::Yes {
            self.bind_operator(&new, old.id).await?;
        }
        self.complete_rename(&old, &new).await?;
        Ok(())
    }

    /// Removes the account with this name for an administrator.
    pub async fn remove_account_named(
        self: &Arc<Self>,
        by: &Administrator,
        name: &str,
    ) -> Result<(), AdminFailure> {
        let account = self.account_below(by, name).await?;
        let audit = self.audited(Some(by), AuditAct::RemoveAccount, &account.name, "");
        self.remove_account(account.id, RemoveWhen::Always, Some(audit))
            .await
    }

    /// Removes an account: deletes its devices, ends its sessions, makes it leave all rooms and frees its names. Its
    /// messages stay.
    pub async fn remove_account(
        self: &Arc<Self>,
        account: IdentityId,
        when: RemoveWhen,
        audit: Option<NewAudit>,
    ) -> Result<(), AdminFailure> {
        let _one_at_a_time = self.role_lock.lock().await;
        if self.server_role(account) == ServerRole::Owner && self.owners() <= 1 {
            return Err(AdminFailure::LastOwner);
        }
        let author = self.author_of(account).await?;
        {
            let _lock = self.person_locks.lock(account).await;
            if !self.exists(account) {
                return Err(AdminFailure::Unknown);
            }
            if when == RemoveWhen::Absent && self.author(account).is_some() {
                return Ok(());
            }
            let change = AccountChange::Remove(account, now_ms());
            self.store.change_account(change, audit).await?;
            let mut state = self.lock();
            state.names.release_all(account);
            state.accounts.remove(&account);
            state.roles.remove(&account);
            state.renames.remove(&account);
        }
        self.end_sessions(account, GoodbyeReason::Revoked, |_| true);
        tracing::info!(name = %author.name, identity = %account, "removed an account");
        // If the server crashes before this is complete, it is completed at the next start.
        if !self.leave_all_rooms(&author).await? {
            tokio::spawn(Arc::clone(self).retry_leave(author, Weak::new()));
        }
        Ok(())
    }

    /// Makes an invitation that adds a device to an account and revokes all others, for a person who has lost their
    /// devices.
    pub async fn relink(&self, by: &Administrator, name: &str) -> Result<Invite, AdminFailure> {
        let account = self.account_below(by, name).await?;
        let audit = self.audited(Some(by), AuditAct::Relink, &account.name, "");
        self.create_link_for(account.id, by.person(), OtherDevices::Revoked, Some(audit))
            .await
    }

    /// Returns at most `most` rows of the audit log with numbers below `before`, newest first. Only owners may read it.
    pub async fn audit_log(
        &self,
        by: &Administrator,
        before: u64,
        most: usize,
    ) -> Result<Vec<AuditEntry>, AdminFailure> {
        if by.role() < ServerRole::Owner {
            return Err(AdminFailure::NotAllowed);
        }
        Ok(self.store.audit(before, most).await?)
    }

    /// Returns the audit log row for an action. `by` is `None` for what the server does by itself.
    pub(super) fn audited(
        &self,
        by: Option<&Administrator>,
        act: AuditAct,
        target: &(impl ToString + ?Sized),
        detail: &(impl ToString + ?Sized),
    ) -> NewAudit {
        NewAudit {
            at_ms: self.rooms.clock.stamp().at_ms,
            actor: match by {
                Some(Administrator::Person(author, _)) => Some(author.clone()),
                Some(Administrator::Host) => None,
                None => Some(self.rooms.server.clone()),
            },
            act,
            target: target.to_string(),
            detail: detail.to_string(),
        }
    }

    /// Returns the account that has a name now.
    pub(super) async fn account_named(&self, name: &str) -> Result<IdentityRecord, AdminFailure> {
        let name = parse_name(name).map_err(|_| AdminFailure::Unknown)?;
        let holder = {
            let state = self.lock();
            let holder = state.names.exact_holder(&name, Instant::now());
            holder.filter(|holder| !state.guests.contains_key(holder))
        };
        let Some(holder) = holder else {
            return Err(AdminFailure::Unknown);
        };
        let account = self.store.identity(holder).await?;
        // A former name is reserved for its account, but does not refer to it.
        let account = account.filter(|it| it.name.key() == name.key());
        account.ok_or(AdminFailure::Unknown)
    }

    /// Returns the current role of an administrator, which may have been lowered since the call began.
    fn role_of(&self, by: &Administrator) -> ServerRole {
        match by {
            Administrator::Person(author, role) => (*role).min(self.server_role(author.id)),
            Administrator::Host => ServerRole::Owner,
        }
    }

    /// Like [`Hub::account_named`], but fails if the administrator may not change the account: an admin may change
    /// neither owners nor other admins.
    pub(super) async fn account_below(
        &self,
        by: &Administrator,
        name: &str,
    ) -> Result<IdentityRecord, AdminFailure> {
        let account = self.account_named(name).await?;
        let is_own = by.person() == Some(account.id);
        let is_below = by.role() == ServerRole::Owner || self.server_role(account.id) < by.role();
        if is_own || is_below {
            Ok(account)
        } else {
            Err(AdminFailure::NotAllowed)
        }
    }

    /// Returns the role of an account on the server.
    pub fn server_role(&self, account: IdentityId) -> ServerRole {
        self.lock().roles.get(&account).copied().unwrap_or_default()
    }

    pub(super) fn set_cached_role(&self, account: IdentityId, role: ServerRole) {
        let mut state = self.lock();
        match role {
            ServerRole::Member => state.roles.remove(&account),
            role => state.roles.insert(account, role),
        };
    }

    pub(super) fn has_owner(&self) -> bool {
        self.owners() > 0
    }

    pub(super) fn owners(&self) -> usize {
        let state = self.lock();
        let owners = state.roles.values();
        owners.filter(|role| **role == ServerRole::Owner).count()
    }
}
