//! The calls about our own account: its devices, and its removal.

use tonic::transport::Channel;

use super::admin::SecretLink;
use crate::chat::{Device, SessionToken};
use crate::client::call_error::{CallError, Missing};
use crate::client::history::authorised;
use crate::wire::proto::chat_service_client::ChatServiceClient;
use crate::wire::{device_from, proto};

/// What to do with our own account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountRequest {
    ListDevices,
    /// Creates a link for one more device.
    AddDevice,
    /// Revokes the device with this id.
    RevokeDevice(String),
    Delete,
}

/// The server's answer to an [`AccountRequest`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountAnswer {
    Devices(Vec<Device>),
    /// The link to open on the other device.
    Added(SecretLink),
    Revoked(String),
    Deleted,
}

/// Makes one call.
///
/// # Errors
/// The server refused it, or the connection broke.
pub(super) async fn call(
    mut service: ChatServiceClient<Channel>,
    token: SessionToken,
    request: AccountRequest,
) -> Result<AccountAnswer, CallError> {
    Ok(match request {
        AccountRequest::ListDevices => {
            let message = authorised(proto::ListDevicesRequest {}, token)?;
            let devices = service.list_devices(message).await?.into_inner().devices;
            AccountAnswer::Devices(devices.into_iter().map(device_from).collect())
        }
        AccountRequest::AddDevice => {
            let message = authorised(proto::AddDeviceRequest {}, token)?;
            let link = service.add_device(message).await?.into_inner().link;
            AccountAnswer::Added(SecretLink(link))
        }
        AccountRequest::RevokeDevice(id) => {
            let message = authorised(proto::RevokeDeviceRequest { id: id.clone() }, token)?;
            let missing = Some(Missing::Device(id.clone()));
            let revoked = service.revoke_device(message).await;
            revoked.map_err(|status| CallError::about(&status, missing, ""))?;
            AccountAnswer::Revoked(id)
        }
        AccountRequest::Delete => {
            let message = authorised(proto::DeleteAccountRequest {}, token)?;
            service.delete_account(message).await?;
            AccountAnswer::Deleted
        }
    })
}
