//! The bus: orders the posts of each room. Posts are published to it, and every node receives them in the same order.
//! It does not interpret posts.
//!
//! The contract, which the suite in `tests/it/bus.rs` checks:
//! 1. Each batch published to a room reaches each of its followers once and in the same order, from the moment it starts to follow.
//! 2. [`Bus::publish`] is bounded: it waits while a follower is too far behind.
//! 3. A room's follower ends when the bus ends.

pub mod local;

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::chat::{Post, RoomId, Stamp};

/// Posts that are ordered together. Their outcome depends only on the batch and on the room's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// When the publisher accepted them.
    pub at: Stamp,
    pub posts: Vec<Post>,
}

/// How many batches may be on their way to a follower.
pub const IN_FLIGHT: usize = 8;

#[async_trait]
pub trait Bus: Send + Sync + std::fmt::Debug {
    /// Publishes a batch to be ordered.
    ///
    /// # Errors
    /// The bus has stopped; it is unknown whether the batch was ordered.
    async fn publish(&self, room: RoomId, batch: Batch) -> Result<(), BusError>;

    /// Returns the batches of a room from now on, in order.
    fn follow(&self, room: RoomId) -> mpsc::Receiver<Batch>;
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the bus has stopped")]
pub struct BusError;
