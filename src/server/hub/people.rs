//! People with an account: admitting them again, their names, and what happens when their sessions end.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::account_names::FORMER_KEPT;
use super::admission::Rights;
use super::admission::{AdmitError, Admitted};
use super::names::parse_name;
use super::{AttachedSession, Caller, GRACE, Hub, PresentPerson, charging};
use crate::chat::{
    AccountOrigin, Author, Body, IdentityId, Limit, Post, Refusal, RefusalCode, Role, RoomId,
    SessionId, Stamp, Status, UserName, Via,
};
use crate::server::room::attendance::Departure;
use crate::server::room::mailbox::RoomMsg;
use crate::server::store::{IdentityRecord, StoreError};
use crate::wire::Event;

/// Maximum number of rooms that get an entry for a rename. In the others, the next message shows the new name.
const RENAMES: usize = 512;
/// How often a person may change their name in a day. Each change reserves a name.
const RENAMES_A_DAY: usize = 5;
/// Retry delay for a session beyond a limit.
const SESSION_RETRY: Duration = Duration::from_secs(2);
const DAY: Duration = Duration::from_hours(24);

/// Whether somebody may claim an operator's name that is not bound to an account yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entitled {
    Yes,
    No,
}

impl Hub {
    /// Whether an account exists.
    pub fn exists(&self, account: IdentityId) -> bool {
        self.lock().accounts.contains_key(&account)
    }

    /// Whether an account was registered openly, so that it may be anybody's.
    pub(super) fn is_stranger(&self, account: IdentityId) -> bool {
        self.lock().accounts.get(&account) == Some(&AccountOrigin::Open)
    }

