//! Plain mode, without a screen: events are printed line by line, and a typed line can do everything a key can.

mod answers;
mod terminal;

use proptest::prelude::*;
use tchat::chat::{Body, Epoch, RefusalCode, Seq, Unread};
use tchat::client::{DisconnectReason, Event as ClientEvent, LinkState};
use tchat::tui::event::{Effect, Event};
use tchat::tui::input::keymap::{Action, Context};
use tchat::tui::plain::PlainWriter;
use tchat::tui::state::Overlay;

use crate::support::screen::{
    ANN, GENERAL, LI, Screen, TECH, ZHANG, conversation, entry, message_entry, room,
};

/// A state in plain mode, and the lines printed for it.
struct Lines {
    screen: Screen,
    writer: PlainWriter,
}

impl Lines {
    fn new(echo: bool) -> Self {
        let mut screen = Screen::blank(80, 24);
        screen.state.screen.is_plain = true;
        let mut lines = Self {
            screen,
            writer: PlainWriter::new(echo),
        };
        lines.printed();
        lines
    }

    fn in_general(echo: bool) -> Self {
        let mut lines = Self::new(echo);
        lines.receives(ClientEvent::Link(LinkState::Online));
        lines.screen.state.rooms.wanted = Some("general".into());
        lines.screen.is_welcomed(vec![
            room(GENERAL, "general", "everybody meets here"),
            room(TECH, "tech", ""),
        ]);
        lines.screen.follows(GENERAL, 0);
        lines.screen.follows(TECH, 0);
        lines.printed();
        lines
    }

    fn printed(&mut self) -> Vec<String> {
        let told = self.writer.print_changes(&self.screen.state);
        self.screen.state.screen.notices.clear();
        if told.is_overlay_complete {
            self.screen.handles(Event::OverlayPrinted);
        }
        told.lines
    }

    fn receives(&mut self, event: ClientEvent) -> Vec<String> {
        self.writer.on_event(&Event::Client(event.clone()));
        self.screen.receives(event);
        self.printed()
    }

    fn types(&mut self, line: &str) -> Vec<String> {
        let event = Event::Line(line.into());
        self.writer.on_event(&event);
        self.screen.effects.clear();
        self.screen.handles(event);
        self.printed()
    }
}

#[test]
fn each_message_is_printed_once_with_author_and_time() {
    let mut lines = Lines::in_general(true);
    let mut edited = message_entry(GENERAL, 5, LI, 5, "one\ntwo");
    edited.body = Body::Amendment {
        target: tchat::chat::Seq(2),
        what: tchat::chat::Amendment::Edit("good morning".into()),
    };
    let told = lines.receives(ClientEvent::Entries(vec![
        message_entry(GENERAL, 1, ZHANG, 0, "大家好！"),
        message_entry(GENERAL, 2, LI, 1, "morning"),
        message_entry(GENERAL, 3, LI, 2, "**again** `x`"),
        entry(GENERAL, 4, LI, 3, Body::Action("waves".into())),
    ]));
    assert_eq!(
        told,
        [
            "-- Thu 19 Nov 2026",
            "09:00 张三: 大家好！",
            "09:01 李四: morning",
            "09:02 李四: again x",
            "09:03 * 李四 waves",
        ]
    );
    assert_eq!(
        lines.receives(ClientEvent::Entries(vec![edited])),
        ["-- 李四 edited message 2: good morning"]
    );
    assert!(lines.printed().is_empty(), "nothing is repeated");
    let told = lines.receives(ClientEvent::Entries(vec![message_entry(
        TECH,
        1,
        LI,
        6,
        "elsewhere",
    )]));
    assert_eq!(told, ["-- #tech · unread 1"]);
    assert!(
        lines
            .receives(ClientEvent::Entries(vec![message_entry(
                TECH, 2, LI, 6, "more"
            )]))
            .is_empty()
    );
}

