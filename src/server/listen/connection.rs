//! One accepted connection as its requests see it, and the registry of all of them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::address_places::{AddressPlace, AddressPlaces};
use super::answer::Progress;
use super::stranger_places::{StrangerPlace, StrangerPlaces};
use crate::chat::{Transport, address_group};
use crate::server::hub::guest::Guest;
use crate::server::outbox::Outbox;

/// A connection without a session ends after this time, even if somebody had signed in over it.
const SESSION_WITHIN: Duration = Duration::from_secs(20);
/// A connection ends if data has been waiting in one of its outboxes for this long without being read.
pub const STALLED: Duration = Duration::from_secs(30);

/// Where a connection comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    Tcp(SocketAddr),
    /// A socket that only this user can open.
    Socket,
    /// A pipe in memory, in the same process.
    Memory,
}

impl Peer {
    /// Returns the address that counts against `per_address`. All addresses of this machine count as one.
    pub(super) fn counted(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) if address.ip().to_canonical().is_loopback() => {
                Some(Ipv4Addr::LOCALHOST.into())
            }
            Self::Tcp(address) => Some(address_group(address.ip())),
            Self::Socket | Self::Memory => None,
        }
    }
}

impl Peer {
    /// Returns the address that counts against the limits for connections that have not signed in.
    pub(super) fn group(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address_group(address.ip())),
            Self::Socket | Self::Memory => None,
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Socket => f.write_str("local socket"),
            Self::Memory => f.write_str("memory"),
        }
    }
}

/// One accepted connection, as its requests see it.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    peer: Peer,
    /// How it reaches the server. Empty until it is open. Stays empty if nobody may sign in over it, because others
    /// could read and change everything on the way.
    transport: OnceLock<Transport>,
    /// Drops the connection, whatever its peer does.
    kill: CancellationToken,
    has_request: Arc<AtomicBool>,
    /// Its place among the connections that have not signed in. Given up when the client is admitted.
    stranger_place: Mutex<Option<StrangerPlace>>,
    strangers: StrangerPlaces,
    /// Its place among the connections of its address, once a stranger is admitted.
    address_place: Mutex<Option<AddressPlace>>,
    places: AddressPlaces,
    /// The sessions over it, and those of them whose people were invited.
    sessions: AtomicUsize,
    invited: AtomicUsize,
    outboxes: Mutex<Vec<Weak<Outbox>>>,
    /// The client's progress in reading the answers to unary calls.
    answers: Mutex<Vec<Weak<Progress>>>,
    /// A guest name that is reserved while the connection lasts.
    reserved: Mutex<Option<Arc<Guest>>>,
    /// Tasks that use the socket after an upgrade, when HTTP has released it.
    upgraded: TaskTracker,
}

impl Connection {
    pub(super) fn new(
        peer: Peer,
        strangers: StrangerPlaces,
        stranger: StrangerPlace,
        places: AddressPlaces,
    ) -> Self {
        Self(Arc::new(Inner {
            peer,
            transport: OnceLock::new(),
            kill: stranger.kill.clone(),
            has_request: Arc::clone(&stranger.has_request),
            stranger_place: Mutex::new(Some(stranger)),
            strangers,
            places,
            address_place: Mutex::default(),
            sessions: AtomicUsize::new(0),
            invited: AtomicUsize::new(0),
            outboxes: Mutex::default(),
            answers: Mutex::default(),
            reserved: Mutex::default(),
            upgraded: TaskTracker::new(),
        }))
    }

