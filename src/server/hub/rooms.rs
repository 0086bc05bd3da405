//! Rooms: finding, creating and starting them.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{AdmitError, Hub, charging, random_bytes};
use crate::chat::RoomPreset;
use crate::chat::{
    Author, Body, Changes, Digest, Entry, Epoch, IdentityId, Limit, NameError, NewRoom, Post,
    Refusal, RefusalCode, Role, RoomId, RoomInfo, RoomKind, RoomName, RoomRules, Seq, Skeleton,
    Stamp, digest,
};
use crate::server::clock::LogClock;
use crate::server::room::mailbox::{RoomMsg, RoomQuery};
use crate::server::room::task::{self, RoomHandle};
use crate::server::store::{Append, RoomRecord, Store, StoreError};
use crate::text;
use crate::wire::Event;

/// Creates the preset rooms that do not exist, and updates the others.
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
        // A secret room with the same name belongs to somebody and is left alone.
        let is_same_room = |record: &&RoomRecord| {
            record.kind != RoomKind::Secret && record.key.as_ref() == Some(&key)
        };
        if let Some(record) = known.iter().find(is_same_room) {
            let record = RoomRecord {
                topic: preset.topic.clone(),
                capacity: preset.capacity,
                position,
                ..record.clone()
            };
            match store.update_room(record).await {
                // The room can still be used, with its old topic.
                Err(StoreError::Full) => {}
                updated => updated?,
            }
        } else {
            let record = RoomRecord {
                id: RoomId::new(random_bytes()),
                kind: RoomKind::Public,
                name: preset.name.to_string(),
                key: Some(key),
                topic: preset.topic.clone(),
                capacity: preset.capacity,
                position,
                epoch: Epoch::new(random_bytes()),
                pair: None,
                rules: RoomRules::default(),
            };
            let created = first_append(&record, server.clone(), Vec::new(), clock.stamp());
            store.create_room(record, created).await?;
        }
    }
    Ok(())
}

impl Hub {
    pub(super) async fn role_in(&self, room: RoomId, identity: IdentityId) -> Option<Role> {
        self.ask(room, |reply| RoomQuery::Role { identity, reply })
            .await
            .flatten()
    }

    /// Resolves a room name for a person. An empty name means the home room.
    ///
    /// A secret room may have the same name as another room, so that outsiders cannot find out that it exists. For people who may enter
    /// the secret room the name means the secret room: a message for a few people must not be posted to many.
    ///
    /// # Errors
    /// No room that they may know of has this name.
    pub async fn find(&self, name: &str, asker: IdentityId) -> Result<RoomId, Refusal> {
        let unknown = || Refusal::new(RefusalCode::RoomUnknown).with(name);
        let directory = &self.rooms.directory;
        if name.is_empty() {
            return directory.home().ok_or_else(unknown);
        }
        let key = RoomName::new(name).map_err(|_| unknown())?.key();
        let mut open = None;
        for record in directory.rooms_named(&key) {
            if record.kind != RoomKind::Secret {
                open = Some(record.id);
            } else if self.may_enter(record.id, asker).await {
                return Ok(record.id);
            }
        }
        open.ok_or_else(unknown)
    }

    /// Whether a person is in a room, or may join it as far as invitations are concerned.
    async fn may_enter(&self, room: RoomId, identity: IdentityId) -> bool {
        self.ask(room, |reply| RoomQuery::MayEnter { identity, reply })
            .await
            .unwrap_or(false)
    }

    /// Whether a room is the home room, where everybody starts.
    pub fn is_home(&self, room: RoomId) -> bool {
        self.rooms.directory.home() == Some(room)
    }

    /// Creates a room owned by its maker. A secret room does not block its name for people who may not enter it.
    ///
    /// # Errors
    /// The name is invalid, or belongs to a room that the maker may know of; the maker or the server has too many
    /// rooms; or the store failed.
    pub async fn create(&self, maker: &Author, wanted: NewRoom) -> Result<RoomInfo, AdmitError> {
        let name =
            RoomName::new(&wanted.name).map_err(|error| invalid_name(&wanted.name, error))?;
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
        self.check_room_limits(maker.id).await?;
        let record = RoomRecord {
            id: RoomId::new(random_bytes()),
            kind: wanted.kind,
            name: name.to_string(),
            key: Some(name.key()),
            topic: wanted.topic,
            capacity: wanted.capacity,
            position: u32::MAX,
            epoch: Epoch::new(random_bytes()),
            pair: None,
            rules: RoomRules::default(),
        };
        let now = self.rooms.clock.stamp();
        let mut created = first_append(&record, maker.clone(), Vec::new(), now);
        created.changes.members.insert(maker.id, Some(Role::Owner));
        created.changes.topic = Some(record.topic.clone());
        match self.store.create_room(record.clone(), created).await {
            // Somebody created the same room at the same moment.
            Err(StoreError::Conflict) => return Err(exists().into()),
            made => made?,
        }
        self.rooms.directory.add(record.clone());
        tracing::info!(name = %text::line(&maker.name), room = %record.log_name(), kind = ?record.kind, "created");
        let room = RoomInfo {
            role: Some(Role::Owner),
            ..room_info(&record, 0, None)
        };
        let event = Event::RoomChanged {
            request: 0,
            room: room.clone(),
        };
        self.notify_person(maker.id, &event);
        Ok(room)
    }

