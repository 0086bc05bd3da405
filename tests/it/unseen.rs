//! Unread messages above the screen: their number is shown, and they stay unread until they have been on the screen.

use std::time::Duration;

use tchat::chat::{Amendment, Author, Body, Entry, Seq, Settings, Unread};
use tchat::client::{Command, Event as ClientEvent};
use tchat::tui::event::{Effect, Event};

use crate::support::screen::{ANN, GENERAL, LI, Screen, TECH, ZHANG, author, entry, message_entry};

/// How long a message must be visible to count as read.
const LOOK_TIME: Duration = Duration::from_secs(1);

/// One line per message, by two people in turn.
fn line(seq: u64) -> Entry {
    let by = if seq.is_multiple_of(2) { LI } else { ZHANG };
    message_entry(GENERAL, seq, by, seq, &format!("line {seq} here"))
}

/// `general`, just opened, with two read messages and this many unread ones.
fn opened(width: u16, height: u16, messages: u32) -> Screen {
    let mut screen = Screen::online(width, height);
    screen.keys("<a-2>");
    let unread = Unread {
        read: Seq(2),
        messages,
        mentions: 0,
    };
    let last = 2 + u64::from(messages);
    screen.follows_unread(GENERAL, last, unread);
    screen.receives(ClientEvent::Entries((1..=last).map(line).collect()));
    screen.keys("<a-1>");
    screen.effects.clear();
    screen
}

/// Unread messages and mentions of `general` as shown, and the read position.
fn unread_and_position(screen: &Screen) -> (u32, u32, u64) {
    let room = screen.state.room(GENERAL).unwrap();
    let (messages, mentions) = screen.state.unread_counts(room);
    (messages, mentions, room.reading.unread.read.0)
}

/// The read positions sent to the server.
fn marked(screen: &mut Screen) -> Vec<u64> {
    let effects = std::mem::take(&mut screen.effects);
    let marks = effects.iter().filter_map(|effect| match effect {
        Effect::Client(Command::MarkRead { seq, .. }) => Some(seq.0),
        _ => None,
    });
    marks.collect()
}

#[test]
fn messages_above_the_screen_are_counted_and_stay_unread() {
    // The message area has twenty rows.
    let mut screen = opened(80, 24, 28);
    assert!(screen.shows("line 30 here") && screen.shows("line 11 here"));
    assert!(!screen.shows("line 10 here"));
    assert!(screen.shows("↑ 8 new above · Alt+U"), "{}", screen.text());
    screen.advances(LOOK_TIME);
    assert_eq!(
        (unread_and_position(&screen), marked(&mut screen)),
        ((8, 0, 2), vec![])
    );
    assert!(screen.shows("unread 8"), "{}", screen.text());
    // Nothing changes any more, so no timer is needed.
    assert!(!screen.state.wants_ticks());
    // The count is the same from another room, and coming back does not change it.
    screen.keys("<a-2>");
    assert_eq!(unread_and_position(&screen), (8, 0, 2));
    screen.keys("<a-1>");
    assert!(screen.shows("↑ 8 new above · Alt+U"));
    // The key goes to the first unread message. Once that was visible, everything is read.
    screen.keys("<a-u>");
    assert!(screen.shows("─ new ─") && screen.shows("line 3 here"));
    assert!(!screen.shows("new above"), "{}", screen.text());
    screen.advances(LOOK_TIME);
    assert_eq!(
        (unread_and_position(&screen), marked(&mut screen)),
        ((0, 0, 30), vec![30])
    );
}

#[test]
fn messages_that_fit_on_the_screen_are_marked_as_read() {
    let mut screen = opened(80, 24, 18);
    assert!(!screen.shows("new above"), "{}", screen.text());
    screen.advances(LOOK_TIME / 2);
    assert_eq!(unread_and_position(&screen).2, 2);
    screen.advances(LOOK_TIME / 2);
    assert_eq!(
        (unread_and_position(&screen), marked(&mut screen)),
        ((0, 0, 20), vec![20])
    );
}

#[test]
fn reading_from_the_first_unread_moves_the_position_page_by_page() {
    let mut screen = opened(80, 24, 60);
    screen.keys("<a-u>");
    // Below the line there are nineteen rows: 3 to 21.
    screen.advances(LOOK_TIME);
    assert_eq!(
        (unread_and_position(&screen), marked(&mut screen)),
        ((41, 0, 21), vec![21])
    );
    // Messages scrolled past in less than `LOOK_TIME` are not read.
    screen.keys("<pgdn>");
    screen.advances(LOOK_TIME / 2);
    screen.keys("<pgdn>");
    screen.advances(LOOK_TIME / 2);
    assert_eq!(
        (unread_and_position(&screen).2, marked(&mut screen)),
        (21, vec![])
    );
    screen.advances(LOOK_TIME / 2);
    assert_eq!(
        unread_and_position(&screen).2,
        21,
        "the page between was not read"
    );
    assert!(screen.shows("new above"), "{}", screen.text());
    screen.keys("<pgup>");
    screen.advances(LOOK_TIME);
    let (read, marks) = (unread_and_position(&screen).2, marked(&mut screen));
    assert!(read > 40 && marks == [read], "{read} {marks:?}");
}

