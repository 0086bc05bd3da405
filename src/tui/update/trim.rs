//! Memory limits: drops loaded entries that are far from the screen. They are still in the cache or on the server, and
//! are loaded again as pages when the user scrolls to them.

use std::ops::Range;

use super::viewport::{layout, rows_layout};
use crate::chat::{RoomId, Seq};
use crate::tui::state::{Overlay, Room, State, Writing};
use crate::tui::timeline::{Anchor, ItemKey, Keep};

/// How much memory loaded entries may use, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrimBudget {
    /// The room that is shown.
    pub shown: usize,
    /// All other rooms together.
    pub others: usize,
}

impl TrimBudget {
    /// Each is enough for about 4,000 messages of 160 bytes.
    pub const DEFAULT: Self = Self {
        shown: 6 * 1024 * 1024,
        others: 6 * 1024 * 1024,
    };
}

/// Trims the rooms that are over their budget.
pub fn trim(state: &mut State, budget: TrimBudget) {
    let rows = usize::from(state.screen.size.1);
    let others = state.rooms.list.len().saturating_sub(1).max(1);
    let aside = Keep::hidden((budget.others / others).min(budget.shown), rows);
    let shown = Keep::visible(budget.shown, rows);
    let current = state.rooms.current;
    let home = state.rooms.visit.as_ref().and_then(|visit| visit.home);
    let reacting = match &state.overlays.top {
        Some(Overlay::React { target, .. }) => Some(*target),
        _ => None,
    };
    for at in 0..state.rooms.list.len() {
        let Some(room) = state.rooms.list.get(at) else {
            continue;
        };
        let is_current = current == Some(room.info.id);
        let keep = if is_current { shown } else { aside };
        if !room.timeline.is_over(keep) {
            continue;
        }
        let on_screen = on_screen(state, room);
        let near = near(room, home, reacting.filter(|_| is_current));
        if let Some(room) = state.rooms.list.get_mut(at) {
            room.timeline.trim(keep, on_screen, &near);
        }
    }
}

/// The items on the screen of a room, including those between them that have no rows.
fn on_screen(state: &State, room: &Room) -> Range<usize> {
    let area = layout(state).messages;
    let height = usize::from(area.height);
    let timeline = &room.timeline;
    let rows = rows_layout(state, area.width, timeline.name_columns());
    let of = |index: usize| rows.height(timeline, index);
    let (top, line) = timeline.top(height, of);
    let (mut end, mut left) = (top, height + line);
    while left > 0 && end < timeline.len() {
        left = left.saturating_sub(of(end).all());
        end += 1;
    }
    top..end
}

/// Items that are in use although they may not be on the screen: selected, found, replied to and so on.
fn near(room: &Room, home: Option<(RoomId, Anchor)>, reacting: Option<Seq>) -> Vec<ItemKey> {
    let writing_about = match room.writing {
        Writing::Message => None,
        Writing::Reply(seq) | Writing::Edit(seq) => Some(seq),
    };
    let sought = room.seeking.map(|seeking| seeking.seq);
    let seqs = [room.selected, room.found, sought, writing_about, reacting];
    // Esc returns here.
    let home = home.and_then(|(id, anchor)| match anchor {
        Anchor::Top { key, .. } if id == room.info.id => Some(key),
        _ => None,
    });
    let seqs = seqs.into_iter().flatten();
    seqs.map(ItemKey::entry).chain(home).collect()
}
