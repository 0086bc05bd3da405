//! Posts that failed or were saved by an earlier run: shown where they were typed, sent again or edited with a key.

use crate::chat::{Author, Body, ClientId, Recipient, Refusal, RoomId};
use crate::client::cache::Unsent;
use crate::client::{Command, OutgoingPost};
use crate::text::{self, SafeText};
use crate::tui::event::Effect;
use crate::tui::input::keymap::Action;
use crate::tui::state::{Room, State, Tone};
use crate::tui::strings::fill;
use crate::tui::timeline::message_text::MessageText;
use crate::tui::timeline::{ItemKind, PostStatus};

/// Shows unanswered posts from an earlier run.
pub(super) fn restore(state: &mut State, posts: Vec<Unsent>) {
    let Some(me) = state.me.account.clone() else {
        return;
    };
    for Unsent { post, failed } in posts {
        let id = post.client_id;
        if !post.body.is_message() {
            continue;
        }
        if state
            .posting
            .pending
            .iter()
            .any(|known| known.client_id == id)
        {
            continue;
        }
        show(state, &me, &post);
        state.posting.pending.push_back(post);
        if let Some(refusal) = failed {
            refused(state, id, &refusal);
        }
    }
}

/// Shows a post until it is answered: in its room, or as a private line in the room where it was typed.
pub(super) fn show(state: &mut State, me: &Author, post: &OutgoingPost) {
    let to = match post.to {
        Recipient::Room(room) => state.room(room).map(|room| room.info.id),
        Recipient::Person(_) | Recipient::Name(_) => None,
    };
    if to.is_some() && (to == post.from || post.from.is_none()) {
        if let Some(room) = to.and_then(|to| state.room_mut(to)) {
            room.timeline
                .post(post.client_id, me, &post.body, post.at_ms);
        }
        return;
    }
    let what = ItemKind::Private {
        author: me.id,
        name: text::line(&me.name),
        text: MessageText::of_body(&post.body),
        recipient: recipient_name(state, &post.to),
        copy_of: None,
        status: PostStatus::Pending,
        client_id: Some(post.client_id),
    };
    let is_there = |id: &crate::chat::RoomId| state.room(*id).is_some();
    let anywhere = || state.listed().next().map(|room| room.info.id);
    let from = post.from.filter(is_there);
    let from = from
        .or(state.rooms.current.filter(is_there))
        .or_else(anywhere);
    if let Some(room) = from.and_then(|from| state.room_mut(from)) {
        room.timeline.post_privately(what, post.at_ms);
    }
}

/// Shows the unanswered posts of removed rooms in the current room.
pub(super) fn show_from_removed_rooms(state: &mut State, gone: &[Room]) {
    for room in gone {
        state.rooms.left.insert(room.info.id, room.label());
    }
    let Some(me) = state.me.account.clone() else {
        return;
    };
    let unanswered = gone.iter().flat_map(|room| room.timeline.posts());
    let unanswered: Vec<_> = unanswered.collect();
    for (id, status) in unanswered.into_iter().rev() {
        let Some(post) = state
            .posting
            .pending
            .iter()
            .find(|post| post.client_id == id)
            .cloned()
        else {
            continue;
        };
        show(state, &me, &post);
        if let PostStatus::Failed(why) = status {
            for room in &mut state.rooms.list {
                room.timeline.fail(id, why);
            }
        }
    }
}

/// Describes the recipient of a post that is shown in another room.
fn recipient_name(state: &State, to: &Recipient) -> SafeText {
    let is_theirs = |room: &&Room| match to {
        Recipient::Room(id) => room.info.id == *id,
        Recipient::Person(id) => room.info.peer.as_ref().is_some_and(|peer| peer.id == *id),
        Recipient::Name(_) => false,
    };
    let peer = state
        .rooms
        .list
        .iter()
        .find(is_theirs)
        .and_then(|room| room.info.peer.as_ref());
    let present = |id| {
        state
            .rooms
            .list
            .iter()
            .find_map(|room| room.roster.find(id))
    };
    let name = match (to, peer) {
        (Recipient::Name(name), _) => name.clone(),
        (_, Some(peer)) => peer.name.clone(),
        (Recipient::Person(id), None) => {
            present(*id).map_or_else(String::new, |it| it.name.clone())
        }
        (Recipient::Room(id), None) => {
            let words = match state.room(*id) {
                Some(room) => fill(
                    state.preferences.strings.in_room,
                    &[&text::line(&room.label())],
                ),
                None => match lost_label(state, *id) {
                    Some(label) => fill(
                        state.preferences.strings.in_former_room,
                        &[&text::line(&label)],
                    ),
                    None => state.preferences.strings.in_unknown_former_room.to_owned(),
                },
            };
            return text::line(&words);
        }
    };
    text::line(&fill(state.preferences.strings.privately_to, &[&name]))
}

/// The label of a room that the user is no longer in.
fn lost_label(state: &State, id: RoomId) -> Option<String> {
    let listed = state.rooms.directory.iter().find(|info| info.id == id);
    let listed = listed.map(|info| format!("#{}", info.name));
    state.rooms.left.get(&id).cloned().or(listed)
}

/// Marks a post as refused for good. It stays in place, with the reason and the keys to send or edit it again.
pub(super) fn refused(state: &mut State, id: ClientId, refusal: &Refusal) {
    let why = state.preferences.strings.refusal(refusal);
    fail(state, id, &why);
}

