//! The link: one task that owns the connection, from connecting to goodbye, and reconnects when it breaks.

pub(in crate::client) mod account;
pub(in crate::client) mod admin;
mod health;
pub mod probe;
mod session;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tonic::transport::{Channel, Endpoint};

use self::health::Health;
use self::session::{ConnectionEnd, LinkSession};
use super::backoff::Backoff;
use super::cache::{Cache, Opened};
use super::known_servers::IdCheck;
use super::pending::{OutgoingPost, Pending};
use super::tls;
use super::{
    CallError, ClientConfig, Command, Connector, DisconnectReason, Event, LinkState, Protection,
    RequestKind, RoomToJoin, SearchScope, Unreachable, history,
};
use crate::chat::{
    ClientId, Cursor, IdentityId, RoomId, Search, SearchResults, ServerId, SessionId, Transport,
};

/// How long a server has to accept the connection, and again to send Welcome.
const DIAL_WITHIN: Duration = Duration::from_secs(10);
/// A connection that lasted this long after its welcome resets the backoff.
const STABLE_AFTER: Duration = Duration::from_secs(5);

/// The state that outlives a connection.
#[derive(Debug)]
pub(super) struct Link {
    config: ClientConfig,
    events: mpsc::Sender<Event>,
    pending: Pending,
    /// Posts that are being written to disk, in order.
    writing: VecDeque<PendingWrite>,
    cache: Option<Cache>,
    /// The server that the cursors, drafts and pending posts belong to.
    cached_server: Option<ServerId>,
    /// The last entry of each room that the receiver of the events has.
    cursors: HashMap<RoomId, Cursor>,
    last_session: Option<SessionId>,
    /// The server that this process has connected to.
    server_id: Option<ServerId>,
    /// Our identity there.
    me: Option<IdentityId>,
    health: Health,
    /// Rooms to join as soon as there is a connection.
    to_join: Vec<RoomToJoin>,
}

/// A post, and the confirmation that it is on disk.
type PendingWrite = (oneshot::Receiver<Result<(), String>>, OutgoingPost);

/// The receiver of the events is gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoReceiver;

/// Runs a link until it receives [`Command::Quit`] or nobody reads its events any longer.
pub async fn run(
    config: ClientConfig,
    opened: Option<Opened>,
    mut commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
) {
    let (link, ended) = Link::new(config, opened, events);
    link.serve(&mut commands).await;
    if let Some(ended) = ended {
        // The caller waits for the link to close its queue and may then end the process.
        let _written = ended.await;
    }
}
impl Link {
    fn new(
        config: ClientConfig,
        opened: Option<Opened>,
        events: mpsc::Sender<Event>,
    ) -> (Self, Option<oneshot::Receiver<()>>) {
        // First the room that everyone starts in. Its name is empty here, because each server has its own.
        let to_join = std::iter::once(RoomToJoin::default())
            .chain(config.room.clone().map(RoomToJoin::from))
            .collect();
        let mut link = Self {
            config,
            events,
            pending: Pending::default(),
            writing: VecDeque::new(),
            cache: None,
            cached_server: None,
            cursors: HashMap::new(),
            last_session: None,
            server_id: None,
            me: None,
            health: Health::default(),
            to_join,
        };
        let Some(opened) = opened else {
            return (link, None);
        };
        link.cache = Some(opened.cache);
        if let Some(kept) = opened.cached_server {
            link.cached_server = Some(kept.server);
            let cursors = kept.rooms.into_iter();
            link.cursors = cursors
                .filter_map(|(room, cursor)| Some((room.id, cursor?)))
                .collect();
        }
        let unanswered = opened.posts.into_iter().filter(|it| it.failed.is_none());
        unanswered.for_each(|unsent| link.pending.add(unsent.post));
        (link, Some(opened.ended))
    }

    /// Connects again and again until it receives [`Command::Quit`] or nobody reads its events any longer.
    async fn serve(mut self, commands: &mut mpsc::Receiver<Command>) {
        let mut backoff = Backoff::default();
        loop {
            let Ok(end) = self.run_connection(commands, &mut backoff).await else {
                return;
            };
            let (state, until) = match end {
                ConnectionEnd::Quit => return,
                ConnectionEnd::NameRefused(refusal) => (LinkState::NameRefused(refusal), None),
                ConnectionEnd::Stopped(why) => (LinkState::Stopped(why), None),
                ConnectionEnd::Lost { why, retry_after } => {
                    let retry_in = backoff.next(random()).max(retry_after.unwrap_or_default());
                    let state = LinkState::Waiting { retry_in, why };
                    (state, Some(Instant::now() + retry_in))
                }
            };
            if self.idle(commands, state, until).await.is_err() {
                return;
            }
        }
    }

