//! Unary calls: the session token of the caller, and the status of a call that failed.

use tonic::Status;
use tonic::metadata::MetadataMap;

use crate::chat::{RefusalCode, SessionToken};
use crate::server::hub::{AdminFailure, Hub};
use crate::server::store::StoreError;

/// Returns the status for an action that failed. Stops the server if its store failed.
pub(super) fn status_of(hub: &Hub, failure: AdminFailure) -> Status {
    match failure {
        AdminFailure::TooMany => Status::resource_exhausted("the limit is reached"),
        AdminFailure::Unknown => Status::not_found("nothing has this name or id"),
        AdminFailure::NotAllowed => Status::permission_denied("this needs a higher role"),
        AdminFailure::LastOwner => {
            Status::failed_precondition("the server would be left without an owner")
        }
        AdminFailure::Refused => Status::failed_precondition("the room does not allow it"),
        AdminFailure::Name(refusal) => match refusal.code {
            RefusalCode::NameTaken | RefusalCode::NameReserved => {
                Status::already_exists("the name is taken or reserved")
            }
            RefusalCode::StorageFull => Status::unavailable("the server's disk is full"),
            _ => Status::invalid_argument("the name is not allowed"),
        },
        AdminFailure::Store(StoreError::Full) => Status::unavailable("the server's disk is full"),
        AdminFailure::Store(StoreError::Conflict) => {
            Status::aborted("it was changed at the same time by somebody else")
        }
        AdminFailure::Store(error) => {
            hub.fatal.raise(&error);
            Status::internal("the server's store failed")
        }
    }
}

/// Runs an action to completion, even if the caller disconnects in the meantime: hyper drops the future of a cancelled
/// call.
pub(super) async fn carry_out<T: Send + 'static>(
    hub: &Hub,
    act: impl Future<Output = Result<T, AdminFailure>> + Send + 'static,
) -> Result<T, Status> {
    match tokio::spawn(act).await {
        Ok(done) => done.map_err(|failure| status_of(hub, failure)),
        Err(_) => Err(Status::internal("the server could not complete the call")),
    }
}

/// Returns the session token in the metadata of a call.
pub(super) fn token_of(metadata: &MetadataMap) -> Option<SessionToken> {
    let value = metadata.get("authorization")?.to_str().ok()?;
    token_from_hex(value.strip_prefix("Bearer ")?)
}

fn token_from_hex(text: &str) -> Option<SessionToken> {
    SessionToken::from_slice(&hex::decode(text).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_64_hex_digits() {
        assert_eq!(
            token_from_hex(&"0f".repeat(32)),
            Some(SessionToken::new([15; 32]))
        );
        assert_eq!(token_from_hex(&"0f".repeat(31)), None);
        assert_eq!(token_from_hex(&"é".repeat(32)), None);
    }
}
