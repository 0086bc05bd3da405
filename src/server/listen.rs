//! The accept loop: accepts connections within limits and serves each in its own task, so that none delays another.
//!
//! Each connection has a deadline for its first request, a kill switch that its requests can use, and HTTP/2 limits. Keepalive and
//! graceful shutdown are not enough: they do not end a peer that never sends anything, or one that never reads. The loop knows nothing
//! of rooms or messages.

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

/// Time limit for a connection's first complete request.
pub const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// Path of the health service, which needs no authentication.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// Time limit for a client to be admitted, from the start of the connection.
pub const GREETED_WITHIN: Duration = Duration::from_secs(20);
/// A connection ends if data has been waiting in one of its outboxes for this long without being read.
pub const STALLED: Duration = Duration::from_secs(30);
/// How often connections are checked for stalled outboxes.
const SWEEP: Duration = Duration::from_secs(5);
/// Time limit for sessions to send their goodbyes when the server stops. Then the connections are dropped.
pub const GOODBYES: Duration = Duration::from_secs(5);

/// Limits for the number of connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    pub connections: usize,
    /// Connections whose client is not admitted yet. They also count as `connections`.
    pub strangers: usize,
    /// Connections from one address. Loopback addresses have no limit.
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

/// What connections can reach: the gRPC services and the plain HTTP routes.
#[derive(Clone, Debug)]
pub struct Services {
    pub grpc: tonic::service::Routes,
    pub web: axum::Router,
}

/// Where a connection comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    Tcp(SocketAddr),
    /// A pipe in memory, in the same process.
    Memory,
}

impl Peer {
    /// Returns the address that counts against `per_address`; nothing for loopback and memory.
    fn counted(self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => {
                let ip = match address.ip().to_canonical() {
                    // A client with one IPv6 address usually has the whole /64, so the /64 is counted.
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
    /// The permit under `Caps::strangers`. Released when the client is admitted.
    stranger: Mutex<Option<OwnedSemaphorePermit>>,
    outboxes: Mutex<Vec<Weak<Outbox>>>,
    /// A guest name that is reserved while the connection lasts.
    reserved: Mutex<Option<Arc<Guest>>>,
    /// Tasks that use the socket after an upgrade, when HTTP has released it.
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
    /// Marks the client as admitted: its connection no longer counts against the limit for unknown clients.
    pub fn greeted(&self) {
        self.0
            .stranger
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

/// All open connections, and how many each address has.
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

    /// Counts a connection from an address. Returns false if the address has reached its limit.
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

/// Serves connections until `drain` is cancelled, then gives them [`GOODBYES`] to finish. Once `hurry` is cancelled it drops them at once.
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
    // The listening sockets are closed now, so no client waits in an accept queue that is not served any more.
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

/// Drops connections whose client does not read.
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
                // Most likely there are no free file descriptors. That passes; retrying at once would only use CPU time.
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
            tracing::debug!(%peer, "dropped: too many connections from one address");
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
            // Health checks never say hello, so they count as admitted.
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
            // The error is not logged here. The session logs how it ended.
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

/// What a connection must do before its deadline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaits {
    Request,
    Greeting,
    Nothing,
}

/// Routes a request: gRPC to the services, anything else to the plain HTTP routes.
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
        // Every gRPC client uses HTTP/2. A web page cannot, and it must not reach services that need no secret.
        Ok((
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "gRPC needs HTTP/2\n",
        )
            .into_response())
    } else {
        doors.web.oneshot(request.map(axum::body::Body::new)).await
    };
    answer.map(|mut response| {
        // One response per connection in HTTP/1. An upgrade keeps its own Connection header, because some clients compare it exactly.
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
