//! Guest sessions: what is different for people connected through a bridge.

use std::sync::Arc;

use futures::{Stream, StreamExt};
use tokio::time::sleep;

use super::{Following, Origin, Session};
use crate::chat::{Limit, Refusal, RoomId, Seq};
use crate::server::hub::charging::Sender;
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
    origin: Origin,
) {
    let guest = &seat.guest;
    let goodbye = match hub.admit_guest(guest, &outbox, &origin.address).await {
        Ok(admitted) => {
            let agent = guest.via.name();
            let mut inbound = (&mut inbound).map(Ok);
            let session = Session::new(hub, &outbox, admitted, reach, &origin);
            session
                .run_admitted(&mut inbound, agent, &origin.peer)
                .await
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

    /// Charges this person as for a post. Most requests are limited in this way.
    pub(super) async fn charge(&self) -> Result<(), Refusal> {
        self.wait_for(|hub| hub.charge(Limit::Posts, self.who.author.id))
            .await
    }

    /// Charges this person, and their address if they are a stranger, for a post of this size.
    pub(super) async fn charge_post(&self, bytes: usize) -> Result<(), Refusal> {
        let sender = Sender {
            id: self.who.author.id,
            stranger_at: self.address.filter(|_| self.who.is_stranger),
        };
        self.wait_for(|hub| hub.charge_post(sender, bytes)).await
    }

    /// Charges this person for something that has a limit of its own.
    pub(super) async fn charge_own(&self, limit: Limit) -> Result<(), Refusal> {
        self.wait_for(|hub| hub.charge(limit, self.who.author.id))
            .await
    }

    /// Tries to charge. A guest's protocol cannot ask its client to try again later, so a guest's session waits until it succeeds.
    async fn wait_for(&self, charge: impl Fn(&Hub) -> Result<(), Refusal>) -> Result<(), Refusal> {
        loop {
            let Err(refusal) = charge(&self.hub) else {
                return Ok(());
            };
            let Some(after) = refusal.retry_after.filter(|_| self.is_guest()) else {
                return Err(refusal);
            };
            tokio::select! {
                () = sleep(after) => {}
                () = self.hub.draining.cancelled() => return Err(refusal),
                () = self.who.end.cancelled() => return Err(refusal),
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
        self.rooms.insert(room, Following::at(slot));
        Some(self.follower(slot))
    }
}
