//! Scripts of keys and events over the pure `update`.

use std::time::Duration;

use tchat::chat::{
    Author, Body, ClientId, Entry, Epoch, FollowResult, IdentityId, InstanceId, Recipient, Refusal,
    RefusalCode, Seq, Unread,
};
use tchat::client::cache::Unsent;
use tchat::client::{About, Command, Event as Told, LinkState, Post, Why};
use tchat::tui::event::{Effect, Event};

use crate::support::screen::{
    ANN, GENERAL, LI, Screen, TECH, WITH_LI, ZHANG, conversation, room, says,
};

fn said(effects: &[Effect]) -> Option<(Recipient, Body)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Client(Command::Post { post, .. }) => Some((post.to.clone(), post.body.clone())),
        _ => None,
    })
}

fn text(text: &str) -> Body {
    Body::Text(text.into())
}

#[test]
fn enter_says_it_in_the_room_and_empties_the_composer() {
    let mut screen = Screen::online(80, 24);
    assert_eq!(
        said(&screen.keys("hello 世界<ret>")),
        Some((Recipient::Room(GENERAL), text("hello 世界")))
    );
    assert!(screen.state.composer().is_empty());
    assert!(
        screen.keys("<ret>").is_empty(),
        "nothing is said without a text"
    );
}

#[test]
fn a_line_to_somebody_known_goes_to_that_person_and_one_to_a_conversation_there() {
    let mut screen = Screen::online(80, 24);
    assert_eq!(
        said(&screen.keys("@张三 psst<ret>")),
        Some((Recipient::Person(ZHANG), text("psst")))
    );
    assert_eq!(
        said(&screen.keys("@李四 psst<ret>")),
        Some((Recipient::Room(WITH_LI), text("psst")))
    );
    assert_eq!(
        said(&screen.keys("@stranger psst<ret>")),
        Some((Recipient::Name("stranger".into()), text("psst")))
    );
    assert!(screen.shows("privately to 张三"));
}

#[test]
fn what_begins_with_a_space_or_a_backslash_is_public_and_everybody_is_nobody() {
    let mut screen = Screen::online(80, 24);
    for (keys, public) in [
        (" @李四 hi<ret>", "@李四 hi"),
        ("\\@李四 hi<ret>", "@李四 hi"),
        ("@here hi<ret>", "@here hi"),
    ] {
        assert_eq!(
            said(&screen.keys(keys)),
            Some((Recipient::Room(GENERAL), text(public))),
            "{keys}"
        );
    }
}

#[test]
fn a_name_alone_says_what_is_missing_and_stays() {
    let mut screen = Screen::online(100, 24);
    assert!(screen.keys("@张三 <ret>").is_empty());
    assert!(
        screen.shows("write what @张三 is to read behind the name"),
        "{}",
        screen.text()
    );
    assert_eq!(screen.state.composer().text(), "@张三 ");
    screen.keys("x");
    assert!(
        !screen.shows("write what"),
        "the next key takes the notice away"
    );
}

#[test]
fn a_name_that_changed_hands_is_asked_about_first() {
    let mut screen = Screen::online(100, 24);
    // Somebody else is called like the peer of our conversation now.
    let stranger = IdentityId::new([66; 16]);
    let went = vec![LI];
    let came = vec![tchat::chat::Person {
        id: stranger,
        name: "李四".into(),
        presence: tchat::chat::Presence::Online,
        role: tchat::chat::Role::Member,
        via: tchat::chat::Via::Tchat,
        status: String::new(),
    }];
    screen.hears(Told::RosterDelta {
        room: GENERAL,
        came,
        went,
    });
    assert_eq!(said(&screen.keys("@李四 our secret<ret>")), None);
    assert!(
        screen.shows("is not the one you wrote with before"),
        "{}",
        screen.text()
    );
    assert_eq!(screen.state.composer().text(), "@李四 our secret");
    assert_eq!(
        said(&screen.keys("<ret>")),
        Some((Recipient::Person(stranger), text("our secret")))
    );
}

