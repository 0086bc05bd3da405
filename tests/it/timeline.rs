//! The timeline of a room, assembled from pages and live entries that arrive in any order.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use tchat::chat::{Body, Role, Seq, Unread};
use tchat::client::Event as ClientEvent;
use tchat::tui::timeline::{Anchor, ItemKind, Timeline};

use crate::support::screen::{ANN, GENERAL, LI, Screen, ZHANG, entry, message_entry};

const LAST: u64 = 600;

fn line(seq: u64) -> tchat::chat::Entry {
    message_entry(GENERAL, seq, ZHANG, seq / 10, &format!("line {seq}"))
}

/// The loaded seqs, and the seqs covered by gaps. Checks that both are in order and do not overlap.
fn pieces(timeline: &Timeline) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let (mut entries, mut missing, mut last) = (BTreeSet::new(), BTreeSet::new(), 0);
    for index in 0..timeline.len() {
        let item = timeline.get(index).unwrap();
        let (from, to) = match item.what {
            ItemKind::Gap(gap) => {
                missing.extend(gap.from.0..=gap.to.0);
                (gap.from.0, gap.to.0)
            }
            _ if item.key.line == 0 => {
                entries.insert(item.key.seq.0);
                (item.key.seq.0, item.key.seq.0)
            }
            _ => continue,
        };
        assert!(from > last && to >= from, "{from}..={to} after {last}");
        last = to;
    }
    (entries, missing)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pages_in_any_order_lose_and_duplicate_nothing(
        newest in 1..100_u64,
        pages in prop::collection::vec((2..=LAST + 1, 1..250_u64), 0..12),
        notices in prop::collection::vec(0..12_usize, 0..3),
    ) {
        let mut screen = Screen::online(80, 24);
        screen.follows(GENERAL, LAST);
        let first = LAST + 1 - newest;
        screen.receives(ClientEvent::Entries((first..=LAST).map(line).collect()));
        let mut there: BTreeSet<u64> = (first..=LAST).collect();
        for (n, (before, size)) in pages.into_iter().enumerate() {
            if notices.contains(&n) {
                // Notices stay where they were added.
                screen.receives(ClientEvent::Invited {
                    room: crate::support::screen::room(GENERAL, "vault", ""),
                    by: None,
                });
            }
            let from = before.saturating_sub(size).max(1);
            screen.page(GENERAL, before, (from..before).map(line).collect());
            there.extend(from..before);
        }
        let timeline = &screen.state.room(GENERAL).unwrap().timeline;
        let (entries, missing) = pieces(timeline);
        prop_assert_eq!(&entries, &there);
        let oldest = *there.first().unwrap();
        let expected: BTreeSet<u64> = (oldest..=LAST).filter(|seq| !there.contains(seq)).collect();
        prop_assert_eq!(missing, expected);
    }
}

#[test]
fn a_gap_below_the_screen_is_loaded_from_its_upper_end() {
    let mut screen = Screen::online(80, 24);
    screen.follows(GENERAL, 5000);
    screen.receives(ClientEvent::Entries((4900..=5000).map(line).collect()));
    screen.page(GENERAL, 1200, (1000..1200).map(line).collect());
    let room = screen.state.room_mut(GENERAL).unwrap();
    // The first requested page does not arrive.
    room.timeline.page_failed(Seq(4900));
    let key = tchat::tui::timeline::ItemKey::entry(Seq(1150));
    room.timeline.set_anchor(Anchor::Top { key, line: 0 });
    // The gap below the screen is loaded from where the page ended, and not from its far end.
    assert_eq!(room.timeline.wants_page(150..170), Some(Seq(1400)));
    room.timeline.page_failed(Seq(1400));
    room.timeline.to_newest();
    let all = room.timeline.len();
    assert_eq!(room.timeline.wants_page(all - 20..all), Some(Seq(4900)));
}

