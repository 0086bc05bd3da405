//! Draws the lists to choose from: the lobby, the palette, mentions, themes, search and links.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Canvas, clear_overlay, columns, place};
use crate::text;
use crate::tui::input::composer::Composer;
use crate::tui::lists::picker::{PickerRow, bans_title, rows};
use crate::tui::lists::search::Hits;
use crate::tui::screen::hit_map::Target;
use crate::tui::screen::regions::Regions;
use crate::tui::state::State;
use crate::tui::state::{Picker, PickerKind};
use crate::tui::strings::{Strings, fill};
use crate::tui::theme::Scope;

/// Columns of the name, columns of a number, and the width of the narrowest lobby that shows the last messages.
const NAME: u16 = 18;
const NUMBER: u16 = 8;
const ABOUT_FROM: u16 = 48;

/// Draws the list and returns the cursor position.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    state: &State,
    regions: &Regions,
    picker: &Picker,
) -> (u16, u16) {
    let is_lobby = matches!(picker.kind, PickerKind::Lobby(_));
    let rows = rows(state, picker);
    let help = help(state, picker);
    let area = place(
        regions,
        u16::try_from(rows.len().max(help.len()).max(1))
            .unwrap_or(u16::MAX)
            .saturating_add(if is_lobby { 3 } else { 2 }),
    );
    let cursor = head(canvas, state, regions, area, picker);
    // On a short screen the rows matter more than the headings and the hint.
    let has_edges = area.height > 3 || (area.height == 3 && !is_lobby && rows.len() < 2);
    let mut body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1 + u16::from(has_edges)),
        ..area
    };
    if is_lobby && has_edges {
        let line = Rect { height: 1, ..body };
        let heads = state.preferences.strings.lobby_heads;
        cells(canvas, line, is_lobby, heads, dim(canvas));
        body.y += 1;
        body.height = body.height.saturating_sub(1);
    }
    let shown = usize::from(body.height);
    let first = (picker.chosen + 1).saturating_sub(shown);
    for ((y, n), row) in (body.y..)
        .zip(first..)
        .zip(rows.iter().skip(first).take(shown))
    {
        let line = Rect {
            y,
            height: 1,
            ..body
        };
        draw_row(canvas, line, is_lobby, row, n == picker.chosen);
        canvas.target(line, Target::Row(n));
    }
    if rows.is_empty() && help.is_empty() {
        lines(canvas, body, &[&reason(state, picker)]);
    } else if rows.is_empty() {
        lines(canvas, body, help);
    }
    if has_edges {
        // The number of rows below, as in read-only overlays.
        let below = rows.len().saturating_sub(first + shown);
        foot(canvas, area, hint(state, picker), below);
    }
    cursor
}

/// Draws the title and the filter. Returns the cursor position.
fn head(
    canvas: &mut Canvas<'_>,
    state: &State,
    regions: &Regions,
    area: Rect,
    picker: &Picker,
) -> (u16, u16) {
    let s = state.preferences.strings;
    let title = match &picker.kind {
        PickerKind::Lobby(_) => fill(s.lobby_title, &[&text::line(&state.connection.server)]),
        PickerKind::Mentions(_) => s.mentions_title.to_owned(),
        PickerKind::Palette => String::new(),
        PickerKind::Themes { .. } => s.themes_title.to_owned(),
        PickerKind::Search(_) => s.search_title.to_owned(),
        PickerKind::Links(_) => s.links_title.to_owned(),
        PickerKind::Requests => fill(s.requests.title, &[&state.requests().count()]),
        PickerKind::Bans { room, .. } => bans_title(state, *room),
    };
    let label = match &picker.kind {
        PickerKind::Search(_) => s.search_label,
        _ => s.lobby_filter,
    };
    let title = text::cut(&title, usize::from((area.width / 2).saturating_sub(2)));
    let accent = clear_overlay(canvas, regions, area, &text::line(&title));
    let has_title = !title.is_empty();
    filter(canvas, area, &picker.filter, (has_title, label), accent)
}

/// The help for a search that is still empty. Other lists have none.
fn help(state: &State, picker: &Picker) -> &'static [&'static str] {
    match &picker.kind {
        PickerKind::Search(hits) if hits.is_empty() && hits.problem.is_none() => {
            state.preferences.strings.help_search
        }
        _ => &[],
    }
}

/// Why there are no rows.
fn reason(state: &State, picker: &Picker) -> String {
    let s = state.preferences.strings;
    match &picker.kind {
        PickerKind::Mentions(None) | PickerKind::Lobby(None) => s.loading.to_owned(),
        PickerKind::Mentions(Some(all)) if all.is_empty() => s.no_mentions.to_owned(),
        PickerKind::Search(hits) => hits.empty_text(s),
        _ => s.nothing_matches.to_owned(),
    }
}

/// Draws lines of text where there are no rows.
fn lines(canvas: &mut Canvas<'_>, area: Rect, lines: &[&str]) {
    let dim = dim(canvas);
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        let width = area.width.saturating_sub(4);
        canvas.put(area.x + 3, y, width, &text::line(line), dim);
    }
}

