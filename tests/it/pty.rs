//! Everyday use of the real binary in a real terminal.

use crate::support::terminal::{Home, Screen, signal};

const WIDE: (u16, u16) = (100, 24);

#[test]
fn one_command_hosts_and_joins_and_a_second_one_chats_with_it() {
    let home = Home::new();
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    ann.shows("hosting here · ann");
    let mut ben = home.opens((80, 24), &["--name", "张三"]);
    ben.shows("hosting here · 张三");
    ann.shows("张三 joined");
    ann.sends_line("hello 世界 👋");
    ben.shows("hello 世界 👋");
    ben.sends_line("大家好！");
    ann.shows("大家好！");

    // Private messages in both directions; the prompt says so before sending.
    ann.types("@张三 ");
    ann.shows("@张三 privately ›");
    ann.sends_line("the token is in the safe");
    ann.shows("privately to 张三");
    ben.shows("privately to you");
    ben.sends_line("/msg ann");
    ben.shows("@ann privately ›");
    ben.sends_line("thanks");
    ann.shows("thanks");

    // Any size, and back again.
    for (width, height) in [(40, 12), (1, 1), (19, 5), (200, 50), (100, 24)] {
        ann.resize(width, height);
    }
    ann.shows("thanks");
    ann.shows("PEOPLE 2");

    // Closing the first terminal does not affect the second.
    let host = home.host();
    drop(ann);
    ben.sends_line("/join general");
    ben.sends_line("still here");
    ben.shows("still here");
    assert_eq!(home.host(), host);
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("still here");
    ann.shows("hello 世界 👋");
    ann.sends_line("back again");
    ben.shows("back again");

    ann.sends_line("/quit");
    assert!(ann.ends());
    ann.is_restored();
    ben.types("\x03");
    assert!(ben.ends());
    ben.is_restored();
}

#[test]
fn people_can_create_a_room_and_do_everything_in_it() {
    let home = Home::new();
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    let mut ben = home.opens(WIDE, &["--name", "张三"]);
    ben.shows("PEOPLE 2");

    // A secret room, and an invitation that is announced.
    ann.sends_line("/create vault --secret 钥匙在这里");
    ann.shows("#vault ›");
    ann.sends_line("/invite 张三");
    ben.shows("ann invited you: /join vault");
    ben.sends_line("/join vault");
    ben.shows("vault  钥匙在这里");
    ann.shows("张三 joined");

    // Replies, reactions, edits and deletions are seen by the other person.
    ann.sends_line("where is the kye?");
    ben.shows("where is the kye?");
    ben.sends_line("/reply under the 门垫");
    ann.shows("> ann: where is the kye?");
    ann.shows("under the 门垫");
    ann.sends_line("/react 👍");
    ben.shows("👍 1");
    ann.sends_line("s/kye/key/");
    ben.shows("where is the key?  edited");
    ben.types("\x1bm");
    ben.shows("r reply");
    ben.types("w");
    ben.shows("👍 ann");
    ben.types("\x1b");
    ben.until("the list to close", |text| !text.contains("Reactions"));
    ben.types("d");
    ben.shows("Do the same again to delete it");
    ben.types("d");
    ann.shows("This message was deleted");
    ben.until("its removal", |text| !text.contains("门垫"));

    // A mention in another room also rings the bell, and Ctrl+K opens a room.
    ann.types("\x0b");
    ann.shows("rooms");
    ann.types("gen\r");
    ann.shows("#general ›");
    // Title sequences end with the same byte.
    let bells = |screen: &Screen| {
        let written = screen.written();
        written.matches('\x07').count() - written.matches("\x1b]0;").count()
    };
    let before = bells(&ann);
    // The key after it shows that the program has read the loss of focus.
    ann.types("\x1b[Oaway");
    ann.shows("#general › away");
    ann.types("\x15");
    ben.sends_line("look here, @ann");
    ann.shows("# vault     @1 1");
    ann.shows("unread 1 · mentions 1");
    ann.until("a bell", |_| bells(&ann) == before + 1);
    ann.types("\x1b[I\x0bvlt\r");
    ann.shows("#vault ›");
    ann.shows("─ new ─");
    ann.until("nothing unread", |text| !text.contains("unread 1"));
    ann.types("\x14");
    ann.shows("MENTIONS");
    ann.shows("张三 #vault");
    ann.types("\x14");
    ann.sends_line("/delete vault");
    ann.shows("Run /delete again to close this room");
    ann.types("\r");
    ben.shows("This room was closed");
    for mut screen in [ann, ben] {
        screen.sends_line("/quit");
        assert!(screen.ends());
        screen.is_restored();
    }
}

