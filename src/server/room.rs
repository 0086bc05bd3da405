//! A room: it numbers posts, remembers the newest entries and delivers them to followers.
//!
//! A `Room` is owned by one task and never awaits, so each call is atomic for everyone in the room. It knows nothing of sockets, protobuf
//! or SQLite, and reads no clock.

pub(crate) mod attendance;
pub(crate) mod directory;
pub(crate) mod mailbox;
pub mod permissions;
pub(crate) mod retention;
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

/// The maximum number of entries that are replayed after a cursor. If there are more, the client gets an explicit gap and the newest
/// [`NEWEST`].
pub(crate) const REPLAY_ENTRIES: u64 = 1000;
/// How many of the newest entries a client gets when there is too much to replay.
pub(crate) const NEWEST: u64 = 200;

/// The bounds of a room's log: its last durable entry, and the first that is still stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoomHead {
    pub epoch: Epoch,
    /// The first seq that is still stored.
    pub first: Seq,
    pub seq: Seq,
    pub digest: Digest,
    /// See [`Stamp::log_ms`].
    pub log_ms: u64,
}

/// The highest counter of each client outbox that an author has posted from. Entries show the instance to everyone, so the author is part
/// of the key: otherwise a person could use up another person's counters.
pub type Marks = HashMap<(IdentityId, InstanceId), u64>;

#[derive(Debug)]
pub struct Room {
    id: RoomId,
    head: RoomHead,
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
    /// Whether the session gets each join and leave separately, instead of roster changes.
    pub is_guest: bool,
}

/// The outcome of a post.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Entry(Seq),
    /// It was accepted before, or is in the batch twice.
    Duplicate,
    Denied(Denied),
}

/// A numbered batch: entries that are not durable yet, the changes they make, and the outcome of each post.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderedBatch {
    /// When the posts were accepted; by log time never earlier than the room's last entry.
    pub at: Stamp,
    pub entries: Arc<Vec<Entry>>,
    pub changes: Changes,
    pub outcomes: Vec<Outcome>,
}

/// The answer to [`Room::follow`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FollowOutcome {
    /// Everything after the cursor is queued and live entries follow.
    Live,
    /// The tail does not reach back that far, or does not fit in the lane: read a page from the store and call again.
    Behind,
    /// The identity is not a member, or no longer is.
    NotAMember,
    /// The session's live lane overflowed meanwhile: start again from the entries that were written.
    Overflowed,
}

impl Room {
    pub fn new(id: RoomId, head: RoomHead, marks: Marks, permissions: Permissions) -> Self {
        Self {
            id,
            head,
            marks,
            permissions,
            tail: Tail::default(),
            followers: Vec::new(),
        }
    }

    pub const fn head(&self) -> RoomHead {
        self.head
    }

    pub const fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    pub fn followers(&self) -> usize {
        self.followers.len()
    }

