//! A scripted server that sends exactly what a test wants, true or not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use tchat::chat::{
    Author, Body, Digest, Entry, Epoch, FollowResult, IdentityId, Limits, RoomId, RoomInfo,
    RoomKind, Seq, ServerId, SessionId, SessionToken,
};
use tchat::client::{Connector, Dialled};
use tchat::server::endpoint::grpc::{ChatService, ChatServiceServer};
use tchat::server::listen::{self, Connection, ConnectionLimits, Encryption, Peer};
use tchat::wire::{
    Event, Frame, PROTOCOL, Request, RequestFrame, Welcome, encode_event, proto, request_from,
};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Response, Status, Streaming};

const PATIENCE: Duration = Duration::from_secs(200);

pub const ROOM: RoomId = RoomId::new([1; 16]);
pub const EPOCH: Epoch = Epoch::new([9; 16]);
pub const ANN: IdentityId = IdentityId::new([11; 16]);

/// One client's stream, as the server sees it.
pub struct ScriptedStream {
    requests: BoxStream<'static, RequestFrame>,
    events: mpsc::Sender<Result<Frame, Status>>,
}

#[derive(Clone)]
struct Fake {
    streams: mpsc::Sender<ScriptedStream>,
    headers: Headers,
}

/// When the server sends its response headers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Headers {
    AtOnce,
    /// After the first request.
    Late,
    Never,
}

#[tonic::async_trait]
impl ChatService for Fake {
    type ChatStream = ReceiverStream<Result<Frame, Status>>;

    async fn chat(
        &self,
        request: tonic::Request<Streaming<proto::ChatRequest>>,
    ) -> Result<Response<Self::ChatStream>, Status> {
        let connection = request.extensions().get::<Connection>();
        connection
            .expect("a request has a connection")
            .mark_admitted();
        let (events, answer) = mpsc::channel(64);
        let mut frames = request.into_inner();
        let first = match self.headers {
            Headers::AtOnce => None,
            Headers::Late => frames.next().await,
            Headers::Never => std::future::pending().await,
        };
        let frames = futures::stream::iter(first).chain(frames);
        let requests = frames.filter_map(async |frame| request_from(frame.ok()?).ok());
        let requests = Box::pin(requests);
        self.streams
            .send(ScriptedStream { requests, events })
            .await
            .unwrap();
        Ok(Response::new(ReceiverStream::new(answer)))
    }

    async fn list_rooms(
        &self,
        _: tonic::Request<proto::ListRoomsRequest>,
    ) -> Result<Response<proto::ListRoomsResponse>, Status> {
        Ok(Response::new(proto::ListRoomsResponse::default()))
    }

    async fn list_mentions(
        &self,
        _: tonic::Request<proto::ListMentionsRequest>,
    ) -> Result<Response<proto::ListMentionsResponse>, Status> {
        Ok(Response::new(proto::ListMentionsResponse::default()))
    }

    async fn list_moderation(
        &self,
        _: tonic::Request<proto::ListModerationRequest>,
    ) -> Result<Response<proto::ListModerationResponse>, Status> {
        Ok(Response::new(proto::ListModerationResponse::default()))
    }

    async fn list_sanctions(
        &self,
        _: tonic::Request<proto::ListSanctionsRequest>,
    ) -> Result<Response<proto::ListSanctionsResponse>, Status> {
        Ok(Response::new(proto::ListSanctionsResponse::default()))
    }

    async fn search(
        &self,
        _: tonic::Request<proto::SearchRequest>,
    ) -> Result<Response<proto::SearchResponse>, Status> {
        Ok(Response::new(proto::SearchResponse::default()))
    }

    async fn get_history(
        &self,
        _: tonic::Request<proto::GetHistoryRequest>,
    ) -> Result<Response<proto::GetHistoryResponse>, Status> {
        Err(Status::unavailable("not in this script"))
    }

    async fn list_devices(
        &self,
        _: tonic::Request<proto::ListDevicesRequest>,
    ) -> Result<Response<proto::ListDevicesResponse>, Status> {
        Err(Status::unavailable("not in this script"))
    }

    async fn add_device(
        &self,
        _: tonic::Request<proto::AddDeviceRequest>,
    ) -> Result<Response<proto::AddDeviceResponse>, Status> {
        Err(Status::unavailable("not in this script"))
    }

    async fn revoke_device(
        &self,
        _: tonic::Request<proto::RevokeDeviceRequest>,
    ) -> Result<Response<proto::RevokeDeviceResponse>, Status> {
        Err(Status::unavailable("not in this script"))
    }

