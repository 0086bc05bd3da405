//! Unread counts: kept by the server, the same in all terminals of a person, and cleared once the messages were seen.

mod counts;
mod position;

use std::sync::Arc;
use std::time::Duration;

use tchat::chat::{
    Amendment, Body, Epoch, FollowResult, IdentityId, Recipient, RefusalCode, RoomId, Seq, Unread,
};
use tchat::client::Command;
use tchat::client::Event as ClientEvent;
use tchat::server::store::{PageLimit, Span, Store};
use tchat::tui::event::Effect;
use tchat::wire::{Event, Request};
use tokio::time::sleep;

use crate::support::person::Person;
use crate::support::raw_client::Raw;
use crate::support::screen::{ANN, GENERAL, LI, Screen, ZHANG, entry, message_entry};
use crate::support::server::{Server, config, memory};
use crate::support::viewer::Viewer;

/// How long the newest end must be visible to count as read.
const LOOK_TIME: Duration = Duration::from_secs(1);

async fn opens(server: &Server, name: &str) -> Viewer {
    Viewer::opens(server.connector(), name, None).await
}

/// A user with #tech open while things happen in #general.
async fn elsewhere(server: &Server, name: &str) -> Viewer {
    let mut viewer = opens(server, name).await;
    viewer.keys("/join tech<ret>");
    viewer.shows("#tech ›").await;
    viewer.waits_until_idle().await;
    viewer
}

