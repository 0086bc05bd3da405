//! Protobuf over WebSocket.

use std::time::Duration;

use prost::Message;
use tchat::client::pipe;
use tokio::time::Instant;

use crate::support::foreign::{BINARY, PING, PONG, Socket, TEXT, websocket};
use crate::support::server::Server;

/// What two say to each other, the notices of who comes and goes left out.
async fn said(socket: &mut Socket) -> (String, String) {
    loop {
        let line = socket.talk().await;
        if line.0 != "系统" {
            return line;
        }
    }
}

fn line(by: &str, text: &str) -> (String, String) {
    (by.into(), text.into())
}

#[tokio::test(start_paused = true)]
async fn talk_goes_to_all_under_the_name_of_the_handshake() {
    let server = Server::start();
    let mut zhang = Socket::enter(&server, "张三").await;
    // He is in before the other is, if he hears himself.
    zhang.says("first").await;
    assert_eq!(zhang.talk().await, line("张三", "first"));
    let mut li = Socket::enter(&server, "李四").await;
    assert_eq!(zhang.talk().await, line("系统", "李四 加入了聊天室"));
    li.says("大家好").await;
    for socket in [&mut zhang, &mut li] {
        assert_eq!(socket.talk().await, line("李四", "大家好"));
    }
    li.asks("exit", "").await;
    assert_eq!(li.closes().await, 1000);
    assert_eq!(zhang.talk().await, line("系统", "李四 离开了聊天室"));
}

#[tokio::test(start_paused = true)]
async fn long_text_in_text_frames_is_read_and_answered_in_kind() {
    let server = Server::start();
    let mut zhang = Socket::enter(&server, "张三").await;
    // From 128 bytes on its length makes the frame no valid text.
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
        "whoever sends it gets it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_user_list_goes_to_the_one_who_asks_and_has_nothing_else_set() {
    let server = Server::start();
    let _ann = server.joins("ann").await;
    let mut zhang = Socket::enter(&server, "张三").await;
    let mut li = Socket::enter(&server, "李四").await;
    zhang.talk().await;
    zhang.asks("userlist", "").await;
    let list = zhang.hears().await;
    assert_eq!(
        (&*list.kind, &*list.user_name, &*list.content),
        ("", "", "")
    );
    let mut names: Vec<_> = list.user_list.into_iter().collect();
    names.sort();
    let expected = ["ann", "张三", "李四"].map(|name| line(name, name));
    assert_eq!(names, expected);
    li.says("only talk here").await;
    assert_eq!(li.talk().await, line("李四", "only talk here"));
}

#[tokio::test(start_paused = true)]
async fn without_a_name_one_is_given_and_a_bad_or_taken_one_is_closed_with_a_notice() {
    let server = Server::start();
    let nameless = async || {
        let io = pipe(server.dial().await);
        Socket::shake(io, b"").await.unwrap()
    };
    let (mut one, mut two) = (nameless().await, nameless().await);
    one.says("hello").await;
    let (first, _) = said(&mut one).await;
    two.says("hello").await;
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
        let (by, words) = refused.talk().await;
        assert_eq!(by, "系统");
        assert!(words.contains("用户名"), "{words}");
        assert_eq!(refused.closes().await, 1008);
    }
    let io = pipe(server.dial().await);
    let mut refused = Socket::shake(io, b"username: \xff\xfe\r\n").await.unwrap();
    assert!(
        refused.talk().await.1.contains("用户名"),
        "no UTF-8, no name"
    );
    assert_eq!(refused.closes().await, 1008);
}

