//! `tchat --serve` as a process: its card, its log, its locks and its end.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::terminal::{Home, Screen, ends, signal};

/// Five times the longest duration of a drain.
const DRAIN: Duration = Duration::from_secs(50);

fn fails(home: &Home, arguments: &[&str]) -> (Option<i32>, String) {
    let output = home.command(arguments).output().unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

pub fn log(home: &Home) -> String {
    let mut text = String::new();
    for file in std::fs::read_dir(home.logs()).unwrap() {
        text.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    text
}

/// Waits until a message of ann's is stored. Its words are in the composer first, and then in a message that waits.
fn is_stored(screen: &Screen, words: &str) {
    screen.until("a stored message", |text| {
        let is_it = |row: &str| row.contains(" ann ") && row.contains(words);
        text.lines().any(|row| is_it(row) && !row.contains('…'))
    });
}

#[test]
fn it_prints_a_card_logs_connections_and_drains_on_a_signal() {
    let home = Home::new();
    let mut server = home.serves(&[]);
    let mut card = BufReader::new(server.stdout.take().unwrap());
    let mut lines = String::new();
    while !lines.contains("others") {
        assert!(card.read_line(&mut lines).unwrap() > 0, "{lines}");
    }
    assert!(
        lines.contains(&format!("address  127.0.0.1:{}", home.port)),
        "{lines}"
    );
    assert!(lines.contains("rooms    #general #tech #gaming #random"));
    assert!(lines.contains(&format!("join     tchat --server localhost:{}", home.port)));

    let mut ann = home.opens((80, 24), &[]);
    ann.shows("#general ›");
    ann.sends_line("a secret word");
    is_stored(&ann, "a secret word");
    // Peers that never finish a handshake must not delay a drain.
    let silent: Vec<TcpStream> = (0..20)
        .map(|_| TcpStream::connect(("127.0.0.1", home.port)).unwrap())
        .collect();
    let began = Instant::now();
    signal(server.id(), "TERM");
    let status = ends(&mut server, DRAIN);
    println!("drained in {:?}", began.elapsed());
    assert_eq!(status.code(), Some(0));
    drop(silent);
    ann.shows("retrying in");

    let log = log(&home);
    for line in [
        "started",
        "connected",
        "joined",
        "disconnected",
        "stopping",
        "stopped",
    ] {
        assert!(log.contains(line), "'{line}' is missing in:\n{log}");
    }
    assert!(log.contains("name=ann") && log.contains("peer="), "{log}");
    assert!(
        !log.contains("a secret word"),
        "message texts are not logged unless enabled"
    );
}

#[test]
fn messages_are_logged_only_if_enabled() {
    let home = Home::new();
    let mut server = home.serves(&["--log-messages"]);
    let mut ann = home.opens((80, 24), &[]);
    ann.shows("#general ›");
    ann.sends_line("for the record");
    is_stored(&ann, "for the record");
    signal(server.id(), "INT");
    assert_eq!(ends(&mut server, DRAIN).code(), Some(0));
    assert!(log(&home).contains("for the record"));
}

#[test]
fn a_second_server_for_a_directory_or_an_address_is_refused() {
    let home = Home::new();
    let mut server = home.serves(&[]);
    let (code, words) = fails(&home, &["--serve", "--port", "1"]);
    assert_eq!(code, Some(1));
    assert!(
        words.contains("is using the data directory")
            && words.contains(&format!("process {}", server.id())),
        "{words}"
    );
    let next = words.lines().nth(1).unwrap();
    let joins = format!("tchat --server localhost:{}", home.port);
    assert!(
        next.contains(&joins) && next.contains("--data DIR"),
        "{words}"
    );
    let stops = format!("tchat stop --data '{}'", home.data().display());
    assert!(next.contains(&stops), "{words}");
    let other = home.directory.path().join("other").display().to_string();
    let port = home.port.to_string();
    let (code, words) = fails(&home, &["--serve", "--port", &port, "--data", &other]);
    assert_eq!(code, Some(1));
    assert!(
        words.starts_with(&format!(
            "tchat: cannot listen on 127.0.0.1:{port}: the address is in use\n"
        )),
        "{words}"
    );
    assert!(words.contains("run `tchat` to join it"), "{words}");
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
}

/// The output and the exit code of `tchat stop`.
fn stops(home: &Home, arguments: &[&str]) -> (Option<i32>, String) {
    let all = [&["stop"], arguments].concat();
    let output = home.command(&all).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn stop_ends_the_server_of_the_directory_and_prints_its_process_id() {
    let home = Home::new();
    let (code, words) = stops(&home, &[]);
    assert_eq!(code, Some(0));
    assert!(
        words.contains("no server is using the data directory"),
        "{words}"
    );
    assert!(!home.data().exists(), "stop creates nothing");
    let mut server = home.serves(&[]);
    let number = server.id();
    // A server of another directory is not affected.
    let other = home.file("other");
    assert!(
        stops(&home, &["--data", &other])
            .1
            .contains("no server is using the data directory")
    );
    assert!(server.try_wait().unwrap().is_none());
    let (code, words) = stops(&home, &[]);
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains(&format!("(process {number})")), "{words}");
    assert_eq!(ends(&mut server, DRAIN).code(), Some(0), "it drained");
    assert!(
        stops(&home, &[])
            .1
            .contains("no server is using the data directory")
    );
    let (_, words) = stops(&home, &["--lang", "zh"]);
    assert!(words.contains("没有服务器在使用数据目录"), "{words}");
}

#[test]
fn an_open_screen_does_not_restart_a_stopped_server() {
    let home = Home::new();
    let mut ann = home.opens((100, 24), &[]);
    ann.shows("hosting here · ann");
    let background = home.host().unwrap();
    let (code, words) = stops(&home, &[]);
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains(&format!("process {background}")), "{words}");
    ann.shows("no server running there");
    ann.sends_line("still here");
    assert!(TcpStream::connect(("127.0.0.1", home.port)).is_err());
    // Another user who opens tchat starts it again, and the first client reconnects and sends its waiting post.
    let ben = home.opens((100, 24), &["--name", "ben"]);
    ben.shows("hosting here · ben");
    ben.shows("still here");
    ann.shows("hosting here · ann");
    assert_ne!(home.host(), Some(background));
}

#[test]
fn an_idle_host_ends_by_itself() {
    let home = Home::new();
    let mut server = home.serves(&["--idle-exit", "1s"]);
    assert_eq!(ends(&mut server, Duration::from_secs(20)).code(), Some(0));
}

#[test]
fn a_public_host_listens_on_ipv4_and_ipv6_and_prints_its_link() {
    let home = Home::new();
    let mut server = home.serves(&["--host", "::", "--insecure"]);
    let has_v6 = TcpStream::connect(("::1", home.port)).is_ok();
    println!("IPv6 here: {has_v6}");
    assert!(TcpStream::connect(("127.0.0.1", home.port)).is_ok());
    signal(server.id(), "TERM");
    ends(&mut server, DRAIN);
    let mut card = String::new();
    server
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut card)
        .unwrap();
    assert!(card.contains("can be read in transit"), "{card}");
    let link = home.link(home.port);
    let (_, pin) = link.split_once('#').unwrap();
    let join = card.lines().find(|line| line.contains("  join "));
    let join = join.unwrap_or_else(|| panic!("{card}"));
    assert!(
        join.contains("tchat 'tchat://") && join.contains(pin),
        "{card}"
    );
}

