//! `service.v1.Service`: every name is greeted at once, and people in the room see what was asked.

use prost::{DecodeError, Message};

use super::exchange::Step;
use super::proto::service::{ChatReq, ChatRsp};

/// One client.
#[derive(Debug, Default)]
pub struct Service {
    has_entered: bool,
    /// It is greeted and nothing else: it joins no room, and nobody sees what it asks.
    is_unseen: bool,
}

impl Service {
    /// A client that nobody sees.
    pub fn unseen() -> Self {
        Self {
            is_unseen: true,
            ..Self::default()
        }
    }

    pub(super) fn on_message(&mut self, message: &[u8]) -> Result<Vec<Step>, DecodeError> {
        let ChatReq { name } = ChatReq::decode(message)?;
        let greeting = ChatRsp {
            message: format!("Hello {name}"),
        };
        // The greeting waits for nothing: its client gives it a second for five of them.
        let mut steps = vec![Step::Say(greeting.encode_to_vec().into())];
        if self.is_unseen {
            return Ok(steps);
        }
        if !self.has_entered {
            self.has_entered = true;
            steps.push(Step::Enter {
                name: String::new(),
                room: String::new(),
                number: None,
            });
        }
        steps.push(Step::Post {
            to: None,
            text: name,
        });
        Ok(steps)
    }
}
