//! The client's cache, which survives the client: its outbox, its drafts, and copies of the messages it has shown.

use std::path::Path;

use tchat::chat::{
    Amendment, Author, Body, ClientId, Digest, Entry, Epoch, IdentityId, InstanceId, Limits,
    Recipient, Refusal, RefusalCode, RoomId, RoomInfo, RoomKind, Seq, ServerId,
};
use tchat::client::OutgoingPost;
use tchat::client::cache::{Cache, CacheError, HistoryMatch, Opened, Unsent, UnsentScope};
use tchat::config::CACHE_BYTES;

use crate::support::person::Person;
use crate::support::server::{Server, config, memory};
use crate::support::terminal::{Home, signal};

const SERVER: ServerId = ServerId::new([9; 16]);
const ROOM: RoomId = RoomId::new([1; 16]);
const EPOCH: Epoch = Epoch::new([5; 16]);
const ANN: IdentityId = IdentityId::new([11; 16]);
const WIDE: (u16, u16) = (100, 24);

fn instance(n: u8) -> InstanceId {
    InstanceId::new([n; 16])
}

fn post(instance: InstanceId, counter: u64, text: &str) -> OutgoingPost {
    let client_id = ClientId { instance, counter };
    let body = Body::Text(text.into());
    OutgoingPost {
        from: Some(ROOM),
        typed: text.into(),
        ..OutgoingPost::new(client_id, Recipient::Room(ROOM), body)
    }
}

fn room() -> RoomInfo {
    RoomInfo {
        id: ROOM,
        kind: RoomKind::Public,
        name: "general".into(),
        topic: "topic".into(),
        capacity: 0,
        present: 0,
        peer: None,
        role: None,
        rules: tchat::chat::RoomRules::default(),
        request: None,
        last: None,
    }
}

fn entry(epoch: Epoch, seq: u64, text: &str) -> Entry {
    Entry {
        room: ROOM,
        epoch,
        seq: Seq(seq),
        digest: Digest([1; 8]),
        at_ms: seq,
        author: Author {
            id: ANN,
            name: "ann".into(),
        },
        client_id: Some(ClientId {
            instance: instance(7),
            counter: seq,
        }),
        body: Body::Text(text.into()),
        mentions: Vec::new(),
        amended: None,
    }
}

fn entries(seqs: std::ops::RangeInclusive<u64>) -> Vec<Entry> {
    seqs.map(|seq| entry(EPOCH, seq, &seq.to_string()))
        .collect()
}

fn open(path: &Path, instance: InstanceId) -> Opened {
    Cache::open(path, instance, None, CACHE_BYTES).unwrap()
}

/// Closes the cache, as at the end of the process; everything is written.
async fn ends(opened: Opened) {
    drop(opened.cache);
    opened.ended.await.unwrap();
}

async fn joined(opened: &Opened) {
    let you = Author {
        id: ANN,
        name: "ann".into(),
    };
    opened
        .cache
        .store_memberships(SERVER, you, Limits::default(), vec![room()], Vec::new())
        .await;
}

async fn add_post(opened: &Opened, post: OutgoingPost, instead_of: Option<ClientId>) {
    let written = opened.cache.add_post(SERVER, post, instead_of).await;
    written.await.unwrap().unwrap();
}

fn texts(posts: &[Unsent]) -> Vec<&str> {
    posts.iter().map(|it| it.post.body.text()).collect()
}

#[tokio::test]
async fn a_post_is_kept_until_it_is_answered_and_taken_over_only_from_a_dead_client() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.db");
    let first = open(&path, instance(1));
    joined(&first).await;
    for (counter, text) in [(1, "one"), (2, "two"), (3, "three")] {
        let post = post(instance(1), counter, text);
        add_post(&first, post, None).await;
    }
    let id = |counter| ClientId {
        instance: instance(1),
        counter,
    };
    first.cache.remove_post(id(1)).await;
    let refusal = Refusal::new(RefusalCode::RoomUnknown).with("general");
    first.cache.mark_failed(id(2), refusal.clone()).await;
    // A second terminal of the same person leaves the posts of the first alone.
    let second = open(&path, instance(2));
    assert_eq!(texts(&second.posts), [""; 0]);
    ends(second).await;
    ends(first).await;
    let third = open(&path, instance(3));
    assert_eq!(texts(&third.posts), ["two", "three"]);
    assert_eq!(third.posts[0].failed, Some(refusal));
    assert_eq!(third.posts[1].failed, None);
    assert_eq!(
        third.posts[1].post.client_id,
        id(3),
        "with the client id it may have been sent with"
    );
    // A retry replaces the failed post in one step.
    let again = post(instance(3), 1, "two");
    add_post(&third, again, Some(id(2))).await;
    ends(third).await;
    let fourth = open(&path, instance(4));
    assert_eq!(texts(&fourth.posts), ["three", "two"]);
    // Posts for another server are not sent to this one.
    let other = ServerId::new([8; 16]);
    let (drafts, posts) = fourth.cache.unsent(other, UnsentScope::All).await;
    assert!(drafts.is_empty() && posts.is_empty());
    ends(fourth).await;
}

