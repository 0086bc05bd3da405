//! Our own posts: pending, stored, refused, and taken over from an earlier run.

use super::paging::{numbered, numbers};
use super::*;

/// A line of ours that became entry `seq` of this history.
fn mine(epoch: u8, seq: u64, text: &str) -> Entry {
    let counter = text.len() as u64;
    let client_id = ClientId {
        instance: InstanceId::new([7; 16]),
        counter,
    };
    Entry {
        epoch: Epoch::new([epoch; 16]),
        client_id: Some(client_id),
        ..says(GENERAL, seq, ANN, seq, text)
    }
}

#[test]
fn after_a_change_of_history_old_lines_stay_until_the_new_one_has_them() {
    for result in [FollowResult::EpochChanged, FollowResult::Ahead] {
        let epoch = if result == FollowResult::Ahead { 1 } else { 2 };
        let mut screen = Screen::online(80, 24);
        let old = ["one", "three", "eleven"];
        let entries = old.iter().zip(1..).map(|(text, seq)| mine(1, seq, text));
        screen.hears(ClientEvent::Entries(entries.collect()));
        screen.hears(ClientEvent::Followed {
            room: GENERAL,
            epoch: Epoch::new([epoch; 16]),
            first: Seq(1),
            last: Seq(2),
            result,
            unread: tchat::chat::Unread::default(),
        });
        assert!(
            old.iter().all(|text| screen.shows(text)),
            "{}",
            screen.text()
        );
        screen.hears(ClientEvent::Entries(vec![
            mine(epoch, 1, "one"),
            mine(epoch, 2, "said since"),
        ]));
        let rows: Vec<String> = screen.rows();
        let place = |text: &str| {
            let found: Vec<_> = (0..rows.len())
                .filter(|n| rows[*n].contains(text))
                .collect();
            assert_eq!(found.len(), 1, "'{text}' once: {}", screen.text());
            found[0]
        };
        let order = [
            "three",
            "eleven",
            "another history now",
            "one",
            "said since",
        ];
        assert!(order.map(place).is_sorted(), "{}", screen.text());
    }
}

#[test]
fn posts_of_ours_are_settled_by_our_own_entries_only() {
    let mut screen = Screen::online(80, 24);
    screen.keys("mine<ret>");
    let mut forged = says(GENERAL, 1, LI, 1, "forged");
    forged.client_id = Some(screen.last_post());
    screen.hears(ClientEvent::Entries(vec![forged]));
    assert!(
        screen
            .rows()
            .iter()
            .any(|row| row.contains('…') && row.contains("mine")),
        "{}",
        screen.text()
    );
}

#[test]
fn what_is_typed_before_there_is_a_room_is_not_lost() {
    let mut screen = Screen::blank(80, 24);
    screen.keys("early bird");
    screen.is_welcomed(Vec::new());
    screen.hears(ClientEvent::Room {
        room: room(GENERAL, "general", ""),
        asked: true,
    });
    assert_eq!(screen.state.composer().text(), "early bird");
    let effects = screen.keys("<ret>");
    assert!(matches!(
        &effects[..],
        [Effect::Client(Command::Post { post, .. })] if post.client_id.counter == 1
    ));
}

/// Whoever has rooms is in one of them, and brings along what was being written without one.
#[test]
fn a_welcome_after_one_without_rooms_leads_into_a_room_again() {
    let mut screen = Screen::online(80, 24);
    screen.is_welcomed(Vec::new());
    assert_eq!(screen.state.rooms.current, None);
    screen.keys("still here");
    screen.is_welcomed(vec![room(GENERAL, "general", "")]);
    assert_eq!(screen.state.rooms.current, Some(GENERAL));
    assert_eq!(screen.state.composer().text(), "still here");
}

#[test]
fn a_command_that_was_refused_says_why_and_stays() {
    let mut screen = Screen::online(100, 24);
    screen.keys("/join full<ret>");
    assert!(screen.state.composer().is_empty());
    let refusal = Refusal::new(RefusalCode::RoomFull)
        .with("full")
        .with(20)
        .with(20);
    screen.hears(ClientEvent::Refused {
        about: About::Join("full".into()),
        refusal,
    });
    assert!(
        screen
            .shows("cannot join #full: #full is full (20 of 20); try again when somebody has left"),
        "{}",
        screen.text()
    );
    assert_eq!(screen.state.composer().text(), "/join full");
    screen.keys("<c-u>/theme nonsense<ret>");
    screen.does(Event::ThemeFailed("there is no theme 'nonsense'".into()));
    assert_eq!(screen.state.composer().text(), "/theme nonsense");
}

