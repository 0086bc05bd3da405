//! Loading older entries: pages, gaps and what the server no longer has.

use super::*;

/// A room with this many messages, of which the newest 200 are loaded.
fn long_room(screen: &mut Screen, count: u64) {
    screen.follows(GENERAL, count);
    screen.receives(ClientEvent::Gap {
        room: GENERAL,
        from: Seq(1),
        to: Seq(count - 200),
    });
    let entries = (count - 199..=count).map(numbered).collect();
    screen.receives(ClientEvent::Entries(entries));
}

pub(super) fn numbered(seq: u64) -> Entry {
    // Some are long, so that heights differ.
    let long = if seq.is_multiple_of(7) {
        "x ".repeat(100)
    } else {
        String::new()
    };
    message_entry(
        GENERAL,
        seq,
        if seq.is_multiple_of(2) { LI } else { ZHANG },
        seq,
        &format!("#{seq}# {long}"),
    )
}

/// Answers every requested page.
fn load(screen: &mut Screen) {
    while let Some(place) = screen
        .effects
        .iter()
        .position(|effect| matches!(effect, Effect::Client(Command::LoadOlder { .. })))
    {
        let Effect::Client(Command::LoadOlder { before, .. }) = screen.effects.remove(place) else {
            return;
        };
        let from = before.0.saturating_sub(200).max(1);
        screen.page(GENERAL, before.0, (from..before.0).map(numbered).collect());
    }
}

/// The numbers of the messages on the screen.
pub(super) fn numbers(screen: &Screen) -> Vec<u64> {
    screen
        .rows()
        .iter()
        .filter_map(|row| row.split('#').find_map(|part| part.parse().ok()))
        .collect()
}

#[test]
fn paging_up_through_5000_messages_reaches_the_first_without_a_jump() {
    let mut screen = Screen::online(80, 24);
    long_room(&mut screen, 5000);
    let mut seen: Vec<u64> = numbers(&screen);
    assert_eq!(seen.last(), Some(&5000));
    let mut pages = 0;
    while seen[0] != 1 {
        let top = seen[0];
        screen.keys("<pgup>");
        load(&mut screen);
        let shown = numbers(&screen);
        assert!(
            shown.windows(2).all(|pair| pair[1] == pair[0] + 1),
            "{shown:?}"
        );
        assert!(
            shown.last().unwrap() + 1 >= top && shown[0] <= top,
            "from {top} to {shown:?}"
        );
        seen = shown;
        pages += 1;
        assert!(pages < 2000, "the first message is not reached");
    }
    screen.keys("<c-end>");
    assert_eq!(numbers(&screen).last(), Some(&5000));
}

#[test]
fn new_messages_never_move_the_ones_being_read() {
    let mut screen = Screen::online(80, 24);
    long_room(&mut screen, 1000);
    screen.keys("<pgup><pgup>");
    let before = numbers(&screen);
    screen.receives(ClientEvent::Entries((1001..1010).map(numbered).collect()));
    let with_the_count_below = before[..before.len() - 1].to_vec();
    assert_eq!(numbers(&screen), with_the_count_below);
    assert!(screen.shows("9 new · Ctrl+End"), "{}", screen.text());
    load(&mut screen);
    assert_eq!(
        numbers(&screen),
        with_the_count_below,
        "loading an older page does not move the lines"
    );
    screen.handles(Event::Resize(60, 20));
    assert_eq!(
        numbers(&screen)[0],
        before[0],
        "a resize does not move the lines"
    );
    screen.handles(Event::Resize(80, 24));
    screen.keys("<pgdn><pgdn>");
    screen.keys("<pgdn><pgdn><pgdn><pgdn>");
    assert_eq!(numbers(&screen).last(), Some(&1009));
    screen.receives(ClientEvent::Entries(vec![numbered(1010)]));
    assert_eq!(
        numbers(&screen).last(),
        Some(&1010),
        "at the newest end it follows"
    );
    assert!(!screen.shows("new ·"));
}

