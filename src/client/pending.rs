//! Posts that were not answered yet: which to send next, which to send again, and in which order. Pure; the caller passes the time in.
//!
//! All posts are sent in the order they were composed, whatever their recipient: for the server, a person, their name
//! and the conversation with them are the same room. After a retryable refusal, posts are sent one at a time until none
//! is left, because the server refuses any post that would overtake an earlier one.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::chat::{Body, ClientId, Recipient, RoomId};

/// A post that has not been answered yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutgoingPost {
    pub client_id: ClientId,
    pub to: Recipient,
    pub body: Body,
    /// When it was composed, in Unix milliseconds; shown until the server's time arrives.
    pub at_ms: u64,
    /// The room it was typed in; a private message may be typed in any room.
    pub from: Option<RoomId>,
    /// The text that was typed, to be restored if the post is refused.
    pub typed: String,
}

impl OutgoingPost {
    /// Creates a post that was not typed by a person.
    pub fn new(client_id: ClientId, to: Recipient, body: Body) -> Self {
        Self {
            client_id,
            to,
            body,
            at_ms: 0,
            from: None,
            typed: String::new(),
        }
    }
}

#[derive(Clone, Debug)]
struct PendingPost {
    post: OutgoingPost,
    is_sent: bool,
}

/// The posts that wait to be sent or answered, in order.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    items: VecDeque<PendingPost>,
    /// If set, posts are sent one at a time, and not before this time.
    one_at_a_time_from: Option<Instant>,
    /// The name whose conversation was requested on this connection.
    resolving: Option<String>,
}

/// What to send next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NextSend {
    Post(OutgoingPost),
    /// Request the conversation with this name first: the name may belong to another person when the post is sent
    /// again.
    Open(String),
}

impl Pending {
    pub fn has(&self, id: ClientId) -> bool {
        self.items.iter().any(|item| item.post.client_id == id)
    }

    pub fn add(&mut self, post: OutgoingPost) {
        self.items.push_back(PendingPost {
            post,
            is_sent: false,
        });
    }

    /// Returns the next thing that may be sent now. Call it again until it returns `None`.
    pub fn next(&mut self, now: Instant) -> Option<NextSend> {
        let first = self.items.iter().position(|item| !item.is_sent)?;
        if self
            .one_at_a_time_from
            .is_some_and(|not_before| first > 0 || now < not_before)
        {
            return None;
        }
        let item = self.items.get_mut(first)?;
        if let Recipient::Name(name) = &item.post.to {
            // Everything after this post waits until its recipient is known.
            let asks = self.resolving.is_none();
            return asks.then(|| NextSend::Open(self.resolving.insert(name.clone()).clone()));
        }
        item.is_sent = true;
        Some(NextSend::Post(item.post.clone()))
    }

