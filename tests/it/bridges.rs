//! The clients of five older systems, each through the whole of its protocol, and all of them with each other.

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
