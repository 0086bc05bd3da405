//! How far each room has been printed, and which items have not been.

use super::FIRST;
use crate::chat::{Epoch, Seq};
use crate::tui::state::Room;
use crate::tui::timeline::{Item, ItemKey, Section};

/// How many printed items the search for unprinted ones passes before it stops.
const LOOKED_BACK: usize = 200;

/// How far a room has been printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    pub epoch: Option<Epoch>,
    /// The newest entry or gap.
    pub key: ItemKey,
    /// The last of the lines that exist only locally.
    line: u32,
}

impl Progress {
    pub fn none(epoch: Option<Epoch>) -> Self {
        Self {
            epoch,
            key: ItemKey::entry(Seq::ZERO),
            line: 0,
        }
    }

    /// Advances past one more item.
    pub fn advance(self, item: &Item) -> Self {
        if item.is_local() {
            let line = self.line.max(item.key.line);
            Self { line, ..self }
        } else {
            let key = self.key.max(item.key);
            Self { key, ..self }
        }
    }

    pub fn includes(self, item: &Item) -> bool {
        if item.is_local() {
            item.key.line <= self.line
        } else {
            item.key <= self.key
        }
    }
}

/// The indices of the items that have not been printed, ascending. For a room that was never printed, only the newest are considered.
pub(super) fn unprinted(room: &Room, known: Option<Progress>) -> Vec<usize> {
    let timeline = &room.timeline;
    let item = |index: &usize| timeline.get(*index);
    let is_now = |index: &usize| item(index).is_some_and(|it| it.key.section == Section::Current);
    let mut passed = 0;
    let mut fresh: Vec<usize> = (0..timeline.len())
        .rev()
        .skip_while(|index| !is_now(index))
        .take_while(|index| {
            // A local line may come before items that are already printed.
            let is_old = known.is_some_and(|to| item(index).is_some_and(|it| to.includes(it)));
            passed += usize::from(is_old);
            is_now(index) && passed <= LOOKED_BACK
        })
        .take(if known.is_some() {
            usize::MAX
        } else {
            FIRST * 20
        })
        .filter(|index| !known.is_some_and(|to| item(index).is_some_and(|it| to.includes(it))))
        .collect();
    fresh.reverse();
    fresh
}
