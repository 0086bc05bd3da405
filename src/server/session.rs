//! A session: one attached client, from hello to goodbye.
//!
//! A session is one task. It handles one request at a time and writes only to its outbox. The only thing it waits for on the reader's
//! side is room in that outbox. It knows nothing of gRPC: an endpoint or a bridge turns frames into requests and items into frames.

mod catch_up;
mod guest;
mod heads;
mod personal;
mod post;
mod rooms;
mod roster;
mod sign_in;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use tokio::time::{Instant, sleep};

pub(crate) use self::guest::run_guest;
use self::post::PostOrder;
use super::hub::{AdmitError, Admitted, Hub, Reach, now_ms};
use super::outbox::{Outbox, Slot};
use super::room::attendance::Departure;
use super::room::mailbox::Attendee;
use super::store::StoreError;
use crate::chat::{
    ConversationStatus, IdentityId, Refusal, RefusalCode, RoomId, RoomInfo, SessionToken,
    Transport, address_group,
};
use crate::text;
use crate::wire::{
    Event, Goodbye, GoodbyeAction, GoodbyeReason, Malformed, PROTOCOL, PersonTarget, Request,
    RequestFrame, UnfollowReason, Welcome,
};

/// Maximum width in the log of the client's name and version, in columns.
const AGENT: usize = 64;
/// Maximum number of rooms and conversations in one session.
const ROOMS: usize = 512;

/// The pause after the refusal of something that may be tried again. A session gets at most 200 such refusals a second.
const REFUSAL_PAUSE: Duration = Duration::from_millis(5);

/// Why a client's stream ended early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SessionError {
    /// A frame cannot be decoded.
    Malformed(Malformed),
    /// The connection is gone.
    Lost,
}

/// Where a client comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    /// Its address and port, for the log.
    pub peer: String,
    /// Its address without the port, which is charged for limits and shown to its person; empty: through the local
    /// socket or memory.
    pub address: String,
    /// How it reaches the server. `None`: others may read and change everything on the way, so it may not sign in.
    pub transport: Option<Transport>,
}

impl Origin {
    /// Returns the address that limits are charged to.
    fn group(&self) -> Option<IpAddr> {
        self.address.parse().ok().map(address_group)
    }
}

/// Runs one client's session to its end. `on_admitted` is called once the client is admitted, so that its connection no
/// longer counts as one that has not signed in.
pub(crate) async fn run(
    hub: Arc<Hub>,
    outbox: Arc<Outbox>,
    mut inbound: impl Stream<Item = Result<RequestFrame, SessionError>> + Unpin + Send,
    on_admitted: impl FnOnce(&Admitted) + Send,
    origin: Origin,
) {
    let goodbye = match sign_in::sign_in(&hub, &outbox, &origin, &mut inbound).await {
        Ok((admitted, hello)) => {
            on_admitted(&admitted);
            let agent = text::line(&text::cut(&hello.agent, AGENT)).to_string();
            let session = Session::new(hub, &outbox, admitted, Reach::Everything, &origin);
            session
                .run_admitted(&mut inbound, &agent, &origin.peer)
                .await
        }
        Err(goodbye) => goodbye,
    };
    if let Some(goodbye) = goodbye {
        outbox.answer(Event::Goodbye(goodbye));
    }
    outbox.finish();
}

/// Returns how long a session waits after a refusal before it reads the next request. A client that goes on at a limit would otherwise keep the
/// server busy with refusals.
fn pause_after(refusal: &Refusal) -> Duration {
    match refusal.retry_after {
        Some(_) => REFUSAL_PAUSE,
        None => Duration::ZERO,
    }
}

/// Sends the refusal of a client that is not admitted. Returns its goodbye.
fn refuse_client(outbox: &Outbox, request: u64, refusal: Refusal) -> Goodbye {
    let retry_after = refusal.retry_after;
    outbox.answer(Event::Refused {
        request,
        client_id: None,
        refusal,
    });
    Goodbye {
        reason: GoodbyeReason::Refused,
        action: if retry_after.is_some() {
            GoodbyeAction::Reconnect
        } else {
            GoodbyeAction::Stop
        },
        retry_after,
    }
}

/// Sends the refusal of a frame that cannot be decoded. Returns the goodbye that follows it.
fn refuse_frame(outbox: &Outbox, what: Malformed) -> Goodbye {
    outbox.answer(Event::Refused {
        request: 0,
        client_id: None,
        refusal: Refusal::new(RefusalCode::Malformed).with(what.0),
    });
    goodbye(GoodbyeReason::Malformed)
}

/// Returns the goodbye of a session that ends for good.
const fn goodbye(reason: GoodbyeReason) -> Goodbye {
    Goodbye {
        reason,
        action: GoodbyeAction::Stop,
        retry_after: None,
    }
}

/// Returns the goodbye of a server that stops. The retry delay is random, so that the clients do not all reconnect at once.
fn drain_goodbye() -> Goodbye {
    let jitter = u64::from(super::hub::random_bytes::<1>()[0]) * 4;
    let retry_after = Some(Duration::from_millis(500 + jitter));
    Goodbye {
        reason: GoodbyeReason::Draining,
        action: GoodbyeAction::Resume,
        retry_after,
    }
}

