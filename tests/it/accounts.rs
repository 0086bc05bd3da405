//! Accounts: their devices, roles and removal, the accounts of programs, and who may make which call.

mod abuse;
mod bans;
mod calls;
mod roles;
mod walk;

use std::time::Duration;

use tchat::chat::{
    Body, Invite, InviteTerms, Refusal, RefusalCode, Registration, Role, RoomId, ServerRole,
    Transport,
};
use tchat::client::{
    AdminAnswer, AdminRequest, CallError, DisconnectReason, SecretLink, call_as_host,
};
use tchat::server::listen::Peer;
use tchat::wire::{Event, GoodbyeAction, GoodbyeReason, Request, admin_proto, proto};
use tokio::time::{Instant, sleep};
use tonic::Code;

use crate::support::person::{Person, device};
use crate::support::raw_client::Raw;
use crate::support::server::{Server, config, memory};

fn server() -> Server {
    with_registration(Registration::Open)
}

fn with_registration(registration: Registration) -> Server {
    let mut config = config();
    config.hub.registration = registration;
    config.hub.owner = Some(device("host").public());
    Server::with(config, memory())
}

/// The invitation in a link.
fn invite_of(link: &str) -> Invite {
    let (_, secret) = link.split_once("/#.").expect("a link without a pin");
    secret.parse().expect("an invitation")
}

/// Makes a link for another device of a session's account.
async fn adds_device(raw: &mut Raw) -> Invite {
    let asked = raw.authorised(proto::AddDeviceRequest {});
    let made = raw.service.add_device(asked).await.unwrap();
    invite_of(&made.into_inner().link)
}

async fn lists_devices(raw: &mut Raw) -> Vec<proto::Device> {
    let asked = raw.authorised(proto::ListDevicesRequest {});
    let listed = raw.service.list_devices(asked).await.unwrap();
    listed.into_inner().devices
}

/// Signs in with a device and perhaps an invitation; returns the answer.
async fn signs_in(server: &Server, name: &str, of: &str, invite: Option<Invite>) -> (Raw, Event) {
    let mut raw = Raw::open(server).await;
    raw.invite = invite;
    raw.signs_in(1, name, &device(of)).await;
    let answer = raw.event().await;
    (raw, answer)
}

fn refusal(event: &Event) -> Option<&Refusal> {
    match event {
        Event::Refused { refusal, .. } => Some(refusal),
        _ => None,
    }
}

fn refusal_code(event: &Event) -> Option<RefusalCode> {
    refusal(event).map(|refusal| refusal.code)
}

/// Administers as the user who runs the server.
async fn administers(server: &Server, request: AdminRequest) -> Result<AdminAnswer, CallError> {
    let connector = server.connector_from(Peer::Socket);
    let answer: Result<_, DisconnectReason> = call_as_host(connector, request).await;
    answer.expect("a connection")
}

async fn gives_role(
    server: &Server,
    name: &str,
    role: ServerRole,
) -> Result<AdminAnswer, CallError> {
    let account = name.into();
    administers(server, AdminRequest::SetRole { account, role }).await
}

