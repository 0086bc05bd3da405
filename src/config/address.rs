//! The address of a server: a host name or an IP address of either family, and a port.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::DEFAULT_PORT;

/// The address of a server, written as `HOST`, `HOST:PORT`, `[::1]:PORT` or `::1`, or as a URL that people paste, like `tchat://HOST/`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AddressError {
    #[error("the host is missing; write HOST or HOST:PORT")]
    Host,
    #[error("the port '{0}' is not a number from 1 to 65535")]
    Port(String),
    #[error("write an IPv6 address with a port in brackets, like [::1]:50051")]
    Brackets,
    #[error("the scheme '{0}' is not supported; write HOST, HOST:PORT or a tchat:// link")]
    Scheme(String),
    #[error(
        "a server address cannot end with '{0}'; write HOST or HOST:PORT, and use --room for a room"
    )]
    Path(String),
    #[error(
        "a server address cannot contain a user name; write HOST or HOST:PORT, and use --name for '{0}'"
    )]
    Name(String),
}

/// Schemes that are accepted and change nothing.
const SCHEMES: [&str; 3] = ["tchat", "http", "grpc"];

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = host_and_port(authority(text.trim())?)?;
        Ok(Self {
            host: host.to_owned(),
            port: port.unwrap_or(DEFAULT_PORT),
        })
    }
}

/// Splits a text into the host and the port after it. An IPv6 address may be in brackets; the returned host has none, as name
/// resolution requires.
///
/// # Errors
/// The host is missing, the port is not a port, or an IPv6 address needs brackets.
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
            Some((_, port)) if port.contains(':') && is_like_v6(text) => {
                return Err(AddressError::Brackets);
            }
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    if host.is_empty() || host.contains(char::is_whitespace) || host.contains('/') {
        return Err(AddressError::Host);
    }
    let number = |port: &str| port.parse().ok().filter(|port| *port > 0);
    match port {
        Some(port) => {
            let port = number(port).ok_or_else(|| AddressError::Port(port.to_owned()))?;
            Ok((host, Some(port)))
        }
        None => Ok((host, None)),
    }
}