struct Session {
    hub: Arc<Hub>,
    outbox: Arc<Outbox>,
    who: Admitted,
    /// The address to charge if this person is a stranger.
    address: Option<IpAddr>,
    reach: Reach,
    rooms: HashMap<RoomId, Following>,
    order: PostOrder,
    /// When the heads of the rooms were last sent.
    heads_at: Option<Instant>,
    /// When a read position was last accepted.
    marked_at: Option<Instant>,
    /// Whether the client sent `Bye`.
    has_quit: bool,
}

/// A room this session is present in.
#[derive(Clone, Copy, Debug)]
struct Following {
    /// `None` while the room is not followed.
    slot: Option<Slot>,
    /// The client has asked for the room's entries before.
    was_followed: bool,
    /// It is a request of a stranger, which does not count as a room.
    is_request: bool,
}

impl Following {
    /// A room that is followed.
    fn at(slot: Slot) -> Self {
        Self {
            slot: Some(slot),
            was_followed: true,
            is_request: false,
        }
    }
}

impl Session {
    fn new(
        hub: Arc<Hub>,
        outbox: &Arc<Outbox>,
        who: Admitted,
        reach: Reach,
        origin: &Origin,
    ) -> Self {
        Self {
            who,
            address: origin.group(),
            reach,
            rooms: HashMap::new(),
            order: PostOrder::default(),
            heads_at: None,
            marked_at: None,
            hub,
            outbox: Arc::clone(outbox),
            has_quit: false,
        }
    }

    async fn run_admitted(
        mut self,
        inbound: &mut (impl Stream<Item = Result<RequestFrame, SessionError>> + Unpin),
        agent: &str,
        peer: &str,
    ) -> Option<Goodbye> {
        let id = self.who.author.id;
        tracing::info!(
            name = %self.who.author.name, identity = %id, session = %self.who.session, peer,
            agent, "connected"
        );
        let end = match self.serve(inbound).await {
            Ok(end) => end,
            Err(error) => {
                self.hub.fatal.raise(&error);
                None
            }
        };
        let is_over = self.has_quit || self.who.end.is_cancelled();
        let how = if is_over || self.is_guest() {
            Departure::Clean
        } else {
            Departure::Lost
        };
        tracing::info!(
            name = %self.who.author.name, identity = %id, session = %self.who.session, peer,
            how = if self.has_quit { "quit" } else if is_over { "ended by the server" } else if self.hub.draining.is_cancelled() { "drained" } else { "lost" },
            "disconnected"
        );
        let rooms = self.rooms.keys().copied().collect();
        if let Err(error) = self.hub.depart(&self.who, rooms, how).await {
            self.hub.fatal.raise(&error);
        }
        end
    }

    async fn serve(
        &mut self,
        inbound: &mut (impl Stream<Item = Result<RequestFrame, SessionError>> + Unpin),
    ) -> Result<Option<Goodbye>, StoreError> {
        if let Some(token) = self.who.token {
            self.welcome(token).await?;
        }
        let hub = Arc::clone(&self.hub);
        let outbox = Arc::clone(&self.outbox);
        let mut generation = outbox.generation();
        loop {
            let taking = outbox.has_room();
            tokio::select! {
                asked = inbound.next(), if taking => match asked {
                    Some(Ok(asked)) => {
                        // The token may have been cancelled at the same moment.
                        if self.who.end.is_cancelled() {
                            return Ok(Some(goodbye(self.who.end.reason())));
                        }
                        self.handle(asked).await?;
                        if self.has_quit {
                            return Ok(Some(goodbye(GoodbyeReason::Bye)));
                        }
                    }
                    Some(Err(SessionError::Malformed(what))) => {
                        return Ok(Some(refuse_frame(&outbox, what)));
                    }
                    Some(Err(SessionError::Lost)) | None => return Ok(None),
                },
                () = outbox.changed() => {
                    if outbox.is_abandoned() {
                        return Ok(None);
                    }
                }
                () = self.who.end.cancelled() => {
                    return Ok(Some(goodbye(self.who.end.reason())));
                }
                () = hub.draining.cancelled() => return Ok(Some(drain_goodbye())),
            }
            if outbox.generation() != generation {
                generation = self.catch_up_all().await?;
            }
            for slot in outbox.take_stale() {
                self.send_roster_of(slot).await?;
            }
        }
    }

    async fn welcome(&self, token: SessionToken) -> Result<(), StoreError> {
        let me = self.who.author.id;
        let rooms = self.listed_rooms().await?;
        let personal = self.hub.store.personal(me).await?;
        self.outbox.welcome(Event::Welcome(Welcome {
            settings: personal.settings,
            status: personal.status,
            session: self.who.session,
            you: self.who.author.clone(),
            server_id: self.hub.server_id,
            protocol: PROTOCOL,
            features: Vec::new(),
            limits: self.hub.limits,
            now_ms: now_ms(),
            rooms,
            token,
        }));
        for device in &self.who.added {
            self.outbox.answer(Event::DeviceAdded {
                name: device.name.clone(),
                from: device.from.clone(),
            });
        }
        for record in self
            .hub
            .store
            .invitations(me)
            .await?
            .into_iter()
            .take(ROOMS)
        {
            let room = self.hub.describe(&record, me).await?;
            self.outbox.answer(Event::Invitation { room, by: None });
        }
        Ok(())
    }

