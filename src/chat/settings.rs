//! A person's settings, the same for all their sessions.

use super::{Author, IdentityId, RoomId, RoomKind};

/// Which messages of a room cause a notification.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Level {
    All,
    Mentions,
    Nothing,
}

impl Level {
    /// Returns the level of a room for which none was set.
    pub const fn default_for(kind: RoomKind) -> Self {
        match kind {
            RoomKind::Conversation => Self::All,
            RoomKind::Public | RoomKind::Private | RoomKind::Secret => Self::Mentions,
        }
    }

    /// Returns its number in the store. It never changes.
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

/// The settings of a person, shared by all their sessions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// The people whose messages are hidden. Those who are blocked are among them.
    pub ignored: Vec<Author>,
    /// The people whose conversations and invitations are refused as well.
    pub blocked: Vec<IdentityId>,
    /// The rooms whose level differs from the default for their kind.
    pub levels: Vec<(RoomId, Level)>,
    /// Words that are treated as the person's own name.
    pub keywords: Vec<String>,
}

impl Settings {
    /// The maximum numbers of ignored people and of keywords, and the maximum length of a keyword in code points.
    pub const IGNORED: usize = 256;
    pub const KEYWORDS: usize = 32;
    pub const KEYWORD: usize = 64;

    pub fn ignores(&self, person: IdentityId) -> bool {
        self.ignored.iter().any(|it| it.id == person)
    }

    pub fn blocks(&self, person: IdentityId) -> bool {
        self.blocked.contains(&person)
    }

    pub fn level(&self, room: RoomId, kind: RoomKind) -> Level {
        let said = self.levels.iter().find(|(id, _)| *id == room);
        said.map_or(Level::default_for(kind), |(_, level)| *level)
    }
}
