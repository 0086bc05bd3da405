//! Typed lines in plain mode (without a screen). A text that was started but not sent stays a draft, as it would in a composer.

use super::plain_commands::{self, is_command};
use super::{actions, amend, paste, send};
use crate::chat::{RoomId, Seq};
use crate::tui::content::plain_lines;
use crate::tui::event::Effect;
use crate::tui::input::command;
use crate::tui::input::command::{Line, Name};
use crate::tui::lists::picker::rows;
use crate::tui::state::{Offered, Overlay, State, Tone, Writing};
use crate::tui::strings::fill;
use crate::tui::timeline::Anchor;

/// Sends or executes a typed line.
pub(super) fn line(state: &mut State, text: &str) -> Vec<Effect> {
    (state.screen.notice, state.overlays.top) = (None, None);
    state.timers.pressed_at = state.screen.now.instant;
    let parsed = command::parse(text);
    match &parsed {
        Line::Command(Name::Do, argument) => return act(state, argument),
        Line::Command(Name::Draft, argument) => return draft(state, argument),
        said if state.is_on_the_way() && is_said_here(said) => {
            let effects = paste::insert(state, text);
            state.say(Tone::Problem, state.preferences.strings.on_the_way);
            return effects;
        }
        _ => {}
    }
    let shown = told_of(state);
    let here = state.rooms.current;
    let writing = state.current().map(|room| room.writing);
    let begun = std::mem::take(state.composer_mut());
    state.composer_mut().set(text);
    let effects = send::enter(state);
    let ends_writing = match &parsed {
        Line::Command(name, _) => matches!(name, Name::Edit | Name::Reply),
        Line::Missing(_) | Line::Unknown { .. } => false,
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
    if matches!(parsed, Line::Command(..)) {
        say_if_nothing(state, &shown, &effects);
    }
    effects
}

/// Whether a line writes to the current room. It must not, while the user is waiting to enter another room.
fn is_said_here(line: &Line) -> bool {
    match line {
        Line::Say(_) | Line::Substitute { .. } => true,
        Line::Command(name, _) => {
            matches!(name, Name::Me | Name::Reply | Name::Edit | Name::React)
        }
        _ => false,
    }
}

/// Closes an overlay that has been printed. Rows of a list can still be chosen with `/pick`.
pub(super) fn read_out(state: &mut State) {
    if let Some(Overlay::Pick(picker)) = state.overlays.top.take() {
        // A number picks what was printed, even if the list has changed since.
        let takes = rows(state, &picker).into_iter().map(|row| row.takes);
        let takes = takes.collect();
        state.overlays.offered = Some(Offered { picker, takes });
    }
}

/// `/draft`: shows, sends or discards the unsent text.
fn draft(state: &mut State, argument: &str) -> Vec<Effect> {
    let s = state.preferences.strings;
    if argument == "drop" && state.screen.is_plain && amend::cancel(state) {
        // The next line is an ordinary message again.
        if state.composer().is_empty() {
            state.say(Tone::Info, s.draft_dropped);
            return Vec::new();
        }
    }
    if state.composer().is_empty() || !state.screen.is_plain {
        state.say(Tone::Info, s.no_draft);
        return Vec::new();
    }
    match argument {
        "send" => return send::enter(state),
        "drop" => {
            state.composer_mut().set("");
            state.say(Tone::Info, s.draft_dropped);
        }
        "" => {
            let words = plain_lines::draft(state, plain_lines::COLUMNS);
            state.say(Tone::Info, words);
        }
        _ => {
            let words = fill(s.usage, &[&s.command(Name::Draft).usage]);
            state.say(Tone::Problem, words);
        }
    }
    Vec::new()
}

/// The parts of the state whose changes are printed in plain mode.
type Shown = (
    Option<RoomId>,
    Option<Anchor>,
    Option<Seq>,
    Option<Writing>,
    usize,
    usize,
    bool,
);

fn told_of(state: &State) -> Shown {
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

/// Answers a command that changes nothing and requests nothing. Without an answer the user could not tell whether it was executed.
fn say_if_nothing(state: &mut State, before: &Shown, effects: &[Effect]) {
    let has_done = !effects.is_empty() || state.input.follow_up.is_some();
    if state.screen.is_plain && !has_done && told_of(state) == *before {
        state.say(Tone::Info, state.preferences.strings.nothing_changed);
    }
}

/// `/do ACTION`: does what a key does.
fn act(state: &mut State, argument: &str) -> Vec<Effect> {
    let Some(action) = plain_commands::requested(state, argument) else {
        return Vec::new();
    };
    let shown = told_of(state);
    let effects = actions::perform(state, action);
    say_if_nothing(state, &shown, &effects);
    effects
}
