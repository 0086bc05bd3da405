//! A model of catching up: following, appending and overflowing in any order. Every session must see one contiguous run without
//! duplicates, and all sessions the same entry at a seq.
//!
//! Only the sessions are modelled; `Room` and `Outbox` are the real ones.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Poll;

use proptest::prelude::*;
use tchat::chat::{
    Author, Body, ClientId, Cursor, Digest, Entry, Epoch, FollowResult, IdentityId, InstanceId,
    Post, Role, RoomId, RoomKind, Seq, SessionId, Stamp,
};
use tchat::server::delivery::Delivery;
use tchat::server::outbox::{Budget, Item, LIVE_ENTRIES, Outbox, Slot};
use tchat::server::room::permissions::{Permissions, TargetEntries};
use tchat::server::room::{FollowOutcome, Follower, Marks, Outcome, Room, RoomHead};
use tchat::wire::Event;

const ROOM: RoomId = RoomId::new([1; 16]);
const EPOCH: Epoch = Epoch::new([2; 16]);
const AUTHOR: IdentityId = IdentityId::new([3; 16]);
/// Entries per page in the model. Small, so that catching up takes several pages.
const PAGE: usize = 40;

fn permissions(members: HashMap<IdentityId, Role>) -> Permissions {
    Permissions::new(
        RoomKind::Public,
        IdentityId::NOBODY,
        members,
        HashMap::new(),
    )
}

#[derive(Clone, Debug)]
enum Step {
    /// Posts `count` messages, after repeating `repeats` that were sent before.
    Post { count: usize, repeats: usize },
    /// A session writes up to `items` items of its outbox.
    Write { session: usize, items: usize },
    /// A session reacts to an overflow, if there was one.
    CatchUp { session: usize },
    /// A session's connection breaks and is resumed with the cursor of its client.
    Reconnect { session: usize },
    /// The server restarts: the room keeps its head and its marks and loses everything in memory.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let session = 0..3_usize;
    prop_oneof![
        4 => (1..400_usize, 0..3_usize).prop_map(|(count, repeats)| Step::Post { count, repeats }),
        4 => (session.clone(), 0..6_usize).prop_map(|(session, items)| Step::Write { session, items }),
        2 => session.clone().prop_map(|session| Step::CatchUp { session }),
        1 => session.prop_map(|session| Step::Reconnect { session }),
        1 => Just(Step::Restart),
    ]
}

/// A session and the state of its client.
struct Session {
    id: SessionId,
    outbox: Arc<Outbox>,
    slot: Slot,
    generation: u64,
    seen: Vec<Seq>,
    cursor: Option<Cursor>,
    /// The gaps that were reported to the client, each as the first seq after the gap.
    skips: Vec<Seq>,
}

struct World {
    room: Room,
    log: Vec<Entry>,
    counter: u64,
    sessions: Vec<Session>,
}

impl World {
    fn new() -> Self {
        let head = RoomHead {
            epoch: EPOCH,
            first: Seq(1),
            seq: Seq::ZERO,
            digest: Digest::default(),
            log_ms: 0,
        };
        let members = HashMap::from([(AUTHOR, Role::Member)]);
        let mut world = Self {
            room: Room::new(ROOM, head, Marks::new(), permissions(members)),
            log: Vec::new(),
            counter: 0,
            sessions: Vec::new(),
        };
        for n in 0..3 {
            let outbox = Outbox::new(Arc::new(Budget::default()));
            let slot = outbox.take_slot(Seq::ZERO);
            let id = SessionId::new([n; 16]);
            world.sessions.push(Session {
                id,
                outbox,
                slot,
                generation: 0,
                seen: Vec::new(),
                cursor: None,
                skips: Vec::new(),
            });
            world.follow(usize::from(n));
        }
        world
    }

    fn post(&mut self, count: usize, repeats: usize) {
        let first = self.counter.saturating_sub(u64::try_from(repeats).unwrap()) + 1;
        self.counter += u64::try_from(count).unwrap();
        let post = |counter| Post {
            author: Author {
                id: AUTHOR,
                name: "ann".into(),
            },
            client_id: Some(ClientId {
                instance: InstanceId::new([4; 16]),
                counter,
            }),
            body: Body::Text(counter.to_string()),
            mentions: Vec::new(),
        };
        let posts = (first..=self.counter).map(post).collect();
        // The clock runs backwards, so each batch has an earlier time than the one before.
        let at = Stamp {
            at_ms: 1_000_000 - self.counter.min(1_000_000),
            ..Stamp::default()
        };
        let numbered = self.room.order_posts(posts, at, &TargetEntries::new());
        let fates = &numbered.outcomes;
        assert_eq!(
            fates
                .iter()
                .filter(|fate| **fate == Outcome::Duplicate)
                .count(),
            fates.len() - count
        );
        self.log.extend(numbered.entries.iter().cloned());
        self.room.admit(&numbered, |_| Event::Unknown);
    }

