//! Posts and requests that are not answered yet.

use std::collections::{HashMap, VecDeque};

use crate::chat::{ClientId, InstanceId};
use crate::client::OutgoingPost;
use crate::tui::event::Effect;

#[derive(Clone, Debug)]
pub struct Posting {
    /// The user's posts that are unanswered or failed.
    pub pending: VecDeque<OutgoingPost>,
    /// Commands that were posted, as they were typed, until they are answered.
    pub commands: HashMap<ClientId, String>,
    /// The request whose answer we wait for, and the command that was typed for it.
    pub awaited_request: Option<(Effect, String)>,
    /// The instance part of the client ids of our posts.
    pub instance: InstanceId,
    /// The counter part of the next client id.
    pub counter: u64,
}

impl Posting {
    pub(super) fn new() -> Self {
        Self {
            pending: VecDeque::new(),
            commands: HashMap::new(),
            awaited_request: None,
            instance: InstanceId::new([0; 16]),
            counter: 1,
        }
    }

    /// Returns the client id for the next post.
    pub fn next_client_id(&mut self) -> ClientId {
        let counter = self.counter;
        self.counter += 1;
        ClientId {
            instance: self.instance,
            counter,
        }
    }
}