    /// Checks that a person may own one more room, and the server may have one more.
    async fn check_room_limits(&self, maker: IdentityId) -> Result<(), AdmitError> {
        let in_all = self.rooms.directory.rooms().len();
        let owned = match self.quotas.get(Limit::RoomsOwned) {
            Some(_) => self.store.rooms_owned(maker).await?,
            None => 0,
        };
        for (limit, count) in [(Limit::RoomsOwned, owned), (Limit::Rooms, in_all)] {
            if let Some(most) = self.quotas.get(limit)
                && count >= usize::try_from(most).unwrap_or(usize::MAX)
            {
                return Err(charging::full(limit, most).into());
            }
        }
        Ok(())
    }

    /// Sends an invitation to a person, if they have a session and do not ignore the inviter.
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
            let settings = self.store.personal(person).await?.settings;
            if settings.ignores(by.id) {
                return Ok(());
            }
            let room = self.describe(&record, person).await?;
            let by = Some(by);
            self.notify_person(person, &Event::Invitation { room, by });
        }
        Ok(())
    }

    /// Returns a room's description as one person sees it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn describe(
        &self,
        record: &RoomRecord,
        viewer: IdentityId,
    ) -> Result<RoomInfo, StoreError> {
        let peer = match record.pair {
            Some((low, high)) => Some(
                self.author_of(if low == viewer { high } else { low })
                    .await?,
            ),
            None => None,
        };
        let request = match record.pair {
            Some(_) => self.request_in(record.id, viewer).await?,
            None => None,
        };
        Ok(RoomInfo {
            role: self.role_in(record.id, viewer).await,
            request,
            ..room_info(record, self.present_in(record.id).await, peer)
        })
    }

    pub async fn author_of(&self, identity: IdentityId) -> Result<Author, StoreError> {
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

    /// Returns the number of people present in a room; 0 if the room is not running.
    pub(super) async fn present_in(&self, room: RoomId) -> u32 {
        let Some(handle) = self.lock().running.get(&room).cloned() else {
            return 0;
        };
        let (reply, answer) = oneshot::channel();
        if handle
            .mailbox
            .send(RoomQuery::Count(reply).into())
            .await
            .is_err()
        {
            return 0;
        }
        answer.await.unwrap_or(0)
    }

    /// Posts a line to the home room for the server itself, under the name `name`. The post causes no join or leave, and mentions nobody. A
    /// line that the word filter refuses is not posted.
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

    /// Sends a message to a room's mailbox. Starts the room if it is not running.
    pub async fn send(&self, room: RoomId, message: RoomMsg) {
        // If the room ends between the look-up and the reservation, it is started again. Eight times in a row is not expected.
        for _ in 0..8 {
            let handle = self.room_handle(room);
            if let Ok(permit) = handle.mailbox.reserve().await {
                permit.send(message);
                return;
            }
        }
    }

    /// Sends a message to a room's mailbox if the room is running. Used for messages that matter only to people who are present.
    pub async fn notify(&self, room: RoomId, message: RoomMsg) {
        let handle = self.lock().running.get(&room).cloned();
        if let Some(handle) = handle {
            // Nobody is present in a room that has just ended, so a failed send is ignored.
            drop(handle.mailbox.send(message).await);
        }
    }

    /// Sends a message with a reply channel to a room, and waits for the reply. Returns nothing if the room does not
    /// exist.
    pub async fn ask<T, M: Into<RoomMsg>>(
        &self,
        room: RoomId,
        message: impl FnOnce(oneshot::Sender<T>) -> M,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(room, message(reply).into()).await;
        answer.await.ok()
    }

    fn room_handle(&self, room: RoomId) -> RoomHandle {
        let mut state = self.lock();
        let old = state.running.get(&room);
        if let Some(handle) = old
            && !handle.mailbox.is_closed()
        {
            return handle.clone();
        }
        let predecessor = old.map(|handle| handle.ended.clone());
        if state.running.len() == state.running.capacity() {
            // Before the map grows, rooms that have ended are removed.
            state
                .running
                .retain(|_, handle| !handle.ended.is_cancelled());
        }
        let handle = task::start(room, &self.rooms, predecessor);
        state.running.insert(room, handle.clone());
        handle
    }
}

pub(super) fn room_info(record: &RoomRecord, present: u32, peer: Option<Author>) -> RoomInfo {
    RoomInfo {
        id: record.id,
        kind: record.kind,
        name: record.name.clone(),
        topic: record.topic.clone(),
        capacity: record.capacity,
        present,
        peer,
        role: None,
        rules: record.rules,
        request: None,
        last: None,
    }
}

fn invalid_name(name: &str, error: NameError) -> Refusal {
    let what = match error {
        NameError::Empty => "empty",
        NameError::TooLong { .. } => "length",
        NameError::Character(_) | NameError::Mixed | NameError::Reserved => "character",
    };
    Refusal::new(RefusalCode::RoomNameInvalid)
        .with(name)
        .with(what)
}

/// Returns the append with a new room's first entry and its first members.
pub(super) fn first_append(
    record: &RoomRecord,
    author: Author,
    members: Vec<IdentityId>,
    at: Stamp,
) -> Append {
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