#[test]
fn entries_deleted_on_the_server_are_not_requested_repeatedly() {
    let mut screen = Screen::online(80, 24);
    screen.follows(GENERAL, 1000);
    screen.receives(ClientEvent::Entries((900..=1000).map(line).collect()));
    // After a long absence, most of the messages were deleted on the server.
    screen.receives(ClientEvent::Followed {
        room: GENERAL,
        epoch: screen
            .state
            .room(GENERAL)
            .unwrap()
            .timeline
            .epoch()
            .unwrap(),
        first: Seq(3001),
        last: Seq(6000),
        result: tchat::chat::FollowResult::TooFar,
        unread: Unread::none_after(Seq(6000)),
    });
    screen.receives(ClientEvent::Entries((5801..=6000).map(line).collect()));
    let room = screen.state.room_mut(GENERAL).unwrap();
    room.timeline.page_failed(Seq(900));
    let key = tchat::tui::timeline::ItemKey::entry(Seq(990));
    room.timeline.set_anchor(Anchor::Top { key, line: 0 });
    let mut asked = BTreeSet::new();
    while let Some(before) = screen
        .state
        .room_mut(GENERAL)
        .unwrap()
        .timeline
        .wants_page(90..110)
    {
        assert!(asked.insert(before), "{before} is requested twice");
        let entries = (before.0.saturating_sub(200)..before.0).filter(|seq| *seq > 3000);
        let epoch = screen
            .state
            .room(GENERAL)
            .unwrap()
            .timeline
            .epoch()
            .unwrap();
        let entries = entries.map(line).collect();
        screen.effects.clear();
        screen.receives(ClientEvent::Page {
            room: GENERAL,
            before,
            epoch,
            first: Seq(3001),
            entries,
        });
        // Pages that the screen itself requested meanwhile fail.
        let room = screen.state.room_mut(GENERAL).unwrap();
        for effect in &screen.effects {
            if let tchat::tui::event::Effect::Client(tchat::client::Command::LoadOlder {
                before,
                ..
            }) = effect
            {
                room.timeline.page_failed(*before);
            }
        }
    }
    let (_, missing) = pieces(&screen.state.room(GENERAL).unwrap().timeline);
    assert!(missing.contains(&3000), "deleted entries are a gap");
    let in_vain = asked.iter().filter(|before| before.0 <= 3001).count();
    assert!(in_vain <= 1, "{asked:?}");
}

#[test]
fn a_room_full_of_joins_and_leaves_is_not_loaded_completely() {
    let mut screen = Screen::online(80, 24);
    screen.follows(GENERAL, 20_000);
    let person = |seq: u64| tchat::chat::IdentityId::new([u8::try_from(seq % 200).unwrap(); 16]);
    screen.receives(ClientEvent::Entries(
        (19_801..=20_000)
            .map(|seq| joined(seq, person(seq), 1))
            .collect(),
    ));
    let mut pages = 0;
    while let Some(tchat::tui::event::Effect::Client(tchat::client::Command::LoadOlder {
        before,
        ..
    })) = screen.effects.pop()
    {
        screen.effects.clear();
        pages += 1;
        let page = before.0 - 200..before.0;
        screen.page(
            GENERAL,
            before.0,
            page.map(|seq| joined(seq, person(seq), 1)).collect(),
        );
    }
    assert!((1..10).contains(&pages), "{pages} pages for one line");
}

#[test]
fn pages_are_requested_until_the_wanted_message_is_loaded() {
    let mut screen = Screen::online(80, 24);
    screen.follows(GENERAL, 1000);
    screen.receives(ClientEvent::Entries((901..=1000).map(line).collect()));
    let mut calling = line(300);
    calling.mentions = vec![ANN];
    screen.keys("<c-t>");
    screen.receives(ClientEvent::Mentions(vec![calling]));
    let older = |effects: &[tchat::tui::event::Effect]| {
        let mut older = effects.iter().filter_map(|effect| match effect {
            tchat::tui::event::Effect::Client(tchat::client::Command::LoadOlder {
                before, ..
            }) => Some(before.0),
            _ => None,
        });
        older.next()
    };
    let effects = screen.keys("<ret>");
    assert_eq!(older(&effects), Some(400));
    screen.effects.clear();
    // The messages are so long that a page has only thirty.
    screen.page(GENERAL, 400, (370..400).map(line).collect());
    assert_eq!(older(&screen.effects), Some(370));
    screen.page(GENERAL, 370, (290..370).map(line).collect());
    assert!(screen.shows("line 300"), "{}", screen.text());
    // A deleted one is reported.
    let mut gone = line(100);
    gone.mentions = vec![ANN];
    screen.keys("<c-t>");
    screen.receives(ClientEvent::Mentions(vec![gone]));
    screen.keys("<ret>");
    screen.page(GENERAL, 200, Vec::new());
    assert!(screen.shows("Message unavailable"));
}

