//! The `chat.ChatService` bridge, which has rooms.

use tonic::Code;
use tonic::transport::Channel;

pub use crate::support::bridge_clients::chat::ClientEvent;
use crate::support::bridge_clients::chat::{
    Broadcast, CheckUsernameRequest, CheckUsernameResponse, ClientMessage, ClientRequest, Counted,
    ListRoomsRequest, ListRoomsResponse, Response, ServerMessage, Text, Who,
};
use crate::support::bridge_clients::{Call, unary};
use crate::support::raw_client::channel;
use crate::support::server::{Server, config, memory};

pub const PATH: &str = "/chat.ChatService/Chat";

pub type Client = Call<ClientMessage, ServerMessage>;

pub fn join(name: &str, room: &str) -> ClientMessage {
    let who = Who {
        user_name: name.into(),
        room_id: room.into(),
    };
    ClientMessage {
        event: Some(ClientRequest::Join(who)),
    }
}

pub fn says(text: &str) -> ClientMessage {
    ClientMessage {
        event: Some(ClientRequest::Text(Text { text: text.into() })),
    }
}

pub fn leave(name: &str, room: &str) -> ClientMessage {
    let who = Who {
        user_name: name.into(),
        room_id: room.into(),
    };
    ClientMessage {
        event: Some(ClientRequest::Leave(who)),
    }
}

pub async fn next_event(client: &mut Client) -> ClientEvent {
    client.receives().await.event.expect("an event")
}

fn response(success: bool, message: &str) -> ClientEvent {
    ClientEvent::Response(Response {
        success,
        message: message.into(),
    })
}

fn counted(name: &str, count: i32) -> Counted {
    Counted {
        user_name: name.into(),
        current_count: count,
    }
}

/// A client on its own connection that has joined and read the answer.
pub async fn joins(server: &Server, name: &str, room: &str) -> Client {
    let mut client = Client::open(server, PATH).await;
    client.send(join(name, room)).await;
    let answer = next_event(&mut client).await;
    assert!(
        matches!(&answer, ClientEvent::Response(it) if it.success),
        "{answer:?}"
    );
    client
}

async fn check(channel: &Channel, name: &str) -> CheckUsernameResponse {
    let request = CheckUsernameRequest {
        user_name: name.into(),
    };
    unary(channel, "/chat.ChatService/CheckUsername", request)
        .await
        .unwrap()
}

pub async fn rooms(channel: &Channel) -> Vec<(String, i32)> {
    let path = "/chat.ChatService/ListRooms";
    let list: ListRoomsResponse = unary(channel, path, ListRoomsRequest {}).await.unwrap();
    let rooms = list.rooms.into_iter();
    rooms.map(|it| (it.room_id, it.participant_count)).collect()
}

#[tokio::test(start_paused = true)]
async fn rooms_are_listed_in_configured_order_with_the_number_of_people_present() {
    let mut config = config();
    let mut gaming = config.hub.presets[1].clone();
    gaming.name = tchat::chat::RoomName::new("gaming").unwrap();
    config.hub.presets.insert(2, gaming);
    let server = Server::with(config, memory());
    let lobby = channel(&server).await;
    let _ann = joins(&server, "ann", "tech").await;
    let _ben = joins(&server, "ben", "tech").await;
    let listed = rooms(&lobby).await;
    let expected = [("general", 0), ("tech", 2), ("gaming", 0), ("random", 0)];
    assert_eq!(
        listed,
        expected.map(|(name, count)| (name.to_owned(), count))
    );
}

#[tokio::test(start_paused = true)]
async fn a_checked_name_is_reserved_until_its_connection_ends() {
    let server = Server::start();
    let (mine, other) = (channel(&server).await, channel(&server).await);
    let free = check(&mine, "张三").await;
    assert_eq!((free.available, &*free.message), (true, "用户名可用"));
    assert!(check(&mine, "张三").await.available, "it is ours");
    let taken = check(&other, "张三").await;
    assert_eq!(
        (taken.available, &*taken.message),
        (false, "用户名 '张三' 已被占用")
    );
    for bad in ["", "a b", "a-b", "系统", &"x".repeat(21), "boss"] {
        assert!(!check(&other, bad).await.available, "{bad}");
    }
    assert!(check(&other, &"汉".repeat(20)).await.available);

    // Joining one room after another on the same connection needs no new check, and nobody else can take the name in between.
    for room in ["tech", "general", "tech"] {
        let mut stay = Client::on(mine.clone(), PATH, None).await;
        stay.send(join("张三", room)).await;
        assert!(matches!(next_event(&mut stay).await, ClientEvent::Response(it) if it.success));
        assert!(!check(&other, "张三").await.available);
        stay.send(leave("张三", room)).await;
        assert_eq!(stay.ends().await.code(), Code::Ok);
        assert!(!check(&other, "张三").await.available);
    }
    drop(mine);
    assert!(check(&other, "张三").await.available);
}

