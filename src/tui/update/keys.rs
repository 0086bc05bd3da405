//! Key presses: the topmost part of the screen handles a key first.

use crossterm::event::{KeyEvent, KeyEventKind};

use super::completion::{insert_offer, text_changed};
use super::editing::edit_line;
use super::viewport::layout;
use super::{actions, amend, paste, picker_keys, select, trust};
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
        // Redrawing changes no state, so an open overlay, selection or notice stays.
        return vec![Effect::Redraw];
    }
    state.screen.notice = None;
    state.timers.pressed_at = state.screen.now.instant;
    match &state.overlays.top {
        Some(Overlay::Name { .. }) => return name_overlay(state, key),
        Some(Overlay::Trust { .. }) => return trust::press(state, key),
        Some(Overlay::Pick(_)) => return picker_keys::press(state, key),
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
        Meaning::Action(action) => return actions::act(state, action),
        Meaning::Prefix => {
            let key = Key::of(key);
            state.input.prefix = Some(key);
            state.show_notice(Tone::Info, format!("{key} …"));
        }
        Meaning::Unbound => {
            if let Some(before) = before {
                // Esc cancels a started key sequence without an error.
                if state.input.keymap.action(Context::Composer, key) != Some(Action::Close) {
                    let words = fill(
                        state.preferences.strings.no_such_keys,
                        &[&before, &Key::of(key)],
                    );
                    state.show_notice(Tone::Problem, text::line(&words).to_string());
                }
            } else if let Some(c) = keymap::typed(key) {
                state.input.kill_ring.end_series();
                state.composer_mut().insert(c.encode_utf8(&mut [0; 4]));
                text_changed(state);
            }
        }
    }
    Vec::new()
}

/// Lets the parts above the composer handle a key first: completions, then a selected message.
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
            // A character that is not bound in selection mode goes to the composer.
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
        Action::PopupTake => insert_offer(state),
        _ => state.input.popup = None,
    }
}

fn read_overlay(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let is_help = matches!(state.overlays.top, Some(Overlay::Help { .. }));
    let types = is_help && keymap::typed(key).is_some();
    // In help a letter filters the list, even if it is a key in other overlays.
    let action = state.input.keymap.action(Context::Overlay, key);
    let action = action.filter(|_| !types);
    // One line of the previous page stays visible for orientation.
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
            // Any other letter closes the overlay and goes to the composer.
            state.overlays.top = None;
            return press(state, key);
        }
    }
    Vec::new()
}

/// Edits the filter of the help. A key with any other action closes the help, and the screen below handles the key.
fn narrow_help(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let action = state.input.keymap.action(Context::Composer, key);
    if action.is_some_and(|action| !action.needs_screen()) {
        state.overlays.top = None;
        return press(state, key);
    }
    if let Some(Overlay::Help { filter, scroll }) = &mut state.overlays.top {
        edit_line(filter, &mut state.input.kill_ring, action, key);
        *scroll = 0;
    }
    Vec::new()
}

/// Scrolls the open overlay if it is one to read, within its lines.
pub(super) fn scroll_overlay(state: &mut State, by: isize) {
    let last = overlay_lines(state).saturating_sub(overlay_rows(state));
    if let Some(
        Overlay::Help { scroll, .. } | Overlay::List { scroll, .. } | Overlay::Link { scroll, .. },
    ) = &mut state.overlays.top
    {
        *scroll = scroll.saturating_add_signed(by).min(last);
    }
}

/// The number of visible lines of the overlay, without the title and the last row, which shows how many more there are.
fn overlay_rows(state: &State) -> usize {
    usize::from(layout(state).overlay().height.saturating_sub(2).max(1))
}

/// The number of lines of the open overlay.
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
            | Overlay::Trust { .. }
            | Overlay::Pick(_),
        )
        | None => 0,
    }
}

/// Reacts with the emoji of a pressed digit. Other keys edit the text, and Tab completes an emoji name.
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
            // An unknown emoji name stays in the field to be corrected.
            if amend::resolve_emoji(&written).is_some() {
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
        action => edit_line(composer, &mut state.input.kill_ring, action, key),
    }
    Vec::new()
}

fn name_overlay(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    let action = state.input.keymap.action(Context::Composer, key);
    let Some(Overlay::Name {
        composer,
        proposed_name: proposal,
        ..
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
            // The user has now chosen a name, so any problem with it is an error.
            (state.overlays.top, state.me.proposed_name) = (None, None);
            return vec![Effect::Client(Command::SetName(name))];
        }
        Some(Action::Quit) => return vec![Effect::Quit],
        action => edit_line(composer, &mut state.input.kill_ring, action, key),
    }
    Vec::new()
}
