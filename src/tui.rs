//! The terminal interface: a pure `update` function that changes the `State`, a pure `view` that draws it, and one loop
//! that owns the terminal, the clock and the client.

pub mod content;
pub mod event;
pub mod input;
pub mod lists;
pub mod plain;
pub mod run;
pub mod screen;
pub mod settings;
pub mod state;
pub mod strings;
pub mod terminal;
pub mod theme;
pub mod timeline;
pub mod update;
pub mod view;