#[tokio::test(start_paused = true)]
async fn a_device_is_added_by_a_link_that_works_once_and_the_other_devices_are_told() {
    let server = server();
    let (mut ann, welcome) = Raw::enter(&server, "ann").await;
    let replaced = adds_device(&mut ann).await;
    let link = adds_device(&mut ann).await;
    let old = signs_in(&server, "ann", "tablet", Some(replaced)).await.1;
    assert_eq!(refusal_code(&old), Some(RefusalCode::InviteInvalid));
    // Whatever name the other device has asked for, it is the same account.
    let (mut tablet, answer) = signs_in(&server, "someone", "tablet", Some(link)).await;
    let Event::Welcome(second) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(second.you, welcome.you);
    let told = ann.answer().await;
    assert!(
        matches!(&told, Event::DeviceAdded { name, .. } if name == "laptop"),
        "{told:?}"
    );
    // It works once, and a device that has it does not need it again.
    let again = signs_in(&server, "someone", "phone", Some(link)).await.1;
    assert_eq!(refusal_code(&again), Some(RefusalCode::InviteInvalid));
    let known = signs_in(&server, "someone", "tablet", Some(link)).await.1;
    assert!(matches!(known, Event::Welcome(_)), "{known:?}");
    let devices = lists_devices(&mut tablet).await;
    let this: Vec<_> = devices
        .iter()
        .map(|it| (it.this_one, it.connected))
        .collect();
    assert_eq!(devices.len(), 2);
    assert!(
        this.contains(&(true, true)) && this.contains(&(false, true)),
        "{this:?}"
    );
    // It is too late after ten minutes.
    let link = adds_device(&mut tablet).await;
    sleep(InviteTerms::DEVICE_LINK).await;
    let late = signs_in(&server, "someone", "phone", Some(link)).await.1;
    assert_eq!(refusal_code(&late), Some(RefusalCode::InviteInvalid));
}

#[tokio::test(start_paused = true)]
async fn an_account_has_at_most_32_devices() {
    let server = server();
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    let mut unused = adds_device(&mut ann).await;
    for n in 1..32 {
        let added = signs_in(&server, "ann", &format!("device{n}"), Some(unused))
            .await
            .1;
        assert!(matches!(added, Event::Welcome(_)), "{n}: {added:?}");
        if n < 31 {
            unused = adds_device(&mut ann).await;
        }
    }
    let asked = ann.authorised(proto::AddDeviceRequest {});
    let refused = ann.service.add_device(asked).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
}

