//! `tchat doctor`: each problem is reported with the line that fixes it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

use crate::support::terminal::{Home, binary, ends};

#[test]
fn everything_is_ok_in_a_good_terminal_with_a_server() {
    let home = Home::new();
    let mut host = home.serves(&[]);
    let mut doctor = home.opens((160, 50), &["doctor"]);
    doctor.shows("runs tchat");
    assert!(doctor.ends(), "{}", doctor.text());
    let text = doctor.text();
    for well in [
        "ok    colours        16 million",
        "ok    background     dark, reported by the terminal",
        "ok    widths         Chinese, emoji and symbols",
        "ok    keys           Shift+Enter starts a new line",
        "ok    notifications  with the bell",
        "ok    theme          auto",
        "ok    editor         vi",
        "round trip",
    ] {
        assert!(text.contains(well), "{well}:\n{text}");
    }
    assert!(!text.contains("ERROR"), "{text}");
    host.kill().unwrap();
    host.wait().unwrap();
}

#[test]
fn differences_of_the_terminal_are_reported_with_a_fix() {
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
        "light, reported by the terminal",
        "-> export TERM=xterm-256color",
        "ERROR symbols        unexpected width in columns: ● 2 instead of 1, … 2 instead of 1",
        "or set glyphs = \"ascii\" in the config file",
        "note  emoji          unexpected width in columns: 👋🏽 4 instead of 2",
        "one problem found",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    let text = said("LC_ALL=C.ISO-8859-1");
    assert!(text.contains("ERROR characters"), "{text}");
    assert!(text.contains("-> export LC_ALL=C.UTF-8"), "{text}");
    // The proposed fix works.
    let config = home.directory.path().join("config/tchat");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.toml"), "glyphs = \"ascii\"\n").unwrap();
    let bare = format!("exec {} doctor", binary().display());
    let mut doctor = home.runs("sh", (180, 50), &["-c", &bare]);
    doctor.shows("server         ");
    assert!(doctor.ends(), "{}", doctor.text());
}

