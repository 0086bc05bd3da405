//! An open list to choose from, as data: what it lists, the filter, and what choosing a row does.

use std::sync::Arc;

use crate::chat::{Entry, RoomId, RoomInfo, Sanction, Seq};
use crate::client::RoomToJoin;
use crate::tui::input::command::CommandName;
use crate::tui::input::composer::Composer;
use crate::tui::input::keymap::Action;
use crate::tui::lists::search::Hits;
use crate::tui::settings::Setting;

/// An open list.
#[derive(Clone, Debug)]
pub struct Picker {
    pub kind: PickerKind,
    pub filter: Box<Composer>,
    /// The index of the selected row.
    pub chosen: usize,
}

/// What a list contains.
#[derive(Clone, Debug)]
pub enum PickerKind {
    /// The rooms of the server, as it last reported them; `None` if it has not yet.
    Lobby(Option<Vec<RoomInfo>>),
    Palette,
    /// The messages that mention us, newest first; `None` until the server has answered.
    Mentions(Option<Vec<Entry>>),
    /// The themes. `before` is restored if the list is closed without a choice.
    Themes {
        before: String,
    },
    /// A search and its results.
    Search(Box<Hits>),
    /// The addresses a message links to.
    Links(Vec<Arc<str>>),
    /// The requests of strangers.
    Requests,
    /// The bans and mutes of a room.
    Bans {
        room: RoomId,
        /// Each with what is shown about it.
        sanctions: Vec<(Sanction, String)>,
    },
}

/// What choosing a row does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RowAction {
    Show(RoomId),
    Join(RoomToJoin),
    Open(String),
    /// Shows a message in its room.
    Visit(RoomId, Seq),
    /// Starts a command in the composer.
    Command(CommandName),
    Theme(String),
    /// Performs the action of a key.
    Act(Action),
    /// Starts `/set` for a setting in the composer.
    Set(Setting),
    /// Opens an address.
    Link(Arc<str>),
    /// Lifts a ban or a mute in a room.
    Lift(RoomId, Box<Sanction>),
}

impl RowAction {
    /// The group in the palette: rooms and people first, then commands, then settings and actions.
    pub const fn group(&self) -> u8 {
        match self {
            Self::Show(_) | Self::Join(_) | Self::Open(_) | Self::Visit(..) => 0,
            Self::Command(_) => 1,
            Self::Set(_) | Self::Act(_) | Self::Theme(_) | Self::Link(_) | Self::Lift(..) => 2,
        }
    }
}

impl Picker {
    pub fn new(kind: PickerKind) -> Self {
        Self {
            kind,
            filter: Box::default(),
            chosen: 0,
        }
    }

    /// Whether the list has everything that it waits for.
    pub fn is_settled(&self) -> bool {
        match &self.kind {
            PickerKind::Lobby(rooms) => rooms.is_some(),
            PickerKind::Mentions(entries) => entries.is_some(),
            PickerKind::Search(hits) => hits.is_empty() || hits.is_complete(),
            PickerKind::Palette
            | PickerKind::Themes { .. }
            | PickerKind::Links(_)
            | PickerKind::Requests
            | PickerKind::Bans { .. } => true,
        }
    }
}
