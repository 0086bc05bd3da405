//! One connection: hello, then requests out and events in, until it ends.

mod apply;
mod commands;
mod refused;

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

use super::{DIAL_WITHIN, Link, NoReceiver};
use crate::chat::{Refusal, RoomId, Seq};
use crate::client::pending::{Next, Post};
use crate::client::{About, Command, Event, RoomToJoin, Why};
use crate::wire::proto::chat_service_client::ChatServiceClient;
use crate::wire::{Hello, PROTOCOL, Request, RequestFrame, Who, proto, request_to};

/// The maximum number of frames that wait for the connection; further posts stay in the pending set.
const FRAMES: usize = 64;
/// How often the server is asked for the ends of the rooms. Together with the time until missing entries are considered lost, a lost end of
/// a room is noticed within 30 seconds. (HTTP/2 keepalive checks that the server is there at all.)
const PING: Duration = Duration::from_secs(24);
/// How long a server has to end the stream after our goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);
/// The maximum size of a received frame, in bytes.
const EVENT_BYTES: usize = 1024 * 1024;

/// How a connection ended.
#[derive(Debug)]
pub enum End {
    Quit,
    Lost {
        why: Why,
        retry_after: Option<Duration>,
    },
    NameRefused(Refusal),
    Stopped(Why),
}

impl End {
    /// Returns the end of a connection after which the client may reconnect when it wants.
    fn lost(why: Why) -> Self {
        Self::Lost {
            why,
            retry_after: None,
        }
    }
}

/// The frames from the server.
type Frames = tonic::Streaming<proto::ChatResponse>;

/// What a request that waits for its answer is for.
#[derive(Debug)]
enum Waits {
    For(About),
    /// A room to join at the start.
    Start(RoomToJoin),
    /// The conversation of a name, which posts wait for.
    Resolve(String),
    /// A refusal is not reported.
    Quietly,
}

pub(super) struct Attached<'a> {
    link: &'a mut Link,
    service: ChatServiceClient<Channel>,
    /// Frames to send; they move to the connection as it accepts them.
    outgoing: VecDeque<proto::ChatRequest>,
    waiting: HashMap<u64, Waits>,
    next_request: u64,
    calls: FuturesUnordered<BoxFuture<'static, Event>>,
    welcome_at: Option<Instant>,
    /// Rooms that are followed on this connection.
    followed: HashSet<RoomId>,
    /// Rooms that are being followed again: entries before the answer are out of order.
    resyncing: HashSet<RoomId>,
    pinged_at: Option<Instant>,
    /// Somebody waits for a report.
    is_watched: bool,
    /// Older pages that were requested and have not arrived.
    older: Vec<(RoomId, Seq)>,
}

