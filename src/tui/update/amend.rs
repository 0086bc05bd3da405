//! Changing what was said: answers, edits, deletions and reactions.

use super::viewport::reveal;
use super::{post, visit};
use crate::chat::{Amendment, Body, Entry, Seq};
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::completion;
use crate::tui::state::{Confirm, Overlay, State, Tone, Visit, Writing};
use crate::tui::strings::fill;

/// The newest message of ours here, or of somebody else.
fn newest(state: &State, is_mine: bool) -> Option<&Entry> {
    let room = state.current()?;
    let mut said = room.timeline.all_said();
    said.find(|entry| state.is_me(entry.author.id) == is_mine)
}

/// Begins to answer a message.
pub(super) fn answer(state: &mut State, seq: Seq) {
    if let Some(room) = state.current_mut() {
        room.writing = Writing::Answer(seq);
        room.selected = None;
    }
}

/// `/reply TEXT` answers the newest message of somebody else, or the selected one.
pub(super) fn answer_now(state: &mut State, text: &str) -> Vec<Effect> {
    let selected = state.current().and_then(|room| room.selected);
    let Some(to) = selected.or_else(|| newest(state, false).map(|entry| entry.seq)) else {
        state.say(Tone::Problem, state.preferences.strings.nothing_to_answer);
        return Vec::new();
    };
    let typed = state.composer().text();
    let text = text.to_owned();
    post::say(state, &typed, Body::Reply { to, text })
}

/// Takes a message of ours into the composer, to be written anew.
pub(super) fn edit(state: &mut State, seq: Seq) {
    let said = state.current().and_then(|room| room.timeline.said(seq));
    let Some(entry) = said else { return };
    if !state.is_me(entry.author.id) {
        state.say(Tone::Problem, state.preferences.strings.only_yours);
        return;
    }
    let text = entry.body.text().to_owned();
    let (s, is_plain) = (state.preferences.strings, state.screen.is_plain);
    if let Some(room) = state.current_mut() {
        room.writing = Writing::Edit(seq);
        room.selected = None;
        if is_plain {
            // The next line says it anew.
            let words = fill(s.edits, &[&text]);
            state.say(Tone::Info, words);
        } else {
            room.write_instead(&text);
        }
    }
}

/// The newest message of ours.
pub(super) fn edit_newest(state: &mut State) {
    match newest(state, true).map(|entry| entry.seq) {
        Some(seq) => edit(state, seq),
        None => state.say(Tone::Info, state.preferences.strings.nothing_to_edit),
    }
}

/// `/edit TEXT`: the newest message of ours says this from now on.
pub(super) fn edit_to(state: &mut State, text: &str) -> Vec<Effect> {
    let Some(target) = newest(state, true).map(|entry| entry.seq) else {
        state.say(Tone::Problem, state.preferences.strings.nothing_to_edit);
        return Vec::new();
    };
    let typed = state.composer().text();
    amend(state, typed, target, Amendment::Edit(text.to_owned()))
}

/// `s/old/new/`: the same, with the first `old` in it replaced.
pub(super) fn substitute(state: &mut State, old: &str, new: &str) -> Vec<Effect> {
    let Some(entry) = newest(state, true) else {
        state.say(Tone::Problem, state.preferences.strings.nothing_to_edit);
        return Vec::new();
    };
    let (seq, text) = (entry.seq, entry.body.text());
    if !text.contains(old) {
        let words = fill(
            state.preferences.strings.not_found_in_last,
            &[&text::line(old)],
        );
        state.say(Tone::Problem, words);
        return Vec::new();
    }
    let text = text.replacen(old, new, 1);
    let typed = state.composer().text();
    amend(state, typed, seq, Amendment::Edit(text))
}

/// `typed` comes back if it is refused; nothing for what was done by a key.
pub(super) fn amend(state: &mut State, typed: String, target: Seq, what: Amendment) -> Vec<Effect> {
    if let Amendment::Edit(text) = &what {
        // A limit is known before it is asked for.
        let body = Body::Text(text.clone());
        if !post::is_sendable(state, &body) {
            return Vec::new();
        }
    }
    if let Some(room) = state.current_mut() {
        // Letters are text again.
        room.selected = None;
    }
    post::order(state, typed, Body::Amendment { target, what })
}

