//! Clients of the five older systems, written from knowledge of those systems and not from the server's own definitions.

use std::time::Duration;

use prost::Message;
use tchat::client::{BoxedStream, boxed_stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;

use super::raw_client::channel;
use super::server::Server;

const PATIENCE: Duration = Duration::from_secs(200);

pub mod user {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ChatRequest {
        #[prost(int64, tag = "1")]
        pub user_id: i64,
        #[prost(string, tag = "2")]
        pub username: String,
        #[prost(string, tag = "3")]
        pub content: String,
        #[prost(string, tag = "4")]
        pub action: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ChatMessage {
        #[prost(int64, tag = "1")]
        pub user_id: i64,
        #[prost(string, tag = "2")]
        pub username: String,
        #[prost(string, tag = "3")]
        pub content: String,
        #[prost(int64, tag = "4")]
        pub timestamp: i64,
        #[prost(string, tag = "5")]
        pub message_type: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ChatResponse {
        #[prost(message, optional, tag = "1")]
        pub message: Option<ChatMessage>,
        #[prost(string, tag = "2")]
        pub status: String,
        #[prost(int32, tag = "3")]
        pub online_users: i32,
    }
}

pub mod gochat {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ChatMessage {
        #[prost(string, tag = "1")]
        pub username: String,
        #[prost(string, tag = "2")]
        pub targetname: String,
        #[prost(string, tag = "3")]
        pub content: String,
    }
}

pub mod chat {
    #[derive(Clone, Copy, PartialEq, prost::Message)]
    pub struct ListRoomsRequest {}

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ListRoomsResponse {
        #[prost(message, repeated, tag = "1")]
        pub rooms: Vec<RoomInfo>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct RoomInfo {
        #[prost(string, tag = "1")]
        pub room_id: String,
        #[prost(int32, tag = "2")]
        pub participant_count: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct CheckUsernameRequest {
        #[prost(string, tag = "1")]
        pub user_name: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct CheckUsernameResponse {
        #[prost(bool, tag = "1")]
        pub available: bool,
        #[prost(string, tag = "2")]
        pub message: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ClientMessage {
        #[prost(oneof = "ClientRequest", tags = "1, 2, 3")]
        pub event: Option<ClientRequest>,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum ClientRequest {
        #[prost(message, tag = "1")]
        Join(Who),
        #[prost(message, tag = "2")]
        Text(Text),
        #[prost(message, tag = "3")]
        Leave(Who),
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Who {
        #[prost(string, tag = "1")]
        pub user_name: String,
        #[prost(string, tag = "2")]
        pub room_id: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Text {
        #[prost(string, tag = "1")]
        pub text: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ServerMessage {
        #[prost(oneof = "ClientEvent", tags = "1, 2, 3, 4")]
        pub event: Option<ClientEvent>,
    }

    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum ClientEvent {
        #[prost(message, tag = "1")]
        Broadcast(Broadcast),
        #[prost(message, tag = "2")]
        Joined(Counted),
        #[prost(message, tag = "3")]
        Left(Counted),
        #[prost(message, tag = "4")]
        Response(Response),
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Broadcast {
        #[prost(string, tag = "1")]
        pub sender_name: String,
        #[prost(string, tag = "2")]
        pub text: String,
        #[prost(int64, tag = "3")]
        pub timestamp: i64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Counted {
        #[prost(string, tag = "1")]
        pub user_name: String,
        #[prost(int32, tag = "2")]
        pub current_count: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Response {
        #[prost(bool, tag = "1")]
        pub success: bool,
        #[prost(string, tag = "2")]
        pub message: String,
    }
}

pub mod service {
    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ChatReq {
        #[prost(string, tag = "1")]
        pub name: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ChatRsp {
        #[prost(string, tag = "1")]
        pub message: String,
    }
}

pub mod websocket {
    use std::collections::HashMap;

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct ChatRoomRequest {
        #[prost(string, tag = "1")]
        pub kind: String,
        #[prost(string, tag = "2")]
        pub user_name: String,
        #[prost(string, tag = "3")]
        pub content: String,
        #[prost(map = "string, string", tag = "4")]
        pub user_list: HashMap<String, String>,
    }
}

/// A bidirectional call. Dropping it cancels it.
pub struct Call<I, O> {
    /// `None` once the request stream has ended.
    asks: Option<mpsc::Sender<I>>,
    pub stream: Streaming<O>,
}

impl<I, O> Call<I, O>
where
    I: Message + Default + 'static,
    O: Message + Default + 'static,
{
    pub async fn open(server: &Server, path: &'static str) -> Self {
        Self::on(channel(server).await, path, None).await
    }

    /// Opens a call on a connection that may have other calls, optionally with a deadline.
    pub async fn on(channel: Channel, path: &'static str, within: Option<Duration>) -> Self {
        let mut grpc = tonic::client::Grpc::new(channel);
        grpc.ready().await.unwrap();
        let (asks, asked) = mpsc::channel(64);
        let mut request = Request::new(ReceiverStream::new(asked));
        if let Some(within) = within {
            request.set_timeout(within);
        }
        let codec = ProstCodec::<I, O>::default();
        let path = http::uri::PathAndQuery::from_static(path);
        // The server must send headers before the first request, because the original clients wait for them.
        let opening = grpc.streaming(request, path, codec);
        let opened = timeout(PATIENCE, opening).await.expect("headers arrive");
        Self {
            asks: Some(asks),
            stream: opened.unwrap().into_inner(),
        }
    }

    pub async fn send(&self, message: I) {
        self.asks.as_ref().unwrap().send(message).await.unwrap();
    }

    pub fn half_closes(&mut self) {
        self.asks = None;
    }

    pub async fn receives(&mut self) -> O {
        let message = timeout(PATIENCE, self.stream.message()).await;
        let message = message.expect("a message").expect("no error");
        message.expect("an open stream")
    }

    /// The status with which the stream ends, without another message.
    pub async fn ends(&mut self) -> Status {
        match timeout(PATIENCE, self.stream.message()).await.unwrap() {
            Ok(None) => Status::new(Code::Ok, ""),
            Err(status) => status,
            Ok(Some(_)) => panic!("a message instead of the end"),
        }
    }

    /// Whether no message arrives for a while.
    pub async fn is_quiet(&mut self) -> bool {
        timeout(Duration::from_secs(3), self.stream.message())
            .await
            .is_err()
    }
}

/// Makes a unary call on a connection.
pub async fn unary<I, O>(channel: &Channel, path: &'static str, message: I) -> Result<O, Status>
where
    I: Message + Default + 'static,
    O: Message + Default + 'static,
{
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static(path);
    let codec = ProstCodec::<I, O>::default();
    let answer = grpc.unary(Request::new(message), path, codec).await?;
    Ok(answer.into_inner())
}

/// A raw frame: its first byte and its payload.
pub type Frame = (u8, Vec<u8>);

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

/// A WebSocket client that does not interpret its payloads.
pub struct Socket {
    read: ReadHalf<BoxedStream>,
    write: WriteHalf<BoxedStream>,
    /// Whether it answers pings by itself.
    pub answers_pings: bool,
}

impl Socket {
    /// Performs the handshake with these raw headers; returns the status line if it is refused.
    pub async fn handshake(io: BoxedStream, headers: &[u8]) -> Result<Self, String> {
        let (mut read, mut write) = tokio::io::split(io);
        let mut request = b"GET /ws HTTP/1.1\r\nHost: chat.example.org\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            .to_vec();
        request.extend(headers);
        request.extend(b"\r\n");
        write.write_all(&request).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, read.read_u8()).await.unwrap();
            answer.push(byte.map_err(|error| error.to_string())?);
        }
        let answer = String::from_utf8(answer).unwrap();
        let status = answer.lines().next().unwrap().to_owned();
        if !status.contains("101") {
            return Err(status);
        }
        // The example key of RFC 6455.
        assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
        // Some clients compare the whole value.
        let is_plain = |line: &str| line.eq_ignore_ascii_case("connection: upgrade");
        assert!(answer.lines().any(is_plain), "{answer}");
        Ok(Self {
            read,
            write,
            answers_pings: true,
        })
    }

    pub async fn enter(server: &Server, name: &str) -> Self {
        let io = boxed_stream(server.dial().await);
        let header = [b"username: ", name.as_bytes(), b"\r\n"].concat();
        Self::handshake(io, &header).await.unwrap()
    }

    pub async fn send(&mut self, first: u8, payload: &[u8]) {
        let mask = [7, 11, 13, 17];
        let mut frame = vec![first];
        match payload.len() {
            short @ 0..126 => frame.push(0x80 | u8::try_from(short).unwrap()),
            long => {
                frame.push(0x80 | 127);
                frame.extend((long as u64).to_be_bytes());
            }
        }
        frame.extend(mask);
        let keys = mask.iter().cycle();
        frame.extend(payload.iter().zip(keys).map(|(byte, key)| byte ^ key));
        // A dropped client finds out on its next read.
        drop(self.write.write_all(&frame).await);
    }

    /// Posts a message as the original clients do: protobuf in a text frame, valid UTF-8 or not.
    pub async fn sends_text(&mut self, text: &str) {
        self.sends_request("talk", text).await;
    }

    pub async fn sends_request(&mut self, kind: &str, content: &str) {
        let request = websocket::ChatRoomRequest {
            kind: kind.into(),
            // The name in the message does not decide the author.
            user_name: "somebody else".into(),
            content: content.into(),
            ..Default::default()
        };
        self.send(TEXT, &request.encode_to_vec()).await;
    }

    /// The next frame other than a ping; pings are answered. `None`: the connection has ended.
    pub async fn frame(&mut self) -> Option<Frame> {
        loop {
            let frame = timeout(PATIENCE, self.any_frame()).await.unwrap()?;
            if frame.0 != PING {
                return Some(frame);
            }
            if self.answers_pings {
                self.send(PONG, &frame.1).await;
            }
        }
    }

    pub async fn any_frame(&mut self) -> Option<Frame> {
        let first = self.read.read_u8().await.ok()?;
        let length = match self.read.read_u8().await.ok()? {
            126 => u64::from(self.read.read_u16().await.ok()?),
            127 => self.read.read_u64().await.ok()?,
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.read.read_exact(&mut payload).await.ok()?;
        Some((first, payload))
    }

    /// The next message. `None`: the connection has ended.
    pub async fn message(&mut self) -> Option<websocket::ChatRoomRequest> {
        let (first, payload) = self.frame().await?;
        let is_message = first == TEXT || first == BINARY;
        is_message.then(|| websocket::ChatRoomRequest::decode(&payload[..]).unwrap())
    }

    pub async fn receives(&mut self) -> websocket::ChatRoomRequest {
        let (first, payload) = self.frame().await.expect("an open connection");
        assert!(first == TEXT || first == BINARY, "{first:x} {payload:?}");
        websocket::ChatRoomRequest::decode(&payload[..]).unwrap()
    }

    /// The next chat message: author and text.
    pub async fn chat_message(&mut self) -> (String, String) {
        let heard = self.receives().await;
        assert_eq!(heard.kind, "talk");
        assert!(heard.user_list.is_empty());
        (heard.user_name, heard.content)
    }

    /// The code with which the connection is closed.
    pub async fn closes(&mut self) -> u16 {
        let (first, payload) = self.frame().await.expect("a close before the end");
        assert_eq!(first, CLOSE, "{payload:?}");
        u16::from_be_bytes([payload[0], payload[1]])
    }
}
