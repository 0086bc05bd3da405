//! Drafts: text that is typed but not sent is saved to disk within a second.

use std::time::Duration;

use crate::chat::Invite;
use crate::client::Command;
use crate::client::cache::Drafts;
use crate::tui::event::Effect;
use crate::tui::state::State;

/// The delay between the first changed character and saving.
const WITHIN: Duration = Duration::from_millis(500);

/// Schedules saving if the current draft differs from the saved one.
pub(super) fn schedule_save(state: &mut State) {
    let is_saved = match state.current() {
        Some(room) => room.is_saved(),
        None => state.input.lobby.has_text(&state.input.lobby_drafted),
    };
    if !is_saved && state.timers.drafts_due.is_none() {
        state.timers.drafts_due = Some(state.screen.now.instant + WITHIN);
    }
}

/// Saves the drafts if saving is due.
pub(super) fn store_if_due(state: &mut State) -> Vec<Effect> {
    if state
        .timers
        .drafts_due
        .is_some_and(|due| due <= state.screen.now.instant)
    {
        flush(state)
    } else {
        Vec::new()
    }
}

/// Returns effects that save all drafts that differ from the saved ones.
pub fn flush(state: &mut State) -> Vec<Effect> {
    state.timers.drafts_due = None;
    let mut effects = Vec::new();
    let mut keep = |room, text: String, drafted: &mut String| {
        // An invitation is a secret and is not stored.
        if text != *drafted && !Invite::is_in(&text) {
            drafted.clone_from(&text);
            effects.push(Effect::Client(Command::Draft { room, text }));
        }
    };
    keep(
        None,
        state.input.lobby.text(),
        &mut state.input.lobby_drafted,
    );
    for room in &mut state.rooms.list {
        keep(Some(room.info.id), room.draft(), &mut room.drafted);
    }
    effects
}

/// Restores saved drafts. Text that is already in a composer stays first, and nothing is lost.
pub(super) fn restore(state: &mut State, drafts: Drafts) {
    for (room, text) in drafts {
        let (composer, drafted) = match room {
            None => (&mut state.input.lobby, &mut state.input.lobby_drafted),
            Some(id) => match state.room_mut(id) {
                Some(room) => (&mut room.composer, &mut room.drafted),
                None => continue,
            },
        };
        if composer.is_empty() {
            composer.insert(&text);
            *drafted = text;
        } else if composer.text() != text {
            composer.insert(&format!("\n{text}"));
        }
    }
}
