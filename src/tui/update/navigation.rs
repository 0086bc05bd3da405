//! Going to rooms and conversations by name, and leaving them.

use super::rooms;
use super::viewport::show;
use crate::chat::{IdentityId, RoomId};
use crate::client::Command;
use crate::tui::event::Effect;
use crate::tui::state::{Room, State, Tone};
use crate::tui::strings::fill;

pub(super) fn conversation_with(state: &State, person: IdentityId) -> Option<RoomId> {
    let is_theirs = |room: &&Room| {
        room.info
            .peer
            .as_ref()
            .is_some_and(|peer| peer.id == person)
    };
    state
        .rooms
        .list
        .iter()
        .find(is_theirs)
        .map(|room| room.info.id)
}

/// Switches to a room that the user is in; otherwise sends a request to join it.
pub(super) fn join(state: &mut State, argument: &str) -> Vec<Effect> {
    let name = argument.trim_start_matches('#');
    let lower = name.to_lowercase();
    // A room the user was removed from, or that was closed, is joined like any other.
    let is_it = |room: &&Room| {
        let is_ours = !room.is_conversation() && room.removal_reason.is_none();
        is_ours && room.info.name.to_lowercase() == lower
    };
    let known = state.rooms.list.iter().find(is_it);
    match known.map(|room| room.info.id) {
        Some(room) => show(state, room),
        None => vec![Effect::Client(Command::Join(name.into()))],
    }
}

pub(super) fn open(state: &mut State, name: &str) -> Vec<Effect> {
    let called = state.people_named(name);
    let known = called
        .present
        .or(called.peer)
        .and_then(|person| conversation_with(state, person));
    match known {
        Some(room) => show(state, room),
        None => vec![Effect::Client(Command::Open(name.to_owned()))],
    }
}

pub(super) fn leave(state: &mut State, argument: &str) -> Vec<Effect> {
    let s = state.preferences.strings;
    let wanted = argument.to_lowercase();
    let room = if argument.is_empty() {
        state.current()
    } else {
        state.rooms.list.iter().find(|room| {
            let label = room.label().to_lowercase();
            label == wanted || label.trim_start_matches(['#', '@']) == wanted
        })
    };
    let Some(id) = room.map(|room| room.info.id) else {
        state.show_notice(Tone::Problem, fill(s.no_such_room_here, &[&argument]));
        return Vec::new();
    };
    if state
        .room(id)
        .is_some_and(|room| room.removal_reason.is_some())
    {
        return rooms::left(state, id);
    }
    vec![Effect::Client(Command::Leave(id))]
}
