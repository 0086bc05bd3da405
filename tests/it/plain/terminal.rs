//! Plain mode with the real binary: in a normal terminal, in a dumb one, and in a pipe.

use crate::support::terminal::{Home, binary, signal};

#[test]
fn plain_mode_prints_everything_and_writes_no_escape_sequence() {
    let home = Home::new();
    let mut ann = home.opens((80, 50), &["--plain"]);
    ann.shows("-- #general");
    let mut li = home.opens((100, 24), &["--name", "李四"]);
    li.shows("#general ›");
    ann.shows("-- 李四 joined");
    ann.sends_line("hello 世界 👋");
    li.shows("hello 世界 👋");
    li.sends_line("大家好 **bold**");
    ann.shows("李四: 大家好 bold");
    li.sends_line("@ann the token is in the safe");
    ann.shows("the token is in the safe (privately to you)");
    ann.sends_line("/reply welcome");
    li.shows("> 李四: 大家好");
    ann.sends_line("/rooms");
    ann.shows("2. tech");
    ann.sends_line("/pick 2");
    ann.shows("-- #tech");
    li.sends_line("@ann and everybody");
    li.sends_line("something new for all");
    ann.shows("-- #general · unread");
    ann.sends_line("/do next-unread");
    ann.shows("something new for all");
    ann.sends_line("/search token");
    ann.shows("1. 李四 @李四");
    ann.sends_line("/theme");
    ann.shows("2. dusk");
    ann.sends_line("/set");
    ann.shows("theme = auto");
    ann.sends_line("/help");
    ann.shows("/kick USER [REASON]");

    // Several lines at once are a paste, and are not sent by themselves.
    ann.types("pasted one\npasted two\npasted three\n");
    ann.shows("-- Not sent yet, 3 lines: pasted one");
    ann.sends_line("/draft send");
    li.shows("pasted three");
    // Neither are lines above an unfinished line, which the terminal still holds back.
    for (pasted, rest, draft) in [
        ("first half\nsecond", " half\r", "2 lines: first half"),
        ("一行\n两行\n三", "行\r", "3 lines: 一行"),
        ("above\n\nbelow", "\r", "3 lines: above"),
    ] {
        ann.types(pasted);
        // Meanwhile others chat and see none of it.
        li.sends_line(&format!("before {draft}"));
        ann.shows(&format!("before {draft}"));
        ann.types(rest);
        ann.shows(&format!("-- Not sent yet, {draft}"));
        ann.sends_line("/draft drop");
        ann.shows("-- Draft discarded");
        ann.sends_line("/help");
        ann.until("the draft to be gone", |text| {
            !text.contains("Not sent yet")
        });
    }
    ann.sends_line("still typed line by line");
    li.shows("still typed line by line");
    assert!(!li.text().contains("second half"), "{}", li.text());
    ann.sends_line("/theme night");
    ann.shows("-- theme is night");
    ann.sends_line("/do panes");
    ann.shows("-- panes is off");
    ann.sends_line("/join random");
    ann.shows("-- #random");
    ann.sends_line("/do page-up");
    ann.shows("-- There are no older messages here");
    ann.sends_line("/join general");
    // Wait for the topic: the name alone was printed before, at the start and with the unread count. Lines sent at once would be a paste.
    ann.until("#general again", |text| {
        text.rfind("-- #general · everybody") > text.rfind("-- #random")
    });
    // The host is killed: this is printed, lines typed meanwhile wait, and the new connection is printed too.
    home.host_is_killed();
    ann.shows("localhost");
    ann.sends_line("after the crash");
    li.shows("after the crash");
    ann.sends_line("/quit");
    assert!(ann.ends());

    let written = ann.written();
    assert!(!written.contains('\x1b'), "{written:?}");
    let is_box = |c: char| ('\u{2500}'..='\u{259f}').contains(&c);
    assert!(!written.contains(is_box), "{written}");
    // The cursor only ever moves to the next line.
    let controls = written.chars().filter(|c| c.is_control());
    for c in controls {
        assert!(matches!(c, '\r' | '\n' | '\x07'), "{c:?}");
    }
}

#[test]
fn plain_mode_is_automatic_in_a_dumb_terminal_and_works_in_a_pipe() {
    let home = Home::new();
    let mut dumb = home.runs(
        "sh",
        (80, 24),
        &[
            "-c",
            &format!("TERM=dumb exec {} --port {}", binary().display(), home.port),
        ],
    );
    dumb.shows("-- #general");
    // Ctrl+D ends it, as Ctrl+C does, and nothing is left behind.
    dumb.types("\x04");
    assert!(dumb.ends());
    let line = format!(
        "printf 'one from a pipe\\n/who\\n\\377\\n' | {} --plain --port {}",
        binary().display(),
        home.port
    );
    let said = home.shell(&line).output().unwrap();
    let out = String::from_utf8(said.stdout).unwrap();
    assert!(out.contains("ann: one from a pipe"), "{out}");
    assert!(out.contains("-- People in #general"), "{out}");
    assert!(out.contains("not UTF-8 text"), "{out}");
    assert!(said.status.success() && !out.contains('\x1b'));
    // A private line must not reach the room, however fast the lines arrive.
    let mut li = home.opens((100, 24), &["--name", "李四"]);
    li.shows("#general ›");
    let line = format!(
        "printf '/msg 李四\\nthe secret\\n/join tech\\nfor tech\\n' | TCHAT_PLAIN=true {} --port {}",
        binary().display(),
        home.port
    );
    let said = home.shell(&line).output().unwrap();
    let out = String::from_utf8(said.stdout).unwrap();
    assert!(
        out.contains("-- @李四") && out.contains("ann: for tech"),
        "{out}"
    );
    li.shows("privately to you");
    li.sends_line("/join tech");
    li.shows("for tech");
    assert!(!li.text().contains("the secret"), "{}", li.text());
    // If something could not be sent, the exit code reports it.
    let line = format!(
        "printf 'hi\\n' | {} --plain --server 127.0.0.1:1",
        binary().display()
    );
    let said = home.shell(&line).output().unwrap();
    assert_eq!(said.status.code(), Some(1));
    let error = String::from_utf8(said.stderr).unwrap();
    assert!(error.contains("not sent: 1"), "{error}");
    let mut stopped = home.opens((80, 24), &["--plain"]);
    stopped.shows("for tech");
    signal(stopped.process(), "INT");
    assert!(stopped.ends());
}
