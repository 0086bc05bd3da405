//! Compatibility fixtures: files of a released version that every later version must read. One is a database, one a client's stream.
//!
//! `cargo test make_fixtures -- --ignored` creates them for a new version; give them a new name then.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message;
use sha2::Digest as _;
use sha2::Sha256;
use tchat::chat::{
    AccountOrigin, Body, Digest, IdentityId, Refusal, RefusalCode, Registration, Secret, Seq,
    ServerId, ServerRole, Transport, UserName, digest,
};
use tchat::client::{Command, Credentials, Event as ClientEvent, profile};
use tchat::server::listen::Peer;
use tchat::server::store::sqlite::SqliteStore;
use tchat::server::store::{InvitePurpose, PageLimit, Span, Store};
use tchat::wire::{Event, Hello, Request, RequestFrame, proto, request_from, request_to};

use crate::frames::requests;
use crate::support::person::{Person, device};
use crate::support::raw_client::Raw;
use crate::support::server::{Server, config};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures")
}

#[tokio::test]
async fn a_version_1_database_opens_with_the_same_content() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    std::fs::copy(fixtures().join("v1.db"), &path).unwrap();
    let store = SqliteStore::open(&path, ServerId::new([0; 16])).unwrap();
    assert_eq!(store.server_id().await.unwrap(), ServerId::new([1; 16]));
    let rooms = store.named_rooms().await.unwrap();
    assert_eq!(
        rooms
            .iter()
            .map(|room| room.name.as_str())
            .collect::<Vec<_>>(),
        ["general", "tech", "random"]
    );
    let entries = store
        .page(rooms[0].id, Span::After(Seq::ZERO), PageLimit::PAGE)
        .await
        .unwrap();
    let said: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.body.is_message())
        .map(|entry| entry.body.text())
        .collect();
    assert_eq!(said, ["hello", "大家好 👋🏽", "waves"]);
    let mut chain = Digest::default();
    for entry in &entries {
        chain = digest(
            chain,
            entry.seq,
            entry.author.id,
            entry.client_id,
            &entry.body,
        );
        assert_eq!(entry.digest, chain, "valid chain up to {}", entry.seq);
    }
    // A server can continue where the fixture ends.
    let server = Server::with(config(), Arc::new(store));
    let ann_then = Credentials {
        former: Some(Secret::new(Sha256::digest("ann").into())),
        ..Credentials::new(device("ann"))
    };
    let mut ann = Person::with(server.connector(), "ann", ann_then, None);
    ann.is_in("general").await;
    assert_eq!(
        ann.me.clone().unwrap().id,
        entries.last().unwrap().author.id
    );
    ann.sends("general", "still here");
    let entry = ann.sees("general", "still here").await;
    assert_eq!(entry.seq, entries.last().unwrap().seq.next());
}

/// Copies the data directory of a version.
fn data_of(version: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (fixtures().join(version), directory.path());
    std::fs::create_dir(to.join("profiles")).unwrap();
    for of in ["", "profiles"] {
        for file in std::fs::read_dir(from.join(of)).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), to.join(of).join(file.file_name())).unwrap();
            }
        }
    }
    directory
}

/// A data directory of the last version whose profiles had secrets: ann, who hosted, and ben have written to `general` and to each other.
fn secrets() -> tempfile::TempDir {
    data_of("v7")
}

/// Database version 8 was the first with devices and invitations. Here ann hosts, ben has an account, and an invitation is open.
#[tokio::test]
async fn devices_and_invitations_of_database_version_8_stay_valid() {
    let directory = data_of("v8");
    let profiles = directory.path().join("profiles");
    let path = directory.path().join("tchat.db");
    let store = Arc::new(SqliteStore::open(&path, ServerId::new([0; 16])).unwrap());
    let accounts = store.accounts(0).await.unwrap();
    let names: Vec<_> = accounts.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    // Nobody lapses, because that version did not record when they were last seen by log time.
    let is_unknown = |it: &tchat::server::store::AccountRecord| {
        it.origin == AccountOrigin::Unknown && it.seen.log_ms == 0 && it.has_posted
    };
    assert!(accounts.iter().all(is_unknown), "{accounts:?}");
    let of = |name: &str| profile::credentials(&profiles, "localhost:50918", name).unwrap();
    let mut config = config();
    let owner = std::fs::read(directory.path().join("tchat.owner-device")).unwrap();
    config.hub.owner = tchat::chat::DeviceKey::from_file(&owner);
    assert_eq!(config.hub.owner, Some(of("ann").device.public()));
    config.hub.registration = Registration::Invite;
    let server = Server::with(config, Arc::clone(&store) as Arc<dyn Store>);
    for name in ["ann", "ben"] {
        let mut raw = Raw::open(&server).await;
        raw.signs_in(1, "somebody", &of(name).device).await;
        let Event::Welcome(welcome) = raw.event().await else {
            panic!("{name} is not welcome")
        };
        assert_eq!(welcome.you.name, name);
        let account = accounts.iter().find(|it| it.id == welcome.you.id);
        assert_eq!(account.unwrap().name.as_str(), name);
        let devices = store.devices(welcome.you.id).await.unwrap();
        assert_eq!(devices.len(), 1);
        assert!(devices[0].seen_ms >= devices[0].added_ms);
    }
    let now_owner = store.accounts(0).await.unwrap();
    let now_owner = now_owner.iter().filter(|it| it.role == ServerRole::Owner);
    let now_owner: Vec<_> = now_owner.map(|it| it.name.as_str()).collect();
    assert_eq!(now_owner, ["ann"]);
    // The invitation is found with its hash; it has expired by now.
    let invite = std::fs::read_to_string(directory.path().join("invite")).unwrap();
    let invite: tchat::chat::Invite = invite.trim().parse().unwrap();
    let made = tchat::chat::Stamp::default();
    let open = store.invites(made).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].hash, open[0].uses_left), (invite.hash(), 5));
    let purpose = InvitePurpose::Account {
        role: ServerRole::Member,
        rooms: Vec::new(),
    };
    assert_eq!(open[0].purpose, purpose);
}

