//! The state of the server and its limits, for administrators.

use super::Hub;
use crate::chat::{Charged, Limit, LimitInfo, Registration, ServerStatus};

impl Hub {
    pub fn status_of_server(&self) -> ServerStatus {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let rooms = self.rooms.directory.rooms().len();
        let state = self.lock();
        ServerStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_ms: self.started_ms,
            sessions: count(self.sessions()),
            connected: count(state.people.len()),
            accounts: count(state.accounts.len()),
            rooms: count(rooms),
            registration: match self.registration {
                Registration::Open => "open",
                Registration::Invite => "invite",
                Registration::Closed => "closed",
            }
            .to_owned(),
            bans: count(state.bans.len()),
            damages: self.metrics.damaged(),
        }
    }

    pub fn limits_of_server(&self) -> Vec<LimitInfo> {
        let rows = Limit::TABLE.iter();
        rows.map(|row| LimitInfo {
            name: row.name.to_owned(),
            value: self.quotas.get(row.limit).unwrap_or_default(),
            default: row.default,
            charged: Charged::word(row.charged).to_owned(),
            unit: row.unit.to_owned(),
            protects: row.protects.to_owned(),
        })
        .collect()
    }
}
