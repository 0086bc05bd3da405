//! The hub: the state that all sessions share. It contains the running rooms, the names of people and who is present,
//! and the shutdown signal.
//!
//! One mutex guards its state. It is locked for a few lines at a time and never across an await.

mod account_names;
mod administration;
mod admission;
mod bans;
mod bots;
pub(crate) mod charging;
mod conversations;
mod devices;
pub(crate) mod guest;
pub(crate) mod guests;
mod invites;
mod lapse;
mod locks;
mod mentions;
mod moderation;
mod names;
mod people;
mod personal;
mod read_positions;
mod requests;
mod resolve;
mod room_list;
mod room_log;
mod rooms;
mod sign_in;
mod status;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(crate) use self::administration::{AdminFailure, Administrator, RemoveWhen};
use self::admission::SessionEnd;
pub(crate) use self::admission::{AdmitError, Admitted};
use self::charging::Slots;
use self::guest::Guest;
pub(crate) use self::guest::Reach;
pub(crate) use self::invites::{FirstInvite, first_invite};
use self::locks::Locks;
use self::names::{Names, Operators};
use self::read_positions::PendingReads;
pub(crate) use self::room_list::RoomPage;
pub(crate) use self::sign_in::ProvenDevice;
use super::bus::Bus;
pub(crate) use super::clock::now_ms;
use super::clock::uptime::UptimeFile;
use super::clock::{LogClock, WallClock};
use super::limits::Charges;
use super::metrics::Metrics;
use super::outbox::{Budget, Outbox};
use super::room::directory::Directory;
use super::room::mailbox::Fatal;
use super::room::task::{Invited, Retentions, RoomContext, RoomHandle};
use super::store::{BanRecord, Store, StoreError};
use super::word_filter::WordFilter;
use crate::chat::Retention;
use crate::chat::RoomPreset;
use crate::chat::{
    AccountOrigin, Author, DeviceKey, IdentityId, Limits, NameKey, Networks, Person, Pin, Quotas,
    Registration, RoomId, ServerId, ServerRole, SessionId, SessionToken, Status, UserName, Via,
};
use crate::wire::Event;

/// How long a person whose connection broke stays present.
pub(crate) const GRACE: Duration = Duration::from_mins(1);

/// Capacity of the queue of invitations that are to be sent to invited people.
const INVITATIONS: usize = 256;

/// People of a room, as its roster lists them.
type People = Arc<Vec<Person>>;

/// For each room, the people who were there most recently, and when they were looked up.
type RecentlyPresent = HashMap<RoomId, (Instant, Arc<OnceCell<People>>)>;

/// The configuration of a hub.
#[derive(Clone, Debug)]
pub struct HubConfig {
    pub limits: Limits,
    pub quotas: Quotas,
    /// Rooms that the server creates. The first is the home room: everybody starts there and nobody can leave it.
    pub presets: Vec<RoomPreset>,
    /// Operator names. An account with such a name owns the preset rooms, once an owner of the server has assigned the
    /// name to it.
    pub operators: Vec<UserName>,
    /// The host's device. The person with this device owns the preset rooms.
    pub owner: Option<DeviceKey>,
    /// The networks from which bridge clients on other machines may connect.
    pub guests_from: Networks,
    /// Whether clients may connect through a proxy or a tunnel. A TCP connection from this machine may then be
    /// anybody's.
    pub is_behind_proxy: bool,
    /// The pins of proxies that terminate TLS in front of this server. A device may also sign its challenge for one of
    /// these pins.
    pub proxy_pins: Vec<Pin>,
    /// Who may make an account.
    pub registration: Registration,
    /// How much history is stored for rooms and conversations without a retention setting of their own.
    pub retention: Retention,
    /// The word filter.
    pub filter: WordFilter,
    /// The clock for the time stamps of entries.
    pub wall: WallClock,
    /// Where the uptime of the machine is recorded, so that log time continues exactly after a restart. `None`: it is estimated.
    pub uptime: Option<UptimeFile>,
}

