//! The client without a screen: commands in, events out.
//!
//! [`Client::start`] returns a handle and a bounded queue of events. Behind them runs one task, the link: it connects, sends hello, follows
//! rooms from its cursors, sends pending posts and reconnects when the connection breaks. Everything that must outlive the process is in
//! the cache. The client knows nothing of terminals.

mod backoff;
pub mod cache;
mod call_error;
mod connector;
mod credentials;
mod history;
pub mod known_servers;
mod link;
mod link_state;
mod pending;
pub mod profile;
mod target;
pub mod tls;

use std::fmt;
use std::path::PathBuf;

use tokio::sync::mpsc;

use self::cache::{Cache, Drafts, Opened, Unsent};
pub use self::call_error::{CallError, Missing};
pub use self::connector::{BoxedStream, Connector, Dialled, Protection, boxed_stream};
pub use self::credentials::Credentials;
pub use self::link::account::{AccountAnswer, AccountRequest};
pub use self::link::admin::{AdminAnswer, AdminRequest, BotCredential, SecretLink, call_as_host};
pub(crate) use self::link::probe::{ProbeResult, probe};
pub use self::link_state::{
    DisconnectReason, LinkState, RemovalReason, Report, RoomReport, Unreachable,
};
pub use self::pending::OutgoingPost;
pub use self::target::{PersonRef, RoomToJoin};
pub use self::tls::{Distrust, Untrusted};
use crate::chat::{
    Author, ClientId, Entry, Epoch, FollowResult, IdentityId, InstanceId, Level, Limits, NewRoom,
    Person, Profile, Refusal, RequestAnswer, RoomId, RoomInfo, Sanction, Search, SearchResults,
    Seq, ServerId, Settings, Status, Unread,
};

/// A command for the link.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Sends a post, now or after reconnecting. Its counter must rise from call to call.
    Post {
        post: OutgoingPost,
        /// The failed post that this one replaces.
        replaces: Option<ClientId>,
    },
    /// Discards a failed post.
    Forget(ClientId),
    /// Stores the draft of a room; an empty text deletes it.
    Draft {
        room: Option<RoomId>,
        text: String,
    },
    Join(RoomToJoin),
    Leave(RoomId),
    /// Finds or creates the private conversation with the person of this name.
    Open(String),
    SetName(String),
    Create(NewRoom),
    ListRooms,
    /// Marks everything up to a seq as read. A seq that is not above the server's position only requests the counts.
    MarkRead {
        room: RoomId,
        epoch: Epoch,
        seq: Seq,
    },
    SetStatus(Status),
    /// Sends a typing signal to the room.
    Typing(RoomId),
    Whois(PersonRef),
    Ignore {
        person: PersonRef,
        is_on: bool,
    },
    Block {
        person: PersonRef,
        is_on: bool,
    },
    /// Accepts or declines the request of a stranger.
    AnswerRequest {
        room: RoomId,
        answer: RequestAnswer,
    },
    SetLevel {
        room: RoomId,
        /// `None`: the default level for this kind of room.
        level: Option<Level>,
    },
    SetKeywords(Vec<String>),
    ListMentions,
    /// Asks what moderators did in a room.
    ListModeration(RoomId),
    /// Asks for the bans and mutes of a room.
    ListSanctions(RoomId),
    /// Administers the server.
    Admin(AdminRequest),
    /// Manages our own account.
    Account(AccountRequest),
    /// Searches messages. In the cache, a new search cancels the ones before it.
    Search {
        id: u64,
        search: Search,
        scope: SearchScope,
    },
    /// Loads the page of entries before a seq, or the newest page for [`u64::MAX`].
    LoadOlder {
        room: RoomId,
        before: Seq,
    },
    /// Sends goodbye and stays disconnected; posts wait.
    Disconnect,
    /// Reports the state of the connection: at once, and a second time when the server has answered a ping.
    Report,
    /// Reconnects at once instead of waiting.
    RetryNow,
    /// Sends goodbye and ends the link.
    Quit,
}

/// Where to search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SearchScope {
    /// The cache on this disk.
    Cache,
    /// The server.
    Server,
}

