//! One connection: hello, then requests out and events in, until it ends.

mod apply;
mod commands;
mod refused;
mod sign_in;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::{DIAL_WITHIN, Link, NoReceiver, Route};
use crate::chat::{Refusal, RoomId, Seq, ServerId, SessionToken};
use crate::client::pending::{NextSend, OutgoingPost};
use crate::client::{Command, DisconnectReason, Event, RequestKind, RoomToJoin};
use crate::wire::proto::chat_service_client::ChatServiceClient;
use crate::wire::{PersonTarget, Request, RequestFrame, proto, request_to};

/// The maximum number of frames that wait for the connection; further posts stay in the pending set.
const OUTGOING_FRAME_LIMIT: usize = 64;
/// The interval between pings, which the server answers with the last seq of each room. Together with the time until
/// missing entries are considered lost, a lost newest entry is noticed within 30 seconds. (HTTP/2 keepalive checks that
/// the server responds at all.)
const PING: Duration = Duration::from_secs(24);
/// How long a server has to end the stream after our goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);
/// The maximum size of a received frame, in bytes.
const EVENT_BYTES: usize = 1024 * 1024;

/// How a connection ended.
#[derive(Debug)]
pub enum ConnectionEnd {
    Quit,
    Lost {
        why: DisconnectReason,
        retry_after: Option<Duration>,
    },
    NameRefused(Refusal),
    Stopped(DisconnectReason),
}

impl ConnectionEnd {
    /// Returns the end of a connection after which the client reconnects with its usual backoff.
    fn end_reason(why: DisconnectReason) -> Self {
        Self::Lost {
            why,
            retry_after: None,
        }
    }
}

/// The frames from the server.
type Frames = tonic::Streaming<proto::ChatResponse>;

/// The purpose of a request that waits for its answer.
#[derive(Debug)]
enum RequestPurpose {
    For(RequestKind),
    /// Joins a room at the start.
    InitialJoin(RoomToJoin),
    /// Opens the conversation with the person of this name. Posts wait for it.
    ResolveName(String),
    /// Needs no report if it is refused.
    IgnoreRefusal,
}

pub(super) struct LinkSession<'a> {
    link: &'a mut Link,
    service: ChatServiceClient<Channel>,
    /// The same connection, for the calls of another service.
    channel: Channel,
    /// How the connection reaches the server.
    route: Route,
    /// The token for calls beside the stream. It arrives with the welcome.
    token: Option<SessionToken>,
    /// The id claimed by the server whose challenge was answered.
    signed_to: Option<ServerId>,
    /// Frames to send; they move to the connection as it accepts them.
    outgoing: VecDeque<proto::ChatRequest>,
    requests: HashMap<u64, RequestPurpose>,
    next_request: u64,
    calls: FuturesUnordered<BoxFuture<'static, Event>>,
    welcome_at: Option<Instant>,
    /// Rooms that are followed on this connection.
    followed: HashSet<RoomId>,
    /// Rooms that are being followed again. Entries that arrive before the answer are ignored, because they are out of
    /// order.
    resyncing: HashSet<RoomId>,
    pinged_at: Option<Instant>,
    /// Whether to send a report after the next pong.
    is_report_wanted: bool,
    /// Older pages that were requested and have not arrived.
    older_pages: Vec<(RoomId, Seq)>,
}

