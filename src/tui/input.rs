//! What the user types: the composer, completion, commands and the keymap.
//!
//! These modules deal only with keys and text, not with rooms, people or the connection.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod command;
pub mod completion;
pub mod composer;
pub mod keymap;
pub mod kill_ring;
