//! Slash commands, completion and the overlays that they open.

use super::*;

#[test]
fn completion_shows_matches_and_enter_never_accepts_an_unselected_one() {
    let mut screen = Screen::online(100, 24);
    screen.keys("/co");
    assert!(
        screen.shows("/connect") && screen.shows("Connect to another server"),
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
        "but accepts a selected completion"
    );
    assert!(
        screen.state.composer().text().starts_with('@')
            && screen.state.composer().text().ends_with(' ')
    );
    screen.keys("<c-u>/q<esc>");
    assert!(screen.state.input.popup.is_none());
    assert_eq!(
        screen.state.composer().text(),
        "/q",
        "Esc closes only the popup"
    );
}

#[test]
fn rooms_and_themes_are_completed_after_their_commands() {
    let mut screen = Screen::online(100, 24);
    screen.receives(ClientEvent::Directory(vec![room(
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
fn the_link_overlay_shows_counts_and_refreshes_while_it_is_open() {
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
    screen.receives(ClientEvent::Report(tchat::client::Report {
        rtt: Some(std::time::Duration::from_micros(2_340)),
        reconnects: 3,
        rooms: vec![told(12, 0, 1204)],
    }));
    assert!(
        screen.shows("online, 2.3 ms round trip"),
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
    // Problems are shown only if there are any.
    assert!(!screen.shows("on the way") && !screen.shows("requested again"));
    screen.receives(ClientEvent::Report(tchat::client::Report {
        rooms: vec![told(12, 1, 1210)],
        ..Default::default()
    }));
    assert!(screen.shows("6 more on the way"), "{}", screen.text());
    let words = screen
        .text()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        words.contains("again: 1× in gaps, 0× at the end"),
        "{}",
        screen.text()
    );
    // It refreshes once a second, and not after it was closed.
    screen.effects.clear();
    screen.state.screen.now.instant += std::time::Duration::from_secs(1);
    screen.handles(Event::Tick);
    assert_eq!(screen.effects, [Effect::Client(Command::Report)]);
    screen.keys("<esc>");
    screen.state.screen.now.instant += std::time::Duration::from_secs(1);
    screen.handles(Event::Tick);
    assert!(screen.effects.is_empty());
    assert!(!screen.state.wants_ticks());
}

#[test]
fn a_command_that_switches_rooms_keeps_the_draft_of_the_other_room() {
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
    // The command can be recalled where it was entered.
    screen.keys("<a-p>");
    assert!(screen.shows("#general › /msg 李四"));
}

#[test]
fn a_failed_key_action_does_not_restore_an_old_command() {
    let mut screen = Screen::online(80, 24);
    screen.keys("/disconnect<ret><c-t>");
    screen.receives(ClientEvent::Refused {
        about: RequestKind::Mentions,
        refusal: Refusal::new(RefusalCode::Offline),
    });
    assert!(screen.shows("cannot list your mentions: you are not connected"));
    assert!(!screen.shows("MENTIONS") && screen.state.composer().is_empty());
    // A command that was typed does come back.
    screen.keys("/mentions<ret>");
    screen.receives(ClientEvent::Refused {
        about: RequestKind::Mentions,
        refusal: Refusal::new(RefusalCode::Offline),
    });
    assert_eq!(screen.state.composer().text(), "/mentions");
}

#[test]
fn a_room_list_that_does_not_fit_shows_the_current_room() {
    let mut screen = Screen::online(80, 16);
    for n in 0..30_u8 {
        screen.receives(ClientEvent::Room {
            room: room(
                tchat::chat::RoomId::new([100 + n; 16]),
                &format!("room{n:02}"),
                "",
            ),
            is_requested: false,
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
