//! Scripts of keys and events over the pure `update` function.

mod commands;
mod paging;
mod posts;

use std::time::Duration;

use tchat::chat::{
    Author, Body, ClientId, Entry, Epoch, FollowResult, IdentityId, InstanceId, Recipient, Refusal,
    RefusalCode, Seq, Unread,
};
use tchat::client::cache::Unsent;
use tchat::client::{
    Command, DisconnectReason, Event as ClientEvent, LinkState, OutgoingPost, RequestKind,
};
use tchat::tui::event::{Effect, Event};

use crate::support::screen::{
    ANN, GENERAL, LI, Screen, TECH, WITH_LI, ZHANG, conversation, message_entry, room,
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
fn enter_posts_the_text_and_empties_the_composer() {
    let mut screen = Screen::online(80, 24);
    assert_eq!(
        said(&screen.keys("hello 世界<ret>")),
        Some((Recipient::Room(GENERAL), text("hello 世界")))
    );
    assert!(screen.state.composer().is_empty());
    assert!(
        screen.keys("<ret>").is_empty(),
        "an empty text is not posted"
    );
}

#[test]
fn a_line_that_begins_with_a_name_goes_to_that_person_or_their_conversation() {
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
fn a_leading_space_or_backslash_and_a_mention_of_everybody_make_a_line_public() {
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
fn a_name_without_a_text_is_explained_and_stays_in_the_composer() {
    let mut screen = Screen::online(100, 24);
    assert!(screen.keys("@张三 <ret>").is_empty());
    assert!(
        screen.shows("Type a message after @张三"),
        "{}",
        screen.text()
    );
    assert_eq!(screen.state.composer().text(), "@张三 ");
    screen.keys("x");
    assert!(
        !screen.shows("Type a message"),
        "the next key removes the notice"
    );
}

#[test]
fn a_name_that_now_belongs_to_somebody_else_needs_confirmation() {
    let mut screen = Screen::online(100, 24);
    // Another person now has the name of our conversation's peer.
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
    screen.receives(ClientEvent::RosterDelta {
        room: GENERAL,
        updated: came,
        removed: went,
    });
    assert_eq!(said(&screen.keys("@李四 our secret<ret>")), None);
    assert!(
        screen.shows("not the person you wrote to before"),
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
fn an_unknown_command_is_never_posted_and_gets_a_suggestion() {
    let mut screen = Screen::online(100, 24);
    assert!(screen.keys("/jion tech<ret>").is_empty());
    assert!(screen.shows("There is no command /jion; did you mean /join?"));
    assert_eq!(screen.state.composer().text(), "/jion tech");
    screen.keys("<c-u>/nick<ret>");
    assert!(screen.shows("Usage: /nick NAME"));
}

#[test]
fn commands_produce_their_effects() {
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
    assert!(screen.shows("People in #general") && screen.shows("张三"));
    screen.keys("<esc>/help<ret>");
    assert!(screen.shows("Keys"));
    screen.keys("<esc>/theme<ret>");
    assert!(screen.shows("› dusk") && screen.shows("ansi"));
}

#[test]
fn clear_empties_the_screen_and_new_messages_are_shown() {
    let mut screen = Screen::online(80, 24);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 1, LI, 12, "old",
    )]));
    screen.keys("/clear<ret>");
    assert!(!screen.shows("old"));
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 2, LI, 13, "new",
    )]));
    assert!(screen.shows("new"));
}

#[test]
fn switching_rooms_keeps_each_rooms_draft() {
    let mut screen = Screen::online(80, 24);
    screen.keys("for general<a-down>for tech<c-n>");
    assert_eq!(screen.state.rooms.current, Some(WITH_LI));
    screen.keys("<a-up>");
    assert_eq!(screen.state.composer().text(), "for tech");
    screen.keys("<c-p>");
    assert_eq!(
        (
            screen.state.rooms.current,
            screen.state.composer().text().as_str()
        ),
        (Some(GENERAL), "for general")
    );
    screen.keys("<c-p>");
    assert_eq!(screen.state.rooms.current, Some(WITH_LI), "it wraps around");
    assert_eq!(
        said(&screen.keys("hi<ret>")),
        Some((Recipient::Room(WITH_LI), text("hi"))),
        "text goes where the prompt says"
    );
}

