//! Handles client events: the state of the link, rooms, entries and answers. Events about people and settings are handled in `people`.

use super::viewport::load_older;
use super::{
    drafts, notify, people, personal, picker, reading, rooms, search, trust, unsent, visit,
};
use crate::chat::{
    Amendment, Author, Body, ClientId, Entry, Epoch, FollowResult, Refusal, RefusalCode, RoomId,
    Ruling, Seq,
};
use crate::client::{Command, Event, LinkState, RequestKind};
use crate::text;
use crate::tui::content::entries;
use crate::tui::content::system_lines;
use crate::tui::event::Effect;
use crate::tui::input::composer::Composer;
use crate::tui::state::{Overlay, Room, State, Tone};
use crate::tui::strings::fill;
use crate::tui::timeline::message_text::MessageText;
use crate::tui::timeline::rows::system;
use crate::tui::timeline::{ItemKind, PostStatus};

pub(super) fn handle(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Link(link) => return link_changed(state, link),
        Event::Protected(protection) => {
            state.connection.protection = protection;
        }
        Event::Cached { you, limits, rooms } => {
            state.me.account = Some(you);
            state.connection.limits = limits;
            return rooms::show_cached(state, rooms);
        }
        Event::Unsent { drafts, posts } => {
            drafts::restore(state, drafts);
            unsent::restore(state, posts);
        }
        Event::CacheFailed(why) => {
            let words = fill(state.preferences.strings.not_kept, &[&text::line(&why)]);
            state.show_notice(Tone::Problem, words);
        }
        Event::CacheDamaged(aside) => {
            let words = fill(state.preferences.strings.cache_damaged, &[&aside.display()]);
            state.show_notice(Tone::Problem, text::line(&words).to_string());
        }
        Event::Welcome {
            you,
            limits,
            rooms,
            ending,
            settings,
            status,
            ..
        } => {
            state.me.account = Some(you);
            state.me.proposed_name = None;
            state.connection.limits = limits;
            state.me.status = status;
            // Open invitations follow in the next events.
            state.rooms.invitations.clear();
            personal::store_settings(state, settings);
            return rooms::welcome(state, rooms, &ending);
        }
        other => return handle_room(state, other),
    }
    Vec::new()
}

/// Handles the events about a room and its entries.
fn handle_room(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Room {
            room,
            is_requested: asked,
        } => rooms::room_changed(state, room, asked),
        Event::Left(room) => rooms::left(state, room),
        Event::Removed { room, reason: how } => {
            rooms::removed(state, room, &how);
            Vec::new()
        }
        Event::Followed {
            room,
            epoch,
            first,
            last,
            result,
            unread,
        } => {
            followed(state, room, epoch, (first, last), result);
            reading::followed(state, room, (result, last), unread)
        }
        Event::FormerEntries { room, entries } => {
            show_former_entries(state, room, &entries);
            Vec::new()
        }
        // The gap shows when the next entries arrive.
        Event::Gap { .. } => Vec::new(),
        Event::Entries(entries) => {
            search::apply_amendments(state, &entries);
            arrived(state, &entries)
        }
        Event::Page {
            room,
            before,
            epoch,
            first,
            entries,
        } => {
            let item = entries::item(state);
            if let Some(room) = state.room_mut(room) {
                room.timeline.fill(before, epoch, first, &entries, item);
            }
            let oldest = entries.first().map(|entry| entry.seq);
            let mut effects = visit::page_loaded(state, room, before, oldest);
            effects.extend(load_older(state));
            effects
        }
        Event::PageFailed { room, before } => page_failed(state, room, before),
        other => handle_answer(state, other),
    }
}

/// Handles the answers to what we posted or asked for.
fn handle_answer(state: &mut State, event: Event) -> Vec<Effect> {
    match event {
        Event::Accepted { client_id, .. } => mark_stored(state, client_id),
        Event::PostDelayed(refusal) => {
            let s = state.preferences.strings;
            let why = s.refusal_reason(&refusal);
            let words = match refusal.retry_after {
                Some(after) if refusal.code == RefusalCode::LimitReached => {
                    fill(s.sent_again_in, &[&why, &s.duration(after)])
                }
                _ => fill(s.waits_for_space, &[&why]),
            };
            state.show_notice(Tone::Problem, text::line(&words).to_string());
        }
        Event::PostRefused { client_id, refusal } => {
            return post_refused(state, client_id, refusal);
        }
        Event::Refused {
            about: RequestKind::Follow(room),
            refusal,
        } if matches!(
            refusal.code,
            RefusalCode::NotAMember | RefusalCode::RoomUnknown
        ) =>
        {
            return remove_lost_room(state, room);
        }
        Event::Refused { about, refusal } => refused(state, &about, refusal),
        other => return people::handle(state, other),
    }
    Vec::new()
}