/// Deletes a message when it is asked for twice.
pub(super) fn delete(state: &mut State, seq: Seq) -> Vec<Effect> {
    let Some(room) = state.rooms.current else {
        return Vec::new();
    };
    if !state.input.is_confirmed(Confirm::DeleteMessage(room, seq)) {
        // Whoever says it once more sees what it is.
        let effects = reveal(state);
        state.say(Tone::Problem, state.preferences.strings.delete_again);
        return effects;
    }
    amend(state, String::new(), seq, Amendment::Erase)
}

/// Asks what to react with.
pub(super) fn ask_reaction(state: &mut State, target: Seq) {
    let composer = Box::default();
    state.overlays.top = Some(Overlay::React { target, composer });
}

/// The emoji somebody means: the one they wrote, or the one whose short name (`:tada:`) they wrote; nothing if no emoji has that name.
pub(super) fn meant_emoji(written: &str) -> Option<&str> {
    if written.starts_with(':') {
        completion::emoji_named(written)
    } else {
        // Whether it is an emoji at all is for the server to say.
        Some(written)
    }
}

/// Reacts, or takes the same reaction back.
pub(super) fn react(state: &mut State, typed: String, target: Seq, written: &str) -> Vec<Effect> {
    let Some(emoji) = meant_emoji(written) else {
        let words = fill(
            state.preferences.strings.no_such_emoji,
            &[&text::line(written)],
        );
        state.say(Tone::Problem, words);
        return Vec::new();
    };
    let said = state.current().and_then(|room| room.timeline.said(target));
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

/// `/react EMOJI` reacts to the newest message of somebody else, or the selected one.
pub(super) fn react_now(state: &mut State, emoji: &str) -> Vec<Effect> {
    let selected = state.current().and_then(|room| room.selected);
    let Some(target) = selected.or_else(|| newest(state, false).map(|entry| entry.seq)) else {
        state.say(Tone::Problem, state.preferences.strings.nothing_to_answer);
        return Vec::new();
    };
    let typed = state.composer().text();
    react(state, typed, target, emoji)
}

/// Goes to what a message answers.
pub(super) fn open_original(state: &mut State, seq: Seq) -> Vec<Effect> {
    let said = state.current().and_then(|room| room.timeline.said(seq));
    let Some(Body::Reply { to, .. }) = said.map(|entry| &entry.body) else {
        state.say(Tone::Info, state.preferences.strings.answers_nothing);
        return Vec::new();
    };
    let to = *to;
    let Some(id) = state.rooms.current else {
        return Vec::new();
    };
    let is_here = state
        .current()
        .is_some_and(|room| room.timeline.said(to).is_some());
    if let Some(room) = state.current_mut() {
        room.selected = is_here.then_some(to);
    }
    if is_here {
        let here = state
            .current()
            .map(|room| (room.info.id, room.timeline.anchor()));
        state.rooms.visit = Some(Visit {
            home: here,
            walk: None,
        });
        reveal(state)
    } else {
        visit::visit(state, id, to)
    }
}

/// Lists who reacted to a message, and how.
pub(super) fn who_reacted(state: &mut State, seq: Seq) {
    let s = state.preferences.strings;
    let said = state.current().and_then(|room| room.timeline.said(seq));
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
        state.say(Tone::Info, s.nobody_reacted);
        return;
    }
    let title = s.reacted_title.to_owned();
    state.overlays.top = Some(Overlay::List {
        title,
        lines,
        scroll: 0,
    });
}

/// Puts away what the composer was for; an edit takes its text along, and what was being written before comes back.
pub(super) fn cancel(state: &mut State) -> bool {
    let is_plain = state.screen.is_plain;
    let Some(room) = state.current_mut() else {
        return false;
    };
    match std::mem::replace(&mut room.writing, Writing::Message) {
        Writing::Message => false,
        Writing::Answer(_) => true,
        Writing::Edit(_) => {
            if !is_plain {
                room.write_on();
            }
            true
        }
    }
}
