//! What stands in a timeline, and where.

use crate::chat::{ClientId, Entry, IdentityId, RoomId, Seq};
use crate::text::SafeText;
use crate::tui::timeline::message_text::MessageText;

/// Which part of a timeline an item is of, from top to bottom.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Era {
    /// Said in a history that the room no longer has.
    Former,
    Now,
    /// Not said yet.
    Pending,
}

/// Where an item stands: after which entry, and which of the lines there. An entry itself has 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ItemKey {
    pub era: Era,
    pub seq: Seq,
    pub line: u32,
}

impl ItemKey {
    /// Where an entry of the present history stands.
    pub const fn entry(seq: Seq) -> Self {
        Self::local(seq, 0)
    }

    pub(super) const fn local(seq: Seq, line: u32) -> Self {
        Self {
            era: Era::Now,
            seq,
            line,
        }
    }

    /// A gap stands where its last entry would, below everything else there.
    pub(super) const fn gap(to: Seq) -> Self {
        Self::local(to, u32::MAX)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    pub key: ItemKey,
    /// Unix milliseconds.
    pub at_ms: u64,
    pub what: What,
    /// What it was made of, where it may be said otherwise later: it was edited, or the language is another.
    pub entry: Option<Box<Entry>>,
}

impl Item {
    /// Whether it is a line of our own, that nobody else has.
    pub const fn is_local(&self) -> bool {
        self.key.line != 0 && self.key.line != u32::MAX
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Somebody said something.
    Said {
        author: IdentityId,
        client_id: Option<ClientId>,
        name: SafeText,
        text: MessageText,
        is_action: bool,
        /// The entry it answers.
        answers: Option<Seq>,
        /// Words behind the text: that it was edited, and what people reacted with.
        aside: Option<SafeText>,
        /// It calls us.
        is_for_me: bool,
    },
    /// Something that was said and deleted.
    Erased {
        author: IdentityId,
        client_id: Option<ClientId>,
        name: SafeText,
    },
    /// An entry that shows in another one, or not at all.
    Hidden,
    /// Somebody became a member, or is one no more.
    JoinOrLeave {
        person: IdentityId,
        name: SafeText,
        way: Direction,
    },
    /// Something about the room or its people.
    System(SafeText),
    /// Entries that are not here; loaded when they come near the screen.
    Gap(Gap),
    /// A private message shown beside its conversation, with the words that say whom it is for.
    Private {
        author: IdentityId,
        name: SafeText,
        text: MessageText,
        whom: SafeText,
        /// The entry it is a copy of, if it is one.
        of: Option<(RoomId, Seq)>,
        fate: Fate,
        client_id: Option<ClientId>,
    },
    /// A post of ours whose entry has not come.
    Mine {
        client_id: ClientId,
        name: SafeText,
        text: MessageText,
        is_action: bool,
        fate: Fate,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    In,
    Out,
}

/// Entries `from..=to` that are not here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    pub from: Seq,
    pub to: Seq,
    /// The server no longer has them either.
    pub is_gone: bool,
}

/// What became of a post of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    Pending,
    Stored,
    /// Refused for good: why.
    Failed(SafeText),
}
