//! The lobby and the palette.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::overlay::{ground, place};
use super::{Canvas, columns};
use crate::text;
use crate::tui::pick::{Of, Picker, Row, rows};
use crate::tui::state::State;
use crate::tui::strings::fill;
use crate::tui::theme::Scope;

/// Columns of the name; of numbers; the least that shows what was said last.
const NAME: u16 = 18;
const NUMBER: u16 = 8;
const ABOUT_FROM: u16 = 48;

/// Draws the list; says where the cursor stands.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    state: &State,
    screen: Rect,
    picker: &Picker,
) -> (u16, u16) {
    let s = state.strings;
    let is_lobby = matches!(picker.of, Of::Lobby(_));
    let rows = rows(state, picker);
    let extra: u16 = if is_lobby { 3 } else { 2 };
    let area = place(
        screen,
        u16::try_from(rows.len())
            .unwrap_or(u16::MAX)
            .saturating_add(extra),
    );
    let title = match &picker.of {
        Of::Lobby(_) => fill(s.lobby_title, &[&text::line(&state.server)]),
        Of::Mentions(_) => s.mentions_title.to_owned(),
        Of::Palette => String::new(),
    };
    let title = text::cut(&title, usize::from((area.width / 2).saturating_sub(2)));
    let accent = ground(canvas, area, &text::line(&title));
    let dim = canvas.style(Scope::Popup).patch(canvas.style(Scope::Dim));
    let has_title = !title.is_empty();
    let cursor = filter(canvas, area, picker, (has_title, s.lobby_filter), accent);
    let mut y = area.y + 1;
    if is_lobby && area.height > 3 {
        let heads = s.lobby_heads;
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        cells(canvas, row, is_lobby, heads, dim);
        y += 1;
    }
    let bottom = area.bottom().saturating_sub(u16::from(area.height > 3));
    let shown = usize::from(bottom.saturating_sub(y));
    let first = (picker.chosen + 1).saturating_sub(shown);
    for (n, row) in rows.iter().enumerate().skip(first).take(shown) {
        let is_chosen = n == picker.chosen;
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        draw_row(canvas, line, is_lobby, row, is_chosen);
        y += 1;
    }
    if rows.is_empty() && y < bottom {
        let words = text::line(match &picker.of {
            Of::Mentions(None) => s.loading,
            Of::Mentions(Some(all)) if all.is_empty() => s.no_mentions,
            _ => s.nothing_matches,
        });
        canvas.put(area.x + 3, y, area.width.saturating_sub(4), &words, dim);
    }
    if area.height > 3 {
        let hint = text::line(match &picker.of {
            Of::Lobby(_) => s.lobby_hint,
            Of::Palette => s.palette_hint,
            Of::Mentions(_) => s.mentions_hint,
        });
        let width = area.width.saturating_sub(2);
        canvas.put(area.x + 1, area.bottom() - 1, width, &hint, dim);
    }
    cursor
}

/// What is typed: beside the title, or in its place.
fn filter(
    canvas: &mut Canvas<'_>,
    area: Rect,
    picker: &Picker,
    (has_title, label): (bool, &str),
    accent: Style,
) -> (u16, u16) {
    let label = if has_title { label } else { "›" };
    let half = if has_title { area.width / 2 } else { 1 };
    let x = area.x + half;
    let used = canvas.put(
        x,
        area.y,
        area.width.saturating_sub(half),
        &text::line(label),
        accent,
    );
    let x = x + used + 1;
    let width = area.right().saturating_sub(x + 1).max(1);
    let laid = picker.filter.lay(usize::from(width));
    let line = laid.rows.first().map_or("", String::as_str);
    let style = canvas.style(Scope::Popup);
    canvas.put(x, area.y, width, &text::line(line), style);
    (x + u16::try_from(laid.cursor.1).unwrap_or(0), area.y)
}

fn draw_row(canvas: &mut Canvas<'_>, line: Rect, is_lobby: bool, row: &Row, is_chosen: bool) {
    let scope = if is_chosen {
        Scope::PopupSelected
    } else {
        Scope::Popup
    };
    canvas.fill(line, scope);
    let style = canvas.style(scope);
    if is_chosen {
        canvas.put(line.x + 1, line.y, 1, &"›".into(), style);
    }
    let unread = match row.unread {
        0 => String::new(),
        unread => unread.min(999).to_string(),
    };
    let values = [
        row.label.as_str(),
        &unread,
        &row.people,
        &row.about,
        &row.aside,
    ];
    cells(canvas, line, is_lobby, values, style);
    // Letters that matched, over the name.
    let matched = style.patch(canvas.style(Scope::PopupMatch));
    let mut x = line.x + 3;
    for (at, c) in (0..).zip(row.label.chars()) {
        let cell = text::line(&c.to_string());
        let wide = columns(cell.as_str());
        if x + wide > line.x + 3 + name_columns(line) {
            break;
        }
        if row.matched.contains(&at) {
            canvas.put(x, line.y, wide, &cell, matched);
        }
        x += wide;
    }
}

fn name_columns(line: Rect) -> u16 {
    NAME.min((line.width / 3).max(8))
        .min(line.width.saturating_sub(5))
}

/// The cells of a row: name, unread, people, words, aside.
fn cells(canvas: &mut Canvas<'_>, line: Rect, is_lobby: bool, values: [&str; 5], style: Style) {
    let dim = style.patch(canvas.style(Scope::Dim));
    let badge = style.patch(canvas.style(Scope::BadgeUnread));
    let [name, unread, people, about, aside] = values.map(text::line);
    let (y, right) = (line.y, line.right().saturating_sub(1));
    let mut x = line.x + 3;
    let put = |canvas: &mut Canvas<'_>, x: u16, width: u16, text, style| {
        canvas.put(x, y, width.min(right.saturating_sub(x)), text, style);
    };
    put(canvas, x, name_columns(line), &name, style);
    x += name_columns(line) + 1;
    put(canvas, x, NUMBER, &unread, badge);
    x += if is_lobby { NUMBER } else { NUMBER / 2 };
    if is_lobby {
        put(canvas, x, NUMBER, &people, dim);
        x += NUMBER;
    }
    // Of what is said elsewhere the words matter more than of a room.
    let about_from = if is_lobby { ABOUT_FROM } else { ABOUT_FROM / 2 };
    if line.width >= about_from {
        let behind = columns(aside.as_str()) + 2;
        put(canvas, x, right.saturating_sub(x + behind), &about, style);
        canvas.put_right(
            Rect {
                width: line.width - 1,
                ..line
            },
            0,
            &aside,
            dim,
        );
    }
}
