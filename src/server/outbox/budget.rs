//! How much may wait in the live lanes of all sessions together.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::LIVE_BYTES_ALL;

/// Counts the bytes in all live lanes of a server.
#[derive(Debug, Default)]
pub struct Budget {
    pub(super) bytes: AtomicUsize,
    pub(super) lanes: AtomicUsize,
}

impl Budget {
    /// Whether a lane with this many bytes must be emptied: the budget is used up and the lane is not below the mean. So the largest lanes
    /// are emptied first, and there is always one to empty.
    pub(super) fn is_exceeded_by(&self, lane: usize) -> bool {
        let all = self.bytes.load(Ordering::Relaxed);
        all > LIVE_BYTES_ALL && lane >= all / self.lanes.load(Ordering::Relaxed).max(1)
    }
}
