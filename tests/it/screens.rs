//! Snapshots of the whole screen at several sizes, with Chinese and emoji.

mod small;

use std::time::Duration;

use crossterm::event::{MouseButton, MouseEventKind};
use proptest::prelude::*;
use ratatui::style::Modifier;
use tchat::chat::{
    Amendment, Body, IdentityId, Person, Presence, Profile, Recipient, Refusal, RefusalCode, Role,
    RoomId, SearchResults, Seq, Unread, Via,
};
use tchat::client::{DisconnectReason, Event as ClientEvent, LinkState, SearchScope, Unreachable};
use tchat::tui::event::Event;
use tchat::tui::settings::typing::TypingMode;

use crate::support::screen::{
    ANN, GENERAL, LI, Screen, TECH, WITH_LI, ZHANG, entry, message_entry, room,
};

/// A morning in `general`.
fn morning(width: u16, height: u16) -> Screen {
    let mut screen = Screen::online(width, height);
    screen.receives(ClientEvent::Entries(vec![
        entry(GENERAL, 1, ZHANG, 10, Body::Created),
        entry(GENERAL, 2, LI, 11, Body::Joined(Role::Member)),
        message_entry(GENERAL, 3, ZHANG, 12, "大家好！"),
        message_entry(
            GENERAL,
            4,
            LI,
            12,
            "早 👋🏽 今天谁值班？我们需要一个人看着服务器，不然周末又要出事了，上次就是这样的。",
        ),
        message_entry(GENERAL, 5, ANN, 14, "on it, deploy is green"),
        message_entry(GENERAL, 6, ANN, 15, "fn main() {\n    println!(\"hi\");\n}"),
        entry(GENERAL, 7, LI, 16, Body::Action("drinks ☕ tea".into())),
    ]));
    screen.receives(ClientEvent::Entries(vec![
        message_entry(TECH, 1, LI, 17, "new compiler"),
        message_entry(TECH, 2, LI, 17, "is out"),
    ]));
    screen.receives(ClientEvent::Entries(vec![message_entry(
        WITH_LI,
        1,
        LI,
        31,
        "the token is in the safe",
    )]));
    screen.keys("typed while the link was slow<ret>");
    screen.keys("this one is refused<ret>@李四 wri");
    let refusal = Refusal::new(RefusalCode::BodyControl).with("U+001B");
    screen.receives(ClientEvent::PostRefused {
        client_id: screen.last_post(),
        refusal,
    });
    screen
}

#[test]
fn a_morning_on_a_wide_screen() {
    insta::assert_snapshot!(morning(120, 40).text());
}

#[test]
fn a_morning_on_an_ordinary_screen() {
    insta::assert_snapshot!(morning(80, 24).text());
}

#[test]
fn a_morning_on_a_narrow_screen() {
    insta::assert_snapshot!(morning(40, 12).text());
}

#[test]
fn a_morning_on_a_strip() {
    insta::assert_snapshot!(morning(60, 16).text());
}

/// An afternoon after an absence: unread messages, mentions, and people who are away or offline.
fn afternoon(width: u16, height: u16) -> Screen {
    afternoon_on(Screen::online(width, height))
}

fn afternoon_on(mut screen: Screen) -> Screen {
    screen.handles(Event::Focus(false));
    let unread = Unread {
        read: Seq(4),
        messages: 2,
        mentions: 1,
    };
    screen.follows_unread(GENERAL, 8, unread);
    let mut calling = message_entry(GENERAL, 7, LI, 241, "can you look at #tech, @ann?");
    calling.mentions = vec![ANN];
    let of = |seq, by, minutes| entry(GENERAL, seq, by, minutes, Body::Joined(Role::Member));
    screen.receives(ClientEvent::Entries(vec![
        of(1, ZHANG, 0),
        of(2, LI, 1),
        of(3, IdentityId::new([14; 16]), 2),
        message_entry(GENERAL, 4, ANN, 3, "早"),
        entry(GENERAL, 5, IdentityId::new([14; 16]), 200, Body::Left),
        message_entry(GENERAL, 6, ZHANG, 240, "下午好"),
        calling,
    ]));
    let mut all = message_entry(TECH, 1, ZHANG, 242, "@here the build is red");
    all.mentions = vec![IdentityId::EVERYBODY];
    screen.receives(ClientEvent::Entries(vec![
        all,
        message_entry(TECH, 2, ZHANG, 243, "again"),
    ]));
    screen.receives(ClientEvent::Entries(vec![message_entry(
        WITH_LI, 1, LI, 244, "psst",
    )]));
    let person = |id, name: &str, presence, status: &str| Person {
        id,
        name: name.into(),
        presence,
        role: Role::Member,
        via: Via::Tchat,
        status: status.into(),
    };
    screen.receives(ClientEvent::RosterDelta {
        room: GENERAL,
        updated: vec![
            person(LI, "李四", Presence::Away, "午饭，两点回来"),
            person(
                IdentityId::new([15; 16]),
                "carol",
                Presence::Offline,
                "gone fishing",
            ),
            person(IdentityId::new([16; 16]), "ben", Presence::Waiting, ""),
        ],
        removed: Vec::new(),
    });
    screen.state.preferences.typing = TypingMode::Both;
    screen.receives(ClientEvent::Typing {
        room: GENERAL,
        person: LI,
    });
    screen
}