#[test]
fn a_message_taller_than_the_screen_is_read_once_its_beginning_was_shown() {
    let mut screen = Screen::online(80, 24);
    let unread = Unread {
        read: Seq(2),
        messages: 1,
        mentions: 0,
    };
    screen.keys("<a-2>");
    screen.follows_unread(GENERAL, 3, unread);
    let rows: Vec<String> = (1..=30).map(|n| format!("row {n} of it")).collect();
    let long = message_entry(GENERAL, 3, LI, 3, &rows.join("\n"));
    screen.receives(ClientEvent::Entries(vec![line(1), line(2), long]));
    screen.keys("<a-1>");
    assert!(screen.shows("row 30 of it") && screen.shows("↑ 1 new above"));
    screen.advances(LOOK_TIME);
    assert_eq!(unread_and_position(&screen), (1, 0, 2));
    screen.keys("<a-u>");
    assert!(screen.shows("row 1 of it") && !screen.shows("new above"));
    screen.advances(LOOK_TIME);
    assert_eq!(unread_and_position(&screen), (0, 0, 3));
}

#[test]
fn new_visible_messages_are_read_and_those_above_the_screen_stay_unread() {
    let mut screen = opened(80, 24, 28);
    screen.advances(LOOK_TIME);
    screen.receives(ClientEvent::Entries((31..=33).map(line).collect()));
    assert!(screen.shows("↑ 8 new above · Alt+U"), "{}", screen.text());
    screen.advances(LOOK_TIME);
    assert_eq!(unread_and_position(&screen), (8, 0, 2));
    // Our own reply does not mark messages that were not visible.
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 34, ANN, 34, "I see",
    )]));
    screen.advances(LOOK_TIME);
    assert_eq!(
        (unread_and_position(&screen), marked(&mut screen)),
        ((8, 0, 2), vec![])
    );
    // Without focus, new messages are unread wherever they are.
    screen.handles(Event::Focus(false));
    screen.receives(ClientEvent::Entries((35..=36).map(line).collect()));
    assert_eq!(unread_and_position(&screen), (10, 0, 2));
    screen.handles(Event::Focus(true));
    screen.advances(LOOK_TIME);
    assert_eq!(unread_and_position(&screen), (8, 0, 2));
}

#[test]
fn mentions_above_the_screen_are_counted_separately() {
    let mut screen = Screen::online(80, 24);
    screen.keys("<a-2>");
    let unread = Unread {
        read: Seq(2),
        messages: 28,
        mentions: 2,
    };
    screen.follows_unread(GENERAL, 30, unread);
    let mentioning = |seq: u64| Entry {
        mentions: vec![ANN],
        ..line(seq)
    };
    let all = (1..=30).map(|seq| {
        if seq == 5 || seq == 20 {
            mentioning(seq)
        } else {
            line(seq)
        }
    });
    screen.receives(ClientEvent::Entries(all.collect()));
    assert_eq!(unread_and_position(&screen), (28, 2, 2));
    screen.keys("<a-1>");
    screen.advances(LOOK_TIME);
    assert_eq!(unread_and_position(&screen), (8, 1, 2));
    // A visible one may be edited or deleted.
    let amends = |seq, target, what| {
        let target = Seq(target);
        entry(GENERAL, seq, LI, 40, Body::Amendment { target, what })
    };
    let edit = Amendment::Edit("nobody is meant".into());
    screen.receives(ClientEvent::Entries(vec![amends(31, 20, edit)]));
    screen.receives(ClientEvent::Entries(vec![amends(32, 22, Amendment::Erase)]));
    screen.keys("<a-2>");
    let unread = Unread {
        read: Seq(2),
        messages: 27,
        mentions: 1,
    };
    let epoch = screen
        .state
        .room(GENERAL)
        .unwrap()
        .timeline
        .epoch()
        .unwrap();
    screen.receives(ClientEvent::ReadPositionChanged {
        room: GENERAL,
        epoch,
        last: Seq(32),
        unread,
    });
    assert_eq!(unread_and_position(&screen), (8, 1, 2));
}

