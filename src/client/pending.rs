//! Posts that were not answered yet: which to send next, which to send again, and in which order. Pure; the time comes in.
//!
//! The posts of one recipient are answered in the order they were composed. After a refusal that may be tried again, that recipient's
//! posts go one at a time until none is left, because the server refuses whatever would overtake.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::chat::{Body, ClientId, Recipient, RoomId};

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Post {
    pub client_id: ClientId,
    pub to: Recipient,
    pub body: Body,
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
    /// Recipients whose posts go one at a time, and not before this.
    careful: HashMap<Recipient, Instant>,
    /// Names whose conversation was asked for on this connection.
    resolving: HashSet<String>,
}

/// What is to be sent next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    Post(Post),
    /// Ask for the conversation first: a name may mean somebody else when the post is sent again.
    Open(String),
}

impl Pending {
    pub fn add(&mut self, post: Post) {
        self.items.push_back(Item {
            post,
            is_sent: false,
        });
    }

    /// Takes what may be sent now; ask again until there is nothing.
    pub fn next(&mut self, now: Instant) -> Option<Next> {
        let mut passed = HashSet::new();
        for item in &mut self.items {
            let to = &item.post.to;
            let first_of_its_recipient = passed.insert(to.clone());
            if item.is_sent {
                continue;
            }
            if let Recipient::Name(name) = to {
                if self.resolving.insert(name.clone()) {
                    return Some(Next::Open(name.clone()));
                }
                continue;
            }
            match self.careful.get(to) {
                Some(not_before) if !first_of_its_recipient || now < *not_before => continue,
                _ => {}
            }
            item.is_sent = true;
            return Some(Next::Post(item.post.clone()));
        }
        None
    }

    /// When [`Pending::next`] may have something again by the mere passing of time.
    pub fn wakes_at(&self, now: Instant) -> Option<Instant> {
        let waiting = self.careful.iter().filter(|(to, _)| {
            self.items
                .iter()
                .find(|item| item.post.to == **to)
                .is_some_and(|first| !first.is_sent)
        });
        waiting.map(|(_, at)| (*at).max(now)).min()
    }

    /// A post was answered for good; gives it back if it was pending.
    pub fn answered(&mut self, id: ClientId) -> Option<Post> {
        let place = self
            .items
            .iter()
            .position(|item| item.post.client_id == id)?;
        let post = self.items.remove(place)?.post;
        if !self.items.iter().any(|item| item.post.to == post.to) {
            self.careful.remove(&post.to);
        }
        Some(post)
    }

    /// A post may be sent again after a while; those after it wait with it.
    pub fn postponed(&mut self, id: ClientId, after: Duration, now: Instant) {
        let Some(place) = self.items.iter().position(|item| item.post.client_id == id) else {
            return;
        };
        let to = self.items[place].post.to.clone();
        for item in self
            .items
            .iter_mut()
            .skip(place)
            .filter(|item| item.post.to == to)
        {
            item.is_sent = false;
        }
        // A post that only waits for an earlier one says nothing of when that one may come.
        let is_first = !self.items.iter().take(place).any(|item| item.post.to == to);
        let not_before = self.careful.entry(to).or_insert(now);
        if is_first {
            *not_before = now + after;
        }
    }

    /// The conversation of a name is known.
    pub fn resolved(&mut self, name: &str, room: RoomId) {
        self.resolving.remove(name);
        for item in &mut self.items {
            if matches!(&item.post.to, Recipient::Name(other) if other == name) {
                item.post.to = Recipient::Room(room);
            }
        }
    }

    /// Nobody could be meant by a name: gives back the posts that were for them.
    pub fn unresolved(&mut self, name: &str) -> Vec<Post> {
        self.resolving.remove(name);
        let is_theirs =
            |item: &Item| matches!(&item.post.to, Recipient::Name(other) if other == name);
        let (lost, kept) = std::mem::take(&mut self.items)
            .into_iter()
            .partition(is_theirs);
        self.items = kept;
        let lost: VecDeque<Item> = lost;
        lost.into_iter().map(|item| item.post).collect()
    }

    /// Everything is to be sent again: the connection is a new one.
    pub fn restart(&mut self) {
        for item in &mut self.items {
            item.is_sent = false;
        }
        self.careful.clear();
        self.resolving.clear();
    }

    /// Entries of a room were skipped, and answers may have been among them: what is asked again is answered again.
    pub fn ask_again(&mut self, room: RoomId) {
        for item in self
            .items
            .iter_mut()
            .filter(|item| item.post.to == Recipient::Room(room))
        {
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
            pending.add(Post {
                client_id: id(*counter),
                to: to.clone(),
                body: Body::Text(counter.to_string()),
            });
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
    fn after_a_rate_limit_posts_go_one_at_a_time_and_other_rooms_go_on() {
        let now = Instant::now();
        let later = now + Duration::from_millis(100);
        let mut pending = with(&[
            (1, Recipient::Room(ROOM)),
            (2, Recipient::Room(ROOM)),
            (3, Recipient::Room(OTHER)),
            (4, Recipient::Room(ROOM)),
        ]);
        assert_eq!(sent(&mut pending, now), [1, 2, 3, 4]);
        pending.postponed(id(1), Duration::from_millis(100), now);
        pending.postponed(id(2), Duration::from_secs(9), now);
        pending.postponed(id(4), Duration::from_secs(9), now);
        assert_eq!(pending.wakes_at(now), Some(later));
        assert!(sent(&mut pending, now).is_empty());
        assert_eq!(sent(&mut pending, later), [1]);
        assert_eq!(
            pending.wakes_at(later),
            None,
            "it waits for an answer now, not for time"
        );
        pending.answered(id(1));
        assert_eq!(sent(&mut pending, later), [2]);
        pending.answered(id(2));
        assert_eq!(sent(&mut pending, later), [4]);
        pending.answered(id(4));
        pending.add(Post {
            client_id: id(5),
            to: Recipient::Room(ROOM),
            body: Body::Text(String::new()),
        });
        pending.add(Post {
            client_id: id(6),
            to: Recipient::Room(ROOM),
            body: Body::Text(String::new()),
        });
        assert_eq!(
            sent(&mut pending, later),
            [5, 6],
            "care ends with the last post that waited"
        );
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
