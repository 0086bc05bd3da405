//! Jumps and the way back: to a message in another room, to the next unread room, and to the first unread message.

use super::viewport::{layout, load_older, rows_layout, show};
use crate::chat::{RoomId, Seq};
use crate::client::Command;
use crate::tui::event::Effect;
use crate::tui::state::{Room, Seeking, State, Tone, UnreadTour, Visit};
use crate::tui::timeline::{Anchor, ItemKey};

/// The requested page ends this many entries after the one to be shown.
const AROUND: u64 = 100;

/// Shows a message in its room, with the messages around it; Esc returns to the previous place.
pub(super) fn visit(state: &mut State, id: RoomId, seq: Seq) -> Vec<Effect> {
    if state.room(id).is_none() {
        state.show_notice(Tone::Problem, state.preferences.strings.not_in_a_room);
        return Vec::new();
    }
    let here = state
        .current()
        .map(|room| (room.info.id, room.timeline.anchor()));
    let mut effects = show(state, id);
    state.rooms.visit = Some(Visit {
        home: here,
        result_cursor: None,
    });
    let Some(room) = state.room_mut(id) else {
        return effects;
    };
    room.timeline.uncover();
    room.found = Some(seq);
    if room.timeline.place(ItemKey::entry(seq)).is_some() {
        centre(state, id, seq);
        effects.extend(load_older(state));
    } else {
        effects.push(seek(room, seq));
    }
    effects
}

/// Requests the page with an entry. The entry is shown as soon as the page arrives.
fn seek(room: &mut Room, seq: Seq) -> Effect {
    let before = Seq(seq.0.saturating_add(AROUND));
    room.seeking = Some(Seeking { seq, before });
    Effect::Client(Command::LoadOlder {
        room: room.info.id,
        before,
    })
}

/// Handles a loaded page: shows the requested entry if it is loaded now. A page of long messages may start after that
/// entry; then the page before it is requested.
pub(super) fn page_loaded(
    state: &mut State,
    id: RoomId,
    page: Seq,
    oldest: Option<Seq>,
) -> Vec<Effect> {
    let Some(room) = state.room_mut(id) else {
        return Vec::new();
    };
    let Some(Seeking { seq, before }) = room.seeking else {
        return Vec::new();
    };
    if room.timeline.place(ItemKey::entry(seq)).is_some() {
        room.seeking = None;
        centre(state, id, seq);
        select_hit(state);
    } else if page != before {
        // The page was requested for another reason.
    } else if let Some(before) = oldest.filter(|oldest| *oldest > seq) {
        room.seeking = Some(Seeking { seq, before });
        return vec![Effect::Client(Command::LoadOlder { room: id, before })];
    } else {
        room.seeking = None;
        state.show_notice(Tone::Problem, state.preferences.strings.message_unavailable);
    }
    Vec::new()
}

/// Selects the shown search hit, so that single letters step to the others.
pub(super) fn select_hit(state: &mut State) {
    if state.result_cursor().is_none() {
        return;
    }
    if let Some(room) = state.current_mut() {
        room.selected = room
            .found
            .filter(|seq| room.timeline.place(ItemKey::entry(*seq)).is_some());
    }
}

/// Scrolls so that an entry is in the middle of the screen.
fn centre(state: &mut State, id: RoomId, seq: Seq) {
    let area = layout(state).messages;
    let height = usize::from(area.height);
    let Some(room) = state.room(id) else { return };
    let rows = rows_layout(state, area.width, room.timeline.name_columns());
    let of = |index: usize| rows.height(&room.timeline, index);
    let Some(place) = room.timeline.place(ItemKey::entry(seq)) else {
        return;
    };
    let anchor = room.timeline.centred(place, height, of);
    if let Some(room) = state.room_mut(id) {
        room.timeline.set_anchor(anchor);
    }
}

/// Returns to the place before the visit; `None` if there was no visit.
pub(super) fn back(state: &mut State) -> Option<Vec<Effect>> {
    let (id, anchor) = state.rooms.visit.take()?.home?;
    state.room(id)?;
    if let Some(room) = state.current_mut() {
        room.selected = None;
    }
    let mut effects = show(state, id);
    if let Some(room) = state.room_mut(id) {
        room.timeline.set_anchor(anchor);
    }
    effects.extend(load_older(state));
    Some(effects)
}

/// Switches to the next unread room, those with mentions first. After the last one, returns to the room where this began.
pub(super) fn next_unread(state: &mut State) -> Vec<Effect> {
    let Some(here) = state.rooms.current else {
        return Vec::new();
    };
    let tour = state.rooms.tour.take();
    let mut tour = tour.unwrap_or(UnreadTour {
        home: here,
        seen: Vec::new(),
    });
    if !tour.seen.contains(&here) {
        tour.seen.push(here);
    }
    let is_next =
        |room: &&Room| state.unread_counts(room).0 > 0 && !tour.seen.contains(&room.info.id);
    let mut rooms: Vec<_> = state.listed().filter(is_next).collect();
    rooms.sort_by_key(|room| state.unread_counts(room).1 == 0);
    match rooms.first().map(|room| room.info.id) {
        Some(next) => {
            let effects = show(state, next);
            state.rooms.tour = Some(tour);
            effects
        }
        None if tour.home != here && state.room(tour.home).is_some() => show(state, tour.home),
        None => {
            state.show_notice(Tone::Info, state.preferences.strings.nothing_unread);
            Vec::new()
        }
    }
}

/// Scrolls to the "new" line. Requests the first unread entry if it is not loaded.
pub(super) fn to_new(state: &mut State) -> Vec<Effect> {
    let room = state.current().filter(|room| room.reading.unseen().0 > 0);
    let seq = room.and_then(|room| room.timeline.first_new_unloaded());
    if let (Some(seq), Some(room)) = (seq, state.current_mut()) {
        room.timeline.uncover();
        return vec![seek(room, seq)];
    }
    let line = state.current().and_then(|room| room.timeline.first_new());
    let Some(key) = line else {
        state.show_notice(Tone::Info, state.preferences.strings.nothing_unread);
        return Vec::new();
    };
    if let Some(room) = state.current_mut() {
        room.timeline.set_anchor(Anchor::Top { key, line: -1 });
    }
    load_older(state)
}
