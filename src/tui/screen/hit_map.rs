//! What lies where on the screen that was drawn last: what a pointer means is what its hand saw.

use ratatui::layout::{Position, Rect};

use crate::chat::{IdentityId, RoomId, Seq};

/// What something may be done to with a pointer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// The list of rooms, and one of them.
    Rooms,
    Room(RoomId),
    /// The list of people, and one of them.
    People,
    Person(IdentityId),
    /// The messages, one of them, and the line that stands for the rest of its code.
    Messages,
    Said(Seq),
    Folded(Seq),
    /// A copy of something private that was said elsewhere.
    Elsewhere(RoomId, Seq),
    /// The words that there is more below.
    Newest,
    /// The words that something unread is above.
    New,
    /// What is written, from this row of it on; the last column is the cursor's alone.
    Composer {
        first: usize,
    },
    /// A completion.
    Offer(usize),
    /// The overlay, and a row of the list in it.
    Overlay,
    Row(usize),
}

/// Areas of the screen, what is above the others last.
#[derive(Clone, Debug, Default)]
pub struct HitMap(Vec<(Rect, Target)>);

impl HitMap {
    pub(crate) fn push(&mut self, area: Rect, target: Target) {
        if !area.is_empty() {
            self.0.push((area, target));
        }
    }

    /// The topmost at a place, and its area.
    pub fn at(&self, place: Position) -> Option<(Rect, Target)> {
        let mut from_above = self.0.iter().rev();
        from_above.find(|(area, _)| area.contains(place)).copied()
    }
}
