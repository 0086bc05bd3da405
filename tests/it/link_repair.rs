//! The client against servers that lose, duplicate or misnumber entries: each fault is detected, repaired and counted.

use std::time::Duration;

use tchat::chat::{FollowResult, Seq, ServerId, SessionId};
use tchat::client::{Command, DisconnectReason, Event as ClientEvent, LinkState, Report};
use tchat::wire::{Event, Head, Request};
use tokio::time::Instant;

use crate::support::person::Person;
use crate::support::scripted_server::{self, EPOCH, Headers, ROOM, ScriptedStream, entry};

#[tokio::test(start_paused = true)]
async fn a_server_gets_one_signature_on_a_connection() {
    let (connector, mut talks) = scripted_server::start();
    let mut ann = Person::start(connector, "ann");
    let mut talk = talks.recv().await.unwrap();
    let challenge = |nonce| Event::Challenge {
        nonce: [nonce; 32],
        server_id: ServerId::new([8; 16]),
    };
    talk.sends(challenge(1)).await;
    talk.until(|it| matches!(it, Request::SignIn(_)).then_some(()))
        .await;
    talk.sends(challenge(2)).await;
    ann.until("the end of the connection", |_, event| {
        let why = DisconnectReason::NotTchat(String::new());
        match event {
            ClientEvent::Link(LinkState::Waiting { why: ended, .. }) => {
                assert_eq!(*ended, why);
                Some(())
            }
            _ => None,
        }
    })
    .await;
    // Nor does a server that has let us in get another one.
    let mut talk = talks.recv().await.unwrap();
    talk.welcomes().await;
    ann.until("online", |_, event| {
        matches!(event, ClientEvent::Link(LinkState::Online)).then_some(())
    })
    .await;
    talk.sends(challenge(3)).await;
    ann.until("the end of the connection", |_, event| {
        matches!(event, ClientEvent::Link(LinkState::Waiting { .. })).then_some(())
    })
    .await;
}

/// Answers pings with the head of the room until the client follows it again; returns the seq of its cursor.
async fn pongs_until_followed(talk: &mut ScriptedStream, last: u64) -> u64 {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(100), "never followed");
        let asked = talk.next_request().await;
        match asked.what {
            Request::Ping => {
                let head = Head {
                    room: ROOM,
                    epoch: EPOCH,
                    last: Seq(last),
                };
                talk.sends(Event::Pong {
                    request: asked.request,
                    now_ms: 0,
                    heads: vec![head],
                })
                .await;
            }
            Request::Follow { cursor, .. } => {
                talk.sends(Event::Followed {
                    request: asked.request,
                    room: ROOM,
                    epoch: EPOCH,
                    first: Seq(1),
                    last: Seq(last),
                    result: FollowResult::Contiguous,
                    unread: tchat::chat::Unread::default(),
                })
                .await;
                return cursor.map_or(0, |it| it.seq.0);
            }
            _ => {}
        }
    }
}

