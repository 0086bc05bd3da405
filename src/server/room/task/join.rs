//! Joining a room: it reserves a place, posts a join, and for a guest starts to follow from that entry on.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{RoomTask, Waiter, send_reply};
use crate::chat::{
    Body, IdentityId, Post, Refusal, RefusalCode, Role, RoomInfo, RoomKind, Ruling, Seq,
};
use crate::server::room::Follower;
use crate::server::room::mailbox::{Attendee, Joined};
use crate::wire::Event;

/// A join that is not complete yet.
pub(super) struct Joining {
    pub(super) who: Attendee,
    pub(super) follower: Option<Follower>,
    pub(super) reply: oneshot::Sender<Result<Joined, Refusal>>,
}

impl RoomTask {
    pub(super) fn join(&mut self, joining: Joining) -> Option<Post> {
        let who = &joining.who;
        if self.room.permissions().role(who.author.id).is_some() {
            let at = self.room.head().seq;
            self.complete_join(joining, at);
            return None;
        }
        // A person who may not know of a secret room must learn nothing about it, not its name and not that it is full.
        let is_hidden = match self.record.kind {
            RoomKind::Conversation => true,
            RoomKind::Secret => !self.room.permissions().is_known_to(who.author.id),
            RoomKind::Public | RoomKind::Private => false,
        };
        if is_hidden || self.room.permissions().is_closed() {
            let unknown = Refusal::new(RefusalCode::RoomUnknown).with(self.record.id);
            send_reply(joining.reply, Err(unknown));
            return None;
        }
        if let Some(refusal) = self.full_refusal(who.author.id) {
            send_reply(joining.reply, Err(refusal));
            return None;
        }
        // The place is reserved now, so that two people who join at the same time do not both get the last one.
        let role = self.role_for(who);
        self.attendance.arrive(who.session, who.person(role));
        self.joining.insert(who.author.id);
        let post = Post {
            author: who.author.clone(),
            client_id: None,
            body: Body::Joined(role),
            mentions: Vec::new(),
        };
        Some(self.await_outcome(post, Waiter::Join(Box::new(joining))))
    }

    /// Makes a member present. If the join has a follower, it follows the entries after `at`.
    pub(super) fn complete_join(&mut self, joining: Joining, at: Seq) {
        let attended = self.attend(&joining.who);
        let arrivals = self.attendance.take_joins(|id| id == joining.who.author.id);
        self.notify_guests(arrivals);
        let joined = attended.map(|()| {
            let info = RoomInfo {
                role: self.room.permissions().role(joining.who.author.id),
                ..self.info()
            };
            let follow = joining.follower.map(|follower| {
                let (session, outbox) = (follower.session, Arc::clone(&follower.outbox));
                outbox.set_cursor(follower.slot, at);
                outbox.answer(Event::RoomChanged {
                    request: 0,
                    room: info.clone(),
                });
                self.subscribed.insert(session);
                self.room.follow(follower, at)
            });
            Joined { info, at, follow }
        });
        send_reply(joining.reply, joined);
    }

    pub(super) fn attend(&mut self, who: &Attendee) -> Result<(), Refusal> {
        let Some(role) = self.room.permissions().role(who.author.id) else {
            return Err(self.not_a_member());
        };
        if let Some(refusal) = self.full_refusal(who.author.id) {
            return Err(refusal);
        }
        self.attendance.arrive(who.session, who.person(role));
        self.schedule_roster_delta();
        Ok(())
    }

    /// Returns the refusal for a person who is not a member. It does not reveal the name of a secret room.
    pub(super) fn not_a_member(&self) -> Refusal {
        let refusal = Refusal::new(RefusalCode::NotAMember);
        match self.record.kind {
            RoomKind::Secret => refusal.with(self.record.id),
            _ => refusal.with(&self.record.name),
        }
    }

    /// Returns the role of a person who joins. The owner of the preset rooms gets that role at once.
    fn role_for(&self, who: &Attendee) -> Role {
        if self.record.is_preset() {
            who.role
        } else {
            Role::Member
        }
    }

    /// Returns a post that promotes the owner of the preset rooms if they were already a member. The promotion is in the log, like every
    /// other change.
    pub(super) fn promotion(&self, who: &Attendee) -> Option<Post> {
        let role = self.room.permissions().role(who.author.id)?;
        (self.role_for(who) > role).then(|| Post {
            author: self.server.clone(),
            client_id: None,
            body: Body::Ruling(who.author.clone(), Ruling::Role(who.role)),
            mentions: Vec::new(),
        })
    }

    fn full_refusal(&self, identity: IdentityId) -> Option<Refusal> {
        let (count, capacity) = (self.attendance.count(), self.record.capacity);
        let is_full = capacity > 0 && count >= capacity && !self.attendance.contains(identity);
        is_full.then(|| {
            Refusal::new(RefusalCode::RoomFull)
                .with(&self.record.name)
                .with(count)
                .with(capacity)
        })
    }
}
