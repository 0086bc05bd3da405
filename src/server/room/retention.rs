//! How much of a room is kept. Only the log decides: its numbers and its own times, never the clock.

use std::time::Duration;

use super::Head;
use crate::chat::Seq;

/// What is kept at least; nothing said: everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// This many of the newest entries.
    pub entries: Option<u64>,
    /// What is not older than this, counted back from the newest entry.
    pub age: Option<Duration>,
}

impl Retention {
    pub const fn keeps_everything(&self) -> bool {
        self.entries.is_none() && self.age.is_none()
    }

    /// The first entry that is kept for its number.
    pub fn first_by_number(&self, head: &Head) -> Option<Seq> {
        let kept = self.entries?.max(1);
        Some(Seq(head.seq.0.saturating_sub(kept) + 1))
    }

    /// The time from which on entries are kept, Unix milliseconds.
    pub fn since(&self, head: &Head) -> Option<u64> {
        let age = u64::try_from(self.age?.as_millis()).unwrap_or(u64::MAX);
        Some(head.at_ms.saturating_sub(age))
    }
}
