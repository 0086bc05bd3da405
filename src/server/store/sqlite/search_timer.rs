//! The time that one search may take.
//!
//! The time that its thread works is what counts, so that a busy machine does not make results partial. Waiting for the disk counts only after
//! ten times as long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// After how many steps of its virtual machine SQLite asks whether to stop.
const STEPS: i32 = 2000;
/// How many times as long a search may take by the clock.
const WAITING: u32 = 10;

/// Ends a search that takes too long.
#[derive(Debug)]
pub struct SearchTimer {
    budget: Option<Duration>,
    began: Instant,
    worked_before: Duration,
    is_over: AtomicBool,
    /// The search itself is done. What follows is short, and must not be interrupted.
    is_done: AtomicBool,
}

impl SearchTimer {
    /// Starts to measure. Every query on the connection is interrupted when the time is over. `None`: never.
    pub fn start(db: &mut Connection, budget: Option<Duration>) -> rusqlite::Result<Arc<Self>> {
        let timer = Arc::new(Self {
            budget,
            began: Instant::now(),
            worked_before: worked(),
            is_over: AtomicBool::new(false),
            is_done: AtomicBool::new(false),
        });
        if budget.is_some() {
            let asked = Arc::clone(&timer);
            db.progress_handler(STEPS, Some(move || asked.must_stop()))?;
        }
        Ok(timer)
    }

    /// Whether the search has to stop now.
    pub fn must_stop(&self) -> bool {
        let Some(budget) = self.budget else {
            return false;
        };
        if self.is_done.load(Ordering::Relaxed) {
            return false;
        }
        let is_over = worked().saturating_sub(self.worked_before) > budget
            || self.began.elapsed() > budget * WAITING;
        if is_over {
            self.is_over.store(true, Ordering::Relaxed);
        }
        is_over
    }

    /// Whether the search was stopped.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Lets the queries that follow run to their end. Returns whether the search was stopped.
    pub fn finish(&self) -> bool {
        self.is_done.store(true, Ordering::Relaxed);
        self.is_over()
    }
}

/// Returns how long this thread has worked.
#[cfg(unix)]
fn worked() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
}

#[cfg(not(unix))]
fn worked() -> Duration {
    use std::sync::LazyLock;
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGAN.elapsed()
}
