//! The side panes: the rows of the room list, and which part of the room list and the people list is shown.

use crate::tui::state::{Room, State};

/// A row of the room list.
#[derive(Clone, Copy, Debug)]
pub enum RoomRow<'a> {
    Title(&'static str),
    /// The title of the requests, with their number.
    Requests(usize),
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
    let requests: Vec<&Room> = state.requests().collect();
    if !requests.is_empty() {
        rows.push(RoomRow::Blank);
        rows.push(RoomRow::Requests(requests.len()));
        rows.extend(requests.into_iter().map(RoomRow::Room));
    }
    rows
}

/// The index of the first visible row of the room list. If the user has not scrolled the list, it is scrolled just far
/// enough to show the current room above the last row, which counts the rooms below.
pub fn first_room(state: &State, rows: &[RoomRow<'_>], height: usize) -> usize {
    let is_current = |row: &RoomRow| matches!(row, RoomRow::Room(room) if state.rooms.current == Some(room.info.id));
    let current = || rows.iter().position(is_current).unwrap_or(0);
    let wanted = state.screen.panes.rooms;
    let first = wanted.unwrap_or_else(|| (current() + 2).saturating_sub(height));
    first.min(rows.len().saturating_sub(height))
}

/// The index of the first visible person in the people list, which has `count` people.
pub fn first_person(state: &State, count: usize, height: usize) -> usize {
    state.screen.panes.people.min(count.saturating_sub(height))
}
