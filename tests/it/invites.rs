//! Registration: who may make an account, with and without an invitation to the server.

use std::time::Duration;

use tchat::chat::{Invite, InviteTerms, RefusalCode, Registration, Transport};
use tchat::client::{AdminAnswer, AdminRequest, CallError, Command, Event as ClientEvent, Missing};
use tchat::server::listen::Peer;
use tchat::wire::Event;
use tokio::time::sleep;

use crate::support::person::{Person, device};
use crate::support::raw_client::Raw;
use crate::support::server::{Server, config, memory};
use crate::support::terminal::{Home, Screen, ends};

fn server(registration: Registration) -> Server {
    let mut config = config();
    config.hub.registration = registration;
    // The owner, who makes the invitations, comes through the local socket.
    config.hub.owner = Some(device("host").public());
    Server::with(config, memory())
}

/// Signs in; returns the code of the refusal, if it was refused.
async fn signs_in(server: &Server, name: &str, invite: Option<Invite>) -> Option<RefusalCode> {
    let mut raw = Raw::open(server).await;
    raw.invite = invite;
    answer(&mut raw, name).await
}

async fn answer(raw: &mut Raw, name: &str) -> Option<RefusalCode> {
    raw.signs_in(1, name, &device(name)).await;
    match raw.event().await {
        Event::Welcome(_) => None,
        Event::Refused { refusal, .. } => Some(refusal.code),
        other => panic!("{other:?}"),
    }
}

/// The host, who is let in without an invitation and may make some.
async fn host(server: &Server) -> Person {
    let mut host = Person::start(server.connector_from(Peer::Socket), "host");
    host.is_in("general").await;
    host
}

async fn asks(person: &mut Person, request: AdminRequest) -> Result<AdminAnswer, CallError> {
    person.client.send(Command::Admin(request)).unwrap();
    let answer = |_: &Person, event: &ClientEvent| match event {
        ClientEvent::Admin(answer) => Some(answer.clone()),
        _ => None,
    };
    person.until("the answer", answer).await
}

