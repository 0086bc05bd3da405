//! Commands that replace keys in plain mode: `/do`, `/select`, `/history` and `/pick`.

use super::{picker_keys as choosing, select, viewport};
use crate::chat::Seq;
use crate::text;
use crate::tui::content::plain_lines;
use crate::tui::event::Effect;
use crate::tui::input::command::{CommandName, first_word};
use crate::tui::input::keymap::Action;
use crate::tui::state::{Overlay, State, Tone};
use crate::tui::strings::fill;

/// The default number of messages that `/history` lists.
const LISTED: usize = 20;

/// Whether a line is a command and not a text that starts with a slash.
pub(super) fn is_command(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
}

/// `/do ACTION`: returns the action with that name, which the caller performs. Without a name, lists all actions.
pub(super) fn requested(state: &mut State, argument: &str) -> Option<Action> {
    let s = state.preferences.strings;
    if argument.is_empty() {
        let title = s.actions_title.to_owned();
        let lines = Action::ALL.iter().filter(|it| !it.needs_screen());
        let lines = lines.map(|action| {
            let about = s.action(*action).unwrap_or_default();
            let name = text::pad(action.name(), 18);
            format!("{name} {about}").trim_end().to_owned()
        });
        let lines = lines.collect();
        state.overlays.top = Some(Overlay::List {
            title,
            lines,
            scroll: 0,
        });
        return None;
    }
    let (name, number) = first_word(argument);
    let Some(action) = Action::of(name).filter(|action| !action.needs_screen()) else {
        let all = Action::ALL.iter().filter(|it| !it.needs_screen());
        let all = all.map(|action| action.name());
        let near = all.min_by_key(|known| {
            let begins = known.starts_with(name) && !name.is_empty();
            (!begins, strsim::damerau_levenshtein(known, name))
        });
        let words = fill(s.no_such_action, &[&name, &near.unwrap_or_default()]);
        state.show_notice(Tone::Problem, text::line(&words).to_string());
        return None;
    };
    if !number.is_empty() && !select_numbered(state, number) {
        return None;
    }
    Some(action)
}

/// `/select [NUMBER]`: selects the message with a number, or the newest one.
pub(super) fn select(state: &mut State, number: &str) -> Vec<Effect> {
    if number.is_empty() {
        if let Some(room) = state.current_mut() {
            room.selected = None;
        }
        return select::toggle(state);
    }
    if select_numbered(state, number) {
        viewport::reveal(state)
    } else {
        Vec::new()
    }
}

pub(super) fn select_numbered(state: &mut State, number: &str) -> bool {
    let seq = number.parse().ok().map(Seq);
    let said = seq.filter(|seq| {
        let room = state.current();
        room.is_some_and(|room| room.timeline.message(*seq).is_some())
    });
    if let (Some(seq), Some(room)) = (said, state.current_mut()) {
        room.selected = Some(seq);
        return true;
    }
    let words = fill(
        state.preferences.strings.no_such_number,
        &[&text::line(number)],
    );
    state.show_notice(Tone::Problem, words);
    false
}

/// `/history [N]`: lists the newest loaded messages of the room with their numbers.
pub(super) fn history(state: &mut State, argument: &str) {
    let s = state.preferences.strings;
    let most = if argument.is_empty() {
        Some(LISTED)
    } else {
        argument.parse().ok()
    };
    let (Some(most), Some(room)) = (most, state.current()) else {
        let words = fill(s.usage, &[&s.command(CommandName::History).usage]);
        state.show_notice(Tone::Problem, words);
        return;
    };
    let title = text::line(&room.label()).to_string();
    let lines = plain_lines::history(state, room, most);
    state.overlays.top = Some(Overlay::List {
        title,
        lines,
        scroll: 0,
    });
}

/// `/pick NUMBER`: chooses a row of the list that was printed last.
pub(super) fn pick(state: &mut State, number: &str) -> Vec<Effect> {
    let place = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
    let offered = state.overlays.printed_list.as_ref();
    let picked = place.and_then(|place| offered?.actions.get(place).cloned());
    let Some((takes, offered)) = picked.zip(state.overlays.printed_list.clone()) else {
        state.show_notice(Tone::Problem, state.preferences.strings.nothing_to_pick);
        return Vec::new();
    };
    choosing::perform_row(state, takes, offered.picker)
}
