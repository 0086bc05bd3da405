//! The contract of `Store`, run against every implementation, and what a room does when one fails.

mod clock;
mod damage;
mod index;
mod personal;
mod search;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tchat::chat::{
    Amendment, Author, Body, Changes, ClientId, Digest, Entry, Epoch, Exit, IdentityId, InstanceId,
    PutOut, RefusalCode, Role, RoomId, RoomKind, RoomName, SecretHash, Seq, ServerId, Stamp,
    Standing, Until, UserName, Via, digest,
};
use tchat::server::store::memory::MemoryStore;
use tchat::server::store::sqlite::{OpenError, SqliteStore};
use tchat::server::store::{
    Append, IdentityRecord, PageLimit, RoomRecord, Since, Span, Store, StoreError, pair,
};

use crate::support::faulty::Faulty;
use crate::support::raw::Raw;
use crate::support::server::{Server, config};
use tchat::wire::Event;

const ANN: IdentityId = IdentityId::new([1; 16]);
const BEN: IdentityId = IdentityId::new([2; 16]);

fn record(n: u8, name: &str) -> RoomRecord {
    RoomRecord {
        id: RoomId::new([n; 16]),
        kind: RoomKind::Public,
        name: name.into(),
        key: Some(RoomName::new(name).unwrap().key()),
        topic: "话题".into(),
        capacity: 20,
        position: u32::from(n),
        epoch: Epoch::new([n; 16]),
        pair: None,
    }
}

fn entry(room: &RoomRecord, seq: u64, body: Body) -> Entry {
    let client_id = (seq > 1).then(|| ClientId {
        instance: InstanceId::new([5; 16]),
        counter: seq * 10,
    });
    Entry {
        room: room.id,
        epoch: room.epoch,
        seq: Seq(seq),
        digest: digest(Digest::default(), Seq(seq), ANN, client_id, &body),
        at_ms: at(seq),
        author: Author {
            id: ANN,
            name: "安".into(),
        },
        client_id,
        body,
        mentions: Vec::new(),
        amended: None,
    }
}

/// When an entry was said, by both clocks.
const fn at(seq: u64) -> u64 {
    1_700_000_000_000 + seq
}

/// The stamp of a batch that ends with an entry.
const fn taken(seq: u64) -> Stamp {
    Stamp {
        at_ms: at(seq),
        log_ms: at(seq),
        doubt_ms: 0,
    }
}

fn append(room: &RoomRecord, seqs: std::ops::RangeInclusive<u64>) -> Append {
    let at = taken(*seqs.end());
    let entries = seqs
        .map(|seq| entry(room, seq, Body::Text(format!("text {seq} 👋🏽"))))
        .collect();
    Append {
        room: room.id,
        at,
        entries: Arc::new(entries),
        changes: Changes::default(),
    }
}

/// Who is what from now on.
fn members<const N: usize>(members: [(IdentityId, Option<Role>); N]) -> Changes {
    Changes {
        members: members.into(),
        ..Changes::default()
    }
}

async fn made(store: &dyn Store, n: u8, name: &str) -> RoomRecord {
    let record = record(n, name);
    let created = Append {
        room: record.id,
        at: taken(1),
        entries: Arc::new(vec![entry(&record, 1, Body::Created)]),
        changes: members([(ANN, Some(Role::Owner)), (BEN, Some(Role::Member))]),
    };
    store.create_room(record.clone(), created).await.unwrap();
    record
}

async fn contract(store: &dyn Store) {
    rooms_and_members(store).await;
    entries_and_marks(store).await;
    conversations(store).await;
    what_a_room_remembers(store).await;
    amendments(store).await;
    identities(store).await;
    what_is_kept(store).await;
    clock::contract(store).await;
    personal::contract(store).await;
    search::contract(store).await;
    secret_rooms(store).await;
}

