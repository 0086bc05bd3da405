//! Bans from a server: of accounts, and of the addresses from which strangers come. Also bans and mutes in a room.

use core::net::IpAddr;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::{Author, IdentityId, NetworkError, Until};

/// What is banned.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BanTarget {
    /// An account, with all its devices.
    Account(IdentityId),
    /// New accounts without an invitation, and guests of bridges, from these addresses.
    Network(Network),
}

/// The addresses of a network, in its canonical form: `10.0.0.0/8`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Network(IpNet);

impl Network {
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError::new(text);
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address.to_canonical()),
            Err(_) => text.parse::<IpNet>().map_err(|_| wrong())?,
        };
        Ok(Self(network.trunc()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One address is shown as people write it.
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

/// A ban as administrators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BanInfo {
    /// The present name of the account, or the network.
    pub target: String,
    /// How long it still lasts; `None`: until it is lifted.
    pub remaining: Option<Duration>,
    /// When it was made, in Unix milliseconds.
    pub at_ms: u64,
    /// The name of the administrator; empty: the user who runs the server.
    pub by: String,
    pub reason: String,
}

/// A ban or a mute in a room, as its moderators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sanction {
    pub person: Author,
    pub kind: SanctionKind,
    /// When it ends, by the wall clock.
    pub until: Until,
    /// Who made it, and when, in Unix milliseconds; empty and 0 if the room's history no longer says.
    pub by: String,
    pub at_ms: u64,
    /// Why; empty for a mute.
    pub reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SanctionKind {
    /// The person may not join.
    Ban,
    /// The person may not write.
    Mute,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_in_one_way() {
        for (written, canonical) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8::1/64", "2001:db8::/64"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            let network: Network = written.parse().unwrap();
            assert_eq!(network.to_string(), canonical, "{written}");
            assert_eq!(canonical.parse(), Ok(network));
        }
        for wrong in ["", "ann", "192.0.2", "192.0.2.0/33"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        let network: Network = "10.0.0.0/8".parse().unwrap();
        assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!network.contains("11.1.2.3".parse().unwrap()));
    }
}
