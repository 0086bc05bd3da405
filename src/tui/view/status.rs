//! Draws the status line: the connection, the counts of all rooms, who is typing, and the key for help.

use ratatui::layout::Rect;

use super::panes::{MENTION, badge};
use super::{Canvas, columns};
use crate::client::{LinkState, Protection};
use crate::text;
use crate::tui::input::keymap::Action;
use crate::tui::screen::hit_map::Target;
use crate::tui::screen::regions::Regions;
use crate::tui::state::{Room, State};
use crate::tui::strings::fill;
use crate::tui::theme::Scope;

/// Shown if not all rooms with unread messages fit.
const MORE: &str = "+";
/// The key for help is shown from this width on.
const HELP_FROM: u16 = 60;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, regions: &Regions) {
    let area = regions.status;
    if area.is_empty() {
        return;
    }
    let is_narrow = regions.rooms.is_empty();
    let (glyph, scope, words) = connection(canvas, state, is_narrow, area.width);
    let style = canvas.style(scope);
    let mut x = area.x + 1;
    x += canvas.put(x, area.y, 1, &glyph.into(), style) + 1;
    if scope != Scope::StatusOnline {
        // A connection problem needs the space more than anything else.
        let width = area.right().saturating_sub(2).saturating_sub(x);
        canvas.put(x, area.y, width, &text::line(&words), style);
        return;
    }
    let style = canvas.style(Scope::Status);
    let mut right = help_key(canvas, state, area);
    if !is_narrow {
        let before = Rect {
            width: right.saturating_sub(area.x + 2),
            ..area
        };
        right = counts(canvas, state, before);
    }
    let width = right.saturating_sub(x);
    x += canvas.put(x, area.y, width, &text::line(&words), style);
    let mut rest = Rect {
        x: x + 2,
        width: right.saturating_sub(x + 3),
        ..area
    };
    if is_narrow {
        let end = unread_rooms(canvas, state, rest);
        rest.width = rest.right().saturating_sub(end);
        rest.x = end;
    }
    typing(canvas, state, rest);
}

/// Draws the key for help at the right end, if there is space. Returns the column where the rest of the line ends.
fn help_key(canvas: &mut Canvas<'_>, state: &State, area: Rect) -> u16 {
    if area.width < HELP_FROM {
        return area.right().saturating_sub(2);
    }
    let key = state.input.keymap.first(Action::Help);
    let words = fill(state.preferences.strings.help_key, &[&key]);
    let place = Rect {
        width: area.width - 1,
        ..area
    };
    let style = canvas.style(Scope::Status);
    canvas.put_right(place, 0, &text::line(&words), style);
    area.right().saturating_sub(columns(&words) + 2)
}

/// Draws the unread and mention counts of all rooms at the right end of an area. Returns the column they start at.
fn counts(canvas: &mut Canvas<'_>, state: &State, area: Rect) -> u16 {
    let s = state.preferences.strings;
    let news = state.listed().map(|room| state.unread_counts(room));
    let (unread, mentions) = news.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    let mut words: Vec<String> = Vec::new();
    if unread > 0 {
        words.push(fill(s.unread_counts, &[&unread]));
    }
    if mentions > 0 {
        words.push(fill(s.mention_counts, &[&mentions]));
    }
    let requests = state.requests().count();
    if requests > 0 {
        words.push(fill(s.requests.count, &[&requests]));
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

/// Draws the rooms with unread messages and the number of requests into the status line, for screens without a room list. Returns the column after the last.
fn unread_rooms(canvas: &mut Canvas<'_>, state: &State, area: Rect) -> u16 {
    let mut x = area.x;
    let mut rooms: Vec<&Room> = state.listed().collect();
    rooms.retain(|room| state.unread_counts(room).0 > 0);
    // Rooms with mentions and private conversations come first.
    rooms.sort_by_key(|room| state.unread_counts(room).1 == 0 && !room.is_conversation());
    for room in rooms {
        let (unread, mentions) = state.unread_counts(room);
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
    let mut requests = state.requests();
    if let Some(first) = requests.next() {
        let count = 1 + requests.count();
        let words = text::line(&fill(state.preferences.strings.requests.count, &[&count]));
        if x + columns(words.as_str()) <= area.right() {
            let style = canvas.style(Scope::Status);
            let used = canvas.put(x, area.y, area.right() - x, &words, style);
            canvas.target(Rect::new(x, area.y, used, 1), Target::Room(first.info.id));
            x += used + 2;
        }
    }
    x
}

/// The connection state: its symbol, colour and text. `columns` is the width of the status line.
fn connection(
    canvas: &Canvas<'_>,
    state: &State,
    is_narrow: bool,
    columns: u16,
) -> (&'static str, Scope, String) {
    let (s, glyphs) = (state.preferences.strings, canvas.look.glyphs);
    match &state.connection.link {
        LinkState::Online => {
            let glyph = if state.connection.is_hosting {
                glyphs.hosting
            } else {
                glyphs.online
            };
            (glyph, Scope::StatusOnline, online_words(state, is_narrow))
        }
        LinkState::Connecting => (
            glyphs.waiting,
            Scope::StatusConnecting,
            fill(s.connecting, &[&state.connection.server]),
        ),
        LinkState::Waiting { why, .. } => {
            let words = waiting_words(state, &s.why(why), is_narrow, columns);
            (glyphs.waiting, Scope::StatusConnecting, words)
        }
        LinkState::NameRefused(_) if state.me.proposed_name.is_some() => (
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

/// The server and our name, or only the name if there is little space. A connection without encryption is always
/// marked.
fn online_words(state: &State, is_narrow: bool) -> String {
    let s = state.preferences.strings;
    let me = state.me.account.as_ref().map_or("", |me| me.name.as_str());
    let server = if state.connection.is_hosting {
        s.hosting_here
    } else {
        &state.connection.server
    };
    let is_clear = state.connection.protection == Protection::ClearText;
    let parts = [
        Some(server).filter(|_| !is_narrow),
        Some(me),
        Some(s.trust.not_encrypted_short).filter(|_| is_clear),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Why there is no connection and when the next attempt is made.
fn waiting_words(state: &State, why: &str, is_narrow: bool, columns: u16) -> String {
    let s = state.preferences.strings;
    let retry_in = state.connection.retry_in(state.screen.now.instant);
    let seconds = retry_in.unwrap_or_default().as_millis().div_ceil(1000);
    if is_narrow {
        return format!("{} · {why}", fill(s.reconnecting_short, &[&seconds]));
    }
    // The cause may be cut, but the countdown and the key that reconnects at once are always shown.
    let server = &state.connection.server;
    let around = fill(s.reconnecting, &[server, &"", &seconds]);
    let left = usize::from(columns).saturating_sub(text::width(&around) + 5);
    fill(s.reconnecting, &[server, &text::cut(why, left), &seconds])
}
