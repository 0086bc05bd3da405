//! The client without a screen: commands in, events out.
//!
//! [`Client::start`] gives a handle and a bounded queue of events. Behind them one task, the link, dials, says hello, follows
//! rooms from its cursors, sends what is pending and starts over when the connection breaks. What has to outlive the process is in
//! the cache. It knows nothing of terminals.

mod backoff;
pub mod cache;
mod history;
mod link;
mod pending;
pub mod profile;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, Join};
use tokio::sync::mpsc;

use self::cache::{Cache, Drafts, Opened, Unsent};
pub use self::link::probe::{Answers, probe};
pub use self::pending::Post;
use crate::chat::{
    Author, ClientId, Entry, Epoch, FollowResult, Found, IdentityId, InstanceId, Level, Limits,
    NewRoom, Person, Profile, Refusal, RoomId, RoomInfo, Search, Secret, Seq, ServerId, Settings,
    Status, Unread,
};

/// What the link is told to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// Sends a post, now or when the link is back. Its counter rises from call to call.
    Post {
        post: Post,
        /// The failed post that this one repeats.
        instead_of: Option<ClientId>,
    },
    /// Gives a failed post up.
    Forget(ClientId),
    /// Keeps what is typed in a room and not sent; empty: nothing any more.
    Draft {
        room: Option<RoomId>,
        text: String,
    },
    Join(String),
    Leave(RoomId),
    /// Finds or creates the private conversation with the person who has a name.
    Open(String),
    SetName(String),
    Create(NewRoom),
    ListRooms,
    /// Everything up to a seq was read; one that is not above what the server has only asks for the counts.
    MarkRead {
        room: RoomId,
        epoch: Epoch,
        seq: Seq,
    },
    SetStatus(Status),
    /// We are writing there.
    Typing(RoomId),
    Whois(PersonRef),
    Ignore {
        whom: PersonRef,
        is_on: bool,
    },
    SetLevel {
        room: RoomId,
        /// Absent: as for every room of its kind.
        level: Option<Level>,
    },
    SetKeywords(Vec<String>),
    ListMentions,
    /// Looks for what was said. The newest search ends those before it among what is kept here.
    Search {
        id: u64,
        search: Search,
        among: Among,
    },
    /// The page of entries before a seq, or the newest before [`u64::MAX`].
    Older {
        room: RoomId,
        before: Seq,
    },
    /// Says goodbye and stays without a connection; posts wait.
    Disconnect,
    /// Says how the link does, now and when the server has answered.
    Report,
    /// Dials at once instead of waiting.
    RetryNow,
    /// Says goodbye and ends.
    Quit,
}

/// Where something is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Among {
    /// What is kept on this disk.
    Kept,
    /// What the server has.
    All,
}

/// Somebody that is asked about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PersonRef {
    Person(IdentityId),
    Name(String),
}

/// What a request was about, given back with its refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum About {
    Join(String),
    Leave(RoomId),
    Open(String),
    SetName(String),
    Create(String),
    Follow(RoomId),
    ListRooms,
    Status,
    Whois,
    Settings,
    Mentions,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    Link(LinkState),
    /// What is known from before, as long as nobody has answered.
    Kept {
        you: Author,
        limits: Limits,
        rooms: Vec<RoomInfo>,
    },
    /// What was typed for this server and not sent, and the posts that were not answered.
    Unsent {
        drafts: Drafts,
        posts: Vec<Unsent>,
    },
    /// Messages of a replaced history of the room that are not in the present one.
    Former {
        room: RoomId,
        entries: Vec<Entry>,
    },
    /// Nothing can be kept on this disk: why.
    CacheFailed(String),
    /// The cache was damaged; it was moved to this path.
    CacheDamaged(PathBuf),
    /// The server accepted us. `rooms` are those we are a member of; `ending` are those we no longer are. The next events say why.
    Welcome {
        you: Author,
        server_id: ServerId,
        limits: Limits,
        rooms: Vec<RoomInfo>,
        ending: Vec<RoomId>,
        settings: Settings,
        status: Status,
    },
    /// A room is new to us or changed. `asked` says that we asked to join or open it.
    Room {
        room: RoomInfo,
        asked: bool,
    },
    Left(RoomId),
    /// We were removed from a room, or it was deleted. All entries up to then have been received.
    PutOut {
        room: RoomId,
        how: PutOut,
    },
    Followed {
        room: RoomId,
        epoch: Epoch,
        first: Seq,
        last: Seq,
        result: FollowResult,
        unread: Unread,
    },
    /// What is unread in a room, as of an entry of it.
    ReadMoved {
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
    /// The answer to [`Command::ListMentions`], the newest first.
    Mentions(Vec<Entry>),
    /// The answer to [`Command::Search`]; nothing if the server cannot be asked now.
    Found {
        id: u64,
        among: Among,
        found: Option<Found>,
    },
    /// Entries that exist and will not come by themselves.
    Gap {
        room: RoomId,
        from: Seq,
        to: Seq,
    },
    /// Live or replayed entries of one room, ascending and without holes after what came before.
    Entries(Vec<Entry>),
    /// An older page, ascending. `first` is the first seq the room has.
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
        came: Vec<Person>,
        went: Vec<IdentityId>,
    },
    /// A post was stored and its entry will not come. No seq: it was stored before.
    Accepted {
        client_id: ClientId,
        room: RoomId,
        epoch: Epoch,
        seq: Option<Seq>,
    },
    /// Posts are not taken now, for a reason that people should know; they are sent again by themselves.
    PostWaits(Refusal),
    /// A post was refused for good.
    PostRefused {
        client_id: ClientId,
        refusal: Refusal,
    },
    Refused {
        about: About,
        refusal: Refusal,
    },
    Named(Author),
    /// The answer to [`Command::ListRooms`].
    Rooms(Vec<RoomInfo>),
    /// The rooms anyone may join, told once a connection.
    Directory(Vec<RoomInfo>),
    /// The answer to [`Command::Report`].
    Report(Report),
}

