//! Free disk space: writing stops before the disk is full, and starts again when there is clearly more space.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Below this many free bytes nothing is written: the rest is left for checkpoints, logs and the work of freeing space.
const LOW: u64 = 32 * 1024 * 1024;
/// From this many free bytes on, writing starts again.
const ENOUGH: u64 = 64 * 1024 * 1024;
/// How often free space is checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Whether the disk has room for more writes.
pub struct Space {
    free: Box<dyn FnMut() -> Option<u64> + Send>,
    is_full: bool,
    checked_at: Option<Instant>,
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space")
            .field("is_full", &self.is_full)
            .finish_non_exhaustive()
    }
}

impl Space {
    pub fn new(free: impl FnMut() -> Option<u64> + Send + 'static) -> Self {
        Self {
            free: Box::new(free),
            is_full: false,
            checked_at: None,
        }
    }

    /// Whether nothing may be written now. Checks the free space at most once per `CHECK_INTERVAL`.
    pub fn is_full(&mut self) -> bool {
        if self
            .checked_at
            .is_some_and(|at| at.elapsed() < CHECK_INTERVAL)
        {
            return self.is_full;
        }
        self.checked_at = Some(Instant::now());
        // If free space is unknown, the write itself shows whether it fits.
        let free = (self.free)().unwrap_or(u64::MAX);
        let is_full = free < if self.is_full { ENOUGH } else { LOW };
        if is_full != self.is_full {
            self.is_full = is_full;
            if is_full {
                tracing::error!(
                    free,
                    "the disk is full; nothing is stored until there is space"
                );
            } else {
                tracing::info!(free, "the disk has space again");
            }
        }
        is_full
    }

    /// Postpones the next check of the free space, after a write that did not fit.
    pub fn mark_full(&mut self) {
        self.checked_at = Some(Instant::now());
    }
}

/// Returns how many bytes this process may still write on the disk of a path, or `None` if that is unknown.
#[cfg(unix)]
pub fn free(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
pub fn free(_: &Path) -> Option<u64> {
    None
}
