//! The domain types of chat: rooms, people, posts, entries and cursors.
//!
//! Plain values with their rules. They know nothing of protobuf, sockets, databases or terminals.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod account;
mod amendment;
mod ban;
mod body;
mod conversation;
mod device;
mod entry;
mod hosting;
mod id;
mod invite;
mod limits;
mod name;
mod network;
mod order;
mod people;
mod permissions;
mod pin;
mod quotas;
mod refusal;
mod room;
mod search;
mod settings;
mod stamp;
mod unread;

pub use account::{
    AccountInfo, AccountOrigin, AuditAct, AuditEntry, Device, LimitInfo, RoleError, RoomAct,
    ServerRole, ServerStatus, SessionInfo,
};
pub(crate) use amendment::react;
pub use amendment::{Amended, Amendment, Reaction};
pub use ban::{BanInfo, BanTarget, Network, Sanction, SanctionKind};
pub use body::Body;
pub use conversation::{ConversationSide, ConversationStatus, RequestAnswer, RequestDirection};
pub use device::{Challenge, DeviceKey, DeviceSecret, FormerProof, SessionToken, Transport};
pub use entry::{Author, Entry, Post, Recipient};
pub use hosting::{Bridge, Bridges, FilterMode, Registration, Retention, RoomPreset};
pub use id::{Epoch, IdentityId, InstanceId, RoomId, Secret, SecretHash, ServerId, SessionId};
pub use invite::{Invite, InviteError, InviteHash, InviteTerms, OpenInvite};
pub use limits::Limits;
pub use name::{NameError, NameKey, RoomName, Skeleton, UserName};
pub use network::{NetworkError, Networks, address_group};
pub(crate) use order::digest_of;
pub use order::{ClientId, Cursor, Digest, Seq, digest};
pub use people::{Person, Presence, Profile, Roster, Status, Via};
pub use permissions::{Changes, Permission, Removal, RemovalKind, Role, Ruling, Standing, Until};
pub use pin::{Pin, PinError};
pub use quotas::{Charged, Limit, LimitRow, Quotas};
pub use refusal::{Refusal, RefusalCode};
pub(crate) use room::TOPIC;
pub use room::{FollowResult, LastMessage, NewRoom, RoomInfo, RoomKind, RoomRules};
pub use search::{Has, Search, SearchResults};
pub use settings::{Level, Settings};
pub use stamp::Stamp;
pub use unread::Unread;