/// What a request was about; returned with its refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RequestKind {
    Join(RoomToJoin),
    Leave(RoomId),
    Open(String),
    AnswerRequest(RoomId),
    SetName(String),
    Create(String),
    Follow(RoomId),
    ListRooms,
    Status,
    Whois,
    Settings,
    Mentions,
    /// What moderators did, or the bans and mutes of a room.
    Moderation(RoomId),
}

/// An event from the link.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    Link(LinkState),
    /// How the connection that was just opened is protected.
    Protected(Protection),
    /// What the cache knows, until the server answers.
    Cached {
        you: Author,
        limits: Limits,
        rooms: Vec<RoomInfo>,
    },
    /// The drafts for this server, and the posts that were not answered.
    Unsent {
        drafts: Drafts,
        posts: Vec<Unsent>,
    },
    /// Messages of a replaced history of the room that are not in the current one.
    FormerEntries {
        room: RoomId,
        entries: Vec<Entry>,
    },
    /// The cache cannot be opened or written, with the reason.
    CacheFailed(String),
    /// The cache was damaged; it was moved to this path.
    CacheDamaged(PathBuf),
    /// The server accepted us. `rooms` are those we are a member of. `ending` are those we no longer are; the next
    /// events contain the reasons.
    Welcome {
        you: Author,
        server_id: ServerId,
        limits: Limits,
        rooms: Vec<RoomInfo>,
        ending: Vec<RoomId>,
        settings: Settings,
        status: Status,
    },
    /// A room is new to us or has changed. `is_requested` is true if we asked to join or open it.
    Room {
        room: RoomInfo,
        is_requested: bool,
    },
    Left(RoomId),
    /// We were removed from a room, or it was deleted. All entries up to then have been received.
    Removed {
        room: RoomId,
        reason: RemovalReason,
    },
    Followed {
        room: RoomId,
        epoch: Epoch,
        first: Seq,
        last: Seq,
        result: FollowResult,
        unread: Unread,
    },
    /// The unread counts of a room, as of the entry `last`.
    ReadPositionChanged {
        room: RoomId,
        epoch: Epoch,
        last: Seq,
        unread: Unread,
    },
    Typing {
        room: RoomId,
        person: IdentityId,
    },
    /// The user's own status (away flag and text).
    Status(Status),
    Settings(Settings),
    /// The answer to [`Command::Whois`].
    Profile(Profile),
    /// We may join a room that needs an invitation.
    Invited {
        room: RoomInfo,
        by: Option<Author>,
    },
    /// The answer to [`Command::ListMentions`], newest first.
    Mentions(Vec<Entry>),
    /// The answer to [`Command::ListModeration`], newest first.
    Moderation {
        room: RoomId,
        entries: Vec<Entry>,
    },
    /// The answer to [`Command::ListSanctions`], by name.
    Sanctions {
        room: RoomId,
        sanctions: Vec<Sanction>,
    },
    /// The answer to [`Command::Search`]; `None` if the server could not be searched.
    SearchResults {
        id: u64,
        scope: SearchScope,
        results: Option<SearchResults>,
    },
    /// Entries that exist but are not sent unless they are requested.
    Gap {
        room: RoomId,
        from: Seq,
        to: Seq,
    },
    /// Live or replayed entries of one room, ascending. They continue the previous ones without a hole, unless a
    /// [`Event::Followed`] in between was not contiguous.
    Entries(Vec<Entry>),
    /// A page of older entries, ascending. `first` is the first seq that the room has.
    Page {
        room: RoomId,
        before: Seq,
        epoch: Epoch,
        first: Seq,
        entries: Vec<Entry>,
    },
    PageFailed {
        room: RoomId,
        before: Seq,
    },
    Roster {
        room: RoomId,
        is_first: bool,
        people: Vec<Person>,
    },
    RosterDelta {
        room: RoomId,
        updated: Vec<Person>,
        removed: Vec<IdentityId>,
    },
    /// A post was stored, but its entry will not arrive. Without a seq, it had been stored before, and its entry was
    /// already sent.
    Accepted {
        client_id: ClientId,
        room: RoomId,
        epoch: Epoch,
        seq: Option<Seq>,
    },
    /// The server accepts no posts now, for a reason that people should know. The posts are sent again automatically.
    PostDelayed(Refusal),
    /// A post was refused permanently.
    PostRefused {
        client_id: ClientId,
        refusal: Refusal,
    },
    Refused {
        about: RequestKind,
        refusal: Refusal,
    },
    NameChanged(Author),
    /// The answer to [`Command::ListRooms`].
    Rooms(Vec<RoomInfo>),
    /// The rooms anyone may join, once per connection.
    Directory(Vec<RoomInfo>),
    /// The answer to [`Command::Admin`].
    Admin(Result<AdminAnswer, CallError>),
    /// The answer to [`Command::Account`].
    Account(Result<AccountAnswer, CallError>),
    /// Another device was added to our account.
    DeviceAdded {
        /// The name that its owner gave it; may be empty.
        name: String,
        /// The address that it connected from; empty: through the server's local socket.
        from: String,
    },
    /// The answer to [`Command::Report`].
    Report(Report),
}