#[tokio::test]
async fn sending_replaces_the_draft_with_the_post_in_one_step() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.db");
    let first = open(&path, instance(1));
    joined(&first).await;
    let draft = |room, text: &str| first.cache.put_draft(SERVER, room, text.into());
    draft(Some(ROOM), "hello").await;
    draft(None, "nowhere yet").await;
    let hello = post(instance(1), 1, "hello");
    add_post(&first, hello, None).await;
    ends(first).await;
    let second = open(&path, instance(2));
    assert_eq!(second.drafts, [(None, "nowhere yet".to_owned())]);
    assert_eq!(texts(&second.posts), ["hello"]);
    let kept = second.cached_server.as_ref().unwrap();
    assert_eq!((kept.server, kept.you.id), (SERVER, ANN));
    assert_eq!(kept.rooms[0].0, room());
    ends(second).await;
}

#[tokio::test]
async fn two_terminals_of_one_person_have_separate_drafts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.db");
    let first = open(&path, instance(1));
    joined(&first).await;
    let draft = |of: &Opened, text: &str| {
        let cache = of.cache.clone();
        let text = text.to_owned();
        async move { cache.put_draft(SERVER, Some(ROOM), text).await }
    };
    draft(&first, "from the first").await;
    let second = open(&path, instance(2));
    assert!(second.drafts.is_empty(), "the first is still writing it");
    draft(&second, "from the second").await;
    add_post(&second, post(instance(2), 1, "from the second"), None).await;
    // The first client dies; the second takes over its drafts while running.
    ends(first).await;
    let (drafts, _) = second.cache.unsent(SERVER, UnsentScope::Adopted).await;
    assert_eq!(drafts, [(Some(ROOM), "from the first".to_owned())]);
    ends(second).await;
    let third = open(&path, instance(3));
    assert_eq!(third.drafts, [(Some(ROOM), "from the first".to_owned())]);
    assert_eq!(texts(&third.posts), ["from the second"]);
    ends(third).await;
}

#[tokio::test]
async fn pages_have_no_holes_and_cursors_point_to_the_newest_entry() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.db");
    let opened = open(&path, instance(1));
    joined(&opened).await;
    let cache = &opened.cache;
    cache
        .record_history(SERVER, ROOM, EPOCH, Seq(1), HistoryMatch::Same)
        .await;
    cache.put_entries(SERVER, entries(1..=10));
    cache.put_entries(SERVER, entries(500..=800));
    let seqs = |page: Option<tchat::client::cache::Page>| {
        let entries = page?.entries;
        Some((entries.first()?.seq.0, entries.last()?.seq.0, entries.len()))
    };
    let page = async |before| seqs(cache.page(SERVER, ROOM, Seq(before)).await);
    assert_eq!(page(u64::MAX).await, Some((601, 800, 200)));
    assert_eq!(page(601).await, Some((500, 600, 101)), "up to the hole");
    assert_eq!(page(500).await, None, "older entries are not cached");
    assert_eq!(page(11).await, Some((1, 10, 10)));
    ends(opened).await;
    let again = open(&path, instance(2));
    let kept = again.cached_server.as_ref().unwrap();
    assert_eq!(kept.rooms[0].1.unwrap().seq, Seq(800));
    let (_, page, former) = again.page.as_ref().unwrap();
    assert_eq!(page.entries.len(), 200);
    assert!(former.is_empty());
    ends(again).await;
}

