//! Actions on messages: replies, edits, deletions and reactions.

use super::viewport::reveal;
use super::{post, visit};
use crate::chat::{Amendment, Body, Entry, Seq};
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::completion;
use crate::tui::state::{Confirm, Overlay, State, Tone, Visit, Writing};
use crate::tui::strings::fill;

/// The newest loaded message of this room, either by the user or by somebody else.
fn newest(state: &State, is_mine: bool) -> Option<&Entry> {
    let room = state.current()?;
    let mut said = room.timeline.messages();
    said.find(|entry| state.is_me(entry.author.id) == is_mine)
}

/// Starts a reply to a message.
pub(super) fn reply(state: &mut State, seq: Seq) {
    if let Some(room) = state.current_mut() {
        room.writing = Writing::Reply(seq);
        room.selected = None;
    }
}

/// `/reply TEXT`: replies to the selected message, or else to the newest one by somebody else.
pub(super) fn reply_now(state: &mut State, text: &str) -> Vec<Effect> {
    let selected = state.current().and_then(|room| room.selected);
    let Some(to) = selected.or_else(|| newest(state, false).map(|entry| entry.seq)) else {
        state.show_notice(Tone::Problem, state.preferences.strings.nothing_to_reply_to);
        return Vec::new();
    };
    let typed = state.composer().text();
    let text = text.to_owned();
    post::send_message(state, &typed, Body::Reply { to, text })
}

/// Puts the user's own message into the composer to be edited.
pub(super) fn edit(state: &mut State, seq: Seq) {
    let said = state.current().and_then(|room| room.timeline.message(seq));
    let Some(entry) = said else { return };
    if !state.is_me(entry.author.id) {
        state.show_notice(Tone::Problem, state.preferences.strings.only_yours);
        return;
    }
    let text = entry.body.text().to_owned();
    let (s, is_plain) = (state.preferences.strings, state.screen.is_plain);
    if let Some(room) = state.current_mut() {
        room.writing = Writing::Edit(seq);
        room.selected = None;
        if is_plain {
            // The next line becomes the new text.
            let words = fill(s.edit_by_line, &[&text]);
            state.show_notice(Tone::Info, words);
        } else {
            room.stash_draft(&text);
        }
    }
}

/// Edits the user's newest message.
pub(super) fn edit_newest(state: &mut State) {
    match newest(state, true).map(|entry| entry.seq) {
        Some(seq) => edit(state, seq),
        None => state.show_notice(Tone::Info, state.preferences.strings.nothing_to_edit),
    }
}

/// `/edit TEXT`: replaces the text of the user's newest message.
pub(super) fn edit_to(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(target) = newest(state, true).map(|entry| entry.seq) else {
        state.show_notice(Tone::Problem, state.preferences.strings.nothing_to_edit);
        return Vec::new();
    };
    let typed = state.composer().text();
    amend(state, typed, target, Amendment::Edit(text.to_owned()))
}

/// `s/old/new/`: replaces the first `old` in the user's newest message.
pub(super) fn substitute(state: &mut State, old: &str, new: &str) -> Vec<Effect> {
    let Some(entry) = newest(state, true) else {
        state.show_notice(Tone::Problem, state.preferences.strings.nothing_to_edit);
        return Vec::new();
    };
    let (seq, text) = (entry.seq, entry.body.text());
    if !text.contains(old) {
        let words = fill(
            state.preferences.strings.not_found_in_last,
            &[&text::line(old)],
        );
        state.show_notice(Tone::Problem, words);
        return Vec::new();
    }
    let text = text.replacen(old, new, 1);
    let typed = state.composer().text();
    amend(state, typed, seq, Amendment::Edit(text))
}

/// Sends a change to a message. `typed` is the text to restore to the composer if the change is refused; it is empty if
/// a key was pressed instead.
pub(super) fn amend(state: &mut State, typed: String, target: Seq, what: Amendment) -> Vec<Effect> {
    if let Amendment::Edit(text) = &what {
        // The limits are known here, so a text that is too long is not sent at all.
        let body = Body::Text(text.clone());
        if !post::is_sendable(state, &body) {
            return Vec::new();
        }
    }
    if let Some(room) = state.current_mut() {
        // Leaves selection mode, so that letters are text again.
        room.selected = None;
    }
    post::post_change(state, typed, Body::Amendment { target, what })
}

/// Deletes a message after a second press.
pub(super) fn delete(state: &mut State, seq: Seq) -> Vec<Effect> {
    let Some(room) = state.rooms.current else {
        return Vec::new();
    };
    if !state.input.is_confirmed(Confirm::DeleteMessage(room, seq)) {
        // Shows the message that the second press will delete.
        let effects = reveal(state);
        state.show_notice(Tone::Problem, state.preferences.strings.delete_confirm);
        return effects;
    }
    amend(state, String::new(), seq, Amendment::Erase)
}