async fn report(ann: &mut Person) -> Report {
    ann.client.send(Command::Report).unwrap();
    ann.until("the report", |_, event| match event {
        ClientEvent::Report(report) => Some(report.clone()),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_lost_last_entry_is_detected_within_30_seconds_and_repaired() {
    let (connector, mut talks) = scripted_server::start();
    let mut ann = Person::start(connector, "ann");
    let mut talk = talks.recv().await.unwrap();
    talk.welcomes().await;
    talk.is_followed(2, FollowResult::Contiguous).await;
    for seq in 1..=2 {
        talk.sends(Event::Entry(entry(seq, &seq.to_string()))).await;
    }
    ann.sees("general", "2").await;
    // Entry 3 is stored but never sent.
    let lost = Instant::now();
    let after = pongs_until_followed(&mut talk, 3).await;
    assert_eq!(after, 2, "everything after the last one");
    let noticed = lost.elapsed();
    assert!(noticed <= Duration::from_secs(30), "{noticed:?}");
    talk.sends(Event::Entry(entry(3, "3"))).await;
    ann.sees("general", "3").await;
    let report = report(&mut ann).await;
    assert_eq!(report.rooms[0].repairs, 1);
    assert_eq!(
        (report.rooms[0].last, report.rooms[0].head),
        (Seq(3), Seq(3))
    );
}

#[tokio::test(start_paused = true)]
async fn a_hole_is_never_shown_and_a_duplicate_is_shown_once() {
    let (connector, mut talks) = scripted_server::start();
    let mut ann = Person::start(connector, "ann");
    let mut talk = talks.recv().await.unwrap();
    talk.welcomes().await;
    talk.is_followed(1, FollowResult::Contiguous).await;
    talk.sends(Event::Entry(entry(1, "1"))).await;
    talk.sends(Event::Entry(entry(1, "1"))).await;
    // 2 is left out; the entries after it must not be shown first.
    for seq in 3..=5 {
        talk.sends(Event::Entry(entry(seq, &seq.to_string()))).await;
    }
    let after = talk.is_followed(5, FollowResult::Contiguous).await;
    assert_eq!(after, 1);
    for seq in 2..=6 {
        talk.sends(Event::Entry(entry(seq, &seq.to_string()))).await;
    }
    ann.sees("general", "6").await;
    let seqs: Vec<u64> = ann.entries[&ROOM].iter().map(|it| it.seq.0).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    let report = report(&mut ann).await;
    let room = report.rooms[0];
    assert_eq!((room.duplicates, room.holes, room.repairs), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_entry_is_not_treated_as_lost() {
    let (connector, mut talks) = scripted_server::start();
    let mut ann = Person::start(connector, "ann");
    let mut talk = talks.recv().await.unwrap();
    talk.welcomes().await;
    talk.is_followed(0, FollowResult::Contiguous).await;
    let (request, ()) = talk
        .until(|it| matches!(it, Request::Ping).then_some(()))
        .await;
    let heads = vec![Head {
        room: ROOM,
        epoch: EPOCH,
        last: Seq(1),
    }];
    talk.sends(Event::Pong {
        request,
        now_ms: 0,
        heads,
    })
    .await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    talk.sends(Event::Entry(entry(1, "late"))).await;
    ann.sees("general", "late").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(report(&mut ann).await.rooms[0].repairs, 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_sends_no_headers_before_hello_still_gets_the_hello() {
    let (connector, mut talks) = scripted_server::start_with(Headers::Late);
    let began = Instant::now();
    let mut ann = Person::start(connector, "ann");
    let mut talk = talks.recv().await.unwrap();
    talk.welcomes().await;
    // It is sent once: the next request is another one.
    let next = talk.next_request().await.what;
    assert!(!matches!(next, Request::Hello(_)), "{next:?}");
    let is_online = |_: &Person, event: &ClientEvent| {
        let is_it = matches!(event, ClientEvent::Link(LinkState::Online));
        is_it.then_some(())
    };
    ann.until("the link", is_online).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_sends_no_headers_before_hello_gets_it_again_after_a_lost_link() {
    let (connector, mut talks) = scripted_server::start_with(Headers::Late);
    let _ann = Person::start(connector, "ann");
    let mut talk = talks.recv().await.unwrap();
    talk.welcomes().await;
    talk.is_followed(0, FollowResult::Contiguous).await;
    drop(talk);
    let mut again = talks.recv().await.unwrap();
    let hello = again.until(|it| match it {
        Request::Hello(hello) => Some(hello.last_session),
        _ => None,
    });
    let session = SessionId::new([4; 16]);
    assert_eq!(hello.await.1, Some(session), "it continues the first");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_sends_headers_counts_as_silent_and_quitting_still_works() {
    let (connector, _talks) = scripted_server::start_with(Headers::Never);
    let began = Instant::now();
    let mut ann = Person::start(connector.clone(), "ann");
    let why = |_: &Person, event: &ClientEvent| match event {
        ClientEvent::Link(LinkState::Waiting { why, .. }) => Some(why.clone()),
        _ => None,
    };
    let why = ann.until("the end of patience", why).await;
    assert_eq!(why, DisconnectReason::NoResponse);
    assert_eq!(began.elapsed().as_secs(), 10);
    let ben = Person::start(connector, "ben");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let asked = Instant::now();
    ben.quits().await;
    let took = asked.elapsed();
    assert!(took < Duration::from_millis(100), "{took:?}");
}
