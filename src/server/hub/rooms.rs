//! Rooms: which run, which there are, and the conversation of two people.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::{AdmitError, Hub, random_id};
use crate::chat::RoomPreset;
use crate::chat::{
    Author, Body, Changes, Digest, Entry, Epoch, IdentityId, LastLine, NameError, NewRoom, Post,
    Refusal, RefusalCode, Role, RoomId, RoomInfo, RoomKind, RoomName, Seq, Skeleton, Stamp, digest,
};
use crate::server::clock::LogClock;
use crate::server::room::mailbox::{Question, RoomMsg};
use crate::server::room::task::{self, RoomHandle};
use crate::server::store::{Append, RoomRecord, Store, StoreError, pair};
use crate::text;
use crate::wire::Event;

/// Rooms that were made by people somebody may be in when they make another.
const OWNED: usize = 64;
/// Code points told of the last line of a room.
const LAST: usize = 200;

/// Makes the preset rooms that are not there, and brings the others up to date.
pub(super) async fn set_up(
    store: &dyn Store,
    presets: &[RoomPreset],
    server: &Author,
    clock: &LogClock,
) -> Result<(), StoreError> {
    let known = store.named_rooms().await?;
    for (position, preset) in presets.iter().enumerate() {
        let position = u32::try_from(position).unwrap_or(u32::MAX - 1);
        let key = preset.name.key();
        // A secret room of the same name is somebody's own, and stays it.
        let is_it = |record: &&RoomRecord| {
            record.kind != RoomKind::Secret && record.key.as_ref() == Some(&key)
        };
        if let Some(record) = known.iter().find(is_it) {
            let record = RoomRecord {
                topic: preset.topic.clone(),
                capacity: preset.capacity,
                position,
                ..record.clone()
            };
            match store.update_room(record).await {
                // The room is there all the same, with the topic it had.
                Err(StoreError::Full) => {}
                updated => updated?,
            }
        } else {
            let record = RoomRecord {
                id: RoomId::new(random_id()),
                kind: RoomKind::Public,
                name: preset.name.to_string(),
                key: Some(key),
                topic: preset.topic.clone(),
                capacity: preset.capacity,
                position,
                epoch: Epoch::new(random_id()),
                pair: None,
            };
            let created = first(&record, server.clone(), Vec::new(), clock.stamp());
            store.create_room(record, created).await?;
        }
    }
    Ok(())
}