impl<'a> Attached<'a> {
    pub(super) async fn run(
        link: &'a mut Link,
        channel: Channel,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<(End, Option<Instant>), NoReceiver> {
        let service = ChatServiceClient::new(channel).max_decoding_message_size(EVENT_BYTES);
        let mut attached = Self {
            link,
            service: service.clone(),
            outgoing: VecDeque::new(),
            waiting: HashMap::new(),
            next_request: 1,
            calls: FuturesUnordered::new(),
            welcome_at: None,
            followed: HashSet::new(),
            resyncing: HashSet::new(),
            pinged_at: None,
            is_watched: false,
            older: Vec::new(),
        };
        attached.link.health.begins();
        attached.ask_hello();
        let end = attached.talk(service, commands).await?;
        attached.give_up_on_answers().await?;
        Ok((end, attached.welcome_at))
    }

    /// Handles requests that will not be answered on this connection: joins are requested again, the rest is reported as failed.
    async fn give_up_on_answers(&mut self) -> Result<(), NoReceiver> {
        for (room, before) in std::mem::take(&mut self.older) {
            self.link.tell(Event::PageFailed { room, before }).await?;
        }
        for waits in std::mem::take(&mut self.waiting).into_values() {
            match waits {
                Waits::For(About::Join(room)) | Waits::Start(room) => self.link.to_join.push(room),
                Waits::For(About::Follow(_)) | Waits::Resolve(_) | Waits::Quietly => {}
                Waits::For(about) => self.link.offline_refusal(about).await?,
            }
        }
        Ok(())
    }

    async fn talk(
        &mut self,
        mut service: ChatServiceClient<Channel>,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<End, NoReceiver> {
        let (frames, sending) = mpsc::channel(FRAMES);
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
    ) -> Result<Result<Frames, End>, NoReceiver> {
        let mut opening = std::pin::pin!(opening);
        // While a server accepts the connection but does not answer, people can still write or quit.
        let opened = loop {
            tokio::select! {
                opened = &mut opening => break opened,
                kept = self.link.kept() => kept?,
                command = commands.recv() => match command {
                    None | Some(Command::Quit) => return Ok(Err(End::Quit)),
                    Some(Command::Disconnect) => return Ok(Err(End::Stopped(Why::Disconnected))),
                    Some(command) => self.link.offline(command).await?,
                },
            }
        };
        Ok(match opened {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(self.broken(&status)),
            Err(_) => Err(End::lost(Why::Silent)),
        })
    }

    /// Sends and receives frames until the connection ends.
    async fn exchange(
        &mut self,
        frames: mpsc::Sender<proto::ChatRequest>,
        mut stream: Frames,
        commands: &mut mpsc::Receiver<Command>,
    ) -> Result<End, NoReceiver> {
        let mut ping = interval_at(Instant::now() + PING, PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let welcome_by = Instant::now() + DIAL_WITHIN;
        loop {
            self.send_pending();
            let wakes_at = self.pending_wakes_at();
            let missed_until = self.link.health.wakes_at();
            tokio::select! {
                permit = frames.reserve(), if !self.outgoing.is_empty() => {
                    let Ok(permit) = permit else { return Ok(End::lost(Why::Lost)) };
                    if let Some(frame) = self.outgoing.pop_front() {
                        permit.send(frame);
                    }
                }
                frame = stream.message() => {
                    let end = match frame {
                        Ok(Some(frame)) => self.take(frame).await?,
                        Ok(None) => Some(End::lost(Why::Lost)),
                        Err(status) => Some(self.broken(&status)),
                    };
                    if let Some(end) = end {
                        return Ok(end);
                    }
                }
                command = commands.recv() => {
                    let end = match command {
                        None | Some(Command::Quit) => End::Quit,
                        Some(Command::Disconnect) => End::Stopped(Why::Disconnected),
                        Some(command) => {
                            self.handle(command).await?;
                            continue;
                        }
                    };
                    self.say_goodbye(&frames, stream).await;
                    return Ok(end);
                }
                Some(event) = self.calls.next() => self.call_answered(event).await?,
                kept = self.link.kept() => kept?,
                _ = ping.tick() => self.ping(),
                () = sleep_until(missed_until.unwrap_or_else(Instant::now)), if missed_until.is_some() => self.follow_lost(),
                () = sleep_until(wakes_at.unwrap_or_else(Instant::now)), if wakes_at.is_some() => {}
                () = sleep_until(welcome_by), if self.welcome_at.is_none() => return Ok(End::lost(Why::Silent)),
            }
        }
    }

    /// Returns when the next post or name that was postponed is to be sent, if the server has let us in.
    fn pending_wakes_at(&self) -> Option<Instant> {
        self.welcome_at?;
        let wakes_at = self.link.pending.wakes_at(Instant::now().into_std());
        wakes_at.map(Instant::from_std)
    }

    /// Passes on the result of a call.
    async fn call_answered(&mut self, event: Event) -> Result<(), NoReceiver> {
        if let Event::Page { room, before, .. } | Event::PageFailed { room, before } = &event {
            self.older.retain(|asked| asked != &(*room, *before));
        }
        self.link.tell(event).await
    }

    /// Follows rooms again whose newest entries did not arrive in time.
    fn follow_lost(&mut self) {
        for room in self.link.health.lost(&self.link.cursors, Instant::now()) {
            self.follow(room);
        }
    }

    /// Sends the remaining frames and then Bye, and gives the server a moment to end the stream itself.
    async fn say_goodbye(&mut self, frames: &mpsc::Sender<proto::ChatRequest>, mut stream: Frames) {
        self.ask(Request::Bye, None);
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

    fn ask(&mut self, what: Request, waits: Option<Waits>) {
        let request = if let Some(waits) = waits {
            let request = self.next_request;
            self.next_request += 1;
            self.waiting.insert(request, waits);
            request
        } else {
            0
        };
        self.outgoing
            .push_back(request_to(&RequestFrame { request, what }));
    }

    fn ask_hello(&mut self) {
        let config = &self.link.config;
        let hello = Hello {
            protocol_min: PROTOCOL,
            protocol_max: PROTOCOL,
            features: Vec::new(),
            secret: config.secret.clone(),
            name: config.name.clone(),
            last_session: self.link.last_session,
            instance: config.instance,
            locale: config.locale.clone(),
            agent: concat!("tchat/", env!("CARGO_PKG_VERSION")).into(),
        };
        self.ask(Request::Hello(hello), None);
    }

    /// Returns how a broken connection is reported: one that ended before the welcome was not a connection to a tchat server.
    fn broken(&self, status: &Status) -> End {
        let is_foreign = matches!(
            status.code(),
            Code::Unimplemented | Code::Unauthenticated | Code::PermissionDenied
        );
        let why = if is_foreign || self.welcome_at.is_none() {
            Why::NotTchat(String::new())
        } else {
            Why::Lost
        };
        End::lost(why)
    }

    /// Sends a ping, unless one is waiting for its answer.
    fn ping(&mut self) {
        if self.pinged_at.is_none() {
            self.pinged_at = Some(Instant::now());
            self.ask(Request::Ping, None);
        }
    }

    fn follow(&mut self, room: RoomId) {
        self.followed.insert(room);
        self.link.health.follows(room);
        let cursor = self.link.cursors.get(&room).copied();
        self.ask(
            Request::Follow { room, cursor },
            Some(Waits::For(About::Follow(room))),
        );
    }

    fn send_pending(&mut self) {
        while self.welcome_at.is_some() && self.outgoing.len() < FRAMES {
            match self.link.pending.next(Instant::now().into_std()) {
                Some(Next::Post(Post {
                    client_id,
                    to,
                    body,
                    ..
                })) => self.ask(
                    Request::Post {
                        client_id,
                        to,
                        body,
                    },
                    None,
                ),
                Some(Next::Open(name)) => {
                    self.ask(
                        Request::Open(Who::Name(name.clone())),
                        Some(Waits::Resolve(name)),
                    );
                }
                None => return,
            }
        }
    }
}