    /// Returns the rooms and conversations of this person, and the requests of strangers, which do not count as rooms.
    async fn listed_rooms(&self) -> Result<Vec<RoomInfo>, StoreError> {
        let me = self.who.author.id;
        let hidden = self.hub.store.conversations_of(me).await?;
        let hidden: HashMap<RoomId, ConversationStatus> = hidden.into_iter().collect();
        let (mut rooms, mut requests) = (Vec::new(), Vec::new());
        for record in self.hub.store.memberships(me).await? {
            let listed = match hidden.get(&record.id).copied().unwrap_or_default() {
                ConversationStatus::Open if rooms.len() < ROOMS => &mut rooms,
                ConversationStatus::Request => &mut requests,
                _ => continue,
            };
            listed.push(self.hub.describe(&record, me).await?);
        }
        rooms.append(&mut requests);
        Ok(rooms)
    }

    async fn handle(&mut self, asked: RequestFrame) -> Result<(), StoreError> {
        let request = asked.request;
        let done = match asked.what {
            Request::Hello(_) => Err(Refusal::new(RefusalCode::Malformed).with("hello").into()),
            Request::SignIn(_) => Err(Refusal::new(RefusalCode::Malformed).with("sign_in").into()),
            Request::Post {
                client_id,
                to,
                body,
            } => {
                self.post(client_id, to, body).await?;
                Ok(())
            }
            Request::Join(target) => self.join(request, target).await,
            Request::Leave(room) => self.leave(request, room).await,
            Request::Follow { room, cursor } => self.follow(request, room, cursor).await,
            Request::Unfollow(room) => {
                self.stop_following(request, room).await;
                Ok(())
            }
            Request::SetName(name) => self.set_name(request, &name).await,
            Request::Open(who) => self.open(request, who).await,
            Request::Create(wanted) => self.create(request, wanted).await,
            Request::MarkRead { room, epoch, seq } => {
                self.mark_read(request, room, epoch, seq).await
            }
            Request::SetStatus(status) => self.set_status(request, status).await,
            Request::Typing(room) => self.typing(room).await,
            Request::Whois(who) => self.whois(request, who).await,
            Request::Ignore { who, is_on } => self.ignore(request, who, is_on).await,
            Request::Block { who, is_on } => self.block(request, who, is_on).await,
            Request::AnswerRequest { room, answer } => {
                self.answer_request(request, room, answer).await
            }
            Request::SetLevel { room, level } => self.set_level(request, room, level).await,
            Request::SetKeywords(words) => self.set_keywords(request, words).await,
            Request::Ping => {
                self.pong(request).await;
                Ok(())
            }
            Request::Bye => {
                self.has_quit = true;
                Ok(())
            }
            Request::Unknown if request == 0 => Ok(()),
            Request::Unknown => Err(Refusal::new(RefusalCode::Malformed).with("kind").into()),
        };
        match done {
            Ok(()) => Ok(()),
            Err(AdmitError::Refused(refusal)) => {
                let pause = pause_after(&refusal);
                self.outbox.answer(Event::Refused {
                    request,
                    client_id: None,
                    refusal,
                });
                sleep(pause).await;
                Ok(())
            }
            Err(AdmitError::Store(error)) => Err(error),
        }
    }

    /// Whether nothing more is to be sent: the reader is gone, or the device was revoked.
    fn is_over(&self) -> bool {
        self.outbox.is_abandoned() || self.who.end.is_cancelled()
    }

    /// Waits for room in the outbox, or until the session is over.
    async fn wait_for_room(&self) {
        tokio::select! {
            () = self.outbox.wait_for_room() => {}
            () = self.who.end.cancelled() => {}
        }
    }

    /// Answers Unfollow.
    async fn stop_following(&mut self, request: u64, room: RoomId) {
        self.unfollow(room).await;
        self.outbox.answer(Event::Unfollowed {
            request,
            room,
            why: UnfollowReason::Requested,
        });
    }

    /// Returns the person that a request names.
    async fn resolve(&self, who: PersonTarget) -> Result<IdentityId, AdmitError> {
        match who {
            PersonTarget::Person(person) => self.check_exists(person).await,
            PersonTarget::Name(name) => self.hub.resolve(&name, self.who.author.id).await,
        }
    }

    /// Reads the person's current name, which another session of theirs may have changed.
    fn refresh_name(&mut self) {
        if let Some(author) = self.hub.author(self.who.author.id) {
            self.who.author = author;
        }
    }

    fn attendee(&mut self) -> Attendee {
        self.refresh_name();
        let role = self.hub.role(self.who.author.id);
        Attendee {
            session: self.who.session,
            author: self.who.author.clone(),
            role,
            via: self.who.via(),
            status: self.hub.status(self.who.author.id),
        }
    }
}
