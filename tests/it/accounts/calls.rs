//! Who may make which unary call: every call of both services, by everyone, over TLS from another machine.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use tchat::chat::{
    Author, Body, ClientId, InstanceId, NewRoom, Recipient, RoomKind, Ruling, Until,
};
use tchat::chat::{Stamp, Via};
use tchat::client::tls::{Expected, encrypt};
use tchat::server::clock::now_ms;
use tchat::server::listen::{ClearText, CurrentTls, Encryption};
use tchat::server::store::IdentityRecord;
use tchat::wire::JoinTarget;

use super::*;
use crate::support::interceptor::any_key;

/// A server that is only reached through TLS, and its pin.
struct Encrypted {
    server: Server,
    pin: tchat::chat::Pin,
}

impl Encrypted {
    fn start() -> Self {
        let mut config = config();
        let (tls, pin) = any_key();
        config.hub.owner = Some(device("the-Owner").public());
        config.encryption = Encryption {
            tls: Some(Arc::new(CurrentTls::new(tls, pin))),
            clear_text: ClearText::Bridges,
        };
        let server = Server::with(config, memory());
        Self { server, pin }
    }

    async fn opens(&self) -> Raw {
        let elsewhere = SocketAddr::from(([192, 0, 2, 7], 40_000));
        let pipe = self.server.dial_from(elsewhere).await;
        let names = ("localhost", "localhost");
        let (stream, _) = encrypt(pipe, names, Expected::Pin(self.pin)).await.unwrap();
        let mut raw = Raw::open_over(stream).await;
        raw.transport = Transport::Tls(self.pin);
        raw
    }

