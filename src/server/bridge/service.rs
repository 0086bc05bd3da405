//! `service.v1.Service`: answers every name with a greeting at once, and posts the name to the room.

use prost::{DecodeError, Message};

use super::action::BridgeAction;
use super::proto::service::{ChatReq, ChatRsp};

/// One client.
#[derive(Debug, Default)]
pub struct Service {
    has_entered: bool,
    /// The client only receives greetings. It joins no room, and its requests are not posted.
    is_hidden: bool,
}

impl Service {
    /// Creates a client whose requests are not posted to the room.
    pub fn hidden() -> Self {
        Self {
            is_hidden: true,
            ..Self::default()
        }
    }

    pub(super) fn on_message(&mut self, message: &[u8]) -> Result<Vec<BridgeAction>, DecodeError> {
        let ChatReq { name } = ChatReq::decode(message)?;
        let greeting = ChatRsp {
            message: format!("Hello {name}"),
        };
        // The greeting is sent at once, because the client waits only a second for five of them.
        let mut steps = vec![BridgeAction::Send(greeting.encode_to_vec().into())];
        if self.is_hidden {
            return Ok(steps);
        }
        if !self.has_entered {
            self.has_entered = true;
            steps.push(BridgeAction::Enter {
                name: String::new(),
                room: String::new(),
                number: None,
            });
        }
        steps.push(BridgeAction::Post {
            to: None,
            text: name,
        });
        Ok(steps)
    }
}
