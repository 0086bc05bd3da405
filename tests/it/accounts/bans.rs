//! Bans from the server, ended sessions, and administration of public rooms.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tchat::chat::{DeviceSecret, NewRoom, RoomAct, RoomKind, Seq, Transport};
use tchat::client::Event as ClientEvent;
use tchat::server::listen::ClearText;
use tchat::wire::{GoodbyeAction, GoodbyeReason};

use tokio::task::yield_now;

use super::*;
use crate::support::faulty_store::Faulty;

fn ban(target: &str, minutes: Option<u64>, reason: &str) -> AdminRequest {
    AdminRequest::Ban {
        target: target.into(),
        lasts: minutes.map(Duration::from_mins),
        reason: reason.into(),
    }
}

fn unban(target: &str) -> AdminRequest {
    AdminRequest::Unban {
        target: target.into(),
    }
}

/// Signs in with a device; returns the refusal, if any.
async fn tries(server: &Server, name: &str, device: &DeviceSecret) -> Option<Refusal> {
    let mut raw = Raw::open(server).await;
    raw.signs_in(1, name, device).await;
    refusal(&raw.event().await).cloned()
}

async fn goodbye(raw: &mut Raw) -> (GoodbyeReason, GoodbyeAction) {
    loop {
        if let Event::Goodbye(goodbye) = raw.event().await {
            return (goodbye.reason, goodbye.action);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_banned_account_is_out_at_once_with_all_its_devices_until_the_ban_ends() {
    let mut server = server();
    let (_host, _) = Raw::enter(&server, "host").await;
    let (mut ben, _) = Raw::enter(&server, "ben").await;
    let asked = ben.authorised(proto::ListRoomsRequest::default());
    administers(&server, ban("ben", Some(10), "spam"))
        .await
        .unwrap();
    let end = goodbye(&mut ben).await;
    assert_eq!(end, (GoodbyeReason::Banned, GoodbyeAction::Stop));
    // The token is worth nothing any longer.
    let refused = ben.service.list_rooms(asked).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let refused = tries(&server, "ben", &device("ben")).await.unwrap();
    assert_eq!(refused.code, RefusalCode::ServerBanned);
    assert_eq!(refused.arguments[1], "spam");
    assert!(refused.arguments[0].parse::<u64>().unwrap() > 0);
    // Nor does a restart help, nor another name.
    server.stops().await.unwrap();
    server.restarts();
    let again = tries(&server, "benny", &device("ben")).await;
    assert_eq!(again.unwrap().code, RefusalCode::ServerBanned);
    let Ok(AdminAnswer::Bans(bans)) = administers(&server, AdminRequest::ListBans).await else {
        panic!("no bans")
    };
    assert_eq!((bans.len(), bans[0].target.as_str()), (1, "ben"));
    assert!(
        bans[0]
            .remaining
            .is_some_and(|left| left <= Duration::from_mins(10))
    );
    sleep(Duration::from_mins(11)).await;
    assert_eq!(tries(&server, "ben", &device("ben")).await, None);

    administers(&server, ban("ben", None, "")).await.unwrap();
    sleep(Duration::from_hours(24)).await;
    let still = tries(&server, "ben", &device("ben")).await.unwrap();
    assert_eq!(still.arguments, ["0", ""]);
    administers(&server, unban("ben")).await.unwrap();
    assert_eq!(tries(&server, "ben", &device("ben")).await, None);
    let missing = administers(&server, unban("ben")).await;
    assert!(matches!(missing, Err(CallError::Missing(_))), "{missing:?}");
}

#[tokio::test(start_paused = true)]
async fn a_banned_network_stops_new_people_without_an_invitation_and_nobody_else() {
    let mut config = config();
    config.encryption.clear_text = ClearText::Everything;
    let server = Server::with(config, memory());
    let from = async |address: [u8; 4], name: &str, invite| {
        let address = SocketAddr::from((address, 40_000));
        let mut raw = Raw::open_over(server.dial_from(address).await).await;
        raw.transport = Transport::ClearText;
        raw.invite = invite;
        raw.signs_in(1, name, &device(name)).await;
        refusal(&raw.event().await).map(|it| it.code)
    };
    assert_eq!(from([192, 0, 2, 7], "early", None).await, None);
    administers(&server, ban("192.0.2.0/24", None, ""))
        .await
        .unwrap();
    let banned = Some(RefusalCode::ServerBanned);
    assert_eq!(from([192, 0, 2, 8], "late", None).await, banned);
    assert_eq!(from([192, 0, 3, 8], "elsewhere", None).await, None);
    // Those who have an account come back, and an invitation helps.
    assert_eq!(from([192, 0, 2, 7], "early", None).await, None);
    let made = AdminRequest::CreateInvite(InviteTerms::default());
    let Ok(AdminAnswer::Created { link, .. }) = administers(&server, made).await else {
        panic!("no invitation")
    };
    let (_, secret) = link.0.rsplit_once('.').unwrap();
    let invite: Option<Invite> = secret.parse().ok();
    assert_eq!(from([192, 0, 2, 9], "invited", invite).await, None);
    // This machine cannot be banned.
    administers(&server, ban("127.0.0.0/8", None, ""))
        .await
        .unwrap();
    assert_eq!(from([127, 0, 0, 1], "local", None).await, None);
    administers(&server, unban("192.0.2.99/24")).await.unwrap();
    assert_eq!(from([192, 0, 2, 8], "late", None).await, None);
}

#[tokio::test(start_paused = true)]
async fn owners_and_admins_are_not_banned_by_admins_and_the_last_owner_by_nobody() {
    let server = server();
    let (_host, _) = Raw::enter(&server, "host").await;
    let (ann, _) = Raw::enter(&server, "ann").await;
    let (_ben, _) = Raw::enter(&server, "ben").await;
    gives_role(&server, "ann", ServerRole::Admin).await.unwrap();
    let by_ann = async |target: &str| {
        let asked = ann.authorised(admin_proto::BanRequest {
            target: target.into(),
            ..Default::default()
        });
        let banned = admin(&ann).ban(asked).await;
        banned.map(drop).map_err(|status| status.code())
    };
    assert_eq!(by_ann("host").await, Err(Code::PermissionDenied));
    assert_eq!(by_ann("ben").await, Ok(()));
    let last = administers(&server, ban("host", None, "")).await;
    assert_eq!(last, Err(CallError::LastOwner));
}

#[tokio::test(start_paused = true)]
async fn a_kicked_person_may_come_back_and_everything_is_in_the_audit_log() {
    let server = server();
    let (_host, _) = Raw::enter(&server, "host").await;
    let (mut ben, _) = Raw::enter(&server, "ben").await;
    let Ok(AdminAnswer::Sessions(sessions)) =
        administers(&server, AdminRequest::ListSessions).await
    else {
        panic!("no sessions")
    };
    let names: Vec<_> = sessions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["ben", "host"]);
    let kick = AdminRequest::Kick {
        name: "ben".into(),
        reason: "calm down".into(),
    };
    administers(&server, kick.clone()).await.unwrap();
    assert_eq!(goodbye(&mut ben).await.0, GoodbyeReason::Kicked);
    sleep(Duration::from_secs(1)).await;
    let gone = administers(&server, kick).await;
    assert!(matches!(gone, Err(CallError::Missing(_))), "{gone:?}");
    assert_eq!(tries(&server, "ben", &device("ben")).await, None);
    administers(&server, ban("ben", Some(1), "again"))
        .await
        .unwrap();
    administers(&server, unban("ben")).await.unwrap();
    let audit = AdminRequest::ListAudit { before: 0, most: 3 };
    let Ok(AdminAnswer::Audit(rows)) = administers(&server, audit).await else {
        panic!("no log")
    };
    let rows: Vec<_> = rows
        .iter()
        .map(|row| (row.act.as_str(), row.target.as_str(), row.detail.as_str()))
        .collect();
    let expected = [
        ("unban", "ben", ""),
        ("ban", "ben", "60 s again"),
        ("kick", "ben", "calm down"),
    ];
    assert_eq!(rows, expected);
}

#[tokio::test(start_paused = true)]
async fn public_rooms_are_moderated_from_outside_and_private_ones_are_not() {
    let server = server();
    let mut ann = Person::start(server.connector(), "ann");
    ann.is_in("general").await;
    let (maker, _) = Raw::enter(&server, "maker").await;
    for (name, kind) in [("open", RoomKind::Public), ("vault", RoomKind::Secret)] {
        let room = NewRoom {
            name: name.into(),
            topic: String::new(),
            kind,
            capacity: 0,
        };
        maker.ask(1, Request::Create(room)).await;
    }
    sleep(Duration::from_secs(1)).await;
    ann.joins("open").await;
    ann.sends("open", "rude words");
    let said = ann.sees("open", "rude words").await;
    let moderate = async |room: &str, act| {
        let room = room.to_owned();
        administers(&server, AdminRequest::ModerateRoom { room, act }).await
    };
    assert_eq!(
        moderate("open", RoomAct::Erase(said.seq)).await,
        Ok(AdminAnswer::Done)
    );
    ann.until("the deletion", |_, event| match event {
        ClientEvent::Entries(entries) => entries
            .iter()
            .any(|it| matches!(it.body, Body::Amendment { .. }))
            .then_some(()),
        _ => None,
    })
    .await;
    let missing = moderate("open", RoomAct::Erase(Seq(999))).await;
    assert!(matches!(missing, Err(CallError::Missing(_))), "{missing:?}");
    moderate("open", RoomAct::Topic("be kind".into()))
        .await
        .unwrap();
    moderate("open", RoomAct::Owner("ann".into()))
        .await
        .unwrap();
    for (room, act) in [
        ("vault", RoomAct::Close),
        ("vault", RoomAct::Topic("seen".into())),
        ("nowhere", RoomAct::Close),
    ] {
        let hidden = moderate(room, act).await;
        assert!(
            matches!(hidden, Err(CallError::Missing(_))),
            "{room}: {hidden:?}"
        );
    }
    // Everyone starts in the first room.
    assert!(moderate("general", RoomAct::Close).await.is_err());
    moderate("open", RoomAct::Close).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let rooms = server.store.named_rooms().await.unwrap();
    assert!(rooms.iter().all(|room| room.name != "open"));
}

#[tokio::test(start_paused = true)]
async fn whoever_signs_in_during_a_ban_does_not_stay() {
    let store = Faulty {
        inner: memory(),
        before: Box::new(|| None),
        after: Box::new(|| {}),
        accounts: Box::new(|| None),
    };
    let server = Server::with(config(), Arc::new(store));
    let (_host, _) = Raw::enter(&server, "host").await;
    // The ban starts a little later each time, from before the sign-in to after it.
    for later in 0..60 {
        let name = format!("ben{later}");
        drop(Raw::enter(&server, &name).await);
        let mut raw = Raw::open(&server).await;
        raw.signs_in(1, &name, &device(&name)).await;
        for _ in 0..later {
            yield_now().await;
        }
        administers(&server, ban(&name, None, "")).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let Ok(AdminAnswer::Sessions(sessions)) =
            administers(&server, AdminRequest::ListSessions).await
        else {
            panic!("no sessions")
        };
        let is_there = sessions.iter().any(|it| it.name == name);
        assert!(!is_there, "{name} is still connected");
    }
}

#[tokio::test(start_paused = true)]
async fn the_invitations_of_a_banned_account_let_nobody_in() {
    let server = server();
    let (_host, _) = Raw::enter(&server, "host").await;
    let (ann, _) = Raw::enter(&server, "ann").await;
    gives_role(&server, "ann", ServerRole::Admin).await.unwrap();
    let asked = ann.authorised(admin_proto::CreateInviteRequest {
        uses: 1000,
        ..Default::default()
    });
    let made = admin(&ann).create_invite(asked).await.unwrap().into_inner();
    let invite = Some(invite_of(&made.link));
    let (_ben, welcome) = signs_in(&server, "ben", "ben", invite).await;
    assert!(matches!(welcome, Event::Welcome(_)));
    administers(&server, ban("ann", None, "")).await.unwrap();
    let (_cay, refused) = signs_in(&server, "cay", "cay", invite).await;
    assert_eq!(refusal_code(&refused), Some(RefusalCode::InviteInvalid));
    administers(&server, unban("ann")).await.unwrap();
    let (_cay, refused) = signs_in(&server, "cay", "cay", invite).await;
    assert_eq!(refusal_code(&refused), Some(RefusalCode::InviteInvalid));
}
