use super::*;
use crate::chat::{Author, ClientId, Role, RoomKind, Ruling, Until};
use FollowResult::{Ahead, Contiguous, EpochChanged, TooFar, Trimmed};

const ANN: IdentityId = IdentityId::new([1; 16]);
const BEN: IdentityId = IdentityId::new([2; 16]);
const EPOCH: Epoch = Epoch::new([7; 16]);
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const NOON: u64 = 1_800_000_000_000;

fn room() -> Room {
    let head = RoomHead {
        epoch: EPOCH,
        first: Seq(1),
        seq: Seq::ZERO,
        digest: Digest::default(),
        log_ms: 0,
    };
    Room::new(
        RoomId::new([9; 16]),
        head,
        Marks::new(),
        Permissions::new(
            RoomKind::Public,
            IdentityId::NOBODY,
            HashMap::from([(ANN, Role::Member)]),
            HashMap::new(),
        ),
    )
}

fn post(author: IdentityId, counter: u64) -> Post {
    Post {
        author: Author {
            id: author,
            name: "somebody".into(),
        },
        client_id: Some(ClientId {
            instance: InstanceId::new([3; 16]),
            counter,
        }),
        body: Body::Text(format!("{counter}")),
        mentions: Vec::new(),
    }
}

fn event(author: IdentityId, body: Body) -> Post {
    Post {
        author: Author {
            id: author,
            name: "somebody".into(),
        },
        client_id: None,
        body,
        mentions: Vec::new(),
    }
}

fn admit(room: &mut Room, numbered: &OrderedBatch) {
    let nobody = |_: &Entry| Event::Unknown;
    room.admit(numbered, nobody);
}

fn take(room: &mut Room, posts: Vec<Post>) -> Vec<Outcome> {
    let numbered = room.order_posts(posts, Stamp::default(), &TargetEntries::new());
    admit(room, &numbered);
    numbered.outcomes
}

#[test]
fn numbers_have_no_holes_and_the_digest_chain_is_valid() {
    let mut room = room();
    let numbered = room.order_posts(
        vec![post(ANN, 1), post(ANN, 2), post(ANN, 3)],
        Stamp::default(),
        &TargetEntries::new(),
    );
    assert_eq!(
        numbered
            .entries
            .iter()
            .map(|entry| entry.seq.0)
            .collect::<Vec<_>>(),
        [1, 2, 3]
    );
    let mut previous = Digest::default();
    for entry in numbered.entries.iter() {
        previous = digest(
            previous,
            entry.seq,
            entry.author.id,
            entry.client_id,
            &entry.body,
        );
        assert_eq!(entry.digest, previous);
    }
    admit(&mut room, &numbered);
    assert_eq!(room.head().seq, Seq(3));
    assert_eq!(room.head().digest, previous);
}

#[test]
fn numbering_alone_does_not_change_the_room() {
    let room = room();
    let once = room.order_posts(vec![post(ANN, 1)], Stamp::default(), &TargetEntries::new());
    assert_eq!(
        room.order_posts(vec![post(ANN, 1)], Stamp::default(), &TargetEntries::new()),
        once,
        "nothing is admitted before it is durable"
    );
    assert_eq!(room.head().seq, Seq::ZERO);
}

#[test]
fn a_post_counts_once_within_a_batch_and_across_them() {
    let mut room = room();
    assert_eq!(
        take(&mut room, vec![post(ANN, 1), post(ANN, 1), post(ANN, 2)]),
        [
            Outcome::Entry(Seq(1)),
            Outcome::Duplicate,
            Outcome::Entry(Seq(2))
        ]
    );
    assert_eq!(
        take(&mut room, vec![post(ANN, 2), post(ANN, 4), post(ANN, 3)]),
        [
            Outcome::Duplicate,
            Outcome::Entry(Seq(3)),
            Outcome::Duplicate
        ]
    );
}

#[test]
fn nobody_can_use_up_the_counters_of_another_persons_outbox() {
    let mut room = room();
    take(&mut room, vec![event(BEN, Body::Joined(Role::Member))]);
    assert_eq!(
        take(&mut room, vec![post(BEN, u64::MAX)]),
        [Outcome::Entry(Seq(2))]
    );
    assert_eq!(
        take(&mut room, vec![post(ANN, 1)]),
        [Outcome::Entry(Seq(3))],
        "the same instance, another author"
    );
}

#[test]
fn only_members_may_post_and_only_the_log_decides_who_is_one() {
    let mut room = room();
    assert_eq!(
        take(&mut room, vec![post(BEN, 1)]),
        [Outcome::Denied(Denied::NotAMember)]
    );
    // A denied post uses up no number.
    assert_eq!(
        take(
            &mut room,
            vec![
                event(BEN, Body::Joined(Role::Member)),
                post(BEN, 1),
                event(BEN, Body::Left),
                post(BEN, 2)
            ]
        ),
        [
            Outcome::Entry(Seq(1)),
            Outcome::Entry(Seq(2)),
            Outcome::Entry(Seq(3)),
            Outcome::Denied(Denied::NotAMember)
        ]
    );
    assert_eq!(room.permissions().role(BEN), None);
    assert_eq!(
        take(&mut room, vec![event(ANN, Body::Joined(Role::Member))]),
        [Outcome::Duplicate],
        "a member cannot join again"
    );
}

