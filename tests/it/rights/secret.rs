//! Secret rooms: outsiders can find out neither that they exist nor their names.

use tchat::chat::{Body, Epoch, NewRoom, Refusal, RefusalCode, RoomKind, RoomName, Ruling, Seq};
use tchat::wire::{Event, JoinTarget, Request};

use super::fixture::{Fixture, TestPerson, ruling};
use crate::support::bridge_clients::Call;
use crate::support::bridge_clients::chat::{
    ClientEvent, ClientMessage, ClientRequest, ServerMessage, Who,
};
use crate::support::server::{Server, config};

/// Sends a request; returns the complete refusal, or `None` if it was done.
async fn refusal(one: &mut TestPerson, what: Request) -> Option<Refusal> {
    one.raw.ask(88, what).await;
    loop {
        match one.raw.answer().await {
            Event::Refused {
                request: 88,
                refusal,
                ..
            } => return Some(refusal),
            Event::RoomChanged { request: 88, .. } => return None,
            _ => {}
        }
    }
}

fn named(name: &str) -> Request {
    Request::Join(JoinTarget::Name(name.into()))
}

fn creates(name: &str, kind: RoomKind, capacity: u32) -> Request {
    Request::Create(NewRoom {
        name: name.into(),
        kind,
        topic: String::new(),
        capacity,
    })
}

#[tokio::test(start_paused = true)]
async fn joining_a_secret_room_is_refused_as_if_it_did_not_exist() {
    let mut stage = Fixture::of(RoomKind::Secret).await;
    let full = creates("Vault", RoomKind::Secret, 1);
    assert_eq!(refusal(&mut stage.owner, full).await, None);
    let unknown = |asked: &str| Some(Refusal::new(RefusalCode::RoomUnknown).with(asked));
    // Also when it is full, and in any spelling: the argument is the name that was requested.
    for name in ["dev", "DEV", "ｄｅｖ", "vault", "vAULT", "nothing"] {
        let refused = refusal(&mut stage.outsider, named(name)).await;
        assert_eq!(refused, unknown(name), "{name}");
    }
    // By its id as well, and for every request.
    let room = stage.room;
    let by_id = Request::Join(JoinTarget::Room(room));
    assert_eq!(
        refusal(&mut stage.outsider, by_id).await,
        unknown(&room.to_string())
    );
    let others = [
        Request::Follow { room, cursor: None },
        Request::Leave(room),
        Request::MarkRead {
            room,
            epoch: Epoch::new([1; 16]),
            seq: Seq(1),
        },
        Request::SetLevel { room, level: None },
    ];
    for what in others {
        let refused = refusal(&mut stage.outsider, what).await.expect("refused");
        let is_told = |it: &String| it.to_lowercase().contains("dev");
        assert!(!refused.arguments.iter().any(is_told), "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn outsiders_can_create_a_room_with_the_name_of_a_secret_one() {
    for kind in [RoomKind::Public, RoomKind::Private, RoomKind::Secret] {
        let mut stage = Fixture::of(RoomKind::Secret).await;
        // One name that looks like the secret room's, and one that is equal.
        for (maker, name) in [("first", "DEV"), ("second", "dev")] {
            let mut outsider = TestPerson::enters(&stage.server, maker).await;
            let made = refusal(&mut outsider, creates(name, kind, 0)).await;
            let is_second = name == "dev" && kind != RoomKind::Secret;
            // A public or private room blocks a second one of that name; a secret room never does.
            let expected = is_second.then(|| Refusal::new(RefusalCode::RoomExists).with(name));
            assert_eq!(made, expected, "{kind:?} {name}");
        }
        // A member is told that the room exists, and joins it by its name.
        let again = refusal(&mut stage.member, creates("Dev", RoomKind::Public, 0)).await;
        assert_eq!(again.map(|it| it.code), Some(RefusalCode::RoomExists));
        stage.member.raw.ask(89, named("dev")).await;
        let joined = loop {
            if let Event::RoomChanged { request: 89, room } = stage.member.raw.answer().await {
                break room.id;
            }
        };
        assert_eq!(joined, stage.room, "{kind:?}");
        // An invited person can join it by name too.
        let invited = ruling(&stage.outsider.me, Ruling::Invited);
        assert_eq!(stage.owner.posts(stage.room, invited).await, None);
        assert_eq!(refusal(&mut stage.outsider, named("dev")).await, None);
        assert!(stage.outsider.pages(stage.room).await.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn bridges_do_not_reveal_secret_rooms_either() {
    let stage = Fixture::of(RoomKind::Secret).await;
    for room in ["dev", "DEV", "nothing"] {
        let path = "/chat.ChatService/Chat";
        let mut call: Call<ClientMessage, ServerMessage> = Call::open(&stage.server, path).await;
        let who = Who {
            user_name: "guest".into(),
            room_id: room.into(),
        };
        let event = Some(ClientRequest::Join(who));
        call.send(ClientMessage { event }).await;
        let Some(ClientEvent::Response(answer)) = call.receives().await.event else {
            panic!("no answer")
        };
        assert_eq!(answer.message, format!("房间 '{room}' 不存在"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_preset_room_does_not_replace_a_secret_one_of_the_same_name() {
    let mut stage = Fixture::of(RoomKind::Secret).await;
    assert_eq!(
        stage
            .owner
            .posts(stage.room, Body::Text("ours".into()))
            .await,
        None
    );
    let mut config = config();
    let mut preset = config.hub.presets[1].clone();
    preset.name = RoomName::new("dev").unwrap();
    config.hub.presets.push(preset);
    let next = Server::with(config, stage.server.store.clone());
    let mut outsider = TestPerson::enters(&next, "newcomer").await;
    let rooms = outsider.rooms().await;
    let dev = rooms.iter().find(|room| room.name == "dev").unwrap();
    assert_eq!((dev.kind, dev.id == stage.room), (RoomKind::Public, false));
}
