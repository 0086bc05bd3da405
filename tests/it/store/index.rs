//! A damaged search index: searches still work, and the index is rebuilt.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tchat::chat::{Amendment, Body, Changes, RoomId, Search, Seq, ServerId};
use tchat::server::store::sqlite::{self, SqliteStore};
use tchat::server::store::{Append, RoomRecord, SearchLimit, Store};

use super::search::{contract, finds, indexed};
use super::{BEN, entry, record, taken};

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, ServerId::new([9; 16])).unwrap()
}

/// Creates a database with the entries of the search contract, indexed and closed, and enough others to fill several pages.
async fn whole(path: &Path) {
    let store = open(path);
    contract(&store).await;
    let room = super::made(&store, 64, "filler").await;
    let said = (2..2000).map(|seq| entry(&room, seq, Body::Text(format!("filler number{seq}"))));
    append(&store, &room, said.collect()).await;
    indexed(path).await;
    store.close().await.unwrap();
}

async fn append(store: &dyn Store, room: &RoomRecord, entries: Vec<tchat::chat::Entry>) {
    let append = Append {
        room: room.id,
        at: taken(entries.last().unwrap().seq.0),
        entries: Arc::new(entries),
        changes: Changes::default(),
    };
    store.append(append).await.unwrap();
}

