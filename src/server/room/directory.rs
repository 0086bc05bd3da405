//! The rooms that have a name: found by it, and listed to whoever may know of them. Kept up to date by the rooms themselves.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chat::{NameKey, RoomId};
use crate::server::store::RoomRecord;

#[derive(Debug, Default)]
pub struct Directory {
    /// In the order they are listed.
    rooms: Mutex<Vec<RoomRecord>>,
}

impl Directory {
    pub fn new(mut rooms: Vec<RoomRecord>) -> Self {
        rooms.sort_by(|one, other| order(one).cmp(&order(other)));
        Self {
            rooms: Mutex::new(rooms),
        }
    }

    /// All rooms, as they are now.
    pub fn rooms(&self) -> Vec<RoomRecord> {
        self.lock().clone()
    }

    /// The room everybody begins in.
    pub fn home(&self) -> Option<RoomId> {
        self.lock().first().map(|record| record.id)
    }

    /// The rooms of a name: at most one that is not secret.
    pub fn named(&self, key: &NameKey) -> Vec<RoomRecord> {
        let rooms = self.lock();
        let named = rooms.iter().filter(|it| it.key.as_ref() == Some(key));
        named.cloned().collect()
    }

    pub fn add(&self, record: RoomRecord) {
        let mut rooms = self.lock();
        let place = rooms.partition_point(|other| order(other) < order(&record));
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

/// Preset rooms come first.
fn order(record: &RoomRecord) -> (u32, &str) {
    (record.position, &record.name)
}
