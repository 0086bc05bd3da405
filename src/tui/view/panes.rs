//! Draws the header, the room list and the people list.

use ratatui::layout::Rect;

use super::messages::new_above;
use super::{Canvas, columns};
use crate::chat::{Person, Presence, Role};
use crate::text::{self, SafeText};
use crate::tui::lists::panes::{RoomRow, first_person, first_room, room_rows};
use crate::tui::screen::hit_map::Target;
use crate::tui::state::{Room, State};
use crate::tui::strings::fill;
use crate::tui::theme::Scope;
use crate::tui::theme::avatar;

pub(super) fn header(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let Some(room) = state.current().filter(|_| !area.is_empty()) else {
        return;
    };
    let taken = new_above(canvas, state, area);
    let area = Rect {
        width: area.width - taken,
        ..area
    };
    let name = match &room.info.peer {
        Some(peer) => text::line(&format!("@{}", peer.name)),
        None => text::line(&room.info.name),
    };
    let style = canvas
        .style(Scope::Text)
        .patch(ratatui::style::Style::new().bold());
    let used = canvas.put(
        area.x + 1,
        area.y,
        area.width.saturating_sub(1),
        &name,
        style,
    );
    let x = area.x + 1 + used + 2;
    let style = canvas.style(Scope::Dim);
    canvas.put(
        x,
        area.y,
        area.right().saturating_sub(x),
        &text::line(&room.info.topic),
        style,
    );
}

pub(super) fn rooms(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    if area.is_empty() {
        return;
    }
    let pane = Rect {
        width: area.width - 1,
        ..area
    };
    canvas.fill(pane, Scope::Panel);
    canvas.target(area, Target::Rooms);
    let rows = room_rows(state);
    let first = first_room(state, &rows, usize::from(pane.height));
    list(
        canvas,
        state,
        pane,
        &rows,
        first,
        |canvas, line, row| match row {
            RoomRow::Title(words) => title(canvas, line, &(*words).into()),
            RoomRow::Requests(count) => {
                let words = fill(state.preferences.strings.requests.title, &[count]);
                title(canvas, line, &text::line(&words));
            }
            RoomRow::Blank => {}
            RoomRow::Room(room) => {
                canvas.target(line, Target::Room(room.info.id));
                room_line(canvas, state, line, room);
            }
        },
    );
}

