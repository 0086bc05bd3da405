//! The actions that a foreign client requests and the notifications it receives, as types that all foreign protocols
//! share.

use bytes::Bytes;

use crate::chat::{Entry, Person, Refusal};

/// An action to perform for a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BridgeAction {
    /// Send the client an encoded message of its protocol.
    Send(Bytes),
    /// Connect under a name and join a room. An empty name means any free name, an empty room the home room.
    Enter {
        name: String,
        room: String,
        /// The user id in the foreign protocol, if it has one.
        number: Option<i64>,
    },
    /// Post to the room, or privately to one person.
    Post { to: Option<String>, text: String },
    /// Send the names of the people in the room.
    People,
    /// Finish all earlier requests, then end the call.
    Leave(Ending),
    /// Only count the request: it has no equivalent here.
    Ignore,
}

/// How a call ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    Done,
    /// The client closed its sending side, in a protocol whose original server treats that as an error.
    Eof,
    /// The client sent something that is not a message of the protocol.
    Malformed,
    /// The client was not admitted and has received the reason.
    Refused,
    /// The server is stopping.
    Stopping,
    /// The transport could not read a message.
    Failed(tonic::Code, String),
}

/// Something to send to the client, before it is encoded for a protocol.
#[derive(Clone, Copy, Debug)]
pub enum Notification<'a> {
    /// The client has joined the room.
    Joined {
        name: &'a str,
        room: &'a str,
    },
    /// The client was not admitted.
    NotAdmitted(&'a Refusal),
    PersonJoined(&'a Person),
    PersonLeft(&'a Person),
    /// A private message to this client.
    Private {
        entry: &'a Entry,
        name: &'a str,
    },
    /// A private message that this client sent.
    SentPrivately {
        entry: &'a Entry,
        to: &'a str,
    },
    /// A post of this client was refused.
    Refused(&'a Refusal),
    /// A notice from the server to this client alone.
    Notice(&'a str),
    /// The names of the people in the room.
    People(&'a [String]),
}

/// The time of a message, and the number of people in the room at that time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventTime {
    /// Unix seconds.
    pub seconds: i64,
    pub count: u32,
}

impl EventTime {
    /// Returns the count in the number type of the foreign protocols.
    pub fn people(self) -> i32 {
        i32::try_from(self.count).unwrap_or(i32::MAX)
    }
}

/// Converts a time in milliseconds to whole seconds.
pub fn seconds(at_ms: u64) -> i64 {
    i64::try_from(at_ms / 1000).unwrap_or(i64::MAX)
}
