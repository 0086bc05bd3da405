//! What moderators did in a room, and the list of its bans and mutes, from which they are lifted.

use super::post::post_change;
use super::viewport::{layout, show};
use crate::chat::{Body, Entry, RoomId, Ruling, Sanction, SanctionKind};
use crate::client::Command;
use crate::text;
use crate::tui::content::{moderation, system_lines};
use crate::tui::event::Effect;
use crate::tui::state::{Overlay, Picker, PickerKind, Room, State, Tone};
use crate::tui::strings::fill;

/// Columns of a row of the log that are not text: its edges, and the indent of a wrapped row.
const LOG_EDGES: u16 = 5;

/// Asks what moderators did in the current room.
pub(super) fn log(state: &mut State) -> Vec<Effect> {
    ask(state, Command::ListModeration)
}

/// Asks for the bans and mutes of the current room.
pub(super) fn bans(state: &mut State) -> Vec<Effect> {
    ask(state, Command::ListSanctions)
}

fn ask(state: &mut State, command: impl Fn(RoomId) -> Command) -> Vec<Effect> {
    if let Some(room) = state.rooms.current {
        return vec![Effect::Client(command(room))];
    }
    state.show_notice(Tone::Problem, state.preferences.strings.not_in_a_room);
    Vec::new()
}

/// Shows what moderators did, the newest first.
pub(super) fn set_log(state: &mut State, room: RoomId, entries: &[Entry]) {
    let s = state.preferences.strings;
    let zone = &state.screen.zone;
    let columns = usize::from(
        layout(state)
            .overlay()
            .width
            .saturating_sub(LOG_EDGES)
            .max(1),
    );
    let rows = |entry: &Entry| {
        let at = system_lines::clock(s, zone, entry.at_ms).unwrap_or_default();
        let words = system_lines::of(s, zone, entry);
        let line = text::line(&format!("{at}  {words}")).to_string();
        if state.screen.is_plain {
            return vec![line];
        }
        let rows = text::wrap(&line, columns).into_iter().enumerate();
        rows.map(|(n, range)| {
            let indent = if n > 0 { "  " } else { "" };
            format!("{indent}{}", line[range].trim_start())
        })
        .collect()
    };
    let mut lines: Vec<String> = entries.iter().flat_map(rows).collect();
    if lines.is_empty() {
        lines.push(s.moderation.log_empty.to_owned());
    }
    let title = fill(s.moderation.log_title, &[&label(state, room)]);
    state.overlays.announce(Overlay::List {
        title,
        lines,
        scroll: 0,
    });
}

/// Shows the bans and mutes of a room to choose from.
pub(super) fn set_bans(state: &mut State, room: RoomId, sanctions: Vec<Sanction>) {
    if sanctions.is_empty() {
        let words = state.preferences.strings.moderation.bans_empty;
        state.show_notice(Tone::Info, words);
        return;
    }
    let s = state.preferences.strings;
    let zone = &state.screen.zone;
    let with_words = |it: Sanction| {
        let words = moderation::of_sanction(s, zone, &it);
        (it, words)
    };
    let sanctions = sanctions.into_iter().map(with_words).collect();
    let list = PickerKind::Bans { room, sanctions };
    state.overlays.announce(Overlay::Pick(Picker::new(list)));
}

/// Lifts the ban or the mute that was chosen.
pub(super) fn lift(state: &mut State, room: RoomId, sanction: Sanction) -> Vec<Effect> {
    let mut effects = show(state, room);
    let ruling = match sanction.kind {
        SanctionKind::Ban => Ruling::Unbanned,
        SanctionKind::Mute => Ruling::Unmuted,
    };
    // If it is refused, nothing returns to the composer.
    effects.extend(post_change(
        state,
        String::new(),
        Body::Ruling(sanction.person, ruling),
    ));
    effects
}

fn label(state: &State, room: RoomId) -> String {
    let label = state.room(room).map(Room::label).unwrap_or_default();
    text::line(&label).to_string()
}