#[test]
fn our_own_line_is_printed_only_if_it_is_not_on_the_terminal_already_or_failed() {
    for echo in [true, false] {
        let mut lines = Lines::in_general(echo);
        assert!(lines.types("hello").is_empty());
        let mut mine = message_entry(GENERAL, 1, ANN, 1, "hello");
        mine.client_id = Some(lines.screen.last_post());
        let told = lines.receives(ClientEvent::Entries(vec![mine]));
        assert_eq!(told.iter().any(|line| line.contains("hello")), !echo);

        let why = DisconnectReason::Lost;
        let retry_in = std::time::Duration::from_secs(1);
        lines.receives(ClientEvent::Link(LinkState::Waiting { retry_in, why }));
        assert_eq!(lines.types("late"), ["-- Will be sent once connected"]);
        lines.receives(ClientEvent::Link(LinkState::Online));
        let mut late = message_entry(GENERAL, 2, ANN, 9, "late");
        late.client_id = Some(lines.screen.last_post());
        assert_eq!(
            lines.receives(ClientEvent::Entries(vec![late])),
            ["09:09 ann: late"]
        );

        lines.types("refused");
        let refusal = tchat::chat::Refusal::new(RefusalCode::Muted);
        let told = lines.receives(ClientEvent::PostRefused {
            client_id: lines.screen.last_post(),
            refusal,
        });
        let [line] = told.as_slice() else {
            panic!("{told:?}")
        };
        assert!(line.contains("refused (you are muted in this room · /do retry, /do edit-failed)"));
    }
}

#[test]
fn a_line_that_cannot_be_sent_becomes_the_draft_and_a_command_does_not() {
    let mut lines = Lines::in_general(true);
    let long = "x".repeat(9000);
    let told = lines.types(&long);
    assert!(
        told[0].starts_with("-- too long: 9000 bytes, the limit is 8192"),
        "{told:?}"
    );
    assert!(
        told[1].starts_with("-- Not sent yet: xxx") && told[1].len() < 300,
        "{told:?}"
    );
    assert_eq!(lines.screen.state.composer().text(), long);
    // Lines typed meanwhile are sent normally.
    lines.types("short");
    assert_eq!(lines.screen.state.posting.pending.len(), 1);
    assert!(lines.types("/kick")[0].contains("Usage: /kick"));
    assert_eq!(lines.screen.state.composer().text(), long);
    lines.types("/draft drop");
    assert!(lines.screen.state.composer().is_empty());
    // Pasted text is never sent by itself.
    lines.screen.handles(Event::Paste("one\ntwo".into()));
    assert_eq!(
        lines.printed(),
        ["-- Not sent yet, 2 lines: one (/draft to show it, /draft send, /draft drop)"]
    );
    assert_eq!(lines.screen.state.posting.pending.len(), 1);
    let whole = lines.types("/draft");
    assert_eq!(
        whole,
        ["-- Not sent yet: one\ntwo (/draft send, /draft drop)"]
    );
    lines.types("/draft send");
    assert_eq!(lines.screen.state.posting.pending.len(), 2);
    assert_eq!(
        lines.screen.state.posting.pending[1].body,
        Body::Text("one\ntwo".into())
    );
    // It is printed, because the terminal does not show it above in the form in which it was sent.
    let mut sent = message_entry(GENERAL, 2, ANN, 9, "one\ntwo");
    sent.client_id = Some(lines.screen.last_post());
    assert_eq!(
        lines.receives(ClientEvent::Entries(vec![sent]))[1..],
        ["09:09 ann: one", "  two"]
    );
}

#[test]
fn after_edit_or_answer_the_next_line_is_the_edit_or_the_answer() {
    let mut lines = Lines::in_general(true);
    lines.receives(ClientEvent::Entries(vec![
        message_entry(GENERAL, 1, LI, 0, "first"),
        message_entry(GENERAL, 2, ANN, 1, "teh"),
    ]));
    let told = lines.types("/edit");
    assert!(
        told[0].contains("The next line you type replaces this message: teh"),
        "{told:?}"
    );
    // A command is not taken as the edit.
    lines.types("/who");
    let body = |lines: &Lines| match lines.screen.effects.as_slice() {
        [Effect::Client(tchat::client::Command::Post { post, .. })] => post.body.clone(),
        other => panic!("{other:?}"),
    };
    lines.types("the");
    let Body::Amendment { target, .. } = body(&lines) else {
        panic!("not an edit")
    };
    assert_eq!(target.0, 2);
    lines.types("/do answer 1");
    lines.types("indeed");
    assert!(matches!(body(&lines), Body::Reply { to, .. } if to.0 == 1));
    lines.types("plain again");
    assert!(matches!(body(&lines), Body::Text(_)));
    // The edit can also be dropped, and is announced again when the user returns to the room.
    lines.types("/edit");
    lines.types("/join tech");
    let told = lines.types("/join general");
    assert!(told.contains(&"-- #general edit ›".to_owned()), "{told:?}");
    let told = lines.types("/draft drop");
    assert!(told.contains(&"-- Draft discarded".to_owned()), "{told:?}");
    lines.types("not an edit");
    assert!(matches!(body(&lines), Body::Text(_)));
}

