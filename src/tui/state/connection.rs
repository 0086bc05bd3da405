//! The connection to the server, as the screen shows it.

use std::time::{Duration, Instant};

use crate::chat::Limits;
use crate::client::{LinkState, Protection};

#[derive(Clone, Debug)]
pub struct ConnectionState {
    /// The server's address as the status line shows it.
    pub server: String,
    /// Whether a background server of ours runs there.
    pub is_hosting: bool,
    pub link: LinkState,
    pub protection: Protection,
    /// When the link last changed; countdowns start from here.
    pub since: Instant,
    pub limits: Limits,
}

impl ConnectionState {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            server: String::new(),
            is_hosting: false,
            link: LinkState::Connecting,
            protection: Protection::default(),
            since: now,
            limits: Limits::default(),
        }
    }

    /// How long until the next connection attempt, if the link waits for one.
    pub fn retry_in(&self, now: Instant) -> Option<Duration> {
        match &self.link {
            LinkState::Waiting { retry_in, .. } => {
                let passed = now.saturating_duration_since(self.since);
                Some(retry_in.saturating_sub(passed))
            }
            _ => None,
        }
    }
}
