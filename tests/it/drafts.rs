//! Drafts: text that is being written is never lost.

use std::time::Duration;

use tchat::chat::{Epoch, Invite, Person, Presence, Profile, Refusal, RefusalCode, Role, Seq, Via};
use tchat::client::{Command, Event as ClientEvent};
use tchat::tui::event::{Effect, Event};

use crate::support::screen::{ANN, GENERAL, LI, Screen, TECH, WITH_LI, message_entry};

fn written(screen: &Screen) -> String {
    screen.state.composer().text()
}

/// The draft that was last stored on the disk, if any.
fn stored_draft(screen: &mut Screen) -> Option<String> {
    screen.effects.clear();
    screen.advances(Duration::from_secs(1));
    let draft = |effect: &Effect| match effect {
        Effect::Client(Command::Draft { text, .. }) => Some(text.clone()),
        _ => None,
    };
    screen.effects.iter().rev().find_map(draft)
}

fn said() -> Screen {
    let mut screen = Screen::online(80, 24);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL,
        1,
        ANN,
        0,
        "teh build",
    )]));
    screen
}

#[test]
fn a_draft_with_an_invitation_is_not_stored() {
    let mut screen = said();
    screen.keys("hello");
    assert_eq!(stored_draft(&mut screen).as_deref(), Some("hello"));
    let link = Invite::new([7; 16]).added_to("tchat://h/#");
    for text in [format!("/connect {link}"), format!("join us: '{link}' !")] {
        screen.keys("<c-u>");
        screen.handles(Event::Paste(text.clone()));
        assert_eq!(written(&screen), text);
        assert_eq!(stored_draft(&mut screen), None, "{text}");
    }
    // A link without one is a draft like any other.
    screen.keys("<c-u>");
    screen.handles(Event::Paste("tchat://h/#pin".into()));
    let stored = stored_draft(&mut screen);
    assert_eq!(stored.as_deref(), Some("tchat://h/#pin"));
}

#[test]
fn after_an_edit_the_previous_draft_comes_back() {
    let mut screen = said();
    screen.keys("a long draft");
    assert_eq!(stored_draft(&mut screen).as_deref(), Some("a long draft"));
    screen.keys("<a-m>e");
    assert_eq!(written(&screen), "teh build");
    assert_eq!(
        stored_draft(&mut screen),
        None,
        "the stored draft does not change"
    );
    screen.keys("!");
    let both = stored_draft(&mut screen);
    assert_eq!(both.as_deref(), Some("a long draft\nteh build!"));
    screen.keys("<esc>");
    assert_eq!(written(&screen), "a long draft");
    assert_eq!(stored_draft(&mut screen).as_deref(), Some("a long draft"));

    screen.keys("<a-m>e<c-u>the build<ret>");
    assert_eq!(written(&screen), "a long draft");
    assert!(screen.shows("#general ›"));
    // Text cut meanwhile can be pasted, and edits from before can be undone.
    screen.keys("<c-y>");
    assert_eq!(written(&screen), "a long draftteh build");
    screen.keys("<c-z><c-z>");
    assert!(written(&screen).len() < "a long draft".len());
}

#[test]
fn leaving_the_sent_history_restores_the_draft() {
    let mut screen = said();
    screen.keys("one<ret>two<ret>half a li");
    screen.keys("<a-p><a-p>");
    assert_eq!(written(&screen), "one");
    screen.keys("<a-n><a-n>");
    assert_eq!(written(&screen), "half a li");
    // Sending an old message again, changed or not, keeps the draft.
    screen.keys("<a-p>, really<ret>");
    assert_eq!(written(&screen), "half a li");
    assert!(screen.shows("two, really"));
}

