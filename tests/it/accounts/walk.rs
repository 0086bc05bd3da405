//! A person's devices and a program's credential, with the real binary in real terminals.

use std::time::Duration;

use crate::support::terminal::{Home, Screen, ends};

/// The link in an overlay, which is broken into several lines.
fn link_on(screen: &Screen) -> String {
    let text = screen.text();
    let mut rows = text.lines().skip_while(|line| !line.contains("tchat://"));
    let first = rows.next().unwrap_or_else(|| panic!("no link in\n{text}"));
    let (before, link) = first.split_at(first.find("tchat://").unwrap());
    let column = before.chars().count();
    let rows = rows.map(|row| row.chars().skip(column).collect::<String>());
    let rows = rows.take_while(|row| !row.trim().is_empty());
    let rest: String = rows.map(|row| row.trim().to_owned()).collect();
    format!("{}{rest}", link.trim())
}

/// Closes an overlay. What is typed right after Esc would be a key with Alt.
fn closes_overlay(screen: &mut Screen) {
    screen.types("\u{1b}");
    screen.until("no overlay", |text| !text.contains("Esc close"));
}

#[test]
fn a_second_device_is_added_used_and_revoked_and_a_lost_one_is_replaced() {
    let (here, there, third) = (Home::new(), Home::new(), Home::new());
    let config = here.file("config.toml");
    std::fs::write(&config, "[server]\npublic = ['127.0.0.1']\n").unwrap();
    let mut server = here.serves(&["--config", &config]);
    let invite = here.invites(&[]);
    let runs = |home: &Home, arguments: &[&str]| {
        let ended = home.command(arguments).output().unwrap();
        let words = [ended.stdout, ended.stderr].concat();
        (ended.status.code(), String::from_utf8(words).unwrap())
    };
    let mut ben = there.screen((100, 24), &["--name", "ben", invite.trim_matches('\'')]);
    ben.shows("#general ›");
    // A link for another device, pasted there.
    ben.sends_line("/devices add");
    ben.shows("Works once, within 10 minutes.");
    let link = link_on(&ben);
    let mut phone = third.screen((80, 24), &["join", "--name", "someone"]);
    phone.shows("Paste the link");
    phone.sends_line(&link);
    phone.shows("#general ›");
    closes_overlay(&mut ben);
    ben.shows("A device was added to your account");
    phone.sends_line("from the phone");
    ben.shows("from the phone");
    ben.sends_line("/devices");
    ben.shows("this device");
    let text = ben.text();
    let is_id = |word: &&str| word.len() == 8 && word.bytes().all(|it| it.is_ascii_hexdigit());
    let others = text.lines().filter(|line| !line.contains("this device"));
    let id = others.flat_map(str::split_whitespace).find(is_id);
    let id = id.unwrap_or_else(|| panic!("{text}")).to_owned();
    closes_overlay(&mut ben);
    ben.sends_line(&format!("/devices revoke {id}"));
    ben.shows(&format!("Device {id} was removed"));
    phone.shows("this device was removed from your account");
    phone.sends_line("/quit");
    assert!(phone.ends());
    // It stays out.
    let (code, words) = runs(&third, &["send", "--name", "someone", "hello"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(
        words.contains("this device was removed from its account"),
        "{words}"
    );
    // Ben loses his device. The host makes a link, which takes the account back.
    let (code, link) = runs(&here, &["admin", "relink", "ben"]);
    assert_eq!(code, Some(0), "{link}");
    let link = link.lines().next().unwrap().trim_matches('\'').to_owned();
    let newest = Home::new();
    let mut again = newest.screen((40, 12), &["--name", "ben", &link]);
    again.shows("#general ›");
    ben.shows("this device was removed from your account");
    again.sends_line("/quit");
    assert!(again.ends());
    ben.sends_line("/quit");
    assert!(ben.ends());
    let (_, log) = runs(&here, &["admin", "audit"]);
    assert!(log.contains("relink  ben"), "{log}");
    let (_, devices) = runs(&here, &["admin", "devices", "ben"]);
    assert_eq!(
        devices.lines().count(),
        2,
        "one device has two lines: {devices}"
    );
    let (code, words) = runs(&here, &["stop"]);
    assert_eq!(code, Some(0), "{words}");
    let ended = ends(&mut server, Duration::from_secs(50));
    assert!(ended.success());
    // No link is in the log.
    let secrets = [invite.as_str(), &link].map(|link| {
        link.trim_matches('\'')
            .rsplit_once('.')
            .unwrap()
            .1
            .to_owned()
    });
    for file in std::fs::read_dir(here.logs()).unwrap() {
        let log = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(log.contains("revoked a device"), "{log}");
        for secret in &secrets {
            assert!(!log.contains(secret.as_str()), "{log}");
        }
    }
}

#[test]
fn a_program_sends_and_reads_with_its_credential() {
    let (here, there) = (Home::new(), Home::new());
    let config = here.file("config.toml");
    std::fs::write(&config, "[server]\npublic = ['127.0.0.1']\n[[rooms]]\nname = 'general'\n[[rooms]]\nname = 'builds'\n").unwrap();
    let mut server = here.serves(&["--config", &config]);
    let made = here
        .command(&["admin", "bot", "ci", "--room", "builds"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let credential = String::from_utf8(made.stdout).unwrap();
    let key = credential
        .lines()
        .find_map(|line| line.strip_prefix("key = "))
        .unwrap();
    let file = there.file("ci.credential");
    std::fs::write(&file, &credential).unwrap();
    let runs = |arguments: &[&str]| {
        let mut command = there.command(arguments);
        let ended = command
            .env("TCHAT_CREDENTIAL_FILE", &file)
            .output()
            .unwrap();
        let words = [ended.stdout, ended.stderr].concat();
        (ended.status.code(), String::from_utf8(words).unwrap())
    };
    assert_eq!(
        runs(&["send", "--room", "builds", "build 7 is green"]),
        (Some(0), String::new())
    );
    let (code, words) = runs(&["tail", "--room", "builds"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(
        words.contains("ci") && words.contains("build 7 is green"),
        "{words}"
    );
    // It leaves nothing on this machine, and works where nothing can be stored.
    assert!(!there.data().join("known_servers").exists());
    // A credential of another server's key is not sent anywhere.
    let pin = credential
        .lines()
        .find(|line| line.starts_with("server"))
        .unwrap();
    let wrong = pin.replace(&pin[pin.len() - 9..pin.len() - 1], "aaaaaaaa");
    std::fs::write(&file, credential.replace(pin, &wrong)).unwrap();
    let (code, words) = runs(&["send", "--room", "builds", "secret"]);
    assert_ne!(code, Some(0), "{words}");
    assert!(!words.contains(key.trim_matches('"')), "{words}");
    // Without the account, the credential is worthless.
    std::fs::write(&file, &credential).unwrap();
    let removed = here
        .command(&["admin", "account", "remove", "ci"])
        .output()
        .unwrap();
    assert!(removed.status.success(), "{removed:?}");
    let (code, words) = runs(&["send", "--room", "builds", "still here?"]);
    assert_eq!(code, Some(1), "{words}");
    let stopped = here.command(&["stop"]).output().unwrap();
    assert!(stopped.status.success(), "{stopped:?}");
    ends(&mut server, Duration::from_secs(50));
}