#[test]
fn a_failed_page_is_requested_again() {
    let mut screen = Screen::online(80, 24);
    long_room(&mut screen, 1000);
    let asked = |effects: &[Effect]| {
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Client(Command::LoadOlder { .. })))
    };
    let mut first = false;
    for _ in 0..30 {
        first |= asked(&screen.keys("<pgup>"));
    }
    assert!(first);
    assert!(!asked(&screen.keys("<pgup>")), "requested once");
    screen.receives(ClientEvent::PageFailed {
        room: GENERAL,
        before: Seq(801),
    });
    assert!(asked(&screen.keys("<pgup>")));
}

#[test]
fn a_skip_shows_a_gap_with_its_size_that_is_loaded_when_visible() {
    let mut screen = Screen::online(80, 24);
    screen.follows(GENERAL, 10);
    screen.receives(ClientEvent::Entries((1..=10).map(numbered).collect()));
    long_room(&mut screen, 5000);
    assert_eq!(numbers(&screen).last(), Some(&5000));
    assert_eq!(screen.state.current().unwrap().timeline.missing(), 4790);
    let mut fewer = 4790;
    for _ in 0..800 {
        let asked = screen.keys("<pgup>");
        let shown = numbers(&screen);
        let holes = shown
            .windows(2)
            .filter(|pair| pair[1] != pair[0] + 1)
            .count();
        let named = screen
            .rows()
            .iter()
            .filter(|row| row.contains("not loaded"))
            .count();
        assert_eq!(holes, named, "each hole has a gap: {}", screen.text());
        screen.effects = asked;
        load(&mut screen);
        let missing = screen.state.current().unwrap().timeline.missing();
        assert!(missing <= fewer);
        fewer = missing;
        if numbers(&screen).first() == Some(&1) {
            break;
        }
    }
    assert_eq!(fewer, 0, "everything was loaded on the way up");
    assert_eq!(numbers(&screen).first(), Some(&1));
}

#[test]
fn messages_no_longer_on_the_server_are_reported_and_not_requested() {
    let mut screen = Screen::online(80, 24);
    screen.receives(ClientEvent::Entries((1..=3).map(numbered).collect()));
    screen.receives(ClientEvent::Followed {
        room: GENERAL,
        epoch: numbered(1).epoch,
        first: Seq(9),
        last: Seq(12),
        result: FollowResult::Trimmed,
        unread: tchat::chat::Unread::default(),
    });
    screen.receives(ClientEvent::Entries((9..=12).map(numbered).collect()));
    assert!(
        screen.shows("5 messages are no longer on the server"),
        "{}",
        screen.text()
    );
    let asks = screen.keys("<pgup><pgup><c-end>");
    assert!(asks.is_empty(), "{asks:?}");
}

#[test]
fn a_failed_private_line_survives_reloading_and_clearing() {
    let mut screen = Screen::online(80, 24);
    screen.keys("@nobody psst<ret>");
    let client_id = screen.last_post();
    let refusal = Refusal::new(RefusalCode::PersonUnknown).with("nobody");
    screen.receives(ClientEvent::PostRefused { client_id, refusal });
    screen.receives(ClientEvent::Entries((1..=3).map(numbered).collect()));
    assert!(screen.shows("psst"), "{}", screen.text());
    screen.receives(ClientEvent::Followed {
        room: GENERAL,
        epoch: Epoch::new([77; 16]),
        first: Seq(1),
        last: Seq(0),
        result: FollowResult::EpochChanged,
        unread: tchat::chat::Unread::default(),
    });
    assert!(screen.shows("psst"), "{}", screen.text());
    screen.keys("/clear<ret>");
    assert!(screen.shows("psst"), "{}", screen.text());
    let again = screen.keys("<a-r>");
    assert!(
        matches!(&again[..], [Effect::Client(Command::Post { replaces: Some(id), .. })] if *id == client_id)
    );
}