    async fn enters(&self, name: &str) -> Raw {
        let mut raw = self.opens().await;
        raw.signs_in(0, name, &device(name)).await;
        let answer = raw.event().await;
        assert!(matches!(answer, Event::Welcome(_)), "{answer:?}");
        raw
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Caller {
    /// Has never signed in.
    Anonymous,
    /// Has the token of a session that has ended.
    Departed,
    /// Has an account and shares no room with the others.
    Stranger,
    Member,
    Banned,
    /// Owns the private room.
    Moderator,
    Admin,
    Owner,
}

const CALLERS: [Caller; 8] = [
    Caller::Anonymous,
    Caller::Departed,
    Caller::Stranger,
    Caller::Member,
    Caller::Banned,
    Caller::Moderator,
    Caller::Admin,
    Caller::Owner,
];

/// The results of a call, in the order of [`CALLERS`].
type Outcomes = [Code; 8];

const UNKNOWN: Code = Code::Unauthenticated;
const DENIED: Code = Code::PermissionDenied;

/// Everybody who has signed in gets this.
const fn everyone(code: Code) -> Outcomes {
    [UNKNOWN, UNKNOWN, code, code, code, code, code, code]
}

/// Admins and owners get this.
const fn admins(code: Code) -> Outcomes {
    [UNKNOWN, UNKNOWN, DENIED, DENIED, DENIED, DENIED, code, code]
}

/// Owners get this.
const fn owners(code: Code) -> Outcomes {
    [
        UNKNOWN, UNKNOWN, DENIED, DENIED, DENIED, DENIED, DENIED, code,
    ]
}

/// The owner of the private room gets this.
const MODERATORS: Outcomes = [
    UNKNOWN,
    UNKNOWN,
    DENIED,
    DENIED,
    DENIED,
    Code::Ok,
    DENIED,
    DENIED,
];

/// A row for every call. What an allowed call does is tested elsewhere; most of these ask for something that does not exist.
const TABLE: [(&str, Outcomes); 30] = [
    ("ListRooms", everyone(Code::Ok)),
    // Only moderators of the room, whatever role others have on the server.
    ("ListModeration", MODERATORS),
    ("ListSanctions", MODERATORS),
    // No role on the server reads a private room that its holder has not joined. Removed people read up to their removal.
    (
        "GetHistory",
        [
            UNKNOWN,
            UNKNOWN,
            DENIED,
            Code::Ok,
            Code::Ok,
            Code::Ok,
            DENIED,
            DENIED,
        ],
    ),
    ("ListMentions", everyone(Code::Ok)),
    ("Search", everyone(Code::Ok)),
    ("ListDevices", everyone(Code::Ok)),
    ("AddDevice", everyone(Code::Ok)),
    ("RevokeDevice", everyone(Code::NotFound)),
    (
        "DeleteAccount",
        [
            UNKNOWN,
            UNKNOWN,
            Code::Ok,
            Code::Ok,
            Code::Ok,
            Code::Ok,
            Code::Ok,
            Code::FailedPrecondition,
        ],
    ),
    ("CreateInvite", admins(Code::Ok)),
    ("ListInvites", admins(Code::Ok)),
    ("RevokeInvite", admins(Code::NotFound)),
    ("ListAccounts", admins(Code::Ok)),
    ("SetRole", owners(Code::NotFound)),
    ("RenameAccount", admins(Code::NotFound)),
    ("RemoveAccount", admins(Code::NotFound)),
    ("Relink", admins(Code::NotFound)),
    ("CreateBot", admins(Code::InvalidArgument)),
    ("ListAccountDevices", admins(Code::NotFound)),
    ("RevokeAccountDevice", admins(Code::NotFound)),
    ("Ban", admins(Code::NotFound)),
    ("Unban", admins(Code::NotFound)),
    ("ListBans", admins(Code::Ok)),
    ("Kick", admins(Code::NotFound)),
    ("ListSessions", admins(Code::Ok)),
    ("GetStatus", admins(Code::Ok)),
    ("ListLimits", admins(Code::Ok)),
    ("ModerateRoom", admins(Code::InvalidArgument)),
    ("ListAudit", owners(Code::Ok)),
];

/// The people of the table, with a private room.
struct Cast {
    callers: Vec<Raw>,
    vault: RoomId,
}

async fn cast(encrypted: &Encrypted) -> Cast {
    let mut callers = Vec::new();
    for caller in CALLERS {
        let name = format!("the-{caller:?}");
        callers.push(match caller {
            Caller::Anonymous => encrypted.opens().await,
            _ => encrypted.enters(&name).await,
        });
    }
    let at = |caller: Caller| CALLERS.iter().position(|it| *it == caller).unwrap();
    let departed = &callers[at(Caller::Departed)];
    departed.ask(0, Request::Bye).await;
    let admin = administers(
        &encrypted.server,
        AdminRequest::SetRole {
            account: "the-Admin".into(),
            role: ServerRole::Admin,
        },
    );
    admin.await.unwrap();
    let moderator = at(Caller::Moderator);
    let vault = NewRoom {
        name: "vault".into(),
        kind: RoomKind::Private,
        topic: String::new(),
        capacity: 0,
    };
    callers[moderator].ask(3, Request::Create(vault)).await;
    let vault = loop {
        if let Event::RoomChanged { request: 3, room } = callers[moderator].event().await {
            break room.id;
        }
    };
    let mut counter = 0;
    let mut rules = async |callers: &mut Vec<Raw>, name: &str, ruling| {
        counter += 1;
        let person = Author {
            id: tchat::chat::IdentityId::NOBODY,
            name: name.to_owned(),
        };
        let client_id = ClientId {
            instance: InstanceId::new([5; 16]),
            counter,
        };
        let post = Request::Post {
            client_id,
            to: Recipient::Room(vault),
            body: Body::Ruling(person, ruling),
        };
        callers[moderator].ask(0, post).await;
        while !matches!(callers[moderator].event().await, Event::Accepted { .. }) {}
    };
    for caller in [Caller::Member, Caller::Banned] {
        let name = format!("the-{caller:?}");
        rules(&mut callers, &name, Ruling::Invited).await;
        let raw = &mut callers[at(caller)];
        raw.ask(4, Request::Join(JoinTarget::Room(vault))).await;
        while !matches!(raw.event().await, Event::RoomChanged { request: 4, .. }) {}
    }
    let ban = Ruling::Banned {
        until: Until::Forever,
        reason: String::new(),
    };
    rules(&mut callers, "the-Banned", ban).await;
    Cast { callers, vault }
}

/// Makes a call; returns its status.
async fn calls(raw: &Raw, call: &str, vault: RoomId) -> Code {
    let mut chat = raw.service.clone();
    let mut admin = admin(raw);
    let nobody = || "nobody".to_owned();
    macro_rules! make {
        ($service:ident.$method:ident($message:expr)) => {
            match $service.$method(raw.authorised($message)).await {
                Ok(_) => Code::Ok,
                Err(status) => status.code(),
            }
        };
    }
    match call {
        "ListRooms" => make!(chat.list_rooms(proto::ListRoomsRequest::default())),
        "GetHistory" => make!(chat.get_history(proto::GetHistoryRequest {
            room: vault.bytes().to_vec(),
            ..Default::default()
        })),
        "ListModeration" => make!(chat.list_moderation(proto::ListModerationRequest {
            room: vault.bytes().to_vec(),
            ..Default::default()
        })),
        "ListSanctions" => make!(chat.list_sanctions(proto::ListSanctionsRequest {
            room: vault.bytes().to_vec(),
        })),
        "ListMentions" => make!(chat.list_mentions(proto::ListMentionsRequest::default())),
        "Search" => make!(chat.search(proto::SearchRequest {
            phrases: vec!["word".into()],
            ..Default::default()
        })),
        "ListDevices" => make!(chat.list_devices(proto::ListDevicesRequest::default())),
        "AddDevice" => make!(chat.add_device(proto::AddDeviceRequest::default())),
        "RevokeDevice" => make!(chat.revoke_device(proto::RevokeDeviceRequest::default())),
        "DeleteAccount" => make!(chat.delete_account(proto::DeleteAccountRequest::default())),
        "CreateInvite" => make!(admin.create_invite(admin_proto::CreateInviteRequest::default())),
        "ListInvites" => make!(admin.list_invites(admin_proto::ListInvitesRequest::default())),
        "RevokeInvite" => make!(admin.revoke_invite(admin_proto::RevokeInviteRequest::default())),
        "ListAccounts" => make!(admin.list_accounts(admin_proto::ListAccountsRequest::default())),
        "SetRole" => make!(admin.set_role(admin_proto::SetRoleRequest {
            name: nobody(),
            ..Default::default()
        })),
        "RenameAccount" => make!(admin.rename_account(admin_proto::RenameAccountRequest {
            name: nobody(),
            to: "somebody".into(),
        })),
        "RemoveAccount" => {
            make!(admin.remove_account(admin_proto::RemoveAccountRequest { name: nobody() }))
        }
        "Relink" => make!(admin.relink(admin_proto::RelinkRequest { name: nobody() })),
        "CreateBot" => make!(admin.create_bot(admin_proto::CreateBotRequest::default())),
        "ListAccountDevices" => make!(
            admin.list_account_devices(admin_proto::ListAccountDevicesRequest { name: nobody() })
        ),
        "RevokeAccountDevice" => make!(admin.revoke_account_device(
            admin_proto::RevokeAccountDeviceRequest {
                name: nobody(),
                id: String::new(),
            }
        )),
        "Ban" => make!(admin.ban(admin_proto::BanRequest {
            target: "nobody".into(),
            ..Default::default()
        })),
        "Unban" => make!(admin.unban(admin_proto::UnbanRequest {
            target: "nobody".into(),
        })),
        "ListBans" => make!(admin.list_bans(admin_proto::ListBansRequest {})),
        "Kick" => make!(admin.kick(admin_proto::KickRequest {
            name: "nobody".into(),
            reason: String::new(),
        })),
        "ListSessions" => make!(admin.list_sessions(admin_proto::ListSessionsRequest {})),
        "GetStatus" => make!(admin.get_status(admin_proto::GetStatusRequest {})),
        "ListLimits" => make!(admin.list_limits(admin_proto::ListLimitsRequest {})),
        "ModerateRoom" => make!(admin.moderate_room(admin_proto::ModerateRoomRequest::default())),
        "ListAudit" => make!(admin.list_audit(admin_proto::ListAuditRequest::default())),
        other => panic!("no call {other}"),
    }
}

#[test]
fn every_call_has_a_row() {
    let protos = [
        include_str!("../../../proto/tchat/v1/chat.proto"),
        include_str!("../../../proto/tchat/admin/v1/admin.proto"),
    ];
    let lines = protos.iter().flat_map(|text| text.lines());
    let calls = lines.filter_map(|line| line.trim().strip_prefix("rpc "));
    let calls: BTreeSet<&str> = calls
        .filter_map(|line| line.split_once('(').map(|(name, _)| name))
        .filter(|name| *name != "Chat")
        .collect();
    let rows = TABLE.iter().map(|(name, _)| *name);
    assert_eq!(calls, rows.collect());
}

#[tokio::test(start_paused = true)]
async fn everybody_may_make_exactly_the_calls_that_the_table_allows() {
    for (call, outcomes) in TABLE {
        let encrypted = Encrypted::start();
        let cast = cast(&encrypted).await;
        for ((caller, raw), expected) in CALLERS.iter().zip(&cast.callers).zip(outcomes) {
            let outcome = calls(raw, call, cast.vault).await;
            assert_eq!(outcome, expected, "{call} by {caller:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_strangers_account_does_not_get_an_operators_name() {
    let encrypted = Encrypted::start();
    for name in ["boss", "Olli"] {
        let mut raw = encrypted.opens().await;
        raw.signs_in(1, name, &device("stranger")).await;
        let answer = raw.event().await;
        let why = refusal(&answer).expect("a refusal");
        assert_eq!(why.code, RefusalCode::NameReserved);
        assert_eq!(why.arguments, [name, "operator"]);
    }
    // An owner gives it: to an account, or with an invitation.
    let _ann = encrypted.enters("ann").await;
    let renamed = AdminRequest::Rename {
        account: "ann".into(),
        to: "boss".into(),
    };
    let renamed = administers(&encrypted.server, renamed).await;
    assert_eq!(renamed, Ok(AdminAnswer::Done));
    let invited = AdminRequest::CreateInvite(InviteTerms {
        role: ServerRole::Admin,
        ..InviteTerms::default()
    });
    let Ok(AdminAnswer::Created { link, .. }) = administers(&encrypted.server, invited).await
    else {
        panic!("no invitation")
    };
    let mut olli = encrypted.opens().await;
    olli.invite = Some(invite_of(&link.0));
    olli.signs_in(1, "olli", &device("olli")).await;
    let answer = olli.event().await;
    assert!(matches!(answer, Event::Welcome(_)), "{answer:?}");
    for name in ["boss", "olli"] {
        let mut raw = encrypted.opens().await;
        raw.signs_in(1, name, &device("stranger")).await;
        assert_eq!(
            refusal_code(&raw.event().await),
            Some(RefusalCode::NameTaken)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_unused_account_of_an_open_server_lapses_and_others_stay() {
    let encrypted = Encrypted::start();
    let mut ben = encrypted.enters("ben").await;
    let general = JoinTarget::Name("general".into());
    ben.ask(1, Request::Join(general)).await;
    let room = loop {
        if let Event::RoomChanged { request: 1, room } = ben.event().await {
            break room.id;
        }
    };
    ben.post(1, room, "I was here").await;
    while !matches!(ben.answer().await, Event::Accepted { .. }) {}
    let cay = encrypted.enters("cay").await;
    let ann = encrypted.enters("ann").await;
    for raw in [&ben, &ann] {
        raw.ask(0, Request::Bye).await;
    }
    let names = async || {
        let accounts = encrypted.server.store.accounts(0).await.unwrap();
        let mut names: Vec<_> = accounts.iter().map(|it| it.name.to_string()).collect();
        names.sort();
        names
    };
    sleep(Duration::from_secs(1)).await;
    // Nobody was seen for eight days, by log time.
    let week_ago = now_ms() - 8 * 24 * 60 * 60 * 1000;
    for account in encrypted.server.store.accounts(0).await.unwrap() {
        let record = IdentityRecord {
            id: account.id,
            name: account.name,
            via: Via::Tchat,
        };
        let seen = Stamp {
            at_ms: week_ago,
            log_ms: week_ago,
            doubt_ms: 0,
        };
        let noted = encrypted.server.store.put_identity(record, seen);
        noted.await.unwrap();
    }
    assert_eq!(names().await, ["ann", "ben", "cay"]);
    sleep(Duration::from_hours(1)).await;
    // Ben has posted, and cay is connected.
    assert_eq!(names().await, ["ben", "cay"]);
    drop(cay);
    // The name is free for somebody else.
    let mut raw = encrypted.opens().await;
    raw.signs_in(1, "ann", &device("another")).await;
    let answer = raw.event().await;
    assert!(matches!(answer, Event::Welcome(_)), "{answer:?}");
}
