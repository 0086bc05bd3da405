//! Selection mode: one message is selected, and single letters act on it.

use super::viewport::{on_screen, reveal};
use super::{amend, open, search, visit};
use crate::chat::Seq;
use crate::tui::event::Effect;
use crate::tui::input::keymap::Action;
use crate::tui::state::{Overlay, State, Tone};
use crate::tui::timeline::ItemKey;
use crate::tui::timeline::message_text::MessageText;

/// Selects the newest message on the screen, or leaves selection mode.
pub(super) fn toggle(state: &mut State) -> Vec<Effect> {
    let Some(room) = state.current_mut() else {
        return Vec::new();
    };
    if room.selected.take().is_none() {
        // If no message begins on the screen, select the newest loaded one.
        let newest = room.timeline.messages().next().map(|entry| entry.seq);
        let shown = on_screen(state).last().copied();
        if let Some(room) = state.current_mut() {
            room.selected = shown.or(newest);
        }
    }
    reveal(state)
}

pub(super) fn act(state: &mut State, seq: Seq, action: Action) -> Vec<Effect> {
    if action != Action::DeleteSelected {
        state.input.confirm = None;
    }
    match action {
        Action::SelectUp => return step(state, seq, true),
        Action::SelectDown => return step(state, seq, false),
        Action::Reply => amend::reply(state, seq),
        Action::EditSelected => amend::edit(state, seq),
        Action::DeleteSelected => return amend::delete(state, seq),
        Action::ReactSelected => amend::ask_reaction(state, seq),
        Action::CopySelected => return copy(state, seq),
        Action::OpenSelected => return open::open(state, seq),
        Action::ToOriginal => return amend::open_original(state, seq),
        Action::WhoReacted => amend::who_reacted(state, seq),
        Action::TurnFold => toggle_fold(state, seq),
        Action::NextHit => return search::step(state, 1),
        Action::HitBefore => return search::step(state, -1),
        _ => {
            leave(state);
            if state.result_cursor().is_some() {
                return visit::back(state).unwrap_or_default();
            }
        }
    }
    Vec::new()
}

/// Clears the selection.
pub(super) fn leave(state: &mut State) {
    state.input.confirm = None;
    if let Some(room) = state.current_mut() {
        room.selected = None;
    }
}

/// Unfolds or folds the long code of a message, or of the nearest message above it on the screen that has some.
pub(super) fn toggle_fold(state: &mut State, seq: Seq) {
    let folds = |seq: &Seq| {
        let said = state.current().and_then(|room| room.timeline.message(*seq));
        said.is_some_and(|entry| MessageText::of_body(&entry.body).folds())
    };
    let mut above = on_screen(state).into_iter().rev().filter(|it| *it < seq);
    let found = Some(seq).filter(folds).or_else(|| above.find(folds));
    match (found, state.current_mut()) {
        (Some(found), Some(room)) => {
            room.selected = room.selected.map(|_| found);
            room.timeline.toggle_fold(ItemKey::entry(found));
        }
        _ => state.show_notice(Tone::Info, state.preferences.strings.nothing_folds),
    }
}

/// Selects the next message up or down, if there is one.
fn step(state: &mut State, seq: Seq, is_up: bool) -> Vec<Effect> {
    if let Some(room) = state.current_mut() {
        let all = room.timeline.messages().map(|entry| entry.seq);
        let next = if is_up {
            all.filter(|other| *other < seq).max()
        } else {
            all.filter(|other| *other > seq).min()
        };
        room.selected = next.or(Some(seq));
    }
    reveal(state)
}

/// Copies the text of a message as it was written.
fn copy(state: &mut State, seq: Seq) -> Vec<Effect> {
    let said = state.current().and_then(|room| room.timeline.message(seq));
    let Some(text) = said.map(|entry| entry.body.text().to_owned()) else {
        return Vec::new();
    };
    if state.screen.is_plain {
        // Plain mode has no clipboard; the text is printed exactly as it was written.
        state.overlays.top = Some(Overlay::List {
            title: state.preferences.strings.as_written.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            scroll: 0,
        });
        return Vec::new();
    }
    state.show_notice(Tone::Info, state.preferences.strings.copied);
    vec![Effect::Copy(text)]
}
