//! The names of accounts. A name belongs to its account as long as the account exists, even while its person is not
//! connected. The account's former name stays reserved for it for a while.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::Hub;
use crate::chat::{ServerRole, Skeleton, UserName, Via};
use crate::server::store::{AccountChange, AccountRecord, IdentityRecord, NewAudit, StoreError};

/// How long the former name of an account stays reserved for it.
pub(super) const FORMER_KEPT: Duration = Duration::from_hours(30 * 24);
/// Upper bound of the numbers that are tried to find a free name.
const NUMBERS: usize = 100_000;

impl Hub {
    /// Loads the names and roles of all accounts. In data of earlier versions, several accounts may have names that
    /// look alike: the one with the most messages keeps its name, and the others get a number after theirs. Those that
    /// have never posted and have no role are removed instead.
    pub(super) async fn load_names(&self) -> Result<(), StoreError> {
        let now_ms = self.log_now_ms();
        let mut by_look: HashMap<Skeleton, Vec<AccountRecord>> = HashMap::new();
        for account in self.store.accounts(now_ms).await? {
            self.lock().accounts.insert(account.id, account.origin);
            self.set_cached_role(account.id, account.role);
            let alike = by_look.entry(account.name.skeleton()).or_default();
            alike.push(account);
        }
        let mut nameless = Vec::new();
        let mut former = Vec::new();
        for mut alike in by_look.into_values() {
            former.extend(
                alike
                    .iter_mut()
                    .filter_map(|it| Some((it.id, it.former.take()?))),
            );
            if alike.len() > 1 {
                nameless.extend(self.take_duplicates(&mut alike).await?);
            }
            for owner in alike {
                let mut state = self.lock();
                state.names.claim(&owner.name, owner.id, Instant::now());
            }
        }
        for account in nameless {
            if account.has_posted || account.role > ServerRole::Member {
                self.number_name(account).await?;
            } else {
                self.drop_unused(account).await?;
            }
        }
        for (id, (name, until_ms)) in former {
            // The current name looks like the former one, and reserves it without a time limit.
            if self.lock().names.holder(&name, Instant::now()) == Some(id) {
                continue;
            }
            let kept = Duration::from_millis(until_ms.saturating_sub(now_ms));
            self.lock()
                .names
                .keep_former(&name, id, Instant::now() + kept);
        }
        Ok(())
    }

    /// Takes all accounts but the one with the most messages out of `alike`, and returns them.
    async fn take_duplicates(
        &self,
        alike: &mut Vec<AccountRecord>,
    ) -> Result<Vec<AccountRecord>, StoreError> {
        let mut owner = (0, 0);
        for (at, account) in alike.iter().enumerate() {
            let messages = self.store.messages_of(account.id).await?;
            if messages > owner.0 {
                owner = (messages, at);
            }
        }
        let mut others = std::mem::take(alike);
        alike.push(others.remove(owner.1));
        Ok(others)
    }

    /// Removes an account that was never used, because its name belongs to another account.
    async fn drop_unused(&self, account: AccountRecord) -> Result<(), StoreError> {
        tracing::warn!(
            identity = %account.id, name = %account.name,
            "two accounts had names that look alike; removed the one that has never posted"
        );
        self.lock().accounts.remove(&account.id);
        let change = AccountChange::Remove(account.id, self.rooms.clock.stamp().at_ms);
        match self.store.change_account(change, None).await {
            // It is removed at the next start.
            Err(StoreError::Full) => Ok(()),
            removed => removed,
        }
    }

    /// Adds a number to the name of an account, because the name belongs to another account.
    async fn number_name(&self, account: AccountRecord) -> Result<(), StoreError> {
        let free = {
            let (mut state, now) = (self.lock(), Instant::now());
            let mut numbered = (2..NUMBERS).map(|n| account.name.numbered(n));
            numbered.find(|name| state.names.claim(name, account.id, now))
        };
        let Some(name) = free else { return Ok(()) };
        tracing::warn!(
            identity = %account.id, from = %account.name, to = %name,
            "two accounts had names that look alike; renamed the one with fewer messages"
        );
        let renamed = IdentityRecord {
            id: account.id,
            name,
            via: Via::Tchat,
        };
        let change = AccountChange::Rename {
            account: renamed,
            kept_until_ms: Some(0),
        };
        match self.store.change_account(change, None).await {
            // It is renamed again at the next start.
            Err(StoreError::Full) => Ok(()),
            renamed => renamed,
        }
    }

    /// Stores the new name of an account. The previous name stays reserved for it, unless both look alike.
    pub(super) async fn store_rename(
        &self,
        renamed: IdentityRecord,
        before: &UserName,
        audit: Option<NewAudit>,
    ) -> Result<(), StoreError> {
        let kept_ms = u64::try_from(FORMER_KEPT.as_millis()).unwrap_or(u64::MAX);
        let is_alike = renamed.name.skeleton() == before.skeleton();
        let kept_until_ms = (!is_alike).then(|| self.log_now_ms().saturating_add(kept_ms));
        let change = AccountChange::Rename {
            account: renamed,
            kept_until_ms,
        };
        self.store.change_account(change, audit).await
    }
}