#[test]
fn an_afternoon_on_a_wide_screen() {
    insta::assert_snapshot!(afternoon(120, 24).text());
}

#[test]
fn an_afternoon_on_an_ordinary_screen() {
    insta::assert_snapshot!(afternoon(80, 24).text());
}

#[test]
fn an_afternoon_on_a_strip() {
    insta::assert_snapshot!(afternoon(60, 16).text());
}

#[test]
fn an_afternoon_on_a_narrow_screen() {
    insta::assert_snapshot!(afternoon(40, 12).text());
}

#[test]
fn an_afternoon_in_chinese() {
    let mut screens = Vec::new();
    for (width, height) in [(120, 24), (60, 16), (40, 12)] {
        let mut screen = Screen::blank(width, height);
        screen.state.preferences.strings = &tchat::tui::strings::CHINESE;
        screens.push(afternoon_on(screen.enters()).text());
    }
    insta::assert_snapshot!(screens.join("\n\n"));
}

#[test]
fn help_in_chinese() {
    let mut screen = Screen::blank(80, 50);
    screen.state.preferences.strings = &tchat::tui::strings::CHINESE;
    let mut screen = screen.enters();
    screen.keys("<f1>");
    insta::assert_snapshot!(screen.text());
}

#[test]
fn who_called_fits_every_screen() {
    let mut screens = Vec::new();
    for (width, height) in [(120, 14), (80, 14), (40, 12)] {
        let mut screen = afternoon(width, height);
        screen.keys("<c-t>");
        let mut calling = message_entry(GENERAL, 7, LI, 241, "can you look at #tech, @ann?");
        calling.mentions = vec![ANN];
        let all = message_entry(TECH, 1, ZHANG, 0, "@here 今天的构建又红了，谁有空看一下");
        screen.receives(ClientEvent::Mentions(vec![calling, all]));
        screens.push(screen.text());
    }
    insta::assert_snapshot!(screens.join("\n\n"));
}

#[test]
fn help_lists_the_real_keys() {
    let mut screen = morning(80, 60);
    screen.keys("<f1>");
    insta::assert_snapshot!(screen.text());
}

#[test]
fn a_lost_link_shows_the_reason_and_a_countdown() {
    let mut screen = morning(80, 24);
    let why = DisconnectReason::Unreachable(Unreachable::Refused);
    screen.receives(ClientEvent::Link(LinkState::Waiting {
        retry_in: Duration::from_secs(5),
        why,
    }));
    assert!(
        screen.shows("◌ chat.example.org: no server running there · retrying in 5 s · Enter: now"),
        "{}",
        screen.text()
    );
    screen.state.screen.now.instant += Duration::from_millis(3100);
    assert!(screen.shows("retrying in 2 s"));
}

#[test]
fn a_taken_name_is_asked_for_with_a_free_one_in_place() {
    let mut screen = Screen::blank(80, 24);
    let refusal = Refusal::new(RefusalCode::NameTaken)
        .with("ann")
        .with("ann2");
    screen.receives(ClientEvent::Link(LinkState::NameRefused(refusal)));
    insta::assert_snapshot!(screen.text());
    assert_eq!(
        screen.keys("<ret>"),
        [tchat::tui::event::Effect::Client(
            tchat::client::Command::SetName("ann2".into())
        )]
    );
}

#[test]
fn the_cursor_is_after_the_typed_text() {
    let mut screen = Screen::online(80, 24);
    screen.keys("张三 ok");
    let prompt = u16::try_from(tchat::text::width(" #general › ")).unwrap();
    assert_eq!(screen.cursor(), (prompt + 7, 22));
    screen.keys("<a-ret>x");
    assert_eq!(screen.cursor(), (prompt + 1, 22));
    assert!(
        screen.rows()[21].contains("张三 ok"),
        "the composer grows upward"
    );
}

#[test]
fn the_composer_takes_at_most_a_third_of_the_screen() {
    let mut screen = Screen::online(80, 24);
    screen.handles(Event::Paste("line\n".repeat(40)));
    screen.keys("<esc>");
    let rule = screen
        .rows()
        .iter()
        .position(|row| row.contains("──────"))
        .unwrap();
    assert_eq!(23 - rule - 1, 8);
}

