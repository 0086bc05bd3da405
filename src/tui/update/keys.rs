//! A pressed key: the topmost part of the screen sees it first.

use crossterm::event::{KeyEvent, KeyEventKind};

use super::amend;
use super::{
    layout, page, paste, picker, reading, scroll, search, select, send, show, typed, unsent, visit,
};
use crate::chat::Seq;
use crate::client::Command;
use crate::text;
use crate::tui::content::{help, link_details, reactions};
use crate::tui::event::Effect;
use crate::tui::input::completion;
use crate::tui::input::composer::{Composer, Killed};
use crate::tui::input::keymap;
use crate::tui::input::keymap::{Action, Context, Key, Meaning};
use crate::tui::settings::Setting;
use crate::tui::state::{Overlay, Room, State, Tone, Writing};
use crate::tui::strings::fill;
use crate::tui::timeline::Anchor;

pub(super) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    if state.keymap.action(Context::Composer, key) == Some(Action::Redraw) {
        // It changes nothing of what is open, selected or said: it only puts it on the screen again.
        return vec![Effect::Redraw];
    }
    state.notice = None;
    state.pressed_at = state.now.instant;
    match &state.overlay {
        Some(Overlay::Name { .. }) => return name_overlay(state, key),
        Some(Overlay::Pick(_)) => return picker::press(state, key),
        Some(Overlay::Snippet { .. }) => return paste::press(state, key),
        Some(Overlay::React { target, .. }) => return react_overlay(state, *target, key),
        Some(Overlay::Help { .. } | Overlay::List { .. } | Overlay::Link { .. }) => {
            return read_overlay(state, key);
        }
        None => {}
    }
    let before = state.prefix.take();
    if before.is_none()
        && let Some(effects) = press_above(state, key)
    {
        return effects;
    }
    match state.keymap.meaning(Context::Composer, before, key) {
        Meaning::Does(action) => return act(state, action),
        Meaning::Begins => {
            let key = Key::of(key);
            state.prefix = Some(key);
            state.say(Tone::Info, format!("{key} …"));
        }
        Meaning::Nothing => {
            if let Some(before) = before {
                // What closes things takes the first key back.
                if state.keymap.action(Context::Composer, key) != Some(Action::Close) {
                    let words = fill(state.strings.no_such_keys, &[&before, &Key::of(key)]);
                    state.say(Tone::Problem, text::line(&words).to_string());
                }
            } else if let Some(c) = keymap::typed(key) {
                state.killed.ends();
                state.composer_mut().insert(c.encode_utf8(&mut [0; 4]));
                typed(state);
            }
        }
    }
    Vec::new()
}

/// What stands over the composer sees a key first: completions, and a message that is selected.
fn press_above(state: &mut State, key: KeyEvent) -> Option<Vec<Effect>> {
    if state.popup.is_some()
        && let Some(action) = state.keymap.action(Context::Popup, key)
    {
        popup(state, action);
        return Some(Vec::new());
    }
    if let Some(seq) = state.current().and_then(|room| room.selected) {
        if let Some(action) = state.keymap.action(Context::Selection, key) {
            return Some(select::act(state, seq, action));
        }
        if keymap::typed(key).is_some() {
            // A letter that means nothing here is meant for the composer.
            select::leave(state);
        }
    }
    None
}

fn popup(state: &mut State, action: Action) {
    let Some(popup) = &mut state.popup else {
        return;
    };
    match action {
        Action::PopupUp => popup.step(-1),
        Action::PopupDown => popup.step(1),
        Action::PopupTake => take_offer(state),
        _ => state.popup = None,
    }
}

/// Puts the chosen completion into the composer.
pub(super) fn take_offer(state: &mut State) {
    let Some(popup) = state.popup.take() else {
        return;
    };
    let Some(offer) = popup.offer() else { return };
    let text = format!("{} ", offer.text);
    state.composer_mut().replace_before(popup.replaces, &text);
    typed(state);
}

pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if !is_kill(action) {
        state.killed.ends();
    }
    if let Some(place) = action.room() {
        return nth_room(state, place);
    }
    match action {
        Action::Send => {
            if state
                .popup
                .as_ref()
                .is_some_and(|popup| popup.chosen.is_some())
            {
                take_offer(state);
                return Vec::new();
            }
            state.popup = None;
            return send::enter(state);
        }
        Action::PageUp => return scroll(state, -page(state)),
        Action::PageDown => return scroll(state, page(state)),
        Action::Oldest => return super::to_oldest(state),
        Action::Newest => return newest(state),
        Action::NextUnread => return visit::next_unread(state),
        Action::ToNew => return visit::to_new(state),
        Action::Mentions => return picker::mentions(state),
        Action::Search => return search::open(state, ""),
        Action::RoomBefore => return step_room(state, -1),
        Action::RoomAfter => return step_room(state, 1),
        Action::Help => state.overlay = Some(Overlay::help()),
        Action::Retry => return unsent::retry(state),
        Action::EditFailed => return unsent::edit(state),
        Action::Link => return super::link_details::open(state),
        Action::Panes => {
            state.shows_panes = !state.shows_panes;
            if state.is_plain {
                super::settings::tell(state, Setting::Panes);
            }
        }
        Action::Quit => return vec![Effect::Quit],
        Action::Close => {
            state.confirm = None;
            if !amend::cancel(state)
                && let Some(effects) = visit::back(state)
            {
                return effects;
            }
        }
        Action::Lobby => return picker::lobby(state),
        Action::Palette => picker::palette(state),
        Action::Themes => picker::themes(state),
        Action::Editor => return paste::edit(state),
        Action::Redraw => return vec![Effect::Redraw],
        // As in a shell, where there is nothing to undo.
        Action::Undo if !state.composer_mut().undo() => return vec![Effect::Suspend],
        Action::Undo => typed(state),
        Action::Select => return select::toggle(state),
        Action::Up if state.composer().is_empty() => amend::edit_newest(state),
        Action::SentBefore => recall(state, 1),
        Action::SentAfter => recall(state, -1),
        Action::Complete => {
            state.popup = completion::offers(state).or_else(|| completion::names(state));
            if state
                .popup
                .as_ref()
                .is_some_and(|popup| popup.offers.len() == 1)
            {
                take_offer(state);
            }
        }
        Action::Up | Action::Down => {
            let columns = layout(state).text_columns();
            let composer = state.composer_mut();
            if action == Action::Up {
                composer.row_up(columns);
            } else {
                composer.row_down(columns);
            }
            state.popup = None;
        }
        edit => {
            let mut killed = std::mem::take(&mut state.killed);
            let is_change = edits(state.composer_mut(), &mut killed, edit);
            state.killed = killed;
            if is_change {
                typed(state);
            } else {
                state.popup = None;
            }
        }
    }
    Vec::new()
}

/// To the newest end; where that is shown already, everything is read.
fn newest(state: &mut State) -> Vec<Effect> {
    state.visit = None;
    let is_there = |room: &Room| room.timeline.anchor() == Anchor::Newest;
    if state
        .current()
        .is_some_and(|room| is_there(room) && room.reading.above.0 > 0)
    {
        state.say(Tone::Info, state.strings.all_read);
        return reading::read_all(state);
    }
    if let Some(room) = state.current_mut() {
        room.found = None;
        room.timeline.to_newest();
    }
    Vec::new()
}

/// Does an editing action; says whether it may have changed the text.
pub(super) fn edits(composer: &mut Composer, killed: &mut Killed, action: Action) -> bool {
    if !is_kill(action) {
        killed.ends();
    }
    match action {
        Action::Left => composer.left(),
        Action::Right => composer.right(),
        Action::WordLeft => composer.word_left(),
        Action::WordRight => composer.word_right(),
        Action::Home => composer.home(),
        Action::End => composer.end(),
        Action::Newline => {
            composer.newline();
            return true;
        }
        Action::DeleteBack => {
            composer.delete_back();
            return true;
        }
        Action::DeleteForward => {
            composer.delete_forward();
            return true;
        }
        Action::KillToStart => {
            composer.kill_to_start(killed);
            return true;
        }
        Action::KillToEnd => {
            composer.kill_to_end(killed);
            return true;
        }
        Action::KillWord => {
            composer.kill_word(killed);
            return true;
        }
        Action::ClearDraft => {
            composer.kill_all(killed);
            return true;
        }
        Action::Yank => {
            composer.insert(killed.text());
            return true;
        }
        Action::Undo => {
            composer.undo();
            return true;
        }
        Action::Redo => {
            composer.redo();
            return true;
        }
        Action::Transpose => {
            composer.transpose();
            return true;
        }
        _ => {}
    }
    false
}

