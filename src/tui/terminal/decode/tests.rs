use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;

use super::*;
use KeyModifiers as M;
use MouseEventKind as Kind;

fn all(decoder: &mut Decoder) -> Vec<Decoded> {
    std::iter::from_fn(|| decoder.pop()).collect()
}

/// Decodes bytes that arrive together and are followed by a pause.
fn decoded(bytes: &[u8]) -> Vec<Decoded> {
    let mut decoder = Decoder::default();
    decoder.feed(bytes);
    decoder.give_up();
    all(&mut decoder)
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Decoded {
    Decoded::Event(Event::Key(KeyEvent::new(code, modifiers)))
}

fn typed(text: &str) -> Vec<Decoded> {
    let modifiers = |c: char| {
        if c.is_uppercase() {
            KeyModifiers::SHIFT
        } else {
            KeyModifiers::NONE
        }
    };
    text.chars()
        .map(|c| key(KeyCode::Char(c), modifiers(c)))
        .collect()
}

/// Answers of all kinds, as bytes and decoded.
fn answers() -> Vec<(&'static [u8], Answer)> {
    vec![
        (
            b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
            Answer::Background("rgb:1e1e/1e1e/2e2e".into()),
        ),
        (
            b"\x1b]11;rgb:ffff/ffff/ffff\x07",
            Answer::Background("rgb:ffff/ffff/ffff".into()),
        ),
        (b"\x1b]10;rgb:0000/0000/0000\x1b\\", Answer::Other),
        (b"\x1b]4;1;rgb:cccc/0000/0000\x07", Answer::Other),
        (b"\x1b]52;c;aGVsbG8=\x1b\\", Answer::Other),
        (b"\x1bP>|xterm(388)\x1b\\", Answer::Other),
        (b"\x1bP1+r544e=787465726d\x1b\\", Answer::Other),
        (b"\x1bP1$r0 q\x1b\\", Answer::Other),
        (b"\x1b_Gi=31;OK\x1b\\", Answer::Other),
        (b"\x1b[?62;4;22c", Answer::Attributes),
        (b"\x1b[?1;2c", Answer::Attributes),
        (b"\x1b[>41;388;0c", Answer::Other),
        (b"\x1b[?2026;2$y", Answer::Other),
        (b"\x1b[?1u", Answer::Other),
        (b"\x1b[12;3R", Answer::Column(2)),
        (b"\x1b[?997;1n", Answer::Other),
    ]
}

#[test]
fn keys_are_distinguished() {
    let cases: Vec<(&[u8], Decoded)> = vec![
        (b"\r", key(KeyCode::Enter, M::NONE)),
        (b"\n", key(KeyCode::Char('j'), M::CONTROL)),
        (b"\x1b", key(KeyCode::Esc, M::NONE)),
        (b"\x1b\r", key(KeyCode::Enter, M::ALT)),
        (b"\x1bm", key(KeyCode::Char('m'), M::ALT)),
        (b"\x1b[", key(KeyCode::Char('['), M::ALT)),
        (b"\x1b]", key(KeyCode::Char(']'), M::ALT)),
        (b"\x1bP", key(KeyCode::Char('P'), M::ALT)),
        ("\x1b张".as_bytes(), key(KeyCode::Char('张'), M::ALT)),
        (b"\x1b[A", key(KeyCode::Up, M::NONE)),
        (b"\x1bOA", key(KeyCode::Up, M::NONE)),
        (b"\x1b[1;3A", key(KeyCode::Up, M::ALT)),
        (b"\x1b[1;5H", key(KeyCode::Home, M::CONTROL)),
        (b"\x1b[5~", key(KeyCode::PageUp, M::NONE)),
        (b"\x1b[3;5~", key(KeyCode::Delete, M::CONTROL)),
        (b"\x1bOP", key(KeyCode::F(1), M::NONE)),
        (b"\x1b[[A", key(KeyCode::F(1), M::NONE)),
        (b"\x1b[11~", key(KeyCode::F(1), M::NONE)),
        (b"\x1b[15~", key(KeyCode::F(5), M::NONE)),
        (b"\x1b[24~", key(KeyCode::F(12), M::NONE)),
        (b"\x1b[1;2R", key(KeyCode::F(3), M::SHIFT)),
        (b"\x1b[Z", key(KeyCode::BackTab, M::SHIFT)),
        (b"\x1b[13;2u", key(KeyCode::Enter, M::SHIFT)),
        (b"\x1b[27;2;13~", key(KeyCode::Enter, M::SHIFT)),
        (b"\x1b[97;5u", key(KeyCode::Char('a'), M::CONTROL)),
        (b"\x7f", key(KeyCode::Backspace, M::NONE)),
        (b"\0", key(KeyCode::Char(' '), M::CONTROL)),
        (b"\x1b[I", Decoded::Event(Event::FocusGained)),
        (b"\x1b[O", Decoded::Event(Event::FocusLost)),
    ];
    for (bytes, expected) in cases {
        assert_eq!(
            decoded(bytes),
            [expected],
            "{:?}",
            bytes.escape_ascii().to_string()
        );
    }
    let up = KeyEvent::new(KeyCode::Char('a'), M::NONE);
    let up = KeyEvent {
        kind: crossterm::event::KeyEventKind::Release,
        ..up
    };
    assert_eq!(decoded(b"\x1b[97;1:3u"), [Decoded::Event(Event::Key(up))]);
    assert_eq!(
        decoded(b"\x1b\x1b"),
        [key(KeyCode::Esc, M::NONE), key(KeyCode::Esc, M::NONE)]
    );
    assert_eq!(
        decoded(b"\x1b]x"),
        [key(KeyCode::Char(']'), M::ALT), typed("x")[0].clone()]
    );
}

#[test]
fn mouse_reports_are_decoded() {
    let mouse = |kind, column, row, modifiers| {
        Decoded::Event(Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers,
        }))
    };
    for (bytes, expected) in [
        (
            "\x1b[<0;10;5M",
            mouse(Kind::Down(MouseButton::Left), 9, 4, M::NONE),
        ),
        (
            "\x1b[<0;10;5m",
            mouse(Kind::Up(MouseButton::Left), 9, 4, M::NONE),
        ),
        (
            "\x1b[<32;1;1M",
            mouse(Kind::Drag(MouseButton::Left), 0, 0, M::NONE),
        ),
        ("\x1b[<64;1;2M", mouse(Kind::ScrollUp, 0, 1, M::NONE)),
        ("\x1b[<65;1;2M", mouse(Kind::ScrollDown, 0, 1, M::NONE)),
        ("\x1b[<81;1;2M", mouse(Kind::ScrollDown, 0, 1, M::CONTROL)),
        ("\x1b[<35;300;2M", mouse(Kind::Moved, 299, 1, M::NONE)),
    ] {
        assert_eq!(decoded(bytes.as_bytes()), [expected], "{bytes:?}");
    }
    // A report in the old format is discarded.
    assert_eq!(decoded(b"\x1b[M !!x"), typed("x"));
}

