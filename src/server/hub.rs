//! What all sessions share: the rooms that run, who is present under which name, and the way to stop.
//!
//! Its state sits behind one mutex that is held for a few lines at a time and never across an await.

mod admission;
pub mod guest;
pub mod guests;
mod mentions;
mod names;
mod people;
mod personal;
mod reads;
mod resolve;
mod rooms;
mod turns;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::admission::{AdmitError, Admitted};
use self::guest::Guest;
use self::names::{Names, Operators};
use self::reads::Reads;
use self::turns::Turns;
use super::bus::Bus;
pub use super::clock::now_ms;
use super::clock::{LogClock, WallClock};
use super::metrics::Metrics;
use super::outbox::{Budget, Outbox};
use super::rate_limit::Bucket;
use super::room::directory::Directory;
use super::room::mailbox::Fatal;
use super::room::task::{Invited, Retentions, RoomHandle, Shared};
use super::store::{Store, StoreError};
use super::word_filter::Filter;
use crate::chat::Retention;
use crate::chat::RoomPreset;
use crate::chat::{
    Author, IdentityId, Limits, Person, Refusal, RefusalCode, RoomId, SecretHash, ServerId,
    SessionId, Status, UserName, Via,
};
use crate::wire::Event;

/// How long somebody whose link broke stays present, and how long nobody else gets their name.
pub const GRACE: Duration = Duration::from_mins(1);
pub const NAME_HOLD: Duration = Duration::from_mins(2);

/// Invitations that may wait to be told.
const INVITATIONS: usize = 256;

/// People as a room's list has them.
type People = Arc<Vec<Person>>;

/// Who was last in which room, as of when.
type LastHere = HashMap<RoomId, (Instant, Arc<OnceCell<People>>)>;

/// What a hub is made with.
#[derive(Clone, Debug)]
pub struct HubConfig {
    pub limits: Limits,
    /// Rooms that are there from the start; the first one is where everybody begins and nobody leaves.
    pub presets: Vec<RoomPreset>,
    /// Names whose first bearer owns the preset rooms.
    pub operators: Vec<UserName>,
    /// Whoever shows the secret with this hash hosts here and owns the preset rooms.
    pub owner: Option<SecretHash>,
    /// How much is kept of rooms and conversations that say nothing themselves.
    pub retention: Retention,
    /// Words nobody says here.
    pub filter: Filter,
    /// The clock that entries are stamped by.
    pub wall: WallClock,
}

#[derive(Debug)]
pub struct Hub {
    pub(super) store: Arc<dyn Store>,
    pub(super) metrics: Metrics,
    pub(super) limits: Limits,
    pub(super) server_id: ServerId,
    pub(super) budget: Arc<Budget>,
    /// Cancelled when the server stops: sessions say goodbye.
    pub(super) draining: CancellationToken,
    pub(super) fatal: Fatal,
    rooms: Shared,
    operators: Operators,
    owner: Option<SecretHash>,
    pub(super) filter: Filter,
    /// See [`Hub::last_here`].
    last_here: Mutex<LastHere>,
    reads: Reads,
    /// Held by whatever changes somebody's name or presence.
    turns: Turns,
    sessions: AtomicUsize,
    /// Told when a guest gives a name back.
    freed: Notify,
    /// Guests who brought no name.
    nameless: AtomicUsize,
    /// The guest that several connections share, while there is one.
    shared: Mutex<Weak<Guest>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: HashMap<RoomId, RoomHandle>,
    names: Names,
    people: HashMap<IdentityId, Attending>,
    /// Those who have a name over a bridge, present or not yet.
    guests: HashMap<IdentityId, Via>,
    /// The rates of those who have gone, until they would be full again: coming back is no new burst.
    buckets: HashMap<IdentityId, Bucket>,
}

/// An identity with at least one session.
#[derive(Debug)]
struct Attending {
    name: UserName,
    secret: SecretHash,
    is_owner: bool,
    via: Via,
    status: Status,
    /// When it was last told that they are writing.
    typed_at: Option<Instant>,
    sessions: HashMap<SessionId, Weak<Outbox>>,
    bucket: Bucket,
}

