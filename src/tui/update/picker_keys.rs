//! Choosing from an open list: its keys, clicks, and what a chosen row does.

use crossterm::event::KeyEvent;

use super::completion::text_changed;
use super::editing::apply_edit;
use super::picker::{chosen, close, opens, point, preview};
use super::viewport::{layout, show};
use super::{moderation, navigation, open, search, visit};
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
        Some(Overlay::Pick(picker)) if picker.chosen == row => activate_chosen(state),
        _ => point(state, row),
    }
}

/// Applies a key to the open list. Does not preview the row that is chosen afterwards.
pub(super) fn pressed(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let Some(Overlay::Pick(picker)) = &state.overlays.top else {
        return Vec::new();
    };
    let is_lobby = matches!(picker.kind, PickerKind::Lobby(_));
    if is_lobby && keymap::typed(key) == Some('n') && picker.filter.is_empty() {
        return command(state, "/create ");
    }
    match state.input.keymap.action(Context::Composer, key) {
        Some(Action::Send) => activate_chosen(state),
        Some(Action::Close) => close(state),
        Some(
            list @ (Action::Lobby
            | Action::Palette
            | Action::Mentions
            | Action::Search
            | Action::Themes
            | Action::Help),
        ) => switch_to(state, list),
        Some(Action::Quit) => vec![Effect::Quit],
        Some(
            step @ (Action::PageUp
            | Action::PageDown
            | Action::Up
            | Action::RoomBefore
            | Action::Down
            | Action::RoomAfter),
        ) => {
            move_choice(state, step);
            Vec::new()
        }
        Some(Action::Newline) => Vec::new(),
        action => edit_filter(state, key, action),
    }
}

/// Handles a key that opens a list while a list is open: the key of the open list closes it, the key of another list
/// switches to that list.
fn switch_to(state: &mut State, list: Action) -> Vec<Effect> {
    let Some(Overlay::Pick(picker)) = &state.overlays.top else {
        return Vec::new();
    };
    let is_same = opens(&picker.kind) == Some(list);
    let effects = close(state);
    if !is_same {
        state.input.follow_up = Some(list);
    }
    effects
}

/// Chooses another row. A single step wraps around at the ends.
fn move_choice(state: &mut State, step: Action) {
    // The title and headings take up to two rows and the hint one; one row of the previous page stays visible.
    let page = usize::from(layout(state).overlay().height.saturating_sub(4).max(1));
    let Some(Overlay::Pick(picker)) = &state.overlays.top else {
        return;
    };
    let last = rows(state, picker).len().saturating_sub(1);
    let Some(Overlay::Pick(picker)) = &mut state.overlays.top else {
        return;
    };
    let now = picker.chosen;
    picker.chosen = match step {
        Action::PageUp => now.saturating_sub(page),
        Action::PageDown => (now + page).min(last),
        Action::Up | Action::RoomBefore => now.checked_sub(1).unwrap_or(last),
        _ if now < last => now + 1,
        _ => 0,
    };
}

/// Edits the filter. If its text changes, the first row is chosen.
fn edit_filter(state: &mut State, key: KeyEvent, action: Option<Action>) -> Vec<Effect> {
    let Some(Overlay::Pick(picker)) = &mut state.overlays.top else {
        return Vec::new();
    };
    let is_change = match (action, keymap::typed(key)) {
        (Some(action), _) => apply_edit(&mut picker.filter, &mut state.input.kill_ring, action),
        (None, Some(c)) => {
            picker.filter.insert(c.encode_utf8(&mut [0; 4]));
            true
        }
        (None, None) => false,
    };
    if !is_change {
        return Vec::new();
    }
    picker.chosen = 0;
    search::changed(state)
}

pub(super) fn activate_chosen(state: &mut State) -> Vec<Effect> {
    let Some(takes) = chosen(state) else {
        return Vec::new();
    };
    let Some(Overlay::Pick(picker)) = state.overlays.top.take() else {
        return Vec::new();
    };
    perform_row(state, takes, picker)
}

/// Performs the action of a list row.
pub(super) fn perform_row(state: &mut State, takes: RowAction, picker: Picker) -> Vec<Effect> {
    match takes {
        RowAction::Show(room) => show(state, room),
        RowAction::Join(room) => {
            // Nothing was typed that would have to be restored if the server refuses.
            let effect = Effect::Client(Command::Join(room));
            state.posting.awaited_request = Some((effect.clone(), String::new()));
            vec![effect]
        }
        RowAction::Visit(room, seq) => match picker.kind {
            PickerKind::Search(hits) => {
                search::show_hit(state, *hits, picker.filter.text(), (room, seq))
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
        RowAction::Lift(room, sanction) => moderation::lift(state, room, *sanction),
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
        state.show_notice(Tone::Info, words);
    } else if state.composer().is_empty() {
        state.composer_mut().insert(begun);
        text_changed(state);
    } else {
        let words = state.preferences.strings.composer_in_use;
        state.show_notice(Tone::Problem, words);
    }
    Vec::new()
}
