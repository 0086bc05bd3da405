//! How connections are protected: the server's side of TLS, and what a connection without it may do.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;

use crate::chat::Pin;

/// How connections are protected.
#[derive(Clone, Default, Debug)]
pub struct Encryption {
    /// The server's side of TLS. Without it, a TLS client is dropped.
    pub tls: Option<Arc<CurrentTls>>,
    /// Whether clients on other machines may sign in without encryption.
    pub clear_text: ClearText,
}

/// What a connection without encryption may do. On this machine it may do everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ClearText {
    /// From other machines only what older clients need: the bridges and the health service.
    #[default]
    Bridges,
    /// Everything, also from other machines.
    Everything,
}

/// The TLS configuration for new connections, which can be replaced while the server runs, and the pin of its key.
pub struct CurrentTls(RwLock<(Arc<ServerConfig>, Pin)>);

impl CurrentTls {
    pub fn new(config: Arc<ServerConfig>, pin: Pin) -> Self {
        Self(RwLock::new((config, pin)))
    }

    /// Uses another key from now on. Connections that are open stay open.
    pub fn replace(&self, config: Arc<ServerConfig>, pin: Pin) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *current = (config, pin);
    }

    /// Returns the configuration for one connection, and the pin that its client sees.
    pub(super) fn current(&self) -> (Arc<ServerConfig>, Pin) {
        let current = self.0.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }
}

impl fmt::Debug for CurrentTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, pin) = self.current();
        f.debug_tuple("CurrentTls").field(&pin).finish()
    }
}
