//! A call: one connected client of a foreign protocol. It reads the client's messages, drives a session for it, and
//! sends it the session's events.
//!
//! A call owns a [`Protocol`]. Its two directions never wait for each other: incoming messages wait while the session is busy, outgoing
//! ones wait while the client does not read. Both queues are short. A call does not know the transport.

mod admission;
mod outgoing;

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tokio_stream::wrappers::ReceiverStream;

use super::action::{BridgeAction, Ending, EventTime, Notification, seconds};
use super::notices;
use super::protocol::Protocol;
use crate::chat::{
    Body, ClientId, Entry, IdentityId, InstanceId, Limit, Recipient, Refusal, RoomId, RoomKind,
    Seq, UserName, Via,
};
use crate::server::delivery::Delivery;
use crate::server::hub::guest::{Guest, Seat};
use crate::server::hub::{Hub, Reach, now_ms, random_bytes};
use crate::server::listen::Connection;
use crate::server::outbox::{Direction, JoinOrLeave};
use crate::server::outbox::{Item, Outbox, Signal};
use crate::server::room::mailbox::RoomQuery;
use crate::server::session;
use crate::text;
use crate::wire::{Event, GoodbyeReason, JoinTarget, Request, RequestFrame};

/// Capacity of each queue: requests to the session, and messages to the client.
const WAITING: usize = 16;
/// Maximum number of requests that wait in a call. Beyond it, the call does not follow new conversations, so its client
/// misses their messages, and does not leave those that are over.
const REQUEST_LIMIT: usize = 512;
/// Request number for the call's own requests. Their refusals are not sent to the client.
const OWN_REQUEST: u64 = 1;

/// Something to send to the client.
#[derive(Debug)]
pub enum ToClient {
    Message(Bytes),
    /// The end of the call. Nothing follows it.
    End(Ending),
}

/// Something the transport received.
#[derive(Debug)]
pub enum FromClient {
    Message(Bytes),
    /// A message that cannot be read. Nothing after it can be read either.
    Unreadable(Ending),
    /// The client is gone.
    Lost,
}

/// What a client sends before its first message, in protocols that have a handshake.
#[derive(Debug)]
pub struct Handshake {
    /// The requested name. Empty: any free name.
    pub name: String,
    /// Receives one answer: the client has joined its room, or the refusal.
    pub reply: oneshot::Sender<Result<(), Refusal>>,
}

/// Returns which rooms a client may join, or `None` if the server does not serve bridge clients from its network.
pub fn reach(hub: &Hub, connection: &Connection) -> Option<Reach> {
    let reach = hub.guest_reach(connection.remote_address());
    if reach.is_none() {
        tracing::debug!(
            peer = connection.peer(),
            "refused a bridge client from a network that is not served"
        );
    }
    reach
}

/// Starts the task of a call. Its messages to the client arrive at the returned receiver. The call ends when the client is gone or has
/// been sent everything.
pub fn begin(
    hub: &Arc<Hub>,
    (connection, reach): (Connection, Reach),
    protocol: Protocol,
    handshake: Option<Handshake>,
    heard: impl Stream<Item = FromClient> + Send + Unpin + 'static,
) -> mpsc::Receiver<ToClient> {
    let (name, entered) = handshake.map(|it| (it.name, it.reply)).unzip();
    // These protocols have no authentication, so the connection counts as admitted from the start.
    connection.admit_guest();
    let (out, said) = mpsc::channel(WAITING);
    let outbox = Outbox::new(Arc::clone(&hub.budget));
    connection.watch(&outbox);
    let call = Call {
        hub: Arc::clone(hub),
        connection,
        reach,
        protocol,
        out,
        outbox,
        session: None,
        requests: VecDeque::new(),
        outgoing: VecDeque::new(),
        deferred: VecDeque::new(),
        handshake_reply: entered,
        peers: HashMap::new(),
        instance: InstanceId::new(random_bytes()),
        posts: 0,
        name: String::new(),
        me: None,
        room: None,
        count: 0,
        stage: Stage::Outside,
        is_reading: true,
        is_gone: false,
        has_sent_bye: false,
        farewell: None,
    };
    tokio::spawn(call.run(heard, name));
    said
}

