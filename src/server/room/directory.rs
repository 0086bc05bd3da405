//! The directory of rooms that have a name, for lookup and listing. The rooms themselves keep it up to date. It does not check who may know
//! of a room.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chat::{NameKey, RoomId, RoomKind};
use crate::server::store::RoomRecord;

#[derive(Debug, Default)]
pub struct Directory {
    /// In list order.
    rooms: Mutex<Vec<RoomRecord>>,
}

impl Directory {
    pub fn new(mut rooms: Vec<RoomRecord>) -> Self {
        rooms.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
        Self {
            rooms: Mutex::new(rooms),
        }
    }

    /// Returns all rooms, as they are now.
    pub fn rooms(&self) -> Vec<RoomRecord> {
        self.lock().clone()
    }

    /// Returns the room that new people start in.
    pub fn home(&self) -> Option<RoomId> {
        self.lock().first().map(|record| record.id)
    }

    /// Returns the rooms with this name. At most one of them is not secret.
    pub fn rooms_named(&self, key: &NameKey) -> Vec<RoomRecord> {
        let rooms = self.lock();
        let named = rooms.iter().filter(|it| it.key.as_ref() == Some(key));
        named.cloned().collect()
    }

    pub fn add(&self, record: RoomRecord) {
        let mut rooms = self.lock();
        let place = rooms.partition_point(|other| sort_key(other) < sort_key(&record));
        rooms.insert(place, record);
    }

    pub fn remove(&self, id: RoomId) {
        self.lock().retain(|record| record.id != id);
    }

    pub fn set_topic(&self, id: RoomId, topic: &str) {
        if let Some(record) = self.lock().iter_mut().find(|record| record.id == id) {
            topic.clone_into(&mut record.topic);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RoomRecord>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the sort key of the list: preset rooms come first, and a secret room after an open one of the same name.
pub fn sort_key(record: &RoomRecord) -> (u32, &str, bool, RoomId) {
    let is_secret = record.kind == RoomKind::Secret;
    (record.position, &record.name, is_secret, record.id)
}
