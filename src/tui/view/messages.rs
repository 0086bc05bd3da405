//! Draws the message area: the visible part of a timeline, starting at its anchor.

use std::cell::RefCell;
use std::collections::HashMap;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::{Canvas, columns};
use crate::client::{DisconnectReason, LinkState};
use crate::text::{self, Mark, SafeText};
use crate::tui::input::keymap::{Action, Context};
use crate::tui::screen::hit_map::Target;
use crate::tui::screen::regions::Regions;
use crate::tui::state::{Room, State};
use crate::tui::strings::fill;
use crate::tui::theme::Scope;
use crate::tui::timeline::message_text::TextRowKind;
use crate::tui::timeline::rows::{self, Gutter, Layout, Line, Row};
use crate::tui::timeline::{Item, ItemKey, ItemKind, Timeline};

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, regions: &Regions) {
    let area = regions.messages;
    if area.is_empty() {
        return;
    }
    let Some(room) = state.current() else {
        draw_empty(canvas, state, area);
        return;
    };
    canvas.target(area, Target::Messages);
    let timeline = &room.timeline;
    let layout = Layout {
        columns: usize::from(area.width),
        name_columns: timeline.name_columns(),
        zone: &state.screen.zone,
        time: &state.preferences.time_format,
        strings: state.preferences.strings,
    };
    let height = usize::from(area.height);
    let rows = visible_rows(&layout, timeline, height);
    let selected = room
        .selected
        .or(room.found)
        .and_then(|seq| timeline.place(ItemKey::entry(seq)));
    // A short timeline is drawn at the bottom, where the next message will appear.
    let offset = height - rows.len();
    for (n, (index, row)) in rows.iter().enumerate() {
        let place = Rect {
            y: area.y + u16::try_from(offset + n).unwrap_or(u16::MAX),
            height: 1,
            ..area
        };
        if selected == Some(*index) && matches!(row, Row::Line(_)) {
            canvas.fill(place, Scope::Selection);
        }
        draw_row(canvas, state, &layout, place, row);
        let item = timeline.get(*index);
        if let Some(target) = item.and_then(|item| target(item, row)) {
            canvas.target(place, target);
        }
    }
    new_below(canvas, state, room, regions.below);
}

/// The visible rows, at most `height` of them, each with the index of its item.
fn visible_rows(layout: &Layout<'_>, timeline: &Timeline, height: usize) -> Vec<(usize, Row)> {
    // `top` needs the heights of the items on the screen. The rows computed for that are drawn, so no item is laid out
    // twice.
    let laid: RefCell<HashMap<usize, Vec<Row>>> = RefCell::default();
    let (top, line) = timeline.top(height, |index| {
        let mut laid = laid.borrow_mut();
        let rows = laid.entry(index);
        rows::height(rows.or_insert_with(|| layout.rows(timeline, index)))
    });
    let mut laid = laid.into_inner();
    let of = |index: usize| {
        let rows = laid.remove(&index);
        let rows = rows.unwrap_or_else(|| layout.rows(timeline, index));
        rows.into_iter().map(move |row| (index, row))
    };
    let visible = (top..timeline.len()).flat_map(of).skip(line).take(height);
    let mut rows: Vec<(usize, Row)> = visible.collect();
    if let Some((index, Row::Line(line))) = rows.first_mut() {
        repeat_heading(layout, timeline, *index, line);
    }
    rows
}

/// Adds the time and author to the first visible row if it has none, because the row that shows them is above the screen.
fn repeat_heading(layout: &Layout<'_>, timeline: &Timeline, index: usize, line: &mut Line) {
    if line.name.is_some() {
        return;
    }
    if let Some(heading) = layout.heading(timeline, index) {
        (line.gutter, line.time, line.name) = (heading.gutter, heading.time, heading.name);
    }
}

/// The click target of a row of an item. Separator lines have none.
fn target(item: &Item, row: &Row) -> Option<Target> {
    let Row::Line(line) = row else { return None };
    match &item.what {
        ItemKind::Message { .. } => Some(match line.kind {
            TextRowKind::Folded(_) => Target::Folded(item.key.seq),
            _ => Target::Message(item.key.seq),
        }),
        ItemKind::Private {
            copy_of: Some((room, seq)),
            ..
        } => Some(Target::Original(*room, *seq)),
        _ => None,
    }
}

fn draw_row(canvas: &mut Canvas<'_>, state: &State, layout: &Layout<'_>, place: Rect, row: &Row) {
    match row {
        Row::Date(date) => rule_with(canvas, place, date, Scope::MessageDate),
        Row::New => {
            let words = state.preferences.strings.new_line;
            rule_with(canvas, place, words, Scope::MessageUnread);
        }
        Row::Gap(words) => rule_with(canvas, place, words, Scope::MessageGap),
        Row::Line(line) => draw_line(canvas, state, layout, place, line),
    }
}

