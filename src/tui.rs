//! The screen: a pure `update` over a pure `State`, a pure `view`, and one loop that owns terminal, clock and client.

pub mod avatar;
pub mod caps;
pub mod command;
pub mod complete;
pub mod composer;
pub mod event;
pub mod highlight;
pub mod keymap;
pub mod lessons;
pub mod pick;
pub mod plain;
pub mod regions;
pub mod rows;
pub mod run;
pub mod search;
pub mod settings;
pub mod spoken;
pub mod state;
pub mod strings;
pub mod terminal;
pub mod theme;
pub mod timeline;
pub mod update;
pub mod view;
pub mod words;
