//! What a client signs in with.

use crate::chat::{DeviceSecret, Invite, Secret};

/// What proves an account to a server. It is only used to sign: nothing of it is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credentials {
    pub device: DeviceSecret,
    /// What the server calls this device, usually the name of the machine.
    pub device_name: String,
    /// The secret by which an earlier version was recognised, if this profile is that old.
    pub former: Option<Secret>,
    /// The invitation to make an account with, if the server does not know this device.
    pub invite: Option<Invite>,
}

impl Credentials {
    /// A device without a name, whose account has no past.
    pub fn new(device: DeviceSecret) -> Self {
        Self {
            device,
            device_name: String::new(),
            former: None,
            invite: None,
        }
    }
}