/// Draws the reason why no room is open: not connected, and why, or not in a room.
fn draw_empty(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let s = state.preferences.strings;
    let words = match &state.connection.link {
        LinkState::Connecting => fill(s.connecting, &[&state.connection.server]),
        LinkState::Online => s.not_in_a_room.to_owned(),
        // This reason already names the server.
        LinkState::Stopped(why @ DisconnectReason::Untrusted(_)) => s.why(why),
        LinkState::Stopped(why @ DisconnectReason::Refused(_)) => {
            fill(s.cannot_join, &[&state.connection.server, &s.why(why)])
        }
        LinkState::Waiting { why, .. } | LinkState::Stopped(why) => {
            fill(s.cannot_reach, &[&state.connection.server, &s.why(why)])
        }
        LinkState::NameRefused(_) => return,
    };
    let words = text::line(&words);
    let columns = area.width.saturating_sub(4).max(1);
    let lines = text::wrap(words.as_str(), usize::from(columns));
    let style = canvas.style(Scope::MessageSystem);
    let first = area
        .bottom()
        .saturating_sub(u16::try_from(lines.len()).unwrap_or(u16::MAX))
        .max(area.y);
    for (y, range) in (first..area.bottom()).zip(lines) {
        canvas.put(area.x + 2, y, columns, &words.slice(range), style);
    }
}

fn draw_line(canvas: &mut Canvas<'_>, state: &State, layout: &Layout<'_>, area: Rect, line: &Line) {
    let (glyphs, y) = (canvas.look.glyphs, area.y);
    let (mark, scope) = match line.gutter {
        Gutter::Empty => ("", Scope::Text),
        Gutter::Pending => (glyphs.pending, Scope::MessagePending),
        Gutter::Failed => (glyphs.failed, Scope::MessageFailed),
        Gutter::Private => (glyphs.private, Scope::Accent),
    };
    let style = canvas.style(scope);
    canvas.put(area.x, y, 1, &mark.into(), style);
    let mut x = area.x + 2.min(area.width / 4);
    if layout.shows_time() {
        let columns = u16::try_from(layout.time.columns()).unwrap_or(u16::MAX);
        if let Some(time) = &line.time {
            let style = canvas.style(Scope::MessageTime);
            canvas.put(x, y, columns, &text::line(time), style);
        }
        x += columns + 1;
    }
    if let Some((person, name)) = line.name.as_ref().filter(|_| layout.shows_name()) {
        let is_mine = line.gutter == Gutter::Pending || state.is_me(*person);
        let style = if is_mine {
            canvas.style(Scope::MessageOwn)
        } else {
            canvas.look.theme.name(*person)
        };
        canvas.put(
            x,
            y,
            u16::try_from(layout.name_width()).unwrap_or(u16::MAX),
            name,
            style,
        );
    }
    let x = area.x + u16::try_from(layout.indent()).unwrap_or(u16::MAX);
    let left = area.right().saturating_sub(x);
    let place = Rect::new(x, y, left, 1);
    let used = draw_text(canvas, state, place, line);
    let style = canvas.style(line.scope);
    if let Some(cursor) = state.result_cursor() {
        let found = style.patch(canvas.style(Scope::PopupMatch));
        let marks = cursor.hits.match_ranges(line.text.as_str());
        canvas.mark(place, &line.text, &marks, found);
    }
    if let Some(aside) = &line.suffix {
        let scope = if line.scope == Scope::MessageFailed {
            Scope::MessageFailed
        } else {
            Scope::Dim
        };
        let style = canvas.style(scope);
        if line.text.is_empty() {
            canvas.put(x, y, left, aside, style);
        } else {
            let x = x + used + 2;
            canvas.put(x, y, area.right().saturating_sub(x), aside, style);
        }
    }
}

/// Draws the text of a line with its marks, and returns how many columns it used.
fn draw_text(canvas: &mut Canvas<'_>, state: &State, place: Rect, line: &Line) -> u16 {
    let style = text_background(canvas, place, line);
    if let TextRowKind::Folded(count) = line.kind {
        let s = state.preferences.strings;
        let select = state.input.keymap.first(Action::Select);
        let turn = state
            .input
            .keymap
            .first_in(Context::Selection, Action::TurnFold);
        let words = text::line(&fill(s.folded, &[&count, &select, &turn]));
        return canvas.put(place.x, place.y, place.width, &words, style);
    }
    let used = canvas.put(place.x, place.y, place.width, &line.text, style);
    mark_code(canvas, state, place, line);
    draw_marks(canvas, place, line);
    used
}

