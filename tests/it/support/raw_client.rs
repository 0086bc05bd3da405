//! A raw protocol client that sends exactly what a test wants, well-formed or not.

use std::time::Duration;

use hyper_util::rt::TokioIo;
use tchat::chat::{Body, ClientId, Cursor, InstanceId, Recipient, RoomId, Secret};
use tchat::wire::proto::chat_service_client::ChatServiceClient;
use tchat::wire::{
    Event, Hello, JoinTarget, PROTOCOL, Request, RequestFrame, Welcome, event_from, proto,
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
    pub service: ChatServiceClient<Channel>,
    pub frames: mpsc::Sender<proto::ChatRequest>,
    stream: Streaming<proto::ChatResponse>,
    waiting: std::collections::VecDeque<Event>,
}

pub fn hello(name: &str, secret: Secret) -> Hello {
    Hello {
        protocol_min: PROTOCOL,
        protocol_max: PROTOCOL,
        features: Vec::new(),
        secret,
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

async fn channel_over(pipe: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Channel {
    let pipe = std::sync::Mutex::new(Some(pipe));
    let connector = tower::service_fn(move |_: http::Uri| {
        let pipe = pipe.lock().unwrap().take();
        async move {
            pipe.map(TokioIo::new)
                .ok_or_else(|| std::io::Error::other("one pipe is one connection"))
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
        let mut service = ChatServiceClient::new(channel_over(pipe).await);
        let (frames, sending) = mpsc::channel(1024);
        let stream = service
            .chat(ReceiverStream::new(sending))
            .await
            .unwrap()
            .into_inner();
        Self {
            service,
            frames,
            stream,
            waiting: std::collections::VecDeque::new(),
        }
    }

    /// Opens a stream and logs in under a name.
    pub async fn enter(server: &Server, name: &str) -> (Self, Welcome) {
        let mut raw = Self::open(server).await;
        raw.ask(0, Request::Hello(hello(name, super::person::secret(name))))
            .await;
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

    pub async fn ask(&self, request: u64, what: Request) {
        self.send(request_to(&RequestFrame { request, what })).await;
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
