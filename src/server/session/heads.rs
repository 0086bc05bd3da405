//! The answer to a ping: the time, and how far each followed room has come.

use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use crate::chat::RoomId;
use crate::server::hub::now_ms;
use crate::wire::{self, Event};

/// Minimum time between two lists of room heads. Asking every room is expensive, and a client may ping more often.
const HEADS_EVERY: Duration = Duration::from_secs(5);

impl Session {
    /// Answers a ping.
    pub(super) async fn pong(&mut self, request: u64) {
        let heads = self.heads().await;
        self.outbox.answer(Event::Pong {
            request,
            now_ms: now_ms(),
            heads,
        });
    }

    /// Returns the heads of the followed rooms; nothing if they were sent a moment ago.
    async fn heads(&mut self) -> Vec<wire::Head> {
        if self.heads_at.is_some_and(|at| at.elapsed() < HEADS_EVERY) {
            return Vec::new();
        }
        self.heads_at = Some(Instant::now());
        let identity = self.who.author.id;
        let followed = self.rooms.iter().filter(|(_, it)| it.slot.is_some());
        let followed: Vec<RoomId> = followed.map(|(room, _)| *room).collect();
        let mut heads = Vec::with_capacity(followed.len());
        for room in followed {
            let head = self.hub.head(room, identity).await;
            heads.extend(head.map(|head| wire::Head {
                room,
                epoch: head.epoch,
                last: head.seq,
            }));
        }
        heads
    }
}
