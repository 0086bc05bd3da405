//! Signing in: finds the account of a device, or makes one, and starts a session.
//!
//! The session has already checked that the client has the device's key. Two locks are taken, always in this order: that of the device, so
//! that one device makes one account, and that of the person.

use std::net::IpAddr;
use std::sync::Arc;

use super::administration::Administrator;
use super::admission::{AdmitError, Admitted, Rights, SessionEnd};
use super::charging::is_private;
use super::names::parse_name;
use super::people::Entitled;
use super::{AttachedSession, Caller, Hub, now_ms, random_bytes};
use crate::chat::{
    AccountOrigin, AuditAct, Author, Challenge, DeviceKey, FormerProof, IdentityId, Invite,
    InviteHash, Refusal, RefusalCode, Registration, ServerRole, SessionId, SessionToken, Transport,
    Via, address_group,
};
use crate::server::outbox::Outbox;
use crate::server::store::{
    AccountChange, DeviceRecord, DeviceStatus, IdentityRecord, InvitePurpose, InviteRecord,
    NewAudit, NewDevice, OtherDevices, StoreError,
};
use crate::wire::{Event, GoodbyeReason};

/// Maximum number of devices of one account.
pub(super) const DEVICES: usize = 32;

/// A device whose client has signed the challenge of its connection.
#[derive(Clone, Debug)]
pub struct ProvenDevice {
    pub key: DeviceKey,
    /// What the person calls the device.
    pub name: String,
    /// The proof that the client has its account's former secret, and the challenge that the proof is for.
    pub former: Option<(FormerProof, Challenge)>,
    /// The invitation that the client presents.
    pub invite: Option<Invite>,
    /// How it reaches the server.
    pub transport: Transport,
    /// The address that it connects from; empty if it does not connect over the network.
    pub from: String,
}

impl ProvenDevice {
    /// Returns the address that limits are charged to.
    fn address(&self) -> Option<IpAddr> {
        self.from.parse().ok().map(address_group)
    }
}

/// What the server knows of a device that signs in.
enum Known {
    /// It belongs to this account, or has proven that it may be added to it.
    Account(Found),
    /// Nothing. If the client presents an invitation that can be used, this is its record.
    Nothing(Option<InviteRecord>),
}

/// The account of a device.
struct Found {
    account: IdentityRecord,
    by: FoundBy,
}

/// How the account of a device was found.
enum FoundBy {
    Device,
    /// By the account's secret from an earlier version of tchat; the device is new.
    FormerSecret,
    /// By a link for another device of the account; the device is new.
    Link(InviteHash, OtherDevices),
}

impl Known {
    fn account(&self) -> Option<IdentityId> {
        match self {
            Self::Account(found) => Some(found.account.id),
            Self::Nothing(_) => None,
        }
    }
}

impl Hub {
    /// Admits a person: finds the account of the device, or creates one with the requested name. Starts a session.
    ///
    /// # Errors
    /// The name is invalid, taken or reserved; the device was revoked; new people are not accepted, or not without a valid invitation; or the
    /// store failed.
    pub async fn admit(
        &self,
        device: &ProvenDevice,
        asked: &str,
        outbox: &Arc<Outbox>,
    ) -> Result<Admitted, AdmitError> {
        let _device_lock = self.device_locks.lock(device.key).await;
        let known = self.look_up(device).await?.account();
        let id = known.unwrap_or_else(|| IdentityId::new(random_bytes()));
        let _person_lock = self.person_locks.lock(id).await;
        // Read again under the lock, because another session of theirs may just have renamed them, or revoked this device.
        let (account, added) = match self.look_up(device).await? {
            Known::Account(found) if found.account.id == id => {
                self.let_in(device, found, asked).await?
            }
            Known::Nothing(invite) if known.is_none() => {
                let account = self.register(device, id, asked, invite).await?;
                (account, Vec::new())
            }
            // Another device has just used the same link.
            Known::Account(_) | Known::Nothing(_) if device.invite.is_some() => {
                return Err(Refusal::new(RefusalCode::InviteInvalid).into());
            }
            // Another device has just taken over the account with the same former secret.
            Known::Account(_) | Known::Nothing(_) => {
                let unproven = Refusal::new(RefusalCode::Unauthenticated).with("signature");
                return Err(unproven.into());
            }
        };
        let role = self.role_at_sign_in(device, &account).await?;
        let (session, token) = (
            SessionId::new(random_bytes()),
            SessionToken::new(random_bytes()),
        );
        let rights = Rights {
            role,
            owns_rooms: role >= ServerRole::Admin || self.is_operator(&account).await?,
        };
        let status = self.store.personal(id).await?.status;
        let end = SessionEnd::default();
        let attached = AttachedSession {
            outbox: Arc::downgrade(outbox),
            credentials: Some((token, device.key)),
            end: end.clone(),
            from: device.from.clone(),
            since_ms: now_ms(),
            is_stranger: self.is_stranger(id),
        };
        self.add_session((session, attached), &account, rights, status)?;
        Ok(Admitted {
            session,
            author: Author {
                id,
                name: account.name.to_string(),
            },
            token: Some(token),
            end,
            added,
            is_stranger: self.is_stranger(id),
            guest: None,
        })
    }

