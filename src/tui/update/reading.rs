//! Read positions and unread counts: the server's counts plus later entries. Messages count as read after a moment on the screen.

use std::collections::BTreeSet;
use std::time::Duration;

use super::viewport;
use crate::chat::{Amendment, Body, Entry, Epoch, FollowResult, RoomId, Seq, Unread};
use crate::client::{Command, LinkState};
use crate::tui::event::Effect;
use crate::tui::state::{Due, ForMe, Reading, Recount, Room, State};
use crate::tui::timeline::{Anchor, ItemKey};

/// A message counts as read after this long on the screen.
const DWELL: Duration = Duration::from_secs(1);

/// Updates when the messages on the screen will count as read, and how many unread messages are above the screen.
/// Called after every event.
pub(super) fn update_due(state: &mut State) {
    let at = state.screen.now.instant + DWELL;
    let (above, is_read) = state.current().map_or(((0, 0), false), |room| {
        let read = room.reading.unread.read;
        if room.timeline.newest().is_none_or(|newest| newest <= read) {
            return ((0, 0), false);
        }
        if state.screen.is_plain {
            // Plain mode has no screen, so nothing can be above it.
            return ((0, 0), state.is_reading(room));
        }
        let shown = visible_unread(state, room);
        let is_more = !shown.fresh.is_empty() || seen_to(state, room) > read;
        (shown.above, is_more && state.is_watching(room))
    });
    let current = state.rooms.current;
    for room in &mut state.rooms.list {
        let is_current = current == Some(room.info.id);
        let anchor = room.timeline.anchor();
        let reading = &mut room.reading;
        reading.above = if is_current { above } else { (0, 0) };
        reading.due = match reading.due {
            _ if !is_current || !is_read => None,
            Some(due) if due.anchor == anchor => Some(due),
            _ => Some(Due { at, anchor }),
        };
    }
}

/// Moves the read position, if it is time.
pub(super) fn due(state: &mut State) -> Vec<Effect> {
    let now = state.screen.now.instant;
    let is_due = |room: &&Room| room.reading.due.is_some_and(|due| due.at <= now);
    let Some(room) = state.current().filter(is_due) else {
        return Vec::new();
    };
    if state.screen.is_plain {
        return read_all(state);
    }
    let fresh = visible_unread(state, room).fresh;
    if let Some(room) = state.current_mut() {
        room.reading.due = None;
        room.reading.record_seen(fresh);
    }
    let to = state.current().map(|room| seen_to(state, room));
    let room = state.current_mut();
    let read = room.zip(to).and_then(|(room, to)| read_to(room, to));
    read.into_iter().collect()
}

/// Marks everything in the current room as read, even if it was not on the screen.
pub(super) fn read_all(state: &mut State) -> Vec<Effect> {
    let room = state.current_mut();
    let read = room.and_then(|room| {
        room.reading.due = None;
        let newest = room.timeline.newest()?;
        read_to(room, newest)
    });
    read.into_iter().collect()
}

/// The unread messages of the current room, relative to the screen.
struct VisibleUnread {
    /// Those that begin on the screen and were not recorded as seen before.
    fresh: Vec<(Seq, ForMe)>,
    /// How many others are above the screen, and how many of those are for the user.
    above: (u32, u32),
}

