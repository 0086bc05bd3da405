//! Removal of accounts that were registered openly and have not been used for a long time. Otherwise anybody could
//! reserve names forever.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::sleep;

use super::Hub;
use super::administration::{AdminFailure, RemoveWhen};
use crate::chat::{AccountOrigin, AuditAct, ServerRole, Stamp};
use crate::server::store::{AccountRecord, StoreError};

/// An account that has never posted lapses after this time without use.
const UNUSED_LAPSES_AFTER: Duration = Duration::from_hours(7 * 24);
/// Any other account lapses after this time without use.
const USED_LAPSES_AFTER: Duration = Duration::from_hours(400 * 24);
/// How long a server runs before it removes accounts, and how often it does so after that.
const FIRST_RUN_AFTER: Duration = Duration::from_hours(1);
const INTERVAL: Duration = Duration::from_hours(24);
/// One in this many openly registered accounts may lapse at a time, so that a wrong clock does little harm. A server that is restarted more often
/// than once a day may remove more in a day.
const MAX_SHARE: usize = 100;

/// Removes lapsed accounts for as long as the server runs.
pub(super) async fn remove_lapsed(hub: Weak<Hub>) {
    sleep(FIRST_RUN_AFTER).await;
    loop {
        let Some(running) = hub.upgrade() else { return };
        if let Err(error) = running.remove_lapsed_accounts().await {
            running.fatal.raise(&error);
        }
        drop(running);
        sleep(INTERVAL).await;
    }
}

impl Hub {
    async fn remove_lapsed_accounts(self: &Arc<Self>) -> Result<(), StoreError> {
        let accounts = self.store.accounts(self.log_now_ms()).await?;
        let absent = {
            let state = self.lock();
            let is_absent = |it: &AccountRecord| !state.people.contains_key(&it.id);
            accounts.into_iter().filter(is_absent).collect()
        };
        for account in lapsed(absent, self.rooms.clock.stamp()) {
            let audit = self.audited(None, AuditAct::Lapse, &account.name, "");
            let when = RemoveWhen::Absent;
            match self.remove_account(account.id, when, Some(audit)).await {
                // It is tried again the next day.
                Err(AdminFailure::Store(StoreError::Full)) => return Ok(()),
                Err(AdminFailure::Store(error)) => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}

/// Returns the accounts that have lapsed, the least recently used first.
fn lapsed(accounts: Vec<AccountRecord>, now: Stamp) -> Vec<AccountRecord> {
    let is_open = |it: &AccountRecord| {
        it.origin == AccountOrigin::Open && it.role == ServerRole::Member && it.seen.log_ms > 0
    };
    let mut open: Vec<AccountRecord> = accounts.into_iter().filter(is_open).collect();
    let most = open.len().div_ceil(MAX_SHARE);
    // Time that was only estimated does not count.
    let now_ms = now.log_ms.saturating_sub(now.doubt_ms);
    open.retain(|account| {
        let unused = Duration::from_millis(now_ms.saturating_sub(account.seen.log_ms));
        unused
            > if account.has_posted {
                USED_LAPSES_AFTER
            } else {
                UNUSED_LAPSES_AFTER
            }
    });
    open.sort_by_key(|account| account.seen.log_ms);
    open.truncate(most);
    open
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{IdentityId, UserName};

    const DAY_MS: u64 = 24 * 60 * 60 * 1000;

    fn account(n: u8, seen_day: u64, has_posted: bool) -> AccountRecord {
        AccountRecord {
            id: IdentityId::new([n; 16]),
            name: UserName::new(&format!("user{n}")).unwrap(),
            former: None,
            role: ServerRole::Member,
            origin: AccountOrigin::Open,
            seen: Stamp {
                at_ms: 0,
                log_ms: seen_day * DAY_MS + 1,
                doubt_ms: 0,
            },
            has_posted,
        }
    }

    fn names(accounts: Vec<AccountRecord>, day: u64, doubt_days: u64) -> Vec<String> {
        let now = Stamp {
            at_ms: 0,
            log_ms: day * DAY_MS + 2,
            doubt_ms: doubt_days * DAY_MS,
        };
        let lapsed = lapsed(accounts, now);
        lapsed.iter().map(|it| it.name.to_string()).collect()
    }

    #[test]
    fn an_account_lapses_after_7_days_without_a_post_and_after_400_with_one() {
        let of = |has_posted, day| names(vec![account(1, 1000, has_posted)], day, 0).len();
        assert_eq!((of(false, 1006), of(false, 1007)), (0, 1));
        assert_eq!((of(true, 1399), of(true, 1400)), (0, 1));
    }

    #[test]
    fn only_openly_registered_members_lapse() {
        let change = |change: fn(&mut AccountRecord)| {
            let mut account = account(1, 1, false);
            change(&mut account);
            names(vec![account], 5000, 0).len()
        };
        assert_eq!(change(|_| {}), 1);
        assert_eq!(change(|it| it.role = ServerRole::Admin), 0);
        assert_eq!(change(|it| it.seen.log_ms = 0), 0);
        for origin in [
            AccountOrigin::Unknown,
            AccountOrigin::Invited,
            AccountOrigin::Bot,
        ] {
            let account = AccountRecord {
                origin,
                ..account(1, 1, false)
            };
            assert_eq!(names(vec![account], 5000, 0).len(), 0, "{origin:?}");
        }
    }

    #[test]
    fn at_most_one_in_a_hundred_lapses_at_a_time_the_oldest_first() {
        let all: Vec<_> = (0..250)
            .map(|n| account(n, 1000 - u64::from(n), false))
            .collect();
        assert_eq!(names(all, 2000, 0), ["user249", "user248", "user247"]);
    }

    #[test]
    fn time_that_was_only_estimated_across_restarts_does_not_count() {
        let of = |doubt| names(vec![account(1, 1000, false)], 1090, doubt).len();
        assert_eq!((of(90), of(84), of(82)), (0, 0, 1));
    }
}
