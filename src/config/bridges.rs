//! Which bridges a server has switched on, and where they listen.

use serde::Deserialize;

use super::Address;
use super::values::{self, Listen};
use crate::chat::{self, Bridges};

/// `[bridges]` of the config file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, written as [bridges]")]
pub struct File {
    #[serde(default, deserialize_with = "values::switch")]
    pub on: Option<bool>,
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

impl File {
    const fn of(&self, bridge: chat::Bridge) -> &Bridge {
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

/// One of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table like { on = false }")]
pub struct Bridge {
    /// On with all the others if absent.
    #[serde(default, deserialize_with = "values::switch")]
    pub on: Option<bool>,
    /// Where it is served besides the main address: `PORT` or `HOST:PORT`.
    pub listen: Option<Vec<Listen>>,
}

/// Bridges, checked.
#[derive(Clone, Debug, Default)]
pub struct Bridging {
    pub served: Bridges,
    /// Listened on besides the main address.
    pub addresses: Vec<Address>,
}

/// What is served where, on `host` unless an address says otherwise. A flag goes before the file.
pub fn bridging(flag: Option<bool>, file: &File, host: &str) -> Bridging {
    if !flag.or(file.on).unwrap_or(false) {
        return Bridging::default();
    }
    let served = chat::Bridge::ALL.into_iter();
    let served: Bridges = served.filter(|it| file.of(*it).on != Some(false)).collect();
    let mut addresses: Vec<Address> = Vec::new();
    for bridge in served.iter() {
        let usual = || bridge.ports().iter().copied().map(Listen::Port).collect();
        for listen in file.of(bridge).listen.clone().unwrap_or_else(usual) {
            let address = listen.on(host);
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    Bridging { served, addresses }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_on_together_and_each_can_be_switched_and_moved() {
        let off = bridging(None, &File::default(), "::1");
        assert_eq!(off.served, Bridges::default());
        let all = bridging(Some(true), &File::default(), "::1");
        assert_eq!(all.served, Bridges::all());
        let ports: Vec<u16> = all.addresses.iter().map(|it| it.port).collect();
        assert_eq!(ports, [1234, 9000, 9011, 8010]);
        assert!(all.addresses.iter().all(|it| it.host == "::1"));

        let text = "on = true\nuser = { on = false }\ngochat = { listen = [7000, \"10.0.0.1:7001\"] }\nservice = { listen = [] }\ntrigger = { on = \"off\" }";
        let file: File = toml::from_str(text).unwrap();
        let some = bridging(None, &file, "localhost");
        let is_served = |bridge| some.served.has(bridge);
        assert!(!is_served(chat::Bridge::User) && is_served(chat::Bridge::Gochat));
        assert!(!is_served(chat::Bridge::Trigger));
        let addresses: Vec<String> = some.addresses.iter().map(Address::to_string).collect();
        assert_eq!(
            addresses,
            ["localhost:7000", "10.0.0.1:7001", "localhost:9000"]
        );
        // What the command line says goes before the file, in both directions.
        let none = bridging(Some(false), &file, "localhost");
        assert_eq!(none.served, Bridges::default());
    }
}