/// Draws the rows of a list that fit, starting at `first`. Its ends show how many more there are above and below.
fn list<T>(
    canvas: &mut Canvas<'_>,
    state: &State,
    pane: Rect,
    rows: &[T],
    first: usize,
    mut draw: impl FnMut(&mut Canvas<'_>, Rect, &T),
) {
    let s = state.preferences.strings;
    let height = usize::from(pane.height);
    let below = rows.len().saturating_sub(first + height);
    let shown = rows.iter().skip(first).take(height);
    for ((y, at), row) in (pane.y..).zip(0..).zip(shown) {
        let line = Rect {
            y,
            height: 1,
            ..pane
        };
        let hidden = match at {
            0 if first > 0 => Some((s.more_above, first + 1)),
            at if at + 1 == height && below > 0 => Some((s.more_below, below + 1)),
            _ => None,
        };
        match hidden {
            Some((words, count)) => title(canvas, line, &text::line(&fill(words, &[&count]))),
            None => draw(canvas, line, row),
        }
    }
}

fn title(canvas: &mut Canvas<'_>, line: Rect, words: &SafeText) {
    let style = canvas.style(Scope::Panel).patch(canvas.style(Scope::Dim));
    canvas.put(
        line.x + 1,
        line.y,
        line.width.saturating_sub(1),
        words,
        style,
    );
}

fn room_line(canvas: &mut Canvas<'_>, state: &State, row: Rect, room: &Room) {
    let is_current = state.rooms.current == Some(room.info.id);
    let scope = if is_current {
        Scope::Selection
    } else {
        Scope::Panel
    };
    canvas.fill(row, scope);
    let style = canvas.style(scope);
    let label = room.label();
    let (sign, name) = label.split_at_checked(1).unwrap_or(("", &label));
    let (unread, mentions) = state.unread_counts(room);
    let unread = badge("", unread);
    let mentions = badge(MENTION, mentions);
    let taken = columns(&unread) + columns(&mentions) + u16::from(!mentions.is_empty());
    let left = row.width.saturating_sub(4 + taken);
    canvas.put(
        row.x + 1,
        row.y,
        1,
        &text::line(sign),
        style.patch(canvas.style(Scope::Dim)),
    );
    let name = text::line(name);
    let name = text::line(&text::cut_middle(name.as_str(), usize::from(left)));
    canvas.put(row.x + 3, row.y, left, &name, style);
    let right = Rect {
        width: row.width - 1,
        ..row
    };
    let of_unread = style.patch(canvas.style(Scope::BadgeUnread));
    canvas.put_right(right, 0, &text::line(&unread), of_unread);
    let before = Rect {
        width: right.width.saturating_sub(columns(&unread) + 1),
        ..right
    };
    let of_mentions = style.patch(canvas.style(Scope::BadgeMention));
    canvas.put_right(before, 0, &text::line(&mentions), of_mentions);
}

/// Written before the number of mentions.
pub(super) const MENTION: &str = "@";

/// A count as shown in lists; empty for 0.
pub(super) fn badge(sign: &str, count: u32) -> String {
    match count {
        0 => String::new(),
        count => format!("{sign}{}", count.min(999)),
    }
}

pub(super) fn people(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let Some(room) = state.current().filter(|_| !area.is_empty()) else {
        return;
    };
    let pane = Rect {
        x: area.x + 1,
        width: area.width - 1,
        ..area
    };
    canvas.fill(pane, Scope::Panel);
    canvas.target(area, Target::People);
    let here = room.roster.present().len();
    let count = text::line(&fill(state.preferences.strings.people, &[&here]));
    title(canvas, Rect { height: 1, ..pane }, &count);
    let below = Rect {
        y: pane.y + 1,
        height: pane.height.saturating_sub(1),
        ..pane
    };
    let people = room.roster.people();
    let first = first_person(state, people.len(), usize::from(below.height));
    list(
        canvas,
        state,
        below,
        people,
        first,
        |canvas, line, person| {
            canvas.target(line, Target::Person(person.id));
            person_line(canvas, state, line, person);
        },
    );
}

/// Draws a person: presence, avatar, name, and then their status text, their role, or how they are connected.
fn person_line(canvas: &mut Canvas<'_>, state: &State, row: Rect, person: &Person) {
    let (s, glyphs) = (state.preferences.strings, canvas.look.glyphs);
    let panel = canvas.style(Scope::Panel);
    let (mark, scope) = match person.presence {
        Presence::Offline => (glyphs.offline, Scope::PeopleOffline),
        _ if person.via.is_bridge() => (glyphs.bridge, Scope::PeopleBridge),
        Presence::Online => (glyphs.online, Scope::PeoplePresent),
        Presence::Away => (glyphs.away, Scope::PeopleAway),
        Presence::Waiting => (glyphs.waiting, Scope::PeopleAway),
    };
    let style = panel.patch(canvas.style(scope));
    canvas.put(row.x + 1, row.y, 1, &mark.into(), style);
    let of_name = panel
        .patch(canvas.look.theme.name(person.id))
        .remove_modifier(ratatui::style::Modifier::BOLD);
    let face = text::line(&avatar::glyph(person.id, glyphs.is_unicode()));
    canvas.put(row.x + 3, row.y, 2, &face, of_name);
    let words = if !person.status.is_empty() && person.presence.is_here() {
        text::line(&person.status)
    } else if person.role > Role::Member {
        s.role(person.role).into()
    } else {
        s.via(person.via).into()
    };
    // "you" comes first in our own row, because text that does not fit is cut at the end.
    let words = if state.is_me(person.id) {
        text::line(format!("{} {words}", s.you).trim_end())
    } else {
        words
    };
    // The name gets at least half of the row.
    let name = text::line(&person.name);
    let inside = row.width.saturating_sub(8);
    let least = columns(name.as_str()).min(inside / 2);
    let words = text::line(&text::cut(
        words.as_str(),
        usize::from(inside.saturating_sub(least + 1)),
    ));
    let left = inside.saturating_sub(columns(words.as_str()) + u16::from(!words.is_empty()));
    let of_name = match person.presence {
        Presence::Offline => style,
        _ => of_name,
    };
    canvas.put(row.x + 6, row.y, left, &name, of_name);
    let style = panel.patch(canvas.style(Scope::PeopleRole));
    let right = Rect {
        width: row.width - 1,
        ..row
    };
    canvas.put_right(right, 0, &words, style);
}