fn joined(seq: u64, by: tchat::chat::IdentityId, minutes: u64) -> tchat::chat::Entry {
    entry(GENERAL, seq, by, minutes, Body::Joined(Role::Member))
}

#[test]
fn joins_and_leaves_are_combined_into_one_line() {
    let mut screen = Screen::online(80, 24);
    screen.follows(GENERAL, 0);
    screen.receives(ClientEvent::Entries(vec![
        joined(1, ANN, 0),
        joined(2, ZHANG, 1),
        joined(3, LI, 2),
    ]));
    assert!(screen.shows("ann and 2 others joined"), "{}", screen.text());
    let rows = |screen: &Screen| {
        let rows = screen.rows().into_iter();
        rows.filter(|row| row.contains("joined") || row.contains("left"))
            .map(|row| row.trim().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&screen).len(), 1);
    // A message separates two lines.
    screen.receives(ClientEvent::Entries(vec![
        message_entry(GENERAL, 4, LI, 3, "hello"),
        entry(GENERAL, 5, ANN, 4, Body::Left),
        joined(6, ANN, 5),
        entry(GENERAL, 7, LI, 6, Body::Left),
    ]));
    assert_eq!(
        rows(&screen),
        ["ann and 2 others joined", "ann joined · 李四 left"]
    );
    screen.receives(ClientEvent::Entries(vec![
        message_entry(GENERAL, 8, ZHANG, 7, "who was that"),
        joined(9, LI, 8),
        entry(GENERAL, 10, LI, 9, Body::Left),
    ]));
    assert_eq!(rows(&screen)[2], "李四 joined and left");
    // A new day starts a new line.
    screen.receives(ClientEvent::Entries(vec![joined(11, LI, 60 * 24)]));
    assert_eq!(rows(&screen)[3], "李四 joined");
    // An existing line keeps its place when it changes.
    let before = screen.rows();
    screen.receives(ClientEvent::Entries(vec![joined(12, ANN, 60 * 24 + 1)]));
    let after = screen.rows();
    assert_eq!(before[..20], after[..20]);
    assert_eq!(rows(&screen)[3], "李四 and ann joined");
}

#[test]
fn the_new_line_is_shown_where_reading_stopped() {
    let mut screen = Screen::online(80, 24);
    let unread = Unread {
        read: Seq(2),
        messages: 2,
        mentions: 0,
    };
    screen.follows_unread(GENERAL, 4, unread);
    screen.receives(ClientEvent::Entries((1..=4).map(line).collect()));
    let above = |screen: &Screen| {
        let rows = screen.rows();
        let at = rows.iter().position(|row| row.contains("─ new ─")).unwrap();
        (rows[at - 1].clone(), rows[at + 1].clone())
    };
    let (before, after) = above(&screen);
    assert!(
        before.contains("line 2") && after.contains("line 3"),
        "{}",
        screen.text()
    );
    // Everything was read, and the focus is lost: the next message starts the new part.
    screen.advances(Duration::from_secs(1));
    assert_eq!(
        screen.state.room(GENERAL).unwrap().reading.unread.messages,
        0
    );
    assert!(
        above(&screen).0.contains("line 2"),
        "it stays while focused"
    );
    screen.handles(tchat::tui::event::Event::Focus(false));
    screen.receives(ClientEvent::Entries(vec![line(5)]));
    let (before, after) = above(&screen);
    assert!(
        before.contains("line 4") && after.contains("line 5"),
        "{}",
        screen.text()
    );
    // When the "new" line is out of view, a key scrolls to it.
    screen.receives(ClientEvent::Entries((6..=60).map(line).collect()));
    assert!(!screen.shows("─ new ─"));
    screen.keys("<a-u>");
    assert!(
        screen.shows("─ new ─") && screen.shows("line 5"),
        "{}",
        screen.text()
    );
    screen.keys("<a-down><a-up><a-u>");
    assert!(screen.shows("─ new ─"), "unread ones are still new");
}