#[test]
fn the_countdown_is_shown_however_long_the_reason_is() {
    let mut screen = Screen::online(80, 24);
    let waiting = |why| {
        ClientEvent::Link(LinkState::Waiting {
            why,
            retry_in: Duration::from_secs(3),
        })
    };
    screen.receives(waiting(DisconnectReason::NotTchat(
        "a very long reason ".repeat(9),
    )));
    let row = screen.rows().pop().unwrap();
    assert!(
        row.contains("not a tchat server") && row.contains('…'),
        "{row}"
    );
    assert!(row.ends_with("retrying in 3 s · Enter: now"), "{row}");
    screen.state.preferences.strings = &tchat::tui::strings::CHINESE;
    screen.receives(waiting(DisconnectReason::Unreachable(
        Unreachable::UnknownHost,
    )));
    let row = screen.rows().pop().unwrap();
    assert!(row.contains("没有这个主机名 · 3 秒后重连"), "{row}");
}

#[test]
fn near_the_limit_the_size_of_the_draft_is_shown() {
    let mut screen = Screen::online(80, 24);
    screen.handles(Event::Paste("x".repeat(8012)));
    assert!(screen.shows("8,012 / 8,192"));
    let mut screen = Screen::online(80, 24);
    screen.handles(Event::Paste("汉".repeat(2800)));
    assert!(screen.shows("8,400 / 8,192"), "bytes are counted");
    assert!(
        screen.keys("<ret>").is_empty(),
        "and a text over the limit stays in the composer"
    );
    assert!(screen.shows("too long: 8400 bytes, the limit is 8192"));
}

#[test]
fn private_and_failed_messages_have_their_own_style() {
    let screen = morning(80, 24);
    let terminal = screen.terminal();
    let buffer = terminal.backend().buffer();
    let rows = screen.rows();
    let style = |text: &str, of: &str| {
        let y = rows.iter().position(|row| row.contains(text)).unwrap();
        let line = &rows[y];
        let x = tchat::text::width(&line[..line.find(of).unwrap()]);
        buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())].style()
    };
    let plain = style("on it, deploy", "on it");
    assert_ne!(style("the token", "the token").fg, plain.fg);
    assert_ne!(style("this one is refused", "this one").fg, plain.fg);
    assert!(
        style("privately ›", "@李四")
            .add_modifier
            .contains(Modifier::BOLD)
    );
}

#[test]
fn control_characters_of_others_are_shown_as_symbols() {
    let mut screen = Screen::online(80, 24);
    let evil = "\u{1b}[2J\u{1b}]0;pwn\u{7}\u{202e}abc\u{9b}31m\u{200b}e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}";
    let mut entry = message_entry(GENERAL, 1, LI, 12, evil);
    entry.author.name = "ev\u{1b}[31mil\nname".into();
    screen.receives(ClientEvent::Entries(vec![entry]));
    let text = screen.text();
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\u{9b}'),
        "{text}"
    );
    assert!(screen.shows("␛[2J␛]0;pwn␇"));
}

#[test]
fn a_pending_post_is_marked_until_it_is_stored() {
    let mut screen = Screen::online(80, 24);
    let effects = screen.keys("hello<ret>");
    let tchat::tui::event::Effect::Client(tchat::client::Command::Post { post, .. }) = &effects[0]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(post.to, Recipient::Room(GENERAL));
    assert!(
        screen
            .rows()
            .iter()
            .any(|row| row.contains('…') && row.contains("hello"))
    );
    let mut mine = message_entry(GENERAL, 1, ANN, 40, "hello");
    mine.client_id = Some(post.client_id);
    screen.receives(ClientEvent::Entries(vec![mine]));
    let hello: Vec<String> = screen
        .rows()
        .into_iter()
        .filter(|row| row.contains("hello"))
        .collect();
    assert_eq!(hello.len(), 1);
    assert!(!hello[0].contains('…'));
}

#[test]
fn people_on_a_bridge_are_marked_in_the_people_list_and_in_who() {
    let mut screen = Screen::online(120, 24);
    let zero = Person {
        id: IdentityId::new([0x77; 16]),
        name: "零".into(),
        presence: Presence::Online,
        role: Role::Member,
        via: Via::WebSocket,
        status: String::new(),
    };
    screen.receives(ClientEvent::RosterDelta {
        room: GENERAL,
        updated: vec![zero],
        removed: Vec::new(),
    });
    let text = screen.text();
    let row = text.lines().find(|row| row.contains('零')).unwrap();
    assert!(
        row.contains("⇄ ") && row.trim_end().ends_with("ws"),
        "{row}"
    );
    let marks = text.matches('⇄').count();
    assert_eq!(marks, 1, "only one is");
    // Where the list has no room, /who shows it.
    screen.handles(Event::Resize(40, 12));
    screen.keys("/who<ret>");
    let text = screen.text();
    let row = text.lines().find(|row| row.contains('零')).unwrap();
    assert!(row.contains("ws"), "{row}");
}

#[test]
fn edit_without_a_text_puts_the_last_message_into_the_composer() {
    let mut screen = Screen::online(80, 24);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL,
        1,
        ANN,
        0,
        "teh build",
    )]));
    screen.keys("/edit<ret>");
    assert_eq!(screen.state.composer().text(), "teh build");
    assert!(screen.shows("#general edit ›"));
    // The name of an action does the same as its key.
    screen.keys("<esc>/do palette<ret>");
    assert!(screen.shows("Enter select"));
}
