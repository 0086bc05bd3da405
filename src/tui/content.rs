//! What both the screen and plain mode show: help, the tour, connection details, system lines and the prompt.
//!
//! It turns the state into lines of text. It does not draw and does not handle events.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod accounts;
pub mod administration;
pub mod composer_hint;
pub mod entries;
pub mod help;
pub mod invites;
pub mod link_details;
pub mod moderation;
pub mod plain_lines;
pub mod prompt;
pub mod reactions;
pub mod system_lines;
pub mod title;
pub mod tour;
