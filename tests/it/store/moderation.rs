//! What a store returns about the moderation of a room: what moderators did, and who wrote in slow mode.

use std::sync::Arc;

use tchat::chat::{
    Amendment, Author, Body, Changes, Entry, IdentityId, RoomRules, Ruling, Seq, Stamp,
};
use tchat::server::store::{Append, RoomRecord, Store};

use super::{ANN, BEN, entry, made};

const SLOW: RoomRules = RoomRules {
    slow_s: 60,
    is_read_only: false,
};

pub async fn contract(store: &dyn Store) {
    log(store).await;
    slow_mode(store).await;
}

fn by(author: IdentityId, entry: Entry) -> Entry {
    let name = "somebody".into();
    Entry {
        author: Author { id: author, name },
        ..entry
    }
}

/// Appends an entry at a log time.
async fn append_at(store: &dyn Store, room: &RoomRecord, log_ms: u64, entry: Entry) {
    let rules = match &entry.body {
        Body::Rules(rules) => Some(*rules),
        _ => None,
    };
    let append = Append {
        room: room.id,
        at: Stamp {
            log_ms,
            ..Stamp::default()
        },
        entries: Arc::new(vec![entry]),
        changes: Changes {
            rules,
            ..Changes::default()
        },
    };
    store.append(append).await.unwrap();
}

async fn log(store: &dyn Store) {
    let room = made(store, 140, "moderated").await;
    let cay = Author {
        id: IdentityId::new([3; 16]),
        name: "cay".into(),
    };
    let erase = |target| Body::Amendment {
        target: Seq(target),
        what: Amendment::Erase,
    };
    let bodies = [
        (BEN, Body::Text("pumpkins".into())),
        (BEN, Body::Text("more pumpkins".into())),
        (ANN, Body::Topic("no pumpkins".into())),
        (ANN, Body::Ruling(cay, Ruling::Unmuted)),
        (ANN, erase(2)),
        (BEN, erase(3)),
        (ANN, Body::Rules(SLOW)),
        (BEN, Body::Renamed("bob".into())),
    ];
    for (seq, (author, body)) in (2..).zip(bodies) {
        append_at(store, &room, seq, by(author, entry(&room, seq, body))).await;
    }
    let seqs = async |before, most| {
        let found = store.moderation(room.id, Seq(before), most).await.unwrap();
        found.iter().map(|it| it.seq.0).collect::<Vec<_>>()
    };
    // Newest first, without messages and without the deletion of an own message.
    assert_eq!(seqs(u64::MAX, 10).await, [8, 6, 5, 4]);
    assert_eq!(seqs(8, 2).await, [6, 5]);
    assert_eq!(seqs(4, 10).await, [0; 0]);
}

async fn slow_mode(store: &dyn Store) {
    let room = made(store, 141, "slow").await;
    let off = RoomRules::default();
    let read_only = RoomRules {
        is_read_only: true,
        ..SLOW
    };
    let text = || Body::Text("hi".into());
    let erase = Body::Amendment {
        target: Seq(6),
        what: Amendment::Erase,
    };
    let wrote = async || {
        let state = store.room(room.id).await.unwrap().unwrap();
        let mut wrote = state.wrote_ms;
        wrote.sort_unstable();
        (state.record.rules, wrote)
    };
    let entries = [
        (10_000, ANN, Body::Rules(SLOW)),
        (20_000, ANN, Body::Rules(off)),
        (30_000, BEN, text()),
        (40_000, ANN, Body::Rules(SLOW)),
    ];
    for (seq, (log_ms, author, body)) in (2..).zip(entries) {
        append_at(store, &room, log_ms, by(author, entry(&room, seq, body))).await;
    }
    assert_eq!(wrote().await, (SLOW, Vec::new()), "nobody since it is on");
    let entries = [
        (50_000, BEN, text()),
        (51_000, ANN, Body::Rules(read_only)),
        (52_000, ANN, text()),
        (53_000, BEN, erase),
    ];
    for (seq, (log_ms, author, body)) in (6..).zip(entries) {
        append_at(store, &room, log_ms, by(author, entry(&room, seq, body))).await;
    }
    // Another rule does not start again, and a deleted message counts.
    let both = vec![(ANN, 52_000), (BEN, 50_000)];
    assert_eq!(wrote().await, (read_only, both));
    append_at(
        store,
        &room,
        111_000,
        by(ANN, entry(&room, 10, Body::Topic(String::new()))),
    )
    .await;
    assert_eq!(
        wrote().await,
        (read_only, vec![(ANN, 52_000)]),
        "a minute later"
    );
}
