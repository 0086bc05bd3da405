//! Rules that hold for every bridge, and the services beside them: health, reflection and metrics.

use std::collections::BTreeSet;
use std::time::Duration;

use prost::Message;
use tchat::chat::{Body, Limit, Role};
use tchat::client::{AdminRequest, DisconnectReason, call_as_host};
use tchat::server::Switch;
use tchat::server::listen::Peer;
use tchat::server::store::{PageLimit, Span};
use tokio::time::sleep;
use tonic::Code;

use super::service::{get, http};
use super::{chat, gochat, user};
use crate::support::bridge_clients::{Call, Socket, service, unary};
use crate::support::raw_client::{channel, channel_over};
use crate::support::server::{Server, config, loopback, memory};

#[tokio::test(start_paused = true)]
async fn an_unknown_or_disabled_method_is_unimplemented() {
    let server = Server::start();
    let channel = channel(&server).await;
    for path in [
        "/user.UserService/GetUser",
        "/user.UserService/CreateUser",
        "/gochat.ChatService/ListRooms",
        "/nowhere.Service/Chat",
    ] {
        let answer = unary::<service::ChatReq, service::ChatRsp>(
            &channel,
            path,
            service::ChatReq::default(),
        );
        assert_eq!(
            answer.await.unwrap_err().code(),
            Code::Unimplemented,
            "{path}"
        );
    }
    let mut config = config();
    config.bridges = config.bridges.without(tchat::chat::Bridge::Gochat);
    let server = Server::with(config, memory());
    let channel = crate::support::raw_client::channel(&server).await;
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<service::ChatReq, service::ChatRsp>::default();
    let path = http::uri::PathAndQuery::from_static(gochat::PATH);
    let none = tonic::Request::new(futures::stream::pending());
    let answer = grpc.streaming(none, path, codec).await;
    assert_eq!(
        answer.unwrap_err().code(),
        Code::Unimplemented,
        "switched off"
    );
}

#[derive(Clone, PartialEq, Message)]
struct HealthRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct HealthResponse {
    #[prost(int32, tag = "1")]
    status: i32,
}

#[tokio::test(start_paused = true)]
async fn a_health_watch_stays_open() {
    let server = Server::start();
    let mut grpc = tonic::client::Grpc::new(channel(&server).await);
    grpc.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<HealthRequest, HealthResponse>::default();
    let path = http::uri::PathAndQuery::from_static("/grpc.health.v1.Health/Watch");
    let request = tonic::Request::new(HealthRequest::default());
    let answer = grpc.server_streaming(request, path, codec).await.unwrap();
    let mut watch = answer.into_inner();
    let first = watch.message().await.unwrap().unwrap();
    assert_eq!(first.status, 1, "serving");
    let change = tokio::time::timeout(Duration::from_secs(120), watch.message());
    assert!(change.await.is_err(), "no end and no change");
}

#[derive(Clone, PartialEq, Message)]
struct ReflectionRequest {
    #[prost(string, tag = "7")]
    list_services: String,
}

#[derive(Clone, PartialEq, Message)]
struct ReflectionResponse {
    #[prost(message, optional, tag = "6")]
    listed: Option<Services>,
}

#[derive(Clone, PartialEq, Message)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    services: Vec<Service>,
}

#[derive(Clone, PartialEq, Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
}