fn at(at_ms: u64, log_ms: u64) -> Stamp {
    Stamp {
        at_ms,
        log_ms,
        doubt_ms: 0,
    }
}

/// Returns the outcome of one post that is accepted at a time.
fn outcome(room: &mut Room, post: Post, at: Stamp) -> Outcome {
    let numbered = room.order_posts(vec![post], at, &TargetEntries::new());
    admit(room, &numbered);
    numbered.outcomes[0].clone()
}

#[test]
fn log_time_never_goes_back_and_entries_have_wall_clock_time() {
    let mut room = room();
    let taken = [(50, 50, 50), (900, 51, 51), (20, 40, 51), (21, 60, 60)];
    for (counter, (at_ms, log_ms, expected)) in (1..).zip(taken) {
        let batch = vec![post(ANN, counter)];
        let numbered = room.order_posts(batch, at(at_ms, log_ms), &TargetEntries::new());
        admit(&mut room, &numbered);
        let entry = &numbered.entries[0];
        assert_eq!((entry.at_ms, room.head().log_ms), (at_ms, expected));
    }
}

#[test]
fn a_mute_or_ban_of_ten_minutes_lasts_ten_minutes_whatever_the_wall_clock_does() {
    let ben = || Author {
        id: BEN,
        name: "ben".into(),
    };
    let until = Until::For(10 * MINUTE);
    let mute = Ruling::Muted { until };
    let ban = Ruling::Banned {
        until,
        reason: String::new(),
    };
    // The wall clock when the ruling is made, just before it ends, and when it ends.
    let walls = [
        [NOON, NOON + 10 * MINUTE - 1, NOON + 10 * MINUTE],
        [NOON + 2 * HOUR, NOON, NOON],
        [NOON, NOON + 400 * DAY, NOON],
        [NOON, 0, NOON + DAY],
        [0, NOON, 0],
    ];
    for [said, before, over] in walls {
        for ruling in [mute.clone(), ban.clone()] {
            let mut room = room();
            let comes = || event(BEN, Body::Joined(Role::Member));
            outcome(&mut room, comes(), at(said, NOON));
            let body = Body::Ruling(ben(), ruling.clone());
            let ruled = event(IdentityId::NOBODY, body);
            let numbered = room.order_posts(vec![ruled], at(said, NOON), &TargetEntries::new());
            admit(&mut room, &numbered);
            // The entry shows the end by the wall clock at that time; a refusal adds the remaining time to the wall clock as it is then.
            let shown = match &numbered.entries[0].body {
                Body::Ruling(_, Ruling::Muted { until } | Ruling::Banned { until, .. }) => *until,
                other => panic!("{other:?}"),
            };
            assert_eq!(shown, Until::At(said + 10 * MINUTE));
            let (tries, denied) = match ruling {
                Ruling::Muted { .. } => (post(BEN, 1), Denied::Muted(Until::At(before + 1))),
                _ => (comes(), Denied::Banned(Until::At(before + 1))),
            };
            let early = outcome(&mut room, tries.clone(), at(before, NOON + 10 * MINUTE - 1));
            assert_eq!(early, Outcome::Denied(denied), "{said} {before} {over}");
            let late = outcome(&mut room, tries, at(over, NOON + 10 * MINUTE));
            assert!(matches!(late, Outcome::Entry(_)), "{late:?}");
        }
    }
}

#[test]
fn a_mute_that_ended_in_the_past_has_no_effect_and_an_endless_one_never_ends() {
    let ben = || Author {
        id: BEN,
        name: "ben".into(),
    };
    for (until, is_muted) in [
        (Until::At(1), false),
        (Until::At(NOON), false),
        (Until::Forever, true),
    ] {
        let mut room = room();
        outcome(
            &mut room,
            event(BEN, Body::Joined(Role::Member)),
            at(NOON, 0),
        );
        let mute = Body::Ruling(ben(), Ruling::Muted { until });
        outcome(&mut room, event(IdentityId::NOBODY, mute), at(NOON, 0));
        assert_eq!(room.permissions().may_write(BEN, 1), !is_muted, "{until:?}");
        let muted = room.permissions().standing(BEN).and_then(|it| it.muted);
        assert_eq!(
            muted == Some(Until::Forever),
            is_muted,
            "only 0 means for ever"
        );
        assert!(muted.is_some_and(|it| (it.millis() == 0) == is_muted));
    }
}

