//! Roles and rights in a room. They depend only on the room's log, so that every node and every client decides alike.

use std::collections::BTreeMap;
use std::fmt;

use super::{IdentityId, RoomKind, Seq, Stamp};

/// What a person is in a room, the lowest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    Member,
    Moderator,
    Owner,
}

impl Role {
    /// Its number in protocol, digest and store. For ever.
    pub const fn number(self) -> u8 {
        match self {
            Self::Member => 1,
            Self::Owner => 2,
            Self::Moderator => 3,
        }
    }

    /// The word for it in refusals.
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

/// Something that not everybody may do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Right {
    Topic,
    Invite,
    Kick,
    Ban,
    Mute,
    /// Gives and takes the moderator's role.
    Role,
    /// Deletes what others said.
    Erase,
    /// Ends the room.
    Close,
}

impl Right {
    /// The least role that has it in a room of a kind.
    pub const fn needs(self, kind: RoomKind) -> Role {
        match self {
            Self::Invite if matches!(kind, RoomKind::Public) => Role::Member,
            Self::Topic | Self::Invite | Self::Kick | Self::Ban | Self::Mute | Self::Erase => {
                Role::Moderator
            }
            Self::Role | Self::Close => Role::Owner,
        }
    }

    /// The word for it in refusals.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Topic => "topic",
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

/// What was decided about a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// May join.
    Invited,
    Role(Role),
    /// Is no longer a member, and may come back.
    Kicked {
        reason: String,
    },
    /// Is no longer a member, and may not come back before then.
    Banned {
        until: Until,
        reason: String,
    },
    Unbanned,
    /// May read and not speak before then.
    Muted {
        until: Until,
    },
    Unmuted,
}

impl Ruling {
    pub const fn right(&self) -> Right {
        match self {
            Self::Invited => Right::Invite,
            Self::Role(_) => Right::Role,
            Self::Kicked { .. } => Right::Kick,
            Self::Banned { .. } | Self::Unbanned => Right::Ban,
            Self::Muted { .. } | Self::Unmuted => Right::Mute,
        }
    }
}

/// When something ends: by the wall clock in an entry, which people read, and by log time in a [`Standing`], which decides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Until {
    Ever,
    /// Milliseconds, by one of the two.
    At(u64),
    /// So many milliseconds from when it is taken; in posts only, because a poster's clock is nobody else's.
    For(u64),
}

impl Until {
    /// As it is kept and sent: 0 for ever.
    pub const fn millis(self) -> u64 {
        match self {
            Self::Ever => 0,
            Self::At(at_ms) | Self::For(at_ms) => at_ms,
        }
    }

    /// The same as a time, where it is taken at one.
    #[must_use]
    pub const fn from_now(self, now_ms: u64) -> Self {
        match self {
            Self::For(ms) => Self::At(now_ms.saturating_add(ms)),
            other => other,
        }
    }

    /// Turns the end that an entry with this stamp names into log time: as long after the entry as it says.
    #[must_use]
    pub fn by_log_time(self, entry: Stamp) -> Self {
        let ends = |end_ms: u64| moved(end_ms, entry.at_ms, entry.log_ms);
        self.map(ends)
    }

    /// Turns an end in log time into a time of the wall clock as it is now, for people to read.
    #[must_use]
    pub fn by_wall_clock(self, now: Stamp) -> Self {
        let ends = |end_ms: u64| moved(end_ms, now.log_ms, now.at_ms);
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
            0 => Self::Ever,
            at_ms => Self::At(at_ms),
        }
    }

    /// Its form in a payload: the value of [`Until::millis`], with a sign before one that counts from now.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix('+') {
            Some(ms) => Some(Self::For(ms.parse().ok()?)),
            None => Some(Self::from_millis(text.parse().ok()?)),
        }
    }

    /// Whether it holds at a time.
    pub const fn holds(self, at_ms: u64) -> bool {
        match self {
            Self::Ever => true,
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

/// Moves an end to another clock, where it is as far ahead as on this one. Never returns 0, which means no end.
fn moved(end_ms: u64, here_ms: u64, there_ms: u64) -> u64 {
    let left_ms = end_ms.saturating_sub(here_ms);
    there_ms.saturating_add(left_ms).max(1)
}

/// What a room remembers of a person beside a membership.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    pub is_invited: bool,
    /// What they were when they left by themselves, and are again when they come back.
    pub role: Option<Role>,
    /// By log time.
    pub banned: Option<Until>,
    /// By log time.
    pub muted: Option<Until>,
    /// They were made to go, and may read what was said up to then.
    pub put_out: Option<PutOut>,
}

impl Standing {
    /// Whether there is nothing to remember.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// What a batch of entries changes in a room.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Who is what from now on; nothing: no member any more.
    pub members: BTreeMap<IdentityId, Option<Role>>,
    pub standings: BTreeMap<IdentityId, Standing>,
    pub topic: Option<String>,
    /// The room was deleted, so everybody had to leave.
    pub closed: Option<PutOut>,
}

/// How somebody was made to go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PutOut {
    /// The last entry they may read: the one that says so.
    pub at: Seq,
    /// Who did it, as they were called then.
    pub by: String,
    pub reason: String,
    pub exit: Exit,
}

/// Why somebody was made to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    Kicked,
    Banned,
    /// The room was deleted.
    Closed,
}
