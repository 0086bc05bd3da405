//! Rooms keep only part of their history in memory, and the user does not notice.

use std::time::Duration;

use proptest::prelude::*;
use tchat::chat::{
    Amendment, Body, Entry, Refusal, RefusalCode, Role, RoomId, Seq, Settings, Unread,
};
use tchat::client::{Command, Event as ClientEvent};
use tchat::tui::event::{Effect, Event};
use tchat::tui::timeline::{Anchor, ItemKey, Timeline};
use tchat::tui::update::{TrimBudget, trim};

use crate::anchor::rows;
use crate::support::screen::{ANN, GENERAL, LI, Screen, TECH, ZHANG, entry, message_entry};

/// Exceeded by a few hundred messages.
const LITTLE: TrimBudget = TrimBudget {
    shown: 64 * 1024,
    others: 64 * 1024,
};

/// Messages of different heights, replies, joins and leaves.
fn line(room: RoomId, seq: u64) -> Entry {
    let by = if seq.is_multiple_of(2) { LI } else { ZHANG };
    let body = match seq % 40 {
        7 => Body::Joined(Role::Member),
        8 => Body::Left,
        9 => Body::Reply {
            to: Seq(seq - 5),
            text: format!("answer {seq}"),
        },
        rest => {
            let long = " 词 word".repeat(usize::try_from(rest).unwrap());
            Body::Text(format!("line {seq} {long}"))
        }
    };
    entry(room, seq, by, seq, body)
}

fn lines(room: RoomId, seqs: std::ops::RangeInclusive<u64>) -> Vec<Entry> {
    seqs.map(|seq| line(room, seq)).collect()
}

fn amends(seq: u64, target: &Entry, what: Amendment) -> Entry {
    let body = Body::Amendment {
        target: target.seq,
        what,
    };
    entry(GENERAL, seq, target.author.id, seq, body)
}

/// An entry with all amendments in the log applied, as the server sends it in a page.
fn as_now(entry: &Entry, log: &[Entry]) -> Entry {
    let mut entry = entry.clone();
    let later = log.iter().skip(usize::try_from(entry.seq.0).unwrap());
    for by in later {
        entry.amend(by);
    }
    entry
}

/// Answers every request for a page.
fn serves(screen: &mut Screen, log: &[Entry]) {
    let is_page = |effect: &Effect| matches!(effect, Effect::Client(Command::LoadOlder { .. }));
    for _ in 0..200 {
        let Some(place) = screen.effects.iter().position(is_page) else {
            return;
        };
        let Effect::Client(Command::LoadOlder { room, before }) = screen.effects.remove(place)
        else {
            return;
        };
        let end = log
            .len()
            .min(usize::try_from(before.0 - 1).unwrap_or(usize::MAX));
        let page = log[end.saturating_sub(200)..end].iter();
        let page = page.map(|entry| as_now(entry, log)).collect();
        screen.page(room, before.0, page);
    }
    panic!("it asks without end");
}

fn timeline(screen: &Screen, room: RoomId) -> &Timeline {
    &screen.state.room(room).unwrap().timeline
}

fn is_loaded(screen: &Screen, seq: u64) -> bool {
    timeline(screen, GENERAL)
        .place(ItemKey::entry(Seq(seq)))
        .is_some()
}

fn receives(screen: &mut Screen, entries: &[Entry]) {
    for some in entries.chunks(100) {
        screen.receives(ClientEvent::Entries(some.to_vec()));
        trim(&mut screen.state, LITTLE);
    }
}

/// Something that happens. Targets are indices into the messages so far.
#[derive(Clone, Debug)]
enum Step {
    Arrive(u64),
    Keys(&'static str, usize),
    Jump(usize),
    Edit(usize),
    Erase(usize),
    React(usize),
    Elsewhere,
}

fn step() -> impl Strategy<Value = Step> {
    let keys = prop_oneof![
        4 => Just("<pgup>"),
        2 => Just("<pgdn>"),
        1 => Just("<c-end>"),
        1 => Just("<esc>"),
    ];
    prop_oneof![
        3 => (1..300_u64).prop_map(Step::Arrive),
        4 => (keys, 1..12_usize).prop_map(|(keys, times)| Step::Keys(keys, times)),
        2 => any::<usize>().prop_map(Step::Jump),
        2 => any::<usize>().prop_map(Step::Edit),
        1 => any::<usize>().prop_map(Step::Erase),
        1 => any::<usize>().prop_map(Step::React),
        1 => Just(Step::Elsewhere),
    ]
}

/// The same room on two screens: one keeps everything in memory, the other is trimmed.
struct TwoScreens {
    log: Vec<Entry>,
    message_indices: Vec<usize>,
    all: Screen,
    small: Screen,
}

impl TwoScreens {
    fn new() -> Self {
        let mut two = Self {
            log: Vec::new(),
            message_indices: Vec::new(),
            all: Screen::online(80, 24),
            small: Screen::online(80, 24),
        };
        two.arrives(lines(GENERAL, 1..=1500));
        two
    }