impl Hub {
    /// Makes or updates the preset rooms and holds the names of those who were present when the last server stopped.
    ///
    /// # Errors
    /// The store failed.
    pub async fn start(
        store: Arc<dyn Store>,
        bus: Arc<dyn Bus>,
        config: HubConfig,
    ) -> Result<Arc<Self>, StoreError> {
        let server_id = store.server_id().await?;
        let fatal = Fatal::default();
        let retention = Retentions {
            others: config.retention,
            rooms: config
                .presets
                .iter()
                .filter_map(|preset| Some((preset.name.key(), preset.retention?)))
                .collect(),
        };
        // Nobody but the server itself acts under its id, which is no person's.
        let server = Author {
            id: IdentityId::new(*server_id.bytes()),
            name: "tchat".into(),
        };
        let clock = LogClock::resume(config.wall, store.newest().await?);
        rooms::set_up(&*store, &config.presets, &server, &clock).await?;
        let directory = Directory::new(store.named_rooms().await?);
        let (invited, invitations) = mpsc::channel(INVITATIONS);
        let hub = Self {
            metrics: Metrics::default(),
            server_id,
            limits: config.limits,
            budget: Arc::default(),
            draining: CancellationToken::new(),
            rooms: Shared {
                store: Arc::clone(&store),
                bus,
                fatal: fatal.clone(),
                retention: Arc::new(retention),
                directory: Arc::new(directory),
                server,
                invited,
                clock,
            },
            fatal,
            operators: Operators::new(&config.operators),
            owner: config.owner,
            filter: config.filter,
            last_here: Mutex::default(),
            reads: Reads::default(),
            turns: Turns::default(),
            sessions: AtomicUsize::new(0),
            freed: Notify::new(),
            nameless: AtomicUsize::new(0),
            shared: Mutex::default(),
            state: Mutex::default(),
            store,
        };
        let until = Instant::now() + NAME_HOLD;
        for record in hub.store.present().await? {
            hub.lock().names.hold(&record.name, record.id, until);
        }
        // They have no session now; whoever comes back is present again.
        match hub.store.clear_presence().await {
            // Names are held a little longer for those who do not come back.
            Err(StoreError::Full) => {}
            cleared => cleared?,
        }
        let left_behind = hub.store.guests().await?;
        let hub = Arc::new(hub);
        tokio::spawn(notify_invited(Arc::downgrade(&hub), invitations));
        if !left_behind.is_empty() {
            tokio::spawn(Arc::clone(&hub).remove_guests(left_behind));
        }
        Ok(hub)
    }

    /// Sessions there are now.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Takes a token of an identity's rate.
    ///
    /// # Errors
    /// A retryable refusal.
    pub fn pace(&self, identity: IdentityId) -> Result<(), Refusal> {
        let mut state = self.lock();
        let Some(attending) = state.people.get_mut(&identity) else {
            return Ok(());
        };
        let taken = attending
            .bucket
            .take(&self.limits, Instant::now().into_std());
        taken.map_err(|after| Refusal::new(RefusalCode::RateLimited).retry_after(after))
    }

    /// Queues an event for every session of an identity.
    pub fn tell(&self, identity: IdentityId, event: &Event) {
        let outboxes: Vec<Arc<Outbox>> = {
            let state = self.lock();
            let sessions = state
                .people
                .get(&identity)
                .map(|attending| attending.sessions.values());
            sessions
                .into_iter()
                .flatten()
                .filter_map(Weak::upgrade)
                .collect()
        };
        for outbox in outboxes {
            outbox.tell(event.clone());
        }
    }

    /// Sessions somebody has now.
    fn sessions_of(&self, identity: IdentityId) -> usize {
        let state = self.lock();
        let attending = state.people.get(&identity);
        attending.map_or(0, |it| it.sessions.len())
    }

    /// Somebody's present name.
    pub fn author(&self, identity: IdentityId) -> Option<Author> {
        let name = self.lock().people.get(&identity)?.name.to_string();
        Some(Author { id: identity, name })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // What is done under the lock cannot leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells people that they were invited somewhere.
async fn notify_invited(hub: Weak<Hub>, mut invitations: mpsc::Receiver<Invited>) {
    while let Some(Invited { person, by, room }) = invitations.recv().await {
        let Some(hub) = hub.upgrade() else { return };
        if let Err(error) = hub.notify_invited(person, by, room).await {
            hub.fatal.raise(&error);
        }
    }
}

/// Sixteen random bytes.
pub fn random_id() -> [u8; 16] {
    let mut bytes = [0; 16];
    // The system's generator does not fail once it is running, and without it no id and no secret is worth anything.
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
