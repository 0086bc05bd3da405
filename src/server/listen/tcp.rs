//! TCP listeners: every address a host name stands for.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use futures::stream::{self, Stream, StreamExt};
use tokio::net::{TcpListener, TcpStream, lookup_host};

use super::Peer;

/// Why nothing listens.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("cannot find '{host}': {cause}")]
    Unknown { host: String, cause: io::Error },
    #[error("cannot listen on {address}: {}", reason(.cause))]
    Bind {
        address: SocketAddr,
        cause: io::Error,
    },
}

fn reason(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::AddrInUse => "the address is in use".into(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".into(),
        io::ErrorKind::PermissionDenied => "the system does not allow it".into(),
        _ => cause.to_string(),
    }
}

/// Listens on every address of a host. `::` means all of both families.
///
/// # Errors
/// The host has no address, or none could be listened on.
pub async fn bind(host: &str, port: u16) -> Result<Vec<TcpListener>, BindError> {
    let unknown = |cause| BindError::Unknown {
        host: host.to_owned(),
        cause,
    };
    let mut addresses: Vec<SocketAddr> =
        lookup_host((host, port)).await.map_err(unknown)?.collect();
    addresses.sort_unstable();
    addresses.dedup();
    let mut listeners = Vec::new();
    let mut failure = None;
    for mut address in addresses {
        // With port 0 the first address chooses for all of them.
        if let Some(first) = listeners
            .first()
            .and_then(|first: &TcpListener| first.local_addr().ok())
        {
            address.set_port(first.port());
        }
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            // A name like `localhost` may stand for a family this machine does not have.
            Err(cause) if cause.kind() == io::ErrorKind::AddrNotAvailable => {
                failure.get_or_insert(BindError::Bind { address, cause });
            }
            Err(cause) => return Err(BindError::Bind { address, cause }),
        }
        let only_v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
        if listeners.is_empty() && address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            // No IPv6 here: "all of both families" is all of the one there is.
            listeners.push(
                TcpListener::bind(only_v4)
                    .await
                    .map_err(|cause| BindError::Bind {
                        address: only_v4,
                        cause,
                    })?,
            );
        }
    }
    match failure {
        Some(failure) if listeners.is_empty() => Err(failure),
        _ if listeners.is_empty() => Err(unknown(io::ErrorKind::NotFound.into())),
        _ => Ok(listeners),
    }
}

/// The connections of several listeners.
pub fn incoming(
    listeners: Vec<TcpListener>,
) -> impl Stream<Item = io::Result<(TcpStream, Peer)>> + Send {
    let accepting = listeners.into_iter().map(|listener| {
        Box::pin(stream::unfold(listener, |listener| async {
            let accepted = listener.accept().await.and_then(|(stream, address)| {
                // Without it a small frame waits for the acknowledgement of the one before.
                stream.set_nodelay(true)?;
                Ok((stream, Peer::Tcp(address)))
            });
            Some((accepted, listener))
        }))
    });
    stream::select_all(accepting).fuse()
}
