//! Invitations: made and withdrawn by owners, and used up when new people sign in.

use std::time::Duration;

use super::{Hub, random_id};
use crate::chat::{IdentityId, Invite, InviteTerms, OpenInvite, Role};
use crate::server::clock::{LogClock, WallClock};
use crate::server::store::{InviteRecord, Store, StoreError};

/// The most invitations that can be used at the same time.
const INVITES: usize = 256;

/// Why an invitation cannot be made or withdrawn.
#[derive(Debug)]
pub enum InviteFailure {
    /// There are too many.
    TooMany,
    /// There is none with this id.
    Unknown,
    Store(StoreError),
}

impl From<StoreError> for InviteFailure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Makes the first invitation of a server, for its team. Returns `None` if there is one that can still be used: only its hash is stored, so it
/// cannot be shown again.
pub async fn first_invite(
    store: &dyn Store,
    terms: InviteTerms,
) -> Result<Option<Invite>, StoreError> {
    let clock = LogClock::resume(WallClock::default(), store.newest().await?);
    let now_ms = clock.stamp().log_ms;
    if !store.invites(now_ms).await?.is_empty() {
        return Ok(None);
    }
    let (invite, record) = fresh(terms, None, now_ms);
    store.put_invite(record, now_ms).await?;
    Ok(Some(invite))
}

/// Returns a new invitation, and what is stored of it.
fn fresh(terms: InviteTerms, maker: Option<IdentityId>, now_ms: u64) -> (Invite, InviteRecord) {
    let invite = Invite::new(random_id());
    let valid_ms = u64::try_from(terms.valid.as_millis()).unwrap_or(u64::MAX);
    let record = InviteRecord {
        hash: invite.hash(),
        uses_left: terms.uses,
        expires_ms: now_ms.saturating_add(valid_ms),
        maker,
    };
    (invite, record)
}

impl Hub {
    /// Makes an invitation. `maker` is `None` for the user who runs the server.
    pub async fn create_invite(
        &self,
        terms: InviteTerms,
        maker: Option<IdentityId>,
    ) -> Result<(Invite, OpenInvite), InviteFailure> {
        let now_ms = self.log_now_ms();
        if self.store.invites(now_ms).await?.len() >= INVITES {
            return Err(InviteFailure::TooMany);
        }
        let (invite, record) = fresh(terms, maker, now_ms);
        self.store.put_invite(record.clone(), now_ms).await?;
        let shown = self.open_invite(record, now_ms).await?;
        tracing::info!(
            invite = shown.id,
            uses = terms.uses,
            maker = shown.maker,
            "made an invitation"
        );
        Ok((invite, shown))
    }

    /// Returns the invitations that can still be used.
    pub async fn open_invites(&self) -> Result<Vec<OpenInvite>, InviteFailure> {
        let now_ms = self.log_now_ms();
        let mut open = Vec::new();
        for record in self.store.invites(now_ms).await? {
            open.push(self.open_invite(record, now_ms).await?);
        }
        Ok(open)
    }

    /// Makes an invitation useless.
    pub async fn revoke_invite(&self, id: &str) -> Result<(), InviteFailure> {
        let open = self.store.invites(self.log_now_ms()).await?;
        let found = open.into_iter().find(|invite| invite.hash.id() == id);
        let found = found.ok_or(InviteFailure::Unknown)?;
        self.store.remove_invite(found.hash).await?;
        tracing::info!(invite = id, "withdrew an invitation");
        Ok(())
    }

    /// Whether a person may administrate the server.
    pub fn is_administrator(&self, person: IdentityId) -> bool {
        self.role(person) == Role::Owner
    }

    async fn open_invite(
        &self,
        record: InviteRecord,
        now_ms: u64,
    ) -> Result<OpenInvite, StoreError> {
        let maker = match record.maker {
            Some(maker) => self.store.identity(maker).await?,
            None => None,
        };
        Ok(OpenInvite {
            id: record.hash.id(),
            uses_left: record.uses_left,
            valid: Duration::from_millis(record.expires_ms.saturating_sub(now_ms)),
            maker: maker.map(|it| it.name.to_string()).unwrap_or_default(),
        })
    }
}
