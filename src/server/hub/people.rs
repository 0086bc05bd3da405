//! Identities: who comes in, under which name, and who is meant by `@name`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::{Instant, sleep};

use super::admission::{AdmitError, Admitted};
use super::names::valid;
use super::{Attending, GRACE, Hub, NAME_HOLD, now_ms, random_id};
use crate::chat::{
    Author, Body, IdentityId, Post, Refusal, RefusalCode, Role, RoomId, Secret, SecretHash,
    SessionId, Status, UserName, Via,
};
use crate::server::outbox::Outbox;
use crate::server::rate_limit::Bucket;
use crate::server::room::attendance::Departure;
use crate::server::room::mailbox::RoomMsg;
use crate::server::store::{IdentityRecord, StoreError};
use crate::wire::Event;

/// Rooms a change of name is written to, those listed first; elsewhere the next message says the new name.
const RENAMES: usize = 512;

impl Hub {
    /// Lets somebody in: finds the identity of a secret or makes one with the name asked for.
    ///
    /// # Errors
    /// The name is bad, taken or kept; the store failed.
    pub async fn admit(
        &self,
        secret: &Secret,
        asked: &str,
        outbox: &Arc<Outbox>,
    ) -> Result<Admitted, AdmitError> {
        let hash = secret.hash();
        let _turn = self.turns.take(hash).await;
        let record = if let Some(known) = self.store.identity_of(hash).await? {
            self.return_of(known, asked).await?
        } else {
            let name = valid(asked)?;
            let fresh = IdentityRecord {
                id: IdentityId::new(random_id()),
                secret: hash,
                name,
                present: true,
                via: Via::Tchat,
            };
            self.claim(&fresh.name, fresh.id).await?;
            match self.store.put_identity(fresh.clone(), now_ms()).await {
                Ok(()) => fresh,
                Err(StoreError::Conflict) => {
                    // The same new person was faster elsewhere.
                    self.lock().names.release(&fresh.name, fresh.id);
                    let known = self
                        .store
                        .identity_of(hash)
                        .await?
                        .ok_or(StoreError::Conflict)?;
                    self.return_of(known, asked).await?
                }
                Err(error) => {
                    self.lock().names.release(&fresh.name, fresh.id);
                    return Err(error.into());
                }
            }
        };
        let session = SessionId::new(random_id());
        let is_owner = self.owner == Some(hash) || self.operators.has(&record.name);
        let status = self.store.personal(record.id).await?.status;
        self.attend(session, &record, is_owner, status, outbox)?;
        let role = if is_owner { Role::Owner } else { Role::Member };
        Ok(Admitted {
            session,
            author: Author {
                id: record.id,
                name: record.name.to_string(),
            },
            role,
            guest: None,
        })
    }

    /// Somebody known comes back: under their own name, or, where another has it now, under the one asked for.
    async fn return_of(
        &self,
        known: IdentityRecord,
        asked: &str,
    ) -> Result<IdentityRecord, AdmitError> {
        let mut record = IdentityRecord {
            present: true,
            ..known.clone()
        };
        match self.claim(&known.name, known.id).await {
            Err(AdmitError::Refused(taken)) if taken.code == RefusalCode::NameTaken => {
                let other = valid(asked)?;
                if other.key() == known.name.key() {
                    return Err(taken.into());
                }
                self.claim(&other, known.id).await?;
                record.name = other;
            }
            claimed => claimed?,
        }
        self.note(record.clone()).await?;
        if record.name != known.name {
            self.announce_rename(
                &Author {
                    id: known.id,
                    name: known.name.to_string(),
                },
                &record.name,
            )
            .await?;
        }
        Ok(record)
    }

    async fn claim(&self, name: &UserName, identity: IdentityId) -> Result<(), AdmitError> {
        let now = Instant::now();
        let is_operators = self.operators.has(name);
        // What only looks like an operator's name is nobody's.
        let is_like_one = !is_operators && self.operators.has_like(name);
        if is_like_one || !self.lock().names.claim(name, identity, now) {
            return Err(self.taken(name, now).into());
        }
        // An operator's name belongs to the first who bore it, present or not.
        if is_operators {
            let bound = match self.store.operator(name.key()).await {
                Ok(None) => self.store.bind_operator(name.key(), identity).await,
                Ok(Some(bound)) => Ok(bound),
                Err(error) => Err(error),
            };
            if !matches!(bound, Ok(bound) if bound == identity) {
                self.lock().names.release(name, identity);
                bound?;
                return Err(self.taken(name, now).into());
            }
        }
        Ok(())
    }

    /// The refusal of a name, with the first free one like it.
    fn taken(&self, name: &UserName, now: Instant) -> Refusal {
        let state = self.lock();
        let is_free = |name: &UserName| {
            state.names.holder(name, now).is_none() && !self.operators.has_like(name)
        };
        let like_it = (2..1000).map(|n| name.numbered(n)).find(is_free);
        let refusal = Refusal::new(RefusalCode::NameTaken).with(name);
        match like_it {
            Some(free) => refusal.with(free),
            None => refusal,
        }
    }

