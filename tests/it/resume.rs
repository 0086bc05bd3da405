//! Resuming: what a screen shows after the server has judged its cursor.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tchat::chat::Retention;
use tchat::chat::{Epoch, ServerId};
use tchat::server::store::Store;
use tchat::server::store::sqlite::{SqliteStore, backup, restore};
use tchat::tui::update::{TrimBudget, trim};

use crate::support::person::Person;
use crate::support::screen::Screen;
use crate::support::server::{Server, config, memory};
use crate::support::viewer::Viewer;

/// The message numbers on a screen, from top to bottom.
fn numbers(screen: &Screen) -> Vec<u64> {
    let rows = screen.rows();
    let number = |row: &String| row.split('#').find_map(|part| part.parse().ok());
    rows.iter().filter_map(number).collect()
}

async fn says_from_to(person: &mut Person, from: u64, to: u64) {
    for n in from..=to {
        person.sends("general", &format!("#{n}#"));
        // The queue of a client is bounded.
        if n % 500 == 0 {
            person.is_answered().await;
        }
    }
    person.is_answered().await;
}

/// Scrolls to the top and checks that every hole on the way is shown as a gap.
async fn reads_everything(viewer: &mut Viewer, first: u64) {
    for _ in 0..400 {
        viewer.keys("<pgup>");
        let shown = numbers(&viewer.screen);
        let holes = shown.windows(2).filter(|pair| pair[1] != pair[0] + 1);
        let named = viewer.screen.rows();
        let named = named.iter().filter(|row| row.contains("not loaded"));
        assert_eq!(holes.count(), named.count(), "{}", viewer.screen.text());
        if shown.first() == Some(&first) && shown.is_sorted() && !viewer.screen.shows("not loaded")
        {
            return;
        }
        viewer.waits_until_idle().await;
    }
    panic!("never at the top:\n{}", viewer.screen.text());
}

#[tokio::test(start_paused = true)]
async fn after_a_short_absence_every_missed_message_is_shown() {
    let server = Server::start();
    let mut viewer = Viewer::opens(server.connector(), "ann", None).await;
    let mut ben = server.joins("ben").await;
    says_from_to(&mut ben, 1, 5).await;
    viewer.shows("#5#").await;
    viewer.keys("/disconnect<ret>");
    viewer.shows("offline").await;
    says_from_to(&mut ben, 6, 12).await;
    viewer.keys("/connect<ret>");
    viewer.shows("#12#").await;
    assert_eq!(numbers(&viewer.screen), (1..=12).collect::<Vec<_>>());
    assert!(!viewer.screen.shows("not loaded"));
}

#[tokio::test(start_paused = true)]
async fn after_a_long_absence_the_newest_are_shown_above_a_gap_that_can_be_loaded() {
    let server = Server::start();
    let mut viewer = Viewer::opens(server.connector(), "ann", None).await;
    let mut ben = server.joins("ben").await;
    says_from_to(&mut ben, 1, 5).await;
    viewer.shows("#5#").await;
    viewer.keys("/disconnect<ret>");
    viewer.shows("offline").await;
    says_from_to(&mut ben, 6, 1500).await;
    viewer.keys("/connect<ret>");
    viewer.shows("#1500#").await;
    let missing = |viewer: &Viewer| viewer.screen.state.current().unwrap().timeline.missing();
    assert_eq!(
        missing(&viewer),
        1295,
        "1,500 less the newest 200 and the first 5"
    );
    reads_everything(&mut viewer, 1).await;
    assert_eq!(missing(&viewer), 0);
}

#[tokio::test(start_paused = true)]
async fn trimmed_entries_come_back_as_pages() {
    let little = TrimBudget {
        shown: 64 * 1024,
        others: 64 * 1024,
    };
    let server = Server::start();
    let mut viewer = Viewer::opens(server.connector(), "ann", None).await;
    let mut ben = server.joins("ben").await;
    for from in (1..3000).step_by(250) {
        says_from_to(&mut ben, from, from + 249).await;
        viewer.shows(&format!("#{}#", from + 249)).await;
        trim(&mut viewer.screen.state, little);
    }
    let len = viewer.screen.state.current().unwrap().timeline.len();
    assert!(len < 1000, "{len}");
    reads_everything(&mut viewer, 1).await;
    trim(&mut viewer.screen.state, little);
    for _ in 0..400 {
        viewer.keys("<pgdn>");
        let shown = numbers(&viewer.screen);
        let is_whole = shown.windows(2).all(|pair| pair[1] == pair[0] + 1);
        assert!(is_whole, "{}", viewer.screen.text());
        if shown.last() == Some(&3000) {
            return;
        }
        viewer.waits_until_idle().await;
        trim(&mut viewer.screen.state, little);
    }
    panic!("never at the end:\n{}", viewer.screen.text());
}