fn hint<'a>(state: &'a State, picker: &Picker) -> &'a str {
    let s = state.preferences.strings;
    match &picker.kind {
        PickerKind::Lobby(_) => s.lobby_hint,
        PickerKind::Palette => s.palette_hint,
        PickerKind::Mentions(_) => s.mentions_hint,
        PickerKind::Themes { .. } => s.themes_hint,
        PickerKind::Search(hits) => search_hint(s, hits),
        PickerKind::Links(_) => s.links_hint,
        PickerKind::Requests => s.requests.list_hint,
        PickerKind::Bans { .. } => s.moderation.bans_hint,
    }
}

/// Draws the hint and the number of rows below the last one into the last row.
fn foot(canvas: &mut Canvas<'_>, area: Rect, hint: &str, below: usize) {
    let dim = dim(canvas);
    let last = Rect {
        y: area.bottom() - 1,
        height: 1,
        width: area.width.saturating_sub(1),
        ..area
    };
    let more = match below {
        0 => String::new(),
        below => format!("{} {below}", canvas.look.glyphs.below),
    };
    canvas.put_right(last, 0, &text::line(&more), dim);
    let width = last.width.saturating_sub(columns(&more) + 2);
    canvas.put(area.x + 1, last.y, width, &text::line(hint), dim);
}

fn dim(canvas: &Canvas<'_>) -> Style {
    canvas.style(Scope::Popup).patch(canvas.style(Scope::Dim))
}

/// The hint below search results. If they are incomplete, it says so instead of listing the keys.
fn search_hint<'a>(s: &'a Strings, hits: &Hits) -> &'a str {
    if hits.is_offline {
        s.search_offline
    } else if hits.has_more() {
        s.search_more
    } else {
        s.search_hint
    }
}

/// Draws the filter beside the title, or in its place if there is no title. Returns the cursor position.
pub(super) fn filter(
    canvas: &mut Canvas<'_>,
    area: Rect,
    typed: &Composer,
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
    let (line, cursor) = typed.layout_line(usize::from(width));
    let style = canvas.style(Scope::Popup);
    canvas.put(x, area.y, width, &text::line(&line), style);
    (x + u16::try_from(cursor).unwrap_or(0), area.y)
}

fn draw_row(canvas: &mut Canvas<'_>, line: Rect, is_lobby: bool, row: &PickerRow, is_chosen: bool) {
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
        &row.detail,
    ];
    let name = name_columns(line, &values);
    let about = cells(canvas, line, is_lobby, values, style);
    let matched = style.patch(canvas.style(Scope::PopupMatch));
    if let Some(about) = about {
        canvas.mark(about, &text::line(&row.about), &row.marks, matched);
    }
    // The matched letters are drawn again, on top of the name.
    let mut x = line.x + 3;
    for (at, c) in (0..).zip(row.label.chars()) {
        let cell = text::line(&c.to_string());
        let wide = columns(cell.as_str());
        if x + wide > line.x + 3 + name {
            break;
        }
        if row.matched.contains(&at) {
            canvas.put(x, line.y, wide, &cell, matched);
        }
        x += wide;
    }
}

/// Columns of the name. It gets the whole row if nothing else is in it except the `aside` at the end.
fn name_columns(line: Rect, [_, unread, people, about, aside]: &[&str; 5]) -> u16 {
    if unread.is_empty() && people.is_empty() && about.is_empty() {
        return line.width.saturating_sub(5 + columns(aside) + 1);
    }
    NAME.min((line.width / 3).max(8))
        .min(line.width.saturating_sub(5))
}

/// Draws the cells of a row: name, unread, people, about, aside. Returns the area of `about` if there was space for it.
fn cells(
    canvas: &mut Canvas<'_>,
    line: Rect,
    is_lobby: bool,
    values: [&str; 5],
    style: Style,
) -> Option<Rect> {
    let dim = style.patch(canvas.style(Scope::Dim));
    let badge = style.patch(canvas.style(Scope::BadgeUnread));
    let wide = name_columns(line, &values);
    let [name, unread, people, about, aside] = values.map(text::line);
    let (y, right) = (line.y, line.right().saturating_sub(1));
    let mut x = line.x + 3;
    let put = |canvas: &mut Canvas<'_>, x: u16, width: u16, text, style| {
        canvas.put(x, y, width.min(right.saturating_sub(x)), text, style);
    };
    put(canvas, x, wide, &name, style);
    x += wide + 1;
    put(canvas, x, NUMBER, &unread, badge);
    x += if is_lobby { NUMBER } else { NUMBER / 2 };
    if is_lobby {
        put(canvas, x, NUMBER, &people, dim);
        x += NUMBER;
    }
    // A narrow lobby leaves `about` out. In the other lists it is the message itself, so they show it on narrower screens too.
    let about_from = if is_lobby { ABOUT_FROM } else { ABOUT_FROM / 2 };
    if line.width < about_from {
        return None;
    }
    let behind = columns(aside.as_str()) + 2;
    let width = right.saturating_sub(x + behind);
    canvas.put(x, y, width, &about, style);
    let before = Rect {
        width: line.width - 1,
        ..line
    };
    canvas.put_right(before, 0, &aside, dim);
    Some(Rect::new(x, y, width, 1))
}