#[test]
fn an_answer_is_never_text_however_it_is_split() {
    for (bytes, answer) in answers() {
        for at in 0..=bytes.len() {
            let mut decoder = Decoder::default();
            decoder.feed(b"a");
            decoder.feed(&bytes[..at]);
            decoder.feed(&bytes[at..]);
            decoder.feed(b"b");
            let expected = [
                typed("a"),
                vec![Decoded::Answer(answer.clone())],
                typed("b"),
            ];
            assert_eq!(
                all(&mut decoder),
                expected.concat(),
                "{answer:?} split at {at}"
            );
            assert_eq!(decoder.awaited(), None);
        }
    }
}

#[test]
fn incomplete_sequences_are_discarded() {
    for bytes in [
        &b"\x1b]11;rgb:1e1e"[..],
        b"\x1bP>|xter",
        b"\x1b[?62;4",
        b"\x1b[12;",
        "关".as_bytes().get(..2).unwrap(),
    ] {
        let mut decoder = Decoder::default();
        decoder.feed(bytes);
        assert_eq!(decoder.awaited(), Some(Awaited::Sequence));
        decoder.give_up();
        decoder.feed(b"ok");
        assert_eq!(all(&mut decoder), typed("ok"));
    }
    // A sequence that is cut off by the next one.
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b]11;rgb:1\x1b[?62c\x1b[A");
    let expected = [
        Decoded::Answer(Answer::Attributes),
        key(KeyCode::Up, KeyModifiers::NONE),
    ];
    assert_eq!(all(&mut decoder), expected);
}

#[test]
fn a_paste_ends_at_its_end_marker_or_after_a_pause() {
    let paste = |text: &str| Decoded::Event(Event::Paste(text.into()));
    assert_eq!(decoded(b"\x1b[200~a\rb\x1b[201~"), [paste("a\rb")]);
    assert_eq!(
        decoded(b"\x1b[200~a\x1b[31mb\x1b[201~"),
        [paste("a\x1b[31mb")]
    );
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b[200~abc");
    assert_eq!(decoder.awaited(), Some(Awaited::Paste));
    assert_eq!(all(&mut decoder), []);
    decoder.give_up();
    decoder.feed(b"\x1b[201~\r");
    let expected = [paste("abc"), key(KeyCode::Enter, KeyModifiers::NONE)];
    assert_eq!(all(&mut decoder), expected);
    // A paste that is too long is truncated, and its end is still found.
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b[200~");
    decoder.feed(&vec![b'x'; PASTE + 100]);
    decoder.feed(b"\x1b[201~y");
    let found = all(&mut decoder);
    assert!(matches!(&found[0], Decoded::Event(Event::Paste(text)) if text.len() == PASTE));
    assert_eq!(found[1..], typed("y"));
}

proptest! {
    /// Any bytes are decoded without a panic, and text typed after a pause is decoded correctly.
    #[test]
    fn any_bytes_are_decoded(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..200usize) {
        let mut decoder = Decoder::default();
        let at = at.min(bytes.len());
        decoder.feed(&bytes[..at]);
        decoder.feed(&bytes[at..]);
        while decoder.awaited().is_some() {
            decoder.give_up();
        }
        while decoder.pop().is_some() {}
        decoder.feed("好k".as_bytes());
        prop_assert_eq!(all(&mut decoder), typed("好k"));
    }

    /// In a mix of keys and answers, no part of an answer is decoded as text, and no typed text is lost.
    #[test]
    fn answers_between_keys_do_not_affect_them(parts in proptest::collection::vec((0..16usize, "[a-z好]{0,3}"), 0..12)) {
        let mut decoder = Decoder::default();
        let mut expected = String::new();
        for (answer, text) in &parts {
            decoder.feed(answers()[*answer].0);
            decoder.feed(text.as_bytes());
            expected.push_str(text);
        }
        let keys: Vec<Decoded> = all(&mut decoder).into_iter().filter(|it| matches!(it, Decoded::Event(_))).collect();
        prop_assert_eq!(keys, typed(&expected));
    }
}