/// How somebody was made to leave a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PutOut {
    Kicked {
        by: String,
        reason: String,
    },
    Banned {
        by: String,
        reason: String,
    },
    /// The room was deleted.
    Closed,
}

/// How the link does, as far as it can tell from what arrived.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// From our last ping to its answer.
    pub rtt: Option<Duration>,
    pub reconnects: u64,
    pub rooms: Vec<RoomReport>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoomReport {
    pub room: RoomId,
    /// The last entry that came.
    pub last: Seq,
    /// The last entry the server has told of.
    pub head: Seq,
    /// Entries that came again and were dropped.
    pub duplicates: u64,
    /// Times that entries were missing between two that came.
    pub holes: u64,
    /// Times that the end of the room was lost on the way, and asked for again.
    pub repairs: u64,
}

/// How the link is.
#[derive(Clone, PartialEq, Debug)]
pub enum LinkState {
    Connecting,
    Online,
    /// Dials again by itself after `retry_in`.
    Waiting {
        retry_in: Duration,
        why: Why,
    },
    /// Needs another name before it can go on.
    NameRefused(Refusal),
    /// Does not dial again by itself.
    Stopped(Why),
}

/// Why there is no link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// The address cannot be reached.
    Unreachable(Unreachable),
    /// Somebody is there and says nothing.
    Silent,
    /// It answers, but not as a tchat server does; what it said, if it said something.
    NotTchat(String),
    /// The connection broke.
    Lost,
    /// The server is stopping.
    Draining,
    TooSlow,
    /// We closed it ourselves.
    Disconnected,
    Refused(Refusal),
}

/// Why an address cannot be reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unreachable {
    Refused,
    NoAnswer,
    NoRoute,
    /// No host has this name.
    UnknownHost,
    /// In the system's words.
    Other(String),
}

/// Both directions of a connection, whatever it goes over.
pub type Pipe = Join<Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>>;

/// Wraps a stream as a [`Pipe`].
pub fn pipe(stream: impl AsyncRead + AsyncWrite + Send + 'static) -> Pipe {
    let (read, write) = tokio::io::split(stream);
    tokio::io::join(Box::new(read), Box::new(write))
}

/// Opens a connection to the server, over TCP or in memory. It gets the id of the server that was there before, if there was one.
/// An unknown host name is an error of the kind `NotFound`.
pub type Connector =
    Arc<dyn Fn(Option<ServerId>) -> BoxFuture<'static, io::Result<Pipe>> + Send + Sync>;

/// What a link is started with.
#[derive(Clone)]
pub struct ClientConfig {
    pub connector: Connector,
    pub secret: Secret,
    /// The name asked for.
    pub name: String,
    /// Where this client's posts come from; not used by any other client at the same time.
    pub instance: InstanceId,
    /// The room to go to from the start; none means the one everybody begins in.
    pub room: Option<String>,
    pub locale: String,
    /// Where this profile keeps what has to outlive the process; without it nothing is kept.
    pub cache: Option<PathBuf>,
    /// Bytes the cache may grow to.
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

/// Commands that may wait for the link, and events that may wait for their receiver.
const COMMANDS: usize = 1024;
const EVENTS: usize = 256;

/// The handle of a link. Dropping it ends the link without a goodbye.
#[derive(Clone, Debug)]
pub struct Client {
    commands: mpsc::Sender<Command>,
}

/// The link's queue is full; this command was not accepted.
#[derive(Clone, PartialEq, Debug)]
pub struct Busy(pub Box<Command>);

impl Client {
    /// Starts a link on the present runtime. What the cache has is among the events when this returns.
    pub fn start(config: ClientConfig) -> (Self, mpsc::Receiver<Event>) {
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (events, outbox) = mpsc::channel(EVENTS);
        let opened = open(&config, &events);
        tokio::spawn(link::run(config, opened, inbox, events));
        (Self { commands }, outbox)
    }

    /// Gives a command without waiting.
    ///
    /// # Errors
    /// A thousand commands wait already, or the link has ended.
    pub fn send(&self, command: Command) -> Result<(), Busy> {
        let given = self.commands.try_send(command);
        given.map_err(|error| Busy(Box::new(error.into_inner())))
    }

    /// Says goodbye and waits until the link has ended.
    pub async fn quit(self) {
        if self.commands.send(Command::Quit).await.is_ok() {
            self.commands.closed().await;
        }
    }
}

/// Opens the cache and tells what it holds.
fn open(config: &ClientConfig, events: &mpsc::Sender<Event>) -> Option<Opened> {
    let path = config.cache.as_ref()?;
    let room = config.room.as_deref();
    // The queue is empty yet, and takes all of these.
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
    if let Some(kept) = &opened.kept {
        tell(Event::Kept {
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
        tell(Event::Former {
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
