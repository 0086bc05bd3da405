//! Guests: people connected through a bridge, for as long as their connection lasts.
//!
//! A guest has a name that nobody else can use meanwhile, and an identity that is never used again. When they disconnect they leave
//! every room at once, including conversations, because they could never read what is sent to them afterwards.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

use super::admission::{AdmitError, Admitted, Rights, SessionEnd};
use super::guest::Guest;
use super::names::parse_name;
use super::{AttachedSession, Hub, now_ms, random_bytes};
use crate::chat::{
    Author, IdentityId, Refusal, RefusalCode, RoomId, SessionId, Status, UserName, Via,
};
use crate::server::outbox::Outbox;
use crate::server::room::attendance::Departure;
use crate::server::room::mailbox::{LeaveReason, RoomMsg};
use crate::server::store::{IdentityRecord, StoreError};

/// How long a new guest waits for a name that is about to become free.
const NAME_WITHIN: Duration = Duration::from_millis(500);
/// How long a new session waits for the previous session of the same guest to end.
const SEAT_WITHIN: Duration = Duration::from_secs(2);
/// Name of the guest that several connections share. Nobody else may use it.
const SHARED: &str = "stream";
/// Maximum number of sessions of the shared guest at once. Requests from further connections are not passed on to the
/// room.
const SHARED_SEATS: usize = 64;
/// How many people are removed from their rooms at the same time after a crash.
const CLEANUP_BATCH: usize = 64;
/// Maximum number of names to try for a guest who gave none.
const NAMELESS: usize = 100_000;
/// How often a leave is retried when the disk is full.
const LEAVE_RETRY: Duration = Duration::from_secs(5);

impl Hub {
    /// Creates a guest with this name. `number` is their user id in the foreign protocol, if that protocol has user ids.
    ///
    /// # Errors
    /// The name is invalid, taken, an operator's, or refused by the word filter; or the number is taken.
    pub fn guest(
        self: &Arc<Self>,
        name: &str,
        via: Via,
        number: Option<i64>,
    ) -> Result<Arc<Guest>, Refusal> {
        let name = parse_name(name)?;
        self.filter.check_name(name.as_str())?;
        let now = Instant::now();
        let identity = fresh_identity(number);
        let mut state = self.lock();
        let is_taken = |id: &IdentityId| self::numeric_id(*id) == self::numeric_id(identity);
        let mut others = state.guests.keys().chain(state.people.keys());
        let is_somebodys = number.is_some() && others.any(is_taken);
        let is_operators = self.operators.has_lookalike(&name);
        if let Some(number) = number.filter(|_| is_somebodys) {
            return Err(Refusal::new(RefusalCode::NumberTaken).with(number));
        }
        if is_operators || !state.names.claim(&name, identity, now) {
            return Err(Refusal::new(RefusalCode::NameTaken).with(&name));
        }
        state.guests.insert(identity, via);
        drop(state);
        Ok(self.new_guest(identity, name, via, (1, SEAT_WITHIN)))
    }