/// Whether the client is in its room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Outside,
    Entering,
    Inside,
}

struct Call {
    hub: Arc<Hub>,
    connection: Connection,
    reach: Reach,
    protocol: Protocol,
    out: mpsc::Sender<ToClient>,
    outbox: Arc<Outbox>,
    /// `None` before the session starts and after it has ended.
    session: Option<mpsc::Sender<RequestFrame>>,
    requests: VecDeque<Request>,
    outgoing: VecDeque<ToClient>,
    /// Posts that arrived while the client was still joining.
    deferred: VecDeque<BridgeAction>,
    /// The handshake's reply channel, until it is answered.
    handshake_reply: Option<oneshot::Sender<Result<(), Refusal>>>,
    /// The other person's name in each private conversation of this client.
    peers: HashMap<RoomId, String>,
    instance: InstanceId,
    posts: u64,
    name: String,
    me: Option<IdentityId>,
    room: Option<RoomId>,
    /// People in the room.
    count: u32,
    stage: Stage,
    /// The client may still send messages.
    is_reading: bool,
    /// The client no longer reads.
    is_gone: bool,
    has_sent_bye: bool,
    /// How the call ends after the session has ended.
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
            if self.session.is_none() && self.farewell.is_some() && self.outgoing.is_empty() {
                break;
            }
            let hears = self.is_reading && self.may_read_more();
            let session = self.session.clone();
            let asks = async {
                match &session {
                    Some(session) => session.reserve().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                heard = heard.next(), if hears => self.on_message(heard).await,
                permit = out.reserve(), if !self.outgoing.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(said) = self.outgoing.pop_front() {
                            permit.send(said);
                        }
                    }
                    Err(_) => self.on_client_lost(),
                },
                permit = asks, if !self.requests.is_empty() && session.is_some() => match permit {
                    Ok(permit) => {
                        if let Some(what) = self.requests.pop_front() {
                            let request = if is_own(&what) { OWN_REQUEST } else { 0 };
                            permit.send(RequestFrame { request, what });
                        }
                    }
                    // The session has ended. Its last items are read below.
                    Err(_) => self.requests.clear(),
                },
                item = poll_fn(|context| outbox.poll_pop(context)),
                    if session.is_some() && self.outgoing.is_empty() => match item {
                    Some(item) => self.on_event(&item).await,
                    None => self.end(),
                },
                () = out.closed(), if !self.is_gone => self.on_client_lost(),
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
            && self.requests.is_empty()
            && self.outgoing.len() < WAITING
            && self.deferred.len() < WAITING
    }

    async fn on_message(&mut self, heard: Option<FromClient>) {
        let steps = match heard {
            Some(FromClient::Message(message)) => {
                self.protocol.on_message(&message, self.event_time())
            }
            Some(FromClient::Unreadable(ending)) => vec![BridgeAction::Leave(ending)],
            Some(FromClient::Lost) => return self.on_client_lost(),
            None => {
                self.is_reading = false;
                self.protocol.on_end()
            }
        };
        self.perform_all(steps).await;
    }

    async fn perform_all(&mut self, steps: Vec<BridgeAction>) {
        for step in steps {
            match step {
                BridgeAction::Enter { name, room, number } => {
                    self.enter(&name, &room, number).await;
                }
                BridgeAction::People => self.send_people().await,
                at_once => self.perform(at_once),
            }
        }
    }

    /// Performs an action that does not wait.
    fn perform(&mut self, step: BridgeAction) {
        match step {
            BridgeAction::Send(message) => self.send(ToClient::Message(message)),
            BridgeAction::Post { to, text } => self.post(to, text),
            BridgeAction::Leave(ending) => self.leave(ending),
            // `Ignore` is only counted. The others are handled in `perform_all`; notifications never produce them.
            BridgeAction::Enter { .. } | BridgeAction::People | BridgeAction::Ignore => {
                self.count_dropped();
            }
        }
    }

    /// Counts one message that is dropped, for example because it has no equivalent on the other side.
    fn count_dropped(&self) {
        self.hub.metrics.count_dropped(self.protocol.via());
    }

    fn send(&mut self, said: ToClient) {
        if !self.is_gone {
            self.outgoing.push_back(said);
        }
    }

    fn event_time(&self) -> EventTime {
        EventTime {
            seconds: seconds(now_ms()),
            count: self.count,
        }
    }

    /// Converts a notification for the client and performs the resulting actions.
    fn notify(&mut self, news: Notification<'_>) {
        let steps = self.protocol.on_event(news, self.event_time());
        for step in steps {
            self.perform(step);
        }
    }

    /// Posts a message to the room, or privately to `to` or to the person in a leading `@name`. A private line never
    /// becomes public, whether that person is present or not.
    fn post(&mut self, to: Option<String>, text: String) {
        if self.stage == Stage::Entering {
            return self.deferred.push_back(BridgeAction::Post { to, text });
        }
        let (Some(room), true) = (self.room, self.session.is_some()) else {
            return self.count_dropped();
        };
        // Line ends become LF, as in tchat's own clients.
        let text = text.replace("\r\n", "\n");
        let text = text.trim_end_matches('\r');
        let is_taken = |name: &str| self.hub.is_taken(name);
        let (to, text) = match (to, text::addressee(text, is_taken)) {
            (Some(name), _) => (Recipient::Name(name), text),
            // Chinese has no space after a name: the line `@张三你好` is public and mentions 张三.
            (None, Some((name, ""))) if !is_taken(name) => (Recipient::Room(room), text),
            (None, Some((name, said))) if said.trim().is_empty() => {
                let words = notices::private_text_missing(name);
                return self.notify(Notification::Notice(&words));
            }
            (None, Some((name, said))) => (Recipient::Name(name.to_owned()), said.trim()),
            (None, None) => (Recipient::Room(room), text),
        };
        self.posts += 1;
        self.requests.push_back(Request::Post {
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
        // The room must go through everybody present, so this counts against the rate limit.
        while let Err(refusal) = self.hub.charge(Limit::Posts, me) {
            sleep(refusal.retry_after.unwrap_or_default()).await;
        }
        let among = Vec::new();
        let roster = self
            .hub
            .ask(room, |reply| RoomQuery::Roster { among, reply });
        let (mut people, _) = roster.await.unwrap_or_default();
        people.sort_by(|one, other| one.name.cmp(&other.name));
        let names: Vec<String> = people.into_iter().map(|person| person.name).collect();
        self.notify(Notification::People(&names));
    }

    /// Ends the call after all earlier requests are done.
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

    /// Queues `Bye` after the client's requests if the call is to end. While the client is still joining this waits,
    /// because deferred posts come first.
    fn end_if_due(&mut self) {
        let is_due = self.farewell.is_some() && self.stage != Stage::Entering;
        if is_due && self.session.is_some() && !self.has_sent_bye {
            self.has_sent_bye = true;
            self.requests.push_back(Request::Bye);
        }
    }

    /// Handles a client that is gone: nothing more is sent to it, but its earlier requests are still carried out.
    fn on_client_lost(&mut self) {
        self.is_gone = true;
        self.outgoing.clear();
        self.leave(Ending::Done);
    }

    /// Handles the end of the session.
    fn end(&mut self) {
        self.session = None;
        self.requests.clear();
        let was_refused = self.farewell.is_none() && !self.hub.draining.is_cancelled();
        if was_refused && self.protocol.via() == Via::Service {
            // Greetings work without a session, but nobody in the room sees them.
            return;
        }
        let ending = self.farewell.get_or_insert(Ending::Stopping).clone();
        self.send(ToClient::End(ending));
    }
}

/// Whether a request is the call's own and not the client's.
fn is_own(request: &Request) -> bool {
    matches!(request, Request::Follow { .. } | Request::Leave(_))
}

/// Reserves a name for a connection, which has at most one. Returns the guest that is already reserved if the name is the same.
///
/// # Errors
/// The name is invalid or taken.
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
    let guest = hub.guest_within(name, Via::Chat, None).await?;
    connection.reserve(Some(Arc::clone(&guest)));
    Ok(guest)
}
