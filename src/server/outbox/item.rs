//! The items of an outbox and their approximate size in bytes.

use std::sync::Arc;

use bytes::Bytes;

use crate::chat::{Person, Seq};
use crate::server::delivery::Delivery;
use crate::wire::Event;

/// One item to write.
#[derive(Clone, Debug)]
pub enum Item {
    Answer(Box<Event>),
    /// The entries of a delivery that come after a seq.
    Entries(Arc<Delivery>, Seq),
    /// Presence or typing, encoded by the room once for everyone.
    Signal(Arc<Signal>),
}

/// An event that is not stored, for everyone in a room: its encoded form or, for guests, the joins and leaves.
#[derive(Debug)]
pub struct Signal {
    pub frame: Bytes,
    pub joins_and_leaves: Vec<JoinOrLeave>,
    /// Whether a session that misses this signal must be sent the whole roster.
    pub(super) is_roster: bool,
}

impl Signal {
    /// A roster change, for sessions that are not guests.
    pub fn roster(frame: Bytes) -> Self {
        Self {
            frame,
            joins_and_leaves: Vec::new(),
            is_roster: true,
        }
    }

    /// Joins and leaves, for guests.
    pub fn joins_and_leaves(joins_and_leaves: Vec<JoinOrLeave>) -> Self {
        Self {
            joins_and_leaves,
            ..Self::roster(Bytes::new())
        }
    }

    /// A signal that may be lost, such as typing.
    pub fn transient(frame: Bytes) -> Self {
        Self {
            is_roster: false,
            ..Self::roster(frame)
        }
    }

    /// Returns the approximate size in bytes.
    pub(super) fn size(&self) -> usize {
        const JOIN_OR_LEAVE_BYTES: usize = 96;
        self.frame.len() + self.joins_and_leaves.len() * JOIN_OR_LEAVE_BYTES
    }
}

/// Returns the approximate size of an answer in bytes.
pub(super) fn estimated_size(event: &Event) -> usize {
    const FRAME: usize = 64;
    FRAME
        + match event {
            Event::Welcome(welcome) => welcome.rooms.len() * 2 * FRAME,
            Event::RosterPage { people, .. } => people
                .iter()
                .map(|person| FRAME + person.name.len() + person.status.len())
                .sum(),
            Event::SettingsChanged { settings, .. } => {
                let names = settings.ignored.iter().map(|it| FRAME + it.name.len());
                let words = settings.keywords.iter().map(String::len);
                names.chain(words).sum::<usize>() + settings.levels.len() * FRAME
            }
            Event::Profile { profile, .. } => profile.rooms.len() * 2 * FRAME,
            Event::Refused { refusal, .. } => refusal.arguments.iter().map(String::len).sum(),
            _ => 0,
        }
}

/// Somebody came or went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JoinOrLeave {
    pub person: Person,
    pub way: Direction,
    /// How many people are present afterwards.
    pub count: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    In,
    Out,
}

/// The outcome of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offered {
    Taken,
    /// The caller forgets this follower; its session follows again from its cursors.
    Gone,
}