#[test]
fn a_pending_change_of_room_is_tracked() {
    for line in ["/msg 王五", "/join dev", "/create dev"] {
        let mut lines = Lines::in_general(true);
        lines.types(line);
        assert!(lines.screen.state.is_switching_room(), "{line}");
        let refusal = tchat::chat::Refusal::new(RefusalCode::RoomUnknown);
        let about = match line {
            "/msg 王五" => tchat::client::RequestKind::Open("王五".into()),
            "/join dev" => tchat::client::RequestKind::Join("dev".into()),
            _ => tchat::client::RequestKind::Create("dev".into()),
        };
        lines.receives(ClientEvent::Refused { about, refusal });
        assert!(!lines.screen.state.is_switching_room(), "{line}");
    }
}

#[test]
fn a_line_typed_during_a_change_of_room_is_not_sent_to_the_old_room() {
    let mut lines = Lines::in_general(false);
    lines.receives(ClientEvent::Link(LinkState::Waiting {
        why: DisconnectReason::Lost,
        retry_in: std::time::Duration::from_secs(9),
    }));
    lines.types("/join dev");
    for line in ["the secret", "/me waves", "s/a/b/"] {
        let told = lines.types(line);
        assert!(told.concat().contains("Not sent yet"), "{told:?}");
        assert!(lines.screen.effects.is_empty(), "{line}");
    }
    // The join happens once the link is back.
    let dev = tchat::chat::RoomId::new([44; 16]);
    lines.receives(ClientEvent::Link(LinkState::Online));
    let (room, asked) = (room(dev, "Dev", ""), false);
    lines.receives(ClientEvent::Room {
        room,
        is_requested: asked,
    });
    assert_eq!(lines.screen.state.rooms.current, Some(dev));
    lines.types("said there");
    let said = &lines.screen.effects;
    assert!(
        said.iter().any(|it| matches!(it, Effect::Client(_))),
        "{said:?}"
    );
}

#[test]
fn lists_are_printed_with_numbers_to_pick_from() {
    let mut lines = Lines::in_general(true);
    assert_eq!(lines.types("/rooms"), ["-- Loading…"]);
    let told = lines.receives(ClientEvent::Rooms(vec![
        room(GENERAL, "general", ""),
        room(TECH, "tech", ""),
    ]));
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[2].starts_with("2. tech"));
    assert!(
        lines.screen.state.overlays.top.is_none(),
        "the overlay is closed"
    );
    let told = lines.types("/pick 2");
    assert_eq!(told, ["-- #tech"]);
    assert!(lines.types("/pick 9")[0].contains("There is no such row"));
    // A server may have no room that we can see.
    assert_eq!(lines.types("/rooms"), ["-- Loading…"]);
    let told = lines.receives(ClientEvent::Rooms(Vec::new()));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        lines
            .types("/theme")
            .iter()
            .any(|line| line.starts_with("2. "))
    );
}

