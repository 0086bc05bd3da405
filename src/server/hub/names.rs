//! Names in use: whose they are, and how long they are held.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::chat::{IdentityId, NameError, NameKey, Refusal, RefusalCode, UserName};

/// Names in use and whose they are.
#[derive(Debug, Default)]
pub(super) struct Names {
    holders: HashMap<NameKey, Holder>,
}

#[derive(Debug)]
struct Holder {
    identity: IdentityId,
    /// Absent while present.
    until: Option<Instant>,
}

impl Names {
    /// Gives a name to an identity unless it is somebody else's.
    pub(super) fn claim(&mut self, key: NameKey, identity: IdentityId, now: Instant) -> bool {
        if self
            .holder(&key, now)
            .is_some_and(|holder| holder != identity)
        {
            return false;
        }
        self.holders.insert(
            key,
            Holder {
                identity,
                until: None,
            },
        );
        true
    }

    /// Whose name it is now, those included who may be back in a moment.
    pub(super) fn holder(&self, key: &NameKey, now: Instant) -> Option<IdentityId> {
        let holder = self.holders.get(key)?;
        holder
            .until
            .is_none_or(|until| now < until)
            .then_some(holder.identity)
    }

    pub(super) fn hold(&mut self, key: NameKey, identity: IdentityId, until: Instant) {
        self.holders.insert(
            key,
            Holder {
                identity,
                until: Some(until),
            },
        );
        let now = Instant::now();
        self.holders
            .retain(|_, holder| holder.until.is_none_or(|until| now < until));
    }

    pub(super) fn release(&mut self, key: &NameKey, identity: IdentityId) {
        if self
            .holders
            .get(key)
            .is_some_and(|holder| holder.identity == identity)
        {
            self.holders.remove(key);
        }
    }
}

/// A name that may be borne, or the refusal that says what is wrong with it.
pub(super) fn valid(name: &str) -> Result<UserName, Refusal> {
    UserName::new(name).map_err(|error| match error {
        NameError::Reserved => Refusal::new(RefusalCode::NameReserved).with(name),
        NameError::Empty => Refusal::new(RefusalCode::NameInvalid)
            .with(name)
            .with("empty"),
        NameError::TooLong { .. } => Refusal::new(RefusalCode::NameInvalid)
            .with(name)
            .with("length"),
        NameError::Character(_) | NameError::Mixed => Refusal::new(RefusalCode::NameInvalid)
            .with(name)
            .with("character"),
    })
}