#[test]
fn an_unknown_command_is_never_said_and_stays_with_a_proposal() {
    let mut screen = Screen::online(100, 24);
    assert!(screen.keys("/jion tech<ret>").is_empty());
    assert!(screen.shows("there is no command /jion; did you mean /join?"));
    assert_eq!(screen.state.composer().text(), "/jion tech");
    screen.keys("<c-u>/nick<ret>");
    assert!(screen.shows("usage: /nick NAME"));
}

#[test]
fn commands_ask_for_what_they_say() {
    let cases = [
        (
            "/join dev<ret>",
            vec![Effect::Client(Command::Join("dev".into()))],
        ),
        (
            "/join #dev<ret>",
            vec![Effect::Client(Command::Join("dev".into()))],
        ),
        ("/leave<ret>", vec![Effect::Client(Command::Leave(GENERAL))]),
        (
            "/leave #tech<ret>",
            vec![Effect::Client(Command::Leave(TECH))],
        ),
        ("/rooms<ret>", vec![Effect::Client(Command::ListRooms)]),
        (
            "/nick 安<ret>",
            vec![Effect::Client(Command::SetName("安".into()))],
        ),
        (
            "/msg bob<ret>",
            vec![Effect::Client(Command::Open("bob".into()))],
        ),
        ("/theme paper<ret>", vec![Effect::Theme("paper".into())]),
        (
            "/connect host:1<ret>",
            vec![Effect::Connect(Some("host:1".into()))],
        ),
        ("/connect<ret>", vec![Effect::Connect(None)]),
        (
            "/disconnect<ret>",
            vec![Effect::Client(Command::Disconnect)],
        ),
        ("/quit<ret>", vec![Effect::Quit]),
        ("exit<ret>", vec![Effect::Quit]),
        (":wq<ret>", vec![Effect::Quit]),
        ("<c-c>", vec![Effect::Quit]),
        ("<c-q>", vec![Effect::Quit]),
    ];
    for (keys, effects) in cases {
        let mut screen = Screen::online(80, 24);
        assert_eq!(screen.keys(keys), effects, "{keys}");
    }
    let mut screen = Screen::online(80, 24);
    assert_eq!(
        said(&screen.keys("/me waves<ret>")).unwrap().1,
        Body::Action("waves".into())
    );
    screen.keys("/who<ret>");
    assert!(screen.shows("In #general") && screen.shows("张三"));
    screen.keys("<esc>/help<ret>");
    assert!(screen.shows("Keys"));
    screen.keys("<esc>/theme<ret>");
    assert!(screen.shows("› dusk") && screen.shows("ansi"));
}

#[test]
fn clear_empties_the_screen_and_what_comes_next_is_shown() {
    let mut screen = Screen::online(80, 24);
    screen.hears(Told::Entries(vec![says(GENERAL, 1, LI, 12, "old")]));
    screen.keys("/clear<ret>");
    assert!(!screen.shows("old"));
    screen.hears(Told::Entries(vec![says(GENERAL, 2, LI, 13, "new")]));
    assert!(screen.shows("new"));
}

#[test]
fn rooms_are_gone_through_and_each_keeps_its_draft() {
    let mut screen = Screen::online(80, 24);
    screen.keys("for general<a-down>for tech<c-n>");
    assert_eq!(screen.state.current, Some(WITH_LI));
    screen.keys("<a-up>");
    assert_eq!(screen.state.composer().text(), "for tech");
    screen.keys("<c-p>");
    assert_eq!(
        (
            screen.state.current,
            screen.state.composer().text().as_str()
        ),
        (Some(GENERAL), "for general")
    );
    screen.keys("<c-p>");
    assert_eq!(screen.state.current, Some(WITH_LI), "around the end");
    assert_eq!(
        said(&screen.keys("hi<ret>")),
        Some((Recipient::Room(WITH_LI), text("hi"))),
        "and text goes where the prompt says"
    );
}

#[test]
fn pasting_never_sends() {
    let mut screen = Screen::online(80, 24);
    screen.does(Event::Paste("one\r\ntwo\n\u{1b}[31mthree\n".into()));
    assert!(screen.effects.is_empty());
    assert_eq!(screen.state.composer().text(), "one\ntwo\n[31mthree\n");
    assert_eq!(
        said(&screen.keys("<ret>")),
        Some((Recipient::Room(GENERAL), text("one\ntwo\n[31mthree")))
    );
}

