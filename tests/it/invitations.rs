//! Invitations: listed in the lobby and the palette until they are accepted.

use tchat::chat::{Refusal, RefusalCode, RoomId, RoomInfo, RoomKind, Settings};
use tchat::client::{Command, Event as ClientEvent, RequestKind};
use tchat::tui::event::Effect;

use crate::support::screen::{LI, Screen, ZHANG, author, room};
use crate::support::server::Server;
use crate::support::viewer::Viewer;

const VAULT: RoomId = RoomId::new([80; 16]);

fn vault(kind: RoomKind) -> RoomInfo {
    RoomInfo {
        kind,
        ..room(VAULT, "vault", "keys")
    }
}

fn invited(kind: RoomKind) -> Screen {
    let mut screen = Screen::online(100, 30);
    screen.receives(ClientEvent::Invited {
        room: vault(kind),
        by: Some(author(LI)),
    });
    screen
}

/// The rows that contain the room's name.
fn rows(screen: &Screen) -> Vec<String> {
    let rows = screen.rows().into_iter();
    rows.filter(|row| row.contains("vault") && !row.contains("/join"))
        .collect()
}

#[test]
fn an_invitation_to_a_secret_room_is_listed_in_lobby_and_palette() {
    let mut screen = invited(RoomKind::Secret);
    // Secret rooms are not in the server's list.
    screen.keys("<c-l>");
    screen.receives(ClientEvent::Rooms(vec![room(
        RoomId::new([81; 16]),
        "dev",
        "",
    )]));
    let found = rows(&screen);
    assert!(
        found.len() == 1 && found[0].contains("vault ⚿"),
        "{found:?}"
    );
    assert!(found[0].contains("李四 invited you"));
    let joins = [Effect::Client(Command::Join(
        (&vault(RoomKind::Secret)).into(),
    ))];
    assert_eq!(screen.keys("vau<ret>"), joins);
    screen.keys("<c-k>vau");
    let found = rows(&screen);
    assert!(
        found.len() == 1 && found[0].contains("#vault") && found[0].contains("李四 invited you"),
        "{found:?}"
    );
    assert_eq!(screen.keys("<ret>"), joins);
    // The name is completed as well.
    screen.keys("/join v<tab>");
    assert_eq!(screen.state.composer().text(), "/join #vault ");
}

#[test]
fn a_listed_private_room_shows_that_we_are_invited() {
    let mut screen = invited(RoomKind::Private);
    screen.receives(ClientEvent::Directory(vec![vault(RoomKind::Private)]));
    screen.keys("<c-l>");
    screen.receives(ClientEvent::Rooms(vec![vault(RoomKind::Private)]));
    let found = rows(&screen);
    assert!(
        found.len() == 1 && found[0].contains("李四 invited you"),
        "{found:?}"
    );
    screen.keys("<esc><c-k>vault");
    assert_eq!(rows(&screen).len(), 2, "the typed text and one row");
    // A private room without an invitation still needs one.
    let mut screen = Screen::online(100, 30);
    screen.keys("<c-l>");
    screen.receives(ClientEvent::Rooms(vec![vault(RoomKind::Private)]));
    assert!(rows(&screen)[0].contains("invite only"));
}

#[test]
fn an_invitation_disappears_once_accepted_or_no_longer_valid() {
    let lists = |screen: &mut Screen| {
        screen.keys("<esc><c-l>");
        let is_listed = !rows(screen).is_empty();
        screen.keys("<esc>");
        is_listed
    };
    // Accepted, and left again.
    let mut screen = invited(RoomKind::Secret);
    assert!(lists(&mut screen));
    screen.receives(ClientEvent::Room {
        room: vault(RoomKind::Secret),
        is_requested: true,
    });
    screen.receives(ClientEvent::Left(VAULT));
    assert!(!lists(&mut screen), "{}", screen.text());
    // The room was closed meanwhile, or the server has no such invitation.
    for code in [
        RefusalCode::RoomUnknown,
        RefusalCode::RoomClosed,
        RefusalCode::NotInvited,
    ] {
        let mut screen = invited(RoomKind::Secret);
        screen.receives(ClientEvent::Refused {
            about: RequestKind::Join("Vault".into()),
            refusal: Refusal::new(code).with("vault"),
        });
        assert!(!lists(&mut screen), "{code:?}");
    }
    let mut screen = invited(RoomKind::Secret);
    screen.receives(ClientEvent::Refused {
        about: RequestKind::Join("vault".into()),
        refusal: Refusal::new(RefusalCode::RoomFull).with("vault"),
    });
    assert!(lists(&mut screen), "the room may have a free place later");
    // A new connection sends the open invitations again.
    screen.is_welcomed(vec![room(RoomId::new([1; 16]), "general", "")]);
    assert!(!lists(&mut screen));
    screen.receives(ClientEvent::Invited {
        room: vault(RoomKind::Secret),
        by: None,
    });
    screen.keys("<c-l>");
    assert!(
        rows(&screen)[0].contains("You are invited"),
        "{}",
        screen.text()
    );
}