#[test]
fn configuration_and_server_are_checked_without_a_terminal_too() {
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
    // No server is running there. That is fine if tchat would start one itself, and an error if another machine should.
    let alone = ["--port", &home.port.to_string()].map(str::to_owned);
    let (code, text) = said(&[&alone[0], &alone[1]], "");
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("tchat starts a server there by itself"),
        "{text}"
    );
    let (code, text) = said(
        &["--server", &port],
        "theme = \"nope\"\neditor = \"/no/such -w\"\n",
    );
    assert_eq!(code, Some(1));
    for line in [
        "ERROR server         ",
        "no server running there",
        "on that machine: tchat --serve --host ::",
        "ERROR theme          there is no theme 'nope'",
        "-> set theme = \"auto\" in the config file",
        "ERROR editor         cannot find the program '/no/such'",
        "-> set editor = \"nano\" in the config file",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    let (code, text) = said(&[], "name = \"ann\"\ncolour = \"red\"\n");
    assert_eq!(code, Some(1));
    assert!(
        text.contains("ERROR config file") && text.contains("line 2, at 'colour'"),
        "{text}"
    );
    // All errors are listed, and the rest is still checked.
    let wrong = "nmae = \"x\"\nname = \"mia\"\npanes = \"maybe\"\njoin = \"127.0.0.1:1\"\n[server]\nprot = 1\n";
    let (code, text) = said(&["--lang", "en"], wrong);
    assert_eq!(code, Some(1));
    for line in [
        "line 1, at 'nmae': unknown key 'nmae'; did you mean 'name'?",
        "line 3, at 'panes': 'maybe' is not on or off",
        "line 6, at 'prot': unknown key 'prot'; did you mean 'port'?",
        "ok    name           mia",
        "ok    theme          auto",
        "ERROR server         127.0.0.1:1: ",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    // An unusable flag is listed with the others.
    let (code, text) = said(&["--server", "https://x"], "theme = \"paper\"\n");
    assert_eq!(code, Some(1));
    for line in [
        "cannot use --server 'https://x'",
        "-> use another value in that flag or variable",
        "ok    theme          paper",
        "server         localhost",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }

    // A secret file that others can read.
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
fn a_server_that_is_not_tchat_is_recognised() {
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
    assert!(text.contains("not a tchat server"), "{text}");
}

/// A named pipe without a writer.
fn pipe(path: &std::path::Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo works");
}

#[test]
fn it_ends_even_if_a_file_or_server_never_answers() {
    let home = Home::new();
    let listener = TcpListener::bind(("127.0.0.1", home.port)).unwrap();
    // This server accepts connections and never answers.
    let silent = format!("127.0.0.1:{}", home.port);
    let config = home.file("config.toml");
    pipe(std::path::Path::new(&config));
    let data = home.file("data-pipe");
    pipe(std::path::Path::new(&data));
    pipe(&home.directory.path().join("themes/stuck.toml"));
    let plain = home.file("plain.toml");
    std::fs::write(&plain, "theme = \"stuck\"\n").unwrap();
    for (arguments, found) in [
        (
            &["--config", config.as_str(), "--server", "localhost:1"][..],
            "it is not a regular file, and no data arrived within",
        ),
        (
            &["--data", data.as_str(), "--server", "localhost:1"],
            "ERROR data           cannot write to",
        ),
        (
            &["--config", plain.as_str(), "--server", "localhost:1"],
            "ERROR theme          cannot read the theme 'stuck': it is not a regular file",
        ),
        (&["--server", silent.as_str()], "no answer within 5 s"),
    ] {
        let all = [&["doctor"], arguments].concat();
        let mut child = home
            .command(&all)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Far more than each takes: every check has a timeout of five seconds.
        let status = ends(&mut child, std::time::Duration::from_secs(30));
        let mut text = String::new();
        child.stdout.unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(status.code(), Some(1), "{text}");
        assert!(text.contains(found), "{found}:\n{text}");
        // All sections were checked.
        for part in ["terminal\n", "configuration\n", "server\n"] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
    }
    drop(listener);
}

#[test]
fn it_uses_the_language_of_the_user() {
    let home = Home::new();
    let config = home.file("config.toml");
    let said = |arguments: &[&str], variables: &[(&str, &str)], file: &str| {
        std::fs::write(&config, file).unwrap();
        let all = [
            &["doctor", "--config", &config, "--server", "localhost:1"],
            arguments,
        ]
        .concat();
        let mut command = home.command(&all);
        command.envs(variables.iter().copied());
        let output = command.stdin(Stdio::null()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        String::from_utf8(output.stdout).unwrap() + &error
    };
    for text in [
        said(&["--lang", "zh-CN"], &[], ""),
        said(&[], &[("TCHAT_LANG", "zh")], ""),
        said(&[], &[], "lang = \"zh-CN\"\n"),
        said(&[], &[("LANG", "zh_CN.UTF-8")], ""),
        // An error elsewhere does not change the language.
        said(&[], &[], "lang = \"zh-CN\"\nnmae = 1\n"),
    ] {
        for line in [
            "终端\n",
            "配置\n",
            "服务器\n",
            "正常  名字",
            "问题",
            "该地址没有正在运行的服务器",
        ] {
            assert!(text.contains(line), "{line}:\n{text}");
        }
        assert!(text.contains("个问题"), "{text}");
        for english in ["ERROR", "ok   ", "configuration", "by itself"] {
            assert!(!text.contains(english), "{english}:\n{text}");
        }
    }
    let text = said(
        &["--lang", "en"],
        &[("TCHAT_LANG", "zh")],
        "lang = \"zh\"\n",
    );
    assert!(
        text.contains("ERROR server") && !text.contains("终端"),
        "{text}"
    );
}