    /// Decides the outcome of posts and makes their entries, without changing the room. Once the entries are durable, [`Room::admit`]
    /// applies them. The result depends only on the log.
    pub fn order_posts(
        &self,
        posts: Vec<Post>,
        at: Stamp,
        targets: &TargetEntries,
    ) -> OrderedBatch {
        let RoomHead {
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
        let mut outcomes = Vec::with_capacity(posts.len());
        let mut raised = Marks::new();
        let mut draft = self.permissions.check_batch(at, targets);
        for mut post in posts {
            let author = post.author.id;
            let is_joined_already =
                matches!(post.body, Body::Joined(_)) && draft.role(author).is_some();
            if is_joined_already || self.was_accepted(&post, &raised) {
                outcomes.push(Outcome::Duplicate);
                continue;
            }
            if let Err(denied) = draft.check(author, &mut post.body) {
                outcomes.push(Outcome::Denied(denied));
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
            draft.record(&entry);
            entries.push(entry);
            outcomes.push(Outcome::Entry(seq));
        }
        OrderedBatch {
            at,
            entries: Arc::new(entries),
            changes: draft.into_changes(),
            outcomes,
        }
    }

    /// Returns whether a post was accepted before: in an earlier batch or this one, whose marks are `raised`.
    fn was_accepted(&self, post: &Post, raised: &Marks) -> bool {
        post.client_id.is_some_and(|id| {
            let outbox = (post.author.id, id.instance);
            let mark = raised.get(&outbox).or_else(|| self.marks.get(&outbox));
            id.counter <= mark.copied().unwrap_or(0)
        })
    }

    /// Applies entries that are now durable and offers them to every follower. A follower whose membership ends receives everything up to
    /// the entry that ends it, and then `farewell`. Returns the sessions whose subscription this ended.
    ///
    /// MUST be called with the result of [`Room::order_posts`], and with nothing numbered or admitted in between.
    pub fn admit(
        &mut self,
        numbered: &OrderedBatch,
        farewell: impl Fn(&Entry) -> Event,
    ) -> Vec<SessionId> {
        let entries = &numbered.entries;
        for entry in entries.iter() {
            debug_assert_eq!(
                entry.seq,
                self.head.seq.next(),
                "entries are admitted in order"
            );
            self.head = RoomHead {
                seq: entry.seq,
                digest: entry.digest,
                log_ms: numbered.at.log_ms,
                ..self.head
            };
            match &entry.body {
                Body::Rules(rules) => self.permissions.set_rules(*rules),
                body if body.is_message() => {
                    let author = entry.author.id;
                    self.permissions.record_message(author, numbered.at.log_ms);
                }
                _ => {}
            }
            if let Some(id) = entry.client_id {
                self.marks
                    .insert((entry.author.id, id.instance), id.counter);
            }
        }
        self.permissions.apply(&numbered.changes);
        let ends = |entry: &Entry| entry.body.ends_membership();
        if !entries.iter().any(ends) {
            // Most batches end no membership, and are shared as they are.
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

    /// Clears the tail after a deletion, so that no deleted text is served from memory. The store has the amended entries.
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

    /// Ends the subscriptions of people who are no longer members after an entry. Each session gets `farewell` behind all its entries.
    fn dismiss(&mut self, entry: &Entry, farewell: &Event, gone: &mut Vec<SessionId>) {
        let who = match &entry.body {
            Body::Ruling(person, _) => Some(person.id),
            Body::Left => Some(entry.author.id),
            _ => None,
        };
        self.followers.retain(|it| {
            let goes = who.is_none_or(|who| it.identity == who);
            if goes {
                // If the farewell cannot be queued, the session learns of the removal when it catches up.
                it.outbox.offer_last(it.slot, it.generation, farewell);
                gone.push(it.session);
            }
            !goes
        });
    }

    /// Checks a cursor. Returns the result for the client and the seq after which it starts. `known` is the log's own digest at the cursor,
    /// if the caller found one.
    pub fn check_cursor(
        head: &RoomHead,
        cursor: Option<&Cursor>,
        known: Option<Digest>,
    ) -> (FollowResult, Seq) {
        let RoomHead {
            first, seq: last, ..
        } = *head;
        let newest = Seq(last.0.saturating_sub(NEWEST)).max(first.before());
        let start_over = |result| {
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
            Some(cursor) if cursor.epoch != head.epoch => {
                return start_over(FollowResult::EpochChanged);
            }
            Some(cursor) if cursor.seq > last => return start_over(FollowResult::Ahead),
            Some(Cursor {
                digest: Some(digest),
                ..
            }) if known.is_some_and(|known| known != *digest) => {
                return start_over(FollowResult::EpochChanged);
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

    /// Raises the first seq. The entries before it are trimmed from the store afterwards.
    pub fn set_first(&mut self, first: Seq) {
        self.head.first = self.head.first.max(first.min(self.head.seq));
    }

    /// Returns the digest at a seq, if the tail has it.
    pub fn digest_at(&self, seq: Seq) -> Option<Digest> {
        self.tail.digest_at(seq)
    }

    /// Queues every entry after `after` and adds the follower in one step, so that no entry is missed or sent twice.
    /// This needs no lock, because one task owns the room.
    pub fn follow(&mut self, follower: Follower, after: Seq) -> FollowOutcome {
        self.unfollow(follower.session);
        if self.permissions.role(follower.identity).is_none() {
            return FollowOutcome::NotAMember;
        }
        let Some(deliveries) = self.tail.after(after, self.head.seq) else {
            return FollowOutcome::Behind;
        };
        let (entries, bytes) = deliveries
            .clone()
            .fold((0, 0), |(entries, bytes), delivery| {
                (entries + delivery.entries().len(), bytes + delivery.size())
            });
        if entries > 0 && !follower.outbox.fits(entries, bytes) {
            return FollowOutcome::Behind;
        }
        for delivery in deliveries {
            if follower
                .outbox
                .offer(follower.slot, follower.generation, delivery, after)
                == Offered::Gone
            {
                return FollowOutcome::Overflowed;
            }
        }
        if follower.outbox.generation() != follower.generation {
            return FollowOutcome::Overflowed;
        }
        self.followers.push(follower);
        FollowOutcome::Live
    }

    pub fn unfollow(&mut self, session: SessionId) {
        self.followers.retain(|it| it.session != session);
    }

    /// Ends all subscriptions of a person. Returns their sessions.
    pub fn unfollow_person(&mut self, identity: IdentityId) -> Vec<SessionId> {
        let theirs = |it: &mut Follower| it.identity == identity;
        let gone = self.followers.extract_if(.., theirs);
        gone.map(|it| it.session).collect()
    }

    pub fn has_guests(&self) -> bool {
        self.followers.iter().any(|it| it.is_guest)
    }

    /// Offers a signal to all guests, or to all other followers.
    pub fn signal(&mut self, signal: &Arc<Signal>, to_guests: bool) {
        self.followers.retain(|it| {
            it.is_guest != to_guests
                || it.outbox.offer_signal(it.slot, it.generation, signal) == Offered::Taken
        });
    }
}

#[cfg(test)]
mod tests;
