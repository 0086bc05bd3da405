//! The mouse: the wheel scrolls the widget under the pointer, and a click selects what is shown there.

use crossterm::event::MouseEventKind;
use tchat::chat::{IdentityId, Person, Presence, Role, RoomId, Seq, Via};
use tchat::client::Event as ClientEvent;
use tchat::tui::event::Effect;
use tchat::tui::state::Overlay;
use tchat::tui::timeline::Anchor;

use crate::support::screen::{GENERAL, LI, Screen, TECH, ZHANG, message_entry, room};
use crate::support::terminal::Home;

/// `general` with this many lines.
fn talked(width: u16, height: u16, lines: u64) -> Screen {
    let mut screen = Screen::online(width, height);
    let entries =
        (1..=lines).map(|seq| message_entry(GENERAL, seq, LI, seq, &format!("line {seq} here")));
    screen.receives(ClientEvent::Entries(entries.collect()));
    screen
}

fn person(n: u8) -> Person {
    Person {
        id: IdentityId::new([100 + n; 16]),
        name: format!("person{n:02}"),
        presence: Presence::Online,
        role: Role::Member,
        via: Via::Tchat,
        status: String::new(),
    }
}

#[test]
fn a_click_opens_a_room() {
    let mut screen = talked(120, 24, 5);
    screen.clicks("# tech");
    assert_eq!(screen.state.rooms.current, Some(TECH));
    screen.clicks("@ 李四");
    assert!(screen.shows("@李四 privately ›"));
    // On narrow screens, rooms in the strip can be clicked.
    let mut screen = talked(60, 16, 5);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        TECH, 1, LI, 20, "news",
    )]));
    screen.clicks("#tech 1");
    assert_eq!(screen.state.rooms.current, Some(TECH));
}

#[test]
fn a_click_selects_a_message_and_a_second_click_deselects_it() {
    let mut screen = talked(100, 24, 60);
    screen.clicks("line 50 here");
    let selected = |screen: &Screen| screen.state.current().and_then(|room| room.selected);
    assert_eq!(selected(&screen), Some(Seq(50)));
    assert!(screen.shows("r reply"));
    screen.clicks("line 52 here");
    assert_eq!(selected(&screen), Some(Seq(52)));
    screen.clicks("line 52 here");
    assert_eq!(selected(&screen), None);
    // A click on the hint about new messages below goes there.
    screen.keys("<pgup>");
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 61, ZHANG, 61, "newest",
    )]));
    screen.clicks("↓ 1 new");
    assert!(screen.shows("newest"));
}

#[test]
fn a_click_shows_the_rest_of_long_code() {
    let mut screen = Screen::online(100, 40);
    let code = (1..=40).map(|n| format!("line {n}")).collect::<Vec<_>>();
    let code = code.join("\n");
    let said = message_entry(GENERAL, 1, LI, 1, &format!("```\n{code}\n```"));
    screen.receives(ClientEvent::Entries(vec![said]));
    assert!(!screen.shows("line 30"));
    screen.clicks("32 more");
    assert!(screen.shows("line 30"));
}

#[test]
fn a_click_on_a_person_inserts_their_name() {
    let mut screen = talked(120, 24, 3);
    screen.clicks("张三");
    assert_eq!(screen.state.composer().text(), "@张三 ");
    assert!(screen.shows("@张三 privately ›"));
    let mut screen = talked(120, 24, 3);
    screen.keys("ask");
    screen.clicks("张三");
    assert_eq!(screen.state.composer().text(), "ask @张三 ");
}

#[test]
fn a_click_places_the_cursor() {
    let mut screen = Screen::online(60, 24);
    screen.keys("first 张三李四<a-ret>second");
    screen.clicks("李四");
    screen.keys("x");
    assert_eq!(screen.state.composer().text(), "first 张三x李四\nsecond");
    // A click after the end of a line puts the cursor at its end.
    screen.clicks_at("second", 20);
    screen.keys("y");
    assert_eq!(screen.state.composer().text(), "first 张三x李四\nsecondy");
    // A click on the second column of a wide character puts the cursor before it.
    screen.clicks_at("四", 1);
    screen.keys("z");
    assert_eq!(screen.state.composer().text(), "first 张三x李z四\nsecondy");
}

#[test]
fn a_click_accepts_a_completion() {
    let mut screen = talked(100, 24, 3);
    screen.keys("/th");
    screen.clicks("/theme");
    assert_eq!(screen.state.composer().text(), "/theme ");
}