#[tokio::test(start_paused = true)]
async fn it_pings_every_54_seconds_and_only_pongs_keep_it() {
    let server = Server::start();
    let began = Instant::now();
    let mut alive = Socket::enter(&server, "alive").await;
    let mut pings = 0;
    while began.elapsed() < Duration::from_secs(130) {
        let next = tokio::time::timeout(Duration::from_secs(20), alive.any_frame());
        if let Ok(frame) = next.await {
            let (PING, payload) = frame.expect("the connection goes on") else {
                continue;
            };
            pings += 1;
            assert!(payload.is_empty());
            assert_eq!(began.elapsed().as_secs(), 54 * pings);
            alive.send(PONG, &payload).await;
        }
    }
    assert_eq!(pings, 2);
    alive.says("here").await;
    assert_eq!(said(&mut alive).await, line("alive", "here"));

    let began = Instant::now();
    let mut mute = Socket::enter(&server, "mute").await;
    mute.pongs = false;
    let mut spoke = 0;
    loop {
        // What it says counts for nothing.
        mute.says("talking is no pong").await;
        spoke += 1;
        let next = tokio::time::timeout(Duration::from_secs(5), async {
            while mute.frame().await.is_some() {}
        });
        if next.await.is_ok() {
            break;
        }
    }
    assert_eq!(began.elapsed().as_secs(), 60, "after {spoke} messages");
    let told = alive.talk().await;
    assert_eq!(told, line("系统", "mute 加入了聊天室"));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_closed_with_the_right_code() {
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
    // Too long to say is not too long to read.
    watcher.says(&"x".repeat(8193)).await;
    let refused = loop {
        let (by, words) = watcher.talk().await;
        if by == "系统" && words.contains("太长") {
            break words;
        }
    };
    assert!(refused.contains("8192"), "{refused}");
    watcher.asks("dance", "").await;
    assert!(watcher.talk().await.1.contains("无法识别"));
    watcher.says("still here").await;
    assert_eq!(said(&mut watcher).await.1, "still here");
}

#[tokio::test(start_paused = true)]
async fn pages_of_other_origins_and_requests_that_are_no_handshake_are_turned_away() {
    let server = Server::start();
    let shake = async |header: &'static [u8]| {
        let io = pipe(server.dial().await);
        Socket::shake(io, header).await.map(drop)
    };
    let evil = shake(b"Origin: http://evil.example.org\r\n").await;
    assert!(evil.unwrap_err().contains("403"));
    assert!(shake(b"Origin: http://chat.example.org\r\n").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_private_message_is_marked_and_a_drain_says_so() {
    let mut server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut zhang = Socket::enter(&server, "张三").await;
    zhang.says("here").await;
    zhang.talk().await;
    ann.whispers("张三", "the token");
    assert_eq!(zhang.talk().await, line("ann", "[私聊] the token"));
    let closing = tokio::spawn(async move { zhang.closes().await });
    server.stops().await.unwrap();
    assert_eq!(closing.await.unwrap(), 1001);
}

#[tokio::test(start_paused = true)]
async fn whoever_has_shaken_hands_is_in_the_room() {
    let server = Server::start();
    let mut talker = Socket::enter(&server, "talker").await;
    for n in 0..20 {
        let name = format!("new{n}");
        let mut new = Socket::enter(&server, &name).await;
        // Neither waits for anything: what is said now is heard, and the list has both.
        talker.says(&format!("line {n}")).await;
        new.asks("userlist", "").await;
        let (mut has_heard, mut is_listed) = (false, false);
        while !(has_heard && is_listed) {
            let heard = new.hears().await;
            has_heard |= heard.content == format!("line {n}");
            if !heard.user_list.is_empty() {
                assert!(heard.user_list.contains_key(&name), "round {n}");
                is_listed = true;
            }
        }
        // And by name.
        talker.says(&format!("@{name} psst")).await;
        while new.talk().await.1 != "[私聊] psst" {}
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_with_the_handshake_is_said_once_it_is_done() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut eager = Socket::enter(&server, "eager").await;
    // As soon as the answer is there, many at once.
    for n in 0..30 {
        eager.says(&n.to_string()).await;
    }
    ann.sees("general", "29").await;
    let expected: Vec<String> = (0..30).map(|n| n.to_string()).collect();
    assert_eq!(server.log("general").await, expected);
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_while_shaking_hands_leaves_nobody_behind() {
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
    // The name is free, and nobody else is there.
    let mut ghost = Socket::enter(&server, "ghost").await;
    ghost.asks("userlist", "").await;
    let listed = loop {
        let heard = ghost.hears().await;
        if !heard.user_list.is_empty() {
            break heard.user_list.len();
        }
    };
    assert_eq!(listed, 2);
    talker.says("still here").await;
    while said(&mut ghost).await.1 != "still here" {}
}
