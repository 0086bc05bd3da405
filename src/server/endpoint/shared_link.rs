//! The link to this server. It changes with the server's key.

use std::sync::{Arc, PoisonError, RwLock};

/// A link without an invitation, which can be replaced while the server runs.
#[derive(Clone, Default, Debug)]
pub struct SharedLink(Arc<RwLock<String>>);

impl SharedLink {
    pub fn new(link: String) -> Self {
        Self(Arc::new(RwLock::new(link)))
    }

    pub fn replace(&self, link: String) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = link;
    }

    pub fn get(&self) -> String {
        let link = self.0.read().unwrap_or_else(PoisonError::into_inner);
        link.clone()
    }
}
