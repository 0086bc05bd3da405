//! The socket through which clients reach the server of the same user.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tchat::chat::Pin;

use crate::process::log;
use crate::support::interceptor::Interceptor;
use crate::support::terminal::{Home, ends, signal};

/// Five times the longest duration of a drain.
const DRAIN: Duration = Duration::from_secs(50);

#[test]
fn clients_of_the_same_user_use_a_socket_that_others_cannot_open() {
    let home = Home::new();
    let mut server = home.serves(&[]);
    let sends = |text: &str, expected: i32| {
        let port = home.port.to_string();
        let sent = home.command(&["send", "--port", &port, text]).output();
        let sent = sent.unwrap();
        assert_eq!(sent.status.code(), Some(expected), "{sent:?}");
        String::from_utf8(sent.stderr).unwrap()
    };
    sends("through the socket", 0);
    assert!(log(&home).contains("peer=\"local socket\""));
    let run = home.data().join("run");
    let mode = std::fs::metadata(&run).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let mut ann = home.opens((80, 24), &[]);
    ann.shows("#general ›");
    ann.types("\x1bOQ");
    ann.shows("does not leave this machine");
    drop(ann);

    // A link for another server is refused although its address is this one's, and the same user is the same person at another port.
    let other = format!("tchat://localhost:{}/#{}", home.port, Pin::new([7; 32]));
    let refused = home
        .command(&["send", "--server", &other, "hi"])
        .output()
        .unwrap();
    let words = String::from_utf8(refused.stderr).unwrap();
    assert!(words.contains("the link has"), "{words}");
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
    // A port that is free now.
    let moved = Home::new().port.to_string();
    let mut elsewhere = home.screen((80, 24), &["--port", &moved]);
    elsewhere.shows("hosting here · ann ");
    elsewhere.shows("through the socket");
    elsewhere.sends_line("/quit");
    assert!(elsewhere.ends());
    let stopped = home.command(&["stop"]).output().unwrap();
    assert!(stopped.status.success(), "{stopped:?}");
    let mut server = home.serves(&[]);

    // A killed server leaves its socket, and the next one replaces it.
    signal(server.id(), "KILL");
    server.wait().unwrap();
    assert!(run.join("host.sock").exists());
    let mut server = home.serves(&[]);
    sends("again through the socket", 0);
    signal(server.id(), "TERM");
    assert_eq!(ends(&mut server, DRAIN).code(), Some(0));
    assert!(!run.join("host.sock").exists());
    assert!(!log(&home).contains("peer=\"127.0.0.1"), "nobody used TCP");

    // Somebody else who takes the port meanwhile is not trusted.
    let interceptor = Interceptor::instead_of(home.port);
    let refused = sends("for my own server", 1);
    assert!(refused.contains("a different key"), "{refused}");
    assert_eq!(interceptor.heard(), b"");

    // Without the socket, the server is reached through TCP.
    drop(interceptor);
    let mut server = home.serves(&[]);
    std::fs::remove_file(run.join("host.sock")).unwrap();
    sends("over TCP", 0);
    assert!(log(&home).contains("peer=\"127.0.0.1"));
    signal(server.id(), "TERM");
    assert_eq!(ends(&mut server, DRAIN).code(), Some(0));
}

/// The path of a socket is limited, so a server in a directory with a long path has none.
#[test]
fn a_background_server_without_a_socket_is_still_for_its_user_alone() {
    let (home, stranger) = (Home::new(), Home::new());
    let data = home.file(&"long".repeat(40));
    let port = home.port.to_string();
    let mut server = home
        .command(&["--serve", "--background", "--port", &port, "--data", &data])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let sends = |home: &Home, arguments: &[&str]| {
        let all = [&["send", "hello"], arguments].concat();
        let sent = home.command(&all).stdin(Stdio::null()).output().unwrap();
        let words = String::from_utf8(sent.stderr).unwrap();
        (sent.status.code(), words)
    };
    // It has started when its user gets in.
    let began = Instant::now();
    let own = ["--port", &port, "--data", &data, "--timeout", "1s"];
    while sends(&home, &own).0 != Some(0) {
        assert!(began.elapsed() < DRAIN, "{:?}", sends(&home, &own));
    }
    assert!(log(&home).contains("the path of the data directory is too long"));
    let note = std::fs::read_to_string(Path::new(&data).join("tchat.id")).unwrap();
    let link = format!("tchat://localhost:{port}/#{}", note.lines().nth(2).unwrap());
    let (code, words) = sends(&stranger, &["--server", &link, "--name", "ben"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("invite only"), "{words}");
    signal(server.id(), "TERM");
    assert_eq!(ends(&mut server, DRAIN).code(), Some(0));
}