#[tokio::test(start_paused = true)]
async fn a_join_is_answered_first_and_the_others_are_notified_with_the_count() {
    let server = Server::start();
    let mut ann = Client::open(&server, PATH).await;
    ann.send(join("ann", "tech")).await;
    let words = "欢迎来到房间 'tech'！当前在线人数: 1";
    assert_eq!(next_event(&mut ann).await, response(true, words));
    let mut ben = Client::open(&server, PATH).await;
    ben.send(join("ben", "tech")).await;
    let words = "欢迎来到房间 'tech'！当前在线人数: 2";
    assert_eq!(next_event(&mut ben).await, response(true, words));
    assert_eq!(
        next_event(&mut ann).await,
        ClientEvent::Joined(counted("ben", 2))
    );
    ben.send(says("大家好")).await;
    for client in [&mut ann, &mut ben] {
        let ClientEvent::Broadcast(Broadcast {
            sender_name, text, ..
        }) = next_event(client).await
        else {
            panic!("not a broadcast");
        };
        assert_eq!((&*sender_name, &*text), ("ben", "大家好"));
    }
    // Another user's name in a leave request is ignored, and a client that left receives nothing more.
    ben.send(leave("ann", "general")).await;
    assert_eq!(ben.ends().await.code(), Code::Ok);
    assert_eq!(
        next_event(&mut ann).await,
        ClientEvent::Left(counted("ben", 1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_failed_join_is_answered_and_ends_the_stream() {
    let server = Server::start();
    let _one = joins(&server, "one", "random").await;
    let _two = joins(&server, "two", "random").await;
    for (name, room, words) in [
        ("ann", "nowhere", "房间 'nowhere' 不存在"),
        ("ann", "", "房间 '' 不存在"),
        ("ann", "random", "房间 'random' 已满 (2/2)"),
        ("one", "tech", "用户名 'one' 已被占用"),
    ] {
        let mut client = Client::open(&server, PATH).await;
        client.send(join(name, room)).await;
        assert_eq!(next_event(&mut client).await, response(false, words));
        assert_eq!(client.ends().await.code(), Code::Ok);
    }
    for first in [
        says("hello"),
        leave("one", "random"),
        ClientMessage { event: None },
    ] {
        let mut client = Client::open(&server, PATH).await;
        client.send(first).await;
        assert_eq!(client.ends().await.code(), Code::Ok, "a join comes first");
    }
    let listed = rooms(&channel(&server).await).await;
    assert_eq!(listed[2], ("random".to_owned(), 2), "nobody was removed");
}

#[tokio::test(start_paused = true)]
async fn a_half_closed_call_stays_in_the_room_and_a_cancelled_one_leaves() {
    let server = Server::start();
    let mut ann = joins(&server, "ann", "tech").await;
    let mut ben = joins(&server, "ben", "tech").await;
    next_event(&mut ann).await;
    ben.half_closes();
    ann.send(says("still there?")).await;
    assert!(matches!(
        next_event(&mut ben).await,
        ClientEvent::Broadcast(_)
    ));
    next_event(&mut ann).await;
    drop(ben);
    assert_eq!(
        next_event(&mut ann).await,
        ClientEvent::Left(counted("ben", 1))
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_cannot_be_in_two_rooms_at_once() {
    let server = Server::start();
    let mine = channel(&server).await;
    let mut first = Client::on(mine.clone(), PATH, None).await;
    first.send(join("ann", "tech")).await;
    next_event(&mut first).await;
    let mut second = Client::on(mine, PATH, None).await;
    second.send(join("ann", "general")).await;
    assert_eq!(
        next_event(&mut second).await,
        response(false, "用户名 'ann' 已被占用")
    );
    first.send(says("mine")).await;
    assert!(matches!(
        next_event(&mut first).await,
        ClientEvent::Broadcast(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_private_message_is_marked() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut ben = joins(&server, "ben", "tech").await;
    ann.whispers("ben", "the token");
    let ClientEvent::Broadcast(line) = next_event(&mut ben).await else {
        panic!("not a broadcast");
    };
    assert_eq!(
        (&*line.sender_name, &*line.text),
        ("ann", "[私聊] the token")
    );
    ann.is_answered().await;
}