#[test]
fn invitations_from_ignored_people_are_not_listed() {
    let mut screen = Screen::online(100, 30);
    screen.receives(ClientEvent::Settings(Settings {
        ignored: vec![author(ZHANG)],
        ..Settings::default()
    }));
    screen.receives(ClientEvent::Invited {
        room: vault(RoomKind::Secret),
        by: Some(author(ZHANG)),
    });
    screen.keys("<c-l>");
    assert!(rows(&screen).is_empty(), "{}", screen.text());
}

#[tokio::test(start_paused = true)]
async fn a_secret_room_is_visible_only_to_invited_people() {
    let server = Server::start();
    let mut ann = Viewer::opens(server.connector(), "ann", None).await;
    let mut ben = Viewer::opens(server.connector(), "ben", None).await;
    ann.keys("/create vault --secret<ret>");
    ann.shows("#vault ›").await;
    ben.keys("<c-l>");
    ben.waits_until_idle().await;
    assert!(!ben.screen.shows("vault"), "{}", ben.screen.text());
    ben.keys("<esc>");
    ann.keys("/invite ben<ret>");
    ben.shows("ann invited you: /join vault").await;
    ben.keys("<c-l>");
    ben.waits_until_idle().await;
    assert!(
        rows(&ben.screen)[0].contains("ann invited you"),
        "{}",
        ben.screen.text()
    );
    // It is also listed after a reconnect.
    ben.keys("<esc>/disconnect<ret>");
    ben.shows("offline").await;
    ben.keys("/connect<ret>");
    ben.waits_until_idle().await;
    ben.keys("<c-l>");
    ben.waits_until_idle().await;
    assert!(
        rows(&ben.screen)[0].contains("You are invited"),
        "{}",
        ben.screen.text()
    );
    ben.keys("vau<ret>");
    ben.shows("#vault ›").await;
    ben.keys("<c-l>");
    ben.waits_until_idle().await;
    assert!(
        !ben.screen.shows("You are invited"),
        "{}",
        ben.screen.text()
    );
}

#[tokio::test(start_paused = true)]
async fn a_secret_room_and_an_open_one_of_the_same_name_are_both_reached_by_their_rows() {
    let server = Server::start();
    let mut ann = Viewer::opens(server.connector(), "ann", None).await;
    let mut ben = Viewer::opens(server.connector(), "ben", None).await;
    ann.keys("/create vault --secret<ret>");
    ann.shows("#vault ›").await;
    ann.keys("from inside<ret>");
    // Ben does not know of the secret room, so the name is free for him.
    ben.keys("/create vault<ret>");
    ben.shows("#vault ›").await;
    ben.keys("in the open<ret>");
    ben.waits_until_idle().await;
    // The lobby lists the open room first, the palette our own.
    for (open, keys) in [("<c-l>", "vault<ret>"), ("<c-k>", "vault<down><ret>")] {
        ann.keys(open);
        ann.waits_until_idle().await;
        ann.keys(keys);
        ann.shows("in the open").await;
        ann.waits_until_idle().await;
        assert!(!ann.screen.shows("from inside"), "{}", ann.screen.text());
        ann.keys("/leave<ret>");
        ann.waits_until_idle().await;
    }
}
