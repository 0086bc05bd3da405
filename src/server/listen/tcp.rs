//! TCP listeners: listens on every address that a host name resolves to.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use futures::stream::{self, Stream, StreamExt};
use tokio::net::{TcpListener, TcpStream, lookup_host};

use super::Peer;

/// Why listening failed.
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

/// Listens on every address of a host. `::` means all addresses of IPv6 and IPv4.
///
/// # Errors
/// The host has no address; an address cannot be used, for example because it is in use; or this machine has none of the addresses.
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
        // With port 0, all addresses use the port that the system chose for the first.
        if let Some(first) = listeners
            .first()
            .and_then(|first: &TcpListener| first.local_addr().ok())
        {
            address.set_port(first.port());
        }
        match TcpListener::bind(address).await {
            Ok(listener) => listeners.push(listener),
            // A name like `localhost` may resolve to an IP family that this machine does not have.
            Err(cause) if cause.kind() == io::ErrorKind::AddrNotAvailable => {
                failure.get_or_insert(BindError::Bind { address, cause });
            }
            Err(cause) => return Err(BindError::Bind { address, cause }),
        }
        let only_v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address.port()));
        if listeners.is_empty() && address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            // This machine has no IPv6, so `::` means all IPv4 addresses.
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

/// Returns the stream of connections accepted by several listeners.
pub fn incoming(
    listeners: Vec<TcpListener>,
) -> impl Stream<Item = io::Result<(TcpStream, Peer)>> + Send {
    let accepting = listeners.into_iter().map(|listener| {
        Box::pin(stream::unfold(listener, |listener| async {
            let accepted = listener.accept().await.and_then(|(stream, address)| {
                // Nagle's algorithm would delay a small frame until the previous one is acknowledged.
                stream.set_nodelay(true)?;
                Ok((stream, Peer::Tcp(address)))
            });
            Some((accepted, listener))
        }))
    });
    stream::select_all(accepting).fuse()
}
