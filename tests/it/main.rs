//! Integration tests of tchat, all in one binary.

// In tests a panic is the report, a table may be long, and measured times are printed.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_imports,
    clippy::too_many_lines,
    clippy::print_stdout
)]

mod accounts;
mod amend;
mod anchor;
mod architecture;
mod bridges;
mod bus;
mod cache;
mod certificates;
mod clearing;
mod clock;
mod completion;
mod demo;
mod disk;
mod doctor;
mod drafts;
mod encrypted_port;
mod encryption;
mod faults;
mod fixtures;
mod frames;
mod ghosts;
mod history;
mod hostile;
mod input;
mod invitations;
mod invites;
mod keys;
mod limits;
mod link_repair;
mod local_socket;
mod memory;
mod message_rows;
mod model;
mod names;
mod overlays;
mod panes;
mod people;
mod personal;
mod pictures;
mod pipes;
mod plain;
mod pointer;
mod process;
mod pty;
mod reading;
mod requests;
mod resume;
mod rich;
mod rights;
mod room;
mod room_rules;
mod rooms;
mod scenarios;
mod screens;
mod scripts;
mod search;
mod selection;
mod settings;
mod shortcuts;
mod store;
mod support;
mod timeline;
mod tmux;
mod unseen;