    /// Creates a guest, but waits a moment for a name or number that is taken: a person who reconnects at once must not be blocked by
    /// their own old connection.
    ///
    /// # Errors
    /// As for [`Hub::guest`].
    pub async fn guest_within(
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

    /// Creates a guest with a free name, for a client that gave none.
    ///
    /// # Errors
    /// No name is free.
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

    /// Returns the guest that all connections of a protocol without names share.
    pub fn shared_guest(self: &Arc<Self>, via: Via) -> Arc<Guest> {
        let mut shared = self
            .shared
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(guest) = shared.upgrade() {
            return guest;
        }
        let identity = fresh_identity(None);
        let name = UserName::from_stored(SHARED.into());
        {
            let mut state = self.lock();
            state.guests.insert(identity, via);
            // The name is reserved, so nobody else has it. But the previous shared guest may not have released it yet.
            if let Some(last) = state.names.holder(&name, Instant::now()) {
                state.names.release(&name, last);
            }
            state.names.claim(&name, identity, Instant::now());
        }
        let guest = self.new_guest(identity, name, via, (SHARED_SEATS, Duration::ZERO));
        *shared = Arc::downgrade(&guest);
        guest
    }

    fn new_guest(
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

    /// Admits a guest: stores their identity and starts a session.
    ///
    /// # Errors
    /// The disk is full, or the store failed.
    pub async fn admit_guest(
        &self,
        guest: &Arc<Guest>,
        outbox: &Arc<Outbox>,
        from: &str,
    ) -> Result<Admitted, AdmitError> {
        let _turn = guest.turn.lock().await;
        let record = IdentityRecord {
            id: guest.identity,
            name: guest.name.clone(),
            via: guest.via,
        };
        let now = self.rooms.clock.stamp();
        self.store.put_identity(record.clone(), now).await?;
        let session = SessionId::new(random_bytes());
        let end = SessionEnd::default();
        let attached = AttachedSession {
            outbox: Arc::downgrade(outbox),
            credentials: None,
            end: end.clone(),
            from: from.to_owned(),
            since_ms: now_ms(),
            is_stranger: true,
        };
        let rights = Rights::default();
        self.add_session((session, attached), &record, rights, Status::default())?;
        Ok(Admitted {
            session,
            author: guest.author(),
            token: None,
            end,
            added: Vec::new(),
            is_stranger: true,
            guest: Some(Arc::clone(guest)),
        })
    }

    /// Ends a guest's session. With their last session they leave every room. If the disk is full, the leave is retried later.
    pub(super) async fn remove_guest(
        self: &Arc<Self>,
        guest: &Arc<Guest>,
        session: SessionId,
        rooms: &[RoomId],
    ) -> Result<(), StoreError> {
        let _turn = guest.turn.lock().await;
        let (author, how) = (guest.author(), Departure::Clean);
        if self.remove_session(session, author.id).is_none() {
            self.notify_departure(session, author.id, rooms, how).await;
            return Ok(());
        }
        // The Left entry removes them from the room, so it comes after their last message.
        if !self.leave_all_rooms(&author).await? {
            // The leave cannot be stored yet, but they are not present any longer.
            self.notify_departure(session, author.id, rooms, how).await;
            let again = Arc::clone(self).retry_leave(author, Arc::downgrade(guest));
            tokio::spawn(again);
        }
        Ok(())
    }

    /// Retries a leave until it is stored or the person is back.
    pub(super) async fn retry_leave(self: Arc<Self>, author: Author, guest: Weak<Guest>) {
        loop {
            sleep(LEAVE_RETRY).await;
            let guest = guest.upgrade();
            let _turn = match &guest {
                Some(guest) => Some(guest.turn.lock().await),
                None => None,
            };
            if self.lock().people.contains_key(&author.id) {
                return;
            }
            match self.leave_all_rooms(&author).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => return self.fatal.raise(&error),
            }
        }
    }

    /// Removes people from their rooms whose leave was not completed before the server ended: guests, and removed
    /// accounts.
    pub(super) async fn remove_guests(self: Arc<Self>, guests: Vec<IdentityRecord>) {
        let guests = futures::stream::iter(guests);
        let hub = &self;
        let leave = |guest: IdentityRecord| async move {
            let author = Author {
                id: guest.id,
                name: guest.name.to_string(),
            };
            match hub.leave_all_rooms(&author).await {
                Ok(true) => {}
                Ok(false) => drop(tokio::spawn(
                    Arc::clone(hub).retry_leave(author, Weak::new()),
                )),
                Err(error) => hub.fatal.raise(&error),
            }
        };
        guests.for_each_concurrent(CLEANUP_BATCH, leave).await;
    }

    /// Makes a guest or a removed account leave every room. Returns false if the disk is too full to store that.
    pub(super) async fn leave_all_rooms(&self, guest: &Author) -> Result<bool, StoreError> {
        for room in self.store.memberships(guest.id).await? {
            let author = guest.clone();
            let answer = self.ask(room.id, |reply| RoomMsg::Leave {
                author,
                how: LeaveReason::ForGood,
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

/// Returns the user id of an identity for protocols that use numbers. It is positive, and always the same for one identity.
pub fn numeric_id(identity: IdentityId) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&identity.bytes()[..8]);
    (i64::from_be_bytes(first) & i64::MAX).max(1)
}

/// Makes a new identity. Its [`numeric_id`] is the requested one, if that is positive.
fn fresh_identity(number: Option<i64>) -> IdentityId {
    let mut bytes = random_bytes();
    if let Some(number) = number.filter(|number| *number > 0) {
        bytes[..8].copy_from_slice(&number.to_be_bytes());
    }
    IdentityId::new(bytes)
}
