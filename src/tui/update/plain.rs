//! What is typed where there is no screen: whole lines. What was begun and not sent stays beside them, as it would in a composer.

use super::{amend, keys, picker, select, send};
use crate::chat::{RoomId, Seq};
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::command;
use crate::tui::input::command::{Line, Name, first_word};
use crate::tui::input::keymap::{Action, Context};
use crate::tui::lists::picker::rows;
use crate::tui::plain;
use crate::tui::state::{Offered, Overlay, State, Tone, Writing};
use crate::tui::strings::fill;
use crate::tui::timeline::Anchor;

/// Messages that `/history` lists, if it is not said how many.
const LISTED: usize = 20;

/// Says or does what a line says.
pub(super) fn line(state: &mut State, text: &str) -> Vec<Effect> {
    (state.notice, state.overlay) = (None, None);
    state.pressed_at = state.now.instant;
    let parsed = command::parse(text);
    match &parsed {
        Line::Command(Name::Do, argument) => return act(state, argument),
        Line::Command(Name::Draft, argument) => return draft(state, argument),
        said if state.is_on_the_way() && is_said_here(said) => {
            let effects = super::paste(state, text);
            state.say(Tone::Problem, state.strings.on_the_way);
            return effects;
        }
        _ => {}
    }
    let shown = told_of(state);
    let here = state.current;
    let writing = state.current().map(|room| room.writing);
    let begun = std::mem::take(state.composer_mut());
    state.composer_mut().set(text);
    let effects = send::enter(state);
    let ends_writing = match &parsed {
        Line::Command(name, _) => matches!(name, Name::Edit | Name::Reply),
        Line::Missing(_) | Line::Unknown { .. } => false,
        _ => true,
    };
    let composer = match here.map(|id| state.room_mut(id)) {
        Some(Some(room)) => {
            // What the next line is to be it still is after a command.
            room.writing = writing.filter(|_| !ends_writing).unwrap_or(room.writing);
            &mut room.composer
        }
        // The room has gone with what was written in it.
        Some(None) => return effects,
        None => &mut state.lobby,
    };
    let left = composer.text();
    // A command stands above, where it was typed; what could not be said is not lost.
    let is_kept = !left.is_empty() && !is_command(&left);
    if !is_kept {
        *composer = begun;
    } else if !begun.is_empty() {
        composer.set(&format!("{}\n{left}", begun.text()));
    }
    if matches!(parsed, Line::Command(..)) {
        say_if_nothing(state, &shown, &effects);
    }
    effects
}

/// What somebody who reads lines is told a change of.
type Shown = (
    Option<RoomId>,
    Option<Anchor>,
    Option<Seq>,
    Option<Writing>,
    usize,
    usize,
    bool,
);

fn told_of(state: &State) -> Shown {
    let room = state.current();
    (
        state.current,
        room.map(|room| room.timeline.anchor()),
        room.and_then(|room| room.selected),
        room.map(|room| room.writing),
        state.composer().bytes(),
        state.untold.len(),
        state.overlay.is_some(),
    )
}

/// A command that changes nothing and asks for nothing is answered all the same: on a screen its line is gone, and here it stands there as if
/// nobody had read it.
fn say_if_nothing(state: &mut State, before: &Shown, effects: &[Effect]) {
    if state.is_plain && effects.is_empty() && told_of(state) == *before {
        state.say(Tone::Info, state.strings.nothing_changed);
    }
}

/// Whether a line says something in the room one is in: not where one has asked to be elsewhere.
fn is_said_here(line: &Line) -> bool {
    match line {
        Line::Say(_) | Line::Substitute { .. } => true,
        Line::Command(name, _) => {
            matches!(name, Name::Me | Name::Reply | Name::Edit | Name::React)
        }
        _ => false,
    }
}

/// Whether a line is a command and not a text with a slash.
pub(super) fn is_command(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
}

/// `/draft`: what was written and not sent is shown, sent or thrown away.
pub(super) fn draft(state: &mut State, argument: &str) -> Vec<Effect> {
    let s = state.strings;
    if argument == "drop" && state.is_plain && amend::cancel(state) {
        // What the next line was to be it is not any more.
        if state.composer().is_empty() {
            state.say(Tone::Info, s.draft_dropped);
            return Vec::new();
        }
    }
    if state.composer().is_empty() || !state.is_plain {
        state.say(Tone::Info, s.no_draft);
        return Vec::new();
    }
    match argument {
        "send" => return send::enter(state),
        "drop" => {
            state.composer_mut().set("");
            state.say(Tone::Info, s.draft_dropped);
        }
        "" => {
            let words = plain::draft(state, plain::COLUMNS);
            state.say(Tone::Info, words);
        }
        _ => {
            let words = fill(s.usage, &[&s.command(Name::Draft).usage]);
            state.say(Tone::Problem, words);
        }
    }
    Vec::new()
}

