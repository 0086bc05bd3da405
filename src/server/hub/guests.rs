//! Guests: people who come over a bridge, for the length of their connection.
//!
//! A guest has a name nobody else can bear meanwhile and an identity nobody will ever come back as. When they go they leave every
//! room at once, conversations included: what is said to them afterwards would be read by nobody.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::names::valid;
use super::people::{AdmitError, Admitted};
use super::{Hub, now_ms, random_id};
use crate::chat::{
    Author, IdentityId, Refusal, RefusalCode, Role, RoomId, Secret, SessionId, UserName, Via,
};
use crate::server::outbox::Outbox;
use crate::server::room::attendance::Departure;
use crate::server::room::mailbox::{Leaving, RoomMsg};
use crate::server::store::{IdentityRecord, StoreError};

/// How long a session that is leaving may take to make place for the next of the same guest.
const SEAT_WITHIN: Duration = Duration::from_secs(2);
/// The one guest that several connections share, under a name nobody else may have.
const SHARED: &str = "stream";
/// Names tried for a guest who brings none.
const NAMELESS: usize = 100_000;
/// A leave that did not fit the disk is tried again this often.
const LEAVE_AGAIN: Duration = Duration::from_secs(5);

/// A name and an identity, held until this is dropped.
#[derive(Debug)]
pub struct Guest {
    hub: Arc<Hub>,
    pub identity: IdentityId,
    pub name: UserName,
    pub via: Via,
    /// How many sessions there may be at once.
    seats: Arc<Semaphore>,
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
        match timeout(SEAT_WITHIN, seats.acquire_owned()).await {
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
        state.names.release(&self.name.key(), self.identity);
    }
}

impl Hub {
    /// Takes a name for somebody who comes over a bridge. `number` is what their protocol knows them by, if it does.
    ///
    /// # Errors
    /// The name is bad, taken or an operator's; or the number is somebody's.
    pub fn guest(
        self: &Arc<Self>,
        name: &str,
        via: Via,
        number: Option<i64>,
    ) -> Result<Arc<Guest>, Refusal> {
        let name = valid(name)?;
        let now = Instant::now();
        let identity = fresh_identity(number);
        let mut state = self.lock();
        let is_taken = |id: &IdentityId| self::number(*id) == self::number(identity);
        let mut others = state.guests.keys().chain(state.people.keys());
        let is_somebodys = number.is_some() && others.any(is_taken);
        let is_operators = self.operators.contains(&name.key());
        if is_operators || is_somebodys || !state.names.claim(name.key(), identity, now) {
            return Err(Refusal::new(RefusalCode::NameTaken).with(&name));
        }
        state.guests.insert(identity, via);
        drop(state);
        Ok(self.held(identity, name, via, 1))
    }

    /// Takes a name for somebody who brings none.
    ///
    /// # Errors
    /// There is none left.
    pub fn nameless_guest(self: &Arc<Self>, via: Via) -> Result<Arc<Guest>, Refusal> {
        let taken = || Refusal::new(RefusalCode::NameTaken).with("guest");
        for _ in 0..NAMELESS {
            let n = self
                .nameless
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if let Ok(guest) = self.guest(&format!("guest{}", n + 1), via, None) {
                return Ok(guest);
            }
        }
        Err(taken())
    }

    /// The guest all connections of a protocol without names share.
    pub fn shared_guest(self: &Arc<Self>, via: Via) -> Arc<Guest> {
        let mut shared = self
            .shared
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(guest) = shared.upgrade() {
            return guest;
        }
        let identity = fresh_identity(None);
        let name = UserName::kept(SHARED.into());
        {
            let mut state = self.lock();
            state.guests.insert(identity, via);
            // Nobody else can have it: it is reserved, and the last to hold it has gone.
            state.names.claim(name.key(), identity, Instant::now());
        }
        let guest = self.held(identity, name, via, Semaphore::MAX_PERMITS);
        *shared = Arc::downgrade(&guest);
        guest
    }

    fn held(
        self: &Arc<Self>,
        identity: IdentityId,
        name: UserName,
        via: Via,
        sessions: usize,
    ) -> Arc<Guest> {
        Arc::new(Guest {
            hub: Arc::clone(self),
            identity,
            name,
            via,
            seats: Arc::new(Semaphore::new(sessions)),
        })
    }

    /// Lets a guest in.
    ///
    /// # Errors
    /// The disk is full; the store failed.
    pub async fn admit_guest(
        &self,
        guest: &Guest,
        outbox: &Arc<Outbox>,
    ) -> Result<Admitted, AdmitError> {
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(&random_id());
        secret[16..].copy_from_slice(&random_id());
        let record = IdentityRecord {
            id: guest.identity,
            // Nobody is ever told it.
            secret: Secret::new(secret).hash(),
            name: guest.name.clone(),
            present: false,
            via: guest.via,
        };
        self.store.put_identity(record.clone(), now_ms()).await?;
        let session = SessionId::new(random_id());
        self.attend(session, &record, false, outbox)?;
        Ok(Admitted {
            session,
            author: guest.author(),
            role: Role::Member,
            via: guest.via,
        })
    }

    /// A guest's last session has ended: they leave every room. What does not fit the disk is tried again.
    pub(super) async fn see_off(
        self: &Arc<Self>,
        guest: Author,
        session: SessionId,
        rooms: Vec<RoomId>,
    ) -> Result<(), StoreError> {
        if self.leaves_all(&guest).await? {
            return Ok(());
        }
        // It cannot be written that they left, but they are not there.
        self.leaves_rooms(session, guest.id, &rooms, Departure::Clean)
            .await;
        let hub = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                sleep(LEAVE_AGAIN).await;
                match hub.leaves_all(&guest).await {
                    Ok(true) => return,
                    Ok(false) => {}
                    Err(error) => return hub.fatal.raise(&error),
                }
            }
        });
        Ok(())
    }

    /// Those a server that was killed left behind are seen off by the next.
    pub(super) async fn see_off_all(self: Arc<Self>, guests: Vec<IdentityRecord>) {
        for guest in guests {
            let author = Author {
                id: guest.id,
                name: guest.name.to_string(),
            };
            let nowhere = SessionId::new([0; 16]);
            if let Err(error) = self.see_off(author, nowhere, Vec::new()).await {
                self.fatal.raise(&error);
                return;
            }
        }
    }

    /// False if the disk is too full to write that somebody left.
    async fn leaves_all(&self, guest: &Author) -> Result<bool, StoreError> {
        for room in self.store.memberships(guest.id).await? {
            let author = guest.clone();
            let answer = self.ask(room.id, |reply| RoomMsg::Leave {
                author,
                how: Leaving::ForGood,
                at_ms: now_ms(),
                reply,
            });
            if matches!(answer.await, Some(Err(refusal)) if refusal.retry_after.is_some()) {
                return Ok(false);
            }
        }
        match self.store.forget_guest(guest.id).await {
            Err(StoreError::Full) => Ok(false),
            forgotten => forgotten.map(|()| true),
        }
    }
}

/// The number a protocol that knows people by numbers is given for an identity: positive, and as stable as the identity.
pub fn number(identity: IdentityId) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&identity.bytes()[..8]);
    (i64::from_be_bytes(first) & i64::MAX).max(1)
}

/// An identity whose [`number`] is the one asked for, if that is positive.
fn fresh_identity(number: Option<i64>) -> IdentityId {
    let mut bytes = random_id();
    if let Some(number) = number.filter(|number| *number > 0) {
        bytes[..8].copy_from_slice(&number.to_be_bytes());
    }
    IdentityId::new(bytes)
}