#[tokio::test]
async fn amendments_are_applied_to_copies_even_if_entries_were_skipped() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.db");
    let opened = open(&path, instance(1));
    joined(&opened).await;
    let cache = &opened.cache;
    cache
        .record_history(SERVER, ROOM, EPOCH, Seq(1), HistoryMatch::Same)
        .await;
    assert!(cache.put_entries(SERVER, entries(1..=3)));
    cache.page(SERVER, ROOM, Seq(4)).await.unwrap();
    // Another process locks the file, so nothing can be written.
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let long = "x".repeat(8000);
    let taken =
        (4..1004).take_while(|seq| cache.put_entries(SERVER, vec![entry(EPOCH, *seq, &long)]));
    assert!(taken.count() < 1000);
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    let body = Body::Amendment {
        target: Seq(2),
        what: Amendment::Erase,
    };
    let erasing = Entry {
        body,
        ..entry(EPOCH, 5000, "")
    };
    cache.apply_amendments(SERVER, vec![erasing]).await;
    let page = cache.page(SERVER, ROOM, Seq(4)).await.unwrap();
    assert!(matches!(page.entries[1].body, Body::Erased(_)));
    assert_eq!(page.entries[2].body.text(), "3");
    ends(opened).await;
}

#[tokio::test]
async fn a_former_history_is_kept_until_the_server_has_the_same_entries() {
    for other in [Epoch::new([6; 16]), EPOCH] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ann.db");
        let opened = open(&path, instance(1));
        joined(&opened).await;
        let cache = &opened.cache;
        cache
            .record_history(SERVER, ROOM, EPOCH, Seq(1), HistoryMatch::Same)
            .await;
        cache.put_entries(SERVER, entries(1..=5));
        cache
            .record_history(SERVER, ROOM, other, Seq(1), HistoryMatch::Replaced)
            .await;
        assert_eq!(cache.page(SERVER, ROOM, Seq(u64::MAX)).await, None);
        assert_eq!(cache.former_entries(SERVER, ROOM).await.len(), 5);
        let back: Vec<Entry> = entries(1..=3)
            .into_iter()
            .map(|entry| Entry {
                epoch: other,
                ..entry
            })
            .collect();
        cache.put_entries(SERVER, back);
        let former = cache.former_entries(SERVER, ROOM).await;
        let left: Vec<&str> = former.iter().map(|it| it.body.text()).collect();
        assert_eq!(
            left,
            ["4", "5"],
            "entries that the server has again are not kept twice"
        );
        let page = cache.page(SERVER, ROOM, Seq(u64::MAX)).await.unwrap();
        assert_eq!(page.entries.len(), 3);
        ends(opened).await;
    }
}

#[tokio::test]
async fn above_its_limit_the_cache_drops_only_old_copies() {
    for (length, count, step) in [(500, 10_000, 500), (7_900, 600, 20)] {
        loses_old_copies(length, count, step).await;
    }
}

async fn loses_old_copies(length: usize, count: u64, step: usize) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.db");
    let limit = 1024 * 1024;
    let opened = Cache::open(&path, instance(1), None, limit).unwrap();
    joined(&opened).await;
    let cache = &opened.cache;
    cache
        .record_history(SERVER, ROOM, EPOCH, Seq(1), HistoryMatch::Same)
        .await;
    add_post(&opened, post(instance(1), 1, "kept"), None).await;
    cache.put_draft(SERVER, Some(ROOM), "a draft".into()).await;
    let long = "x".repeat(length);
    for from in (0..count).step_by(step) {
        let batch = (from + 1..=from + step as u64).map(|seq| entry(EPOCH, seq, &long));
        cache.put_entries(SERVER, batch.collect());
        // Entries that arrive faster than the disk writes are skipped, and this test is about the ones that are written. So wait here.
        cache.page(SERVER, ROOM, Seq(1)).await;
    }
    ends(opened).await;
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size <= limit + 1024 * 1024, "{size} bytes");
    let again = open(&path, instance(2));
    assert_eq!(texts(&again.posts), ["kept"]);
    assert_eq!(again.drafts, [(Some(ROOM), "a draft".to_owned())]);
    let kept = again.cached_server.as_ref().unwrap();
    assert_eq!(kept.rooms[0].1.unwrap().seq, Seq(count), "the newest stay");
    let (_, page, _) = again.page.as_ref().unwrap();
    assert!(
        page.entries.len() >= 50,
        "the cache keeps as many as fit: {}",
        page.entries.len()
    );
    ends(again).await;
}

