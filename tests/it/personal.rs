//! Personal settings: status and presence, typing, ignored people, keywords, notifications, invitations, and the word filter.

use std::time::Duration;

use tchat::chat::FilterMode;
use tchat::chat::Presence;
use tchat::server::word_filter::WordFilter;
use tchat::text::Keywords;
use tchat::tui::settings::typing::TypingMode;
use tokio::time::sleep;

use crate::support::server::{Server, config, memory};
use crate::support::viewer::Viewer;

async fn opens(server: &Server, name: &str) -> Viewer {
    let mut viewer = Viewer::opens(server.connector(), name, None).await;
    viewer.waits_until_idle().await;
    viewer
}

/// Presence and status of a member in the current room's people list.
fn listed(viewer: &Viewer, name: &str) -> Option<(Presence, String)> {
    let room = viewer.screen.state.current()?;
    let mut people = room.roster.people().iter();
    let person = people.find(|it| it.name == name)?;
    Some((person.presence, person.status.clone()))
}

async fn sees(viewer: &mut Viewer, name: &str, presence: Presence, status: &str) {
    let expected = Some((presence, status.to_owned()));
    let what = format!("{name} {presence:?} '{status}'");
    viewer
        .until(&what, |screen| {
            let room = screen.state.current().unwrap();
            let mut people = room.roster.people().iter();
            let person = people.find(|it| it.name == name);
            person.map(|it| (it.presence, it.status.clone())) == expected
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn others_see_who_is_online_away_and_offline() {
    let mut server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    sees(&mut ann, "ben", Presence::Online, "").await;
    ben.keys("/away 午饭<ret>");
    ben.shows("You are away: 午饭").await;
    sees(&mut ann, "ben", Presence::Away, "午饭").await;
    ann.shows("◐ ").await;
    ann.shows("午饭").await;
    ben.keys("/status back at two<ret>");
    sees(&mut ann, "ben", Presence::Away, "back at two").await;
    ben.waits_until_idle().await;
    ben.keys("/back<ret>");
    ben.shows("Your status: back at two").await;
    sees(&mut ann, "ben", Presence::Online, "back at two").await;
    // The away reason replaces the status until the user is back.
    ben.keys("/away 会议<ret>");
    sees(&mut ann, "ben", Presence::Away, "会议").await;
    ben.waits_until_idle().await;
    ben.keys("/away<ret>");
    ben.waits_until_idle().await;
    ben.keys("/back<ret>");
    sees(&mut ann, "ben", Presence::Online, "back at two").await;
    ben.keys("/status<ret>");
    ben.shows("You are online").await;
    sees(&mut ann, "ben", Presence::Online, "").await;
    ben.keys("/status deep in the engine<ret>");
    sees(&mut ann, "ben", Presence::Online, "deep in the engine").await;
    ben.pastes("/status a\tb");
    ben.keys("<ret>");
    ben.shows("the control character U+0009 is not allowed")
        .await;
    ben.keys("<c-u>");
    ben.keys(&format!("/status {}<ret>", "x".repeat(129)));
    ben.shows("the status is too long: 129 characters, the limit is 128")
        .await;
    // The status stays visible for offline people, also after a server restart.
    drop(ben);
    sees(&mut ann, "ben", Presence::Offline, "deep in the engine").await;
    assert_eq!(
        ann.screen.state.current().unwrap().roster.present().len(),
        1
    );
    ann.shows("○ ").await;
    ann.shows("PEOPLE 1").await;
    // The server sends offline members to everybody who follows.
    let cay = opens(&server, "cay").await;
    let of = |status: &str| Some((Presence::Offline, status.to_owned()));
    assert_eq!(listed(&cay, "ben"), of("deep in the engine"));
    let store = std::sync::Arc::clone(&server.store);
    server.stops().await.unwrap();
    let server = Server::with(config(), store);
    let cay = opens(&server, "cay").await;
    assert_eq!(listed(&cay, "ben"), of("deep in the engine"));
    // A person who leaves is not a member any more.
    let mut ben = opens(&server, "ben").await;
    ben.keys("/join tech<ret>");
    ben.shows("#tech ›").await;
    let mut cay = cay;
    cay.keys("/join tech<ret>");
    cay.shows("#tech ›").await;
    sees(&mut cay, "ben", Presence::Online, "deep in the engine").await;
    ben.keys("/leave<ret>");
    cay.until("ben to leave", |screen| {
        let room = screen.state.current().unwrap();
        room.roster.people().iter().all(|it| it.name != "ben")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn whois_shows_a_profile() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ben.keys("/create vault --secret<ret>");
    ben.shows("#vault ›").await;
    ben.keys("/status busy<ret>");
    ben.waits_until_idle().await;
    ann.keys("/whois ben<ret>");
    ann.shows("Who is ben").await;
    ann.shows("ben  online").await;
    ann.shows("Status: busy").await;
    ann.shows("#general").await;
    assert!(
        !ann.screen.text().contains("vault"),
        "a secret room must not be in a profile"
    );
    ann.keys("<esc>/whois nobody<ret>");
    ann.shows("cannot look up that person: nobody here is named nobody")
        .await;
    ann.shows("/whois nobody").await;
    drop(ben);
    sleep(Duration::from_mins(4)).await;
    ann.keys("<c-u>/whois ben<ret>");
    ann.shows("last seen").await;
    ann.keys("<esc>/whois<ret>");
    ann.shows("Usage: /whois USER").await;
}

#[tokio::test(start_paused = true)]
async fn the_typing_indicator_is_shown_for_six_seconds() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ben.screen.state.preferences.typing = TypingMode::Both;
    ann.waits_until_idle().await;
    ben.keys("h");
    ann.shows("ben is typing…").await;
    ann.advances(Duration::from_millis(5900));
    assert!(ann.screen.shows("ben is typing…"));
    ann.advances(Duration::from_millis(200));
    assert!(!ann.screen.shows("is typing…"));
    // Typing is sent at most every three seconds, by the client and by the server.
    ben.screen.state.screen.now.instant += Duration::from_millis(2900);
    ben.keys("e");
    assert!(ben.screen.effects.is_empty(), "{:?}", ben.screen.effects);
    ben.screen.state.screen.now.instant += Duration::from_millis(200);
    sleep(Duration::from_secs(4)).await;
    ben.keys("y");
    ann.shows("ben is typing…").await;
    // The message ends the indicator.
    ben.keys("<ret>");
    ann.shows("hey").await;
    assert!(!ann.screen.shows("is typing…"));
    // Typing a command or a private line is never sent.
    ben.screen.state.screen.now.instant += Duration::from_secs(4);
    for secret in ["/topic x", "@ann psst", "/msg ann hi"] {
        ben.keys(secret);
        assert!(
            ben.screen.effects.is_empty(),
            "{secret}: {:?}",
            ben.screen.effects
        );
        ben.keys("<c-u>");
    }
    // Each direction can be switched off.
    ben.keys("/typing show<ret>");
    ben.screen.state.screen.now.instant += Duration::from_secs(4);
    ben.keys("x");
    assert!(ben.screen.effects.is_empty());
    ben.keys("<c-u>/typing on<ret>");
    ann.keys("/typing send<ret>");
    ben.screen.state.screen.now.instant += Duration::from_secs(4);
    sleep(Duration::from_secs(4)).await;
    ben.keys("x");
    ann.waits_until_idle().await;
    assert!(!ann.screen.shows("is typing…"));
    ann.keys("/typing<ret>");
    ann.shows("Typing indicators: send").await;
    ann.keys("/typing loudly<ret>");
    ann.shows("Usage: /typing [on|show|send|off]").await;
}

#[tokio::test(start_paused = true)]
async fn a_muted_member_is_not_shown_as_typing() {
    let server = Server::start();
    let mut boss = opens(&server, "boss").await;
    let mut ben = opens(&server, "ben").await;
    ben.screen.state.preferences.typing = TypingMode::Both;
    boss.keys("/mute ben<ret>");
    ben.shows("boss muted ben").await;
    ben.keys("x");
    boss.waits_until_idle().await;
    assert!(!boss.screen.shows("is typing"));
}

#[tokio::test(start_paused = true)]
async fn ignored_people_levels_and_keywords_apply_to_all_terminals_of_a_person() {
    let server = Server::start();
    let mut desk = opens(&server, "ann").await;
    let mut sofa = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ben.keys("before<ret>");
    desk.shows("before").await;
    sofa.shows("before").await;
    desk.keys("/ignore ben<ret>");
    desk.shows("Messages from ben are hidden").await;
    sofa.until("ben's text hidden", |screen| !screen.shows("before"))
        .await;
    ben.keys("after<ret>");
    ben.shows("after").await;
    // Their private messages are not shown in the current room either.
    ben.keys("@ann psst<ret>");
    ben.shows("privately to ann").await;
    desk.waits_until_idle().await;
    sofa.waits_until_idle().await;
    assert!(
        !desk.screen.shows("after") && !desk.screen.shows("psst"),
        "{}",
        desk.screen.text()
    );
    // It applies to terminals opened later, and to earlier messages.
    let late = opens(&server, "ann").await;
    assert!(!late.screen.shows("before"));
    desk.keys("/ignore<ret>");
    desk.shows("Ignored").await;
    desk.shows("ben").await;
    desk.keys("<esc>/unignore ben<ret>");
    desk.shows("Messages from ben are shown again").await;
    sofa.shows("before").await;
    sofa.shows("after").await;
    desk.keys("/unignore ben<ret>");
    desk.shows("that changes nothing for ben").await;
    desk.keys("<c-u>/ignore ann<ret>");
    desk.shows("that is you").await;
    desk.keys("<c-u>/keywords 部署 release<ret>");
    desk.shows("Saved for all your terminals").await;
    ben.keys("下午部署<ret>releases are late<ret>the Release is out<ret>");
    sofa.shows("the Release is out").await;
    assert!(
        sofa.screen.is_highlighted("下午部署") && sofa.screen.is_highlighted("the Release is out")
    );
    assert!(!sofa.screen.is_highlighted("releases are late"));
    sofa.keys("/keywords<ret>");
    sofa.shows("Your keywords: 部署 release").await;
    sofa.keys("/keywords none<ret>");
    sofa.until("no match", |screen| !screen.is_highlighted("下午部署"))
        .await;
    desk.keys("/notify none<ret>");
    desk.waits_until_idle().await;
    sofa.waits_until_idle().await;
    sofa.keys("/notify<ret>");
    sofa.shows("Notifications for this room: none").await;
    sofa.keys("/notify loudly<ret>");
    sofa.shows("Usage: /notify [all|mentions|none|usual]").await;
}

/// Lets ben post something; returns ann's notifications about it.
async fn notifications_about(
    ann: &mut Viewer,
    ben: &mut Viewer,
    keys: &str,
    text: &str,
) -> Vec<String> {
    ben.keys(keys);
    ben.shows(text).await;
    ann.waits_until_idle().await;
    ann.advances(Duration::from_secs(2));
    std::mem::take(&mut ann.notified)
}

#[tokio::test(start_paused = true)]
async fn notifications_are_for_live_unseen_messages_that_match_the_level() {
    let server = Server::start();
    let mut ben = opens(&server, "ben").await;
    ben.keys("hi @ann<ret>");
    ben.shows("hi @ann").await;
    let mut ann = Viewer::opens(server.connector(), "ann", None).await;
    ann.sets_focus(false);
    ann.waits_until_idle().await;
    assert_eq!(ann.notified, Vec::<String>::new(), "not for backlog");
    let nothing = Vec::<String>::new();
    assert_eq!(
        notifications_about(&mut ann, &mut ben, "plain<ret>", "plain").await,
        nothing
    );
    let called = notifications_about(&mut ann, &mut ben, "look; @ann<ret>", "look; @ann").await;
    assert_eq!(called, ["ben in #general: look; @ann"]);
    let private =
        notifications_about(&mut ann, &mut ben, "@ann between us<ret>", "between us").await;
    assert_eq!(private, ["ben: between us"]);
    // With focus there is no notification.
    ann.sets_focus(true);
    assert_eq!(
        notifications_about(&mut ann, &mut ben, "and @ann<ret>", "and @ann").await,
        nothing
    );
    ann.sets_focus(false);
    for (level, keys, expected) in [
        (
            "all",
            "anything<ret>",
            vec!["ben in #general: anything".to_owned()],
        ),
        ("none", "not even @ann<ret>", nothing.clone()),
        ("mentions", "something<ret>", nothing.clone()),
    ] {
        ann.keys(&format!("/notify {level}<ret>"));
        ann.shows("Saved for all your terminals").await;
        let text = keys.trim_end_matches("<ret>");
        assert_eq!(
            notifications_about(&mut ann, &mut ben, keys, text).await,
            expected,
            "{level}"
        );
    }
    // Messages missed while offline do not notify after reconnecting.
    ann.keys("/disconnect<ret>");
    ann.shows("offline").await;
    ben.keys("missed by @ann<ret>");
    ben.shows("missed by @ann").await;
    ann.keys("/connect<ret>");
    ann.shows("missed by @ann").await;
    ann.waits_until_idle().await;
    assert_eq!(ann.notified, nothing);
    assert_eq!(
        notifications_about(&mut ann, &mut ben, "live @ann<ret>", "live @ann")
            .await
            .len(),
        1
    );
    // A flood gives at most one notification per second.
    ben.keys("1 @ann<ret>2 @ann<ret>3 @ann<ret>");
    ben.shows("3 @ann").await;
    ann.waits_until_idle().await;
    assert_eq!(ann.notified.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_terminal_without_focus_events_counts_as_away_after_30_seconds_without_a_key() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ann.keys("x");
    assert_eq!(
        notifications_about(&mut ann, &mut ben, "one @ann<ret>", "one @ann")
            .await
            .len(),
        0
    );
    ann.advances(Duration::from_secs(31));
    assert_eq!(
        notifications_about(&mut ann, &mut ben, "two @ann<ret>", "two @ann")
            .await
            .len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn an_invitation_is_shown_at_once_or_at_the_next_start() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ann.keys("/create vault --secret<ret>");
    ann.shows("#vault ›").await;
    ann.keys("/invite ben<ret>");
    ben.shows("ann invited you: /join vault").await;
    drop(ben);
    let mut ben = Viewer::opens(server.connector(), "ben", None).await;
    ben.shows("You are invited: /join vault").await;
    ben.keys("/join vault<ret>");
    ben.shows("#vault ›").await;
    drop(ben);
    let mut ben = opens(&server, "ben").await;
    ben.waits_until_idle().await;
    assert!(!ben.screen.shows("You are invited"), "it was used up");
}

#[tokio::test(start_paused = true)]
async fn an_invitation_is_shown_once_and_never_from_an_ignored_person() {
    let server = Server::start();
    let mut ann = opens(&server, "ann").await;
    let mut ben = opens(&server, "ben").await;
    ann.keys("/create vault --secret<ret>");
    ann.shows("#vault ›").await;
    ann.keys("/invite ben<ret>");
    ben.shows("ann invited you: /join vault").await;
    for _ in 0..3 {
        ben.keys("/disconnect<ret>");
        ben.shows("offline").await;
        ben.keys("/connect<ret>");
        ben.waits_until_idle().await;
    }
    let told = ben.screen.text().matches("/join vault").count();
    assert_eq!(told, 1, "{}", ben.screen.text());
    ben.keys("/ignore ann<ret>");
    ben.waits_until_idle().await;
    ann.keys("/create cellar --secret<ret>");
    ann.shows("#cellar ›").await;
    ann.keys("/invite ben<ret>");
    ann.shows("ann invited ben").await;
    ben.waits_until_idle().await;
    assert!(!ben.screen.shows("cellar"), "{}", ben.screen.text());
}

#[tokio::test(start_paused = true)]
async fn outsiders_and_former_members_are_not_in_the_roster() {
    let server = Server::start();
    let mut boss = opens(&server, "boss").await;
    boss.keys("/create board --secret<ret>");
    boss.shows("#board ›").await;
    let mut eve = opens(&server, "eve").await;
    eve.keys("/status buy my coins<ret>");
    eve.waits_until_idle().await;
    eve.keys("/join board<ret>");
    eve.shows("there is no room 'board'").await;
    // Presence changes are sent together, a moment later.
    sleep(Duration::from_secs(1)).await;
    boss.waits_until_idle().await;
    let people = boss.screen.state.current().unwrap().roster.people();
    let names: Vec<&str> = people.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["boss"]);
    // A former moderator who has left does not become a member by being demoted.
    let mut ann = opens(&server, "ann").await;
    for screen in [&mut boss, &mut ann] {
        screen.keys("<c-u>/join tech<ret>");
        screen.shows("#tech ›").await;
    }
    boss.keys("/op ann<ret>");
    ann.shows("boss set the role of ann to moderator").await;
    ann.keys("/leave<ret>");
    boss.shows("ann left").await;
    boss.keys("/deop ann<ret>");
    boss.shows("boss set the role of ann to member").await;
    sleep(Duration::from_secs(1)).await;
    boss.waits_until_idle().await;
    let people = boss.screen.state.current().unwrap().roster.people();
    assert!(people.iter().all(|it| it.name != "ann"));
}

#[tokio::test(start_paused = true)]
async fn filtered_words_are_masked_or_refused_as_soon_as_the_list_changes() {
    let filter = WordFilter::default();
    let mut config = config();
    config.hub.filter = filter.clone();
    let server = Server::with(config, memory());
    let mut boss = opens(&server, "boss").await;
    let mut ben = opens(&server, "ben").await;
    ben.keys("spam here<ret>");
    boss.shows("spam here").await;
    filter.set(Keywords::new(["spam", "坏词"]), FilterMode::Mask);
    ben.keys("ＳＰＡＭ and 这是坏词吗<ret>");
    boss.shows("**** and 这是**吗").await;
    ben.keys("fine<ret>");
    boss.shows("fine").await;
    ben.shows("fine").await;
    ben.waits_until_idle().await;
    ben.keys("s/fine/spam/<ret>");
    boss.shows("****  edited").await;
    boss.keys("/topic all spam<ret>");
    ben.shows("boss set the topic: all ****").await;
    filter.set(Keywords::new(["spam"]), FilterMode::Refuse);
    ben.keys("more Spam<ret>");
    ben.shows("'Spam' is not allowed on this server").await;
    boss.keys("/topic spam again<ret>");
    boss.shows("'spam' is not allowed on this server").await;
    boss.shows("› /topic spam again").await;
    ben.keys("<c-u>坏词<ret>");
    boss.shows("坏词").await;
}