#[test]
fn a_post_that_failed_says_why_and_is_repeated_or_edited_on_a_key() {
    let mut screen = Screen::online(140, 24);
    let refuse = |screen: &mut Screen| {
        let refusal = Refusal::new(RefusalCode::PersonUnknown).with("nobody");
        let client_id = screen.last_post();
        screen.hears(ClientEvent::PostRefused { client_id, refusal });
        client_id
    };
    screen.keys("@nobody psst<ret>");
    let failed = refuse(&mut screen);
    let marked = |screen: &Screen| {
        screen
            .rows()
            .iter()
            .any(|row| row.contains('✗') && row.contains("psst"))
    };
    assert!(marked(&screen), "{}", screen.text());
    assert!(
        screen.shows("nobody here is called nobody · Alt+R retry, Alt+E edit"),
        "{}",
        screen.text()
    );
    // Again: a new number, because later ones may have been taken, in the place of the old one.
    let effects = screen.keys("<a-r>");
    let [Effect::Client(Command::Post { post, instead_of })] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*instead_of, Some(failed));
    assert!(post.client_id.counter > failed.counter);
    assert_eq!(post.body, text("psst"));
    assert!(!marked(&screen), "it waits again: {}", screen.text());
    let failed = refuse(&mut screen);
    // It is edited where nothing else is being written.
    screen.keys("other words<a-e>");
    assert_eq!(screen.state.composer().text(), "other words");
    let effects = screen.keys("<c-u><a-e>");
    assert_eq!(screen.state.composer().text(), "@nobody psst");
    let kept = effects.iter().position(
        |it| matches!(it, Effect::Client(Command::Draft { text, .. }) if text == "@nobody psst"),
    );
    let given_up = effects
        .iter()
        .position(|it| *it == Effect::Client(Command::Forget(failed)));
    assert!(
        kept.is_some() && kept < given_up,
        "on the disk at every moment: {effects:?}"
    );
    assert!(!screen.shows("privately to nobody"), "{}", screen.text());
}

#[test]
fn what_is_typed_is_kept_within_a_second_and_once() {
    let mut screen = Screen::online(80, 24);
    assert!(!screen.state.wants_ticks(), "nothing to wake up for");
    screen.keys("half a sent");
    assert!(screen.state.wants_ticks());
    screen.does(Event::Tick);
    assert!(screen.effects.is_empty(), "not with every key");
    screen.state.screen.now.instant += std::time::Duration::from_millis(600);
    screen.does(Event::Tick);
    let draft = |room, text: &str| {
        Effect::Client(Command::Draft {
            room: Some(room),
            text: text.into(),
        })
    };
    assert_eq!(screen.effects, [draft(GENERAL, "half a sent")]);
    assert!(!screen.state.wants_ticks(), "nothing changes by itself");
    screen.effects.clear();
    // Rooms that are left in the middle of a sentence are kept too.
    screen.keys("ence<c-n>elsewhere");
    assert_eq!(
        tchat::tui::update::flush_drafts(&mut screen.state),
        [draft(GENERAL, "half a sentence"), draft(TECH, "elsewhere")]
    );
    assert_eq!(tchat::tui::update::flush_drafts(&mut screen.state), []);
}

#[test]
fn what_was_kept_is_on_the_first_screen() {
    let mut screen = Screen::blank(80, 24);
    let rooms = vec![room(GENERAL, "general", "topic"), room(TECH, "tech", "")];
    let you = Author {
        id: ANN,
        name: "ann".into(),
    };
    screen.hears(ClientEvent::Kept {
        you,
        limits: tchat::chat::Limits::default(),
        rooms: rooms.clone(),
    });
    let id = |counter| ClientId {
        instance: InstanceId::new([3; 16]),
        counter,
    };
    screen.hears(ClientEvent::Page {
        room: GENERAL,
        before: Seq(u64::MAX),
        epoch: numbered(1).epoch,
        first: Seq(1),
        entries: (40..=60).map(numbered).collect(),
    });
    let post = |counter, to, said: &str| Post {
        from: Some(GENERAL),
        ..Post::new(id(counter), to, text(said))
    };
    let unsent = |post, failed| Unsent { post, failed };
    screen.hears(ClientEvent::Unsent {
        drafts: vec![
            (Some(GENERAL), "not yet".into()),
            (Some(TECH), "there".into()),
        ],
        posts: vec![
            unsent(post(1, Recipient::Room(GENERAL), "said offline"), None),
            unsent(post(2, Recipient::Name("li".into()), "psst"), None),
            unsent(
                post(3, Recipient::Room(GENERAL), "in vain"),
                Some(Refusal::new(RefusalCode::NotAMember)),
            ),
        ],
    });
    assert_eq!(numbers(&screen).last(), Some(&60));
    let row = |mark: char, text: &str| {
        assert!(
            screen
                .rows()
                .iter()
                .any(|row| row.contains(mark) && row.contains(text)),
            "{mark} {text}: {}",
            screen.text()
        );
    };
    row('…', "said offline");
    row('…', "psst");
    row('✗', "in vain");
    assert_eq!(screen.state.composer().text(), "not yet");
    // The link comes up: the cursor was known, so only what is new comes, and nothing is there twice.
    screen.is_welcomed(rooms);
    screen.follows(GENERAL, 62);
    let mut own = says(GENERAL, 62, ANN, 62, "said offline");
    own.client_id = Some(id(1));
    screen.hears(ClientEvent::Entries(vec![numbered(61), own]));
    let times = screen
        .rows()
        .iter()
        .filter(|row| row.contains("said offline"))
        .count();
    assert_eq!(times, 1, "{}", screen.text());
    assert_eq!(screen.state.rooms.current, Some(GENERAL));
    // A room that is shown later asks for what is kept of it.
    let asked = screen.keys("<c-u><c-n>");
    assert!(
        asked.contains(&Effect::Client(Command::Older {
            room: TECH,
            before: Seq(u64::MAX)
        })),
        "{asked:?}"
    );
    assert_eq!(screen.state.composer().text(), "there");
}