#[tokio::test]
async fn a_damaged_file_is_moved_aside_and_a_newer_one_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.db");
    std::fs::write(
        &path,
        "this is no database, but it is long enough to be looked at",
    )
    .unwrap();
    let opened = open(&path, instance(1));
    assert!(opened.cached_server.is_none());
    let aside = opened.damaged.clone().expect("its new path is given");
    assert!(
        std::fs::read_to_string(aside)
            .unwrap()
            .starts_with("this is no database")
    );
    ends(opened).await;
    rusqlite::Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let newer = Cache::open(&path, instance(1), None, CACHE_BYTES).unwrap_err();
    assert!(matches!(newer, CacheError::Newer(_)), "{newer}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_restarted_client_continues_where_it_was() {
    let server = Server::start();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.db");
    let mut ann = Person::with_cache(server.connector(), "ann", &path);
    ann.is_in("general").await;
    for n in 1..=50 {
        ann.sends("general", &format!("#{n}"));
    }
    ann.is_answered().await;
    ann.client.quit().await;
    let mut ben = server.joins("ben").await;
    ben.sends("general", "while ann was away");
    ben.is_answered().await;
    // Only new entries come from the server; the others were on the disk.
    let mut ann = Person::with_cache(server.connector(), "ann", &path);
    let kept = ann
        .until("what was kept", |person, event| match event {
            tchat::client::Event::Page { entries, .. } => {
                Some((person.me.is_some(), entries.len()))
            }
            _ => None,
        })
        .await;
    assert!(kept.0 && kept.1 >= 50, "{kept:?}");
    ann.sees("general", "while ann was away").await;
    let general = ann.room("general").unwrap();
    let came: Vec<&str> = ann.entries[&general]
        .iter()
        .map(|it| it.body.text())
        .collect();
    assert!(!came.contains(&"#50"), "{came:?}");
}

#[tokio::test]
async fn a_post_stored_before_the_client_died_is_not_stored_twice() {
    let server = Server::with(config(), memory());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ann.db");
    let mut ann = Person::with_cache(server.connector(), "ann", &path);
    let general = ann.is_in("general").await;
    let id = ann.sends("general", "once");
    ann.sees("general", "once").await;
    ann.client.quit().await;
    // The client died after it received the entry and before it recorded that.
    let mut left = open(&path, instance(6));
    let server_id = left.cached_server.take().unwrap().server;
    let unanswered = OutgoingPost::new(id, Recipient::Room(general), Body::Text("once".into()));
    let written = left.cache.add_post(server_id, unanswered, None).await;
    written.await.unwrap().unwrap();
    ends(left).await;
    let mut ann = Person::with_cache(server.connector(), "ann", &path);
    ann.is_in("general").await;
    ann.until("the answer", |person, _| {
        person
            .accepted
            .iter()
            .any(|(it, _)| *it == id)
            .then_some(())
    })
    .await;
    assert_eq!(server.log("general").await, ["once"]);
}

#[test]
fn messages_and_drafts_written_offline_survive_a_killed_client() {
    let home = Home::new();
    let mut server = home.serves(&[]);
    let address = format!("localhost:{}", home.port);
    let mut ann = home.opens(WIDE, &["--server", &address]);
    ann.shows("#general ›");
    ann.sends_line("said online");
    ann.until("it to be stored", |text| {
        text.contains("said online") && !text.contains('…')
    });
    server.kill().unwrap();
    server.wait().unwrap();
    ann.shows("retrying in");
    ann.sends_line("said offline");
    ann.until("it to wait", |text| {
        text.lines()
            .any(|line| line.contains('…') && line.contains("said offline"))
    });
    ann.types("half a thought");
    ann.shows("#general › half a thought");
    std::thread::sleep(std::time::Duration::from_secs(1)); // A draft is on the disk within a second.
    signal(ann.process(), "KILL");
    drop(ann);
    // No server is running yet: the first screen comes from the disk.
    let ann = home.opens(WIDE, &["--server", &address]);
    ann.shows("#general › half a thought");
    ann.shows("said online");
    ann.until("the post to wait", |text| {
        text.lines()
            .any(|line| line.contains('…') && line.contains("said offline"))
    });
    let mut server = home.serves(&[]);
    let ben = home.opens(WIDE, &["--server", &address, "--name", "ben"]);
    ben.shows("said offline");
    ann.until("the post to be stored", |text| !text.contains('…'));
    for screen in [&ann, &ben] {
        assert_eq!(screen.text().matches("said offline").count(), 1);
    }
    server.kill().unwrap();
    server.wait().unwrap();
}
