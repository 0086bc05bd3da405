//! `tchat send` and `tchat tail`, as scripts use them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Output, Stdio};

use crate::support::terminal::{Home, ends, signal};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A home with a running server, and the server's address.
struct ServerHome {
    home: Home,
    server: Child,
    address: String,
}

impl ServerHome {
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
        // The output fits into the pipes, so the program cannot block on them.
        ends(&mut child, PATIENCE);
        child.wait_with_output().unwrap()
    }

    fn sends(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.runs(&[&["send"], arguments].concat());
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    }

    /// The lines printed by a tail that ends by itself.
    fn tails(&self, arguments: &[&str]) -> Vec<String> {
        let output = self.runs(&[&["tail"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Drop for ServerHome {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _reaped = self.server.wait();
    }
}

#[test]
fn send_posts_the_text_and_reports_the_outcome_as_exit_code() {
    let here = ServerHome::new();
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
        said.contains("cannot send: nobody here is named nobody"),
        "{said}"
    );
    let long = "x".repeat(9000);
    let (code, said) = here.sends(&[&long]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("too long: 9000 bytes, the limit is 8192"),
        "{said}"
    );
    let far_too_long = "x".repeat(100_000);
    let (code, said) = here.sends(&[&far_too_long]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("too long: 100000 bytes, the limit is 8192"),
        "{said}"
    );
    assert_eq!(here.sends(&["-r", "#tech", "with its mark"]).0, Some(0));
    for wrong in [&["--timeout", "soon", "x"][..], &["--no-such-flag"], &[" "]] {
        assert_eq!(here.sends(wrong).0, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_server_may_be_given_as_a_url_everywhere() {
    let here = ServerHome::new();
    for url in [
        format!("http://{}", here.address),
        format!("tchat://{}/", here.address),
        format!("{}/", here.address),
    ] {
        let sent = here
            .home
            .command(&["send", "--server", &url, &url])
            .stdin(Stdio::null())
            .status()
            .unwrap();
        assert!(sent.success(), "{url}");
    }
    let variable = here
        .home
        .command(&["send", "by a variable"])
        .env("TCHAT_SERVER", format!("tchat://{}", here.address))
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(variable.success());
    // It is the same server, and so the same identity.
    let lines = here.tails(&["--json", "--last", "4"]);
    let ids: std::collections::HashSet<String> = lines
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|entry| entry["author"]["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{lines:?}");
    let mut ann = here.home.opens(
        (100, 24),
        &["--server", &format!("http://{}", here.address)],
    );
    ann.shows("#general ›");
    ann.sends_line("/connect https://chat.example.org");
    ann.shows("'https'");
    // A failed command stays in the composer to be corrected.
    ann.types("\x15");
    ann.sends_line("/connect tchat://127.0.0.1:1/general");
    ann.shows("'/general'");
    ann.types("\x15");
    ann.sends_line(&format!("/connect tchat://{}/", here.address));
    ann.shows("#general ›");
}

#[test]
fn send_reads_text_with_several_lines_from_a_pipe() {
    let here = ServerHome::new();
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
fn escape_sequences_are_removed_before_sending() {
    let here = ServerHome::new();
    for (piped, said) in [
        (
            "\u{1b}[1;31merror\u{1b}[0m: no such file\n",
            "error: no such file",
        ),
        ("10%\r100%\r\ndone\r\n", "100%\n    done"),
        ("N\u{8}NA\u{8}AME\n", "NAME"),
        ("\u{1b}]8;;https://ex.org\u{7}here\u{1b}]8;;\u{7}\n", "here"),
    ] {
        let mut send = here
            .home
            .command(&["send", "--server", &here.address])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = send.stdin.take().unwrap();
        stdin.write_all(piped.as_bytes()).unwrap();
        drop(stdin);
        assert!(ends(&mut send, PATIENCE).success(), "{piped:?}");
        let lines = here.tails(&["--last", "1"]).join("\n");
        assert!(lines.ends_with(&format!("  ann  {said}")), "{lines:?}");
    }
    assert_eq!(here.sends(&["\u{1b}[32mgreen\u{1b}[m"]).0, Some(0));
    assert!(here.tails(&["--last", "1"])[0].ends_with("  ann  green"));
    let (code, said) = here.sends(&["\u{1b}[0m\u{7}"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("there is nothing to send"), "{said}");
}

#[test]
fn a_refusal_gives_its_end_as_local_date_and_time() {
    let here = ServerHome::new();
    // Ann runs the server, and so owns its rooms.
    let mut ann = here.home.opens((100, 24), &["--room", "tech"]);
    ann.shows("#tech ›");
    let ben = ["-n", "ben", "-r", "tech"];
    assert_eq!(here.sends(&[&ben[..], &["hello"]].concat()).0, Some(0));
    for (order, refused) in [
        ("/mute ben 2h", "you are muted in this room until "),
        ("/mute ben 7d", "you are muted in this room until "),
        ("/ban ben 3d", "you are banned from #tech until "),
    ] {
        ann.sends_line(order);
        let began = std::time::Instant::now();
        let said = loop {
            let (_, said) = here.sends(&[&ben[..], &["still here?"]].concat());
            if said.contains(refused) || began.elapsed() > PATIENCE {
                break said;
            }
        };
        let (_, until) = said.split_once(" until ").expect(order);
        // A date, and not a number of milliseconds.
        let is_number = |word: &str| word.len() > 4 && word.bytes().all(|b| b.is_ascii_digit());
        assert!(until.contains(" 20") && until.contains(':'), "{said}");
        assert!(!until.split_whitespace().any(is_number), "{said}");
    }
}

#[test]
fn errors_are_in_the_language_of_the_user() {
    let here = ServerHome::new();
    for (arguments, code, words) in [
        (
            &["-r", "nowhere", "x"][..],
            1,
            "无法加入 #nowhere：没有房间“nowhere”",
        ),
        (&["-u", "nobody", "x"], 1, "无法发送：这里没有人叫 nobody"),
        (&["--id", "", "x"], 2, "无法使用 --id"),
        (
            &["--timeout", "soon", "x"],
            2,
            "无法识别 --timeout 的时间“soon”",
        ),
        (&[" "], 2, "没有可以发送的内容"),
        (&["--tiemout", "1", "x"], 2, "是不是“--timeout”？"),
    ] {
        let (ended, said) = here.sends(&[&["--lang", "zh"], arguments].concat());
        assert_eq!(ended, Some(code), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let nowhere = "127.0.0.1:1";
    for (task, words) in [
        (
            &["send", "x", "--timeout", "5"][..],
            "没有发送：该地址没有正在运行的服务器",
        ),
        (&["tail", "--last", "many"], "--last <N> 不能是“many”"),
        (&["tail", "--help"], "用法：tchat tail"),
    ] {
        let all = [task, &["--server", nowhere]].concat();
        let mut command = here.home.command(&all);
        command.env("TCHAT_LANG", "zh-CN").stdin(Stdio::null());
        let output = command.output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(said.contains(words), "{said}");
    }
    // System lines are translated too.
    let lines = here.tails(&["--lang", "zh", "--last", "100"]);
    assert!(lines[0].ends_with("* tchat 创建了这个房间"), "{lines:?}");
}

#[test]
fn the_same_text_with_the_same_id_is_posted_once() {
    let here = ServerHome::new();
    for _ in 0..3 {
        assert_eq!(here.sends(&["--id", "deploy-17", "deployed"]).0, Some(0));
    }
    assert_eq!(here.sends(&["--id", "deploy-18", "deployed"]).0, Some(0));
    // Another text with a used id is another post, and must not be taken for a duplicate.
    assert_eq!(here.sends(&["--id", "deploy-17", "rolled back"]).0, Some(0));
    assert!(
        here.tails(&[])
            .iter()
            .any(|line| line.ends_with("rolled back"))
    );
    assert_eq!(here.sends(&["--id", "", "x"]).0, Some(2));
    // The same text with the same id by another person is another post.
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
fn without_an_answer_send_exits_with_75() {
    let here = ServerHome::new();
    // Create the profile and connect once before the server is suspended.
    assert_eq!(here.sends(&["hello"]).0, Some(0));
    signal(here.server.id(), "STOP");
    // A number without a unit means seconds.
    for time in ["1s", "1", "0"] {
        let (code, said) = here.sends(&["--timeout", time, "into the void"]);
        assert_eq!(code, Some(75), "{said}");
        assert!(said.contains("not sent: no answer yet"), "{said}");
    }
    signal(here.server.id(), "CONT");
    let nobody = Home::new();
    let address = format!("localhost:{}", nobody.port);
    let output = nobody
        .command(&["send", "--server", &address, "--timeout", "5s", "hello"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(75));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("not sent: no server running there"), "{said}");
}

#[test]
fn json_output_has_one_complete_object_per_line() {
    let here = ServerHome::new();
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
fn tail_survives_a_killed_server_and_misses_nothing() {
    let mut here = ServerHome::new();
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
        let line = lines.recv_timeout(PATIENCE).expect("a line is printed");
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
fn a_later_name_of_a_profile_still_selects_that_profile() {
    let here = ServerHome::new();
    let mut dan = here
        .home
        .opens((100, 24), &["--server", &here.address, "--name", "dan"]);
    dan.shows("· dan");
    dan.sends_line("/nick daniel");
    dan.shows("Your name is now daniel");
    dan.sends_line("by hand");
    dan.shows("by hand");
    for name in ["daniel", "Daniel", "dan"] {
        let (code, said) = here.sends(&["-n", name, &format!("as {name}")]);
        assert_eq!(code, Some(0), "{said}");
        dan.shows(&format!("as {name}"));
    }
    dan.sends_line("/nick 丹尼尔");
    dan.shows("Your name is now 丹尼尔");
    for name in ["丹尼尔", "daniel", "dan"] {
        let (code, said) = here.sends(&["-n", name, &format!("still {name}")]);
        assert_eq!(code, Some(0), "{said}");
    }
    dan.sends_line("/quit");
    assert!(dan.ends());
    // A screen with any of these names continues with the same profile.
    let again = here
        .home
        .opens((100, 24), &["--server", &here.address, "--name", "daniel"]);
    again.shows("· 丹尼尔");
    again.shows("by hand");
    let lines = here.tails(&["--json", "--last", "20", "-n", "daniel"]);
    let ids: std::collections::HashSet<String> = lines
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|entry| entry["body"]["kind"] == "text")
        .map(|entry| entry["author"]["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{lines:?}");
    // A name that nobody has had is a new person.
    assert_eq!(here.sends(&["-n", "danielle", "hello"]).0, Some(0));
    again.shows("danielle");
}

#[test]
fn send_and_tail_work_beside_an_open_screen_of_the_same_person() {
    let here = ServerHome::new();
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

#[test]
fn a_private_looking_line_is_not_posted_to_everyone() {
    let here = ServerHome::new();
    for line in [
        ["@ben", "psst"].as_slice(),
        &["@李四 今天"],
        &["@ben\tsee you"],
    ] {
        let (code, said) = here.sends(line);
        assert_eq!(code, Some(2), "{line:?}: {said}");
        assert!(said.contains("--user"), "{said}");
    }
    // These are public, and so is everything that is piped in.
    for line in [
        " @ben look",
        "@ben, look",
        "@here look",
        "mail ann@example.org",
    ] {
        assert_eq!(here.sends(&[line]).0, Some(0), "{line}");
    }
    let lines = here.tails(&["--last", "10"]);
    assert!(!lines.iter().any(|line| line.contains("psst")), "{lines:?}");
}
