//! `gochat.ChatService`: one room. The first message names the user, and a message with a target is private. Clients do not receive their
//! own messages.

use bytes::Bytes;
use prost::{DecodeError, Message};

use super::exchange::{Ending, Notification, Step};
use super::notices;
use super::proto::gochat::ChatMessage;
use crate::chat::{Entry, Via};

/// One client.
#[derive(Debug, Default)]
pub struct Gochat {
    has_entered: bool,
    /// The post in the first message, if it has one besides the user's name.
    first: Option<Step>,
}

impl Gochat {
    pub(super) fn on_message(&mut self, message: &[u8]) -> Result<Vec<Step>, DecodeError> {
        let message = ChatMessage::decode(message)?;
        // Its clients send empty lines too.
        let post = (!message.content.trim().is_empty()).then(|| Step::Post {
            to: Some(message.targetname).filter(|name| !name.is_empty()),
            text: message.content,
        });
        if self.has_entered {
            return Ok(post.into_iter().collect());
        }
        self.has_entered = true;
        self.first = post;
        Ok(vec![Step::Enter {
            name: message.username,
            room: String::new(),
            number: None,
        }])
    }

    pub(super) fn on_event(&mut self, news: Notification<'_>) -> Vec<Step> {
        match news {
            Notification::Joined { .. } => self.first.take().into_iter().collect(),
            Notification::NotIn(refusal) => vec![
                notice(notices::refusal(refusal)),
                Step::Leave(Ending::Refused),
            ],
            // A gochat client posts its own join message.
            Notification::Came(person) if person.via == Via::Gochat => Vec::new(),
            Notification::Came(person) => vec![say(&person.name, "", notices::GOCHAT_CAME.into())],
            Notification::Went(person) => vec![say(&person.name, "", notices::GOCHAT_WENT.into())],
            Notification::Private { entry, name } => {
                let said = notices::said(entry);
                said.map(|(by, text)| say(by, name, text))
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
    notices::said(entry).map_or_else(Bytes::new, |(by, text)| encoded(by, "", text))
}

/// Makes a notice. It has no target, because the client would show a message with one as private.
fn notice(text: String) -> Step {
    say(notices::SYSTEM, "", text)
}

fn say(by: &str, to: &str, text: String) -> Step {
    Step::Say(encoded(by, to, text))
}

fn encoded(by: &str, to: &str, text: String) -> Bytes {
    let message = ChatMessage {
        username: by.to_owned(),
        targetname: to.to_owned(),
        content: text,
    };
    message.encode_to_vec().into()
}
