//! Search in a store.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tchat::chat::{
    Amendment, Author, Body, Changes, Entry, Has, IdentityId, Role, RoomId, Search, Seq, ServerId,
    UserName, Via,
};
use tchat::server::store::memory::MemoryStore;
use tchat::server::store::sqlite::SqliteStore;
use tchat::server::store::{Append, IdentityRecord, RoomRecord, SearchLimit, Store};

use super::{ANN, BEN, entry, made, members, seen, taken};

const CAY: IdentityId = IdentityId::new([3; 16]);

fn by(room: &RoomRecord, seq: u64, author: (IdentityId, &str), body: Body) -> Entry {
    Entry {
        author: Author {
            id: author.0,
            name: author.1.into(),
        },
        ..entry(room, seq, body)
    }
}

async fn append(store: &dyn Store, room: &RoomRecord, entries: Vec<Entry>) {
    let last = entries.last().map_or(1, |entry| entry.seq.0);
    let append = Append {
        room: room.id,
        at: taken(last),
        entries: Arc::new(entries),
        changes: Changes::default(),
    };
    store.append(append).await.unwrap();
}

fn words(phrases: &[&str]) -> Search {
    Search {
        phrases: phrases.iter().map(|&it| it.to_owned()).collect(),
        ..Search::default()
    }
}

async fn found(store: &dyn Store, who: IdentityId, search: Search) -> Vec<(u8, u64)> {
    let found = store
        .search(who, search, SearchLimit::entries(100))
        .await
        .unwrap();
    let places = found.entries.iter();
    places.map(|it| (it.room.bytes()[0], it.seq.0)).collect()
}

/// Rooms 61 and 62 have ann and ben as members; room 63 has only ann.
pub async fn contract(store: &dyn Store) {
    let (room, other) = (made(store, 61, "seek").await, made(store, 62, "find").await);
    let hidden = made(store, 63, "hidden").await;
    let gone = Append {
        room: hidden.id,
        at: taken(2),
        entries: Arc::new(vec![entry(&hidden, 2, Body::Text("build secret".into()))]),
        changes: members([(BEN, None::<Role>)]),
    };
    store.append(gone).await.unwrap();
    let (ann, ben) = ((ANN, "安"), (BEN, "Ben"));
    let text = |text: &str| Body::Text(text.into());
    let amends = |target, what| Body::Amendment {
        target: Seq(target),
        what,
    };
    let said = vec![
        by(&room, 2, ann, text("The Build is green")),
        by(&room, 3, ben, text("关键消息：明天发布 v1.2")),
        by(
            &room,
            4,
            ben,
            text("see https://example.org/building `cargo`"),
        ),
        by(
            &room,
            5,
            ann,
            Body::Action("waves at the crème brûlée".into()),
        ),
        by(
            &room,
            6,
            ben,
            Body::Reply {
                to: Seq(2),
                text: "green, not blue \"or\" AND -red* text:x".into(),
            },
        ),
        by(&room, 7, ann, text("the passphrase is tangerine")),
        by(&room, 8, ann, text("old words of seven")),
        by(&room, 9, ann, amends(7, Amendment::Erase)),
        by(
            &room,
            10,
            ann,
            amends(8, Amendment::Edit("new words of eight".into())),
        ),
        by(
            &room,
            11,
            ben,
            amends(
                2,
                Amendment::React {
                    emoji: "👍".into(),
                    is_on: true,
                },
            ),
        ),
        Entry {
            mentions: vec![BEN],
            ..by(&room, 12, ann, text("@Ben 全角ＢＵＩＬＤ"))
        },
    ];
    append(store, &room, said).await;
    append(store, &other, vec![by(&other, 2, ben, text("build 关键"))]).await;
    for (id, name) in [(ANN, "Ann"), (BEN, "Ben")] {
        let record = IdentityRecord {
            id,
            name: UserName::new(name).unwrap(),
            via: Via::Tchat,
        };
        store.put_identity(record, seen(1)).await.unwrap();
    }
    finds(store, &room).await;
}

