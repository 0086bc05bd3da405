//! Which bridges a host serves, and where their clients look for it.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::Address;
use crate::server::bridge::Bridges;

/// `[bridges]` of the config file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    #[serde(default)]
    pub on: bool,
    #[serde(default)]
    pub user: Bridge,
    #[serde(default)]
    pub gochat: Bridge,
    #[serde(default)]
    pub chat: Bridge,
    #[serde(default)]
    pub service: Bridge,
    #[serde(default)]
    pub websocket: Bridge,
    #[serde(default)]
    pub trigger: Bridge,
}

/// One of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    /// On with all the others if absent.
    pub on: Option<bool>,
    /// Where it is served besides the main address: `PORT` or `HOST:PORT`.
    pub listen: Option<Vec<String>>,
}

/// Bridges, checked.
#[derive(Clone, Debug, Default)]
pub struct Bridging {
    pub served: Bridges,
    /// Listened on besides the main address.
    pub addresses: Vec<Address>,
}

/// What is served where, on `host` unless an address says otherwise.
///
/// # Errors
/// Names the address that cannot be used.
pub fn bridging(flag: bool, file: &File, host: &str) -> Result<Bridging> {
    if !flag && !file.on {
        return Ok(Bridging::default());
    }
    let mut addresses: Vec<Address> = Vec::new();
    let mut switch = |name: &str, bridge: &Bridge, ports: &[u16]| -> Result<bool> {
        if bridge.on == Some(false) {
            return Ok(false);
        }
        let listen = match &bridge.listen {
            Some(listen) => listen
                .iter()
                .map(|text| {
                    address(text, host)
                        .with_context(|| format!("cannot use '{text}' of [bridges] {name}"))
                })
                .collect::<Result<Vec<_>>>()?,
            None => ports.iter().map(|port| at(host, *port)).collect(),
        };
        for address in listen {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(true)
    };
    let served = Bridges {
        user: switch("user", &file.user, &[])?,
        gochat: switch("gochat", &file.gochat, &[1234])?,
        chat: switch("chat", &file.chat, &[])?,
        service: switch("service", &file.service, &[9000, 9011])?,
        websocket: switch("websocket", &file.websocket, &[9000])?,
        trigger: switch("trigger", &file.trigger, &[8010])?,
    };
    Ok(Bridging { served, addresses })
}

fn at(host: &str, port: u16) -> Address {
    Address {
        host: host.to_owned(),
        port,
    }
}

fn address(text: &str, host: &str) -> Result<Address> {
    match text.parse() {
        Ok(0) | Err(_) => Ok(text.parse()?),
        Ok(port) => Ok(at(host, port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_on_together_and_each_can_be_switched_and_moved() {
        let off = bridging(false, &File::default(), "::1").unwrap();
        assert_eq!(off.served, Bridges::default());
        let all = bridging(true, &File::default(), "::1").unwrap();
        assert_eq!(all.served, Bridges::ALL);
        let ports: Vec<u16> = all.addresses.iter().map(|it| it.port).collect();
        assert_eq!(ports, [1234, 9000, 9011, 8010]);
        assert!(all.addresses.iter().all(|it| it.host == "::1"));

        let text = "on = true\nuser = { on = false }\ngochat = { listen = [\"7000\", \"10.0.0.1:7001\"] }\nservice = { listen = [] }\ntrigger = { on = false }";
        let some = bridging(false, &toml::from_str(text).unwrap(), "localhost").unwrap();
        assert!(!some.served.user && some.served.gochat && !some.served.trigger);
        let addresses: Vec<String> = some.addresses.iter().map(Address::to_string).collect();
        assert_eq!(
            addresses,
            ["localhost:7000", "10.0.0.1:7001", "localhost:9000"]
        );
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        let file = toml::from_str("on = true\nchat = { listen = [\"here:many\"] }").unwrap();
        let error = bridging(false, &file, "localhost").unwrap_err();
        assert!(format!("{error:#}").starts_with("cannot use 'here:many' of [bridges] chat: "));
    }
}
