//! The bridges: clients of five older systems use the whole of their protocol, alone and together.

mod chat;
mod crowd;
mod delivery;
mod gochat;
mod mixed;
mod rules;
mod service;
mod story;
mod user;
mod websocket;