fn visible_unread(state: &State, room: &Room) -> VisibleUnread {
    let on_screen = viewport::on_screen(state);
    let first = on_screen.first().copied();
    // A message taller than the screen begins above it.
    let first = first.unwrap_or_else(|| match room.timeline.anchor() {
        Anchor::Newest => Seq(u64::MAX),
        Anchor::Top { key, .. } => key.seq.next(),
    });
    let read = room.reading.unread.read;
    let from_there = room.timeline.messages();
    let from_there = from_there.take_while(|it| it.seq >= first && it.seq > read);
    let mut fresh = Vec::new();
    let (mut messages, mut mentions) = room.reading.unseen();
    for entry in from_there.filter(|it| is_unseen(state, room, it)) {
        let is_for_me = for_me(state, entry);
        messages = messages.saturating_sub(1);
        mentions = mentions.saturating_sub(u32::from(is_for_me != ForMe::No));
        if on_screen.last().is_some_and(|last| entry.seq <= *last) {
            fresh.push((entry.seq, is_for_me));
        }
    }
    let mut above = (messages, mentions);
    let is_countable = room.reading.unread.messages < Unread::LIMIT;
    if is_countable && room.timeline.is_continuous_from(read) && room.timeline.is_whole_after(read)
    {
        // Loaded messages are more exact than the server's count: one may have been deleted since.
        let earlier = room.timeline.messages().skip_while(|it| it.seq >= first);
        let earlier = earlier.take_while(|it| it.seq > read);
        let earlier = earlier.filter(|it| is_unseen(state, room, it));
        above = earlier.fold((0, 0), |(messages, mentions), entry| {
            let is_for_me = for_me(state, entry) != ForMe::No;
            (messages + 1, mentions + u32::from(is_for_me))
        });
    }
    VisibleUnread { fresh, above }
}

/// The last entry up to which everything is seen, or does not count as unread.
fn seen_to(state: &State, room: &Room) -> Seq {
    let read = room.reading.unread.read;
    // This runs after every event, so the unread messages are counted only in the rare case that some entries are
    // missing.
    if !room.timeline.is_continuous_from(read) {
        let loaded = room.timeline.messages().take_while(|it| it.seq > read);
        let loaded = loaded.filter(|it| counts(state, it)).count();
        let all = usize::try_from(room.reading.unread.messages).unwrap_or(usize::MAX);
        if loaded < all {
            // Messages that are not loaded cannot have been on the screen.
            return read;
        }
    }
    let mut seen = read;
    for item in room.timeline.after(read) {
        let entry = item.entry.as_deref();
        if entry.is_some_and(|entry| is_unseen(state, room, entry)) {
            break;
        }
        seen = item.key.seq;
    }
    seen
}

fn is_unseen(state: &State, room: &Room, entry: &Entry) -> bool {
    counts(state, entry) && !room.reading.seen.contains_key(&entry.seq)
}

fn for_me(state: &State, entry: &Entry) -> ForMe {
    if is_mention(state, entry) {
        ForMe::Mention
    } else if state.has_keyword(entry) {
        ForMe::Keyword
    } else {
        ForMe::No
    }
}

/// Moves the read position forward; returns `None` if it is already there.
fn read_to(room: &mut Room, to: Seq) -> Option<Effect> {
    if to <= room.reading.unread.read {
        return None;
    }
    let is_newest = room.timeline.newest() == Some(to);
    room.reading.advance(to, is_newest);
    mark(room, to)
}

fn mark(room: &Room, seq: Seq) -> Option<Effect> {
    Some(Effect::Client(Command::MarkRead {
        room: room.info.id,
        epoch: room.timeline.epoch()?,
        seq,
    }))
}

/// Handles the server's answer to following a room. Sends the read position again if it moved while there was no connection.
pub(super) fn followed(
    state: &mut State,
    id: RoomId,
    (result, last): (FollowResult, Seq),
    unread: Unread,
) -> Vec<Effect> {
    let is_current = state.rooms.current == Some(id);
    let Some(room) = state.room_mut(id) else {
        return Vec::new();
    };
    room.reading.recount = Recount::No;
    // A read position in another epoch means nothing in this one.
    let is_same = !matches!(result, FollowResult::EpochChanged | FollowResult::Ahead);
    let read = room.reading.unread.read;
    if is_same && read > unread.read && read <= last {
        return mark(room, read).into_iter().collect();
    }
    if !is_same {
        room.reading.seen.clear();
    }
    if is_current && unread.messages > 0 {
        room.timeline.begin_new(unread.read);
    }
    set_counts(state, id, last, unread);
    Vec::new()
}

