//! Slow mode, read-only rooms, and what moderators see of a room.

use std::sync::Arc;
use std::time::Duration;

use tchat::chat::{Body, NewRoom, Recipient, RefusalCode, RoomKind, RoomRules};
use tchat::client::Command;
use tchat::server::store::sqlite::SqliteStore;
use tokio::time::advance;

use crate::support::person::Person;
use crate::support::server::{Server, config, memory};
use crate::support::viewer::Viewer;

async fn opens(server: &Server, name: &str) -> Viewer {
    let mut viewer = Viewer::opens(server.connector(), name, None).await;
    viewer.waits_until_idle().await;
    viewer
}

/// Posts to `dev`. Returns the refusal, or `None` if the entry came back.
async fn posts(person: &mut Person, body: Body) -> Option<(RefusalCode, Vec<String>)> {
    let room = person.room("dev").unwrap();
    let id = person.posts_body(Recipient::Room(room), body);
    person
        .until("an answer", |_, event| match event {
            tchat::client::Event::PostRefused { client_id, refusal } if *client_id == id => {
                Some(Some((refusal.code, refusal.arguments.clone())))
            }
            tchat::client::Event::Entries(entries) => {
                let is_it = |entry: &tchat::chat::Entry| entry.client_id == Some(id);
                entries.iter().any(is_it).then_some(None)
            }
            _ => None,
        })
        .await
}

fn text(text: &str) -> Body {
    Body::Text(text.into())
}

fn rules(slow_s: u32, is_read_only: bool) -> Body {
    Body::Rules(RoomRules {
        slow_s,
        is_read_only,
    })
}

/// ann owns `dev`, ben is in it.
async fn dev(server: &Server) -> (Person, Person) {
    let mut ann = server.joins("ann").await;
    let made = NewRoom {
        name: "dev".into(),
        kind: RoomKind::Public,
        topic: String::new(),
        capacity: 0,
    };
    ann.client.send(Command::Create(made)).unwrap();
    ann.is_in("dev").await;
    let mut ben = server.joins("ben").await;
    ben.joins("dev").await;
    (ann, ben)
}

#[tokio::test(start_paused = true)]
async fn in_slow_mode_members_write_once_in_a_while_and_moderators_as_they_like() {
    let server = Server::start();
    let (mut ann, mut ben) = dev(&server).await;
    assert_eq!(posts(&mut ann, rules(30, false)).await, None);
    assert_eq!(posts(&mut ben, text("one")).await, None);
    let refused = posts(&mut ben, text("two")).await;
    let (code, arguments) = refused.unwrap();
    assert_eq!(code, RefusalCode::SlowMode);
    assert_eq!(arguments, ["30", "30"]);
    for n in 0..3 {
        assert_eq!(posts(&mut ann, text(&format!("{n}"))).await, None);
    }
    // Other people wait for themselves only, and an edit is no message.
    let mut cay = server.joins("cay").await;
    cay.joins("dev").await;
    assert_eq!(posts(&mut cay, text("three")).await, None);
    advance(Duration::from_millis(29_000)).await;
    let (_, arguments) = posts(&mut ben, text("four")).await.unwrap();
    assert_eq!(arguments[0], "1");
    advance(Duration::from_millis(1001)).await;
    assert_eq!(posts(&mut ben, text("five")).await, None);
    assert_eq!(posts(&mut ann, rules(0, false)).await, None);
    assert_eq!(posts(&mut ben, text("six")).await, None);
    let over = posts(&mut ann, rules(RoomRules::SLOWEST + 1, false)).await;
    assert_eq!(over.unwrap().0, RefusalCode::TooLong);
    assert_eq!(
        posts(&mut ann, rules(RoomRules::SLOWEST, false)).await,
        None
    );
}

#[tokio::test(start_paused = true)]
async fn two_messages_at_once_are_slowed_like_any_others() {
    let server = Server::start();
    let (mut ann, mut ben) = dev(&server).await;
    assert_eq!(posts(&mut ann, rules(10, false)).await, None);
    let room = ben.room("dev").unwrap();
    let ids = [1, 2, 3].map(|n| ben.posts_body(Recipient::Room(room), text(&format!("{n}"))));
    let mut refused = Vec::new();
    while refused.len() < 2 {
        let id = ben
            .until("a refusal", |_, event| match event {
                tchat::client::Event::PostRefused { client_id, refusal } => {
                    assert_eq!(refusal.code, RefusalCode::SlowMode);
                    Some(*client_id)
                }
                _ => None,
            })
            .await;
        refused.push(id);
    }
    assert_eq!(refused, ids[1..]);
    assert_eq!(server.log("dev").await, ["1"]);
}

