//! The accept loop: connections are counted before they are accepted, and none may keep another waiting.
//!
//! A connection has a deadline until its first request, a kill switch handed on with each request, and HTTP/2 limits; keepalive
//! and graceful shutdown alone reach neither a peer that never speaks nor one that never listens.

pub mod tcp;

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::response::IntoResponse;
use futures::{Stream, StreamExt};
use http::StatusCode;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tower::ServiceExt;

use super::hub::guest::Guest;
use super::outbox::Outbox;

/// Until its first whole request a connection has this long.
pub const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// The health service, which asks nobody who they are.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// A client has this long to be let in.
pub const GREETED_WITHIN: Duration = Duration::from_secs(20);
/// A stream that was not asked for what waits in it for this long ends, and with it its connection.
pub const STALLED: Duration = Duration::from_secs(30);
/// How often that is looked at.
const SWEEP: Duration = Duration::from_secs(5);
/// Sessions have this long to say goodbye when the server stops; then connections are dropped.
pub const GOODBYES: Duration = Duration::from_secs(5);

/// How many connections there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    pub connections: usize,
    /// Of these, connections whose client was not let in yet.
    pub strangers: usize,
    /// From one address, unless it is this machine's own.
    pub per_address: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            connections: 10_000,
            strangers: 256,
            per_address: 128,
        }
    }
}

/// What every connection leads to.
#[derive(Clone, Debug)]
pub struct Services {
    pub grpc: tonic::service::Routes,
    pub web: axum::Router,
}

/// Where a connection comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    Tcp(SocketAddr),
    /// A pipe in memory.
    Memory,
}

impl Peer {
    /// The address that counts against the cap.
    fn counted(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => {
                let ip = match address.ip().to_canonical() {
                    // Whoever has one address of a /64 has all of them.
                    IpAddr::V6(ip) => {
                        IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)))
                    }
                    v4 @ IpAddr::V4(_) => v4,
                };
                (!address.ip().to_canonical().is_loopback()).then_some(ip)
            }
            Self::Memory => None,
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
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
    /// Drops the connection, whatever its peer does.
    kill: CancellationToken,
    has_asked: AtomicBool,
    /// Held until the client is let in.
    stranger: Mutex<Option<OwnedSemaphorePermit>>,
    outboxes: Mutex<Vec<Weak<Outbox>>>,
    /// A guest's name that is kept as long as this lasts.
    reserved: Mutex<Option<Arc<Guest>>>,
    /// What goes on with the socket after HTTP has given it away.
    upgraded: TaskTracker,
}

