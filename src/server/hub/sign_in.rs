//! Signing in: finds the account of a device, or makes one, and starts a session.
//!
//! The session has already checked that the client has the device's key. Two locks are taken, always in this order: that of the device, so
//! that one device makes one account, and that of the person.

use std::sync::Arc;

use super::admission::{AdmitError, Admitted, Rights};
use super::names::parse_name;
use super::{Hub, now_ms, random_bytes};
use crate::chat::{
    Author, Challenge, DeviceKey, FormerProof, IdentityId, Invite, InviteHash, Refusal,
    RefusalCode, Registration, SessionId, SessionToken, Transport, Via,
};
use crate::server::outbox::Outbox;
use crate::server::store::{DeviceRecord, IdentityRecord, StoreError};

/// A device whose client has signed the challenge of its connection.
#[derive(Clone, Debug)]
pub struct ProvenDevice {
    pub key: DeviceKey,
    /// What the person calls the device.
    pub name: String,
    /// What the client says about its account's former secret, for the challenge that it signed.
    pub former: Option<(FormerProof, Challenge)>,
    /// The invitation to make an account with.
    pub invite: Option<Invite>,
    /// How it reaches the server.
    pub transport: Transport,
}

/// The account of a device.
struct Found {
    account: IdentityRecord,
    /// Whether the device has been added to it.
    has_device: bool,
}

impl Hub {
    /// Admits a person: finds the account of the device, or creates one with the requested name. Starts a session.
    ///
    /// # Errors
    /// The name is invalid, taken or reserved; new people are not accepted, or not without a valid invitation; or the store failed.
    pub async fn admit(
        &self,
        device: &ProvenDevice,
        asked: &str,
        outbox: &Arc<Outbox>,
    ) -> Result<Admitted, AdmitError> {
        let _device_lock = self.device_locks.lock(device.key).await;
        let known = self.account_of(device).await?.map(|found| found.account.id);
        let id = known.unwrap_or_else(|| IdentityId::new(random_bytes()));
        let _person_lock = self.person_locks.lock(id).await;
        // Read again under the lock, because another session of theirs may just have renamed them.
        let found = self.account_of(device).await?;
        let account = match found.filter(|found| found.account.id == id) {
            Some(found) => self.let_in(device, found, asked).await?,
            None if known.is_none() => self.register(device, id, asked).await?,
            // Another device has just taken over the account with the same former secret.
            None => {
                let unproven = Refusal::new(RefusalCode::Unauthenticated).with("signature");
                return Err(unproven.into());
            }
        };
        let (session, token) = (
            SessionId::new(random_bytes()),
            SessionToken::new(random_bytes()),
        );
        let is_host = self.owner == Some(device.key);
        // An operator's name gives no right to administer: its first user may be anybody.
        let rights = Rights {
            is_host,
            owns_rooms: is_host || self.operators.has(&account.name),
        };
        let status = self.store.personal(id).await?.status;
        self.add_session((session, Some(token)), &account, rights, status, outbox)?;
        Ok(Admitted {
            session,
            author: Author {
                id,
                name: account.name.to_string(),
            },
            token: Some(token),
            guest: None,
        })
    }

    /// Lets a known person in, and adds the device to their account if it is new there.
    async fn let_in(
        &self,
        device: &ProvenDevice,
        found: Found,
        asked: &str,
    ) -> Result<IdentityRecord, AdmitError> {
        let account = self.readmit(found.account, asked).await?;
        if !found.has_device {
            self.add_device(&account, device, None).await?;
        }
        Ok(account)
    }

    /// Makes an account with this device.
    async fn register(
        &self,
        device: &ProvenDevice,
        id: IdentityId,
        asked: &str,
    ) -> Result<IdentityRecord, AdmitError> {
        let invite = self.check_registration(device).await?;
        let name = parse_name(asked)?;
        self.claim(&name, id).await?;
        let account = IdentityRecord {
            id,
            name,
            via: Via::Tchat,
        };
        let Err(error) = self.add_device(&account, device, invite).await else {
            return Ok(account);
        };
        self.lock().names.release(&account.name, id);
        Err(match error {
            // Somebody else has just taken its last use.
            StoreError::Conflict if invite.is_some() => {
                Refusal::new(RefusalCode::InviteInvalid).into()
            }
            error => error.into(),
        })
    }

    /// Returns the account that a device belongs to, or that its client has proven with the secret of an earlier version.
    async fn account_of(&self, device: &ProvenDevice) -> Result<Option<Found>, AdmitError> {
        if let Some(account) = self.store.identity_by_device(device.key).await? {
            return Ok(Some(Found {
                account,
                has_device: true,
            }));
        }
        let Some((proof, challenge)) = &device.former else {
            return Ok(None);
        };
        let former = self.store.identity_by_former_secret(proof.hint).await?;
        let proven = former.filter(|(_, secret)| proof.is_of(*secret, challenge, device.key));
        let Some((account, _)) = proven else {
            return Ok(None);
        };
        // Anyone who has an old backup has the stored hash, and the proof needs nothing else. That is not enough for an account that owns
        // rooms.
        let is_owner = self.operators.has(&account.name) && device.transport != Transport::Socket;
        if is_owner {
            return Err(Refusal::new(RefusalCode::Unauthenticated)
                .with("owner")
                .into());
        }
        Ok(Some(Found {
            account,
            has_device: false,
        }))
    }

    /// Checks that a new account may be made. Returns the invitation that it takes, if it needs one.
    async fn check_registration(
        &self,
        device: &ProvenDevice,
    ) -> Result<Option<InviteHash>, AdmitError> {
        // The user who runs the server always gets in.
        if device.transport == Transport::Socket || self.owner == Some(device.key) {
            return Ok(None);
        }
        match self.registration {
            Registration::Open => Ok(None),
            Registration::Closed => Err(Refusal::new(RefusalCode::RegistrationClosed).into()),
            Registration::Invite => {
                let needed = || Refusal::new(RefusalCode::InviteNeeded);
                let hash = device.invite.ok_or_else(needed)?.hash();
                let usable = self.store.invites(self.rooms.clock.stamp()).await?;
                if usable.iter().any(|invite| invite.hash == hash) {
                    Ok(Some(hash))
                } else {
                    Err(Refusal::new(RefusalCode::InviteInvalid).into())
                }
            }
        }
    }

    /// Stores a device of an account, and the account if it is new. Logs it, because the device can sign in as that person from now on.
    async fn add_device(
        &self,
        account: &IdentityRecord,
        device: &ProvenDevice,
        invite: Option<InviteHash>,
    ) -> Result<(), StoreError> {
        let record = DeviceRecord {
            key: device.key,
            name: device.name.clone(),
            added_ms: now_ms(),
        };
        let used = invite.map(|hash| (hash, self.rooms.clock.stamp()));
        self.store.add_device(account.clone(), record, used).await?;
        tracing::info!(
            name = %account.name, identity = %account.id, device = %device.name, key = ?device.key,
            invite = invite.map(|it| it.id()), transport = ?device.transport,
            "added a device to an account"
        );
        Ok(())
    }

    /// Returns the person whose session has this token, as long as that session lasts.
    pub fn person_of(&self, token: SessionToken) -> Option<IdentityId> {
        self.lock().tokens.get(&token).copied()
    }
}