/// Checks all results in those rooms. Called before and after indexing.
pub async fn finds(store: &dyn Store, room: &RoomRecord) {
    let at_ms = 1_700_000_000_000;
    let has = |what| Search {
        has: vec![what],
        rooms: vec![room.id],
        ..Search::default()
    };
    let from = |name: &str| Search {
        from: vec![name.into()],
        rooms: vec![room.id],
        ..Search::default()
    };
    let open = |phrase| Search {
        is_prefix: true,
        ..words(&[phrase])
    };
    let all: Vec<(Search, &[(u8, u64)])> = vec![
        (words(&["build"]), &[(61, 12), (62, 2), (61, 2)]),
        (words(&["关键"]), &[(61, 3), (62, 2)]),
        (words(&["键"]), &[(61, 3), (62, 2)]),
        (words(&["键消"]), &[(61, 3)]),
        (words(&["消键"]), &[]),
        (words(&["is green"]), &[(61, 2)]),
        (words(&["green", "the"]), &[(61, 2)]),
        (words(&["CREME", "BRULEE"]), &[(61, 5)]),
        (words(&["v1.2"]), &[(61, 3)]),
        (words(&["buil"]), &[]),
        (open("buil"), &[(61, 12), (61, 4), (62, 2), (61, 2)]),
        (open("build"), &[(61, 12), (61, 4), (62, 2), (61, 2)]),
        (open("bu"), &[]),
        (words(&["passphrase"]), &[]),
        (words(&["tangerine"]), &[]),
        (words(&["seven"]), &[]),
        (words(&["eight"]), &[(61, 8)]),
        (words(&["secret"]), &[]),
        (words(&["\"or\" AND -red* text:x"]), &[(61, 6)]),
        (
            words(&["or", "and", "-red*", "text:x", "\"\"", "*"]),
            &[(61, 6)],
        ),
        (words(&["NEAR(green blue)"]), &[]),
        (has(Has::Link), &[(61, 4)]),
        (has(Has::Code), &[(61, 4)]),
        (has(Has::Reply), &[(61, 6)]),
        (has(Has::Reaction), &[(61, 2)]),
        (has(Has::Mention), &[(61, 12)]),
        (from("ben"), &[(61, 6), (61, 4), (61, 3)]),
        (from("ANN"), &[(61, 12), (61, 8), (61, 5), (61, 2)]),
        (from("安"), &[(61, 12), (61, 8), (61, 5), (61, 2)]),
        (from("nobody"), &[]),
        (
            Search {
                since_ms: at_ms + 4,
                before_ms: at_ms + 12,
                rooms: vec![room.id],
                ..Search::default()
            },
            &[(61, 8), (61, 6), (61, 5), (61, 4)],
        ),
        (
            Search {
                since_ms: at_ms + 3,
                from: vec!["Ben".into()],
                ..words(&["green"])
            },
            &[(61, 6)],
        ),
        (
            Search {
                rooms: vec![RoomId::new([63; 16])],
                ..words(&["build"])
            },
            &[],
        ),
    ];
    for (search, mut expected) in all.into_iter().map(|(it, at)| (it, at.to_vec())) {
        let mut places = found(store, BEN, search.clone()).await;
        // Entries of the two rooms can have equal times, so their order is not fixed.
        expected.sort_unstable();
        let newest = places.clone();
        places.sort_unstable();
        assert_eq!(places, expected, "{search:?}");
        assert!(
            newest.iter().rev().is_sorted_by_key(|(_, seq)| seq),
            "{newest:?}"
        );
    }
    assert_eq!(found(store, ANN, words(&["secret"])).await, [(63, 2)]);
    assert_eq!(found(store, CAY, words(&["build"])).await, []);
    let two = store
        .search(BEN, words(&["build"]), SearchLimit::entries(2))
        .await
        .unwrap();
    assert_eq!((two.entries.len(), two.has_more), (2, true));
    let green = store
        .search(BEN, words(&["is green"]), SearchLimit::entries(2))
        .await
        .unwrap();
    assert_eq!(
        green.entries[0].amended.as_ref().unwrap().reactions.len(),
        1
    );
}

