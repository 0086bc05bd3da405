//! A pressed key: the topmost part of the screen sees it first.

use crossterm::event::{KeyEvent, KeyEventKind};

use super::completion::{take_offer, typed};
use super::editing::edits_line;
use super::viewport::layout;
use super::{actions, amend, paste, pick, select};
use crate::chat::Seq;
use crate::client::Command;
use crate::text;
use crate::tui::content::{help, link_details, reactions};
use crate::tui::event::Effect;
use crate::tui::input::completion;
use crate::tui::input::keymap;
use crate::tui::input::keymap::{Action, Context, Key, Meaning};
use crate::tui::state::{Overlay, State, Tone};
use crate::tui::strings::fill;

pub(super) fn press(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if key.kind == KeyEventKind::Release {
        return Vec::new();
    }
    if state.input.keymap.action(Context::Composer, key) == Some(Action::Redraw) {
        // It changes nothing of what is open, selected or said: it only puts it on the screen again.
        return vec![Effect::Redraw];
    }
    state.screen.notice = None;
    state.timers.pressed_at = state.screen.now.instant;
    match &state.overlays.top {
        Some(Overlay::Name { .. }) => return name_overlay(state, key),
        Some(Overlay::Pick(_)) => return pick::press(state, key),
        Some(Overlay::Snippet { .. }) => return paste::press(state, key),
        Some(Overlay::React { target, .. }) => return react_overlay(state, *target, key),
        Some(Overlay::Help { .. } | Overlay::List { .. } | Overlay::Link { .. }) => {
            return read_overlay(state, key);
        }
        None => {}
    }
    let before = state.input.prefix.take();
    if before.is_none()
        && let Some(effects) = press_above(state, key)
    {
        return effects;
    }
    match state.input.keymap.meaning(Context::Composer, before, key) {
        Meaning::Does(action) => return actions::act(state, action),
        Meaning::Begins => {
            let key = Key::of(key);
            state.input.prefix = Some(key);
            state.say(Tone::Info, format!("{key} …"));
        }
        Meaning::Nothing => {
            if let Some(before) = before {
                // What closes things takes the first key back.
                if state.input.keymap.action(Context::Composer, key) != Some(Action::Close) {
                    let words = fill(
                        state.preferences.strings.no_such_keys,
                        &[&before, &Key::of(key)],
                    );
                    state.say(Tone::Problem, text::line(&words).to_string());
                }
            } else if let Some(c) = keymap::typed(key) {
                state.input.kill_ring.ends();
                state.composer_mut().insert(c.encode_utf8(&mut [0; 4]));
                typed(state);
            }
        }
    }
    Vec::new()
}

/// What stands over the composer sees a key first: completions, and a message that is selected.
fn press_above(state: &mut State, key: KeyEvent) -> Option<Vec<Effect>> {
    if state.input.popup.is_some()
        && let Some(action) = state.input.keymap.action(Context::Popup, key)
    {
        popup(state, action);
        return Some(Vec::new());
    }
    if let Some(seq) = state.current().and_then(|room| room.selected) {
        if let Some(action) = state.input.keymap.action(Context::Selection, key) {
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
    let Some(popup) = &mut state.input.popup else {
        return;
    };
    match action {
        Action::PopupUp => popup.step(-1),
        Action::PopupDown => popup.step(1),
        Action::PopupTake => take_offer(state),
        _ => state.input.popup = None,
    }
}

fn read_overlay(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let is_help = matches!(state.overlays.top, Some(Overlay::Help { .. }));
    let types = is_help && keymap::typed(key).is_some();
    // In help a letter narrows the list, whatever it does in other overlays.
    let action = state.input.keymap.action(Context::Overlay, key);
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
        Some(_) => state.overlays.top = None,
        None if is_help => return narrow_help(state, key),
        None => {
            // A letter is meant for the composer.
            state.overlays.top = None;
            return press(state, key);
        }
    }
    Vec::new()
}

/// Edits what is looked for in help; any other key closes it and does what it does on the screen below.
fn narrow_help(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let action = state.input.keymap.action(Context::Composer, key);
    if action.is_some_and(|action| !action.is_of_line()) {
        state.overlays.top = None;
        return press(state, key);
    }
    if let Some(Overlay::Help { filter, scroll }) = &mut state.overlays.top {
        edits_line(filter, &mut state.input.kill_ring, action, key);
        *scroll = 0;
    }
    Vec::new()
}

/// Scrolls the open overlay, if it is one to be read, as far as there is something.
pub(super) fn scroll_overlay(state: &mut State, by: isize) {
    let last = overlay_lines(state).saturating_sub(overlay_rows(state));
    if let Some(
        Overlay::Help { scroll, .. } | Overlay::List { scroll, .. } | Overlay::Link { scroll, .. },
    ) = &mut state.overlays.top
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
    match &state.overlays.top {
        Some(Overlay::Help { filter, .. }) => help::help(
            state.preferences.strings,
            &state.input.keymap,
            columns,
            &filter.text(),
        )
        .len(),
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
    let action = state.input.keymap.action(Context::Composer, key);
    let Some(Overlay::React { composer, .. }) = &mut state.overlays.top else {
        return Vec::new();
    };
    let digit = keymap::typed(key).and_then(|c| c.to_digit(10));
    let place = digit.and_then(|digit| usize::try_from(digit).ok()?.checked_sub(1));
    let chosen = place.and_then(|place| reactions::OFFERED.get(place));
    if let Some(emoji) = chosen.filter(|_| composer.is_empty()) {
        state.overlays.top = None;
        return amend::react(state, String::new(), target, emoji);
    }
    match action {
        Some(Action::Send) => {
            let written = composer.text().trim().to_owned();
            // A name that no emoji has stays to be corrected.
            if amend::meant_emoji(&written).is_some() {
                state.overlays.top = None;
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
        Some(Action::Close) => state.overlays.top = None,
        Some(Action::Quit) => return vec![Effect::Quit],
        action => edits_line(composer, &mut state.input.kill_ring, action, key),
    }
    Vec::new()
}

fn name_overlay(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let action = state.input.keymap.action(Context::Composer, key);
    let Some(Overlay::Name {
        composer, proposal, ..
    }) = &mut state.overlays.top
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
            (state.overlays.top, state.me.proposal) = (None, None);
            return vec![Effect::Client(Command::SetName(name))];
        }
        Some(Action::Quit) => return vec![Effect::Quit],
        action => edits_line(composer, &mut state.input.kill_ring, action, key),
    }
    Vec::new()
}
