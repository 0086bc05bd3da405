//! The messages that a room's task receives, and the types they carry. It does not handle them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::attendance::Departure;
use super::{FollowOutcome, Follower, RoomHead};
use crate::chat::{
    Author, Digest, IdentityId, Person, Post, Refusal, Removal, Role, RoomInfo, Seq, SessionId,
    Standing, Status, Via,
};
use crate::server::outbox::Outbox;
use crate::server::store::StoreError;

/// A message to a room's task.
#[derive(Debug)]
pub enum RoomMsg {
    Post {
        post: Post,
        session: SessionId,
        outbox: Arc<Outbox>,
    },
    /// Posts something for the server itself; there is no reply.
    Announce(Post),
    /// Makes a person a member, and present.
    Join {
        who: Attendee,
        /// If given, it follows the room from the join on.
        follower: Option<Follower>,
        reply: oneshot::Sender<Result<Joined, Refusal>>,
    },
    /// Makes a person a member without a session.
    Enrol {
        author: Author,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// Ends a membership.
    Leave {
        author: Author,
        how: LeaveReason,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// Makes a member present.
    Attend {
        who: Attendee,
        reply: oneshot::Sender<Result<RoomHead, Refusal>>,
    },
    Follow {
        follower: Follower,
        after: Seq,
        reply: oneshot::Sender<(FollowOutcome, RoomHead)>,
    },
    Unfollow {
        session: SessionId,
        reply: oneshot::Sender<()>,
    },
    /// Ends all subscriptions of a person who hides this conversation. They stay a member.
    Dismiss {
        identity: IdentityId,
    },
    Depart {
        session: SessionId,
        identity: IdentityId,
        how: Departure,
    },
    Expire {
        identity: IdentityId,
        lost: SessionId,
    },
    /// A person changed their status.
    Status {
        identity: IdentityId,
        status: Status,
    },
    /// A person is typing in this room.
    Typing {
        identity: IdentityId,
    },
    Ask(RoomQuery),
}

/// A read-only request to a room's task.
#[derive(Debug)]
pub enum RoomQuery {
    /// The head, for a member. For a removed person, its seq is the last entry they may read. `None` for anyone else.
    Peek {
        identity: IdentityId,
        reply: oneshot::Sender<Option<RoomHead>>,
    },
    /// The digest at a seq, if it is still in memory.
    DigestAt {
        seq: Seq,
        reply: oneshot::Sender<Option<Digest>>,
    },
    /// How a person was removed, if they were.
    Removal {
        identity: IdentityId,
        reply: oneshot::Sender<Option<(Removal, RoomHead)>>,
    },
    /// A person's role here, if they are a member.
    Role {
        identity: IdentityId,
        reply: oneshot::Sender<Option<Role>>,
    },
    /// Whether a person is a member, or needs no further invitation to join.
    MayEnter {
        identity: IdentityId,
        reply: oneshot::Sender<bool>,
    },
    /// Which of some people are members.
    MembersAmong {
        among: Vec<IdentityId>,
        reply: oneshot::Sender<Vec<IdentityId>>,
    },
    /// Everyone who has a standing here, such as an invitation, a ban or a mute.
    PeopleWithStanding(oneshot::Sender<Vec<IdentityId>>),
    /// Everyone who is banned or muted here.
    Sanctioned(oneshot::Sender<Vec<(IdentityId, Standing)>>),
    /// The people present, and which of some others are members.
    Roster {
        among: Vec<IdentityId>,
        reply: oneshot::Sender<(Vec<Person>, HashSet<IdentityId>)>,
    },
    Count(oneshot::Sender<u32>),
}

impl From<RoomQuery> for RoomMsg {
    fn from(question: RoomQuery) -> Self {
        Self::Ask(question)
    }
}

/// The answer to a join: the room, and the seq after which every entry is new to the person who joined.
#[derive(Clone, Debug)]
pub struct Joined {
    pub info: RoomInfo,
    pub at: Seq,
    /// The result for the follower that came with the join.
    pub follow: Option<FollowOutcome>,
}

/// Why a membership ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeaveReason {
    /// The person asked to leave.
    Requested,
    /// A guest's connection has ended; this identity will never be used again.
    ForGood,
}

/// A session that becomes present in a room.
#[derive(Clone, Debug)]
pub struct Attendee {
    pub session: SessionId,
    pub author: Author,
    /// Their role in preset rooms.
    pub role: Role,
    pub via: Via,
    pub status: Status,
}

impl Attendee {
    /// Returns the person as others see them, with a role.
    pub fn person(&self, role: Role) -> Person {
        Person {
            id: self.author.id,
            name: self.author.name.clone(),
            presence: self.status.presence(),
            role,
            via: self.via,
            status: self.status.text.clone(),
        }
    }
}

/// Stops the whole server when the store fails, because a disk error cannot be retried.
#[derive(Clone, Debug, Default)]
pub struct Fatal {
    raised: CancellationToken,
    cause: Arc<Mutex<Option<String>>>,
}

impl Fatal {
    pub fn raise(&self, cause: &StoreError) {
        let mut first = self.cause.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| cause.to_string());
        drop(first);
        self.raised.cancel();
    }

    /// Returns a token that is cancelled when an error is raised.
    pub fn token(&self) -> CancellationToken {
        self.raised.clone()
    }

    pub async fn raised(&self) {
        self.raised.cancelled().await;
    }

    pub fn cause(&self) -> Option<String> {
        self.cause
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
