//! The bridges that a server runs, and the addresses where their clients connect.

use serde::Deserialize;

use super::Address;
use super::values::{self, Listen};
use crate::chat::{self, Bridges, Networks};

/// `[bridges]` of the config file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, written as [bridges]")]
pub struct BridgesTable {
    #[serde(default, deserialize_with = "values::switch")]
    pub on: Option<bool>,
    /// The networks of other machines whose clients are served; private ones if absent.
    #[serde(default, deserialize_with = "values::networks")]
    pub from: Option<Networks>,
    #[serde(default)]
    pub user: BridgeTable,
    #[serde(default)]
    pub gochat: BridgeTable,
    #[serde(default)]
    pub chat: BridgeTable,
    #[serde(default)]
    pub service: BridgeTable,
    #[serde(default)]
    pub websocket: BridgeTable,
    #[serde(default)]
    pub trigger: BridgeTable,
}

impl BridgesTable {
    const fn bridge(&self, bridge: chat::Bridge) -> &BridgeTable {
        match bridge {
            chat::Bridge::User => &self.user,
            chat::Bridge::Gochat => &self.gochat,
            chat::Bridge::Chat => &self.chat,
            chat::Bridge::Service => &self.service,
            chat::Bridge::WebSocket => &self.websocket,
            chat::Bridge::Trigger => &self.trigger,
        }
    }
}

/// The settings of one bridge.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table like { on = false }")]
pub struct BridgeTable {
    /// If absent, the bridge is on whenever `[bridges]` is.
    #[serde(default, deserialize_with = "values::switch")]
    pub on: Option<bool>,
    /// Its addresses besides the main one: `PORT` or `HOST:PORT`.
    pub listen: Option<Vec<Listen>>,
}

/// The bridges to run, after validation.
#[derive(Clone, Debug, Default)]
pub struct BridgeConfig {
    pub served: Bridges,
    /// The addresses to listen on besides the main one.
    pub addresses: Vec<Address>,
    /// The networks of other machines whose clients are served.
    pub from: Networks,
}

/// Returns the bridges to run and their addresses, on `host` unless an address has its own. The flag overrides the file.
pub fn bridge_config(flag: Option<bool>, file: &BridgesTable, host: &str) -> BridgeConfig {
    if !flag.or(file.on).unwrap_or(false) {
        return BridgeConfig::default();
    }
    let served = chat::Bridge::ALL.into_iter();
    let served: Bridges = served
        .filter(|it| file.bridge(*it).on != Some(false))
        .collect();
    let mut addresses: Vec<Address> = Vec::new();
    for bridge in served.iter() {
        let usual = || bridge.ports().iter().copied().map(Listen::Port).collect();
        for listen in file.bridge(bridge).listen.clone().unwrap_or_else(usual) {
            let address = listen.on(host);
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    BridgeConfig {
        served,
        addresses,
        from: file.from.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bridges_are_switched_together_and_one_by_one() {
        let off = bridge_config(None, &BridgesTable::default(), "::1");
        assert_eq!(off.served, Bridges::default());
        let all = bridge_config(Some(true), &BridgesTable::default(), "::1");
        assert_eq!(all.served, Bridges::all());
        let ports: Vec<u16> = all.addresses.iter().map(|it| it.port).collect();
        assert_eq!(ports, [1234, 9000, 9011, 8010]);
        assert!(all.addresses.iter().all(|it| it.host == "::1"));

        let text = "on = true\nuser = { on = false }\ngochat = { listen = [7000, \"10.0.0.1:7001\"] }\nservice = { listen = [] }\ntrigger = { on = \"off\" }";
        let file: BridgesTable = toml::from_str(text).unwrap();
        let some = bridge_config(None, &file, "localhost");
        let is_served = |bridge| some.served.has(bridge);
        assert!(!is_served(chat::Bridge::User) && is_served(chat::Bridge::Gochat));
        assert!(!is_served(chat::Bridge::Trigger));
        let addresses: Vec<String> = some.addresses.iter().map(Address::to_string).collect();
        assert_eq!(
            addresses,
            ["localhost:7000", "10.0.0.1:7001", "localhost:9000"]
        );
        // The command line overrides the file, in both directions.
        let none = bridge_config(Some(false), &file, "localhost");
        assert_eq!(none.served, Bridges::default());
    }
}
