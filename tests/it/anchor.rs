//! Scroll position: the messages being read do not move, whatever happens around them.

use std::fmt::Write as _;

use proptest::prelude::*;
use ratatui::layout::Rect;
use tchat::chat::{Amendment, Body, Entry, IdentityId, Role, Seq};
use tchat::client::Event as ClientEvent;
use tchat::tui::event::Event;
use tchat::tui::screen::regions::regions;
use tchat::tui::settings::Setting;
use tchat::tui::timeline::rows::Layout;
use tchat::tui::timeline::{Anchor, ItemKey, ItemKind, Timeline};

use crate::support::screen::{GENERAL, LI, Screen, ZHANG, entry, message_entry};

/// The seqs loaded at first; the room has older ones.
const LOADED: std::ops::RangeInclusive<u64> = 301..=400;

/// Something that happens while the user reads. Targets are indices into the loaded messages.
#[derive(Clone, Debug)]
enum Step {
    Arrive(u64),
    Edit(usize, usize),
    Erase(usize),
    React(usize),
    Fold(usize),
    Page(u64),
    Theme(usize),
    Resize(u16, u16),
    Scroll(&'static str),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..6_u64).prop_map(Step::Arrive),
        2 => (any::<usize>(), 0..300_usize).prop_map(|(at, long)| Step::Edit(at, long)),
        2 => any::<usize>().prop_map(Step::Erase),
        1 => any::<usize>().prop_map(Step::React),
        2 => any::<usize>().prop_map(Step::Fold),
        2 => (1..80_u64).prop_map(Step::Page),
        1 => any::<usize>().prop_map(Step::Theme),
        2 => ((50..140_u16), (12..40_u16)).prop_map(|(width, height)| Step::Resize(width, height)),
        2 => prop_oneof![Just("<pgup>"), Just("<pgdn>"), Just("<c-home>")].prop_map(Step::Scroll),
    ]
}

/// Messages of various heights, code that folds, and runs of joins and leaves.
fn line(seq: u64) -> Entry {
    let by = if seq.is_multiple_of(2) { LI } else { ZHANG };
    if seq % 23 < 4 {
        let who = IdentityId::new([u8::try_from(seq % 200).unwrap(); 16]);
        let body = if seq.is_multiple_of(3) {
            Body::Left
        } else {
            Body::Joined(Role::Member)
        };
        return entry(GENERAL, seq, who, seq * 60, body);
    }
    if seq % 11 == 5 {
        let mut code = format!("code {seq}\n```rust\n");
        for n in 0..seq % 30 {
            writeln!(code, "let x{n} = {seq};").unwrap();
        }
        return message_entry(GENERAL, seq, by, seq * 60, &(code + "```"));
    }
    let long = usize::try_from(seq * 37 % 40).unwrap();
    message_entry(
        GENERAL,
        seq,
        by,
        seq * 60,
        &format!("line {seq}{}", " 词 word".repeat(long)),
    )
}

/// The rows of the message area. A row for a run of joins and leaves may name more people after a page was loaded, so it becomes a marker.
pub fn rows(screen: &Screen) -> Vec<String> {
    let area = regions(&screen.state, 0).messages;
    let (from, to) = (usize::from(area.y), usize::from(area.bottom()));
    let all = screen.rows();
    let rows = all[from..to].iter().map(|row| {
        let row = row.chars().skip(usize::from(area.x)).collect::<String>();
        let is_passage = [" joined", " left"].iter().any(|word| row.contains(word));
        if is_passage {
            "(passage)".to_owned()
        } else {
            row
        }
    });
    rows.collect()
}

fn timeline(screen: &Screen) -> &Timeline {
    &screen.state.room(GENERAL).unwrap().timeline
}

fn layout(screen: &Screen, area: Rect) -> Layout<'_> {
    Layout {
        columns: usize::from(area.width),
        name_columns: timeline(screen).name_columns(),
        zone: &screen.state.screen.zone,
        time: &screen.state.preferences.time_format,
        strings: screen.state.preferences.strings,
    }
}

fn place(screen: &Screen) -> (usize, usize, usize) {
    let area = regions(&screen.state, 0).messages;
    let timeline = timeline(screen);
    let layout = layout(screen, area);
    let of = |index: usize| layout.height(timeline, index);
    let (top, line) = timeline.top(usize::from(area.height), of);
    let below = (top..timeline.len())
        .map(|index| of(index).all())
        .sum::<usize>()
        - line;
    (top, line, below)
}

/// The items visible on the screen.
fn visible(screen: &Screen) -> Vec<ItemKey> {
    let area = regions(&screen.state, 0).messages;
    let (top, line, _) = place(screen);
    let timeline = timeline(screen);
    let layout = layout(screen, area);
    let mut left = usize::from(area.height) + line;
    let mut seen = Vec::new();
    for index in top..timeline.len() {
        seen.extend(timeline.get(index).map(|item| item.key));
        left = left.saturating_sub(layout.height(timeline, index).all());
        if left == 0 {
            break;
        }
    }
    seen
}

/// One of the loaded messages.
fn target(screen: &Screen, at: usize) -> Option<Seq> {
    let all: Vec<Seq> = timeline(screen).messages().map(|entry| entry.seq).collect();
    (!all.is_empty()).then(|| all[at % all.len()])
}

