//! The tail of a room: its newest entries, in memory, so that a client that reconnects soon needs no read from
//! the store.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::VecDeque;
use std::sync::Arc;

use crate::chat::{Digest, Seq};
use crate::server::delivery::Delivery;

/// The maximum number of entries and bytes in the tail.
const ENTRIES: usize = 1024;
const BYTES: usize = 1024 * 1024;

#[derive(Debug, Default)]
pub struct Tail {
    deliveries: VecDeque<Arc<Delivery>>,
    entries: usize,
    bytes: usize,
}

impl Tail {
    pub fn push(&mut self, delivery: Arc<Delivery>) {
        self.entries += delivery.entries().len();
        self.bytes += delivery.size();
        self.deliveries.push_back(delivery);
        while self.entries > ENTRIES || self.bytes > BYTES {
            let Some(oldest) = self.deliveries.pop_front() else {
                break;
            };
            self.entries -= oldest.entries().len();
            self.bytes -= oldest.size();
        }
    }

    /// Returns the deliveries with entries after `after`, or `None` if the tail does not reach back that far.
    pub fn after(
        &self,
        after: Seq,
        last: Seq,
    ) -> Option<impl Iterator<Item = &Arc<Delivery>> + Clone> {
        let start = self
            .deliveries
            .partition_point(|delivery| delivery.last() <= after);
        let is_covered = match self.deliveries.get(start) {
            Some(delivery) => delivery.first() <= after.next(),
            None => after >= last,
        };
        is_covered.then(|| self.deliveries.range(start..))
    }

    pub fn digest_at(&self, seq: Seq) -> Option<Digest> {
        let place = self
            .deliveries
            .partition_point(|delivery| delivery.last() < seq);
        self.deliveries.get(place)?.digest_at(seq)
    }
}
