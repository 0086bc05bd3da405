//! The lobby and the palette: opened, filtered, kept up to date, chosen from.

use std::time::Duration;

use crate::chat::{Entry, RoomInfo};
use crate::client::Command;
use crate::tui::event::Effect;
use crate::tui::input::keymap::Action;
use crate::tui::lists::picker::rows;
use crate::tui::state::{Of, Picker, Takes};
use crate::tui::state::{Overlay, State};

/// Messages with a word of ours that are listed.
const NAMED: usize = 100;
/// How often the rooms are asked for while the lobby is open.
const EVERY: Duration = Duration::from_secs(2);

/// Opens the lobby with what is known, and asks for the rest.
pub(super) fn lobby(state: &mut State) -> Vec<Effect> {
    // Where it is told once, it is told as it is now.
    let known = if state.is_plain {
        Vec::new()
    } else {
        state.directory.clone()
    };
    state.overlay = Some(Overlay::Pick(Picker::new(Of::Lobby(known))));
    state.lobby_due = Some(state.now.instant + EVERY);
    vec![Effect::Client(Command::ListRooms)]
}

pub(super) fn palette(state: &mut State) {
    state.overlay = Some(Overlay::Pick(Picker::new(Of::Palette)));
}

/// Opens the themes, with the present one chosen.
pub(super) fn themes(state: &mut State) {
    let before = state.theme.clone();
    let chosen = state.themes.iter().position(|theme| *theme == before);
    let picker = Picker {
        chosen: chosen.unwrap_or(0),
        ..Picker::new(Of::Themes { before })
    };
    state.overlay = Some(Overlay::Pick(picker));
}

/// Shows the room in the theme that is chosen, or again in the one there was before.
pub(super) fn preview(state: &State) -> Vec<Effect> {
    let Some(Overlay::Pick(Picker {
        of: Of::Themes { before },
        ..
    })) = &state.overlay
    else {
        return Vec::new();
    };
    let wanted = match chosen(state) {
        Some(Takes::Theme(theme)) => theme,
        _ => before.clone(),
    };
    if wanted == state.theme {
        return Vec::new();
    }
    vec![Effect::Theme(wanted)]
}

/// Opens what calls us, and asks for it.
pub(super) fn mentions(state: &mut State) -> Vec<Effect> {
    state.overlay = Some(Overlay::Pick(Picker::new(Of::Mentions(None))));
    vec![Effect::Client(Command::ListMentions)]
}

/// It cannot be asked for now.
pub(super) fn close_mentions(state: &mut State) {
    let is_open = |overlay: &mut Overlay| matches!(overlay, Overlay::Pick(picker) if matches!(picker.of, Of::Mentions(_)));
    drop(state.overlay.take_if(is_open));
}

/// What the server found, and what has a word of ours among what is loaded here.
pub(super) fn take_mentions(state: &mut State, mut entries: Vec<Entry>) {
    let said = state.rooms.iter().flat_map(|room| room.timeline.all_said());
    let named = said.filter(|entry| state.has_keyword(entry));
    let is_listed = |other: &Entry| {
        let mut entries = entries.iter();
        entries.any(|it| it.room == other.room && it.seq == other.seq)
    };
    let named: Vec<Entry> = named
        .filter(|it| !is_listed(it))
        .take(NAMED)
        .cloned()
        .collect();
    entries.extend(named);
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at_ms, entry.seq)));
    if let Some(Overlay::Pick(picker)) = &mut state.overlay
        && let Of::Mentions(known) = &mut picker.of
    {
        *known = Some(entries);
    }
}

/// The rooms there are now; whichever was chosen stays so.
pub(super) fn take(state: &mut State, rooms: Vec<RoomInfo>) {
    let chosen = chosen(state);
    state.directory.clone_from(&rooms);
    let Some(Overlay::Pick(picker)) = &mut state.overlay else {
        return;
    };
    if let Of::Lobby(known) = &mut picker.of {
        *known = rooms;
        if let Some(takes) = chosen {
            choose(state, &takes);
        }
    }
}

/// Asks again, if it is time and somebody looks.
pub(super) fn due(state: &mut State) -> Vec<Effect> {
    let is_open =
        matches!(&state.overlay, Some(Overlay::Pick(picker)) if matches!(picker.of, Of::Lobby(_)));
    if !is_open {
        state.lobby_due = None;
    }
    let is_due = state.lobby_due.is_some_and(|due| due <= state.now.instant);
    if !is_due {
        return Vec::new();
    }
    state.lobby_due = Some(state.now.instant + EVERY);
    vec![Effect::Client(Command::ListRooms)]
}

pub(super) fn chosen(state: &State) -> Option<Takes> {
    let Some(Overlay::Pick(picker)) = &state.overlay else {
        return None;
    };
    let rows = rows(state, picker);
    rows.get(picker.chosen).map(|row| row.takes.clone())
}

pub(super) fn choose(state: &mut State, takes: &Takes) {
    let Some(Overlay::Pick(picker)) = &state.overlay else {
        return;
    };
    let place = rows(state, picker)
        .iter()
        .position(|row| row.takes == *takes);
    if let Some(Overlay::Pick(picker)) = &mut state.overlay {
        picker.chosen = place.unwrap_or(0);
    }
}

/// What opens a list.
pub(super) fn opens(of: &Of) -> Action {
    match of {
        Of::Lobby(_) => Action::Lobby,
        Of::Palette => Action::Palette,
        Of::Mentions(_) => Action::Mentions,
        Of::Themes { .. } => Action::Themes,
        Of::Search(_) => Action::Search,
        Of::Links(_) => Action::OpenSelected,
    }
}

/// Chooses a row, as far as there are rows.
pub(super) fn point(state: &mut State, row: usize) -> Vec<Effect> {
    let Some(Overlay::Pick(picker)) = &state.overlay else {
        return Vec::new();
    };
    let last = rows(state, picker).len().saturating_sub(1);
    if let Some(Overlay::Pick(picker)) = &mut state.overlay {
        picker.chosen = row.min(last);
    }
    preview(state)
}

/// Closes the list; the theme is again the one there was before.
pub(super) fn close(state: &mut State) -> Vec<Effect> {
    match state.overlay.take() {
        Some(Overlay::Pick(Picker {
            of: Of::Themes { before },
            ..
        })) if before != state.theme => vec![Effect::Theme(before)],
        _ => Vec::new(),
    }
}
