//! What was read: counted from what the server says and what came since, marked after a moment at the newest end.

use std::time::Duration;

use crate::chat::{Amendment, Body, Entry, Epoch, FollowResult, RoomId, Seq, Unread};
use crate::client::{Command, LinkState};
use crate::tui::event::Effect;
use crate::tui::state::{Reading, Recount, Room, State};

/// What stood at the newest end this long was read.
const DWELL: Duration = Duration::from_secs(1);

/// Notes after every event what is being read now.
pub(super) fn note(state: &mut State) {
    let due = state.now.instant + DWELL;
    let current = state.current;
    let is_reading = state.current().is_some_and(|room| {
        let newest = room.timeline.newest();
        let has_new = newest.is_some_and(|newest| newest > room.reading.unread.read);
        has_new && state.is_reading(room)
    });
    for room in &mut state.rooms {
        if is_reading && current == Some(room.info.id) {
            room.reading.due.get_or_insert(due);
        } else {
            room.reading.due = None;
        }
    }
}

/// Marks what was read, if it is time.
pub(super) fn due(state: &mut State) -> Vec<Effect> {
    let now = state.now.instant;
    let is_due = |room: &&mut Room| room.reading.due.is_some_and(|due| due <= now);
    let mut effects = Vec::new();
    for room in state.rooms.iter_mut().filter(is_due) {
        room.reading.due = None;
        if let Some(newest) = room.timeline.newest() {
            room.reading.unread = Unread::nothing(newest);
            room.reading.counted_to = newest.max(room.reading.counted_to);
            room.reading.keywords = 0;
            effects.extend(mark(room, newest));
        }
    }
    effects
}

fn mark(room: &Room, seq: Seq) -> Option<Effect> {
    Some(Effect::Client(Command::MarkRead {
        room: room.info.id,
        epoch: room.timeline.epoch()?,
        seq,
    }))
}

/// What the server says of a room that is followed. What was read while there was no connection is said again.
pub(super) fn followed(
    state: &mut State,
    id: RoomId,
    (result, last): (FollowResult, Seq),
    unread: Unread,
) -> Vec<Effect> {
    let is_current = state.current == Some(id);
    let Some(room) = state.room_mut(id) else {
        return Vec::new();
    };
    room.reading.asked = Recount::No;
    // What was read of another history says nothing of this one.
    let is_same = !matches!(result, FollowResult::EpochChanged | FollowResult::Ahead);
    let read = room.reading.unread.read;
    if is_same && read > unread.read && read <= last {
        return mark(room, read).into_iter().collect();
    }
    if is_current && unread.messages > 0 {
        room.timeline.begin_new(unread.read);
    }
    take(state, id, last, unread);
    Vec::new()
}

/// The counts of a room as of an entry; older ones than those we have are passed over.
pub(super) fn moved(
    state: &mut State,
    id: RoomId,
    epoch: Epoch,
    last: Seq,
    unread: Unread,
) -> Vec<Effect> {
    let Some(room) = state.room_mut(id) else {
        return Vec::new();
    };
    let asked = std::mem::take(&mut room.reading.asked);
    if room.timeline.epoch() != Some(epoch) {
        return Vec::new();
    }
    if unread.read >= room.reading.unread.read {
        take(state, id, last, unread);
    }
    if asked == Recount::AskAgain {
        return recount(state, id);
    }
    Vec::new()
}

/// Takes over what the server has counted, and adds what came after that.
fn take(state: &mut State, id: RoomId, last: Seq, unread: Unread) {
    let Some(room) = state.room(id) else { return };
    let mut reading = Reading {
        unread,
        counted_to: last,
        ..room.reading.clone()
    };
    for entry in room.timeline.all_said() {
        if entry.seq <= last {
            break;
        }
        if counts(state, entry) {
            reading.unread.add(is_mention(state, entry));
        }
    }
    reading.keywords = keywords(state, room, unread.read);
    if let Some(room) = state.room_mut(id) {
        room.reading = reading;
    }
}

fn counts(state: &State, entry: &Entry) -> bool {
    let me = state.me.as_ref();
    me.is_some_and(|me| entry.counts_for(me.id)) && !state.settings.ignores(entry.author.id)
}

fn is_mention(state: &State, entry: &Entry) -> bool {
    state.me.as_ref().is_some_and(|me| entry.mentions(me.id))
}

fn keywords(state: &State, room: &Room, read: Seq) -> u32 {
    let unread = room.timeline.all_said().take_while(|it| it.seq > read);
    let hits = unread.filter(|entry| {
        counts(state, entry) && !is_mention(state, entry) && state.has_keyword(entry)
    });
    u32::try_from(hits.count()).unwrap_or(Unread::MOST)
}

/// Counts an entry that came.
pub(super) fn arrived(state: &mut State, entry: &Entry) -> Vec<Effect> {
    if let Body::Amendment { target, what } = &entry.body {
        let Some(room) = state.room(entry.room) else {
            return Vec::new();
        };
        let is_unread = *target > room.reading.unread.read && entry.seq > room.reading.counted_to;
        if let Amendment::Edit(_) = what {
            // A word of ours may have come or gone.
            let keywords = keywords(state, room, room.reading.unread.read);
            if let Some(room) = state.room_mut(entry.room) {
                room.reading.keywords = keywords;
            }
        }
        // Whether it was counted, and whether it mentioned us, is best known to the server.
        if is_unread && !matches!(what, Amendment::React { .. }) {
            return recount(state, entry.room);
        }
        return Vec::new();
    }
    let (is_new, is_for_me) = (counts(state, entry), is_mention(state, entry));
    let is_keyword = is_new && !is_for_me && state.has_keyword(entry);
    let Some(room) = state.room(entry.room) else {
        return Vec::new();
    };
    let is_reading = state.is_reading(room);
    let (is_mine, now) = (state.is_me(entry.author.id), state.now.instant);
    let Some(room) = state.room_mut(entry.room) else {
        return Vec::new();
    };
    if is_mine && is_reading && entry.body.is_said() {
        // Whoever answers has read what they answer to.
        room.reading.due = Some(now);
    }
    if !is_new || entry.seq <= room.reading.unread.read {
        return Vec::new();
    }
    if room.reading.unread.messages == 0 && !is_reading {
        // The first that was not seen: the line goes before it.
        room.timeline.begin_new(entry.seq.before());
    }
    if entry.seq > room.reading.counted_to {
        room.reading.unread.add(is_for_me);
    }
    room.reading.keywords += u32::from(is_keyword);
    Vec::new()
}

/// Asks the server to count a room anew.
pub(super) fn recount(state: &mut State, id: RoomId) -> Vec<Effect> {
    if state.link != LinkState::Online {
        return Vec::new();
    }
    let Some(room) = state.room_mut(id) else {
        return Vec::new();
    };
    if room.reading.asked != Recount::No {
        room.reading.asked = Recount::AskAgain;
        return Vec::new();
    }
    room.reading.asked = Recount::Asked;
    mark(room, room.reading.unread.read).into_iter().collect()
}

/// Counts every room with something unread anew: who is heeded has changed.
pub(super) fn recount_all(state: &mut State) -> Vec<Effect> {
    let rooms: Vec<RoomId> = state.rooms.iter().map(|room| room.info.id).collect();
    let mut effects = Vec::new();
    for id in rooms {
        let Some(room) = state.room(id) else { continue };
        let keywords = keywords(state, room, room.reading.unread.read);
        if let Some(room) = state.room_mut(id) {
            room.reading.keywords = keywords;
        }
        effects.extend(recount(state, id));
    }
    effects
}
