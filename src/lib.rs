//! tchat: chat that lives in the terminal.

pub mod chat;
pub mod client;
pub mod server;
pub mod text;
pub mod wire;
