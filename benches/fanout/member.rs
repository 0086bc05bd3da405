//! A member of the room: joins it and counts the entries that arrive.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tchat::chat::{Challenge, DeviceSecret, InstanceId, RoomId, ServerId, Transport};
use tchat::wire::proto::chat_service_client::ChatServiceClient;
use tchat::wire::{Hello, JoinTarget, PROTOCOL, Request, RequestFrame, SignIn, proto, request_to};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use super::medium::{Medium, Place, connect};

/// Counters shared by all members.
#[derive(Default)]
pub struct Counts {
    pub delivered: AtomicU64,
    pub ready: AtomicUsize,
}

/// Whether all members read what they are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    AllRead,
    /// The last member stops reading once it is live. Its flow-control windows are small and soon full.
    OneStalls,
}

pub struct Member {
    pub frames: mpsc::Sender<proto::ChatRequest>,
    pub instance: InstanceId,
}

/// Waits for the server's challenge. Returns `None` if the server refuses.
async fn challenge(
    stream: &mut Streaming<proto::ChatResponse>,
    transport: Transport,
) -> Option<Challenge> {
    let frame = stream.message().await.ok()??;
    let challenge = frame
        .events
        .into_iter()
        .find_map(|event| match event.kind {
            Some(proto::event::Kind::Challenge(it)) => Some(it),
            _ => None,
        })?;
    Some(Challenge {
        protocol: PROTOCOL,
        transport,
        server_id: ServerId::from_slice(&challenge.server_id).expect("an id"),
        nonce: challenge.nonce.try_into().expect("32 bytes"),
    })
}

/// A member's stream after the sign-in.
pub struct SignedIn {
    pub frames: mpsc::Sender<proto::ChatRequest>,
    pub stream: Streaming<proto::ChatResponse>,
    instance: InstanceId,
    /// For calls outside the stream.
    pub token: Vec<u8>,
}

/// Signs a member in over a connection.
pub async fn sign_in(way: (Channel, Transport), n: usize) -> SignedIn {
    try_sign_in(way, n)
        .await
        .expect("the sign-in is not refused")
}

/// Signs somebody in over a connection. Returns `None` if the server refuses.
pub async fn try_sign_in((channel, transport): (Channel, Transport), n: usize) -> Option<SignedIn> {
    let mut service = ChatServiceClient::new(channel);
    let (frames, sending) = mpsc::channel(256);
    let stream = service.chat(ReceiverStream::new(sending)).await;
    let mut stream = stream.ok()?.into_inner();
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&n.to_be_bytes());
    let device = DeviceSecret::new(seed);
    let mut instance = [1; 16];
    instance[..8].copy_from_slice(&n.to_be_bytes());
    let instance = InstanceId::new(instance);
    let hello = Hello {
        protocol_min: PROTOCOL,
        protocol_max: PROTOCOL,
        features: Vec::new(),
        device: Some(device.public()),
        device_name: String::new(),
        name: format!("member{n}"),
        last_session: None,
        instance,
        locale: "en".into(),
        agent: "bench".into(),
    };
    ask(&frames, 0, Request::Hello(hello)).await;
    let challenge = challenge(&mut stream, transport).await?;
    let answer = SignIn {
        signature: device.sign(&challenge).to_vec(),
        former: None,
        invite: None,
    };
    ask(&frames, 0, Request::SignIn(answer)).await;
    let events = stream.message().await.ok()??.events;
    let token = events.into_iter().find_map(|event| match event.kind {
        Some(proto::event::Kind::Welcome(welcome)) => Some(welcome.token),
        _ => None,
    })?;
    Some(SignedIn {
        frames,
        stream,
        instance,
        token,
    })
}

/// Sends a request. If the stream has ended, the next answer shows it.
pub async fn ask(frames: &mpsc::Sender<proto::ChatRequest>, request: u64, what: Request) {
    let frame = request_to(&RequestFrame { request, what });
    drop(frames.send(frame).await);
}

/// Joins a member and counts the entries that it receives. For each entry, the first member also releases a permit and records a latency.
pub async fn join(
    (place, medium): (&Place, Medium),
    n: usize,
    counts: &Arc<Counts>,
    first: Option<First>,
    readers: Readers,
) -> (Member, RoomId) {
    let endpoint = Endpoint::from_static("http://tchat");
    let endpoint = if readers == Readers::AllRead {
        endpoint
            .initial_stream_window_size(2 * 1024 * 1024)
            .initial_connection_window_size(4 * 1024 * 1024)
    } else {
        endpoint
    };
    let SignedIn {
        frames,
        mut stream,
        instance,
        ..
    } = sign_in(connect(endpoint, place, medium).await, n).await;
    let ask = async |request, what| ask(&frames, request, what).await;
    ask(1, Request::Join(JoinTarget::Name("general".into()))).await;
    let room = loop {
        let frame = stream
            .message()
            .await
            .expect("a frame")
            .expect("the stream is open");
        let joined = frame.events.iter().find_map(|event| match &event.kind {
            Some(proto::event::Kind::RoomChanged(changed)) => {
                RoomId::from_slice(&changed.room.as_ref()?.id)
            }
            _ => None,
        });
        if let Some(room) = joined {
            break room;
        }
    };
    ask(2, Request::Follow { room, cursor: None }).await;
    let counts = Arc::clone(counts);
    tokio::spawn(async move {
        let mut is_ready = false;
        while let Ok(Some(frame)) = stream.message().await {
            let mut entries = 0;
            for event in frame.events {
                match event.kind {
                    Some(proto::event::Kind::Entry(entry)) if entry.client_id.is_some() => {
                        entries += 1;
                        if let Some(first) = &first {
                            first.record(&entry);
                        }
                    }
                    Some(proto::event::Kind::RosterPage(_)) if !is_ready => {
                        is_ready = true;
                        counts.ready.fetch_add(1, Ordering::Relaxed);
                        if readers == Readers::OneStalls {
                            std::future::pending::<()>().await;
                        }
                    }
                    _ => {}
                }
            }
            counts.delivered.fetch_add(entries, Ordering::Relaxed);
        }
    });
    (Member { frames, instance }, room)
}

/// The measurements of one member.
#[derive(Clone)]
pub struct First {
    pub permits: Arc<Semaphore>,
    pub started: Instant,
    pub waits: mpsc::Sender<Duration>,
}

impl First {
    fn record(&self, entry: &proto::Entry) {
        self.permits.add_permits(1);
        let text = match entry.body.as_ref().and_then(|body| body.kind.as_ref()) {
            Some(proto::body::Kind::Text(text)) => &text.text,
            _ => return,
        };
        let due = text
            .split(' ')
            .next()
            .and_then(|due| due.parse::<u64>().ok())
            .map(Duration::from_micros);
        if let Some(due) = due {
            let _full = self
                .waits
                .try_send(self.started.elapsed().saturating_sub(due));
        }
    }
}
