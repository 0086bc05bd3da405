//! Invitations: made and withdrawn by owners, and used up when new people sign in.

use std::time::Duration;

use super::{Hub, random_bytes};
use crate::chat::{IdentityId, Invite, InviteTerms, OpenInvite, Stamp};
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
    let now = clock.stamp();
    if !store.invites(now).await?.is_empty() {
        return Ok(None);
    }
    let (invite, record) = fresh(terms, None, now);
    store.put_invite(record, now).await?;
    Ok(Some(invite))
}

/// Returns a new invitation, and what is stored of it.
fn fresh(terms: InviteTerms, maker: Option<IdentityId>, now: Stamp) -> (Invite, InviteRecord) {
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
        let now = self.rooms.clock.stamp();
        if self.store.invites(now).await?.len() >= INVITES {
            return Err(InviteFailure::TooMany);
        }
        let (invite, record) = fresh(terms, maker, now);
        self.store.put_invite(record.clone(), now).await?;
        let shown = self.open_invite(record, now).await?;
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
        let now = self.rooms.clock.stamp();
        let mut open = Vec::new();
        for record in self.store.invites(now).await? {
            open.push(self.open_invite(record, now).await?);
        }
        Ok(open)
    }

    /// Makes an invitation useless.
    pub async fn revoke_invite(&self, id: &str) -> Result<(), InviteFailure> {
        let open = self.store.invites(self.rooms.clock.stamp()).await?;
        let found = open.into_iter().find(|invite| invite.hash.id() == id);
        let found = found.ok_or(InviteFailure::Unknown)?;
        self.store.remove_invite(found.hash).await?;
        tracing::info!(invite = id, "withdrew an invitation");
        Ok(())
    }

    /// Whether a person may administer the server.
    pub fn is_administrator(&self, person: IdentityId) -> bool {
        let state = self.lock();
        state.people.get(&person).is_some_and(|it| it.is_host)
    }

    async fn open_invite(
        &self,
        record: InviteRecord,
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
        })
    }
}