#[test]
fn a_second_terminal_without_a_name_is_the_same_person() {
    let home = Home::new();
    let mut one = home.opens(WIDE, &[]);
    one.shows("PEOPLE 1");
    let two = home.opens(WIDE, &[]);
    two.shows("hosting here · ann");
    two.shows("PEOPLE 1");
    one.sends_line("on both");
    two.shows("on both");
}

#[test]
fn a_killed_host_is_restarted_and_nothing_is_lost_or_duplicated() {
    let home = Home::new();
    let mut ann = home.opens((100, 50), &[]);
    ann.shows("#general ›");
    let ben = home.opens((100, 50), &["--name", "ben"]);
    ben.shows("PEOPLE 2");
    for n in 0..5 {
        ann.sends_line(&format!("before {n}"));
    }
    ben.shows("before 4");
    home.host_is_killed();
    for n in 0..5 {
        ann.sends_line(&format!("after {n}"));
    }
    ben.shows("after 4");
    for screen in [&ann, &ben] {
        screen.until("everything once and in order", |text| {
            let said: Vec<&str> = text
                .lines()
                .filter(|line| line.contains("before ") || line.contains("after "))
                .map(|line| line.trim().rsplit("  ").next().unwrap_or_default().trim())
                .collect();
            let expected: Vec<String> = ["before", "after"]
                .iter()
                .flat_map(|when| (0..5).map(move |n| format!("{when} {n}")))
                .collect();
            said.len() == 10
                && said
                    .iter()
                    .zip(&expected)
                    .all(|(said, expected)| said.ends_with(expected.as_str()))
                && !text.contains('…')
        });
    }
    let mut late = home.opens((100, 50), &["--name", "late"]);
    late.shows("before 0");
    late.shows("after 4");
    late.sends_line("/quit");
    assert!(late.ends());
}

#[test]
fn the_terminal_is_restored_on_every_exit() {
    let home = Home::new();
    for end in ["exit\r", ":wq\r", "/quit\r", "\x11"] {
        let mut screen = home.opens(WIDE, &[]);
        screen.shows("#general ›");
        screen.types(end);
        assert!(screen.ends(), "after {end:?}");
        screen.is_restored();
    }
    for name in ["TERM", "HUP", "INT"] {
        let mut screen = home.opens(WIDE, &[]);
        screen.shows("#general ›");
        signal(screen.process(), name);
        assert!(screen.ends(), "after SIG{name}");
        screen.is_restored();
    }
}

#[test]
fn the_terminal_is_restored_after_a_panic() {
    let home = Home::new();
    let test = std::env::current_exe().unwrap().display().to_string();
    let program = [
        "--ignored",
        "--exact",
        "--nocapture",
        "pty::panics_while_drawing",
    ];
    let mut screen = home.runs(&test, WIDE, &program);
    assert!(!screen.ends());
    screen.is_restored();
    let written = screen.written();
    let (restored, said) = (
        written.find("\x1b[?1049l").unwrap(),
        written.find("the picture fell").unwrap(),
    );
    assert!(
        restored < said,
        "the panic message is printed after the terminal was restored"
    );
}

