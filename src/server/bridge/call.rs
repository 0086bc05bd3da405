//! One connected client of a foreign protocol: hears it, drives its session, and tells it what there is to tell.
//!
//! A call owns a [`Protocol`] and never waits in one direction for the other: what is heard waits while the session is busy, what is
//! to be said waits while the client does not read, and each of these queues is short.

mod entering;
mod outgoing;

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;

use super::exchange::{Ending, EventTime, Notification, Step, seconds};
use super::notices;
use super::protocol::Protocol;
use crate::chat::{
    Body, ClientId, Entry, IdentityId, InstanceId, Recipient, Refusal, RoomId, RoomKind, Seq,
    UserName, Via,
};
use crate::server::delivery::Delivery;
use crate::server::hub::guest::{Guest, Seat};
use crate::server::hub::{Hub, now_ms, random_id};
use crate::server::listen::Connection;
use crate::server::outbox::{Direction, JoinOrLeave};
use crate::server::outbox::{Item, Outbox, Signal};
use crate::server::room::mailbox::Question;
use crate::server::session;
use crate::text;
use crate::wire::{Event, GoodbyeReason, JoinTarget, Request, RequestFrame};

/// Requests that wait for a session, and messages that wait for a client.
const WAITING: usize = 16;
/// Requests a call keeps for its session; beyond it what its client cannot see anyway is not followed.
const ASKS: usize = 512;
/// Marks a request that is the call's own, so that its client is not told of a refusal.
const OWN: u64 = 1;

/// Something for the client.
#[derive(Debug)]
pub enum ToClient {
    Message(Bytes),
    /// The last.
    End(Ending),
}

/// What the transport hears.
#[derive(Debug)]
pub enum FromClient {
    Message(Bytes),
    /// It cannot be read, and nothing after it.
    SessionError(Ending),
    /// The client is gone.
    Lost,
}

/// What a client says of itself before its first message, where its protocol has that.
#[derive(Debug)]
pub struct Handshake {
    /// The name it asks for; empty: any that is free.
    pub name: String,
    /// Receives one answer: the client is in its room, or why it is not.
    pub entered: oneshot::Sender<Result<(), Refusal>>,
}

/// Begins a call; what it says comes out of the receiver. It ends when the client is gone or the last word is said.
pub fn begin(
    hub: &Arc<Hub>,
    connection: Connection,
    protocol: Protocol,
    handshake: Option<Handshake>,
    heard: impl Stream<Item = FromClient> + Send + Unpin + 'static,
) -> mpsc::Receiver<ToClient> {
    let (name, entered) = handshake.map(|it| (it.name, it.entered)).unzip();
    // Nobody proves anything here, so whoever asks is let in as far as they ever will be.
    connection.greeted();
    let (out, said) = mpsc::channel(WAITING);
    let outbox = Outbox::new(Arc::clone(&hub.budget));
    connection.watch(&outbox);
    let call = Call {
        hub: Arc::clone(hub),
        connection,
        protocol,
        out,
        outbox,
        session: None,
        asks: VecDeque::new(),
        saying: VecDeque::new(),
        held: VecDeque::new(),
        entered,
        peers: HashMap::new(),
        instance: InstanceId::new(random_id()),
        posts: 0,
        name: String::new(),
        me: None,
        room: None,
        count: 0,
        stage: Stage::Outside,
        hears: true,
        is_gone: false,
        has_said_bye: false,
        farewell: None,
    };
    tokio::spawn(call.run(heard, name));
    said
}

/// How far somebody has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Outside,
    Entering,
    Inside,
}

struct Call {
    hub: Arc<Hub>,
    connection: Connection,
    protocol: Protocol,
    out: mpsc::Sender<ToClient>,
    outbox: Arc<Outbox>,
    /// Absent before there is a session, and once it has ended.
    session: Option<mpsc::Sender<RequestFrame>>,
    asks: VecDeque<Request>,
    saying: VecDeque<ToClient>,
    /// Posts made while somebody is on their way in.
    held: VecDeque<Step>,
    /// Answers the handshake, until that is done.
    entered: Option<oneshot::Sender<Result<(), Refusal>>>,
    /// The names of those this client has private conversations with.
    peers: HashMap<RoomId, String>,
    instance: InstanceId,
    posts: u64,
    name: String,
    me: Option<IdentityId>,
    room: Option<RoomId>,
    /// People in the room.
    count: u32,
    stage: Stage,
    /// The client has not said that it will send nothing more.
    hears: bool,
    /// The client does not read any more.
    is_gone: bool,
    has_said_bye: bool,
    /// How it ends once the session has.
    farewell: Option<Ending>,
}