/// Asks which emoji to react with.
pub(super) fn ask_reaction(state: &mut State, target: Seq) {
    let composer = Box::default();
    state.overlays.top = Some(Overlay::React { target, composer });
}

/// Resolves the emoji that was typed, either itself or by its short name (`:tada:`). Returns `None` for an unknown name.
pub(super) fn resolve_emoji(written: &str) -> Option<&str> {
    if written.starts_with(':') {
        completion::emoji_named(written)
    } else {
        // The server decides whether it is an emoji.
        Some(written)
    }
}

/// Adds a reaction, or removes the user's own if it is there already.
pub(super) fn react(state: &mut State, typed: String, target: Seq, written: &str) -> Vec<Effect> {
    let Some(emoji) = resolve_emoji(written) else {
        let words = fill(
            state.preferences.strings.no_such_emoji,
            &[&text::line(written)],
        );
        state.show_notice(Tone::Problem, words);
        return Vec::new();
    };
    let said = state
        .current()
        .and_then(|room| room.timeline.message(target));
    let amended = said.and_then(|entry| entry.amended.as_deref());
    let mut reactions = amended.into_iter().flat_map(|it| &it.reactions);
    let has = reactions.any(|it| {
        let mut people = it.people.iter();
        it.emoji == emoji && people.any(|who| state.is_me(who.id))
    });
    let emoji = emoji.to_owned();
    let what = Amendment::React { emoji, is_on: !has };
    amend(state, typed, target, what)
}

/// `/react EMOJI`: reacts to the selected message, or else to the newest one by somebody else.
pub(super) fn react_now(state: &mut State, emoji: &str) -> Vec<Effect> {
    let selected = state.current().and_then(|room| room.selected);
    let Some(target) = selected.or_else(|| newest(state, false).map(|entry| entry.seq)) else {
        state.show_notice(Tone::Problem, state.preferences.strings.nothing_to_reply_to);
        return Vec::new();
    };
    let typed = state.composer().text();
    react(state, typed, target, emoji)
}

/// Shows the message that a reply answers.
pub(super) fn open_original(state: &mut State, seq: Seq) -> Vec<Effect> {
    let said = state.current().and_then(|room| room.timeline.message(seq));
    let Some(Body::Reply { to, .. }) = said.map(|entry| &entry.body) else {
        state.show_notice(Tone::Info, state.preferences.strings.not_a_reply);
        return Vec::new();
    };
    let to = *to;
    let Some(id) = state.rooms.current else {
        return Vec::new();
    };
    let is_here = state
        .current()
        .is_some_and(|room| room.timeline.message(to).is_some());
    if let Some(room) = state.current_mut() {
        room.selected = is_here.then_some(to);
    }
    if is_here {
        let here = state
            .current()
            .map(|room| (room.info.id, room.timeline.anchor()));
        state.rooms.visit = Some(Visit {
            home: here,
            result_cursor: None,
        });
        reveal(state)
    } else {
        visit::visit(state, id, to)
    }
}

/// Lists who reacted to a message and with which emoji.
pub(super) fn who_reacted(state: &mut State, seq: Seq) {
    let s = state.preferences.strings;
    let said = state.current().and_then(|room| room.timeline.message(seq));
    let amended = said.and_then(|entry| entry.amended.as_deref());
    let reactions = amended.into_iter().flat_map(|it| &it.reactions);
    let line = |it: &crate::chat::Reaction| {
        let names: Vec<String> = it
            .people
            .iter()
            .map(|who| text::line(&who.name).to_string())
            .collect();
        format!("{} {}", text::line(&it.emoji), names.join(", "))
    };
    let lines: Vec<String> = reactions.map(line).collect();
    if lines.is_empty() {
        state.show_notice(Tone::Info, s.nobody_reacted);
        return;
    }
    let title = s.reacted_title.to_owned();
    state.overlays.top = Some(Overlay::List {
        title,
        lines,
        scroll: 0,
    });
}

/// Cancels a reply or an edit. The text of an edit is discarded, and the earlier draft is restored. Returns whether
/// there was one to cancel.
pub(super) fn cancel(state: &mut State) -> bool {
    let is_plain = state.screen.is_plain;
    let Some(room) = state.current_mut() else {
        return false;
    };
    match std::mem::replace(&mut room.writing, Writing::Message) {
        Writing::Message => false,
        Writing::Reply(_) => true,
        Writing::Edit(_) => {
            if !is_plain {
                room.restore_draft();
            }
            true
        }
    }
}
