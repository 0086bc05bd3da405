//! What all foreign protocols have in common, as values: what a client asks for, and what it has to hear of.
//!
//! A tongue does no I/O and reads no clock. It knows neither rooms nor sessions, only its own protocol.

use bytes::Bytes;

use super::{chat, gochat, service, user, websocket};
use crate::chat::{Entry, Person, Refusal, Via};

/// What is to be done for a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Send a message of its protocol.
    Say(Bytes),
    /// Come in under a name and join a room; no name: any that is free, no room: the one everybody begins in.
    Enter {
        name: String,
        room: String,
        /// What the protocol knows the person by.
        number: Option<i64>,
    },
    /// Post to the room, or to somebody.
    Post { to: Option<String>, text: String },
    /// Say who is there.
    People,
    /// Everything asked for before is still done, then the client has left.
    Leave(Ending),
    /// Nothing: it asks for something that is not there, which is counted.
    Ignore,
}

/// How a call ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    Done,
    /// As an original ends that takes the end of the requests for an error.
    Eof,
    /// Something that is no message of the protocol.
    Malformed,
    /// They were not let in, and were told why.
    Refused,
    /// The server stops.
    Stopping,
    /// The transport could not read what came.
    Failed(tonic::Code, String),
}

/// What a client has to hear of.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// They are in.
    Joined {
        name: &'a str,
        room: &'a str,
    },
    /// They are not let in.
    NotIn(&'a Refusal),
    Came(&'a Person),
    Went(&'a Person),
    /// Something said to them alone.
    Private {
        entry: &'a Entry,
        name: &'a str,
    },
    /// Something they said to one person alone.
    SentPrivately {
        entry: &'a Entry,
        to: &'a str,
    },
    /// What they posted was refused.
    Refused(&'a Refusal),
    /// Something the server tells them alone.
    Notice(&'a str),
    /// The names of those who are there.
    People(&'a [String]),
}

/// When something is told, and how many people are there then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Unix seconds.
    pub seconds: i64,
    pub count: u32,
}

impl Moment {
    /// The count as these protocols have it.
    pub fn people(self) -> i32 {
        i32::try_from(self.count).unwrap_or(i32::MAX)
    }
}

/// Whole seconds of a time in milliseconds.
pub fn seconds(at_ms: u64) -> i64 {
    i64::try_from(at_ms / 1000).unwrap_or(i64::MAX)
}

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
