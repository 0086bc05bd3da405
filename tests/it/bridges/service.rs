//! The `service.v1.Service` bridge and its HTTP trigger.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::Code;

use crate::support::bridge_clients::Call;
use crate::support::bridge_clients::service::{ChatReq, ChatRsp};
use crate::support::raw_client::channel;
use crate::support::server::{Server, config, memory};

pub type Client = Call<ChatReq, ChatRsp>;

pub fn named(name: &str) -> ChatReq {
    ChatReq { name: name.into() }
}

#[tokio::test(start_paused = true)]
async fn every_name_is_greeted_at_once_and_posted_in_the_room() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    for path in ["/service.v1.Service/Chat", "/service.v1.Service/ChatStream"] {
        let within = Some(Duration::from_secs(1));
        let mut client = Client::on(channel(&server).await, path, within).await;
        for n in 0..5 {
            client.send(named(&format!("hello:{n}"))).await;
        }
        // All answers arrive before the requests end.
        for n in 0..5 {
            assert_eq!(client.receives().await.message, format!("Hello hello:{n}"));
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
async fn several_streams_are_one_user_who_leaves_with_the_last_stream() {
    let server = Server::start();
    let mut user = super::user::joins(&server, 1, "watcher").await;
    let path = "/service.v1.Service/Chat";
    let (mut one, mut two) = (
        Client::open(&server, path).await,
        Client::open(&server, path).await,
    );
    for client in [&mut one, &mut two] {
        client.send(named("x")).await;
        client.receives().await;
    }
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.push(user.receives().await.message.unwrap().message_type);
    }
    assert_eq!(kinds, ["join", "text", "text"]);
    drop(one);
    assert!(user.is_quiet().await);
    two.half_closes();
    two.ends().await;
    assert_eq!(user.receives().await.message.unwrap().message_type, "leave");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_cannot_be_posted_is_still_greeted() {
    let server = Server::start();
    let mut client = Client::open(&server, "/service.v1.Service/Chat").await;
    for name in ["", "\u{7}", "fine"] {
        client.send(named(name)).await;
        assert_eq!(client.receives().await.message, format!("Hello {name}"));
    }
    client.half_closes();
    assert_eq!(client.ends().await.code(), Code::Ok);
    assert_eq!(server.log("general").await, ["fine"]);
}

pub async fn get(server: &Server, path: &str) -> (String, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    http(server, request.as_bytes()).await
}

/// Sends raw request bytes; returns the status line and the body.
pub async fn http(server: &Server, request: &[u8]) -> (String, String) {
    let mut io = server.dial().await;
    io.write_all(request).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test(start_paused = true)]
async fn the_trigger_greets_and_posts_one_line() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let (status, body) = get(&server, "/helloworld/%E5%BC%A0%E4%B8%89").await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    assert_eq!(body, r#"{"message":"Hello 张三"}"#);
    let entry = ann.sees("general", "Hello 张三").await;
    assert_eq!(entry.author.name, "stream");
    assert_eq!(server.log("general").await.len(), 1, "one line per trigger");
    for other in ["/helloworld", "/", "/helloworld/a/b", "/healthz"] {
        assert!(get(&server, other).await.0.contains("404"), "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_trigger_answers_503_when_the_stream_is_disabled() {
    let mut config = config();
    config.bridges = config.bridges.without(tchat::chat::Bridge::Service);
    let server = Server::with(config, memory());
    let (status, body) = get(&server, "/helloworld/ann").await;
    assert!(status.contains("503"), "{status}");
    let words = "the service is not reachable";
    let expected = format!(r#"{{"code":503,"reason":"","message":"{words}","metadata":{{}}}}"#);
    assert_eq!(body, expected);
}

/// Calls the trigger `count` times at once.
async fn burst(server: &Server, count: usize) {
    let pulls = (0..count).map(|n| async move {
        let (status, body) = get(server, &format!("/helloworld/p{n}")).await;
        assert!(status.contains("200"), "{status}");
        assert_eq!(body, format!(r#"{{"message":"Hello p{n}"}}"#));
    });
    futures::future::join_all(pulls).await;
}

/// The number of people that the greeting lines name or count.
fn greeted(lines: &[String]) -> usize {
    let of = |line: &String| {
        let names = line.strip_prefix("Hello ").expect("a greeting");
        let (names, more) = names.split_once(" and ").unwrap_or((names, "0 more"));
        let more = more.trim_end_matches(" more").parse::<usize>().unwrap();
        names.split(", ").count() + more
    };
    lines.iter().map(of).sum()
}

#[tokio::test(start_paused = true)]
async fn each_trigger_of_a_burst_posts_a_line_at_once_without_joins_or_leaves() {
    // The rate limit for people does not delay triggers.
    let mut config = config();
    config.hub.limits = tchat::chat::Limits::default();
    let server = Server::with(config, memory());
    let mut user = super::user::joins(&server, 1, "watcher").await;
    let began = tokio::time::Instant::now();
    burst(&server, 100).await;
    let mut lines = Vec::new();
    while lines.len() < 100 {
        let message = user.receives().await.message.unwrap();
        assert_eq!(message.message_type, "text", "no joins or leaves");
        assert_eq!(message.username, "stream");
        lines.push(message.content);
    }
    assert!(began.elapsed() < Duration::from_secs(1), "no line is late");
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 100, "no line is lost or duplicated");
    assert!(user.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_triggers_is_combined_into_fewer_lines_that_count_everybody() {
    let mut config = config();
    config.hub.limits = tchat::chat::Limits::default();
    let server = Server::with(config, memory());
    burst(&server, 500).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let lines = server.log("general").await;
    assert!(lines.len() < 150, "{} lines", lines.len());
    assert_eq!(greeted(&lines), 500);
}

#[tokio::test(start_paused = true)]
async fn a_trigger_posts_one_harmless_line_for_any_name() {
    let config = config();
    let words = tchat::text::Keywords::new(["spam"]);
    let refuse = tchat::chat::FilterMode::Refuse;
    config.hub.filter.set(words, refuse);
    let server = Server::with(config, memory());
    let mut ann = server.joins("ann").await;
    let long = "x".repeat(5000);
    for name in [
        "%0A%0A%1B%5B2J",
        "@ann%20psst",
        "@everyone",
        "spam",
        &long,
        "last",
    ] {
        let (status, _) = get(&server, &format!("/helloworld/{name}")).await;
        assert!(status.contains("200"), "{name}: {status}");
    }
    ann.sees("general", "Hello last").await;
    let general = ann.room("general").unwrap();
    let said = ann.entries[&general]
        .iter()
        .filter(|it| it.body.is_message());
    let said: Vec<_> = said.collect();
    assert_eq!(said.len(), 5, "a filtered word is not posted");
    for entry in said {
        let text = entry.body.text();
        assert!(
            !text.contains(char::is_control) && text.len() < 300,
            "{text:?}"
        );
        assert!(entry.mentions.is_empty(), "{text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_addressed_to_a_person_is_greeted_and_stays_private() {
    let server = Server::start();
    let mut ann = server.joins("ann").await;
    let mut client = Client::open(&server, "/service.v1.Service/Chat").await;
    for name in ["@ann for you", "@nobody lost", "@ann ", "for all"] {
        client.send(named(name)).await;
        assert_eq!(client.receives().await.message, format!("Hello {name}"));
    }
    ann.sees("@stream", "for you").await;
    ann.sees("general", "for all").await;
    assert_eq!(server.log("general").await, ["for all"]);
    let (_, counted) = get(&server, "/metrics").await;
    let dropped = "tchat_bridge_dropped_total{bridge=\"service\"} 2";
    assert!(counted.contains(dropped), "{counted}");
}