    /// Queues a post to be written to disk, and sent after that. Posts that arrive together are written in one commit.
    async fn store_post(&mut self, post: OutgoingPost, instead_of: Option<ClientId>) {
        // Only messages are stored. Other posts are lost if the program ends before they are sent.
        let (Some(cache), Some(server), true) =
            (&self.cache, self.cached_server, post.body.is_message())
        else {
            self.pending.add(post);
            return;
        };
        let kept = cache.add_post(server, post.clone(), instead_of).await;
        self.writing.push_back((kept, post));
    }

    /// Waits until the next post is on disk, and then releases it for sending. If it cannot be written, it is sent
    /// anyway and the failure is reported. If this future is dropped, the next call waits for the same post.
    async fn next_written(&mut self) -> Result<(), NoReceiver> {
        let Some((kept, _)) = self.writing.front_mut() else {
            return std::future::pending().await;
        };
        let kept = kept.await;
        if let Some((_, post)) = self.writing.pop_front() {
            self.pending.add(post);
        }
        match kept {
            Ok(Ok(())) => Ok(()),
            Ok(Err(why)) => self.emit(Event::CacheFailed(why)).await,
            Err(_) => {
                let why = "the cache has stopped".to_owned();
                self.emit(Event::CacheFailed(why)).await
            }
        }
    }

    /// Returns whether a post is already pending, or about to be.
    fn has_post(&self, id: ClientId) -> bool {
        let mut keeping = self.writing.iter();
        self.pending.has(id) || keeping.any(|(_, post)| post.client_id == id)
    }

    /// Removes a post that has its final answer.
    async fn remove_answered(&mut self, id: ClientId) -> Option<OutgoingPost> {
        let post = self.pending.remove_answered(id)?;
        if let Some(cache) = &self.cache {
            cache.remove_post(id).await;
        }
        Some(post)
    }

    /// Handles the commands for the cache. Returns any other command.
    async fn handle_cache_command(
        &mut self,
        command: Command,
    ) -> Result<Option<Command>, NoReceiver> {
        match (command, &self.cache, self.cached_server) {
            (
                Command::Post {
                    post,
                    replaces: instead_of,
                },
                ..,
            ) => self.store_post(post, instead_of).await,
            (Command::Forget(id), Some(cache), _) => cache.remove_post(id).await,
            (Command::Draft { room, text }, Some(cache), Some(server)) => {
                cache.put_draft(server, room, text).await;
            }
            (Command::Forget(_) | Command::Draft { .. }, ..) => {}
            (other, ..) => return Ok(Some(other)),
        }
        Ok(None)
    }

    pub(super) async fn emit(&self, event: Event) -> Result<(), NoReceiver> {
        self.events.send(event).await.map_err(|_| NoReceiver)
    }

    /// Runs one connection, from connecting to its end.
    async fn run_connection(
        &mut self,
        commands: &mut mpsc::Receiver<Command>,
        backoff: &mut Backoff,
    ) -> Result<ConnectionEnd, NoReceiver> {
        self.emit(Event::Link(LinkState::Connecting)).await?;
        let mut dialling = std::pin::pin!(timeout(
            DIAL_WITHIN,
            dial(self.config.connector.clone(), self.server_id)
        ));
        let channel = loop {
            tokio::select! {
                dialled = &mut dialling => break dialled,
                kept = self.next_written() => kept?,
                command = commands.recv() => match command {
                    None | Some(Command::Quit) => return Ok(ConnectionEnd::Quit),
                    Some(Command::Disconnect) => return Ok(ConnectionEnd::Stopped(DisconnectReason::Disconnected)),
                    Some(command) => self.handle_offline(command).await?,
                },
            }
        };
        let channel = match channel {
            Ok(Ok((channel, route))) => {
                self.emit(Event::Protected(route.protection)).await?;
                (channel, route)
            }
            // Trying again would change nothing: a person has to decide.
            Ok(Err(DisconnectReason::Untrusted(untrusted))) if untrusted.why.is_final() => {
                return Ok(ConnectionEnd::Stopped(DisconnectReason::Untrusted(
                    untrusted,
                )));
            }
            Ok(Err(why)) => {
                return Ok(ConnectionEnd::Lost {
                    why,
                    retry_after: None,
                });
            }
            Err(_) => {
                let why = DisconnectReason::Unreachable(Unreachable::NoAnswer);
                return Ok(ConnectionEnd::Lost {
                    why,
                    retry_after: None,
                });
            }
        };
        self.pending.restart();
        let (end, welcome_at) = LinkSession::run(self, channel, commands).await?;
        if welcome_at.is_some_and(|at| at.elapsed() >= STABLE_AFTER) {
            backoff.reset();
        }
        Ok(end)
    }