    async fn delete_account(
        &self,
        _: tonic::Request<proto::DeleteAccountRequest>,
    ) -> Result<Response<proto::DeleteAccountResponse>, Status> {
        Err(Status::unavailable("not in this script"))
    }
}

/// Starts a scripted server; returns its connector and the incoming streams.
pub fn start() -> (Connector, mpsc::Receiver<ScriptedStream>) {
    start_with(Headers::AtOnce)
}

/// Like [`start`], but sends the response headers at a chosen time.
pub fn start_with(headers: Headers) -> (Connector, mpsc::Receiver<ScriptedStream>) {
    let (door, incoming) = mpsc::channel(16);
    let (talks, arriving) = mpsc::channel(16);
    let routes = tonic::service::Routes::new(ChatServiceServer::new(Fake {
        streams: talks,
        headers,
    }));
    tokio::spawn(async move {
        let (drain, hurry) = (CancellationToken::new(), CancellationToken::new());
        let incoming = ReceiverStream::new(incoming);
        let doors = listen::Services {
            grpc: routes,
            web: axum::Router::new(),
        };
        listen::serve(
            incoming,
            doors,
            Encryption::default(),
            (ConnectionLimits::default(), Vec::new()),
            drain,
            hurry,
        )
        .await;
    });
    let door = Arc::new(Mutex::new(door));
    let connector: Connector = Arc::new(move |_| {
        let door = door.lock().unwrap().clone();
        Box::pin(async move {
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            let gone = |_| std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            door.send(Ok((theirs, Peer::Memory))).await.map_err(gone)?;
            Ok(Dialled::local(ours))
        })
    });
    (connector, arriving)
}

pub fn room() -> RoomInfo {
    RoomInfo {
        id: ROOM,
        kind: RoomKind::Public,
        name: "general".into(),
        topic: String::new(),
        capacity: 0,
        present: 1,
        peer: None,
        role: None,
        rules: tchat::chat::RoomRules::default(),
        request: None,
        last: None,
    }
}

pub fn entry(seq: u64, text: &str) -> Entry {
    Entry {
        room: ROOM,
        epoch: EPOCH,
        seq: Seq(seq),
        digest: Digest([0; 8]),
        at_ms: seq,
        author: Author {
            id: IdentityId::new([12; 16]),
            name: "ben".into(),
        },
        client_id: None,
        body: Body::Text(text.into()),
        mentions: Vec::new(),
        amended: None,
    }
}

impl ScriptedStream {
    pub async fn next_request(&mut self) -> RequestFrame {
        let next = timeout(PATIENCE, self.requests.next()).await;
        next.expect("a request arrives")
            .expect("the stream is open")
    }

    /// Waits for a request of some kind, skipping others.
    pub async fn until<T>(&mut self, is: impl Fn(&Request) -> Option<T>) -> (u64, T) {
        loop {
            let asked = self.next_request().await;
            if let Some(found) = is(&asked.what) {
                return (asked.request, found);
            }
        }
    }

    pub async fn sends(&self, event: Event) {
        self.events
            .send(Ok(Frame(encode_event(&event))))
            .await
            .unwrap();
    }

    /// Welcomes the client as ann in `general`.
    pub async fn welcomes(&mut self) {
        self.until(|it| matches!(it, Request::Hello(_)).then_some(()))
            .await;
        self.sends(Event::Welcome(Welcome {
            session: SessionId::new([4; 16]),
            you: Author {
                id: ANN,
                name: "ann".into(),
            },
            server_id: ServerId::new([8; 16]),
            protocol: PROTOCOL,
            features: Vec::new(),
            limits: Limits::default(),
            now_ms: 0,
            rooms: vec![room()],
            settings: tchat::chat::Settings::default(),
            status: tchat::chat::Status::default(),
            token: SessionToken::new([7; 32]),
        }))
        .await;
    }

    /// Waits for the follow request and answers it; returns the seq of the client's cursor.
    pub async fn is_followed(&mut self, last: u64, result: FollowResult) -> u64 {
        let (request, after) = self
            .until(|it| match it {
                Request::Follow { cursor, .. } => Some(cursor.map_or(0, |it| it.seq.0)),
                _ => None,
            })
            .await;
        self.sends(Event::Followed {
            request,
            room: ROOM,
            epoch: EPOCH,
            first: Seq(1),
            last: Seq(last),
            result,
            unread: tchat::chat::Unread::none_after(Seq(last)),
        })
        .await;
        after
    }
}
