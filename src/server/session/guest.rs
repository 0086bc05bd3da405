//! Guest sessions: what is different for people connected through a bridge.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use tokio::time::sleep;

use super::{Following, Session};
use crate::chat::{Refusal, RoomId, Seq};
use crate::server::hub::guest::Seat;
use crate::server::hub::{AdmitError, Hub, Reach};
use crate::server::outbox::Outbox;
use crate::server::room::Follower;
use crate::wire::{Event, RequestFrame};

/// Runs a guest's session until it ends. The bridge has already admitted the connection.
pub(crate) async fn run_guest(
    hub: Arc<Hub>,
    outbox: Arc<Outbox>,
    mut inbound: impl Stream<Item = RequestFrame> + Unpin + Send,
    (seat, reach): (Seat, Reach),
    peer: String,
) {
    let guest = &seat.guest;
    let goodbye = match hub.admit_guest(guest, &outbox).await {
        Ok(admitted) => {
            let agent = guest.via.name();
            let mut inbound = (&mut inbound).map(Ok);
            let session = Session::new(hub, &outbox, admitted, reach);
            session.run_admitted(&mut inbound, agent, &peer).await
        }
        Err(AdmitError::Refused(refusal)) => {
            outbox.answer(Event::Refused {
                request: 0,
                client_id: None,
                refusal,
            });
            None
        }
        Err(AdmitError::Store(error)) => {
            hub.fatal.raise(&error);
            None
        }
    };
    // Frees the name, now that the guest has left all rooms.
    drop(seat);
    if let Some(goodbye) = goodbye {
        outbox.answer(Event::Goodbye(goodbye));
    }
    outbox.finish();
}

impl Session {
    pub(super) fn is_guest(&self) -> bool {
        self.who.guest.is_some()
    }

    /// Takes a token from the rate limit. A guest's protocol cannot ask its client to retry later, so a guest's session
    /// waits for the token.
    pub(super) async fn take_rate_token(&self) -> Result<(), Refusal> {
        loop {
            let Err(refusal) = self.hub.check_rate_limit(self.who.author.id) else {
                return Ok(());
            };
            let Some(after) = refusal.retry_after.filter(|_| self.is_guest()) else {
                return Err(refusal);
            };
            tokio::select! {
                () = sleep(after) => {}
                () = self.hub.draining.cancelled() => return Err(refusal),
            }
        }
    }

    /// Returns the follower for a guest who joins a room. Guests follow from the moment they join, and the room itself confirms the join:
    /// they receive nothing from before it and miss nothing after it.
    pub(super) fn guest_follower(&mut self, room: RoomId) -> Option<Follower> {
        if !self.is_guest() || self.rooms.contains_key(&room) {
            return None;
        }
        let slot = self.outbox.take_slot(Seq::ZERO);
        self.rooms.insert(room, Following { slot: Some(slot) });
        Some(self.follower(slot))
    }
}
