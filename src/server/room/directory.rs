//! The directory of rooms that have a name, for lookup and listing. The rooms themselves keep it up to date. It does not check who may know
//! of a room.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chat::{NameKey, RoomId, RoomKind, RoomRules};
use crate::server::store::RoomRecord;

#[derive(Debug, Default)]
pub struct Directory {
    rooms: Mutex<Listed>,
}

#[derive(Debug, Default)]
struct Listed {
    /// In list order.
    records: Vec<RoomRecord>,
    ids: HashSet<RoomId>,
}

impl Directory {
    pub fn new(mut rooms: Vec<RoomRecord>) -> Self {
        rooms.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
        Self {
            rooms: Mutex::new(Listed {
                ids: rooms.iter().map(|record| record.id).collect(),
                records: rooms,
            }),
        }
    }

    /// Returns all rooms, as they are now.
    pub fn rooms(&self) -> Vec<RoomRecord> {
        self.lock().records.clone()
    }

    /// Whether it has a room with this id. Conversations are not in it.
    pub fn contains(&self, id: RoomId) -> bool {
        self.lock().ids.contains(&id)
    }

    /// Returns the room that new people start in.
    pub fn home(&self) -> Option<RoomId> {
        self.lock().records.first().map(|record| record.id)
    }

    /// Returns the rooms with this name. At most one of them is not secret.
    pub fn rooms_named(&self, key: &NameKey) -> Vec<RoomRecord> {
        let rooms = self.lock();
        let named = rooms
            .records
            .iter()
            .filter(|it| it.key.as_ref() == Some(key));
        named.cloned().collect()
    }

    pub fn add(&self, record: RoomRecord) {
        let mut rooms = self.lock();
        let is_before = |other: &RoomRecord| sort_key(other) < sort_key(&record);
        let place = rooms.records.partition_point(is_before);
        rooms.ids.insert(record.id);
        rooms.records.insert(place, record);
    }

    pub fn remove(&self, id: RoomId) {
        let mut rooms = self.lock();
        rooms.records.retain(|record| record.id != id);
        rooms.ids.remove(&id);
    }

    pub fn set_topic(&self, id: RoomId, topic: &str) {
        let mut rooms = self.lock();
        if let Some(record) = rooms.records.iter_mut().find(|record| record.id == id) {
            topic.clone_into(&mut record.topic);
        }
    }

    pub fn set_rules(&self, id: RoomId, rules: RoomRules) {
        let mut rooms = self.lock();
        if let Some(record) = rooms.records.iter_mut().find(|record| record.id == id) {
            record.rules = rules;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Listed> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the sort key of the list: preset rooms come first, and a secret room after an open one of the same name.
pub fn sort_key(record: &RoomRecord) -> (u32, &str, bool, RoomId) {
    let is_secret = record.kind == RoomKind::Secret;
    (record.position, &record.name, is_secret, record.id)
}