#[test]
fn pasting_never_sends() {
    let mut screen = Screen::online(80, 24);
    screen.handles(Event::Paste("one\r\ntwo\n\u{1b}[31mthree\n".into()));
    assert!(screen.effects.is_empty());
    assert_eq!(screen.state.composer().text(), "one\ntwo\n[31mthree\n");
    assert_eq!(
        said(&screen.keys("<ret>")),
        Some((Recipient::Room(GENERAL), text("one\ntwo\n[31mthree")))
    );
}

#[test]
fn sent_messages_can_be_recalled_in_their_room() {
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
fn a_new_conversation_is_shown_in_the_current_room_and_counted() {
    let mut screen = Screen::online(100, 24);
    let with_zhang = tchat::chat::RoomId::new([44; 16]);
    screen.receives(ClientEvent::Room {
        room: conversation(with_zhang, ZHANG),
        is_requested: false,
    });
    assert_eq!(
        screen.state.rooms.current,
        Some(GENERAL),
        "the current room does not change"
    );
    let unread = Unread {
        read: Seq(1),
        messages: 1,
        mentions: 0,
    };
    screen.follows_unread(with_zhang, 2, unread);
    screen.receives(ClientEvent::Entries(vec![message_entry(
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
    // Opening it and looking for a moment clears the count.
    screen.keys("/msg 张三<ret>");
    assert_eq!(screen.state.rooms.current, Some(with_zhang));
    screen.advances(Duration::from_secs(1));
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
fn the_backlog_is_not_unread() {
    let mut screen = Screen::online(80, 24);
    let dev = tchat::chat::RoomId::new([45; 16]);
    screen.receives(ClientEvent::Room {
        room: room(dev, "dev", ""),
        is_requested: false,
    });
    screen.follows(dev, 2);
    screen.receives(ClientEvent::Entries(vec![
        message_entry(dev, 1, LI, 1, "old"),
        message_entry(dev, 2, LI, 2, "old too"),
    ]));
    assert_eq!(screen.state.room(dev).unwrap().reading.unread.messages, 0);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        dev, 3, LI, 3, "new",
    )]));
    assert_eq!(screen.state.room(dev).unwrap().reading.unread.messages, 1);
}

#[test]
fn enter_in_an_empty_composer_reconnects_at_once() {
    let mut screen = Screen::online(80, 24);
    let waiting = LinkState::Waiting {
        retry_in: std::time::Duration::from_secs(9),
        why: DisconnectReason::Lost,
    };
    screen.receives(ClientEvent::Link(waiting));
    assert_eq!(screen.keys("<ret>"), [Effect::Client(Command::RetryNow)]);
    assert!(
        said(&screen.keys("offline thought<ret>")).is_some(),
        "and the text is sent when the link is back"
    );
}

#[test]
fn an_edit_is_parsed_like_a_new_message() {
    let mut screen = Screen::online(80, 24);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 1, ANN, 1, "hi",
    )]));
    let effects = screen.keys("<up><c-u> @李四 hello<ret>");
    let edit = effects.iter().find_map(|effect| match effect {
        Effect::Client(Command::Post { post, .. }) => Some(post.body.text().to_owned()),
        _ => None,
    });
    assert_eq!(edit.as_deref(), Some("@李四 hello"));
}

#[test]
fn the_prompt_warns_before_a_message_to_a_guest_of_a_bridge() {
    let mut screen = Screen::online(80, 24);
    let guest = tchat::chat::Person {
        id: IdentityId::new([70; 16]),
        name: "gil".into(),
        presence: tchat::chat::Presence::Online,
        role: tchat::chat::Role::Member,
        via: tchat::chat::Via::Gochat,
        status: String::new(),
    };
    screen.receives(ClientEvent::RosterDelta {
        room: GENERAL,
        updated: vec![guest],
        removed: Vec::new(),
    });
    screen.keys("@gil ");
    assert!(screen.shows("@gil (not encrypted) ›"), "{}", screen.text());
    screen.keys("<c-u>@李四 ");
    assert!(screen.shows("@李四 privately ›"), "{}", screen.text());
}