#[tokio::test(start_paused = true)]
async fn messages_read_in_one_terminal_are_read_in_the_other() {
    let mut server = Server::start();
    let mut desk = elsewhere(&server, "ann").await;
    let mut sofa = elsewhere(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ben.keys("one<ret>");
    ben.shows("one").await;
    ben.keys(" @ann two<ret>@here three<ret>");
    for screen in [&mut desk, &mut sofa] {
        screen.has_unread("#general", 3, 2).await;
        screen.shows("# general   @2 3").await;
        screen.shows("unread 3 · mentions 2").await;
    }
    // Looking for less than this reads nothing, and neither does a terminal without focus.
    desk.keys("<a-up>");
    desk.shows("─ new ─").await;
    desk.advances(LOOK_TIME / 2);
    desk.keys("<a-down>");
    desk.advances(LOOK_TIME);
    desk.sets_focus(false);
    desk.keys("<a-up>");
    desk.advances(LOOK_TIME);
    desk.waits_until_idle().await;
    sofa.waits_until_idle().await;
    assert_eq!(
        (desk.unread_of("#general"), sofa.unread_of("#general")),
        ((3, 2), (3, 2))
    );
    desk.sets_focus(true);
    desk.advances(LOOK_TIME);
    sofa.has_unread("#general", 0, 0).await;
    // The "new" line stays until the user opens another room.
    desk.shows("─ new ─").await;
    desk.keys("<a-down><a-up>");
    assert!(!desk.screen.shows("─ new ─"), "{}", desk.screen.text());
    // A third terminal gets the same counts, and so does a client of the next server with the same store.
    let mut bed = elsewhere(&server, "ann").await;
    assert_eq!(bed.unread_of("#general"), (0, 0));
    ben.keys("four<ret>");
    bed.has_unread("#general", 1, 0).await;
    bed.keys("<a-up>");
    bed.advances(LOOK_TIME);
    bed.waits_until_idle().await;
    let store = Arc::clone(&server.store);
    server.stops().await.unwrap();
    let server = Server::with(config(), store);
    let late = elsewhere(&server, "ann").await;
    assert_eq!(late.unread_of("#general"), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn reading_while_offline_is_sent_after_reconnecting() {
    let server = Server::start();
    let mut ann = elsewhere(&server, "ann").await;
    let mut sofa = elsewhere(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ben.keys("one<ret>two<ret>");
    ann.has_unread("#general", 2, 0).await;
    sofa.has_unread("#general", 2, 0).await;
    ann.keys("/disconnect<ret>");
    ann.shows("offline").await;
    ann.keys("<a-up>");
    ann.advances(LOOK_TIME);
    sofa.waits_until_idle().await;
    assert_eq!(sofa.unread_of("#general"), (2, 0));
    ann.keys("/connect<ret>");
    ann.waits_until_idle().await;
    sofa.has_unread("#general", 0, 0).await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_adds_and_removes_mentions() {
    let server = Server::start();
    let mut zed = elsewhere(&server, "zed").await;
    let mut ben = opens(&server, "ben").await;
    ben.keys(" hey @zed look<ret>");
    ben.waits_until_idle().await;
    zed.has_unread("#general", 1, 1).await;
    ben.keys("/edit never mind<ret>");
    ben.waits_until_idle().await;
    zed.has_unread("#general", 1, 0).await;
    zed.keys("<c-t>");
    zed.shows("No mentions yet").await;
    zed.keys("<esc>");
    // Mentions in code and URLs do not count, also when an edit adds them.
    ben.keys("/edit see `@zed` and http://ex.org/@zed<ret>");
    ben.waits_until_idle().await;
    zed.waits_until_idle().await;
    assert_eq!(zed.unread_of("#general"), (1, 0));
    // A mention edited in counts and is listed, but it does not notify anybody.
    zed.sets_focus(false);
    zed.waits_until_idle().await;
    let before = zed.notified.len();
    ben.keys("/edit now _@zed_, please<ret>");
    zed.has_unread("#general", 1, 1).await;
    assert_eq!(zed.notified.len(), before);
    zed.sets_focus(true);
    zed.keys("<c-t>");
    zed.shows("now _@zed_, please").await;
}

#[tokio::test(start_paused = true)]
async fn deleted_and_ignored_messages_are_not_unread() {
    let server = Server::start();
    let mut ann = elsewhere(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    let mut cay = opens(&server, "cay").await;
    ben.keys("one<ret>");
    ben.shows("one").await;
    ben.keys(" @ann two<ret>");
    cay.shows("@ann two").await;
    cay.keys("three<ret>");
    ann.has_unread("#general", 3, 1).await;
    ben.waits_until_idle().await;
    ben.keys("<a-m>");
    ben.keys("<up>dd");
    ann.has_unread("#general", 2, 0).await;
    ann.keys("/ignore cay<ret>");
    ann.has_unread("#general", 1, 0).await;
    cay.keys("four<ret>");
    ben.shows("four").await;
    ann.waits_until_idle().await;
    assert_eq!(ann.unread_of("#general"), (1, 0));
    ann.keys("<a-up>");
    assert!(ann.screen.shows("one") && !ann.screen.shows("three"));
    ann.keys("/unignore cay<ret>");
    ann.shows("four").await;
    ann.keys("<a-down>");
    ann.has_unread("#general", 3, 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_goes_through_the_unread_rooms_and_back() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    for room in ["tech", "random"] {
        for screen in [&mut ann, &mut ben] {
            screen.keys(&format!("/join {room}<ret>"));
            screen.shows(&format!("#{room} ›")).await;
        }
    }
    ann.keys("/join general<ret>");
    ann.waits_until_idle().await;
    ben.keys("/join tech<ret>plain<ret>/join random<ret>hey @ann<ret>");
    ann.has_unread("#random", 1, 1).await;
    ann.has_unread("#tech", 1, 0).await;
    // Rooms with mentions come first.
    ann.keys("<a-a>");
    assert!(ann.screen.shows("#random ›"), "{}", ann.screen.text());
    ann.keys("<a-a>");
    assert!(ann.screen.shows("#tech ›"), "{}", ann.screen.text());
    ann.keys("<a-a>");
    assert!(ann.screen.shows("#general ›"), "{}", ann.screen.text());
    // Nothing was read on the way; rooms that were read are skipped.
    ann.keys("<a-a>");
    ann.advances(LOOK_TIME);
    ann.keys("<a-a>");
    ann.advances(LOOK_TIME);
    ann.keys("<a-a><a-a>");
    assert!(ann.screen.shows("#general ›"), "{}", ann.screen.text());
    assert!(ann.screen.shows("No unread messages"));
}

#[tokio::test(start_paused = true)]
async fn mentions_are_listed_and_open_in_their_context() {
    let server = Server::start();
    let mut ben = server.joins("ben").await;
    let mut ann = opens(&server, "ann").await;
    ben.is_in("general").await;
    ben.sends("general", "where are you, @ann?");
    ben.sees("general", "where are you, @ann?").await;
    // So many messages follow that it is no longer loaded when ann connects the next time.
    for n in 0..1500 {
        ben.sends("general", &format!("line {n}"));
        if n % 100 == 0 {
            ben.is_answered().await;
        }
    }
    ben.is_answered().await;
    ann.waits_until_idle().await;
    drop(ann);
    sleep(Duration::from_mins(3)).await;
    let mut ann = elsewhere(&server, "ann").await;
    ann.keys("<c-t>");
    ann.shows("where are you, @ann?").await;
    ann.keys("<ret>");
    ann.shows("#general ›").await;
    ann.until("the messages around it", |screen| {
        screen.shows("where are you, @ann?") && screen.shows("line 3")
    })
    .await;
    // Scrolling down continues without a gap.
    ann.waits_until_idle().await;
    for _ in 0..6 {
        ann.keys("<pgdn>");
        ann.waits_until_idle().await;
    }
    let text = ann.screen.text();
    let first = text.lines().find_map(|row| row.split("line ").nth(1));
    let first = first.unwrap().split_whitespace().next().unwrap();
    let first: usize = first.parse().unwrap();
    for n in 1..20 {
        assert!(ann.screen.shows(&format!("line {}", first + n)), "{text}");
    }
    ann.keys("<esc>");
    assert!(
        ann.screen.shows("#tech ›"),
        "Esc returns to the room before"
    );
    // From the room itself Esc returns to the same line.
    ann.keys("<a-up><pgup><pgup>");
    ann.waits_until_idle().await;
    let before = ann.screen.rows();
    ann.keys("/mentions<ret>");
    ann.shows("where are you, @ann?").await;
    ann.keys("<ret>");
    ann.waits_until_idle().await;
    assert!(ann.screen.shows("where are you, @ann?"));
    ann.keys("<esc>");
    ann.waits_until_idle().await;
    assert_eq!(ann.screen.rows()[1..40], before[1..40]);
}

#[tokio::test(start_paused = true)]
async fn a_mention_means_the_current_or_last_holder_of_the_name() {
    let server = Server::start();
    let mut ann = elsewhere(&server, "ann").await;
    let mut zhang = elsewhere(&server, "张三").await;
    let mut ben = opens(&server, "ben").await;
    ben.shows("张三").await;
    ben.keys("ann and bob@ann.example and \\@ann<ret>");
    ann.has_unread("#general", 1, 0).await;
    ben.keys("你好@张三你好<ret>");
    zhang.has_unread("#general", 2, 1).await;
    ann.has_unread("#general", 2, 0).await;
    ben.keys("ANN: @Ann!<ret>");
    ann.has_unread("#general", 3, 1).await;
    // An offline person can be mentioned and sees it when they connect.
    drop(zhang);
    sleep(Duration::from_mins(3)).await;
    ben.keys("where is @张三<ret>");
    ben.waits_until_idle().await;
    let mut zhang = elsewhere(&server, "张三").await;
    assert_eq!(zhang.unread_of("#general"), (4, 2));
    // Two mentions of one person in a message count once. A longer name that begins with `here` mentions only the person of that name.
    drop(ann);
    sleep(Duration::from_mins(3)).await;
    ben.keys(" @ann, @ann!<ret>");
    ben.keys(" @here-ann where<ret>");
    ben.waits_until_idle().await;
    let mut ann = elsewhere(&server, "ann").await;
    assert_eq!(ann.unread_of("#general"), (6, 2));
    // A mention is highlighted, according to the mentions in the entry and not to the reader.
    zhang.keys("<a-up>");
    zhang.shows("where is @张三").await;
    ann.keys("<a-up>");
    ann.shows("你好@张三你好").await;
    assert!(
        zhang.screen.is_highlighted("where is @张三")
            && !ann.screen.is_highlighted("你好@张三你好")
    );
}

/// Sends a read position; returns the server's answer.
async fn marks(raw: &mut Raw, room: RoomId, epoch: Epoch, seq: u64) -> Unread {
    let seq = Seq(seq);
    raw.ask(9, Request::MarkRead { room, epoch, seq }).await;
    loop {
        if let Event::ReadPositionChanged {
            request: 9, unread, ..
        } = raw.answer().await
        {
            return unread;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn read_positions_only_rise_and_are_answered_before_they_are_stored() {
    let server = Server::start();
    let mut ben = server.joins("ben").await;
    ben.is_in("general").await;
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    for text in ["one", "two @ann", "three"] {
        ben.sends("general", text);
    }
    let last = ben.sees("general", "three").await;
    let (epoch, last) = (last.epoch, last.seq.0);
    let told = |read, messages, mentions| Unread {
        read: Seq(read),
        messages,
        mentions,
    };
    let joined = last - 3;
    assert_eq!(marks(&mut raw, room, epoch, 0).await, told(joined, 3, 1));
    assert_eq!(
        marks(&mut raw, room, epoch, last - 1).await,
        told(last - 1, 1, 0)
    );
    assert_eq!(
        marks(&mut raw, room, epoch, joined).await,
        told(last - 1, 1, 0)
    );
    // A position after the last entry is reduced to it.
    assert_eq!(
        marks(&mut raw, room, epoch, 1 << 40).await,
        told(last, 0, 0)
    );
    ben.sends("general", "four");
    ben.sees("general", "four").await;
    assert_eq!(marks(&mut raw, room, epoch, 0).await, told(last, 1, 0));
    // Another history, or a room without membership, has no position.
    for (room, epoch, code) in [
        (room, Epoch::new([7; 16]), RefusalCode::EpochChanged),
        (RoomId::new([7; 16]), epoch, RefusalCode::NotAMember),
    ] {
        let seq = Seq(1);
        raw.ask(10, Request::MarkRead { room, epoch, seq }).await;
        let refused = raw.answer().await;
        assert!(
            matches!(&refused, Event::Refused { request: 10, refusal, .. } if refusal.code == code),
            "{refused:?}"
        );
    }
}
