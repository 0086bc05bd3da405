//! Rooms as a client sees them.

use super::{Author, Role, RoomId};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RoomKind {
    /// Anyone may join.
    Public,
    /// Everybody sees that it is there; joining needs an invitation.
    Private,
    /// Only its members know of it; joining needs an invitation.
    Secret,
    /// A private conversation of two people.
    Conversation,
}

impl RoomKind {
    pub const fn needs_an_invitation(self) -> bool {
        matches!(self, Self::Private | Self::Secret)
    }
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
    /// What the one who is told of the room is there; absent for those who are no members.
    pub role: Option<Role>,
    /// What was said last, for those who may read it.
    pub last: Option<LastLine>,
}

/// The newest thing said in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastLine {
    pub author: String,
    pub text: String,
    /// Unix milliseconds.
    pub at_ms: u64,
}

/// What somebody wants a new room to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRoom {
    pub name: String,
    pub kind: RoomKind,
    pub topic: String,
    /// 0: no limit.
    pub capacity: u32,
}

/// The most code points of a topic.
pub const TOPIC: usize = 390;

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