/// Removes a room that cannot be followed, because it no longer exists or we are no longer a member.
fn remove_lost_room(state: &mut State, room: RoomId) -> Vec<Effect> {
    if let Some(label) = state.room(room).map(Room::label) {
        let words = fill(state.preferences.strings.room_gone, &[&text::line(&label)]);
        state.show_notice(Tone::Info, words);
    }
    rooms::left(state, room)
}

fn followed(
    state: &mut State,
    room: RoomId,
    epoch: Epoch,
    (first, last): (Seq, Seq),
    result: FollowResult,
) {
    let s = state.preferences.strings;
    let words = || system(s.other_history, &[]);
    if let Some(room) = state.room_mut(room) {
        // The messages of a conversation that has just been started are new; in any other room the entries up to `last` are history.
        room.live_after = match room.history_to {
            Some(Seq::ZERO) if room.timeline.epoch().is_none() => Seq::ZERO,
            _ => last,
        };
        let is_another = matches!(result, FollowResult::EpochChanged | FollowResult::Ahead);
        if room.history_to.is_none() || is_another {
            room.history_to = Some(last);
        }
        let before = room.timeline.epoch();
        room.timeline.followed(epoch, first, result, words);
        if is_another || before.is_some_and(|before| before != epoch) {
            // In another epoch the same seq is another message.
            room.reading.keywords.clear();
        }
    }
}

fn refused(state: &mut State, about: &RequestKind, refusal: Refusal) {
    let s = state.preferences.strings;
    let refusal =
        system_lines::with_local_time(state.preferences.strings, &state.screen.zone, refusal);
    let words = fill(s.cannot, &[&s.about(about), &s.refusal(&refusal)]);
    state.show_notice(Tone::Problem, text::line(&words).to_string());
    match about {
        RequestKind::Mentions => picker::close_mentions(state),
        RequestKind::Status => state.me.status_requested = None,
        RequestKind::Join(room)
            if matches!(
                refusal.code,
                RefusalCode::RoomUnknown | RefusalCode::RoomClosed | RefusalCode::NotInvited
            ) =>
        {
            // The room is gone or the invitation was withdrawn.
            state.rooms.invitations.retain(|it| !room.matches(&it.room));
        }
        // In plain mode an empty list would not be visible, and the user would keep waiting.
        RequestKind::ListRooms if state.screen.is_plain => state.overlays.top = None,
        _ => {}
    }
    if state
        .posting
        .awaited_request
        .as_ref()
        .is_some_and(|(effect, _)| effect.asks_about(about))
    {
        restore_refused_command(state);
    }
}

/// Handles a post that was refused for good. A message stays in the room as failed; a command returns to the composer to be corrected.
fn post_refused(state: &mut State, id: ClientId, refusal: Refusal) -> Vec<Effect> {
    let refusal =
        system_lines::with_local_time(state.preferences.strings, &state.screen.zone, refusal);
    let Some(typed) = state.posting.commands.remove(&id) else {
        unsent::refused(state, id, &refusal);
        return Vec::new();
    };
    let words = state.preferences.strings.refusal(&refusal);
    state.show_notice(Tone::Problem, text::line(&words).to_string());
    restore_text(state, &typed);
    vec![Effect::Client(Command::Forget(id))]
}

fn show_former_entries(state: &mut State, room: RoomId, entries: &[Entry]) {
    let s = state.preferences.strings;
    let item = entries::item(state);
    if let Some(room) = state.room_mut(room) {
        let words = || system(s.other_history, &[]);
        room.timeline.add_former_entries(entries, item, words);
    }
}

fn link_changed(state: &mut State, link: LinkState) -> Vec<Effect> {
    if let LinkState::NameRefused(refusal) = &link {
        state.overlays.announce(name_question(state, refusal));
    } else {
        let asks_name = |overlay: &mut Overlay| matches!(overlay, Overlay::Name { .. });
        drop(state.overlays.behind.take_if(asks_name));
    }
    state.connection.link = link;
    state.connection.since = state.screen.now.instant;
    trust::linked(state);
    if state.connection.link == LinkState::Online {
        // Pages that could not be loaded while offline can be loaded now.
        return load_older(state);
    }
    Vec::new()
}

/// Returns the overlay that asks for another name. If the user has not chosen one yet, it is the first question and not
/// an error.
fn name_question(state: &State, refusal: &Refusal) -> Overlay {
    let s = state.preferences.strings;
    // If the name is taken, the server proposes a free one; Enter accepts it.
    let free = refusal.arguments.get(1);
    let free = free.filter(|_| refusal.code == RefusalCode::NameTaken);
    let Some(usual) = &state.me.proposed_name else {
        let free = free.map_or("", String::as_str);
        return Overlay::Name {
            why: s.refusal(refusal),
            proposed_name: String::new(),
            composer: Box::new(Composer::with(free)),
        };
    };
    let proposal = free.unwrap_or(usual).clone();
    let mut why = s.name_question.to_owned();
    if !state.screen.is_plain {
        why = format!("{why}\n{}", fill(s.name_takes, &[&proposal]));
    }
    Overlay::Name {
        why,
        proposed_name: proposal,
        composer: Box::default(),
    }
}

