//! The client against servers that lose, double and misnumber: what is wrong is noticed, repaired and counted.

use std::time::Duration;

use tchat::chat::{FollowResult, Seq};
use tchat::client::{Command, Event as Told, Report};
use tchat::wire::{Event, Head, Request};
use tokio::time::Instant;

use crate::support::person::Person;
use crate::support::scripted::{self, EPOCH, ROOM, Talk, entry};

/// Answers pings with where the room ends, until the client follows it again.
async fn pongs_until_followed(talk: &mut Talk, last: u64) -> u64 {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(100), "never followed");
        let asked = talk.asked().await;
        match asked.what {
            Request::Ping => {
                let head = Head {
                    room: ROOM,
                    epoch: EPOCH,
                    last: Seq(last),
                };
                talk.says(Event::Pong {
                    request: asked.request,
                    now_ms: 0,
                    heads: vec![head],
                })
                .await;
            }
            Request::Follow { cursor, .. } => {
                talk.says(Event::Followed {
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
        Told::Report(report) => Some(report.clone()),
        _ => None,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_lost_end_of_a_room_is_noticed_within_30_seconds_and_repaired() {
    let (connector, mut talks) = scripted::start();
    let mut ann = Person::start(connector, "ann");
    let mut talk = talks.recv().await.unwrap();
    talk.welcomes().await;
    talk.is_followed(2, FollowResult::Contiguous).await;
    for seq in 1..=2 {
        talk.says(Event::Entry(entry(seq, &seq.to_string()))).await;
    }
    ann.sees("general", "2").await;
    // Entry 3 is stored, and never sent.
    let lost = Instant::now();
    let after = pongs_until_followed(&mut talk, 3).await;
    assert_eq!(after, 2, "everything after what has come");
    let noticed = lost.elapsed();
    assert!(noticed <= Duration::from_secs(30), "{noticed:?}");
    talk.says(Event::Entry(entry(3, "3"))).await;
    ann.sees("general", "3").await;
    let report = report(&mut ann).await;
    assert_eq!(report.rooms[0].repairs, 1);
    assert_eq!(
        (report.rooms[0].last, report.rooms[0].head),
        (Seq(3), Seq(3))
    );
}

#[tokio::test(start_paused = true)]
async fn a_hole_is_never_shown_and_an_entry_that_comes_twice_is_shown_once() {
    let (connector, mut talks) = scripted::start();
    let mut ann = Person::start(connector, "ann");
    let mut talk = talks.recv().await.unwrap();
    talk.welcomes().await;
    talk.is_followed(1, FollowResult::Contiguous).await;
    talk.says(Event::Entry(entry(1, "1"))).await;
    talk.says(Event::Entry(entry(1, "1"))).await;
    // 2 is left out; what follows is not shown before it.
    for seq in 3..=5 {
        talk.says(Event::Entry(entry(seq, &seq.to_string()))).await;
    }
    let after = talk.is_followed(5, FollowResult::Contiguous).await;
    assert_eq!(after, 1);
    for seq in 2..=6 {
        talk.says(Event::Entry(entry(seq, &seq.to_string()))).await;
    }
    ann.sees("general", "6").await;
    let seqs: Vec<u64> = ann.entries[&ROOM].iter().map(|it| it.seq.0).collect();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    let report = report(&mut ann).await;
    let room = report.rooms[0];
    assert_eq!((room.duplicates, room.holes, room.repairs), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_slow_entry_is_not_taken_for_a_lost_one() {
    let (connector, mut talks) = scripted::start();
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
    talk.says(Event::Pong {
        request,
        now_ms: 0,
        heads,
    })
    .await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    talk.says(Event::Entry(entry(1, "late"))).await;
    ann.sees("general", "late").await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(report(&mut ann).await.rooms[0].repairs, 0);
}