#[tokio::test(start_paused = true)]
async fn reflection_lists_the_enabled_services() {
    let mut config = config();
    config.reflection = Switch::On;
    config.bridges = config.bridges.without(tchat::chat::Bridge::User);
    let server = Server::with(config, memory());
    for path in [
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ] {
        let mut call: Call<ReflectionRequest, ReflectionResponse> = Call::open(&server, path).await;
        let list_services = "*".to_owned();
        call.send(ReflectionRequest { list_services }).await;
        let listed = call.receives().await.listed.unwrap().services;
        let names: BTreeSet<String> = listed.into_iter().map(|it| it.name).collect();
        for expected in [
            "tchat.v1.ChatService",
            "grpc.health.v1.Health",
            "gochat.ChatService",
            "chat.ChatService",
            "service.v1.Service",
        ] {
            assert!(names.contains(expected), "{names:?}");
        }
        assert!(!names.contains("user.UserService"), "it is disabled");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_a_bridge_cannot_handle_are_counted() {
    let server = Server::start();
    let mut user = user::joins(&server, 7, "u").await;
    for action in ["dance", "message", "sing"] {
        user.send(user::request(7, "u", action, "la")).await;
    }
    user.receives().await;
    user.send(user::request(7, "u", "message", "done")).await;
    user.receives().await;
    let (head, counted) = get(&server, "/metrics").await;
    assert!(head.contains("200"), "{head}");
    for line in [
        "tchat_bridge_dropped_total{bridge=\"user\"} 2",
        "tchat_sessions 1",
    ] {
        assert!(counted.lines().any(|it| it == line), "{counted}");
    }
    let mut config = config();
    config.metrics = Switch::Off;
    let server = Server::with(config, memory());
    assert!(get(&server, "/metrics").await.0.contains("404"));
}

#[tokio::test(start_paused = true)]
async fn a_guest_gets_no_message_from_before_they_joined() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    ann.sends("general", "before");
    ann.is_answered().await;
    let mut user = user::joins(&server, 7, "u").await;
    let mut gochat = gochat::joins(&server, "g").await;
    let mut chat = chat::joins(&server, "c", "general").await;
    let mut socket = Socket::enter(&server, "w").await;
    // The socket is in the room once it receives its own message.
    socket.sends_text("w is in").await;
    ann.sees("general", "w is in").await;
    ann.sends("general", "after");
    let mut heard = Vec::new();
    while !heard.contains(&"after".to_owned()) {
        heard.push(user.receives().await.message.unwrap().content);
    }
    while heard.last().is_none_or(|it| it != "after gochat") {
        let text = gochat.receives().await.content;
        let is_last = text == "after";
        heard.push(text);
        if is_last {
            heard.push("after gochat".into());
        }
    }
    loop {
        if let chat::ClientEvent::Broadcast(line) = chat::next_event(&mut chat).await {
            let now = std::time::SystemTime::now();
            let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            let at = u64::try_from(line.timestamp).unwrap();
            assert!(now.abs_diff(at) < 100, "seconds: {at}");
            let is_last = line.text == "after";
            heard.push(line.text);
            if is_last {
                break;
            }
        }
    }
    while heard.last().is_none_or(|it| it != "after socket") {
        let (_, text) = socket.chat_message().await;
        let is_last = text == "after";
        heard.push(text);
        if is_last {
            heard.push("after socket".into());
        }
    }
    assert!(!heard.contains(&"before".to_owned()), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_skips_messages_and_gets_one_notice() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut slow = Socket::enter(&server, "slow").await;
    slow.sends_text("here").await;
    ann.sees("general", "here").await;
    let long = "x".repeat(1000);
    for n in 0..4000 {
        ann.sends("general", &format!("{n} {long}"));
        if n % 200 == 199 {
            ann.is_answered().await;
        }
    }
    let (mut seen, mut notices) = (Vec::new(), 0);
    while seen.last() != Some(&3999) {
        let (by, text) = slow.chat_message().await;
        if by == "系统" && text.contains("跳过了") {
            notices += 1;
        } else if by == "ann" {
            let number = text.split(' ').next().unwrap();
            seen.push(number.parse::<u32>().unwrap());
        }
    }
    assert_eq!(notices, 1);
    assert!(seen.is_sorted() && seen.len() < 3000, "{} seen", seen.len());
    let gaps = seen.windows(2).filter(|pair| pair[1] != pair[0] + 1);
    assert_eq!(gaps.count(), 1, "one skip, and nothing else missing");
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_calls_as_unavailable_and_stores_that_the_guests_left() {
    let store = memory();
    let mut server = Server::with(config(), std::sync::Arc::clone(&store));
    let mut user = user::joins(&server, 7, "u").await;
    // A client that has not registered yet gets the status as well.
    let mut silent = gochat::Client::open(&server, gochat::PATH).await;
    let ends = tokio::spawn(async move { (user.ends().await.code(), silent.ends().await.code()) });
    server.stops().await.unwrap();
    assert_eq!(ends.await.unwrap(), (Code::Unavailable, Code::Unavailable));
    assert!(store.guests().await.unwrap().is_empty());
    let room = store.named_rooms().await.unwrap()[0].id;
    let page = store.page(
        room,
        Span::Before(tchat::chat::Seq(u64::MAX)),
        PageLimit::PAGE,
    );
    let bodies: Vec<Body> = page.await.unwrap().into_iter().map(|it| it.body).collect();
    assert_eq!(
        bodies,
        [Body::Created, Body::Joined(Role::Member), Body::Left]
    );
}

#[tokio::test(start_paused = true)]
async fn a_guest_who_drops_and_returns_at_once_gets_their_name_back() {
    let server = Server::start();
    for _ in 0..20 {
        // Each join is welcomed, or this would fail here.
        drop(user::joins(&server, 7, "u").await);
    }
    for n in 0..20 {
        let mut socket = Socket::enter(&server, "w").await;
        socket.sends_text("here").await;
        loop {
            let (by, text) = socket.chat_message().await;
            assert!(!text.contains("占用"), "round {n}");
            if by == "w" {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rejoining_does_not_reset_the_rate_limit() {
    let mut config = config();
    (config.hub.limits.burst, config.hub.limits.per_second) = (10, 10);
    let server = Server::with(config, memory());
    let mine = channel(&server).await;
    let began = tokio::time::Instant::now();
    for _ in 0..10 {
        let mut stay: chat::Client = Call::on(mine.clone(), chat::PATH, None).await;
        stay.send(chat::join("c", "tech")).await;
        chat::next_event(&mut stay).await;
        for n in 0..5 {
            stay.send(chat::says(&n.to_string())).await;
            chat::next_event(&mut stay).await;
        }
        stay.send(chat::leave("c", "tech")).await;
        stay.ends().await;
    }
    let took = began.elapsed().as_secs_f64();
    assert!(took >= 4.5, "60 requests in {took} s");
}

#[tokio::test(start_paused = true)]
async fn guests_who_join_at_the_same_moment_all_see_each_other() {
    const CROWD: i64 = 20;
    let server = Server::start();
    let mut clients = Vec::new();
    for n in 1..=CROWD {
        let client = user::Client::open(&server, user::PATH).await;
        client
            .send(user::request(n, &format!("p{n}"), "join", ""))
            .await;
        clients.push(client);
    }
    // Each client is welcomed and learns of all the others, either from the count in the welcome or from a later join.
    for client in &mut clients {
        let welcome = client.receives().await;
        assert_eq!(welcome.status, "joined");
        let mut count = i64::from(welcome.online_users);
        while count < CROWD {
            let told = client.receives().await;
            assert_eq!(told.message.unwrap().message_type, "join");
            count += 1;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_web_page_using_dns_rebinding_cannot_read_anything() {
    let server = Server::start();
    let metrics = |target: &str, hosts: &[&str]| {
        let hosts = hosts.iter().map(|it| format!("Host: {it}\r\n"));
        let hosts = hosts.collect::<Vec<_>>().concat();
        format!("GET {target} HTTP/1.1\r\n{hosts}\r\n")
    };
    let cases: [(&str, &[&str], &str); 9] = [
        ("/metrics", &["localhost:50051"], "200"),
        ("/metrics", &["127.0.0.1:50051"], "200"),
        ("/metrics", &["[::1]:50051"], "200"),
        ("/metrics", &["chat.example.org"], "200"),
        ("/metrics", &["evil.example:50051"], "403"),
        ("/metrics", &["localhost.evil.example"], "403"),
        ("/metrics", &["localhost", "evil.example"], "403"),
        ("http://evil.example/metrics", &["localhost"], "403"),
        ("http://localhost/metrics", &["evil.example"], "403"),
    ];
    for (target, hosts, status) in cases {
        let request = metrics(target, hosts);
        let (line, body) = http(&server, request.as_bytes()).await;
        assert!(line.contains(status), "{request}{line}");
        assert_eq!(body.contains("tchat_sessions"), status == "200");
    }
}

#[tokio::test(start_paused = true)]
async fn a_web_page_using_dns_rebinding_cannot_join_a_room() {
    let server = Server::start();
    // The WebSocket endpoint too, although the origin equals the host.
    let socket = b"GET /ws HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    assert!(http(&server, socket).await.0.contains("403"));
    // And gRPC, which web pages can use only over HTTP/1.
    for path in [
        chat::PATH,
        "/chat.ChatService/ListRooms",
        user::PATH,
        gochat::PATH,
        "/tchat.v1.ChatService/Chat",
    ] {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/grpc\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0"
        );
        let (line, _) = http(&server, request.as_bytes()).await;
        assert!(line.contains("505"), "{path}: {line}");
    }
    assert_eq!(chat::rooms(&channel(&server).await).await[0].1, 0);
}

#[tokio::test(start_paused = true)]
async fn a_guest_who_waits_for_a_limit_is_kicked_at_once() {
    let mut config = config();
    config.hub.quotas.set(Limit::StrangerBytes, 1);
    let server = Server::with(config, memory());
    let pipe = server.dial_from(loopback(2)).await;
    let mut guest = gochat::Client::on(channel_over(pipe).await, gochat::PATH, None).await;
    let line = "x".repeat(8_000);
    // More than a MiB. The rest would have to wait for hours.
    for _ in 0..160 {
        guest.send(gochat::message("guest", "", &line)).await;
    }
    sleep(Duration::from_mins(5)).await;
    let entries = server.log("general").await.len();
    assert!((100..159).contains(&entries), "{entries}");
    let kick = AdminRequest::Kick {
        name: "guest".into(),
        reason: String::new(),
    };
    let connector = server.connector_from(Peer::Socket);
    let kicked: Result<_, DisconnectReason> = call_as_host(connector, kick).await;
    kicked.unwrap().unwrap();
    let notice = guest.receives().await;
    assert!(notice.content.contains("消息没有发送"), "{notice:?}");
    guest.ends().await;
}
