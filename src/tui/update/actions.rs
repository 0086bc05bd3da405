//! Performs the actions of the keymap in the composer.

use super::completion::{self, insert_offer, text_changed};
use super::editing::{apply_edit, is_kill};
use super::viewport::{layout, page, scroll, show, to_oldest};
use super::{
    amend, link_details, paste, picker, reading, search, select, send, settings, unsent, visit,
};
use crate::tui::event::Effect;
use crate::tui::input::composer::Composer;
use crate::tui::input::keymap::{Action, Context};
use crate::tui::settings::Setting;
use crate::tui::state::{Overlay, Room, State, Tone, Writing};
use crate::tui::strings::fill;
use crate::tui::timeline::Anchor;

/// Performs an action of the composer context.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if !is_kill(action) {
        state.input.kill_ring.end_series();
    }
    if let Some(place) = action.room() {
        return nth_room(state, place);
    }
    match action {
        Action::Send => return press_enter(state),
        Action::PageUp => return scroll(state, -page(state)),
        Action::PageDown => return scroll(state, page(state)),
        Action::Oldest => return to_oldest(state),
        Action::Newest => return newest(state),
        Action::NextUnread => return visit::next_unread(state),
        Action::ToNew => return visit::to_new(state),
        Action::Mentions => return picker::mentions(state),
        Action::Search => return search::open(state, ""),
        Action::RoomBefore => return step_room(state, -1),
        Action::RoomAfter => return step_room(state, 1),
        Action::Help => state.overlays.top = Some(Overlay::help()),
        Action::Retry => return unsent::retry(state),
        Action::EditFailed => return unsent::edit(state),
        Action::Link => return link_details::open(state),
        Action::Panes => toggle_panes(state),
        Action::Quit => return vec![Effect::Quit],
        Action::Close => return go_back(state),
        Action::Lobby => return picker::lobby(state),
        Action::Palette => picker::palette(state),
        Action::Themes => picker::themes(state),
        Action::Editor => return paste::edit(state),
        Action::Redraw => return vec![Effect::Redraw],
        // If there is nothing to undo, the same key stops the process, as Ctrl+Z in a shell does.
        Action::Undo if !state.composer_mut().undo() => return vec![Effect::Suspend],
        Action::Undo => text_changed(state),
        Action::Select => return select::toggle(state),
        Action::Up if state.composer().is_empty() => amend::edit_newest(state),
        Action::SentBefore => recall(state, 1),
        Action::SentAfter => recall(state, -1),
        Action::Complete => complete(state),
        Action::Up => move_row(state, Composer::row_up),
        Action::Down => move_row(state, Composer::row_down),
        edit => edit_draft(state, edit),
    }
    Vec::new()
}

/// Inserts the selected completion, or else sends what was typed.
fn press_enter(state: &mut State) -> Vec<Effect> {
    let popup = state.input.popup.as_ref();
    if popup.is_some_and(|popup| popup.chosen.is_some()) {
        insert_offer(state);
        return Vec::new();
    }
    state.input.popup = None;
    send::enter(state)
}

fn toggle_panes(state: &mut State) {
    state.preferences.shows_panes = !state.preferences.shows_panes;
    if state.screen.is_plain {
        settings::show_value(state, Setting::Panes);
    }
}

/// Cancels an edit or a reply, or else returns to where the last visit began.
fn go_back(state: &mut State) -> Vec<Effect> {
    state.input.confirm = None;
    if amend::cancel(state) {
        return Vec::new();
    }
    visit::back(state).unwrap_or_default()
}

/// Shows the completions, or inserts the only one.
fn complete(state: &mut State) {
    state.input.popup = completion::offers(state).or_else(|| completion::names(state));
    let popup = state.input.popup.as_ref();
    if popup.is_some_and(|popup| popup.offers.len() == 1) {
        insert_offer(state);
    }
}

/// Moves the cursor of the composer to another row. `to` receives the number of columns of a row.
fn move_row(state: &mut State, to: fn(&mut Composer, usize)) {
    let columns = layout(state).text_columns();
    to(state.composer_mut(), columns);
    state.input.popup = None;
}

/// Performs an action that moves the cursor or edits the text of the composer.
fn edit_draft(state: &mut State, action: Action) {
    let mut kill_ring = std::mem::take(&mut state.input.kill_ring);
    let is_change = apply_edit(state.composer_mut(), &mut kill_ring, action);
    state.input.kill_ring = kill_ring;
    if is_change {
        text_changed(state);
    } else {
        state.input.popup = None;
    }
}

/// Performs an action that was chosen from a list or requested by a command: on the selected message if it is an action
/// of selection mode, otherwise as its key in the composer does.
pub(super) fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    let selected = state.current().and_then(|room| room.selected);
    match selected.filter(|_| action.is_bound_in(Context::Selection)) {
        Some(seq) => select::act(state, seq, action),
        None if action.is_bound_in(Context::Composer) => act(state, action),
        None => {
            state.show_notice(Tone::Problem, state.preferences.strings.nothing_selected);
            Vec::new()
        }
    }
}

/// Scrolls to the newest message. If that is shown already, marks everything as read.
pub(super) fn newest(state: &mut State) -> Vec<Effect> {
    state.rooms.visit = None;
    let is_there = |room: &Room| room.timeline.anchor() == Anchor::Newest;
    if state
        .current()
        .is_some_and(|room| is_there(room) && room.reading.above.0 > 0)
    {
        state.show_notice(Tone::Info, state.preferences.strings.all_read);
        return reading::read_all(state);
    }
    if let Some(room) = state.current_mut() {
        room.found = None;
        room.timeline.to_newest();
    }
    Vec::new()
}

/// Steps through the texts sent in this room: to an older one if `by` is positive.
pub(super) fn recall(state: &mut State, by: isize) {
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
        room.stash_draft(&text);
    } else if room.recalled.take().is_none() {
        return;
    } else if matches!(room.writing, Writing::Edit(_)) {
        // The edited message has replaced the draft, which stays stashed.
        room.composer.set("");
    } else {
        room.restore_draft();
    }
    text_changed(state);
    state.input.popup = None;
}

/// Switches to the room above or below in the list; wraps around at the ends.
pub(super) fn step_room(state: &mut State, by: isize) -> Vec<Effect> {
    let listed: Vec<_> = state.listed().map(|room| room.info.id).collect();
    let Some(count) = isize::try_from(listed.len())
        .ok()
        .filter(|count| *count > 0)
    else {
        return Vec::new();
    };
    let now = listed
        .iter()
        .position(|room| Some(*room) == state.rooms.current)
        .and_then(|at| isize::try_from(at).ok());
    let next = now.map_or(0, |now| (now + by).rem_euclid(count));
    match usize::try_from(next).ok().and_then(|next| listed.get(next)) {
        Some(room) => show(state, *room),
        None => Vec::new(),
    }
}

/// Switches to a room by its position in the list, from 0.
pub(super) fn nth_room(state: &mut State, place: usize) -> Vec<Effect> {
    let room = state.listed().nth(place).map(|room| room.info.id);
    if let Some(room) = room {
        return show(state, room);
    }
    let words = fill(state.preferences.strings.no_nth_room, &[&(place + 1)]);
    state.show_notice(Tone::Info, words);
    Vec::new()
}