    /// Admits a known person, and adds the device to their account if it is new there. Returns the account, and the
    /// devices that were added to it since this one was last connected.
    async fn let_in(
        &self,
        device: &ProvenDevice,
        found: Found,
        asked: &str,
    ) -> Result<(IdentityRecord, Vec<DeviceRecord>), AdmitError> {
        self.check_account_ban(found.account.id)?;
        let account = self.readmit(found.account, asked).await?;
        let now = self.rooms.clock.stamp();
        let new = NewDevice::new(account.clone(), record_of(device), now);
        let mut added = Vec::new();
        match found.by {
            FoundBy::Device => {
                added = self.added_meanwhile(account.id, device.key).await?;
                let change = AccountChange::SignedIn {
                    device: device.key,
                    seen_ms: now_ms(),
                    from: device.from.clone(),
                };
                match self.store.change_account(change, None).await {
                    // A full disk must not keep anybody from connecting.
                    Err(StoreError::Full) => {}
                    noted => noted?,
                }
            }
            FoundBy::FormerSecret => {
                let audit = self.audited(None, AuditAct::Migrate, &account.name, &device.key.id());
                self.add_device(device, new, Some(audit)).await?;
            }
            FoundBy::Link(hash, others) => {
                let new = NewDevice {
                    invite: Some((hash, now)),
                    others,
                    ..new
                };
                self.add_device_by_link(device, new).await?;
            }
        }
        Ok((account, added))
    }

    /// Returns the devices that were added to an account since one of its devices last signed in.
    async fn added_meanwhile(
        &self,
        account: IdentityId,
        device: DeviceKey,
    ) -> Result<Vec<DeviceRecord>, StoreError> {
        let mut devices = self.store.devices(account).await?;
        let this = devices.iter().find(|it| it.key == device);
        let seen_ms = this.map_or(u64::MAX, |it| it.seen_ms);
        devices.retain(|it| it.key != device && it.added_ms > seen_ms);
        Ok(devices)
    }

