//! The WebSocket bridge: protobuf messages in WebSocket frames.

use std::time::Duration;

use prost::Message;
use tchat::client::boxed_stream;
use tokio::time::Instant;

use crate::support::bridge_clients::{BINARY, PING, PONG, Socket, TEXT, websocket};
use crate::support::server::Server;

/// The next message by a person, skipping the system's join and leave notices.
async fn said(socket: &mut Socket) -> (String, String) {
    loop {
        let line = socket.chat_message().await;
        if line.0 != "系统" {
            return line;
        }
    }
}

fn line(by: &str, text: &str) -> (String, String) {
    (by.into(), text.into())
}

#[tokio::test(start_paused = true)]
async fn a_message_goes_to_all_under_the_name_from_the_handshake() {
    let server = Server::start();
    let mut zhang = Socket::enter(&server, "张三").await;
    // Receiving his own message proves that he is in the room before the other joins.
    zhang.sends_text("first").await;
    assert_eq!(zhang.chat_message().await, line("张三", "first"));
    let mut li = Socket::enter(&server, "李四").await;
    assert_eq!(
        zhang.chat_message().await,
        line("系统", "李四 加入了聊天室")
    );
    li.sends_text("大家好").await;
    for socket in [&mut zhang, &mut li] {
        assert_eq!(socket.chat_message().await, line("李四", "大家好"));
    }
    li.sends_request("exit", "").await;
    assert_eq!(li.closes().await, 1000);
    assert_eq!(
        zhang.chat_message().await,
        line("系统", "李四 离开了聊天室")
    );
}

#[tokio::test(start_paused = true)]
async fn long_protobuf_in_text_frames_is_read_and_answered_in_binary() {
    let server = Server::start();
    let mut zhang = Socket::enter(&server, "张三").await;
    // From 128 bytes on, the length prefix makes the payload invalid UTF-8.
    for length in [1, 127, 128, 200, 8192] {
        let text = "x".repeat(length);
        let request = websocket::ChatRoomRequest {
            kind: "talk".into(),
            content: text.clone(),
            ..Default::default()
        };
        let bytes = request.encode_to_vec();
        zhang.send(TEXT, &bytes).await;
        let (first, payload) = zhang.frame().await.unwrap();
        let is_text = std::str::from_utf8(&payload).is_ok();
        assert_eq!(first, if is_text { TEXT } else { BINARY }, "{length}");
        assert_eq!(is_text, length < 128, "{length}");
        let heard = websocket::ChatRoomRequest::decode(&payload[..]).unwrap();
        assert_eq!(heard.content, text);
    }
    let request = websocket::ChatRoomRequest {
        kind: "talk".into(),
        content: "binary".into(),
        ..Default::default()
    };
    zhang.send(BINARY, &request.encode_to_vec()).await;
    assert_eq!(
        zhang.frame().await.unwrap().0,
        BINARY,
        "a binary request is answered in binary"
    );
}

#[tokio::test(start_paused = true)]
async fn a_user_list_goes_only_to_the_one_who_asked() {
    let server = Server::start();
    let _ann = server.joins("ann").await;
    let mut zhang = Socket::enter(&server, "张三").await;
    let mut li = Socket::enter(&server, "李四").await;
    zhang.chat_message().await;
    zhang.sends_request("userlist", "").await;
    let list = zhang.receives().await;
    assert_eq!(
        (&*list.kind, &*list.user_name, &*list.content),
        ("", "", "")
    );
    let mut names: Vec<_> = list.user_list.into_iter().collect();
    names.sort();
    let expected = ["ann", "张三", "李四"].map(|name| line(name, name));
    assert_eq!(names, expected);
    li.sends_text("only talk here").await;
    assert_eq!(li.chat_message().await, line("李四", "only talk here"));
}

#[tokio::test(start_paused = true)]
async fn a_missing_name_is_assigned_and_an_invalid_or_taken_one_is_refused_with_a_notice() {
    let server = Server::start();
    let nameless = async || {
        let io = boxed_stream(server.dial().await);
        Socket::handshake(io, b"").await.unwrap()
    };
    let (mut one, mut two) = (nameless().await, nameless().await);
    one.sends_text("hello").await;
    let (first, _) = said(&mut one).await;
    two.sends_text("hello").await;
    let (second, _) = loop {
        let line = said(&mut two).await;
        if line.0 != first {
            break line;
        }
    };
    assert!(first.starts_with("guest") && second.starts_with("guest") && first != second);
    for name in [
        &first,
        "a b",
        "系统",
        "stream",
        "\u{202e}x",
        &"x".repeat(33),
    ] {
        let mut refused = Socket::enter(&server, name).await;
        let (by, words) = refused.chat_message().await;
        assert_eq!(by, "系统");
        assert!(words.contains("用户名"), "{words}");
        assert_eq!(refused.closes().await, 1008);
    }
    let io = boxed_stream(server.dial().await);
    let mut refused = Socket::handshake(io, b"username: \xff\xfe\r\n")
        .await
        .unwrap();
    assert!(
        refused.chat_message().await.1.contains("用户名"),
        "the name is not UTF-8"
    );
    assert_eq!(refused.closes().await, 1008);
}

