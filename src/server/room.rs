//! A room: its numbering, its tail and its followers.
//!
//! A `Room` is owned by one task and never awaits, so what happens inside one call happens at once for everybody. It knows
//! nothing of sockets, protobuf or SQLite, and reads no clock.

pub mod attendance;
pub mod directory;
pub mod mailbox;
pub mod permissions;
pub mod retention;
mod tail;
pub mod task;

use std::collections::HashMap;
use std::sync::Arc;

use self::permissions::{Denied, Permissions, TargetEntries};
use self::tail::Tail;
use super::delivery::Delivery;
use super::outbox::{Offered, Outbox, Signal, Slot};
use crate::chat::{
    Amendment, Body, Changes, Cursor, Digest, Entry, Epoch, FollowResult, IdentityId, InstanceId,
    Post, RoomId, Seq, SessionId, Stamp, digest,
};
use crate::wire::Event;

/// More entries after a cursor than this are not replayed; a newcomer gets the newest [`NEWEST`] and an explicit gap.
pub const REPLAY_ENTRIES: u64 = 1000;
pub const NEWEST: u64 = 200;

/// What the room knows of the last entry that is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    pub epoch: Epoch,
    /// The first seq the room still has.
    pub first: Seq,
    pub seq: Seq,
    pub digest: Digest,
    /// See [`Stamp::log_ms`].
    pub log_ms: u64,
}

/// The highest counter of each outbox an author posted from. Instances are visible in entries, so the author is part of the key:
/// nobody can use up another's numbers.
pub type Marks = HashMap<(IdentityId, InstanceId), u64>;

#[derive(Debug)]
pub struct Room {
    id: RoomId,
    head: Head,
    marks: Marks,
    permissions: Permissions,
    tail: Tail,
    followers: Vec<Follower>,
}

/// A live subscription.
#[derive(Clone, Debug)]
pub struct Follower {
    pub session: SessionId,
    pub identity: IdentityId,
    pub outbox: Arc<Outbox>,
    pub slot: Slot,
    pub generation: u64,
    /// They are told who comes and goes one by one, instead of what changed in all.
    pub is_guest: bool,
}

/// What a post became.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Entry(Seq),
    /// It was taken before, or the batch has it twice.
    Duplicate,
    Denied(Denied),
}

/// What a batch of posts became: entries that are not durable yet, what they change, and the fate of each post.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Numbered {
    /// When they were taken; never before the room's last entry by log time.
    pub at: Stamp,
    pub entries: Arc<Vec<Entry>>,
    pub changes: Changes,
    pub fates: Vec<Outcome>,
}

/// The answer to [`Room::follow`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Follow {
    /// Everything after the cursor is queued and live entries follow.
    Live,
    /// The tail does not reach back that far, or would not fit the lane: read a page from the store and ask again.
    Behind,
    /// The identity is not, or no longer, a member.
    NotAMember,
    /// The session's live lane overflowed meanwhile: begin again from what was written.
    Overflowed,
}

impl Room {
    pub fn new(id: RoomId, head: Head, marks: Marks, permissions: Permissions) -> Self {
        Self {
            id,
            head,
            marks,
            permissions,
            tail: Tail::default(),
            followers: Vec::new(),
        }
    }

    pub const fn head(&self) -> Head {
        self.head
    }

    pub const fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    pub fn followers(&self) -> usize {
        self.followers.len()
    }

