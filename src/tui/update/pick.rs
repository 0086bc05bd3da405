//! Choosing from an open list: its keys, clicks, and what a chosen row does.

use crossterm::event::KeyEvent;

use super::completion::typed;
use super::editing::edits;
use super::picker::{chosen, close, opens, point, preview};
use super::viewport::{layout, show};
use super::{navigation, open, search, visit};
use crate::client::Command;
use crate::tui::event::Effect;
use crate::tui::input::command::COMMANDS;
use crate::tui::input::keymap::Context;
use crate::tui::input::keymap::{self, Action};
use crate::tui::lists::picker::rows;
use crate::tui::state::{Overlay, Picker, PickerKind, RowAction, State, Tone};
use crate::tui::strings::fill;

pub(super) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let mut effects = pressed(state, key);
    effects.extend(preview(state));
    effects
}

/// Chooses a row; a click on the chosen row activates it.
pub(super) fn click(state: &mut State, row: usize) -> Vec<Effect> {
    match &state.overlays.top {
        Some(Overlay::Pick(picker)) if picker.chosen == row => take_chosen(state),
        _ => point(state, row),
    }
}

pub(super) fn pressed(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Some(Overlay::Pick(picker)) = &state.overlays.top else {
        return Vec::new();
    };
    let count = rows(state, picker).len();
    let is_lobby = matches!(picker.of, PickerKind::Lobby(_));
    // The title and headings take up to two rows and the hint one; one row of the previous page stays visible.
    let page = usize::from(layout(state).overlay().height.saturating_sub(4).max(1));
    let Some(Overlay::Pick(picker)) = &mut state.overlays.top else {
        return Vec::new();
    };
    if is_lobby && keymap::typed(key) == Some('n') && picker.filter.is_empty() {
        return command(state, "/create ");
    }
    let action = state.input.keymap.action(Context::Composer, key);
    let Some(Overlay::Pick(picker)) = &mut state.overlays.top else {
        return Vec::new();
    };
    match action {
        Some(Action::Send) => return take_chosen(state),
        Some(Action::Close) => return close(state),
        // The key of the open list closes it; the key of another list opens that one.
        Some(
            other @ (Action::Lobby
            | Action::Palette
            | Action::Mentions
            | Action::Search
            | Action::Themes
            | Action::Help),
        ) => {
            let is_same = opens(&picker.of) == other;
            let effects = close(state);
            if !is_same {
                state.input.follow_up = Some(other);
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
            if edits(&mut picker.filter, &mut state.input.kill_ring, action) {
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

pub(super) fn take_chosen(state: &mut State) -> Vec<Effect> {
    let Some(takes) = chosen(state) else {
        return Vec::new();
    };
    let Some(Overlay::Pick(picker)) = state.overlays.top.take() else {
        return Vec::new();
    };
    take_from(state, takes, picker)
}

/// Performs the action of a list row.
pub(super) fn take_from(state: &mut State, takes: RowAction, picker: Picker) -> Vec<Effect> {
    match takes {
        RowAction::Show(room) => show(state, room),
        RowAction::Join(name) => {
            // Nothing was typed that would have to be restored if the server refuses.
            let effect = Effect::Client(Command::Join(name));
            state.posting.asked = Some((effect.clone(), String::new()));
            vec![effect]
        }
        RowAction::Visit(room, seq) => match picker.of {
            PickerKind::Search(hits) => {
                search::begin(state, *hits, picker.filter.text(), (room, seq))
            }
            _ => visit::visit(state, room, seq),
        },
        RowAction::Act(action) => {
            state.input.follow_up = Some(action);
            Vec::new()
        }
        RowAction::Set(setting) => command(state, &format!("/set {} ", setting.name())),
        RowAction::Theme(theme) if theme == state.preferences.theme => Vec::new(),
        RowAction::Theme(theme) => vec![Effect::Theme(theme)],
        RowAction::Open(name) => navigation::open(state, &name),
        RowAction::Link(address) => open::open_link(state, &address),
        RowAction::Command(name) => {
            let known = COMMANDS.iter().find(|known| known.name == name);
            known.map_or_else(Vec::new, |known| {
                let begun = format!("/{} ", known.word);
                command(state, &begun)
            })
        }
    }
}

/// Puts the start of a command into the composer, unless a draft is there.
pub(super) fn command(state: &mut State, begun: &str) -> Vec<Effect> {
    state.overlays.top = None;
    if state.screen.is_plain {
        let name = begun.trim_start_matches('/').trim_end();
        let known = COMMANDS.iter().find(|known| known.word == name);
        let usage = known.map_or(begun, |known| {
            state.preferences.strings.command(known.name).usage
        });
        let words = fill(state.preferences.strings.usage, &[&usage]);
        state.say(Tone::Info, words);
    } else if state.composer().is_empty() {
        state.composer_mut().insert(begun);
        typed(state);
    } else {
        let words = state.preferences.strings.composer_in_use;
        state.say(Tone::Problem, words);
    }
    Vec::new()
}
