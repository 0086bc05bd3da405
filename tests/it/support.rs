//! What tests stand on: a server in memory, people who talk to it, a raw client, a real terminal.

pub mod chaos;
pub mod chat;
#[path = "../../examples/mortal/faulty.rs"]
pub mod faulty;
pub mod foreign;
#[path = "../../examples/check/history.rs"]
pub mod history;
pub mod person;
pub mod raw;
pub mod screen;
pub mod scripted;
pub mod server;
pub mod terminal;
pub mod viewer;
