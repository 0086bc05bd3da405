//! Selecting messages and choosing from lists: an action always applies to what is shown.

use tchat::chat::{RoomId, Seq, Unread};
use tchat::client::{Command, Event as ClientEvent};
use tchat::tui::event::Effect;
use tchat::tui::state::Overlay;

use crate::support::screen::{ANN, GENERAL, LI, Screen, TECH, message_entry, room};

fn talked(lines: u64) -> Screen {
    let mut screen = Screen::online(100, 24);
    let entries =
        (1..=lines).map(|seq| message_entry(GENERAL, seq, ANN, seq, &format!("line {seq} here")));
    screen.receives(ClientEvent::Entries(entries.collect()));
    screen
}

fn selected(screen: &Screen) -> Option<Seq> {
    screen.state.current().and_then(|room| room.selected)
}

#[test]
fn a_message_is_scrolled_into_view_before_it_can_be_deleted() {
    let mut screen = talked(100);
    screen.keys("<a-m><pgup><pgup>");
    assert!(!screen.shows("line 100 here"));
    screen.keys("d");
    assert!(screen.shows("line 100 here") && screen.shows("Do the same again to delete it"));
    // After scrolling away the question is asked again.
    let effects = screen.keys("<pgup>d");
    assert!(effects.is_empty(), "{effects:?}");
    assert_eq!(screen.keys("d").len(), 1);
}

#[test]
fn the_newest_visible_message_is_selected_first() {
    let mut screen = talked(100);
    screen.keys("<pgup><pgup>");
    let before = screen.rows();
    screen.keys("<a-m>");
    let seq = selected(&screen).unwrap();
    assert!(seq < Seq(100), "{seq:?}");
    assert_eq!(screen.rows()[1..20], before[1..20]);
    assert!(screen.shows(&format!("line {} here", seq.0)));
    assert!(!screen.shows(&format!("line {} here", seq.0 + 1)));
}

#[test]
fn copying_keeps_the_selection_and_folding_selects_the_code() {
    let mut screen = talked(3);
    let code = (1..=30).map(|n| format!("code {n}")).collect::<Vec<_>>();
    let code = format!("```\n{}\n```", code.join("\n"));
    screen.receives(ClientEvent::Entries(vec![
        message_entry(GENERAL, 4, LI, 4, &code),
        message_entry(GENERAL, 5, LI, 5, "a later line"),
    ]));
    screen.state.screen.size.1 = 50;
    let effects = screen.keys("<a-m>y");
    assert_eq!(effects, [Effect::Copy("a later line".into())]);
    assert_eq!(selected(&screen), Some(Seq(5)));
    screen.keys("f");
    assert!(screen.shows("code 30") && selected(&screen) == Some(Seq(4)));
    screen.keys("<esc>");
    assert_eq!(selected(&screen), None);
}

#[test]
fn cleared_messages_come_back_when_the_user_scrolls_up() {
    for key in ["<pgup>", "<c-home>"] {
        let mut screen = talked(100);
        let effects = screen.keys("/clear<ret>");
        assert!(!screen.shows("line 100"));
        let asks = |effect: &Effect| matches!(effect, Effect::Client(Command::LoadOlder { .. }));
        assert!(!effects.iter().any(asks), "{effects:?}");
        let effects = screen.keys(key);
        assert!(effects.iter().any(asks), "{effects:?}");
        let newest = (60..=100).map(|seq| message_entry(GENERAL, seq, ANN, seq, "again"));
        screen.page(GENERAL, 101, newest.collect());
        assert!(screen.shows("again"));
    }
}

#[test]
fn lists_are_paged_show_how_much_is_below_and_open_each_other() {
    let mut screen = talked(3);
    screen.follows_unread(TECH, 0, Unread::none_after(Seq(0)));
    screen.keys("<c-k>");
    let chosen = |screen: &Screen| match &screen.state.overlays.top {
        Some(Overlay::Pick(picker)) => picker.chosen,
        _ => panic!("{}", screen.text()),
    };
    let rows = screen.rows();
    let hint = rows.iter().find(|row| row.contains("Enter select"));
    assert!(hint.unwrap().contains("↓ "), "{}", screen.text());
    screen.keys("<pgdn>");
    assert_eq!(chosen(&screen), 16);
    screen.keys("<pgup>");
    assert_eq!(chosen(&screen), 0);
    for _ in 0..40 {
        screen.keys("<pgdn>");
    }
    let hint = screen.rows();
    let hint = hint.iter().find(|row| row.contains("Enter select"));
    assert!(!hint.unwrap().contains("↓ "), "{}", screen.text());
    // The key of another overlay opens it, and the overlay's own key closes it.
    screen.keys("<c-f>");
    assert!(screen.shows("SEARCH"));
    screen.keys("<f1>");
    assert!(screen.shows("Send, or run a command"));
    screen.keys("<esc><c-f><c-f>");
    assert!(screen.state.overlays.top.is_none());
}

#[test]
fn a_long_search_shows_the_text_at_the_cursor() {
    let mut screen = talked(3);
    screen.keys("<c-f>from:carl in:general after:2026-01-01 今天的天气");
    assert!(screen.shows("天气"), "{}", screen.text());
    let (x, y) = screen.cursor();
    let row = screen.rows()[usize::from(y)].clone();
    let end = row.find("天气").unwrap() + "天气".len();
    assert_eq!(usize::from(x), tchat::text::width(&row[..end]));
    screen.keys("<home>");
    assert!(screen.shows("from:carl"));
}

/// The labels of the open list, in order.
fn labels(screen: &Screen) -> Vec<String> {
    let Some(Overlay::Pick(picker)) = &screen.state.overlays.top else {
        panic!("no list:\n{}", screen.text())
    };
    let rows = tchat::tui::lists::picker::rows(&screen.state, picker);
    rows.into_iter().map(|row| row.label).collect()
}

#[test]
fn the_palette_lists_rooms_and_people_then_commands_then_other_actions() {
    let mut screen = talked(3);
    screen.receives(ClientEvent::Directory(vec![
        room(RoomId::new([70; 16]), "theatre", ""),
        room(RoomId::new([71; 16]), "t-h-e", ""),
    ]));
    screen.keys("<c-k>the");
    let found = labels(&screen);
    assert_eq!(found[..2], ["#theatre", "/theme"]);
    assert!(found.contains(&"Set theme".to_owned()));
    // Scattered letters rank below adjacent ones, even in a room name.
    let scattered = found.iter().position(|label| label == "#t-h-e");
    assert!(scattered > found.iter().rposition(|label| label.contains("the")));
    assert!(found.iter().all(|label| !label.starts_with("Delete to")));
    // With and without the slash, in any case.
    for keys in ["<c-u>/the", "<c-u>THEM"] {
        screen.keys(keys);
        assert_eq!(labels(&screen)[0], "/theme", "{keys}");
    }
    screen.keys("<c-u>@李");
    assert_eq!(labels(&screen)[0], "@李四");
    // Without a filter the groups have the same order.
    screen.keys("<c-u>");
    let all = labels(&screen);
    let place = |label: &str| all.iter().position(|it| it == label).unwrap();
    assert!(place("@张三") < place("/help"));
    assert!(place("/quit") < place("Set theme"));
    assert!(place("Set panes") < place("Room above"));
}
