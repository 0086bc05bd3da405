//! The bus of a single server: one bounded channel per room.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::{Batch, Bus, BusError, IN_FLIGHT};
use crate::chat::RoomId;

/// A bus within one process. A room has one follower and receives its posts in the order they were published.
#[derive(Debug, Default)]
pub struct LocalBus {
    rooms: Mutex<HashMap<RoomId, mpsc::Sender<Batch>>>,
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, room: RoomId, batch: Batch) -> Result<(), BusError> {
        let sender = self
            .rooms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&room)
            .cloned();
        sender
            .ok_or(BusError)?
            .send(batch)
            .await
            .map_err(|_| BusError)
    }

    fn follow(&self, room: RoomId) -> mpsc::Receiver<Batch> {
        let (sender, receiver) = mpsc::channel(IN_FLIGHT);
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.len() == rooms.capacity() {
            // Before the map grows, the channels of rooms that have ended are removed.
            rooms.retain(|_, sender| !sender.is_closed());
        }
        rooms.insert(room, sender);
        receiver
    }
}
