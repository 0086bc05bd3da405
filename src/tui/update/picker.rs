//! Lists to choose from (lobby, palette, themes, mentions, links): opens them, filters them, updates them and acts on the chosen row.

use std::time::Duration;

use crate::chat::{Entry, RoomInfo};
use crate::client::Command;
use crate::tui::event::Effect;
use crate::tui::input::keymap::Action;
use crate::tui::lists::picker::rows;
use crate::tui::state::{Overlay, State};
use crate::tui::state::{Picker, PickerKind, RowAction};

/// The maximum number of messages listed because of a keyword.
const KEYWORD_LIMIT: usize = 100;
/// How often the rooms are requested while the lobby is open.
const REFRESH_INTERVAL: Duration = Duration::from_secs(2);

/// Opens the lobby with the known rooms and requests the current list.
pub(super) fn lobby(state: &mut State) -> Vec<Effect> {
    // Plain mode prints the list only once, so it waits for the current one.
    let known = &state.rooms.directory;
    let is_usable = !state.screen.is_plain && !known.is_empty();
    let known = is_usable.then(|| known.clone());
    state.overlays.top = Some(Overlay::Pick(Picker::new(PickerKind::Lobby(known))));
    state.timers.lobby_due = Some(state.screen.now.instant + REFRESH_INTERVAL);
    vec![Effect::Client(Command::ListRooms)]
}

pub(super) fn palette(state: &mut State) {
    state.overlays.top = Some(Overlay::Pick(Picker::new(PickerKind::Palette)));
}

/// Opens the list of themes with the current one chosen.
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

/// Previews the chosen theme; without a choice, restores the theme used before the list was opened.
pub(super) fn preview(state: &State) -> Vec<Effect> {
    let Some(Overlay::Pick(Picker {
        kind: PickerKind::Themes { before },
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

/// Opens the list of mentions and requests it from the server.
pub(super) fn mentions(state: &mut State) -> Vec<Effect> {
    state.overlays.top = Some(Overlay::Pick(Picker::new(PickerKind::Mentions(None))));
    vec![Effect::Client(Command::ListMentions)]
}

/// Closes the list of mentions because the request was refused.
pub(super) fn close_mentions(state: &mut State) {
    let is_open = |overlay: &mut Overlay| matches!(overlay, Overlay::Pick(picker) if matches!(picker.kind, PickerKind::Mentions(_)));
    drop(state.overlays.top.take_if(is_open));
}

/// Shows the mentions that the server found, plus loaded messages that contain a keyword.
pub(super) fn set_mentions(state: &mut State, mut entries: Vec<Entry>) {
    let said = state
        .rooms
        .list
        .iter()
        .flat_map(|room| room.timeline.messages());
    let named = said.filter(|entry| state.has_keyword(entry));
    let is_listed = |other: &Entry| {
        let mut entries = entries.iter();
        entries.any(|it| it.room == other.room && it.seq == other.seq)
    };
    let named: Vec<Entry> = named
        .filter(|it| !is_listed(it))
        .take(KEYWORD_LIMIT)
        .cloned()
        .collect();
    entries.extend(named);
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at_ms, entry.seq)));
    if let Some(Overlay::Pick(picker)) = &mut state.overlays.top
        && let PickerKind::Mentions(known) = &mut picker.kind
    {
        *known = Some(entries);
    }
}

/// Stores the current list of rooms. The chosen room stays chosen.
pub(super) fn set_rooms(state: &mut State, rooms: Vec<RoomInfo>) {
    let chosen = chosen(state);
    state.rooms.directory.clone_from(&rooms);
    let Some(Overlay::Pick(picker)) = &mut state.overlays.top else {
        return;
    };
    if let PickerKind::Lobby(known) = &mut picker.kind {
        *known = Some(rooms);
        if let Some(takes) = chosen {
            choose(state, &takes);
        }
    }
}

/// Requests the rooms again if it is time and the list of rooms is open.
pub(super) fn refresh_if_due(state: &mut State) -> Vec<Effect> {
    let is_open = matches!(&state.overlays.top, Some(Overlay::Pick(picker)) if matches!(picker.kind, PickerKind::Lobby(_)));
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
    state.timers.lobby_due = Some(state.screen.now.instant + REFRESH_INTERVAL);
    vec![Effect::Client(Command::ListRooms)]
}

pub(super) fn chosen(state: &State) -> Option<RowAction> {
    let Some(Overlay::Pick(picker)) = &state.overlays.top else {
        return None;
    };
    let rows = rows(state, picker);
    rows.get(picker.chosen).map(|row| row.action.clone())
}

pub(super) fn choose(state: &mut State, takes: &RowAction) {
    let Some(Overlay::Pick(picker)) = &state.overlays.top else {
        return;
    };
    let place = rows(state, picker)
        .iter()
        .position(|row| row.action == *takes);
    if let Some(Overlay::Pick(picker)) = &mut state.overlays.top {
        picker.chosen = place.unwrap_or(0);
    }
}

/// The action that opens a list, if there is one.
pub(super) fn opens(of: &PickerKind) -> Option<Action> {
    Some(match of {
        PickerKind::Lobby(_) => Action::Lobby,
        PickerKind::Palette => Action::Palette,
        PickerKind::Mentions(_) => Action::Mentions,
        PickerKind::Themes { .. } => Action::Themes,
        PickerKind::Search(_) => Action::Search,
        PickerKind::Links(_) => Action::OpenSelected,
        PickerKind::Requests | PickerKind::Bans { .. } => return None,
    })
}

/// Chooses a row, or the last one if there are fewer.
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

/// Closes the list. The list of themes restores the previous theme.
pub(super) fn close(state: &mut State) -> Vec<Effect> {
    match state.overlays.top.take() {
        Some(Overlay::Pick(Picker {
            kind: PickerKind::Themes { before },
            ..
        })) if before != state.preferences.theme => vec![Effect::Theme(before)],
        _ => Vec::new(),
    }
}