async fn secret_rooms(store: &dyn Store) {
    let make = async |record: &RoomRecord| {
        let created = Append {
            room: record.id,
            at: tchat::chat::Stamp::default(),
            entries: Arc::new(vec![entry(record, 1, Body::Created)]),
            changes: Changes::default(),
        };
        store.create_room(record.clone(), created).await
    };
    let secret = |n| RoomRecord {
        kind: RoomKind::Secret,
        ..record(n, "Vault")
    };
    // One before the open room of the name and one after it; they keep it all the same.
    for room in [secret(200), record(201, "vault"), secret(202)] {
        make(&room).await.unwrap();
        let kept = store.room(room.id).await.unwrap().unwrap().record;
        assert_eq!(kept, room);
    }
    let twin = make(&record(203, "VAULT")).await;
    assert!(matches!(twin, Err(StoreError::Conflict)));
    let named = store.named_rooms().await.unwrap();
    let vaults = named.iter().filter(|it| it.name.to_lowercase() == "vault");
    assert_eq!(vaults.count(), 3);
}

/// A store whose append with a number, from 0, comes to something else.
fn failing(inner: MemoryStore, fault: fn(usize) -> Option<StoreError>) -> Arc<Faulty> {
    let appends = AtomicUsize::new(0);
    Arc::new(Faulty {
        inner: Arc::new(inner),
        before: Box::new(move || fault(appends.fetch_add(1, Ordering::SeqCst))),
        after: Box::new(|| {}),
    })
}

async fn what_is_kept(store: &dyn Store) {
    let room = made(store, 9, "short").await;
    for seqs in [2..=500, 501..=700, 701..=1300] {
        store.append(append(&room, seqs)).await.unwrap();
    }
    let since = |log_ms, at_ms| Since {
        log_ms,
        at_ms,
        now_ms: at(5000),
    };
    // Log time is one for a batch. What goes is too old by both clocks.
    for (log_ms, at_ms, first) in [
        (0, 0, Some(1)),
        (at(501), at(501), Some(501)),
        (at(701), at(600), Some(600)),
        (at(400), at(900), Some(2)),
        (at(1300), at(1300), Some(701)),
        (at(1301), at(1300), Some(1300)),
        (at(1301), at(1301), None),
    ] {
        let found = store.first_kept(room.id, since(log_ms, at_ms)).await;
        assert_eq!(found.unwrap(), first.map(Seq), "{log_ms} {at_ms}");
    }
    store.trim(room.id, Seq(1200)).await.unwrap();
    let state = store.room(room.id).await.unwrap().unwrap();
    assert_eq!((state.first, state.last.unwrap().0), (Seq(1200), Seq(1300)));
    let oldest = store
        .page(room.id, Span::After(Seq::ZERO), PageLimit::PAGE)
        .await
        .unwrap();
    assert_eq!(oldest[0].seq, Seq(1200));
    let kept = store.first_kept(room.id, since(0, 0)).await.unwrap();
    assert_eq!(kept, Some(Seq(1200)));
    // It only ever rises, and never takes the last one, from which the numbers go on.
    for (asked, first) in [(1000, 1200), (5000, 1300)] {
        store.trim(room.id, Seq(asked)).await.unwrap();
        let state = store.room(room.id).await.unwrap().unwrap();
        assert_eq!(state.first, Seq(first));
    }
    store.append(append(&room, 1301..=1301)).await.unwrap();
}

