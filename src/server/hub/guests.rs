//! Guests: people who come over a bridge, for the length of their connection.
//!
//! A guest has a name nobody else can bear meanwhile and an identity nobody will ever come back as. When they go they leave every
//! room at once, conversations included: what is said to them afterwards would be read by nobody.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

use super::admission::{AdmitError, Admitted};
use super::guest::Guest;
use super::names::valid;
use super::{Hub, now_ms, random_id};
use crate::chat::{
    Author, IdentityId, Refusal, RefusalCode, Role, RoomId, Secret, SessionId, Status, UserName,
    Via,
};
use crate::server::outbox::Outbox;
use crate::server::room::attendance::Departure;
use crate::server::room::mailbox::{Leaving, RoomMsg};
use crate::server::store::{IdentityRecord, StoreError};

/// How long somebody waits for a name that its holder may just be giving back.
const NAME_WITHIN: Duration = Duration::from_millis(500);
/// How long a session that is leaving may take to make place for the next of the same guest.
const SEAT_WITHIN: Duration = Duration::from_secs(2);
/// The one guest that several connections share, under a name nobody else may have.
const SHARED: &str = "stream";
/// Sessions of it at once; what further connections ask for is not passed on to the room.
const SHARED_SEATS: usize = 64;
/// Guests of a killed server who are seen off at once.
const SEEN_OFF: usize = 64;
/// Names tried for a guest who brings none.
const NAMELESS: usize = 100_000;
/// A leave that did not fit the disk is tried again this often.
const LEAVE_AGAIN: Duration = Duration::from_secs(5);

impl Hub {
    /// Takes a name for somebody who comes over a bridge. `number` is what their protocol knows them by, if it does.
    ///
    /// # Errors
    /// The name is bad, taken, an operator's or has a word in it that is not said here; or the number is somebody's.
    pub fn guest(
        self: &Arc<Self>,
        name: &str,
        via: Via,
        number: Option<i64>,
    ) -> Result<Arc<Guest>, Refusal> {
        let name = valid(name)?;
        self.filter.check_name(name.as_str())?;
        let now = Instant::now();
        let identity = fresh_identity(number);
        let mut state = self.lock();
        let is_taken = |id: &IdentityId| self::number(*id) == self::number(identity);
        let mut others = state.guests.keys().chain(state.people.keys());
        let is_somebodys = number.is_some() && others.any(is_taken);
        let is_operators = self.operators.has_like(&name);
        if let Some(number) = number.filter(|_| is_somebodys) {
            return Err(Refusal::new(RefusalCode::NumberTaken).with(number));
        }
        if is_operators || !state.names.claim(&name, identity, now) {
            return Err(Refusal::new(RefusalCode::NameTaken).with(&name));
        }
        state.guests.insert(identity, via);
        drop(state);
        Ok(self.held(identity, name, via, (1, SEAT_WITHIN)))
    }

    /// The same, but waits a moment for a name or number that is taken: whoever comes back at once should not be kept out by
    /// themselves.
    ///
    /// # Errors
    /// As [`Hub::guest`].
    pub async fn guest_soon(
        self: &Arc<Self>,
        name: &str,
        via: Via,
        number: Option<i64>,
    ) -> Result<Arc<Guest>, Refusal> {
        let until = Instant::now() + NAME_WITHIN;
        loop {
            let freed = self.freed.notified();
            match self.guest(name, via, number) {
                Err(refusal)
                    if matches!(
                        refusal.code,
                        RefusalCode::NameTaken | RefusalCode::NumberTaken
                    ) =>
                {
                    if timeout_at(until, freed).await.is_err() {
                        return Err(refusal);
                    }
                }
                answer => return answer,
            }
        }
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
            // Nobody else can have it, because it is reserved; but the last guest of it may not have given it back yet.
            if let Some(last) = state.names.holder(&name, Instant::now()) {
                state.names.release(&name, last);
            }
            state.names.claim(&name, identity, Instant::now());
        }
        let guest = self.held(identity, name, via, (SHARED_SEATS, Duration::ZERO));
        *shared = Arc::downgrade(&guest);
        guest
    }

    fn held(
        self: &Arc<Self>,
        identity: IdentityId,
        name: UserName,
        via: Via,
        (sessions, patience): (usize, Duration),
    ) -> Arc<Guest> {
        Arc::new(Guest {
            hub: Arc::clone(self),
            identity,
            name,
            via,
            seats: Arc::new(Semaphore::new(sessions)),
            patience,
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// Lets a guest in.
    ///
    /// # Errors
    /// The disk is full; the store failed.
    pub async fn admit_guest(
        &self,
        guest: &Arc<Guest>,
        outbox: &Arc<Outbox>,
    ) -> Result<Admitted, AdmitError> {
        let _turn = guest.turn.lock().await;
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
        self.attend(session, &record, false, Status::default(), outbox)?;
        Ok(Admitted {
            session,
            author: guest.author(),
            role: Role::Member,
            guest: Some(Arc::clone(guest)),
        })
    }

    /// A guest's session has ended. With their last one they leave every room; what does not fit the disk is tried again.
    pub(super) async fn remove_guest(
        self: &Arc<Self>,
        guest: &Arc<Guest>,
        session: SessionId,
        rooms: &[RoomId],
    ) -> Result<(), StoreError> {
        let _turn = guest.turn.lock().await;
        let (author, how) = (guest.author(), Departure::Clean);
        if self.detach(session, author.id, how).is_none() {
            self.departs_from(session, author.id, rooms, how).await;
            return Ok(());
        }
        // They go with the entry that says so, after whatever they said last.
        if !self.leaves_all(&author).await? {
            // It cannot be written that they left, but they are not there.
            self.departs_from(session, author.id, rooms, how).await;
            let again = Arc::clone(self).leaves_later(author, Arc::downgrade(guest));
            tokio::spawn(again);
        }
        Ok(())
    }

    /// Tries again to write that somebody left, until it is written or they are back.
    async fn leaves_later(self: Arc<Self>, author: Author, guest: Weak<Guest>) {
        loop {
            sleep(LEAVE_AGAIN).await;
            let guest = guest.upgrade();
            let _turn = match &guest {
                Some(guest) => Some(guest.turn.lock().await),
                None => None,
            };
            if self.lock().people.contains_key(&author.id) {
                return;
            }
            match self.leaves_all(&author).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => return self.fatal.raise(&error),
            }
        }
    }

    /// Those a server that was killed left behind are seen off by the next.
    pub(super) async fn remove_guests(self: Arc<Self>, guests: Vec<IdentityRecord>) {
        let guests = futures::stream::iter(guests);
        let hub = &self;
        let leave = |guest: IdentityRecord| async move {
            let author = Author {
                id: guest.id,
                name: guest.name.to_string(),
            };
            match hub.leaves_all(&author).await {
                Ok(true) => {}
                Ok(false) => drop(tokio::spawn(
                    Arc::clone(hub).leaves_later(author, Weak::new()),
                )),
                Err(error) => hub.fatal.raise(&error),
            }
        };
        guests.for_each_concurrent(SEEN_OFF, leave).await;
    }

    /// False if the disk is too full to write that somebody left.
    async fn leaves_all(&self, guest: &Author) -> Result<bool, StoreError> {
        for room in self.store.memberships(guest.id).await? {
            let author = guest.clone();
            let answer = self.ask(room.id, |reply| RoomMsg::Leave {
                author,
                how: Leaving::ForGood,
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