impl<'a> LinkSession<'a> {
    pub(super) async fn run(
        link: &'a mut Link,
        (channel, route): (Channel, Route),
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<(ConnectionEnd, Option<Instant>), NoReceiver> {
        let service =
            ChatServiceClient::new(channel.clone()).max_decoding_message_size(EVENT_BYTES);
        let mut attached = Self {
            link,
            service: service.clone(),
            channel,
            route,
            token: None,
            signed_to: None,
            outgoing: VecDeque::new(),
            requests: HashMap::new(),
            next_request: 1,
            calls: FuturesUnordered::new(),
            welcome_at: None,
            followed: HashSet::new(),
            resyncing: HashSet::new(),
            pinged_at: None,
            is_report_wanted: false,
            older_pages: Vec::new(),
        };
        attached.link.health.on_connect();
        attached.send_hello();
        let end = attached.run_stream(service, commands).await?;
        attached.abandon_requests().await?;
        Ok((end, attached.welcome_at))
    }

    /// Handles requests that will not be answered on this connection: joins are requested again, the rest is reported as failed.
    async fn abandon_requests(&mut self) -> Result<(), NoReceiver> {
        for (room, before) in std::mem::take(&mut self.older_pages) {
            self.link.emit(Event::PageFailed { room, before }).await?;
        }
        for waits in std::mem::take(&mut self.requests).into_values() {
            match waits {
                RequestPurpose::For(RequestKind::Join(room))
                | RequestPurpose::InitialJoin(room) => self.link.to_join.push(room),
                RequestPurpose::For(RequestKind::Follow(_))
                | RequestPurpose::ResolveName(_)
                | RequestPurpose::IgnoreRefusal => {}
                RequestPurpose::For(about) => self.link.offline_refusal(about).await?,
            }
        }
        Ok(())
    }

    async fn run_stream(
        &mut self,
        mut service: ChatServiceClient<Channel>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<ConnectionEnd, NoReceiver> {
        let (frames, sending) = mpsc::channel(OUTGOING_FRAME_LIMIT);
        // Hello is sent with the call: a server, or a proxy in front of it, may send no headers until it has received something.
        while let Some(hello) = self.outgoing.pop_front() {
            if frames.send(hello).await.is_err() {
                break;
            }
        }
        let opening = timeout(DIAL_WITHIN, service.chat(ReceiverStream::new(sending)));
        match self.opened(opening, commands).await? {
            Ok(stream) => self.exchange(frames, stream, commands).await,
            Err(end) => Ok(end),
        }
    }

    /// Waits until the server accepts the call. Returns its frames, or how the connection has ended.
    async fn opened(
        &mut self,
        opening: impl Future<Output = Result<Result<Response<Frames>, Status>, Elapsed>>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<Result<Frames, ConnectionEnd>, NoReceiver> {
        let mut opening = std::pin::pin!(opening);
        // While a server accepts the connection but does not answer, people can still write or quit.
        let opened = loop {
            tokio::select! {
                opened = &mut opening => break opened,
                kept = self.link.next_written() => kept?,
                command = commands.recv() => match command {
                    None | Some(Command::Quit) => return Ok(Err(ConnectionEnd::Quit)),
                    Some(Command::Disconnect) => return Ok(Err(ConnectionEnd::Stopped(DisconnectReason::Disconnected))),
                    Some(command) => self.link.handle_offline(command).await?,
                },
            }
        };
        Ok(match opened {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(self.broken(&status)),
            Err(_) => Err(ConnectionEnd::end_reason(DisconnectReason::NoResponse)),
        })
    }

    /// Sends and receives frames until the connection ends.
    async fn exchange(
        &mut self,
        frames: mpsc::Sender<proto::ChatRequest>,
        mut stream: Frames,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<ConnectionEnd, NoReceiver> {
        let mut ping = interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let welcome_by = Instant::now() + DIAL_WITHIN;
        loop {
            self.send_pending();
            let wakes_at = self.pending_wakes_at();
            let missed_until = self.link.health.next_deadline();
            tokio::select! {
                permit = frames.reserve(), if !self.outgoing.is_empty() => {
                    let Ok(permit) = permit else { return Ok(ConnectionEnd::end_reason(DisconnectReason::Lost)) };
                    if let Some(frame) = self.outgoing.pop_front() {
                        permit.send(frame);
                    }
                }
                frame = stream.message() => {
                    let end = match frame {
                        Ok(Some(frame)) => self.on_frame(frame).await?,
                        Ok(None) => Some(ConnectionEnd::end_reason(DisconnectReason::Lost)),
                        Err(status) => Some(self.broken(&status)),
                    };
                    if let Some(end) = end {
                        return Ok(end);
                    }
                }
                command = commands.recv() => {
                    let end = match command {
                        None | Some(Command::Quit) => ConnectionEnd::Quit,
                        Some(Command::Disconnect) => ConnectionEnd::Stopped(DisconnectReason::Disconnected),
                        Some(command) => {
                            self.handle(command).await?;
                            continue;
                        }
                    };
                    self.say_goodbye(&frames, stream).await;
                    return Ok(end);
                }
                Some(event) = self.calls.next() => self.call_answered(event).await?,
                kept = self.link.next_written() => kept?,
                _ = ping.tick() => self.ping(),
                () = sleep_until(missed_until.unwrap_or_else(Instant::now)), if missed_until.is_some() => self.follow_lost(),
                () = sleep_until(wakes_at.unwrap_or_else(Instant::now)), if wakes_at.is_some() => {}
                () = sleep_until(welcome_by), if self.welcome_at.is_none() => return Ok(ConnectionEnd::end_reason(DisconnectReason::NoResponse)),
            }
        }
    }

    /// Returns when the next postponed post or request for a conversation may be sent; `None` before the welcome.
    fn pending_wakes_at(&self) -> Option<Instant> {
        self.welcome_at?;
        let wakes_at = self.link.pending.next_deadline(Instant::now().into_std());
        wakes_at.map(Instant::from_std)
    }

    /// Passes on the result of a call.
    async fn call_answered(&mut self, event: Event) -> Result<(), NoReceiver> {
        if let Event::Page { room, before, .. } | Event::PageFailed { room, before } = &event {
            self.older_pages.retain(|asked| asked != &(*room, *before));
        }
        self.link.emit(event).await
    }

    /// Follows rooms again whose newest entries did not arrive in time.
    fn follow_lost(&mut self) {
        for room in self
            .link
            .health
            .take_lost(&self.link.cursors, Instant::now())
        {
            self.follow(room);
        }
    }

    /// Sends the remaining frames and then Bye, and gives the server a moment to end the stream itself.
    async fn say_goodbye(&mut self, frames: &mpsc::Sender<proto::ChatRequest>, mut stream: Frames) {
        self.request(Request::Bye, None);
        let farewell = async {
            for frame in self.outgoing.drain(..) {
                if frames.send(frame).await.is_err() {
                    return;
                }
            }
            while let Ok(Some(_)) = stream.message().await {}
        };
        // A server that does not end the stream in time notices the closed connection.
        let _late = timeout(GOODBYE_WITHIN, farewell).await;
    }

    fn request(&mut self, what: Request, waits: Option<RequestPurpose>) {
        let request = if let Some(waits) = waits {
            let request = self.next_request;
            self.next_request += 1;
            self.requests.insert(request, waits);
            request
        } else {
            0
        };
        self.outgoing
            .push_back(request_to(&RequestFrame { request, what }));
    }

    /// Returns how to report a broken connection. One that broke before the welcome is reported as not being to a tchat
    /// server.
    fn broken(&self, status: &Status) -> ConnectionEnd {
        let is_foreign = matches!(
            status.code(),
            Code::Unimplemented | Code::Unauthenticated | Code::PermissionDenied
        );
        let why = if is_foreign || self.welcome_at.is_none() {
            DisconnectReason::NotTchat(String::new())
        } else {
            DisconnectReason::Lost
        };
        ConnectionEnd::end_reason(why)
    }

    /// Sends a ping, unless one is waiting for its answer.
    fn ping(&mut self) {
        if self.pinged_at.is_none() {
            self.pinged_at = Some(Instant::now());
            self.request(Request::Ping, None);
        }
    }

    fn follow(&mut self, room: RoomId) {
        self.followed.insert(room);
        self.link.health.on_follow(room);
        let cursor = self.link.cursors.get(&room).copied();
        self.request(
            Request::Follow { room, cursor },
            Some(RequestPurpose::For(RequestKind::Follow(room))),
        );
    }

    fn send_pending(&mut self) {
        while self.welcome_at.is_some() && self.outgoing.len() < OUTGOING_FRAME_LIMIT {
            match self.link.pending.next(Instant::now().into_std()) {
                Some(NextSend::Post(OutgoingPost {
                    client_id,
                    to,
                    body,
                    ..
                })) => self.request(
                    Request::Post {
                        client_id,
                        to,
                        body,
                    },
                    None,
                ),
                Some(NextSend::Open(name)) => {
                    self.request(
                        Request::Open(PersonTarget::Name(name.clone())),
                        Some(RequestPurpose::ResolveName(name)),
                    );
                }
                None => return,
            }
        }
    }
}