#[test]
fn in_a_list_a_click_selects_and_a_second_click_confirms() {
    let mut screen = talked(100, 24, 3);
    screen.keys("<c-k>");
    screen.clicks("#tech");
    let Some(Overlay::Pick(picker)) = &screen.state.overlays.top else {
        panic!("{}", screen.text())
    };
    assert!(picker.chosen > 0);
    screen.clicks("#tech");
    assert_eq!(screen.state.rooms.current, Some(TECH));
    // A click outside closes the overlay and reverts a preview.
    screen.keys("<c-u><a-t>");
    screen.effects.clear();
    screen.clicks("paper");
    assert_eq!(screen.effects, [Effect::Theme("paper".into())]);
    screen.state.preferences.theme = "paper".into();
    screen.effects.clear();
    screen.clicks_at("#tech ›", 3);
    assert!(screen.state.overlays.top.is_none());
    assert!(matches!(screen.effects[..], [Effect::Theme(_)]));
    // The click does not reach the widget below.
    screen.keys("<f1>");
    screen.clicks_at("#tech ›", 3);
    assert!(screen.state.overlays.top.is_none() && screen.state.rooms.current == Some(TECH));
}

#[test]
fn the_wheel_scrolls_the_pane_under_the_pointer() {
    let mut screen = talked(120, 24, 60);
    let rooms = (0..40).map(|n| room(RoomId::new([n + 50; 16]), &format!("room{n:02}"), ""));
    screen.is_welcomed(rooms.chain([room(GENERAL, "general", "")]).collect());
    let people = (0..40).map(person).collect();
    screen.receives(ClientEvent::RosterDelta {
        room: GENERAL,
        updated: people,
        removed: Vec::new(),
    });
    let before = screen.rows();
    let anchor = |screen: &Screen| screen.state.current().unwrap().timeline.anchor();

    screen.scrolls("ROOMS", MouseEventKind::ScrollDown);
    screen.scrolls("4 more", MouseEventKind::ScrollDown);
    assert!(
        screen.shows("room10") && !screen.shows("room01"),
        "{}",
        screen.text()
    );
    assert_eq!(anchor(&screen), Anchor::Newest);
    screen.clicks("room10");
    assert_eq!(screen.state.rooms.current, Some(RoomId::new([60; 16])));
    screen.keys("<c-k>general<ret>");

    screen.scrolls("person02", MouseEventKind::ScrollDown);
    assert!(!screen.shows("person02"), "{}", screen.text());
    for _ in 0..30 {
        screen.scrolls("person", MouseEventKind::ScrollDown);
    }
    assert!(screen.shows("person39"), "{}", screen.text());
    for _ in 0..30 {
        screen.scrolls("person", MouseEventKind::ScrollUp);
    }
    assert_eq!(screen.rows()[1], before[1]);

    screen.scrolls("line 55 here", MouseEventKind::ScrollUp);
    assert!(anchor(&screen) != Anchor::Newest);
    // With an overlay open, only its content scrolls.
    let anchor_before = anchor(&screen);
    screen.keys("<f1>");
    let first = screen.rows();
    screen.scrolls("Keys", MouseEventKind::ScrollDown);
    assert_ne!(screen.rows(), first);
    screen.keys("<esc><c-k>");
    screen.scrolls("Enter select", MouseEventKind::ScrollDown);
    let Some(Overlay::Pick(picker)) = &screen.state.overlays.top else {
        panic!("{}", screen.text())
    };
    assert_eq!(picker.chosen, 1);
    assert_eq!(anchor(&screen), anchor_before);
}

#[test]
fn a_click_dismisses_the_notice() {
    let mut screen = talked(100, 24, 5);
    screen.keys("/nosuch<ret>");
    let notice = screen.state.screen.notice.clone();
    assert!(notice.is_some());
    screen.clicks("line 5 here");
    assert!(screen.state.screen.notice.is_none());
}

#[test]
fn clicks_and_the_wheel_work_in_a_real_terminal() {
    let home = Home::new();
    let mut ann = home.opens((100, 24), &[]);
    ann.shows("#general ›");
    ann.sends_line("/join tech");
    ann.shows("#tech ›");
    for n in 1..=40 {
        ann.sends_line(&format!("line {n}"));
    }
    // A line that is being typed or is not stored yet scrolls the timeline back to the newest end. Wait until there is none.
    ann.until("the last line stored", |text| {
        let is_empty = text.lines().any(|row| row.trim() == "#tech ›");
        is_empty && text.contains("line 40") && !text.contains('…')
    });
    ann.types("\x1b[<64;40;10M\x1b[<64;40;10M");
    ann.until("older lines", |text| !text.contains("line 40"));
    let row = ann.text().lines().position(|row| row.contains("# general"));
    ann.types(&format!("\x1b[<0;4;{}M", row.unwrap() + 1));
    ann.shows("#general ›");
}
