//! What tests stand on: a server in memory, people who talk to it, a raw client, a real terminal.

pub mod chaos;
pub mod chat;
pub mod faulty;
pub mod foreign;
pub mod history;
pub mod person;
pub mod raw;
pub mod screen;
pub mod scripted;
pub mod server;
pub mod terminal;
pub mod viewer;
