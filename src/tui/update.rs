//! `update`: what an event makes of the state, and what is to be done about it. Pure: no I/O, no clock, no waiting.

mod amend;
mod client;
mod drafts;
mod highlight;
mod keys;
mod link_details;
mod mouse;
mod notify;
mod open;
mod paste;
mod people;
mod personal;
mod picker;
mod plain;
mod reading;
mod room_commands;
mod rooms;
mod search;
mod select;
mod send;
mod settings;
mod tour;
mod trim;
mod unsent;
mod visit;

pub use self::drafts::flush as flush_drafts;
pub use self::trim::{Budget, trim};
use super::content::prompt::prompt;
use super::event::{Effect, Event};
use super::lists::panes::Panes;
use super::screen::regions::{Regions, regions};
use super::state::{Overlay, State, Tone};
use super::timeline::Anchor;
use super::timeline::rows::Layout;
use crate::client::Command;
use crate::text;

/// The heart of the screen.
pub fn update(state: &mut State, event: Event) -> Vec<Effect> {
    let is_typed = matches!(event, Event::Key(_) | Event::Paste(_));
    let before = is_typed.then(|| (state.current, state.composer().bytes()));
    let room = state.current;
    let mut effects = happen(state, event);
    tour::note(state, room, &effects);
    if state.overlay.is_none() {
        state.overlay = state.behind.take();
    }
    let after = (state.current, state.composer().bytes());
    if before.is_some_and(|before| before.0 == after.0 && before.1 != after.1) {
        effects.extend(notify::typed(state));
    }
    drafts::note(state);
    reading::note(state);
    trim(state, Budget::USUAL);
    effects.extend(highlight::note(state));
    effects
}

fn happen(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Key(key) => keys::press(state, key),
        // Terminals end pasted lines as the Enter key does.
        Event::Paste(text) => paste(state, &text.replace("\r\n", "\n").replace('\r', "\n")),
        Event::Line(text) => plain::line(state, &text),
        Event::Cut(text) => {
            let effects = paste(state, &text);
            state.say(Tone::Problem, state.strings.line_cut);
            effects
        }
        Event::Unreadable => {
            state.say(Tone::Problem, state.strings.no_text);
            Vec::new()
        }
        Event::ReadOut => {
            plain::read_out(state);
            Vec::new()
        }
        Event::Mouse(mouse) => mouse::point(state, mouse),
        Event::Resize(width, height) => {
            state.size = (width, height);
            hold_beginning(state);
            Vec::new()
        }
        Event::Focus(has) => {
            state.focus = Some(has);
            Vec::new()
        }
        Event::Client(event) => client::hear(state, event),
        Event::Tick => {
            let mut effects = drafts::due(state);
            effects.extend(link_details::due(state));
            effects.extend(picker::due(state));
            effects.extend(search::due(state));
            effects.extend(reading::due(state));
            notify::due(state);
            effects
        }
        Event::Busy(command) => client::busy(state, *command),
        Event::Saved {
            setting,
            value,
            saved,
        } => {
            settings::saved(state, setting, value, saved);
            Vec::new()
        }
        Event::Edited { room, text } => {
            paste::edited(state, room, text);
            Vec::new()
        }
        Event::Highlighted(code, tokens) => {
            state.highlights.take(&code, tokens);
            Vec::new()
        }
        Event::CannotOpen(why) | Event::NotifyFailed(why) => {
            state.say(Tone::Problem, text::line(&why).to_string());
            Vec::new()
        }
        Event::CannotConnect(why) | Event::ThemeFailed(why) => {
            state.say(Tone::Problem, why);
            client::give_back(state);
            Vec::new()
        }
    }
}

/// Pasted text is put in, whatever it holds: it never sends.
fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    if state.is_plain {
        // Nobody writes into a list that is not shown.
        state.overlay = None;
    }
    match &mut state.overlay {
        Some(
            Overlay::Name { composer, .. }
            | Overlay::React { composer, .. }
            | Overlay::Snippet { composer, .. },
        ) => {
            composer.insert(text.lines().next().unwrap_or_default());
        }
        Some(Overlay::Pick(picker)) => {
            picker
                .filter
                .insert(text.lines().next().unwrap_or_default());
            picker.chosen = 0;
            return search::changed(state);
        }
        Some(Overlay::Help { filter, scroll }) => {
            filter.insert(text.lines().next().unwrap_or_default());
            *scroll = 0;
        }
        Some(Overlay::List { .. } | Overlay::Link { .. }) => {}
        None => paste::paste(state, text),
    }
    Vec::new()
}

/// What follows from a changed composer.
fn typed(state: &mut State) {
    state.confirm = None;
    state.popup = super::input::completion::offers(state);
}

/// The parts of the screen as they are now.
pub(super) fn layout(state: &State) -> Regions {
    regions(state, text::width(&prompt(state).text))
}

/// How items are laid out in the room being read.
fn rows_layout(state: &State, columns: u16, name_columns: usize) -> Layout<'_> {
    Layout {
        columns: usize::from(columns),
        name_columns,
        zone: &state.zone,
        time: &state.time_format,
        strings: state.strings,
    }
}

