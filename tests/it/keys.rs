//! Keys of one's own, presets, a text in one's own editor, and long texts that are pasted.

use std::process::Command;

use ratatui::style::Color;
use tchat::chat::Body;
use tchat::tui::event::{Effect, Event};
use tchat::tui::input::keymap::{Keymap, Preset};
use tchat::tui::theme::{Depth, Scope, Theme};

use crate::support::screen::Screen;
use crate::support::terminal::Home;

const WIDE: (u16, u16) = (100, 24);

fn config(home: &Home, text: &str) -> String {
    let path = home.file("config.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// The error that the program prints for a config file.
fn complaint(text: &str) -> String {
    let home = Home::new();
    let path = config(&home, text);
    let mut command: Command = home.command(&["--config", &path]);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).replace(&path, "config.toml")
}

#[test]
fn a_wrong_key_binding_is_reported_with_its_line() {
    for (text, line, why) in [
        (
            "[keys.composer]\n\"ctrl+hyper\" = \"send\"\n",
            2,
            "there is no key 'ctrl+hyper'",
        ),
        (
            "\n[keys.composer]\n\"f5\" = \"serch\"\n",
            3,
            "there is no action 'serch'; did you mean 'search'?",
        ),
        (
            "[keys]\npreset = \"vi\"\n",
            2,
            "there is no preset 'vi'; use default or emacs",
        ),
        (
            "[keys.composer]\n\"f5\" = \"search\"\n\"F5\" = \"lobby\"\n",
            3,
            "'F5' conflicts with 'F5' in line 2",
        ),
        (
            "[keys.composer]\n\"ctrl+x ctrl+s\" = \"send\"\n\"ctrl+x\" = \"quit\"\n",
            3,
            "'ctrl+x' conflicts with 'Ctrl+X Ctrl+S' in line 2",
        ),
        (
            "[keys.selection]\n\"f f\" = \"turn-fold\"\n",
            2,
            "work only in [keys.composer]",
        ),
        (
            "[keys.composer]\na = \"search\"\n",
            2,
            "make it impossible to type 'a'",
        ),
        (
            "[keys.composer]\n\"alt+d\" = \"delete-selected\"\n",
            2,
            "'delete-selected' does nothing in [keys.composer]",
        ),
        (
            "[keys.selection]\nz = \"fold\"\n",
            2,
            "did you mean 'turn-fold'?",
        ),
        ("[keys.nowhere]\n", 1, "unknown key 'nowhere'"),
        (
            "[keys.composr]\n",
            1,
            "unknown key 'composr'; did you mean 'composer'?",
        ),
        (
            "[keys.composer]\nenter = \"none\"\n",
            2,
            "no key is left for 'send'",
        ),
    ] {
        let said = complaint(text);
        assert!(
            said.contains(&format!("'config.toml', line {line}, at ")),
            "{said}"
        );
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn custom_keys_run_their_actions() {
    let home = Home::new();
    let path = config(
        &home,
        "[keys]\npreset = \"emacs\"\n[keys.composer]\n\"f5\" = \"lobby\"\n\"ctrl+t\" = \"none\"\n\"ctrl+x p\" = \"palette\"\n",
    );
    let mut ann = home.opens(WIDE, &["--config", &path]);
    ann.shows("#general ›");
    ann.types("\x1b[15~");
    ann.shows("LOBBY");
    ann.types("\x07");
    ann.until("the lobby to close", |text| !text.contains("LOBBY"));
    ann.types("\x18");
    ann.shows("Ctrl+X …");
    ann.types("p");
    ann.shows("Enter select");
    ann.types("\x07");
    ann.until("the palette to close", |text| {
        !text.contains("Enter select")
    });
    ann.types("\x18q");
    ann.shows("Ctrl+X q does nothing");
    // The composer uses the keys of the preset, and help shows the custom ones.
    ann.types("abcd\x02\x02\x0b");
    ann.shows("#general › ab");
    ann.types("\x1bOP");
    ann.shows("Send, or run a command");
    ann.types("people and");
    ann.shows("Alt+X, Ctrl+X p");
}

#[test]
fn emoji_are_completed_by_their_short_names() {
    let mut screen = Screen::online(80, 24);
    screen.keys("done :smi");
    assert!(screen.shows(":smile:"), "{}", screen.text());
    // Only a selected completion is accepted.
    screen.keys("le<tab>");
    assert_eq!(screen.state.composer().text(), "done 😄 ");
    screen.keys("<c-u>:+1<tab>");
    assert_eq!(screen.state.composer().text(), "👍 ");
    for text in [":D", "10:30", "note:", "好:smi", ":)", ":: x"] {
        screen.keys("<c-u>");
        screen.keys(text);
        assert!(screen.state.input.popup.is_none(), "{text}");
    }
    screen.keys("<c-u>:smile<ret>");
    assert!(screen.shows(":smile"));
}

#[test]
fn another_key_preset_applies_at_once() {
    let mut screen = Screen::online(100, 30);
    assert!(screen.keys("<c-k>").is_empty());
    assert!(screen.shows("Enter select"));
    screen.keys("<esc>");
    screen.state.input.keymap = Keymap::default().with(Preset::Emacs);
    // Hints always show the keys that work.
    let wish = tchat::tui::input::keymap::UserBinding {
        context: tchat::tui::input::keymap::Context::Composer,
        keys: "f1".parse().unwrap(),
        action: None,
    };
    let other = tchat::tui::input::keymap::UserBinding {
        keys: "f7".parse().unwrap(),
        action: Some(tchat::tui::input::keymap::Action::Help),
        ..wish.clone()
    };
    assert!(screen.shows("F1 help"));
    screen.state.input.keymap = Keymap::new(Preset::Emacs, vec![wish, other]);
    assert!(screen.shows("F7 help") && !screen.shows("F1 help"));
    screen.keys("one two<c-b><c-b><c-b><c-k>");
    assert!(screen.shows("#general › one") && !screen.shows("two"));
    screen.keys("<c-b><c-b><c-t>");
    assert!(screen.shows("#general › oen"), "{}", screen.text());
}

#[test]
fn text_from_the_editor_is_put_into_the_composer_and_can_be_undone() {
    let mut screen = Screen::online(100, 30);
    screen.keys("关键 text");
    let effects = screen.keys("<c-x><c-e>");
    let room = screen.state.rooms.current;
    let text = "关键 text".into();
    assert_eq!(effects, [Effect::Edit { room, text }]);
    let edited = |room, text: Result<&str, &str>| Event::Edited {
        room,
        text: text.map(str::to_owned).map_err(str::to_owned),
    };
    screen.handles(edited(room, Ok("one\ntwo")));
    assert!(screen.shows("› one") && screen.shows("two"));
    screen.keys("<c-z>");
    screen.keys("<c-z>");
    assert!(screen.shows("关键 text"), "{}", screen.text());
    screen.handles(edited(room, Err("cannot run 'vi': it is not there")));
    assert!(screen.shows("cannot run 'vi'") && screen.shows("关键 text"));
    // If the user has switched rooms meanwhile, the text goes to the room it was written in.
    screen.keys("<a-down>");
    screen.handles(edited(room, Ok("for the first room")));
    assert!(!screen.shows("for the first room"));
    screen.keys("<a-up>");
    assert!(screen.shows("for the first room"));
}

#[test]
fn the_external_editor_gets_the_terminal() {
    let home = Home::new();
    let path = config(
        &home,
        "editor = \"sh -c 'printf edited: ; cat \\\"$0\\\"; printf \\\"more 关键\\\\n\\\" >> \\\"$0\\\"; sleep 0.3'\"\n",
    );
    let mut ann = home.opens(WIDE, &["--config", &path]);
    ann.shows("#general ›");
    ann.types("first");
    ann.shows("› first");
    ann.types("\x18\x05");
    ann.shows("edited:first");
    ann.shows("more 关键");
    ann.shows("#general › first");
    // The terminal was restored completely: keys, colours, alternate screen.
    ann.types("\x15");
    ann.types("typed after");
    ann.shows("typed after");
    ann.types("\r");
    ann.shows("typed after");
    ann.types("\x03");
    assert!(ann.ends());
    ann.is_restored();
}

fn lines(count: usize) -> String {
    let lines: Vec<String> = (1..=count).map(|n| format!("line {n}\n")).collect();
    lines.concat()
}

#[test]
fn a_long_paste_can_become_a_code_block_and_is_never_sent() {
    let mut screen = Screen::online(100, 40);
    screen.handles(Event::Paste(lines(15)));
    assert!(
        screen.state.overlays.top.is_none(),
        "fifteen lines are not long"
    );
    screen.keys("<c-z>");
    screen.state.composer_mut().clear();
    screen.effects.clear();
    screen.handles(Event::Paste(lines(20)));
    assert!(screen.shows("20 lines") && screen.shows("language ›"));
    screen.keys("rust<ret>");
    let text = screen.state.composer().text();
    assert_eq!(text, format!("```rust\n{}```\n", lines(20)));
    // After other text it begins on a new line, and a longer fence is used if the paste contains one.
    screen.state.composer_mut().clear();
    screen.keys("look:");
    screen.handles(Event::Paste(format!("{}```\ninner\n````\n", lines(16))));
    screen.keys("<ret>");
    let text = screen.state.composer().text();
    assert!(
        text.starts_with("look:\n`````\nline 1\n") && text.ends_with("````\n`````\n"),
        "{text}"
    );
    screen.state.composer_mut().clear();
    screen.handles(Event::Paste(lines(20)));
    screen.keys("<esc>");
    assert_eq!(screen.state.composer().text(), lines(20));
    let posts =
        |effect: &Effect| matches!(effect, Effect::Client(tchat::client::Command::Post { .. }));
    assert!(!screen.effects.iter().any(posts), "nothing was sent");
}

#[test]
fn a_pasted_line_is_sent_as_it_was_copied() {
    let sent = |screen: &mut Screen| {
        let effects = screen.keys("<ret>");
        effects.into_iter().find_map(|effect| match effect {
            Effect::Client(tchat::client::Command::Post { post, .. }) => Some(post.body),
            _ => None,
        })
    };
    for text in ["//cdn.example/x.js", "\\@ann is not mentioned", "// TODO"] {
        let mut screen = Screen::online(100, 30);
        screen.handles(Event::Paste(text.into()));
        assert_eq!(sent(&mut screen), Some(Body::Text(text.into())), "{text}");
    }
    // A backslash is only added where the text begins.
    let mut screen = Screen::online(100, 30);
    screen.keys("see ");
    screen.handles(Event::Paste("//cdn.example/x.js".into()));
    assert_eq!(
        sent(&mut screen),
        Some(Body::Text("see //cdn.example/x.js".into()))
    );
}

#[test]
fn themes_are_previewed_while_choosing() {
    let mut screen = Screen::online(100, 30);
    let theme = |effects: Vec<Effect>| match effects.last() {
        Some(Effect::Theme(name)) => Some(name.clone()),
        _ => None,
    };
    screen.keys("<a-t>");
    assert!(screen.shows("dusk") && screen.shows("current"));
    let next = screen.state.preferences.themes[1].clone();
    assert_eq!(theme(screen.keys("<down>")), Some(next.clone()));
    // As the main loop does.
    screen.state.preferences.theme = next;
    assert_eq!(theme(screen.keys("<esc>")), Some("dusk".into()));
    screen.state.preferences.theme = "dusk".into();
    screen.keys("/theme<ret>");
    let paper = theme(screen.keys("pap"));
    assert_eq!(paper, Some("paper".into()));
    screen.state.preferences.theme = "paper".into();
    assert_eq!(theme(screen.keys("<ret>")), None, "it was applied already");
    assert!(screen.state.overlays.top.is_none());
}

#[test]
fn a_theme_is_previewed_on_the_room_in_a_real_terminal() {
    let ground = |theme: &str| {
        let (theme, _) = Theme::built_in(theme, Depth::True).unwrap();
        match theme.style(Scope::Background).bg {
            Some(Color::Rgb(r, g, b)) => format!("48;2;{r};{g};{b}m"),
            other => panic!("{other:?}"),
        }
    };
    let home = Home::new();
    let mut ann = home.opens(WIDE, &["--theme", "dusk"]);
    ann.shows("#general ›");
    ann.sends_line("some words in the room");
    ann.shows("some words in the room");
    assert!(!ann.written().contains(&ground("night")));
    ann.types("\x1bt");
    ann.shows("current");
    ann.types("\x1b[B");
    ann.until_written(&ground("night"));
    let before = ann.written().len();
    ann.types("\x1b");
    ann.until("the end of the list", |text| !text.contains("current"));
    assert!(
        ann.written()[before..].contains(&ground("dusk")),
        "Esc takes it back"
    );
    ann.types("\x1bt\x1b[B\r");
    ann.until("the end of the list", |text| !text.contains("current"));
    ann.sends_line("/set theme");
    ann.shows("theme is night");
}