#[derive(Debug)]
pub struct Hub {
    pub(super) store: Arc<dyn Store>,
    pub(super) metrics: Metrics,
    pub(super) limits: Limits,
    pub(super) quotas: Quotas,
    charges: Mutex<Charges>,
    slots: Arc<Slots>,
    pub(super) server_id: ServerId,
    pub(super) budget: Arc<Budget>,
    /// Cancelled when the server stops. Sessions then send a goodbye and end.
    pub(super) draining: CancellationToken,
    pub(super) fatal: Fatal,
    rooms: RoomContext,
    operators: Operators,
    owner: Option<DeviceKey>,
    registration: Registration,
    /// When it was started, in Unix milliseconds.
    started_ms: u64,
    guests_from: Networks,
    is_behind_proxy: bool,
    /// The preset rooms that guests from other machines may not join.
    not_bridged: HashSet<NameKey>,
    pub(super) proxy_pins: Vec<Pin>,
    pub(super) filter: WordFilter,
    /// See [`Hub::recently_present`].
    recently_present: Mutex<RecentlyPresent>,
    reads: PendingReads,
    /// Taken by every change of a person's name or presence.
    person_locks: Locks<IdentityId>,
    /// Taken while a device signs in, before the lock of its person.
    device_locks: Locks<DeviceKey>,
    /// Taken while roles change or accounts are removed, so that an owner always remains. Also taken while a bot is
    /// created, so that there are never too many.
    role_lock: tokio::sync::Mutex<()>,
    /// Taken while an invitation is made, so that there are never too many.
    invite_lock: tokio::sync::Mutex<()>,
    sessions: AtomicUsize,
    /// Notified when a guest's name becomes free.
    freed: Notify,
    /// Counter for the names of guests who gave none.
    nameless: AtomicUsize,
    /// The guest that several connections share, if it exists now.
    shared: Mutex<Weak<Guest>>,
    state: Mutex<HubState>,
}

#[derive(Debug, Default)]
struct HubState {
    running: HashMap<RoomId, RoomHandle>,
    names: Names,
    people: HashMap<IdentityId, PresentPerson>,
    /// The people and devices whose sessions have these tokens.
    tokens: HashMap<SessionToken, Caller>,
    /// All accounts, and how each was made.
    accounts: HashMap<IdentityId, AccountOrigin>,
    /// The roles of accounts that are more than members.
    roles: HashMap<IdentityId, ServerRole>,
    /// The number of sessions of strangers.
    stranger_sessions: usize,
    /// The bans from the server.
    bans: Vec<BanRecord>,
    /// When accounts were renamed in the last day.
    renames: HashMap<IdentityId, Vec<Instant>>,
    /// Guests who have a name, and their bridge. They may not be present yet.
    guests: HashMap<IdentityId, Via>,
}

/// An identity with at least one session.
#[derive(Debug)]
struct PresentPerson {
    name: UserName,
    /// Whether they own the preset rooms.
    is_owner: bool,
    status: Status,
    /// When their last typing signal was sent.
    typed_at: Option<Instant>,
    sessions: HashMap<SessionId, AttachedSession>,
}

/// The hub's record of a session.
#[derive(Debug)]
struct AttachedSession {
    outbox: Weak<Outbox>,
    /// The token for its unary calls, and its device. A guest has neither.
    credentials: Option<(SessionToken, DeviceKey)>,
    /// See [`Admitted::end`].
    end: SessionEnd,
    /// The address that it comes from; empty: through the local socket or memory.
    from: String,
    /// When it began, in Unix milliseconds.
    since_ms: u64,
    /// Whether its person is a stranger: a guest, or somebody who registered without an invitation.
    is_stranger: bool,
}

/// The person and the device that make a unary call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    pub person: IdentityId,
    pub device: DeviceKey,
}

