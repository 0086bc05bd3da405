//! Message rows: the author and the time beside each message, also on the first row of the screen, and their width on narrow screens.

use tchat::chat::{Body, Role, Seq};
use tchat::client::Event as ClientEvent;
use tchat::text::width;

use crate::support::screen::{ANN, GENERAL, LI, Screen, WITH_LI, ZHANG, entry, message_entry};

/// The first message row; the header is above it.
fn top(screen: &Screen) -> String {
    screen.rows()[1].clone()
}

fn has_heading(row: &str, time: &str, name: &str) -> bool {
    row.contains(time) && row.contains(name)
}

#[test]
fn the_first_row_of_the_screen_shows_author_and_time() {
    let mut screen = Screen::online(80, 24);
    let said = (1..=60).map(|seq| message_entry(GENERAL, seq, LI, 10, &format!("line {seq} here")));
    screen.receives(ClientEvent::Entries(said.collect()));
    assert!(top(&screen).contains("line 41 here"), "{}", screen.text());
    assert!(has_heading(&top(&screen), "09:10", "李四"));
    assert!(!screen.rows()[2].contains("李四"), "only the first row");
    // Also after scrolling, and when a message arrives.
    for keys in ["<pgup>", "<pgup>", "<pgdn>"] {
        screen.keys(keys);
        assert!(
            has_heading(&top(&screen), "09:10", "李四"),
            "{}",
            screen.text()
        );
        assert!(!screen.rows()[2].contains("李四"));
    }
    let before = top(&screen);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 61, ZHANG, 11, "hello",
    )]));
    assert_eq!(top(&screen), before);
    // Each message shows its own time.
    let mut screen = Screen::online(80, 24);
    let said =
        (1..=60).map(|seq| message_entry(GENERAL, seq, LI, seq / 20, &format!("line {seq} here")));
    screen.receives(ClientEvent::Entries(said.collect()));
    assert!(
        has_heading(&top(&screen), "09:02", "李四"),
        "{}",
        screen.text()
    );
}

#[test]
fn a_long_message_shows_author_and_time_in_its_middle_too() {
    let rows: Vec<String> = (1..=40).map(|n| format!("row {n} of it")).collect();
    let long = rows.join("\n");
    let answer = Body::Reply {
        to: Seq(1),
        text: long.clone(),
    };
    for body in [Body::Text(long.clone()), answer] {
        let mut screen = Screen::online(80, 24);
        screen.receives(ClientEvent::Entries(vec![
            message_entry(GENERAL, 1, LI, 5, "first"),
            entry(GENERAL, 2, ZHANG, 10, body),
        ]));
        assert!(top(&screen).contains("row 21 of it"), "{}", screen.text());
        assert!(
            has_heading(&top(&screen), "09:10", "张三"),
            "{}",
            screen.text()
        );
    }
    // A private one is marked as private.
    let mut screen = Screen::online(80, 24);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        WITH_LI, 1, LI, 31, &long,
    )]));
    assert!(
        has_heading(&top(&screen), "▎ 09:31", "李四"),
        "{}",
        screen.text()
    );
    // And our own, while it is pending.
    let mut screen = Screen::online(80, 24);
    screen.handles(tchat::tui::event::Event::Paste("one row\n".repeat(12)));
    screen.keys("<ret>");
    screen.handles(tchat::tui::event::Event::Resize(80, 14));
    assert!(
        has_heading(&top(&screen), "… 09:40", "ann"),
        "{}",
        screen.text()
    );
}

#[test]
fn system_lines_get_no_author() {
    let mut screen = Screen::online(80, 24);
    let mut all = vec![entry(
        GENERAL,
        1,
        ZHANG,
        1,
        Body::Topic("a new topic".into()),
    )];
    all.extend(
        (2..=20).map(|seq| message_entry(GENERAL, seq, LI, seq * 6, &format!("line {seq} here"))),
    );
    screen.receives(ClientEvent::Entries(all));
    assert!(top(&screen).contains("a new topic"), "{}", screen.text());
    assert!(!top(&screen).contains("09:01"));
    // After one more row the first row is a message again, with its author and time.
    screen.receives(ClientEvent::Entries(vec![entry(
        GENERAL,
        21,
        ANN,
        200,
        Body::Joined(Role::Member),
    )]));
    assert!(
        has_heading(&top(&screen), "09:12", "李四"),
        "{}",
        screen.text()
    );
}

#[test]
fn on_a_narrow_screen_names_and_times_take_at_most_a_quarter() {
    for columns in 20..48 {
        let mut screen = Screen::online(columns, 12);
        let mut long = message_entry(GENERAL, 2, ZHANG, 10, "TEXT2");
        long.author.name = "a-very-long-name".into();
        screen.receives(ClientEvent::Entries(vec![
            message_entry(GENERAL, 1, LI, 1, "TEXT1"),
            long,
        ]));
        let rows = screen.rows();
        let row = |text: &str| rows.iter().find(|row| row.contains(text)).unwrap();
        assert!(
            row("TEXT1").contains("李四"),
            "{columns}:\n{}",
            screen.text()
        );
        if columns < 36 {
            // Names are before the text and are wrapped with it.
            continue;
        }
        for text in ["TEXT1", "TEXT2"] {
            let row = row(text);
            let before = width(&row[..row.find(text).unwrap()]);
            assert!(before * 4 <= usize::from(columns), "{columns}: {row}");
        }
        assert!(
            row("TEXT2").contains("a-ver"),
            "{columns}: {}",
            row("TEXT2")
        );
        assert!(row("TEXT2").contains('…'), "a cut name ends with a mark");
    }
    // With enough room the time is shown as well.
    let mut screen = Screen::online(60, 16);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 1, LI, 1, "TEXT",
    )]));
    assert!(screen.shows("  09:01 李四       TEXT"), "{}", screen.text());
}
