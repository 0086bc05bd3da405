//! `/clear`: cleared messages stay hidden whatever arrives, and appear again when the user scrolls up or opens one.

use crossterm::event::MouseEventKind;
use tchat::chat::{Entry, FollowResult, Seq, Unread};
use tchat::client::{Command, Event as ClientEvent, LinkState};
use tchat::tui::event::Effect;

use crate::support::screen::{ANN, GENERAL, LI, Screen, TECH, message_entry};

fn line(seq: u64) -> Entry {
    message_entry(GENERAL, seq, LI, seq / 10, &format!("line {seq} here"))
}

/// `general` with the newest hundred of four hundred lines, cleared.
fn cleared() -> Screen {
    let mut screen = Screen::online(80, 24);
    screen.follows(GENERAL, 400);
    screen.receives(ClientEvent::Entries((301..=400).map(line).collect()));
    screen.keys("/clear<ret>");
    assert!(!screen.shows("line 400 here"), "{}", screen.text());
    screen.effects.clear();
    screen
}

/// The pages that were requested.
fn asked(screen: &mut Screen) -> Vec<Seq> {
    let effects = std::mem::take(&mut screen.effects);
    let pages = effects.iter().filter_map(|effect| match effect {
        Effect::Client(Command::LoadOlder { before, .. }) => Some(*before),
        _ => None,
    });
    pages.collect()
}

#[test]
fn cleared_messages_stay_hidden_when_new_ones_arrive() {
    let mut screen = cleared();
    screen.receives(ClientEvent::Entries(vec![line(401)]));
    screen.receives(ClientEvent::Entries(vec![
        line(402),
        message_entry(GENERAL, 403, ANN, 41, "mine"),
    ]));
    assert_eq!(asked(&mut screen), []);
    assert!(screen.shows("line 401 here") && screen.shows("mine"));
    assert!(!screen.shows("line 400 here"));
    // Switching rooms, reconnecting or resizing does not show the cleared messages again either.
    screen.keys("<a-2><a-1>");
    screen.receives(ClientEvent::Link(LinkState::Connecting));
    screen.receives(ClientEvent::Link(LinkState::Online));
    let epoch = screen
        .state
        .room(GENERAL)
        .unwrap()
        .timeline
        .epoch()
        .unwrap();
    screen.receives(ClientEvent::Followed {
        room: GENERAL,
        epoch,
        first: Seq(1),
        last: Seq(403),
        result: FollowResult::Contiguous,
        unread: Unread::none_after(Seq(403)),
    });
    screen.handles(tchat::tui::event::Event::Resize(100, 40));
    assert_eq!(asked(&mut screen), []);
    assert!(!screen.shows("line 400 here") && screen.shows("line 402 here"));
    // Messages of other rooms were not cleared.
    screen.receives(ClientEvent::Entries(vec![message_entry(
        TECH, 1, LI, 1, "in tech",
    )]));
    screen.keys("<a-2>");
    assert!(screen.shows("in tech"));
}

#[test]
fn a_page_requested_before_the_clear_brings_nothing_back() {
    let mut screen = Screen::online(80, 24);
    screen.follows(GENERAL, 400);
    screen.receives(ClientEvent::Entries((301..=400).map(line).collect()));
    assert_eq!(asked(&mut screen), [Seq(301)]);
    screen.keys("/clear<ret>");
    screen.page(GENERAL, 301, (101..301).map(line).collect());
    screen.receives(ClientEvent::Entries(vec![line(401)]));
    assert!(!screen.shows("line 300 here") && screen.shows("line 401 here"));
    assert_eq!(asked(&mut screen), []);
}

#[test]
fn messages_missed_after_the_clear_are_loaded_and_none_before_it() {
    let mut screen = cleared();
    screen.receives(ClientEvent::Entries(vec![line(405)]));
    assert_eq!(asked(&mut screen), [Seq(405)]);
    screen.page(GENERAL, 405, (205..405).map(line).collect());
    assert!(screen.shows("line 401 here") && screen.shows("line 405 here"));
    assert!(!screen.shows("line 400 here"), "{}", screen.text());
    assert_eq!(asked(&mut screen), []);
}

#[test]
fn scrolling_up_shows_cleared_messages_again() {
    for key in ["<pgup>", "<c-home>", "wheel"] {
        let mut screen = cleared();
        screen.receives(ClientEvent::Entries(vec![line(401)]));
        if key == "wheel" {
            screen.scrolls("line 401 here", MouseEventKind::ScrollUp);
        } else {
            screen.keys(key);
        }
        assert_eq!(asked(&mut screen), [Seq(401)], "{key}");
        screen.page(GENERAL, 401, (201..401).map(line).collect());
        screen.keys("<c-end>");
        assert!(screen.shows("line 400 here"), "{key}: {}", screen.text());
    }
    // A second clear hides them again.
    let mut screen = cleared();
    screen.receives(ClientEvent::Entries(vec![line(401)]));
    screen.keys("<pgup>");
    screen.page(GENERAL, 401, (201..401).map(line).collect());
    screen.keys("<c-end>/clear<ret>");
    screen.effects.clear();
    screen.receives(ClientEvent::Entries(vec![line(402)]));
    assert!(!screen.shows("line 401 here") && screen.shows("line 402 here"));
    assert_eq!(asked(&mut screen), []);
}

#[test]
fn opening_a_mention_shows_it_among_the_cleared_messages() {
    let mut screen = cleared();
    let mut calling = line(350);
    calling.mentions = vec![ANN];
    screen.keys("<c-t>");
    screen.receives(ClientEvent::Mentions(vec![calling]));
    screen.keys("<ret>");
    assert_eq!(asked(&mut screen), [Seq(450)]);
    screen.page(GENERAL, 450, (250..=400).map(line).collect());
    assert!(screen.shows("line 350 here"), "{}", screen.text());
}
