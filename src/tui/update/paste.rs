//! Long texts: edited in the user's own editor, or pasted.

use crossterm::event::KeyEvent;

use super::completion::text_changed;
use super::editing::edit_line;
use super::search;
use crate::chat::RoomId;
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::command;
use crate::tui::input::keymap::{Action, Context};
use crate::tui::state::{Overlay, State, Tone};
use crate::tui::strings::fill;
use crate::tui::timeline::message_text::FOLDED_FROM;

/// The maximum number of bytes in the composer after a paste; a message is far smaller.
const COMPOSER_BYTE_LIMIT: usize = 60_000;

/// Opens the composer's text in the editor.
pub(super) fn edit(state: &State) -> Vec<Effect> {
    let text = state.composer().text();
    let room = state.rooms.current;
    vec![Effect::Edit { room, text }]
}

/// Replaces the draft with the text from the editor. Undo restores the earlier one.
pub(super) fn edited(state: &mut State, room: Option<RoomId>, text: Result<String, String>) {
    let text = match text {
        Ok(text) => text,
        Err(why) => return state.show_notice(Tone::Problem, text::line(&why).to_string()),
    };
    if room == state.rooms.current {
        if text != state.composer().text() {
            state.composer_mut().set(&text);
            text_changed(state);
            state.input.popup = None;
        }
        return;
    }
    match room.and_then(|room| state.room_mut(room)) {
        Some(room) => room.composer.set(&text),
        // The room is gone. The text is added to the current draft, so that it is not lost.
        None => state.composer_mut().insert(&text),
    }
}

/// Inserts pasted text where the user is typing. A paste never sends anything.
pub(super) fn insert(state: &mut State, text: &str) -> Vec<Effect> {
    if state.screen.is_plain {
        // Plain mode shows no list that text could be typed into.
        state.overlays.top = None;
    }
    match &mut state.overlays.top {
        Some(
            Overlay::Name { composer, .. }
            | Overlay::React { composer, .. }
            | Overlay::Snippet { composer, .. }
            | Overlay::Trust { composer, .. },
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

/// Inserts pasted text. If it is long, first asks whether it is code. A paste never sends anything.
fn into_composer(state: &mut State, text: &str) {
    let bytes = state.composer().bytes() + text.len();
    if bytes > COMPOSER_BYTE_LIMIT {
        let words = fill(
            state.preferences.strings.paste_too_long,
            &[&bytes, &COMPOSER_BYTE_LIMIT],
        );
        return state.show_notice(Tone::Problem, words);
    }
    if text.lines().count() > FOLDED_FROM && !state.screen.is_plain {
        let (text, composer) = (text.to_owned(), Box::default());
        state.overlays.top = Some(Overlay::Snippet { text, composer });
        return;
    }
    if state.screen.is_plain && !state.composer().is_empty() {
        // Added below the existing draft.
        state.composer_mut().insert("\n");
    }
    if state.composer().is_empty() {
        state.composer_mut().insert(&command::literal(text));
    } else {
        state.composer_mut().insert(text);
    }
    text_changed(state);
}

/// Inserts the paste of an open snippet overlay into the composer, so that it is not lost.
pub(super) fn insert_pending_paste(state: &mut State) {
    let is_open = |overlay: &mut Overlay| matches!(overlay, Overlay::Snippet { .. });
    if let Some(Overlay::Snippet { text, .. }) = state.overlays.top.take_if(is_open) {
        state.composer_mut().insert(&text);
        text_changed(state);
    }
}

/// Handles a key in the snippet overlay: Enter inserts the paste as a code block in the typed language, Esc inserts it
/// unchanged. Neither sends it.
pub(super) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let action = state.input.keymap.action(Context::Composer, key);
    let Some(Overlay::Snippet { composer, text }) = &mut state.overlays.top else {
        return Vec::new();
    };
    let pasted = match action {
        Some(Action::Send) => {
            let fence = fence(text);
            let language = composer.text();
            // Nothing but the language may follow a fence.
            let is_language_char = |c: &char| c.is_alphanumeric() || "+-#._".contains(*c);
            let language: String = language.chars().filter(is_language_char).collect();
            let code = text.trim_end_matches('\n');
            format!("{fence}{language}\n{code}\n{fence}\n")
        }
        Some(Action::Close) => std::mem::take(text),
        Some(Action::Quit) => {
            insert_pending_paste(state);
            return vec![Effect::Quit];
        }
        action => {
            edit_line(composer, &mut state.input.kill_ring, action, key);
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
    text_changed(state);
    Vec::new()
}

/// Returns a fence longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}
