//! Names and presence: grace periods, reserved names, renames, operators, several sessions.

mod names;

use self::names::on_a_disk;
use std::sync::Arc;
use std::time::Duration;

use tchat::chat::{ClientId, IdentityId, Presence, Recipient, RefusalCode, RoomId, ServerId};
use tchat::client::{Command, LinkState};
use tchat::server::store::sqlite::SqliteStore;
use tchat::wire::{Event, PersonTarget, Request};
use tokio::time::{Instant, sleep};

use crate::support::person::{Person, device};
use crate::support::raw_client::Raw;
use crate::support::server::Server;

/// A client that follows `general` and watches presence changes.
async fn watcher(server: &Server) -> (Raw, RoomId) {
    let (mut raw, room) = Raw::join(server, "watcher", "general").await;
    raw.follow(room, None).await;
    // Skip its own arrival.
    while !matches!(raw.event().await, Event::RosterDelta { .. }) {}
    (raw, room)
}

/// The next presence change: the names and presences that appeared, and how many people left.
async fn change(raw: &mut Raw) -> (Vec<(String, Presence)>, usize) {
    loop {
        if let Event::RosterDelta {
            updated: came,
            removed: went,
            ..
        } = raw.event().await
        {
            return (
                came.into_iter().map(|it| (it.name, it.presence)).collect(),
                went.len(),
            );
        }
    }
}

/// Ann is offline and still a member.
fn gone() -> (Vec<(String, Presence)>, usize) {
    (vec![("ann".into(), Presence::Offline)], 0)
}

#[tokio::test(start_paused = true)]
async fn a_clean_exit_is_announced_within_a_second_and_a_lost_link_after_its_grace_period() {
    let server = Server::start();
    let (mut watcher, _) = watcher(&server).await;
    let (ann, _) = Raw::join(&server, "ann", "general").await;
    assert_eq!(
        change(&mut watcher).await,
        (vec![("ann".into(), Presence::Online)], 0)
    );
    let left = Instant::now();
    ann.ask(0, Request::Bye).await;
    assert_eq!(change(&mut watcher).await, gone());
    assert!(
        left.elapsed() <= Duration::from_secs(1),
        "{:?}",
        left.elapsed()
    );

    let (ann, _) = Raw::join(&server, "ann", "general").await;
    assert_eq!(
        change(&mut watcher).await.0,
        [("ann".into(), Presence::Online)]
    );
    let lost = Instant::now();
    drop(ann);
    assert_eq!(
        change(&mut watcher).await,
        (vec![("ann".into(), Presence::Waiting)], 0)
    );
    assert_eq!(change(&mut watcher).await, gone());
    let grace = lost.elapsed().as_secs();
    assert!((60..=61).contains(&grace), "gone after {grace} s");
}

#[tokio::test(start_paused = true)]
async fn each_lost_link_has_its_own_grace_period() {
    let server = Server::start();
    let (mut watcher, _) = watcher(&server).await;
    let (ann, _) = Raw::join(&server, "ann", "general").await;
    assert_eq!(
        change(&mut watcher).await.0,
        [("ann".into(), Presence::Online)]
    );
    drop(ann);
    assert_eq!(
        change(&mut watcher).await.0,
        [("ann".into(), Presence::Waiting)]
    );
    sleep(Duration::from_secs(10)).await;
    let (ann, _) = Raw::join(&server, "ann", "general").await;
    assert_eq!(
        change(&mut watcher).await.0,
        [("ann".into(), Presence::Online)]
    );
    sleep(Duration::from_secs(45)).await;
    let lost = Instant::now();
    drop(ann);
    assert_eq!(
        change(&mut watcher).await.0,
        [("ann".into(), Presence::Waiting)]
    );
    assert_eq!(change(&mut watcher).await, gone());
    assert!(
        lost.elapsed() >= Duration::from_mins(1),
        "the first grace must not end the second"
    );
}

#[tokio::test(start_paused = true)]
async fn many_presence_changes_are_sent_in_few_frames() {
    let server = Server::start();
    let (mut watcher, _) = watcher(&server).await;
    let mut people = Vec::new();
    for n in 0..300 {
        people.push(Raw::join(&server, &format!("p{n}"), "general").await);
    }
    let (mut came, mut deltas) = (0, 0);
    while came < 300 {
        came += change(&mut watcher).await.0.len();
        deltas += 1;
    }
    assert!(deltas < 60, "{deltas} frames for 300 people");
}