/// Performs the step; returns the message it was applied to, if any.
fn happens(screen: &mut Screen, step: &Step, next: &mut u64) -> Option<Seq> {
    let mut amends = |screen: &mut Screen, at: usize, what: Amendment| {
        let target = target(screen, at)?;
        let by = if target.0.is_multiple_of(2) {
            LI
        } else {
            ZHANG
        };
        let body = Body::Amendment { target, what };
        let amending = entry(GENERAL, *next, by, *next * 60, body);
        *next += 1;
        screen.receives(ClientEvent::Entries(vec![amending]));
        Some(target)
    };
    match step {
        Step::Arrive(count) => {
            let fresh = (*next..*next + count).map(line).collect();
            *next += count;
            screen.receives(ClientEvent::Entries(fresh));
        }
        Step::Edit(at, long) => {
            let text = format!("edited{}", " 改 it".repeat(*long));
            return amends(screen, *at, Amendment::Edit(text));
        }
        Step::Erase(at) => return amends(screen, *at, Amendment::Erase),
        Step::React(at) => {
            let emoji = "👍".into();
            return amends(screen, *at, Amendment::React { emoji, is_on: true });
        }
        Step::Fold(at) => {
            let target = target(screen, *at)?;
            let room = screen.state.room_mut(GENERAL).unwrap();
            room.timeline.toggle_fold(ItemKey::entry(target));
            return Some(target);
        }
        Step::Page(size) => {
            let oldest = timeline(screen).oldest().unwrap().0;
            let from = oldest.saturating_sub(*size).max(1);
            screen.page(GENERAL, oldest, (from..oldest).map(line).collect());
        }
        Step::Theme(n) => {
            let themes = Setting::Theme.values(&screen.state);
            screen
                .state
                .preferences
                .theme
                .clone_from(&themes[n % themes.len()]);
        }
        Step::Resize(width, height) => screen.handles(Event::Resize(*width, *height)),
        Step::Scroll(key) => {
            screen.keys(key);
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn messages_being_read_do_not_move(
        pages in 1..8_usize,
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let mut screen = Screen::online(80, 24);
        screen.follows(GENERAL, *LOADED.end());
        screen.receives(ClientEvent::Entries(LOADED.map(line).collect()));
        for _ in 0..pages {
            screen.keys("<pgup>");
        }
        let mut next = LOADED.end() + 1;
        for step in steps {
            let (before, was) = (rows(&screen), timeline(&screen).anchor());
            let (top, _, below) = place(&screen);
            let was_at_end = below <= before.len();
            let top = timeline(&screen).get(top).map(|item| item.key);
            let seen = visible(&screen);
            let touched = happens(&mut screen, &step, &mut next);
            let (now_at, line, below) = place(&screen);
            let now = rows(&screen);
            let is = timeline(&screen).anchor();
            if matches!(step, Step::Scroll(_)) || was == Anchor::Newest {
                continue;
            }
            let is_held = matches!(step, Step::Resize(..)) && (now_at, line) == (0, 0);
            prop_assert!(is == was || is_held, "only scrolling moves the anchor: {:?}", &step);
            let newest = timeline(&screen).len();
            // With less than a screen left below, the newest end is shown and stays shown.
            let height = now.len();
            let is_at_end = below <= height;
            if is_at_end {
                prop_assert!(newest > 0 && below == height, "{:?}: {} rows of {}", &step, below, height);
                continue;
            }
            if was_at_end {
                continue;
            }
            let is_touched = touched.is_some_and(|seq| seen.contains(&ItemKey::entry(seq)));
            if matches!(step, Step::Resize(..)) || is_touched {
                // The same item is at the top, unless the top row was a separator.
                let here = timeline(&screen).get(now_at).map(|item| item.key);
                let is_of_rule = line != 0 || matches!(was, Anchor::Top { line, .. } if line < 0);
                prop_assert!(here == top || is_of_rule, "{:?}: {:?} and {:?}", &step, top, here);
                continue;
            }
            // A separator at the top may disappear when something is loaded above; every row below it stays.
            let both = before.len().min(now.len());
            prop_assert_eq!(&before[1..both], &now[1..both], "{:?}", &step);
        }
    }
}

#[test]
fn a_run_of_joins_at_the_top_stays_in_place_when_more_of_it_is_loaded() {
    let mut screen = Screen::online(80, 24);
    let joined = |seq: u64| {
        let who = IdentityId::new([u8::try_from(seq).unwrap(); 16]);
        entry(GENERAL, seq, who, 600, Body::Joined(Role::Member))
    };
    screen.follows(GENERAL, 200);
    let mut all: Vec<Entry> = (50..60).map(joined).collect();
    all.extend((60..=200).map(|seq| {
        message_entry(
            GENERAL,
            seq,
            if seq % 2 == 0 { LI } else { ZHANG },
            600 + seq,
            &format!("line {seq}"),
        )
    }));
    screen.receives(ClientEvent::Entries(all));
    screen.keys("<c-home>");
    let before = rows(&screen);
    assert!(before[1].contains("(passage)"), "{before:?}");
    screen.page(GENERAL, 50, (30..50).map(joined).collect());
    assert_eq!(rows(&screen)[1..], before[1..]);
    let key = timeline(&screen).get(0).unwrap().key;
    assert!(
        matches!(
            timeline(&screen).get(0).unwrap().what,
            ItemKind::JoinOrLeave { .. }
        ),
        "{key:?}"
    );
}