/// Returns the part of a URL that names the server, without the scheme before it and the slash after it.
fn authority(text: &str) -> Result<&str, AddressError> {
    let is_one = |all: &[&str], scheme: &str| all.iter().any(|it| it.eq_ignore_ascii_case(scheme));
    let rest = match text.split_once("://") {
        None => text,
        Some((scheme, rest)) if is_one(&SCHEMES, scheme) => rest,
        Some((scheme, _)) => return Err(AddressError::Scheme(scheme.to_owned())),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    if !matches!(behind, "" | "/") {
        // After a `#` there may be an invitation, which no error shows.
        let shown = behind.split_once('#').map(|(path, _)| format!("{path}#…"));
        let shown = shown.unwrap_or_else(|| behind.to_owned());
        return Err(AddressError::Path(shown));
    }
    match authority.rsplit_once('@') {
        Some((name, _)) => Err(AddressError::Name(name.to_owned())),
        None => Ok(authority),
    }
}

/// Whether a host is an IPv6 address, with or without the name of a network interface after `%`.
fn is_v6(host: &str) -> bool {
    let (address, zone) = host.split_once('%').unwrap_or((host, "-"));
    !zone.is_empty() && address.parse::<Ipv6Addr>().is_ok()
}

/// Whether an IPv6 address was probably meant: the text contains only characters of one.
fn is_like_v6(text: &str) -> bool {
    let is_of_one = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    text.chars().all(is_of_one)
}

/// Returns the canonical form of a host: names in lower case and without the dot at the end, IPv6 addresses in their short form.
fn canonical(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_lowercase(),
    }
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
    /// Whether it is `localhost` or a loopback address, so that it always means this machine.
    pub fn is_loopback(&self) -> bool {
        let host = canonical(&self.host);
        let ip = host.parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }

    /// Returns the form under which profiles are stored. All loopback addresses have the same form, because they mean the same server.
    pub fn profile_key(&self) -> String {
        let host = if self.is_loopback() {
            "localhost".to_owned()
        } else {
            canonical(&self.host)
        };
        Self {
            host,
            port: self.port,
        }
        .to_string()
    }

    /// Returns the form for a link, without the default port.
    pub fn short_for_link(&self) -> String {
        let all = self.to_string();
        match all.strip_suffix(&format!(":{DEFAULT_PORT}")) {
            Some(host) => host.to_owned(),
            None => all,
        }
    }

    /// Returns the form for the status line, without the default port.
    pub fn short_form(&self) -> String {
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
        let port = |text: &str| AddressError::Port(text.into());
        for (text, error) in [
            ("", AddressError::Host),
            (":50051", AddressError::Host),
            ("my host", AddressError::Host),
            ("host:0", port("0")),
            ("host:99999", port("99999")),
            ("host:", port("")),
            ("host:one:two", port("one:two")),
            ("fe80::1::2:80", AddressError::Brackets),
            ("[host]:1", AddressError::Brackets),
            ("[::1", AddressError::Brackets),
            ("[::1]1", AddressError::Brackets),
            ("[fe80::1%]", AddressError::Brackets),
            ("[]", AddressError::Brackets),
            ("[::1]50051", AddressError::Brackets),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_url_is_accepted_as_an_address() {
        for (text, plain) in [
            ("http://h:1", "h:1"),
            ("http://h:1/", "h:1"),
            ("h:1/", "h:1"),
            ("h/", "h"),
            ("tchat://h", "h"),
            ("tchat://h/", "h"),
            ("TCHAT://chat.example.org:7000/", "chat.example.org:7000"),
            ("grpc://10.0.0.1", "10.0.0.1"),
            ("http://[::1]:50052/", "[::1]:50052"),
            ("tchat://::1", "::1"),
            ("  http://h  ", "h"),
        ] {
            let url = text.parse::<Address>();
            assert_eq!(url, plain.parse(), "{text}");
            assert!(url.is_ok(), "{text}");
        }
    }

    #[test]
    fn an_unsupported_part_of_a_url_is_named() {
        for (text, word) in [
            ("https://h", "'https'"),
            ("HTTPS://h:443/", "'HTTPS'"),
            ("wss://h", "'wss'"),
            ("ftp://h", "'ftp'"),
            ("ssh://h:22", "'ssh'"),
            ("://h", "''"),
            ("http://h/general", "'/general'"),
            ("h:1/ws", "'/ws'"),
            // It may be an invitation.
            ("tchat://h/#abc.def", "'/#…'"),
            ("http://h?room=tech", "'?room=tech'"),
            ("ann@h", "'ann'"),
            ("tchat://ann:x@h:1/", "'ann:x'"),
        ] {
            let said = text.parse::<Address>().unwrap_err().to_string();
            assert!(said.contains(word), "{text}: {said}");
            assert!(said.contains("HOST:PORT"), "{text}: {said}");
            assert!(!said.contains("IPv6"), "{text}: {said}");
        }
    }

    #[test]
    fn an_address_keeps_its_network_interface() {
        for (text, port) in [("fe80::1%eth0", 50051), ("[fe80::1%eth0]:7000", 7000)] {
            let address: Address = text.parse().unwrap();
            assert_eq!(
                (address.host.as_str(), address.port),
                ("fe80::1%eth0", port)
            );
        }
    }

    #[test]
    fn a_server_is_one_server_however_it_is_written() {
        let key = |text: &str| text.parse::<Address>().unwrap().profile_key();
        assert_eq!(key("127.0.0.1"), key("localhost"));
        assert_eq!(key("[::1]:50051"), key("LOCALHOST"));
        assert_ne!(key("localhost:1"), key("localhost"));
        assert_eq!(key("Chat.Example.org."), key("chat.example.org"));
        assert_eq!(key("[2001:DB8:0::1]:7"), key("[2001:db8::1]:7"));
    }
}