async fn rooms_and_members(store: &dyn Store) {
    let second = made(store, 2, "tech").await;
    let first = made(store, 1, "大厅").await;
    assert_eq!(
        store.named_rooms().await.unwrap(),
        [first.clone(), second.clone()]
    );
    let twin = RoomRecord {
        id: RoomId::new([99; 16]),
        name: "TECH".into(),
        ..second.clone()
    };
    let created = Append {
        room: twin.id,
        at: taken(1),
        entries: Arc::new(vec![entry(&twin, 1, Body::Created)]),
        changes: Changes::default(),
    };
    assert!(matches!(
        store.create_room(twin, created).await,
        Err(StoreError::Conflict)
    ));
    assert_eq!(
        store.named_rooms().await.unwrap().len(),
        2,
        "a refused room leaves nothing behind"
    );

    let changed = RoomRecord {
        topic: "other".into(),
        capacity: 0,
        position: 7,
        ..second.clone()
    };
    store.update_room(changed.clone()).await.unwrap();
    let state = store.room(second.id).await.unwrap().unwrap();
    assert_eq!(state.record, changed);
    assert_eq!((state.first, state.last.unwrap().0), (Seq(1), Seq(1)));
    assert_eq!(state.members, [(ANN, Role::Owner), (BEN, Role::Member)]);
    assert_eq!(store.room(RoomId::new([98; 16])).await.unwrap(), None);

    assert_eq!(store.memberships(BEN).await.unwrap().len(), 2);
    assert_eq!(store.members(first.id).await.unwrap(), [ANN, BEN]);
    let left = Append {
        changes: members([(BEN, None)]),
        ..append(&first, 2..=2)
    };
    store.append(left).await.unwrap();
    assert_eq!(store.members(first.id).await.unwrap(), [ANN]);
    assert_eq!(store.memberships(BEN).await.unwrap(), [changed]);
}

async fn entries_and_marks(store: &dyn Store) {
    let room = made(store, 3, "log").await;
    store.append(append(&room, 2..=300)).await.unwrap();
    let state = store.room(room.id).await.unwrap().unwrap();
    let last = entry(&room, 300, Body::Text("text 300 👋🏽".into()));
    assert_eq!(state.last, Some((Seq(300), last.digest, last.at_ms)));
    assert_eq!(state.marks, [(ANN, InstanceId::new([5; 16]), 3000)]);

    for wrong in [
        append(&room, 302..=303),
        append(&room, 300..=301),
        append(&room, 1..=1),
    ] {
        assert!(matches!(
            store.append(wrong).await,
            Err(StoreError::Conflict)
        ));
    }
    let holed = [301, 303]
        .into_iter()
        .map(|seq| entry(&room, seq, Body::Text("x".into())))
        .collect();
    let holed = Append {
        room: room.id,
        at: taken(303),
        entries: Arc::new(holed),
        changes: members([(BEN, None)]),
    };
    assert!(matches!(
        store.append(holed).await,
        Err(StoreError::Conflict)
    ));
    let empty = Append {
        room: room.id,
        at: taken(301),
        entries: Arc::default(),
        changes: Changes::default(),
    };
    assert!(matches!(
        store.append(empty).await,
        Err(StoreError::Conflict)
    ));
    assert_eq!(
        store.room(room.id).await.unwrap().unwrap(),
        state,
        "all or nothing"
    );

    let seqs = |page: Vec<Entry>| page.iter().map(|entry| entry.seq.0).collect::<Vec<_>>();
    let page = |span, entries, bytes| async move {
        seqs(
            store
                .page(record(3, "log").id, span, PageLimit { entries, bytes })
                .await
                .unwrap(),
        )
    };
    assert_eq!(page(Span::After(Seq(0)), 3, 9999).await, [1, 2, 3]);
    assert_eq!(page(Span::After(Seq(298)), 9, 9999).await, [299, 300]);
    assert_eq!(
        page(Span::After(Seq(300)), 9, 9999).await,
        Vec::<u64>::new()
    );
    assert_eq!(page(Span::Before(Seq(5)), 3, 9999).await, [2, 3, 4]);
    assert_eq!(page(Span::Before(Seq(u64::MAX)), 2, 9999).await, [299, 300]);
    assert_eq!(page(Span::Before(Seq(1)), 2, 9999).await, Vec::<u64>::new());
    assert_eq!(
        page(Span::After(Seq(9)), 50, 40).await.len(),
        2,
        "a page ends at its bytes"
    );
    assert_eq!(
        page(Span::After(Seq(9)), 50, 1).await,
        [10],
        "but has an entry if there is one"
    );
    let whole = store
        .page(room.id, Span::After(Seq(299)), PageLimit::PAGE)
        .await
        .unwrap();
    assert_eq!(whole, [last], "an entry comes back as it was");
}

