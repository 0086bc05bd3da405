//! Rooms that are added, changed, left or closed.

use super::viewport::show;
use super::{requests, unsent};
use crate::chat::{RoomId, RoomInfo, Seq};
use crate::client::{Command, RemovalReason};
use crate::text;
use crate::tui::event::Effect;
use crate::tui::state::{Room, State, Tone};
use crate::tui::timeline::ItemKind;

pub(super) fn welcome(state: &mut State, rooms: Vec<RoomInfo>, ending: &[RoomId]) -> Vec<Effect> {
    // Rooms the user is no longer a member of are removed; the others keep their loaded messages.
    let is_ours = |room: &Room| {
        let id = room.info.id;
        rooms.iter().any(|info| info.id == id)
            || ending.contains(&id)
            || room.removal_reason.is_some()
    };
    let gone: Vec<Room> = state
        .rooms
        .list
        .extract_if(.., |room| !is_ours(room))
        .collect();
    for info in rooms {
        put_room(state, info);
    }
    let effects = show_first_room(state);
    unsent::show_from_removed_rooms(state, &gone);
    effects
}

/// Shows a room if none is shown.
fn show_first_room(state: &mut State) -> Vec<Effect> {
    if state.current().is_none() {
        state.rooms.current = None;
        // A room requested by name is waited for; otherwise the first listed room is shown.
        let first = match state.rooms.wanted {
            Some(_) => state
                .rooms
                .list
                .iter()
                .find(|room| is_wanted(state, &room.info)),
            None => state.listed().next(),
        };
        if let Some(room) = first.map(|room| room.info.id) {
            state.rooms.wanted = None;
            return enter(state, room);
        }
    }
    Vec::new()
}

/// Adds the rooms from the local cache, so that one can be shown before the server has answered.
pub(super) fn show_cached(state: &mut State, rooms: Vec<RoomInfo>) -> Vec<Effect> {
    for info in rooms {
        put_room(state, info);
    }
    for room in &mut state.rooms.list {
        room.timeline.expect_entries();
    }
    let wanted = state
        .rooms
        .list
        .iter()
        .find(|room| is_wanted(state, &room.info));
    let first = wanted.or(state.rooms.list.first()).map(|room| room.info.id);
    state.rooms.current = first;
    // The cached entries follow in the next events, so nothing is requested yet.
    Vec::new()
}

/// Whether this is the room to show first.
fn is_wanted(state: &State, room: &RoomInfo) -> bool {
    let wanted = state.rooms.wanted.as_ref();
    room.peer.is_none()
        && wanted.is_some_and(|wanted| wanted.to_lowercase() == room.name.to_lowercase())
}

/// Adds a room or updates it. Public rooms come first, in the server's order, then conversations.
fn put_room(state: &mut State, info: RoomInfo) {
    state.rooms.invitations.retain(|it| it.room.id != info.id);
    if let Some(room) = state.room_mut(info.id) {
        room.info = info;
        room.removal_reason = None;
        return;
    }
    // Replaces a former room of the same name and takes over its draft.
    let is_former = |room: &Room| {
        room.removal_reason.is_some() && !room.is_conversation() && room.info.name == info.name
    };
    let former = state.rooms.list.iter().position(is_former);
    let mut former = former.map(|place| state.rooms.list.remove(place));
    let mut room = Room::new(info);
    if let Some(former) = &mut former {
        std::mem::swap(&mut room.composer, &mut former.composer);
        std::mem::swap(&mut room.stashed_draft, &mut former.stashed_draft);
    }
    let place = if room.is_conversation() {
        state.rooms.list.len()
    } else {
        state
            .rooms
            .list
            .iter()
            .position(Room::is_conversation)
            .unwrap_or(state.rooms.list.len())
    };
    state.rooms.list.insert(place, room);
    unsent::show_from_removed_rooms(state, former.as_slice());
}

pub(super) fn room_changed(state: &mut State, room: RoomInfo, asked: bool) -> Vec<Effect> {
    let id = room.id;
    // A join requested while offline is sent later, but was still requested by the user.
    let joins = |effect: &Effect| match effect {
        Effect::Client(Command::Join(wanted)) => wanted.matches(&room),
        _ => false,
    };
    let asked = asked
        || state
            .posting
            .awaited_request
            .as_ref()
            .is_some_and(|(effect, _)| joins(effect));
    let is_new = state.room(id).is_none();
    let request = state.room(id).and_then(|room| room.info.request);
    requests::accepted(state, request, &room);
    put_room(state, room);
    if let Some(room) = state
        .room_mut(id)
        .filter(|room| is_new && room.is_conversation() && !asked)
    {
        // Somebody has just started this conversation, so its messages are new.
        room.history_to = Some(Seq::ZERO);
    }
    let begins = state
        .room(id)
        .is_some_and(|room| is_wanted(state, &room.info));
    if begins {
        state.rooms.wanted = None;
    }
    if !asked && !begins && state.rooms.current.is_some() {
        return Vec::new();
    }
    state.posting.awaited_request = None;
    enter(state, id)
}

/// Shows a room. Text that was typed while there was no room moves into its composer.
fn enter(state: &mut State, id: RoomId) -> Vec<Effect> {
    let typed = std::mem::take(&mut state.input.lobby).text();
    let effects = show(state, id);
    if !typed.is_empty() {
        state.composer_mut().insert(&typed);
    }
    effects
}

pub(super) fn left(state: &mut State, room: RoomId) -> Vec<Effect> {
    let left = state.rooms.list.extract_if(.., |it| it.info.id == room);
    let gone: Vec<Room> = left.collect();
    let mut effects = Vec::new();
    if state.rooms.current == Some(room) {
        state.rooms.current = None;
        let first = state.listed().next().map(|room| room.info.id);
        effects = first.map_or_else(Vec::new, |first| show(state, first));
    }
    for room in &gone {
        requests::hidden(state, room);
    }
    unsent::show_from_removed_rooms(state, &gone);
    effects
}

/// Handles removal from a room: its messages can still be read, but nothing can be sent.
pub(super) fn removed(state: &mut State, id: RoomId, how: &RemovalReason) {
    let words = state.preferences.strings.removed_from_room(how);
    let words = text::line(&words);
    // In plain mode the line added below reports it, if this room is shown.
    if !state.screen.is_plain || state.rooms.current != Some(id) {
        state.show_notice(Tone::Problem, words.as_str());
    }
    let now = state.now_ms();
    if let Some(room) = state.room_mut(id) {
        room.removal_reason = Some(words.to_string());
        room.roster.clear();
        room.timeline.add_local_line(ItemKind::System(words), now);
    }
}
