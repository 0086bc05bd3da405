//! The outcome of posts: answers to their waiters, and the retry order of posts that did not fit on the disk.

use std::time::Duration;

use super::{Joining, PostKey, RoomTask, Waiter, post_key, send_reply};
use crate::chat::{Post, Refusal, RefusalCode, RoomKind};
use crate::server::outbox::Outbox;
use crate::server::room::Outcome;
use crate::server::room::attendance::Departure;
use crate::server::room::permissions::Denied;
use crate::server::store::FULL_RETRY;
use crate::wire::Event;

/// The retry delay for posts behind one that did not fit on the disk. It is short, because the delay of the first one is what counts.
const AFTER_REFUSED: Duration = Duration::from_millis(100);

impl RoomTask {
    /// Refuses a post if an earlier one of its client outbox did not fit on the disk. Returns whether it did so.
    pub(super) fn must_wait(&mut self, post: &Post) -> bool {
        let Some(id) = post.client_id else {
            return false;
        };
        let outbox = (post.author.id, id.instance);
        match self.refused.get(&outbox) {
            Some(refused) if id.counter > *refused => {
                let refusal = Refusal::new(RefusalCode::AfterRefused).retry_after(AFTER_REFUSED);
                self.answer(post_key(post), Err(refusal));
                true
            }
            Some(_) => {
                self.refused.remove(&outbox);
                false
            }
            None => false,
        }
    }

    /// Refuses a whole batch because the disk is full. Of each client outbox, the first refused post must be retried
    /// first.
    pub(super) fn refuse_all(&mut self, keys: Vec<PostKey>) {
        for key in keys {
            if let (author, Some(id), _) = key {
                let first = self.refused.entry((author, id.instance));
                first.or_insert(id.counter);
            }
            let refusal = Refusal::new(RefusalCode::StorageFull).retry_after(FULL_RETRY);
            self.answer(key, Err(refusal));
        }
        self.schedule_roster_delta();
    }

    /// Answers the first waiter for a post with this key.
    pub(super) fn answer(&mut self, key: PostKey, outcome: Result<Outcome, Refusal>) {
        let Some(waiters) = self.waiters.get_mut(&key) else {
            return;
        };
        let waiter = waiters.remove(0);
        if waiters.is_empty() {
            self.waiters.remove(&key);
        }
        let outcome = match outcome {
            Ok(Outcome::Denied(denied)) => Err(self.refusal(denied)),
            outcome => outcome,
        };
        match (waiter, outcome) {
            (Waiter::Session(session, outbox), outcome) => {
                let is_subscribed = self.subscribed.contains(&session);
                self.answer_post(key, outcome, is_subscribed, &outbox);
            }
            (Waiter::Join(joining), Ok(outcome)) => {
                // If another session of the same person joined first, this join is a duplicate and has no entry.
                let at = match outcome {
                    Outcome::Entry(seq) => seq,
                    _ => self.room.head().seq,
                };
                self.complete_join(*joining, at);
            }
            (Waiter::Join(joining), Err(refusal)) => {
                // The reserved place is free again.
                let Joining { who, reply, .. } = *joining;
                let identity = who.author.id;
                self.joining.remove(&identity);
                if self.room.permissions().role(identity).is_some() {
                    self.attendance
                        .depart(who.session, identity, Departure::Clean);
                } else {
                    // They never became a member, and nobody sees them come or go.
                    self.attendance.leave(identity);
                }
                send_reply(reply, Err(refusal));
            }
            (Waiter::Membership(reply), outcome) => send_reply(reply, outcome.map(drop)),
        }
    }

    fn refusal(&self, denied: Denied) -> Refusal {
        let name = &self.record.name;
        match denied {
            Denied::NotAMember => self.not_a_member(),
            Denied::PeerGone => Refusal::new(RefusalCode::PersonGone),
            Denied::NotAllowed(right, role) => Refusal::new(RefusalCode::NotAllowed)
                .with(right.word())
                .with(role.word()),
            Denied::SlowMode(left_ms, slow_s) => Refusal::new(RefusalCode::SlowMode)
                .with(left_ms.div_ceil(1000))
                .with(slow_s),
            Denied::ReadOnly => Refusal::new(RefusalCode::ReadOnly).with(name),
            Denied::Outranked(person) => Refusal::new(RefusalCode::Outranked).with(person),
            Denied::Muted(until) => Refusal::new(RefusalCode::Muted).with(until.millis()),
            Denied::Banned(until) => Refusal::new(RefusalCode::Banned)
                .with(name)
                .with(until.millis()),
            // A stranger must not learn that a secret room exists, nor its name.
            Denied::NotInvited if self.record.kind == RoomKind::Secret => {
                Refusal::new(RefusalCode::RoomUnknown).with(self.record.id)
            }
            Denied::NotInvited => Refusal::new(RefusalCode::NotInvited).with(name),
            Denied::NoEffect(person) => Refusal::new(RefusalCode::NoEffect).with(person),
            Denied::ToSelf => Refusal::new(RefusalCode::ToSelf),
            Denied::Closed => Refusal::new(RefusalCode::RoomClosed).with(name),
            Denied::TargetUnknown => Refusal::new(RefusalCode::TargetUnknown),
            Denied::TooManyReactions => Refusal::new(RefusalCode::TooManyReactions),
            Denied::NotYours => Refusal::new(RefusalCode::NotYours),
            Denied::Malformed => Refusal::new(RefusalCode::Malformed).with("body"),
        }
    }

    fn answer_post(
        &self,
        (_, client_id, _): PostKey,
        outcome: Result<Outcome, Refusal>,
        is_subscribed: bool,
        outbox: &Outbox,
    ) {
        let (room, epoch) = (self.record.id, self.record.epoch);
        let seq = match outcome {
            // The entry itself is the answer.
            Ok(Outcome::Entry(_)) if is_subscribed => return,
            Ok(Outcome::Entry(seq)) => Some(seq),
            // It was accepted before, and sent to everyone then.
            Ok(_) => None,
            Err(refusal) => {
                return outbox.answer(Event::Refused {
                    request: 0,
                    client_id,
                    refusal,
                });
            }
        };
        // A post of a guest has no client id: guests never retry, so they need no confirmation.
        if let Some(client_id) = client_id {
            outbox.answer(Event::Accepted {
                client_id,
                room,
                epoch,
                seq,
            });
        }
    }
}
