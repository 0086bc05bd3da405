//! IP networks: from which addresses the clients of older chat systems may connect.

use core::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::IpNet;

/// A list of IP networks. By default, those that are not routed on the internet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Networks(Vec<IpNet>);

/// Private (RFC 1918, RFC 4193), link-local, and shared by the customers of a carrier or a VPN (RFC 6598).
const PRIVATE: [&str; 7] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
    "fe80::/10",
];

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("'{0}' is not a network (write it like 10.0.0.0/8, or a single address)")]
pub struct NetworkError(String);

impl NetworkError {
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Networks {
    /// Parses networks and single addresses.
    ///
    /// # Errors
    /// One of the texts is neither.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, NetworkError> {
        let networks = texts.into_iter().map(|text| {
            let address = || IpAddr::from_str(text).ok().map(IpNet::from);
            let network = IpNet::from_str(text).ok().or_else(address);
            network.ok_or_else(|| NetworkError(text.to_owned()))
        });
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// Whether an address is in one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Returns the address under which limits are counted for a client with this address. A client with one IPv6 address usually has the whole /64.
pub fn address_group(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Default for Networks {
    fn default() -> Self {
        Self::parse(PRIVATE).expect("the list has only networks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(networks: &Networks, address: &str) -> bool {
        networks.contain(address.parse().unwrap())
    }

    #[test]
    fn private_networks_are_the_default() {
        let private = Networks::default();
        for inside in [
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "::ffff:192.168.1.1",
            "100.100.0.1",
            "fd12::1",
            "fe80::1",
        ] {
            assert!(has(&private, inside), "{inside}");
        }
        for outside in [
            "8.8.8.8",
            "172.32.0.1",
            "192.169.0.1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
        ] {
            assert!(!has(&private, outside), "{outside}");
        }
    }

    #[test]
    fn networks_and_single_addresses_are_parsed() {
        let some = Networks::parse(["192.0.2.0/24", "2001:db8::7", "0.0.0.0/0"]).unwrap();
        assert!(has(&some, "8.8.8.8") && has(&some, "2001:db8::7"));
        assert!(!has(&some, "2001:db8::8"));
        assert!(!has(&Networks::parse([]).unwrap(), "10.0.0.1"));
        for wrong in ["10.0.0.0/33", "office", "", "10.0.0/8"] {
            let error = Networks::parse([wrong]).unwrap_err();
            assert!(error.to_string().contains(&format!("'{wrong}'")), "{error}");
        }
    }
}
