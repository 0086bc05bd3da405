//! The smallest sizes, and everything that has to fit them.

use super::*;

/// A screen on which every kind of event has happened.
fn busy(width: u16, height: u16, overlay: &str) -> Screen {
    let mut screen = morning(width, height);
    let long = "word ".repeat(200) + &"汉字".repeat(200) + "👩‍👩‍👧 e\u{301} ~";
    let entries = (8..60).map(|seq| {
        message_entry(
            GENERAL,
            seq,
            if seq % 2 == 0 { LI } else { ZHANG },
            seq,
            &long,
        )
    });
    screen.receives(ClientEvent::Entries(entries.collect()));
    let to_long = |text: &str| Body::Reply {
        to: Seq(59),
        text: text.into(),
    };
    let amendment = |target, what| Body::Amendment {
        target: Seq(target),
        what,
    };
    let react = |emoji: &str| Amendment::React {
        emoji: emoji.into(),
        is_on: true,
    };
    screen.receives(ClientEvent::Entries(vec![
        entry(GENERAL, 60, LI, 60, amendment(58, Amendment::Erase)),
        entry(GENERAL, 61, LI, 60, to_long(&long)),
        entry(GENERAL, 62, ZHANG, 61, amendment(61, react("👩‍👩‍👧"))),
        entry(GENERAL, 63, ANN, 61, amendment(61, react("汉字"))),
    ]));
    open(&mut screen, overlay);
    screen
}

/// The overlays: the keys that open each one. `open` sends the events that fill them.
const OVERLAYS: [&str; 18] = [
    "",
    "<f1>",
    "<c-u>/theme<ret>",
    "<c-u>@",
    "<c-u>/who<ret>",
    "<c-k>",
    "<c-l>",
    "<c-t>",
    "<c-u>/whois 李四<ret>",
    "<c-u>/link<ret>",
    "<a-m>",
    "<a-m>+",
    "<a-m>w",
    "<c-f>",
    "<c-f>构建",
    "<a-t>",
    PASTE,
    "",
];
/// The last one is opened by no key but by an event: the name is taken.
const NAME: usize = OVERLAYS.len() - 1;

/// Opened by no key but by a long paste.
const PASTE: &str = "<c-u>x";

fn open(screen: &mut Screen, overlay: &str) {
    screen.keys(overlay);
    let all = "@here ".to_owned() + &"今天的构建又红了 ".repeat(9);
    match overlay {
        "<c-l>" => {
            let rooms = (0..40).map(|n| room(RoomId::new([n; 16]), "a-room", &all));
            screen.receives(ClientEvent::Directory(rooms.collect()));
        }
        PASTE => screen.handles(Event::Paste("line\n".repeat(30))),
        "<c-f>构建" => {
            let entries = (1..40).map(|seq| message_entry(GENERAL, seq, LI, seq, &all));
            let found = Some(SearchResults {
                entries: entries.collect(),
                has_more: true,
                is_partial: false,
            });
            let (id, among) = (screen.state.timers.searches, SearchScope::Server);
            screen.receives(ClientEvent::SearchResults {
                id,
                scope: among,
                results: found,
            });
        }
        "<c-t>" => {
            let calling = (1..40).map(|seq| message_entry(GENERAL, seq, LI, seq, &all));
            screen.receives(ClientEvent::Mentions(calling.collect()));
        }
        "<c-u>/whois 李四<ret>" => screen.receives(ClientEvent::Profile(Profile {
            person: Person {
                id: LI,
                name: "李四".into(),
                presence: Presence::Away,
                role: Role::Member,
                via: Via::WebSocket,
                status: all,
            },
            seen_ms: None,
            rooms: vec![room(TECH, "tech", "machines")],
        })),
        _ => {}
    }
}

#[test]
fn every_overlay_opens() {
    let before = busy(80, 24, "").text();
    for overlay in OVERLAYS.into_iter().filter(|it| !it.is_empty()) {
        let screen = busy(80, 24, overlay);
        assert_ne!(screen.text(), before, "{overlay}");
        assert_eq!(
            screen.state.overlays.top.is_some(),
            !matches!(overlay, "<c-u>@" | "<a-m>"),
            "{overlay}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 240, ..ProptestConfig::default() })]

    #[test]
    fn every_size_from_one_cell_up_can_be_drawn(
        width in prop_oneof![1u16..6, 6u16..40, 40u16..=300],
        height in prop_oneof![1u16..6, 6u16..14, 14u16..=100],
        overlay in 0..OVERLAYS.len(),
        is_chinese: bool,
        points in prop::collection::vec((0..3_usize, any::<(u16, u16)>()), 0..6),
        keys in "(<pgup>|<pgdn>|<c-home>|<c-end>|<up>|<down>|x|张|<a-ret>|<bs>|<tab>|<f4>|<a-down>){0,12}",
    ) {
        let mut screen = busy(80, 24, OVERLAYS[overlay]);
        if is_chinese {
            screen.state.preferences.strings = &tchat::tui::strings::CHINESE;
        }
        if overlay == NAME {
            let refusal = Refusal::new(RefusalCode::NameTaken).with("ann").with("ann2");
            screen.receives(ClientEvent::Link(LinkState::NameRefused(refusal)));
        }
        screen.handles(Event::Resize(width, height));
        screen.keys(&keys);
        for (kind, (x, y)) in points {
            let kinds = [
                MouseEventKind::ScrollUp,
                MouseEventKind::ScrollDown,
                MouseEventKind::Down(MouseButton::Left),
            ];
            screen.points(kinds[kind], x % width, y % height);
        }
        let rows = screen.rows();
        prop_assert_eq!(rows.len(), usize::from(height));
        prop_assert!(rows.iter().all(|row| tchat::text::width(row) <= usize::from(width)));
    }
}

#[test]
fn the_smallest_sizes_show_the_newest_message_or_the_composer() {
    let mut screen = Screen::online(19, 5);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 1, LI, 12, "newest",
    )]));
    assert!(screen.shows("newest"));
    assert!(!screen.shows("›"));
    screen.keys("hi");
    assert!(
        screen.rows().last().unwrap().contains("hi"),
        "{}",
        screen.text()
    );
}

#[test]
fn every_overlay_fits_the_smallest_sizes() {
    for overlay in OVERLAYS {
        let mut screen = busy(80, 24, overlay);
        for (width, height) in (1..12).flat_map(|width| (1..14).map(move |height| (width, height)))
        {
            screen.handles(Event::Resize(width, height));
            let rows = screen.rows();
            assert_eq!(rows.len(), usize::from(height));
            let is_inside = |row: &String| tchat::text::width(row) <= usize::from(width);
            assert!(rows.iter().all(is_inside), "{overlay} at {width}x{height}");
        }
    }
}
