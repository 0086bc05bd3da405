//! Edits, deletions and reactions: live, replayed and paged entries give the same screen, and a deleted text is gone everywhere.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tchat::chat::{
    Amendment, Body, Cursor, Entry, Epoch, IdentityId, Role, Ruling, Seq, ServerId, Until,
};
use tchat::client::Event as ClientEvent;
use tchat::server::store::Store;
use tchat::server::store::sqlite::SqliteStore;
use tchat::wire::Event;

use crate::support::raw_client::Raw;
use crate::support::screen::{ANN, GENERAL, LI, Screen, ZHANG, author, entry, room};
use crate::support::server::{Server, config};
use crate::support::viewer::Viewer;

/// Something that happens in a room.
#[derive(Clone, Debug)]
enum Step {
    Say(usize),
    Answer(usize, usize),
    Edit(usize),
    Erase(usize),
    React(usize, usize, usize, bool),
    /// An entry that is not a message.
    Other(usize, usize),
}

const PEOPLE: [IdentityId; 3] = [ANN, ZHANG, LI];
const EMOJI: [&str; 3] = ["👍", "🎉", "❤️"];

fn step() -> impl Strategy<Value = Step> {
    let (who, what) = (0..3_usize, 0..100_usize);
    prop_oneof![
        4 => who.clone().prop_map(Step::Say),
        1 => (who.clone(), what.clone()).prop_map(|(who, what)| Step::Answer(who, what)),
        2 => what.clone().prop_map(Step::Edit),
        1 => what.clone().prop_map(Step::Erase),
        2 => (who.clone(), 0..OTHERS).prop_map(|(who, what)| Step::Other(who, what)),
        3 => (who, what, 0..3_usize, any::<bool>())
            .prop_map(|(who, what, emoji, is_on)| Step::React(who, what, emoji, is_on)),
    ]
}

/// Every kind of entry that is not a message and does not amend another entry.
fn other(what: usize, seq: u64) -> Body {
    let of = |ruling| Body::Ruling(author(LI), ruling);
    let until = Until::At(1_795_100_000_000);
    let reason = || format!("reason {seq}");
    match what {
        0 => Body::Joined(Role::Member),
        1 => Body::Left,
        2 => Body::Renamed(format!("name{seq}")),
        3 => Body::Topic(format!("topic {seq}")),
        4 => of(Ruling::Invited),
        5 => of(Ruling::Role(Role::Moderator)),
        6 => of(Ruling::Kicked { reason: reason() }),
        7 => of(Ruling::Banned {
            until,
            reason: reason(),
        }),
        8 => of(Ruling::Unbanned),
        9 => of(Ruling::Muted {
            until: Until::Forever,
        }),
        10 => of(Ruling::Unmuted),
        11 => Body::Created,
        12 => Body::Closed,
        _ => Body::Unknown(99),
    }
}

const OTHERS: usize = 14;

/// Sends the screen the room as the server describes it after this log.
fn knows(screen: &mut Screen, log: &[Entry]) {
    let topic = log.iter().rev().find_map(|entry| match &entry.body {
        Body::Topic(topic) => Some(topic.as_str()),
        _ => None,
    });
    let room = room(GENERAL, "general", topic.unwrap_or("everybody meets here"));
    screen.receives(ClientEvent::Room {
        room,
        is_requested: false,
    });
}

/// Builds the log of these steps; each amendment is made by a person who may make it.
fn log(steps: &[Step]) -> Vec<Entry> {
    let mut log: Vec<Entry> = Vec::new();
    let mut said: Vec<(u64, IdentityId)> = Vec::new();
    for (seq, step) in (1..).zip(steps) {
        let pick = |what: &usize| said.get(what % said.len().max(1)).copied();
        let (by, body) = match step {
            Step::Other(who, what) => (PEOPLE[*who], other(*what, seq)),
            Step::Say(who) => (PEOPLE[*who], Body::Text(format!("said {seq}"))),
            Step::Answer(who, what) => match pick(what) {
                Some((to, _)) => {
                    let (to, text) = (Seq(to), format!("answered {seq}"));
                    (PEOPLE[*who], Body::Reply { to, text })
                }
                None => (PEOPLE[*who], Body::Text(format!("said {seq}"))),
            },
            Step::Edit(what) => match pick(what) {
                Some((target, author)) => (
                    author,
                    Body::Amendment {
                        target: Seq(target),
                        what: Amendment::Edit(format!("edited {seq}")),
                    },
                ),
                None => (ANN, Body::Left),
            },
            Step::Erase(what) => match pick(what) {
                Some((target, author)) => {
                    said.retain(|it| it.0 != target);
                    let (target, what) = (Seq(target), Amendment::Erase);
                    (author, Body::Amendment { target, what })
                }
                None => (ANN, Body::Left),
            },
            Step::React(who, what, emoji, is_on) => match pick(what) {
                Some((target, _)) => (
                    PEOPLE[*who],
                    Body::Amendment {
                        target: Seq(target),
                        what: Amendment::React {
                            emoji: EMOJI[*emoji].into(),
                            is_on: *is_on,
                        },
                    },
                ),
                None => (ANN, Body::Left),
            },
        };
        if body.is_message() {
            said.push((seq, by));
        }
        log.push(entry(GENERAL, seq, by, seq, body));
    }
    log
}

