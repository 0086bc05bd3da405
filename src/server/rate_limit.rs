//! Rate limits: token buckets. Pure: the caller passes in the time.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::time::{Duration, Instant};

use crate::chat::Limits;

/// How fast something may happen: `burst` times at once, and then `tokens` times in `per`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rate {
    pub burst: u32,
    pub tokens: u32,
    pub per: Duration,
}

impl Rate {
    /// Returns a rate whose burst equals the tokens of one period.
    pub const fn per(per: Duration, tokens: u32) -> Self {
        Self {
            burst: tokens,
            tokens,
            per,
        }
    }

    /// Returns the rate for posts; `None`: they are not limited.
    pub fn of_posts(limits: &Limits) -> Option<Self> {
        limits.has_rate_limit().then_some(Self {
            burst: limits.burst,
            tokens: limits.per_second,
            per: Duration::from_secs(1),
        })
    }

    fn full(self) -> u64 {
        u64::from(self.burst) * TOKEN
    }
}

/// A token bucket. It counts millionths of a token, so that a slow refill loses nothing to rounding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    micros: u64,
    updated_at: Instant,
}

const TOKEN: u64 = 1_000_000;

impl Bucket {
    pub fn full(rate: Rate, now: Instant) -> Self {
        Self {
            micros: rate.full(),
            updated_at: now,
        }
    }

    /// Whether the bucket has been refilled completely.
    pub fn is_full(&self, rate: Rate, now: Instant) -> bool {
        self.filled_to(rate, now) >= rate.full()
    }

    /// Returns how much of the bucket is used, from 0 to 100.
    pub fn percent_used(&self, rate: Rate, now: Instant) -> u64 {
        let used = rate.full().saturating_sub(self.filled_to(rate, now));
        used.saturating_mul(100) / rate.full().max(1)
    }

    fn filled_to(&self, rate: Rate, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.updated_at).as_nanos();
        // Both times are in nanoseconds; the result is in millionths of a token.
        let added = passed.saturating_mul(u128::from(rate.tokens) * u128::from(TOKEN))
            / rate.per.as_nanos().max(1);
        let added = u64::try_from(added).unwrap_or(u64::MAX);
        self.micros.saturating_add(added).min(rate.full())
    }

    /// Returns the time until the bucket has `amount` tokens, or zero if it has them now. An amount above the burst
    /// counts as the burst.
    pub fn wait(&self, rate: Rate, amount: u32, now: Instant) -> Duration {
        let needed = u64::from(amount.min(rate.burst)) * TOKEN;
        let missing = needed.saturating_sub(self.filled_to(rate, now));
        let nanos = u128::from(missing) * rate.per.as_nanos();
        let nanos = nanos.div_ceil(u128::from(rate.tokens.max(1)) * u128::from(TOKEN));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Returns when tokens were last taken.
    pub fn last_used(&self) -> Instant {
        self.updated_at
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time until there is a token.
    pub fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        self.take_some(rate, 1, now)
    }

    /// Like [`Bucket::take`], for several tokens.
    ///
    /// # Errors
    /// The time until there are that many.
    pub fn take_some(&mut self, rate: Rate, amount: u32, now: Instant) -> Result<(), Duration> {
        let wait = self.wait(rate, amount, now);
        if !wait.is_zero() {
            return Err(wait);
        }
        let taken = u64::from(amount.min(rate.burst)) * TOKEN;
        self.micros = self.filled_to(rate, now).saturating_sub(taken);
        self.updated_at = now;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN_A_SECOND: Rate = Rate {
        burst: 3,
        tokens: 10,
        per: Duration::from_secs(1),
    };

    #[test]
    fn a_burst_passes_and_then_the_rate_limit_applies() {
        let (rate, start) = (TEN_A_SECOND, Instant::now());
        let mut bucket = Bucket::full(rate, start);
        for _ in 0..3 {
            assert_eq!(bucket.take(rate, start), Ok(()));
        }
        assert_eq!(bucket.percent_used(rate, start), 100);
        assert_eq!(bucket.take(rate, start), Err(Duration::from_millis(100)));
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(bucket.take(rate, at(99)), Err(Duration::from_millis(1)));
        assert_eq!(bucket.take(rate, at(100)), Ok(()));
        assert!(bucket.take(rate, at(101)).is_err());
        assert!(bucket.is_full(rate, at(400)) && !bucket.is_full(rate, at(399)));
    }

    #[test]
    fn slow_rates_and_large_amounts_are_exact() {
        let start = Instant::now();
        let hourly = Rate::per(Duration::from_hours(1), 5);
        let mut bucket = Bucket::full(hourly, start);
        assert_eq!(bucket.take_some(hourly, 5, start), Ok(()));
        assert_eq!(bucket.take(hourly, start), Err(Duration::from_mins(12)));
        let later = start + Duration::from_mins(12);
        assert_eq!(bucket.take(hourly, later), Ok(()));
        let daily = Rate::per(Duration::from_hours(24), 16 << 20);
        let mut bytes = Bucket::full(daily, start);
        assert_eq!(bytes.take_some(daily, 16 << 20, start), Ok(()));
        let half = bytes.take_some(daily, 8 << 20, start);
        assert_eq!(half, Err(Duration::from_hours(12)));
        // More than the burst costs the whole burst, and does not wait for ever.
        let day = start + Duration::from_hours(24);
        assert_eq!(bytes.take_some(daily, u32::MAX, day), Ok(()));
    }

    #[test]
    fn a_rate_of_zero_means_no_limit_for_posts() {
        for (burst, per_second) in [(0, 10), (50, 0), (0, 0)] {
            let limits = Limits {
                burst,
                per_second,
                ..Limits::default()
            };
            assert_eq!(Rate::of_posts(&limits), None);
        }
    }
}
