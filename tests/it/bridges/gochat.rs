//! The `gochat.ChatService` bridge.

use tonic::Code;

use crate::support::bridge_clients::Call;
use crate::support::bridge_clients::gochat::ChatMessage;
use crate::support::server::Server;

pub const PATH: &str = "/gochat.ChatService/Chat";

pub type Client = Call<ChatMessage, ChatMessage>;

pub fn message(by: &str, to: &str, text: &str) -> ChatMessage {
    ChatMessage {
        username: by.into(),
        targetname: to.into(),
        content: text.into(),
    }
}

/// A client that has registered, as the original client does.
pub async fn joins(server: &Server, name: &str) -> Client {
    let client = Client::open(server, PATH).await;
    client.send(message(name, "", "has joined the chat")).await;
    client
}

#[tokio::test(start_paused = true)]
async fn the_first_message_registers_and_is_passed_on_without_an_echo() {
    let server = Server::start();
    let mut ann = Client::open(&server, PATH).await;
    ann.send(message("ann", "", "")).await;
    assert!(ann.is_quiet().await, "there is no reply");
    let mut ben = joins(&server, "ben").await;
    let joined = message("ben", "", "has joined the chat");
    assert_eq!(ann.receives().await, joined, "once, with the text he sent");
    // The first message decided the author; later names are ignored.
    ben.send(message("ann", "", "hello")).await;
    assert_eq!(ann.receives().await, message("ben", "", "hello"));
    assert!(ben.is_quiet().await, "no echo");
    ann.send(message("ann", "", "")).await;
    ann.send(message("ann", "", "  ")).await;
    ann.send(message("ann", "", "hi ben")).await;
    assert_eq!(
        ben.receives().await,
        message("ann", "", "hi ben"),
        "empty lines are not sent"
    );
}

#[tokio::test(start_paused = true)]
async fn a_private_message_reaches_its_recipient_and_an_unknown_name_gets_a_notice() {
    let server = Server::start();
    let mut ann = joins(&server, "ann").await;
    let mut ben = joins(&server, "ben").await;
    ann.receives().await;
    let mut carl = joins(&server, "carl").await;
    ann.receives().await;
    ben.receives().await;
    ann.send(message("ann", "ben", "for you")).await;
    assert_eq!(ben.receives().await, message("ann", "ben", "for you"));
    assert!(ann.is_quiet().await && carl.is_quiet().await);
    ben.send(message("ben", "ann", "and back")).await;
    assert_eq!(ann.receives().await, message("ben", "ann", "and back"));
    ann.send(message("ann", "nobody", "hello?")).await;
    assert_eq!(
        ann.receives().await,
        message("系统", "", "用户 nobody 不在线")
    );
    ann.send(message("ann", "", "still here")).await;
    assert_eq!(ben.receives().await, message("ann", "", "still here"));
    assert_eq!(server.log("general").await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_taken_or_invalid_name_gets_a_notice_and_ends_the_stream() {
    let server = Server::start();
    let mut ann = joins(&server, "ann").await;
    for name in ["ann", "ANN", "a b", "系统", "stream", "boss", ""] {
        let mut second = Client::open(&server, PATH).await;
        second.send(message(name, "", "has joined the chat")).await;
        let notice = second.receives().await;
        assert_eq!(
            (&*notice.username, &*notice.targetname),
            ("系统", ""),
            "{name}"
        );
        assert!(notice.content.contains("用户名"), "{notice:?}");
        assert_eq!(second.ends().await.code(), Code::Ok);
    }
    let mut ben = joins(&server, "ben").await;
    assert_eq!(ann.receives().await.username, "ben", "ann kept her name");
    ann.send(message("", "", "mine")).await;
    assert_eq!(ben.receives().await.username, "ann");
}

#[tokio::test(start_paused = true)]
async fn a_half_close_ends_the_call_cleanly_and_a_cancel_leaves_at_once() {
    let server = Server::start();
    let mut ann = joins(&server, "ann").await;
    let mut ben = joins(&server, "ben").await;
    ann.receives().await;
    ben.send(message("", "", "last words")).await;
    ben.half_closes();
    assert_eq!(ann.receives().await.content, "last words");
    assert_eq!(
        ann.receives().await,
        message("ben", "", "has left the chat")
    );
    assert_eq!(ben.ends().await.code(), Code::Ok);

    let ben = joins(&server, "ben").await;
    ann.receives().await;
    let left = tokio::time::Instant::now();
    drop(ben);
    assert_eq!(
        ann.receives().await,
        message("ben", "", "has left the chat")
    );
    assert!(left.elapsed() < std::time::Duration::from_secs(1));
}
