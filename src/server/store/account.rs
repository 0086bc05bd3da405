//! Accounts as they are stored: names, devices, invitations, the audit log, and the changes to them.

use crate::chat::{
    AccountOrigin, AuditAct, Author, BanTarget, DeviceKey, IdentityId, InviteHash, RoomId,
    ServerRole, Stamp, Until, UserName,
};

use super::IdentityRecord;

/// An account with its server-wide attributes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRecord {
    pub id: IdentityId,
    pub name: UserName,
    /// The former name, and the log time in milliseconds until which it is reserved for the account.
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
    /// The name that the person gave it.
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
    /// When it expires, by log time and by the wall clock, whichever comes first: log time may not advance while the
    /// server is stopped, and the wall clock may be changed.
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
    /// They are revoked, because they were lost or stolen.
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
    /// The invitation that is used, and the time at which it must be valid.
    pub invite: Option<(InviteHash, Stamp)>,
    /// What happens to the other devices. If they are revoked, all links that add a device to this account are deleted
    /// too.
    pub others: OtherDevices,
    /// The current time.
    pub now: Stamp,
}

impl NewDevice {
    /// Returns a device of an ordinary account, without an invitation.
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
    /// Adds a device to an account, and adds the account if it is new. Deletes the account's former secret, and takes
    /// one use of the invitation. Conflict: the device is active in an account already, the account was removed, or
    /// the invitation cannot be used at this time.
    AddDevice(Box<NewDevice>),
    /// Records when a device signed in and from which address.
    SignedIn {
        device: DeviceKey,
        seen_ms: u64,
        from: String,
    },
    /// Revokes a device, at this Unix time in milliseconds. Deletes the links that add a device to its account,
    /// because the revoked device may have made them; links that also revoke the other devices stay. An unknown device
    /// is not an error.
    RevokeDevice(DeviceKey, u64),
    /// Adds an invitation, and deletes those that can no longer be used at this time. Conflict: the invitation already
    /// exists, or it adds a device to an account that was removed.
    AddInvite(InviteRecord, Stamp),
    /// Deletes an invitation. An unknown invitation is not an error.
    RemoveInvite(InviteHash),
    /// Renames an account. The previous name becomes its former name, which stays reserved for it until log time
    /// `kept_until_ms` and replaces an older one. `None`: the former name does not change, because the new and the
    /// previous name look alike.
    Rename {
        account: IdentityRecord,
        kept_until_ms: Option<u64>,
    },
    /// Sets the role of an account. Deletes the invitations for new accounts that it made: those for a higher role, or
    /// all if it becomes a member. Also deletes the device links that it made for other accounts, and those that
    /// others made for it. If it becomes a member, operators' names are no longer bound to it.
    SetRole(IdentityId, ServerRole),
    /// Removes an account, at this Unix time in milliseconds: deletes its devices and invitations and frees its names.
    /// Its id and its last name stay, as the author of its messages.
    Remove(IdentityId, u64),
    /// Bans somebody from the server, in place of an earlier ban of the same. Deletes bans that have expired at this log time.
    Ban(BanRecord, u64),
    /// Lifts a ban. An unknown one is not an error.
    Unban(BanTarget),
}

/// A ban from the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BanRecord {
    pub target: BanTarget,
    pub until: Until,
    /// When it was made, in Unix milliseconds.
    pub at_ms: u64,
    /// The name of the administrator; empty: the user who runs the server.
    pub by: String,
    pub reason: String,
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
    /// Further details; may be empty.
    pub detail: String,
}
