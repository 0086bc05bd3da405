//! Stores that fail, files of other versions, and many writers at once.

use super::*;

/// A store that injects a fault into appends. `fault` gets the number of the append, from 0.
fn failing(inner: MemoryStore, fault: fn(usize) -> Option<StoreError>) -> Arc<Faulty> {
    let appends = AtomicUsize::new(0);
    Arc::new(Faulty {
        inner: Arc::new(inner),
        before: Box::new(move || fault(appends.fetch_add(1, Ordering::SeqCst))),
        after: Box::new(|| {}),
        accounts: Box::new(|| None),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_accepts_concurrent_writes_of_many_rooms() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(
        SqliteStore::open(&directory.path().join("tchat.db"), ServerId::new([1; 16])).unwrap(),
    );
    let mut tasks = Vec::new();
    for n in 1..=8 {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let room = made(&*store, n, &format!("room{n}")).await;
            for seq in 2..200 {
                store.append(append(&room, seq..=seq)).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    for n in 1..=8 {
        assert_eq!(
            store
                .room(RoomId::new([n; 16]))
                .await
                .unwrap()
                .unwrap()
                .last
                .unwrap()
                .0,
            Seq(199)
        );
    }
}

#[tokio::test]
async fn files_of_a_newer_tchat_or_another_program_are_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    SqliteStore::open(&path, ServerId::new([1; 16]))
        .unwrap()
        .close()
        .await
        .unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let before = std::fs::read(&path).unwrap();
    let error = SqliteStore::open(&path, ServerId::new([1; 16])).unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: 99, .. }),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);

    let foreign = directory.path().join("foreign.db");
    rusqlite::Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    assert!(matches!(
        SqliteStore::open(&foreign, ServerId::new([1; 16])),
        Err(OpenError::Foreign(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_post_that_cannot_be_stored_is_not_delivered_and_ends_the_server() {
    // Two joins and one message are stored.
    let inner = MemoryStore::new(ServerId::new([1; 16]));
    let store = failing(inner, |n| {
        (n >= 3).then(|| StoreError::Failed("the disk is gone".into()))
    });
    let mut server = Server::with(config(), store);
    let mut ann = server.joins("ann").await;
    let mut ben = server.joins("ben").await;
    ann.sends("general", "stored");
    ben.sees("general", "stored").await;
    let lost = ann.sends("general", "lost");
    let error = server
        .ends(std::time::Duration::from_secs(20))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot continue: the store failed: the disk is gone"
    );
    ann.catch_up();
    ben.catch_up();
    assert_eq!(
        (ann.messages_in("general"), ben.messages_in("general")),
        (vec!["stored".into()], vec!["stored".into()])
    );
    assert_eq!(
        ann.pending,
        [lost],
        "its outcome is unknown, so it has no answer"
    );
}

#[tokio::test(start_paused = true)]
async fn no_post_overtakes_one_that_did_not_fit_on_the_disk() {
    // The join of the sender is the first append.
    let inner = MemoryStore::new(ServerId::new([1; 16]));
    let store = failing(inner, |n| (n == 1).then_some(StoreError::Full));
    let server = Server::with(config(), store);
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    let code = async |raw: &mut Raw| match raw.answer().await {
        Event::Refused { refusal, .. } => {
            assert!(refusal.retry_after.is_some());
            Some(refusal.code)
        }
        Event::Accepted { .. } => None,
        other => panic!("{other:?}"),
    };
    raw.post(1, room, "one").await;
    assert_eq!(code(&mut raw).await, Some(RefusalCode::StorageFull));
    raw.post(2, room, "two").await;
    assert_eq!(code(&mut raw).await, Some(RefusalCode::AfterRefused));
    for (counter, text) in [(1, "one"), (2, "two")] {
        raw.post(counter, room, text).await;
        assert_eq!(code(&mut raw).await, None);
    }
    assert_eq!(server.log("general").await, ["one", "two"]);
}

#[test]
fn the_log_shows_the_names_of_listed_rooms_and_only_the_ids_of_others() {
    let of = |kind| {
        let room = record(7, "vault");
        RoomRecord { kind, ..room }.log_name()
    };
    assert_eq!(of(RoomKind::Public), "vault");
    assert_eq!(of(RoomKind::Private), "vault");
    let id = "07".repeat(16);
    assert_eq!(of(RoomKind::Secret), format!("secret:{id}"));
    assert_eq!(of(RoomKind::Conversation), format!("conversation:{id}"));
}

#[tokio::test]
async fn names_of_secret_rooms_in_an_older_file_become_free() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let store = SqliteStore::open(&path, ServerId::new([1; 16])).unwrap();
    let secret = RoomRecord {
        kind: RoomKind::Secret,
        ..record(7, "vault")
    };
    let created = Append {
        room: secret.id,
        at: tchat::chat::Stamp::default(),
        entries: Arc::new(vec![entry(&secret, 1, Body::Created)]),
        changes: Changes::default(),
    };
    store.create_room(secret.clone(), created).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("UPDATE rooms SET key = 'vault' WHERE kind = 4; DROP TABLE devices; DROP TABLE invites; DROP TABLE audit; DROP TABLE bans; DROP TABLE conversations; DROP INDEX entries_moderating; DROP INDEX standings_role; ALTER TABLE rooms DROP COLUMN slow_s; ALTER TABLE rooms DROP COLUMN read_only; ALTER TABLE ignored DROP COLUMN blocked; ALTER TABLE standings DROP COLUMN invited_by; DROP INDEX marks_by_author; PRAGMA user_version = 6;")
        .unwrap();
    drop(db);
    let store = SqliteStore::open(&path, ServerId::new([1; 16])).unwrap();
    made(&store, 8, "vault").await;
    assert_eq!(store.named_rooms().await.unwrap().len(), 2);
}
