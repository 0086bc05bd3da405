//! Unanswered posts: which to send next, which to send again, and in which order. Pure; the time comes in.
//!
//! All posts are sent in the order they were composed, whatever their recipient: a person, their name and the conversation with them are
//! the same room to the server. After a refusal that may be tried again they go one at a time until none is left, because the
//! server refuses whatever would overtake.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::chat::{Body, ClientId, Recipient, RoomId};

/// Something to be said, from Enter to its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Post {
    pub client_id: ClientId,
    pub to: Recipient,
    pub body: Body,
    /// When it was composed, Unix milliseconds; shown until the server's time comes.
    pub at_ms: u64,
    /// The room it was typed in; a private line may be typed anywhere.
    pub from: Option<RoomId>,
    /// What was typed, to be given back if it is refused.
    pub typed: String,
}

impl Post {
    /// A post that nobody typed.
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
struct Item {
    post: Post,
    is_sent: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    items: VecDeque<Item>,
    /// Posts go one at a time, and not before this.
    careful: Option<Instant>,
    /// The name whose conversation was asked for on this connection.
    resolving: Option<String>,
}

/// What is to be sent next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    Post(Post),
    /// Ask for the conversation first: a name may mean somebody else when the post is sent again.
    Open(String),
}

impl Pending {
    pub fn has(&self, id: ClientId) -> bool {
        self.items.iter().any(|item| item.post.client_id == id)
    }

    pub fn add(&mut self, post: Post) {
        self.items.push_back(Item {
            post,
            is_sent: false,
        });
    }

    /// Takes what may be sent now; ask again until there is nothing.
    pub fn next(&mut self, now: Instant) -> Option<Next> {
        let first = self.items.iter().position(|item| !item.is_sent)?;
        if self
            .careful
            .is_some_and(|not_before| first > 0 || now < not_before)
        {
            return None;
        }
        let item = self.items.get_mut(first)?;
        if let Recipient::Name(name) = &item.post.to {
            // Whatever comes after it waits until it is known where it goes.
            let asks = self.resolving.is_none();
            return asks.then(|| Next::Open(self.resolving.insert(name.clone()).clone()));
        }
        item.is_sent = true;
        Some(Next::Post(item.post.clone()))
    }

    /// When [`Pending::next`] may have something again by the mere passing of time.
    pub fn wakes_at(&self, now: Instant) -> Option<Instant> {
        let waits =
            self.items.front().is_some_and(|first| !first.is_sent) && self.resolving.is_none();
        self.careful.filter(|_| waits).map(|at| at.max(now))
    }

    /// A post was answered for good; gives it back if it was pending.
    pub fn answered(&mut self, id: ClientId) -> Option<Post> {
        let place = self
            .items
            .iter()
            .position(|item| item.post.client_id == id)?;
        let post = self.items.remove(place)?.post;
        if self.items.is_empty() {
            self.careful = None;
        }
        Some(post)
    }

    /// A post may be sent again after a while; those after it wait with it.
    pub fn postponed(&mut self, id: ClientId, after: Duration, now: Instant) {
        let Some(place) = self.items.iter().position(|item| item.post.client_id == id) else {
            return;
        };
        for item in self.items.iter_mut().skip(place) {
            item.is_sent = false;
        }
        // A post that only waits for an earlier one says nothing of when that one may come.
        let not_before = self.careful.get_or_insert(now);
        if place == 0 {
            *not_before = now + after;
        }
    }

    /// The conversation of a name is known; gives back the posts that go there now.
    pub fn resolved(&mut self, name: &str, room: RoomId) -> Vec<ClientId> {
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

    /// The conversation of a name may be asked for again after a while.
    pub fn not_resolved_yet(&mut self, after: Duration, now: Instant) {
        self.resolving = None;
        self.careful = Some(now + after);
    }

    /// Nobody could be meant by a name: gives back the posts that were for them.
    pub fn unresolved(&mut self, name: &str) -> Vec<Post> {
        self.resolving = None;
        let is_theirs =
            |item: &Item| matches!(&item.post.to, Recipient::Name(other) if other == name);
        let all = std::mem::take(&mut self.items);
        let (lost, kept): (VecDeque<Item>, _) = all.into_iter().partition(is_theirs);
        self.items = kept;
        lost.into_iter().map(|item| item.post).collect()
    }

    /// Everything is to be sent again: the connection is a new one.
    pub fn restart(&mut self) {
        for item in &mut self.items {
            item.is_sent = false;
        }
        self.careful = None;
        self.resolving = None;
    }

    /// Entries were skipped, and answers may have been among them: what is asked again is answered again.
    pub fn ask_again(&mut self) {
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
            pending.add(Post::new(id(*counter), to.clone(), body));
        }
        pending
    }

