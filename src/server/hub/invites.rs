//! Invitations for new accounts: made and withdrawn by administrators, and used up when new people sign in.

use std::time::Duration;

use super::administration::{AdminFailure, Administrator};
use super::{Hub, random_bytes};
use crate::chat::{
    AuditAct, IdentityId, Invite, InviteTerms, OpenInvite, RoomKind, ServerRole, Stamp,
};
use crate::server::clock::{LogClock, WallClock};
use crate::server::store::{
    AccountChange, InvitePurpose, InviteRecord, NewAudit, Store, StoreError,
};

/// Maximum number of invitations for new accounts that can be used at the same time.
const INVITES: usize = 256;

/// The invitation for the team of a server that starts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FirstInvite {
    Made(Invite),
    /// There are others that can still be used, so many times. Only their hashes are stored, so they cannot be shown again.
    Exists {
        uses_left: u32,
    },
}

/// Makes the first invitation of a server, for its team, unless there is one that can still be used.
pub async fn first_invite(
    store: &dyn Store,
    terms: InviteTerms,
) -> Result<FirstInvite, StoreError> {
    let clock = LogClock::resume(WallClock::default(), store.newest().await?);
    let now = clock.stamp();
    let open = store.invites(now).await?;
    if !open.is_empty() {
        let for_new = |it: &&InviteRecord| matches!(it.purpose, InvitePurpose::Account { .. });
        let uses = open.iter().filter(for_new).map(|it| it.uses_left);
        let uses_left = uses.fold(0, u32::saturating_add);
        return Ok(FirstInvite::Exists { uses_left });
    }
    let purpose = InvitePurpose::Account {
        role: terms.role,
        rooms: Vec::new(),
    };
    let (invite, record) = fresh(&terms, purpose, None, now);
    let audit = NewAudit {
        at_ms: now.at_ms,
        actor: None,
        act: AuditAct::Invite,
        target: record.hash.id(),
        detail: invite_detail(&terms),
    };
    let change = AccountChange::AddInvite(record, now);
    store.change_account(change, Some(audit)).await?;
    Ok(FirstInvite::Made(invite))
}

/// Returns the detail that the audit log shows for a new invitation.
fn invite_detail(terms: &InviteTerms) -> String {
    format!("{}, {} uses", terms.role.word(), terms.uses)
}

/// Returns a new invitation, and its record for the store.
pub(super) fn fresh(
    terms: &InviteTerms,
    purpose: InvitePurpose,
    maker: Option<IdentityId>,
    now: Stamp,
) -> (Invite, InviteRecord) {
    let invite = Invite::new(random_bytes());
    let valid_ms = u64::try_from(terms.valid.as_millis()).unwrap_or(u64::MAX);
    let record = InviteRecord {
        hash: invite.hash(),
        uses_left: terms.uses,
        expires: Stamp {
            at_ms: now.at_ms.saturating_add(valid_ms),
            log_ms: now.log_ms.saturating_add(valid_ms),
            doubt_ms: 0,
        },
        maker,
        purpose,
    };
    (invite, record)
}

impl Hub {
    /// Makes an invitation for new accounts. Their role is never above that of its maker.
    pub async fn create_invite(
        &self,
        by: &Administrator,
        terms: &InviteTerms,
    ) -> Result<(Invite, OpenInvite), AdminFailure> {
        if terms.role > by.role() {
            return Err(AdminFailure::NotAllowed);
        }
        let rooms = self.rooms_for(by, &terms.rooms).await?;
        let _one_at_a_time = self.invite_lock.lock().await;
        let now = self.rooms.clock.stamp();
        let open = self.store.invites(now).await?.into_iter();
        let open = open.filter(|it| matches!(it.purpose, InvitePurpose::Account { .. }));
        if open.count() >= INVITES {
            return Err(AdminFailure::TooMany);
        }
        let role = terms.role;
        let purpose = InvitePurpose::Account { role, rooms };
        let (invite, record) = fresh(terms, purpose, by.person(), now);
        let detail = invite_detail(terms);
        let audit = self.audited(Some(by), AuditAct::Invite, &record.hash.id(), &detail);
        let change = AccountChange::AddInvite(record.clone(), now);
        self.store.change_account(change, Some(audit)).await?;
        let shown = self.open_invite(record, role, terms.rooms.clone(), now);
        let shown = shown.await?;
        tracing::info!(
            invite = shown.id,
            uses = terms.uses,
            %role,
            maker = shown.maker,
            "made an invitation"
        );
        Ok((invite, shown))
    }

    /// Returns the invitations for new accounts that can still be used. The names of rooms that are not public are left out.
    pub async fn open_invites(&self) -> Result<Vec<OpenInvite>, AdminFailure> {
        let now = self.rooms.clock.stamp();
        let mut open = Vec::new();
        for record in self.store.invites(now).await? {
            let InvitePurpose::Account { role, rooms } = &record.purpose else {
                continue;
            };
            let known = self.rooms.directory.rooms().into_iter();
            let known =
                known.filter(|room| room.kind == RoomKind::Public && rooms.contains(&room.id));
            let (role, rooms) = (*role, known.map(|room| room.name).collect());
            open.push(self.open_invite(record, role, rooms, now).await?);
        }
        Ok(open)
    }

    /// Withdraws an invitation for new accounts. An admin may not withdraw one for a role above their own.
    pub async fn revoke_invite(&self, by: &Administrator, id: &str) -> Result<(), AdminFailure> {
        let open = self.store.invites(self.rooms.clock.stamp()).await?;
        let found = open.into_iter().find_map(|invite| match invite.purpose {
            InvitePurpose::Account { role, .. } if invite.hash.id() == id => {
                Some((invite.hash, role))
            }
            _ => None,
        });
        let (hash, role) = found.ok_or(AdminFailure::Unknown)?;
        if role > by.role() {
            return Err(AdminFailure::NotAllowed);
        }
        let audit = self.audited(Some(by), AuditAct::RevokeInvite, id, "");
        let change = AccountChange::RemoveInvite(hash);
        self.store.change_account(change, Some(audit)).await?;
        tracing::info!(invite = id, "withdrew an invitation");
        Ok(())
    }

    /// Returns the record of an invitation that a client presents, if it can still be used.
    pub(super) async fn usable_invite(
        &self,
        invite: Option<Invite>,
    ) -> Result<Option<InviteRecord>, StoreError> {
        let Some(hash) = invite.map(|it| it.hash()) else {
            return Ok(None);
        };
        let open = self.store.invites(self.rooms.clock.stamp()).await?;
        let invite = open.into_iter().find(|invite| invite.hash == hash);
        // Its maker may have been banned while the invitation was being made.
        let is_banned = |maker| self.check_account_ban(maker).is_err();
        Ok(invite.filter(|invite| !invite.maker.is_some_and(is_banned)))
    }

    async fn open_invite(
        &self,
        record: InviteRecord,
        role: ServerRole,
        rooms: Vec<String>,
        now: Stamp,
    ) -> Result<OpenInvite, StoreError> {
        let maker = match record.maker {
            Some(maker) => self.store.identity(maker).await?,
            None => None,
        };
        Ok(OpenInvite {
            id: record.hash.id(),
            uses_left: record.uses_left,
            valid: Duration::from_millis(record.expires.log_ms.saturating_sub(now.log_ms)),
            maker: maker.map(|it| it.name.to_string()).unwrap_or_default(),
            role,
            rooms,
        })
    }
}
