//! Rooms as everybody sees them.

use super::{Author, RoomId};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RoomKind {
    Public,
    /// A private conversation of two people.
    Conversation,
}

/// A room's attributes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomInfo {
    pub id: RoomId,
    pub kind: RoomKind,
    /// Empty for a conversation.
    pub name: String,
    pub topic: String,
    /// The most people present at once; 0 means no limit.
    pub capacity: u32,
    /// People present now.
    pub present: u32,
    /// The other person of a conversation.
    pub peer: Option<Author>,
}

/// What a server made of a cursor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FollowResult {
    /// Everything after the cursor comes.
    Contiguous,
    /// Too much to replay: the newest come, a gap names the rest.
    TooFar,
    /// What came after the cursor is gone; a gap names it.
    Trimmed,
    /// The cursor is of another history.
    EpochChanged,
    /// The cursor is ahead of the room.
    Ahead,
}