/// The configuration of a link.
#[derive(Clone)]
pub struct ClientConfig {
    pub connector: Connector,
    pub credentials: Credentials,
    /// The requested name.
    pub name: String,
    /// The outbox of this client's posts. No other client may use it at the same time.
    pub instance: InstanceId,
    /// The room to join at the start; `None`: only the room that everyone starts in.
    pub room: Option<String>,
    pub locale: String,
    /// The file of this profile's cache; without it nothing is stored.
    pub cache: Option<PathBuf>,
    /// The maximum size of the cache, in bytes.
    pub cache_bytes: u64,
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("name", &self.name)
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}

/// The maximum number of commands that wait for the link.
const COMMANDS: usize = 1024;
/// The maximum number of events that wait for their receiver.
const EVENTS: usize = 256;

/// The handle of a link. Dropping it ends the link without a goodbye.
#[derive(Clone, Debug)]
pub struct Client {
    commands: mpsc::Sender<Command>,
}

/// The link's queue is full, or the link has ended; this command was not accepted.
#[derive(Clone, PartialEq, Debug)]
pub struct Busy(pub Box<Command>);

impl Client {
    /// Starts a link on the current runtime. The cached state is already among the events when this returns.
    pub fn start(config: ClientConfig) -> (Self, mpsc::Receiver<Event>) {
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (events, outbox) = mpsc::channel(EVENTS);
        let opened = open(&config, &events);
        tokio::spawn(link::run(config, opened, inbox, events));
        (Self { commands }, outbox)
    }

    /// Sends a command without waiting.
    ///
    /// # Errors
    /// 1024 commands are already waiting, or the link has ended.
    pub fn send(&self, command: Command) -> Result<(), Busy> {
        let given = self.commands.try_send(command);
        given.map_err(|error| Busy(Box::new(error.into_inner())))
    }

    /// Sends goodbye and waits until the link has ended.
    pub async fn quit(self) {
        if self.commands.send(Command::Quit).await.is_ok() {
            self.commands.closed().await;
        }
    }
}

/// Opens the cache and sends its content as events.
fn open(config: &ClientConfig, events: &mpsc::Sender<Event>) -> Option<Opened> {
    let path = config.cache.as_ref()?;
    let room = config.room.as_deref();
    // The queue is still empty, so all of these fit.
    let tell = |event| drop(events.try_send(event));
    let opened = match Cache::open(path, config.instance, room, config.cache_bytes) {
        Ok(opened) => opened,
        Err(error) => {
            tell(Event::CacheFailed(error.to_string()));
            return None;
        }
    };
    if let Some(aside) = opened.damaged.clone() {
        tell(Event::CacheDamaged(aside));
    }
    if let Some(kept) = &opened.cached_server {
        tell(Event::Cached {
            you: kept.you.clone(),
            limits: kept.limits,
            rooms: kept.rooms.iter().map(|(room, _)| room.clone()).collect(),
        });
    }
    if let Some((room, page, former)) = opened.page.clone() {
        tell(Event::Page {
            room,
            before: Seq(u64::MAX),
            epoch: page.epoch,
            first: page.first,
            entries: page.entries,
        });
        tell(Event::FormerEntries {
            room,
            entries: former,
        });
    }
    tell(Event::Unsent {
        drafts: opened.drafts.clone(),
        posts: opened.posts.clone(),
    });
    Some(opened)
}
