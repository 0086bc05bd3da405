//! `tchat doctor`: what is wrong is named with the line that mends it.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::support::terminal::{Home, binary};

#[test]
fn all_is_well_in_a_good_terminal_with_a_server() {
    let home = Home::new();
    let mut host = home.serves(&[]);
    let mut doctor = home.opens((160, 50), &["doctor"]);
    doctor.shows("serves tchat");
    assert!(doctor.ends(), "{}", doctor.text());
    let text = doctor.text();
    for well in [
        "ok    colours        16 million",
        "ok    ground         dark, by the terminal's own word",
        "ok    widths         Chinese, emoji and signs",
        "ok    keys           the terminal can tell Shift+Enter",
        "ok    notifications  by the bell",
        "ok    theme          auto",
        "ok    editor         vi",
        "ms there and back",
    ] {
        assert!(text.contains(well), "{well}:\n{text}");
    }
    assert!(!text.contains("WRONG"), "{text}");
    host.kill().unwrap();
    host.wait().unwrap();
}

#[test]
fn what_a_terminal_draws_otherwise_is_named_with_what_mends_it() {
    let mut home = Home::new();
    home.ground = "ffff/ffff/ffff";
    home.columns = |text| match text {
        "●" | "…" | "─" | "▎" => 2,
        "👋🏽" => 4,
        text => tchat::text::width(text),
    };
    let said = |environment: &str| {
        let bare = format!("{environment} exec {} doctor", binary().display());
        let mut doctor = home.runs("sh", (180, 50), &["-c", &bare]);
        doctor.shows("server         ");
        assert!(!doctor.ends());
        doctor.text()
    };
    let text = said("TERM=xterm COLORTERM=");
    for line in [
        "light, by the terminal's own word",
        "-> export TERM=xterm-256color",
        "WRONG signs          columns drawn for those reckoned with: ● 2 for 1, … 2 for 1",
        "or glyphs = \"ascii\" in the config file",
        "note  emoji          columns drawn for those reckoned with: 👋🏽 4 for 2",
        "one thing is not well",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    let text = said("LC_ALL=C.ISO-8859-1");
    assert!(text.contains("WRONG characters"), "{text}");
    assert!(text.contains("-> export LC_ALL=C.UTF-8"), "{text}");
    // What is said to mend it does.
    let config = home.directory.path().join("config/tchat");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.toml"), "glyphs = \"ascii\"\n").unwrap();
    let bare = format!("exec {} doctor", binary().display());
    let mut doctor = home.runs("sh", (180, 50), &["-c", &bare]);
    doctor.shows("server         ");
    assert!(doctor.ends(), "{}", doctor.text());
}

#[test]
fn the_configuration_and_the_server_are_looked_at_without_a_terminal_too() {
    let home = Home::new();
    let said = |arguments: &[&str], config: &str| {
        let file = home.directory.path().join("config.toml");
        std::fs::write(&file, config).unwrap();
        let file = file.display().to_string();
        let all = [&["doctor", "--config", &file], arguments].concat();
        let said = home.command(&all).output().unwrap();
        let text = String::from_utf8(said.stdout).unwrap();
        (said.status.code(), text)
    };
    let port = format!("localhost:{}", home.port);
    // Nobody hosts there: fine where tchat would do so itself, and wrong where somebody else should.
    let alone = ["--port", &home.port.to_string()].map(str::to_owned);
    let (code, text) = said(&[&alone[0], &alone[1]], "");
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("tchat starts a host there by itself"),
        "{text}"
    );
    let (code, text) = said(
        &["--server", &port],
        "theme = \"nope\"\neditor = \"/no/such -w\"\n",
    );
    assert_eq!(code, Some(1));
    for line in [
        "WRONG server         ",
        "nobody hosts there",
        "on that machine: tchat --serve --host ::",
        "WRONG theme          there is no theme 'nope'",
        "-> theme = \"auto\" in the config file",
        "WRONG editor         '/no/such' is no program",
        "-> editor = \"nano\" in the config file",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    let (code, text) = said(&[], "name = \"ann\"\ncolour = \"red\"\n");
    assert_eq!(code, Some(1));
    assert!(
        text.contains("WRONG config file") && text.contains("line 2, at 'colour'"),
        "{text}"
    );

    // What others can read that proves who one is.
    let profiles = home.data().join("profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    let secret = profiles.join("x.secret");
    std::fs::write(&secret, "00").unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let (code, text) = said(&[&alone[0], &alone[1]], "");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("-> chmod 600 '"), "{text}");
}

#[test]
fn somebody_who_is_no_server_of_tchat_is_told_from_one() {
    let home = Home::new();
    let listener = TcpListener::bind(("127.0.0.1", home.port)).unwrap();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _read = stream.read(&mut [0; 1024]);
        let _gone = stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    });
    let server = format!("127.0.0.1:{}", home.port);
    let said = home
        .command(&["doctor", "--server", &server])
        .output()
        .unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    other.join().unwrap();
    assert_eq!(said.status.code(), Some(1), "{text}");
    assert!(
        text.contains("does not answer as a tchat server does"),
        "{text}"
    );
}
