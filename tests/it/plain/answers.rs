//! In plain mode, every command prints an answer.

use super::*;

#[test]
fn connection_details_are_printed_once_they_arrive() {
    let mut lines = Lines::in_general(true);
    assert!(lines.types("/link").is_empty());
    let report = tchat::client::Report {
        rtt: Some(std::time::Duration::from_millis(3)),
        ..tchat::client::Report::default()
    };
    let told = lines.receives(ClientEvent::Report(report));
    assert!(
        told.iter().any(|line| line.contains("3.0 ms round trip")),
        "{told:?}"
    );
}

/// Every action is either a line-editing action, which the terminal performs itself, or can be run with `/do`.
#[test]
fn every_action_is_reachable_by_a_typed_line() {
    for action in Action::ALL {
        let mut lines = Lines::in_general(true);
        lines.receives(ClientEvent::Entries(vec![
            message_entry(GENERAL, 1, LI, 0, "something"),
            message_entry(GENERAL, 2, ANN, 0, "mine"),
        ]));
        let is_of_selection =
            action.is_bound_in(Context::Selection) && !action.is_bound_in(Context::Composer);
        if is_of_selection {
            lines.types("/select 2");
        }
        let told = lines.types(&format!("/do {}", action.name()));
        let is_refused = told.iter().any(|line| {
            line.contains("There is no action") || line.contains("Select a message first")
        });
        assert_eq!(is_refused, action.needs_screen(), "{action:?}: {told:?}");
        let is_answered = !told.is_empty() || !lines.screen.effects.is_empty();
        assert!(is_answered, "{action:?} is silent");
    }
    let mut lines = Lines::in_general(true);
    let listed = lines.types("/do").len();
    let count = Action::ALL.iter().filter(|it| !it.needs_screen()).count();
    assert_eq!(listed, count + 1);
}

#[test]
fn private_messages_and_a_taken_name_are_printed_as_text() {
    let mut lines = Lines::in_general(true);
    lines.receives(ClientEvent::Room {
        room: conversation(crate::support::screen::WITH_LI, LI),
        is_requested: false,
    });
    let with = crate::support::screen::WITH_LI;
    lines.screen.follows(with, 0);
    let told = lines.receives(ClientEvent::Entries(vec![message_entry(
        with, 1, LI, 3, "psst",
    )]));
    assert!(
        told.contains(&"09:03 李四: psst (privately to you)".to_owned()),
        "{told:?}"
    );
    let refusal = tchat::chat::Refusal::new(RefusalCode::NameTaken)
        .with("ann")
        .with("ann2");
    let told = lines.receives(ClientEvent::Link(LinkState::NameRefused(refusal)));
    assert!(
        told.iter()
            .any(|line| line == "-- Choose another name: /nick ann2"),
        "{told:?}"
    );
    assert!(!matches!(
        lines.screen.state.overlays.top,
        Some(Overlay::Name { .. })
    ));
}

#[test]
fn plain_mode_also_asks_for_a_name_if_the_default_is_unusable() {
    let mut lines = Lines::new(true);
    lines.screen.state.me.proposed_name = Some("guest".into());
    let refusal = tchat::chat::Refusal::new(RefusalCode::NameInvalid)
        .with("")
        .with("empty");
    let told = lines.receives(ClientEvent::Link(LinkState::NameRefused(refusal.clone())));
    assert_eq!(
        told,
        [
            "-- choose a name",
            "-- Choose the name that others see here.",
            "-- Choose another name: /nick guest",
        ]
    );
    lines.types("/nick dan");
    let told = lines.receives(ClientEvent::Link(LinkState::NameRefused(refusal)));
    assert!(told.concat().contains("at least one letter"), "{told:?}");
}

#[test]
fn every_command_line_is_answered() {
    let mut lines = Lines::in_general(true);
    lines.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 1, LI, 0, "only one",
    )]));
    for (line, answer) in [
        ("/do panes", "-- panes is off"),
        ("/do panes", "-- panes is on"),
        ("/do page-up", "-- There are no older messages here"),
        ("/do oldest", "09:00 李四: only one"),
        ("/do oldest", "-- There are no older messages here"),
        ("/do newest", "09:00 李四: only one"),
        ("/do newest", "-- Nothing changed"),
        ("/do page-down", "-- These are the newest messages"),
        ("/do close", "-- Nothing changed"),
        ("/join general", "-- Nothing changed"),
        ("/clear", "-- Cleared; nothing was deleted"),
        ("/set panes off", "-- panes is off"),
        ("/typing true", "-- Typing indicators: on"),
    ] {
        let told = lines.types(line);
        assert!(
            told.iter().any(|it| it.contains(answer)),
            "{line}: {told:?}"
        );
    }
    // A message needs no such answer.
    assert!(lines.types("hello").is_empty());
}

#[test]
fn several_notices_at_once_are_all_printed() {
    let mut lines = Lines::in_general(true);
    let refused = |about, code: RefusalCode, argument: &str| {
        let refusal = tchat::chat::Refusal::new(code).with(argument);
        ClientEvent::Refused { about, refusal }
    };
    let about = || tchat::client::RequestKind::Whois;
    // All of them arrive before anything is printed.
    for name in ["王五", "王五", "zoe", "王五"] {
        let event = refused(about(), RefusalCode::PersonUnknown, name);
        lines.writer.on_event(&Event::Client(event.clone()));
        lines.screen.receives(event);
    }
    let told = lines.printed();
    let names: Vec<&str> = told
        .iter()
        .filter_map(|line| {
            line.strip_prefix("-- cannot look up that person: nobody here is named ")
        })
        .collect();
    assert_eq!(names, ["王五", "zoe", "王五"], "{told:?}");
    assert!(lines.printed().is_empty(), "nothing is repeated");
    // A command that prints something and is answered at once prints both.
    lines.screen.handles(Event::Line("/typing off".into()));
    let event = refused(about(), RefusalCode::PersonUnknown, "mia");
    lines.screen.receives(event);
    let told = lines.printed();
    assert!(told[0].contains("Typing indicators: off"), "{told:?}");
    assert!(told[1].contains("mia"), "{told:?}");
    // A screen shows the last notice and keeps none of the others.
    let mut screen = Screen::online(80, 24);
    for name in ["王五", "zoe"] {
        screen.receives(refused(about(), RefusalCode::PersonUnknown, name));
    }
    assert!(screen.shows("named zoe") && screen.state.screen.notices.is_empty());
}
