//! The card that a server prints when it has started: where it is, how to join it, and its key.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::Listeners;
use crate::chat::Pin;
use crate::config::{Address, Serve, ServerLink};

/// The most addresses in a link.
const LINK_ADDRESSES: usize = 3;

/// Prints how to join, in a form to paste to others.
#[allow(clippy::print_stdout)] // The card is the output of the command.
pub(super) fn print(serve: &Serve, listeners: &Listeners, data: &Path, join: &str, pin: Pin) {
    let is_local = listeners.is_local();
    println!("tchat server is running");
    for address in &listeners.main {
        println!("  address  {address}");
    }
    let rooms: Vec<String> = serve
        .presets
        .iter()
        .map(|room| format!("#{}", room.name))
        .collect();
    println!("  rooms    {}", rooms.join(" "));
    println!("  data     {}", data.display());
    if is_local {
        println!("  join     tchat --server {join}");
        println!("  others   cannot reach this address; use --host :: to let them join");
    } else {
        println!("  join     tchat '{}'", link(serve, join, pin));
    }
    println!("  key      {}", pin.groups());
    for address in &listeners.bridges {
        println!("  bridges  {address}");
    }
    for error in &listeners.failed {
        println!("  warning  {error}; old clients are served on the other addresses");
    }
    if serve.is_insecure && !is_local {
        println!(
            "  warning  --insecure: messages of clients that do not encrypt can be read in transit"
        );
    }
}

/// Returns the link to send to others: with the public names of the server, or else the name of this machine.
fn link(serve: &Serve, join_address: &str, pin: Pin) -> String {
    let named = serve.public.iter().map(String::as_str);
    let mut servers = named
        .chain([join_address])
        .filter_map(|host| host.parse::<Address>().ok())
        .take(LINK_ADDRESSES);
    let server = servers.next().unwrap_or_else(|| Address {
        host: join_address.to_owned(),
        port: serve.port,
    });
    let others = servers.collect();
    let pin = Some(pin);
    ServerLink {
        server,
        others,
        pin,
    }
    .to_string()
}

/// Returns what others pass to `--server`: this machine's name if the server listens on every address.
pub(super) fn join_address(addresses: &[SocketAddr]) -> String {
    let Some(address) = addresses.first() else {
        return "localhost".into();
    };
    let is_everywhere = matches!(address.ip(), ip if ip.is_unspecified());
    let host = if is_everywhere {
        own_name().unwrap_or_else(|| "THIS-HOST".into())
    } else {
        match address.ip() {
            IpAddr::V6(ip) if !ip.is_loopback() => ip.to_string(),
            ip if ip.is_loopback() => "localhost".into(),
            ip => ip.to_string(),
        }
    };
    let target = Address {
        host,
        port: address.port(),
    };
    target.short()
}

#[cfg(unix)]
pub(super) fn own_name() -> Option<String> {
    rustix::system::uname()
        .nodename()
        .to_str()
        .ok()
        .map(str::to_owned)
        .filter(|name| !name.is_empty())
}

#[cfg(not(unix))]
pub(super) fn own_name() -> Option<String> {
    None
}