impl Hub {
    /// Starts a hub: creates or updates the preset rooms, and loads the names that belong to accounts.
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
        let retention = retentions(&config);
        let server = server_author(server_id);
        let newest = store.newest().await?;
        let clock = LogClock::resume_with(config.wall, newest, config.uptime.as_ref(), server_id);
        rooms::set_up(&*store, &config.presets, &server, &clock).await?;
        let directory = Directory::new(store.named_rooms().await?);
        let (invited, invitations) = mpsc::channel(INVITATIONS);
        let hub = Self {
            metrics: Metrics::default(),
            server_id,
            limits: config.limits,
            charges: Mutex::new(Charges::new(config.quotas.clone(), &config.limits)),
            quotas: Quotas::of_posts(config.quotas, &config.limits),
            slots: Arc::default(),
            budget: Arc::default(),
            draining: CancellationToken::new(),
            rooms: RoomContext {
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
            registration: config.registration,
            started_ms: now_ms(),
            guests_from: config.guests_from,
            is_behind_proxy: config.is_behind_proxy,
            not_bridged: not_bridged(&config.presets),
            proxy_pins: config.proxy_pins,
            filter: config.filter,
            recently_present: Mutex::default(),
            reads: PendingReads::default(),
            person_locks: Locks::default(),
            device_locks: Locks::default(),
            role_lock: tokio::sync::Mutex::default(),
            invite_lock: tokio::sync::Mutex::default(),
            sessions: AtomicUsize::new(0),
            freed: Notify::new(),
            nameless: AtomicUsize::new(0),
            shared: Mutex::default(),
            state: Mutex::default(),
            store,
        };
        hub.load_names().await?;
        hub.lock().bans = hub.store.server_bans().await?;
        let left_behind = hub.store.guests().await?;
        let hub = Arc::new(hub);
        tokio::spawn(notify_invited(Arc::downgrade(&hub), invitations));
        tokio::spawn(lapse::remove_lapsed(Arc::downgrade(&hub)));
        if !left_behind.is_empty() {
            tokio::spawn(Arc::clone(&hub).remove_guests(left_behind));
        }
        Ok(hub)
    }

    /// Returns the log time in milliseconds. Durations are measured in log time.
    fn log_now_ms(&self) -> u64 {
        self.rooms.clock.stamp().log_ms
    }

    /// Returns the number of sessions.
    pub fn sessions(&self) -> usize {
        self.sessions.load(Ordering::Relaxed)
    }

    /// Queues an event for every session of a person.
    pub fn notify_person(&self, identity: IdentityId, event: &Event) {
        let outboxes: Vec<Arc<Outbox>> = {
            let state = self.lock();
            let sessions = state
                .people
                .get(&identity)
                .map(|attending| attending.sessions.values());
            sessions
                .into_iter()
                .flatten()
                .filter_map(|session| session.outbox.upgrade())
                .collect()
        };
        for outbox in outboxes {
            outbox.notify(event.clone());
        }
    }

    /// Returns the number of sessions of a person.
    fn sessions_of(&self, identity: IdentityId) -> usize {
        let state = self.lock();
        let attending = state.people.get(&identity);
        attending.map_or(0, |it| it.sessions.len())
    }

    /// Returns a person with their current name, or nothing if they have no session.
    pub fn author(&self, identity: IdentityId) -> Option<Author> {
        let name = self.lock().people.get(&identity)?.name.to_string();
        Some(Author { id: identity, name })
    }

    fn lock(&self) -> MutexGuard<'_, HubState> {
        // Poison is ignored: no code under the lock can panic with the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns how much history is stored: for the preset rooms with a setting of their own, and for all others.
fn retentions(config: &HubConfig) -> Retentions {
    let presets = config.presets.iter();
    Retentions {
        others: config.retention,
        rooms: presets
            .filter_map(|preset| Some((preset.name.key(), preset.retention?)))
            .collect(),
    }
}

/// Returns the preset rooms that guests from other machines may not join.
fn not_bridged(presets: &[RoomPreset]) -> HashSet<NameKey> {
    let closed = presets.iter().filter(|preset| !preset.is_bridged);
    closed.map(|preset| preset.name.key()).collect()
}

/// Returns the author of what the server does itself. No person has this id.
fn server_author(server_id: ServerId) -> Author {
    Author {
        id: IdentityId::new(*server_id.bytes()),
        name: "tchat".into(),
    }
}

/// Sends invitations to the invited people.
async fn notify_invited(hub: Weak<Hub>, mut invitations: mpsc::Receiver<Invited>) {
    while let Some(Invited { person, by, room }) = invitations.recv().await {
        let Some(hub) = hub.upgrade() else { return };
        if let Err(error) = hub.notify_invited(person, by, room).await {
            hub.fatal.raise(&error);
        }
    }
}

/// Returns random bytes.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The system's generator does not fail once it is running. Without it no id and no key would be safe.
    getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
    bytes
}
