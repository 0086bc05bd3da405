//! Overlays: where they are drawn and how they are used.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tchat::chat::{Pin, Refusal, RefusalCode};
use tchat::client::{DisconnectReason, Distrust, Event as ClientEvent, LinkState, Untrusted};
use tchat::tui::content::prompt::prompt;
use tchat::tui::event::{Effect, Event};
use tchat::tui::screen::regions::{OVERLAY_COLUMNS, Regions, regions};
use tchat::tui::theme::{DEFAULT, Depth, Scope, Theme};

use crate::support::screen::{ANN, GENERAL, Screen, message_entry};

/// A room full of long lines, so that anything left beside an overlay would be visible.
fn talked(width: u16, height: u16) -> Screen {
    let mut screen = Screen::online(width, height);
    let long = "words that go on to the end of the row and into the next ".repeat(3);
    // Our own messages, so that nothing is unread; the unread hint would have the colours of an overlay.
    let said = (1..=40).map(|seq| message_entry(GENERAL, seq, ANN, seq, &long));
    screen.receives(ClientEvent::Entries(said.collect()));
    screen
}

fn drawn(screen: &Screen) -> Buffer {
    screen.terminal().backend().buffer().clone()
}

fn parts(screen: &Screen) -> Regions {
    regions(
        &screen.state,
        tchat::text::width(&prompt(&screen.state).text),
    )
}

/// The area of the overlay, found by its background colour.
fn overlay(screen: &Screen) -> Rect {
    let (theme, _) = Theme::built_in(DEFAULT, Depth::True).unwrap();
    let background = theme.style(Scope::Popup).bg.unwrap();
    let buffer = drawn(screen);
    let cells = buffer
        .area
        .positions()
        .filter(|at| buffer[*at].bg == background);
    let all = cells
        .map(|at| Rect::new(at.x, at.y, 1, 1))
        .reduce(Rect::union);
    all.unwrap_or_else(|| panic!("no overlay:\n{}", screen.text()))
}

#[test]
fn an_overlay_starts_at_the_messages_and_hides_the_rest_of_its_rows() {
    let sizes = [(120, 24), (100, 24), (80, 24), (70, 20), (60, 16), (40, 12)];
    let keys = [
        "<f1>",
        "<f2>",
        "<c-k>",
        "<c-l>",
        "<c-t>",
        "<c-f>",
        "<a-t>",
        "/who<ret>",
        "<a-m>+",
    ];
    for (width, height) in sizes {
        for keys in keys {
            let mut screen = talked(width, height);
            let before = drawn(&screen);
            screen.keys(keys);
            let (area, parts) = (overlay(&screen), parts(&screen));
            let (messages, people) = (parts.messages, parts.people);
            let what = format!("{keys} at {width}x{height}\n{}", screen.text());
            assert_eq!((area.x, area.y), (messages.x, messages.y), "{what}");
            assert!(
                area.width <= OVERLAY_COLUMNS && area.bottom() <= parts.rule.y,
                "{what}"
            );
            let after = drawn(&screen);
            let rows = Rect {
                x: 0,
                width,
                ..area
            };
            for at in rows.positions() {
                let is_covered = people.contains(at) && area.right() > people.x;
                if messages.contains(at) || is_covered {
                    assert!(area.contains(at) || after[at].symbol() == " ", "{what}");
                } else {
                    // A pane that is not covered stays complete.
                    assert_eq!(after[at].symbol(), before[at].symbol(), "{what}");
                }
            }
        }
    }
}

#[test]
fn the_draft_stays_visible_below_an_overlay() {
    for (width, height) in [(100, 24), (60, 16), (40, 12)] {
        let mut screen = talked(width, height);
        screen.handles(Event::Paste("one\ntwo\nthree".into()));
        for keys in ["<f1>", "<c-k>"] {
            screen.keys(keys);
            assert!(overlay(&screen).bottom() <= parts(&screen).rule.y);
            for line in ["one", "two", "three"] {
                assert!(screen.shows(line), "{keys}:\n{}", screen.text());
            }
            screen.keys("<esc>");
        }
    }
}

#[test]
fn the_question_about_an_unknown_server_shows_its_key_and_needs_the_whole_word() {
    let pin = Pin::new([7; 32]);
    for (width, height) in [(120, 40), (80, 24), (60, 16), (40, 12)] {
        let mut screen = talked(width, height);
        let untrusted = Untrusted {
            server: "chat.example.org".into(),
            why: Distrust::Unknown(pin),
        };
        let why = DisconnectReason::Untrusted(untrusted);
        screen.receives(ClientEvent::Link(LinkState::Stopped(why)));
        for group in pin.groups().split(' ') {
            assert!(screen.shows(group), "{group}:\n{}", screen.text());
        }
        assert!(screen.shows("Type yes"), "{}", screen.text());
        let rule = &screen.rows()[usize::from(parts(&screen).rule.y)];
        assert!(rule.trim().chars().all(|c| c == '─'), "{}", screen.text());
        screen.effects.clear();
        screen.keys("y<ret>");
        assert_eq!(screen.effects, []);
        screen.keys("es<ret>");
        assert_eq!(screen.effects, [Effect::Trust(pin)]);
        assert!(screen.state.overlays.top.is_none());
    }
}

