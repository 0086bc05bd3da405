//! The bridges: clients of five older systems use the whole of their protocol, alone and together.

mod chat;
mod consistency;
mod crowd;
mod delivery;
mod gochat;
mod mixed;
mod networks;
mod rules;
mod service;
pub mod user;
mod websocket;
