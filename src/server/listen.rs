//! The accept loop: accepts connections within limits and serves each in its own task, so that none delays another.
//!
//! Each connection has a deadline for its first request, a kill switch, and HTTP/2 limits. Keepalive and graceful
//! shutdown are not enough: they do not disconnect a peer that never sends anything, or one that never reads. The loop
//! knows nothing of rooms or messages.

mod address_places;
mod answer;
mod connection;
mod encryption;
mod first_byte;
mod stranger_places;
pub mod tcp;

use self::address_places::AddressPlaces;
pub use self::answer::UnreadAnswer;
use self::connection::Registry;
pub use self::connection::{Connection, Peer, STALLED};
pub(crate) use self::stranger_places::KNOWN as KNOWN_ADDRESSES;
use self::stranger_places::StrangerPlaces;

pub use self::encryption::{ClearText, CurrentTls, Encryption};
use self::first_byte::FirstByte;

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::response::IntoResponse;
use futures::{Stream, StreamExt};
use http::StatusCode;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tower::ServiceExt;

use crate::chat::{Limit, Quotas, Transport};

/// Time limit for a connection's first complete request.
pub const FIRST_REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// Path of the health service, which needs no authentication.
const HEALTH: &str = "/grpc.health.v1.Health/";
/// Time limit for a client to be admitted, from the start of the connection.
pub const ADMITTED_WITHIN: Duration = Duration::from_secs(20);
/// How often connections are checked for stalled outboxes.
const SWEEP: Duration = Duration::from_secs(5);
/// Time limit for sessions to send their goodbyes when the server stops. Then the connections are dropped.
pub const GOODBYES: Duration = Duration::from_secs(5);

/// Limits for the number of connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectionLimits {
    pub connections: usize,
    /// Connections from one address. Those of people who were invited do not count, because their accounts have limits.
    /// Loopback addresses have no limit.
    pub per_address: usize,
    /// Connections whose client has not signed in. They also count as `connections`.
    pub strangers: usize,
    /// The same, for one address.
    pub strangers_per_address: usize,
    /// The same, for one address from which somebody has signed in before.
    pub strangers_per_known_address: usize,
    /// How many of `strangers` are reserved for addresses from which somebody has signed in before.
    pub strangers_reserved: usize,
}

impl From<&Quotas> for ConnectionLimits {
    fn from(quotas: &Quotas) -> Self {
        let most = |limit| {
            let most = quotas.get(limit).map(usize::try_from);
            // Without a limit, the highest number that a semaphore accepts.
            most.and_then(Result::ok).unwrap_or(Semaphore::MAX_PERMITS)
        };
        Self {
            connections: most(Limit::Connections),
            per_address: most(Limit::ConnectionsPerAddress),
            strangers: most(Limit::Strangers),
            strangers_per_address: most(Limit::StrangersPerAddress),
            strangers_per_known_address: most(Limit::StrangersPerKnownAddress),
            strangers_reserved: quotas
                .get(Limit::StrangersReserved)
                .and_then(|it| it.try_into().ok())
                .unwrap_or_default(),
        }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self::from(&Quotas::default())
    }
}

/// What connections can reach: the gRPC services and the plain HTTP routes.
#[derive(Clone, Debug)]
pub struct Services {
    pub grpc: tonic::service::Routes,
    pub web: axum::Router,
}

/// Serves connections until `drain` is cancelled, then gives them [`GOODBYES`] to finish, or drops them at once when
/// `drop_now` is cancelled. `limits` includes the addresses from which people have signed in before.
pub async fn serve<S>(
    incoming: impl Stream<Item = io::Result<(S, Peer)>> + Send,
    doors: Services,
    encryption: Encryption,
    limits: (ConnectionLimits, Vec<IpAddr>),
    drain: CancellationToken,
    drop_now: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let registry = Arc::new(Registry::default());
    let tracker = TaskTracker::new();
    let sweeper = tokio::spawn(sweep(Arc::clone(&registry)));
    tokio::select! {
        () = accept(incoming, doors, encryption, limits, &drain, &registry, &tracker) => {}
        () = drain.cancelled() => {}
    }
    // The listening sockets are closed now, so no client waits in an accept queue that is not served any more.
    drain.cancelled().await;
    tracker.close();
    let finished = tokio::select! {
        finished = timeout(GOODBYES, tracker.wait()) => finished.is_ok(),
        () = drop_now.cancelled() => false,
    };
    if !finished {
        registry.for_each(|connection| connection.kill().cancel());
        tracker.wait().await;
    }
    sweeper.abort();
}

/// Drops connections whose client does not read.
async fn sweep(registry: Arc<Registry>) {
    let mut every = interval(SWEEP);
    loop {
        every.tick().await;
        registry.for_each(|connection| {
            if connection.is_stalled() {
                tracing::info!(
                    peer = connection.peer(),
                    "dropped: the client does not read"
                );
                connection.kill().cancel();
            }
        });
    }
}