#[test]
fn the_question_about_a_paste_is_asked_directly_above_the_composer() {
    for (width, height) in [(120, 40), (80, 24), (60, 16)] {
        let mut screen = talked(width, height);
        screen.handles(Event::Paste("line\n".repeat(20)));
        let area = overlay(&screen);
        assert_eq!(area.bottom(), parts(&screen).rule.y, "{}", screen.text());
        assert_eq!(area.x, parts(&screen).messages.x);
        assert!(screen.shows("language ›"));
    }
}

#[test]
fn typing_filters_the_help() {
    let mut screen = Screen::online(100, 30);
    screen.keys("<f1>");
    assert!(screen.shows("Send, or run a command"));
    screen.keys("room");
    assert!(screen.shows("Room above") && screen.shows("/leave [ROOM]"));
    assert!(!screen.shows("Send, or run a command"), "{}", screen.text());
    // A section without a match loses its title too.
    assert!(!screen.shows("On a selected message"));
    // Every word must match, in the keys or in their description, ignoring case.
    screen.keys("<c-u>CTRL+K people");
    assert!(screen.shows("rooms, people, commands"));
    // Letters that are keys in other lists are plain text here.
    screen.keys("<c-u>quit");
    assert!(screen.shows("Ctrl+C, Ctrl+Q") && screen.shows("/quit"));
    screen.keys("<bs>xyz");
    assert!(screen.shows("No matches"));
    // Pasted text also goes into the filter, and none of this into the composer.
    screen.keys("<c-u>");
    screen.handles(Event::Paste("undo\nmore".into()));
    assert!(screen.shows("Ctrl+Z") && !screen.shows("Ctrl+Y"));
    screen.keys("<esc>");
    assert!(screen.state.overlays.top.is_none() && screen.state.composer().is_empty());
    // The key of another overlay opens that one.
    screen.keys("<f1>top<c-k>");
    assert!(screen.shows("Enter select"));
}

#[test]
fn help_can_be_paged_and_has_a_beginning_and_an_end() {
    for keys in ["<f1>", "/do<ret>"] {
        let mut screen = Screen::online(80, 24);
        screen.keys(keys);
        let first = screen.text();
        screen.keys("<end>");
        let last = screen.text();
        assert!(last != first && !screen.shows("↓ "), "{last}");
        screen.keys("<down><pgdn>");
        assert_eq!(screen.text(), last, "this is the end");
        screen.keys("<home>");
        assert_eq!(screen.text(), first);
        screen.keys("<pgdn>");
        let next = screen.text();
        assert!(next != first && next != last);
        screen.keys("<pgup>");
        assert_eq!(screen.text(), first);
        screen.keys("<c-end>");
        assert_eq!(screen.text(), last);
        screen.keys("<c-home><up>");
        assert_eq!(screen.text(), first);
    }
}

#[test]
fn an_event_does_not_close_the_help_while_the_user_types() {
    let mut screen = Screen::online(80, 24);
    screen.keys("<f1>edit");
    let refusal = Refusal::new(RefusalCode::NameTaken)
        .with("ann")
        .with("ann2");
    screen.receives(ClientEvent::Link(LinkState::NameRefused(refusal)));
    assert!(screen.shows("filter: edit"), "{}", screen.text());
    screen.keys("<esc>");
    assert!(screen.shows("Choose another name"));
}

#[test]
fn a_server_that_is_not_recognised_shows_the_next_step_in_the_room() {
    let (seen, server) = (Pin::new([7; 32]), "chat.example.org");
    let before = Some(Pin::new([8; 32]));
    for why in [
        Distrust::Changed { before, seen },
        Distrust::LinkDiffers,
        Distrust::KnownByOtherKey,
    ] {
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let mut screen = talked(width, height);
            let untrusted = Untrusted {
                server: server.into(),
                why: why.clone(),
            };
            let why = DisconnectReason::Untrusted(untrusted);
            screen.receives(ClientEvent::Link(LinkState::Stopped(why)));
            // The words may be on two rows.
            let shown = screen.rows().join(" ");
            let shown: Vec<&str> = shown.split_whitespace().collect();
            let step = format!("`tchat trust {server} --replace`");
            assert!(shown.join(" ").contains(&step), "{}", screen.text());
        }
    }
}