#[test]
fn cursors_are_checked_as_the_protocol_says() {
    let head = |first, last| RoomHead {
        epoch: EPOCH,
        first: Seq(first),
        seq: Seq(last),
        digest: Digest([8; 8]),
        log_ms: 0,
    };
    let at = |seq| {
        Some(Cursor {
            epoch: EPOCH,
            seq: Seq(seq),
            digest: Some(Digest([1; 8])),
        })
    };
    let judge = |head: RoomHead, cursor: Option<Cursor>, known| {
        Room::check_cursor(&head, cursor.as_ref(), known)
    };
    let same = Some(Digest([1; 8]));
    assert_eq!(judge(head(1, 0), None, None), (Contiguous, Seq(0)));
    assert_eq!(judge(head(1, 1000), None, None), (Contiguous, Seq(0)));
    assert_eq!(judge(head(1, 1001), None, None), (TooFar, Seq(801)));
    assert_eq!(judge(head(1, 50), at(50), same), (Contiguous, Seq(50)));
    assert_eq!(judge(head(1, 1050), at(50), same), (Contiguous, Seq(50)));
    assert_eq!(judge(head(1, 1051), at(50), same), (TooFar, Seq(851)));
    assert_eq!(judge(head(1, 49), at(50), None), (Ahead, Seq(0)));
    assert_eq!(
        judge(head(1, 50), at(50), Some(Digest([2; 8]))),
        (EpochChanged, Seq(0)),
        "an old backup was restored"
    );
    let other = Some(Cursor {
        epoch: Epoch::new([1; 16]),
        seq: Seq(3),
        digest: None,
    });
    assert_eq!(judge(head(1, 5000), other, None), (EpochChanged, Seq(4800)));
    assert_eq!(judge(head(100, 300), at(50), None), (Trimmed, Seq(99)));
    assert_eq!(judge(head(100, 300), at(99), None), (Contiguous, Seq(99)));
}

#[test]
fn a_removed_member_gets_nothing_after_the_entry_that_removed_them() {
    let mut room = room();
    take(&mut room, vec![event(BEN, Body::Joined(Role::Member))]);
    let outbox = Outbox::new(Arc::default());
    let slot = outbox.take_slot(Seq(1));
    let follower = Follower {
        session: SessionId::new([5; 16]),
        identity: BEN,
        outbox: Arc::clone(&outbox),
        slot,
        generation: outbox.generation(),
        is_guest: false,
    };
    assert_eq!(room.follow(follower, Seq(1)), FollowOutcome::Live);
    let ben = Author {
        id: BEN,
        name: "ben".into(),
    };
    let reason = String::new();
    let kick = Body::Ruling(ben, crate::chat::Ruling::Kicked { reason });
    let server = IdentityId::NOBODY;
    let batch = vec![post(ANN, 1), event(server, kick), post(ANN, 2)];
    let numbered = room.order_posts(batch, Stamp::default(), &TargetEntries::new());
    let farewell = |_: &Entry| Event::Unknown;
    let gone = room.admit(&numbered, farewell);
    assert_eq!(gone, [SessionId::new([5; 16])]);
    let mut seqs = Vec::new();
    while let std::task::Poll::Ready(Some(item)) = outbox.pop() {
        match item {
            crate::server::outbox::Item::Entries(delivery, _) => {
                seqs.extend(delivery.entries().iter().map(|it| it.seq.0));
            }
            crate::server::outbox::Item::Answer(event) if *event == Event::Unknown => seqs.push(0),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seqs, [2, 3, 0], "up to the kick, then the farewell");
}

#[test]
fn nothing_later_in_a_batch_can_amend_what_the_batch_deleted() {
    let mut room = room();
    let first = room.order_posts(vec![post(ANN, 1)], Stamp::default(), &TargetEntries::new());
    admit(&mut room, &first);
    let target = Seq(1);
    let targets = TargetEntries::from([(target, first.entries[0].clone())]);
    let amend = |what| event(ANN, Body::Amendment { target, what });
    let edit = || amend(Amendment::Edit("again".into()));
    let numbered = room.order_posts(
        vec![edit(), amend(Amendment::Erase), edit()],
        Stamp::default(),
        &targets,
    );
    let denied = Outcome::Denied(Denied::TargetUnknown);
    assert_eq!(
        numbered.outcomes,
        [Outcome::Entry(Seq(2)), Outcome::Entry(Seq(3)), denied]
    );
}

#[test]
fn a_text_edited_and_deleted_in_one_batch_does_not_stay_in_memory() {
    let mut room = room();
    let first = room.order_posts(vec![post(ANN, 1)], Stamp::default(), &TargetEntries::new());
    admit(&mut room, &first);
    let target = Seq(1);
    let targets = TargetEntries::from([(target, first.entries[0].clone())]);
    let amend = |what| event(ANN, Body::Amendment { target, what });
    let edit = amend(Amendment::Edit("a secret".into()));
    let batch = room.order_posts(
        vec![edit, amend(Amendment::Erase)],
        Stamp::default(),
        &targets,
    );
    admit(&mut room, &batch);
    let outbox = Outbox::new(Arc::default());
    let follower = Follower {
        session: SessionId::new([5; 16]),
        identity: ANN,
        outbox: Arc::clone(&outbox),
        slot: outbox.take_slot(Seq(1)),
        generation: outbox.generation(),
        is_guest: false,
    };
    // The follower has to read the store, which has the amended entries.
    assert_eq!(room.follow(follower, Seq(1)), FollowOutcome::Behind);
}
