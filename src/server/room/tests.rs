use super::*;
use crate::chat::{Author, ClientId, Role, RoomKind};
use FollowResult::{Ahead, Contiguous, EpochChanged, TooFar, Trimmed};

const ANN: IdentityId = IdentityId::new([1; 16]);
const BEN: IdentityId = IdentityId::new([2; 16]);
const EPOCH: Epoch = Epoch::new([7; 16]);

fn room() -> Room {
    let head = Head {
        epoch: EPOCH,
        first: Seq(1),
        seq: Seq::ZERO,
        digest: Digest::default(),
        at_ms: 0,
    };
    Room::new(
        RoomId::new([9; 16]),
        head,
        Marks::new(),
        Law::new(
            RoomKind::Public,
            IdentityId::NOBODY,
            HashMap::from([(ANN, Role::Member)]),
            HashMap::new(),
        ),
    )
}

fn post(author: IdentityId, counter: u64, at_ms: u64) -> Post {
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
        at_ms,
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
        at_ms: 0,
    }
}

fn admit(room: &mut Room, numbered: &Numbered) {
    let nobody = |_: &Entry| Event::Unknown;
    room.admit(&numbered.entries, &numbered.changes, nobody);
}

fn take(room: &mut Room, posts: Vec<Post>) -> Vec<Fate> {
    let numbered = room.number(posts, &Targets::new());
    admit(room, &numbered);
    numbered.fates
}

#[test]
fn numbers_have_no_holes_and_the_chain_holds() {
    let mut room = room();
    let numbered = room.number(
        vec![post(ANN, 1, 5), post(ANN, 2, 6), post(ANN, 3, 7)],
        &Targets::new(),
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
fn numbering_alone_moves_nothing() {
    let room = room();
    let once = room.number(vec![post(ANN, 1, 5)], &Targets::new());
    assert_eq!(
        room.number(vec![post(ANN, 1, 5)], &Targets::new()),
        once,
        "nothing is admitted before it is durable"
    );
    assert_eq!(room.head().seq, Seq::ZERO);
}

#[test]
fn a_post_counts_once_within_a_batch_and_across_them() {
    let mut room = room();
    assert_eq!(
        take(
            &mut room,
            vec![post(ANN, 1, 0), post(ANN, 1, 0), post(ANN, 2, 0)]
        ),
        [Fate::Entry(Seq(1)), Fate::Duplicate, Fate::Entry(Seq(2))]
    );
    assert_eq!(
        take(
            &mut room,
            vec![post(ANN, 2, 0), post(ANN, 4, 0), post(ANN, 3, 0)]
        ),
        [Fate::Duplicate, Fate::Entry(Seq(3)), Fate::Duplicate]
    );
}

#[test]
fn nobody_can_use_up_the_numbers_of_anothers_outbox() {
    let mut room = room();
    take(&mut room, vec![event(BEN, Body::Joined(Role::Member))]);
    assert_eq!(
        take(&mut room, vec![post(BEN, u64::MAX, 0)]),
        [Fate::Entry(Seq(2))]
    );
    assert_eq!(
        take(&mut room, vec![post(ANN, 1, 0)]),
        [Fate::Entry(Seq(3))],
        "the same instance, another author"
    );
}

#[test]
fn only_members_are_heard_and_the_log_alone_says_who_is_one() {
    let mut room = room();
    assert_eq!(
        take(&mut room, vec![post(BEN, 1, 0)]),
        [Fate::Denied(Denied::NotAMember)]
    );
    // A refused post uses no number up.
    assert_eq!(
        take(
            &mut room,
            vec![
                event(BEN, Body::Joined(Role::Member)),
                post(BEN, 1, 0),
                event(BEN, Body::Left),
                post(BEN, 2, 0)
            ]
        ),
        [
            Fate::Entry(Seq(1)),
            Fate::Entry(Seq(2)),
            Fate::Entry(Seq(3)),
            Fate::Denied(Denied::NotAMember)
        ]
    );
    assert_eq!(room.law().role(BEN), None);
    assert_eq!(
        take(&mut room, vec![event(ANN, Body::Joined(Role::Member))]),
        [Fate::Duplicate],
        "who is in does not come in"
    );
}

#[test]
fn times_never_go_back() {
    let room = room();
    let numbered = room.number(
        vec![post(ANN, 1, 50), post(ANN, 2, 20), post(ANN, 3, 60)],
        &Targets::new(),
    );
    assert_eq!(
        numbered
            .entries
            .iter()
            .map(|entry| entry.at_ms)
            .collect::<Vec<_>>(),
        [50, 50, 60]
    );
}

#[test]
fn cursors_are_judged_as_the_protocol_says() {
    let head = |first, last| Head {
        epoch: EPOCH,
        first: Seq(first),
        seq: Seq(last),
        digest: Digest([8; 8]),
        at_ms: 0,
    };
    let at = |seq| {
        Some(Cursor {
            epoch: EPOCH,
            seq: Seq(seq),
            digest: Some(Digest([1; 8])),
        })
    };
    let judge =
        |head: Head, cursor: Option<Cursor>, known| Room::judge(&head, cursor.as_ref(), known);
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
        "an old file was put back"
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
fn whoever_has_to_go_gets_nothing_behind_the_entry_that_says_so() {
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
    assert_eq!(room.follow(follower, Seq(1)), Follow::Live);
    let ben = Author {
        id: BEN,
        name: "ben".into(),
    };
    let reason = String::new();
    let kick = Body::Ruling(ben, crate::chat::Ruling::Kicked { reason });
    let server = IdentityId::NOBODY;
    let batch = vec![post(ANN, 1, 0), event(server, kick), post(ANN, 2, 0)];
    let numbered = room.number(batch, &Targets::new());
    let farewell = |_: &Entry| Event::Unknown;
    let gone = room.admit(&numbered.entries, &numbered.changes, farewell);
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
    assert_eq!(seqs, [2, 3, 0], "up to the kick, and then the farewell");
}

#[test]
fn what_a_batch_deletes_nothing_behind_it_amends() {
    let mut room = room();
    let first = room.number(vec![post(ANN, 1, 0)], &Targets::new());
    admit(&mut room, &first);
    let target = Seq(1);
    let targets = Targets::from([(target, first.entries[0].clone())]);
    let amend = |what| event(ANN, Body::Amendment { target, what });
    let edit = || amend(Amendment::Edit("again".into()));
    let numbered = room.number(vec![edit(), amend(Amendment::Erase), edit()], &targets);
    let denied = Fate::Denied(Denied::TargetUnknown);
    assert_eq!(
        numbered.fates,
        [Fate::Entry(Seq(2)), Fate::Entry(Seq(3)), denied]
    );
}

#[test]
fn what_is_edited_and_deleted_in_one_batch_is_not_kept_in_memory() {
    let mut room = room();
    let first = room.number(vec![post(ANN, 1, 0)], &Targets::new());
    admit(&mut room, &first);
    let target = Seq(1);
    let targets = Targets::from([(target, first.entries[0].clone())]);
    let amend = |what| event(ANN, Body::Amendment { target, what });
    let edit = amend(Amendment::Edit("a secret".into()));
    let batch = room.number(vec![edit, amend(Amendment::Erase)], &targets);
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
    // The store is asked, which has it as it is now.
    assert_eq!(room.follow(follower, Seq(1)), Follow::Behind);
}
