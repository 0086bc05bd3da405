//! Typed lines in plain mode (without a screen). A text that was started but not sent stays a draft, as it would in a composer.

use super::plain_commands::{self, is_command};
use super::{actions, amend, paste, send};
use crate::chat::{RoomId, Seq};
use crate::tui::content::plain_lines;
use crate::tui::event::Effect;
use crate::tui::input::command;
use crate::tui::input::command::{CommandName, ParsedLine};
use crate::tui::lists::picker::rows;
use crate::tui::state::{Overlay, PrintedList, State, Tone, Writing};
use crate::tui::strings::fill;
use crate::tui::timeline::Anchor;

/// Sends or executes a typed line.
pub(super) fn line(state: &mut State, text: &str) -> Vec<Effect> {
    (state.screen.notice, state.overlays.top) = (None, None);
    state.timers.pressed_at = state.screen.now.instant;
    let parsed = command::parse(text);
    match &parsed {
        ParsedLine::Command(CommandName::Do, argument) => return act(state, argument),
        ParsedLine::Command(CommandName::Draft, argument) => return draft(state, argument),
        said if state.has_requested_room() && posts_to_current_room(said) => {
            let effects = paste::insert(state, text);
            state.show_notice(Tone::Problem, state.preferences.strings.command_running);
            return effects;
        }
        _ => {}
    }
    let shown = snapshot(state);
    let here = state.rooms.current;
    let writing = state.current().map(|room| room.writing);
    let begun = std::mem::take(state.composer_mut());
    state.composer_mut().set(text);
    let effects = send::enter(state);
    let ends_writing = match &parsed {
        ParsedLine::Command(name, _) => matches!(name, CommandName::Edit | CommandName::Reply),
        ParsedLine::Missing(_) | ParsedLine::Unknown { .. } => false,
        _ => true,
    };
    let composer = match here.map(|id| state.room_mut(id)) {
        Some(Some(room)) => {
            // A command does not end a started reply or edit.
            room.writing = writing.filter(|_| !ends_writing).unwrap_or(room.writing);
            &mut room.composer
        }
        // The room is gone, and its draft with it.
        Some(None) => return effects,
        None => &mut state.input.lobby,
    };
    let left = composer.text();
    // A command is still visible above, where it was typed. A message that could not be sent becomes the draft.
    let is_kept = !left.is_empty() && !is_command(&left);
    if !is_kept {
        *composer = begun;
    } else if !begun.is_empty() {
        composer.set(&format!("{}\n{left}", begun.text()));
    }
    if matches!(parsed, ParsedLine::Command(..)) {
        report_no_effect(state, &shown, &effects);
    }
    effects
}

/// Whether a line writes to the current room. Such a line is not sent while the user is waiting to enter another room.
fn posts_to_current_room(line: &ParsedLine) -> bool {
    match line {
        ParsedLine::Say(_) | ParsedLine::Substitute { .. } => true,
        ParsedLine::Command(name, _) => {
            matches!(
                name,
                CommandName::Me | CommandName::Reply | CommandName::Edit | CommandName::React
            )
        }
        _ => false,
    }
}

/// Closes an overlay that has been printed. Rows of a list can still be chosen with `/pick`.
pub(super) fn overlay_printed(state: &mut State) {
    if let Some(Overlay::Pick(picker)) = state.overlays.top.take() {
        // A number picks what was printed, even if the list has changed since.
        let takes = rows(state, &picker).into_iter().map(|row| row.action);
        let takes = takes.collect();
        state.overlays.printed_list = Some(PrintedList {
            picker,
            actions: takes,
        });
    }
}

/// `/draft`: shows, sends or discards the unsent text.
fn draft(state: &mut State, argument: &str) -> Vec<Effect> {
    let s = state.preferences.strings;
    if argument == "drop" && state.screen.is_plain && amend::cancel(state) {
        // The next line is an ordinary message again.
        if state.composer().is_empty() {
            state.show_notice(Tone::Info, s.draft_dropped);
            return Vec::new();
        }
    }
    if state.composer().is_empty() || !state.screen.is_plain {
        state.show_notice(Tone::Info, s.no_draft);
        return Vec::new();
    }
    match argument {
        "send" => return send::enter(state),
        "drop" => {
            state.composer_mut().set("");
            state.show_notice(Tone::Info, s.draft_dropped);
        }
        "" => {
            let words = plain_lines::draft(state, plain_lines::COLUMNS);
            state.show_notice(Tone::Info, words);
        }
        _ => {
            let words = fill(s.usage, &[&s.command(CommandName::Draft).usage]);
            state.show_notice(Tone::Problem, words);
        }
    }
    Vec::new()
}

/// The parts of the state whose changes are printed in plain mode.
type Snapshot = (
    Option<RoomId>,
    Option<Anchor>,
    Option<Seq>,
    Option<Writing>,
    usize,
    usize,
    bool,
);

fn snapshot(state: &State) -> Snapshot {
    let room = state.current();
    (
        state.rooms.current,
        room.map(|room| room.timeline.anchor()),
        room.and_then(|room| room.selected),
        room.map(|room| room.writing),
        state.composer().bytes(),
        state.screen.notices.len(),
        state.overlays.top.is_some(),
    )
}

/// Shows a notice if a command has changed nothing and requested nothing. Otherwise the user could not tell whether it
/// was executed.
fn report_no_effect(state: &mut State, before: &Snapshot, effects: &[Effect]) {
    let has_done = !effects.is_empty() || state.input.follow_up.is_some();
    if state.screen.is_plain && !has_done && snapshot(state) == *before {
        state.show_notice(Tone::Info, state.preferences.strings.nothing_changed);
    }
}

/// `/do ACTION`: performs the action of a key.
fn act(state: &mut State, argument: &str) -> Vec<Effect> {
    let Some(action) = plain_commands::requested(state, argument) else {
        return Vec::new();
    };
    let shown = snapshot(state);
    let effects = actions::perform(state, action);
    report_no_effect(state, &shown, &effects);
    effects
}
