//! The test harness: a server in memory, people with clients, a raw client, a screen and a real terminal.

pub mod chaos;
pub mod chat;
pub mod faulty;
pub mod foreign;
pub mod history;
pub mod interceptor;
pub mod person;
pub mod raw;
pub mod screen;
pub mod scripted;
pub mod server;
pub mod terminal;
pub mod viewer;