/// Waits until everything is indexed.
pub async fn indexed(path: &std::path::Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    for _ in 0..1000 {
        let behind: i64 = db
            .query_row("SELECT count(*) FROM behind", [], |row| row.get(0))
            .unwrap();
        if behind == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it is never indexed");
}

#[tokio::test]
async fn indexing_does_not_change_results_and_deleted_words_leave_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let store = SqliteStore::open(&path, ServerId::new([9; 16])).unwrap();
    let room = super::record(61, "seek");
    contract(&store).await;
    indexed(&path).await;
    finds(&store, &room).await;
    // These are indexed first, and then edited, deleted and trimmed.
    let text = |text: &str| Body::Text(text.into());
    let amends = |target, what| Body::Amendment {
        target: Seq(target),
        what,
    };
    let more = vec![
        entry(&room, 13, text("zanzibar one")),
        entry(&room, 14, text("quagga two")),
    ];
    append(&store, &room, more).await;
    indexed(&path).await;
    assert_eq!(found(&store, BEN, words(&["zanzibar"])).await, [(61, 13)]);
    let more = vec![
        entry(&room, 15, amends(13, Amendment::Erase)),
        entry(&room, 16, amends(14, Amendment::Edit("okapi three".into()))),
    ];
    append(&store, &room, more).await;
    assert_eq!(found(&store, BEN, words(&["zanzibar"])).await, []);
    assert_eq!(found(&store, BEN, words(&["quagga"])).await, []);
    assert_eq!(found(&store, BEN, words(&["okapi"])).await, [(61, 14)]);
    store.trim(room.id, Seq(15)).await.unwrap();
    assert_eq!(found(&store, BEN, words(&["okapi"])).await, []);
    indexed(&path).await;
    store.close().await.unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("INSERT INTO said (said) VALUES ('integrity-check')")
        .unwrap();
    drop(db);
    let file = std::fs::read(&path).unwrap();
    let is_there = |word: &str| file.windows(word.len()).any(|it| it == word.as_bytes());
    for gone in ["zanzibar", "quagga"] {
        assert!(!is_there(gone), "'{gone}' is still in the file");
    }
    assert!(is_there("okapi"), "the edit contains it");
}

#[tokio::test]
async fn a_search_ends_when_its_time_is_over_and_the_next_one_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let store = SqliteStore::open(&path, ServerId::new([9; 16])).unwrap();
    let room = super::record(61, "seek");
    contract(&store).await;
    let text = |n: u64| Body::Text(format!("common {n} word{n}"));
    let many = (13..8_000).map(|n| entry(&room, n, text(n))).collect();
    append(&store, &room, many).await;
    indexed(&path).await;
    let prefix = Search {
        is_prefix: true,
        ..words(&["wor"])
    };
    // In order: read through the index, by the beginning of a word, and without the index.
    for search in [words(&["common"]), prefix, words(&[])] {
        let within = |time| SearchLimit { entries: 50, time };
        let short = within(Some(Duration::from_nanos(1)));
        let cut = store.search(BEN, search.clone(), short).await.unwrap();
        assert!(cut.is_partial && cut.entries.len() < 50, "{search:?}");
        let whole = store
            .search(BEN, search.clone(), within(None))
            .await
            .unwrap();
        assert_eq!(whole.entries.len(), 50, "{search:?}");
        let enough = within(Some(Duration::from_secs(600)));
        let within_time = store.search(BEN, search, enough).await.unwrap();
        assert_eq!(within_time, whole);
    }
}