    /// Reserves a guest name until the connection ends. Replaces the name that was reserved before.
    pub fn reserve(&self, guest: Option<Arc<Guest>>) {
        let mut reserved = self
            .0
            .reserved
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *reserved, guest);
        drop(reserved);
        // Dropping the guest frees its name, which locks the hub. So it happens after this lock is released.
        drop(before);
    }

    pub fn reserved(&self) -> Option<Arc<Guest>> {
        self.0
            .reserved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Runs a task that uses the socket after an upgrade. It is still part of the connection: the kill switch,
    /// the limits and the drain apply.
    pub fn spawn_upgraded(&self, with: impl Future<Output = ()> + Send + 'static) {
        let kill = self.0.kill.clone();
        self.0.upgraded.spawn(async move {
            tokio::select! {
                () = with => {}
                () = kill.cancelled() => {}
            }
        });
    }

    pub fn peer(&self) -> String {
        self.0.peer.to_string()
    }

    /// Returns the client's address without its port; empty if it did not come over the network.
    pub fn address(&self) -> String {
        match self.0.peer {
            Peer::Tcp(address) => address.ip().to_canonical().to_string(),
            Peer::Socket | Peer::Memory => String::new(),
        }
    }

    /// Returns the client's address, unless it is on this machine.
    pub fn remote_address(&self) -> Option<IpAddr> {
        match self.0.peer {
            Peer::Tcp(address) => Some(address.ip().to_canonical()).filter(|ip| !ip.is_loopback()),
            Peer::Socket | Peer::Memory => None,
        }
    }

    /// Whether the client is on this machine.
    pub fn is_local(&self) -> bool {
        self.remote_address().is_none()
    }

    /// Sets how the connection reaches the server, which allows people to sign in over it.
    pub(super) fn set_transport(&self, transport: Transport) {
        // Each connection is opened once.
        let _the_same = self.0.transport.set(transport);
    }

    /// Returns how the connection reaches this server. `None`: others may read and change everything on the way, so nobody may sign in.
    pub fn transport(&self) -> Option<Transport> {
        self.0.transport.get().copied()
    }

    /// Returns how an unencrypted connection reaches this server.
    pub(super) fn clear_transport(&self) -> Transport {
        match self.0.peer {
            Peer::Memory => Transport::Memory,
            Peer::Socket => Transport::Socket,
            Peer::Tcp(_) => Transport::ClearText,
        }
    }

    /// The token that drops the connection, whatever its peer does.
    pub(super) fn kill(&self) -> &CancellationToken {
        &self.0.kill
    }

    pub(super) fn note_request(&self) {
        self.0.has_request.store(true, Ordering::Relaxed);
    }

    /// Whether a complete request has arrived.
    pub(super) fn has_request(&self) -> bool {
        self.0.has_request.load(Ordering::Relaxed)
    }

    /// Waits for the tasks that use the socket after an upgrade, and frees the reserved guest name.
    pub(super) async fn finish(&self) {
        self.0.upgraded.close();
        self.0.upgraded.wait().await;
        self.reserve(None);
    }

    /// Watches an outbox. If it is not read for [`STALLED`], the connection is dropped.
    pub fn watch(&self, outbox: &Arc<Outbox>) {
        let mut outboxes = self
            .0
            .outboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        outboxes.retain(|it| it.strong_count() > 0);
        outboxes.push(Arc::downgrade(outbox));
    }

    /// Watches how the client reads an answer, in the same way.
    pub(super) fn watch_answer(&self, progress: &Arc<Progress>) {
        let answers = &self.0.answers;
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|it| it.strong_count() > 0);
        answers.push(Arc::downgrade(progress));
    }

    pub(super) fn is_unadmitted(&self) -> bool {
        self.0
            .stranger_place
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    pub(super) fn is_stalled(&self) -> bool {
        let outboxes = self
            .0
            .outboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut outboxes = outboxes.iter().filter_map(Weak::upgrade);
        if outboxes.any(|outbox| outbox.stalled_for() >= STALLED) {
            return true;
        }
        let answers = &self.0.answers;
        let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answers = answers.iter().filter_map(Weak::upgrade);
        answers.any(|answer| answer.stalled_for() >= STALLED)
    }

    /// Marks the client as admitted: its connection no longer counts against the limits for strangers.
    pub fn mark_admitted(&self) {
        let place = &self.0.stranger_place;
        let place = place.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Dropping it gives the place to another connection. So it happens after this lock is released.
        drop(place);
    }

    /// Like [`Connection::mark_admitted`], for a client with an account. Its address has more places from now on.
    pub fn mark_signed_in(&self) {
        self.mark_admitted();
        if let Some(address) = self.0.peer.group() {
            self.0.strangers.remember(address);
        }
    }

    fn address_place(&self) -> MutexGuard<'_, Option<AddressPlace>> {
        let place = &self.0.address_place;
        place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session begins. Connections of people who were invited are charged to their accounts, which have limits of their own, and no longer to
    /// their address: many people may be behind one address.
    pub fn session_began(&self, is_stranger: bool) {
        self.0.sessions.fetch_add(1, Ordering::Relaxed);
        if !is_stranger {
            self.0.invited.fetch_add(1, Ordering::Relaxed);
            let place = self.address_place().take();
            drop(place);
        } else if self.0.invited.load(Ordering::Relaxed) == 0 {
            self.charge_address();
        }
    }

    /// A session ends. After the last one, the connection is charged to its address again, and is dropped unless another session begins soon.
    pub fn session_ended(&self, is_stranger: bool) {
        if !is_stranger {
            self.0.invited.fetch_sub(1, Ordering::Relaxed);
        }
        if self.0.sessions.fetch_sub(1, Ordering::Relaxed) > 1 {
            return;
        }
        let mut place = self.address_place();
        if place.is_none() {
            *place = self.0.places.take(self.0.peer.counted());
        }
        drop(place);
        let idle = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            sleep(SESSION_WITHIN).await;
            if let Some(idle) = idle.upgrade()
                && idle.sessions.load(Ordering::Relaxed) == 0
            {
                idle.kill.cancel();
            }
        });
    }

    /// Admits a client of a bridge, and charges its address for the connection.
    pub fn admit_guest(&self) {
        self.mark_admitted();
        self.charge_address();
    }

    /// Charges the connection to its address. Drops it if the address has too many.
    fn charge_address(&self) {
        let mut place = self.address_place();
        if place.is_none() {
            *place = self.0.places.take(self.0.peer.counted());
            if place.is_none() {
                tracing::debug!(
                    peer = self.peer(),
                    "dropped: too many connections from one address"
                );
                self.0.kill.cancel();
            }
        }
    }
}

/// All open connections.
#[derive(Debug, Default)]
pub(super) struct Registry {
    next: AtomicU64,
    connections: Mutex<HashMap<u64, Connection>>,
}

impl Registry {
    pub(super) fn add(&self, connection: Connection) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, connection);
        id
    }

    pub(super) fn remove(&self, id: u64) {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }

    pub(super) fn for_each(&self, act: impl Fn(&Connection)) {
        let all: Vec<Connection> = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect();
        all.iter().for_each(act);
    }
}
