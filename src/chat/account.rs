//! The accounts of a server: their roles and devices, and the log of what administrators did.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::{Author, Seq, Via};

/// What a person may do on the whole server. Each role includes the ones before it.
///
/// No role may read conversations of others, or private rooms that its holder has not joined.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum ServerRole {
    #[default]
    Member,
    /// Invites people and administers accounts.
    Admin,
    /// Also changes the roles of accounts. A server always has an owner.
    Owner,
}

impl ServerRole {
    pub const ALL: [Self; 3] = [Self::Member, Self::Admin, Self::Owner];

    /// Returns the number of the role in the store. It never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Member => 0,
            Self::Admin => 1,
            Self::Owner => 2,
        }
    }

    /// Returns the role with a number. An unknown number gives no rights.
    pub fn from_number(number: u64) -> Self {
        let known = Self::ALL.into_iter();
        let mut known = known.filter(|role| u64::from(role.number()) == number);
        known.next().unwrap_or_default()
    }

    /// Returns the word for the role in commands and in the audit log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for ServerRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("'{0}' is not a role (member, admin or owner)")]
pub struct RoleError(String);

impl FromStr for ServerRole {
    type Err = RoleError;

    fn from_str(word: &str) -> Result<Self, RoleError> {
        let mut known = Self::ALL.into_iter();
        let role = known.find(|role| role.word() == word.to_lowercase());
        role.ok_or_else(|| RoleError(word.to_owned()))
    }
}

/// How an account was made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum AccountOrigin {
    /// By a version that did not record it.
    #[default]
    Unknown,
    /// By a person without an invitation, while registration was open. Only these accounts lapse.
    Open,
    /// With an invitation, or through the local socket.
    Invited,
    /// By an administrator, for a program.
    Bot,
}

impl AccountOrigin {
    /// Returns the number of the origin in the store. It never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Open => 1,
            Self::Invited => 2,
            Self::Bot => 3,
        }
    }

    pub fn from_number(number: u64) -> Self {
        let known = [Self::Open, Self::Invited, Self::Bot];
        let mut known = known
            .into_iter()
            .filter(|it| u64::from(it.number()) == number);
        known.next().unwrap_or_default()
    }
}

/// One of the devices of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// See [`DeviceKey::id`](super::DeviceKey::id).
    pub id: String,
    /// What the person calls it.
    pub name: String,
    /// When it last signed in, in Unix milliseconds.
    pub seen_ms: u64,
    /// The address from which it last signed in; empty: through the local socket.
    pub from: String,
    /// The call was made by this device.
    pub is_this: bool,
    /// It is connected now.
    pub is_connected: bool,
}

/// An account, as administrators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountInfo {
    pub name: String,
    pub role: ServerRole,
    pub is_bot: bool,
    /// When it was last connected, in Unix milliseconds.
    pub seen_ms: u64,
    pub is_connected: bool,
}

/// A session, as administrators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionInfo {
    pub name: String,
    pub role: ServerRole,
    pub via: Via,
    /// The address that it comes from; empty: through the local socket.
    pub from: String,
    /// When it began, in Unix milliseconds.
    pub since_ms: u64,
}

/// The state of a server, as administrators see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerStatus {
    pub version: String,
    /// When it was started, in Unix milliseconds.
    pub started_ms: u64,
    pub sessions: u32,
    /// People with at least one session.
    pub connected: u32,
    pub accounts: u32,
    pub rooms: u32,
    /// Who may make an account.
    pub registration: String,
    pub bans: u32,
    /// Stored values that verification found damaged.
    pub damages: u64,
}

/// A limit of a server with its value, as administrators see it. The fields are those of [`LimitRow`](super::LimitRow).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitInfo {
    pub name: String,
    /// 0: it is turned off.
    pub value: u32,
    pub default: u32,
    pub charged: String,
    pub unit: String,
    pub protects: String,
}

/// What an administrator does to a public room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoomAct {
    Close,
    Topic(String),
    /// Makes the account with this name an owner.
    Owner(String),
    /// Deletes the message with this seq for everyone.
    Erase(Seq),
}

/// What an administrator did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuditAct {
    Invite,
    RevokeInvite,
    /// Made a link that adds a device to an account, in place of all others.
    Relink,
    RevokeDevice,
    Role,
    Rename,
    RemoveAccount,
    Bot,
    /// An account of an earlier version was taken over by a device.
    Migrate,
    /// A link of [`AuditAct::Relink`] was used.
    ReplaceDevices,
    /// An account that was registered openly was removed, because it was not used for a long time.
    Lapse,
    /// Banned an account or a network from the server.
    Ban,
    Unban,
    /// Ended the sessions of a person.
    Kick,
    /// Closed a public room, set its topic or gave it another owner.
    CloseRoom,
    RoomTopic,
    RoomOwner,
    /// Deleted a message in a public room.
    Erase,
}

impl AuditAct {
    /// Returns the word for it in the audit log. It is stored, and never changes.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invite => "invite",
            Self::RevokeInvite => "revoke-invite",
            Self::Relink => "relink",
            Self::RevokeDevice => "revoke-device",
            Self::Role => "role",
            Self::Rename => "rename",
            Self::RemoveAccount => "remove-account",
            Self::Bot => "bot",
            Self::Migrate => "migrate",
            Self::ReplaceDevices => "replace-devices",
            Self::Lapse => "lapse",
            Self::Ban => "ban",
            Self::Unban => "unban",
            Self::Kick => "kick",
            Self::CloseRoom => "close-room",
            Self::RoomTopic => "room-topic",
            Self::RoomOwner => "room-owner",
            Self::Erase => "erase",
        }
    }
}

/// A row of the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuditEntry {
    /// From 1, without holes.
    pub number: u64,
    /// In Unix milliseconds.
    pub at_ms: u64,
    /// The account of the administrator and its name at that time; `None` for the user who runs the server.
    pub actor: Option<Author>,
    /// See [`AuditAct::word`].
    pub act: String,
    /// The account, invitation or device that it was done to.
    pub target: String,
    /// More about it; may be empty.
    pub detail: String,
    /// SHA-256 over the row and the hash of the row before it.
    pub hash: [u8; 32],
}

impl AuditEntry {
    /// Returns the hash that this row has after a row with the hash `before`: SHA-256 over that hash and all fields, each preceded by its length
    /// in bytes (4 bytes, big-endian).
    pub fn hash_after(&self, before: &[u8; 32]) -> [u8; 32] {
        let (actor, name) = match &self.actor {
            Some(actor) => (&actor.id.bytes()[..], actor.name.as_str()),
            None => (&[][..], ""),
        };
        let fields: [&[u8]; 8] = [
            before,
            &self.number.to_be_bytes(),
            &self.at_ms.to_be_bytes(),
            actor,
            name.as_bytes(),
            self.act.as_bytes(),
            self.target.as_bytes(),
            self.detail.as_bytes(),
        ];
        let mut hash = Sha256::new();
        for field in fields {
            let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
            hash.update(length.to_be_bytes());
            hash.update(field);
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_have_words_and_numbers_of_their_own_and_an_unknown_number_gives_no_rights() {
        for role in ServerRole::ALL {
            assert_eq!(role.word().parse(), Ok(role));
            assert_eq!(ServerRole::from_number(role.number().into()), role);
        }
        assert_eq!("Owner".parse(), Ok(ServerRole::Owner));
        assert!("boss".parse::<ServerRole>().is_err());
        assert_eq!(ServerRole::from_number(3), ServerRole::Member);
        assert!(ServerRole::Owner > ServerRole::Admin);
    }
}