#[test]
fn messages_read_in_another_terminal_are_read_here_too() {
    let mut screen = opened(80, 24, 28);
    screen.advances(LOOK_TIME);
    let epoch = screen
        .state
        .room(GENERAL)
        .unwrap()
        .timeline
        .epoch()
        .unwrap();
    screen.receives(ClientEvent::ReadPositionChanged {
        room: GENERAL,
        epoch,
        last: Seq(30),
        unread: Unread {
            read: Seq(10),
            messages: 20,
            mentions: 0,
        },
    });
    assert!(!screen.shows("new above"), "{}", screen.text());
    // The rest was visible on this screen before.
    screen.advances(LOOK_TIME);
    assert_eq!(
        (unread_and_position(&screen), marked(&mut screen)),
        ((0, 0, 30), vec![30])
    );
}

#[test]
fn messages_of_ignored_people_above_the_screen_are_not_unread() {
    let mut screen = opened(80, 24, 28);
    screen.advances(LOOK_TIME);
    let ignored: Vec<Author> = vec![author(LI)];
    screen.receives(ClientEvent::Settings(Settings {
        ignored,
        ..Settings::default()
    }));
    let epoch = screen
        .state
        .room(GENERAL)
        .unwrap()
        .timeline
        .epoch()
        .unwrap();
    screen.receives(ClientEvent::ReadPositionChanged {
        room: GENERAL,
        epoch,
        last: Seq(30),
        unread: Unread {
            read: Seq(2),
            messages: 14,
            mentions: 0,
        },
    });
    // Half of the messages are hidden, so all of the others fit.
    screen.advances(LOOK_TIME);
    assert_eq!(unread_and_position(&screen), (0, 0, 30));
}

#[test]
fn pressing_ctrl_end_at_the_bottom_marks_everything_as_read() {
    let mut screen = opened(80, 24, 60);
    screen.keys("<pgup><c-end>");
    assert_eq!(
        unread_and_position(&screen),
        (40, 0, 2),
        "the first press only scrolls"
    );
    screen.keys("<c-end>");
    assert_eq!(
        (unread_and_position(&screen), marked(&mut screen)),
        ((0, 0, 62), vec![62])
    );
    assert!(screen.shows("Marked everything here as read"));
    assert!(!screen.shows("new above"));
}

#[test]
fn the_hint_fits_every_screen_and_a_click_jumps_to_the_first_unread() {
    for (width, height) in [(120, 30), (80, 24), (60, 16), (40, 12)] {
        let mut screen = opened(width, height, 60);
        assert!(screen.shows("new above · Alt+U"), "{}", screen.text());
        screen.clicks("new above");
        assert!(screen.shows("line 3 here"), "{}", screen.text());
    }
    let mut screen = opened(80, 24, 60);
    screen.state.preferences.strings = &tchat::tui::strings::CHINESE;
    assert!(
        screen.shows("上方有 40 条新消息 · Alt+U"),
        "{}",
        screen.text()
    );
    // Another notice hides it.
    let mut screen = opened(40, 12, 60);
    screen.keys("/nosuch<ret>");
    assert!(screen.shows("There is no command") && !screen.shows("new above"));
}

#[test]
fn unread_messages_that_are_not_loaded_are_loaded_from_the_first_one() {
    let mut screen = Screen::online(80, 24);
    screen.keys("<a-2>");
    let unread = Unread {
        read: Seq(2),
        messages: 498,
        mentions: 0,
    };
    screen.follows_unread(GENERAL, 500, unread);
    screen.receives(ClientEvent::Entries((301..=500).map(line).collect()));
    screen.keys("<a-1>");
    assert!(screen.shows("↑ 478 new above"), "{}", screen.text());
    screen.advances(LOOK_TIME);
    assert_eq!(unread_and_position(&screen), (478, 0, 2));
    let effects = screen.keys("<a-u>");
    let older = effects.iter().find_map(|effect| match effect {
        Effect::Client(Command::LoadOlder { before, .. }) => Some(before.0),
        _ => None,
    });
    let before = older.unwrap();
    assert!((4..=204).contains(&before), "{before}");
    screen.page(GENERAL, before, (1..before).map(line).collect());
    assert!(
        screen.shows("─ new ─") && screen.shows("line 3 here"),
        "{}",
        screen.text()
    );
    screen.effects.clear();
    screen.advances(LOOK_TIME);
    let read = unread_and_position(&screen).2;
    assert!(
        (3..40).contains(&read),
        "only what is on the screen: {read}"
    );
    assert_eq!(marked(&mut screen), [read]);
}

#[test]
fn unread_messages_of_other_rooms_are_all_counted() {
    let mut screen = Screen::online(80, 24);
    screen.receives(ClientEvent::Entries(
        (1..=5)
            .map(|seq| message_entry(TECH, seq, LI, seq, "news"))
            .collect(),
    ));
    let tech = screen.state.room(TECH).unwrap();
    assert_eq!(screen.state.unread_counts(tech), (5, 0));
}
