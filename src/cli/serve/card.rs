//! The card that a server prints when it has started: where it is, how to join it, and its key.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use super::Listeners;
use crate::chat::{Invite, InviteTerms, Pin};
use crate::cli::machine;
use crate::config::{Address, Serve, ServerLink, host_and_port};

/// The maximum number of addresses in a link.
const LINK_ADDRESSES: usize = 3;

/// How clients recognise a server.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub pin: Pin,
    /// Whether its certificate is publicly valid for its public name.
    pub is_public: bool,
}

/// How new people get in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Newcomers {
    Open,
    /// With this invitation.
    Invited(Invite),
    /// With an invitation that was made before, or is yet to be made.
    NeedInvite {
        /// How many people links that were sent earlier still let in, if that was looked up.
        uses_left: u32,
    },
    /// They cannot join: registration is closed.
    Refused,
}

/// Prints how to join, in a form to paste to others.
#[allow(clippy::print_stdout)] // The card is the output of the command.
pub(super) fn print(
    serve: &Serve,
    listeners: &Listeners,
    data: &Path,
    join: &str,
    (link, newcomers): (&str, Newcomers),
    key: Key,
) {
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
    if is_local && newcomers == Newcomers::Open {
        println!("  join     tchat --server {join}");
        println!("  others   cannot reach this address; use --host :: to let them join");
    } else {
        // Clients may reach a public name through a tunnel or a proxy.
        print_link(link, newcomers);
    }
    println!("  key      {}", key.pin.groups());
    for address in &listeners.bridges {
        println!("  bridges  {address}");
    }
    for error in &listeners.failed {
        println!("  warning  {error}; clients of older chat systems can use the other addresses");
    }
    if serve.is_insecure && !is_local {
        println!(
            "  warning  --insecure: messages of clients that do not use encryption can be read in transit"
        );
    }
}

/// Prints how others join.
#[allow(clippy::print_stdout)] // A part of the card.
fn print_link(link: &str, newcomers: Newcomers) {
    match newcomers {
        Newcomers::Open => println!("  join     tchat '{link}'"),
        Newcomers::Invited(invite) => {
            let InviteTerms { uses, valid, .. } = InviteTerms::TEAM;
            let days = valid.as_secs() / (24 * 60 * 60);
            println!("  link     '{}'", invite.added_to(link));
            println!("  join     send this link to your team; they run `tchat join` and paste it");
            println!(
                "  invite   up to {uses} people can join with it within {days} days; `tchat admin invite` creates more"
            );
        }
        Newcomers::NeedInvite { uses_left } => {
            println!("  join     tchat '{link}'");
            println!("           (for people who have an account; others need an invitation)");
            if uses_left > 0 {
                println!(
                    "  invite   links that you sent earlier still let in {uses_left} new people; `tchat admin invite` creates another"
                );
            } else {
                println!("  invite   `tchat admin invite` creates a link for new people");
            }
        }
        Newcomers::Refused => {
            println!("  join     tchat '{link}'");
            println!("  invite   registration is closed: only people with an account can join");
        }
    }
}

/// Returns the link to send to others: with the public names of the server, or else the addresses at which others reach this machine.
pub(super) fn link(serve: &Serve, main: &[SocketAddr], join: &str, key: Key) -> String {
    let port = main.first().map_or(serve.port, SocketAddr::port);
    let named = serve.public.iter().filter_map(|name| {
        let (host, port_of_name) = host_and_port(name).ok()?;
        Some(Address {
            host: host.to_owned(),
            port: port_of_name.unwrap_or(port),
        })
    });
    let addressed = reachable(main).into_iter().map(|ip| Address {
        host: ip.to_string(),
        port,
    });
    let mut servers: Vec<Address> = if serve.public.is_empty() {
        addressed.take(LINK_ADDRESSES).collect()
    } else {
        named.take(LINK_ADDRESSES).collect()
    };
    if servers.is_empty() {
        servers.extend(join.parse::<Address>().ok());
    }
    let mut servers = servers.into_iter();
    let Some(server) = servers.next() else {
        return String::new();
    };
    if key.is_public {
        // The certificate may be renewed with another key, so the pin would not last. Without a pin, a link has one host.
        return ServerLink::from(server).to_string();
    }
    ServerLink {
        server,
        others: servers.collect(),
        pin: Some(key.pin),
        invite: None,
    }
    .to_string()
}

/// Returns the addresses of a server that others can reach. For a listener on every address, these are the ones that other networks
/// can reach.
fn reachable(main: &[SocketAddr]) -> Vec<IpAddr> {
    let mut all = Vec::new();
    for address in main {
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => all.extend(own_addresses(&[V4])),
            // A listener on `::` also accepts IPv4.
            IpAddr::V6(ip) if ip.is_unspecified() => all.extend(own_addresses(&[V4, V6])),
            ip => all.push(ip),
        }
    }
    all.retain(|ip| !ip.is_loopback() && !ip.is_unspecified());
    let mut seen = HashSet::new();
    all.retain(|ip| seen.insert(*ip));
    all
}

/// Returns the addresses from which this machine would send to other networks. Without a route to other networks, for
/// example on an air-gapped network, these are the addresses of its interfaces.
fn own_addresses(families: &[Probe]) -> Vec<IpAddr> {
    let routed: Vec<IpAddr> = families.iter().filter_map(|it| own_address(*it)).collect();
    if !routed.is_empty() {
        return routed;
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let addresses = interfaces.into_iter().map(|interface| interface.ip());
    let is_usable = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_link_local(),
        // A link-local address means nothing without the interface that it belongs to.
        IpAddr::V6(ip) => !ip.is_unicast_link_local() && families.contains(&V6),
    };
    addresses.filter(is_usable).collect()
}

/// The wildcard address of a family, and an address reserved for documentation (RFC 5737, RFC 3849), which belongs to no machine.
type Probe = (&'static str, &'static str);
const V4: Probe = ("0.0.0.0:0", "192.0.2.1:9");
const V6: Probe = ("[::]:0", "[2001:db8::1]:9");

/// Returns the address from which this machine would send to another network. Nothing is sent.
fn own_address((any, other): Probe) -> Option<IpAddr> {
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(other).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// Returns what others pass to `--server`: this machine's name if the server listens on every address.
pub(super) fn join_address(addresses: &[SocketAddr]) -> String {
    let Some(address) = addresses.first() else {
        return "localhost".into();
    };
    let is_everywhere = matches!(address.ip(), ip if ip.is_unspecified());
    let host = if is_everywhere {
        machine::name().unwrap_or_else(|| "THIS-HOST".into())
    } else {
        match address.ip() {
            // Other loopback addresses, such as 127.0.0.2, are not what `localhost` means.
            IpAddr::V4(Ipv4Addr::LOCALHOST) | IpAddr::V6(Ipv6Addr::LOCALHOST) => "localhost".into(),
            ip => ip.to_string(),
        }
    };
    let target = Address {
        host,
        port: address.port(),
    };
    target.short_form()
}
