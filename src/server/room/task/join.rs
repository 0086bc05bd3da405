//! Coming in: a place, an entry that says so, and, for a guest, everything from that entry on.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Task, Waiter, key, tell};
use crate::chat::{
    Body, IdentityId, Post, Refusal, RefusalCode, Role, RoomInfo, RoomKind, Ruling, Seq,
};
use crate::server::room::Follower;
use crate::server::room::mailbox::{Attendee, Joined};
use crate::wire::Event;

/// Somebody on their way in.
pub(super) struct Joining {
    pub(super) who: Attendee,
    pub(super) follower: Option<Follower>,
    pub(super) reply: oneshot::Sender<Result<Joined, Refusal>>,
}

impl Task {
    pub(super) fn join(&mut self, joining: Joining) -> Option<Post> {
        let who = &joining.who;
        if self.room.permissions().role(who.author.id).is_some() {
            let at = self.room.head().seq;
            self.let_in(joining, at);
            return None;
        }
        // Whoever may not know of a secret room learns nothing of it: not that it is full, and not what it is called.
        let is_hidden = match self.record.kind {
            RoomKind::Conversation => true,
            RoomKind::Secret => !self.room.permissions().is_known_to(who.author.id),
            RoomKind::Public | RoomKind::Private => false,
        };
        if is_hidden || self.room.permissions().is_closed() {
            let unknown = Refusal::new(RefusalCode::RoomUnknown).with(self.record.id);
            tell(joining.reply, Err(unknown));
            return None;
        }
        if let Some(refusal) = self.full_for(who.author.id) {
            tell(joining.reply, Err(refusal));
            return None;
        }
        // The place is taken now, so that two who join at once do not both get the last one.
        let role = self.role_for(who);
        self.attendance.arrive(who.session, who.person(role));
        self.joining.insert(who.author.id);
        let post = Post {
            author: who.author.clone(),
            client_id: None,
            body: Body::Joined(role),
            mentions: Vec::new(),
        };
        self.waiting
            .entry(key(&post))
            .or_default()
            .push(Waiter::Join(Box::new(joining)));
        Some(post)
    }

    /// Makes a member present, and a guest a follower of what comes after `at`.
    pub(super) fn let_in(&mut self, joining: Joining, at: Seq) {
        let attended = self.attend(&joining.who);
        let arrivals = self
            .attendance
            .take_arrivals(|id| id == joining.who.author.id);
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
        tell(joining.reply, joined);
    }

    pub(super) fn attend(&mut self, who: &Attendee) -> Result<(), Refusal> {
        let Some(role) = self.room.permissions().role(who.author.id) else {
            return Err(self.not_a_member());
        };
        if let Some(refusal) = self.full_for(who.author.id) {
            return Err(refusal);
        }
        self.attendance.arrive(who.session, who.person(role));
        self.note_changes();
        Ok(())
    }

    /// The refusal for somebody who has to be a member. It does not say what a secret room is called.
    pub(super) fn not_a_member(&self) -> Refusal {
        let refusal = Refusal::new(RefusalCode::NotAMember);
        match self.record.kind {
            RoomKind::Secret => refusal.with(self.record.id),
            _ => refusal.with(&self.record.name),
        }
    }

    /// What somebody becomes who joins: whoever owns the preset rooms does so from the start.
    fn role_for(&self, who: &Attendee) -> Role {
        if self.record.is_preset() {
            who.role
        } else {
            Role::Member
        }
    }

    /// Somebody who owns the preset rooms and was a member before that is given the role, in the log as everything else.
    pub(super) fn promotion(&self, who: &Attendee) -> Option<Post> {
        let role = self.room.permissions().role(who.author.id)?;
        (self.role_for(who) > role).then(|| Post {
            author: self.server.clone(),
            client_id: None,
            body: Body::Ruling(who.author.clone(), Ruling::Role(who.role)),
            mentions: Vec::new(),
        })
    }

    fn full_for(&self, identity: IdentityId) -> Option<Refusal> {
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
