//! Rooms: which run, which there are, and the conversation of two people.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Hub, Preset, now_ms, random_id};
use crate::chat::{
    Author, Body, Digest, Entry, Epoch, IdentityId, Refusal, RefusalCode, Role, RoomId, RoomInfo,
    RoomKind, RoomName, Seq, digest,
};
use crate::server::room::mailbox::RoomMsg;
use crate::server::room::task::{self, RoomHandle};
use crate::server::store::{Append, RoomRecord, StoreError, pair};
use crate::wire::Event;

impl Hub {
    pub(super) async fn set_up_rooms(&self, presets: &[Preset]) -> Result<(), StoreError> {
        let known = self.store.public_rooms().await?;
        for (position, preset) in presets.iter().enumerate() {
            let position = u32::try_from(position).unwrap_or(u32::MAX - 1);
            let key = preset.name.key();
            if let Some(record) = known
                .iter()
                .find(|record| record.key.as_ref() == Some(&key))
            {
                let record = RoomRecord {
                    topic: preset.topic.clone(),
                    capacity: preset.capacity,
                    position,
                    ..record.clone()
                };
                match self.store.update_room(record).await {
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
                // Nobody made it but the server itself, which is no person and has the server's id.
                let server = Author {
                    id: IdentityId::new(*self.server_id.bytes()),
                    name: "tchat".into(),
                };
                self.store
                    .create_room(record.clone(), created(&record, server, Vec::new()))
                    .await?;
            }
        }
        let directory = self.store.public_rooms().await?;
        self.lock().directory = directory;
        Ok(())
    }

    /// The public rooms with the people present in each.
    pub async fn list(&self) -> Vec<RoomInfo> {
        let directory = self.lock().directory.clone();
        let mut rooms = Vec::with_capacity(directory.len());
        for record in &directory {
            rooms.push(info(record, self.present_in(record.id).await, None));
        }
        rooms
    }

    /// The public room of a name; no name means the one everybody begins in.
    pub fn find(&self, name: &str) -> Result<RoomId, Refusal> {
        let unknown = || Refusal::new(RefusalCode::RoomUnknown).with(name);
        let state = self.lock();
        if name.is_empty() {
            return state
                .directory
                .first()
                .map(|record| record.id)
                .ok_or_else(unknown);
        }
        let key = RoomName::new(name).map_err(|_| unknown())?.key();
        state
            .directory
            .iter()
            .find(|record| record.key.as_ref() == Some(&key))
            .map(|record| record.id)
            .ok_or_else(unknown)
    }

    /// Whether a room is the one everybody begins in.
    pub fn is_home(&self, room: RoomId) -> bool {
        self.lock()
            .directory
            .first()
            .is_some_and(|record| record.id == room)
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
        Ok(info(record, self.present_in(record.id).await, peer))
    }

    async fn named(&self, identity: IdentityId) -> Result<Author, StoreError> {
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
        if handle.mailbox.send(RoomMsg::Count(reply)).await.is_err() {
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
        let members = vec![(opener.id, Some(Role::Member)), (other, Some(Role::Member))];
        match self
            .store
            .create_room(record.clone(), created(&record, opener.clone(), members))
            .await
        {
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
    pub async fn ask<T>(
        &self,
        room: RoomId,
        message: impl FnOnce(oneshot::Sender<T>) -> RoomMsg,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.send(room, message(reply)).await;
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
        let handle = task::start(
            room,
            Arc::clone(&self.store),
            Arc::clone(&self.bus),
            self.fatal.clone(),
            Arc::clone(&self.retention),
            predecessor,
        );
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
    }
}

/// The first entry of a room.
fn created(
    record: &RoomRecord,
    author: Author,
    members: Vec<(IdentityId, Option<Role>)>,
) -> Append {
    let body = Body::Created;
    let entry = Entry {
        room: record.id,
        epoch: record.epoch,
        seq: Seq(1),
        digest: digest(Digest::default(), Seq(1), author.id, None, &body),
        at_ms: now_ms(),
        author,
        client_id: None,
        body,
    };
    Append {
        room: record.id,
        entries: Arc::new(vec![entry]),
        members,
    }
}
