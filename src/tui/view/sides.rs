//! Header, room list, people list and status line.

use ratatui::layout::Rect;

use super::{Canvas, columns};
use crate::chat::{Presence, Role};
use crate::client::LinkState;
use crate::text;
use crate::tui::regions::Regions;
use crate::tui::state::{Room, State};
use crate::tui::strings::fill;
use crate::tui::theme::Scope;

pub(super) fn header(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let Some(room) = state.current().filter(|_| !area.is_empty()) else {
        return;
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
    let (conversations, public): (Vec<&Room>, Vec<&Room>) =
        state.listed().partition(|room| room.is_conversation());
    let mut y = area.y;
    for (title, rooms) in [
        (state.strings.rooms, public),
        (state.strings.private, conversations),
    ] {
        if rooms.is_empty() {
            continue;
        }
        if y > area.y {
            y += 1;
        }
        let style = canvas.style(Scope::Panel).patch(canvas.style(Scope::Dim));
        if y < area.bottom() {
            canvas.put(pane.x + 1, y, pane.width - 1, &title.into(), style);
        }
        y += 1;
        for room in rooms {
            if y < area.bottom() {
                room_line(
                    canvas,
                    state,
                    Rect {
                        y,
                        height: 1,
                        ..pane
                    },
                    room,
                );
            }
            y += 1;
        }
    }
}

fn room_line(canvas: &mut Canvas<'_>, state: &State, row: Rect, room: &Room) {
    let is_current = state.current == Some(room.info.id);
    let scope = if is_current {
        Scope::Selection
    } else {
        Scope::Panel
    };
    canvas.fill(row, scope);
    let style = canvas.style(scope);
    let label = room.label();
    let (sign, name) = label.split_at_checked(1).unwrap_or(("", &label));
    let badge = if room.unseen > 0 {
        room.unseen.min(999).to_string()
    } else {
        String::new()
    };
    let left = row.width.saturating_sub(4 + columns(&badge));
    canvas.put(
        row.x + 1,
        row.y,
        1,
        &text::line(sign),
        style.patch(canvas.style(Scope::Dim)),
    );
    canvas.put(row.x + 3, row.y, left, &text::line(name), style);
    let style = style.patch(canvas.style(Scope::BadgeUnread));
    canvas.put_right(
        Rect {
            width: row.width - 1,
            ..row
        },
        0,
        &text::line(&badge),
        style,
    );
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
    let count = text::line(&fill(state.strings.people, &[&room.roster.len()]));
    let title = canvas.style(Scope::Panel).patch(canvas.style(Scope::Dim));
    canvas.put(pane.x + 1, pane.y, pane.width - 1, &count, title);
    let rows = usize::from(pane.height.saturating_sub(1));
    for (y, person) in (pane.y + 1..).zip(room.roster.people().iter().take(rows)) {
        let panel = canvas.style(Scope::Panel);
        let (mark, scope) = match person.presence {
            _ if person.via.is_bridge() => (canvas.look.glyphs.bridge, Scope::PeopleBridge),
            Presence::Online => (canvas.look.glyphs.online, Scope::PeoplePresent),
            Presence::Waiting => (canvas.look.glyphs.waiting, Scope::PeopleAway),
        };
        let style = panel.patch(canvas.style(scope));
        canvas.put(pane.x + 1, y, 1, &mark.into(), style);
        let role = if person.role > Role::Member {
            state.strings.role(person.role)
        } else if state.is_me(person.id) {
            state.strings.you
        } else {
            state.strings.via(person.via)
        };
        let left = pane.width.saturating_sub(5 + columns(role));
        let style = panel
            .patch(canvas.look.theme.name(person.id))
            .remove_modifier(ratatui::style::Modifier::BOLD);
        canvas.put(pane.x + 3, y, left, &text::line(&person.name), style);
        let style = panel.patch(canvas.style(Scope::PeopleRole));
        canvas.put_right(
            Rect {
                y,
                height: 1,
                width: pane.width - 1,
                ..pane
            },
            0,
            &role.into(),
            style,
        );
    }
}

pub(super) fn status(canvas: &mut Canvas<'_>, state: &State, regions: &Regions) {
    let area = regions.status;
    if area.is_empty() {
        return;
    }
    let is_narrow = regions.rooms.is_empty();
    let (glyph, scope, words) = link_words(canvas, state, is_narrow);
    let style = canvas.style(scope);
    let mut x = area.x + 1;
    x += canvas.put(x, area.y, 1, &glyph.into(), style) + 1;
    let is_well = scope == Scope::StatusOnline;
    // What is wrong needs the room more.
    let help = if area.width >= 60 && is_well {
        state.strings.help_key
    } else {
        ""
    };
    let style = if is_well {
        canvas.style(Scope::Status)
    } else {
        style
    };
    let right = area.right().saturating_sub(columns(help) + 2);
    x += canvas.put(
        x,
        area.y,
        right.saturating_sub(x),
        &text::line(&words),
        style,
    );
    if is_narrow && is_well {
        strip(
            canvas,
            state,
            Rect {
                x: x + 2,
                width: right.saturating_sub(x + 2),
                ..area
            },
        );
    }
    let style = canvas.style(Scope::Status);
    canvas.put_right(
        Rect {
            width: area.width - 1,
            ..area
        },
        0,
        &help.into(),
        style,
    );
}

/// Where there is no room list, rooms with news stand in the status line.
fn strip(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let mut x = area.x;
    for room in state.listed().filter(|room| room.unseen > 0) {
        let words = text::line(&format!("{} {}", room.label(), room.unseen.min(999)));
        if x + columns(words.as_str()) > area.right() {
            return;
        }
        let style = canvas.style(Scope::BadgeUnread);
        x += canvas.put(x, area.y, area.right() - x, &words, style) + 2;
    }
}

/// The one word on the link: its glyph, its colour and what it says.
fn link_words(
    canvas: &Canvas<'_>,
    state: &State,
    is_narrow: bool,
) -> (&'static str, Scope, String) {
    let (s, glyphs) = (state.strings, canvas.look.glyphs);
    let me = state.me.as_ref().map_or("", |me| me.name.as_str());
    let server = if state.is_hosting {
        s.hosting_here
    } else {
        &state.server
    };
    match &state.link {
        LinkState::Online => {
            let glyph = if state.is_hosting {
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
            fill(s.connecting, &[&state.server]),
        ),
        LinkState::Waiting { why, .. } => {
            let seconds = state
                .retry_in()
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
                fill(s.reconnecting, &[&state.server, &s.why(why), &seconds])
            };
            (glyphs.waiting, Scope::StatusConnecting, words)
        }
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