pub(super) fn fail(state: &mut State, id: ClientId, why: &str) {
    let s = state.preferences.strings;
    let actions = [Action::Retry, Action::EditFailed];
    let post = state
        .posting
        .pending
        .iter()
        .find(|post| post.client_id == id);
    let words = if post.is_some_and(|post| is_of_lost_room(state, post)) {
        let key = if state.screen.is_plain {
            format!("/do {}", Action::EditFailed.name())
        } else {
            state.input.keymap.first(Action::EditFailed)
        };
        fill(s.failed_gone, &[&why, &key])
    } else if state.screen.is_plain {
        let [retry, edit] = actions.map(Action::name);
        fill(s.failed_plain, &[&why, &retry, &edit])
    } else {
        let [retry, edit] = actions.map(|action| state.input.keymap.first(action));
        fill(s.failed, &[&why, &retry, &edit])
    };
    let words = text::line(&words);
    for room in &mut state.rooms.list {
        room.timeline.fail(id, &words);
    }
}

/// Whether a post may be sent again or edited in the current room: it was meant for this room, or the typed text names its recipient. Text
/// meant for one room or person never gets into the composer of another.
fn belongs_here(state: &State, post: &OutgoingPost) -> bool {
    let names_target = post.typed.starts_with(text::AT)
        || ["/msg ", "/query "]
            .iter()
            .any(|it| post.typed.starts_with(it));
    let Some(room) = state.current() else {
        return false;
    };
    let peer = room.info.peer.as_ref();
    names_target
        || match &post.to {
            Recipient::Room(id) => room.info.id == *id,
            Recipient::Person(id) => peer.is_some_and(|peer| peer.id == *id),
            Recipient::Name(name) => {
                peer.is_some_and(|peer| peer.name.to_lowercase() == name.to_lowercase())
            }
        }
}

/// Whether a post was meant for a room that the user is no longer in.
fn is_of_lost_room(state: &State, post: &OutgoingPost) -> bool {
    matches!(post.to, Recipient::Room(id) if state.room(id).is_none())
}

/// Removes and returns the newest failed post of the current room that `is_allowed` accepts.
fn take_failed(
    state: &mut State,
    is_allowed: impl Fn(&State, &OutgoingPost) -> bool,
) -> Option<OutgoingPost> {
    let failed: Vec<ClientId> = state
        .current()
        .map(|room| room.timeline.failed().collect())
        .unwrap_or_default();
    let of = |id: &ClientId| {
        state
            .posting
            .pending
            .iter()
            .position(|post| post.client_id == *id)
    };
    let places: Vec<usize> = failed.iter().filter_map(of).collect();
    let allowed = places
        .iter()
        .find(|at| is_allowed(state, &state.posting.pending[**at]));
    let Some(place) = allowed.copied() else {
        let s = state.preferences.strings;
        let words = match places.first().map(|at| &state.posting.pending[*at]) {
            Some(post) => fill(s.failed_elsewhere, &[&recipient_name(state, &post.to)]),
            None => s.nothing_failed.to_owned(),
        };
        state.show_notice(Tone::Info, words);
        return None;
    };
    let post = state.posting.pending.remove(place)?;
    for room in &mut state.rooms.list {
        room.timeline.remove_failed(post.client_id);
    }
    Some(post)
}

/// Sends a failed post again to its original recipient. It gets a new client id because later ones may already be used.
pub(super) fn retry(state: &mut State) -> Vec<Effect> {
    let Some(me) = state.me.account.clone() else {
        return Vec::new();
    };
    let Some(failed) = take_failed(state, belongs_here) else {
        return Vec::new();
    };
    let replaces = Some(failed.client_id);
    let post = OutgoingPost {
        client_id: state.posting.next_client_id(),
        ..failed
    };
    show(state, &me, &post);
    state.posting.pending.push_back(post.clone());
    vec![Effect::Client(Command::Post { post, replaces })]
}

/// Puts a failed post back into the composer of its room. If the room is gone, the text is cut to the kill ring instead, so that nobody
/// sends it elsewhere by mistake.
pub(super) fn edit(state: &mut State) -> Vec<Effect> {
    if !state.composer().is_empty() {
        state.show_notice(Tone::Problem, state.preferences.strings.composer_in_use);
        return Vec::new();
    }
    let may = |state: &State, post: &OutgoingPost| {
        belongs_here(state, post) || is_of_lost_room(state, post)
    };
    let Some(post) = take_failed(state, may) else {
        return Vec::new();
    };
    if !belongs_here(state, &post) {
        state.input.kill_ring.end_series();
        state.input.kill_ring.put(&typed_form(&post.body));
        state.input.kill_ring.end_series();
        let key = state.input.keymap.first(Action::Yank);
        state.show_notice(
            Tone::Info,
            fill(state.preferences.strings.failed_cut, &[&key]),
        );
        return vec![Effect::Client(Command::Forget(post.client_id))];
    }
    let typed = if post.typed.is_empty() {
        typed_form(&post.body)
    } else {
        post.typed
    };
    state.composer_mut().insert(&typed);
    // The draft is saved before the post is discarded, so the text is on disk at every moment.
    let mut effects = super::drafts::flush(state);
    effects.push(Effect::Client(Command::Forget(post.client_id)));
    effects
}

fn typed_form(body: &Body) -> String {
    match body {
        Body::Action(done) => format!("/me {done}"),
        other => other.text().to_owned(),
    }
}