#[tokio::test(start_paused = true)]
async fn messages_deleted_on_the_server_meanwhile_are_reported() {
    let mut config = config();
    config.hub.presets[0].retention = Some(Retention {
        entries: Some(50),
        age: None,
    });
    let server = Server::with(config, memory());
    let mut viewer = Viewer::opens(server.connector(), "ann", None).await;
    let mut ben = server.joins("ben").await;
    says_from_to(&mut ben, 1, 5).await;
    viewer.shows("#5#").await;
    viewer.keys("/disconnect<ret>");
    viewer.shows("offline").await;
    says_from_to(&mut ben, 6, 600).await;
    viewer.keys("/connect<ret>");
    viewer.shows("#600#").await;
    for _ in 0..20 {
        viewer.keys("<pgup>");
    }
    assert!(
        viewer.screen.shows("messages are no longer on the server"),
        "{}",
        viewer.screen.text()
    );
    assert_eq!(
        numbers(&viewer.screen)[..5],
        [1, 2, 3, 4, 5],
        "old messages stay"
    );
    let newcomer = server.joins("carl").await;
    let heard = newcomer.entries.values().flatten().count();
    assert!(heard < 200, "{heard} entries, with retention of 50");
}

fn open(path: &Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(path, ServerId::new([1; 16])).unwrap())
}

async fn epoch_of(server: &Server) -> Epoch {
    server.store.named_rooms().await.unwrap()[0].epoch
}

/// Posts to #10#, makes a copy, posts on to #15#, and restarts the server with the database that `put` makes from the copy.
async fn puts_back(
    put: impl Fn(&Path, &Path) -> PathBuf,
) -> (Server, Viewer, Person, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let mut server = Server::with(config(), open(&path));
    let mut viewer = Viewer::opens(server.connector(), "ann", None).await;
    let mut ben = server.joins("ben").await;
    says_from_to(&mut ben, 1, 10).await;
    let copy = directory.path().join("copy.db");
    assert!(backup(&path, &copy, None).unwrap().entries > 10);
    says_from_to(&mut ben, 11, 15).await;
    viewer.shows("#15#").await;
    server.stops().await.unwrap();
    viewer.shows("retrying in").await;
    let epoch = epoch_of(&server).await;
    let to_be_opened = put(&copy, &path);
    server.store = open(&to_be_opened);
    let is_renewed = epoch_of(&server).await != epoch;
    assert_eq!(
        is_renewed,
        to_be_opened == path,
        "a restore begins a new history"
    );
    server.restarts();
    (server, viewer, ben, directory)
}

#[tokio::test]
async fn after_a_restore_messages_known_only_to_the_screen_stay_above_the_new_history() {
    let (_server, mut viewer, mut ben, _directory) = puts_back(|copy, path| {
        let restored = restore(copy, path).unwrap();
        assert!(restored.before.is_some_and(|before| before.exists()));
        path.to_owned()
    })
    .await;
    viewer.shows("history was replaced").await;
    says_from_to(&mut ben, 16, 16).await;
    viewer.shows("#16#").await;
    let expected: Vec<u64> = (11..=15).chain(1..=10).chain([16]).collect();
    assert_eq!(
        numbers(&viewer.screen),
        expected,
        "{}",
        viewer.screen.text()
    );
}

#[tokio::test]
async fn an_old_database_copied_back_by_hand_is_detected_too() {
    let (_server, mut viewer, mut ben, _directory) = puts_back(|copy, _| copy.to_owned()).await;
    // The file has the same epochs and fewer entries: the cursor is ahead of the room.
    viewer.shows("history was replaced").await;
    says_from_to(&mut ben, 16, 16).await;
    viewer.shows("#16#").await;
    let expected: Vec<u64> = (11..=15).chain(1..=10).chain([16]).collect();
    assert_eq!(
        numbers(&viewer.screen),
        expected,
        "{}",
        viewer.screen.text()
    );
}