#[tokio::test(start_paused = true)]
async fn a_rename_is_an_entry_and_keeps_the_identity() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut ben = server.joins("ben").await;
    ann.client.send(Command::SetName("安".into())).unwrap();
    let renamed = ben
        .until("the entry", |person, _| {
            let general = person.room("general")?;
            person.entries[&general]
                .iter()
                .find(|entry| entry.body.kind() == 6)
                .cloned()
        })
        .await;
    assert_eq!(
        (renamed.author.name.as_str(), renamed.body.text()),
        ("ann", "安")
    );
    ann.sends("general", "still me");
    assert_eq!(ben.sees("general", "still me").await.author.name, "安");
    ann.quits().await;
    let again = server.joins("ann").await;
    assert_eq!(
        again.me.unwrap().name,
        "安",
        "the profile keeps its new name"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_can_use_the_client_ids_of_another_person() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mine = ann.sends("general", "first");
    ann.is_answered().await;
    let (mut eve, room) = Raw::join(&server, "eve", "general").await;
    // Instance ids are visible to everybody.
    let body = tchat::chat::Body::Text("forged".into());
    let forged = ClientId {
        instance: mine.instance,
        counter: mine.counter + 1,
    };
    eve.ask(
        0,
        Request::Post {
            client_id: forged,
            to: Recipient::Room(room),
            body: body.clone(),
        },
    )
    .await;
    // The post is in her own name and uses only her own counter.
    eve.answer().await;
    ann.sends("general", "second");
    ann.sees("general", "second").await;
    assert_eq!(server.log("general").await, ["first", "forged", "second"]);
}

#[tokio::test(start_paused = true)]
async fn a_room_left_on_one_screen_is_left_on_the_other_and_can_be_joined_again() {
    let server = Server::start();
    let mut one = server.joins("ann").await;
    let mut two = server.joins("ann").await;
    let tech = one.joins("tech").await;
    two.joins("tech").await;
    one.client.send(Command::Leave(tech)).unwrap();
    two.until("leaving", |_, event| {
        (*event == tchat::client::Event::Left(tech)).then_some(())
    })
    .await;
    two.follows.clear();
    two.joins("tech").await;
    two.sends("tech", "back again");
    two.sees("tech", "back again").await;
    two.is_answered().await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_was_left_comes_back_with_a_message() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut ben = server.joins("ben").await;
    ann.whispers("ben", "hi");
    ben.sees("@ann", "hi").await;
    ann.sees("@ben", "hi").await;
    let conversation = ann.room("@ben").unwrap();
    ann.client.send(Command::Leave(conversation)).unwrap();
    ann.until("the conversation to be gone", |_, event| {
        matches!(event, tchat::client::Event::Left(room) if *room == conversation).then_some(())
    })
    .await;
    ben.sends("@ann", "still here?");
    ann.sees("@ben", "still here?").await;
}

#[tokio::test(start_paused = true)]
async fn private_posts_above_the_rate_limit_keep_their_order() {
    let mut config = crate::support::server::config();
    config.hub.limits.burst = 5;
    config.hub.limits.per_second = 10;
    let server = Server::with(config, crate::support::server::memory());
    let mut ben = server.joins("ben").await;
    let mut ann = server.joins("ann").await;
    let ben_id = ben.me.clone().unwrap().id;
    for n in 0..20 {
        match n % 2 {
            0 => ann.posts(Recipient::Name("ben".into()), &n.to_string()),
            _ => ann.posts(Recipient::Person(ben_id), &n.to_string()),
        };
    }
    ann.is_answered().await;
    ben.sees("@ann", "19").await;
    assert_eq!(
        ben.messages_in("@ann"),
        (0..20).map(|n| n.to_string()).collect::<Vec<_>>()
    );
    assert!(ann.refused.is_empty(), "{:?}", ann.refused);
}

#[tokio::test(start_paused = true)]
async fn reconnecting_does_not_reset_the_rate_limit() {
    let mut config = crate::support::server::config();
    config.hub.limits.burst = 10;
    config.hub.limits.per_second = 1;
    let server = Server::with(config, crate::support::server::memory());
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    for n in 1..=9 {
        raw.post(n, room, "x").await;
        assert!(matches!(raw.answer().await, Event::Accepted { .. }));
    }
    raw.ask(0, Request::Bye).await;
    drop(raw);
    sleep(Duration::from_secs(2)).await;
    let (mut raw, _) = Raw::enter(&server, "ann").await;
    let mut taken = 0;
    for n in 10..20 {
        raw.post(n, room, "x").await;
        if matches!(raw.answer().await, Event::Accepted { .. }) {
            taken += 1;
        }
    }
    assert!(
        (1..=3).contains(&taken),
        "{taken} posts were taken after two seconds"
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_whose_name_belongs_to_somebody_else_asks_for_another() {
    let server = Server::start();
    let ann = server.joins("ann").await;
    ann.quits().await;
    let mut other = Person::with_device(server.connector(), "ann", device("another"));
    other
        .until("the name's refusal", |_, event| {
            matches!(event, tchat::client::Event::Link(LinkState::NameRefused(_))).then_some(())
        })
        .await;
    other.client.send(Command::SetName("annie".into())).unwrap();
    other.is_in("general").await;
    assert_eq!(other.me.unwrap().name, "annie");
}

#[tokio::test]
async fn a_new_person_may_open_two_screens_at_once() {
    let (server, _directory) = on_a_disk();
    for n in 0..10 {
        let ann = format!("ann{n}");
        let (mut one, mut two) = (Raw::open(&server).await, Raw::open(&server).await);
        let device = device(&ann);
        tokio::join!(
            one.signs_in(0, &ann, &device),
            two.signs_in(0, &ann, &device)
        );
        let (first, second) = (one.event().await, two.event().await);
        let (Event::Welcome(first), Event::Welcome(second)) = (first, second) else {
            panic!("a welcome is missing")
        };
        assert_eq!(first.you, second.you);
    }
}
