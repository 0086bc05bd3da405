//! Requests on the screen and in plain mode, between real clients and a server.

use std::time::Duration;

use tchat::server::listen::Peer;

use crate::support::server::{Server, loopback};
use crate::support::viewer::Viewer;

/// The screen of the server's own user.
async fn colleague(server: &Server, name: &str) -> Viewer {
    let mut viewer = Viewer::opens(server.connector(), name, None).await;
    viewer.waits_until_idle().await;
    viewer
}

/// The screen of somebody who registered without an invitation.
async fn stranger(server: &Server, n: u8, name: &str) -> Viewer {
    let connector = server.connector_from(Peer::Tcp(loopback(n)));
    let mut viewer = Viewer::opens(connector, name, None).await;
    viewer.waits_until_idle().await;
    viewer
}

#[tokio::test(start_paused = true)]
async fn a_request_is_listed_and_accepted() {
    let server = Server::start();
    let mut ann = colleague(&server, "ann").await;
    let mut eve = stranger(&server, 2, "eve").await;
    ann.sets_focus(false);
    eve.keys("@ann may I ask you something?<ret>");
    ann.shows("REQUESTS 1").await;
    ann.shows("requests 1").await;
    assert!(
        !ann.screen.shows("may I ask"),
        "it is not shown in the room"
    );
    assert_eq!(ann.unread_of("@eve"), (0, 0));
    eve.keys("/msg ann<ret>");
    eve.shows("ann has to accept your first message").await;
    eve.keys("are you there?<ret>");
    eve.shows("ann has not accepted your first message yet")
        .await;

    ann.keys("/requests<ret>");
    ann.shows("may I ask you something?").await;
    ann.keys("<ret>");
    ann.shows("eve wants to message you").await;
    ann.keys("/accept<ret>");
    ann.shows("You can now message each other").await;
    ann.until("the request to be gone", |screen| !screen.shows("REQUESTS"))
        .await;
    eve.shows("ann accepted your message").await;
    eve.keys("<c-u>thank you<ret>");
    ann.shows("thank you").await;
}

#[tokio::test(start_paused = true)]
async fn requests_are_declined_and_people_blocked() {
    let server = Server::start();
    let mut ann = colleague(&server, "ann").await;
    let mut eve = stranger(&server, 2, "eve").await;
    let mut mal = stranger(&server, 3, "mal").await;
    eve.keys("@ann hi<ret>");
    mal.keys("@ann pumpkins!<ret>");
    ann.shows("REQUESTS 2").await;
    ann.keys("/decline eve<ret>");
    ann.shows("Declined; eve cannot message you").await;
    ann.shows("REQUESTS 1").await;
    ann.keys("/block mal<ret>");
    ann.shows("mal is blocked").await;
    ann.until("no requests", |screen| !screen.shows("REQUESTS"))
        .await;
    for viewer in [&mut eve, &mut mal] {
        viewer.waits_until_idle().await;
        viewer.keys("@ann why?<ret>");
        viewer.shows("ann does not accept").await;
    }
    ann.keys("/ignore<ret>");
    ann.shows("blocked").await;
    ann.keys("<esc>/accept eve<ret>");
    ann.shows("There is no message request from 'eve'").await;
    ann.keys("<c-u>/unblock mal<ret>");
    ann.shows("Messages from mal are shown again").await;
    ann.keys("/requests<ret>");
    ann.shows("No message requests").await;
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_left_on_every_terminal() {
    let server = Server::start();
    let mut ann = colleague(&server, "ann").await;
    let mut phone = colleague(&server, "ann").await;
    let mut bob = colleague(&server, "bob").await;
    bob.keys("@ann lunch?<ret>");
    for viewer in [&mut ann, &mut phone] {
        viewer.shows("PRIVATE").await;
    }
    ann.keys("/leave @bob<ret>");
    for viewer in [&mut ann, &mut phone] {
        viewer
            .until("no conversation", |screen| !screen.shows("PRIVATE"))
            .await;
    }
    bob.advances(Duration::from_secs(1));
    bob.keys("@ann or dinner?<ret>");
    for viewer in [&mut ann, &mut phone] {
        viewer.shows("PRIVATE").await;
        viewer.shows("or dinner?").await;
    }
}
