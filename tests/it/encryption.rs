//! TLS between real processes: how a server is recognised, and what is refused.

use std::process::{Output, Stdio};
use std::time::Duration;

use crate::support::interceptor::Interceptor;
use crate::support::terminal::{Home, ends, signal};

const WIDE: (u16, u16) = (100, 24);
/// Five times as long as a server needs to stop.
const DRAIN: Duration = Duration::from_secs(20);

/// Runs a command to its end, without a terminal.
pub fn runs(home: &Home, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = home
        .command(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// Every way to run the client without a screen.
fn every_mode(server: &str) -> [Vec<&str>; 3] {
    [
        vec!["send", "--server", server, "a secret word"],
        vec!["tail", "--server", server],
        vec!["send", "--server", server, "--user", "ann", "a secret word"],
    ]
}

#[test]
fn somebody_in_between_learns_nothing_from_any_client() {
    let (here, there) = (Home::new(), Home::new());
    let mut server = here.serves(&[]);
    let between = Interceptor::before(here.port);
    // The link leads to somebody else, with the right pin.
    let link = here.link(between.port);
    for arguments in every_mode(&link) {
        let (code, words) = runs(&there, &arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {words}");
        assert!(words.contains("the one in its link"), "{words}");
    }
    let mut ann = there.screen(WIDE, &["--server", &link]);
    ann.shows("the one in its link");
    ann.sends_line("/quit");
    assert!(ann.ends());
    let mut ann = there.screen(WIDE, &["--plain", "--server", &link]);
    ann.shows("the one in its link");
    ann.sends_line("/quit");
    // Without a link and without a terminal, an unknown key is refused as well.
    let address = format!("localhost:{}", between.port);
    for arguments in every_mode(&address) {
        let (code, words) = runs(&there, &arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {words}");
        assert!(
            words.contains(&format!("`tchat trust {address}`")),
            "{words}"
        );
    }
    assert!(between.accepted() >= 8, "{}", between.accepted());
    assert_eq!(String::from_utf8_lossy(&between.heard()), "");
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}

#[test]
fn a_changed_key_stops_every_client_until_a_person_confirms_it() {
    let (mut here, there) = (Home::new(), Home::new());
    let mut server = here.serves(&[]);
    let (address, first) = (format!("localhost:{}", here.port), here.link(here.port));
    assert_eq!(
        runs(&there, &["send", "--server", &first, "hello"]).0,
        Some(0)
    );
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
    // Another server takes the place of the first, with another key.
    let port = here.port;
    here = Home::new();
    here.port = port;
    let mut server = here.serves(&[]);
    let second = here.link(here.port);
    let replace = format!("`tchat trust {address} --replace`");
    for arguments in every_mode(&address) {
        let (code, words) = runs(&there, &arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {words}");
        assert!(words.contains("a different key from before"), "{words}");
        assert!(words.contains(&replace), "{words}");
    }
    // A link does not replace the key that is known.
    let (code, words) = runs(&there, &["send", "--server", &second, "hello"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("the link has a different key"), "{words}");
    assert!(words.contains(&replace), "{words}");
    let mut ann = there.screen(WIDE, &["--server", &address]);
    ann.shows("a different key from before");
    ann.sends_line("/quit");
    assert!(ann.ends());
    // Without a terminal nothing can be confirmed.
    let (code, words) = runs(&there, &["trust", &address, "--replace"]);
    assert_eq!(code, Some(1), "{words}");
    let (code, words) = runs(&there, &["trust", &address]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains(&replace), "{words}");
    let (_, pin) = second.split_once('#').unwrap();
    let mut asked = there.screen(WIDE, &["trust", &address, "--replace"]);
    asked.shows("first 8 characters");
    // The new key is shown nowhere: the person must have it from the operator.
    assert!(!words.contains(&pin[..8]), "{words}");
    assert!(!asked.text().contains(&pin[..8]), "{}", asked.text());
    asked.types("aaaaaaaa\r");
    asked.shows("not trusted");
    let mut asked = there.screen(WIDE, &["trust", &address, "--replace"]);
    asked.shows("first 8 characters");
    asked.types(&format!("{}\r", &pin[..8].to_lowercase()));
    asked.shows("is trusted");
    assert_eq!(
        runs(&there, &["send", "--server", &address, "hello"]).0,
        Some(0)
    );
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}

#[test]
fn a_server_that_moves_with_its_data_is_the_same_server() {
    let (mut here, there) = (Home::new(), Home::new());
    let mut server = here.serves(&[]);
    let link = here.link(here.port);
    let mut ann = there.screen(WIDE, &["--name", "ann", &link]);
    ann.shows("#general ›");
    ann.sends_line("before the move");
    ann.shows("before the move");
    ann.sends_line("/quit");
    assert!(ann.ends());
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
    here.port = Home::new().port;
    let mut server = here.serves(&[]);
    // At a new address with the known key she is still herself, so her name is not taken.
    let link = here.link(here.port);
    let mut ann = there.screen(WIDE, &["--name", "ann", &link]);
    ann.shows("before the move");
    ann.sends_line("after the move");
    ann.shows(&format!("localhost:{} · ann", here.port));
    ann.until("a stored message", |text| {
        text.contains("after the move") && !text.contains('…')
    });
    assert!(!ann.text().contains("Unknown server"), "{}", ann.text());
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}

#[test]
fn a_key_that_cannot_be_used_stops_the_server_and_is_never_replaced() {
    let home = Home::new();
    let mut server = home.serves(&[]);
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
    let key = home.data().join("tls.key");
    let good = std::fs::read_to_string(&key).unwrap();
    let port = home.port.to_string();
    let refused = |why: &str| {
        let (code, words) = runs(&home, &["--serve", "--port", &port]);
        assert_eq!(code, Some(1), "{words}");
        assert!(words.contains(why), "{why}: {words}");
        assert!(words.contains("tls.key"), "{words}");
    };
    std::fs::write(&key, "not a key").unwrap();
    refused("PEM");
    std::fs::remove_file(&key).unwrap();
    refused("is missing");
    assert!(!key.exists(), "no new key is made");
    // The key of another server.
    let other = Home::new();
    let mut others = other.serves(&[]);
    signal(others.id(), "TERM");
    ends(&mut others, DRAIN);
    std::fs::copy(other.data().join("tls.key"), &key).unwrap();
    refused("is not for the key");
    std::fs::write(&key, &good).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&key, permissions).unwrap();
        };
        mode(0o644);
        refused("chmod 600");
        mode(0o620);
        refused("chmod 600");
        mode(0o600);
    }
    let mut server = home.serves(&[]);
    signal(server.id(), "TERM");
    assert_eq!(ends(&mut server, DRAIN).code(), Some(0));
}

#[test]
fn a_backup_has_the_key_so_a_restored_server_is_the_same_server() {
    let (here, there, client) = (Home::new(), Home::new(), Home::new());
    let mut server = here.serves(&[]);
    let address = format!("localhost:{}", here.port);
    let link = here.link(here.port);
    assert_eq!(
        runs(&client, &["send", "--server", &link, "hello"]).0,
        Some(0)
    );
    let copy = here.file("copy.db");
    let (code, words) = runs(&here, &["backup", &copy]);
    assert_eq!(code, Some(0), "{words}");
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
    let (code, words) = runs(&there, &["restore", &copy]);
    assert_eq!(code, Some(0), "{words}");
    let mut there = there;
    there.port = here.port;
    let mut server = there.serves(&[]);
    let (code, words) = runs(&client, &["send", "--server", &address, "again"]);
    assert_eq!(code, Some(0), "{words}");
    // The database of the running server does not have it.
    let key = std::fs::read_to_string(there.data().join("tls.key")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    let database = std::fs::read(there.data().join("tchat.db")).unwrap();
    let is_in = |bytes: &[u8]| {
        bytes
            .windows(secret.len())
            .any(|it| it == secret.as_bytes())
    };
    assert!(is_in(&std::fs::read(&copy).unwrap()));
    assert!(!is_in(&database));
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}

/// Another server got hold of the database, and with it of the id, but not of the key.
#[test]
fn a_known_server_with_another_key_at_another_address_stops_every_client() {
    let (here, other, client) = (Home::new(), Home::new(), Home::new());
    let mut server = here.serves(&[]);
    let link = here.link(here.port);
    let ann = ["send", "--name", "ann", "--server"];
    let sends = |server: &str| runs(&client, &[&ann[..], &[server, "hello"]].concat());
    assert_eq!(sends(&link).0, Some(0));
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
    std::fs::create_dir_all(other.data()).unwrap();
    let database = "tchat.db";
    std::fs::copy(here.data().join(database), other.data().join(database)).unwrap();
    let mut server = other.serves(&[]);
    let link = other.link(other.port);
    let address = format!("localhost:{}", other.port);
    let replace = format!("`tchat trust {address} --replace`");
    for arguments in every_mode(&link) {
        let (code, words) = runs(&client, &arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {words}");
        assert!(words.contains("claims to be a server you know"), "{words}");
        assert!(words.contains(&replace), "{words}");
    }
    let mut screen = client.screen(WIDE, &["--server", &link]);
    screen.shows("claims to be a server you know");
    screen.sends_line("/quit");
    assert!(screen.ends());
    let (code, words) = runs(&client, &["trust", &address, "--replace"]);
    assert_eq!(code, Some(1), "{words}");
    let (_, pin) = link.split_once('#').unwrap();
    let mut asked = client.screen(WIDE, &["trust", &address, "--replace"]);
    asked.shows("first 8 characters");
    asked.types(&format!("{}\r", &pin[..8]));
    asked.shows("is trusted");
    // Its device key is another one than at the first server, so the name that ann has there is not hers here.
    let (code, words) = sends(&link);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("taken"), "{words}");
    let (code, words) = runs(
        &client,
        &["send", "--name", "ben", "--server", &link, "hello"],
    );
    assert_eq!(code, Some(0), "{words}");
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}

#[test]
fn a_link_with_several_hosts_joins_the_first_that_is_the_server() {
    let (here, there) = (Home::new(), Home::new());
    let mut server = here.serves(&[]);
    let link = here.link(here.port);
    let (_, pin) = link.split_once('#').unwrap();
    // Nobody listens on the first, and another machine has the second.
    let between = Interceptor::before(here.port);
    let hosts = [Home::new().port, between.port, here.port].map(|port| format!("localhost:{port}"));
    let several = format!("tchat://{}/#{pin}", hosts.join(","));
    let (code, words) = runs(&there, &["send", "--server", &several, "hello"]);
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(between.accepted(), 1);
    assert_eq!(String::from_utf8_lossy(&between.heard()), "");
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}

#[test]
fn a_link_is_read_from_standard_input() {
    let (here, there) = (Home::new(), Home::new());
    let mut server = here.serves(&[]);
    let mut ann = there.screen(WIDE, &["join", "--name", "ann"]);
    ann.shows("Paste the link");
    ann.types(&format!("{}\r", here.link(here.port)));
    ann.shows("#general ›");
    ann.sends_line("/quit");
    assert!(ann.ends());
    let mut ann = there.screen(WIDE, &["join"]);
    ann.shows("Paste the link");
    ann.types("tchat://localhost/#ABC\r");
    ann.shows("not complete yet");
    ann.types("\r");
    ann.shows("copy the whole link again");
    assert!(!ann.text().contains("ABC: "), "a cause is repeated");
    // As it is copied from a narrow window or a mail.
    let link = here.link(here.port);
    let (one, rest) = link.split_at(30);
    let (two, three) = rest.split_at(25);
    for pasted in [
        format!("{one}\r{two}\r{three}\r"),
        format!("join us: {one}\r  {two}\r\r  {three}\r"),
    ] {
        let mut ben = there.screen(WIDE, &["join", "--name", "ben"]);
        ben.shows("Paste the link");
        ben.types(&pasted);
        ben.shows("#general ›");
        ben.sends_line("/quit");
        assert!(ben.ends());
    }
    let given = ["join", &link, "--name", "ben"];
    let mut ben = there.screen(WIDE, &given);
    ben.shows("#general ›");
    ben.sends_line("/quit");
    assert!(ben.ends());
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}

#[test]
fn a_server_that_moves_with_its_data_directory_is_recognised_at_its_new_address() {
    let (old, new, client) = (Home::new(), Home::new(), Home::new());
    let mut server = old.serves(&[]);
    let mut ann = client.screen(WIDE, &["--name", "ann", &old.link(old.port)]);
    ann.shows("#general ›");
    ann.sends_line("before the move");
    ann.shows("before the move");
    ann.sends_line("/quit");
    assert!(ann.ends());
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
    std::fs::rename(old.data(), new.data()).unwrap();
    let mut server = new.serves(&[]);
    let address = format!("localhost:{}", new.port);
    // An invitation goes only to a server that a person or the link names.
    let invite = tchat::chat::Invite::new([9; 16]).secret_text();
    let link = format!("tchat://{address}/#.{invite}");
    let (code, words) = runs(&client, &["send", "--name", "ann", "--server", &link, "hi"]);
    assert_ne!(code, Some(0), "{words}");
    assert!(words.contains("is not known here yet"), "{words}");
    // Without a link, and without a question.
    let (code, words) = runs(
        &client,
        &["send", "--name", "ann", "--server", &address, "hi"],
    );
    assert_eq!(code, Some(0), "{words}");
    // From now on, `tchat` returns there.
    let mut ann = client.screen(WIDE, &["--name", "ann"]);
    ann.shows(&format!("{address} · ann"));
    ann.shows("before the move");
    ann.sends_line("/quit");
    assert!(ann.ends());
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}

#[test]
fn tchat_returns_to_the_server_that_was_joined_by_its_link() {
    let (here, there) = (Home::new(), Home::new());
    let mut server = here.serves(&[]);
    let mut ann = there.screen(WIDE, &[&here.link(here.port)]);
    ann.shows("#general ›");
    ann.sends_line("/quit");
    assert!(ann.ends());
    let mut ann = there.screen(WIDE, &[]);
    ann.shows(&format!("localhost:{} · ann", here.port));
    ann.sends_line("/quit");
    assert!(ann.ends());
    let (code, words) = runs(&there, &["send", "hello"]);
    assert_eq!(code, Some(0), "{words}");
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
    let (_, words) = runs(&there, &["send", "--timeout", "5s", "hello"]);
    assert!(words.contains("no server running there"), "{words}");
}

#[test]
fn connect_goes_to_another_server_and_back() {
    let (here, there) = (Home::new(), Home::new());
    let mut server = there.serves(&[]);
    let mut ann = here.opens(WIDE, &[]);
    let mut ben = there.opens(WIDE, &["--name", "ben"]);
    ann.shows("#general ›");
    ben.shows("#general ›");
    ann.sends_line("said here");
    ann.shows("said here");
    ann.sends_line(&format!("/connect localhost:{}", there.port));
    // It was never joined from here, so its key is shown first, and only the whole word accepts it.
    ann.shows("Unknown server");
    let link = there.link(there.port);
    let (_, pin) = link.split_once('#').unwrap();
    ann.shows(&pin[..8]);
    ann.types("y\r");
    ann.shows("Unknown server");
    ann.types("es\r");
    ann.shows(&format!("localhost:{} · ann", there.port));
    ben.shows("ann joined");
    ann.until("nothing of the first server", |text| {
        !text.contains("said here")
    });
    // A line typed before she is in the room there stays in the composer.
    ann.shows("PEOPLE 2");
    ann.sends_line("said there");
    ben.shows("said there");
    ben.sends_line("welcome");
    ann.shows("welcome");
    ann.sends_line(&format!("/connect localhost:{}", here.port));
    ann.shows("said here");
    ann.until("nothing of the second server", |text| {
        !text.contains("said there")
    });
    // Now it is known, and its link only confirms the key.
    ann.sends_line(&format!("/connect {link}"));
    ann.shows("said there");
    ann.types("\x1bOQ");
    ann.shows("encrypted, pinned");
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}
