//! Lists to choose from: the picker behind the lobby and the palette, search results, and the side panes.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod panes;
pub mod picker;
pub mod search;
