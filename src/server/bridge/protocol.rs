//! The foreign protocols behind one type, which passes each method call on to the protocol of the client.
//!
//! A protocol does no I/O and reads no clock. It knows neither rooms nor sessions.

use bytes::Bytes;

use super::action::{BridgeAction, Ending, EventTime, Notification, seconds};
use super::{chat, gochat, service, user, websocket};
use crate::chat::{Entry, Via};

/// One client's side of a foreign protocol.
#[derive(Debug)]
pub enum Protocol {
    User(user::User),
    Gochat(gochat::Gochat),
    Chat(chat::Chat),
    Service(service::Service),
    WebSocket,
}

impl Protocol {
    pub fn via(&self) -> Via {
        match self {
            Self::User(_) => Via::User,
            Self::Gochat(_) => Via::Gochat,
            Self::Chat(_) => Via::Chat,
            Self::Service(_) => Via::Service,
            Self::WebSocket => Via::WebSocket,
        }
    }

    /// Handles an encoded message from the client.
    pub fn on_message(&mut self, message: &[u8], at: EventTime) -> Vec<BridgeAction> {
        let steps = match self {
            Self::User(user) => user.on_message(message, at),
            Self::Gochat(gochat) => gochat.on_message(message),
            Self::Chat(chat) => chat.on_message(message),
            Self::Service(service) => service.on_message(message),
            Self::WebSocket => websocket::on_message(message),
        };
        steps.unwrap_or_else(|_| vec![BridgeAction::Leave(Ending::Malformed)])
    }

    /// Handles the end of the client's messages.
    pub fn on_end(&mut self) -> Vec<BridgeAction> {
        match self {
            Self::User(_) => vec![BridgeAction::Leave(Ending::Eof)],
            Self::Gochat(_) | Self::Service(_) | Self::WebSocket => {
                vec![BridgeAction::Leave(Ending::Done)]
            }
            Self::Chat(chat) => chat.on_end(),
        }
    }

    pub fn on_event(&mut self, news: Notification<'_>, at: EventTime) -> Vec<BridgeAction> {
        match self {
            Self::User(_) => user::on_event(news, at),
            Self::Gochat(gochat) => gochat.on_event(news),
            Self::Chat(chat) => chat.on_event(news, at),
            // Its clients understand only greetings. Refusals and notices, which they cannot show, are counted.
            Self::Service(_) => match news {
                Notification::Refused(_) | Notification::Notice(_) => vec![BridgeAction::Ignore],
                _ => Vec::new(),
            },
            Self::WebSocket => websocket::on_event(news),
        }
    }

    /// Encodes an entry as everybody in the room receives it. Empty if the protocol does not show such entries.
    pub fn entry(&self, entry: &Entry, count: u32) -> Bytes {
        let at = EventTime {
            seconds: seconds(entry.at_ms),
            count,
        };
        match self {
            Self::User(_) => user::entry(entry, at),
            Self::Gochat(_) => gochat::entry(entry),
            Self::Chat(_) => chat::entry(entry, at),
            Self::Service(_) => Bytes::new(),
            Self::WebSocket => websocket::entry(entry),
        }
    }

    /// Whether clients receive their own messages.
    pub fn echoes(&self) -> bool {
        !matches!(self, Self::Gochat(_))
    }
}
