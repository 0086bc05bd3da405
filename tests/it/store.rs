//! The contract of `Store`, run against every implementation, and how the server reacts when a store fails.

mod accounts;
mod bans;
mod clock;
mod damage;
mod faults;
mod index;
mod moderation;
mod people;
mod personal;
mod search;

use self::accounts::{account_changes, audit, devices, invites, withdrawn_invites};
use self::people::{amendments, conversations, identities};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tchat::chat::{
    Amendment, Author, Body, Changes, ClientId, DeviceKey, Digest, Entry, Epoch, IdentityId,
    InstanceId, InviteHash, RefusalCode, Removal, RemovalKind, Role, RoomId, RoomKind, RoomName,
    Seq, ServerId, Stamp, Standing, Until, UserName, Via, digest,
};
use tchat::server::store::memory::MemoryStore;
use tchat::server::store::sqlite::{OpenError, SqliteStore};
use tchat::server::store::{
    AccountChange, Append, IdentityRecord, PageLimit, RetentionCutoff, RoomRecord, Span, Store,
    StoreError, pair,
};

use crate::support::faulty_store::Faulty;
use crate::support::raw_client::Raw;
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
        rules: tchat::chat::RoomRules::default(),
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

/// The time of an entry, by both clocks.
const fn at(seq: u64) -> u64 {
    1_700_000_000_000 + seq
}

/// The stamp of a time in milliseconds, by both clocks.
const fn seen(ms: u64) -> Stamp {
    Stamp {
        at_ms: ms,
        log_ms: ms,
        doubt_ms: 0,
    }
}

/// The stamp of a batch whose last entry has this seq.
const fn taken(seq: u64) -> Stamp {
    seen(at(seq))
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

/// Changes that set the roles of these people.
fn members<const N: usize>(members: [(IdentityId, Option<Role>); N]) -> Changes {
    Changes {
        members: members.into(),
        ..Changes::default()
    }
}

async fn made(store: &dyn Store, n: u8, name: &str) -> RoomRecord {
    let record = record(n, name);
    creates(store, &record).await;
    record
}

/// Creates a room of ann with ben as a member.
async fn creates(store: &dyn Store, record: &RoomRecord) {
    let created = Append {
        room: record.id,
        at: taken(1),
        entries: Arc::new(vec![entry(record, 1, Body::Created)]),
        changes: members([(ANN, Some(Role::Owner)), (BEN, Some(Role::Member))]),
    };
    store.create_room(record.clone(), created).await.unwrap();
}

async fn contract(store: &dyn Store) {
    rooms_and_members(store).await;
    entries_and_marks(store).await;
    conversations(store).await;
    standings_and_topic(store).await;
    moderation::contract(store).await;
    amendments(store).await;
    identities(store).await;
    devices(store).await;
    invites(store).await;
    account_changes(store).await;
    withdrawn_invites(store).await;
    bans::contract(store).await;
    audit(store).await;
    retention(store).await;
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
    // One secret room before the public room of that name and one after it; all keep the name.
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

async fn retention(store: &dyn Store) {
    let room = made(store, 9, "short").await;
    for seqs in [2..=500, 501..=700, 701..=1300] {
        store.append(append(&room, seqs)).await.unwrap();
    }
    let since = |log_ms, at_ms| RetentionCutoff {
        log_ms,
        at_ms,
        now_ms: at(5000),
    };
    // Log time is one value per batch. An entry is expired only if it is too old by both clocks.
    for (log_ms, at_ms, first) in [
        (0, 0, Some(1)),
        (at(501), at(501), Some(501)),
        (at(701), at(600), Some(600)),
        (at(400), at(900), Some(2)),
        (at(1300), at(1300), Some(701)),
        (at(1301), at(1300), Some(1300)),
        (at(1301), at(1301), None),
    ] {
        let found = store.first_retained(room.id, since(log_ms, at_ms)).await;
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
    let kept = store.first_retained(room.id, since(0, 0)).await.unwrap();
    assert_eq!(kept, Some(Seq(1200)));
    // The first seq only rises, and the last entry is never trimmed, because new seqs continue from it.
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
    assert_eq!(whole, [last], "an entry is returned unchanged");
}

async fn standings_and_topic(store: &dyn Store) {
    let room = made(store, 20, "law").await;
    let standing = Standing {
        is_invited: true,
        invited_by: Some(IdentityId::new([3; 16])),
        role: Some(Role::Moderator),
        banned: Some(Until::Forever),
        muted: Some(Until::At(1_700_000_000_000)),
        removal: Some(Removal {
            at: Seq(2),
            by: "安".into(),
            reason: "spam".into(),
            kind: RemovalKind::Banned,
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
        "plain ones are not stored"
    );
    assert_eq!(state.record.topic, "主题");
    // A topic set by users is not overwritten by the configuration, and a reset standing is deleted.
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
    let last = store.last_message(room.id).await.unwrap().unwrap();
    assert_eq!(last.seq, Seq(3));
    let closed = Append {
        changes: Changes {
            closed: Some(Removal {
                at: Seq(4),
                by: "安".into(),
                reason: String::new(),
                kind: RemovalKind::Closed,
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
            closed: Some(Removal {
                at: Seq(4),
                by: "安".into(),
                reason: String::new(),
                kind: RemovalKind::Closed,
            }),
            ..Changes::default()
        },
    };
    store.append(closed).await.unwrap();
}

#[tokio::test]
async fn the_memory_store_fulfils_the_contract() {
    contract(&MemoryStore::new(ServerId::new([1; 16]))).await;
}

#[tokio::test]
async fn the_sqlite_store_fulfils_the_contract() {
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
        "the id belongs to the data, not to the process"
    );
    assert_eq!(store.room(RoomId::new([3; 16])).await.unwrap(), before);
}
