//! A server that kills itself at a chosen point: `cargo run --example crash_server -- PORT DATA POINT N`.
//!
//! POINT is `before-commit`, `after-commit` (the entries are durable but not delivered yet) or `mid-checkpoint`. N is the number of the
//! append at which it happens, from 1. The signal is SIGKILL, so nothing is cleaned up, as in a power failure.
#![allow(clippy::print_stderr)] // A command prints its usage.

#[path = "../../tests/it/support/faulty_store.rs"]
mod faulty;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use faulty::Faulty;
use tchat::chat::Retention;
use tchat::chat::RoomPreset;
use tchat::chat::{Limits, RoomName};
use tchat::server::clock::WallClock;
use tchat::server::data_dir::{DataDir, Purpose, ServerNote};
use tchat::server::hub::HubConfig;
use tchat::server::listen::{ClearText, ConnectionLimits, CurrentTls, Encryption, tcp};
use tchat::server::store::Store;
use tchat::server::{self, ServerConfig};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Point {
    BeforeCommit,
    AfterCommit,
    MidCheckpoint,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, data, point, n] = &arguments[..] else {
        eprintln!("usage: PORT DATA before-commit|after-commit|mid-checkpoint N");
        std::process::exit(2);
    };
    let point = match point.as_str() {
        "before-commit" => Point::BeforeCommit,
        "after-commit" => Point::AfterCommit,
        "mid-checkpoint" => Point::MidCheckpoint,
        other => panic!("unknown point '{other}'"),
    };
    let directory = DataDir::open(Path::new(data), Purpose::Serve).expect("the directory is free");
    let inner = Arc::new(directory.store().expect("the database opens"));
    let key = directory.key(None).expect("the key can be used");
    let note = ServerNote {
        id: inner.server_id().await.expect("the database has an id"),
        address: format!("localhost:{port}"),
        pin: Some(key.pin()),
        has_own_key: true,
    };
    let noted = directory.write_server(&note);
    noted.expect("the directory can be written");
    let database = Path::new(data).join("tchat.db");
    let (begun, stored) = (AtomicU64::new(0), AtomicU64::new(0));
    let at: u64 = n.parse().expect("N is a number");
    let store = Faulty {
        inner,
        before: Box::new(move || {
            if begun.fetch_add(1, Ordering::SeqCst) + 1 == at && point == Point::BeforeCommit {
                die();
            }
            None
        }),
        after: Box::new(move || {
            if stored.fetch_add(1, Ordering::SeqCst) + 1 != at {
                return;
            }
            match point {
                Point::AfterCommit => die(),
                Point::MidCheckpoint => die_in_a_checkpoint(&database, at),
                Point::BeforeCommit => {}
            }
        }),
        accounts: Box::new(|| None),
    };
    let general = RoomPreset {
        name: RoomName::new("general").expect("a name"),
        topic: String::new(),
        capacity: 0,
        retention: None,
        is_bridged: true,
    };
    let config = ServerConfig {
        hub: HubConfig {
            limits: Limits {
                burst: 0,
                ..Limits::default()
            },
            quotas: tchat::chat::Quotas::without_rates(),
            presets: vec![general],
            operators: Vec::new(),
            guests_from: tchat::chat::Networks::default(),
            is_behind_proxy: false,
            proxy_pins: Vec::new(),
            owner: None,
            registration: tchat::chat::Registration::Open,
            retention: Retention::default(),
            filter: tchat::server::word_filter::WordFilter::default(),
            wall: WallClock::default(),
            uptime: None,
        },
        caps: ConnectionLimits::default(),
        encryption: Encryption {
            tls: Some(Arc::new(CurrentTls::new(
                key.config().expect("TLS is supported"),
                key.pin(),
            ))),
            clear_text: ClearText::default(),
        },
        idle_exit: None,
        bridges: tchat::chat::Bridges::default(),
        reflection: server::Switch::Off,
        metrics: server::Switch::Off,
        hosts: Vec::new(),
        link: tchat::server::endpoint::shared_link::SharedLink::new(
            "tchat://chat.example.org/".into(),
        ),
    };
    let port = port.parse().expect("PORT is a number");
    let listeners = tcp::bind("127.0.0.1", port)
        .await
        .expect("the port is free");
    let incoming = tcp::incoming(listeners);
    let ended = server::run(config, incoming, Arc::new(store), std::future::pending()).await;
    ended.expect("the server runs until it is killed");
}

/// Ends the process at once, without any cleanup, as a power failure would.
fn die() {
    let me = rustix::process::getpid();
    let killed = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    unreachable!("the process survived SIGKILL: {killed:?}");
}

/// Copies the write-ahead log into the database again and again, and kills the process while it does so.
fn die_in_a_checkpoint(database: &Path, seed: u64) {
    let db = rusqlite::Connection::open(database).expect("the database opens");
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_micros(seed * 97 % 1500));
        die();
    });
    loop {
        // The result does not matter, because the process is about to end.
        let _busy = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
}
