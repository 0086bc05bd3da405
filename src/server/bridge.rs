//! Bridges: the wire protocols of five older chat systems, so that their clients can use the same rooms as tchat's users.
//!
//! Each protocol has a variant of [`Protocol`](protocol::Protocol): a state machine without I/O that turns foreign
//! messages into actions, and notifications into foreign messages. Each connected client has a [`call`], which owns one
//! such state machine and drives an ordinary session. [`grpc`], [`socket`] and [`trigger`] accept the clients. None of
//! these modules contains chat rules: the session and the room decide who may post what, as for tchat's own clients.

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
