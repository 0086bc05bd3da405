//! A person's settings that are stored on the server and hold on all of their terminals.

use super::{Author, IdentityId, RoomId, RoomKind};

/// Which messages of a room cause a notification.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Level {
    All,
    Mentions,
    Nothing,
}

impl Level {
    /// That of a room about which nothing was said.
    pub const fn usual(kind: RoomKind) -> Self {
        match kind {
            RoomKind::Conversation => Self::All,
            RoomKind::Public | RoomKind::Private | RoomKind::Secret => Self::Mentions,
        }
    }

    /// Its number in the store. For ever.
    pub const fn number(self) -> u8 {
        match self {
            Self::All => 1,
            Self::Mentions => 2,
            Self::Nothing => 3,
        }
    }

    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::All),
            2 => Some(Self::Mentions),
            3 => Some(Self::Nothing),
            _ => None,
        }
    }
}

/// The same for all sessions of a person.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    pub ignored: Vec<Author>,
    /// Rooms that differ from others of their kind.
    pub levels: Vec<(RoomId, Level)>,
    /// Words that are treated as the person's own name.
    pub keywords: Vec<String>,
}

impl Settings {
    /// The most people one may ignore, the most words, and the most code points of each.
    pub const IGNORED: usize = 256;
    pub const KEYWORDS: usize = 32;
    pub const KEYWORD: usize = 64;

    pub fn ignores(&self, person: IdentityId) -> bool {
        self.ignored.iter().any(|it| it.id == person)
    }

    pub fn level(&self, room: RoomId, kind: RoomKind) -> Level {
        let said = self.levels.iter().find(|(id, _)| *id == room);
        said.map_or(Level::usual(kind), |(_, level)| *level)
    }
}