#[test]
fn unsent_posts_survive_leaving_their_room() {
    let mut screen = Screen::online(140, 24);
    screen.keys("/join tech<ret>");
    screen.state.rooms.current = Some(TECH);
    screen.keys("refused there<ret>");
    let id = screen.last_post();
    screen.receives(ClientEvent::PostRefused {
        client_id: id,
        refusal: Refusal::new(RefusalCode::TooLong).with("9").with("8"),
    });
    screen.keys("waits there<ret>");
    let waits = screen.last_post();
    screen.receives(ClientEvent::Left(TECH));
    assert_eq!(screen.state.rooms.current, Some(GENERAL));
    let text = screen.text();
    let row = |words: &str| text.lines().find(|row| row.contains(words)).unwrap();
    assert!(row("refused there").contains('✗'), "{text}");
    assert!(row("waits there").contains('…'), "{text}");
    assert!(
        row("waits there").contains("in #tech, which you are no longer in"),
        "{text}"
    );
    // A post refused later shows the reason too, and both can be edited again.
    screen.receives(ClientEvent::PostRefused {
        client_id: waits,
        refusal: Refusal::new(RefusalCode::TooLong).with("9").with("8"),
    });
    let text = screen.text();
    let failed = text.lines().filter(|row| row.contains('✗')).count();
    assert_eq!(failed, 2, "{text}");
    // Their room is gone, so they cannot go into the composer of another; they are cut instead, to be pasted anywhere.
    assert_eq!(screen.keys("<a-r>"), []);
    assert!(screen.shows("go there to retry"), "{}", screen.text());
    for words in ["waits there", "refused there"] {
        screen.keys("<a-e>");
        assert_eq!(written(&screen), "");
        assert!(!screen.shows(words), "{}", screen.text());
        screen.keys("<c-y>");
        assert_eq!(written(&screen), words);
        screen.keys("<c-u>");
    }
}

#[test]
fn a_failed_message_can_be_edited_only_in_its_own_room() {
    let mut screen = Screen::online(140, 24);
    let refuse = |screen: &mut Screen| {
        let refusal = Refusal::new(RefusalCode::TooLong).with("9").with("8");
        let client_id = screen.last_post();
        screen.receives(ClientEvent::PostRefused { client_id, refusal });
    };
    // In another room neither key affects it.
    screen.keys("general only<ret>");
    refuse(&mut screen);
    screen.keys("/join tech<ret>");
    for key in ["<a-r>", "<a-e>"] {
        assert_eq!(screen.keys(key), [], "{key}");
        assert_eq!(written(&screen), "");
    }
    screen.keys("/join general<ret><a-e>");
    assert_eq!(written(&screen), "general only");
    screen.keys("<c-u>");
    // A private line comes back with the name of its recipient in any room.
    screen.keys("@李四 psst<ret>");
    refuse(&mut screen);
    screen.keys("<a-e>");
    assert_eq!(written(&screen), "@李四 psst");
    screen.keys("<c-u>/msg 李四 hush<ret>");
    refuse(&mut screen);
    screen.keys("<a-e>");
    assert_eq!(written(&screen), "/msg 李四 hush");
    // A line typed in a conversation comes back only there.
    screen.keys("<c-u>/msg 李四<ret>secret<ret>");
    refuse(&mut screen);
    screen.keys("/join general<ret><a-e>");
    assert_eq!(written(&screen), "");
}

#[test]
fn an_overlay_waits_until_the_user_has_finished_typing() {
    let profile = |name: &str| {
        ClientEvent::Profile(Profile {
            person: Person {
                id: LI,
                name: name.into(),
                presence: Presence::Online,
                role: Role::Member,
                via: Via::Tchat,
                status: String::new(),
            },
            seen_ms: None,
            rooms: Vec::new(),
        })
    };
    let mut screen = said();
    screen.keys("/whois 李四<ret><c-f>salary dis");
    screen.receives(profile("李四"));
    screen.keys("pute");
    assert!(screen.shows("salary dispute") && written(&screen).is_empty());
    screen.keys("<esc>");
    assert!(screen.shows("李四  online"), "{}", screen.text());
    screen.keys("<esc>");
    // Closing still takes back a theme preview.
    screen.keys("<a-t><down>");
    screen.receives(profile("李四"));
    let theme = screen.state.preferences.theme.clone();
    screen.state.preferences.theme = "another".into();
    let effects = screen.keys("<esc>");
    assert_eq!(effects, [Effect::Theme(theme)]);
}