    /// Makes an account with this device.
    async fn register(
        &self,
        device: &ProvenDevice,
        id: IdentityId,
        asked: &str,
        invite: Option<InviteRecord>,
    ) -> Result<IdentityRecord, AdmitError> {
        self.check_registration(device, invite.as_ref())?;
        if invite.is_none() && !is_private(device.transport) {
            self.check_network_ban(device.address())?;
        }
        let (role, rooms) = match invite.as_ref().map(|it| &it.purpose) {
            Some(InvitePurpose::Account { role, rooms }) => (*role, rooms.clone()),
            _ => (ServerRole::Member, Vec::new()),
        };
        let maker_role = invite.as_ref().map(|it| match it.maker {
            Some(maker) => self.server_role(maker),
            None => ServerRole::Owner,
        });
        if maker_role.is_some_and(|maker_role| role > maker_role) {
            return Err(Refusal::new(RefusalCode::InviteInvalid).into());
        }
        let name = parse_name(asked)?;
        let is_from_owner = role >= ServerRole::Admin && maker_role == Some(ServerRole::Owner);
        let entitled = if is_from_owner || is_private(device.transport) {
            Entitled::Yes
        } else {
            Entitled::No
        };
        self.claim(&name, id, entitled).await?;
        let account = IdentityRecord {
            id,
            name,
            via: Via::Tchat,
        };
        let now = self.rooms.clock.stamp();
        let is_invited = invite.is_some() || is_private(device.transport);
        let origin = if is_invited {
            AccountOrigin::Invited
        } else {
            AccountOrigin::Open
        };
        let new = NewDevice {
            role,
            origin,
            invite: invite.as_ref().map(|it| (it.hash, now)),
            ..NewDevice::new(account.clone(), record_of(device), now)
        };
        let charged = match origin {
            AccountOrigin::Open => self.charge_registration(device.transport, device.address()),
            _ => Ok(()),
        };
        let added = match charged {
            Ok(()) => self.add_device(device, new, None).await,
            Err(refusal) => Err(refusal.into()),
        };
        if let Err(error) = added {
            self.lock().names.release(&account.name, id);
            return Err(error);
        }
        self.lock().accounts.insert(id, origin);
        self.set_cached_role(id, role);
        self.bind_operator(&account.name, id).await?;
        let maker = invite.and_then(|invite| invite.maker);
        self.enrol(&account, &rooms, maker).await?;
        Ok(account)
    }

    /// Returns what is known of a device.
    async fn look_up(&self, device: &ProvenDevice) -> Result<Known, AdmitError> {
        let found = |account, by| Ok(Known::Account(Found { account, by }));
        let known = self.store.identity_by_device(device.key).await?;
        let mut invite = self.usable_invite(device.invite).await?;
        if known.is_none() && device.invite.is_some() && invite.is_none() {
            self.check_invite_attempts(device.address())?;
        }
        if let Some((account, DeviceStatus::Active)) = known {
            let by = match invite {
                // The other devices of the account may be stolen, even if this one is not.
                Some(InviteRecord {
                    hash,
                    purpose: InvitePurpose::Device(of, OtherDevices::Revoked),
                    ..
                }) if of == account.id => FoundBy::Link(hash, OtherDevices::Revoked),
                _ => FoundBy::Device,
            };
            return found(account, by);
        }
        if let Some(link) = invite.take_if(|it| matches!(it.purpose, InvitePurpose::Device(..)))
            && let InvitePurpose::Device(account, others) = link.purpose
            && let Some(account) = self.store.identity(account).await?
        {
            return found(account, FoundBy::Link(link.hash, others));
        }
        if known.is_some() && device.invite.is_none() {
            let revoked = Refusal::new(RefusalCode::Unauthenticated).with("revoked");
            return Err(revoked.into());
        }
        match self.by_former_secret(device).await? {
            Some(account) => found(account, FoundBy::FormerSecret),
            None => Ok(Known::Nothing(invite)),
        }
    }

    /// Returns the account whose former secret the client has proven to have.
    async fn by_former_secret(
        &self,
        device: &ProvenDevice,
    ) -> Result<Option<IdentityRecord>, AdmitError> {
        let Some((proof, challenge)) = &device.former else {
            return Ok(None);
        };
        let former = self.store.identity_by_former_secret(proof.hint).await?;
        let proven = former.filter(|(_, secret)| proof.is_of(*secret, challenge, device.key));
        let Some((account, _)) = proven else {
            return Ok(None);
        };
        // Anyone who has an old backup has the stored hash, which is all that the proof needs. That is not enough for
        // an account with an operator's name or a role.
        let has_rights =
            self.operators.has(&account.name) || self.server_role(account.id) > ServerRole::Member;
        if has_rights && device.transport != Transport::Socket {
            return Err(Refusal::new(RefusalCode::Unauthenticated)
                .with("owner")
                .into());
        }
        Ok(Some(account))
    }

