//! Disks that are full, that fail, and that are copied.

mod durability;

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tchat::chat::{RefusalCode, ServerId};
use tchat::client::Event;
use tchat::server::store::sqlite::SqliteStore;

use crate::support::person::Person;
use crate::support::server::{Server, config};
use crate::support::terminal::{Home, ends, signal};

const MIB: u64 = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn posts_wait_while_the_disk_is_full_reading_continues_and_the_order_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let free = Arc::new(AtomicU64::new(1024 * MIB));
    let seen = Arc::clone(&free);
    let store = SqliteStore::open_with(
        &directory.path().join("tchat.db"),
        ServerId::new([1; 16]),
        move || Some(seen.load(Ordering::SeqCst)),
    )
    .unwrap();
    let mut server = Server::with(config(), Arc::new(store));
    let mut ann = server.joins("ann").await;
    ann.sends("general", "before");
    ann.is_answered().await;
    free.store(31 * MIB, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(300)).await; // Free space is checked four times a second.
    for n in 1..=20 {
        ann.sends("general", &format!("#{n}"));
    }
    let why = ann
        .until("the reason", |_, event| match event {
            Event::PostDelayed(refusal) => Some(refusal.clone()),
            _ => None,
        })
        .await;
    assert_eq!(why.code, RefusalCode::StorageFull);
    // A known person can connect and read.
    let mut again = Person::start(server.connector(), "ann");
    again.sees("general", "before").await;
    // A new person has to wait, and still gets the name afterwards.
    let mut new = Person::start(server.connector(), "newcomer");
    new.until("the reason", |_, event| match event {
        Event::Link(tchat::client::LinkState::Waiting { .. }) => Some(()),
        _ => None,
    })
    .await;
    // Not yet: writing resumes only with clearly more free space.
    free.store(48 * MIB, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(6)).await; // Longer than the first retry interval.
    assert_eq!(server.log("general").await, ["before"]);
    free.store(65 * MIB, Ordering::SeqCst);
    ann.is_answered().await;
    new.is_in("general").await;
    assert_eq!(new.me.as_ref().unwrap().name, "newcomer");
    let expected: Vec<String> = std::iter::once("before".to_owned())
        .chain((1..=20).map(|n| format!("#{n}")))
        .collect();
    assert_eq!(server.log("general").await, expected);
    server.stops().await.unwrap();
}

fn damage(path: &Path) {
    // Overwrites pages in the middle of the file and not its header, so that it opens with wrong content.
    use std::io::{Seek, SeekFrom, Write};
    let mut file = std::fs::File::options().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    let noise = vec![0x5a; usize::try_from(length / 4).unwrap()];
    file.write_all(&noise).unwrap();
}

fn says(home: &Home, text: &str) {
    let address = format!("localhost:{}", home.port);
    let mut send = home
        .command(&["send", "--server", &address, text])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    assert!(ends(&mut send, Duration::from_secs(60)).success(), "{text}");
}

/// Runs a command; returns its exit code and its output.
fn runs(home: &Home, arguments: &[&str]) -> (Option<i32>, String) {
    let output = home
        .command(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
#[allow(clippy::zombie_processes)] // The test fails on every path that does not wait for it.
fn a_failed_write_ends_the_server_at_once_and_the_next_start_checks_the_file() {
    let home = Home::new();
    let port = home.port.to_string();
    // Files may not grow beyond two megabytes here, so that a write fails while the server is busy.
    let fast = home.file("fast.toml");
    std::fs::write(&fast, "[server]\nburst = 0\n").unwrap();
    let line = format!(
        "trap '' XFSZ; ulimit -f 4096; exec '{}' --serve --port {port} --config {fast}",
        crate::support::terminal::binary().display()
    );
    let mut server = home
        .shell(&line)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    home.is_served();
    let long = "x".repeat(8000);
    let began = Instant::now();
    let mut accepted = 0;
    let status = loop {
        let address = format!("localhost:{port}");
        let (code, _) = runs(
            &home,
            &["send", "--server", &address, "--timeout", "2s", &long],
        );
        if code == Some(0) {
            accepted += 1;
        } else {
            // Five times the one second it may take.
            break ends(&mut server, Duration::from_secs(5));
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no write failed");
    };
    assert_eq!(status.code(), Some(74));
    assert!(home.data().join("tchat.failed").exists());
    assert!(accepted > 10);
    // With room to write again, the file is checked and found whole, and has everything that was accepted.
    let mut server = home.serves(&[]);
    assert!(!home.data().join("tchat.failed").exists());
    let (_, said) = runs(&home, &["tail", "--port", &port, "--last", "1000"]);
    assert!(said.matches(&long).count() >= accepted);
    server.kill().unwrap();
    server.wait().unwrap();
    // A damaged file is refused with instructions.
    std::fs::write(home.data().join("tchat.failed"), "the disk is gone\n").unwrap();
    runs(&home, &["backup", &home.file("whole.db")]);
    damage(&home.data().join("tchat.db"));
    let (code, said) = runs(&home, &["--serve", "--port", &port]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("is damaged") && said.contains("tchat restore FILE"),
        "{said}"
    );
    let (code, said) = runs(&home, &["restore", &home.file("whole.db")]);
    assert_eq!(code, Some(0), "{said}");
    let mut server = home.serves(&[]);
    let (_, said) = runs(&home, &["tail", "--port", &port, "--last", "1000"]);
    assert!(said.matches(&long).count() >= accepted);
    server.kill().unwrap();
    server.wait().unwrap();
}

fn log(home: &Home) -> String {
    let files = std::fs::read_dir(home.logs()).unwrap();
    let texts = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    texts.collect()
}

fn is_stopped(server: &mut std::process::Child) {
    signal(server.id(), "TERM");
    assert!(ends(server, Duration::from_secs(50)).success());
}

fn waits_for(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(30), "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
