//! The bus of a server that stands alone: one bounded channel a room.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::{Batch, Bus, BusError, IN_FLIGHT};
use crate::chat::RoomId;

/// One process: a room has one follower, and the order of publishing is the order.
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
            // Before the map grows, what belongs to rooms that have ended goes.
            rooms.retain(|_, sender| !sender.is_closed());
        }
        rooms.insert(room, sender);
        receiver
    }
}