/// Draws the background of a line if it is code, and returns the style of its text.
fn text_background(canvas: &mut Canvas<'_>, place: Rect, line: &Line) -> Style {
    let code = canvas.style(Scope::MessageCode);
    match &line.kind {
        TextRowKind::Text => canvas.style(line.scope),
        TextRowKind::Quote => canvas.style(Scope::MessageQuote),
        TextRowKind::Code { indent, .. } => {
            let x = place.x.saturating_add(u16::try_from(*indent).unwrap_or(0));
            let width = place.right().saturating_sub(x);
            canvas.fill(Rect::new(x, place.y, width, 1), Scope::MessageCode);
            code
        }
        TextRowKind::Language | TextRowKind::Folded(_) => {
            canvas.fill(place, Scope::MessageCode);
            let dim = canvas.style(Scope::Dim);
            Style { bg: code.bg, ..dim }
        }
    }
}

/// Highlights the syntax of a line of code that has been drawn.
fn mark_code(canvas: &mut Canvas<'_>, state: &State, place: Rect, line: &Line) {
    let TextRowKind::Code {
        code,
        line: of_code,
        from,
        indent,
    } = &line.kind
    else {
        return;
    };
    let end = line.text.as_str().len();
    for (range, token) in state.screen.highlights.of(code, *of_code) {
        let moved = |at: usize| (at.max(*from) - from + indent).min(end);
        let part = moved(range.start)..moved(range.end);
        let style = canvas.style(token.scope());
        canvas.mark(place, &line.text, &[part], style);
    }
}

/// Styles the marked parts of a line that has been drawn, and makes its links clickable.
fn draw_marks(canvas: &mut Canvas<'_>, place: Rect, line: &Line) {
    for (range, mark) in &line.marks {
        let part = std::slice::from_ref(range);
        let style = match mark {
            Mark::Strong => Style::new().add_modifier(Modifier::BOLD),
            Mark::Emphasis => Style::new().add_modifier(Modifier::ITALIC),
            Mark::Struck => Style::new().add_modifier(Modifier::CROSSED_OUT),
            Mark::Code => canvas.style(Scope::MessageCode),
            Mark::Link(_) => canvas.style(Scope::MessageLink),
        };
        canvas.mark(place, &line.text, part, style);
    }
    for (range, mark) in &line.marks {
        if let Mark::Link(address) = mark {
            canvas.link(place, &line.text, range.clone(), address);
        }
    }
}

/// Draws a separator line across an area with a label in the middle.
fn rule_with(canvas: &mut Canvas<'_>, area: Rect, words: &str, scope: Scope) {
    let inner = Rect {
        x: area.x + 1.min(area.width),
        width: area.width.saturating_sub(2),
        ..area
    };
    let line: SafeText = text::line(&canvas.look.glyphs.rule.repeat(usize::from(inner.width)));
    let style = canvas.style(Scope::Rule);
    canvas.put(inner.x, inner.y, inner.width, &line, style);
    let words = text::line(&format!(" {words} "));
    let wide = columns(words.as_str());
    if wide < inner.width {
        let style = canvas.style(scope);
        canvas.put(
            inner.x + (inner.width - wide) / 2,
            inner.y,
            wide,
            &words,
            style,
        );
    }
}

/// Draws the number of unread messages above the screen at the right end of a row. Returns the columns used.
pub(super) fn new_above(canvas: &mut Canvas<'_>, state: &State, row: Rect) -> u16 {
    let count = state.current().map_or(0, |room| room.reading.above.0);
    let key = state.input.keymap.first(Action::ToNew);
    let words = fill(
        state.preferences.strings.new_above,
        &[&count.min(999), &key],
    );
    let words = text::line(&format!(" {} {words} ", canvas.look.glyphs.above));
    let wide = columns(words.as_str());
    if count == 0 || row.is_empty() || wide > row.width {
        return 0;
    }
    let style = canvas
        .style(Scope::Popup)
        .patch(canvas.style(Scope::Accent));
    let place = Rect::new(row.right() - wide, row.y, wide, 1);
    canvas.put(place.x, place.y, wide, &words, style);
    canvas.target(place, Target::New);
    wide
}

fn new_below(canvas: &mut Canvas<'_>, state: &State, room: &Room, area: Rect) {
    if area.is_empty() {
        return;
    }
    let count = room.timeline.unread_below();
    let words = format!(
        " {} {} ",
        canvas.look.glyphs.below,
        fill(
            state.preferences.strings.new_below,
            &[&count, &state.input.keymap.first(Action::Newest)]
        )
    );
    let words = text::line(&words);
    let wide = columns(words.as_str()).min(area.width);
    let style = canvas
        .style(Scope::Popup)
        .patch(canvas.style(Scope::Accent));
    let place = Rect::new(area.x + (area.width - wide) / 2, area.y, wide, 1);
    canvas.put(place.x, place.y, wide, &words, style);
    canvas.target(place, Target::Newest);
}