#[test]
fn an_unusable_option_is_named_in_the_error() {
    let home = Home::new();
    let config = home.directory.path().join("config.toml");
    let named = config.display().to_string();
    let (code, words) = fails(&home, &["--config", &named]);
    assert_eq!(code, Some(1));
    assert!(
        words.contains(&format!("cannot read the config file '{named}'")),
        "{words}"
    );
    std::fs::write(&config, "name = \"ann\"\n[server]\nprot = 1\n").unwrap();
    let (_, words) = fails(&home, &["--config", &named, "--serve"]);
    assert!(
        words.contains("line 3, at 'prot': unknown key 'prot'; did you mean 'port'?"),
        "{words}"
    );
    std::fs::write(
        &config,
        "[[rooms]]\nname = \"x\"\n[[rooms]]\nname = \"X\"\n",
    )
    .unwrap();
    let (code, words) = fails(&home, &["--config", &named, "--serve"]);
    assert_eq!(code, Some(1));
    assert!(
        words.contains("line 4, at 'name': cannot create the room 'X' twice"),
        "{words}"
    );
    let (_, words) = fails(&home, &["--server", "a:b:c"]);
    assert!(words.contains("cannot use --server 'a:b:c'"), "{words}");
    for (server, named) in [
        ("https://chat.example.org", "'https'"),
        ("wss://chat.example.org/ws", "'wss'"),
        ("chat.example.org/general", "'/general'"),
    ] {
        let (code, words) = fails(&home, &["send", "--server", server, "x"]);
        assert_eq!(code, Some(2), "{words}");
        assert!(
            words.contains(&format!("cannot use --server '{server}'")) && words.contains(named),
            "{words}"
        );
    }
    std::fs::write(&config, "name = \"x\"\ntheme = \"nope\"\n").unwrap();
    let (_, words) = fails(&home, &["--plain", "--config", &named]);
    assert!(
        words.contains("line 2: there is no theme 'nope'"),
        "{words}"
    );
    let (_, words) = fails(&home, &["--idle-exit", "soon", "--serve"]);
    assert!(words.contains("cannot read the time 'soon'"), "{words}");
    let (_, words) = fails(&home, &["--serve", "--data", "/proc/nowhere"]);
    assert!(
        words.contains("cannot use the data directory '/proc/nowhere'"),
        "{words}"
    );
    let (code, words) = fails(&home, &[]);
    assert_eq!(code, Some(1));
    assert!(words.contains("this is not a terminal"), "{words}");
    let (code, _) = fails(&home, &["--no-such-flag"]);
    assert_eq!(code, Some(2));
}

