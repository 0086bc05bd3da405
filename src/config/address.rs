//! Where a server is: a name or an address of either family, and a port.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::DEFAULT_PORT;

/// `HOST`, `HOST:PORT`, `[::1]:PORT` or `::1`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    #[error("a host is missing; write HOST or HOST:PORT")]
    Host,
    #[error("the port is no number from 1 to 65535")]
    Port,
    #[error("write an IPv6 address with a port in brackets, like [::1]:50051")]
    Brackets,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = host_and_port(text)?;
        Ok(Self {
            host: host.to_owned(),
            port: port.unwrap_or(DEFAULT_PORT),
        })
    }
}

/// Splits a host, an IPv6 address in brackets or without, from the port behind it. The host comes without brackets, as it is looked up.
///
/// # Errors
/// Says what is missing or wrong.
pub fn host_and_port(text: &str) -> Result<(&str, Option<u16>), AddressError> {
    let text = text.trim();
    let (host, port) = if let Some(inside) = text.strip_prefix('[') {
        let (host, rest) = inside.split_once(']').ok_or(AddressError::Brackets)?;
        if !is_v6(host) {
            return Err(AddressError::Brackets);
        }
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(AddressError::Brackets),
        }
    } else if is_v6(text) {
        (text, None)
    } else {
        match text.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(AddressError::Brackets),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    if host.is_empty() || host.contains(char::is_whitespace) || host.contains('/') {
        return Err(AddressError::Host);
    }
    let number = |port: &str| port.parse().ok().filter(|port| *port > 0);
    match port {
        Some(port) => Ok((host, Some(number(port).ok_or(AddressError::Port)?))),
        None => Ok((host, None)),
    }
}

/// Whether it is an IPv6 address, with the name of a network interface behind `%` or without.
fn is_v6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "-"));
    !zone.is_empty() && address.parse::<Ipv6Addr>().is_ok()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Address {
    /// Whether it is this machine itself.
    pub fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// The form profiles are kept under: every way to write this machine is the same server.
    pub fn profile_key(&self) -> String {
        let host = if self.is_loopback() {
            "localhost".to_owned()
        } else {
            self.host.to_lowercase()
        };
        Self {
            host,
            port: self.port,
        }
        .to_string()
    }

    /// What the status line calls it: without the port everybody uses.
    pub fn short(&self) -> String {
        if self.port == DEFAULT_PORT {
            self.host.clone()
        } else {
            self.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_of_both_families_parse() {
        for (text, host, port) in [
            ("chat.example.org", "chat.example.org", 50051),
            ("chat.example.org:7000", "chat.example.org", 7000),
            ("10.0.0.1:1", "10.0.0.1", 1),
            ("[::1]:50052", "::1", 50052),
            ("[::1]", "::1", 50051),
            ("::1", "::1", 50051),
            ("[::]:8080", "::", 8080),
            (" [::] ", "::", 50051),
            ("[fe80::1%eth0]:7000", "fe80::1%eth0", 7000),
            ("fe80::1%2", "fe80::1%2", 50051),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Address {
                    host: host.into(),
                    port
                }),
                "{text}"
            );
        }
        for (text, error) in [
            ("", AddressError::Host),
            (":50051", AddressError::Host),
            ("http://x", AddressError::Port),
            ("host:0", AddressError::Port),
            ("host:99999", AddressError::Port),
            ("fe80::1::2:80", AddressError::Brackets),
            ("[host]:1", AddressError::Brackets),
            ("[::1", AddressError::Brackets),
            ("[::1]1", AddressError::Brackets),
            ("[fe80::1%]", AddressError::Brackets),
            ("[]", AddressError::Brackets),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }

    #[test]
    fn this_machine_is_one_server_however_it_is_written() {
        let key = |text: &str| text.parse::<Address>().unwrap().profile_key();
        assert_eq!(key("127.0.0.1"), key("localhost"));
        assert_eq!(key("[::1]:50051"), key("LOCALHOST"));
        assert_ne!(key("localhost:1"), key("localhost"));
    }
}