#[tokio::test]
async fn slow_mode_and_read_only_outlast_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let open = move || -> Arc<dyn tchat::server::store::Store> {
        let id = tchat::chat::ServerId::new([1; 16]);
        Arc::new(SqliteStore::open(&path, id).unwrap())
    };
    let mut server = Server::crashing(config(), open);
    let (mut ann, mut ben) = dev(&server).await;
    // What was written before slow mode does not count, also after a restart; what was deleted since does.
    let mut cay = server.joins("cay").await;
    cay.joins("dev").await;
    assert_eq!(posts(&mut cay, text("before")).await, None);
    assert_eq!(posts(&mut ann, rules(3600, false)).await, None);
    assert_eq!(posts(&mut ben, text("one")).await, None);
    let target = ben.sees("dev", "one").await.seq;
    let what = tchat::chat::Amendment::Erase;
    let erased = posts(&mut ben, Body::Amendment { target, what }).await;
    assert_eq!(erased, None);
    server.crashes().await;
    server.restarts();
    let mut ben = server.joins("ben").await;
    ben.is_in("dev").await;
    let refused = posts(&mut ben, text("two")).await;
    assert_eq!(refused.unwrap().0, RefusalCode::SlowMode);
    let mut cay = server.joins("cay").await;
    cay.is_in("dev").await;
    assert_eq!(posts(&mut cay, text("after")).await, None);
    let mut ann = server.joins("ann").await;
    ann.is_in("dev").await;
    assert_eq!(posts(&mut ann, rules(0, true)).await, None);
    server.crashes().await;
    server.restarts();
    let mut ben = server.joins("ben").await;
    ben.is_in("dev").await;
    let refused = posts(&mut ben, text("three")).await;
    assert_eq!(refused, Some((RefusalCode::ReadOnly, vec!["dev".into()])));
    let info = ben.rooms.get(&ben.room("dev").unwrap()).unwrap();
    assert!(info.rules.is_read_only);
}

#[tokio::test(start_paused = true)]
async fn a_read_only_room_is_written_by_moderators() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    ann.keys("/create news<ret>");
    ann.shows("#news ›").await;
    let mut ben = opens(&server, "ben").await;
    ben.keys("/join news<ret>");
    ben.shows("#news ›").await;
    ben.keys("may I?<ret>");
    ann.shows("may I?").await;
    ann.keys("/readonly on<ret>");
    ben.shows("ann: only moderators can write").await;
    ben.shows("Only moderators can write here").await;
    assert!(!ann.screen.shows("Only moderators can write here"));
    ben.keys("please?<ret>");
    ben.shows("only moderators can").await;
    ann.keys("version 2 is out<ret>");
    ben.shows("version 2 is out").await;
    ann.keys("/readonly off<ret>");
    ben.until("the hint to go", |screen| {
        !screen.shows("Only moderators can write")
    })
    .await;
    ann.keys("/slow 30s<ret>");
    ben.shows("one message every").await;
    ben.keys("<c-u>thanks<ret>");
    ann.shows("thanks").await;
    ben.keys("really<ret>");
    ben.shows("slow mode allows one").await;
    ben.waits_until_idle().await;
    ben.keys("<c-u>/slow off<ret>");
    ben.shows("only moderators of this room can change who")
        .await;
    ann.keys("/slow often<ret>");
    ann.shows("/slow TIME|off").await;
}

#[tokio::test(start_paused = true)]
async fn moderators_see_what_was_done_and_lift_bans_in_a_list() {
    let server = Server::with(config(), memory());
    let mut ann = opens(&server, "ann").await;
    ann.keys("/create lab<ret>");
    ann.shows("#lab ›").await;
    ann.keys("/log<ret>");
    ann.shows("Nothing yet").await;
    ann.keys("<esc>/bans<ret>");
    ann.shows("There are no bans or mutes in this room").await;
    for name in ["ben", "mal"] {
        let mut other = opens(&server, name).await;
        other.keys("/join lab<ret>");
        other.shows("#lab ›").await;
        other.keys("pumpkins!<ret>");
        ann.shows(&format!("{name} joined")).await;
        ann.waits_until_idle().await;
    }
    ann.keys("/mute ben 10m<ret>");
    ann.shows("ann muted ben").await;
    ann.keys("/ban mal 7d spam<ret>");
    ann.shows("ann banned mal").await;
    ann.keys("/topic no pumpkins<ret>");
    ann.shows("ann set the topic: no pumpkins").await;
    ann.keys("/log<ret>");
    ann.shows("What moderators did in #lab").await;
    let log = ann.screen.text();
    let place = |words: &str| log.find(words).unwrap_or_else(|| panic!("{words}: {log}"));
    assert!(
        place("ann set the topic") < place("ann banned mal"),
        "{log}"
    );
    ann.keys("<esc>/bans<ret>");
    ann.shows("Bans and mutes in #lab").await;
    let rows = ann.screen.text();
    assert!(rows.contains("muted · by ann"), "{rows}");
    assert!(rows.contains("banned · by ann · spam"), "{rows}");
    ann.keys("mal<ret>");
    ann.shows("ann unbanned mal").await;
    ann.keys("/bans<ret>");
    ann.shows("Bans and mutes in #lab").await;
    assert!(!ann.screen.shows("banned · by"));
    ann.keys("ben<ret>");
    ann.shows("ann unmuted ben").await;
    ann.keys("/bans<ret>");
    ann.shows("There are no bans or mutes in this room").await;
}