/// Handles new counts for a room. Ignores counts of an older read position than ours.
pub(super) fn read_position_changed(
    state: &mut State,
    id: RoomId,
    epoch: Epoch,
    last: Seq,
    unread: Unread,
) -> Vec<Effect> {
    let Some(room) = state.room_mut(id) else {
        return Vec::new();
    };
    let asked = std::mem::take(&mut room.reading.recount);
    if room.timeline.epoch() != Some(epoch) {
        return Vec::new();
    }
    if unread.read >= room.reading.unread.read {
        set_counts(state, id, last, unread);
    }
    if asked == Recount::AskAgain || is_partial(state, id, last) {
        return recount(state, id);
    }
    Vec::new()
}

/// Stores the server's counts and adds the entries that arrived after them.
fn set_counts(state: &mut State, id: RoomId, last: Seq, unread: Unread) {
    let Some(room) = state.room(id) else { return };
    let mut reading = Reading {
        unread,
        counted_to: last,
        ..room.reading.clone()
    };
    reading.seen.retain(|seq, _| *seq > unread.read);
    for entry in room.timeline.messages() {
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

/// Whether entries that arrived after the server's count are no longer loaded, so that the server has to count again. Not needed once
/// the count has reached [`Unread::LIMIT`].
fn is_partial(state: &State, id: RoomId, last: Seq) -> bool {
    state.room(id).is_some_and(|room| {
        let run = room.timeline.newest_run();
        let has_all = run.is_none_or(|first| first <= last.next());
        !has_all && room.reading.unread.messages < Unread::LIMIT
    })
}

fn counts(state: &State, entry: &Entry) -> bool {
    let me = state.me.account.as_ref();
    me.is_some_and(|me| entry.counts_for(me.id)) && !state.me.settings.ignores(entry.author.id)
}

fn is_mention(state: &State, entry: &Entry) -> bool {
    state
        .me
        .account
        .as_ref()
        .is_some_and(|me| entry.mentions(me.id))
}

/// Whether a message that counts as unread contains a keyword but does not mention us.
fn has_keyword(state: &State, entry: &Entry) -> bool {
    counts(state, entry) && !is_mention(state, entry) && state.has_keyword(entry)
}

/// The loaded messages after `read` that contain a keyword.
fn loaded_keywords(state: &State, room: &Room, read: Seq) -> BTreeSet<Seq> {
    let unread = room.timeline.messages().take_while(|it| it.seq > read);
    let found = unread.filter(|entry| has_keyword(state, entry));
    found.map(|entry| entry.seq).collect()
}

/// The unread messages with a keyword: the loaded ones, plus those found earlier that are no longer loaded.
fn keywords(state: &State, room: &Room, read: Seq) -> BTreeSet<Seq> {
    let mut found = loaded_keywords(state, room, read);
    let known = room.reading.keywords.iter().copied();
    found.extend(known.filter(|seq| *seq > read && !is_loaded(room, *seq)));
    found
}

/// Whether a message contains a keyword after an edit. If it is not loaded, the edit itself has the new text and its mentions.
fn has_keyword_after(state: &State, room: &Room, edit: &Entry, target: Seq) -> bool {
    if is_loaded(room, target) {
        let said = room.timeline.message(target);
        return said.is_some_and(|entry| has_keyword(state, entry));
    }
    let is_by_other = !state.is_me(edit.author.id) && !state.me.settings.ignores(edit.author.id);
    let text = edit.body.text();
    is_by_other && !is_mention(state, edit) && !state.me.keywords.find(text).is_empty()
}

fn is_loaded(room: &Room, seq: Seq) -> bool {
    room.timeline.place(ItemKey::entry(seq)).is_some()
}

/// Updates the counts for an entry that has just arrived.
pub(super) fn arrived(state: &mut State, entry: &Entry) -> Vec<Effect> {
    if let Body::Amendment { target, what } = &entry.body {
        return amended(state, entry, *target, what);
    }
    let (is_new, is_for_me) = (counts(state, entry), is_mention(state, entry));
    let is_keyword = is_new && !is_for_me && state.has_keyword(entry);
    let Some(room) = state.room(entry.room) else {
        return Vec::new();
    };
    let is_reading = state.is_reading(room);
    let (is_mine, now) = (state.is_me(entry.author.id), state.screen.now.instant);
    let Some(room) = state.room_mut(entry.room) else {
        return Vec::new();
    };
    if is_mine && is_reading && entry.body.is_message() {
        // A user who sends a message has read what is on the screen.
        let anchor = room.timeline.anchor();
        room.reading.due = Some(Due { at: now, anchor });
    }
    if !is_new || entry.seq <= room.reading.unread.read {
        return Vec::new();
    }
    if room.reading.unread.messages == 0 && !is_reading {
        // This is the first unread message: the "new" line goes before it.
        room.timeline.begin_new(entry.seq.before());
    }
    if entry.seq > room.reading.counted_to {
        room.reading.unread.add(is_for_me);
    }
    room.reading.record_keyword(entry.seq, is_keyword);
    Vec::new()
}

/// Updates the counts after an unread message was edited or deleted. `entry` is the amendment.
fn amended(state: &mut State, entry: &Entry, target: Seq, what: &Amendment) -> Vec<Effect> {
    let Some(room) = state.room(entry.room) else {
        return Vec::new();
    };
    if matches!(what, Amendment::React { .. }) || target <= room.reading.unread.read {
        return Vec::new();
    }
    let is_uncounted = entry.seq > room.reading.counted_to;
    // An edit can add or remove a mention or a keyword.
    let is_edit = matches!(what, Amendment::Edit(_));
    let has_keyword = is_edit && has_keyword_after(state, room, entry, target);
    let is_for_me = match room.timeline.message(target) {
        Some(said) => for_me(state, said),
        None if is_mention(state, entry) => ForMe::Mention,
        None if has_keyword => ForMe::Keyword,
        None => ForMe::No,
    };
    if let Some(Room { reading, .. }) = state.room_mut(entry.room) {
        reading.record_keyword(target, has_keyword);
        if *what == Amendment::Erase {
            reading.seen.remove(&target);
        } else if let Some(seen) = reading.seen.get_mut(&target) {
            *seen = is_for_me;
        }
    }
    if is_uncounted {
        // Only the server can tell whether the message was already counted, and whether as a mention.
        return recount(state, entry.room);
    }
    Vec::new()
}

/// Asks the server to count the unread messages of a room again.
pub(super) fn recount(state: &mut State, id: RoomId) -> Vec<Effect> {
    if state.connection.link != LinkState::Online {
        return Vec::new();
    }
    let Some(room) = state.room_mut(id) else {
        return Vec::new();
    };
    if room.reading.recount != Recount::No {
        room.reading.recount = Recount::AskAgain;
        return Vec::new();
    }
    room.reading.recount = Recount::Asked;
    mark(room, room.reading.unread.read).into_iter().collect()
}

/// Counts all rooms again because the ignored people or the keywords have changed.
pub(super) fn recount_all(state: &mut State) -> Vec<Effect> {
    let rooms: Vec<RoomId> = state.rooms.list.iter().map(|room| room.info.id).collect();
    let mut effects = Vec::new();
    for id in rooms {
        let Some(room) = state.room(id) else { continue };
        // The keywords may have changed, and only loaded messages can be searched for the new ones.
        let keywords = loaded_keywords(state, room, room.reading.unread.read);
        let seen = room.reading.seen.iter().filter_map(|(seq, was)| {
            if !is_loaded(room, *seq) {
                return Some((*seq, *was));
            }
            let entry = room.timeline.message(*seq)?;
            counts(state, entry).then(|| (*seq, for_me(state, entry)))
        });
        let seen = seen.collect();
        if let Some(room) = state.room_mut(id) {
            room.reading.keywords = keywords;
            room.reading.seen = seen;
        }
        effects.extend(recount(state, id));
    }
    effects
}
