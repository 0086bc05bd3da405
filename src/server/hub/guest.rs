//! One guest: a name and an identity for the length of a connection over a bridge.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Hub;
use crate::chat::{Author, IdentityId, Refusal, RefusalCode, UserName, Via};

/// A name and an identity, held until this is dropped.
#[derive(Debug)]
pub struct Guest {
    pub(super) hub: Arc<Hub>,
    pub identity: IdentityId,
    pub name: UserName,
    pub via: Via,
    /// How many sessions there may be at once.
    pub(super) seats: Arc<Semaphore>,
    /// How long the next one waits for a place.
    pub(super) patience: Duration,
    /// Held while a session is let in and while the last one leaves, so that nobody comes in through a leave that is on its way.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// A guest who has a session, until this is dropped.
#[derive(Debug)]
pub struct Seat {
    pub guest: Arc<Guest>,
    _permit: OwnedSemaphorePermit,
}

impl Guest {
    /// Takes the place of a session; where another one is just leaving, waits for it a moment.
    ///
    /// # Errors
    /// They are here already.
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