    /// Waits without a connection: until a time, or until a person acts.
    async fn idle(
        &mut self,
        commands: &mut mpsc::Receiver<Command>,
        state: LinkState,
        mut until: Option<Instant>,
    ) -> Result<(), NoReceiver> {
        self.emit(Event::Link(state)).await?;
        loop {
            tokio::select! {
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => return Ok(()),
                kept = self.next_written() => kept?,
                command = commands.recv() => match command {
                    None | Some(Command::Quit) => return Err(NoReceiver),
                    Some(Command::RetryNow) => return Ok(()),
                    Some(Command::Disconnect) => {
                        until = None;
                        self.emit(Event::Link(LinkState::Stopped(DisconnectReason::Disconnected))).await?;
                    }
                    Some(Command::SetName(name)) => {
                        self.config.name = name;
                        return Ok(());
                    }
                    Some(command) => self.handle_offline(command).await?,
                },
            }
        }
    }

    /// Handles a command without a connection: posts wait, rooms are joined later, and the rest is refused.
    async fn handle_offline(&mut self, command: Command) -> Result<(), NoReceiver> {
        let Some(command) = self.handle_cache_command(command).await? else {
            return Ok(());
        };
        match command {
            Command::Join(room) => self.to_join.push(room),
            Command::SetName(name) => self.config.name = name,
            Command::LoadOlder { room, before } => {
                let page = match (&self.cache, self.cached_server) {
                    (Some(cache), Some(server)) => history::cached_page(cache, server, room, before).await,
                    _ => None,
                };
                let page = page.unwrap_or(Event::PageFailed { room, before });
                self.emit(page).await?;
            }
            Command::Open(name) => self.offline_refusal(RequestKind::Open(name)).await?,
            Command::Leave(room) => self.offline_refusal(RequestKind::Leave(room)).await?,
            Command::ListRooms => self.offline_refusal(RequestKind::ListRooms).await?,
            Command::Create(room) => self.offline_refusal(RequestKind::Create(room.name)).await?,
            Command::Report => self.report().await?,
            Command::SetStatus(_) => self.offline_refusal(RequestKind::Status).await?,
            Command::Whois(_) => self.offline_refusal(RequestKind::Whois).await?,
            Command::AnswerRequest { room, .. } => {
                self.offline_refusal(RequestKind::AnswerRequest(room)).await?;
            }
            Command::Ignore { .. }
            | Command::Block { .. }
            | Command::SetLevel { .. }
            | Command::SetKeywords(_) => {
                self.offline_refusal(RequestKind::Settings).await?;
            }
            Command::Admin(_) => self.emit(Event::Admin(Err(CallError::Offline))).await?,
            Command::Account(_) => self.emit(Event::Account(Err(CallError::Offline))).await?,
            Command::ListMentions => self.offline_refusal(RequestKind::Mentions).await?,
            Command::ListModeration(room) | Command::ListSanctions(room) => {
                self.offline_refusal(RequestKind::Moderation(room)).await?;
            }
            Command::Search { id, search, scope: among } => {
                let (kept, events) = (self.search_cache(id, search), self.events.clone());
                match among {
                    // In a task of its own, so that the next keystroke does not wait for the search.
                    SearchScope::Cache => drop(tokio::spawn(async move {
                        let _gone = events.send(kept.await).await;
                    })),
                    SearchScope::Server => {
                        let found = None;
                        self.emit(Event::SearchResults { id, scope: among, results: found }).await?;
                    }
                }
            }
            // The read position is sent again when the room is followed, and a typing signal is useless later.
            Command::MarkRead { .. }
            | Command::Typing(_)
            // These are handled already.
            | Command::Post { .. }
            | Command::Forget(_)
            | Command::Draft { .. }
            | Command::RetryNow
            | Command::Disconnect
            | Command::Quit => {}
        }
        Ok(())
    }

