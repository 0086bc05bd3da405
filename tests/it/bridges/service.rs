//! `service.v1.Service`, and the HTTP door to it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::Code;

use crate::support::foreign::Call;
use crate::support::foreign::service::{ChatReq, ChatRsp};
use crate::support::raw::channel;
use crate::support::server::{Server, config, memory};

pub type Client = Call<ChatReq, ChatRsp>;

pub fn named(name: &str) -> ChatReq {
    ChatReq { name: name.into() }
}

#[tokio::test(start_paused = true)]
async fn every_name_is_greeted_at_once_and_seen_in_the_room() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    for path in ["/service.v1.Service/Chat", "/service.v1.Service/ChatStream"] {
        let within = Some(Duration::from_secs(1));
        let mut client = Client::on(channel(&server).await, path, within).await;
        for n in 0..5 {
            client.ask(named(&format!("hello:{n}"))).await;
        }
        // All of them before the requests end.
        for n in 0..5 {
            assert_eq!(client.hears().await.message, format!("Hello hello:{n}"));
        }
        client.half_closes();
        assert_eq!(client.ends().await.code(), Code::Ok);
        for n in 0..5 {
            let entry = ann.sees("general", &format!("hello:{n}")).await;
            assert_eq!(entry.author.name, "stream");
        }
    }
    assert_eq!(server.log("general").await.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn several_streams_are_one_user_who_leaves_with_the_last() {
    let server = Server::start();
    let mut user = super::user::joins(&server, 1, "watcher").await;
    let path = "/service.v1.Service/Chat";
    let (mut one, mut two) = (
        Client::open(&server, path).await,
        Client::open(&server, path).await,
    );
    for client in [&mut one, &mut two] {
        client.ask(named("x")).await;
        client.hears().await;
    }
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(user.hears().await.message.unwrap().message_type);
    }
    assert_eq!(kinds, ["join", "text", "text"]);
    drop(one);
    assert!(user.is_quiet().await);
    two.half_closes();
    two.ends().await;
    assert_eq!(user.hears().await.message.unwrap().message_type, "leave");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_posted_is_greeted_all_the_same() {
    let server = Server::start();
    let mut client = Client::open(&server, "/service.v1.Service/Chat").await;
    for name in ["", "\u{7}", "fine"] {
        client.ask(named(name)).await;
        assert_eq!(client.hears().await.message, format!("Hello {name}"));
    }
    client.half_closes();
    assert_eq!(client.ends().await.code(), Code::Ok);
    assert_eq!(server.log("general").await, ["fine"]);
}

pub async fn get(server: &Server, path: &str) -> (String, String) {
    let mut io = server.dial().await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test(start_paused = true)]
async fn the_trigger_greets_after_five_requests_went_through_the_stream() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let (status, body) = get(&server, "/helloworld/%E5%BC%A0%E4%B8%89").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert_eq!(body, r#"{"message":"Hello 张三"}"#);
    for n in 0..5 {
        ann.sees("general", &format!("hello:{n}")).await;
    }
    for other in ["/helloworld", "/", "/helloworld/a/b", "/healthz"] {
        assert!(get(&server, other).await.0.contains("404"), "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_trigger_says_so_where_the_stream_is_not_served() {
    let mut config = config();
    config.bridges.service = false;
    let server = Server::with(config, memory());
    let (status, body) = get(&server, "/helloworld/ann").await;
    assert!(status.contains("503"), "{status}");
    let words = "the service is not reachable";
    let expected = format!(r#"{{"code":503,"reason":"","message":"{words}","metadata":{{}}}}"#);
    assert_eq!(body, expected);
}