    pub(super) fn attend(
        &self,
        session: SessionId,
        record: &IdentityRecord,
        is_owner: bool,
        status: Status,
        outbox: &Arc<Outbox>,
    ) -> Result<(), Refusal> {
        let now = Instant::now();
        let mut state = self.lock();
        // Between the claim and now another session of the same person may have gone, and somebody else have come.
        if !state.names.claim(&record.name, record.id, now) {
            drop(state);
            return Err(self.taken(&record.name, now));
        }
        self.sessions.fetch_add(1, Ordering::Relaxed);
        let bucket = state
            .buckets
            .remove(&record.id)
            .unwrap_or_else(|| Bucket::full(&self.limits, now.into_std()));
        let attending = state.people.entry(record.id).or_insert_with(|| Attending {
            name: record.name.clone(),
            secret: record.secret,
            is_owner,
            via: record.via,
            status,
            typed_at: None,
            sessions: HashMap::new(),
            bucket,
        });
        attending.name = record.name.clone();
        attending.sessions.insert(session, Arc::downgrade(outbox));
        Ok(())
    }

    /// A session has ended. After a lost link the person stays present, and their name theirs, for a while.
    pub async fn depart(
        self: &Arc<Self>,
        who: &Admitted,
        rooms: Vec<RoomId>,
        how: Departure,
    ) -> Result<(), StoreError> {
        let departed = self.let_go(who, rooms, how).await;
        // Counted to the end, so that the store is not closed before what they leave behind is written.
        self.sessions.fetch_sub(1, Ordering::Relaxed);
        departed
    }

    async fn let_go(
        self: &Arc<Self>,
        who: &Admitted,
        rooms: Vec<RoomId>,
        how: Departure,
    ) -> Result<(), StoreError> {
        let identity = who.author.id;
        if let Some(guest) = &who.guest {
            return self.remove_guest(guest, who.session, &rooms).await;
        }
        let secret = self.secret_of(identity);
        let _turn = match secret {
            Some(secret) => Some(self.turns.take(secret).await),
            None => None,
        };
        let left = self.detach(who.session, identity, how);
        self.departs_from(who.session, identity, &rooms, how).await;
        if how == Departure::Lost {
            tokio::spawn(Arc::clone(self).grace(who.clone(), rooms, now_ms()));
        }
        match left {
            Some(left) if how == Departure::Clean => self.note_absence(identity, left).await,
            // A server that is stopping leaves them marked as present: the next one holds their names.
            _ => Ok(()),
        }
    }

    /// The hash of the secret of somebody who has a session.
    fn secret_of(&self, identity: IdentityId) -> Option<SecretHash> {
        let state = self.lock();
        state.people.get(&identity).map(|it| it.secret)
    }

    /// Tells rooms that a session is no longer there.
    pub(super) async fn departs_from(
        &self,
        session: SessionId,
        identity: IdentityId,
        rooms: &[RoomId],
        how: Departure,
    ) {
        for room in rooms {
            let depart = RoomMsg::Depart {
                session,
                identity,
                how,
            };
            self.notify(*room, depart).await;
        }
    }

    /// Takes a session off; gives back the identity if it was its last one. Name and presence change together.
    pub(super) fn detach(
        &self,
        session: SessionId,
        identity: IdentityId,
        how: Departure,
    ) -> Option<Attending> {
        let now = Instant::now();
        let mut state = self.lock();
        let attending = state.people.get_mut(&identity)?;
        attending.sessions.remove(&session);
        if !attending.sessions.is_empty() {
            return None;
        }
        let left = state.people.remove(&identity)?;
        state
            .buckets
            .retain(|_, bucket| !bucket.is_full(&self.limits, now.into_std()));
        state.buckets.insert(identity, left.bucket);
        match how {
            // Their name is theirs as long as their connection lasts.
            _ if left.via.is_bridge() => {}
            Departure::Clean => state.names.release(&left.name, identity),
            Departure::Lost => state.names.hold(&left.name, identity, now + NAME_HOLD),
        }
        Some(left)
    }

    /// Waits for somebody whose link broke; when they do not come back they are gone, and later their name is free.
    async fn grace(self: Arc<Self>, who: Admitted, rooms: Vec<RoomId>, lost_ms: u64) {
        let identity = who.author.id;
        sleep(GRACE).await;
        for room in rooms {
            self.notify(
                room,
                RoomMsg::Expire {
                    identity,
                    lost: who.session,
                },
            )
            .await;
        }
        sleep(NAME_HOLD.saturating_sub(GRACE)).await;
        if let Err(error) = self.note_lost(identity, lost_ms).await {
            self.fatal.raise(&error);
        }
    }

