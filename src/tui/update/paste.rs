//! Long texts: from the person's own editor, and pasted.

use crossterm::event::KeyEvent;

use super::completion::typed;
use super::editing::edits_line;
use super::search;
use crate::chat::RoomId;
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::keymap::{Action, Context};
use crate::tui::state::{Overlay, State, Tone};
use crate::tui::strings::fill;
use crate::tui::timeline::message_text::FOLDED_FROM;

/// Bytes that are pasted at once; a message is far smaller.
const BYTES: usize = 60_000;

/// Takes what is written here to the editor.
pub(super) fn edit(state: &State) -> Vec<Effect> {
    let text = state.composer().text();
    let room = state.rooms.current;
    vec![Effect::Edit { room, text }]
}

/// What came out of the editor is what is written there now; undo brings back what was.
pub(super) fn edited(state: &mut State, room: Option<RoomId>, text: Result<String, String>) {
    let text = match text {
        Ok(text) => text,
        Err(why) => return state.say(Tone::Problem, text::line(&why).to_string()),
    };
    if room == state.rooms.current {
        if text != state.composer().text() {
            state.composer_mut().set(&text);
            typed(state);
            state.input.popup = None;
        }
        return;
    }
    match room.and_then(|room| state.room_mut(room)) {
        Some(room) => room.composer.set(&text),
        // The room is no more; beside what is written elsewhere it is not lost.
        None => state.composer_mut().insert(&text),
    }
}

/// Pasted text is put in, whatever it holds: it never sends.
pub(super) fn insert(state: &mut State, text: &str) -> Vec<Effect> {
    if state.screen.is_plain {
        // Nobody writes into a list that is not shown.
        state.overlays.top = None;
    }
    match &mut state.overlays.top {
        Some(
            Overlay::Name { composer, .. }
            | Overlay::React { composer, .. }
            | Overlay::Snippet { composer, .. },
        ) => {
            composer.insert(text.lines().next().unwrap_or_default());
        }
        Some(Overlay::Pick(picker)) => {
            picker
                .filter
                .insert(text.lines().next().unwrap_or_default());
            picker.chosen = 0;
            return search::changed(state);
        }
        Some(Overlay::Help { filter, scroll }) => {
            filter.insert(text.lines().next().unwrap_or_default());
            *scroll = 0;
        }
        Some(Overlay::List { .. } | Overlay::Link { .. }) => {}
        None => into_composer(state, text),
    }
    Vec::new()
}

/// Pasted text is put in, whatever it holds, or asked about if it is long: it never sends.
fn into_composer(state: &mut State, text: &str) {
    let bytes = state.composer().bytes() + text.len();
    if bytes > BYTES {
        let words = fill(state.preferences.strings.paste_too_long, &[&bytes, &BYTES]);
        return state.say(Tone::Problem, words);
    }
    if text.lines().count() > FOLDED_FROM && !state.screen.is_plain {
        let (text, composer) = (text.to_owned(), Box::default());
        state.overlays.top = Some(Overlay::Snippet { text, composer });
        return;
    }
    if state.screen.is_plain && !state.composer().is_empty() {
        // Beside what waits already.
        state.composer_mut().insert("\n");
    }
    state.composer_mut().insert(text);
    typed(state);
}

/// What was pasted and not decided on is in the composer before something else is asked.
pub(super) fn keep(state: &mut State) {
    let is_open = |overlay: &mut Overlay| matches!(overlay, Overlay::Snippet { .. });
    if let Some(Overlay::Snippet { text, .. }) = state.overlays.top.take_if(is_open) {
        state.composer_mut().insert(&text);
        typed(state);
    }
}

/// Enter makes it code of the language that was typed, Esc leaves it as it is; either way it is in the composer and not sent.
pub(super) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let action = state.input.keymap.action(Context::Composer, key);
    let Some(Overlay::Snippet { composer, text }) = &mut state.overlays.top else {
        return Vec::new();
    };
    let pasted = match action {
        Some(Action::Send) => {
            let fence = fence(text);
            let language = composer.text();
            // Nothing else may stand behind a fence.
            let is_of_name = |c: &char| c.is_alphanumeric() || "+-#._".contains(*c);
            let language: String = language.chars().filter(is_of_name).collect();
            let code = text.trim_end_matches('\n');
            format!("{fence}{language}\n{code}\n{fence}\n")
        }
        Some(Action::Close) => std::mem::take(text),
        Some(Action::Quit) => {
            keep(state);
            return vec![Effect::Quit];
        }
        action => {
            edits_line(composer, &mut state.input.kill_ring, action, key);
            return Vec::new();
        }
    };
    state.overlays.top = None;
    let begins_line = state.composer().before().is_empty();
    let is_code = action == Some(Action::Send);
    if is_code && !begins_line {
        state.composer_mut().newline();
    }
    state.composer_mut().insert(&pasted);
    typed(state);
    Vec::new()
}

/// A fence that is longer than any in the text.
fn fence(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}
