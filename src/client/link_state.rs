//! The state of the link as the interface sees it, and why it or a room ended.

use std::time::Duration;

use super::Untrusted;
use crate::chat::{Refusal, RoomId, Seq};

/// How we were removed from a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RemovalReason {
    Kicked {
        by: String,
        reason: String,
    },
    Banned {
        by: String,
        reason: String,
    },
    /// The room was deleted.
    Closed,
}

/// The state of the connection, as far as it can be measured from what arrived.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// The time from our last ping to its answer.
    pub rtt: Option<Duration>,
    pub reconnects: u64,
    pub rooms: Vec<RoomReport>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoomReport {
    pub room: RoomId,
    /// The last entry that arrived.
    pub last: Seq,
    /// The last entry that the server has reported.
    pub head: Seq,
    /// How many entries arrived twice and were dropped.
    pub duplicates: u64,
    /// How often entries were missing between two that arrived.
    pub holes: u64,
    /// How often the end of the room was lost in transit and requested again.
    pub repairs: u64,
}

/// The state of the link.
#[derive(Clone, PartialEq, Debug)]
pub enum LinkState {
    Connecting,
    Online,
    /// Reconnects automatically after `retry_in`.
    Waiting {
        retry_in: Duration,
        why: DisconnectReason,
    },
    /// Cannot continue until another name is set.
    NameRefused(Refusal),
    /// Does not reconnect automatically.
    Stopped(DisconnectReason),
}

/// Why there is no connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DisconnectReason {
    /// The address cannot be reached.
    Unreachable(Unreachable),
    /// The server accepts connections but does not answer.
    NoResponse,
    /// The server was not recognised, so nothing was sent to it.
    Untrusted(Untrusted),
    /// The server answers, but not like a tchat server; with its error message, if it sent one.
    NotTchat(String),
    /// The connection broke.
    Lost,
    /// The server is stopping.
    Draining,
    TooSlow,
    /// This device was revoked, or the account was removed.
    Revoked,
    /// The account was banned from the server.
    Banned,
    /// An administrator ended the session.
    Kicked,
    /// We closed it ourselves.
    Disconnected,
    Refused(Refusal),
}

/// Why an address cannot be reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unreachable {
    Refused,
    NoAnswer,
    NoRoute,
    /// There is no host with this name.
    UnknownHost,
    /// The operating system's error message.
    Other(String),
}