    /// Checks that a new account may be made.
    fn check_registration(
        &self,
        device: &ProvenDevice,
        invite: Option<&InviteRecord>,
    ) -> Result<(), Refusal> {
        // The user who runs the server always gets in.
        if device.transport == Transport::Socket || self.owner == Some(device.key) {
            return Ok(());
        }
        match (self.registration, device.invite, invite) {
            (Registration::Closed, ..) => Err(Refusal::new(RefusalCode::RegistrationClosed)),
            (_, _, Some(_)) | (Registration::Open, None, None) => Ok(()),
            (_, Some(_), None) => {
                self.charge_invalid_invite(device.address());
                Err(Refusal::new(RefusalCode::InviteInvalid))
            }
            (Registration::Invite, None, None) => Err(Refusal::new(RefusalCode::InviteNeeded)),
        }
    }

    /// Stores a device of an account, and the account if it is new. Logs it, because the device can sign in as that person from now on.
    async fn add_device(
        &self,
        device: &ProvenDevice,
        new: NewDevice,
        audit: Option<NewAudit>,
    ) -> Result<(), AdmitError> {
        let (account, invite) = (new.account.clone(), new.invite);
        let change = AccountChange::AddDevice(Box::new(new));
        match self.store.change_account(change, audit).await {
            // Somebody else has just used the invitation for the last time.
            Err(StoreError::Conflict) if invite.is_some() => {
                return Err(Refusal::new(RefusalCode::InviteInvalid).into());
            }
            added => added?,
        }
        tracing::info!(
            name = %account.name, identity = %account.id, device = %device.name, key = ?device.key,
            invite = invite.map(|(hash, _)| hash.id()), transport = ?device.transport,
            "added a device to an account"
        );
        Ok(())
    }

    /// Adds a device that presents a link for another device of the account. Notifies the person's other devices or, if
    /// the link revokes them, ends their sessions and announces the new key.
    async fn add_device_by_link(
        &self,
        device: &ProvenDevice,
        new: NewDevice,
    ) -> Result<(), AdmitError> {
        let (account, others) = (new.account.id, new.others);
        if self.store.devices(account).await?.len() >= DEVICES && others == OtherDevices::Stay {
            return Err(Refusal::new(RefusalCode::TooMany)
                .with("devices")
                .with(DEVICES)
                .into());
        }
        let audit = (others == OtherDevices::Revoked).then(|| {
            let (name, id) = (new.account.name.clone(), device.key.id());
            let by = Administrator::Person(
                Author {
                    id: account,
                    name: name.to_string(),
                },
                ServerRole::Member,
            );
            self.audited(Some(&by), AuditAct::ReplaceDevices, &name, &id)
        });
        self.add_device(device, new, audit).await?;
        match others {
            OtherDevices::Stay => {
                let added = Event::DeviceAdded {
                    name: device.name.clone(),
                    from: device.from.clone(),
                };
                self.notify_person(account, &added);
            }
            OtherDevices::Revoked => {
                self.end_sessions(account, GoodbyeReason::Revoked, |_| true);
                self.announce_new_key(account).await?;
            }
        }
        Ok(())
    }

    /// Returns the role of a person who signs in. The user who runs the server becomes an owner: with their own device,
    /// or through the socket as long as the server has no owner.
    async fn role_at_sign_in(
        &self,
        device: &ProvenDevice,
        account: &IdentityRecord,
    ) -> Result<ServerRole, AdmitError> {
        let role = self.server_role(account.id);
        let is_host = self.owner == Some(device.key)
            || device.transport == Transport::Socket && !self.has_owner();
        if !is_host || role == ServerRole::Owner {
            return Ok(role);
        }
        let owner = ServerRole::Owner;
        let audit = self.audited(None, AuditAct::Role, &account.name, owner.word());
        let change = AccountChange::SetRole(account.id, owner);
        match self.store.change_account(change, Some(audit)).await {
            // They become an owner the next time they sign in.
            Err(StoreError::Full) => return Ok(role),
            stored => stored?,
        }
        self.set_cached_role(account.id, owner);
        Ok(owner)
    }

    /// Returns the person and the device of the session that has this token, as long as that session lasts.
    pub fn caller_of(&self, token: SessionToken) -> Option<Caller> {
        self.lock().tokens.get(&token).copied()
    }
}

fn record_of(device: &ProvenDevice) -> DeviceRecord {
    let now_ms = now_ms();
    DeviceRecord {
        key: device.key,
        name: device.name.clone(),
        added_ms: now_ms,
        seen_ms: now_ms,
        from: device.from.clone(),
    }
}
