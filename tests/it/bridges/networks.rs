//! Clients of older systems on other machines: which networks are served, and which rooms.

use std::net::SocketAddr;

use tchat::chat::Networks;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_prost::ProstCodec;

use super::chat::{ClientEvent, PATH, join, next_event};
use crate::support::bridge_clients::chat::{
    CheckUsernameRequest, CheckUsernameResponse, ClientMessage, ListRoomsRequest,
    ListRoomsResponse, ServerMessage,
};
use crate::support::bridge_clients::{Call, unary};
use crate::support::raw_client::{Raw, channel_over};
use crate::support::server::{Server, config, memory};
use tchat::chat::{NewRoom, RoomKind};
use tchat::wire::{Event, Request as ChatRequest};

/// A server whose room `tech` is not bridged, and with the room `ours`, which somebody has created.
async fn server() -> Server {
    let mut config = config();
    for preset in &mut config.hub.presets {
        preset.is_bridged = preset.name.to_string() != "tech";
    }
    let server = Server::with(config, memory());
    let (mut ann, _) = Raw::enter(&server, "ann").await;
    let ours = NewRoom {
        name: "ours".into(),
        kind: RoomKind::Public,
        topic: String::new(),
        capacity: 0,
    };
    ann.ask(1, ChatRequest::Create(ours)).await;
    while !matches!(ann.event().await, Event::RoomChanged { request: 1, .. }) {}
    server
}

async fn from(server: &Server, address: &str) -> Channel {
    let address = SocketAddr::new(address.parse().unwrap(), 40_000);
    channel_over(server.dial_from(address).await).await
}

async fn lists(channel: &Channel) -> Result<Vec<String>, Code> {
    let listed: Result<ListRoomsResponse, _> =
        unary(channel, "/chat.ChatService/ListRooms", ListRoomsRequest {}).await;
    let rooms = listed.map_err(|status| status.code())?.rooms;
    Ok(rooms.into_iter().map(|room| room.room_id).collect())
}

/// Whether a client of `chat` gets into a room.
async fn enters(channel: Channel, name: &str, room: &str) -> bool {
    let mut client: Call<ClientMessage, ServerMessage> = Call::on(channel, PATH, None).await;
    client.send(join(name, room)).await;
    match next_event(&mut client).await {
        ClientEvent::Response(response) => response.success,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn private_networks_reach_the_bridged_rooms_and_this_machine_reaches_all_public_ones() {
    let server = server().await;
    for (address, rooms) in [
        ("127.0.0.1", &["general", "tech", "random", "ours"][..]),
        ("::1", &["general", "tech", "random", "ours"]),
        ("192.168.7.7", &["general", "random"]),
        ("fd00::7", &["general", "random"]),
    ] {
        let channel = from(&server, address).await;
        let listed = lists(&channel).await.unwrap();
        assert_eq!(listed, rooms, "{address}");
        for room in ["general", "tech", "ours"] {
            let channel = from(&server, address).await;
            let name = format!("{room}{}", address.len());
            let is_in = enters(channel, &name, room).await;
            assert_eq!(is_in, rooms.contains(&room), "{room} from {address}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn other_networks_are_not_served_by_any_bridge() {
    let server = server().await;
    let address = "203.0.113.7";
    let channel = from(&server, address).await;
    assert_eq!(lists(&channel).await, Err(Code::PermissionDenied));
    let name = CheckUsernameRequest {
        user_name: "mallory".into(),
    };
    let checked: Result<CheckUsernameResponse, _> =
        unary(&channel, "/chat.ChatService/CheckUsername", name).await;
    assert_eq!(checked.unwrap_err().code(), Code::PermissionDenied);
    for path in [
        PATH,
        "/user.UserService/Chat",
        "/gochat.ChatService/Chat",
        "/service.v1.Service/Chat",
        "/service.v1.Service/ChatStream",
    ] {
        let mut grpc = tonic::client::Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static(path);
        let requests = futures::stream::pending::<ClientMessage>();
        let codec = ProstCodec::<ClientMessage, ServerMessage>::default();
        let opened = grpc.streaming(Request::new(requests), path, codec).await;
        assert_eq!(opened.err().unwrap().code(), Code::PermissionDenied);
    }
    for request in [
        "GET /ws HTTP/1.1\r\nHost: chat.example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUsername: mallory\r\n\r\n",
        "GET /helloworld/mallory HTTP/1.1\r\nHost: chat.example.org\r\n\r\n",
    ] {
        let address = SocketAddr::new(address.parse().unwrap(), 40_000);
        let mut pipe = server.dial_from(address).await;
        pipe.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        pipe.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    }
    // The health service answers everybody, because a load balancer may be anywhere.
    let mut health =
        tonic_health::pb::health_client::HealthClient::new(from(&server, address).await);
    let checked = health
        .check(tonic_health::pb::HealthCheckRequest::default())
        .await;
    assert!(checked.is_ok(), "{checked:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operator_can_serve_other_networks() {
    let mut config = config();
    config.hub.guests_from = Networks::parse(["203.0.113.0/24"]).unwrap();
    let server = Server::with(config, memory());
    let channel = from(&server, "203.0.113.7").await;
    assert!(lists(&channel).await.is_ok());
    let channel = from(&server, "192.168.7.7").await;
    assert_eq!(lists(&channel).await, Err(Code::PermissionDenied));
}
