//! How long to wait before reconnecting: full jitter, so that a thousand clients do not come back at the same moment. Pure.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::time::Duration;

const INITIAL: Duration = Duration::from_millis(500);
const MAX: Duration = Duration::from_secs(15);
/// The minimum wait, so that a person can see that the connection broke.
const MIN: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Returns the next wait; `random` is any number, evenly distributed.
    pub fn next(&mut self, random: u64) -> Duration {
        let ceiling = INITIAL.saturating_mul(1 << self.failures.min(10)).min(MAX);
        self.failures = self.failures.saturating_add(1);
        let span = u64::try_from(ceiling.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(random % (span + 1)).max(MIN)
    }

    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_start_over() {
        let mut backoff = Backoff::default();
        let mut longest = || backoff.next(u64::MAX / 15_001 * 15_001 - 1);
        assert!((0..20).all(|_| longest() <= MAX));
        backoff.reset();
        for ceiling in [500, 1000, 2000, 4000, 8000, 15_000, 15_000] {
            assert_eq!(backoff.next(ceiling), Duration::from_millis(ceiling));
        }
        assert_eq!(backoff.next(0), MIN);
    }
}