async fn what_a_room_remembers(store: &dyn Store) {
    let room = made(store, 20, "law").await;
    let standing = Standing {
        is_invited: true,
        role: Some(Role::Moderator),
        banned: Some(Until::Ever),
        muted: Some(Until::At(1_700_000_000_000)),
        put_out: Some(PutOut {
            at: Seq(2),
            by: "安".into(),
            reason: "spam".into(),
            exit: Exit::Banned,
        }),
    };
    let plain = Standing::default();
    let append = |seq, standings: Vec<(IdentityId, Standing)>, topic: Option<&str>| Append {
        room: room.id,
        at: taken(seq),
        entries: Arc::new(vec![entry(&room, seq, Body::Text(format!("{seq}")))]),
        changes: Changes {
            standings: standings.into_iter().collect(),
            topic: topic.map(str::to_owned),
            ..Changes::default()
        },
    };
    let told = vec![(ANN, standing.clone()), (BEN, plain.clone())];
    store.append(append(2, told, Some("主题"))).await.unwrap();
    let state = store.room(room.id).await.unwrap().unwrap();
    assert_eq!(
        state.standings,
        [(ANN, standing)],
        "what is plain is not kept"
    );
    assert_eq!(state.record.topic, "主题");
    // A topic that people set is not the configuration's to change; a forgotten standing is gone.
    store.update_room(room.clone()).await.unwrap();
    store
        .append(append(3, vec![(ANN, plain)], None))
        .await
        .unwrap();
    let state = store.room(room.id).await.unwrap().unwrap();
    assert_eq!(
        (state.record.topic.as_str(), state.standings.len()),
        ("主题", 0)
    );
    let last = store.last_said(room.id).await.unwrap().unwrap();
    assert_eq!(last.seq, Seq(3));
    let closed = Append {
        changes: Changes {
            closed: Some(PutOut {
                at: Seq(4),
                by: "安".into(),
                reason: String::new(),
                exit: Exit::Closed,
            }),
            ..Changes::default()
        },
        ..append(4, Vec::new(), None)
    };
    store.append(closed).await.unwrap();
    assert_eq!(store.room(room.id).await.unwrap(), None);
    assert!(store.members(room.id).await.unwrap().is_empty());
    let named = store.named_rooms().await.unwrap();
    assert!(named.iter().all(|it| it.id != room.id));
    // Its name is free again.
    let next = made(store, 21, "LAW").await;
    let closed = Append {
        room: next.id,
        at: taken(2),
        entries: Arc::new(vec![entry(&next, 2, Body::Closed)]),
        changes: Changes {
            closed: Some(PutOut {
                at: Seq(4),
                by: "安".into(),
                reason: String::new(),
                exit: Exit::Closed,
            }),
            ..Changes::default()
        },
    };
    store.append(closed).await.unwrap();
}