    /// Searches the cache.
    pub(super) fn search_cache(
        &self,
        id: u64,
        search: Search,
    ) -> impl Future<Output = Event> + Send + use<> {
        let kept = self.cache.clone().zip(self.cached_server);
        async move {
            let found = match kept {
                Some((cache, server)) => cache.search(id, server, search).await,
                None => SearchResults::default(),
            };
            Event::SearchResults {
                id,
                scope: SearchScope::Cache,
                results: Some(found),
            }
        }
    }

    pub(super) async fn report(&self) -> Result<(), NoReceiver> {
        self.emit(Event::Report(self.health.report(&self.cursors)))
            .await
    }

    async fn offline_refusal(&self, about: RequestKind) -> Result<(), NoReceiver> {
        let refusal = crate::chat::Refusal::new(crate::chat::RefusalCode::Offline);
        self.emit(Event::Refused { about, refusal }).await
    }
}

/// Opens a connection for calls, without a session.
pub(super) async fn open_channel(connector: Connector) -> Result<Channel, DisconnectReason> {
    match timeout(DIAL_WITHIN, dial(connector, None)).await {
        Ok(dialled) => Ok(dialled?.0),
        Err(_) => Err(DisconnectReason::Unreachable(Unreachable::NoAnswer)),
    }
}

/// How a connection that was opened reaches the server.
#[derive(Clone, Debug)]
struct Route {
    protection: Protection,
    transport: Transport,
    id_check: Option<IdCheck>,
}

/// Opens an HTTP/2 connection through the connector.
async fn dial(
    connector: Connector,
    before: Option<ServerId>,
) -> Result<(Channel, Route), DisconnectReason> {
    // The connector knows the address; this one only fills the `:authority` of requests.
    let endpoint = Endpoint::from_static("http://tchat")
        .initial_stream_window_size(2 * 1024 * 1024)
        .initial_connection_window_size(4 * 1024 * 1024)
        .http2_keep_alive_interval(Duration::from_secs(25))
        .keep_alive_timeout(Duration::from_secs(8))
        .keep_alive_while_idle(true);
    // The endpoint's own errors do not contain what the connector reports, so that is recorded here.
    let noted: Arc<Mutex<Option<Result<Route, DisconnectReason>>>> = Arc::default();
    let note = Arc::clone(&noted);
    let service = tower::service_fn(move |_: http::Uri| {
        let (opening, note) = (connector(before), Arc::clone(&note));
        async move {
            let opened = opening.await;
            let told = match &opened {
                Ok(dialled) => Ok(Route {
                    protection: dialled.protection,
                    transport: dialled.transport,
                    id_check: dialled.id_check.clone(),
                }),
                Err(error) => Err(match tls::untrusted(error) {
                    Some(untrusted) => DisconnectReason::Untrusted(untrusted.clone()),
                    None => DisconnectReason::Unreachable(unreachable(error)),
                }),
            };
            *note.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
            opened.map(|dialled| hyper_util::rt::TokioIo::new(dialled.pipe))
        }
    });
    let connected = endpoint.connect_with_connector(service).await;
    let noted = noted.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (connected, noted) {
        (Ok(channel), Some(Ok(route))) => Ok((channel, route)),
        (_, Some(Err(why))) => Err(why),
        (Err(error), _) => Err(DisconnectReason::NotTchat(error.to_string())),
        (Ok(_), None) => Err(DisconnectReason::NotTchat(String::new())),
    }
}

/// Returns why an address cannot be reached.
fn unreachable(error: &std::io::Error) -> Unreachable {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => Unreachable::Refused,
        std::io::ErrorKind::TimedOut => Unreachable::NoAnswer,
        std::io::ErrorKind::HostUnreachable | std::io::ErrorKind::NetworkUnreachable => {
            Unreachable::NoRoute
        }
        std::io::ErrorKind::NotFound => Unreachable::UnknownHost,
        _ => Unreachable::Other(error.to_string()),
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness the wait is the shortest, which does no harm for one client.
    let _same = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