/// Adds entries of one room.
fn arrived(state: &mut State, entries: &[Entry]) -> Vec<Effect> {
    let Some(id) = entries.first().map(|entry| entry.room) else {
        return Vec::new();
    };
    let item = entries::item(state);
    let mut effects = Vec::new();
    let is_current = state.rooms.current == Some(id);
    let me = state.me.account.as_ref().map(|me| me.id);
    for entry in entries {
        let is_mine = state.is_me(entry.author.id);
        if let Some(client_id) = entry.client_id.filter(|_| is_mine) {
            mark_stored(state, client_id);
        }
        let Some(room) = state.room_mut(id) else {
            return Vec::new();
        };
        if !room.timeline.append(entry, &item) {
            continue;
        }
        rename_peer(room, entry);
        room.typing.retain(|(who, _)| *who != entry.author.id);
        if let Body::Amendment { target, what } = &entry.body
            && *what == Amendment::Erase
        {
            // Also removes its copies in other rooms.
            for room in &mut state.rooms.list {
                room.timeline.erase_copy(id, *target);
            }
        }
        let Some(room) = state.room_mut(id) else {
            return Vec::new();
        };
        match &entry.body {
            Body::Topic(topic) => room.info.topic.clone_from(topic),
            Body::Rules(rules) => room.info.rules = *rules,
            Body::Ruling(person, Ruling::Role(role)) if me == Some(person.id) => {
                room.info.role = Some(*role);
            }
            _ => {}
        }
        let is_past = room.history_to.is_some_and(|to| entry.seq <= to);
        let is_conversation = room.is_conversation() && !room.is_request();
        effects.extend(reading::arrived(state, entry));
        effects.extend(notify::arrived(state, entry));
        let is_news = entry.body.is_message() && !is_mine && !is_current && !is_past;
        if is_news && is_conversation && !state.me.settings.ignores(entry.author.id) {
            show_beside(state, entry);
        }
    }
    if is_current {
        effects.extend(load_older(state));
    }
    effects
}

/// Copies a new private message into the current room, so that the user sees it there too. The copy exists only in memory.
fn show_beside(state: &mut State, entry: &Entry) {
    let what = ItemKind::Private {
        author: entry.author.id,
        name: text::line(&entry.author.name),
        text: match &entry.body {
            Body::Action(done) => {
                MessageText::plain(&text::line(&format!("{} {done}", entry.author.name)))
            }
            other => MessageText::of_body(other),
        },
        recipient: text::line(state.preferences.strings.privately_to_you),
        copy_of: Some((entry.room, entry.seq)),
        status: PostStatus::Stored,
        client_id: None,
    };
    if let Some(room) = state.current_mut() {
        room.timeline.add_local_line(what, entry.at_ms);
    }
}

fn rename_peer(room: &mut Room, entry: &Entry) {
    if let (Body::Renamed(to), Some(peer)) = (&entry.body, &mut room.info.peer)
        && peer.id == entry.author.id
    {
        *peer = Author {
            id: peer.id,
            name: to.clone(),
        };
    }
}

fn page_failed(state: &mut State, id: RoomId, before: Seq) -> Vec<Effect> {
    if let Some(room) = state.room_mut(id) {
        room.timeline.page_failed(before);
    }
    visit::page_loaded(state, id, before, None)
}

/// Handles a command that the client did not accept because its queue is full. It is not retried.
pub(super) fn busy(state: &mut State, command: Command) -> Vec<Effect> {
    let s = state.preferences.strings;
    match command {
        Command::LoadOlder { room, before } => return page_failed(state, room, before),
        Command::Post { post, .. } => match state.posting.commands.remove(&post.client_id) {
            Some(typed) => {
                state.posting.awaited_request = None;
                state.show_notice(Tone::Problem, s.too_busy);
                restore_text(state, &typed);
            }
            None => unsent::fail(state, post.client_id, s.too_many_pending),
        },
        _ => {
            state.show_notice(Tone::Problem, s.too_busy);
            restore_refused_command(state);
        }
    }
    Vec::new()
}

/// Returns a refused command to the composer so that it can be corrected.
pub(super) fn restore_refused_command(state: &mut State) {
    if let Some((_, typed)) = state.posting.awaited_request.take() {
        restore_text(state, &typed);
    }
}

fn restore_text(state: &mut State, typed: &str) {
    // In plain mode the typed line is still visible above.
    if state.composer().is_empty() && !typed.is_empty() && !state.screen.is_plain {
        state.composer_mut().insert(typed);
    }
}

fn mark_stored(state: &mut State, id: ClientId) {
    state.posting.commands.remove(&id);
    state.posting.pending.retain(|post| post.client_id != id);
    for room in &mut state.rooms.list {
        room.timeline.mark_stored(id);
    }
}