async fn amendments(store: &dyn Store) {
    let room = made(store, 30, "amended").await;
    let by = |seq, who, body| {
        let mut entry = entry(&room, seq, body);
        entry.author.id = who;
        entry
    };
    let amend = |target, what| Body::Amendment {
        target: Seq(target),
        what,
    };
    let react = |emoji: &str, is_on| Amendment::React {
        emoji: emoji.into(),
        is_on,
    };
    let text = |text: &str| Body::Text(text.into());
    let first = Body::Reply {
        to: Seq(1),
        text: "frist".into(),
    };
    let entries = vec![
        by(2, ANN, first.clone()),
        by(3, BEN, text("second")),
        by(4, ANN, amend(2, Amendment::Edit("first".into()))),
        by(5, BEN, amend(2, react("👍", true))),
        by(6, ANN, amend(2, react("🎉", true))),
        by(7, ANN, amend(2, react("👍", true))),
        by(8, BEN, amend(2, react("👍", false))),
        by(9, BEN, amend(3, Amendment::Edit("a secret".into()))),
        by(10, ANN, amend(3, react("👀", true))),
        by(11, BEN, amend(3, Amendment::Erase)),
    ];
    let hashes: Vec<_> = entries.iter().map(|entry| entry.body.hash()).collect();
    let append = Append {
        room: room.id,
        at: taken(11),
        entries: Arc::new(entries),
        changes: Changes::default(),
    };
    store.append(append).await.unwrap();
    let page = store
        .page(room.id, Span::After(Seq(1)), PageLimit::PAGE)
        .await
        .unwrap();
    let told: Vec<_> = page.iter().map(Entry::original_hash).collect();
    assert_eq!(told, hashes, "the chain covers what was posted");
    let edited = page[0].amended.as_ref().unwrap();
    assert_eq!(page[0].body, first.with_text("first").unwrap());
    assert_eq!((edited.seq, edited.is_edited), (Seq(8), true));
    let reactions: Vec<_> = edited
        .reactions
        .iter()
        .map(|it| {
            (
                it.emoji.as_str(),
                it.people.iter().map(|who| who.id).collect(),
            )
        })
        .collect();
    assert_eq!(reactions, [("🎉", vec![ANN]), ("👍", vec![ANN])]);
    assert_eq!(page[1].body, Body::Erased(hashes[1]));
    let erased = page[1].amended.as_ref().unwrap();
    assert_eq!((erased.seq, erased.reactions.len()), (Seq(11), 0));
    assert_eq!(page[7].body, Body::Erased(hashes[7]), "and its edit");
    let some = store
        .entries_at(room.id, vec![Seq(3), Seq(2), Seq(77)])
        .await;
    let mut some = some.unwrap();
    some.sort_by_key(|entry| entry.seq);
    assert_eq!(some, page[..2]);
    let said = store.last_said(room.id).await.unwrap().unwrap();
    assert_eq!(said.seq, Seq(2), "what was deleted is not said");
}

async fn conversations(store: &dyn Store) {
    let record = RoomRecord {
        id: RoomId::new([50; 16]),
        kind: RoomKind::Conversation,
        name: String::new(),
        key: None,
        position: u32::MAX,
        pair: Some(pair(BEN, ANN)),
        ..record(50, "x")
    };
    let created = || Append {
        room: record.id,
        at: taken(1),
        entries: Arc::new(vec![entry(&record, 1, Body::Created)]),
        changes: Changes::default(),
    };
    store.create_room(record.clone(), created()).await.unwrap();
    assert_eq!(
        store.conversation(ANN, BEN).await.unwrap(),
        Some(record.clone())
    );
    assert_eq!(
        store.conversation(BEN, ANN).await.unwrap(),
        Some(record.clone())
    );
    assert_eq!(store.conversation(ANN, ANN).await.unwrap(), None);
    let again = RoomRecord {
        id: RoomId::new([51; 16]),
        ..record.clone()
    };
    let created = Append {
        room: again.id,
        at: taken(1),
        entries: Arc::new(vec![entry(&again, 1, Body::Created)]),
        changes: Changes::default(),
    };
    assert!(matches!(
        store.create_room(again, created).await,
        Err(StoreError::Conflict)
    ));
}

