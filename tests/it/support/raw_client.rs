//! A raw protocol client that sends exactly what a test wants, well-formed or not.

use std::time::Duration;

use hyper_util::rt::TokioIo;
use tchat::chat::{
    Body, Challenge, ClientId, Cursor, DeviceSecret, FormerProof, InstanceId, Invite, Recipient,
    RoomId, Secret, SessionToken, Transport,
};
use tchat::wire::proto::chat_service_client::ChatServiceClient;
use tchat::wire::{
    Event, Hello, JoinTarget, PROTOCOL, Request, RequestFrame, SignIn, Welcome, event_from, proto,
    request_to,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use super::server::Server;

const PATIENCE: Duration = Duration::from_secs(200);

pub struct Raw {
    pub channel: Channel,
    pub service: ChatServiceClient<Channel>,
    pub frames: mpsc::Sender<proto::ChatRequest>,
    stream: Streaming<proto::ChatResponse>,
    /// How it reaches the server. This is part of what it signs.
    pub transport: Transport,
    /// The token of its session, once it has received Welcome.
    pub token: Option<SessionToken>,
    /// What it signs up with.
    pub invite: Option<Invite>,
    /// The secret by which an earlier version knew it.
    pub former: Option<Secret>,
    waiting: std::collections::VecDeque<Event>,
}

pub fn hello(name: &str, device: &DeviceSecret) -> Hello {
    Hello {
        protocol_min: PROTOCOL,
        protocol_max: PROTOCOL,
        features: Vec::new(),
        device: Some(device.public()),
        device_name: "laptop".into(),
        name: name.into(),
        last_session: None,
        instance: InstanceId::new([5; 16]),
        locale: "en".into(),
        agent: "raw".into(),
    }
}

pub async fn channel(server: &Server) -> Channel {
    channel_over(server.dial().await).await
}

pub async fn channel_over(pipe: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Channel {
    let pipe = std::sync::Mutex::new(Some(pipe));
    let connector = tower::service_fn(move |_: http::Uri| {
        let pipe = pipe.lock().unwrap().take();
        async move {
            pipe.map(TokioIo::new).ok_or_else(|| {
                std::io::Error::other("the pipe has already been used for a connection")
            })
        }
    });
    Endpoint::from_static("http://tchat")
        .connect_with_connector(connector)
        .await
        .unwrap()
}

impl Raw {
    /// Opens a stream without sending anything.
    pub async fn open(server: &Server) -> Self {
        Self::open_over(server.dial().await).await
    }

    /// Opens a stream over a connection.
    pub async fn open_over(pipe: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        let channel = channel_over(pipe).await;
        let mut service = ChatServiceClient::new(channel.clone());
        let (frames, sending) = mpsc::channel(1024);
        let stream = service
            .chat(ReceiverStream::new(sending))
            .await
            .unwrap()
            .into_inner();
        Self {
            channel,
            service,
            frames,
            stream,
            transport: Transport::Memory,
            token: None,
            invite: None,
            former: None,
            waiting: std::collections::VecDeque::new(),
        }
    }

    /// Opens a stream and logs in under a name.
    pub async fn enter(server: &Server, name: &str) -> (Self, Welcome) {
        let mut raw = Self::open(server).await;
        raw.signs_in(0, name, &super::person::device(name)).await;
        let Event::Welcome(welcome) = raw.event().await else {
            panic!("no welcome")
        };
        (raw, welcome)
    }

    /// Logs in and joins a room, without following it.
    pub async fn join(server: &Server, name: &str, room: &str) -> (Self, RoomId) {
        let (mut raw, _) = Self::enter(server, name).await;
        raw.ask(1, Request::Join(JoinTarget::Name(room.into())))
            .await;
        let Event::RoomChanged { room, .. } = raw.event().await else {
            panic!("not joined")
        };
        (raw, room.id)
    }

    /// Sends a hello and answers the challenge that follows. The next event is the server's answer.
    pub async fn signs_in(&mut self, request: u64, name: &str, device: &DeviceSecret) {
        self.ask(request, Request::Hello(hello(name, device))).await;
        let Some(challenge) = self.challenge().await else {
            return;
        };
        let answer = SignIn {
            signature: device.sign(&challenge).to_vec(),
            former: self
                .former
                .as_ref()
                .map(|secret| FormerProof::new(secret.hash(), &challenge, device.public())),
            invite: self.invite,
        };
        self.ask(request, Request::SignIn(answer)).await;
    }

    /// Waits for the server's challenge. Returns `None` if another event arrives first; the next call returns that event.
    pub async fn challenge(&mut self) -> Option<Challenge> {
        match self.try_event().await? {
            Event::Challenge { nonce, server_id } => Some(Challenge {
                protocol: PROTOCOL,
                transport: self.transport,
                server_id,
                nonce,
            }),
            other => {
                self.waiting.push_front(other);
                None
            }
        }
    }

    pub async fn ask(&self, request: u64, what: Request) {
        self.send(request_to(&RequestFrame { request, what })).await;
    }

    /// A call outside the stream, with the token of this session.
    pub fn authorised<T>(&self, message: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(message);
        if let Some(token) = self.token {
            let value = format!("Bearer {}", hex::encode(token.bytes()));
            let value = value.parse().unwrap();
            request.metadata_mut().insert("authorization", value);
        }
        request
    }

    pub async fn send(&self, frame: proto::ChatRequest) {
        self.frames.send(frame).await.unwrap();
    }

    pub async fn post(&self, counter: u64, room: RoomId, text: &str) {
        let client_id = ClientId {
            instance: InstanceId::new([5; 16]),
            counter,
        };
        let body = Body::Text(text.into());
        self.ask(
            0,
            Request::Post {
                client_id,
                to: Recipient::Room(room),
                body,
            },
        )
        .await;
    }

    pub async fn follow(&self, room: RoomId, cursor: Option<Cursor>) {
        self.ask(2, Request::Follow { room, cursor }).await;
    }

    /// The next event, or `None` if the stream has ended.
    pub async fn try_event(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                if let Event::Welcome(welcome) = &event {
                    self.token = Some(welcome.token);
                }
                return Some(event);
            }
            let frame = timeout(PATIENCE, self.stream.message())
                .await
                .expect("an event in time")
                .ok()??;
            self.waiting.extend(
                frame
                    .events
                    .into_iter()
                    .map(|event| event_from(event).unwrap()),
            );
        }
    }

    pub async fn event(&mut self) -> Event {
        self.try_event().await.expect("the stream is open")
    }

    /// The next event that is not about presence.
    pub async fn answer(&mut self) -> Event {
        loop {
            match self.event().await {
                Event::RosterPage { .. } | Event::RosterDelta { .. } => {}
                event => return event,
            }
        }
    }

    /// The next frame, undecoded.
    pub async fn frame(&mut self) -> Option<proto::ChatResponse> {
        timeout(PATIENCE, self.stream.message())
            .await
            .expect("an event in time")
            .ok()?
    }
}
