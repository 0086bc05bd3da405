//! Formats lines for plain mode: timeline items, the visible part of a room, and lists.

use crate::chat::{ClientId, Seq};
use crate::text;
use crate::tui::lists::picker;
use crate::tui::screen::regions::regions;
use crate::tui::state::{Picker, PickerKind};
use crate::tui::state::{Room, State};
use crate::tui::strings::fill;
use crate::tui::theme::Scope;
use crate::tui::timeline::message_text::TextRowKind;
use crate::tui::timeline::rows::{Layout, Line, Row};
use crate::tui::timeline::{Item, ItemKey, ItemKind};

/// The layout width; lines are never wrapped here.
pub const COLUMNS: usize = 100_000;
/// The prefix of lines that are not messages.
const MARK: &str = "--";

pub fn mark(words: &str) -> String {
    // The text may have several lines.
    let lines = words.lines().map(|line| text::line(line).to_string());
    format!("{MARK} {}", lines.collect::<Vec<_>>().join("\n"))
}

/// Describes the draft: the first `most` columns, how many lines it has, and how to send or discard it.
pub fn draft(state: &State, most: usize) -> String {
    let text = state.composer().text();
    let s = state.preferences.strings;
    let first = text::cut(text.lines().next().unwrap_or_default(), most);
    let count = text.lines().count();
    if count > 1 && most < COLUMNS {
        return fill(s.draft_of_lines, &[&count, &first]);
    }
    let whole = if most < COLUMNS { first } else { text };
    fill(s.draft_is, &[&whole])
}

/// The newest loaded messages of a room, with their numbers.
pub fn history(state: &State, room: &Room, most: usize) -> Vec<String> {
    let said = room.timeline.messages().take(most);
    let mut seqs: Vec<Seq> = said.map(|entry| entry.seq).collect();
    seqs.reverse();
    let places = seqs
        .into_iter()
        .filter_map(|seq| room.timeline.place(ItemKey::entry(seq)));
    places
        .filter_map(|index| numbered(state, room, index))
        .flatten()
        .collect()
}

pub fn layout(state: &State) -> Layout<'_> {
    Layout {
        columns: COLUMNS,
        name_columns: 0,
        zone: &state.screen.zone,
        time: &state.preferences.time_format,
        strings: state.preferences.strings,
    }
}

/// The client id of the post that an item shows.
pub fn posted(item: &Item) -> Option<ClientId> {
    match &item.what {
        ItemKind::OwnPost { client_id, .. } => Some(*client_id),
        ItemKind::Private { client_id, .. } => *client_id,
        _ => None,
    }
}

/// The lines of an item, with its number before the first.
pub fn numbered(state: &State, room: &Room, index: usize) -> Option<Vec<String>> {
    let item = room.timeline.get(index)?;
    let rows = layout(state).alone(&room.timeline, index);
    let rows = rows.iter().filter(|row| matches!(row, Row::Line(_)));
    let mut lines: Vec<String> = rows.filter_map(|row| of_row(state, row)).collect();
    if let Some(first) = lines.first_mut().filter(|_| is_numbered(item)) {
        *first = format!("{} {first}", item.key.seq);
    }
    Some(lines)
}

/// Whether an item has a number that commands accept.
fn is_numbered(item: &Item) -> bool {
    matches!(
        item.what,
        ItemKind::Message { .. } | ItemKind::Deleted { .. }
    )
}

/// The part of the room that a screen would show, as lines with message numbers.
pub fn shown(state: &State, room: &Room) -> Vec<String> {
    let area = regions(state, 0).messages;
    let timeline = &room.timeline;
    let as_shown = Layout {
        columns: usize::from(area.width),
        name_columns: timeline.name_columns(),
        ..layout(state)
    };
    let height = usize::from(area.height);
    let of = |index: usize| as_shown.height(timeline, index);
    let (top, line) = timeline.top(height, of);
    let mut left = height + line;
    let mut lines = Vec::new();
    for index in top..timeline.len() {
        if left == 0 {
            break;
        }
        // An item that a screen would cut off is printed whole.
        left = left.saturating_sub(of(index).all());
        let is_hit = room.found.is_some_and(|seq| {
            let item = timeline.get(index);
            item.is_some_and(|item| item.key == ItemKey::entry(seq))
        });
        let is_said = timeline.get(index).is_some_and(is_numbered);
        let item = if is_said {
            numbered(state, room, index).unwrap_or_default()
        } else {
            let rows = layout(state).each(timeline, index);
            rows.iter().filter_map(|row| of_row(state, row)).collect()
        };
        for (n, line) in item.into_iter().enumerate() {
            let sign = if is_hit && n == 0 { "> " } else { "" };
            lines.push(format!("{sign}{line}"));
        }
    }
    lines
}