#[tokio::test(start_paused = true)]
async fn a_revoked_device_is_out_at_once_and_stays_out() {
    let server = server();
    let (mut ann, room) = Raw::join(&server, "ann", "general").await;
    let link = adds_device(&mut ann).await;
    let (mut stolen, _) = signs_in(&server, "ann", "stolen", Some(link)).await;
    let (mut guard, _) = Raw::join(&server, "ben", "general").await;
    let id = device("stolen").public().id();
    let revoked_at = Instant::now();
    let asked = ann.authorised(proto::RevokeDeviceRequest { id: id.clone() });
    ann.service.revoke_device(asked).await.unwrap();
    // Neither its stream nor its token is worth anything now.
    // The stream may be closed already.
    let late = tchat::wire::request_to(&tchat::wire::RequestFrame {
        request: 0,
        what: Request::Post {
            client_id: tchat::chat::ClientId {
                instance: tchat::chat::InstanceId::new([5; 16]),
                counter: 1,
            },
            to: tchat::chat::Recipient::Room(room),
            body: Body::Text("said too late".into()),
        },
    });
    let _closed = stolen.frames.send(late).await;
    let end = loop {
        match stolen.event().await {
            Event::Goodbye(goodbye) => break goodbye,
            Event::Accepted { .. } => panic!("posted after the revocation"),
            _ => {}
        }
    };
    assert_eq!(
        (end.reason, end.action),
        (GoodbyeReason::Revoked, GoodbyeAction::Stop)
    );
    assert_eq!(stolen.try_event().await, None);
    assert!(revoked_at.elapsed() < Duration::from_secs(1));
    let asked = stolen.authorised(proto::ListRoomsRequest::default());
    let refused = stolen.service.list_rooms(asked).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert_eq!(server.log("general").await, Vec::<String>::new());
    // It cannot come back, under no name and not with the link that it once had.
    for name in ["ann", "stolen"] {
        let back = signs_in(&server, name, "stolen", None).await.1;
        let why = refusal(&back).expect("a refusal");
        assert_eq!(why.code, RefusalCode::Unauthenticated);
        assert_eq!(why.arguments, ["revoked"]);
        let back = signs_in(&server, name, "stolen", Some(link)).await.1;
        assert_eq!(refusal_code(&back), Some(RefusalCode::InviteInvalid));
    }
    assert_eq!(lists_devices(&mut ann).await.len(), 1);
    // Another person's device is none of ours, and one that is gone is unknown.
    let bens = lists_devices(&mut guard).await[0].id.clone();
    for id in [bens, id, "zz".into(), String::new()] {
        let asked = ann.authorised(proto::RevokeDeviceRequest { id });
        let refused = ann.service.revoke_device(asked).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    }
    // A new link of the account adds it again.
    let link = adds_device(&mut ann).await;
    let back = signs_in(&server, "ann", "stolen", Some(link)).await.1;
    assert!(matches!(back, Event::Welcome(_)), "{back:?}");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_replaces_lost_ones_is_announced_to_conversation_partners() {
    let server = server();
    let mut ben = server.joins("ben").await;
    let mut ann = server.joins("ann").await;
    ann.whispers("ben", "hello");
    ben.sees("@ann", "hello").await;
    let account = || "ann".to_owned();
    let relinked = administers(&server, AdminRequest::Relink { account: account() }).await;
    let Ok(AdminAnswer::Relinked(SecretLink(link))) = relinked else {
        panic!("{relinked:?}")
    };
    // Until it is used, nothing changes.
    ann.whispers("ben", "still me");
    ben.sees("@ann", "still me").await;
    let (mut new, answer) = signs_in(&server, "ann", "new laptop", Some(invite_of(&link))).await;
    assert!(matches!(answer, Event::Welcome(_)), "{answer:?}");
    let is_new_key = |person: &Person, _: &tchat::client::Event| {
        let entries = person.entries.get(&person.room("@ann")?)?;
        let announced = entries.iter().find(|entry| entry.body == Body::NewKey);
        announced.map(|entry| entry.author.name.clone())
    };
    assert_eq!(ben.until("the announcement", is_new_key).await, "ann");
    let old = signs_in(&server, "ann", "ann", None).await.1;
    assert_eq!(refusal_code(&old), Some(RefusalCode::Unauthenticated));
    assert_eq!(lists_devices(&mut new).await.len(), 1);
    let unknown = administers(
        &server,
        AdminRequest::Relink {
            account: "nobody".into(),
        },
    )
    .await;
    assert!(matches!(unknown, Err(CallError::Missing(_))), "{unknown:?}");
}

fn admin(
    raw: &Raw,
) -> admin_proto::admin_service_client::AdminServiceClient<tonic::transport::Channel> {
    admin_proto::admin_service_client::AdminServiceClient::new(raw.channel.clone())
}

#[tokio::test(start_paused = true)]
async fn a_removed_account_is_gone_and_its_name_is_free() {
    let server = server();
    let mut ben = server.joins("ben").await;
    let (_host, _) = Raw::enter(&server, "host").await;
    let mut ann = server.joins("ann").await;
    ann.sends("general", "I was here");
    ann.whispers("ben", "and here");
    ben.sees("@ann", "and here").await;
    gives_role(&server, "ann", ServerRole::Admin).await.unwrap();
    let (annas, _) = Raw::enter(&server, "ann").await;
    let asked = annas.authorised(admin_proto::CreateInviteRequest::default());
    admin(&annas).create_invite(asked).await.unwrap();
    let open = async || match administers(&server, AdminRequest::ListInvites).await {
        Ok(AdminAnswer::Invites(open)) => open.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(open().await, 1);
    let asked = annas.authorised(proto::DeleteAccountRequest {});
    let mut service = annas.service.clone();
    service.delete_account(asked).await.unwrap();
    assert_eq!(open().await, 0, "withdrawn with its maker");
    let left = |person: &Person, _: &tchat::client::Event| {
        let entries = person.entries.get(&person.room("@ann")?)?;
        entries.iter().any(|it| it.body == Body::Left).then_some(())
    };
    ben.until("that ann has left", left).await;
    // Nobody can write to an account that is gone.
    let lost = ben.posts(
        tchat::chat::Recipient::Room(ben.room("@ann").unwrap()),
        "hello?",
    );
    ben.is_answered().await;
    let refused = ben
        .refused
        .iter()
        .find(|(id, _)| *id == lost)
        .expect("a refusal");
    assert_eq!(refused.1.code, RefusalCode::PersonGone);
    // The same person may come again, as somebody new who inherits nothing.
    let (mut other, answer) = signs_in(&server, "ann", "ann", None).await;
    let Event::Welcome(welcome) = answer else {
        panic!("{answer:?}")
    };
    assert_ne!(Some(&welcome.you), ann.me.as_ref());
    assert!(welcome.rooms.is_empty());
    let asked = other.authorised(proto::ListMentionsRequest::default());
    assert!(
        other
            .service
            .list_mentions(asked)
            .await
            .unwrap()
            .into_inner()
            .entries
            .is_empty()
    );
    assert_eq!(server.log("general").await, ["I was here"]);
    assert_eq!(lists_devices(&mut other).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_program_signs_in_with_its_credential_and_is_in_its_rooms() {
    let server = with_registration(Registration::Invite);
    let create = |name: &str, rooms: &[&str]| AdminRequest::CreateBot {
        name: name.into(),
        rooms: rooms.iter().map(|it| (*it).to_owned()).collect(),
    };
    let made = administers(&server, create("ci", &["tech", "random"])).await;
    let Ok(AdminAnswer::Bot(bot)) = made else {
        panic!("{made:?}")
    };
    assert_eq!(
        (bot.name.as_str(), bot.link.as_str()),
        ("ci", "tchat://chat.example.org/")
    );
    let mut raws = Vec::new();
    for _ in 0..64 {
        let mut raw = Raw::open(&server).await;
        raw.signs_in(1, "whatever", &bot.key).await;
        let Event::Welcome(welcome) = raw.event().await else {
            panic!("not welcome")
        };
        assert_eq!(welcome.you.name, "ci");
        let rooms: Vec<_> = welcome
            .rooms
            .iter()
            .map(|room| room.name.as_str())
            .collect();
        assert_eq!(rooms, ["tech", "random"]);
        raws.push(raw);
    }
    // One more has to wait for a place.
    let mut raw = Raw::open(&server).await;
    raw.signs_in(1, "ci", &bot.key).await;
    let full = raw.event().await;
    let why = refusal(&full).expect("a refusal");
    assert_eq!(why.arguments, ["sessions", "64"]);
    assert!(why.retry_after.is_some());
    raws.pop().unwrap().ask(0, Request::Bye).await;
    sleep(Duration::from_secs(1)).await;
    let mut raw = Raw::open(&server).await;
    raw.signs_in(1, "ci", &bot.key).await;
    assert!(matches!(raw.event().await, Event::Welcome(_)));
    for (name, error) in [
        ("ci", CallError::NameTaken("ci".into())),
        ("c i", CallError::Invalid),
    ] {
        let refused = administers(&server, create(name, &[])).await;
        assert_eq!(refused, Err(error));
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_changes_their_name_five_times_a_day() {
    let server = server();
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    let renames = async |ann: &mut Raw, n: u64, name: String| {
        ann.ask(n, Request::SetName(name)).await;
        loop {
            match ann.answer().await {
                Event::NameChanged { request, .. } if request == n => return None,
                Event::Refused {
                    request, refusal, ..
                } if request == n => return Some(refusal),
                _ => {}
            }
        }
    };
    for n in 1..=5 {
        assert_eq!(renames(&mut ann, n, format!("ann{n}")).await, None, "{n}");
    }
    let refused = renames(&mut ann, 6, "ann6".into()).await;
    let refused = refused.expect("a refusal");
    assert_eq!(refused.arguments, ["renames", "5"]);
    assert!(refused.retry_after.is_some());
    // The name that one has is no change.
    assert_eq!(renames(&mut ann, 7, "ann5".into()).await, None);
    sleep(Duration::from_hours(24)).await;
    assert_eq!(renames(&mut ann, 8, "anna".into()).await, None);
}