    /// Admits a known person: under their own name or, if somebody else has taken it in the meantime, under the
    /// requested one.
    pub(super) async fn readmit(
        &self,
        known: IdentityRecord,
        asked: &str,
    ) -> Result<IdentityRecord, AdmitError> {
        let mut record = known.clone();
        let now = Instant::now();
        let is_theirs = self.lock().names.claim(&known.name, known.id, now);
        if !is_theirs {
            let other = parse_name(asked)?;
            if other.key() == known.name.key() {
                return Err(self.name_taken(&known.name, now).into());
            }
            self.claim(&other, known.id, Entitled::No).await?;
            record.name = other;
        }
        self.store_presence(record.clone()).await?;
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

    pub(super) async fn claim(
        &self,
        name: &UserName,
        identity: IdentityId,
        entitled: Entitled,
    ) -> Result<(), AdmitError> {
        let now = Instant::now();
        let is_operators = self.operators.has(name);
        // Nobody may use a name that only looks like an operator's name.
        let is_like_one = !is_operators && self.operators.has_lookalike(name);
        if is_like_one || !self.lock().names.claim(name, identity, now) {
            return Err(self.name_taken(name, now).into());
        }
        // An operator's name belongs to one account, even while its person is absent. Until an owner has assigned it to
        // an account, it is reserved.
        if is_operators {
            let bound = self.store.operator(name.key()).await;
            let is_theirs = match &bound {
                Ok(Some(bound)) => *bound == identity,
                Ok(None) => entitled == Entitled::Yes,
                Err(_) => false,
            };
            if !is_theirs {
                self.lock().names.release(name, identity);
                return Err(match bound? {
                    Some(_) => self.name_taken(name, now),
                    None => Refusal::new(RefusalCode::NameReserved)
                        .with(name)
                        .with("operator"),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Whether an account has an operator's name that is bound to it.
    pub(super) async fn is_operator(&self, account: &IdentityRecord) -> Result<bool, StoreError> {
        if !self.operators.has(&account.name) {
            return Ok(false);
        }
        let bound = self.store.operator(account.name.key()).await?;
        Ok(bound == Some(account.id))
    }

    /// Binds an operator's name to an account, unless it is bound to another one. Does nothing for other names.
    pub(super) async fn bind_operator(
        &self,
        name: &UserName,
        account: IdentityId,
    ) -> Result<(), StoreError> {
        if self.operators.has(name) {
            self.store.bind_operator(name.key(), account).await?;
        }
        Ok(())
    }

    /// Returns the refusal for a taken name, with a free name as a suggestion.
    fn name_taken(&self, name: &UserName, now: Instant) -> Refusal {
        let state = self.lock();
        let is_free = |name: &UserName| {
            state.names.holder(name, now).is_none() && !self.operators.has_lookalike(name)
        };
        let like_it = (2..1000).map(|n| name.numbered(n)).find(is_free);
        let refusal = Refusal::new(RefusalCode::NameTaken).with(name);
        match like_it {
            Some(free) => refusal.with(free),
            None => refusal,
        }
    }

    pub(super) fn add_session(
        &self,
        (session, attached): (SessionId, AttachedSession),
        record: &IdentityRecord,
        rights: Rights,
        status: Status,
    ) -> Result<(), Refusal> {
        let now = Instant::now();
        let mut state = self.lock();
        // Since the claim, another session of this person may have ended and somebody else may have taken the name.
        if !state.names.claim(&record.name, record.id, now) {
            drop(state);
            return Err(self.name_taken(&record.name, now));
        }
        let sessions = state.people.get(&record.id);
        let sessions = sessions.map_or(0, |it| it.sessions.len());
        let limit = match state.accounts.get(&record.id) {
            Some(AccountOrigin::Bot) => Some(Limit::BotSessions),
            Some(_) => Some(Limit::Sessions),
            // A guest, whose connections are charged to their address.
            None => None,
        };
        let own = limit.map(|limit| (limit, sessions));
        let in_all = self.quotas.get(Limit::SessionsInAll);
        // The user who runs the server always gets in, and strangers never take all sessions.
        let is_host = limit.is_some() && attached.from.is_empty();
        let all = in_all
            .map(|most| (most, self.sessions()))
            .filter(|_| !is_host);
        let strangers = in_all.filter(|_| attached.is_stranger);
        let strangers = strangers.map(|most| (most.div_ceil(2), state.stranger_sessions));
        let own = own.and_then(|(limit, count)| Some((limit, self.quotas.get(limit)?, count)));
        let in_all = all.into_iter().chain(strangers);
        let in_all = in_all.map(|(most, count)| (Limit::SessionsInAll, most, count));
        for (limit, most, count) in own.into_iter().chain(in_all) {
            if count >= usize::try_from(most).unwrap_or(usize::MAX) {
                return Err(charging::full(limit, most).retry_after(SESSION_RETRY));
            }
        }
        state.stranger_sessions += usize::from(attached.is_stranger);
        self.sessions.fetch_add(1, Ordering::Relaxed);
        let attending = state
            .people
            .entry(record.id)
            .or_insert_with(|| PresentPerson {
                name: record.name.clone(),
                is_owner: rights.owns_rooms,
                status,
                typed_at: None,
                sessions: HashMap::new(),
            });
        attending.name = record.name.clone();
        attending.is_owner |= rights.owns_rooms;
        let credentials = attached.credentials;
        attending.sessions.insert(session, attached);
        if let Some((token, device)) = credentials {
            let person = record.id;
            state.tokens.insert(token, Caller { person, device });
        }
        Ok(())
    }

    /// Ends a session. If its connection broke, the person stays present and keeps their name for a while.
    pub async fn depart(
        self: &Arc<Self>,
        who: &Admitted,
        rooms: Vec<RoomId>,
        how: Departure,
    ) -> Result<(), StoreError> {
        let departed = self.end_session(who, rooms, how).await;
        // Counted until here, so that the store is not closed before the changes of this departure are written.
        self.sessions.fetch_sub(1, Ordering::Relaxed);
        departed
    }

    async fn end_session(
        self: &Arc<Self>,
        who: &Admitted,
        rooms: Vec<RoomId>,
        how: Departure,
    ) -> Result<(), StoreError> {
        let identity = who.author.id;
        if let Some(guest) = &who.guest {
            return self.remove_guest(guest, who.session, &rooms).await;
        }
        let _lock = self.person_locks.lock(identity).await;
        let left = self.remove_session(who.session, identity);
        self.notify_departure(who.session, identity, &rooms, how)
            .await;
        if how == Departure::Lost {
            let lost = self.rooms.clock.stamp();
            tokio::spawn(Arc::clone(self).grace(who.clone(), rooms, lost));
        }
        match left {
            Some(left) if how == Departure::Clean => self.store_absence(identity, left).await,
            _ => Ok(()),
        }
    }

    /// Notifies rooms that a session has ended.
    pub(super) async fn notify_departure(
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

    /// Removes a session and its token. If it was the last session of its person, returns that person.
    pub(super) fn remove_session(
        &self,
        session: SessionId,
        identity: IdentityId,
    ) -> Option<PresentPerson> {
        let mut state = self.lock();
        let attending = state.people.get_mut(&identity)?;
        let removed = attending.sessions.remove(&session);
        let is_last = attending.sessions.is_empty();
        if let Some(removed) = removed {
            state.stranger_sessions -= usize::from(removed.is_stranger);
            if let Some((token, _)) = removed.credentials {
                state.tokens.remove(&token);
            }
        }
        if !is_last {
            return None;
        }
        state.people.remove(&identity)
    }

    /// Waits for a person whose connection broke. If they do not come back, their presence ends.
    async fn grace(self: Arc<Self>, who: Admitted, rooms: Vec<RoomId>, lost: Stamp) {
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
        if let Err(error) = self.store_absence_if_gone(identity, lost).await {
            self.fatal.raise(&error);
        }
    }

    /// Stores when a person whose connection broke was last here, unless they are back.
    async fn store_absence_if_gone(
        &self,
        identity: IdentityId,
        lost: Stamp,
    ) -> Result<(), StoreError> {
        let _lock = self.person_locks.lock(identity).await;
        if self.lock().people.contains_key(&identity) {
            return Ok(());
        }
        match self.store.identity(identity).await? {
            Some(record) => self.store_presence_at(record, lost).await,
            None => Ok(()),
        }
    }

    async fn store_absence(
        &self,
        identity: IdentityId,
        left: PresentPerson,
    ) -> Result<(), StoreError> {
        let record = IdentityRecord {
            id: identity,
            name: left.name,
            via: Via::Tchat,
        };
        self.store_presence(record).await
    }

    /// Stores that a person is here. A full disk is ignored, because it must not keep anybody from connecting.
    async fn store_presence(&self, record: IdentityRecord) -> Result<(), StoreError> {
        self.store_presence_at(record, self.rooms.clock.stamp())
            .await
    }

    /// Like [`Hub::store_presence`], with the time when the person was last here.
    async fn store_presence_at(
        &self,
        record: IdentityRecord,
        seen: Stamp,
    ) -> Result<(), StoreError> {
        match self.store.put_identity(record, seen).await {
            Err(StoreError::Full) => Ok(()),
            noted => noted,
        }
    }

    /// Renames a person who has a session. Calls `answer` with their new name before anybody can change it again.
    ///
    /// # Errors
    /// The name is invalid, taken or reserved; or the store failed.
    pub async fn rename(
        &self,
        identity: IdentityId,
        asked: &str,
        answer: impl FnOnce(&Author) + Send,
    ) -> Result<Author, AdmitError> {
        let name = parse_name(asked)?;
        let gone = || Refusal::new(RefusalCode::Unauthenticated);
        let _lock = self.person_locks.lock(identity).await;
        // Read under the lock, because another session of theirs may just have renamed them.
        let old = self.author(identity).ok_or_else(gone)?;
        if !self.exists(identity) {
            return Err(gone().into());
        }
        if name.as_str() == old.name {
            answer(&old);
            return Ok(old);
        }
        let before = UserName::from_stored(old.name.clone());
        self.check_renames(identity)?;
        self.claim(&name, identity, Entitled::No).await?;
        let record = IdentityRecord {
            id: identity,
            name: name.clone(),
            via: Via::Tchat,
        };
        // Stored before anybody sees it. If that fails, the old name stays.
        if let Err(error) = self.store_rename(record, &before, None).await {
            let mut state = self.lock();
            state.names.release(&name, identity);
            state.names.claim(&before, identity, Instant::now());
            drop(state);
            return Err(error.into());
        }
        self.lock()
            .renames
            .entry(identity)
            .or_default()
            .push(Instant::now());
        self.complete_rename(&old, &name).await?;
        let you = Author {
            id: identity,
            name: name.to_string(),
        };
        answer(&you);
        Ok(you)
    }

    /// Checks that an account was not renamed too often, so that it cannot reserve many names.
    fn check_renames(&self, account: IdentityId) -> Result<(), Refusal> {
        let mut state = self.lock();
        let now = Instant::now();
        state.renames.retain(|_, renamed| {
            renamed.retain(|at| now.duration_since(*at) < DAY);
            !renamed.is_empty()
        });
        let Some(renamed) = state.renames.get(&account) else {
            return Ok(());
        };
        match renamed.first() {
            Some(first) if renamed.len() >= RENAMES_A_DAY => {
                let retry_after = DAY.saturating_sub(now.duration_since(*first));
                let refusal = Refusal::new(RefusalCode::TooMany);
                let refusal = refusal.with("renames").with(RENAMES_A_DAY);
                Err(refusal.retry_after(retry_after))
            }
            _ => Ok(()),
        }
    }

    /// Announces the new name of an account, which is already stored, and reserves the old one for it.
    pub(super) async fn complete_rename(
        &self,
        old: &Author,
        name: &UserName,
    ) -> Result<(), StoreError> {
        {
            let mut state = self.lock();
            if let Some(attending) = state.people.get_mut(&old.id) {
                attending.name = name.clone();
            }
            let before = UserName::from_stored(old.name.clone());
            if before.skeleton() != name.skeleton() {
                let until = Instant::now() + FORMER_KEPT;
                state.names.keep_former(&before, old.id, until);
            }
        }
        self.announce_rename(old, name).await
    }

    /// Adds a Renamed entry to every room of which the person is a member, and notifies their sessions.
    async fn announce_rename(&self, old: &Author, name: &UserName) -> Result<(), StoreError> {
        let hidden = self.store.conversations_of(old.id).await?;
        let rooms = self.store.memberships(old.id).await?.into_iter();
        let shown = rooms.filter(|room| !hidden.iter().any(|(id, _)| *id == room.id));
        for room in shown.take(RENAMES) {
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
        self.notify_person(old.id, &Event::NameChanged { request: 0, you });
        Ok(())
    }

    /// Returns a person's role in the preset rooms: Owner or Member.
    pub fn role(&self, identity: IdentityId) -> Role {
        let is_owner = self
            .lock()
            .people
            .get(&identity)
            .is_some_and(|attending| attending.is_owner);
        if is_owner { Role::Owner } else { Role::Member }
    }
}
