//! Rooms at the protocol level, frame by frame: answers, batches, limits and cursors.

use tchat::chat::{ClientId, Cursor, FollowResult, InstanceId, Recipient, RefusalCode, Seq};
use tchat::wire::{Event, Request, UnfollowReason};

use crate::support::raw_client::Raw;
use crate::support::server::Server;

fn id(counter: u64) -> ClientId {
    ClientId {
        instance: InstanceId::new([5; 16]),
        counter,
    }
}

#[tokio::test(start_paused = true)]
async fn a_follower_gets_its_own_entry_and_no_second_answer() {
    let server = Server::start();
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    raw.follow(room, None).await;
    assert!(matches!(
        raw.answer().await,
        Event::Followed {
            request: 2,
            result: FollowResult::Contiguous,
            ..
        }
    ));
    let Event::Entry(created) = raw.answer().await else {
        panic!("the first entry")
    };
    assert_eq!(created.seq, Seq(1));
    let Event::Entry(joined) = raw.answer().await else {
        panic!("the second entry")
    };
    assert_eq!(joined.seq, Seq(2));
    raw.post(1, room, "hello").await;
    let Event::Entry(mine) = raw.answer().await else {
        panic!("my own entry")
    };
    assert_eq!((mine.seq, mine.client_id), (Seq(3), Some(id(1))));
    raw.post(1, room, "hello").await;
    assert_eq!(
        raw.answer().await,
        Event::Accepted {
            client_id: id(1),
            room,
            epoch: mine.epoch,
            seq: None
        },
        "a duplicate is accepted and makes no entry"
    );
    raw.post(2, room, "next").await;
    let Event::Entry(next) = raw.answer().await else {
        panic!("the next entry")
    };
    assert_eq!(next.seq, Seq(4));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_does_not_follow_is_told_that_its_post_was_stored() {
    let server = Server::start();
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    raw.post(1, room, "hello").await;
    let Event::Accepted { client_id, seq, .. } = raw.answer().await else {
        panic!("accepted")
    };
    assert_eq!((client_id, seq), (id(1), Some(Seq(3))));
    raw.follow(room, None).await;
    raw.answer().await;
    raw.ask(3, Request::Unfollow(room)).await;
    loop {
        match raw.answer().await {
            Event::Unfollowed {
                request: 3,
                why: UnfollowReason::Requested,
                ..
            } => break,
            Event::Entry(_) => {}
            other => panic!("{other:?}"),
        }
    }
    raw.post(2, room, "unseen").await;
    assert!(matches!(
        raw.answer().await,
        Event::Accepted {
            seq: Some(Seq(4)),
            ..
        }
    ));
}

#[tokio::test(start_paused = true)]
async fn a_valid_cursor_resumes_and_a_forged_one_starts_over() {
    let server = Server::start();
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    for n in 1..=10 {
        raw.post(n, room, &n.to_string()).await;
        raw.answer().await;
    }
    raw.follow(room, None).await;
    raw.answer().await;
    let mut entries = Vec::new();
    while entries.len() < 12 {
        if let Event::Entry(entry) = raw.answer().await {
            entries.push(entry);
        }
    }
    let at = |n: usize| Cursor {
        epoch: entries[n].epoch,
        seq: entries[n].seq,
        digest: Some(entries[n].digest),
    };
    raw.follow(room, Some(at(9))).await;
    assert!(matches!(
        raw.answer().await,
        Event::Followed {
            result: FollowResult::Contiguous,
            ..
        }
    ));
    assert_eq!(raw.answer().await, Event::Entry(entries[10].clone()));
    assert_eq!(raw.answer().await, Event::Entry(entries[11].clone()));
    let forged = Cursor {
        digest: Some(entries[3].digest),
        ..at(9)
    };
    raw.follow(room, Some(forged)).await;
    assert!(matches!(
        raw.answer().await,
        Event::Followed {
            result: FollowResult::EpochChanged,
            ..
        }
    ));
    assert_eq!(
        raw.answer().await,
        Event::Entry(entries[0].clone()),
        "from the beginning, as for a newcomer"
    );
}

#[tokio::test(start_paused = true)]
async fn an_invalid_body_is_refused_with_the_reason_and_the_next_one_is_accepted() {
    let server = Server::start();
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    let long = "x".repeat(8193);
    let lines = ["x"; 101].join("\n");
    let cases = [
        (
            long.as_str(),
            RefusalCode::BodyTooLong,
            vec!["8193", "8192"],
        ),
        (
            lines.as_str(),
            RefusalCode::BodyTooManyLines,
            vec!["101", "100"],
        ),
        ("  \n ", RefusalCode::BodyEmpty, vec![]),
        ("a\u{1b}[2J", RefusalCode::BodyControl, vec!["U+001B"]),
    ];
    for (counter, (text, code, arguments)) in (1..).zip(cases) {
        raw.post(counter, room, text).await;
        let Event::Refused {
            client_id, refusal, ..
        } = raw.answer().await
        else {
            panic!("refused")
        };
        assert_eq!((client_id, refusal.code), (Some(id(counter)), code));
        assert_eq!(refusal.arguments, arguments);
        assert_eq!(refusal.retry_after, None);
    }
    raw.post(9, room, &"x".repeat(8192)).await;
    assert!(matches!(raw.answer().await, Event::Accepted { .. }));
}

#[tokio::test(start_paused = true)]
async fn posts_to_unknown_rooms_or_without_membership_are_refused() {
    let server = Server::start();
    let (_, tech) = Raw::join(&server, "ben", "tech").await;
    let (mut raw, _) = Raw::join(&server, "ann", "general").await;
    let code = |event| match event {
        Event::Refused { refusal, .. } => refusal.code,
        other => panic!("{other:?}"),
    };
    raw.post(1, tech, "let me in").await;
    assert_eq!(code(raw.answer().await), RefusalCode::NotAMember);
    raw.post(2, tchat::chat::RoomId::new([77; 16]), "anybody?")
        .await;
    assert_eq!(code(raw.answer().await), RefusalCode::RoomUnknown);
    raw.follow(tech, None).await;
    assert_eq!(code(raw.answer().await), RefusalCode::NotAMember);
    let to = Recipient::Name("ann".into());
    raw.ask(
        0,
        Request::Post {
            client_id: id(3),
            to,
            body: tchat::chat::Body::Text("me".into()),
        },
    )
    .await;
    assert_eq!(code(raw.answer().await), RefusalCode::ToSelf);
}

#[tokio::test(start_paused = true)]
async fn the_default_room_cannot_be_left() {
    let server = Server::start();
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    raw.ask(5, Request::Leave(room)).await;
    let Event::Refused {
        request: 5,
        refusal,
        ..
    } = raw.answer().await
    else {
        panic!("refused")
    };
    assert_eq!(refusal.code, RefusalCode::CannotLeave);
}

#[tokio::test(start_paused = true)]
async fn entries_committed_together_are_sent_in_one_frame() {
    let server = Server::start();
    let (mut reader, room) = Raw::join(&server, "reader", "general").await;
    reader.follow(room, None).await;
    while !matches!(reader.event().await, Event::RosterPage { .. }) {}
    let (writer, _) = Raw::join(&server, "writer", "general").await;
    for n in 1..=200 {
        writer.post(n, room, &n.to_string()).await;
    }
    let (mut frames, mut entries) = (0, 0);
    while entries < 200 {
        let events = reader.frame().await.unwrap().events;
        let said = events.iter().filter(|event| {
            matches!(&event.kind, Some(tchat::wire::proto::event::Kind::Entry(entry)) if entry.client_id.is_some())
        });
        entries += said.count();
        frames += 1;
    }
    assert!(frames < 100, "{entries} entries came in {frames} frames");
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_is_dropped_and_the_others_do_not_notice() {
    let server = Server::start();
    let (silent, room) = Raw::join(&server, "silent", "general").await;
    silent.follow(room, None).await;
    let mut ann = server.joins("ann").await;
    let mut ben = server.joins("ben").await;
    let text = "x".repeat(8000);
    for n in 0..600 {
        ann.sends("general", &format!("{n} {text}"));
        if n % 50 == 0 {
            ann.is_answered().await;
        }
    }
    ann.is_answered().await;
    ann.sends("general", "done");
    ben.sees("general", "done").await;
    ben.has_no_holes();
    // Long enough to detect the stall, and for the grace period of the dropped session to end.
    tokio::time::sleep(std::time::Duration::from_secs(150)).await;
    ben.catch_up();
    let general = ben.room("general").unwrap();
    let mut late = server.joins("late").await;
    late.until("a roster", |person, _| {
        person.rosters.contains_key(&general).then_some(())
    })
    .await;
    assert!(
        !late.rosters[&general].contains(&"silent".to_owned()),
        "{:?}",
        late.rosters[&general]
    );
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn no_post_overtakes_one_that_was_refused_temporarily() {
    let mut config = crate::support::server::config();
    config.hub.limits.burst = 3;
    config.hub.limits.per_second = 1;
    let server = Server::with(config, crate::support::server::memory());
    let (_ben, _) = Raw::enter(&server, "ben").await;
    // The join uses the first token.
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    let code = |event| match event {
        Event::Refused { refusal, .. } => Err(refusal.code),
        Event::Accepted { client_id, .. } => Ok(client_id.counter),
        other => panic!("{other:?}"),
    };
    for counter in 1..=2 {
        raw.post(counter, room, "in time").await;
        assert_eq!(code(raw.answer().await), Ok(counter));
    }
    raw.post(3, room, "too fast").await;
    assert_eq!(code(raw.answer().await), Err(RefusalCode::RateLimited));
    // There are tokens again, but the third post must come first, also before a post to another recipient.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    raw.post(4, room, "would overtake").await;
    assert_eq!(code(raw.answer().await), Err(RefusalCode::AfterRefused));
    let to = Recipient::Name("ben".into());
    let body = tchat::chat::Body::Text("would overtake as well".into());
    raw.ask(
        0,
        Request::Post {
            client_id: id(5),
            to,
            body,
        },
    )
    .await;
    assert_eq!(code(raw.answer().await), Err(RefusalCode::AfterRefused));
    for counter in 3..=4 {
        raw.post(counter, room, "in order").await;
        assert_eq!(code(raw.answer().await), Ok(counter));
    }
}