#[test]
#[ignore = "what the test above runs in a terminal of its own"]
fn panics_while_drawing() {
    let mut screen = tchat::tui::terminal::Screen::enter().unwrap();
    screen
        .terminal
        .draw(|_| panic!("the picture fell"))
        .unwrap();
}

#[test]
fn closing_the_terminal_ends_the_program() {
    let home = Home::new();
    let screen = home.opens(WIDE, &[]);
    screen.shows("#general ›");
    let mut child = screen.closes();
    let began = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(
            began.elapsed().as_secs() < 30,
            "it keeps running without a terminal"
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn an_unreachable_server_keeps_the_screen_open_with_a_countdown() {
    let home = Home::new();
    let server = format!("127.0.0.1:{}", home.port);
    let mut screen = home.opens(WIDE, &["--server", &server]);
    screen.shows("no server running there · retrying in");
    screen.shows("cannot reach 127.0.0.1");
    assert!(
        home.host().is_none(),
        "no local server is started for a remote address"
    );
    screen.sends_line("/connect no-such-host.invalid");
    screen.shows("no-such-host.invalid: unknown host · retrying in");
    screen.sends_line("/connect a:b:c");
    screen.shows("cannot connect to 'a:b:c'");
    screen.shows("/connect a:b:c");
    screen.types("\x15");
    screen.sends_line("/disconnect");
    screen.shows("offline · use /connect");
    assert!(screen.is_running());
    screen.sends_line("/quit");
    assert!(screen.ends());
    screen.is_restored();
}

#[test]
fn escape_sequences_of_others_are_never_passed_to_the_terminal() {
    let home = Home::new();
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    let ben = home.opens(WIDE, &["--name", "ben"]);
    ben.shows("PEOPLE 2");
    // The paste removes escapes; bidi controls and invisible characters pass the composer and are replaced when drawn.
    ann.types("\x1b[200~a\u{1b}]0;pwn\u{7}b\u{202e}c\u{200b}d\x1b[201~");
    ann.types("\r");
    // vt100 does not draw replacement characters, so the raw output is checked below.
    ben.shows("a]0;pwnbcd");
    assert!(ben.written().contains("pwnb\u{fffd}cd"));
    assert!(!ben.written().contains("pwn\u{7}") && !ben.written().contains('\u{202e}'));
}

#[test]
fn nothing_is_drawn_while_nothing_happens() {
    let home = Home::new();
    let screen = home.opens(WIDE, &[]);
    screen.shows("#general ›");
    screen.shows("PEOPLE 1");
    // The screen settles after joining; then there are two seconds without any output.
    let is_quiet = (0..3).any(|_| {
        let before = screen.written().len();
        std::thread::sleep(std::time::Duration::from_secs(2));
        screen.written().len() == before
    });
    assert!(is_quiet, "it keeps writing");
}

#[test]
fn messages_typed_while_disconnected_are_sent_after_reconnecting() {
    let home = Home::new();
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    let ben = home.opens(WIDE, &["--name", "ben"]);
    ben.shows("PEOPLE 2");
    ann.sends_line("/disconnect");
    ann.shows("offline · use /connect");
    ben.shows("PEOPLE 1");
    ann.sends_line("typed while away");
    ann.shows("typed while away");
    ann.sends_line("/connect");
    ben.shows("typed while away");
    ann.until("the post to be stored", |text| !text.contains('…'));
}

#[test]
fn connect_to_the_current_server_reconnects_and_loses_nothing() {
    let home = Home::new();
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    let here = format!("/connect localhost:{}", home.port);
    ann.sends_line(&here);
    ann.sends_line("still here");
    ann.until("it to be stored", |text| {
        text.contains("still here") && !text.contains('…')
    });
    ann.sends_line("/disconnect");
    ann.shows("offline");
    ann.sends_line("said offline");
    ann.sends_line(&here);
    ann.until("it to be stored once", |text| {
        text.matches("said offline").count() == 1 && !text.contains('…')
    });
    ann.sends_line("/quit");
    assert!(ann.ends());
}

#[test]
fn the_next_start_opens_the_last_room() {
    let home = Home::new();
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    ann.sends_line("/join tech");
    ann.shows("#tech ›");
    ann.sends_line("/quit");
    assert!(ann.ends());
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#tech ›");
    ann.shows("# general");
    ann.sends_line("/quit");
    assert!(ann.ends());
    let ann = home.opens(WIDE, &["--room", "nowhere"]);
    ann.shows("there is no room 'nowhere'");
    ann.shows("#general ›");
}

#[test]
fn keys_typed_while_the_program_is_stopped_are_all_read() {
    let home = Home::new();
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    // While stopped, it receives more input than one read returns.
    signal(ann.process(), "STOP");
    for n in 1..=300 {
        ann.sends_line(&format!("={n}="));
    }
    signal(ann.process(), "CONT");
    ann.shows("=300=");
    ann.until("an empty composer", |text| {
        text.lines().any(|row| row.trim() == "#general ›")
    });
}

#[test]
fn a_search_finds_messages_opens_them_in_place_and_returns() {
    let home = Home::new();
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    for n in 1..=21 {
        ann.sends_line(&format!("line {n} of many"));
    }
    ann.sends_line("关键消息在这里");
    for n in 22..=42 {
        ann.sends_line(&format!("line {n} of many"));
    }
    ann.shows("line 42 of many");
    ann.sends_line("/join tech");
    ann.shows("#tech ›");
    ann.sends_line("here is another 关键");
    ann.shows("another 关键");
    // One character is enough, and the newest hit comes first.
    ann.types("\x06");
    ann.shows("SEARCH");
    ann.types("键");
    ann.until("both hits", |text| {
        let (tech, general) = (text.find("ann #tech"), text.find("ann #general"));
        tech.is_some() && tech < general
    });
    // The first hit to arrive stays selected when others appear above it.
    if !ann.text().contains("› ann #general") {
        ann.types("\x1b[B");
    }
    ann.shows("› ann #general");
    ann.types("\r");
    ann.shows("#general ›");
    ann.shows("line 15 of many");
    ann.shows("line 28 of many");
    ann.shows("2 of 2");
    ann.types("N");
    ann.shows("#tech ›");
    ann.shows("1 of 2");
    ann.types("n");
    ann.shows("#general ›");
    ann.types("\x1b");
    ann.shows("#tech ›");
    ann.shows("here is another 关键");
    // A command does the same, and an invalid query is explained.
    ann.sends_line("/search in:nowhere x");
    ann.shows("none of your rooms starts with 'nowhere'");
    ann.types("\x1b");
    ann.until("the list to close", |text| !text.contains("SEARCH"));
    ann.sends_line("/search \"line 7 of\" from:me");
    ann.shows("line 7 of many");
    ann.types("\x03");
    assert!(ann.ends());
}

#[test]
fn every_row_of_a_wrapped_url_is_a_link_and_leaves_no_residue() {
    let home = Home::new();
    let mut ann = home.opens((60, 24), &[]);
    ann.shows("#general ›");
    let address = format!("https://example.org/{}end", "path/".repeat(20));
    // It is in the composer first, as plain text.
    ann.sends_line(&format!("see {address} now"));
    let link = format!(";{address}\x1b\\");
    ann.until_raw("a link on each of three rows", |written| {
        written.matches(&link).count() >= 3
    });
    // After scrolling away and back it is drawn again as text without residue.
    for n in 0..30 {
        ann.sends_line(&format!("line {n}"));
    }
    ann.shows("line 29");
    ann.until("the address to be gone", |text| !text.contains("path/"));
    ann.types("\x1b[5~\x1b[5~");
    ann.shows("end now");
    ann.until("the whole text", |text| {
        let plain: String = text.split_whitespace().collect();
        plain.contains(&address.replace(' ', "")) && !text.contains("]8;")
    });
}