impl Hub {
    /// The rooms somebody may know of, with the people present in each and what was said last where they may read it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&self, viewer: IdentityId) -> Result<Vec<RoomInfo>, StoreError> {
        let mine: HashSet<RoomId> = self
            .store
            .memberships(viewer)
            .await?
            .into_iter()
            .map(|record| record.id)
            .collect();
        let bans = self.store.bans(viewer).await?;
        let now = self.rooms.clock.stamp().log_ms;
        let is_banned = |room: RoomId| {
            bans.iter()
                .any(|(of, until)| *of == room && until.holds(now))
        };
        let mut rooms = Vec::new();
        for record in self.rooms.directory.rooms() {
            let is_mine = mine.contains(&record.id);
            if record.kind == RoomKind::Secret && !is_mine {
                continue;
            }
            let mut info = info(&record, self.present_in(record.id).await, None);
            if is_mine || (record.kind == RoomKind::Public && !is_banned(record.id)) {
                info.last = self.store.last_said(record.id).await?.map(last_line);
            }
            if is_mine {
                info.role = self.role_in(record.id, viewer).await;
            }
            rooms.push(info);
        }
        Ok(rooms)
    }

    /// The public rooms with the people present in each, for those who have no rooms of their own.
    pub async fn list_public(&self) -> Vec<RoomInfo> {
        let mut rooms = Vec::new();
        for record in self.rooms.directory.rooms() {
            if record.kind == RoomKind::Public {
                rooms.push(info(&record, self.present_in(record.id).await, None));
            }
        }
        rooms
    }

    pub(super) async fn role_in(&self, room: RoomId, identity: IdentityId) -> Option<Role> {
        self.ask(room, |reply| Question::Role { identity, reply })
            .await
            .flatten()
    }

    /// The room somebody means by a name; no name means the one everybody begins in.
    ///
    /// A secret room shares its name with any other room, so that nobody outside finds out that it is there. Whoever may enter it means
    /// it, and not the other: what is meant for few must not be said to many.
    ///
    /// # Errors
    /// They can mean none.
    pub async fn find(&self, name: &str, asker: IdentityId) -> Result<RoomId, Refusal> {
        let unknown = || Refusal::new(RefusalCode::RoomUnknown).with(name);
        let directory = &self.rooms.directory;
        if name.is_empty() {
            return directory.home().ok_or_else(unknown);
        }
        let key = RoomName::new(name).map_err(|_| unknown())?.key();
        let mut open = None;
        for record in directory.named(&key) {
            if record.kind != RoomKind::Secret {
                open = Some(record.id);
            } else if self.may_enter(record.id, asker).await {
                return Ok(record.id);
            }
        }
        open.ok_or_else(unknown)
    }

    /// Whether somebody is in a room, or may come in as far as invitations go.
    async fn may_enter(&self, room: RoomId, identity: IdentityId) -> bool {
        self.ask(room, |reply| Question::MayEnter { identity, reply })
            .await
            .unwrap_or(false)
    }

    /// Whether a room is the one everybody begins in.
    pub fn is_home(&self, room: RoomId) -> bool {
        self.rooms.directory.home() == Some(room)
    }

    /// Makes a room; its maker owns it. Secret rooms are in nobody's way who may not enter them.
    ///
    /// # Errors
    /// The name is none, or is that of a room the maker may know of; the store failed.
    pub async fn create(&self, maker: &Author, wanted: NewRoom) -> Result<RoomInfo, AdmitError> {
        let name = RoomName::new(&wanted.name).map_err(|error| invalid(&wanted.name, error))?;
        let exists = || Refusal::new(RefusalCode::RoomExists).with(&name);
        let skeleton = name.skeleton();
        let looks_like = |record: &RoomRecord| {
            let other = record.key.as_ref().map(Skeleton::from);
            other.is_some_and(|other| other == skeleton)
        };
        let rooms = self.rooms.directory.rooms().into_iter();
        for record in rooms.filter(looks_like) {
            let is_secret = record.kind == RoomKind::Secret;
            if !is_secret || self.may_enter(record.id, maker.id).await {
                return Err(exists().into());
            }
        }
        let mut owned = 0;
        for record in self.store.memberships(maker.id).await? {
            let is_made = record.key.is_some() && !record.is_preset();
            owned += usize::from(is_made);
        }
        if owned >= OWNED {
            return Err(Refusal::new(RefusalCode::TooManyRooms).with(OWNED).into());
        }
        let record = RoomRecord {
            id: RoomId::new(random_id()),
            kind: wanted.kind,
            name: name.to_string(),
            key: Some(name.key()),
            topic: wanted.topic,
            capacity: wanted.capacity,
            position: u32::MAX,
            epoch: Epoch::new(random_id()),
            pair: None,
        };
        let now = self.rooms.clock.stamp();
        let mut created = first(&record, maker.clone(), Vec::new(), now);
        created.changes.members.insert(maker.id, Some(Role::Owner));
        created.changes.topic = Some(record.topic.clone());
        match self.store.create_room(record.clone(), created).await {
            // Somebody made one at the same moment.
            Err(StoreError::Conflict) => return Err(exists().into()),
            made => made?,
        }
        self.rooms.directory.add(record.clone());
        tracing::info!(name = %text::line(&maker.name), room = %record.log_name(), kind = ?record.kind, "created");
        let room = RoomInfo {
            role: Some(Role::Owner),
            ..info(&record, 0, None)
        };
        let event = Event::RoomChanged {
            request: 0,
            room: room.clone(),
        };
        self.tell(maker.id, &event);
        Ok(room)
    }

    /// Tells somebody who is here that they were invited.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn notify_invited(
        &self,
        person: IdentityId,
        by: Author,
        room: RoomId,
    ) -> Result<(), StoreError> {
        let rooms = self.rooms.directory.rooms();
        let record = rooms.into_iter().find(|record| record.id == room);
        if let Some(record) = record.filter(|_| self.author(person).is_some()) {
            let room = self.describe(&record, person).await?;
            let by = Some(by);
            self.tell(person, &Event::Invitation { room, by });
        }
        Ok(())
    }

    /// A room's record as one of its members sees it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn describe(
        &self,
        record: &RoomRecord,
        viewer: IdentityId,
    ) -> Result<RoomInfo, StoreError> {
        let peer = match record.pair {
            Some((low, high)) => Some(self.named(if low == viewer { high } else { low }).await?),
            None => None,
        };
        Ok(RoomInfo {
            role: self.role_in(record.id, viewer).await,
            ..info(record, self.present_in(record.id).await, peer)
        })
    }

    pub async fn named(&self, identity: IdentityId) -> Result<Author, StoreError> {
        if let Some(author) = self.author(identity) {
            return Ok(author);
        }
        let record = self.store.identity(identity).await?;
        Ok(Author {
            id: identity,
            name: record
                .map(|record| record.name.to_string())
                .unwrap_or_default(),
        })
    }

    /// The people present in a room; none if it does not run.
    async fn present_in(&self, room: RoomId) -> u32 {
        let Some(handle) = self.lock().running.get(&room).cloned() else {
            return 0;
        };
        let (reply, answer) = oneshot::channel();
        if handle
            .mailbox
            .send(Question::Count(reply).into())
            .await
            .is_err()
        {
            return 0;
        }
        answer.await.unwrap_or(0)
    }

    /// Finds or makes the conversation of two people; a new one is announced to every session of both.
    ///
    /// # Errors
    /// The store failed.
    pub async fn conversation(
        &self,
        opener: &Author,
        other: IdentityId,
    ) -> Result<RoomRecord, StoreError> {
        if let Some(record) = self.store.conversation(opener.id, other).await? {
            return Ok(record);
        }
        let record = RoomRecord {
            id: RoomId::new(random_id()),
            kind: RoomKind::Conversation,
            name: String::new(),
            key: None,
            topic: String::new(),
            capacity: 0,
            position: u32::MAX,
            epoch: Epoch::new(random_id()),
            pair: Some(pair(opener.id, other)),
        };
        let members = vec![opener.id, other];
        let created = first(&record, opener.clone(), members, self.rooms.clock.stamp());
        match self.store.create_room(record.clone(), created).await {
            Ok(()) => {}
            Err(StoreError::Conflict) => {
                // The other opened it at the same moment.
                return self
                    .store
                    .conversation(opener.id, other)
                    .await?
                    .ok_or(StoreError::Conflict);
            }
            Err(error) => return Err(error),
        }
        for identity in [opener.id, other] {
            let room = self.describe(&record, identity).await?;
            self.tell(identity, &Event::RoomChanged { request: 0, room });
        }
        Ok(record)
    }

    /// Says a line in the room everybody begins in, for the server itself but under a name of its own. Nobody joins or leaves for it,
    /// and it mentions nobody. A line with a word that is refused here is not said.
    pub async fn announce(&self, name: &str, mut line: String) {
        let Some(room) = self.rooms.directory.home() else {
            return;
        };
        if self.filter.mask(&mut line).is_err() {
            return;
        }
        let post = Post {
            author: Author {
                id: self.rooms.server.id,
                name: name.to_owned(),
            },
            client_id: None,
            body: Body::Text(line),
            mentions: Vec::new(),
        };
        self.send(room, RoomMsg::Announce(post)).await;
    }

    /// Sends to a room, which is started if it does not run.
    pub async fn send(&self, room: RoomId, message: RoomMsg) {
        // A room that ends between the look-up and the reservation is started anew; that it ends again and again in that
        // moment is not to be expected.
        for _ in 0..8 {
            let handle = self.running(room);
            if let Ok(permit) = handle.mailbox.reserve().await {
                permit.send(message);
                return;
            }
        }
    }

    /// Sends to a room if it runs: what matters only to those present.
    pub async fn notify(&self, room: RoomId, message: RoomMsg) {
        let handle = self.lock().running.get(&room).cloned();
        if let Some(handle) = handle {
            // A room that has just ended has nobody to be told.
            drop(handle.mailbox.send(message).await);
        }
    }

    /// Asks a room; nothing if there is no such room.
    pub async fn ask<T, M: Into<RoomMsg>>(
        &self,
        room: RoomId,
        message: impl FnOnce(oneshot::Sender<T>) -> M,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(room, message(reply).into()).await;
        answer.await.ok()
    }

    fn running(&self, room: RoomId) -> RoomHandle {
        let mut state = self.lock();
        let old = state.running.get(&room);
        if let Some(handle) = old
            && !handle.mailbox.is_closed()
        {
            return handle.clone();
        }
        let predecessor = old.map(|handle| handle.ended.clone());
        if state.running.len() == state.running.capacity() {
            // Before the map grows, what belongs to rooms that have ended goes.
            state
                .running
                .retain(|_, handle| !handle.ended.is_cancelled());
        }
        let handle = task::start(room, &self.rooms, predecessor);
        state.running.insert(room, handle.clone());
        handle
    }
}

