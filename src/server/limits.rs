//! What everybody has used of their limits. Pure: the caller passes in the time.
//!
//! [`crate::chat::Limit::TABLE`] says which limits there are. Limits for things that exist at the same time, such as sessions and rooms, are checked
//! where these are counted; this module is about rates.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::rate_limit::{Bucket, Rate};
use crate::chat::{IdentityId, Limit, Limits, Quotas};

/// The most buckets that are stored. Beyond it, those are forgotten that were used longest ago.
const BUCKETS: usize = 65_536;

/// Who is charged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Payer {
    Account(IdentityId),
    /// As [`crate::chat::address_group`] returns it.
    Address(IpAddr),
    Server,
}

/// The values of the limits, and the buckets of those who have used some of them.
#[derive(Debug)]
pub(crate) struct Charges {
    quotas: Quotas,
    posts: Option<Rate>,
    buckets: HashMap<(Limit, Payer), Bucket>,
    /// The number of buckets at which those that are full again are forgotten.
    sweep_at: usize,
}

/// A limit that is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Reached {
    pub limit: Limit,
    pub value: u32,
    pub retry_after: Duration,
}

impl Charges {
    pub fn new(quotas: Quotas, limits: &Limits) -> Self {
        Self {
            quotas,
            posts: Rate::of_posts(limits),
            buckets: HashMap::new(),
            sweep_at: 1024,
        }
    }

    /// Returns the rate of a limit; `None`: it is turned off, or not a rate.
    fn rate(&self, limit: Limit) -> Option<Rate> {
        const SECOND: Duration = Duration::from_secs(1);
        const MINUTE: Duration = Duration::from_mins(1);
        const HOUR: Duration = Duration::from_hours(1);
        let value = self.quotas.get(limit);
        match limit {
            Limit::Posts => self.posts,
            Limit::StrangerPosts => Some(Rate {
                burst: self.quotas.get(Limit::StrangerPostBurst)?,
                ..Rate::per(SECOND, value?)
            }),
            Limit::StrangerBytes => {
                let bytes = value?.saturating_mul(1 << 20);
                Some(Rate::per(HOUR * 24, bytes))
            }
            Limit::ServerPosts | Limit::Calls | Limit::Searches => Some(Rate::per(SECOND, value?)),
            Limit::Topics | Limit::Statuses | Limit::Reactions | Limit::Follows => {
                Some(Rate::per(MINUTE, value?))
            }
            Limit::AccountsPerAddress
            | Limit::Accounts
            | Limit::AccountsOnLoopback
            | Limit::FailedInvites
            | Limit::Conversations
            | Limit::StrangerConversations => Some(Rate::per(HOUR, value?)),
            _ => None,
        }
    }

    /// Charges somebody for something they do `amount` times.
    ///
    /// # Errors
    /// They have reached the limit.
    pub fn take(
        &mut self,
        limit: Limit,
        payer: Payer,
        amount: u32,
        now: Instant,
    ) -> Result<(), Reached> {
        let Some(rate) = self.rate(limit) else {
            return Ok(());
        };
        self.sweep(now);
        let bucket = self.buckets.entry((limit, payer));
        let bucket = bucket.or_insert_with(|| Bucket::full(rate, now));
        let taken = bucket.take_some(rate, amount, now);
        taken.map_err(|retry_after| Reached {
            limit,
            value: rate.tokens,
            retry_after,
        })
    }

    /// Checks whether somebody could be charged, without charging them.
    ///
    /// # Errors
    /// They have reached the limit.
    pub fn check(&self, limit: Limit, payer: Payer, now: Instant) -> Result<(), Reached> {
        let (Some(rate), Some(bucket)) = (self.rate(limit), self.buckets.get(&(limit, payer)))
        else {
            return Ok(());
        };
        let retry_after = bucket.wait(rate, 1, now);
        if retry_after.is_zero() {
            return Ok(());
        }
        Err(Reached {
            limit,
            value: rate.tokens,
            retry_after,
        })
    }

    /// Returns how much of a limit somebody has used, from 0 to 100.
    pub fn percent_used(&self, limit: Limit, payer: Payer, now: Instant) -> u64 {
        match (self.rate(limit), self.buckets.get(&(limit, payer))) {
            (Some(rate), Some(bucket)) => bucket.percent_used(rate, now),
            _ => 0,
        }
    }

    /// Forgets buckets that are full again, when there are many. A new bucket is full, so nobody gains by it.
    fn sweep(&mut self, now: Instant) {
        if self.buckets.len() < self.sweep_at {
            return;
        }
        let mut buckets = std::mem::take(&mut self.buckets);
        buckets.retain(|(limit, _), bucket| {
            let rate = self.rate(*limit);
            rate.is_some_and(|rate| !bucket.is_full(rate, now))
        });
        if buckets.len() >= BUCKETS {
            let mut times: Vec<Instant> = buckets.values().map(Bucket::last_used).collect();
            times.sort_unstable();
            let middle = times[times.len() / 2];
            buckets.retain(|_, bucket| bucket.last_used() > middle);
        }
        self.sweep_at = (buckets.len() * 2).clamp(1024, BUCKETS);
        self.buckets = buckets;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> Payer {
        Payer::Address(IpAddr::from(n.to_be_bytes()))
    }

    fn charges() -> Charges {
        Charges::new(Quotas::default(), &Limits::default())
    }

    #[test]
    fn each_rate_passes_at_its_limit_and_is_refused_one_over() {
        let now = Instant::now();
        for row in Limit::TABLE {
            let mut charges = charges();
            let Some(rate) = charges.rate(row.limit) else {
                continue;
            };
            let allowed = charges.take(row.limit, address(1), rate.burst, now);
            assert_eq!(allowed, Ok(()), "{}", row.name);
            let over = charges.take(row.limit, address(1), 1, now).unwrap_err();
            assert_eq!(over.limit, row.limit);
            assert!(!over.retry_after.is_zero(), "{}", row.name);
            assert_eq!(charges.check(row.limit, address(1), now), Err(over));
            // Somebody else is not affected, and the limit passes again when the refusal said.
            assert_eq!(charges.take(row.limit, address(2), 1, now), Ok(()));
            let later = now + over.retry_after;
            assert_eq!(charges.take(row.limit, address(1), 1, later), Ok(()));
            charges.quotas.set(row.limit, 0);
            charges.posts = None;
            assert_eq!(charges.take(row.limit, address(1), 9999, now), Ok(()));
        }
    }

    #[test]
    fn the_number_of_buckets_is_bounded_and_a_recent_one_is_not_forgotten() {
        let (mut charges, start) = (charges(), Instant::now());
        let count = u32::try_from(BUCKETS).unwrap() * 2;
        for n in 0..count {
            let now = start + Duration::from_micros(u64::from(n));
            charges
                .take(Limit::FailedInvites, address(n), 10, now)
                .unwrap();
            assert!(charges.buckets.len() <= BUCKETS, "{n}");
        }
        let end = start + Duration::from_secs(1);
        let last = charges.check(Limit::FailedInvites, address(count - 1), end);
        assert!(last.is_err(), "the last one is still charged");
        // An hour later nothing is left of them.
        let later = start + Duration::from_hours(2);
        charges.sweep_at = 0;
        charges.take(Limit::Posts, address(0), 1, later).unwrap();
        assert_eq!(charges.buckets.len(), 1);
    }
}