    /// Returns when [`Pending::next`] may have something again without any other change.
    pub fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let waits =
            self.items.front().is_some_and(|first| !first.is_sent) && self.resolving.is_none();
        self.one_at_a_time_from
            .filter(|_| waits)
            .map(|at| at.max(now))
    }

    /// Removes a post that has its final answer. Returns it if it was pending.
    pub fn remove_answered(&mut self, id: ClientId) -> Option<OutgoingPost> {
        let place = self
            .items
            .iter()
            .position(|item| item.post.client_id == id)?;
        let post = self.items.remove(place)?.post;
        if self.items.is_empty() {
            self.one_at_a_time_from = None;
        }
        Some(post)
    }

    /// Marks a post to be sent again after a while; the posts after it wait with it.
    pub fn postpone(&mut self, id: ClientId, after: Duration, now: Instant) {
        let Some(place) = self.items.iter().position(|item| item.post.client_id == id) else {
            return;
        };
        for item in self.items.iter_mut().skip(place) {
            item.is_sent = false;
        }
        // The refusal of a post that only waits for an earlier one does not tell when the earlier one may be sent.
        let not_before = self.one_at_a_time_from.get_or_insert(now);
        if place == 0 {
            *not_before = now + after;
        }
    }

    /// Addresses all posts for a name to its conversation. Returns the ids of these posts.
    pub fn resolve(&mut self, name: &str, room: RoomId) -> Vec<ClientId> {
        self.resolving = None;
        let mut addressed = Vec::new();
        for item in &mut self.items {
            if matches!(&item.post.to, Recipient::Name(other) if other == name) {
                item.post.to = Recipient::Room(room);
                addressed.push(item.post.client_id);
            }
        }
        addressed
    }

    /// Lets the conversation with a name be requested again after a while.
    pub fn retry_resolve_after(&mut self, after: Duration, now: Instant) {
        self.resolving = None;
        self.one_at_a_time_from = Some(now + after);
    }

    /// Removes and returns the posts for a name that nobody has.
    pub fn remove_unresolved(&mut self, name: &str) -> Vec<OutgoingPost> {
        self.resolving = None;
        let is_theirs =
            |item: &PendingPost| matches!(&item.post.to, Recipient::Name(other) if other == name);
        let all = std::mem::take(&mut self.items);
        let (lost, kept): (VecDeque<PendingPost>, _) = all.into_iter().partition(is_theirs);
        self.items = kept;
        lost.into_iter().map(|item| item.post).collect()
    }

    /// Marks everything to be sent again, because the connection is new.
    pub fn restart(&mut self) {
        for item in &mut self.items {
            item.is_sent = false;
        }
        self.one_at_a_time_from = None;
        self.resolving = None;
    }

    /// Marks everything to be sent again, because answers may have been among skipped entries. The server answers a repeated post again.
    pub fn resend_all(&mut self) {
        for item in &mut self.items {
            item.is_sent = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::InstanceId;

    const ROOM: RoomId = RoomId::new([1; 16]);
    const OTHER: RoomId = RoomId::new([2; 16]);

    fn id(counter: u64) -> ClientId {
        ClientId {
            instance: InstanceId::new([7; 16]),
            counter,
        }
    }

    fn with(posts: &[(u64, Recipient)]) -> Pending {
        let mut pending = Pending::default();
        for (counter, to) in posts {
            let body = Body::Text(counter.to_string());
            pending.add(OutgoingPost::new(id(*counter), to.clone(), body));
        }
        pending
    }

    fn sent(pending: &mut Pending, now: Instant) -> Vec<u64> {
        std::iter::from_fn(|| pending.next(now))
            .map(|next| match next {
                NextSend::Post(post) => post.client_id.counter,
                NextSend::Open(name) => panic!("asked for {name}"),
            })
            .collect()
    }

    #[test]
    fn posts_are_sent_once_and_in_order_and_all_again_after_a_reconnect() {
        let now = Instant::now();
        let mut pending = with(&[
            (1, Recipient::Room(ROOM)),
            (2, Recipient::Room(OTHER)),
            (3, Recipient::Room(ROOM)),
        ]);
        assert_eq!(sent(&mut pending, now), [1, 2, 3]);
        assert!(sent(&mut pending, now).is_empty());
        assert!(pending.remove_answered(id(1)).is_some());
        assert!(pending.remove_answered(id(1)).is_none());
        pending.restart();
        assert_eq!(sent(&mut pending, now), [2, 3]);
    }

    #[test]
    fn after_a_rate_limit_posts_are_sent_one_at_a_time() {
        let now = Instant::now();
        let later = now + Duration::from_millis(100);
        let mut pending = with(&[
            (1, Recipient::Room(ROOM)),
            (2, Recipient::Room(OTHER)),
            (3, Recipient::Room(ROOM)),
        ]);
        assert_eq!(sent(&mut pending, now), [1, 2, 3]);
        pending.postpone(id(1), Duration::from_millis(100), now);
        pending.postpone(id(2), Duration::from_secs(9), now);
        pending.postpone(id(3), Duration::from_secs(9), now);
        assert_eq!(pending.next_deadline(now), Some(later));
        assert!(sent(&mut pending, now).is_empty());
        assert_eq!(sent(&mut pending, later), [1]);
        assert_eq!(
            pending.next_deadline(later),
            None,
            "it waits for an answer, not for a time"
        );
        for (answered, next) in [(1, 2), (2, 3)] {
            pending.remove_answered(id(answered));
            assert_eq!(sent(&mut pending, later), [next]);
        }
        pending.remove_answered(id(3));
        for counter in [5, 6] {
            let body = Body::Text(String::new());
            pending.add(OutgoingPost::new(id(counter), Recipient::Room(ROOM), body));
        }
        assert_eq!(
            sent(&mut pending, later),
            [5, 6],
            "posts go together again after the last waiting post was answered"
        );
    }

    #[test]
    fn no_post_overtakes_one_whose_recipient_is_not_resolved_yet() {
        let now = Instant::now();
        let mut pending = with(&[
            (1, Recipient::Name("ben".into())),
            (2, Recipient::Room(OTHER)),
        ]);
        assert_eq!(pending.next(now), Some(NextSend::Open("ben".into())));
        assert_eq!(pending.next(now), None);
        pending.retry_resolve_after(Duration::from_secs(1), now);
        assert_eq!(pending.next(now), None);
        let later = now + Duration::from_secs(1);
        assert_eq!(pending.next_deadline(now), Some(later));
        assert_eq!(pending.next(later), Some(NextSend::Open("ben".into())));
        pending.resolve("ben", OTHER);
        assert_eq!(sent(&mut pending, later), [1], "and then one at a time");
    }

    #[test]
    fn a_name_is_resolved_to_a_room_only_once() {
        let now = Instant::now();
        let to = Recipient::Name("ben".into());
        let mut pending = with(&[(1, to.clone()), (2, to)]);
        assert_eq!(pending.next(now), Some(NextSend::Open("ben".into())));
        assert_eq!(pending.next(now), None);
        pending.resolve("ben", OTHER);
        assert_eq!(sent(&mut pending, now), [1, 2]);
        assert_eq!(
            pending.remove_answered(id(1)).unwrap().to,
            Recipient::Room(OTHER)
        );
    }

    #[test]
    fn posts_to_an_unknown_name_are_returned() {
        let mut pending = with(&[
            (1, Recipient::Name("ben".into())),
            (2, Recipient::Room(ROOM)),
        ]);
        let lost = pending.remove_unresolved("ben");
        assert_eq!(
            lost.iter()
                .map(|post| post.client_id.counter)
                .collect::<Vec<_>>(),
            [1]
        );
        assert_eq!(sent(&mut pending, Instant::now()), [2]);
    }
}