#[test]
fn a_switch_accepts_the_same_values_in_file_variable_and_flag() {
    let home = Home::new();
    let config = home.file("config.toml");
    let nowhere = "127.0.0.1:1";
    // Without a terminal the first line of the error says so, unless plain mode is on.
    let is_plain = |file: &str, variable: Option<&str>, flag: &[&str]| {
        std::fs::write(&config, file).unwrap();
        let all = [&["--config", &config, "--server", nowhere], flag].concat();
        let mut command = home.command(&all);
        if let Some(word) = variable {
            command.env("TCHAT_PLAIN", word);
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        !words.contains("this is not a terminal")
    };
    for on in ["true", "\"on\"", "\"TRUE\"", "1"] {
        assert!(is_plain(&format!("plain = {on}\n"), None, &[]), "{on}");
    }
    for on in ["on", "true", "1", "yes"] {
        assert!(is_plain("", Some(on), &[]), "{on}");
        // The variable overrides the file, and the flag overrides both.
        assert!(!is_plain("", Some(on), &["--plain=off"]), "{on}");
    }
    for off in ["off", "false", "0", ""] {
        assert!(!is_plain("plain = true\n", Some(off), &[]), "{off}");
        assert!(is_plain("", Some(off), &["--plain"]), "{off}");
    }
    // A variable that only a server uses is not an error for a client.
    for (name, word) in [
        ("TCHAT_BRIDGES", "on"),
        ("TCHAT_BRIDGES", "true"),
        ("TCHAT_LOG_MESSAGES", "1"),
    ] {
        let output = home
            .command(&["send", "--server", nowhere, "--timeout", "1", "x"])
            .env(name, word)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(75), "{name}={word}");
    }
    let (code, words) = fails(&home, &["--bridges"]);
    assert_eq!(code, Some(2));
    assert!(words.contains("--serve"), "{words}");
    let (code, words) = fails(&home, &["--plain=maybe"]);
    assert_eq!(code, Some(2));
    assert!(words.contains("not on or off"), "{words}");
}

#[test]
fn the_config_file_applies_and_flags_override_it() {
    let home = Home::new();
    let config = home.directory.path().join("config.toml");
    std::fs::write(
        &config,
        "name = \"filed\"\ntheme = \"paper\"\n[[rooms]]\nname = \"大厅\"\ntopic = \"欢迎\"\n",
    )
    .unwrap();
    let named = config.display().to_string();
    let ann = home.opens((80, 24), &["--config", &named, "--room", "大厅"]);
    ann.shows("#大厅 ›");
    ann.shows("欢迎");
    ann.shows("hosting here · filed");
    let ben = home.opens(
        (80, 24),
        &["--config", &named, "--room", "大厅", "--name", "flagged"],
    );
    ben.shows("hosting here · flagged");
}

