//! Accounts as they are stored: names, devices, invitations, the audit log, and the changes to them.

use crate::chat::{
    AccountOrigin, AuditAct, Author, DeviceKey, IdentityId, InviteHash, RoomId, ServerRole, Stamp,
    UserName,
};

use super::IdentityRecord;

/// What the whole server knows of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRecord {
    pub id: IdentityId,
    pub name: UserName,
    /// The name before that, and until when it is still theirs, in log time.
    pub former: Option<(UserName, u64)>,
    pub role: ServerRole,
    pub origin: AccountOrigin,
    /// When it was last connected. Its log time is 0 if an earlier version did not record it.
    pub seen: Stamp,
    /// Whether it has ever posted anything, even if that is deleted now.
    pub has_posted: bool,
}

/// A device that may sign in as an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceRecord {
    pub key: DeviceKey,
    /// What the person calls it.
    pub name: String,
    /// When it was added to the account, in Unix milliseconds.
    pub added_ms: u64,
    /// When it last signed in, in Unix milliseconds.
    pub seen_ms: u64,
    /// The address from which it last signed in; empty: through the local socket.
    pub from: String,
}

/// Whether a device that is known may sign in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeviceStatus {
    Active,
    /// It was removed from its account.
    Revoked,
}

/// An invitation as it is stored. Its secret part is not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InviteRecord {
    pub hash: InviteHash,
    pub uses_left: u32,
    /// When it expires, by log time and by the wall clock. It is over as soon as one of them says so: log time may stand still while the server
    /// does not run, and a wall clock may be changed.
    pub expires: Stamp,
    /// The person who made it; `None`: the user who runs the server.
    pub maker: Option<IdentityId>,
    pub purpose: InvitePurpose,
}

/// What an invitation is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InvitePurpose {
    /// Makes accounts with this role, which are members of these rooms from the start.
    Account {
        role: ServerRole,
        rooms: Vec<RoomId>,
    },
    /// Adds a device to this account.
    Device(IdentityId, OtherDevices),
}

/// What happens to the other devices of an account that gets one more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OtherDevices {
    Stay,
    /// They are lost, or stolen.
    Revoked,
}

impl InviteRecord {
    /// Whether it can still be used.
    pub fn is_open(&self, now: Stamp) -> bool {
        self.uses_left > 0 && self.expires.log_ms > now.log_ms && self.expires.at_ms > now.at_ms
    }
}

/// A device, and the account that it is added to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewDevice {
    pub account: IdentityRecord,
    /// The role and the origin of the account, if it is new.
    pub role: ServerRole,
    pub origin: AccountOrigin,
    pub device: DeviceRecord,
    /// The invitation of which one use is taken.
    pub invite: Option<(InviteHash, Stamp)>,
    /// What happens to the other devices. If they are revoked, so are all links for a device of this account.
    pub others: OtherDevices,
    /// The present time.
    pub now: Stamp,
}

impl NewDevice {
    /// A device of an ordinary account, without an invitation.
    pub fn new(account: IdentityRecord, device: DeviceRecord, now: Stamp) -> Self {
        Self {
            now,
            account,
            role: ServerRole::Member,
            origin: AccountOrigin::Open,
            device,
            invite: None,
            others: OtherDevices::Stay,
        }
    }
}

/// A change to an account, its devices or the invitations.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountChange {
    /// Adds a device to an account, and the account if it is new. The account's former secret is forgotten, and one use of the invitation is
    /// taken. A conflict if the device belongs to an account already, if the account was removed, or if the invitation has no use left at this
    /// time.
    AddDevice(Box<NewDevice>),
    /// Notes when and from where a device has signed in.
    SignedIn {
        device: DeviceKey,
        seen_ms: u64,
        from: String,
    },
    /// Takes a device from its account, at this Unix time in milliseconds, and deletes the links for another device that it may have made. One that
    /// is not known is no error.
    RevokeDevice(DeviceKey, u64),
    /// Adds an invitation. Deletes those that cannot be used any longer. A conflict if it is for a device of an account that was removed.
    AddInvite(InviteRecord, Stamp),
    /// Deletes an invitation. One that does not exist is no error.
    RemoveInvite(InviteHash),
    /// Gives an account another name. Its present one stays its own as well until log time `kept_until_ms`; a former one does not any longer.
    /// Without a time nothing changes about the former one, because both names look alike.
    Rename {
        account: IdentityRecord,
        kept_until_ms: Option<u64>,
    },
    /// Gives an account a role. Deletes the invitations that it made for a higher role, its links for other people, and their links for it. An
    /// operator's name is nobody's after its account became a member.
    SetRole(IdentityId, ServerRole),
    /// Removes an account at this Unix time: forgets its devices, and deletes its invitations. Its names are free. Its id and its last name stay for
    /// what it wrote.
    Remove(IdentityId, u64),
}

/// An administrative act that is about to be logged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAudit {
    /// In Unix milliseconds.
    pub at_ms: u64,
    /// `None`: the user who runs the server.
    pub actor: Option<Author>,
    pub act: AuditAct,
    pub target: String,
    /// More about it; may be empty.
    pub detail: String,
}