/// Database version 9 was the first with roles and an audit log. Here ann hosts, ben is an admin, cay was renamed to carol, and there is a bot.
#[tokio::test]
async fn roles_and_the_audit_log_of_database_version_9_stay_as_they_are() {
    let directory = data_of("v9");
    let profiles = directory.path().join("profiles");
    let path = directory.path().join("tchat.db");
    let store = Arc::new(SqliteStore::open(&path, ServerId::new([0; 16])).unwrap());
    let accounts = store.accounts(0).await.unwrap();
    let mut found: Vec<_> = accounts
        .iter()
        .map(|it| (it.name.as_str(), it.role, it.origin))
        .collect();
    found.sort_by_key(|(name, ..)| *name);
    let member = ServerRole::Member;
    assert_eq!(
        found,
        [
            ("ann", ServerRole::Owner, AccountOrigin::Invited),
            ("ben", ServerRole::Admin, AccountOrigin::Invited),
            ("carol", member, AccountOrigin::Invited),
            ("ci", member, AccountOrigin::Bot),
        ]
    );
    assert_eq!(store.server_bans().await.unwrap(), []);
    let rows = store.audit(u64::MAX, 10).await.unwrap();
    let acts: Vec<_> = rows.iter().map(|row| row.act.as_str()).collect();
    assert_eq!(acts, ["bot", "invite", "rename", "role", "role"]);
    let mut before = [0; 32];
    for row in rows.iter().rev() {
        assert_eq!(row.hash, row.hash_after(&before));
        before = row.hash;
    }
    let server = Server::with(config(), Arc::clone(&store) as Arc<dyn Store>);
    for (started, name) in [("ann", "ann"), ("ben", "ben"), ("cay", "carol")] {
        let key = profile::credentials(&profiles, "localhost:50919", started).unwrap();
        let mut raw = Raw::open(&server).await;
        raw.signs_in(1, "somebody", &key.device).await;
        let Event::Welcome(welcome) = raw.event().await else {
            panic!("{name} is not welcome")
        };
        assert_eq!(welcome.you.name, name);
    }
}

/// Database version 10 was the last without requests of strangers. Here ann hosts; ben writes with her, ignores mal and is invited to `lab`; mal is
/// banned.
#[tokio::test]
async fn conversations_of_database_version_10_stay_open() {
    let directory = data_of("v10");
    let profiles = directory.path().join("profiles");
    let path = directory.path().join("tchat.db");
    let store = Arc::new(SqliteStore::open(&path, ServerId::new([0; 16])).unwrap());
    let server = Server::with(config(), Arc::clone(&store) as Arc<dyn Store>);
    let signs_in = async |name: &str| {
        let key = profile::credentials(&profiles, "localhost:50921", name).unwrap();
        let mut raw = Raw::open(&server).await;
        raw.signs_in(1, "somebody", &key.device).await;
        let answer = raw.event().await;
        (raw, answer)
    };
    let (mut ben, Event::Welcome(welcome)) = signs_in("ben").await else {
        panic!("ben is not welcome")
    };
    let conversation = welcome.rooms.iter().find(|room| room.peer.is_some());
    let conversation = conversation.unwrap();
    assert_eq!(conversation.peer.as_ref().unwrap().name, "ann");
    assert_eq!(conversation.request, None);
    let ignored: Vec<_> = welcome
        .settings
        .ignored
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(
        (ignored, welcome.settings.blocked),
        (vec!["mal"], Vec::new())
    );
    let invitation = ben.answer().await;
    assert!(
        matches!(&invitation, Event::Invitation { room, .. } if room.name == "lab"),
        "{invitation:?}"
    );
    let (_, mal) = signs_in("mal").await;
    assert!(
        matches!(&mal, Event::Refused { refusal, .. } if refusal.code == RefusalCode::ServerBanned),
        "{mal:?}"
    );
}