#[tokio::test]
async fn a_search_whose_time_is_over_before_it_reads_any_entry_finds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let store = SqliteStore::open(&path, ServerId::new([9; 16])).unwrap();
    let room = made(&store, 61, "seek").await;
    append(
        &store,
        &room,
        vec![entry(&room, 2, Body::Text("common".into()))],
    )
    .await;
    indexed(&path).await;
    // Reading the list of rooms alone takes longer than the search may.
    for n in 0..1000_u16 {
        let name = format!("room{n}");
        let [high, low] = n.to_be_bytes();
        let record = RoomRecord {
            id: RoomId::new([high, low, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]),
            ..super::record(62, &name)
        };
        super::creates(&store, &record).await;
    }
    let within = |time| SearchLimit { entries: 50, time };
    let short = within(Some(Duration::from_nanos(1)));
    let cut = store.search(BEN, words(&["common"]), short).await.unwrap();
    assert!(cut.is_partial && cut.entries.is_empty(), "{cut:?}");
    let whole = store.search(BEN, words(&["common"]), within(None)).await;
    let whole = whole.unwrap();
    assert_eq!((whole.entries.len(), whole.is_partial), (1, false));
}

/// Both stores must return the same results for any messages, amendments and searches.
#[test]
fn both_stores_return_the_same_results() {
    const WORDS: [&str; 10] = [
        "a",
        "ab",
        "abc",
        "abcd",
        "关",
        "键",
        "关键",
        "Å",
        "x-y",
        "https://a",
    ];
    let text = || proptest::collection::vec(proptest::sample::select(&WORDS[..]), 1..4);
    let step = prop_oneof![
        4 => (0..2_u8, text()).prop_map(|(by, text)| (by, Body::Text(text.join(" ")))),
        1 => (0..2_u8, 2..20_u64, text()).prop_map(|(by, target, text)| (by, Body::Amendment {
            target: Seq(target),
            what: Amendment::Edit(text.join(" ")),
        })),
        1 => (0..2_u8, 2..20_u64).prop_map(|(by, target)| (by, Body::Amendment {
            target: Seq(target),
            what: Amendment::Erase,
        })),
    ];
    let steps = proptest::collection::vec((step, proptest::bool::weighted(0.2)), 1..20);
    let search = (
        proptest::collection::vec(text(), 0..3),
        proptest::bool::ANY,
        proptest::option::of(proptest::sample::select(vec!["one", "two"])),
        proptest::option::of(proptest::sample::select(vec![Has::Link, Has::Code])),
        1..30_usize,
    );
    let searches = proptest::collection::vec(search, 1..8);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: 60,
        ..Config::with_source_file(file!())
    };
    TestRunner::new(config)
        .run(&(steps, searches), |(steps, searches)| {
            runtime.block_on(async {
                let directory = tempfile::tempdir().unwrap();
                let path = directory.path().join("tchat.db");
                let sqlite = SqliteStore::open(&path, ServerId::new([9; 16])).unwrap();
                let memory = MemoryStore::new(ServerId::new([9; 16]));
                for store in [&sqlite as &dyn Store, &memory] {
                    made(store, 61, "seek").await;
                }
                let room = super::record(61, "seek");
                for (n, ((author, body), waits)) in (2..).zip(steps) {
                    let author = [(ANN, "One"), (BEN, "two")][usize::from(author)];
                    let body = match body {
                        // An amendment must have an earlier target.
                        Body::Amendment { target, what } => Body::Amendment {
                            target: Seq(target.0.min(n - 1)),
                            what,
                        },
                        body => body,
                    };
                    for store in [&sqlite as &dyn Store, &memory] {
                        append(store, &room, vec![by(&room, n, author, body.clone())]).await;
                    }
                    if waits {
                        indexed(&path).await;
                    }
                }
                for (phrases, is_open, from, has, most) in searches {
                    let search = Search {
                        phrases: phrases.into_iter().map(|it| it.join(" ")).collect(),
                        is_prefix: is_open,
                        from: from.into_iter().map(str::to_owned).collect(),
                        has: has.into_iter().collect(),
                        ..Search::default()
                    };
                    let expected = memory
                        .search(BEN, search.clone(), SearchLimit::entries(most))
                        .await
                        .unwrap();
                    let found = sqlite
                        .search(BEN, search.clone(), SearchLimit::entries(most))
                        .await
                        .unwrap();
                    prop_assert_eq!(&found.entries, &expected.entries, "{:?}", search);
                }
                Ok::<_, TestCaseError>(())
            })
        })
        .unwrap();
}
