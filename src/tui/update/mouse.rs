//! Mouse input: the wheel scrolls and a click selects the widget under the pointer, according to the last drawn frame.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::actions::act;
use super::completion::{insert_offer, text_changed};
use super::viewport::{layout, reveal, scroll, show};
use super::{keys, picker, picker_keys, select, visit};
use crate::chat::{IdentityId, Seq};
use crate::tui::event::Effect;
use crate::tui::input::keymap::Action;
use crate::tui::lists::panes::{first_person, first_room, room_rows};
use crate::tui::screen::hit_map::Target;
use crate::tui::state::{Overlay, State};

/// Rows scrolled by one step of the wheel.
const WHEEL: isize = 3;

pub(super) fn point(state: &mut State, mouse: MouseEvent) -> Vec<Effect> {
    let place = Position::new(mouse.column, mouse.row);
    let found = state.screen.hit_map.at(place);
    match mouse.kind {
        MouseEventKind::ScrollUp => wheel(state, found, -WHEEL),
        MouseEventKind::ScrollDown => wheel(state, found, WHEEL),
        MouseEventKind::Down(MouseButton::Left) => {
            state.screen.notice = None;
            state.input.prefix = None;
            state.timers.pressed_at = state.screen.now.instant;
            click(state, found, place)
        }
        _ => Vec::new(),
    }
}

fn wheel(state: &mut State, found: Option<(Rect, Target)>, by: isize) -> Vec<Effect> {
    match found.map(|(_, target)| target) {
        Some(Target::Overlay | Target::Row(_)) => return wheel_overlay(state, by),
        Some(Target::Rooms | Target::Room(_)) => {
            let rows = room_rows(state);
            let height = usize::from(layout(state).rooms.height);
            let first = first_room(state, &rows, height).saturating_add_signed(by);
            let last = rows.len().saturating_sub(height);
            state.screen.panes.rooms = Some(first.min(last));
        }
        Some(Target::People | Target::Person(_)) => {
            let count = state.current().map_or(0, |room| room.roster.people().len());
            // The title takes one row.
            let height = usize::from(layout(state).people.height.saturating_sub(1));
            let first = first_person(state, count, height).saturating_add_signed(by);
            state.screen.panes.people = first.min(count.saturating_sub(height));
        }
        Some(Target::Offer(_)) => {
            if let Some(popup) = &mut state.input.popup {
                popup.step(by.signum());
            }
        }
        _ => return scroll(state, by),
    }
    Vec::new()
}

fn wheel_overlay(state: &mut State, by: isize) -> Vec<Effect> {
    match &state.overlays.top {
        Some(Overlay::Pick(picker)) => {
            let chosen = picker.chosen.saturating_add_signed(by.signum());
            picker::point(state, chosen)
        }
        Some(_) => {
            keys::scroll_overlay(state, by);
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn click(state: &mut State, found: Option<(Rect, Target)>, place: Position) -> Vec<Effect> {
    let target = found.map(|(_, target)| target);
    if state.overlays.top.is_some() && !matches!(target, Some(Target::Overlay | Target::Row(_))) {
        return close(state);
    }
    let Some((area, target)) = found else {
        return Vec::new();
    };
    match target {
        Target::Room(id) => return show(state, id),
        Target::Person(id) => insert_mention(state, id),
        Target::Message(seq) => return mark(state, seq),
        Target::Folded(seq) => select::toggle_fold(state, seq),
        Target::Original(room, seq) => return visit::visit(state, room, seq),
        Target::Newest => return act(state, Action::Newest),
        Target::New => return act(state, Action::ToNew),
        Target::Composer { first } => {
            let row = first + usize::from(place.y - area.y);
            let column = usize::from(place.x - area.x);
            let columns = usize::from(area.width.saturating_sub(1));
            state.composer_mut().go_to(columns, (row, column));
            select::leave(state);
            state.input.popup = None;
        }
        Target::Offer(n) => {
            if let Some(popup) = &mut state.input.popup {
                popup.chosen = Some(n);
                insert_offer(state);
            }
        }
        Target::Row(n) => return picker_keys::click(state, n),
        Target::Rooms | Target::People | Target::Messages | Target::Overlay => {}
    }
    Vec::new()
}

/// Handles a click outside an overlay: a list or a text to read closes, an overlay with a text field stays open.
fn close(state: &mut State) -> Vec<Effect> {
    match &state.overlays.top {
        Some(Overlay::Pick(_)) => picker::close(state),
        Some(Overlay::Help { .. } | Overlay::List { .. } | Overlay::Link { .. }) => {
            state.overlays.top = None;
            Vec::new()
        }
        Some(
            Overlay::Name { .. }
            | Overlay::React { .. }
            | Overlay::Snippet { .. }
            | Overlay::Trust { .. },
        )
        | None => Vec::new(),
    }
}

/// Inserts a mention of a person at the cursor. At the start of the line this makes the message private.
fn insert_mention(state: &mut State, id: IdentityId) {
    let person = state.current().and_then(|room| room.roster.find(id));
    let Some(name) = person.map(|person| person.name.clone()) else {
        return;
    };
    let before = state.composer().before();
    let is_apart = before.is_empty() || before.ends_with(char::is_whitespace);
    let space = if is_apart { "" } else { " " };
    select::leave(state);
    state.composer_mut().insert(&format!("{space}@{name} "));
    text_changed(state);
}

/// Selects a message, or clears the selection if it was selected already.
fn mark(state: &mut State, seq: Seq) -> Vec<Effect> {
    let Some(room) = state.current_mut() else {
        return Vec::new();
    };
    if room.selected == Some(seq) {
        select::leave(state);
    } else if room.timeline.message(seq).is_some() {
        room.selected = Some(seq);
        state.input.confirm = None;
        return reveal(state);
    }
    Vec::new()
}
