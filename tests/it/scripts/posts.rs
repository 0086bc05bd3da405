//! Our own posts: pending, stored, refused, and taken over from an earlier run.

use super::paging::{numbered, numbers};
use super::*;

/// One of our messages, as entry `seq` of the history with this epoch.
fn mine(epoch: u8, seq: u64, text: &str) -> Entry {
    let counter = text.len() as u64;
    let client_id = ClientId {
        instance: InstanceId::new([7; 16]),
        counter,
    };
    Entry {
        epoch: Epoch::new([epoch; 16]),
        client_id: Some(client_id),
        ..message_entry(GENERAL, seq, ANN, seq, text)
    }
}

#[test]
fn after_a_change_of_history_old_messages_stay_until_the_new_one_has_them() {
    for result in [FollowResult::EpochChanged, FollowResult::Ahead] {
        let epoch = if result == FollowResult::Ahead { 1 } else { 2 };
        let mut screen = Screen::online(80, 24);
        let old = ["one", "three", "eleven"];
        let entries = old.iter().zip(1..).map(|(text, seq)| mine(1, seq, text));
        screen.receives(ClientEvent::Entries(entries.collect()));
        screen.receives(ClientEvent::Followed {
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
        screen.receives(ClientEvent::Entries(vec![
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
            "history was replaced",
            "one",
            "said since",
        ];
        assert!(order.map(place).is_sorted(), "{}", screen.text());
    }
}

#[test]
fn only_our_own_entries_confirm_our_posts() {
    let mut screen = Screen::online(80, 24);
    screen.keys("mine<ret>");
    let mut forged = message_entry(GENERAL, 1, LI, 1, "forged");
    forged.client_id = Some(screen.last_post());
    screen.receives(ClientEvent::Entries(vec![forged]));
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
fn text_typed_before_there_is_a_room_is_kept() {
    let mut screen = Screen::blank(80, 24);
    screen.keys("early bird");
    screen.is_welcomed(Vec::new());
    screen.receives(ClientEvent::Room {
        room: room(GENERAL, "general", ""),
        is_requested: true,
    });
    assert_eq!(screen.state.composer().text(), "early bird");
    let effects = screen.keys("<ret>");
    assert!(matches!(
        &effects[..],
        [Effect::Client(Command::Post { post, .. })] if post.client_id.counter == 1
    ));
}

/// A client that has rooms always shows one of them and keeps the draft written without a room.
#[test]
fn a_welcome_after_one_without_rooms_opens_a_room_again() {
    let mut screen = Screen::online(80, 24);
    screen.is_welcomed(Vec::new());
    assert_eq!(screen.state.rooms.current, None);
    screen.keys("still here");
    screen.is_welcomed(vec![room(GENERAL, "general", "")]);
    assert_eq!(screen.state.rooms.current, Some(GENERAL));
    assert_eq!(screen.state.composer().text(), "still here");
}

#[test]
fn a_refused_command_shows_the_reason_and_returns_to_the_composer() {
    let mut screen = Screen::online(100, 24);
    screen.keys("/join full<ret>");
    assert!(screen.state.composer().is_empty());
    let refusal = Refusal::new(RefusalCode::RoomFull)
        .with("full")
        .with(20)
        .with(20);
    screen.receives(ClientEvent::Refused {
        about: RequestKind::Join("full".into()),
        refusal,
    });
    assert!(
        screen
            .shows("cannot join #full: #full is full (20 of 20); try again when someone has left"),
        "{}",
        screen.text()
    );
    assert_eq!(screen.state.composer().text(), "/join full");
    screen.keys("<c-u>/theme nonsense<ret>");
    screen.handles(Event::ThemeFailed("there is no theme 'nonsense'".into()));
    assert_eq!(screen.state.composer().text(), "/theme nonsense");
}

#[test]
fn a_failed_post_shows_the_reason_and_can_be_retried_or_edited() {
    let mut screen = Screen::online(140, 24);
    let refuse = |screen: &mut Screen| {
        let refusal = Refusal::new(RefusalCode::PersonUnknown).with("nobody");
        let client_id = screen.last_post();
        screen.receives(ClientEvent::PostRefused { client_id, refusal });
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
        screen.shows("nobody here is named nobody · Alt+R retry, Alt+E edit"),
        "{}",
        screen.text()
    );
    // The retry gets a new client id, because later ones may have been accepted, and replaces the old post.
    let effects = screen.keys("<a-r>");
    let [
        Effect::Client(Command::Post {
            post,
            replaces: instead_of,
        }),
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(*instead_of, Some(failed));
    assert!(post.client_id.counter > failed.counter);
    assert_eq!(post.body, text("psst"));
    assert!(!marked(&screen), "it waits again: {}", screen.text());
    let failed = refuse(&mut screen);
    // It can be edited only while the composer is empty.
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
        "the draft is stored before the post is deleted: {effects:?}"
    );
    assert!(!screen.shows("privately to nobody"), "{}", screen.text());
}

#[test]
fn a_draft_is_stored_once_within_a_second() {
    let mut screen = Screen::online(80, 24);
    assert!(!screen.state.wants_ticks(), "no timer is needed");
    screen.keys("half a sent");
    assert!(screen.state.wants_ticks());
    screen.handles(Event::Tick);
    assert!(screen.effects.is_empty(), "not with every key");
    screen.state.screen.now.instant += std::time::Duration::from_millis(600);
    screen.handles(Event::Tick);
    let draft = |room, text: &str| {
        Effect::Client(Command::Draft {
            room: Some(room),
            text: text.into(),
        })
    };
    assert_eq!(screen.effects, [draft(GENERAL, "half a sent")]);
    assert!(!screen.state.wants_ticks(), "no timer is left");
    screen.effects.clear();
    // Drafts of rooms that the user has left are stored too.
    screen.keys("ence<c-n>elsewhere");
    assert_eq!(
        tchat::tui::update::flush_drafts(&mut screen.state),
        [draft(GENERAL, "half a sentence"), draft(TECH, "elsewhere")]
    );
    assert_eq!(tchat::tui::update::flush_drafts(&mut screen.state), []);
}

#[test]
fn cached_rooms_drafts_and_posts_are_on_the_first_screen() {
    let mut screen = Screen::blank(80, 24);
    let rooms = vec![room(GENERAL, "general", "topic"), room(TECH, "tech", "")];
    let you = Author {
        id: ANN,
        name: "ann".into(),
    };
    screen.receives(ClientEvent::Cached {
        you,
        limits: tchat::chat::Limits::default(),
        rooms: rooms.clone(),
    });
    let id = |counter| ClientId {
        instance: InstanceId::new([3; 16]),
        counter,
    };
    screen.receives(ClientEvent::Page {
        room: GENERAL,
        before: Seq(u64::MAX),
        epoch: numbered(1).epoch,
        first: Seq(1),
        entries: (40..=60).map(numbered).collect(),
    });
    let post = |counter, to, said: &str| OutgoingPost {
        from: Some(GENERAL),
        ..OutgoingPost::new(id(counter), to, text(said))
    };
    let unsent = |post, failed| Unsent { post, failed };
    screen.receives(ClientEvent::Unsent {
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
    // The link comes up with a known cursor, so only new entries arrive, and nothing is shown twice.
    screen.is_welcomed(rooms);
    screen.follows(GENERAL, 62);
    let mut own = message_entry(GENERAL, 62, ANN, 62, "said offline");
    own.client_id = Some(id(1));
    screen.receives(ClientEvent::Entries(vec![numbered(61), own]));
    let times = screen
        .rows()
        .iter()
        .filter(|row| row.contains("said offline"))
        .count();
    assert_eq!(times, 1, "{}", screen.text());
    assert_eq!(screen.state.rooms.current, Some(GENERAL));
    // A room that is opened later requests its cached entries.
    let asked = screen.keys("<c-u><c-n>");
    assert!(
        asked.contains(&Effect::Client(Command::LoadOlder {
            room: TECH,
            before: Seq(u64::MAX)
        })),
        "{asked:?}"
    );
    assert_eq!(screen.state.composer().text(), "there");
}
