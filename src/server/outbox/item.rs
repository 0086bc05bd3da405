//! What waits in an outbox, and what it weighs.

use std::sync::Arc;

use bytes::Bytes;

use crate::chat::{Person, Seq};
use crate::server::delivery::Delivery;
use crate::wire::Event;

/// Something to write.
#[derive(Clone, Debug)]
pub enum Item {
    Answer(Box<Event>),
    /// The entries of a delivery after a seq.
    Entries(Arc<Delivery>, Seq),
    /// Presence and the like, encoded by the room once for everybody.
    Signal(Arc<Signal>),
}

/// What is told to everybody in a room and not kept: its encoded form, or, for guests, who came and went.
#[derive(Debug)]
pub struct Signal {
    pub frame: Bytes,
    pub joins_and_leaves: Vec<JoinOrLeave>,
    /// Whoever did not get it has to be sent the whole roster.
    pub(super) is_roster: bool,
}

impl Signal {
    /// A change among the people of a room.
    pub fn roster(frame: Bytes) -> Self {
        Self {
            frame,
            joins_and_leaves: Vec::new(),
            is_roster: true,
        }
    }

    /// The same for guests, one by one.
    pub fn joins_and_leaves(joins_and_leaves: Vec<JoinOrLeave>) -> Self {
        Self {
            joins_and_leaves,
            ..Self::roster(Bytes::new())
        }
    }

    /// What is no loss to whoever does not get it.
    pub fn passing(frame: Bytes) -> Self {
        Self {
            is_roster: false,
            ..Self::roster(frame)
        }
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        const PASSAGE: usize = 96;
        self.frame.len() + self.joins_and_leaves.len() * PASSAGE
    }
}

/// About how many bytes an answer takes.
pub(super) fn weight(event: &Event) -> usize {
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
    /// People present after it.
    pub count: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    In,
    Out,
}

/// What became of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offered {
    Taken,
    /// Forget this follower; its session follows again from its cursors.
    Gone,
}