async fn accept<S>(
    incoming: impl Stream<Item = io::Result<(S, Peer)>> + Send,
    doors: Services,
    encryption: Encryption,
    (limits, known): (ConnectionLimits, Vec<IpAddr>),
    drain: &CancellationToken,
    registry: &Arc<Registry>,
    tracker: &TaskTracker,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections));
    let strangers = StrangerPlaces::new(limits, known);
    // Strangers on this machine, or behind a tunnel that ends here, never get all connections.
    let address_places = AddressPlaces::new(limits.per_address, limits.connections.div_ceil(2));
    let mut incoming = pin!(incoming);
    let mut pause = Duration::ZERO;
    loop {
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
        // The user who runs the server always gets in, to see what is wrong.
        let place = Arc::clone(&places).try_acquire_owned().ok();
        if place.is_none() && peer != Peer::Socket {
            tracing::debug!(%peer, "dropped: too many connections");
            continue;
        }
        let (doors, drain, registry) = (doors.clone(), drain.clone(), Arc::clone(registry));
        let (encryption, strangers) = (encryption.clone(), strangers.clone());
        let address_places = address_places.clone();
        tracker.spawn(async move {
            let _place = place;
            let stranger_place = tokio::select! {
                place = strangers.take(peer.group()) => place,
                () = drain.cancelled() => None,
            };
            let Some(stranger_place) = stranger_place else {
                tracing::debug!(%peer, "dropped: too many connections that have not signed in");
                return;
            };
            let connection = Connection::new(peer, strangers, stranger_place, address_places);
            let id = registry.add(connection.clone());
            serve_one(io, connection.clone(), doors, encryption, drain).await;
            connection.finish().await;
            registry.remove(id);
        });
    }
}

async fn serve_one<S>(
    io: S,
    connection: Connection,
    doors: Services,
    encryption: Encryption,
    drain: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let until = Instant::now() + FIRST_REQUEST_WITHIN;
    let opened = tokio::select! {
        opened = timeout_at(until, open(io, &connection, encryption)) => opened.ok().flatten(),
        () = connection.kill().cancelled() => None,
        () = drain.cancelled() => None,
    };
    match opened {
        // Boxed, so that the task of an unencrypted connection is not as large as one with TLS.
        Some(Opened::Tls(io)) => Box::pin(serve_http(io, connection, doors, until, drain)).await,
        Some(Opened::Clear(io)) => serve_http(io, connection, doors, until, drain).await,
        None => {}
    }
}

/// A connection that is ready for HTTP.
enum Opened<S> {
    Clear(FirstByte<S>),
    Tls(Box<TlsStream<FirstByte<S>>>),
}

/// Waits for the first byte and, if it begins a TLS handshake, for the handshake. Returns `None` if the connection
/// cannot be used.
async fn open<S>(io: S, connection: &Connection, encryption: Encryption) -> Option<Opened<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let io = FirstByte::read(io).await.ok()??;
    if !io.is_tls() {
        if connection.is_local() || encryption.clear_text == ClearText::Everything {
            connection.set_transport(connection.clear_transport());
        }
        return Some(Opened::Clear(io));
    }
    let (config, pin) = encryption.tls?.current();
    match TlsAcceptor::from(config).accept(io).await {
        Ok(stream) => {
            connection.set_transport(Transport::Tls(pin));
            Some(Opened::Tls(Box::new(stream)))
        }
        Err(error) => {
            tracing::debug!(peer = connection.peer(), %error, "dropped: the TLS handshake failed");
            None
        }
    }
}

async fn serve_http<S>(
    io: S,
    connection: Connection,
    doors: Services,
    until: Instant,
    drain: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let kill = connection.kill().clone();
    let seen = connection.clone();
    let service = tower::service_fn(move |mut request: http::Request<Incoming>| {
        seen.note_request();
        if request.uri().path().starts_with(HEALTH) {
            // Health checks never send a hello, and a watch stays open. Their address is charged, which never keeps an invited person out.
            seen.admit_guest();
        }
        request.extensions_mut().insert(seen.clone());
        let (doors, seen) = (doors.clone(), seen.clone());
        async move {
            let mut response = route(doors, request).await?;
            if let Some(charged) = response.extensions_mut().remove::<UnreadAnswer>() {
                let body = std::mem::take(response.body_mut());
                let (body, progress) = answer::measured(body, charged);
                *response.body_mut() = body;
                seen.watch_answer(&progress);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let http = http();
    let mut served = pin!(
        http.serve_connection_with_upgrades(TokioIo::new(io), TowerToHyperService::new(service))
    );
    let mut is_draining = false;
    let mut deadline = pin!(sleep_until(until));
    let mut awaits = DeadlineFor::Request;
    loop {
        tokio::select! {
            // The error is not logged here. The session logs how it ended.
            _ = served.as_mut() => return,
            () = kill.cancelled() => return,
            () = deadline.as_mut(), if awaits != DeadlineFor::Nothing => match awaits {
                DeadlineFor::Request if connection.has_request() => {
                    awaits = DeadlineFor::Admission;
                    deadline.set(sleep(ADMITTED_WITHIN.saturating_sub(FIRST_REQUEST_WITHIN)));
                }
                DeadlineFor::Admission if !connection.is_unadmitted() => awaits = DeadlineFor::Nothing,
                _ => return,
            },
            () = drain.cancelled(), if !is_draining => {
                is_draining = true;
                if !connection.has_request() {
                    return;
                }
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

/// What a connection must do before its deadline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DeadlineFor {
    Request,
    Admission,
    Nothing,
}

/// Routes a request: gRPC to the services, anything else to the plain HTTP routes.
async fn route(
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
        // Every gRPC client uses HTTP/2. A web page cannot, and it must not reach services that need no token.
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