    fn sent(pending: &mut Pending, now: Instant) -> Vec<u64> {
        std::iter::from_fn(|| pending.next(now))
            .map(|next| match next {
                Next::Post(post) => post.client_id.counter,
                Next::Open(name) => panic!("asked for {name}"),
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
        assert!(pending.answered(id(1)).is_some());
        assert!(pending.answered(id(1)).is_none());
        pending.restart();
        assert_eq!(sent(&mut pending, now), [2, 3]);
    }

    #[test]
    fn after_a_rate_limit_posts_go_one_at_a_time() {
        let now = Instant::now();
        let later = now + Duration::from_millis(100);
        let mut pending = with(&[
            (1, Recipient::Room(ROOM)),
            (2, Recipient::Room(OTHER)),
            (3, Recipient::Room(ROOM)),
        ]);
        assert_eq!(sent(&mut pending, now), [1, 2, 3]);
        pending.postponed(id(1), Duration::from_millis(100), now);
        pending.postponed(id(2), Duration::from_secs(9), now);
        pending.postponed(id(3), Duration::from_secs(9), now);
        assert_eq!(pending.wakes_at(now), Some(later));
        assert!(sent(&mut pending, now).is_empty());
        assert_eq!(sent(&mut pending, later), [1]);
        assert_eq!(
            pending.wakes_at(later),
            None,
            "it waits for an answer now, not for time"
        );
        for (answered, next) in [(1, 2), (2, 3)] {
            pending.answered(id(answered));
            assert_eq!(sent(&mut pending, later), [next]);
        }
        pending.answered(id(3));
        for counter in [5, 6] {
            let body = Body::Text(String::new());
            pending.add(Post::new(id(counter), Recipient::Room(ROOM), body));
        }
        assert_eq!(
            sent(&mut pending, later),
            [5, 6],
            "care ends with the last post that waited"
        );
    }

    #[test]
    fn nothing_overtakes_a_post_whose_recipient_is_not_known_yet() {
        let now = Instant::now();
        let mut pending = with(&[
            (1, Recipient::Name("ben".into())),
            (2, Recipient::Room(OTHER)),
        ]);
        assert_eq!(pending.next(now), Some(Next::Open("ben".into())));
        assert_eq!(pending.next(now), None);
        pending.not_resolved_yet(Duration::from_secs(1), now);
        assert_eq!(pending.next(now), None);
        let later = now + Duration::from_secs(1);
        assert_eq!(pending.wakes_at(now), Some(later));
        assert_eq!(pending.next(later), Some(Next::Open("ben".into())));
        pending.resolved("ben", OTHER);
        assert_eq!(sent(&mut pending, later), [1], "and then one at a time");
    }

    #[test]
    fn a_name_is_resolved_once_and_then_is_a_room() {
        let now = Instant::now();
        let to = Recipient::Name("ben".into());
        let mut pending = with(&[(1, to.clone()), (2, to)]);
        assert_eq!(pending.next(now), Some(Next::Open("ben".into())));
        assert_eq!(pending.next(now), None);
        pending.resolved("ben", OTHER);
        assert_eq!(sent(&mut pending, now), [1, 2]);
        assert_eq!(pending.answered(id(1)).unwrap().to, Recipient::Room(OTHER));
    }

    #[test]
    fn posts_to_nobody_come_back() {
        let mut pending = with(&[
            (1, Recipient::Name("ben".into())),
            (2, Recipient::Room(ROOM)),
        ]);
        let lost = pending.unresolved("ben");
        assert_eq!(
            lost.iter()
                .map(|post| post.client_id.counter)
                .collect::<Vec<_>>(),
            [1]
        );
        assert_eq!(sent(&mut pending, Instant::now()), [2]);
    }
}
