//! Bridges: the wire protocols of five older chat systems, so that their clients can use the same rooms as tchat's users.
//!
//! Each protocol has a [`Protocol`](protocol::Protocol). This is a plain state machine that turns foreign messages into steps, and news into
//! foreign messages. Each connected client has a [`call`], which owns one and drives an ordinary session. [`grpc`], [`socket`] and
//! [`trigger`] accept the clients. None of these modules contains chat rules: who may post what is decided in the session and the room, as
//! for everybody.

mod action;
pub(crate) mod call;
pub(crate) mod grpc;
mod notices;
pub(crate) mod protocol;
pub(crate) mod socket;
pub(crate) mod trigger;

mod chat;
mod gochat;
mod service;
mod user;
mod websocket;

/// The types generated from `proto/bridge`.
#[allow(clippy::all, clippy::pedantic)] // Generated.
pub(crate) mod proto {
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