/// `/do ACTION`: what a key does, by its name; without one it lists them.
pub(super) fn act(state: &mut State, argument: &str) -> Vec<Effect> {
    let s = state.strings;
    if argument.is_empty() {
        let title = s.actions_title.to_owned();
        let lines = Action::ALL.iter().filter(|it| !it.is_of_line());
        let lines = lines.map(|action| {
            let about = s.action(*action).unwrap_or_default();
            let name = text::pad(action.name(), 18);
            format!("{name} {about}").trim_end().to_owned()
        });
        let lines = lines.collect();
        state.overlay = Some(Overlay::List {
            title,
            lines,
            scroll: 0,
        });
        return Vec::new();
    }
    let (name, number) = first_word(argument);
    let Some(action) = Action::of(name).filter(|action| !action.is_of_line()) else {
        let all = Action::ALL.iter().filter(|it| !it.is_of_line());
        let all = all.map(|action| action.name());
        let near = all.min_by_key(|known| {
            let begins = known.starts_with(name) && !name.is_empty();
            (!begins, strsim::damerau_levenshtein(known, name))
        });
        let words = fill(s.no_such_action, &[&name, &near.unwrap_or_default()]);
        state.say(Tone::Problem, text::line(&words).to_string());
        return Vec::new();
    };
    if !number.is_empty() && !select_numbered(state, number) {
        return Vec::new();
    }
    let shown = told_of(state);
    let selected = state.current().and_then(|room| room.selected);
    let effects = match selected.filter(|_| action.is_of(Context::Selection)) {
        Some(seq) => select::act(state, seq, action),
        None if action.is_of(Context::Composer) => keys::act(state, action),
        None => {
            state.say(Tone::Problem, s.nothing_selected);
            Vec::new()
        }
    };
    say_if_nothing(state, &shown, &effects);
    effects
}

/// `/select [NUMBER]`: the message of a number, or the newest.
pub(super) fn select(state: &mut State, number: &str) -> Vec<Effect> {
    if number.is_empty() {
        if let Some(room) = state.current_mut() {
            room.selected = None;
        }
        return select::toggle(state);
    }
    if select_numbered(state, number) {
        select::reveal(state)
    } else {
        Vec::new()
    }
}

fn select_numbered(state: &mut State, number: &str) -> bool {
    let seq = number.parse().ok().map(Seq);
    let said = seq.filter(|seq| {
        let room = state.current();
        room.is_some_and(|room| room.timeline.said(*seq).is_some())
    });
    if let (Some(seq), Some(room)) = (said, state.current_mut()) {
        room.selected = Some(seq);
        return true;
    }
    let words = fill(state.strings.no_such_number, &[&text::line(number)]);
    state.say(Tone::Problem, words);
    false
}

/// `/history [N]`: the newest messages that are loaded here, with their numbers.
pub(super) fn history(state: &mut State, argument: &str) {
    let s = state.strings;
    let most = if argument.is_empty() {
        Some(LISTED)
    } else {
        argument.parse().ok()
    };
    let (Some(most), Some(room)) = (most, state.current()) else {
        let words = fill(s.usage, &[&s.command(Name::History).usage]);
        state.say(Tone::Problem, words);
        return;
    };
    let title = text::line(&room.label()).to_string();
    let lines = plain::history(state, room, most);
    state.overlay = Some(Overlay::List {
        title,
        lines,
        scroll: 0,
    });
}

/// `/pick NUMBER`: a row of the list that was told last.
pub(super) fn pick(state: &mut State, number: &str) -> Vec<Effect> {
    let place = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    let offered = state.offered.as_ref();
    let picked = place.and_then(|place| offered?.takes.get(place).cloned());
    let Some((takes, offered)) = picked.zip(state.offered.clone()) else {
        state.say(Tone::Problem, state.strings.nothing_to_pick);
        return Vec::new();
    };
    picker::take_from(state, takes, offered.picker)
}

/// What was read out is closed; a list can still be chosen from.
pub(super) fn read_out(state: &mut State) {
    if let Some(Overlay::Pick(picker)) = state.overlay.take() {
        // What is picked later is what was read, whatever has changed meanwhile.
        let takes = rows(state, &picker).into_iter().map(|row| row.takes);
        let takes = takes.collect();
        state.offered = Some(Offered { picker, takes });
    }
}
