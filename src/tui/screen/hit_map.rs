//! The hit map: what was drawn where in the last frame, so that a click acts on what the user saw.

use ratatui::layout::{Position, Rect};

use crate::chat::{IdentityId, RoomId, Seq};

/// Something that can be clicked or scrolled with the mouse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    /// The room list, and a room in it.
    Rooms,
    Room(RoomId),
    /// The people list, and a person in it.
    People,
    Person(IdentityId),
    /// The message area, a message in it, and the line that stands for its folded code.
    Messages,
    Message(Seq),
    Folded(Seq),
    /// A copy of a private message: the room and the seq of the original.
    Original(RoomId, Seq),
    /// The notice that there are new messages below.
    Newest,
    /// The notice that there are unread messages above.
    New,
    /// The composer's text, of which `first` is the first visible row. The last column is only for the cursor.
    Composer {
        first: usize,
    },
    /// A completion.
    Offer(usize),
    /// The overlay, and a row of a list in it.
    Overlay,
    Row(usize),
}

/// Areas of the screen in drawing order: the topmost is last.
#[derive(Clone, Debug, Default)]
pub struct HitMap(Vec<(Rect, Target)>);

impl HitMap {
    pub(crate) fn push(&mut self, area: Rect, target: Target) {
        if !area.is_empty() {
            self.0.push((area, target));
        }
    }

    /// The topmost target at a position, and its area.
    pub fn at(&self, place: Position) -> Option<(Rect, Target)> {
        let mut from_above = self.0.iter().rev();
        from_above.find(|(area, _)| area.contains(place)).copied()
    }
}
