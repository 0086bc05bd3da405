//! The lobby and the palette: opened, filtered, kept up to date, chosen from.

use std::time::Duration;

use crate::chat::{Entry, RoomInfo};
use crate::client::Command;
use crate::tui::event::Effect;
use crate::tui::input::keymap::Action;
use crate::tui::lists::picker::rows;
use crate::tui::state::{Overlay, State};
use crate::tui::state::{Picker, PickerKind, RowAction};

/// Messages with a word of ours that are listed.
const NAMED: usize = 100;
/// How often the rooms are asked for while the lobby is open.
const EVERY: Duration = Duration::from_secs(2);

/// Opens the lobby with what is known, and asks for the rest.
pub(super) fn lobby(state: &mut State) -> Vec<Effect> {
    // Where it is told once, it is told as it is now.
    let known = if state.screen.is_plain {
        Vec::new()
    } else {
        state.rooms.directory.clone()
    };
    state.overlays.top = Some(Overlay::Pick(Picker::new(PickerKind::Lobby(known))));
    state.timers.lobby_due = Some(state.screen.now.instant + EVERY);
    vec![Effect::Client(Command::ListRooms)]
}

pub(super) fn palette(state: &mut State) {
    state.overlays.top = Some(Overlay::Pick(Picker::new(PickerKind::Palette)));
}

/// Opens the themes, with the present one chosen.
pub(super) fn themes(state: &mut State) {
    let before = state.preferences.theme.clone();
    let chosen = state
        .preferences
        .themes
        .iter()
        .position(|theme| *theme == before);
    let picker = Picker {
        chosen: chosen.unwrap_or(0),
        ..Picker::new(PickerKind::Themes { before })
    };
    state.overlays.top = Some(Overlay::Pick(picker));
}

/// Shows the room in the theme that is chosen, or again in the one there was before.
pub(super) fn preview(state: &State) -> Vec<Effect> {
    let Some(Overlay::Pick(Picker {
        of: PickerKind::Themes { before },
        ..
    })) = &state.overlays.top
    else {
        return Vec::new();
    };
    let wanted = match chosen(state) {
        Some(RowAction::Theme(theme)) => theme,
        _ => before.clone(),
    };
    if wanted == state.preferences.theme {
        return Vec::new();
    }
    vec![Effect::Theme(wanted)]
}

/// Opens what calls us, and asks for it.
pub(super) fn mentions(state: &mut State) -> Vec<Effect> {
    state.overlays.top = Some(Overlay::Pick(Picker::new(PickerKind::Mentions(None))));
    vec![Effect::Client(Command::ListMentions)]
}

/// It cannot be asked for now.
pub(super) fn close_mentions(state: &mut State) {
    let is_open = |overlay: &mut Overlay| matches!(overlay, Overlay::Pick(picker) if matches!(picker.of, PickerKind::Mentions(_)));
    drop(state.overlays.top.take_if(is_open));
}

/// What the server found, and what has a word of ours among what is loaded here.
pub(super) fn take_mentions(state: &mut State, mut entries: Vec<Entry>) {
    let said = state
        .rooms
        .list
        .iter()
        .flat_map(|room| room.timeline.all_said());
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
    if let Some(Overlay::Pick(picker)) = &mut state.overlays.top
        && let PickerKind::Mentions(known) = &mut picker.of
    {
        *known = Some(entries);
    }
}

/// The rooms there are now; whichever was chosen stays so.
pub(super) fn take(state: &mut State, rooms: Vec<RoomInfo>) {
    let chosen = chosen(state);
    state.rooms.directory.clone_from(&rooms);
    let Some(Overlay::Pick(picker)) = &mut state.overlays.top else {
        return;
    };
    if let PickerKind::Lobby(known) = &mut picker.of {
        *known = rooms;
        if let Some(takes) = chosen {
            choose(state, &takes);
        }
    }
}

/// Asks again, if it is time and somebody looks.
pub(super) fn due(state: &mut State) -> Vec<Effect> {
    let is_open = matches!(&state.overlays.top, Some(Overlay::Pick(picker)) if matches!(picker.of, PickerKind::Lobby(_)));
    if !is_open {
        state.timers.lobby_due = None;
    }
    let is_due = state
        .timers
        .lobby_due
        .is_some_and(|due| due <= state.screen.now.instant);
    if !is_due {
        return Vec::new();
    }
    state.timers.lobby_due = Some(state.screen.now.instant + EVERY);
    vec![Effect::Client(Command::ListRooms)]
}

pub(super) fn chosen(state: &State) -> Option<RowAction> {
    let Some(Overlay::Pick(picker)) = &state.overlays.top else {
        return None;
    };
    let rows = rows(state, picker);
    rows.get(picker.chosen).map(|row| row.takes.clone())
}

pub(super) fn choose(state: &mut State, takes: &RowAction) {
    let Some(Overlay::Pick(picker)) = &state.overlays.top else {
        return;
    };
    let place = rows(state, picker)
        .iter()
        .position(|row| row.takes == *takes);
    if let Some(Overlay::Pick(picker)) = &mut state.overlays.top {
        picker.chosen = place.unwrap_or(0);
    }
}

/// What opens a list.
pub(super) fn opens(of: &PickerKind) -> Action {
    match of {
        PickerKind::Lobby(_) => Action::Lobby,
        PickerKind::Palette => Action::Palette,
        PickerKind::Mentions(_) => Action::Mentions,
        PickerKind::Themes { .. } => Action::Themes,
        PickerKind::Search(_) => Action::Search,
        PickerKind::Links(_) => Action::OpenSelected,
    }
}

/// Chooses a row, as far as there are rows.
pub(super) fn point(state: &mut State, row: usize) -> Vec<Effect> {
    let Some(Overlay::Pick(picker)) = &state.overlays.top else {
        return Vec::new();
    };
    let last = rows(state, picker).len().saturating_sub(1);
    if let Some(Overlay::Pick(picker)) = &mut state.overlays.top {
        picker.chosen = row.min(last);
    }
    preview(state)
}

/// Closes the list; the theme is again the one there was before.
pub(super) fn close(state: &mut State) -> Vec<Effect> {
    match state.overlays.top.take() {
        Some(Overlay::Pick(Picker {
            of: PickerKind::Themes { before },
            ..
        })) if before != state.preferences.theme => vec![Effect::Theme(before)],
        _ => Vec::new(),
    }
}