fn info(record: &RoomRecord, present: u32, peer: Option<Author>) -> RoomInfo {
    RoomInfo {
        id: record.id,
        kind: record.kind,
        name: record.name.clone(),
        topic: record.topic.clone(),
        capacity: record.capacity,
        present,
        peer,
        role: None,
        last: None,
    }
}

fn last_line(entry: Entry) -> LastLine {
    LastLine {
        author: entry.author.name,
        text: entry.body.text().chars().take(LAST).collect(),
        at_ms: entry.at_ms,
    }
}

fn invalid(name: &str, error: NameError) -> Refusal {
    let what = match error {
        NameError::Empty => "empty",
        NameError::TooLong { .. } => "length",
        NameError::Character(_) | NameError::Mixed | NameError::Reserved => "character",
    };
    Refusal::new(RefusalCode::RoomNameInvalid)
        .with(name)
        .with(what)
}

/// The first entry of a room, and its first members.
fn first(record: &RoomRecord, author: Author, members: Vec<IdentityId>, at: Stamp) -> Append {
    let body = Body::Created;
    let entry = Entry {
        room: record.id,
        epoch: record.epoch,
        seq: Seq(1),
        digest: digest(Digest::default(), Seq(1), author.id, None, &body),
        at_ms: at.at_ms,
        author,
        client_id: None,
        body,
        mentions: Vec::new(),
        amended: None,
    };
    Append {
        room: record.id,
        at,
        entries: Arc::new(vec![entry]),
        changes: Changes {
            members: members
                .into_iter()
                .map(|id| (id, Some(Role::Member)))
                .collect(),
            ..Changes::default()
        },
    }
}
