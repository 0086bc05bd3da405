//! Handles the messages in a room's mailbox: each results in a post or takes effect at once.

use tokio::sync::oneshot;

use super::{Joining, RoomTask, Waiter, post_key, send_reply};
use crate::chat::{
    Author, Body, IdentityId, Post, Refusal, RefusalCode, Role, RoomKind, Seq, SessionId,
};
use crate::server::room::attendance::Departure;
use crate::server::room::mailbox::{LeaveReason, RoomMsg};
use crate::server::room::{FollowOutcome, Follower, RoomHead};

impl RoomTask {
    /// Handles a message. Returns the post that it results in, if any.
    pub(super) fn handle(&mut self, message: RoomMsg) -> Option<Post> {
        match message {
            RoomMsg::Post {
                post,
                session,
                outbox,
            } => return Some(self.await_outcome(post, Waiter::Session(session, outbox))),
            RoomMsg::Announce(post) => return Some(post),
            RoomMsg::Join {
                who,
                follower,
                reply,
            } => {
                return self.join(Joining {
                    who,
                    follower,
                    reply,
                });
            }
            RoomMsg::Enrol { author, reply } => return self.enrol(author, reply),
            RoomMsg::Leave { author, how, reply } => return self.leave(author, how, reply),
            RoomMsg::Attend { who, reply } => {
                let head = self.attend(&who).map(|()| self.room.head());
                let promoted = self.promotion(&who);
                send_reply(reply, head);
                return promoted;
            }
            RoomMsg::Follow {
                follower,
                after,
                reply,
            } => send_reply(reply, self.follow(follower, after)),
            RoomMsg::Unfollow { session, reply } => {
                self.unfollow(session);
                send_reply(reply, ());
            }
            RoomMsg::Dismiss { identity } => {
                let gone = self.room.unfollow_person(identity);
                self.subscribed.retain(|session| !gone.contains(session));
                self.attendance.set_offline(identity);
                self.schedule_roster_delta();
            }
            RoomMsg::Depart {
                session,
                identity,
                how,
            } => self.depart(session, identity, how),
            RoomMsg::Expire { identity, lost } => {
                self.attendance.expire(identity, lost);
                self.schedule_roster_delta();
            }
            RoomMsg::Status { identity, status } => {
                self.attendance.set_status(identity, &status);
                self.schedule_roster_delta();
            }
            RoomMsg::Typing { identity } => self.send_typing(identity),
            RoomMsg::Ask(question) => self.answer_query(question),
        }
        None
    }

    /// Registers who gets the outcome of a post, before it is published.
    pub(super) fn await_outcome(&mut self, post: Post, waiter: Waiter) -> Post {
        self.waiters
            .entry(post_key(&post))
            .or_default()
            .push(waiter);
        post
    }

    /// Returns the post that makes a person a member who is not present.
    fn enrol(
        &mut self,
        author: Author,
        reply: oneshot::Sender<Result<(), Refusal>>,
    ) -> Option<Post> {
        if self.room.permissions().role(author.id).is_some() {
            send_reply(reply, Ok(()));
            return None;
        }
        let post = Post {
            author,
            client_id: None,
            body: Body::Joined(Role::Member),
            mentions: Vec::new(),
        };
        Some(self.await_outcome(post, Waiter::Membership(reply)))
    }

    /// Returns the post that ends a membership. A conversation that both people are still in cannot be left.
    fn leave(
        &mut self,
        author: Author,
        how: LeaveReason,
        reply: oneshot::Sender<Result<(), Refusal>>,
    ) -> Option<Post> {
        let may = how == LeaveReason::ForGood || self.room.permissions().is_peer_gone();
        if self.record.kind == RoomKind::Conversation && !may {
            send_reply(reply, Err(Refusal::new(RefusalCode::CannotLeave)));
            return None;
        }
        let post = Post {
            author,
            client_id: None,
            body: Body::Left,
            mentions: Vec::new(),
        };
        Some(self.await_outcome(post, Waiter::Membership(reply)))
    }

    fn follow(&mut self, follower: Follower, after: Seq) -> (FollowOutcome, RoomHead) {
        let session = follower.session;
        let follow = self.room.follow(follower, after);
        if follow != FollowOutcome::NotAMember {
            self.subscribed.insert(session);
        }
        (follow, self.room.head())
    }

    fn unfollow(&mut self, session: SessionId) {
        self.subscribed.remove(&session);
        self.room.unfollow(session);
    }

    fn depart(&mut self, session: SessionId, identity: IdentityId, how: Departure) {
        self.unfollow(session);
        self.attendance.depart(session, identity, how);
        self.schedule_roster_delta();
    }
}
