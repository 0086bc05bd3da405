//! What a foreign client asks for and what it is told, as values that all the protocols share.

use bytes::Bytes;

use crate::chat::{Entry, Person, Refusal};

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
pub enum Notification<'a> {
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
pub struct EventTime {
    /// Unix seconds.
    pub seconds: i64,
    pub count: u32,
}

impl EventTime {
    /// The count as these protocols have it.
    pub fn people(self) -> i32 {
        i32::try_from(self.count).unwrap_or(i32::MAX)
    }
}

/// Whole seconds of a time in milliseconds.
pub fn seconds(at_ms: u64) -> i64 {
    i64::try_from(at_ms / 1000).unwrap_or(i64::MAX)
}