    /// Starts or resumes a session from the cursor of its client.
    fn follow(&mut self, n: usize) {
        let head = self.room.head();
        let session = &mut self.sessions[n];
        let known = session
            .cursor
            .and_then(|cursor| self.log.get(usize::try_from(cursor.seq.0).unwrap() - 1));
        let (result, after) = Room::check_cursor(
            &head,
            session.cursor.as_ref(),
            known.map(|entry| entry.digest),
        );
        assert!(
            matches!(result, FollowResult::Contiguous | FollowResult::TooFar),
            "{result:?}"
        );
        session.apply_result(result, after);
        self.go_live(n, after);
    }

    fn go_live(&mut self, n: usize, mut after: Seq) {
        loop {
            let session = &mut self.sessions[n];
            session.generation = session.outbox.generation();
            let follower = Follower {
                session: session.id,
                identity: AUTHOR,
                outbox: Arc::clone(&session.outbox),
                slot: session.slot,
                generation: session.generation,
                is_guest: false,
            };
            match self.room.follow(follower, after) {
                FollowOutcome::Live | FollowOutcome::Overflowed => return,
                FollowOutcome::NotAMember => panic!("the author is a member"),
                FollowOutcome::Behind => {
                    let from = usize::try_from(after.0).unwrap();
                    let page = self.log[from..self.log.len().min(from + PAGE)].to_vec();
                    let page = Arc::new(Delivery::new(Arc::new(page)).unwrap());
                    session.outbox.page(session.slot, &page, after);
                    after = page.last();
                }
            }
        }
    }

    /// Catches up after an overflow of the live lane.
    fn catch_up(&mut self, n: usize) {
        let head = self.room.head();
        let session = &mut self.sessions[n];
        if session.outbox.generation() == session.generation {
            return;
        }
        let written = session.outbox.written(session.slot);
        let cursor = Cursor {
            epoch: EPOCH,
            seq: written,
            digest: None,
        };
        let (result, after) = Room::check_cursor(&head, Some(&cursor), None);
        session.apply_result(result, after);
        self.go_live(n, after);
    }

    fn write(&mut self, n: usize, items: usize) {
        for _ in 0..items {
            let Poll::Ready(Some(item)) = self.sessions[n].outbox.pop() else {
                return;
            };
            self.sessions[n].take(&item);
        }
    }

    fn reconnect(&mut self, n: usize) {
        let session = &mut self.sessions[n];
        self.room.unfollow(session.id);
        session.outbox = Outbox::new(Arc::new(Budget::default()));
        session.slot = session
            .outbox
            .take_slot(session.cursor.map_or(Seq::ZERO, |cursor| cursor.seq));
        self.follow(n);
    }

    fn restart(&mut self) {
        let mark = ((AUTHOR, InstanceId::new([4; 16])), self.counter);
        let members = HashMap::from([(AUTHOR, Role::Member)]);
        self.room = Room::new(
            ROOM,
            self.room.head(),
            Marks::from([mark]),
            permissions(members),
        );
        for n in 0..self.sessions.len() {
            self.reconnect(n);
        }
    }

    /// Writes everything and catches up until every session is at the end.
    fn settle(&mut self) {
        for n in 0..self.sessions.len() {
            for _ in 0..100 {
                self.write(n, usize::MAX);
                self.catch_up(n);
            }
        }
    }

    fn check(&self) {
        for session in &self.sessions {
            for pair in session.seen.windows(2) {
                let is_told = session.skips.contains(&pair[1]);
                assert!(
                    pair[1] == pair[0].next() || (is_told && pair[1] > pair[0]),
                    "{} then {}",
                    pair[0],
                    pair[1]
                );
            }
            assert_eq!(
                session.seen.last().copied().unwrap_or_default(),
                self.room.head().seq,
                "every session is at the head"
            );
        }
    }
}

impl Session {
    fn apply_result(&mut self, result: FollowResult, after: Seq) {
        if result == FollowResult::TooFar {
            self.skips.push(after.next());
            self.outbox.set_cursor(self.slot, after);
        }
    }

    fn take(&mut self, item: &Item) {
        let Item::Entries(delivery, after) = item else {
            return;
        };
        for entry in delivery.entries().iter().filter(|entry| entry.seq > *after) {
            self.seen.push(entry.seq);
            self.cursor = Some(Cursor {
                epoch: EPOCH,
                seq: entry.seq,
                digest: Some(entry.digest),
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_session_sees_one_contiguous_run(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Post { count, repeats } => world.post(count, repeats),
                Step::Write { session, items } => world.write(session, items),
                Step::CatchUp { session } => world.catch_up(session),
                Step::Reconnect { session } => world.reconnect(session),
                Step::Restart => world.restart(),
            }
        }
        world.settle();
        world.check();
    }
}

#[test]
fn after_an_overflow_the_live_lane_is_empty_and_the_session_catches_up() {
    let mut world = World::new();
    for _ in 0..20 {
        world.post(100, 0);
    }
    let session = &world.sessions[0];
    assert_ne!(
        session.outbox.generation(),
        session.generation,
        "2,000 entries exceed {LIVE_ENTRIES}"
    );
    assert_eq!(
        world.room.followers(),
        0,
        "overflowed followers are removed"
    );
    world.settle();
    world.check();
    assert_eq!(
        world.sessions[0].skips.len(),
        1,
        "2,000 entries are too far to replay"
    );
}
