//! The server: connections, sessions, rooms and the store.
//!
//! [`run`] takes accepted connections, a store and a shutdown signal. It opens no listener and no file, so a test needs
//! neither.

mod allowed_hosts;
pub mod bridge;
pub mod bus;
pub mod clock;
pub mod data_dir;
mod deadline;
pub mod delivery;
pub mod endpoint;
pub mod hub;
mod limits;
pub mod listen;
pub mod log;
pub mod metrics;
pub mod outbox;
pub mod rate_limit;
pub mod room;
pub mod session;
pub mod store;
pub mod word_filter;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep, timeout};

use tonic::service::Routes;

use self::allowed_hosts::AllowedHosts;
use self::bus::local::LocalBus;
use self::endpoint::admin::{Admin, AdminServiceServer};
use self::endpoint::grpc::{ChatServiceServer, Endpoint};
use self::endpoint::shared_link::SharedLink;
use self::hub::{Hub, HubConfig};
use self::listen::{ConnectionLimits, Encryption, KNOWN_ADDRESSES, Peer, Services};
use self::store::{Store, Verified};
use crate::chat::{Bridges, address_group};

/// Maximum size of a request in bytes.
pub const REQUEST_BYTES: usize = 64 * 1024;
/// Time limit for closing the store at shutdown.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// Time limit for sessions that are still ending after their connections were dropped, and how often that is checked.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// The configuration of a server.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    pub hub: HubConfig,
    pub caps: ConnectionLimits,
    pub encryption: Encryption,
    pub bridges: Bridges,
    /// Whether gRPC reflection lists the services.
    pub reflection: Switch,
    /// Whether metrics are served at `/metrics`.
    pub metrics: Switch,
    /// Host names of this server besides `localhost` and the loopback addresses. Plain HTTP requests are checked against them.
    pub hosts: Vec<String>,
    /// The link to this server, without an invitation.
    pub link: SharedLink,
    /// The server stops by itself after this long without a session. `None`: never.
    pub idle_exit: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Switch {
    On,
    Off,
}

/// The reason why a server stopped without a shutdown signal.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The store failed. Posts without an answer may or may not be stored; their senders will send them again.
    #[error("cannot continue: the store failed: {0}")]
    Store(String),
    /// There is not enough disk space to start.
    #[error("cannot start: the disk is full")]
    Full,
}

/// Serves until `shutdown` completes, then drains: sends goodbyes and finishes commits. Time limits apply, so no client
/// can delay the shutdown.
///
/// # Errors
/// The store failed, or the disk is full. No client has received an entry that is not stored.
pub async fn run<S>(
    config: ServerConfig,
    incoming: impl Stream<Item = io::Result<(S, Peer)>> + Send,
    store: Arc<dyn Store>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServerError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error: store::StoreError| match error {
        store::StoreError::Full => ServerError::Full,
        error => ServerError::Store(error.to_string()),
    };
    let hub = Hub::start(
        Arc::clone(&store),
        Arc::new(LocalBus::default()),
        config.hub,
    )
    .await
    .map_err(failed)?;
    let doors = Services {
        grpc: services(&hub, config.bridges, config.reflection, config.link).await,
        web: endpoint::http::router(
            &hub,
            config.bridges,
            config.metrics,
            &AllowedHosts::new(&config.hosts),
        ),
    };

    let stop = async {
        tokio::select! {
            () = shutdown => {}
            () = hub.fatal.raised() => {}
            () = idle(&hub, config.idle_exit) => tracing::info!("stopping: no session within the idle limit"),
        }
        hub.draining.cancel();
    };
    // In the background, because it only reports damage. The server does not need the result.
    let verifying = tokio::spawn(verify(Arc::clone(&hub)));
    let known = hub.store.device_addresses(KNOWN_ADDRESSES).await;
    let known = known.map_err(failed)?.into_iter();
    let known = known.filter_map(|address| address.parse().ok().map(address_group));
    // The newest last, so that it is forgotten last.
    let known: Vec<IpAddr> = known.rev().collect();
    let drop_now = hub.fatal.token();
    let serve = listen::serve(
        incoming,
        doors,
        config.encryption,
        (config.caps, known),
        hub.draining.clone(),
        drop_now,
    );
    tokio::join!(stop, serve);
    verifying.abort();

    // Writes the read positions of the last second.
    if hub.fatal.cause().is_none()
        && let Err(error) = hub.flush_reads().await
    {
        hub.fatal.raise(&error);
    }
    if let Some(cause) = hub.fatal.cause() {
        // After a disk failure nothing more is written, so the store is not even closed.
        return Err(ServerError::Store(cause));
    }
    // Sessions whose connections were dropped may still be ending.
    let leaving = async {
        while hub.sessions() > 0 {
            sleep(POLL_INTERVAL).await;
        }
    };
    drop(timeout(LEAVE_WITHIN, leaving).await);
    match timeout(CLOSE_WITHIN, store.close()).await {
        Ok(Err(error)) => Err(failed(error)),
        Ok(Ok(())) | Err(_) => Ok(()),
    }
}

/// Returns the gRPC services, including those of the bridges.
async fn services(
    hub: &Arc<Hub>,
    bridges: Bridges,
    reflection: Switch,
    link: SharedLink,
) -> Routes {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<ChatServiceServer<Endpoint>>().await;
    let chat = ChatServiceServer::new(Endpoint::new(Arc::clone(hub), link.clone()))
        .max_decoding_message_size(REQUEST_BYTES);
    let admin = AdminServiceServer::new(Admin::new(Arc::clone(hub), link))
        .max_decoding_message_size(REQUEST_BYTES);
    let routes = Routes::new(chat)
        .add_service(admin)
        .add_service(health_service);
    let routes = bridge::grpc::add(routes, hub, bridges);
    match reflection {
        Switch::On => endpoint::reflection::add(routes, bridges),
        Switch::Off => routes,
    }
}

/// Verifies everything that is stored, and logs the result.
async fn verify(hub: Arc<Hub>) {
    match hub.store.verify().await {
        Ok(Verified {
            rooms,
            entries,
            damages,
            ..
        }) => {
            hub.metrics.set_damaged(damages);
            if damages > 0 {
                tracing::error!(
                    rooms,
                    entries,
                    damages,
                    "some stored data is damaged; `tchat doctor` lists it, `tchat restore` restores a backup"
                );
            } else {
                tracing::info!(rooms, entries, "verified the stored data");
            }
        }
        Err(error) => hub.fatal.raise(&error),
    }
}

/// Waits until there has been no session for `limit`. Without a limit, it never returns.
async fn idle(hub: &Hub, limit: Option<Duration>) {
    let Some(limit) = limit else {
        return std::future::pending().await;
    };
    let look = (limit / 10).clamp(Duration::from_millis(10), Duration::from_secs(1));
    let mut since = Instant::now();
    loop {
        sleep(look).await;
        if hub.sessions() > 0 {
            since = Instant::now();
        } else if since.elapsed() >= limit {
            return;
        }
    }
}