#[tokio::test]
async fn profiles_with_a_secret_are_the_same_people_and_the_secret_is_then_forgotten() {
    let directory = secrets();
    let profiles = directory.path().join("profiles");
    let of = |name: &str| profile::credentials(&profiles, "localhost:50917", name).unwrap();
    let path = directory.path().join("tchat.db");
    let store = Arc::new(SqliteStore::open(&path, ServerId::new([0; 16])).unwrap());
    let named = async |name: &str| {
        let key = UserName::new(name).unwrap().key();
        store.identities_named(key).await.unwrap()[0].id
    };
    let (ann_then, ben_then) = (named("ann").await, named("ben").await);
    let server = Server::with(config(), Arc::clone(&store) as Arc<dyn Store>);

    // A stranger who knows the name and the first bytes of the hash, but not the secret.
    let hint = of("ann").former.unwrap().hash().hint();
    let thief = Credentials {
        former: Some(Secret::new([1; 32])),
        ..Credentials::new(device("thief"))
    };
    let mut thief = Person::with(server.connector(), "thief", thief, None);
    thief.is_in("general").await;
    assert_ne!(thief.me.clone().unwrap().id, ann_then);

    // The client of then had a cache; it opens, and nothing in it is lost.
    let cache = profile::cache(&profiles, "localhost:50917", "ann");
    let mut ann = Person::with(server.connector(), "ann", of("ann"), Some(cache));
    let is_cached = |_: &Person, event: &ClientEvent| match event {
        ClientEvent::Cached { you, .. } => Some(you.id),
        _ => None,
    };
    assert_eq!(ann.until("the cache", is_cached).await, ann_then);
    ann.is_in("general").await;
    assert_eq!(ann.me.clone().unwrap().id, ann_then);
    let room = ann.room("general").unwrap();
    let newest = Command::LoadOlder {
        room,
        before: Seq(u64::MAX),
    };
    ann.client.send(newest).unwrap();
    let page = |_: &Person, event: &ClientEvent| match event {
        ClientEvent::Page { entries, .. } => Some(entries.clone()),
        _ => None,
    };
    let page = ann.until("a page", page).await;
    let has = |text: &str| page.iter().any(|entry| entry.body.text() == text);
    assert!(
        has("hello from before") && has("from the screen"),
        "{page:?}"
    );
    ann.quits().await;

    // From now on only the device counts: the secret proves nothing more.
    assert!(
        store
            .identity_by_former_secret(hint)
            .await
            .unwrap()
            .is_none()
    );
    let copied = Credentials {
        former: of("ann").former,
        ..Credentials::new(device("another"))
    };
    let mut copy = Person::with(server.connector(), "copy", copied, None);
    copy.is_in("general").await;
    assert_ne!(copy.me.clone().unwrap().id, ann_then);
    let device_only = Credentials {
        former: None,
        ..of("ann")
    };
    let mut ann = Person::with(server.connector(), "ann", device_only, None);
    ann.is_in("general").await;
    assert_eq!(ann.me.clone().unwrap().id, ann_then);

    let mut ben = Person::with(server.connector(), "ben", of("ben"), None);
    ben.is_in("general").await;
    assert_eq!(ben.me.clone().unwrap().id, ben_then);
}

#[tokio::test]
async fn two_clients_of_one_old_profile_that_start_at_once_are_one_person() {
    let directory = secrets();
    let profiles = directory.path().join("profiles");
    let ann = profile::credentials(&profiles, "localhost:50917", "ann").unwrap();
    let path = directory.path().join("tchat.db");
    let store = Arc::new(SqliteStore::open(&path, ServerId::new([0; 16])).unwrap());
    let server = Server::with(config(), store);
    let start = || Person::with(server.connector(), "ann", ann.clone(), None);
    let (mut one, mut two) = (start(), start());
    tokio::join!(one.is_in("general"), two.is_in("general"));
    assert_eq!(one.me, two.me);
}