fn is_kill(action: Action) -> bool {
    matches!(
        action,
        Action::KillToStart | Action::KillToEnd | Action::KillWord | Action::ClearDraft
    )
}

/// Goes through what was sent here: back if positive.
fn recall(state: &mut State, by: isize) {
    let Some(room) = state.current_mut() else {
        return;
    };
    let count = room.sent.len();
    let back = room.recalled.map_or(0, |at| count - at);
    let Some(back) = back.checked_add_signed(by).filter(|back| *back <= count) else {
        return;
    };
    if back > 0 {
        room.recalled = Some(count - back);
        let text = room.sent[count - back].clone();
        room.write_instead(&text);
    } else if room.recalled.take().is_none() {
        return;
    } else if matches!(room.writing, Writing::Edit(_)) {
        // What is to be said anew is not what was being written.
        room.composer.set("");
    } else {
        room.write_on();
    }
    typed(state);
    state.popup = None;
}

/// To the room above or below in the list, around its ends.
fn step_room(state: &mut State, by: isize) -> Vec<Effect> {
    let listed: Vec<_> = state.listed().map(|room| room.info.id).collect();
    let Some(count) = isize::try_from(listed.len())
        .ok()
        .filter(|count| *count > 0)
    else {
        return Vec::new();
    };
    let now = listed
        .iter()
        .position(|room| Some(*room) == state.current)
        .and_then(|at| isize::try_from(at).ok());
    let next = now.map_or(0, |now| (now + by).rem_euclid(count));
    match usize::try_from(next).ok().and_then(|next| listed.get(next)) {
        Some(room) => show(state, *room),
        None => Vec::new(),
    }
}

/// To a room by its place in the list, counted from 0.
fn nth_room(state: &mut State, place: usize) -> Vec<Effect> {
    let room = state.listed().nth(place).map(|room| room.info.id);
    if let Some(room) = room {
        return show(state, room);
    }
    let words = fill(state.strings.no_nth_room, &[&(place + 1)]);
    state.say(Tone::Info, words);
    Vec::new()
}

fn read_overlay(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let is_help = matches!(state.overlay, Some(Overlay::Help { .. }));
    let types = is_help && keymap::typed(key).is_some();
    // In help a letter narrows the list, whatever it does in other overlays.
    let action = state.keymap.action(Context::Overlay, key);
    let action = action.filter(|_| !types);
    // One line of a page stays for orientation.
    let page = overlay_rows(state).saturating_sub(1).max(1);
    let page = isize::try_from(page).unwrap_or(isize::MAX);
    match action {
        Some(Action::OverlayUp) => scroll_overlay(state, -1),
        Some(Action::OverlayDown) => scroll_overlay(state, 1),
        Some(Action::OverlayPageUp) => scroll_overlay(state, -page),
        Some(Action::OverlayPageDown) => scroll_overlay(state, page),
        Some(Action::OverlayHome) => scroll_overlay(state, isize::MIN),
        Some(Action::OverlayEnd) => scroll_overlay(state, isize::MAX),
        Some(Action::Quit) => return vec![Effect::Quit],
        Some(_) => state.overlay = None,
        None if is_help => return narrow_help(state, key),
        None => {
            // A letter is meant for the composer.
            state.overlay = None;
            return press(state, key);
        }
    }
    Vec::new()
}

/// Edits what is looked for in help; any other key closes it and does what it does on the screen below.
fn narrow_help(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let action = state.keymap.action(Context::Composer, key);
    if action.is_some_and(|action| !action.is_of_line()) {
        state.overlay = None;
        return press(state, key);
    }
    if let Some(Overlay::Help { filter, scroll }) = &mut state.overlay {
        edits_line(filter, &mut state.killed, action, key);
        *scroll = 0;
    }
    Vec::new()
}

