//! Shortcut keys: go to a room by its number, clear the draft, redraw the screen, open a link.

use tchat::chat::{Body, Seq};
use tchat::client::{Command, Event as ClientEvent};
use tchat::tui::event::{Effect, Event};
use tchat::tui::state::Overlay;

use crate::support::screen::{ANN, GENERAL, LI, Screen, TECH, WITH_LI, entry, message_entry};
use crate::support::terminal::{self, Home};

#[test]
fn alt_and_a_digit_open_that_room_of_the_list() {
    let mut screen = Screen::online(100, 24);
    for (key, room) in [("<a-2>", TECH), ("<a-3>", WITH_LI), ("<a-1>", GENERAL)] {
        screen.keys(key);
        assert_eq!(screen.state.rooms.current, Some(room), "{key}");
    }
    // The draft stays in its room.
    screen.keys("half a line<a-2>");
    assert!(screen.state.composer().is_empty());
    screen.keys("<a-1>");
    assert_eq!(screen.state.composer().text(), "half a line");
    // A number without a room changes nothing, and is explained.
    screen.keys("<a-9>");
    assert_eq!(screen.state.rooms.current, Some(GENERAL));
    assert!(screen.shows("There is no room 9 in the list"));
    // A conversation that was left is not in the list.
    let left = screen.keys("<c-u><a-3>/leave<ret>");
    assert_eq!(left, [Effect::Client(Command::Leave(WITH_LI))]);
    screen.receives(ClientEvent::Left(WITH_LI));
    assert!(
        screen.shows("Hidden until the next message"),
        "{}",
        screen.text()
    );
    screen.keys("<a-3>");
    assert_eq!(screen.state.rooms.current, Some(GENERAL));
    assert!(screen.shows("There is no room 3 in the list"));
    // Help shows one line for all nine.
    screen.keys("<f1>nth room");
    assert!(screen.shows("Alt+1 … Alt+9"), "{}", screen.text());
}

#[test]
fn a_key_clears_the_whole_draft_and_undo_restores_it() {
    let mut screen = Screen::online(100, 24);
    let text = |screen: &Screen| screen.state.composer().text();
    // From any position in it, including all lines.
    screen.keys("one<a-ret>two<up>x<a-c>");
    assert_eq!(text(&screen), "");
    screen.keys("<c-z>");
    assert_eq!(text(&screen), "onex\ntwo");
    // It can be pasted in another room.
    screen.keys("<a-c><a-2><c-y>");
    assert_eq!(text(&screen), "onex\ntwo");
    // Clearing an empty draft keeps the text cut before.
    screen.keys("<a-c><a-c><c-y>");
    assert_eq!(text(&screen), "onex\ntwo");
    // In an overlay it clears the text of the overlay.
    screen.keys("<c-k>gen<a-c>");
    let Some(Overlay::Pick(picker)) = &screen.state.overlays.top else {
        panic!("{}", screen.text())
    };
    assert!(picker.filter.is_empty());
}

#[test]
fn a_key_redraws_the_screen_and_changes_nothing() {
    for keys in [
        "",
        "<f1>",
        "<c-k>x",
        "<a-m>",
        "half a line",
        "@",
        "/nosuch<ret>",
    ] {
        let mut screen = Screen::online(100, 24);
        screen.receives(ClientEvent::Entries(vec![message_entry(
            GENERAL, 1, LI, 1, "hello",
        )]));
        screen.keys(keys);
        let before = screen.text();
        assert_eq!(screen.keys("<c-a-l>"), [Effect::Redraw], "{keys}");
        assert_eq!(screen.text(), before, "{keys}");
    }
}

#[test]
fn redrawing_overwrites_the_output_of_other_programs() {
    let home = Home::new();
    let mut ann = home.opens((100, 24), &[]);
    ann.shows("everybody meets here");
    let drawn = |screen: &terminal::Screen| {
        let written = screen.written();
        written.matches("everybody meets here").count()
    };
    let before = drawn(&ann);
    ann.types("\x1b\x0c");
    ann.until("the screen again", |_| drawn(&ann) > before);
    ann.shows("#general ›");
}

/// A screen with a selected message.
fn selected(text: &str) -> Screen {
    let mut screen = Screen::online(100, 24);
    screen.state.preferences.has_desktop = true;
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 1, LI, 1, text,
    )]));
    screen.keys("<a-m>");
    screen
}

fn opens(address: &str) -> Vec<Effect> {
    vec![Effect::Open(address.into())]
}

#[test]
fn a_selected_message_opens_its_link() {
    for (text, address) in [
        ("see https://example.org/a, please", "https://example.org/a"),
        ("[here](https://example.org/b)", "https://example.org/b"),
        ("[write](mailto:ann@example.org)", "mailto:ann@example.org"),
        (
            "https://example.org/c and https://example.org/c again",
            "https://example.org/c",
        ),
    ] {
        let mut screen = selected(text);
        assert_eq!(screen.keys("o"), opens(address), "{text}");
        assert!(screen.shows(&format!("Opening {address}")));
    }
    let mut screen = selected("no link in it, only words");
    assert!(screen.keys("o").is_empty());
    assert!(screen.shows("This message has no link"));
    // Errors are shown.
    let why = "cannot open the link: install 'xdg-open' first";
    screen.handles(Event::CannotOpen(why.into()));
    assert!(screen.shows(why));
}

#[test]
fn with_several_links_the_user_chooses_one() {
    let text = "https://example.org/one, https://example.org/two and https://example.org/three";
    let mut screen = selected(text);
    assert!(screen.keys("o").is_empty());
    assert!(screen.shows("LINKS") && screen.shows("Enter open"));
    assert_eq!(screen.keys("<down><ret>"), opens("https://example.org/two"));
    assert!(screen.state.overlays.top.is_none());
    screen.keys("o");
    assert_eq!(screen.keys("thr<ret>"), opens("https://example.org/three"));
    screen.keys("o<esc>");
    assert!(screen.state.overlays.top.is_none() && screen.effects.is_empty());
}

#[test]
fn without_a_desktop_the_link_is_copied() {
    let mut screen = selected("see https://example.org/a");
    screen.state.preferences.has_desktop = false;
    let copied = vec![Effect::Copy("https://example.org/a".into())];
    assert_eq!(screen.keys("o"), copied);
    assert!(screen.shows("copied https://example.org/a"));
}

#[test]
fn opening_a_reply_opens_its_link_or_the_original_message() {
    let answer = |text: &str| Body::Reply {
        to: Seq(1),
        text: text.into(),
    };
    let mut screen = selected("the question");
    screen.receives(ClientEvent::Entries(vec![
        entry(GENERAL, 2, ANN, 2, answer("without a link")),
        entry(GENERAL, 3, ANN, 3, answer("https://example.org/a")),
    ]));
    let at = |screen: &Screen| screen.state.current().and_then(|room| room.selected);
    screen.keys("<down>o");
    assert_eq!(at(&screen), Some(Seq(1)));
    screen.keys("<down><down>");
    assert_eq!(screen.keys("o"), opens("https://example.org/a"));
    screen.keys("p");
    assert_eq!(at(&screen), Some(Seq(1)));
}
