//! Rooms created by users, seen on their screens: the real client and screen over a server in memory.

use crate::support::server::Server;
use crate::support::viewer::Viewer;

async fn opens(server: &Server, name: &str) -> Viewer {
    Viewer::opens(server.connector(), name, None).await
}

#[tokio::test(start_paused = true)]
async fn a_secret_room_is_created_shared_moderated_and_closed() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    let mut zhang = opens(&server, "张三").await;
    ann.keys("/create vault --secret 钥匙在这里<ret>");
    ann.shows("#vault ›").await;
    ann.shows("vault  钥匙在这里").await;
    ann.shows("ann created this room").await;
    // Nobody else can see it, and a person who knows its name cannot join.
    ben.keys("/join vault<ret>");
    ben.shows("there is no room 'vault'").await;
    ann.keys("/invite ben<ret>");
    ann.shows("ann invited ben").await;
    ben.keys("<ret>");
    ben.shows("#vault ›").await;
    ann.shows("ben joined").await;
    ben.keys("it is dark here<ret>");
    ann.shows("it is dark here").await;
    // A member may not set the topic and is told which role is missing; the line stays in the composer.
    ben.keys("/topic mine now<ret>");
    ben.shows("only moderators of this room can set the topic")
        .await;
    ben.shows("/topic mine now").await;
    ann.keys("/op ben<ret>");
    ben.shows("ann set the role of ben to moderator").await;
    ben.keys("<ret>");
    ann.shows("ben set the topic: mine now").await;
    ann.shows("vault  mine now").await;
    ben.keys("/invite 张三<ret>");
    ben.shows("ben invited 张三").await;
    zhang.keys("/join vault<ret>");
    zhang.shows("#vault ›").await;
    ben.keys("/kick ann<ret>");
    ben.shows("ann has the same role as you here, or a higher one")
        .await;
    ben.keys("<c-u>/kick 张三 not for you<ret>");
    zhang
        .shows("ben removed you from this room: not for you")
        .await;
    // The removed member cannot post, and the text stays in the composer.
    zhang.keys("let me in<ret>");
    zhang.shows("#vault › let me in").await;
    zhang
        .shows("─ ben removed you from this room: not for you")
        .await;
    // A new attempt to join is sent to the server again.
    zhang.keys("<c-u>/join vault<ret>");
    zhang.shows("there is no room 'vault'").await;
    zhang.keys("<c-u>/leave<ret>");
    zhang.shows("#general ›").await;
    ann.keys("/delete<ret>");
    ann.shows("Run /delete again to close this room for everyone, permanently")
        .await;
    ann.keys("<ret>");
    ben.shows("This room was closed").await;
    ann.shows("ann closed this room").await;
    // A new room of the same name takes its place in the list.
    ben.keys("half a line");
    zhang.keys("/create vault<ret>");
    zhang.shows("#vault ›").await;
    ben.keys("<c-l>vault");
    ben.shows("› vault").await;
    ben.keys("<ret>");
    zhang.shows("ben joined").await;
    ben.until("a single one", |screen| {
        screen.text().matches("# vault").count() == 1
    })
    .await;
    ben.shows("#vault › half a line").await;
}

#[tokio::test(start_paused = true)]
async fn muted_and_banned_people_are_told_until_when() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ann.keys("/create dev<ret>");
    ann.shows("#dev ›").await;
    ben.keys("/join dev<ret>");
    ben.shows("#dev ›").await;
    ann.keys("/mute ben 10m<ret>");
    ben.shows("ann muted ben until ").await;
    ben.keys("hello?<ret>");
    ben.shows("you are muted in this room until ").await;
    ann.keys("/unmute ben<ret>");
    ben.shows("ann unmuted ben").await;
    ann.keys("/mute ben<ret>");
    ben.shows("ann muted ben").await;
    ben.keys("hello?<ret>");
    ben.shows("you are muted in this room").await;
    ann.keys("/ban ben 2h for shouting<ret>");
    ben.shows("ann banned you from this room: for shouting")
        .await;
    ann.keys("/unban ben<ret>");
    ann.shows("ann unbanned ben").await;
    ben.keys("<c-u>/join dev<ret>");
    ann.shows("ben joined").await;
}

#[tokio::test(start_paused = true)]
async fn wrong_room_commands_are_explained_and_stay_in_the_composer() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    for (keys, words) in [
        (
            "/create GENERAL",
            "there is already a room #GENERAL, or one that looks like it",
        ),
        ("/create a|b", "'a|b' is not a valid room name"),
        ("/create dеv", "'dеv' is not a valid room name"),
        (
            "/create dev --capacity none",
            "Usage: /create NAME [--private|--secret]",
        ),
        ("/create", "Usage: /create NAME"),
        ("/delete tech", "Usage: /delete [ROOM]"),
        ("/delete", "Run /delete again to close this room"),
        ("/kick", "Usage: /kick USER [REASON]"),
        ("/kick nobody", "nobody here is named nobody"),
        ("/mute ben long", "Usage: /mute USER [10m|2h|7d]"),
        ("/op a b", "Usage: /op USER"),
        ("/topic", "Usage: /topic TEXT"),
        ("/who is there", "Usage: /who"),
        ("/help me", "Usage: /help"),
    ] {
        ann.keys(&format!("{keys}<ret>"));
        ann.shows(words).await;
        // It stays in the composer to be corrected.
        ann.shows(keys).await;
        ann.keys("<c-u>");
    }
    let long = "x".repeat(391);
    ann.keys(&format!("/create dev {long}<ret>"));
    ann.shows("the topic is too long: 391 characters, the limit is 390")
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_default_room_cannot_be_closed_and_its_owner_can_moderate_it() {
    let server = Server::start();
    let mut boss = opens(&server, "boss").await;
    let mut ann = opens(&server, "ann").await;
    boss.keys("/delete<ret><ret>");
    boss.shows("everyone starts in this room; it cannot be left or closed")
        .await;
    boss.keys("<c-u>/topic 今天<ret>");
    ann.shows("general  今天").await;
    boss.keys("/op ann<ret>");
    ann.shows("boss set the role of ann to moderator").await;
    // A topic set by a user survives a restart and overrides the configuration.
    ann.keys("/topic 明天<ret>");
    ann.shows("general  明天").await;
    let again = Server::with(crate::support::server::config(), server.store.clone());
    let mut ben = opens(&again, "ben").await;
    ben.shows("general  明天").await;
}

