//! The items of a timeline and the keys that order them.

use crate::chat::{ClientId, Entry, IdentityId, RoomId, Seq};
use crate::text::SafeText;
use crate::tui::timeline::message_text::MessageText;

/// The part of a timeline that an item belongs to, from top to bottom.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Section {
    /// Messages of a history that the room no longer has.
    Former,
    Current,
    /// Our posts that are not stored yet.
    Pending,
}

/// The position of an item: the seq of an entry, and the number of a local line after it. The entry itself is line 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ItemKey {
    pub section: Section,
    pub seq: Seq,
    pub line: u32,
}

impl ItemKey {
    /// The position of an entry of the current history.
    pub const fn entry(seq: Seq) -> Self {
        Self::local(seq, 0)
    }

    pub(super) const fn local(seq: Seq, line: u32) -> Self {
        Self {
            section: Section::Current,
            seq,
            line,
        }
    }

    /// The position of a gap: that of its last entry, below the local lines there.
    pub(super) const fn gap(to: Seq) -> Self {
        Self::local(to, u32::MAX)
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    pub key: ItemKey,
    /// Unix milliseconds.
    pub at_ms: u64,
    pub what: ItemKind,
    /// The entry it was built from. It is built again when the entry is edited or the language changes.
    pub entry: Option<Box<Entry>>,
}

impl Item {
    /// Whether it is a local line, which exists only on this screen.
    pub const fn is_local(&self) -> bool {
        self.key.line != 0 && self.key.line != u32::MAX
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ItemKind {
    Message {
        author: IdentityId,
        client_id: Option<ClientId>,
        name: SafeText,
        text: MessageText,
        is_action: bool,
        /// The entry it replies to.
        reply_to: Option<Seq>,
        /// Shown after the text: that it was edited, and the reactions.
        suffix: Option<SafeText>,
        /// Whether it mentions us or contains one of our keywords.
        is_for_me: bool,
    },
    Deleted {
        author: IdentityId,
        client_id: Option<ClientId>,
        name: SafeText,
    },
    /// An entry without a line of its own: an amendment, or a message of an ignored person.
    Hidden,
    /// Somebody joined or left the room.
    JoinOrLeave {
        person: IdentityId,
        name: SafeText,
        way: Direction,
    },
    /// A system line about the room or its members.
    System(SafeText),
    /// Entries that are not loaded. They are loaded when the gap comes near the screen.
    Gap(Gap),
    /// A private message that is also shown outside its conversation. `recipient` is the text that names the recipient.
    Private {
        author: IdentityId,
        name: SafeText,
        text: MessageText,
        recipient: SafeText,
        /// The entry it is a copy of, if it is one.
        copy_of: Option<(RoomId, Seq)>,
        status: PostStatus,
        client_id: Option<ClientId>,
    },
    /// Our own post, whose entry has not arrived.
    OwnPost {
        client_id: ClientId,
        name: SafeText,
        text: MessageText,
        is_action: bool,
        status: PostStatus,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    In,
    Out,
}

/// The entries `from..=to`, which are not loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    pub from: Seq,
    pub to: Seq,
    /// The server no longer has them either.
    pub is_gone: bool,
}

/// The outcome of one of our posts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PostStatus {
    Pending,
    Stored,
    /// Refused permanently, with the reason.
    Failed(SafeText),
}
