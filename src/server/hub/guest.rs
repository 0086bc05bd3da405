//! One guest: a name and an identity for the duration of a connection through a bridge.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Hub;
use crate::chat::{Author, IdentityId, Refusal, RefusalCode, RoomId, UserName, Via};
use crate::server::store::RoomRecord;

/// A guest's name and identity. The name is reserved until this is dropped.
#[derive(Debug)]
pub struct Guest {
    pub(super) hub: Arc<Hub>,
    pub identity: IdentityId,
    pub name: UserName,
    pub via: Via,
    /// Limits the number of sessions at once.
    pub(super) seats: Arc<Semaphore>,
    /// How long a further session waits for a free seat.
    pub(super) patience: Duration,
    /// Locked while a session is admitted and while the last one leaves, so that a new session cannot start during a leave.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// Which rooms a guest may join.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// All public ones: the client is on this machine.
    Everything,
    /// Only those that are bridged: others on the network path can read everything.
    BridgedRooms,
}

impl Hub {
    /// Returns which rooms a client of a bridge may join, by its address. An `address` of `None` is this machine.
    /// Returns `None` if the client is not served. Behind a proxy, a client that seems to be on this machine may be
    /// anywhere.
    pub fn guest_reach(&self, address: Option<IpAddr>) -> Option<Reach> {
        match address {
            None if self.is_behind_proxy => Some(Reach::BridgedRooms),
            None => Some(Reach::Everything),
            Some(address) if self.check_network_ban(Some(address)).is_err() => None,
            Some(address) if self.guests_from.contain(address) => Some(Reach::BridgedRooms),
            Some(_) => None,
        }
    }

    /// Whether a guest may join a room.
    pub fn is_in_reach(&self, room: RoomId, reach: Reach) -> bool {
        reach == Reach::Everything || {
            let rooms = self.rooms.directory.rooms().into_iter();
            let mut rooms = rooms.filter(|record| record.id == room);
            rooms.any(|record| record.is_preset() && !self.is_closed_to_bridges(&record))
        }
    }

    fn is_closed_to_bridges(&self, record: &RoomRecord) -> bool {
        record
            .key
            .as_ref()
            .is_some_and(|key| self.not_bridged.contains(key))
    }
}

/// A guest with a session. The seat is free again when this is dropped.
#[derive(Debug)]
pub struct Seat {
    pub guest: Arc<Guest>,
    _permit: OwnedSemaphorePermit,
}

impl Guest {
    /// Takes a seat for one session. If another session is about to end, waits for it a moment.
    ///
    /// # Errors
    /// All seats are taken: the guest is already connected.
    pub async fn seat(self: Arc<Self>) -> Result<Seat, Refusal> {
        let seats = Arc::clone(&self.seats);
        match timeout(self.patience, seats.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(Seat {
                guest: self,
                _permit: permit,
            }),
            _ => Err(Refusal::new(RefusalCode::NameTaken).with(&self.name)),
        }
    }

    pub fn author(&self) -> Author {
        Author {
            id: self.identity,
            name: self.name.to_string(),
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut state = self.hub.lock();
        state.guests.remove(&self.identity);
        state.names.release(&self.name, self.identity);
        drop(state);
        self.hub.freed.notify_waiters();
    }
}
