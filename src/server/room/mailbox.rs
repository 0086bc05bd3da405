//! What a room is asked, and who asks.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::attendance::Departure;
use super::{Follow, Follower, Head};
use crate::chat::{
    Author, Digest, IdentityId, Person, Post, PutOut, Refusal, Role, RoomInfo, Seq, SessionId,
    Status, Via,
};
use crate::server::outbox::Outbox;
use crate::server::store::StoreError;

/// What a room is asked.
#[derive(Debug)]
pub enum RoomMsg {
    Post {
        post: Post,
        session: SessionId,
        outbox: Arc<Outbox>,
    },
    /// Says something for the server itself, to be answered by nothing.
    Announce(Post),
    /// Makes somebody a member, and present.
    Join {
        who: Attendee,
        /// Follows from the join on.
        follower: Option<Follower>,
        reply: oneshot::Sender<Result<Joined, Refusal>>,
    },
    /// Ends a membership.
    Leave {
        author: Author,
        how: Leaving,
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
    /// Makes a member present.
    Attend {
        who: Attendee,
        reply: oneshot::Sender<Result<Head, Refusal>>,
    },
    Follow {
        follower: Follower,
        after: Seq,
        reply: oneshot::Sender<(Follow, Head)>,
    },
    Unfollow {
        session: SessionId,
        reply: oneshot::Sender<()>,
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
    /// Somebody says otherwise how they are.
    Status {
        identity: IdentityId,
        status: Status,
    },
    /// Somebody is writing here.
    Typing {
        identity: IdentityId,
    },
    Ask(Question),
}

/// What a room is asked that changes nothing.
#[derive(Debug)]
pub enum Question {
    /// The head, for a member; for somebody who was made to go, the last entry they may read.
    Peek {
        identity: IdentityId,
        reply: oneshot::Sender<Option<Head>>,
    },
    /// The digest at a seq, if it is still in memory.
    DigestAt {
        seq: Seq,
        reply: oneshot::Sender<Option<Digest>>,
    },
    /// How somebody was made to go, if they were.
    PutOut {
        identity: IdentityId,
        reply: oneshot::Sender<Option<(PutOut, Head)>>,
    },
    /// What somebody is here.
    Role {
        identity: IdentityId,
        reply: oneshot::Sender<Option<Role>>,
    },
    /// Whether somebody is here, or may come in as far as invitations go.
    MayEnter {
        identity: IdentityId,
        reply: oneshot::Sender<bool>,
    },
    /// Which of some are members.
    MembersAmong {
        among: Vec<IdentityId>,
        reply: oneshot::Sender<Vec<IdentityId>>,
    },
    /// Everybody the room remembers something of.
    Remembered(oneshot::Sender<Vec<IdentityId>>),
    /// Who is here, and which of some others are members.
    Roster {
        among: Vec<IdentityId>,
        reply: oneshot::Sender<(Vec<Person>, HashSet<IdentityId>)>,
    },
    Count(oneshot::Sender<u32>),
}

impl From<Question> for RoomMsg {
    fn from(question: Question) -> Self {
        Self::Ask(question)
    }
}

/// The answer to a join: the room, and the seq after which everything is new to whoever joined.
#[derive(Clone, Debug)]
pub struct Joined {
    pub info: RoomInfo,
    pub at: Seq,
    /// What became of the follower that came with it.
    pub follow: Option<Follow>,
}

/// Why a membership ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    /// The person said so.
    Asked,
    /// A guest's connection has ended, and nobody will ever come back as them.
    ForGood,
}

/// Somebody's session that is to be present in a room.
#[derive(Clone, Debug)]
pub struct Attendee {
    pub session: SessionId,
    pub author: Author,
    /// What they become if they are not a member yet.
    pub role: Role,
    pub via: Via,
    pub status: Status,
}

impl Attendee {
    /// The person as others see them, in a role.
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

/// Stops the whole server when the store fails: an error of the disk cannot be tried again.
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

    /// Cancelled when it is raised.
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
