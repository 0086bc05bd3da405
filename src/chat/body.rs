//! What an entry says.

use sha2::{Digest as _, Sha256};

/// What an entry says. Text is kept as it was sent; only drawing sanitises it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Body {
    Text(String),
    /// Said of oneself in the third person ("/me waves").
    Action(String),
    /// The room was made.
    Created,
    Joined,
    Left,
    /// The author is called this from now on.
    Renamed(String),
    /// A kind this version does not know; the number is the protocol's, or 0 where even that is unknown.
    Unknown(u8),
}

impl Body {
    /// The number of the kind, the same in protocol, digest and store. For ever.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Text(_) => 1,
            Self::Action(_) => 2,
            Self::Created => 3,
            Self::Joined => 4,
            Self::Left => 5,
            Self::Renamed(_) => 6,
            Self::Unknown(kind) => *kind,
        }
    }

    /// The text of the kinds that have one, else "".
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Action(text) | Self::Renamed(text) => text,
            Self::Created | Self::Joined | Self::Left | Self::Unknown(_) => "",
        }
    }

    /// Puts together what [`Body::kind`] and [`Body::text`] took apart.
    pub fn from_parts(kind: u8, text: String) -> Self {
        match kind {
            1 => Self::Text(text),
            2 => Self::Action(text),
            3 => Self::Created,
            4 => Self::Joined,
            5 => Self::Left,
            6 => Self::Renamed(text),
            other => Self::Unknown(other),
        }
    }

    /// Whether a person said it, and not the room.
    pub const fn is_said(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Action(_))
    }

    /// SHA-256 of kind and text. It stays when the text is erased, so that the digest chain holds.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update([self.kind()]);
        hash.update(self.text());
        hash.finalize().into()
    }
}