/// Makes an invitation and returns it, as it is in the link.
async fn makes(host: &mut Person, uses: u32, valid: Duration) -> (Invite, String) {
    let terms = InviteTerms {
        uses,
        valid,
        ..InviteTerms::default()
    };
    match asks(host, AdminRequest::CreateInvite(terms)).await {
        Ok(AdminAnswer::Created { link, invite }) => {
            let (_, secret) = link.0.split_once("/#.").expect("a link without a pin");
            (secret.parse().unwrap(), invite.id)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn new_people_need_an_invitation_and_known_ones_do_not() {
    let server = server(Registration::Invite);
    let mut host = host(&server).await;
    let needed = Some(RefusalCode::InviteNeeded);
    let invalid = Some(RefusalCode::InviteInvalid);
    assert_eq!(signs_in(&server, "ann", None).await, needed);
    let guessed = Some(Invite::new([7; 16]));
    assert_eq!(signs_in(&server, "ann", guessed).await, invalid);

    let (invite, _) = makes(&mut host, 2, Duration::from_hours(1)).await;
    assert_eq!(signs_in(&server, "ann", Some(invite)).await, None);
    // The answer was lost: the same device with the same invitation gets in again, and uses up nothing.
    for _ in 0..3 {
        assert_eq!(signs_in(&server, "ann", Some(invite)).await, None);
        assert_eq!(signs_in(&server, "ann", None).await, None);
        assert_eq!(signs_in(&server, "ann", guessed).await, None);
    }
    // A refused name uses up nothing either.
    let taken = {
        let mut raw = Raw::open(&server).await;
        raw.invite = Some(invite);
        raw.signs_in(1, "ann", &device("another")).await;
        raw.event().await
    };
    assert!(
        matches!(taken, Event::Refused { refusal, .. } if refusal.code == RefusalCode::NameTaken)
    );
    assert_eq!(signs_in(&server, "ben", Some(invite)).await, None);
    assert_eq!(signs_in(&server, "cay", Some(invite)).await, invalid);
    assert_eq!(signs_in(&server, "ben", None).await, None);
}

#[tokio::test(start_paused = true)]
async fn of_many_people_with_one_invitation_only_one_gets_in() {
    let server = server(Registration::Invite);
    let mut host = host(&server).await;
    for round in 0..10 {
        let (invite, _) = makes(&mut host, 1, Duration::from_hours(1)).await;
        let names: Vec<String> = (0..5).map(|n| format!("racer{round}x{n}")).collect();
        let racing = names
            .iter()
            .map(|name| signs_in(&server, name, Some(invite)));
        let answers = futures::future::join_all(racing).await;
        let winners = answers.iter().filter(|answer| answer.is_none()).count();
        assert_eq!(winners, 1, "{answers:?}");
        let lost = |code: &Option<RefusalCode>| *code == Some(RefusalCode::InviteInvalid);
        assert_eq!(answers.iter().filter(|code| lost(code)).count(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn an_invitation_expires_and_can_be_listed_and_withdrawn() {
    let server = server(Registration::Invite);
    let mut host = host(&server).await;
    let invalid = Some(RefusalCode::InviteInvalid);
    let (short, _) = makes(&mut host, 9, Duration::from_secs(10)).await;
    let (long, id) = makes(&mut host, 9, Duration::from_hours(48)).await;
    assert_eq!(signs_in(&server, "ann", Some(short)).await, None);
    sleep(Duration::from_secs(11)).await;
    assert_eq!(signs_in(&server, "ben", Some(short)).await, invalid);

    let Ok(AdminAnswer::Invites(open)) = asks(&mut host, AdminRequest::ListInvites).await else {
        panic!("no list")
    };
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!((open[0].id.as_str(), open[0].uses_left), (id.as_str(), 9));
    let revoked = asks(&mut host, AdminRequest::RevokeInvite(id.clone())).await;
    assert_eq!(revoked, Ok(AdminAnswer::Revoked(id.clone())));
    assert_eq!(signs_in(&server, "ben", Some(long)).await, invalid);
    let again = asks(&mut host, AdminRequest::RevokeInvite(id.clone())).await;
    assert_eq!(again, Err(CallError::Missing(Missing::Invite(id))));
    for (uses, hours) in [(1001, 1), (1, 366 * 24)] {
        let terms = InviteTerms {
            uses,
            valid: Duration::from_hours(hours),
            ..InviteTerms::default()
        };
        let refused = asks(&mut host, AdminRequest::CreateInvite(terms)).await;
        assert_eq!(refused, Err(CallError::Invalid));
    }
}

#[tokio::test(start_paused = true)]
async fn there_are_at_most_256_open_invitations() {
    let server = server(Registration::Invite);
    let mut host = host(&server).await;
    for _ in 0..256 {
        makes(&mut host, 1, Duration::from_hours(1)).await;
    }
    let create = AdminRequest::CreateInvite(InviteTerms::default());
    assert_eq!(
        asks(&mut host, create.clone()).await,
        Err(CallError::TooMany)
    );
    sleep(Duration::from_hours(2)).await;
    assert!(
        asks(&mut host, create).await.is_ok(),
        "expired ones do not count"
    );
}

#[tokio::test(start_paused = true)]
async fn only_the_host_may_administer() {
    let server = server(Registration::Open);
    let mut ann = server.joins("ann").await;
    for request in [
        AdminRequest::CreateInvite(InviteTerms::default()),
        AdminRequest::ListInvites,
        AdminRequest::RevokeInvite("00000000".into()),
    ] {
        assert_eq!(
            asks(&mut ann, request.clone()).await,
            Err(CallError::NotAllowed)
        );
        // Nor without a session, unless through the local socket.
        for (peer, is_allowed) in [(Peer::Memory, false), (Peer::Socket, true)] {
            let connector = server.connector_from(peer);
            let answer = tchat::client::call_as_host(connector, request.clone());
            let answer = answer.await.expect("a connection");
            let was_allowed = answer != Err(CallError::Busy);
            assert_eq!(
                was_allowed, is_allowed,
                "{request:?} from {peer:?}: {answer:?}"
            );
        }
    }
    // The name of an operator gives no such right: its first user may be anybody.
    let mut boss = server.joins("boss").await;
    let listed = asks(&mut boss, AdminRequest::ListInvites).await;
    assert_eq!(listed, Err(CallError::NotAllowed));
    // The owner is one wherever they come from.
    let mut host = server.joins("host").await;
    let listed = asks(&mut host, AdminRequest::ListInvites).await;
    assert!(matches!(listed, Ok(AdminAnswer::Invites(_))), "{listed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_closed_server_accepts_nobody_new_except_its_host() {
    let server = server(Registration::Closed);
    let mut host = host(&server).await;
    let (invite, _) = makes(&mut host, 5, Duration::from_hours(1)).await;
    for invite in [None, Some(invite)] {
        let refused = signs_in(&server, "ann", invite).await;
        assert_eq!(refused, Some(RefusalCode::RegistrationClosed));
    }
    // Another name of the user who runs the server.
    let mut raw = Raw::open_over(server.dial_through(Peer::Socket).await).await;
    raw.transport = Transport::Socket;
    assert_eq!(answer(&mut raw, "ann").await, None);
}

/// What a person pastes or types may be wrong in another place than the invitation, which must not be spread.
#[test]
fn no_error_message_shows_an_invitation() {
    let home = Home::new();
    let secret = Invite::new([7; 16]).secret_text();
    let link = format!("tchat://chat.example.org:x/#{}.{secret}", "a".repeat(56));
    std::fs::write(home.file("config.toml"), format!("join = '{link}'\n")).unwrap();
    let config = home.file("config.toml");
    // The scheme is easily lost when a link is copied.
    let bare = format!("chat.example.org/#{}.{secret}", "a".repeat(56));
    for arguments in [
        vec!["send", "--server", &bare, "hi"],
        vec![&bare],
        vec!["trust", &bare],
        vec!["send", "--server", &link, "hi"],
        vec![&link],
        vec!["trust", &link],
        vec!["doctor", "--config", &config],
        vec!["send", "--config", &config, "hi"],
        vec!["tail", "--lang", "zh-CN", "--server", &link],
    ] {
        let ended = home.command(&arguments).output().unwrap();
        assert!(!ended.status.success(), "{arguments:?}");
        let shown = [ended.stdout, ended.stderr].concat();
        let shown = String::from_utf8(shown).unwrap();
        assert!(!shown.contains(&secret), "{arguments:?}: {shown}");
    }
}

#[test]
fn a_restored_server_has_no_open_invitation() {
    let (home, stranger) = (Home::new(), Home::new());
    let config = home.file("config.toml");
    std::fs::write(&config, "[server]\nregistration = 'invite'\n").unwrap();
    let mut server = home.serves(&["--config", &config]);
    let link = home.invites(&["--uses", "5"]);
    let link = link.trim_matches('\'');
    let runs = |arguments: &[&str]| {
        let ended = home.command(arguments).output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap()
    };
    let joins = |name: &str| {
        let send = ["send", "--server", link, "--name", name, "hi"];
        let sent = stranger.command(&send).output().unwrap();
        (sent.status.code(), String::from_utf8(sent.stderr).unwrap())
    };
    assert!(runs(&["admin", "invites"]).contains("   5×   "));
    let backup = home.file("backup");
    runs(&["backup", &backup]);
    assert_eq!(joins("ben").0, Some(0));
    runs(&["stop"]);
    ends(&mut server, Duration::from_secs(50));
    runs(&["restore", &backup]);
    let mut server = home.serves(&["--config", &config]);
    assert_eq!(runs(&["admin", "invites"]).trim(), "No active invitations");
    let (code, words) = joins("cay");
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("was revoked"), "{words}");
    runs(&["stop"]);
    ends(&mut server, Duration::from_secs(50));
}

/// The whole walk in real terminals: a host beyond this machine, a pasted link on a fresh profile, and a second link for one person.
#[test]
fn a_team_joins_with_the_link_that_the_server_prints() {
    let (here, there, later) = (Home::new(), Home::new(), Home::new());
    let port = here.port.to_string();
    // As with a tunnel that leads here: only this machine can connect, but the server has a public name.
    let config = here.file("config.toml");
    std::fs::write(&config, "[server]\npublic = ['127.0.0.1']\n").unwrap();
    let arguments = ["--serve", "--port", &port, "--config", &config];
    let mut host = here.screen((120, 30), &arguments);
    host.shows("run `tchat join` and paste it");
    host.shows("up to 20 people can join with it within 7 days");
    let link = link_on(&host);
    assert!(link.contains(&format!("127.0.0.1:{port}/#")), "{link}");

    // Without the invitation, nobody gets in.
    let (bare, secret) = link.rsplit_once('.').unwrap();
    let sent = later.command(&["send", "--server", bare, "hi"]).output();
    let refused = String::from_utf8(sent.unwrap().stderr).unwrap();
    assert!(refused.contains("invite only"), "{refused}");

    // Pasted into a prompt, so that it is in no list of processes.
    let mut ben = there.screen((100, 24), &["join", "--name", "ben"]);
    ben.shows("Paste");
    ben.types(&format!("'{link}'\r"));
    ben.shows("#general ›");
    let mut ann = here.screen((100, 24), &["--here", "--port", &port]);
    ann.shows("PEOPLE 2");
    ann.sends_line("welcome to the team");
    ben.shows("welcome to the team");
    let command_lines = std::process::Command::new("ps")
        .args(["-eo", "args"])
        .output();
    let command_lines = String::from_utf8_lossy(&command_lines.unwrap().stdout).into_owned();
    assert!(!command_lines.contains(secret), "{command_lines}");

    // The host invites one more person from the screen. A member cannot.
    ben.sends_line("/invite-link");
    ben.shows("your role on this server does not allow that");
    ann.sends_line("/invite-link --expires 2h");
    ann.shows("For one person; expires in 2 h.");
    let copied = copied(&ann);
    let cay = later.screen((100, 24), &["--name", "cay", &copied]);
    cay.shows("#general ›");
    ben.shows("cay joined");

    // Bare `tchat` returns there, without the invitation.
    ben.sends_line("/quit");
    assert!(ben.ends());
    let ben = there.screen((100, 24), &["--name", "ben"]);
    ben.shows("welcome to the team");

    // Neither invitation is stored or logged.
    let used = copied.rsplit_once('.').unwrap().1.to_owned();
    for home in [&here, &there, &later] {
        for file in files(home.directory.path()) {
            let bytes = std::fs::read(&file).unwrap_or_default();
            for secret in [secret, &used] {
                let mut windows = bytes.windows(secret.len());
                let has = windows.any(|it| it.eq_ignore_ascii_case(secret.as_bytes()));
                assert!(!has, "{} has an invitation", file.display());
            }
        }
    }
    host.types("\x03");
    assert!(host.ends());
}

/// Returns what the program put on the clipboard (OSC 52).
fn copied(screen: &Screen) -> String {
    screen.until_raw("the clipboard", |written| written.contains("\x1b]52;c;"));
    let written = screen.written();
    let (_, rest) = written.split_once("\x1b]52;c;").unwrap();
    let encoded = rest.split(['\x07', '\x1b']).next().unwrap();
    let decoded = data_encoding::BASE64.decode(encoded.as_bytes()).unwrap();
    String::from_utf8(decoded).unwrap()
}

/// Returns the link on the card, which may be wrapped.
fn link_on(host: &Screen) -> String {
    let text = host.text();
    let joined: String = text.lines().map(str::trim_end).collect();
    let (_, rest) = joined.split_once("'tchat://").expect("a link on the card");
    let (link, _) = rest.split_once('\'').unwrap();
    format!("tchat://{link}")
}

fn files(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
