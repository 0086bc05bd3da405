//! The addresses that a server listens on.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Result, anyhow};
use futures::stream::Stream;
#[cfg(unix)]
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio_util::either::Either;

use crate::config::{Address, Serve};
#[cfg(unix)]
use crate::local_socket::LocalListener;
use crate::server::listen::{Peer, tcp};

/// The open listeners of a server.
pub(super) struct Listeners {
    all: Vec<TcpListener>,
    /// The main addresses.
    pub main: Vec<SocketAddr>,
    /// The additional addresses for clients of older chat systems.
    pub bridges: Vec<SocketAddr>,
    /// The bridge addresses that could not be used. The server runs without them: the main address serves all bridges.
    pub failed: Vec<tcp::BindError>,
    /// The socket for clients of the same user.
    #[cfg(unix)]
    local: Option<LocalListener>,
}

/// An accepted connection.
#[cfg(unix)]
type Accepted = Either<TcpStream, UnixStream>;
#[cfg(not(unix))]
type Accepted = TcpStream;

impl Listeners {
    /// Listens on the main address, on the bridge addresses, and on the socket for clients of the same user.
    ///
    /// # Errors
    /// The main address cannot be used.
    pub async fn open(serve: &Serve, socket: Option<&Path>) -> Result<Self> {
        // The socket is opened before the ports, so that a client that finds a port open also finds the socket.
        #[cfg(unix)]
        let local = open_socket(socket);
        let mut all = tcp::bind(&serve.host, serve.port)
            .await
            .map_err(|error| explained(error, serve.port))?;
        let main = addresses(&all);
        let mut failed = Vec::new();
        let is_main = |it: &&Address| it.host == serve.host && it.port == serve.port;
        for address in &serve.bridges.addresses {
            if is_main(&address) {
                continue;
            }
            match tcp::bind(&address.host, address.port).await {
                Ok(listeners) => all.extend(listeners),
                Err(error) => failed.push(error),
            }
        }
        let bridges = addresses(&all[main.len()..]);
        Ok(Self {
            all,
            main,
            bridges,
            failed,
            #[cfg(unix)]
            local,
        })
    }

    /// All addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &SocketAddr> {
        self.main.iter().chain(&self.bridges)
    }

    /// Whether only this machine can connect.
    pub fn is_local(&self) -> bool {
        self.addresses().all(|address| address.ip().is_loopback())
    }

    /// Returns the accepted connections.
    pub fn incoming(self) -> impl Stream<Item = io::Result<(Accepted, Peer)>> + Send {
        let tcp = tcp::incoming(self.all);
        #[cfg(unix)]
        return stream::select(
            tcp.map_ok(|(stream, peer)| (Either::Left(stream), peer)),
            stream::iter(self.local).flat_map(accepted),
        );
        #[cfg(not(unix))]
        tcp
    }
}

/// Listens on the socket for clients of the same user. Without it, they use TCP.
#[cfg(unix)]
fn open_socket(path: Option<&Path>) -> Option<LocalListener> {
    let Some(path) = path else {
        tracing::warn!(
            "cannot listen on the local socket: the path of the data directory is too long"
        );
        return None;
    };
    match LocalListener::bind(path) {
        Ok(listener) => Some(listener),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "cannot listen on the local socket");
            None
        }
    }
}

/// Returns the connections that a local socket accepts.
#[cfg(unix)]
fn accepted(listener: LocalListener) -> BoxStream<'static, io::Result<(Accepted, Peer)>> {
    let accept = async |listener: LocalListener| {
        let accepted = listener.accept().await;
        let accepted = accepted.map(|stream| (Either::Right(stream), Peer::Socket));
        Some((accepted, listener))
    };
    stream::unfold(listener, accept).boxed()
}

fn addresses(listeners: &[TcpListener]) -> Vec<SocketAddr> {
    let addresses = listeners.iter();
    addresses.filter_map(|it| it.local_addr().ok()).collect()
}

/// Adds what to do about an address that cannot be used.
fn explained(error: tcp::BindError, port: u16) -> anyhow::Error {
    match error {
        tcp::BindError::Bind { ref cause, .. } if cause.kind() == io::ErrorKind::AddrInUse => {
            anyhow!(
                "{error}\nanother tchat may be running here; run `tchat` to join it, or choose another port with `--port {}`",
                port.wrapping_add(1).max(1024)
            )
        }
        other => other.into(),
    }
}