    /// Decides the fate of posts and makes the entries they become, without changing anything: the room moves on with
    /// [`Room::admit`], once they are durable. Everything here depends on the log alone.
    pub fn number(&self, posts: Vec<Post>, at: Stamp, targets: &TargetEntries) -> Numbered {
        let Head {
            epoch,
            mut seq,
            mut digest,
            log_ms,
            ..
        } = self.head;
        let at = Stamp {
            log_ms: at.log_ms.max(log_ms),
            ..at
        };
        let mut entries = Vec::with_capacity(posts.len());
        let mut fates = Vec::with_capacity(posts.len());
        let mut raised = HashMap::new();
        let mut draft = self.permissions.draft(at, targets);
        for mut post in posts {
            let author = post.author.id;
            if let Some(id) = post.client_id {
                let outbox = (author, id.instance);
                let mark = raised
                    .get(&outbox)
                    .or_else(|| self.marks.get(&outbox))
                    .copied()
                    .unwrap_or(0);
                if id.counter <= mark {
                    fates.push(Outcome::Duplicate);
                    continue;
                }
            }
            if matches!(post.body, Body::Joined(_)) && draft.role(author).is_some() {
                fates.push(Outcome::Duplicate);
                continue;
            }
            if let Err(denied) = draft.judge(author, &mut post.body) {
                fates.push(Outcome::Denied(denied));
                continue;
            }
            if let Some(id) = post.client_id {
                raised.insert((author, id.instance), id.counter);
            }
            seq = seq.next();
            digest = self::digest(digest, seq, author, post.client_id, &post.body);
            let entry = Entry {
                room: self.id,
                epoch,
                seq,
                digest,
                at_ms: at.at_ms,
                author: post.author,
                client_id: post.client_id,
                body: post.body,
                mentions: post.mentions,
                amended: None,
            };
            draft.note(&entry);
            entries.push(entry);
            fates.push(Outcome::Entry(seq));
        }
        Numbered {
            at,
            entries: Arc::new(entries),
            changes: draft.into_changes(),
            fates,
        }
    }

    /// Takes over entries that are durable now and offers them to every follower, and to those who are no longer members up to the
    /// one that says so, with `farewell` behind it. Gives back the sessions that no longer follow.
    ///
    /// MUST be called with what [`Room::number`] made, and nothing in between.
    pub fn admit(
        &mut self,
        numbered: &Numbered,
        farewell: impl Fn(&Entry) -> Event,
    ) -> Vec<SessionId> {
        let entries = &numbered.entries;
        for entry in entries.iter() {
            debug_assert_eq!(
                entry.seq,
                self.head.seq.next(),
                "entries are admitted in order"
            );
            self.head = Head {
                seq: entry.seq,
                digest: entry.digest,
                log_ms: numbered.at.log_ms,
                ..self.head
            };
            if let Some(id) = entry.client_id {
                self.marks
                    .insert((entry.author.id, id.instance), id.counter);
            }
        }
        self.permissions.take(&numbered.changes);
        let ends = |entry: &Entry| entry.body.ends_a_membership();
        if !entries.iter().any(ends) {
            // Mostly nobody has to go, and the batch is shared as it is.
            self.deliver(Arc::clone(entries));
            self.forget_erased(entries);
            return Vec::new();
        }
        let mut gone = Vec::new();
        for part in entries.split_inclusive(ends) {
            self.deliver(Arc::new(part.to_vec()));
            if let Some(last) = part.last().filter(|last| ends(last)) {
                self.dismiss(last, &farewell(last), &mut gone);
            }
        }
        self.forget_erased(entries);
        gone
    }

    /// Nobody is given from memory what was deleted; the store has it as it is now.
    fn forget_erased(&mut self, entries: &[Entry]) {
        let erases = |entry: &Entry| matches!(&entry.body, Body::Amendment { what, .. } if *what == Amendment::Erase);
        if entries.iter().any(erases) {
            self.tail = Tail::default();
        }
    }

    fn deliver(&mut self, entries: Arc<Vec<Entry>>) {
        let Some(delivery) = Delivery::new(entries).map(Arc::new) else {
            return;
        };
        let before = delivery.first().before();
        self.followers.retain(|it| {
            it.outbox.offer(it.slot, it.generation, &delivery, before) == Offered::Taken
        });
        self.tail.push(delivery);
    }