    /// Notes that somebody whose link broke has gone, unless they are back, or were and have lost another link since.
    async fn note_lost(&self, identity: IdentityId, lost_ms: u64) -> Result<(), StoreError> {
        let Some(IdentityRecord { secret, .. }) = self.store.identity(identity).await? else {
            return Ok(());
        };
        let _turn = self.turns.take(secret).await;
        // They may have another name by now.
        let Some(record) = self.store.identity(identity).await? else {
            return Ok(());
        };
        let is_over = {
            let state = self.lock();
            let holder = state.names.exact_holder(&record.name, Instant::now());
            !state.people.contains_key(&identity) && holder != Some(identity)
        };
        if !is_over {
            return Ok(());
        }
        let gone = IdentityRecord {
            present: false,
            ..record
        };
        self.note_at(gone, lost_ms).await
    }

    async fn note_absence(&self, identity: IdentityId, left: Attending) -> Result<(), StoreError> {
        let record = IdentityRecord {
            id: identity,
            secret: left.secret,
            name: left.name,
            present: false,
            via: Via::Tchat,
        };
        self.note(record).await
    }

    /// Notes who is present. Where the disk is full it goes unnoted: nobody is kept out for that.
    async fn note(&self, record: IdentityRecord) -> Result<(), StoreError> {
        self.note_at(record, now_ms()).await
    }

    /// The same, of somebody who was last here at a time.
    async fn note_at(&self, record: IdentityRecord, seen_ms: u64) -> Result<(), StoreError> {
        match self.store.put_identity(record, seen_ms).await {
            Err(StoreError::Full) => Ok(()),
            noted => noted,
        }
    }

    /// Gives somebody who has a session another name. `answer` is called with who they are then, before anybody can change it again.
    ///
    /// # Errors
    /// The name is bad, taken or kept; the store failed.
    pub async fn rename(
        &self,
        identity: IdentityId,
        asked: &str,
        answer: impl FnOnce(&Author) + Send,
    ) -> Result<Author, AdmitError> {
        let name = valid(asked)?;
        let gone = || Refusal::new(RefusalCode::Unauthenticated);
        let secret = self.secret_of(identity).ok_or_else(gone)?;
        let _turn = self.turns.take(secret).await;
        // Another session of theirs may have been faster.
        let old = self.author(identity).ok_or_else(gone)?;
        if name.as_str() == old.name {
            answer(&old);
            return Ok(old);
        }
        let before = UserName::kept(old.name.clone());
        self.claim(&name, identity).await?;
        let record = IdentityRecord {
            id: identity,
            secret,
            name: name.clone(),
            present: true,
            via: Via::Tchat,
        };
        // On the disk before anybody hears of it: a name that could not be kept is not taken.
        if let Err(error) = self.store.put_identity(record, now_ms()).await {
            let mut state = self.lock();
            state.names.release(&name, identity);
            state.names.claim(&before, identity, Instant::now());
            drop(state);
            return Err(error.into());
        }
        {
            let mut state = self.lock();
            if let Some(attending) = state.people.get_mut(&identity) {
                attending.name = name.clone();
            }
            if before.skeleton() != name.skeleton() {
                state.names.release(&before, identity);
            }
        }
        self.announce_rename(&old, &name).await?;
        let you = Author {
            id: identity,
            name: name.to_string(),
        };
        answer(&you);
        Ok(you)
    }

    /// A name is an attribute that changes by an entry in every room its bearer is a member of.
    async fn announce_rename(&self, old: &Author, name: &UserName) -> Result<(), StoreError> {
        for room in self
            .store
            .memberships(old.id)
            .await?
            .into_iter()
            .take(RENAMES)
        {
            let body = Body::Renamed(name.to_string());
            self.send(
                room.id,
                RoomMsg::Announce(Post {
                    author: old.clone(),
                    client_id: None,
                    body,
                    mentions: Vec::new(),
                }),
            )
            .await;
        }
        let you = Author {
            id: old.id,
            name: name.to_string(),
        };
        self.tell(old.id, &Event::Named { request: 0, you });
        Ok(())
    }

    /// The identity of a secret that was let in before.
    ///
    /// # Errors
    /// The secret is unknown; the store failed.
    pub async fn known(&self, secret: &Secret) -> Result<IdentityId, AdmitError> {
        let known = self.store.identity_of(secret.hash()).await?;
        Ok(known
            .ok_or_else(|| Refusal::new(RefusalCode::Unauthenticated))?
            .id)
    }

    /// Whether somebody owns the preset rooms.
    pub fn role(&self, identity: IdentityId) -> Role {
        let is_owner = self
            .lock()
            .people
            .get(&identity)
            .is_some_and(|attending| attending.is_owner);
        if is_owner { Role::Owner } else { Role::Member }
    }
}