#[test]
fn completion_shows_what_fits_and_never_takes_enter_unasked() {
    let mut screen = Screen::online(100, 24);
    screen.keys("/co");
    assert!(
        screen.shows("/connect") && screen.shows("go to another server"),
        "{}",
        screen.text()
    );
    screen.keys("<tab>");
    assert_eq!(screen.state.composer().text(), "/connect ");
    screen.keys("<c-u>@李<tab>hello");
    assert_eq!(screen.state.composer().text(), "@李四 hello");
    screen.keys("<c-u>see #te<tab>");
    assert_eq!(screen.state.composer().text(), "see #tech ");
    screen.keys("<c-u>@");
    assert_eq!(screen.keys("<ret>").len(), 1, "Enter sends what is typed");
    screen.keys("<c-u>@<down><down>");
    assert!(
        said(&screen.keys("<ret>")).is_none(),
        "but takes a completion that was chosen"
    );
    assert!(
        screen.state.composer().text().starts_with('@')
            && screen.state.composer().text().ends_with(' ')
    );
    screen.keys("<c-u>/q<esc>");
    assert!(screen.state.popup.is_none());
    assert_eq!(
        screen.state.composer().text(),
        "/q",
        "Esc takes nothing but the popup away"
    );
}

#[test]
fn what_was_sent_is_called_back_in_its_room() {
    let mut screen = Screen::online(80, 24);
    screen.keys("one<ret>two<ret><a-down>elsewhere<ret><a-up>");
    screen.keys("<a-p>");
    assert_eq!(screen.state.composer().text(), "two");
    screen.keys("<a-p><a-p>");
    assert_eq!(screen.state.composer().text(), "one");
    screen.keys("<a-n><a-n>");
    assert_eq!(screen.state.composer().text(), "");
}

#[test]
fn a_conversation_somebody_begins_is_shown_beside_and_counted() {
    let mut screen = Screen::online(100, 24);
    let with_zhang = tchat::chat::RoomId::new([44; 16]);
    screen.hears(Told::Room {
        room: conversation(with_zhang, ZHANG),
        asked: false,
    });
    assert_eq!(
        screen.state.current,
        Some(GENERAL),
        "nobody is torn away from what they read"
    );
    let unread = Unread {
        read: Seq(1),
        messages: 1,
        mentions: 0,
    };
    screen.follows_unread(with_zhang, 2, unread);
    screen.hears(Told::Entries(vec![says(
        with_zhang,
        2,
        ZHANG,
        30,
        "between us",
    )]));
    assert!(screen.shows("between us") && screen.shows("privately to you"));
    assert!(
        screen
            .rows()
            .iter()
            .any(|row| row.contains("@ 张三") && row.contains('1')),
        "{}",
        screen.text()
    );
    // Going there and looking for a moment clears the count.
    screen.keys("/msg 张三<ret>");
    assert_eq!(screen.state.current, Some(with_zhang));
    screen.passes(Duration::from_secs(1));
    assert_eq!(
        screen
            .state
            .room(with_zhang)
            .unwrap()
            .reading
            .unread
            .messages,
        0
    );
}

#[test]
fn history_is_no_news() {
    let mut screen = Screen::online(80, 24);
    let dev = tchat::chat::RoomId::new([45; 16]);
    screen.hears(Told::Room {
        room: room(dev, "dev", ""),
        asked: false,
    });
    screen.follows(dev, 2);
    screen.hears(Told::Entries(vec![
        says(dev, 1, LI, 1, "old"),
        says(dev, 2, LI, 2, "old too"),
    ]));
    assert_eq!(screen.state.room(dev).unwrap().reading.unread.messages, 0);
    screen.hears(Told::Entries(vec![says(dev, 3, LI, 3, "new")]));
    assert_eq!(screen.state.room(dev).unwrap().reading.unread.messages, 1);
}

#[test]
fn enter_in_an_empty_composer_dials_at_once() {
    let mut screen = Screen::online(80, 24);
    let waiting = LinkState::Waiting {
        retry_in: std::time::Duration::from_secs(9),
        why: Why::Lost,
    };
    screen.hears(Told::Link(waiting));
    assert_eq!(screen.keys("<ret>"), [Effect::Client(Command::RetryNow)]);
    assert!(
        said(&screen.keys("offline thought<ret>")).is_some(),
        "and what is typed is sent when the link is back"
    );
}