#[tokio::test(start_paused = true)]
async fn it_pings_every_54_seconds_and_closes_without_a_pong() {
    let server = Server::start();
    let began = Instant::now();
    let mut alive = Socket::enter(&server, "alive").await;
    let mut pings = 0;
    while began.elapsed() < Duration::from_secs(130) {
        let next = tokio::time::timeout(Duration::from_secs(20), alive.any_frame());
        if let Ok(frame) = next.await {
            let (PING, payload) = frame.expect("the connection stays open") else {
                continue;
            };
            pings += 1;
            assert!(payload.is_empty());
            assert_eq!(began.elapsed().as_secs(), 54 * pings);
            alive.send(PONG, &payload).await;
        }
    }
    assert_eq!(pings, 2);
    alive.sends_text("here").await;
    assert_eq!(said(&mut alive).await, line("alive", "here"));

    let began = Instant::now();
    let mut mute = Socket::enter(&server, "mute").await;
    mute.answers_pings = false;
    let mut spoke = 0;
    loop {
        // Messages do not count as pongs.
        mute.sends_text("a message is not a pong").await;
        spoke += 1;
        let next = tokio::time::timeout(Duration::from_secs(5), async {
            while mute.frame().await.is_some() {}
        });
        if next.await.is_ok() {
            break;
        }
    }
    assert_eq!(began.elapsed().as_secs(), 60, "after {spoke} messages");
    let told = alive.chat_message().await;
    assert_eq!(told, line("系统", "mute 加入了聊天室"));
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_frame_closes_with_the_right_code() {
    let server = Server::start();
    let mut watcher = Socket::enter(&server, "watcher").await;
    for (name, first, payload, code) in [
        ("garbage", BINARY, vec![0xff; 10], 1007),
        ("toolong", TEXT, vec![b'x'; 64 * 1024 + 1], 1009),
        ("reserved", 0xf1, b"x".to_vec(), 1002),
        ("notbegun", 0x80, b"x".to_vec(), 1002),
    ] {
        let mut bad = Socket::enter(&server, name).await;
        bad.send(first, &payload).await;
        assert_eq!(bad.closes().await, code, "{name}");
    }
    // A message over the size limit is refused, but the frame is accepted.
    watcher.sends_text(&"x".repeat(8193)).await;
    let refused = loop {
        let (by, words) = watcher.chat_message().await;
        if by == "系统" && words.contains("太长") {
            break words;
        }
    };
    assert!(refused.contains("8192"), "{refused}");
    watcher.sends_request("dance", "").await;
    assert!(watcher.chat_message().await.1.contains("无法识别"));
    watcher.sends_text("still here").await;
    assert_eq!(said(&mut watcher).await.1, "still here");
}

#[tokio::test(start_paused = true)]
async fn pages_of_other_origins_are_refused() {
    let server = Server::start();
    let shake = async |header: &'static [u8]| {
        let io = boxed_stream(server.dial().await);
        Socket::handshake(io, header).await.map(drop)
    };
    let evil = shake(b"Origin: http://evil.example.org\r\n").await;
    assert!(evil.unwrap_err().contains("403"));
    assert!(shake(b"Origin: http://chat.example.org\r\n").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_private_message_is_marked_and_a_drain_closes_with_1001() {
    let mut server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut zhang = Socket::enter(&server, "张三").await;
    zhang.sends_text("here").await;
    zhang.chat_message().await;
    ann.whispers("张三", "the token");
    assert_eq!(zhang.chat_message().await, line("ann", "[私聊] the token"));
    let closing = tokio::spawn(async move { zhang.closes().await });
    server.stops().await.unwrap();
    assert_eq!(closing.await.unwrap(), 1001);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_in_the_room_once_the_handshake_is_done() {
    let server = Server::start();
    let mut talker = Socket::enter(&server, "talker").await;
    for n in 0..20 {
        let name = format!("new{n}");
        let mut new = Socket::enter(&server, &name).await;
        // There is no waiting: a message posted now is received, and the user list has both.
        talker.sends_text(&format!("line {n}")).await;
        new.sends_request("userlist", "").await;
        let (mut has_heard, mut is_listed) = (false, false);
        while !(has_heard && is_listed) {
            let heard = new.receives().await;
            has_heard |= heard.content == format!("line {n}");
            if !heard.user_list.is_empty() {
                assert!(heard.user_list.contains_key(&name), "round {n}");
                is_listed = true;
            }
        }
        // Private messages by name work too.
        talker.sends_text(&format!("@{name} psst")).await;
        while new.chat_message().await.1 != "[私聊] psst" {}
    }
}

#[tokio::test(start_paused = true)]
async fn messages_sent_right_after_the_handshake_are_all_posted() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut eager = Socket::enter(&server, "eager").await;
    // Many messages, sent as soon as the handshake was answered.
    for n in 0..30 {
        eager.sends_text(&n.to_string()).await;
    }
    ann.sees("general", "29").await;
    let expected: Vec<String> = (0..30).map(|n| n.to_string()).collect();
    assert_eq!(server.log("general").await, expected);
}

#[tokio::test(start_paused = true)]
async fn an_aborted_handshake_leaves_no_ghost() {
    use tokio::io::AsyncWriteExt;
    let server = Server::start();
    let mut talker = Socket::enter(&server, "talker").await;
    for _ in 0..10 {
        let mut io = server.dial().await;
        let request = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nusername: ghost\r\n\r\n";
        io.write_all(request).await.unwrap();
        drop(io);
    }
    // The name is free, and no ghost is in the list.
    let mut ghost = Socket::enter(&server, "ghost").await;
    ghost.sends_request("userlist", "").await;
    let listed = loop {
        let heard = ghost.receives().await;
        if !heard.user_list.is_empty() {
            break heard.user_list.len();
        }
    };
    assert_eq!(listed, 2);
    talker.sends_text("still here").await;
    while said(&mut ghost).await.1 != "still here" {}
}
