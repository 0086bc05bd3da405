//! The layout of the screen: the area of each part, computed from the size and the content. Used by both update and view.

use ratatui::layout::Rect;

use crate::tui::input::composer::ComposerLayout;
use crate::tui::state::State;

/// The people list is shown from this width on, and the room list from `ROOMS_FROM` on, both in columns.
const PEOPLE_FROM: u16 = 100;
const ROOMS_FROM: u16 = 70;
const ROOMS_COLUMNS: u16 = 19;
const PEOPLE_COLUMNS: u16 = 23;
/// The maximum width of an overlay, in columns.
pub const OVERLAY_COLUMNS: u16 = 72;
/// A screen smaller than this (columns, rows) shows only messages, and the composer while there is a draft or an overlay.
const TINY: (u16, u16) = (20, 6);

/// The areas of the parts of the screen. A part that is not shown has an empty area.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Regions {
    pub header: Rect,
    pub rooms: Rect,
    pub messages: Rect,
    /// Below the messages: the number of new ones further down.
    pub below: Rect,
    pub people: Rect,
    /// Above the composer: a separator line with a notice or a hint.
    pub rule: Rect,
    pub composer: Rect,
    /// The number of rows of the draft that are scrolled out at the top of the composer.
    pub above: usize,
    pub status: Rect,
    /// Columns of the prompt before the draft.
    pub prompt: u16,
}

impl Regions {
    /// Columns for the draft: those after the prompt, minus one for the cursor at the end of a row.
    pub fn text_columns(&self) -> usize {
        let columns = self.composer.width.saturating_sub(self.prompt + 1);
        usize::from(columns.max(1))
    }

    /// The area for overlays: from the left edge of the messages, over the people list if it needs those columns, but never over the
    /// composer.
    pub fn overlay(&self) -> Rect {
        // A screen of one row has only the composer.
        let body = if self.messages.is_empty() {
            self.composer
        } else {
            self.messages
        };
        Rect {
            width: (body.width + self.people.width).min(OVERLAY_COLUMNS),
            height: body.height + self.below.height,
            ..body
        }
    }

    /// The area to clear in the rows of an overlay: the columns of the messages, and those of the people list if the overlay reaches it.
    pub fn beside(&self, overlay: Rect) -> Rect {
        let reaches_people = overlay.right() > self.messages.right();
        let people = if reaches_people { self.people.width } else { 0 };
        Rect {
            width: self.messages.width + people,
            ..overlay
        }
    }
}

pub fn regions(state: &State, prompt_columns: usize) -> Regions {
    let (width, height) = state.screen.size;
    if width == 0 || height == 0 {
        return Regions::default();
    }
    let prompt = u16::try_from(prompt_columns)
        .unwrap_or(u16::MAX)
        .min(width / 2);
    if width < TINY.0 || height < TINY.1 {
        return tiny(state, width, height, prompt);
    }
    let most = (height / 3).max(1);
    let text_columns = usize::from(width.saturating_sub(prompt + 1).max(1));
    let laid = state.composer().layout(text_columns);
    let rows = u16::try_from(laid.rows.len()).unwrap_or(u16::MAX);
    let composer_rows = rows.clamp(1, most);
    let has_header = height >= 10 && width >= 50;
    let is_conversation = state
        .current()
        .is_some_and(crate::tui::state::Room::is_conversation);
    let rooms = if state.preferences.shows_panes && width >= ROOMS_FROM {
        ROOMS_COLUMNS
    } else {
        0
    };
    let people = if state.preferences.shows_panes && width >= PEOPLE_FROM && !is_conversation {
        PEOPLE_COLUMNS
    } else {
        0
    };
    let top = u16::from(has_header);
    let body = height - top - composer_rows - 2;
    let news = state.current().map(|room| room.timeline.unread_below());
    let below = u16::from(news.is_some_and(|count| count > 0) && body >= 3);
    let messages = width - rooms - people;
    let rule = top + body;
    Regions {
        header: if has_header {
            Rect::new(rooms, 0, width - rooms, 1)
        } else {
            Rect::default()
        },
        rooms: Rect::new(0, top, rooms, body),
        messages: Rect::new(rooms, top, messages, body - below),
        below: Rect::new(rooms, rule - below, messages, below),
        people: Rect::new(rooms + messages, top, people, body),
        rule: Rect::new(0, rule, width, 1),
        composer: Rect::new(0, rule + 1, width, composer_rows),
        above: above(&laid, composer_rows),
        status: Rect::new(0, height - 1, width, 1),
        prompt,
    }
}

/// The number of rows to scroll so that the cursor is just visible.
fn above(laid: &ComposerLayout, rows: u16) -> usize {
    (laid.cursor.0 + 1).saturating_sub(usize::from(rows))
}

fn tiny(state: &State, width: u16, height: u16, prompt: u16) -> Regions {
    let composes = !state.composer().is_empty() || state.overlays.top.is_some();
    let composer = u16::from(composes && height > 1);
    let messages = if composes && height == 1 {
        0
    } else {
        height - composer
    };
    let composer_rows = u16::from(composes);
    let mut regions = Regions {
        messages: Rect::new(0, 0, width, messages),
        composer: Rect::new(0, height - composer_rows, width, composer_rows),
        prompt: if width < 16 { 0 } else { prompt },
        ..Regions::default()
    };
    let laid = state.composer().layout(regions.text_columns());
    regions.above = above(&laid, composer_rows.max(1));
    regions
}