/// A room with so many messages, of which the newest 200 are loaded.
fn long_room(screen: &mut Screen, count: u64) {
    screen.follows(GENERAL, count);
    screen.hears(Told::Gap {
        room: GENERAL,
        from: Seq(1),
        to: Seq(count - 200),
    });
    let entries = (count - 199..=count).map(numbered).collect();
    screen.hears(Told::Entries(entries));
}

fn numbered(seq: u64) -> Entry {
    // Some are long, so that heights differ.
    let long = if seq.is_multiple_of(7) {
        "x ".repeat(100)
    } else {
        String::new()
    };
    says(
        GENERAL,
        seq,
        if seq.is_multiple_of(2) { LI } else { ZHANG },
        seq,
        &format!("#{seq}# {long}"),
    )
}

/// Answers every page that was asked for.
fn load(screen: &mut Screen) {
    while let Some(place) = screen
        .effects
        .iter()
        .position(|effect| matches!(effect, Effect::Client(Command::Older { .. })))
    {
        let Effect::Client(Command::Older { before, .. }) = screen.effects.remove(place) else {
            return;
        };
        let from = before.0.saturating_sub(200).max(1);
        screen.page(GENERAL, before.0, (from..before.0).map(numbered).collect());
    }
}

/// The numbers of the messages on the screen.
fn numbers(screen: &Screen) -> Vec<u64> {
    screen
        .rows()
        .iter()
        .filter_map(|row| row.split('#').find_map(|part| part.parse().ok()))
        .collect()
}

#[test]
fn paging_up_from_the_newest_of_5000_reaches_the_first_without_a_jump() {
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
        assert!(pages < 2000, "it does not get there");
    }
    screen.keys("<c-end>");
    assert_eq!(numbers(&screen).last(), Some(&5000));
}

#[test]
fn what_arrives_never_moves_what_is_read() {
    let mut screen = Screen::online(80, 24);
    long_room(&mut screen, 1000);
    screen.keys("<pgup><pgup>");
    let before = numbers(&screen);
    screen.hears(Told::Entries((1001..1010).map(numbered).collect()));
    let with_the_count_below = before[..before.len() - 1].to_vec();
    assert_eq!(numbers(&screen), with_the_count_below);
    assert!(screen.shows("9 new · Ctrl+End"), "{}", screen.text());
    load(&mut screen);
    assert_eq!(
        numbers(&screen),
        with_the_count_below,
        "nor does an older page"
    );
    screen.does(Event::Resize(60, 20));
    assert_eq!(numbers(&screen)[0], before[0], "nor another size");
    screen.does(Event::Resize(80, 24));
    screen.keys("<pgdn><pgdn>");
    screen.keys("<pgdn><pgdn><pgdn><pgdn>");
    assert_eq!(numbers(&screen).last(), Some(&1009));
    screen.hears(Told::Entries(vec![numbered(1010)]));
    assert_eq!(
        numbers(&screen).last(),
        Some(&1010),
        "at the newest end it follows"
    );
    assert!(!screen.shows("new ·"));
}

#[test]
fn a_page_that_failed_is_asked_for_again() {
    let mut screen = Screen::online(80, 24);
    long_room(&mut screen, 1000);
    let asked = |effects: &[Effect]| {
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Client(Command::Older { .. })))
    };
    let mut first = false;
    for _ in 0..30 {
        first |= asked(&screen.keys("<pgup>"));
    }
    assert!(first);
    assert!(!asked(&screen.keys("<pgup>")), "once is enough");
    screen.hears(Told::PageFailed {
        room: GENERAL,
        before: Seq(801),
    });
    assert!(asked(&screen.keys("<pgup>")));
}

