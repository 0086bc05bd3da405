//! Retention: how many of a room's old entries are kept. It uses only seqs and stamps, and reads no clock.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use super::RoomHead;
use crate::chat::Retention;
use crate::chat::{Seq, Stamp};
use crate::server::store::RetentionCutoff;

impl Retention {
    /// Returns the first seq that the limit on the number of entries keeps, or `None` if there is no such limit.
    pub fn first_by_number(&self, head: &RoomHead) -> Option<Seq> {
        let kept = self.entries?.max(1);
        Some(Seq(head.seq.0.saturating_sub(kept) + 1))
    }

    /// Returns the times before which an entry is too old to be kept, or `None` if there is no age limit.
    ///
    /// Doubtful time does not count as age, so a server that starts with a clock that is ahead deletes nothing because of it.
    pub fn since(&self, now: Stamp) -> Option<RetentionCutoff> {
        let age_ms = u64::try_from(self.age?.as_millis()).unwrap_or(u64::MAX);
        let known_ms = now.log_ms.saturating_sub(now.doubt_ms);
        Some(RetentionCutoff {
            log_ms: known_ms.saturating_sub(age_ms),
            at_ms: now.at_ms.saturating_sub(age_ms),
            now_ms: now.at_ms,
        })
    }
}