/// Scrolls the open overlay, if it is one to be read, as far as there is something.
pub(super) fn scroll_overlay(state: &mut State, by: isize) {
    let last = overlay_lines(state).saturating_sub(overlay_rows(state));
    if let Some(
        Overlay::Help { scroll, .. } | Overlay::List { scroll, .. } | Overlay::Link { scroll, .. },
    ) = &mut state.overlay
    {
        *scroll = scroll.saturating_add_signed(by).min(last);
    }
}

/// How many of its lines are shown, between the title and the last row, which says how many more there are.
fn overlay_rows(state: &State) -> usize {
    usize::from(layout(state).overlay().height.saturating_sub(2).max(1))
}

/// How many lines the open overlay has.
fn overlay_lines(state: &State) -> usize {
    let columns = layout(state).overlay().width;
    match &state.overlay {
        Some(Overlay::Help { filter, .. }) => {
            help::help(state.strings, &state.keymap, columns, &filter.text()).len()
        }
        Some(Overlay::List { lines, .. }) => lines.len(),
        Some(Overlay::Link { report, .. }) => link_details::lines(state, report, columns).len(),
        Some(
            Overlay::Name { .. }
            | Overlay::React { .. }
            | Overlay::Snippet { .. }
            | Overlay::Pick(_),
        )
        | None => 0,
    }
}

/// A digit is the reaction of its place; anything else is typed, and Tab completes the name of an emoji.
fn react_overlay(state: &mut State, target: Seq, key: KeyEvent) -> Vec<Effect> {
    let action = state.keymap.action(Context::Composer, key);
    let Some(Overlay::React { composer, .. }) = &mut state.overlay else {
        return Vec::new();
    };
    let digit = keymap::typed(key).and_then(|c| c.to_digit(10));
    let place = digit.and_then(|digit| usize::try_from(digit).ok()?.checked_sub(1));
    let chosen = place.and_then(|place| reactions::OFFERED.get(place));
    if let Some(emoji) = chosen.filter(|_| composer.is_empty()) {
        state.overlay = None;
        return amend::react(state, String::new(), target, emoji);
    }
    match action {
        Some(Action::Send) => {
            let written = composer.text().trim().to_owned();
            // A name that no emoji has stays to be corrected.
            if amend::meant_emoji(&written).is_some() {
                state.overlay = None;
            }
            if !written.is_empty() {
                return amend::react(state, String::new(), target, &written);
            }
        }
        Some(Action::Complete) => {
            if let Some(offer) = completion::emoji_like(composer.text().trim()).first() {
                composer.set(&offer.text);
            }
        }
        Some(Action::Close) => state.overlay = None,
        Some(Action::Quit) => return vec![Effect::Quit],
        action => edits_line(composer, &mut state.killed, action, key),
    }
    Vec::new()
}

/// Writes in a composer of one line.
pub(super) fn edits_line(
    composer: &mut Composer,
    killed: &mut Killed,
    action: Option<Action>,
    key: KeyEvent,
) {
    match action {
        Some(Action::Newline | Action::Up | Action::Down) => {}
        Some(action) => drop(edits(composer, killed, action)),
        None => {
            if let Some(c) = keymap::typed(key) {
                killed.ends();
                composer.insert(c.encode_utf8(&mut [0; 4]));
            }
        }
    }
}

fn name_overlay(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let action = state.keymap.action(Context::Composer, key);
    let Some(Overlay::Name {
        composer, proposal, ..
    }) = &mut state.overlay
    else {
        return Vec::new();
    };
    match action {
        Some(Action::Send) => {
            let mut name = composer.text().trim().to_owned();
            if name.is_empty() {
                name.clone_from(proposal);
            }
            if name.is_empty() {
                return Vec::new();
            }
            // It is chosen now: what is wrong with it is an error.
            (state.overlay, state.proposal) = (None, None);
            return vec![Effect::Client(Command::SetName(name))];
        }
        Some(Action::Quit) => return vec![Effect::Quit],
        action => edits_line(composer, &mut state.killed, action, key),
    }
    Vec::new()
}
