//! What moves the read position, and what does not.

use super::*;

/// A screen in #general on which two lines of others are unread.
fn two_unread() -> Screen {
    let mut screen = Screen::online(80, 24);
    screen.does(tchat::tui::event::Event::Focus(false));
    let unread = Unread {
        read: Seq(2),
        messages: 2,
        mentions: 0,
    };
    screen.follows_unread(GENERAL, 4, unread);
    let said = (1..=4).map(|seq| says(GENERAL, seq, ZHANG, seq, &format!("line {seq}")));
    screen.hears(ClientEvent::Entries(said.collect()));
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
    screen.hears(ClientEvent::ReadMoved {
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
fn an_answer_that_is_older_than_what_was_read_since_changes_nothing() {
    let mut screen = two_unread();
    let unread = |screen: &Screen| screen.state.room(GENERAL).unwrap().reading.unread;
    // What came after the count is added to it, and what it has already is not.
    screen.hears(ClientEvent::Entries(vec![says(
        GENERAL, 5, LI, 5, "line 5",
    )]));
    assert_eq!(unread(&screen).messages, 3);
    moved(&mut screen, 3, 1, 4);
    assert_eq!(unread(&screen).messages, 2);
    moved(&mut screen, 3, 3, 6);
    screen.hears(ClientEvent::Entries(vec![says(
        GENERAL, 6, LI, 6, "line 6",
    )]));
    assert_eq!(unread(&screen).messages, 3);
    screen.does(tchat::tui::event::Event::Focus(true));
    screen.passes(LOOK);
    assert_eq!(unread(&screen), Unread::nothing(Seq(6)));
    moved(&mut screen, 3, 3, 6);
    assert_eq!(unread(&screen), Unread::nothing(Seq(6)));
}

#[test]
fn a_deletion_while_the_server_counts_is_counted_after_that() {
    let mut screen = two_unread();
    let erases = |screen: &mut Screen, seq, target| {
        screen.effects.clear();
        let what = Amendment::Erase;
        let body = Body::Amendment {
            target: Seq(target),
            what,
        };
        screen.hears(ClientEvent::Entries(vec![entry(
            GENERAL, seq, ZHANG, seq, body,
        )]));
        let asks = screen.effects.iter();
        asks.filter(|it| matches!(it, Effect::Client(Command::MarkRead { .. })))
            .count()
    };
    assert_eq!(erases(&mut screen, 5, 3), 1);
    assert_eq!(erases(&mut screen, 6, 4), 0, "one question at a time");
    screen.effects.clear();
    moved(&mut screen, 2, 1, 5);
    let asks = screen.effects.iter();
    assert_eq!(
        asks.filter(|it| matches!(it, Effect::Client(Command::MarkRead { .. })))
            .count(),
        1
    );
    moved(&mut screen, 2, 0, 6);
    assert_eq!(erases(&mut screen, 7, 1), 0, "what was read counts no more");
}

#[test]
fn whoever_says_something_has_read_what_was_said_before() {
    let mut screen = two_unread();
    screen.does(tchat::tui::event::Event::Focus(true));
    screen.hears(ClientEvent::Entries(vec![says(
        GENERAL, 5, ANN, 5, "I see",
    )]));
    screen.passes(Duration::ZERO);
    let room = screen.state.room(GENERAL).unwrap();
    assert_eq!(room.reading.unread, Unread::nothing(Seq(5)));
}

#[tokio::test(start_paused = true)]
async fn where_one_was_put_out_nothing_waits_to_be_read() {
    let server = Server::start();
    let mut boss = opens(&server, "boss").await;
    let mut ann = opens(&server, "ann").await;
    for screen in [&mut boss, &mut ann] {
        screen.keys("/join tech<ret>");
        screen.shows("#tech ›").await;
    }
    ann.keys("/join general<ret>");
    boss.keys("one<ret>two<ret>");
    ann.has_news("#tech", 2, 0).await;
    boss.keys("/kick ann<ret>");
    ann.has_news("#tech", 0, 0).await;
    ann.keys("<a-a>");
    assert!(ann.screen.shows("nothing is unread"));
}

#[test]
fn positions_of_another_history_say_nothing_of_this_one() {
    let mut screen = two_unread();
    screen.does(tchat::tui::event::Event::Focus(true));
    screen.passes(LOOK);
    screen.effects.clear();
    let unread = Unread {
        read: Seq(1),
        messages: 7,
        mentions: 0,
    };
    screen.hears(ClientEvent::Followed {
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
fn what_lies_behind_something_or_is_left_alone_is_not_read() {
    let mut screen = two_unread();
    let unread = |screen: &Screen| screen.state.room(GENERAL).unwrap().reading.unread.messages;
    screen.does(tchat::tui::event::Event::Focus(true));
    screen.keys("<f1>");
    screen.passes(LOOK * 3);
    assert_eq!(unread(&screen), 2);
    screen.keys("<esc>");
    screen.passes(LOOK);
    assert_eq!(unread(&screen), 0);
    // Without a word on the keyboard, whoever has not touched a key for long is not there.
    let mut screen = two_unread();
    screen.state.screen.focus = None;
    screen.state.timers.pressed_at = screen.state.screen.now.instant;
    screen.state.screen.now.instant += Duration::from_mins(6);
    screen.passes(LOOK);
    screen.passes(LOOK);
    assert_eq!(unread(&screen), 2);
    screen.keys("x");
    screen.passes(LOOK);
    assert_eq!(unread(&screen), 0);
}
