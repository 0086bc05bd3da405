//! Converts tchat.v1 frames to and from the domain types with total functions, and provides the codec that sends frames which are already
//! encoded.
//!
//! The rest of the program uses [`RequestFrame`] and [`Event`]. Only this module, the client's link and the server's endpoint use
//! the generated types.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod account;
mod administration;
mod body;
mod codec;
mod entry;
mod event;
mod frame;
mod limit;
mod moderation;
mod parts;
mod personal;
mod request;
mod search;

/// The code generated from `proto/tchat`. Its modules are nested like the packages, because paths in generated code rely on it.
#[allow(clippy::all, clippy::pedantic)] // Generated.
mod generated {
    pub mod v1 {
        tonic::include_proto!("tchat.v1");
    }
    pub mod admin {
        pub mod v1 {
            tonic::include_proto!("tchat.admin.v1");
        }
    }
}

pub use self::generated::admin::v1 as admin_proto;
pub use self::generated::v1 as proto;

pub use account::{
    account_from, account_to, audit_from, audit_to, device_from, device_to, invite_from,
    invite_terms_from, invite_terms_to, invite_to, server_role_asked, server_role_from,
    server_role_to,
};
pub use administration::{
    ban_from, ban_to, limit_from, limit_to, room_act_from, room_act_to, session_from, session_to,
    status_from, status_to,
};
pub(crate) use body::{amended_from_bytes, amended_to_bytes};
pub use codec::{Frame, encode_event};
pub(crate) use codec::{FrameCodec, RawCodec, encode_entries};
pub use entry::{entry_from, entry_to};
pub use event::{event_from, event_to};
pub use frame::{
    Event, Goodbye, GoodbyeAction, GoodbyeReason, Head, Hello, JoinTarget, PROTOCOL, PersonTarget,
    Request, RequestFrame, SignIn, UnfollowReason, Welcome,
};
pub use limit::{limit_refusal, limit_status};
pub use moderation::{sanction_from, sanction_to};
pub use parts::{Malformed, room_from, room_to};
pub(crate) use parts::{refusal_from_bytes, refusal_to_bytes};
pub use request::{request_from, request_to};
pub use search::{search_from, search_to};
