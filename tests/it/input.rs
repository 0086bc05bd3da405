//! Terminal input in a real pty: late answers of the terminal, keys typed before the first frame, pastes, and job control.

use std::time::Duration;

use crate::support::terminal::{Answering, Home, signal};

const WIDE: (u16, u16) = (100, 24);

/// Posts a line and checks that nothing else was in the composer.
fn says_hello_only(home: &Home) {
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    ann.sends_line("hello there");
    ann.until("the message alone", |screen| {
        screen
            .lines()
            .any(|row| row.contains("ann        hello there"))
    });
    assert!(!ann.text().contains("rgb:"), "{}", ann.text());
    ann.types("\x03");
    assert!(ann.ends());
    ann.is_restored();
}

#[test]
fn a_late_or_fragmented_terminal_answer_is_never_typed_text() {
    for answering in [
        Answering::After(Duration::from_millis(350)),
        Answering::After(Duration::from_millis(1200)),
        Answering::Bytewise(Duration::from_millis(30)),
        Answering::Bytewise(Duration::from_millis(5)),
    ] {
        let mut home = Home::new();
        home.answering = answering;
        says_hello_only(&home);
        // None of it became a draft either.
        let mut again = home.opens(WIDE, &[]);
        again.shows("hello there");
        again.until("an empty composer", |screen| {
            screen.lines().any(|row| row.trim_end() == " #general ›")
        });
        again.types("\x03");
        assert!(again.ends());
    }
}

#[test]
fn the_program_waits_for_pending_terminal_answers_before_it_exits() {
    let mut home = Home::new();
    home.answering = Answering::After(Duration::from_millis(700));
    let line = format!(
        "{} --port {}; cat -v",
        crate::support::terminal::binary().display(),
        home.port
    );
    let mut shell = home.runs("sh", WIDE, &["-c", &line]);
    shell.shows("#general ›");
    shell.types("\x03");
    shell.until_written("\x1b[?1049l");
    shell.types("marker\r");
    shell.shows("marker");
    std::thread::sleep(Duration::from_millis(900));
    assert!(!shell.text().contains("rgb:"), "{}", shell.text());
    shell.types("\x03");
}

#[test]
fn keys_typed_before_the_first_frame_are_kept() {
    for answering in [
        Answering::AtOnce,
        Answering::After(Duration::from_millis(100)),
    ] {
        let mut home = Home::new();
        home.answering = answering;
        let mut ann = home.opens(WIDE, &[]);
        ann.types("early 早");
        ann.until("what was typed", |screen| screen.contains("› early 早"));
        ann.shows("ann joined");
        ann.sends_line("!");
        ann.shows("ann        early 早!");
    }
}

#[test]
fn the_terminal_is_not_queried_for_what_is_configured() {
    let home = Home::new();
    let config = home.directory.path().join("tchat.toml");
    std::fs::write(&config, "ambiguous = \"narrow\"\n").unwrap();
    let config = config.display().to_string();
    let mut ann = home.opens(WIDE, &["--config", &config, "--theme", "paper"]);
    ann.shows("#general ›");
    ann.sends_line("hello");
    ann.shows("ann        hello");
    for question in ["\x1b]11;?", "\x1b[6n", "\x1b[c"] {
        assert!(!ann.written().contains(question), "{question:?}");
    }
}

#[test]
fn a_paste_without_an_end_marker_ends_after_a_pause() {
    let home = Home::new();
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    ann.types("\x1b[200~abc");
    ann.shows("› abc");
    ann.types("\x1b[201~def\r");
    ann.shows("ann        abcdef");
    ann.types("\x1b[200~lost");
    ann.types("\x03");
    // Keys before the end of the paste are text; Ctrl+C after it quits.
    ann.shows("› lost");
    ann.types("\x03");
    assert!(ann.ends());
}

#[test]
fn it_can_be_suspended_and_resumed() {
    let home = Home::new();
    let mut ann = home.opens(WIDE, &[]);
    ann.shows("#general ›");
    ann.sends_line("before");
    ann.shows("ann        before");
    for _ in 0..2 {
        let taken = |written: &str| written.matches("\x1b[?1049h").count();
        let given = |written: &str| written.matches("\x1b[?1049l").count();
        let before = given(&ann.written());
        signal(ann.process(), "TSTP");
        ann.until_raw("the main screen", |written| given(written) > before);
        ann.is_restored();
        let before = taken(&ann.written());
        signal(ann.process(), "CONT");
        ann.until_raw("the other screen", |written| taken(written) > before);
        ann.shows("ann        before");
        ann.types("still here");
        ann.shows("› still here");
        ann.types("\x1bc");
        ann.until("an empty composer", |screen| !screen.contains("still here"));
    }
}