/// Scrolls the room being read, and loads what is near its top.
fn scroll(state: &mut State, by: isize) -> Vec<Effect> {
    // What was asked about may not be on the screen any more.
    state.confirm = None;
    if by < 0 {
        look_back(state);
    }
    let area = layout(state).messages;
    let before = state.current().map(|room| room.timeline.anchor());
    let anchor = state.current().map(|room| {
        let rows = rows_layout(state, area.width, room.timeline.name_columns());
        room.timeline
            .scrolled(by, usize::from(area.height), |index| {
                rows.height(&room.timeline, index)
            })
    });
    if anchor == Some(Anchor::Newest) {
        // Whoever has come to the newest end is on no visit any more.
        state.visit = None;
    }
    if let (Some(room), Some(anchor)) = (state.current_mut(), anchor) {
        if anchor == Anchor::Newest {
            room.found = None;
        }
        room.timeline.set_anchor(anchor);
    }
    let effects = load_older(state);
    if anchor == before {
        say_end(state, by < 0, &effects);
    }
    effects
}

/// Where there is no screen to see it on: that nothing more is there in the direction somebody went, or that it is being loaded.
fn say_end(state: &mut State, is_up: bool, effects: &[Effect]) {
    let s = state.strings;
    let words = match state.current() {
        None => s.not_in_a_room,
        Some(_) if !effects.is_empty() => s.loading,
        Some(_) if is_up => s.nothing_older,
        Some(_) => s.nothing_newer,
    };
    if state.is_plain {
        state.say(Tone::Info, words);
    }
}

/// Where the screen was cleared, what was there is wanted again.
fn look_back(state: &mut State) {
    if let Some(room) = state.current_mut() {
        room.timeline.uncover();
        if room.timeline.oldest().is_none() {
            room.timeline.expect_entries();
        }
    }
}

/// To the oldest that is loaded, and what is before that.
fn to_oldest(state: &mut State) -> Vec<Effect> {
    state.confirm = None;
    look_back(state);
    let area = layout(state).messages;
    let before = state.current().map(|room| room.timeline.anchor());
    let anchor = state.current().map(|room| {
        let rows = rows_layout(state, area.width, room.timeline.name_columns());
        let of = |index| rows.height(&room.timeline, index);
        room.timeline.at_oldest(of)
    });
    if let (Some(room), Some(anchor)) = (state.current_mut(), anchor) {
        room.timeline.set_anchor(anchor);
    }
    let effects = load_older(state);
    if anchor == before {
        say_end(state, true, &effects);
    }
    effects
}

/// Where the oldest that is loaded is at the top it is what the screen is anchored to, in whatever size: rows that were above it in another
/// size would be filled with the next page, and everything moved.
fn hold_beginning(state: &mut State) {
    let area = layout(state).messages;
    let anchor = state.current().and_then(|room| {
        let rows = rows_layout(state, area.width, room.timeline.name_columns());
        let of = |index| rows.height(&room.timeline, index);
        let is_anchored = room.timeline.anchor() != Anchor::Newest;
        let top = room.timeline.top(usize::from(area.height), of);
        (is_anchored && top == (0, 0)).then(|| room.timeline.at_oldest(of))
    });
    if let (Some(room), Some(anchor)) = (state.current_mut(), anchor) {
        room.timeline.set_anchor(anchor);
    }
}

/// A screen of rows, less one that stays for orientation.
fn page(state: &State) -> isize {
    isize::try_from(layout(state).messages.height)
        .unwrap_or(1)
        .saturating_sub(1)
        .max(1)
}

/// Asks for a page of what is missing near the screen: before the oldest entry, or in a gap.
fn load_older(state: &mut State) -> Vec<Effect> {
    let area = layout(state).messages;
    let Some(room) = state.current() else {
        return Vec::new();
    };
    let rows = rows_layout(state, area.width, room.timeline.name_columns());
    let (top, _) = room.timeline.top(usize::from(area.height), |index| {
        rows.height(&room.timeline, index)
    });
    let Some(room) = state.current_mut() else {
        return Vec::new();
    };
    let shown = top..top + usize::from(area.height);
    let wanted = room.timeline.wants_page(shown);
    wanted
        .map(|before| {
            Effect::Client(Command::Older {
                room: room.info.id,
                before,
            })
        })
        .into_iter()
        .collect()
}

/// Shows a room, with a line before what is new there.
fn show(state: &mut State, id: crate::chat::RoomId) -> Vec<Effect> {
    state.popup = None;
    state.confirm = None;
    state.tour = None;
    state.visit = None;
    let is_another = state.current != Some(id);
    if is_another {
        state.panes = Panes::default();
    }
    if let Some(left) = state.current_mut().filter(|_| is_another) {
        left.timeline.end_new();
        left.found = None;
        left.seeking = None;
    }
    state.current = Some(id);
    if let Some(room) = state.room_mut(id) {
        if is_another && room.reading.unseen().0 > 0 {
            room.timeline.begin_new(room.reading.unread.read);
        }
        room.is_hidden = false;
    }
    load_older(state)
}
