//! The rate limit for posts of one identity: a token bucket. Pure: the caller passes in the time.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::time::{Duration, Instant};

use crate::chat::Limits;

/// A token bucket. It counts millionths of a token, so that a slow refill loses nothing to rounding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    micros: u64,
    filled: Instant,
}

const TOKEN: u64 = 1_000_000;

impl Bucket {
    pub fn full(limits: &Limits, now: Instant) -> Self {
        Self {
            micros: u64::from(limits.burst) * TOKEN,
            filled: now,
        }
    }

    /// Whether the bucket has been refilled completely.
    pub fn is_full(&self, limits: &Limits, now: Instant) -> bool {
        self.filled_to(limits, now) >= u64::from(limits.burst) * TOKEN
    }

    fn filled_to(&self, limits: &Limits, now: Instant) -> u64 {
        let passed = now.duration_since(self.filled).as_micros();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        let added = passed.saturating_mul(u64::from(limits.per_second));
        self.micros
            .saturating_add(added)
            .min(u64::from(limits.burst) * TOKEN)
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time until there is a token.
    pub fn take(&mut self, limits: &Limits, now: Instant) -> Result<(), Duration> {
        if !limits.has_rate_limit() {
            return Ok(());
        }
        let rate = u64::from(limits.per_second);
        self.micros = self.filled_to(limits, now);
        self.filled = now;
        match self.micros.checked_sub(TOKEN) {
            Some(left) => {
                self.micros = left;
                Ok(())
            }
            None => Err(Duration::from_micros((TOKEN - self.micros).div_ceil(rate))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_limit_applies() {
        let limits = Limits {
            burst: 3,
            per_second: 10,
            ..Limits::default()
        };
        let start = Instant::now();
        let mut bucket = Bucket::full(&limits, start);
        for _ in 0..3 {
            assert_eq!(bucket.take(&limits, start), Ok(()));
        }
        assert_eq!(bucket.take(&limits, start), Err(Duration::from_millis(100)));
        assert_eq!(
            bucket.take(&limits, start + Duration::from_millis(99)),
            Err(Duration::from_millis(1))
        );
        assert_eq!(
            bucket.take(&limits, start + Duration::from_millis(100)),
            Ok(())
        );
        assert!(
            bucket
                .take(&limits, start + Duration::from_millis(101))
                .is_err()
        );
    }

    #[test]
    fn a_rate_of_zero_means_no_limit() {
        let limits = Limits {
            burst: 0,
            ..Limits::default()
        };
        let now = Instant::now();
        let mut bucket = Bucket::full(&limits, now);
        assert!((0..1000).all(|_| bucket.take(&limits, now).is_ok()));
    }
}