#[tokio::test(start_paused = true)]
async fn the_lobby_lists_the_rooms_and_stays_up_to_date() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ann.keys("/create vault --private --capacity 12 keys<ret>");
    ann.shows("#vault ›").await;
    ann.keys("the door is blue<ret>");
    ben.keys("<c-l>");
    ben.shows("LOBBY  chat.example.org").await;
    // A private room shows only its name and its numbers to outsiders.
    ben.shows("vault ⚿").await;
    ben.shows("invite only").await;
    ben.shows("1/12").await;
    assert!(!ben.screen.shows("the door is blue"));
    // The list updates by itself.
    ann.keys("<a-up>the build is green<ret>");
    ben.screen.state.screen.now.instant += std::time::Duration::from_secs(2);
    ben.ticks();
    ben.shows("ann: the build is green").await;
    // Typing filters the list, and Enter joins the selected room.
    ben.keys("tch");
    ben.until("the filtered list", |screen| {
        screen.shows("filter: tch") && !screen.shows("vault")
    })
    .await;
    ben.keys("<ret>");
    ben.shows("#tech ›").await;
    ben.keys("<c-l>vau<ret>");
    ben.shows("#vault is invite only").await;
    ann.keys("<a-down>/invite ben<ret>");
    ann.shows("ann invited ben").await;
    ben.keys("<c-u><c-l>vau<ret>");
    ben.shows("#vault ›").await;
    ben.keys("<c-l>");
    ben.shows("ann: the door is blue").await;
    ben.keys("<esc><c-l>n");
    ben.shows("#vault › /create").await;
}

#[tokio::test(start_paused = true)]
async fn the_palette_finds_rooms_people_and_commands() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let _li = opens(&server, "李四").await;
    ann.shows("李四").await;
    ann.keys("<c-k>tec");
    ann.shows("#tech").await;
    ann.keys("<ret>");
    ann.shows("#tech ›").await;
    ann.keys("<c-k>gen<ret>");
    ann.shows("#general ›").await;
    ann.keys("<c-k>李");
    ann.shows("@李四").await;
    ann.keys("<ret>");
    ann.shows("@李四 privately ›").await;
    ann.keys("<c-k>topic<ret>");
    ann.shows("/topic").await;
    // A command does not replace a draft.
    ann.keys("<c-u>half a line<c-k>topic<ret>");
    ann.shows("Send or clear your draft first").await;
    ann.shows("half a line").await;
    ann.keys("<c-k>nothing like it");
    ann.shows("No matches").await;
    ann.keys("<ret><esc>");
    ann.shows("half a line").await;
}

#[tokio::test]
async fn a_member_removed_while_offline_can_read_up_to_the_removal_and_sees_the_reason() {
    let server = Server::start();
    let caches = tempfile::tempdir().unwrap();
    let cache = caches.path().join("zhang.db");
    let mut ann = opens(&server, "ann").await;
    ann.keys("/create vault --private<ret>");
    ann.shows("#vault ›").await;
    ann.keys("/invite 张三<ret>");
    ann.shows("nobody here is named 张三").await;
    let mut zhang = Viewer::opens(server.connector(), "张三", Some(&cache)).await;
    ann.keys("<ret>");
    ann.shows("ann invited 张三").await;
    zhang.keys("/join vault<ret>");
    zhang.shows("#vault ›").await;
    ann.keys("one<ret>");
    zhang.shows("one").await;
    zhang.waits_until_idle().await;
    drop(zhang);
    for keys in ["two<ret>", "/kick 张三 too quiet<ret>", "three<ret>"] {
        ann.keys(keys);
        ann.waits_until_idle().await;
    }
    ann.shows("ann removed 张三: too quiet").await;
    let mut zhang = Viewer::opens(server.connector(), "张三", Some(&cache)).await;
    zhang
        .shows("ann removed you from this room: too quiet")
        .await;
    zhang.keys("<c-k>vault<ret>");
    zhang.shows("two").await;
    zhang.shows("ann removed 张三: too quiet").await;
    assert!(!zhang.screen.shows("three"));
    drop(zhang);
    // It is shown once: after the next start the room is gone.
    let zhang = Viewer::opens(server.connector(), "张三", Some(&cache)).await;
    assert!(!zhang.screen.shows("vault"), "{}", zhang.screen.text());
}
