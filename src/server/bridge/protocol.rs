//! The foreign protocols behind one type: each call goes to the protocol of the client.
//!
//! A protocol does no I/O and reads no clock. It knows neither rooms nor sessions.

use bytes::Bytes;

use super::exchange::{Ending, Moment, News, Step, seconds};
use super::{chat, gochat, service, user, websocket};
use crate::chat::{Entry, Via};

/// One client's side of a foreign protocol.
#[derive(Debug)]
pub enum Tongue {
    User(user::User),
    Gochat(gochat::Gochat),
    Chat(chat::Chat),
    Service(service::Service),
    WebSocket,
}

impl Tongue {
    pub fn via(&self) -> Via {
        match self {
            Self::User(_) => Via::User,
            Self::Gochat(_) => Via::Gochat,
            Self::Chat(_) => Via::Chat,
            Self::Service(_) => Via::Service,
            Self::WebSocket => Via::WebSocket,
        }
    }

    /// A message from the client, encoded.
    pub fn hear(&mut self, message: &[u8], at: Moment) -> Vec<Step> {
        let steps = match self {
            Self::User(user) => user.hear(message, at),
            Self::Gochat(gochat) => gochat.hear(message),
            Self::Chat(chat) => chat.hear(message),
            Self::Service(service) => service.hear(message),
            Self::WebSocket => websocket::hear(message),
        };
        steps.unwrap_or_else(|_| vec![Step::Leave(Ending::Malformed)])
    }

    /// The client will send nothing more.
    pub fn hear_end(&mut self) -> Vec<Step> {
        match self {
            Self::User(_) => vec![Step::Leave(Ending::Eof)],
            Self::Gochat(_) | Self::Service(_) | Self::WebSocket => {
                vec![Step::Leave(Ending::Done)]
            }
            Self::Chat(chat) => chat.hear_end(),
        }
    }

    pub fn tell(&mut self, news: News<'_>, at: Moment) -> Vec<Step> {
        match self {
            Self::User(_) => user::tell(news, at),
            Self::Gochat(gochat) => gochat.tell(news),
            Self::Chat(chat) => chat.tell(news, at),
            // Its client knows nothing but greetings; what it should be told, and cannot be, is counted.
            Self::Service(_) => match news {
                News::Refused(_) | News::Notice(_) => vec![Step::Ignore],
                _ => Vec::new(),
            },
            Self::WebSocket => websocket::tell(news),
        }
    }

    /// What everybody in the room is sent of an entry; empty: nothing.
    pub fn entry(&self, entry: &Entry, count: u32) -> Bytes {
        let at = Moment {
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

    /// Whether whoever says something gets it back.
    pub fn echoes(&self) -> bool {
        !matches!(self, Self::Gochat(_))
    }
}
