//! The lobby and the palette: opened, filtered, kept up to date, chosen from.

use std::time::Duration;

use crossterm::event::KeyEvent;

use super::keys::{act, edits};
use super::{layout, open, search, send, show, visit};
use crate::chat::{Entry, RoomInfo};
use crate::client::Command;
use crate::tui::event::Effect;
use crate::tui::input::command::COMMANDS;
use crate::tui::input::keymap;
use crate::tui::input::keymap::{Action, Context};
use crate::tui::lists::picker::{Of, Picker, Takes, rows};
use crate::tui::state::{Overlay, State};
use crate::tui::strings::fill;

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
fn preview(state: &State) -> Vec<Effect> {
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

pub(super) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let mut effects = pressed(state, key);
    effects.extend(preview(state));
    effects
}

/// What opens a list.
fn opens(of: &Of) -> Action {
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

/// Chooses a row, and takes the one that is chosen already.
pub(super) fn click(state: &mut State, row: usize) -> Vec<Effect> {
    match &state.overlay {
        Some(Overlay::Pick(picker)) if picker.chosen == row => take_chosen(state),
        _ => point(state, row),
    }
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

fn pressed(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Some(Overlay::Pick(picker)) = &state.overlay else {
        return Vec::new();
    };
    let count = rows(state, picker).len();
    let is_lobby = matches!(picker.of, Of::Lobby(_));
    // A list has at most two rows for title and heads, one for the hint, and one of the page before stays.
    let page = usize::from(layout(state).overlay().height.saturating_sub(4).max(1));
    let Some(Overlay::Pick(picker)) = &mut state.overlay else {
        return Vec::new();
    };
    if is_lobby && keymap::typed(key) == Some('n') && picker.filter.is_empty() {
        return command(state, "/create ");
    }
    let action = state.keymap.action(Context::Composer, key);
    let Some(Overlay::Pick(picker)) = &mut state.overlay else {
        return Vec::new();
    };
    match action {
        Some(Action::Send) => return take_chosen(state),
        Some(Action::Close) => return close(state),
        // The key of the list that is open closes it, that of another opens that.
        Some(
            other @ (Action::Lobby
            | Action::Palette
            | Action::Mentions
            | Action::Search
            | Action::Themes
            | Action::Help),
        ) => {
            let is_same = opens(&picker.of) == other;
            let mut effects = close(state);
            if !is_same {
                effects.extend(act(state, other));
            }
            return effects;
        }
        Some(Action::PageUp) => picker.chosen = picker.chosen.saturating_sub(page),
        Some(Action::PageDown) => {
            picker.chosen = (picker.chosen + page).min(count.saturating_sub(1));
        }
        Some(Action::Quit) => return vec![Effect::Quit],
        Some(Action::Up | Action::RoomBefore) => {
            picker.chosen = picker
                .chosen
                .checked_sub(1)
                .unwrap_or(count.saturating_sub(1));
        }
        Some(Action::Down | Action::RoomAfter) => {
            picker.chosen = if picker.chosen + 1 < count {
                picker.chosen + 1
            } else {
                0
            };
        }
        Some(Action::Newline) => {}
        Some(action) => {
            if edits(&mut picker.filter, &mut state.killed, action) {
                picker.chosen = 0;
                return search::changed(state);
            }
        }
        None => {
            if let Some(c) = keymap::typed(key) {
                picker.filter.insert(c.encode_utf8(&mut [0; 4]));
                picker.chosen = 0;
                return search::changed(state);
            }
        }
    }
    Vec::new()
}

fn take_chosen(state: &mut State) -> Vec<Effect> {
    let Some(takes) = chosen(state) else {
        return Vec::new();
    };
    let Some(Overlay::Pick(picker)) = state.overlay.take() else {
        return Vec::new();
    };
    take_from(state, takes, picker)
}

/// Does what a row of a list does.
pub(super) fn take_from(state: &mut State, takes: Takes, picker: Picker) -> Vec<Effect> {
    match takes {
        Takes::Show(room) => show(state, room),
        Takes::Join(name) => {
            // Nothing was typed that would come back.
            let effect = Effect::Client(Command::Join(name));
            state.asked = Some((effect.clone(), String::new()));
            vec![effect]
        }
        Takes::Visit(room, seq) => match picker.of {
            Of::Search(hits) => search::begin(state, *hits, picker.filter.text(), (room, seq)),
            _ => visit::visit(state, room, seq),
        },
        Takes::Act(action) => act(state, action),
        Takes::Set(setting) => command(state, &format!("/set {} ", setting.name())),
        Takes::Theme(theme) if theme == state.theme => Vec::new(),
        Takes::Theme(theme) => vec![Effect::Theme(theme)],
        Takes::Open(name) => send::open(state, &name),
        Takes::Link(address) => open::open_link(state, &address),
        Takes::Command(name) => {
            let known = COMMANDS.iter().find(|known| known.name == name);
            known.map_or_else(Vec::new, |known| {
                let begun = format!("/{} ", known.word);
                command(state, &begun)
            })
        }
    }
}

/// Begins a command in the composer; what was being written there is not lost for it.
fn command(state: &mut State, begun: &str) -> Vec<Effect> {
    state.overlay = None;
    if state.is_plain {
        let name = begun.trim_start_matches('/').trim_end();
        let known = COMMANDS.iter().find(|known| known.word == name);
        let usage = known.map_or(begun, |known| state.strings.command(known.name).usage);
        let words = fill(state.strings.usage, &[&usage]);
        state.say(crate::tui::state::Tone::Info, words);
    } else if state.composer().is_empty() {
        state.composer_mut().insert(begun);
        super::typed(state);
    } else {
        let words = state.strings.composer_in_use;
        state.say(crate::tui::state::Tone::Problem, words);
    }
    Vec::new()
}