    /// Ends the subscriptions of whoever is no longer a member by an entry, telling each session behind everything it got.
    fn dismiss(&mut self, entry: &Entry, farewell: &Event, gone: &mut Vec<SessionId>) {
        let who = match &entry.body {
            Body::Ruling(person, _) => Some(person.id),
            Body::Left => Some(entry.author.id),
            _ => None,
        };
        self.followers.retain(|it| {
            let goes = who.is_none_or(|who| it.identity == who);
            if goes {
                // Where it no longer fits, the session finds out when it catches up.
                it.outbox.offer_last(it.slot, it.generation, farewell);
                gone.push(it.session);
            }
            !goes
        });
    }

    /// Judges a cursor: what the client is told, and after which seq it starts. `known` is the log's own digest at the cursor,
    /// where the caller could find one.
    pub fn judge(
        head: &Head,
        cursor: Option<&Cursor>,
        known: Option<Digest>,
    ) -> (FollowResult, Seq) {
        let Head {
            first, seq: last, ..
        } = *head;
        let newest = Seq(last.0.saturating_sub(NEWEST)).max(first.before());
        let anew = |result| {
            (
                result,
                if last.0.saturating_sub(first.before().0) > REPLAY_ENTRIES {
                    newest
                } else {
                    first.before()
                },
            )
        };
        let after = match cursor {
            None => Seq::ZERO,
            Some(cursor) if cursor.epoch != head.epoch => return anew(FollowResult::EpochChanged),
            Some(cursor) if cursor.seq > last => return anew(FollowResult::Ahead),
            Some(Cursor {
                digest: Some(digest),
                ..
            }) if known.is_some_and(|known| known != *digest) => {
                return anew(FollowResult::EpochChanged);
            }
            Some(cursor) => cursor.seq,
        };
        if last.0.saturating_sub(after.0) > REPLAY_ENTRIES {
            (FollowResult::TooFar, newest)
        } else if after < first.before() {
            (FollowResult::Trimmed, first.before())
        } else {
            (FollowResult::Contiguous, after)
        }
    }

    /// The room begins later from now on.
    pub fn begins_at(&mut self, first: Seq) {
        self.head.first = self.head.first.max(first.min(self.head.seq));
    }

    /// The digest at a seq, if the tail has it.
    pub fn digest_at(&self, seq: Seq) -> Option<Digest> {
        self.tail.digest_at(seq)
    }

    /// Queues everything after `after` and adds the follower, in one step: no gap, no duplicate, no lock.
    pub fn follow(&mut self, follower: Follower, after: Seq) -> Follow {
        self.unfollow(follower.session);
        if self.permissions.role(follower.identity).is_none() {
            return Follow::NotAMember;
        }
        let Some(deliveries) = self.tail.after(after, self.head.seq) else {
            return Follow::Behind;
        };
        let (entries, bytes) = deliveries
            .clone()
            .fold((0, 0), |(entries, bytes), delivery| {
                (entries + delivery.entries().len(), bytes + delivery.size())
            });
        if entries > 0 && !follower.outbox.fits(entries, bytes) {
            return Follow::Behind;
        }
        for delivery in deliveries {
            if follower
                .outbox
                .offer(follower.slot, follower.generation, delivery, after)
                == Offered::Gone
            {
                return Follow::Overflowed;
            }
        }
        if follower.outbox.generation() != follower.generation {
            return Follow::Overflowed;
        }
        self.followers.push(follower);
        Follow::Live
    }

    pub fn unfollow(&mut self, session: SessionId) {
        self.followers.retain(|it| it.session != session);
    }

    pub fn has_guests(&self) -> bool {
        self.followers.iter().any(|it| it.is_guest)
    }

    /// Offers a signal to every follower of a kind.
    pub fn signal(&mut self, signal: &Arc<Signal>, to_guests: bool) {
        self.followers.retain(|it| {
            it.is_guest != to_guests
                || it.outbox.offer_signal(it.slot, it.generation, signal) == Offered::Taken
        });
    }
}

#[cfg(test)]
mod tests;