#[test]
fn a_skip_leaves_a_gap_that_says_how_much_is_missing_and_fills_when_it_is_seen() {
    let mut screen = Screen::online(80, 24);
    screen.follows(GENERAL, 10);
    screen.hears(Told::Entries((1..=10).map(numbered).collect()));
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
        assert_eq!(holes, named, "every hole has a name: {}", screen.text());
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
fn what_the_server_no_longer_has_is_named_and_not_asked_for_again() {
    let mut screen = Screen::online(80, 24);
    screen.hears(Told::Entries((1..=3).map(numbered).collect()));
    screen.hears(Told::Followed {
        room: GENERAL,
        epoch: numbered(1).epoch,
        first: Seq(9),
        last: Seq(12),
        result: FollowResult::Trimmed,
        unread: tchat::chat::Unread::default(),
    });
    screen.hears(Told::Entries((9..=12).map(numbered).collect()));
    assert!(
        screen.shows("5 messages are no longer on the server"),
        "{}",
        screen.text()
    );
    let asks = screen.keys("<pgup><pgup><c-end>");
    assert!(asks.is_empty(), "{asks:?}");
}

#[test]
fn a_private_line_that_waits_or_failed_outlives_what_is_loaded_around_it() {
    let mut screen = Screen::online(80, 24);
    screen.keys("@nobody psst<ret>");
    let client_id = screen.last_post();
    let refusal = Refusal::new(RefusalCode::PersonUnknown).with("nobody");
    screen.hears(Told::PostRefused { client_id, refusal });
    screen.hears(Told::Entries((1..=3).map(numbered).collect()));
    assert!(screen.shows("psst"), "{}", screen.text());
    screen.hears(Told::Followed {
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
        matches!(&again[..], [Effect::Client(Command::Post { instead_of: Some(id), .. })] if *id == client_id)
    );
}

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
        screen.hears(Told::Entries(entries.collect()));
        screen.hears(Told::Followed {
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
        screen.hears(Told::Entries(vec![
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
    screen.hears(Told::Entries(vec![forged]));
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
    screen.hears(Told::Room {
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
    assert_eq!(screen.state.current, None);
    screen.keys("still here");
    screen.is_welcomed(vec![room(GENERAL, "general", "")]);
    assert_eq!(screen.state.current, Some(GENERAL));
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
    screen.hears(Told::Refused {
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
        screen.hears(Told::PostRefused { client_id, refusal });
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
    screen.state.now.instant += std::time::Duration::from_millis(600);
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
    screen.hears(Told::Kept {
        you,
        limits: tchat::chat::Limits::default(),
        rooms: rooms.clone(),
    });
    let id = |counter| ClientId {
        instance: InstanceId::new([3; 16]),
        counter,
    };
    screen.hears(Told::Page {
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
    screen.hears(Told::Unsent {
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
    screen.hears(Told::Entries(vec![numbered(61), own]));
    let times = screen
        .rows()
        .iter()
        .filter(|row| row.contains("said offline"))
        .count();
    assert_eq!(times, 1, "{}", screen.text());
    assert_eq!(screen.state.current, Some(GENERAL));
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

#[test]
fn rooms_and_themes_are_completed_behind_their_commands() {
    let mut screen = Screen::online(100, 24);
    screen.hears(Told::Directory(vec![room(
        tchat::chat::RoomId::new([70; 16]),
        "testing",
        "breaking things",
    )]));
    screen.keys("/join tes");
    assert!(
        screen.shows("#testing") && screen.shows("breaking things"),
        "{}",
        screen.text()
    );
    screen.keys("<tab>");
    assert_eq!(screen.state.composer().text(), "/join #testing ");
    screen.keys("<c-u>/theme pa<tab>");
    assert_eq!(screen.state.composer().text(), "/theme paper ");
    screen.keys("<c-u>see #testi<tab>");
    assert_eq!(screen.state.composer().text(), "see #testing ");
}

#[test]
fn the_link_overlay_counts_what_arrived_and_asks_while_it_is_open() {
    let mut screen = Screen::online(80, 24);
    screen.keys("one<ret>two<ret>");
    let asked = screen.keys("<f2>");
    assert_eq!(asked, [Effect::Client(Command::Report)]);
    let told = |duplicates, holes, head| tchat::client::RoomReport {
        room: GENERAL,
        last: Seq(1204),
        head: Seq(head),
        duplicates,
        holes,
        repairs: 0,
    };
    screen.hears(Told::Report(tchat::client::Report {
        rtt: Some(std::time::Duration::from_micros(2_340)),
        reconnects: 3,
        rooms: vec![told(12, 0, 1204)],
    }));
    assert!(
        screen.shows("online, 2.3 ms there and back"),
        "{}",
        screen.text()
    );
    assert!(screen.shows("3 reconnects · 2 waiting to be sent"));
    let line = |screen: &Screen| {
        let rows = screen.rows();
        let row = rows
            .iter()
            .find(|row| row.contains("1204"))
            .unwrap()
            .clone();
        row.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let shown = line(&screen);
    let from = shown.iter().position(|word| word == "1204").unwrap();
    assert_eq!(shown[from..from + 4], ["1204", "0", "12", "2"]);
    // What is wrong is said, and only then.
    assert!(!screen.shows("on their way") && !screen.shows("asked again"));
    screen.hears(Told::Report(tchat::client::Report {
        rooms: vec![told(12, 1, 1210)],
        ..Default::default()
    }));
    assert!(screen.shows("6 more are on their way"), "{}", screen.text());
    let words = screen
        .text()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(words.contains("1 holes, 0 ends"), "{}", screen.text());
    // It is asked once a second, and not when nobody looks.
    screen.effects.clear();
    screen.state.now.instant += std::time::Duration::from_secs(1);
    screen.does(Event::Tick);
    assert_eq!(screen.effects, [Effect::Client(Command::Report)]);
    screen.keys("<esc>");
    screen.state.now.instant += std::time::Duration::from_secs(1);
    screen.does(Event::Tick);
    assert!(screen.effects.is_empty());
    assert!(!screen.state.wants_ticks());
}

#[test]
fn a_command_that_leads_elsewhere_leaves_what_is_written_there() {
    let mut screen = Screen::online(80, 24);
    screen.keys("<a-down>precious draft<a-up>/join tech<ret>");
    assert!(screen.shows("#tech › precious draft"), "{}", screen.text());
    screen.keys("<a-up>");
    assert!(
        screen
            .rows()
            .iter()
            .any(|row| row.trim_end() == " #general ›")
    );
    screen.keys("/msg 李四<ret>");
    screen.keys("<a-up><a-up>");
    assert!(
        screen
            .rows()
            .iter()
            .any(|row| row.trim_end() == " #general ›")
    );
    // Called back where it was given.
    screen.keys("<a-p>");
    assert!(screen.shows("#general › /msg 李四"));
}

#[test]
fn what_fails_by_itself_brings_no_old_command_back() {
    let mut screen = Screen::online(80, 24);
    screen.keys("/disconnect<ret><c-t>");
    screen.hears(Told::Refused {
        about: About::Mentions,
        refusal: Refusal::new(RefusalCode::Offline),
    });
    assert!(screen.shows("cannot list who called you: there is no connection now"));
    assert!(!screen.shows("MENTIONS") && screen.state.composer().is_empty());
    // What was asked for by hand does come back.
    screen.keys("/mentions<ret>");
    screen.hears(Told::Refused {
        about: About::Mentions,
        refusal: Refusal::new(RefusalCode::Offline),
    });
    assert_eq!(screen.state.composer().text(), "/mentions");
}

#[test]
fn a_list_of_rooms_that_does_not_fit_shows_the_one_that_is_read() {
    let mut screen = Screen::online(80, 16);
    for n in 0..30_u8 {
        screen.hears(Told::Room {
            room: room(
                tchat::chat::RoomId::new([100 + n; 16]),
                &format!("room{n:02}"),
                "",
            ),
            asked: false,
        });
    }
    assert!(
        screen.shows("# general") && screen.shows("more"),
        "{}",
        screen.text()
    );
    screen.keys("/join room25<ret>");
    assert!(screen.shows("# room25"), "{}", screen.text());
    screen.keys("/msg 李四<ret>");
    assert!(screen.shows("@ 李四"), "{}", screen.text());
}

#[test]
fn an_edit_is_written_as_what_is_said_anew() {
    let mut screen = Screen::online(80, 24);
    screen.hears(Told::Entries(vec![says(GENERAL, 1, ANN, 1, "hi")]));
    let effects = screen.keys("<up><c-u> @李四 hello<ret>");
    let edit = effects.iter().find_map(|effect| match effect {
        Effect::Client(Command::Post { post, .. }) => Some(post.body.text().to_owned()),
        _ => None,
    });
    assert_eq!(edit.as_deref(), Some("@李四 hello"));
}