/// Waits until the index was rebuilt and is complete.
async fn made_again(path: &Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    for _ in 0..1000 {
        let waits = "SELECT EXISTS (SELECT 1 FROM meta WHERE key = 'index_damaged') OR EXISTS (SELECT 1 FROM behind)";
        if !db
            .query_row(waits, [], |row| row.get::<_, bool>(0))
            .unwrap()
        {
            drop(db);
            return is_whole(path);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it is never rebuilt");
}

fn is_whole(path: &Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch("INSERT INTO said (said) VALUES ('integrity-check')")
        .unwrap();
    let rows: i64 = db
        .query_row("SELECT count(*) FROM said_docsize", [], |row| row.get(0))
        .unwrap();
    let said: i64 = db
        .query_row(
            "SELECT count(*) FROM entries WHERE kind IN (1, 2, 17)",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(rows, said);
}

/// Ways to damage the tables of the index.
const DAMAGES: [&str; 12] = [
    "UPDATE said_data SET block = zeroblob(length(block)) WHERE id > 10",
    "UPDATE said_data SET block = x'ffffffffffffffff' WHERE id = 10",
    "DELETE FROM said_data",
    "DELETE FROM said_data WHERE id > 10",
    "DELETE FROM said_config",
    "UPDATE said_config SET v = 99 WHERE k = 'version'",
    "DROP TABLE said_data",
    "DROP TABLE said_idx",
    "DROP TABLE said_config",
    "DROP TABLE said",
    // All pages of a table, given by its name.
    "said_data",
    "said_config",
];

fn damage(path: &Path, what: &str) {
    let db = rusqlite::Connection::open(path).unwrap();
    if what.contains(' ') {
        db.execute_batch(what).unwrap();
        return;
    }
    let pages: Vec<u32> = db
        .prepare("SELECT pageno FROM dbstat WHERE name = ?1")
        .unwrap()
        .query_map([what], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(db);
    let mut bytes = std::fs::read(path).unwrap();
    for page in pages {
        let start = (usize::try_from(page).unwrap() - 1) * 4096;
        bytes[start..start + 4096].fill(0x5a);
    }
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_on_a_damaged_index_finds_everything_and_triggers_a_rebuild() {
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole.db");
    self::whole(&whole).await;
    for (n, what) in DAMAGES.iter().enumerate() {
        println!("{what}");
        let path = directory.path().join(format!("{n}.db"));
        std::fs::copy(&whole, &path).unwrap();
        damage(&path, what);
        let store = open(&path);
        finds(&store, &record(61, "seek")).await;
        made_again(&path).await;
        finds(&store, &record(61, "seek")).await;
        store.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_index_is_detected_without_a_search_and_does_not_block_posts() {
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole.db");
    self::whole(&whole).await;
    for (n, what) in DAMAGES.iter().enumerate() {
        println!("{what}");
        let path = directory.path().join(format!("{n}.db"));
        std::fs::copy(&whole, &path).unwrap();
        damage(&path, what);
        let store = open(&path);
        let room = record(64, "filler");
        // As a server does when it starts.
        let found = store.verify().await.unwrap();
        assert!(found.index_is_damaged, "{what}");
        let said = entry(&room, 2000, Body::Text("zanzibar".into()));
        append(&store, &room, vec![said]).await;
        made_again(&path).await;
        let found = store
            .search(BEN, words("zanzibar"), SearchLimit::entries(9))
            .await
            .unwrap();
        assert_eq!(found.entries.len(), 1, "{what}");
        finds(&store, &record(61, "seek")).await;
        store.close().await.unwrap();
    }
}

/// Edits and deletions change the index in the transaction of the post.
#[tokio::test(flavor = "multi_thread")]
async fn edits_deletions_and_trims_work_on_a_damaged_index() {
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole.db");
    self::whole(&whole).await;
    let is_of_words = |what: &&&str| what.contains(' ') && !what.starts_with("DROP TABLE said_i");
    for (n, what) in DAMAGES.iter().filter(is_of_words).enumerate() {
        println!("{what}");
        let path = directory.path().join(format!("{n}.db"));
        std::fs::copy(&whole, &path).unwrap();
        damage(&path, what);
        let store = open(&path);
        let room = record(61, "seek");
        let amends = |target, what| Body::Amendment {
            target: Seq(target),
            what,
        };
        let edit = amends(2, Amendment::Edit("zanzibar".into()));
        append(&store, &room, vec![entry(&room, 13, edit)]).await;
        append(
            &store,
            &room,
            vec![entry(&room, 14, amends(3, Amendment::Erase))],
        )
        .await;
        store.trim(RoomId::new([64; 16]), Seq(1000)).await.unwrap();
        made_again(&path).await;
        for (word, count) in [("zanzibar", 1), ("发布", 0), ("number999", 0)] {
            let found = store
                .search(BEN, words(word), SearchLimit::entries(9))
                .await
                .unwrap();
            assert_eq!(found.entries.len(), count, "{what}: {word}");
        }
        store.close().await.unwrap();
    }
}

/// SQLite rolls back the whole transaction that meets a damaged page, so this edit fails; it succeeds after the next start.
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_hits_a_damaged_page_fails_and_succeeds_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole.db");
    self::whole(&whole).await;
    for (n, what) in ["said_data", "said_idx", "said_docsize", "said_config"]
        .into_iter()
        .enumerate()
    {
        let path = directory.path().join(format!("{n}.db"));
        std::fs::copy(&whole, &path).unwrap();
        damage(&path, what);
        let store = open(&path);
        let room = record(61, "seek");
        let edit = || Append {
            room: room.id,
            at: taken(13),
            entries: Arc::new(vec![entry(
                &room,
                13,
                Body::Amendment {
                    target: Seq(2),
                    what: Amendment::Edit("zanzibar".into()),
                },
            )]),
            changes: Changes::default(),
        };
        assert!(store.append(edit()).await.is_err(), "{what}");
        drop(store);
        sqlite::quick_check(&path).unwrap();
        let store = open(&path);
        store.append(edit()).await.unwrap();
        made_again(&path).await;
        let found = store
            .search(BEN, words("zanzibar"), SearchLimit::entries(9))
            .await
            .unwrap();
        assert_eq!(found.entries.len(), 1, "{what}");
        store.close().await.unwrap();
    }
}

/// A check after a failure and a backup accept the file.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_only_a_damaged_index_passes_verification() {
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole.db");
    self::whole(&whole).await;
    for (n, what) in DAMAGES.iter().enumerate() {
        println!("{what}");
        let path = directory.path().join(format!("{n}.db"));
        std::fs::copy(&whole, &path).unwrap();
        damage(&path, what);
        sqlite::verify_file(&path).unwrap();
        sqlite::quick_check(&path).unwrap();
        if what.contains(' ') {
            let copy = directory.path().join(format!("{n}.copy"));
            sqlite::backup(&path, &copy, None).unwrap();
            let store = open(&copy);
            store.verify().await.unwrap();
            made_again(&copy).await;
            store.close().await.unwrap();
        }
        let store = open(&path);
        store.verify().await.unwrap();
        made_again(&path).await;
        finds(&store, &record(61, "seek")).await;
        store.close().await.unwrap();
        sqlite::quick_check(&path).unwrap();
    }
}

fn words(phrase: &str) -> Search {
    Search {
        phrases: vec![phrase.into()],
        ..Search::default()
    }
}