#[test]
fn a_host_continues_when_nobody_reads_its_log() {
    let home = Home::new();
    let fast = home.file("fast.toml");
    std::fs::write(&fast, "[server]\nburst = 0\n").unwrap();
    // Its standard error is a pipe of 64 KiB that this test never reads.
    let mut server = home.serves(&["--config", &fast]);
    let address = format!("localhost:{}", home.port);
    for n in 0..300 {
        let sent = home
            .command(&["send", "--server", &address, "--timeout", "20s", "hello"])
            .stdin(Stdio::null())
            .status()
            .unwrap();
        assert!(sent.success(), "after {n} that came and went");
    }
    signal(server.id(), "TERM");
    assert!(ends(&mut server, DRAIN).success());
}

#[test]
fn bridges_listen_on_their_ports_and_a_taken_port_is_reported_while_the_rest_runs() {
    let home = Home::new();
    let free = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        (listener.local_addr().unwrap().port(), listener)
    };
    let (taken, _holder) = free();
    let (open, listener) = free();
    drop(listener);
    let config = format!(
        "[bridges]\non = true\ngochat = {{ listen = [\"{taken}\"] }}\nwebsocket = {{ listen = [\"{open}\"] }}\n\
         service = {{ listen = [] }}\ntrigger = {{ listen = [\"127.0.0.1:{open}\"] }}\n"
    );
    std::fs::write(home.file("config.toml"), config).unwrap();
    let mut server = home.serves(&["--config", &home.file("config.toml")]);
    let mut card = BufReader::new(server.stdout.take().unwrap());
    let mut lines = String::new();
    while !lines.contains("warning") {
        assert!(card.read_line(&mut lines).unwrap() > 0, "{lines}");
    }
    assert!(
        lines.contains(&format!("bridges  127.0.0.1:{open}")),
        "{lines}"
    );
    let named = format!("cannot listen on 127.0.0.1:{taken}: the address is in use");
    assert!(lines.contains(&named), "{lines}");
    // Every listener serves every protocol, and so does the main one.
    for port in [open, home.port] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let request = b"GET /helloworld/ann HTTP/1.1\r\nHost: x\r\n\r\n";
        std::io::Write::write_all(&mut stream, request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with(r#"{"message":"Hello ann"}"#), "{answer}");
    }
    let tail = home
        .command(&["tail", "--last", "100", "--port", &home.port.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8(tail.stdout).unwrap();
    assert_eq!(text.matches("Hello ann").count(), 2, "{text}");
    signal(server.id(), "TERM");
    assert!(ends(&mut server, DRAIN).success());
}

#[test]
fn bridges_are_off_by_default() {
    let home = Home::new();
    let mut server = home.serves(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", home.port)).unwrap();
    let request = b"GET /helloworld/ann HTTP/1.1\r\nHost: x\r\n\r\n";
    std::io::Write::write_all(&mut stream, request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("404"), "{answer}");
    signal(server.id(), "TERM");
    assert!(ends(&mut server, DRAIN).success());
}

#[test]
fn a_host_address_works_with_and_without_brackets() {
    let has_v6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    println!("IPv6 here: {has_v6}");
    for (host, shown) in [
        ("[::]", "[::]"),
        (" :: ", "[::]"),
        ("[::1]", "[::1]"),
        ("[::]:{}", "[::]"),
        ("LOCALHOST", "127.0.0.1"),
        ("127.0.0.1:{}", "127.0.0.1"),
    ] {
        if shown.starts_with('[') && !has_v6 {
            continue;
        }
        let home = Home::new();
        let number = home.port.to_string();
        // The port is given after the host or with its own flag.
        let with_port = host.replace("{}", &number);
        let mut arguments = vec!["--serve", "--host", &with_port];
        if with_port == host {
            arguments.extend(["--port", &number]);
        }
        let mut server = home
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut card = BufReader::new(server.stdout.take().unwrap());
        let mut lines = String::new();
        while !lines.contains("  key ") {
            let read = card.read_line(&mut lines).unwrap();
            assert!(read > 0, "{host}: {lines}");
        }
        let address = format!("address  {shown}:{number}");
        assert!(lines.contains(&address), "{host}: {lines}");
        signal(server.id(), "TERM");
        ends(&mut server, DRAIN);
    }
    let home = Home::new();
    for wrong in ["[::", "[nowhere]", "a b", ""] {
        let (code, words) = fails(&home, &["--serve", "--host", wrong]);
        assert_eq!(code, Some(1), "{wrong}");
        assert!(
            words.contains(&format!("cannot use --host '{wrong}'")),
            "{words}"
        );
    }
}
