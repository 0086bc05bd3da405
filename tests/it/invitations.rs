//! Invitations are listed where rooms are looked for, until they are accepted.

use tchat::chat::{Refusal, RefusalCode, RoomId, RoomInfo, RoomKind, Settings};
use tchat::client::{About, Command, Event as ClientEvent};
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
    screen.hears(ClientEvent::Invited {
        room: vault(kind),
        by: Some(author(LI)),
    });
    screen
}

/// The rows that name the room.
fn rows(screen: &Screen) -> Vec<String> {
    let rows = screen.rows().into_iter();
    rows.filter(|row| row.contains("vault") && !row.contains("/join"))
        .collect()
}

#[test]
fn an_invitation_to_a_secret_room_is_in_the_lobby_and_in_the_palette() {
    let mut screen = invited(RoomKind::Secret);
    // The server's list has no secret rooms.
    screen.keys("<c-l>");
    screen.hears(ClientEvent::Rooms(vec![room(
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
    let joins = [Effect::Client(Command::Join("vault".into()))];
    assert_eq!(screen.keys("vau<ret>"), joins);
    screen.keys("<c-k>vau");
    let found = rows(&screen);
    assert!(
        found.len() == 1 && found[0].contains("#vault") && found[0].contains("李四 invited you"),
        "{found:?}"
    );
    assert_eq!(screen.keys("<ret>"), joins);
    // It is completed as well.
    screen.keys("/join v<tab>");
    assert_eq!(screen.state.composer().text(), "/join #vault ");
}

#[test]
fn a_private_room_that_is_listed_says_that_we_may_join_it() {
    let mut screen = invited(RoomKind::Private);
    screen.hears(ClientEvent::Directory(vec![vault(RoomKind::Private)]));
    screen.keys("<c-l>");
    screen.hears(ClientEvent::Rooms(vec![vault(RoomKind::Private)]));
    let found = rows(&screen);
    assert!(
        found.len() == 1 && found[0].contains("李四 invited you"),
        "{found:?}"
    );
    screen.keys("<esc><c-k>vault");
    assert_eq!(rows(&screen).len(), 2, "what is typed, and one row");
    // Somebody else's private room needs an invitation still.
    let mut screen = Screen::online(100, 30);
    screen.keys("<c-l>");
    screen.hears(ClientEvent::Rooms(vec![vault(RoomKind::Private)]));
    assert!(rows(&screen)[0].contains("by invitation"));
}

#[test]
fn it_is_gone_when_it_was_accepted_or_cannot_be_any_more() {
    let lists = |screen: &mut Screen| {
        screen.keys("<esc><c-l>");
        let is_listed = !rows(screen).is_empty();
        screen.keys("<esc>");
        is_listed
    };
    // Accepted, and left again.
    let mut screen = invited(RoomKind::Secret);
    assert!(lists(&mut screen));
    screen.hears(ClientEvent::Room {
        room: vault(RoomKind::Secret),
        asked: true,
    });
    screen.hears(ClientEvent::Left(VAULT));
    assert!(!lists(&mut screen), "{}", screen.text());
    // The room was closed meanwhile, or the server knows of no invitation.
    for code in [
        RefusalCode::RoomUnknown,
        RefusalCode::RoomClosed,
        RefusalCode::NotInvited,
    ] {
        let mut screen = invited(RoomKind::Secret);
        screen.hears(ClientEvent::Refused {
            about: About::Join("Vault".into()),
            refusal: Refusal::new(code).with("vault"),
        });
        assert!(!lists(&mut screen), "{code:?}");
    }
    let mut screen = invited(RoomKind::Secret);
    screen.hears(ClientEvent::Refused {
        about: About::Join("vault".into()),
        refusal: Refusal::new(RefusalCode::RoomFull).with("vault"),
    });
    assert!(lists(&mut screen), "it may have room later");
    // A new connection tells of those that are open.
    screen.is_welcomed(vec![room(RoomId::new([1; 16]), "general", "")]);
    assert!(!lists(&mut screen));
    screen.hears(ClientEvent::Invited {
        room: vault(RoomKind::Secret),
        by: None,
    });
    screen.keys("<c-l>");
    assert!(
        rows(&screen)[0].contains("you are invited"),
        "{}",
        screen.text()
    );
}

#[test]
fn who_is_ignored_invites_nobody() {
    let mut screen = Screen::online(100, 30);
    screen.hears(ClientEvent::Settings(Settings {
        ignored: vec![author(ZHANG)],
        ..Settings::default()
    }));
    screen.hears(ClientEvent::Invited {
        room: vault(RoomKind::Secret),
        by: Some(author(ZHANG)),
    });
    screen.keys("<c-l>");
    assert!(rows(&screen).is_empty(), "{}", screen.text());
}

#[tokio::test(start_paused = true)]
async fn a_secret_room_is_found_by_those_who_were_invited_and_by_nobody_else() {
    let server = Server::start();
    let mut ann = Viewer::opens(server.connector(), "ann", None).await;
    let mut ben = Viewer::opens(server.connector(), "ben", None).await;
    ann.keys("/create vault --secret<ret>");
    ann.shows("#vault ›").await;
    ben.keys("<c-l>");
    ben.settles().await;
    assert!(!ben.screen.shows("vault"), "{}", ben.screen.text());
    ben.keys("<esc>");
    ann.keys("/invite ben<ret>");
    ben.shows("ann invited you: /join vault").await;
    ben.keys("<c-l>");
    ben.settles().await;
    assert!(
        rows(&ben.screen)[0].contains("ann invited you"),
        "{}",
        ben.screen.text()
    );
    // So it is after another connection.
    ben.keys("<esc>/disconnect<ret>");
    ben.shows("offline").await;
    ben.keys("/connect<ret>");
    ben.settles().await;
    ben.keys("<c-l>");
    ben.settles().await;
    assert!(
        rows(&ben.screen)[0].contains("you are invited"),
        "{}",
        ben.screen.text()
    );
    ben.keys("vau<ret>");
    ben.shows("#vault ›").await;
    ben.keys("<c-l>");
    ben.settles().await;
    assert!(
        !ben.screen.shows("you are invited"),
        "{}",
        ben.screen.text()
    );
}
