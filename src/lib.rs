//! tchat: chat that lives in the terminal.

pub mod chat;
pub mod text;
pub mod wire;