/// Formats a row as a line; `None` if it would be empty.
pub fn of_row(state: &State, row: &Row) -> Option<String> {
    let s = state.preferences.strings;
    match row {
        Row::Date(words) | Row::Gap(words) => Some(mark(words)),
        Row::New => Some(mark(s.new_line)),
        Row::Line(line) => of_line(state, line),
    }
}

fn of_line(state: &State, line: &Line) -> Option<String> {
    let s = state.preferences.strings;
    let is_told = line.scope == Scope::MessageSystem && line.time.is_none();
    let mut out = String::new();
    match (&line.time, &line.name) {
        (None, None) if is_told => {
            out.push_str(MARK);
            out.push(' ');
        }
        // Another line of the same message.
        (None, None) => out.push_str("  "),
        (time, name) => {
            if let Some(time) = time {
                out.push_str(time);
                out.push(' ');
            }
            match name.as_ref().map(|(_, name)| name.as_str()) {
                Some("*") => out.push_str("* "),
                Some(name) => {
                    out.push_str(name);
                    out.push_str(": ");
                }
                None => {}
            }
        }
    }
    match &line.kind {
        TextRowKind::Folded(count) => {
            let words = fill(s.folded, &[count, &"/do", &"turn-fold"]);
            out.push_str(&words);
        }
        TextRowKind::Code { .. } => {
            out.push_str("  ");
            out.push_str(line.text.as_str());
        }
        TextRowKind::Text | TextRowKind::Quote | TextRowKind::Language => {
            out.push_str(line.text.as_str());
        }
    }
    if let Some(aside) = &line.suffix {
        out.push_str(" (");
        out.push_str(aside.as_str());
        out.push(')');
    }
    (!out.trim().is_empty()).then(|| out.trim_end().to_owned())
}

/// Adds the lines of a list to choose from.
pub fn list(state: &State, picker: &Picker, lines: &mut Vec<String>) {
    let s = state.preferences.strings;
    let rows = picker::rows(state, picker);
    let title = match &picker.kind {
        PickerKind::Lobby(_) => fill(s.lobby_title, &[&state.connection.server]),
        PickerKind::Mentions(_) => s.mentions_title.to_owned(),
        PickerKind::Palette => s.help_commands.to_owned(),
        PickerKind::Themes { .. } => s.themes_title.to_owned(),
        PickerKind::Search(_) => s.search_title.to_owned(),
        PickerKind::Links(_) => s.links_title.to_owned(),
        PickerKind::Requests => fill(s.requests.title, &[&rows.len()]),
        PickerKind::Bans { room, .. } => picker::bans_title(state, *room),
    };
    lines.push(mark(&title));
    if rows.is_empty() {
        let words = match &picker.kind {
            PickerKind::Mentions(_) => s.no_mentions.to_owned(),
            PickerKind::Search(hits) if hits.is_empty() && hits.problem.is_none() => {
                lines.extend(s.help_search.iter().map(|line| (*line).to_owned()));
                return;
            }
            PickerKind::Search(hits) => hits.empty_text(s),
            _ => s.nothing_matches.to_owned(),
        };
        lines.push(mark(&words));
        return;
    }
    for (n, row) in rows.iter().enumerate() {
        let unread = match row.unread {
            0 => String::new(),
            count => fill(s.unread_counts, &[&count]),
        };
        let parts = [
            row.label.as_str(),
            &unread,
            &row.people,
            &row.about,
            &row.detail,
        ];
        let parts: Vec<&str> = parts.into_iter().filter(|it| !it.is_empty()).collect();
        lines.push(format!("{}. {}", n + 1, parts.join(" · ")));
    }
    if let PickerKind::Search(hits) = &picker.kind {
        if hits.has_more() {
            lines.push(mark(s.search_more));
        }
        if hits.is_offline {
            lines.push(mark(s.search_offline));
        }
    }
    lines.push(mark(s.pick_hint));
}
