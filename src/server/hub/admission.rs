//! What comes of letting somebody in.

use std::sync::Arc;

use super::guest::Guest;
use crate::chat::{Author, Refusal, RefusalCode, Role, SessionId, Via};
use crate::server::store::{FULL_RETRY, StoreError};

/// Somebody who was let in.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub session: SessionId,
    pub author: Author,
    /// What they become in a preset room.
    pub role: Role,
    /// Absent for whoever comes by tchat's own protocol.
    pub guest: Option<Arc<Guest>>,
}

impl Admitted {
    pub fn via(&self) -> Via {
        self.guest.as_ref().map_or(Via::Tchat, |guest| guest.via)
    }
}

/// A refusal for the one who asked, or a failure of the server.
#[derive(Debug)]
pub enum AdmitError {
    Refused(Refusal),
    Store(StoreError),
}

impl From<Refusal> for AdmitError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for AdmitError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => {
                Self::Refused(Refusal::new(RefusalCode::StorageFull).retry_after(FULL_RETRY))
            }
            error => Self::Store(error),
        }
    }
}