    fn arrives(&mut self, fresh: Vec<Entry>) {
        let places = self.log.len()..;
        let said = places.zip(&fresh).filter(|(_, it)| it.body.is_message());
        self.message_indices.extend(said.map(|(place, _)| place));
        self.log.extend(fresh.iter().cloned());
        self.all.receives(ClientEvent::Entries(fresh.clone()));
        self.small.receives(ClientEvent::Entries(fresh));
        self.delivers_pages();
    }

    /// Delivers the requested pages and trims.
    fn delivers_pages(&mut self) {
        trim(&mut self.small.state, LITTLE);
        serves(&mut self.all, &self.log);
        serves(&mut self.small, &self.log);
        trim(&mut self.small.state, LITTLE);
        serves(&mut self.small, &self.log);
    }

    fn presses(&mut self, keys: &str) {
        for screen in [&mut self.all, &mut self.small] {
            screen.keys(keys);
        }
        self.delivers_pages();
    }

    fn chosen(&self, at: usize) -> Option<usize> {
        self.message_indices
            .get(at % self.message_indices.len().max(1))
            .copied()
    }

    fn amends(&mut self, at: usize, what: Amendment) {
        if let Some(place) = self.chosen(at) {
            if what == Amendment::Erase {
                self.message_indices.retain(|other| *other != place);
            }
            let seq = self.log.len() as u64 + 1;
            let by = amends(seq, &self.log[place], what);
            self.arrives(vec![by]);
        }
    }

    /// Opens a message from the list of mentions.
    fn jumps(&mut self, at: usize) {
        let Some(place) = self.chosen(at) else { return };
        let mut calling = as_now(&self.log[place], &self.log);
        calling.mentions = vec![ANN];
        for screen in [&mut self.all, &mut self.small] {
            screen.keys("<c-t>");
            screen.receives(ClientEvent::Mentions(vec![calling.clone()]));
            screen.keys("<ret>");
        }
        self.delivers_pages();
        // Just below a gap the message is not centred, so both screens start from the same place again.
        let anchor = timeline(&self.small, GENERAL).anchor();
        let room = self.all.state.room_mut(GENERAL).unwrap();
        room.timeline.set_anchor(anchor);
        assert!(is_loaded(&self.small, calling.seq.0));
    }

