//! Room permissions, derived only from the room's log, so that every node and every client decides alike.

use std::collections::BTreeMap;
use std::fmt;

use super::{IdentityId, RoomKind, RoomRules, Seq, Stamp};

/// A person's role in a room, lowest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    Member,
    Moderator,
    Owner,
}

impl Role {
    /// Returns its number in protocol, digest and store. It never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Member => 1,
            Self::Owner => 2,
            Self::Moderator => 3,
        }
    }

    /// Returns the word used for it in refusals.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Moderator => "moderator",
            Self::Owner => "owner",
        }
    }

    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Member),
            2 => Some(Self::Owner),
            3 => Some(Self::Moderator),
            _ => None,
        }
    }
}

/// An action in a room that needs a role.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Permission {
    Topic,
    /// Sets who may write, and how often.
    Rules,
    Invite,
    Kick,
    Ban,
    Mute,
    /// Gives and takes away the moderator role.
    Role,
    /// Deletes messages of other people.
    Erase,
    /// Closes the room.
    Close,
}

impl Permission {
    /// Returns the lowest role that may do this in a room of this kind.
    pub const fn required_role(self, kind: RoomKind) -> Role {
        match self {
            Self::Invite if matches!(kind, RoomKind::Public) => Role::Member,
            Self::Topic
            | Self::Rules
            | Self::Invite
            | Self::Kick
            | Self::Ban
            | Self::Mute
            | Self::Erase => Role::Moderator,
            Self::Role | Self::Close => Role::Owner,
        }
    }

    /// Returns the word used for it in refusals.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Rules => "rules",
            Self::Invite => "invite",
            Self::Kick => "kick",
            Self::Ban => "ban",
            Self::Mute => "mute",
            Self::Role => "role",
            Self::Erase => "erase",
            Self::Close => "close",
        }
    }
}

/// An invitation, role change or moderation decision about a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// The person may join.
    Invited,
    Role(Role),
    /// The person is no longer a member, and may come back.
    Kicked {
        reason: String,
    },
    /// The person is no longer a member, and may not come back before `until`.
    Banned {
        until: Until,
        reason: String,
    },
    Unbanned,
    /// The person may read but not write before `until`.
    Muted {
        until: Until,
    },
    Unmuted,
}

impl Ruling {
    pub const fn permission(&self) -> Permission {
        match self {
            Self::Invited => Permission::Invite,
            Self::Role(_) => Permission::Role,
            Self::Kicked { .. } => Permission::Kick,
            Self::Banned { .. } | Self::Unbanned => Permission::Ban,
            Self::Muted { .. } | Self::Unmuted => Permission::Mute,
        }
    }
}

/// When a ban or mute ends. In an entry this is wall-clock time, for display. In a [`Standing`] it is log time, which decides
/// when the ban or mute really ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Until {
    Forever,
    /// Milliseconds, by one of these two clocks.
    At(u64),
    /// This many milliseconds after the post is accepted. Used only in posts, because clients' clocks may differ.
    For(u64),
}

impl Until {
    /// Returns the number that is stored and sent: 0 means that it never ends.
    pub const fn millis(self) -> u64 {
        match self {
            Self::Forever => 0,
            Self::At(at_ms) | Self::For(at_ms) => at_ms,
        }
    }

    /// Converts a duration that starts at `now_ms` to a time. Other values stay the same.
    #[must_use]
    pub const fn from_now(self, now_ms: u64) -> Self {
        match self {
            Self::For(ms) => Self::At(now_ms.saturating_add(ms)),
            other => other,
        }
    }

    /// Converts the end time in an entry with this stamp to log time. The interval from the entry to the end stays the same.
    #[must_use]
    pub fn by_log_time(self, entry: Stamp) -> Self {
        let ends = |end_ms: u64| shift_end(end_ms, entry.at_ms, entry.log_ms);
        self.map(ends)
    }

    /// Converts an end in log time to wall-clock time, by the clocks' current difference, for display.
    #[must_use]
    pub fn by_wall_clock(self, now: Stamp) -> Self {
        let ends = |end_ms: u64| shift_end(end_ms, now.log_ms, now.at_ms);
        self.map(ends)
    }

    fn map(self, ends: impl FnOnce(u64) -> u64) -> Self {
        match self {
            Self::At(end_ms) => Self::At(ends(end_ms)),
            other => other,
        }
    }

    pub const fn from_millis(at_ms: u64) -> Self {
        match at_ms {
            0 => Self::Forever,
            at_ms => Self::At(at_ms),
        }
    }

    /// Parses the form used in a payload: the value of [`Until::millis`], with a `+` before an [`Until::For`].
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('+') {
            Some(ms) => Some(Self::For(ms.parse().ok()?)),
            None => Some(Self::from_millis(text.parse().ok()?)),
        }
    }

    /// Returns whether a ban or mute with this end is still in force at a time.
    pub const fn is_active(self, at_ms: u64) -> bool {
        match self {
            Self::Forever => true,
            Self::At(until) => at_ms < until,
            Self::For(ms) => ms > 0,
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::For(_) = self {
            f.write_str("+")?;
        }
        self.millis().fmt(f)
    }
}

/// Converts an end time to another clock, with the same time left. Never returns 0, because 0 means no end.
fn shift_end(end_ms: u64, here_ms: u64, there_ms: u64) -> u64 {
    let left_ms = end_ms.saturating_sub(here_ms);
    there_ms.saturating_add(left_ms).max(1)
}

/// What a room stores about a person besides their membership.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    pub is_invited: bool,
    /// Who invited them last; not known for invitations made by earlier versions.
    pub invited_by: Option<IdentityId>,
    /// The role they had when they left voluntarily. They get it back when they return.
    pub role: Option<Role>,
    /// In log time.
    pub banned: Option<Until>,
    /// In log time.
    pub muted: Option<Until>,
    /// Set if they were removed. They may read entries up to their removal.
    pub removal: Option<Removal>,
}

impl Standing {
    /// Returns whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a batch of entries changes in a room.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// The new role of each person; `None`: no longer a member.
    pub members: BTreeMap<IdentityId, Option<Role>>,
    pub standings: BTreeMap<IdentityId, Standing>,
    pub topic: Option<String>,
    pub rules: Option<RoomRules>,
    /// The person who receives a new conversation as a request. Only in the first append.
    pub request_to: Option<IdentityId>,
    /// Set if the room was closed: how its members were removed.
    pub closed: Option<Removal>,
}

/// How somebody was removed from a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Removal {
    /// The last entry they may read: the one that removed them.
    pub at: Seq,
    /// Who removed them, by the name that person had at that time.
    pub by: String,
    pub reason: String,
    pub kind: RemovalKind,
}

/// Why somebody was removed from a room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RemovalKind {
    Kicked,
    Banned,
    /// The room was closed.
    Closed,
}
