//! The test harness: a server in memory, people with clients, a raw client, a screen and a real terminal.

pub mod bridge_clients;
pub mod chaos_proxy;
pub mod chat;
pub mod faulty_store;
pub mod history;
pub mod home;
pub mod interceptor;
pub mod person;
pub mod raw_client;
pub mod screen;
pub mod scripted_server;
pub mod server;
pub mod terminal;
pub mod viewer;
