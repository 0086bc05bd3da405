//! The results of admitting a client: an admitted person, or an error.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::guest::Guest;
use crate::chat::{Author, Refusal, RefusalCode, ServerRole, SessionId, SessionToken, Via};
use crate::server::store::{DeviceRecord, FULL_RETRY, StoreError};
use crate::wire::GoodbyeReason;

/// What a person may do on the whole server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Rights {
    pub role: ServerRole,
    /// Whether they own the preset rooms.
    pub owns_rooms: bool,
}

/// An admitted person and their session.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub session: SessionId,
    pub author: Author,
    /// The token for their unary calls; `None` for a guest.
    pub token: Option<SessionToken>,
    /// How the server ends the session, if it does.
    pub end: SessionEnd,
    /// The devices that were added to the account since this one was last connected.
    pub added: Vec<DeviceRecord>,
    /// Whether they are a guest, or have an account that was registered openly.
    pub is_stranger: bool,
    /// `None` for clients that use tchat's own protocol.
    pub guest: Option<Arc<Guest>>,
}

impl Admitted {
    pub fn via(&self) -> Via {
        self.guest.as_ref().map_or(Via::Tchat, |guest| guest.via)
    }
}

/// Ends a session from outside, and says why.
#[derive(Clone, Debug, Default)]
pub struct SessionEnd {
    token: CancellationToken,
    reason: Arc<OnceLock<GoodbyeReason>>,
}

impl SessionEnd {
    /// Ends the session. Only the first reason counts.
    pub fn cancel(&self, reason: GoodbyeReason) {
        let _first = self.reason.set(reason);
        self.token.cancel();
    }

    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// Returns why the session was ended.
    pub fn reason(&self) -> GoodbyeReason {
        let reason = self.reason.get().copied();
        reason.unwrap_or(GoodbyeReason::Revoked)
    }
}

/// A refusal to send to the client, or a failure of the store.
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
