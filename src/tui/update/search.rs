//! Message search: runs while the user types, locally at once and on the server after a pause; then steps from hit to hit.

use std::time::Duration;

use super::{picker, visit};
use crate::chat::{Body, Entry, RoomId, SearchResults, Seq};
use crate::client::{Command, SearchScope};
use crate::tui::event::Effect;
use crate::tui::input::composer::Composer;
use crate::tui::lists::search::{Hits, QueryContext, ResultCursor, parse};
use crate::tui::state::{Overlay, Room, State, Tone};
use crate::tui::state::{Picker, PickerKind};

/// The search is sent to the server after the user has not typed for this long.
const PAUSE: Duration = Duration::from_millis(150);

/// Opens the search with a text. An empty text reopens the current search, if there is one.
pub(super) fn open(state: &mut State, text: &str) -> Vec<Effect> {
    let cursor = state.result_cursor().filter(|_| text.is_empty());
    let (text, hits) = match cursor {
        Some(cursor) => (cursor.text.clone(), cursor.hits.clone()),
        None => (text.to_owned(), Hits::default()),
    };
    let is_new = cursor.is_none();
    let chosen = cursor.map_or(0, |cursor| {
        cursor.place(&state.hits(&cursor.hits)).0.saturating_sub(1)
    });
    let picker = Picker {
        filter: Box::new(Composer::with(&text)),
        chosen,
        kind: PickerKind::Search(Box::new(hits)),
    };
    state.overlays.top = Some(Overlay::Pick(picker));
    if is_new { changed(state) } else { Vec::new() }
}

fn hits_mut(state: &mut State) -> Option<&mut Hits> {
    match &mut state.overlays.top {
        Some(Overlay::Pick(Picker {
            kind: PickerKind::Search(hits),
            ..
        })) => Some(hits),
        _ => None,
    }
}

/// Starts a new search because the text has changed.
pub(super) fn changed(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Pick(Picker {
        kind: PickerKind::Search(_),
        filter,
        ..
    })) = &state.overlays.top
    else {
        return Vec::new();
    };
    let of = |room: &Room| {
        let peer = room.info.peer.as_ref();
        peer.map_or(&room.info.name, |peer| &peer.name).clone()
    };
    let known = QueryContext {
        rooms: state
            .rooms
            .list
            .iter()
            .map(|room| (room.info.id, of(room)))
            .collect(),
        me: state.me.account.as_ref().map_or("", |me| &me.name),
        now: state.screen.now.wall.to_zoned(state.screen.zone.clone()),
    };
    let query = parse(&filter.text(), &known);
    state.timers.searches += 1;
    let hits = Hits::new(state.timers.searches, query);
    let (id, search, is_empty) = (hits.id, hits.search.clone(), hits.is_empty());
    if let Some(Overlay::Pick(picker)) = &mut state.overlays.top {
        picker.kind = PickerKind::Search(Box::new(hits));
        picker.chosen = 0;
    }
    if is_empty {
        state.timers.search_due = None;
        return Vec::new();
    }
    state.timers.search_due = Some(state.screen.now.instant + PAUSE);
    let scope = SearchScope::Cache;
    vec![Effect::Client(Command::Search { id, search, scope })]
}

/// Sends the search to the server if it is due.
pub(super) fn search_server_if_due(state: &mut State) -> Vec<Effect> {
    if state
        .timers
        .search_due
        .is_none_or(|due| due > state.screen.now.instant)
    {
        return Vec::new();
    }
    state.timers.search_due = None;
    let Some(hits) = hits_mut(state) else {
        return Vec::new();
    };
    hits.is_waiting = true;
    let (id, search, scope) = (hits.id, hits.search.clone(), SearchScope::Server);
    vec![Effect::Client(Command::Search { id, search, scope })]
}

/// Stores the results of the current search; results of an older one are ignored. The chosen hit stays chosen.
pub(super) fn set_results(
    state: &mut State,
    id: u64,
    scope: SearchScope,
    found: Option<SearchResults>,
) {
    let chosen = picker::chosen(state);
    let Some(hits) = hits_mut(state).filter(|hits| hits.id == id) else {
        return;
    };
    match scope {
        SearchScope::Cache => hits.set_local(found.unwrap_or_default()),
        SearchScope::Server => hits.set_remote(found),
    }
    if let Some(takes) = chosen {
        picker::choose(state, &takes);
    }
}

/// Applies edits and deletions to the hits.
pub(super) fn apply_amendments(state: &mut State, entries: &[Entry]) {
    let amending = entries
        .iter()
        .filter(|it| matches!(it.body, Body::Amendment { .. }));
    for entry in amending {
        if let Some(hits) = hits_mut(state) {
            hits.amend(entry);
        }
        if let Some(cursor) = state
            .rooms
            .visit
            .as_mut()
            .and_then(|visit| visit.result_cursor.as_mut())
        {
            cursor.hits.amend(entry);
        }
    }
}

/// Shows a hit in its room and lets the user step to the others.
pub(super) fn show_hit(
    state: &mut State,
    hits: Hits,
    text: String,
    at: (RoomId, Seq),
) -> Vec<Effect> {
    if state.room(at.0).is_none() {
        state.show_notice(Tone::Problem, state.preferences.strings.not_in_a_room);
        return Vec::new();
    }
    // When stepping from hit to hit, Esc returns to where the search was started.
    let before = state
        .rooms
        .visit
        .take()
        .filter(|visit| visit.result_cursor.is_some());
    if let Some(room) = state.current_mut() {
        room.selected = None;
    }
    let effects = visit::visit(state, at.0, at.1);
    if let Some(visit) = &mut state.rooms.visit {
        if let Some(before) = before {
            visit.home = before.home;
        }
        visit.result_cursor = Some(ResultCursor { text, hits, at });
    }
    visit::select_hit(state);
    effects
}

/// Steps to the next hit: an older one if `by` is positive, a newer one if negative.
pub(super) fn step(state: &mut State, by: isize) -> Vec<Effect> {
    let Some(cursor) = state.result_cursor().cloned() else {
        return Vec::new();
    };
    if let Some(at) = cursor.step(&state.hits(&cursor.hits), by) {
        return show_hit(state, cursor.hits, cursor.text, at);
    }
    let s = state.preferences.strings;
    let is_older = by > 0;
    let words = if is_older {
        s.no_older_hit
    } else {
        s.no_newer_hit
    };
    state.show_notice(Tone::Info, words);
    Vec::new()
}
