//! `update`: applies an event to the state and returns the effects to perform. Pure: no I/O, no clock, no waiting.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod account;
mod actions;
mod amend;
mod client;
mod commands;
mod completion;
mod drafts;
mod editing;
mod highlight;
mod invites;
mod keys;
mod link_details;
mod moderation;
mod mouse;
mod navigation;
mod notify;
mod open;
mod overlay_text;
mod paste;
mod people;
mod personal;
mod picker;
mod picker_keys;
mod plain;
mod plain_commands;
mod post;
mod reading;
mod requests;
mod room_commands;
mod rooms;
mod search;
mod select;
mod send;
mod settings;
mod tour;
mod trim;
mod trust;
mod unsent;
mod viewport;
mod visit;

pub use self::drafts::flush as flush_drafts;
pub use self::trim::{TrimBudget, trim};
use super::event::{Effect, Event};
use super::state::{State, Tone};
use crate::text;

/// Applies one event to the state and returns the effects to perform, in order.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let is_typed = matches!(event, Event::Key(_) | Event::Paste(_));
    let before = is_typed.then(|| (state.rooms.current, state.composer().bytes()));
    let room = state.rooms.current;
    let mut effects = handle(state, event);
    while let Some(action) = state.input.follow_up.take() {
        effects.extend(actions::perform(state, action));
    }
    tour::record_steps(state, room, &effects);
    state.overlays.reveal();
    let after = (state.rooms.current, state.composer().bytes());
    if before.is_some_and(|before| before.0 == after.0 && before.1 != after.1) {
        effects.extend(notify::send_typing(state));
    }
    drafts::schedule_save(state);
    reading::update_due(state);
    trim(state, TrimBudget::DEFAULT);
    effects.extend(highlight::request_visible(state));
    effects
}

fn handle(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Key(key) => return keys::press(state, key),
        // Terminals send a carriage return at the end of each pasted line, as for the Enter key.
        Event::Paste(text) => {
            return paste::insert(state, &text.replace("\r\n", "\n").replace('\r', "\n"));
        }
        Event::Line(text) => return plain::line(state, &text),
        Event::TruncatedLine(text) => {
            let effects = paste::insert(state, &text);
            state.show_notice(Tone::Problem, state.preferences.strings.line_cut);
            return effects;
        }
        Event::InvalidLine => state.show_notice(Tone::Problem, state.preferences.strings.no_text),
        Event::OverlayPrinted => plain::overlay_printed(state),
        Event::Mouse(mouse) => return mouse::point(state, mouse),
        Event::Resize(width, height) => {
            state.screen.size = (width, height);
            viewport::anchor_beginning(state);
        }
        Event::Focus(has) => state.screen.focus = Some(has),
        Event::Client(event) => return client::handle(state, event),
        Event::Tick => return tick(state),
        Event::Busy(command) => return client::busy(state, *command),
        Event::Saved {
            setting,
            value,
            saved,
        } => settings::saved(state, setting, value, saved),
        Event::Edited { room, text } => paste::edited(state, room, text),
        Event::Highlighted(code, tokens) => state.screen.highlights.insert(&code, tokens),
        Event::CannotOpen(why) | Event::NotifyFailed(why) => {
            state.show_notice(Tone::Problem, text::line(&why).to_string());
        }
        Event::CannotConnect(why) | Event::ThemeFailed(why) => {
            state.show_notice(Tone::Problem, why);
            client::restore_refused_command(state);
        }
    }
    Vec::new()
}

/// Performs everything that is due.
fn tick(state: &mut State) -> Vec<Effect> {
    let mut effects = drafts::store_if_due(state);
    effects.extend(link_details::request_if_due(state));
    effects.extend(picker::refresh_if_due(state));
    effects.extend(search::search_server_if_due(state));
    effects.extend(reading::due(state));
    notify::remove_expired_typing(state);
    effects
}