    fn happens(&mut self, step: &Step) {
        let next = self.log.len() as u64 + 1;
        match step {
            Step::Arrive(count) => self.arrives(lines(GENERAL, next..=next + count)),
            Step::Keys(keys, times) => (0..*times).for_each(|_| self.presses(keys)),
            Step::Jump(at) => self.jumps(*at),
            Step::Edit(at) => {
                let long = " 改 it".repeat(at % 50);
                self.amends(*at, Amendment::Edit(format!("edited {next}{long}")));
            }
            Step::Erase(at) => self.amends(*at, Amendment::Erase),
            Step::React(at) => {
                let emoji = "👍".into();
                self.amends(*at, Amendment::React { emoji, is_on: true });
            }
            Step::Elsewhere => {
                self.presses("<a-down>");
                self.presses("<a-up>");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(25))]

    #[test]
    fn a_trimmed_timeline_shows_the_same_screen_as_a_full_one(
        steps in prop::collection::vec(step(), 1..20),
    ) {
        let mut two = TwoScreens::new();
        prop_assert!(timeline(&two.small, GENERAL).len() < 1000);
        for step in steps {
            two.happens(&step);
            prop_assert_eq!(rows(&two.small), rows(&two.all), "{:?}", &step);
            let reading = |screen: &Screen| {
                let reading = &screen.state.room(GENERAL).unwrap().reading;
                (reading.unread, reading.keywords.clone(), reading.counted_to)
            };
            prop_assert_eq!(reading(&two.small), reading(&two.all), "{:?}", &step);
            let below = |screen: &Screen| timeline(screen, GENERAL).unread_below();
            prop_assert_eq!(below(&two.small), below(&two.all), "{:?}", &step);
        }
    }
}

#[test]
fn a_busy_room_stays_small() {
    let mut screen = Screen::online(80, 24);
    let long = "词 word ".repeat(80);
    for from in (1..=20_000_u64).step_by(100) {
        let said = (from..from + 100)
            .map(|seq| message_entry(GENERAL, seq, LI, seq / 10, &format!("line {seq} {long}")));
        screen.receives(ClientEvent::Entries(said.collect()));
        assert!(timeline(&screen, GENERAL).len() < 2000);
    }
    assert!(screen.shows("line 20000 "), "{}", screen.text());
}

#[test]
fn background_rooms_keep_little_and_load_more_when_opened() {
    let mut screen = Screen::online(80, 24);
    let log = lines(TECH, 1..=2000);
    screen.follows(TECH, 0);
    receives(&mut screen, &log);
    assert!(timeline(&screen, TECH).len() < 150);
    screen.keys("<a-down>");
    assert!(screen.shows("line 2000"), "{}", screen.text());
    serves(&mut screen, &log);
    for _ in 0..40 {
        screen.keys("<pgup>");
        serves(&mut screen, &log);
        trim(&mut screen.state, LITTLE);
        assert!(!screen.shows("not loaded"), "{}", screen.text());
    }
    // Coming back shows the same place.
    let before = rows(&screen);
    screen.keys("<a-up>");
    trim(&mut screen.state, LITTLE);
    assert!(timeline(&screen, TECH).len() < 250);
    screen.keys("<a-down>");
    serves(&mut screen, &log);
    assert_eq!(rows(&screen), before);
}

#[test]
fn pending_and_failed_private_lines_are_never_dropped() {
    let mut screen = Screen::online(80, 24);
    screen.keys("@李四 first<ret>");
    let failed = screen.last_post();
    screen.keys("@李四 second<ret>");
    let waits = screen.last_post();
    let refusal = Refusal::new(RefusalCode::RoomUnknown).with("general");
    screen.receives(ClientEvent::PostRefused {
        client_id: failed,
        refusal,
    });
    receives(&mut screen, &lines(GENERAL, 1..=2000));
    let timeline = timeline(&screen, GENERAL);
    assert!(!is_loaded(&screen, 1));
    assert!(timeline.failed().any(|id| id == failed));
    assert!(timeline.posts().any(|(id, _)| id == waits));
    assert!(screen.shows("first") && screen.shows("second"));
}

#[test]
fn the_unread_line_is_found_even_if_it_is_no_longer_loaded() {
    let mut screen = Screen::online(80, 24);
    let log = lines(GENERAL, 1..=2000);
    screen.follows(GENERAL, 0);
    screen.receives(ClientEvent::Entries(log[..11].to_vec()));
    screen.advances(Duration::from_secs(1));
    screen.handles(Event::Focus(false));
    receives(&mut screen, &log[11..]);
    assert!(!is_loaded(&screen, 12));
    screen.keys("<a-u>");
    serves(&mut screen, &log);
    trim(&mut screen.state, LITTLE);
    let all = screen.rows();
    let at = all.iter().position(|row| row.contains("─ new ─"));
    let at = at.unwrap_or_else(|| panic!("{}", screen.text()));
    assert!(all[at + 1].contains("line 12 "), "{}", screen.text());
    screen.keys("<c-end>");
    assert!(screen.shows("line 2000"));
}

#[test]
fn esc_returns_to_the_same_place_after_many_new_messages() {
    let mut two = TwoScreens::new();
    for _ in 0..20 {
        two.presses("<pgup>");
    }
    let before = rows(&two.small);
    two.jumps(100);
    two.arrives(lines(GENERAL, 1501..=3000));
    assert!(!is_loaded(&two.small, 700));
    two.presses("<esc>");
    // The last row now shows the number of new messages below.
    let now = rows(&two.small);
    assert_eq!(now[..15], before[..15]);
}

#[test]
fn keyword_counts_survive_trimming() {
    let mut screen = Screen::online(80, 24);
    let keywords = vec!["urgent".to_owned()];
    screen.receives(ClientEvent::Settings(Settings {
        keywords,
        ..Settings::default()
    }));
    screen.handles(Event::Focus(false));
    let mentions = |screen: &Screen| screen.state.room(GENERAL).unwrap().reading.mentions();
    let words = ["urgent: one", "urgent: two", "three"];
    let mut log: Vec<Entry> = (1..)
        .zip(words)
        .map(|(seq, text)| message_entry(GENERAL, seq, LI, seq, text))
        .collect();
    log.extend(lines(GENERAL, 4..=2000));
    screen.follows(GENERAL, 0);
    receives(&mut screen, &log);
    assert!(!is_loaded(&screen, 3));
    assert_eq!(mentions(&screen), 2);
    let edit = |text: &str| Amendment::Edit(text.to_owned());
    for (seq, target, what, left) in [
        (2001, 0, edit("never mind"), 1),
        (2002, 2, edit("this is urgent too"), 2),
        (2003, 1, Amendment::Erase, 1),
    ] {
        screen.receives(ClientEvent::Entries(vec![amends(seq, &log[target], what)]));
        assert_eq!(mentions(&screen), left, "{seq}");
    }
    // A new count from the server keeps them; reading further removes them.
    let moved = |screen: &mut Screen, read: u64, last: u64| {
        let epoch = timeline(screen, GENERAL).epoch().unwrap();
        screen.receives(ClientEvent::ReadPositionChanged {
            room: GENERAL,
            epoch,
            last: Seq(last),
            unread: Unread {
                read: Seq(read),
                messages: 500,
                mentions: 0,
            },
        });
    };
    moved(&mut screen, 2, 2003);
    assert_eq!(mentions(&screen), 1);
    moved(&mut screen, 3, 2003);
    assert_eq!(mentions(&screen), 0);
}

#[test]
fn a_count_older_than_the_loaded_entries_is_requested_again() {
    let mut screen = Screen::online(80, 24);
    screen.handles(Event::Focus(false));
    screen.follows(GENERAL, 0);
    receives(&mut screen, &lines(GENERAL, 1..=900));
    let run = timeline(&screen, GENERAL).newest_run().unwrap();
    let asks = |screen: &mut Screen, last: u64| {
        let epoch = timeline(screen, GENERAL).epoch().unwrap();
        screen.effects.clear();
        screen.receives(ClientEvent::ReadPositionChanged {
            room: GENERAL,
            epoch,
            last: Seq(last),
            unread: Unread {
                read: Seq(0),
                messages: 100,
                mentions: 0,
            },
        });
        let is_question = |it: &&Effect| matches!(it, Effect::Client(Command::MarkRead { .. }));
        screen.effects.iter().filter(is_question).count()
    };
    assert!(run > Seq(200), "{run}");
    assert_eq!(asks(&mut screen, 100), 1);
    assert_eq!(asks(&mut screen, run.0 - 1), 0);
}

#[test]
fn amendments_of_dropped_entries_are_applied_when_they_are_loaded() {
    let mut screen = Screen::online(80, 24);
    let mut log = lines(GENERAL, 1..=2000);
    screen.follows(GENERAL, 0);
    receives(&mut screen, &log);
    let text = "edited meanwhile".to_owned();
    // The first page was read before the edit, the second one after it.
    let early = log.clone();
    for (seq, target) in [(2001, 1490), (2002, 20)] {
        let by = amends(seq, &log[target], Amendment::Edit(text.clone()));
        screen.receives(ClientEvent::Entries(vec![by.clone()]));
        log.push(by);
    }
    for (target, log) in [(1491, &early), (21, &log)] {
        let mut calling = log[target - 1].clone();
        calling.mentions = vec![ANN];
        screen.keys("<c-t>");
        screen.receives(ClientEvent::Mentions(vec![calling]));
        screen.keys("<ret>");
        serves(&mut screen, log);
        assert!(screen.shows("edited meanwhile"), "{}", screen.text());
        assert!(!screen.shows(&format!("line {target} ")));
    }
}

#[test]
fn a_long_run_of_reactions_can_be_scrolled_over() {
    let mut screen = Screen::online(80, 24);
    screen.follows(GENERAL, 0);
    let mut log = lines(GENERAL, 1..=200);
    for seq in 201..=4000 {
        let emoji = "👍".into();
        let what = Amendment::React { emoji, is_on: true };
        log.push(amends(seq, &log[0], what));
    }
    log.extend(lines(GENERAL, 4001..=4200));
    receives(&mut screen, &log);
    // Keys forget the effects so far, and a page may have been requested while only reactions were on the screen.
    serves(&mut screen, &log);
    for _ in 0..200 {
        screen.keys("<pgup>");
        serves(&mut screen, &log);
        trim(&mut screen.state, LITTLE);
        serves(&mut screen, &log);
        if screen.shows("line 1 ") {
            screen.keys("<c-end>");
            assert!(screen.shows("line 4200"));
            assert_eq!(timeline(&screen, GENERAL).anchor(), Anchor::Newest);
            return;
        }
    }
    panic!("it never gets there:\n{}", screen.text());
}