#[tokio::test]
async fn an_operator_takes_an_old_account_over_only_through_the_local_socket() {
    let directory = secrets();
    let profiles = directory.path().join("profiles");
    let ann = profile::credentials(&profiles, "localhost:50917", "ann").unwrap();
    let path = directory.path().join("tchat.db");
    let store = Arc::new(SqliteStore::open(&path, ServerId::new([0; 16])).unwrap());
    let mut config = config();
    config.hub.operators = vec![UserName::new("ann").unwrap()];
    let server = Server::with(config, store);
    for (peer, transport, is_welcome) in [
        (Peer::Memory, Transport::Memory, false),
        (Peer::Socket, Transport::Socket, true),
        // From then on the device is known, wherever it comes from.
        (Peer::Memory, Transport::Memory, true),
    ] {
        let mut raw = Raw::open_over(server.dial_through(peer).await).await;
        raw.transport = transport;
        raw.former.clone_from(&ann.former);
        raw.signs_in(1, "ann", &ann.device).await;
        match raw.event().await {
            Event::Welcome(welcome) => assert!(is_welcome && welcome.you.name == "ann"),
            Event::Refused { refusal, .. } => {
                let owner = Refusal::new(RefusalCode::Unauthenticated).with("owner");
                assert!(!is_welcome && refusal == owner, "{refusal:?}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn of_two_devices_with_one_secret_only_one_takes_the_account_over() {
    for _ in 0..10 {
        let directory = secrets();
        let profiles = directory.path().join("profiles");
        let ann = profile::credentials(&profiles, "localhost:50917", "ann").unwrap();
        let path = directory.path().join("tchat.db");
        let store = Arc::new(SqliteStore::open(&path, ServerId::new([0; 16])).unwrap());
        let key = UserName::new("ann").unwrap().key();
        let before = store.identities_named(key).await.unwrap().remove(0);
        let server = Server::with(config(), Arc::clone(&store) as Arc<dyn Store>);
        let signs_in = async |name: &str| {
            let mut raw = Raw::open(&server).await;
            raw.former.clone_from(&ann.former);
            raw.signs_in(1, name, &device(name)).await;
            match raw.event().await {
                Event::Welcome(welcome) => Some(welcome.you.id),
                _ => None,
            }
        };
        let both = tokio::join!(signs_in("mallory"), signs_in("eve"));
        let is_ann = |id: Option<IdentityId>| usize::from(id == Some(before.id));
        assert_eq!(is_ann(both.0) + is_ann(both.1), 1, "{both:?}");
        assert_eq!(store.identity(before.id).await.unwrap(), Some(before));
    }
}

#[test]
fn the_stream_of_a_version_1_client_is_decoded() {
    let bytes = std::fs::read(fixtures().join("v1.requests")).unwrap();
    let mut rest = &bytes[..];
    let mut understood = Vec::new();
    while !rest.is_empty() {
        let frame = proto::ChatRequest::decode_length_delimited(&mut rest).unwrap();
        understood.push(request_from(frame).unwrap());
    }
    let expected: Vec<RequestFrame> = (1..)
        .zip(requests())
        // The 15 requests of that version; newer ones come after them.
        .take(15)
        .map(|(request, (_, what))| RequestFrame {
            request,
            what: match what {
                Request::Hello(hello) => Request::Hello(Hello {
                    device: None,
                    device_name: String::new(),
                    ..hello
                }),
                other => other,
            },
        })
        .collect();
    assert_eq!(understood, expected);
}

#[tokio::test]
#[ignore = "makes the fixtures of a new version; see the top of this file"]
async fn make_fixtures() {
    std::fs::create_dir_all(fixtures()).unwrap();
    let mut stream = Vec::new();
    for (request, (_, what)) in (1..).zip(requests()) {
        request_to(&RequestFrame { request, what })
            .encode_length_delimited(&mut stream)
            .unwrap();
    }
    std::fs::write(fixtures().join("v1.requests"), stream).unwrap();

    let path = fixtures().join("v1.db");
    let store = Arc::new(SqliteStore::open(&path, ServerId::new([1; 16])).unwrap());
    let mut server = Server::with(config(), store);
    let (mut raw, room) = Raw::join(&server, "ann", "general").await;
    for (counter, text) in [(1, "hello"), (2, "大家好 👋🏽")] {
        raw.post(counter, room, text).await;
        raw.answer().await;
    }
    let client_id = tchat::chat::ClientId {
        instance: tchat::chat::InstanceId::new([5; 16]),
        counter: 3,
    };
    let to = tchat::chat::Recipient::Room(room);
    raw.ask(
        0,
        Request::Post {
            client_id,
            to,
            body: Body::Action("waves".into()),
        },
    )
    .await;
    raw.answer().await;
    let (_ben, _) = Raw::enter(&server, "ben").await;
    raw.ask(
        9,
        Request::Open(tchat::wire::PersonTarget::Name("ben".into())),
    )
    .await;
    raw.answer().await;
    raw.ask(0, Request::Bye).await;
    server.stops().await.unwrap();
}
