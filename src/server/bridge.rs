//! Bridges: the wire protocols of five older chat systems, so that their clients meet tchat's users in the same rooms.
//!
//! Each protocol has a [`Protocol`], a plain state machine that turns foreign messages into steps and news into foreign messages. A
//! [`call`] owns one for each connected client and drives an ordinary session for it; [`grpc`], [`socket`] and [`trigger`] are the
//! doors. None of them has a rule of chat: whatever may be said, and to whom, is decided where it is for everybody.

pub mod call;
mod exchange;
pub mod grpc;
mod notices;
pub mod protocol;
pub mod socket;
pub mod trigger;

mod chat;
mod gochat;
mod service;
mod user;
mod websocket;

pub use self::protocol::Protocol;

/// What the generator makes of `proto/bridge`.
#[allow(clippy::all, clippy::pedantic)] // Generated.
pub mod proto {
    pub mod chat {
        include!(concat!(env!("OUT_DIR"), "/chat.rs"));
    }
    pub mod gochat {
        include!(concat!(env!("OUT_DIR"), "/gochat.rs"));
    }
    pub mod service {
        include!(concat!(env!("OUT_DIR"), "/service.v1.rs"));
    }
    pub mod user {
        include!(concat!(env!("OUT_DIR"), "/user.rs"));
    }
    pub mod websocket {
        include!(concat!(env!("OUT_DIR"), "/websocket.rs"));
    }
}
