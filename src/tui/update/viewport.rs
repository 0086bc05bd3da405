//! The part of a room that is on the screen: scrolling, loading what is near it, and showing another room.
//!
//! Every other module of `update` may use this one; it uses none of them.

use crate::chat::{RoomId, Seq};
use crate::client::Command;
use crate::text;
use crate::tui::content::prompt::prompt;
use crate::tui::event::Effect;
use crate::tui::screen::regions::{Regions, regions};
use crate::tui::state::{Panes, State, Tone};
use crate::tui::timeline::rows::Layout;
use crate::tui::timeline::{Anchor, Item, ItemKey};

/// The areas of the screen for the current state.
pub(super) fn layout(state: &State) -> Regions {
    regions(state, text::width(&prompt(state).text))
}

/// The row layout of the current room.
pub(super) fn rows_layout(state: &State, columns: u16, name_columns: usize) -> Layout<'_> {
    Layout {
        columns: usize::from(columns),
        name_columns,
        zone: &state.screen.zone,
        time: &state.preferences.time_format,
        strings: state.preferences.strings,
    }
}

/// Scrolls the current room by a number of rows (up if negative) and loads entries that are missing near the top.
pub(super) fn scroll(state: &mut State, by: isize) -> Vec<Effect> {
    // The message whose deletion is to be confirmed may no longer be on the screen.
    state.input.confirm = None;
    if by < 0 {
        uncover_cleared(state);
    }
    let area = layout(state).messages;
    let before = state.current().map(|room| room.timeline.anchor());
    let anchor = state.current().map(|room| {
        let rows = rows_layout(state, area.width, room.timeline.name_columns());
        room.timeline
            .scrolled(by, usize::from(area.height), |index| {
                rows.height(&room.timeline, index)
            })
    });
    if anchor == Some(Anchor::Newest) {
        // Scrolling to the newest message ends a visit.
        state.rooms.visit = None;
    }
    if let (Some(room), Some(anchor)) = (state.current_mut(), anchor) {
        if anchor == Anchor::Newest {
            room.found = None;
        }
        room.timeline.set_anchor(anchor);
    }
    let effects = load_older(state);
    if anchor == before {
        report_end(state, by < 0, &effects);
    }
    effects
}

/// In plain mode, tells the user that there is nothing further in the direction they scrolled, or that it is being loaded.
pub(super) fn report_end(state: &mut State, is_up: bool, effects: &[Effect]) {
    let s = state.preferences.strings;
    let words = match state.current() {
        None => s.not_in_a_room,
        Some(_) if !effects.is_empty() => s.loading,
        Some(_) if is_up => s.nothing_older,
        Some(_) => s.nothing_newer,
    };
    if state.screen.is_plain {
        state.show_notice(Tone::Info, words);
    }
}

/// Shows entries again that `/clear` has hidden.
pub(super) fn uncover_cleared(state: &mut State) {
    if let Some(room) = state.current_mut() {
        room.timeline.uncover();
        if room.timeline.oldest().is_none() {
            room.timeline.expect_entries();
        }
    }
}

/// Scrolls to the oldest loaded entry and requests the page before it.
pub(super) fn to_oldest(state: &mut State) -> Vec<Effect> {
    state.input.confirm = None;
    uncover_cleared(state);
    let area = layout(state).messages;
    let before = state.current().map(|room| room.timeline.anchor());
    let anchor = state.current().map(|room| {
        let rows = rows_layout(state, area.width, room.timeline.name_columns());
        let of = |index| rows.height(&room.timeline, index);
        room.timeline.at_oldest(of)
    });
    if let (Some(room), Some(anchor)) = (state.current_mut(), anchor) {
        room.timeline.set_anchor(anchor);
    }
    let effects = load_older(state);
    if anchor == before {
        report_end(state, true, &effects);
    }
    effects
}

/// If the oldest loaded entry is at the top of the screen, anchors the screen to it. On a larger screen there would otherwise be free rows
/// above it; the next page would fill them, and everything would move.
pub(super) fn anchor_beginning(state: &mut State) {
    let area = layout(state).messages;
    let anchor = state.current().and_then(|room| {
        let rows = rows_layout(state, area.width, room.timeline.name_columns());
        let of = |index| rows.height(&room.timeline, index);
        let is_anchored = room.timeline.anchor() != Anchor::Newest;
        let top = room.timeline.top(usize::from(area.height), of);
        (is_anchored && top == (0, 0)).then(|| room.timeline.at_oldest(of))
    });
    if let (Some(room), Some(anchor)) = (state.current_mut(), anchor) {
        room.timeline.set_anchor(anchor);
    }
}

