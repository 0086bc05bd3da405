//! `tchat send` and `tchat tail`, as scripts use them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Output, Stdio};

use crate::support::terminal::{Home, ends, signal};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A home with a server, and the flags that lead there.
struct Here {
    home: Home,
    server: Child,
    address: String,
}

impl Here {
    fn new() -> Self {
        let home = Home::new();
        let server = home.serves(&[]);
        let address = format!("localhost:{}", home.port);
        Self {
            home,
            server,
            address,
        }
    }

    fn runs(&self, arguments: &[&str]) -> Output {
        let server = ["--server", &self.address];
        let all: Vec<&str> = arguments.iter().copied().chain(server).collect();
        let mut child = self
            .home
            .command(&all)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // What is printed here fits the pipes.
        ends(&mut child, PATIENCE);
        child.wait_with_output().unwrap()
    }

    fn sends(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.runs(&[&["send"], arguments].concat());
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    }

    /// The lines of a tail that ends by itself.
    fn tails(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.runs(&[&["tail"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _reaped = self.server.wait();
    }
}

#[test]
fn send_says_it_and_its_code_says_what_became_of_it() {
    let here = Here::new();
    assert_eq!(here.sends(&["hello", "from", "a", "script"]).0, Some(0));
    assert_eq!(here.sends(&["-r", "tech", "over there"]).0, Some(0));
    let general = here.tails(&[]);
    assert!(
        general
            .last()
            .unwrap()
            .ends_with("  ann  hello from a script"),
        "{general:?}"
    );
    let tech = here.tails(&["-r", "tech", "--last", "1"]);
    assert!(tech[0].ends_with("  ann  over there"), "{tech:?}");
    let (code, said) = here.sends(&["-r", "nowhere", "hello"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("cannot join #nowhere: there is no room 'nowhere'"),
        "{said}"
    );
    let (code, said) = here.sends(&["-u", "nobody", "hello"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("cannot send: nobody here is called nobody"),
        "{said}"
    );
    let long = "x".repeat(9000);
    let (code, said) = here.sends(&[&long]);
    assert_eq!(code, Some(1));
    assert!(said.contains("too long: 9000 of 8192 bytes"), "{said}");
    let far_too_long = "x".repeat(100_000);
    let (code, said) = here.sends(&[&far_too_long]);
    assert_eq!(code, Some(1));
    assert!(said.contains("too long: 100000 of 8192 bytes"), "{said}");
    assert_eq!(here.sends(&["-r", "#tech", "with its mark"]).0, Some(0));
    for wrong in [&["--timeout", "soon", "x"][..], &["--no-such-flag"], &[" "]] {
        assert_eq!(here.sends(wrong).0, Some(2), "{wrong:?}");
    }
}

#[test]
fn text_comes_from_a_pipe_and_may_have_lines() {
    let here = Here::new();
    let mut send = here
        .home
        .command(&["send", "--server", &here.address])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = send.stdin.take().unwrap();
    stdin.write_all("部署完成\nall green\n".as_bytes()).unwrap();
    drop(stdin);
    assert!(ends(&mut send, PATIENCE).success());
    let lines = here.tails(&["--last", "1"]);
    assert!(lines[0].ends_with("  ann  部署完成"), "{lines:?}");
    assert_eq!(lines[1], "    all green");
    assert_eq!(lines.len(), 2);
}

#[test]
fn under_one_id_a_thing_is_said_once() {
    let here = Here::new();
    for _ in 0..3 {
        assert_eq!(here.sends(&["--id", "deploy-17", "deployed"]).0, Some(0));
    }
    assert_eq!(here.sends(&["--id", "deploy-18", "deployed"]).0, Some(0));
    // Another text under an id that was used is another thing, and not taken for sent.
    assert_eq!(here.sends(&["--id", "deploy-17", "rolled back"]).0, Some(0));
    assert!(
        here.tails(&[])
            .iter()
            .any(|line| line.ends_with("rolled back"))
    );
    assert_eq!(here.sends(&["--id", "", "x"]).0, Some(2));
    // The same words from somebody else under the same id are theirs.
    assert_eq!(
        here.sends(&["--name", "ben", "--id", "deploy-17", "deployed"])
            .0,
        Some(0)
    );
    let said: Vec<String> = here.tails(&["--last", "100"]);
    let times = |who: &str| {
        said.iter()
            .filter(|line| line.ends_with(&format!("{who}  deployed")))
            .count()
    };
    assert_eq!((times("ann"), times("ben")), (2, 1), "{said:?}");
}

#[test]
fn without_an_answer_it_is_not_known() {
    let here = Here::new();
    // The profile is made, and the server known, before it falls silent.
    assert_eq!(here.sends(&["hello"]).0, Some(0));
    signal(here.server.id(), "STOP");
    let (code, said) = here.sends(&["--timeout", "1s", "into the void"]);
    signal(here.server.id(), "CONT");
    assert_eq!(code, Some(75), "{said}");
    assert!(said.contains("not sent: no answer yet"), "{said}");
    let nobody = Home::new();
    let address = format!("localhost:{}", nobody.port);
    let output = nobody
        .command(&["send", "--server", &address, "--timeout", "1s", "hello"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(75));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("not sent: nobody hosts there"), "{said}");
}

#[test]
fn json_has_an_object_a_line_with_everything_needed_to_check_it() {
    let here = Here::new();
    assert_eq!(
        here.sends(&["one \u{1b}[2J"]).0,
        Some(1),
        "controls are not sent"
    );
    assert_eq!(here.sends(&["一"]).0, Some(0));
    let lines = here.tails(&["--json"]);
    let entries: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<&str> = entries
        .iter()
        .map(|it| it["body"]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["created", "joined", "text"]);
    let said = &entries[2];
    assert_eq!(said["room"], "general");
    assert_eq!(said["seq"], 3);
    assert_eq!(said["author"]["name"], "ann");
    assert_eq!(said["body"]["text"], "一");
    assert_eq!(said["client_id"]["counter"], 1);
    for (field, length) in [("room_id", 32), ("epoch", 32), ("digest", 16)] {
        assert_eq!(said[field].as_str().unwrap().len(), length, "{field}");
    }
    assert!(said["at"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_tail_goes_on_over_the_servers_death_and_misses_nothing() {
    let mut here = Here::new();
    let mut tail = here
        .home
        .command(&[
            "tail",
            "--follow",
            "--json",
            "--server",
            &here.address,
            "--name",
            "ben",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(tail.stdout.take().unwrap());
    let (said, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        out.lines()
            .map_while(Result::ok)
            .try_for_each(|it| said.send(it))
    });
    let mut seq = 0;
    let mut until = |text: &str| loop {
        let line = lines.recv_timeout(PATIENCE).expect("a line in time");
        let entry: serde_json::Value = serde_json::from_str(&line).unwrap();
        seq += 1;
        assert_eq!(entry["seq"], seq, "each once and in order");
        if entry["body"]["text"] == text {
            return;
        }
    };
    assert_eq!(here.sends(&["before"]).0, Some(0));
    until("before");
    here.server.kill().unwrap();
    here.server.wait().unwrap();
    here.server = here.home.serves(&[]);
    assert_eq!(here.sends(&["after"]).0, Some(0));
    until("after");
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn pipes_work_beside_a_screen_of_the_same_person() {
    let here = Here::new();
    let mut ann = here.home.opens((100, 24), &["--server", &here.address]);
    ann.shows("#general ›");
    ann.types("half a thought");
    assert_eq!(here.sends(&["from a script of mine"]).0, Some(0));
    ann.shows("from a script of mine");
    let ben = here
        .home
        .opens((100, 24), &["--server", &here.address, "--name", "ben"]);
    ben.shows("PEOPLE 2");
    assert_eq!(here.sends(&["--user", "@ben", "psst"]).0, Some(0));
    ben.shows("psst");
    let lines = here.tails(&["--last", "1"]);
    assert!(!lines[0].contains("psst"), "{lines:?}");
    ann.shows("#general › half a thought");
}
