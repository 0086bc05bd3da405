//! Rooms and their attributes.

use super::{Author, RequestDirection, Role, RoomId};

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RoomKind {
    /// Anyone may join.
    Public,
    /// Everyone can see it; joining needs an invitation.
    Private,
    /// Only its members can see it; joining needs an invitation.
    Secret,
    /// A private conversation of two people.
    Conversation,
}

impl RoomKind {
    pub const fn needs_invitation(self) -> bool {
        matches!(self, Self::Private | Self::Secret)
    }
}

/// Who may write in a room, and how often. Moderators and owners always may.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct RoomRules {
    /// The least time between two messages of a member, in seconds; 0: no slow mode.
    pub slow_s: u32,
    /// Whether only moderators and owners may write.
    pub is_read_only: bool,
}

impl RoomRules {
    /// The longest slow mode, in seconds.
    pub const SLOWEST: u32 = 6 * 60 * 60;
}

/// A room's attributes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomInfo {
    pub id: RoomId,
    pub kind: RoomKind,
    /// Empty for a conversation.
    pub name: String,
    pub topic: String,
    /// The maximum number of people present at once; 0 means no limit.
    pub capacity: u32,
    /// People present now.
    pub present: u32,
    /// The other person of a conversation.
    pub peer: Option<Author>,
    /// The receiver's own role in the room; absent if they are not a member.
    pub role: Option<Role>,
    pub rules: RoomRules,
    /// Whether the conversation is a request of a stranger that was not accepted yet.
    pub request: Option<RequestDirection>,
    /// The newest message, if the receiver may read it.
    pub last: Option<LastMessage>,
}

/// The newest message of a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastMessage {
    pub author: String,
    pub text: String,
    /// Unix milliseconds.
    pub at_ms: u64,
}

/// The attributes of a room to be created.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewRoom {
    pub name: String,
    pub kind: RoomKind,
    pub topic: String,
    /// The maximum number of people present at once; 0 means no limit.
    pub capacity: u32,
}

/// The maximum length of a topic, in code points.
pub const TOPIC: usize = 390;

/// How a server continues from a cursor.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FollowResult {
    /// Everything after the cursor follows.
    Contiguous,
    /// There is too much to replay: the newest entries follow, and a gap names the rest.
    TooFar,
    /// The room no longer has the entries after the cursor; a gap names them.
    Trimmed,
    /// The cursor belongs to another history.
    EpochChanged,
    /// The cursor is ahead of the room.
    Ahead,
}