async fn identities(store: &dyn Store) {
    let of = |n: u8, name: &str, present| IdentityRecord {
        id: IdentityId::new([n; 16]),
        secret: SecretHash::new([n; 32]),
        name: UserName::new(name).unwrap(),
        present,
        via: Via::Tchat,
    };
    let (ann, ben) = (of(1, "Ann", true), of(2, "ben", false));
    store.put_identity(ann.clone(), 5).await.unwrap();
    store.put_identity(ben.clone(), 5).await.unwrap();
    assert_eq!(store.identity(ann.id).await.unwrap(), Some(ann.clone()));
    assert_eq!(
        store.identity_of(ben.secret).await.unwrap(),
        Some(ben.clone())
    );
    assert_eq!(
        store.identity_of(SecretHash::new([9; 32])).await.unwrap(),
        None
    );
    assert_eq!(store.present().await.unwrap(), std::slice::from_ref(&ann));
    assert_eq!(
        store
            .called(UserName::new("ANN").unwrap().key())
            .await
            .unwrap(),
        std::slice::from_ref(&ann)
    );
    let thief = IdentityRecord {
        id: IdentityId::new([7; 16]),
        ..ann.clone()
    };
    assert!(
        matches!(
            store.put_identity(thief, 5).await,
            Err(StoreError::Conflict)
        ),
        "a secret is one person's"
    );
    store.clear_presence().await.unwrap();
    assert_eq!(store.present().await.unwrap(), []);
    let renamed = IdentityRecord {
        name: UserName::new("安").unwrap(),
        present: false,
        ..ann.clone()
    };
    store.put_identity(renamed.clone(), 6).await.unwrap();
    assert_eq!(store.identity(ann.id).await.unwrap(), Some(renamed));
    assert_eq!(
        store
            .called(UserName::new("ann").unwrap().key())
            .await
            .unwrap(),
        []
    );
    let boss = UserName::new("boss").unwrap().key();
    assert_eq!(
        store.bind_operator(boss.clone(), ann.id).await.unwrap(),
        ann.id
    );
    assert_eq!(
        store.bind_operator(boss, ben.id).await.unwrap(),
        ann.id,
        "the first bearer stays"
    );
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    contract(&MemoryStore::new(ServerId::new([1; 16]))).await;
}

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let store = SqliteStore::open(&path, ServerId::new([1; 16])).unwrap();
    contract(&store).await;
    let before = store.room(RoomId::new([3; 16])).await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(
        store.append(append(&record(3, "log"), 301..=301)).await,
        Err(StoreError::Failed(_))
    ));
    drop(store);
    let store = SqliteStore::open(&path, ServerId::new([2; 16])).unwrap();
    assert_eq!(
        store.server_id().await.unwrap(),
        ServerId::new([1; 16]),
        "the id is the data's, not the process's"
    );
    assert_eq!(store.room(RoomId::new([3; 16])).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_takes_writes_of_many_rooms_at_once() {
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
async fn a_file_of_a_newer_tchat_and_one_of_another_program_are_left_alone() {
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
async fn what_could_not_be_stored_is_seen_by_nobody_and_ends_the_server() {
    // Two joins and one message pass.
    let inner = MemoryStore::new(ServerId::new([1; 16]));
    let store = failing(inner, |n| {
        (n >= 3).then(|| StoreError::Failed("the disk is gone".into()))
    });
    let mut server = Server::with(config(), store);
    let mut ann = server.joins("ann").await;
    let mut ben = server.joins("ben").await;
    ann.says("general", "stored");
    ben.sees("general", "stored").await;
    let lost = ann.says("general", "lost");
    let error = server
        .ends(std::time::Duration::from_secs(20))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot go on: the store failed: the disk is gone"
    );
    ann.catch_up();
    ben.catch_up();
    assert_eq!(
        (ann.heard("general"), ben.heard("general")),
        (vec!["stored".into()], vec!["stored".into()])
    );
    assert_eq!(
        ann.pending,
        [lost],
        "its outcome is unknown, so it has no answer"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_overtakes_a_post_that_did_not_fit_the_disk() {
    // The join of the one who posts is the first.
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
fn the_log_names_rooms_that_everybody_may_know_of_and_gives_the_id_of_others() {
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
async fn secret_rooms_of_an_older_file_give_their_names_back() {
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
    db.execute_batch("UPDATE rooms SET key = 'vault' WHERE kind = 4; PRAGMA user_version = 6;")
        .unwrap();
    drop(db);
    let store = SqliteStore::open(&path, ServerId::new([1; 16])).unwrap();
    made(&store, 8, "vault").await;
    assert_eq!(store.named_rooms().await.unwrap().len(), 2);
}
