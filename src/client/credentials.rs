//! What a client signs in with.

use crate::chat::{DeviceSecret, Invite, Secret};

/// What proves an account to a server. The device key and the former secret are only used to sign and are never sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    pub device: DeviceSecret,
    /// The name of this device in the account's list of devices, usually the name of the machine.
    pub device_name: String,
    /// The secret with which earlier versions signed in, if this profile was created by one.
    pub former: Option<Secret>,
    /// The invitation to create an account with, if the server does not know this device.
    pub invite: Option<Invite>,
}

impl Credentials {
    /// Creates credentials with only a device key.
    pub fn new(device: DeviceSecret) -> Self {
        Self {
            device,
            device_name: String::new(),
            former: None,
            invite: None,
        }
    }
}
