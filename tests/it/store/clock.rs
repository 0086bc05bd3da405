//! Log time and wall-clock time in a store: retention when they differ, and repair of timestamps an older version took from a wrong clock.

use std::sync::Arc;

use tchat::chat::{Search, Seq, ServerId, Stamp};
use tchat::server::clock::now_ms;
use tchat::server::store::sqlite::SqliteStore;
use tchat::server::store::{Append, RetentionCutoff, RoomRecord, SearchLimit, Store};

use super::{BEN, append, at, made};

/// Entry 11 was stamped by a clock that was 400 days ahead.
pub async fn contract(store: &dyn Store) {
    const AHEAD: u64 = at(0) + 400 * 86_400_000;
    let room = made(store, 40, "stepped").await;
    store.append(append(&room, 2..=10)).await.unwrap();
    let mut ahead = append(&room, 11..=11);
    let mut entries = (*ahead.entries).clone();
    entries[0].at_ms = AHEAD;
    ahead.entries = Arc::new(entries);
    ahead.at.at_ms = AHEAD;
    store.append(ahead).await.unwrap();
    store.append(append(&room, 12..=20)).await.unwrap();
    for (log_ms, at_ms, now_ms, first) in [
        (at(12), at(12), at(20), Some(12)),
        (at(12), at(5), at(20), Some(5)),
        (at(3), at(20), at(20), Some(2)),
        // Once its time has come, its timestamp counts.
        (at(12), at(12), AHEAD, Some(11)),
        (at(21), at(21), AHEAD - 1, None),
    ] {
        let since = RetentionCutoff {
            log_ms,
            at_ms,
            now_ms,
        };
        let found = store.first_retained(room.id, since).await.unwrap();
        assert_eq!(found, first.map(Seq), "{since:?}");
    }
    // A search by time finds messages on both sides of the clock step.
    for (since, before, seqs) in [(3, 6, vec![5, 4, 3]), (15, 18, vec![17, 16, 15])] {
        let wanted = Search {
            since_ms: at(since),
            before_ms: at(before),
            rooms: vec![room.id],
            ..Search::default()
        };
        let found = store
            .search(BEN, wanted, SearchLimit::entries(100))
            .await
            .unwrap();
        let found: Vec<u64> = found.entries.iter().map(|it| it.seq.0).collect();
        assert_eq!(found, seqs);
    }
    let newest = Stamp {
        at_ms: at(21),
        log_ms: at(1_000_000),
        doubt_ms: 7,
    };
    let last = Append {
        at: newest,
        ..append(&room, 21..=21)
    };
    store.append(last).await.unwrap();
    assert_eq!(store.newest().await.unwrap(), Some(newest));
    let state = store.room(room.id).await.unwrap().unwrap();
    let (seq, _, log_ms) = state.last.unwrap();
    assert_eq!((seq, log_ms), (Seq(21), newest.log_ms));
}

#[tokio::test]
async fn future_timestamps_of_an_older_version_get_the_current_log_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let open = || SqliteStore::open(&path, ServerId::new([1; 16])).unwrap();
    let store = open();
    assert_eq!(store.newest().await.unwrap(), None);
    let (ahead, sane) = (
        made(&store, 1, "ahead").await,
        made(&store, 2, "sane").await,
    );
    for room in [&ahead, &sane] {
        store.append(append(room, 2..=20)).await.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    // The schema of version 5, after its clock was 400 days ahead for a moment.
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(
        "ALTER TABLE entries DROP COLUMN log_ms; ALTER TABLE entries DROP COLUMN doubt_ms;
         ALTER TABLE rooms DROP COLUMN is_stepped; DROP TABLE devices; DROP TABLE invites; DROP TABLE audit; DROP TABLE bans; DROP TABLE conversations; DROP INDEX entries_moderating; DROP INDEX standings_role; ALTER TABLE rooms DROP COLUMN slow_s; ALTER TABLE rooms DROP COLUMN read_only; ALTER TABLE ignored DROP COLUMN blocked; ALTER TABLE standings DROP COLUMN invited_by; DROP INDEX marks_by_author; PRAGMA user_version = 5;
         UPDATE entries SET at_ms = (unixepoch() + 400 * 86400) * 1000
         WHERE seq > 10 AND room = (SELECT num FROM rooms WHERE name = 'ahead');",
    )
    .unwrap();
    drop(db);
    // The database stores whole seconds.
    let before = now_ms() / 1000 * 1000;
    let store = open();
    let opened = before..=now_ms();
    let newest = store.newest().await.unwrap().unwrap();
    assert!(opened.contains(&newest.log_ms), "{newest:?}");
    assert!(newest.at_ms > now_ms(), "the shown time stays");
    let log_ms = async |room: &RoomRecord| {
        let state = store.room(room.id).await.unwrap().unwrap();
        state.last.unwrap().2
    };
    assert!(opened.contains(&log_ms(&ahead).await));
    assert_eq!(log_ms(&sane).await, at(20));
    let since = RetentionCutoff {
        log_ms: before,
        at_ms: before,
        now_ms: before,
    };
    // The first ten are from 2023.
    let kept = store.first_retained(ahead.id, since).await.unwrap();
    assert_eq!(kept, Some(Seq(11)));
    let kept = store.first_retained(sane.id, since).await.unwrap();
    assert_eq!(kept, None);
}
