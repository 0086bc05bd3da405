//! An open list to choose from, as data: what it lists, the filter, and what choosing a row does.

use std::sync::Arc;

use crate::chat::{Entry, RoomId, RoomInfo, Seq};
use crate::tui::input::command::Name;
use crate::tui::input::composer::Composer;
use crate::tui::input::keymap::Action;
use crate::tui::lists::search::Hits;
use crate::tui::settings::Setting;

/// A list that is open.
#[derive(Clone, Debug)]
pub struct Picker {
    pub of: PickerKind,
    pub filter: Box<Composer>,
    /// Which row is chosen, from the top.
    pub chosen: usize,
}

/// What is listed.
#[derive(Clone, Debug)]
pub enum PickerKind {
    /// The rooms of the server, as it told of them last.
    Lobby(Vec<RoomInfo>),
    Palette,
    /// What calls us, the newest first; nothing until the server has told.
    Mentions(Option<Vec<Entry>>),
    /// The themes; the one there was before is put back unless another is taken.
    Themes {
        before: String,
    },
    /// What is looked for and was found.
    Search(Box<Hits>),
    /// The addresses a message links to.
    Links(Vec<Arc<str>>),
}

/// What choosing a row does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowAction {
    Show(RoomId),
    Join(String),
    Open(String),
    /// Shows a message where it was said.
    Visit(RoomId, Seq),
    /// Begins a command in the composer.
    Command(Name),
    Theme(String),
    /// Does what a key does.
    Act(Action),
    /// Begins to change a setting.
    Set(Setting),
    /// Opens an address.
    Link(Arc<str>),
}

impl RowAction {
    /// Where the palette lists it: rooms and people first, then commands, then settings and actions.
    pub const fn group(&self) -> u8 {
        match self {
            Self::Show(_) | Self::Join(_) | Self::Open(_) | Self::Visit(..) => 0,
            Self::Command(_) => 1,
            Self::Set(_) | Self::Act(_) | Self::Theme(_) | Self::Link(_) => 2,
        }
    }
}

impl Picker {
    pub fn new(of: PickerKind) -> Self {
        Self {
            of,
            filter: Box::default(),
            chosen: 0,
        }
    }

    /// Whether the list has everything that it waits for.
    pub fn is_settled(&self) -> bool {
        match &self.of {
            PickerKind::Lobby(rooms) => !rooms.is_empty(),
            PickerKind::Mentions(entries) => entries.is_some(),
            PickerKind::Search(hits) => hits.is_empty() || hits.is_all_there_is(),
            PickerKind::Palette | PickerKind::Themes { .. } | PickerKind::Links(_) => true,
        }
    }
}