#[test]
fn after_a_new_history_or_a_clear_new_messages_are_still_printed() {
    let mut lines = Lines::in_general(true);
    lines.receives(ClientEvent::Entries(
        (1..=30)
            .map(|seq| message_entry(GENERAL, seq, LI, 0, "old"))
            .collect(),
    ));
    let epoch = Epoch::new([8; 16]);
    lines.receives(ClientEvent::Followed {
        room: GENERAL,
        epoch,
        first: Seq(1),
        last: Seq(2),
        result: tchat::chat::FollowResult::EpochChanged,
        unread: Unread::none_after(Seq(0)),
    });
    let fresh = |seq, text: &str| tchat::chat::Entry {
        epoch,
        ..message_entry(GENERAL, seq, LI, 5, text)
    };
    let told = lines.receives(ClientEvent::Entries(vec![
        fresh(1, "new one"),
        fresh(2, "new two"),
    ]));
    assert!(
        told[0].starts_with("-- The server's history was replaced"),
        "{told:?}"
    );
    assert!(
        told.iter().any(|line| line.ends_with("new two")),
        "{told:?}"
    );
    assert_eq!(
        lines.receives(ClientEvent::Entries(vec![fresh(3, "three")])),
        ["09:05 李四: three"]
    );

    lines.types("/clear");
    let with = crate::support::screen::WITH_LI;
    lines.receives(ClientEvent::Room {
        room: conversation(with, LI),
        is_requested: false,
    });
    lines.screen.follows(with, 0);
    let told = lines.receives(ClientEvent::Entries(vec![message_entry(
        with, 1, LI, 6, "psst",
    )]));
    assert!(
        told.iter()
            .any(|line| line.contains("psst (privately to you)")),
        "{told:?}"
    );
    assert_eq!(
        lines.receives(ClientEvent::Entries(vec![fresh(4, "four")])),
        ["09:05 李四: four"]
    );
}

#[test]
fn unread_private_messages_are_announced_at_the_start() {
    let mut lines = Lines::new(true);
    lines.receives(ClientEvent::Link(LinkState::Online));
    let with = crate::support::screen::WITH_LI;
    lines
        .screen
        .is_welcomed(vec![room(GENERAL, "general", ""), conversation(with, LI)]);
    lines.screen.follows(GENERAL, 0);
    let unread = Unread {
        read: Seq(0),
        messages: 1,
        mentions: 1,
    };
    lines.screen.follows_unread(with, 1, unread);
    let told = lines.printed();
    assert!(
        told.contains(&"-- @李四 · mentions 1".to_owned()),
        "{told:?}"
    );
    let told = lines.receives(ClientEvent::Entries(vec![message_entry(
        with,
        1,
        LI,
        0,
        "while away",
    )]));
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn edits_are_printed_once_and_only_of_printed_messages() {
    let mut lines = Lines::in_general(true);
    let edit = |seq, target, text: &str| {
        let what = tchat::chat::Amendment::Edit(text.into());
        let body = Body::Amendment {
            target: Seq(target),
            what,
        };
        entry(GENERAL, seq, LI, 3, body)
    };
    // The message and its edit arrive together: it is printed in its edited form.
    let told = lines.receives(ClientEvent::Entries(vec![
        message_entry(GENERAL, 1, LI, 0, "teh"),
        edit(2, 1, "the"),
    ]));
    assert_eq!(told[1..], ["09:00 李四: the (edited)".to_owned()]);
    // An edit in another room is printed when the user comes back.
    lines.types("/join tech");
    assert!(
        lines
            .receives(ClientEvent::Entries(vec![edit(3, 1, "The")]))
            .is_empty()
    );
    let told = lines.types("/join general");
    assert!(
        told.contains(&"-- 李四 edited message 1: The".to_owned()),
        "{told:?}"
    );
    // Messages that arrive while the user reads further up are not printed twice.
    lines.receives(ClientEvent::Entries(
        (4..60)
            .map(|seq| message_entry(GENERAL, seq, LI, 0, "more"))
            .collect(),
    ));
    lines.types("/do page-up");
    assert!(lines.types("hello").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever people send and type, the output contains no control characters and no box drawing.
    #[test]
    fn only_plain_text_is_printed_for_any_input(said in ".{0,80}", line in "(/[a-z]{1,9} ?)?.{0,30}", name in any::<bool>()) {
        let mut lines = Lines::in_general(name);
        let mut told = lines.receives(ClientEvent::Entries(vec![message_entry(GENERAL, 1, LI, 0, &said)]));
        let typed = line;
        told.extend(lines.types(&typed));
        told.extend(lines.types("/history"));
        told.extend(lines.receives(ClientEvent::Entries(vec![message_entry(GENERAL, 2, ZHANG, 0, &said)])));
        for line in told {
            prop_assert!(!line.chars().any(|c| c.is_control() && c != '\n'), "{line:?}");
            // Typed text is printed as it is, also in the answer to an unknown command.
            let is_typed = |c: char| said.contains(c) || typed.contains(c);
            let is_box = |c: char| ('\u{2500}'..='\u{259f}').contains(&c) && !is_typed(c);
            prop_assert!(!line.chars().any(is_box), "{line:?}");
        }
    }
}