impl Connection {
    fn new(peer: Peer, stranger: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Inner {
            peer,
            kill: CancellationToken::new(),
            has_asked: AtomicBool::new(false),
            stranger: Mutex::new(Some(stranger)),
            outboxes: Mutex::default(),
            reserved: Mutex::default(),
            upgraded: TaskTracker::new(),
        }))
    }

    /// Keeps a guest's name until the connection ends, instead of the one that was kept before.
    pub fn reserve(&self, guest: Option<Arc<Guest>>) {
        let mut reserved = self
            .0
            .reserved
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *reserved, guest);
        drop(reserved);
        // Its name is given back here, where nothing is locked.
        drop(before);
    }

    pub fn reserved(&self) -> Option<Arc<Guest>> {
        self.0
            .reserved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Goes on with the socket after an upgrade, as a part of the connection: under its kill switch, its caps and the drain.
    pub fn go_on(&self, with: impl Future<Output = ()> + Send + 'static) {
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

    /// Whether the client is on this machine.
    pub fn is_local(&self) -> bool {
        self.0.peer.counted().is_none()
    }

    /// Ends the connection if this outbox is not read for too long.
    pub fn watch(&self, outbox: &Arc<Outbox>) {
        let mut outboxes = self
            .0
            .outboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        outboxes.retain(|it| it.strong_count() > 0);
        outboxes.push(Arc::downgrade(outbox));
    }

    fn is_stranger(&self) -> bool {
        self.0
            .stranger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    fn is_stalled(&self) -> bool {
        let outboxes = self
            .0
            .outboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        outboxes
            .iter()
            .filter_map(Weak::upgrade)
            .any(|outbox| outbox.stalled() >= STALLED)
    }
}

impl Connection {
    /// The client was let in: it no longer counts as a stranger.
    pub fn greeted(&self) {
        self.0
            .stranger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

/// All connections there are.
#[derive(Debug, Default)]
struct Registry {
    next: AtomicU64,
    connections: Mutex<HashMap<u64, Connection>>,
    addresses: Mutex<HashMap<IpAddr, usize>>,
}

impl Registry {
    fn add(&self, connection: Connection) -> u64 {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, connection);
        id
    }

    fn remove(&self, id: u64, address: Option<IpAddr>) {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = address
            && let Some(count) = addresses.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&address);
            }
        }
    }

    /// Counts a connection of an address; false if it has its share.
    fn admits(&self, address: Option<IpAddr>, most: usize) -> bool {
        let Some(address) = address else { return true };
        let mut addresses = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = addresses.entry(address).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        true
    }

    fn each(&self, act: impl Fn(&Connection)) {
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

/// Serves connections until `drain` is cancelled, then lets them finish, but not for ever; not at all once `hurry` is cancelled.
pub async fn serve<S>(
    incoming: impl Stream<Item = io::Result<(S, Peer)>> + Send,
    doors: Services,
    caps: Caps,
    drain: CancellationToken,
    hurry: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let registry = Arc::new(Registry::default());
    let tracker = TaskTracker::new();
    let sweeper = tokio::spawn(sweep(Arc::clone(&registry)));
    tokio::select! {
        () = accept(incoming, doors, caps, &drain, &registry, &tracker) => {}
        () = drain.cancelled() => {}
    }
    // The listening sockets are closed now: nobody waits in a queue that nobody will empty.
    drain.cancelled().await;
    tracker.close();
    let finished = tokio::select! {
        finished = timeout(GOODBYES, tracker.wait()) => finished.is_ok(),
        () = hurry.cancelled() => false,
    };
    if !finished {
        registry.each(|connection| connection.0.kill.cancel());
        tracker.wait().await;
    }
    sweeper.abort();
}

/// Drops connections that are not read.
async fn sweep(registry: Arc<Registry>) {
    let mut every = interval(SWEEP);
    loop {
        every.tick().await;
        registry.each(|connection| {
            if connection.is_stalled() {
                tracing::info!(peer = %connection.0.peer, "dropped: the client does not read");
                connection.0.kill.cancel();
            }
        });
    }
}

async fn accept<S>(
    incoming: impl Stream<Item = io::Result<(S, Peer)>> + Send,
    doors: Services,
    caps: Caps,
    drain: &CancellationToken,
    registry: &Arc<Registry>,
    tracker: &TaskTracker,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let places = Arc::new(Semaphore::new(caps.connections));
    let strangers = Arc::new(Semaphore::new(caps.strangers));
    let mut incoming = pin!(incoming);
    let mut pause = Duration::ZERO;
    loop {
        // Neither semaphore is ever closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok(stranger) = Arc::clone(&strangers).acquire_owned().await else {
            return;
        };
        let (io, peer) = match incoming.next().await {
            Some(Ok(accepted)) => accepted,
            Some(Err(error)) => {
                // Out of descriptors, most likely: it passes, and trying again at once would only burn a core.
                if pause.is_zero() {
                    tracing::warn!(%error, "cannot accept connections");
                }
                pause = (pause * 2).clamp(Duration::from_millis(10), Duration::from_secs(1));
                sleep(pause).await;
                continue;
            }
            None => return,
        };
        pause = Duration::ZERO;
        let address = peer.counted();
        if !registry.admits(address, caps.per_address) {
            tracing::debug!(%peer, "dropped: too many connections of one address");
            continue;
        }
        let connection = Connection::new(peer, stranger);
        let id = registry.add(connection.clone());
        let (doors, drain, registry) = (doors.clone(), drain.clone(), Arc::clone(registry));
        tracker.spawn(async move {
            serve_one(io, connection.clone(), doors, drain).await;
            connection.0.upgraded.close();
            connection.0.upgraded.wait().await;
            connection.reserve(None);
            registry.remove(id, address);
            drop(place);
        });
    }
}

async fn serve_one<S>(io: S, connection: Connection, doors: Services, drain: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let kill = connection.0.kill.clone();
    let seen = connection.clone();
    let service = tower::service_fn(move |mut request: http::Request<Incoming>| {
        seen.0.has_asked.store(true, Ordering::Relaxed);
        if request.uri().path().starts_with(HEALTH) {
            // Whoever watches over a server has nothing to be let in for.
            seen.greeted();
        }
        request.extensions_mut().insert(seen.clone());
        answer(doors.clone(), request)
    });
    let http = http();
    let mut served = pin!(
        http.serve_connection_with_upgrades(TokioIo::new(io), TowerToHyperService::new(service))
    );
    let mut is_draining = false;
    let mut deadline = pin!(sleep(FIRST_REQUEST_WITHIN));
    let mut awaits = Awaits::Request;
    loop {
        tokio::select! {
            // How a connection ends is its peer's affair; what it meant for a session is logged there.
            _ = served.as_mut() => return,
            () = kill.cancelled() => return,
            () = deadline.as_mut(), if awaits != Awaits::Nothing => match awaits {
                Awaits::Request if connection.0.has_asked.load(Ordering::Relaxed) => {
                    awaits = Awaits::Greeting;
                    deadline.set(sleep(GREETED_WITHIN.saturating_sub(FIRST_REQUEST_WITHIN)));
                }
                Awaits::Greeting if !connection.is_stranger() => awaits = Awaits::Nothing,
                _ => return,
            },
            () = drain.cancelled(), if !is_draining => {
                is_draining = true;
                if !connection.0.has_asked.load(Ordering::Relaxed) {
                    return;
                }
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

/// What a connection's deadline is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Request,
    Greeting,
    Nothing,
}

/// gRPC goes to its services, anything else to what is served over plain HTTP.
async fn answer(
    doors: Services,
    request: http::Request<Incoming>,
) -> Result<http::Response<Body>, Infallible> {
    let is_first_http = request.version() < http::Version::HTTP_2;
    let is_grpc = request
        .headers()
        .get(http::header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if is_grpc && !is_first_http {
        return doors.grpc.oneshot(request.map(Body::new)).await;
    }
    let answer = if is_grpc {
        // Every gRPC client speaks HTTP/2. A web page cannot, and must not reach services that ask for no secret.
        Ok((
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "gRPC needs HTTP/2\n",
        )
            .into_response())
    } else {
        doors.web.oneshot(request.map(axum::body::Body::new)).await
    };
    answer.map(|mut response| {
        // One answer a connection; but an upgrade's own header is read to the letter by some.
        if is_first_http && response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let close = http::HeaderValue::from_static("close");
            response
                .headers_mut()
                .insert(http::header::CONNECTION, close);
        }
        response.map(Body::new)
    })
}

fn http() -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(FIRST_REQUEST_WITHIN);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(16)
        .max_header_list_size(8 * 1024)
        .max_frame_size(16 * 1024)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(256)
        .initial_stream_window_size(256 * 1024)
        .initial_connection_window_size(512 * 1024)
        .max_send_buf_size(64 * 1024)
        .keep_alive_interval(Duration::from_secs(25))
        .keep_alive_timeout(Duration::from_secs(8));
    http
}
