//! Measures searches among a million messages in ten rooms: the newest fifty matches of one term, several terms or a phrase.
//!
//! `cargo bench --bench search` builds the database (a minute or two), then prints how long indexing took and, for each search, the median
//! of 21 runs. For comparison it prints the time of a `LIKE` scan over one room for the same word in the same file.

#![allow(clippy::print_stdout)] // The results are the output.

#[path = "rooms/record.rs"]
mod rooms;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::rooms::record;
use tchat::chat::{
    Author, Body, Changes, Digest, Entry, IdentityId, Role, Search, Seq, ServerId, Stamp,
};
use tchat::server::store::sqlite::SqliteStore;
use tchat::server::store::{Append, RoomRecord, SearchLimit, Store};

const MESSAGES: u64 = 1_000_000;
const ROOMS: u64 = 10;
const BATCH: u64 = 1_000;
const RUNS: usize = 21;
const ME: IdentityId = IdentityId::new([1; 16]);

fn main() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("tchat.db");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(&path));
}

async fn run(path: &Path) {
    let store = SqliteStore::open(path, ServerId::new([1; 16])).expect("a database");
    let began = Instant::now();
    fill(&store).await;
    println!("{MESSAGES} messages written in {:.1?}", began.elapsed());
    let db = rusqlite::Connection::open(path).expect("the database");
    let behind = || {
        let count = "SELECT count(*) FROM behind";
        db.query_row(count, [], |row| row.get::<_, i64>(0))
            .expect("a count")
    };
    while behind() > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("and indexed after {:.1?}\n", began.elapsed());
    println!("{:<34}{:>8}{:>12}{:>12}", "", "found", "p50", "worst");
    for (name, phrases, is_open) in [
        ("one frequent term", &["w0"][..], false),
        ("one rare term", &["w19000"], false),
        ("one term without results", &["nowhere"], false),
        ("two frequent terms", &["w0", "w1"], false),
        ("three terms", &["w30", "w60", "w90"], false),
        ("a frequent and a rare term", &["w0", "w19000"], false),
        ("two characters", &["一丁"], false),
        ("two rare characters", &["帀币"], false),
        ("the beginning of a word", &["w190"], true),
    ] {
        let search = Search {
            phrases: phrases.iter().map(|&it| it.to_owned()).collect(),
            is_prefix: is_open,
            ..Search::default()
        };
        let mut waits = Vec::new();
        let mut found = 0;
        for _ in 0..RUNS {
            let start = Instant::now();
            let answer = store
                .search(ME, search.clone(), SearchLimit::entries(50))
                .await;
            waits.push(start.elapsed());
            found = answer.expect("an answer").entries.len();
        }
        print(name, found, waits);
    }
    let mut waits = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        let sql = "SELECT count(*) FROM (SELECT 1 FROM entries WHERE room = 1 AND text LIKE '%w19000%' LIMIT 50)";
        let _count: i64 = db.query_row(sql, [], |row| row.get(0)).expect("an answer");
        waits.push(start.elapsed());
    }
    print("LIKE, a rare term, one room of ten", 0, waits);
}

fn print(name: &str, found: usize, mut waits: Vec<Duration>) {
    waits.sort_unstable();
    let (p50, worst) = (waits[waits.len() / 2], waits[waits.len() - 1]);
    println!("{name:<34}{found:>8}{p50:>12.2?}{worst:>12.2?}");
}

async fn fill(store: &SqliteStore) {
    let mut random = Random(42);
    let records: Vec<RoomRecord> = (0..ROOMS).map(record).collect();
    for record in &records {
        let created = Append {
            room: record.id,
            at: Stamp::default(),
            entries: Arc::new(vec![entry(record, 1, Body::Created)]),
            changes: Changes {
                members: [(ME, Some(Role::Owner))].into(),
                ..Changes::default()
            },
        };
        store
            .create_room(record.clone(), created)
            .await
            .expect("a room");
    }
    for batch in 0..MESSAGES / ROOMS / BATCH {
        for record in &records {
            let seqs = batch * BATCH + 2..(batch + 1) * BATCH + 2;
            let entries = seqs.map(|seq| entry(record, seq, Body::Text(random.text(seq))));
            let append = Append {
                room: record.id,
                at: Stamp::default(),
                entries: Arc::new(entries.collect()),
                changes: Changes::default(),
            };
            store.append(append).await.expect("an append");
        }
    }
}

/// Generates texts of twenty words, some frequent and most rare; every other text is Chinese.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn text(&mut self, seq: u64) -> String {
        let rank = |random: &mut Self, most: u64| {
            let most = random.next(most) + 1;
            random.next(most)
        };
        let mut text = String::new();
        for _ in 0..20 {
            if seq.is_multiple_of(2) {
                let word = rank(self, 20_000);
                text.push('w');
                text.push_str(&word.to_string());
                text.push(' ');
            } else {
                let c = u32::try_from(rank(self, 3_000)).unwrap_or(0) + 0x4e00;
                text.extend(char::from_u32(c));
            }
        }
        text
    }
}

fn entry(room: &RoomRecord, seq: u64, body: Body) -> Entry {
    Entry {
        room: room.id,
        epoch: room.epoch,
        seq: Seq(seq),
        digest: Digest([0; 8]),
        at_ms: 1_700_000_000_000 + seq * 1_000,
        author: Author {
            id: ME,
            name: "ann".into(),
        },
        client_id: None,
        body,
        mentions: Vec::new(),
        amended: None,
    }
}
