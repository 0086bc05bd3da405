//! `gochat.ChatService`: one room. The first message names the user, and a message with a target is private. Clients do not receive their
//! own messages.

use bytes::Bytes;
use prost::{DecodeError, Message};

use super::action::{BridgeAction, Ending, Notification};
use super::notices;
use super::proto::gochat::ChatMessage;
use crate::chat::{Entry, Via};

/// One client.
#[derive(Debug, Default)]
pub struct Gochat {
    has_entered: bool,
    /// The post in the first message, if it has one besides the user's name.
    first: Option<BridgeAction>,
}

impl Gochat {
    pub(super) fn on_message(&mut self, message: &[u8]) -> Result<Vec<BridgeAction>, DecodeError> {
        let message = ChatMessage::decode(message)?;
        // gochat clients also send empty lines.
        let post = (!message.content.trim().is_empty()).then(|| BridgeAction::Post {
            to: Some(message.targetname).filter(|name| !name.is_empty()),
            text: message.content,
        });
        if self.has_entered {
            return Ok(post.into_iter().collect());
        }
        self.has_entered = true;
        self.first = post;
        Ok(vec![BridgeAction::Enter {
            name: message.username,
            room: String::new(),
            number: None,
        }])
    }

    pub(super) fn on_event(&mut self, news: Notification<'_>) -> Vec<BridgeAction> {
        match news {
            Notification::Joined { .. } => self.first.take().into_iter().collect(),
            Notification::NotAdmitted(refusal) => vec![
                notice(notices::refusal(refusal)),
                BridgeAction::Leave(Ending::Refused),
            ],
            // A gochat client posts its own join message.
            Notification::PersonJoined(person) if person.via == Via::Gochat => Vec::new(),
            Notification::PersonJoined(person) => {
                vec![send_step(&person.name, "", notices::GOCHAT_JOINED.into())]
            }
            Notification::PersonLeft(person) => {
                vec![send_step(&person.name, "", notices::GOCHAT_LEFT.into())]
            }
            Notification::Private { entry, name } => {
                let said = notices::message_of(entry);
                said.map(|(by, text)| send_step(by, name, text))
                    .into_iter()
                    .collect()
            }
            Notification::Refused(refusal) => vec![notice(notices::refusal(refusal))],
            Notification::Notice(text) => vec![notice(text.to_owned())],
            // Clients do not receive their own messages.
            Notification::SentPrivately { .. } | Notification::People(_) => Vec::new(),
        }
    }
}

pub fn entry(entry: &Entry) -> Bytes {
    notices::message_of(entry).map_or_else(Bytes::new, |(by, text)| encoded(by, "", text))
}

/// Makes a notice. It has no target, because the client would show a message with one as private.
fn notice(text: String) -> BridgeAction {
    send_step(notices::SYSTEM, "", text)
}

fn send_step(by: &str, to: &str, text: String) -> BridgeAction {
    BridgeAction::Send(encoded(by, to, text))
}

fn encoded(by: &str, to: &str, text: String) -> Bytes {
    let message = ChatMessage {
        username: by.to_owned(),
        targetname: to.to_owned(),
        content: text,
    };
    message.encode_to_vec().into()
}
