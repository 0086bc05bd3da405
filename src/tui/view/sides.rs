//! Draws the header, the room list, the people list and the status line.

use ratatui::layout::Rect;

use super::messages::new_above;
use super::{Canvas, columns};
use crate::chat::{Person, Presence, Role};
use crate::client::LinkState;
use crate::text::{self, SafeText};
use crate::tui::input::keymap::Action;
use crate::tui::lists::panes::{RoomRow, first_person, first_room, room_rows};
use crate::tui::screen::hit_map::Target;
use crate::tui::screen::regions::Regions;
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
    let (unread, mentions) = state.news(room);
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

/// Shown if not all rooms with unread messages fit.
const MORE: &str = "+";
/// Written before the number of mentions.
const MENTION: &str = "@";

/// A count as shown in lists; empty for 0.
fn badge(sign: &str, count: u32) -> String {
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

pub(super) fn status(canvas: &mut Canvas<'_>, state: &State, regions: &Regions) {
    let area = regions.status;
    if area.is_empty() {
        return;
    }
    let is_narrow = regions.rooms.is_empty();
    let (glyph, scope, words) = link_words(canvas, state, is_narrow, area.width);
    let style = canvas.style(scope);
    let mut x = area.x + 1;
    x += canvas.put(x, area.y, 1, &glyph.into(), style) + 1;
    let is_well = scope == Scope::StatusOnline;
    // A connection problem needs the space more.
    let help = if area.width >= 60 && is_well {
        fill(
            state.preferences.strings.help_key,
            &[&state.input.keymap.first(Action::Help)],
        )
    } else {
        String::new()
    };
    let help = help.as_str();
    let style = if is_well {
        canvas.style(Scope::Status)
    } else {
        style
    };
    let mut right = area.right().saturating_sub(columns(help) + 2);
    if is_well && !is_narrow {
        right = counts(
            canvas,
            state,
            Rect {
                width: right.saturating_sub(area.x + 2),
                ..area
            },
        );
    }
    x += canvas.put(
        x,
        area.y,
        right.saturating_sub(x),
        &text::line(&words),
        style,
    );
    if is_well {
        let mut rest = Rect {
            x: x + 2,
            width: right.saturating_sub(x + 3),
            ..area
        };
        if is_narrow {
            let end = strip(canvas, state, rest);
            rest.width = rest.right().saturating_sub(end);
            rest.x = end;
        }
        typing(canvas, state, rest);
    }
    let style = canvas.style(Scope::Status);
    canvas.put_right(
        Rect {
            width: area.width - 1,
            ..area
        },
        0,
        &text::line(help),
        style,
    );
}

/// Draws the unread and mention counts of all rooms at the right end of an area. Returns the column they start at.
fn counts(canvas: &mut Canvas<'_>, state: &State, area: Rect) -> u16 {
    let s = state.preferences.strings;
    let news = state.listed().map(|room| state.news(room));
    let (unread, mentions) = news.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let mut words: Vec<String> = Vec::new();
    if unread > 0 {
        words.push(fill(s.unread_counts, &[&unread]));
    }
    if mentions > 0 {
        words.push(fill(s.mention_counts, &[&mentions]));
    }
    let words = text::line(&words.join(" · "));
    let scope = if mentions > 0 {
        Scope::BadgeMention
    } else {
        Scope::Status
    };
    let style = canvas.style(scope);
    canvas.put_right(area, 0, &words, style);
    area.right().saturating_sub(columns(words.as_str()) + 1)
}

/// Draws who is typing in this room at the right end of an area, if it fits.
fn typing(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let Some(room) = state.current() else { return };
    let people = room.typing.iter();
    let people = people.filter_map(|(id, _)| room.roster.find(*id));
    let names: Vec<_> = people.map(|it| text::line(&it.name)).collect();
    let s = state.preferences.strings;
    let words = match names.as_slice() {
        [] => return,
        [one] => fill(s.typing_one, &[one]),
        [one, other] => fill(s.typing_two, &[one, other]),
        many => fill(s.typing_many, &[&many.len()]),
    };
    let style = canvas.style(Scope::Status);
    canvas.put_right(area, 0, &text::line(&words), style);
}

/// Draws the rooms with unread messages into the status line, for screens without a room list. Returns the column after the last.
fn strip(canvas: &mut Canvas<'_>, state: &State, area: Rect) -> u16 {
    let mut x = area.x;
    let mut rooms: Vec<&Room> = state.listed().collect();
    rooms.retain(|room| state.news(room).0 > 0);
    // Rooms with mentions and private conversations come first.
    rooms.sort_by_key(|room| state.news(room).1 == 0 && !room.is_conversation());
    for room in rooms {
        let (unread, mentions) = state.news(room);
        let of_mentions = badge(MENTION, mentions);
        let words = [room.label(), of_mentions, badge("", unread)];
        let words: Vec<String> = words.into_iter().filter(|it| !it.is_empty()).collect();
        let words = text::line(&words.join(" "));
        if x + columns(words.as_str()) > area.right() {
            let style = canvas.style(Scope::BadgeUnread);
            canvas.put(
                x,
                area.y,
                area.right().saturating_sub(x),
                &MORE.into(),
                style,
            );
            break;
        }
        let scope = if mentions > 0 {
            Scope::BadgeMention
        } else {
            Scope::BadgeUnread
        };
        let style = canvas.style(scope);
        let used = canvas.put(x, area.y, area.right() - x, &words, style);
        canvas.target(Rect::new(x, area.y, used, 1), Target::Room(room.info.id));
        x += used + 2;
    }
    x
}

/// The connection state in the status line: its symbol, colour and text.
fn link_words(
    canvas: &Canvas<'_>,
    state: &State,
    is_narrow: bool,
    columns: u16,
) -> (&'static str, Scope, String) {
    let (s, glyphs) = (state.preferences.strings, canvas.look.glyphs);
    let me = state.me.account.as_ref().map_or("", |me| me.name.as_str());
    let server = if state.connection.is_hosting {
        s.hosting_here
    } else {
        &state.connection.server
    };
    match &state.connection.link {
        LinkState::Online => {
            let glyph = if state.connection.is_hosting {
                glyphs.hosting
            } else {
                glyphs.online
            };
            let words = if is_narrow {
                me.to_owned()
            } else {
                format!("{server} · {me}")
            };
            (glyph, Scope::StatusOnline, words)
        }
        LinkState::Connecting => (
            glyphs.waiting,
            Scope::StatusConnecting,
            fill(s.connecting, &[&state.connection.server]),
        ),
        LinkState::Waiting { why, .. } => {
            let seconds = state
                .connection
                .retry_in(state.screen.now.instant)
                .unwrap_or_default()
                .as_millis()
                .div_ceil(1000);
            let words = if is_narrow {
                format!(
                    "{} · {}",
                    fill(s.reconnecting_short, &[&seconds]),
                    s.why(why)
                )
            } else {
                // The cause may be cut, but the countdown and the key that reconnects at once are always shown.
                let around = fill(s.reconnecting, &[&state.connection.server, &"", &seconds]);
                let left = usize::from(columns).saturating_sub(text::width(&around) + 5);
                let why = text::cut(&s.why(why), left);
                fill(s.reconnecting, &[&state.connection.server, &why, &seconds])
            };
            (glyphs.waiting, Scope::StatusConnecting, words)
        }
        LinkState::NameRefused(_) if state.me.proposal.is_some() => (
            glyphs.waiting,
            Scope::StatusConnecting,
            s.name_needed.to_owned(),
        ),
        LinkState::NameRefused(refusal) => {
            (glyphs.offline, Scope::StatusOffline, s.refusal(refusal))
        }
        LinkState::Stopped(why) => (
            glyphs.offline,
            Scope::StatusOffline,
            fill(s.offline, &[&s.why(why)]),
        ),
    }
}
