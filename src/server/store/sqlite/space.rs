//! How much room the disk has. Writing stops before it is full, and begins again when there is clearly more.

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Below this nothing is written: what is left is for checkpoints, logs and whoever makes room.
const LOW: u64 = 32 * 1024 * 1024;
/// Above this it is written again.
const ENOUGH: u64 = 64 * 1024 * 1024;
/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// Whether there is room, as the writer sees it.
pub struct Space {
    free: Box<dyn FnMut() -> Option<u64> + Send>,
    is_full: bool,
    looked_at: Option<Instant>,
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
            looked_at: None,
        }
    }

    pub fn is_full(&mut self) -> bool {
        if self.looked_at.is_some_and(|at| at.elapsed() < EVERY) {
            return self.is_full;
        }
        self.looked_at = Some(Instant::now());
        // Where it cannot be told, the write itself will.
        let free = (self.free)().unwrap_or(u64::MAX);
        let is_full = free < if self.is_full { ENOUGH } else { LOW };
        if is_full != self.is_full {
            self.is_full = is_full;
            if is_full {
                tracing::error!(
                    free,
                    "the disk is full: nothing is stored until there is room"
                );
            } else {
                tracing::info!(free, "there is room on the disk again");
            }
        }
        is_full
    }

    /// A write did not fit, whatever was said to be free.
    pub fn ran_out(&mut self) {
        self.looked_at = Some(Instant::now());
    }
}

/// Bytes that this process may still write where a path is.
#[cfg(unix)]
pub fn free(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
pub fn free(_: &Path) -> Option<u64> {
    None
}
