//! The server's clocks: the wall clock, for people to read, and log time, for measuring durations.
//!
//! Log time advances with the monotonic clock, so steps of the wall clock do not affect it. A restart loses the
//! monotonic clock. If the machine has not been rebooted, its uptime shows how much time has passed (see [`uptime`]).
//! Otherwise log time advances by the wall-clock time since the newest entry. That may be wrong, so this time is
//! recorded as doubt. Retention does not count doubt, and the doubt shrinks while the server runs.
//!
//! Most systems stop the monotonic clock while the machine sleeps, so mutes and bans last longer by that time.

pub mod uptime;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use self::uptime::UptimeFile;
use crate::chat::{ServerId, Stamp};

/// If a server seems to have been down for longer than this, its clock is, or was, wrong, and none of that time is counted.
pub(crate) const MAX_DOWNTIME: Duration = Duration::from_hours(90 * 24);
/// How many milliseconds of doubt one millisecond of running removes. With 7, a server that runs three hours a day accumulates no doubt.
pub(crate) const DOUBT_REMOVED_PER_MS: u64 = 7;

/// The wall clock. Tests use one that they can step.
#[derive(Clone)]
pub struct WallClock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl WallClock {
    /// Creates a wall clock whose time is the result of `now_ms`, in Unix milliseconds.
    pub fn new(now_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now_ms))
    }

    pub fn now_ms(&self) -> u64 {
        (self.0)()
    }
}

impl Default for WallClock {
    fn default() -> Self {
        Self::new(now_ms)
    }
}

impl fmt::Debug for WallClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WallClock")
    }
}

/// Returns the time of the system's wall clock in Unix milliseconds.
pub fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    millis(since)
}

/// The clock for log time, shared by all rooms of a server, together with the wall clock.
#[derive(Clone, Debug)]
pub(crate) struct LogClock {
    wall: WallClock,
    started: Instant,
    /// Log time and doubt when the clock was started.
    log_ms: u64,
    doubt_ms: u64,
}

impl LogClock {
    /// Continues from the log time that `file` yields for the current uptime. If it yields none, continues like
    /// [`LogClock::resume`]. Records the uptime for the next start.
    pub fn resume_with(
        wall: WallClock,
        newest: Option<Stamp>,
        file: Option<&UptimeFile>,
        server: ServerId,
    ) -> Self {
        let measured_ms = file.and_then(|file| file.log_ms(server));
        let clock = match (newest, measured_ms) {
            (Some(newest), Some(measured_ms)) => Self {
                wall,
                started: Instant::now(),
                log_ms: newest.log_ms.max(measured_ms),
                doubt_ms: newest.doubt_ms,
            },
            (newest, _) => Self::resume(wall, newest),
        };
        if let Some(file) = file {
            file.write(server, clock.log_ms);
        }
        clock
    }

    /// Continues from the newest entry of all rooms. If there are no entries, log time starts at the wall clock.
    pub fn resume(wall: WallClock, newest: Option<Stamp>) -> Self {
        let now_ms = wall.now_ms();
        let begins = Stamp {
            at_ms: now_ms,
            log_ms: now_ms,
            doubt_ms: 0,
        };
        let newest = newest.unwrap_or(begins);
        let away_ms = match now_ms.checked_sub(newest.at_ms) {
            Some(away_ms) if away_ms <= millis(MAX_DOWNTIME) => away_ms,
            Some(ahead_ms) => {
                tracing::warn!(
                    ahead_ms,
                    "the clock is far ahead of the newest message; the time between them is ignored"
                );
                0
            }
            None => {
                let behind_ms = newest.at_ms.saturating_sub(now_ms);
                tracing::warn!(behind_ms, "the clock is behind the newest message");
                0
            }
        };
        Self {
            wall,
            started: Instant::now(),
            log_ms: newest.log_ms.saturating_add(away_ms),
            doubt_ms: newest.doubt_ms.saturating_add(away_ms),
        }
    }

    /// Returns the current time by both clocks.
    pub fn stamp(&self) -> Stamp {
        let ran_ms = millis(self.started.elapsed());
        Stamp {
            at_ms: self.wall.now_ms(),
            log_ms: self.log_ms.saturating_add(ran_ms),
            doubt_ms: self
                .doubt_ms
                .saturating_sub(ran_ms.saturating_mul(DOUBT_REMOVED_PER_MS)),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::advance;

    use super::*;

    const NOW: u64 = 1_800_000_000_000;
    const HOUR: u64 = 3_600_000;
    const DAY: u64 = 24 * HOUR;

    /// A wall clock that does not move until it is set.
    fn wall(at_ms: u64) -> (WallClock, Arc<AtomicU64>) {
        let at = Arc::new(AtomicU64::new(at_ms));
        let read = Arc::clone(&at);
        (WallClock::new(move || read.load(Ordering::Relaxed)), at)
    }

    fn resumed(now_ms: u64, newest: Stamp) -> Stamp {
        LogClock::resume(wall(now_ms).0, Some(newest)).stamp()
    }

    fn newest(at_ms: u64) -> Stamp {
        Stamp {
            at_ms,
            log_ms: NOW,
            doubt_ms: 0,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn steps_of_the_wall_clock_do_not_change_log_time() {
        let (wall, at) = wall(NOW);
        let clock = LogClock::resume(wall, None);
        for at_ms in [NOW + 400 * DAY, 0, NOW - 400 * DAY, u64::MAX, NOW] {
            at.store(at_ms, Ordering::Relaxed);
            let before = clock.stamp().log_ms;
            advance(Duration::from_secs(60)).await;
            let stamp = clock.stamp();
            assert_eq!((stamp.at_ms, stamp.log_ms), (at_ms, before + 60_000));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn log_time_continues_by_the_wall_clock_after_a_restart_and_never_goes_back() {
        assert_eq!(resumed(NOW + DAY, newest(NOW)).log_ms, NOW + DAY);
        assert_eq!(resumed(NOW, newest(NOW)).log_ms, NOW);
        // The clock was set back meanwhile, or the newest entry was stamped by one that was ahead.
        assert_eq!(resumed(NOW - 2 * HOUR, newest(NOW)).log_ms, NOW);
        assert_eq!(resumed(0, newest(NOW)).log_ms, NOW);
        assert_eq!(resumed(NOW, newest(u64::MAX)).log_ms, NOW);
    }

    #[tokio::test(start_paused = true)]
    async fn an_impossible_time_difference_is_not_counted() {
        assert_eq!(resumed(NOW + 400 * DAY, newest(NOW)).log_ms, NOW);
        // A machine without a clock battery stamped the newest entry in 1970.
        let stamp = resumed(NOW, newest(5_000));
        assert_eq!((stamp.log_ms, stamp.doubt_ms), (NOW, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn estimated_time_is_doubted_until_the_server_has_run_for_a_while() {
        let clock = LogClock::resume(wall(NOW + 7 * HOUR).0, Some(newest(NOW)));
        assert_eq!(clock.stamp().doubt_ms, 7 * HOUR);
        advance(Duration::from_mins(30)).await;
        assert_eq!(clock.stamp().doubt_ms, 7 * HOUR / 2);
        // An early restart does not lose the remaining doubt.
        let again = resumed(NOW + 8 * HOUR, clock.stamp());
        assert_eq!(again.doubt_ms, 7 * HOUR / 2 + HOUR);
        advance(Duration::from_mins(31)).await;
        assert_eq!(clock.stamp().doubt_ms, 0);
    }
}
