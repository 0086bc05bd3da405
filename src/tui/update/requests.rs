//! Requests of strangers: listing, accepting and declining them. Also the commands that block people.

use super::personal::person_ref;
use crate::chat::{RequestAnswer, RequestDirection, RoomInfo};
use crate::client::{Command, PersonRef};
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::command::CommandName;
use crate::tui::state::{Overlay, Picker, PickerKind, Room, State, Tone};
use crate::tui::strings::fill;

pub(super) fn run(state: &mut State, name: CommandName, argument: &str) -> Vec<Effect> {
    let answer = match name {
        CommandName::Accept => RequestAnswer::Accept,
        CommandName::Decline => RequestAnswer::Decline,
        CommandName::Block | CommandName::Unblock => {
            return vec![Effect::Client(Command::Block {
                person: peer_ref(state, argument),
                is_on: name == CommandName::Block,
            })];
        }
        _ => {
            list(state);
            return Vec::new();
        }
    };
    let wanted = argument.trim_start_matches('@').to_lowercase();
    let is_wanted = |room: &&Room| match &room.info.peer {
        Some(peer) if !wanted.is_empty() => peer.name.to_lowercase() == wanted,
        _ => state.rooms.current == Some(room.info.id),
    };
    let Some(request) = state.requests().find(is_wanted) else {
        let words = state.preferences.strings.requests;
        let words = if argument.is_empty() {
            words.none.to_owned()
        } else {
            fill(words.unknown, &[&text::line(argument)])
        };
        state.show_notice(Tone::Problem, words);
        return Vec::new();
    };
    let room = request.info.id;
    vec![Effect::Client(Command::AnswerRequest { room, answer })]
}

/// Finds a person by name: the other person of a conversation or request, who may have left, or anybody else.
fn peer_ref(state: &State, name: &str) -> PersonRef {
    let wanted = name.trim_start_matches('@').to_lowercase();
    let rooms = state.requests().chain(state.listed());
    let mut peers = rooms.filter_map(|room| room.info.peer.as_ref());
    match peers.find(|peer| peer.name.to_lowercase() == wanted) {
        Some(peer) => PersonRef::Person(peer.id),
        None => person_ref(state, name),
    }
}

/// Opens the list of requests.
pub(super) fn list(state: &mut State) {
    if state.requests().next().is_none() {
        let words = state.preferences.strings.requests.none;
        state.show_notice(Tone::Info, words);
        return;
    }
    state.overlays.top = Some(Overlay::Pick(Picker::new(PickerKind::Requests)));
}

/// Shows that a request was accepted, by the user or by the other person.
pub(super) fn accepted(state: &mut State, before: Option<RequestDirection>, room: &RoomInfo) {
    let words = state.preferences.strings.requests;
    let name = room.peer.as_ref().map_or("", |peer| peer.name.as_str());
    let words = match (before, room.request) {
        (Some(RequestDirection::Incoming), None) => words.accepted.to_owned(),
        (Some(RequestDirection::Outgoing), None) => fill(words.was_accepted, &[&text::line(name)]),
        _ => return,
    };
    state.show_notice(Tone::Info, words);
}

/// Confirms that the user has left a conversation or declined a request.
pub(super) fn hidden(state: &mut State, room: &Room) {
    let asks = |effect: &Effect| {
        matches!(
            effect,
            Effect::Client(Command::Leave(_) | Command::AnswerRequest { .. })
        )
    };
    let asked = &mut state.posting.awaited_request;
    if !room.is_conversation() || asked.take_if(|(effect, _)| asks(effect)).is_none() {
        return;
    }
    let s = state.preferences.strings;
    let peer = room.info.peer.as_ref();
    let name = peer.map_or("", |peer| peer.name.as_str());
    let words = if room.is_request() {
        fill(s.requests.declined, &[&text::line(name)])
    } else {
        s.conversation_hidden.to_owned()
    };
    state.show_notice(Tone::Info, words);
}
