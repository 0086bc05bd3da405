//! tchat: chat that lives in the terminal.

pub mod chat;
pub mod cli;
pub mod client;
pub mod config;
pub mod server;
pub mod text;
pub mod tui;
pub mod wire;