impl Call {
    async fn run(
        mut self,
        mut heard: impl Stream<Item = FromClient> + Unpin,
        name: Option<String>,
    ) {
        if let Some(name) = name {
            self.enter(&name, "", None).await;
        }
        let hub = Arc::clone(&self.hub);
        let outbox = Arc::clone(&self.outbox);
        let out = self.out.clone();
        loop {
            if self.session.is_none() && self.farewell.is_some() && self.saying.is_empty() {
                break;
            }
            let hears = self.hears && self.may_read_more();
            let session = self.session.clone();
            let asks = async {
                match &session {
                    Some(session) => session.reserve().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                heard = heard.next(), if hears => self.on_message(heard).await,
                permit = out.reserve(), if !self.saying.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(said) = self.saying.pop_front() {
                            permit.send(said);
                        }
                    }
                    Err(_) => self.lose(),
                },
                permit = asks, if !self.asks.is_empty() && session.is_some() => match permit {
                    Ok(permit) => {
                        if let Some(what) = self.asks.pop_front() {
                            let request = if is_own(&what) { OWN } else { 0 };
                            permit.send(RequestFrame { request, what });
                        }
                    }
                    // The session has ended; what it still says is heard below.
                    Err(_) => self.asks.clear(),
                },
                item = poll_fn(|context| outbox.poll_pop(context)),
                    if session.is_some() && self.saying.is_empty() => match item {
                    Some(item) => self.on_event(&item).await,
                    None => self.end(),
                },
                () = out.closed(), if !self.is_gone => self.lose(),
                () = hub.draining.cancelled(), if session.is_none() && self.farewell.is_none() => {
                    self.leave(Ending::Stopping);
                }
            }
        }
        self.outbox.abandon();
        tracing::debug!(
            name = self.name, via = ?self.protocol.via(), "bridge call ended"
        );
    }

    fn may_read_more(&self) -> bool {
        let is_held_up = self.stage == Stage::Entering && self.protocol.via() != Via::Service;
        !is_held_up
            && self.farewell.is_none()
            && self.asks.is_empty()
            && self.saying.len() < WAITING
            && self.held.len() < WAITING
    }

    async fn on_message(&mut self, heard: Option<FromClient>) {
        let steps = match heard {
            Some(FromClient::Message(message)) => self.protocol.on_message(&message, self.moment()),
            Some(FromClient::SessionError(ending)) => vec![Step::Leave(ending)],
            Some(FromClient::Lost) => return self.lose(),
            None => {
                self.hears = false;
                self.protocol.on_end()
            }
        };
        self.take(steps).await;
    }

    async fn take(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Enter { name, room, number } => self.enter(&name, &room, number).await,
                Step::People => self.send_people().await,
                at_once => self.act(at_once),
            }
        }
    }

    /// Does what needs no waiting.
    fn act(&mut self, step: Step) {
        match step {
            Step::Say(message) => self.send(ToClient::Message(message)),
            Step::Post { to, text } => self.post(to, text),
            Step::Leave(ending) => self.leave(ending),
            // No news makes anybody enter or ask who is there.
            Step::Enter { .. } | Step::People | Step::Ignore => self.drop_one(),
        }
    }

    /// What has no words on the other side.
    fn drop_one(&self) {
        self.hub.metrics.count_dropped(self.protocol.via());
    }

    fn send(&mut self, said: ToClient) {
        if !self.is_gone {
            self.saying.push_back(said);
        }
    }

    fn moment(&self) -> EventTime {
        EventTime {
            seconds: seconds(now_ms()),
            count: self.count,
        }
    }

    /// Tells the tongue something.
    fn notify(&mut self, news: Notification<'_>) {
        let steps = self.protocol.on_event(news, self.moment());
        for step in steps {
            self.act(step);
        }
    }

    /// Passes on what the client says: to the room, or to the one person a line that begins with `@name` is for. A line that is
    /// meant for one person never becomes public, whether that person is here or not.
    fn post(&mut self, to: Option<String>, text: String) {
        if self.stage == Stage::Entering {
            return self.held.push_back(Step::Post { to, text });
        }
        let (Some(room), true) = (self.room, self.session.is_some()) else {
            return self.drop_one();
        };
        // The ends of lines are those of everybody else's.
        let text = text.replace("\r\n", "\n");
        let text = text.trim_end_matches('\r');
        let is_taken = |name: &str| self.hub.is_taken(name);
        let (to, text) = match (to, text::addressee(text, is_taken)) {
            (Some(name), _) => (Recipient::Name(name), text),
            // Chinese needs no space behind a name: `@张三你好` alone mentions 张三.
            (None, Some((name, ""))) if !is_taken(name) => (Recipient::Room(room), text),
            (None, Some((name, said))) if said.trim().is_empty() => {
                let words = notices::private_text_missing(name);
                return self.notify(Notification::Notice(&words));
            }
            (None, Some((name, said))) => (Recipient::Name(name.to_owned()), said.trim()),
            (None, None) => (Recipient::Room(room), text),
        };
        self.posts += 1;
        self.asks.push_back(Request::Post {
            client_id: ClientId {
                instance: self.instance,
                counter: self.posts,
            },
            to,
            body: Body::Text(text.to_owned()),
        });
    }

    async fn send_people(&mut self) {
        let (Some(room), Some(me)) = (self.room, self.me) else {
            return;
        };
        // It costs the room a look at everybody, so it has its price.
        while let Err(refusal) = self.hub.pace(me) {
            sleep(refusal.retry_after.unwrap_or_default()).await;
        }
        let among = Vec::new();
        let roster = self
            .hub
            .ask(room, |reply| Question::Roster { among, reply });
        let (mut people, _) = roster.await.unwrap_or_default();
        people.sort_by(|one, other| one.name.cmp(&other.name));
        let names: Vec<String> = people.into_iter().map(|person| person.name).collect();
        self.notify(Notification::People(&names));
    }

    /// Everything asked for before is still done; then the client has left.
    fn leave(&mut self, ending: Ending) {
        if self.farewell.is_some() {
            return;
        }
        self.farewell = Some(ending.clone());
        if self.session.is_none() {
            self.send(ToClient::End(ending));
        }
        self.end_if_due();
    }

    /// Ends the session once everything its client asked for has been passed on; whoever is still on their way in has something to say
    /// when they are.
    fn end_if_due(&mut self) {
        let is_due = self.farewell.is_some() && self.stage != Stage::Entering;
        if is_due && self.session.is_some() && !self.has_said_bye {
            self.has_said_bye = true;
            self.asks.push_back(Request::Bye);
        }
    }

    /// The client is gone: nobody is told anything any more, and what it asked for is still done.
    fn lose(&mut self) {
        self.is_gone = true;
        self.saying.clear();
        self.leave(Ending::Done);
    }

    /// The session has ended.
    fn end(&mut self) {
        self.session = None;
        self.asks.clear();
        let was_refused = self.farewell.is_none() && !self.hub.draining.is_cancelled();
        if was_refused && self.protocol.via() == Via::Service {
            // Greetings go on without anybody who sees them.
            return;
        }
        let ending = self.farewell.get_or_insert(Ending::Stopping).clone();
        self.send(ToClient::End(ending));
    }
}

/// Whether a request is none that a client made.
fn is_own(request: &Request) -> bool {
    matches!(request, Request::Follow { .. } | Request::Leave(_))
}

/// Keeps a name for a connection, which has at most one: the one it has already, or a free one.
///
/// # Errors
/// It is somebody else's, or no name.
pub async fn reserve(
    hub: &Arc<Hub>,
    connection: &Connection,
    name: &str,
) -> Result<Arc<Guest>, Refusal> {
    if let Some(kept) = connection.reserved()
        && UserName::new(name).is_ok_and(|name| name.key() == kept.name.key())
    {
        return Ok(kept);
    }
    let guest = hub.guest_soon(name, Via::Chat, None).await?;
    connection.reserve(Some(Arc::clone(&guest)));
    Ok(guest)
}