#[test]
fn text_cut_in_one_room_can_be_pasted_in_another() {
    let mut screen = said();
    screen.keys("one two three<c-w><c-w>");
    assert_eq!(written(&screen), "one ");
    screen.keys("<a-down>");
    assert_eq!(screen.state.rooms.current, Some(TECH));
    screen.keys("<c-y>");
    assert_eq!(written(&screen), "two three");
    // Another key in between starts a new cut.
    screen.keys("<c-w>x<c-w><c-y>");
    assert_eq!(written(&screen), "two x");
}

#[test]
fn a_long_draft_scrolls_row_by_row_and_shows_how_much_is_above() {
    let mut screen = said();
    let lines: Vec<String> = (1..=12).map(|n| format!("line {n}")).collect();
    screen.handles(Event::Paste(lines.join("\n")));
    assert!(screen.shows("↑ 4"), "{}", screen.text());
    screen.keys("<up><up><up><up><up><up><up><up><up><up><up>X");
    assert!(
        written(&screen).starts_with("line 1X\n"),
        "{}",
        written(&screen)
    );
    assert!(!screen.shows("↑"));
    screen.keys("<c-u>");
    let many = "x\n".repeat(95);
    screen.handles(Event::Paste(many));
    screen.keys("<esc>");
    assert!(screen.shows("107 / 100 lines"), "{}", screen.text());
}

#[test]
fn waiting_posts_are_shown_in_the_order_they_were_written() {
    let mut screen = said();
    screen.keys("one more<ret>");
    let first = screen.last_post();
    screen.keys("@李四 privately<ret>");
    let private = screen.last_post();
    screen.keys("two more<ret>");
    let order = |screen: &Screen| {
        let text = screen.text();
        ["one more", "privately  ", "two more"].map(|words| text.find(words))
    };
    assert!(order(&screen).is_sorted(), "{}", screen.text());
    // Once stored, the order stays the same.
    let mut mine = message_entry(GENERAL, 2, ANN, 41, "one more");
    mine.client_id = Some(first);
    screen.receives(ClientEvent::Entries(vec![mine]));
    assert!(order(&screen).is_sorted(), "{}", screen.text());
    screen.receives(ClientEvent::Accepted {
        client_id: private,
        room: WITH_LI,
        epoch: Epoch::new([9; 16]),
        seq: Some(Seq(1)),
    });
    assert!(order(&screen).is_sorted(), "{}", screen.text());
    assert_eq!(screen.text().matches('…').count(), 1, "{}", screen.text());
}

#[test]
fn a_command_that_the_full_queue_rejects_is_reported_and_can_be_repeated() {
    let mut screen = said();
    let taken = |effects: Vec<Effect>| match effects.into_iter().next() {
        Some(Effect::Client(command)) => Box::new(command),
        other => panic!("{other:?}"),
    };
    for line in ["/topic news", "/join elsewhere", "/whois 李四"] {
        let command = taken(screen.keys(&format!("{line}<ret>")));
        screen.handles(Event::Busy(command));
        assert!(
            screen.shows("Too many requests are waiting"),
            "{}",
            screen.text()
        );
        let waits = (
            &screen.state.posting.commands,
            &screen.state.posting.awaited_request,
        );
        assert!(waits.0.is_empty() && waits.1.is_none(), "{line}: {waits:?}");
        screen.keys("<c-u>");
    }
    let post = taken(screen.keys("hello<ret>"));
    screen.handles(Event::Busy(post));
    assert!(screen.shows("✗") && screen.shows("1,000 messages are already waiting"));
    // A page whose request was rejected is requested again later.
    screen.keys("/clear<ret>");
    let page = taken(screen.keys("<pgup>"));
    assert!(screen.keys("<pgup>").is_empty());
    screen.handles(Event::Busy(page));
    assert!(!screen.keys("<pgup>").is_empty());
}