/// The rows of one page: the screen's height less one row that stays visible for orientation.
pub(super) fn page(state: &State) -> isize {
    isize::try_from(layout(state).messages.height)
        .unwrap_or(1)
        .saturating_sub(1)
        .max(1)
}

/// Requests one page of entries missing near the screen: in a gap, or before the oldest entry.
pub(super) fn load_older(state: &mut State) -> Vec<Effect> {
    let area = layout(state).messages;
    let Some(room) = state.current() else {
        return Vec::new();
    };
    let rows = rows_layout(state, area.width, room.timeline.name_columns());
    let (top, _) = room.timeline.top(usize::from(area.height), |index| {
        rows.height(&room.timeline, index)
    });
    let Some(room) = state.current_mut() else {
        return Vec::new();
    };
    let shown = top..top + usize::from(area.height);
    let wanted = room.timeline.wants_page(shown);
    wanted
        .map(|before| {
            Effect::Client(Command::LoadOlder {
                room: room.info.id,
                before,
            })
        })
        .into_iter()
        .collect()
}

/// Switches to a room and shows the "new" line before its unread messages.
pub(super) fn show(state: &mut State, id: RoomId) -> Vec<Effect> {
    state.input.popup = None;
    state.input.confirm = None;
    state.rooms.tour = None;
    state.rooms.visit = None;
    let is_another = state.rooms.current != Some(id);
    if is_another {
        state.screen.panes = Panes::default();
    }
    if let Some(left) = state.current_mut().filter(|_| is_another) {
        left.timeline.end_new();
        left.found = None;
        left.seeking = None;
    }
    state.rooms.current = Some(id);
    if let Some(room) = state.room_mut(id)
        && is_another
        && room.reading.unseen().0 > 0
    {
        room.timeline.begin_new(room.reading.unread.read);
    }
    load_older(state)
}

/// The messages that begin on the screen, from top to bottom.
pub(super) fn on_screen(state: &State) -> Vec<Seq> {
    let area = layout(state).messages;
    let height = usize::from(area.height);
    let Some(room) = state.current() else {
        return Vec::new();
    };
    let timeline = &room.timeline;
    let rows = rows_layout(state, area.width, timeline.name_columns());
    let (top, line) = timeline.top(height, |index| rows.height(timeline, index));
    let mut left = height + line;
    let mut seen = Vec::new();
    for index in top..timeline.len() {
        let of_item = rows.height(timeline, index);
        // At the bottom there may be space only for the line above a message, not for the message.
        let begins = (index > top || line <= of_item.head) && left > of_item.head;
        let is_said = |item: &&Item| item.key == ItemKey::entry(item.key.seq);
        let item = timeline.get(index).filter(is_said);
        let said = item.and_then(|item| timeline.message(item.key.seq));
        seen.extend(said.filter(|_| begins).map(|entry| entry.seq));
        left = left.saturating_sub(of_item.all());
        if left == 0 {
            break;
        }
    }
    seen
}

/// Scrolls until the selected message is on the screen.
pub(super) fn reveal(state: &mut State) -> Vec<Effect> {
    let area = layout(state).messages;
    let height = usize::from(area.height);
    let anchor = state.current().and_then(|room| {
        let timeline = &room.timeline;
        let rows = rows_layout(state, area.width, timeline.name_columns());
        let of = |index: usize| rows.height(timeline, index);
        let place = timeline.place(ItemKey::entry(room.selected?))?;
        let (top, line) = timeline.top(height, of);
        if place < top || (place == top && line > of(top).head) {
            let key = ItemKey::entry(room.selected?);
            return Some(Anchor::Top { key, line: 0 });
        }
        let shown: usize = (top..=place).map(|index| of(index).all()).sum();
        let below = shown.saturating_sub(line + height);
        let below = isize::try_from(below).ok().filter(|below| *below > 0)?;
        Some(timeline.scrolled(below, height, of))
    });
    if let (Some(room), Some(anchor)) = (state.current_mut(), anchor) {
        room.timeline.set_anchor(anchor);
    }
    load_older(state)
}