/// The first `count` entries, as a server returns them after `after` entries of the log.
fn page(log: &[Entry], count: usize, after: usize) -> Vec<Entry> {
    let mut page = log[..count].to_vec();
    for by in &log[..after] {
        let Body::Amendment { target, what } = &by.body else {
            continue;
        };
        for entry in &mut page {
            entry.amend(by);
            if *what == Amendment::Erase {
                entry.erase_edit_of(*target);
            }
        }
    }
    page
}

fn screen() -> Screen {
    Screen::online(100, 60)
}

fn receives_page(screen: &mut Screen, before: u64, entries: Vec<Entry>) {
    screen.receives(ClientEvent::Page {
        room: GENERAL,
        before: Seq(before),
        epoch: Epoch::new([9; 16]),
        first: Seq(1),
        entries,
    });
}

fn receives_live(screen: &mut Screen, entries: &[Entry]) {
    if !entries.is_empty() {
        screen.receives(ClientEvent::Entries(entries.to_vec()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn live_paged_and_mixed_entries_give_the_same_screen(
        steps in prop::collection::vec(step(), 2..40), cut in 0..100_usize, late in 0..100_usize,
    ) {
        let log = log(&steps);
        let cut = 1 + cut % (log.len() - 1);
        let late = cut + late % (log.len() - cut + 1);
        let mut live = screen();
        receives_live(&mut live, &log);
        let mut fresh = screen();
        knows(&mut fresh, &log);
        receives_page(&mut fresh, u64::MAX, page(&log, log.len(), log.len()));
        prop_assert_eq!(fresh.text(), live.text(), "a fresh page");
        let mut snapshot = screen();
        knows(&mut snapshot, &log[..cut]);
        receives_page(&mut snapshot, u64::MAX, page(&log, cut, cut));
        receives_live(&mut snapshot, &log[cut..]);
        prop_assert_eq!(snapshot.text(), live.text(), "a page, then live");
        // Older entries are loaded later, as amended up to some moment in between.
        let mut backwards = screen();
        knows(&mut backwards, &log[..cut]);
        receives_live(&mut backwards, &log[cut..]);
        receives_page(&mut backwards, cut as u64 + 1, page(&log, cut, late));
        prop_assert_eq!(backwards.text(), live.text(), "live, then a page");
    }
}

async fn opens(server: &Server, name: &str) -> Viewer {
    Viewer::opens(server.connector(), name, None).await
}

#[tokio::test(start_paused = true)]
async fn others_see_replies_edits_reactions_and_deletions() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    // A client that has everything up to now and returns at the end.
    let (mut early, room) = Raw::join(&server, "early", "general").await;
    early.follow(room, None).await;
    let cursor = loop {
        if let Event::Followed { epoch, last, .. } = early.event().await {
            break Cursor {
                epoch,
                seq: last,
                digest: None,
            };
        }
    };
    drop(early);
    ann.keys("waht a day<ret>");
    ben.shows("waht a day").await;
    ann.waits_until_idle().await;
    ann.keys("s/waht/what/<ret>");
    ben.shows("what a day  edited").await;
    ben.keys("/react 👍<ret>");
    ann.shows("what a day  edited  👍 1").await;
    // The same reaction again removes it.
    ben.shows("👍 1").await;
    ben.keys("/react 👍<ret>");
    ann.until("no reaction", |screen| !screen.shows("👍")).await;
    ben.keys("<a-m>r");
    ben.shows("#general > ann ›").await;
    ben.keys("indeed<ret>");
    ann.shows("> ann: what a day").await;
    ann.shows("indeed").await;
    ben.shows("#general ›").await;
    // Up in an empty composer edits the last message; Esc cancels.
    ann.keys("<up>");
    ann.shows("#general edit › what a day").await;
    ann.keys("<esc>");
    ann.shows("#general ›").await;
    ann.keys("<up>!<ret>");
    ben.shows("what a day!  edited").await;
    ben.shows("> ann: what a day!").await;
    // Deleting needs a confirmation and is allowed only for one's own messages.
    ben.keys("<a-m><up>d");
    ben.shows("Do the same again to delete it for everyone")
        .await;
    ben.keys("d");
    ben.shows("only moderators of this room can delete").await;
    ann.keys("<a-m><up>dd");
    ben.shows("This message was deleted").await;
    ben.shows("> an earlier message").await;
    ben.until("its removal", |screen| !screen.shows("what a day"))
        .await;
    let mut late = opens(&server, "late").await;
    late.shows("This message was deleted").await;
    assert!(!late.screen.shows("what a day"));
    // Nor is it sent to anybody, whatever they request.
    let (mut raw, _) = Raw::enter(&server, "early").await;
    raw.follow(room, Some(cursor)).await;
    let mut texts = Vec::new();
    while !texts.contains(&"indeed".to_owned()) {
        if let Event::Entry(entry) = raw.event().await {
            texts.push(entry.body.text().to_owned());
        }
    }
    assert!(
        texts.iter().all(|text| !text.contains("a day")),
        "{texts:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_impossible_action_is_explained_and_keys_without_a_meaning_in_selection_are_typed() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    ann.keys("<up>");
    ann.shows("You have no message here to edit").await;
    ann.keys("/reply hello?<ret>");
    ann.shows("There is no message here to reply to").await;
    ann.keys("<c-u>one<ret>");
    ann.waits_until_idle().await;
    ann.keys("s/two/three/<ret>");
    ann.shows("'two' is not in your last message").await;
    ann.keys("<c-u>");
    ann.waits_until_idle().await;
    ann.keys("<a-m>");
    ann.shows("r reply · e edit").await;
    ann.keys("x");
    ann.shows("#general › x").await;
    // Reactions by number and by typing an emoji.
    ann.keys("<c-u><a-m>+1");
    ann.shows("one  👍 1").await;
    ann.keys("<a-m>+🌊<ret>");
    ann.shows("one  🌊 1  👍 1").await;
    ann.keys("<a-m>+no<ret>");
    ann.shows("that is not a single emoji").await;
    // Letters are text again, and the typed text comes back.
    ann.keys("dd");
    ann.shows("#general › dd").await;
    ann.keys("<c-u>/react abc<ret>");
    ann.shows("#general › /react abc").await;
}

#[tokio::test(start_paused = true)]
async fn a_deletion_to_confirm_in_one_room_is_not_confirmed_in_another() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    // The selected message has the same seq in both rooms.
    for keys in [
        "/create one<ret>",
        "said in one<ret>",
        "/create two<ret>",
        "said in two<ret>",
    ] {
        ann.keys(keys);
        ann.waits_until_idle().await;
    }
    ann.shows("#two ›").await;
    ann.keys("<a-m>d");
    ann.shows("Do the same again to delete it for everyone")
        .await;
    ann.keys("<a-up>");
    ann.shows("#one ›").await;
    ann.keys("<a-m>d");
    ann.shows("Do the same again to delete it for everyone")
        .await;
    ann.waits_until_idle().await;
    assert!(ann.screen.shows("said in one"));
}

/// Checks that no file of a directory contains this text.
fn is_nowhere(directory: &std::path::Path, what: &str) -> Result<(), String> {
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if bytes.windows(what.len()).any(|it| it == what.as_bytes()) {
            return Err(path.display().to_string());
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_deleted_message_is_removed_from_every_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let caches = tempfile::tempdir().unwrap();
    let open = || Arc::new(SqliteStore::open(&path, ServerId::new([1; 16])).unwrap());
    let store = open();
    let server = Server::with(config(), Arc::clone(&store) as Arc<dyn Store>);
    let cache = caches.path().join("ann.db");
    let mut ann = Viewer::opens(server.connector(), "ann", Some(&cache)).await;
    // Long enough to need SQLite pages of its own.
    let text = "4711-xyzzy ".repeat(500);
    ann.pastes(&text);
    ann.keys("<ret>");
    ann.waits_until_idle().await;
    ann.keys("<up> indeed<ret>");
    ann.shows("indeed  edited").await;
    ann.keys("<a-m>dd");
    ann.shows("This message was deleted").await;
    ann.waits_until_idle().await;
    drop(ann);
    drop(server);
    store.close().await.unwrap();
    drop(store);
    tokio::time::timeout(Duration::from_secs(20), async {
        // The thread of the cache writes a moment after the screen shows the deletion.
        loop {
            let left = is_nowhere(directory.path(), "4711-xyzzy")
                .and(is_nowhere(caches.path(), "4711-xyzzy"));
            match left {
                Ok(()) => break,
                Err(file) => {
                    println!("still in {file}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    })
    .await
    .expect("the text is removed from every file");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_private_message_also_disappears_from_other_rooms() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ann.shows("ben").await;
    ann.keys("@ben the key is under the mat<ret>");
    ben.shows("the key is under the mat").await;
    ann.waits_until_idle().await;
    ann.keys("<a-down><a-down>");
    ann.keys("/msg ben<ret>");
    ann.shows("@ben privately ›").await;
    ann.keys("<a-m>dd");
    ben.until("its removal", |screen| !screen.shows("under the mat"))
        .await;
}
