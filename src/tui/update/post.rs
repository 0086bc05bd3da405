//! Posting: checks what is sent, shows it as pending and hands it to the client.

use super::unsent;
use crate::chat::{Author, Body, Recipient, RoomId};
use crate::client::{Command, LinkState, OutgoingPost};
use crate::text;
use crate::tui::event::Effect;
use crate::tui::state::{State, Tone, Writing};
use crate::tui::strings::fill;

/// The maximum number of unanswered posts at a time; further messages stay in the composer.
const PENDING: usize = 1000;

/// Shows a post and sends it. It stays in `pending` until the server has answered.
pub(super) fn post(
    state: &mut State,
    me: &Author,
    typed: &str,
    to: Recipient,
    body: Body,
) -> Vec<Effect> {
    let post = OutgoingPost {
        client_id: state.posting.next_client_id(),
        to,
        body,
        at_ms: state.now_ms(),
        from: state.rooms.current,
        typed: typed.to_owned(),
    };
    unsent::show(state, me, &post);
    state.posting.pending.push_back(post.clone());
    sent(state, typed.to_owned());
    vec![Effect::Client(Command::Post {
        post,
        replaces: None,
    })]
}

/// Posts a change that is not a message. Only its effect is shown, for example a new topic. If it is refused, `typed` returns to the
/// composer.
pub(super) fn post_change(state: &mut State, typed: String, body: Body) -> Vec<Effect> {
    let Some(room) = state.rooms.current else {
        report_no_room(state);
        return Vec::new();
    };
    if let Some(why) = state.current().and_then(|room| room.removal_reason.clone()) {
        state.show_notice(Tone::Problem, why);
        return Vec::new();
    }
    if state.connection.link != LinkState::Online {
        // The change must not take effect later, when the user no longer expects it.
        let words = state.preferences.strings.not_now;
        state.show_notice(Tone::Problem, words);
        return Vec::new();
    }
    let post = OutgoingPost {
        client_id: state.posting.next_client_id(),
        to: Recipient::Room(room),
        body,
        at_ms: state.now_ms(),
        from: state.rooms.current,
        typed: typed.clone(),
    };
    state.posting.commands.insert(post.client_id, typed);
    vec![Effect::Client(Command::Post {
        post,
        replaces: None,
    })]
}

/// Clears the composer of the current room, adds its text to the history and ends a visit.
pub(super) fn sent(state: &mut State, text: String) {
    sent_from(state, state.rooms.current, text);
    state.rooms.visit = None;
    if let Some(room) = state.current_mut() {
        room.found = None;
    }
}

/// Clears the composer of a room that may no longer be shown, and adds its text to the history.
pub(super) fn sent_from(state: &mut State, here: Option<RoomId>, text: String) {
    match here.map(|id| state.room_mut(id)) {
        Some(Some(room)) => {
            room.remember(text);
            room.writing = Writing::Message;
            room.restore_draft();
        }
        // The room is gone, and its draft with it.
        Some(None) => {}
        None => state.input.lobby.clear(),
    }
    state.input.popup = None;
    state.input.confirm = None;
}

/// Whether a message is within the limits. Reports a problem with the same words as the server.
pub(super) fn is_sendable(state: &mut State, body: &Body) -> bool {
    let s = state.preferences.strings;
    let (bytes, lines) = (body.text().len(), body.text().split('\n').count());
    if bytes > state.connection.limits.body_bytes {
        state.show_notice(
            Tone::Problem,
            fill(s.too_long, &[&bytes, &state.connection.limits.body_bytes]),
        );
    } else if lines > state.connection.limits.body_lines {
        state.show_notice(
            Tone::Problem,
            fill(
                s.too_many_lines,
                &[&lines, &state.connection.limits.body_lines],
            ),
        );
    } else if state.posting.pending.len() >= PENDING {
        state.show_notice(Tone::Problem, s.too_many_pending);
    } else {
        return true;
    }
    false
}

pub(super) fn send_message(state: &mut State, typed: &str, body: Body) -> Vec<Effect> {
    let (Some(room), Some(me)) = (state.rooms.current, state.me.account.clone()) else {
        report_no_room(state);
        return Vec::new();
    };
    if let Some(why) = state.current().and_then(|room| room.removal_reason.clone()) {
        state.show_notice(Tone::Problem, why);
        return Vec::new();
    }
    if !is_sendable(state, &body) {
        return Vec::new();
    }
    post(state, &me, typed, Recipient::Room(room), body)
}

/// Reports that there is no room to send to, which usually means that there is no connection.
pub(super) fn report_no_room(state: &mut State) {
    let s = state.preferences.strings;
    let words = if state.connection.link == LinkState::Online {
        s.not_in_a_room.to_owned()
    } else {
        fill(
            s.no_connection_yet,
            &[&text::line(&state.connection.server)],
        )
    };
    state.show_notice(Tone::Problem, words);
}
