//! Measures durable appends: how fast one disk is with batches of one room, and with commits that many rooms share.
//!
//! `cargo bench --bench store` prints entries per second and the median wait, on the disk of the temporary directory. For comparison, it
//! first measures a plain append and `fdatasync` on the same disk: single durable appends cannot be faster than that. The *outstanding*
//! posts of one room form one batch, as in the room's task. Each room appends on its own, and the rooms share commits.

#![allow(clippy::print_stdout)] // The results are the output.

#[path = "rooms/record.rs"]
mod rooms;

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::rooms::record;
use tchat::chat::{
    Author, Body, Changes, ClientId, Digest, Entry, IdentityId, InstanceId, Seq, ServerId, Stamp,
};
use tchat::server::store::sqlite::SqliteStore;
use tchat::server::store::{Append, RoomRecord, Store};

const RUN: Duration = Duration::from_secs(2);

fn main() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    println!("{:<32}{:>14}{:>14}", "", "entries/s", "p50");
    let (rate, p50) = raw_sqlite(directory.path());
    println!(
        "{:<32}{rate:>14.0}{p50:>14.2?}",
        "append + fdatasync, one by one"
    );
    for (rooms, posts) in [
        (1, 1),
        (1, 10),
        (1, 100),
        (1, 1000),
        (10, 1),
        (100, 1),
        (100, 10),
    ] {
        let path = directory.path().join(format!("{rooms}-{posts}.db"));
        let (rate, p50) = runtime.block_on(run(&path, rooms, posts));
        let name = format!("{rooms} rooms, {posts} outstanding each");
        println!("{name:<32}{rate:>14.0}{p50:>14.2?}");
    }
}

fn raw_sqlite(directory: &std::path::Path) -> (f64, Duration) {
    let path = directory.join("bare");
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .expect("a file");
    let line = [b'x'; 300];
    let mut waits = Vec::new();
    let began = Instant::now();
    while began.elapsed() < RUN {
        let start = Instant::now();
        file.write_all(&line)
            .and_then(|()| file.sync_data())
            .expect("a disk");
        waits.push(start.elapsed());
    }
    summary(waits, began.elapsed())
}

#[allow(clippy::cast_precision_loss)] // The rate is only displayed.
async fn run(path: &std::path::Path, writers: usize, posts: u64) -> (f64, Duration) {
    let store = Arc::new(SqliteStore::open(path, ServerId::new([1; 16])).expect("a database"));
    let began = Instant::now();
    let mut tasks = Vec::new();
    // A room has one append at a time, so each writer has a room of its own.
    for n in 0..writers {
        let store = Arc::clone(&store);
        tasks.push(tokio::spawn(async move {
            let room = record(n as u64);
            let first = Append {
                room: room.id,
                at: Stamp::default(),
                entries: Arc::new(vec![entry(&room, 1)]),
                changes: Changes::default(),
            };
            store
                .create_room(room.clone(), first)
                .await
                .expect("a new room");
            let mut waits = Vec::new();
            let mut seq = 2;
            while began.elapsed() < RUN {
                let entries = Arc::new((seq..seq + posts).map(|seq| entry(&room, seq)).collect());
                let append = Append {
                    room: room.id,
                    at: Stamp::default(),
                    entries,
                    changes: Changes::default(),
                };
                let start = Instant::now();
                store.append(append).await.expect("an append");
                waits.push(start.elapsed());
                seq += posts;
            }
            waits
        }));
    }
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.expect("a writer"));
    }
    let (appends, p50) = summary(waits, began.elapsed());
    (appends * posts as f64, p50)
}

#[allow(clippy::cast_precision_loss)] // The rate is only displayed.
fn summary(mut waits: Vec<Duration>, over: Duration) -> (f64, Duration) {
    waits.sort_unstable();
    (
        waits.len() as f64 / over.as_secs_f64(),
        waits[waits.len() / 2],
    )
}

fn entry(room: &RoomRecord, seq: u64) -> Entry {
    Entry {
        room: room.id,
        epoch: room.epoch,
        seq: Seq(seq),
        digest: Digest([0; 8]),
        at_ms: seq,
        author: Author {
            id: IdentityId::new([1; 16]),
            name: "ann".into(),
        },
        client_id: Some(ClientId {
            instance: InstanceId::new(*room.id.bytes()),
            counter: seq,
        }),
        body: Body::Text("x".repeat(160)),
        mentions: Vec::new(),
        amended: None,
    }
}
