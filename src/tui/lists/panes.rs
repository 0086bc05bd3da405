//! The lists at the sides: what stands in them, and which part of it is shown.

use crate::tui::state::{Room, State};

/// A row of the list of rooms.
#[derive(Clone, Copy, Debug)]
pub enum RoomRow<'a> {
    Title(&'static str),
    Blank,
    Room(&'a Room),
}

pub fn room_rows(state: &State) -> Vec<RoomRow<'_>> {
    let (conversations, public): (Vec<&Room>, Vec<&Room>) =
        state.listed().partition(|room| room.is_conversation());
    let mut rows = Vec::new();
    for (title, rooms) in [
        (state.preferences.strings.rooms, public),
        (state.preferences.strings.private, conversations),
    ] {
        if rooms.is_empty() {
            continue;
        }
        if !rows.is_empty() {
            rows.push(RoomRow::Blank);
        }
        rows.push(RoomRow::Title(title));
        rows.extend(rooms.into_iter().map(RoomRow::Room));
    }
    rows
}

/// The first row that is shown of the rooms: as little is scrolled as shows the room one is in, and the marks at the ends.
pub fn first_room(state: &State, rows: &[RoomRow<'_>], height: usize) -> usize {
    let is_current = |row: &RoomRow| matches!(row, RoomRow::Room(room) if state.rooms.current == Some(room.info.id));
    let current = || rows.iter().position(is_current).unwrap_or(0);
    let wanted = state.screen.panes.rooms;
    let first = wanted.unwrap_or_else(|| (current() + 2).saturating_sub(height));
    first.min(rows.len().saturating_sub(height))
}

/// The first of so many people that is shown.
pub fn first_person(state: &State, count: usize, height: usize) -> usize {
    state.screen.panes.people.min(count.saturating_sub(height))
}
