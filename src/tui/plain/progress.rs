//! How far each room was told, and what of it was not.

use super::FIRST;
use crate::chat::{Epoch, Seq};
use crate::tui::state::Room;
use crate::tui::timeline::{Era, Item, ItemKey};

/// Items that were told already that are looked back over.
const LOOKED_BACK: usize = 200;

/// How far a room was told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    pub epoch: Option<Epoch>,
    /// The newest entry or gap.
    pub key: ItemKey,
    /// The last of the lines that are only here.
    line: u32,
}

impl Progress {
    pub fn nothing(epoch: Option<Epoch>) -> Self {
        Self {
            epoch,
            key: ItemKey::entry(Seq::ZERO),
            line: 0,
        }
    }

    /// And an item more.
    pub fn and(self, item: &Item) -> Self {
        if item.is_local() {
            let line = self.line.max(item.key.line);
            Self { line, ..self }
        } else {
            let key = self.key.max(item.key);
            Self { key, ..self }
        }
    }

    pub fn has(self, item: &Item) -> bool {
        if item.is_local() {
            item.key.line <= self.line
        } else {
            item.key <= self.key
        }
    }
}

/// Where the items of a room stand that were not told, ascending; of one that was never told only the newest are looked at.
pub(super) fn fresh(room: &Room, known: Option<Progress>) -> Vec<usize> {
    let timeline = &room.timeline;
    let item = |index: &usize| timeline.get(*index);
    let is_now = |index: &usize| item(index).is_some_and(|it| it.key.era == Era::Now);
    let mut passed = 0;
    let mut fresh: Vec<usize> = (0..timeline.len())
        .rev()
        .skip_while(|index| !is_now(index))
        .take_while(|index| {
            // A line that is only here may stand before what was told.
            let is_old = known.is_some_and(|to| item(index).is_some_and(|it| to.has(it)));
            passed += usize::from(is_old);
            is_now(index) && passed <= LOOKED_BACK
        })
        .take(if known.is_some() {
            usize::MAX
        } else {
            FIRST * 20
        })
        .filter(|index| !known.is_some_and(|to| item(index).is_some_and(|it| to.has(it))))
        .collect();
    fresh.reverse();
    fresh
}
