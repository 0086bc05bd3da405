//! The order of posts: where they are published, and where every node gets them back in the one order of their room.
//!
//! Contract, held by the suite in `tests/it/bus.rs`:
//! 1. What is published to a room comes back to each of its followers, in one order, once, from the moment it follows.
//! 2. [`Bus::publish`] is bounded: it waits while a follower is too far behind.
//! 3. A room's follower ends when the bus does.

pub mod local;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::chat::{Post, RoomId, Stamp};

/// Posts that are ordered together. What becomes of them depends on nothing else that the publisher knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// When the publisher took them.
    pub at: Stamp,
    pub posts: Vec<Post>,
}

/// Batches that may be on their way to a follower.
pub const IN_FLIGHT: usize = 8;

#[async_trait]
pub trait Bus: Send + Sync + std::fmt::Debug {
    /// Hands a batch over to be ordered.
    ///
    /// # Errors
    /// The bus is gone; whether the batch was ordered is unknown.
    async fn publish(&self, room: RoomId, batch: Batch) -> Result<(), BusError>;

    /// The batches of a room from now on, in order.
    fn follow(&self, room: RoomId) -> mpsc::Receiver<Batch>;
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the bus is gone")]
pub struct BusError;
