//! What moves the read position, and what does not.

use super::*;

/// A screen in #general with two unread messages of others.
fn two_unread() -> Screen {
    let mut screen = Screen::online(80, 24);
    screen.handles(tchat::tui::event::Event::Focus(false));
    let unread = Unread {
        read: Seq(2),
        messages: 2,
        mentions: 0,
    };
    screen.follows_unread(GENERAL, 4, unread);
    let said = (1..=4).map(|seq| message_entry(GENERAL, seq, ZHANG, seq, &format!("line {seq}")));
    screen.receives(ClientEvent::Entries(said.collect()));
    screen
}

fn moved(screen: &mut Screen, read: u64, messages: u32, last: u64) {
    let epoch = screen
        .state
        .room(GENERAL)
        .unwrap()
        .timeline
        .epoch()
        .unwrap();
    screen.receives(ClientEvent::ReadPositionChanged {
        room: GENERAL,
        epoch,
        last: Seq(last),
        unread: Unread {
            read: Seq(read),
            messages,
            mentions: 0,
        },
    });
}

#[test]
fn an_outdated_count_from_the_server_does_not_undo_later_reading() {
    let mut screen = two_unread();
    let unread = |screen: &Screen| screen.state.room(GENERAL).unwrap().reading.unread;
    // Entries after the count are added to it, and entries included in it are not.
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 5, LI, 5, "line 5",
    )]));
    assert_eq!(unread(&screen).messages, 3);
    moved(&mut screen, 3, 1, 4);
    assert_eq!(unread(&screen).messages, 2);
    moved(&mut screen, 3, 3, 6);
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 6, LI, 6, "line 6",
    )]));
    assert_eq!(unread(&screen).messages, 3);
    screen.handles(tchat::tui::event::Event::Focus(true));
    screen.advances(LOOK_TIME);
    assert_eq!(unread(&screen), Unread::none_after(Seq(6)));
    moved(&mut screen, 3, 3, 6);
    assert_eq!(unread(&screen), Unread::none_after(Seq(6)));
}

#[test]
fn a_deletion_during_a_count_is_counted_afterwards() {
    let mut screen = two_unread();
    let erases = |screen: &mut Screen, seq, target| {
        screen.effects.clear();
        let what = Amendment::Erase;
        let body = Body::Amendment {
            target: Seq(target),
            what,
        };
        screen.receives(ClientEvent::Entries(vec![entry(
            GENERAL, seq, ZHANG, seq, body,
        )]));
        let asks = screen.effects.iter();
        asks.filter(|it| matches!(it, Effect::Client(Command::MarkRead { .. })))
            .count()
    };
    assert_eq!(erases(&mut screen, 5, 3), 1);
    assert_eq!(erases(&mut screen, 6, 4), 0, "one request at a time");
    screen.effects.clear();
    moved(&mut screen, 2, 1, 5);
    let asks = screen.effects.iter();
    assert_eq!(
        asks.filter(|it| matches!(it, Effect::Client(Command::MarkRead { .. })))
            .count(),
        1
    );
    moved(&mut screen, 2, 0, 6);
    assert_eq!(erases(&mut screen, 7, 1), 0, "read ones do not count");
}

#[test]
fn posting_marks_everything_before_as_read() {
    let mut screen = two_unread();
    screen.handles(tchat::tui::event::Event::Focus(true));
    screen.receives(ClientEvent::Entries(vec![message_entry(
        GENERAL, 5, ANN, 5, "I see",
    )]));
    screen.advances(Duration::ZERO);
    let room = screen.state.room(GENERAL).unwrap();
    assert_eq!(room.reading.unread, Unread::none_after(Seq(5)));
}

#[tokio::test(start_paused = true)]
async fn a_room_we_were_removed_from_has_nothing_unread() {
    let server = Server::start();
    let mut boss = opens(&server, "boss").await;
    let mut ann = opens(&server, "ann").await;
    for screen in [&mut boss, &mut ann] {
        screen.keys("/join tech<ret>");
        screen.shows("#tech ›").await;
    }
    ann.keys("/join general<ret>");
    boss.keys("one<ret>two<ret>");
    ann.has_unread("#tech", 2, 0).await;
    boss.keys("/kick ann<ret>");
    ann.has_unread("#tech", 0, 0).await;
    ann.keys("<a-a>");
    assert!(ann.screen.shows("No unread messages"));
}

#[test]
fn a_read_position_of_another_history_is_not_used() {
    let mut screen = two_unread();
    screen.handles(tchat::tui::event::Event::Focus(true));
    screen.advances(LOOK_TIME);
    screen.effects.clear();
    let unread = Unread {
        read: Seq(1),
        messages: 7,
        mentions: 0,
    };
    screen.receives(ClientEvent::Followed {
        room: GENERAL,
        epoch: Epoch::new([77; 16]),
        first: Seq(1),
        last: Seq(9),
        result: FollowResult::EpochChanged,
        unread,
    });
    assert_eq!(screen.state.room(GENERAL).unwrap().reading.unread, unread);
    assert!(
        screen
            .effects
            .iter()
            .all(|it| !matches!(it, Effect::Client(Command::MarkRead { .. })))
    );
}

#[test]
fn messages_behind_an_overlay_or_without_a_user_present_are_not_read() {
    let mut screen = two_unread();
    let unread = |screen: &Screen| screen.state.room(GENERAL).unwrap().reading.unread.messages;
    screen.handles(tchat::tui::event::Event::Focus(true));
    screen.keys("<f1>");
    screen.advances(LOOK_TIME * 3);
    assert_eq!(unread(&screen), 2);
    screen.keys("<esc>");
    screen.advances(LOOK_TIME);
    assert_eq!(unread(&screen), 0);
    // Without focus events, a user who has not pressed a key for long does not count as present.
    let mut screen = two_unread();
    screen.state.screen.focus = None;
    screen.state.timers.pressed_at = screen.state.screen.now.instant;
    screen.state.screen.now.instant += Duration::from_mins(6);
    screen.advances(LOOK_TIME);
    screen.advances(LOOK_TIME);
    assert_eq!(unread(&screen), 2);
    screen.keys("x");
    screen.advances(LOOK_TIME);
    assert_eq!(unread(&screen), 0);
}
