//! The scroll state of the side panes.

/// The scroll positions of the side panes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Panes {
    /// The first visible row of the room list. `None` follows the current room.
    pub rooms: Option<usize>,
    /// The index of the first visible person.
    pub people: usize,
}
