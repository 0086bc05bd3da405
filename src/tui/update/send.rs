//! Enter: what was typed is said, said privately, or done.

use crate::chat::{Amendment, Author, Body, IdentityId, Presence, Recipient, RoomId, Seq};
use crate::client::{Command, LinkState, Post};
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::command;
use crate::tui::input::command::{Line, Missing, Name};
use crate::tui::state::{Confirm, Overlay, State, Tone, Writing};
use crate::tui::strings::fill;

/// Posts that may wait at once; more stay in the composer.
const PENDING: usize = 1000;

pub(super) fn enter(state: &mut State) -> Vec<Effect> {
    let text = state.composer().text();
    let s = state.strings;
    // Where there is no key that leaves it, a command does.
    let is_command = state.is_plain && super::plain::is_command(&text);
    if let Some(Writing::Edit(seq)) = state.current().map(|room| room.writing)
        && !is_command
    {
        return rewrite(state, seq, text);
    }
    match command::parse(&text) {
        Line::Empty => match state.link {
            LinkState::Waiting { .. } | LinkState::Stopped(_) => {
                vec![Effect::Client(Command::RetryNow)]
            }
            _ => Vec::new(),
        },
        Line::Say(body) => {
            let answers = state.current().map(|room| room.writing);
            let body = match (body, answers) {
                (Body::Text(text), Some(Writing::Answer(to))) => Body::Reply { to, text },
                (body, _) => body,
            };
            say(state, &text, body)
        }
        Line::Substitute { old, new } => {
            state.notice = None;
            let effects = super::amend::substitute(state, &old, &new);
            if !effects.is_empty() {
                sent(state, text);
            }
            effects
        }
        Line::Private { name, text: said } => privately(state, &text, &name, said),
        Line::Command(Name::Do, argument) => {
            state.notice = None;
            // What it does may be to the composer.
            sent_from(state, state.current, text);
            super::plain::act(state, &argument)
        }
        Line::Command(Name::Edit, argument) if argument.is_empty() => {
            state.notice = None;
            sent_from(state, state.current, text);
            super::amend::edit_newest(state);
            Vec::new()
        }
        Line::Command(name, argument) => {
            state.notice = None;
            let here = state.current;
            let effects = run(state, name, &argument);
            // A command that could not be done stays to be mended.
            let asked = effects.first().map(|effect| (effect.clone(), text.clone()));
            state.asked = asked;
            if state
                .notice
                .as_ref()
                .is_none_or(|notice| notice.tone == Tone::Info)
            {
                // It may have led elsewhere: what is written there stays.
                sent_from(state, here, text);
            }
            effects
        }
        Line::Missing(Missing::PrivateText) => {
            let name = command::addressee(&text).map_or("", |(name, _)| name);
            state.say(Tone::Problem, fill(s.private_text_missing, &[&name]));
            Vec::new()
        }
        Line::Missing(Missing::Argument(name)) => {
            state.say(Tone::Problem, fill(s.usage, &[&s.command(name).usage]));
            Vec::new()
        }
        Line::Unknown { word, nearest } => {
            let words = match nearest {
                Some(nearest) => fill(s.unknown_command_nearest, &[&word, &nearest]),
                None => fill(s.unknown_command, &[&word]),
            };
            state.say(Tone::Problem, words);
            Vec::new()
        }
    }
}

/// Sends what is in the composer as the new text of a message; an empty one changes nothing.
fn rewrite(state: &mut State, seq: Seq, text: String) -> Vec<Effect> {
    // What keeps a line that is said anew from being private or a command does so here as well.
    let new = match command::parse(&text) {
        Line::Say(Body::Text(said)) => said,
        _ => text.trim_end().to_owned(),
    };
    if new.trim().is_empty() {
        super::amend::cancel(state);
        return Vec::new();
    }
    let effects = super::amend::amend(state, text.clone(), seq, Amendment::Edit(new));
    if !effects.is_empty() {
        sent(state, text);
    }
    effects
}

/// Shows a post and sends it; it is kept until it is answered.
fn post(state: &mut State, me: &Author, typed: &str, to: Recipient, body: Body) -> Vec<Effect> {
    let post = Post {
        client_id: state.next_client_id(),
        to,
        body,
        at_ms: now_ms(state),
        from: state.current,
        typed: typed.to_owned(),
    };
    super::unsent::show(state, me, &post);
    state.posts.push_back(post.clone());
    sent(state, typed.to_owned());
    vec![Effect::Client(Command::Post {
        post,
        instead_of: None,
    })]
}

/// Posts something that is not said: it shows by what it changes, and its words come back if it is refused.
pub(super) fn order(state: &mut State, typed: String, body: Body) -> Vec<Effect> {
    let Some(room) = state.current else {
        say_where_nobody_is(state);
        return Vec::new();
    };
    if let Some(why) = state.current().and_then(|room| room.put_out.clone()) {
        state.say(Tone::Problem, why);
        return Vec::new();
    }
    if state.link != LinkState::Online {
        // It is not done later, when nobody expects it any more.
        let words = state.strings.not_now;
        state.say(Tone::Problem, words);
        return Vec::new();
    }
    let post = Post {
        client_id: state.next_client_id(),
        to: Recipient::Room(room),
        body,
        at_ms: now_ms(state),
        from: state.current,
        typed: typed.clone(),
    };
    state.orders.insert(post.client_id, typed);
    vec![Effect::Client(Command::Post {
        post,
        instead_of: None,
    })]
}

/// Empties the composer and remembers what was in it.
fn sent(state: &mut State, text: String) {
    sent_from(state, state.current, text);
    // Whoever says something is here now, and not on a visit.
    state.visit = None;
    if let Some(room) = state.current_mut() {
        room.found = None;
    }
}

/// The same of a room that may not be the one that is shown any more.
fn sent_from(state: &mut State, here: Option<RoomId>, text: String) {
    match here.map(|id| state.room_mut(id)) {
        Some(Some(room)) => {
            room.remember(text);
            room.writing = Writing::Message;
            room.write_on();
        }
        // The room is gone, and what was written there with it.
        Some(None) => {}
        None => state.lobby.clear(),
    }
    state.popup = None;
    state.confirm = None;
}

/// Whether a body may be sent; the server would refuse it with the same words.
pub(super) fn is_sendable(state: &mut State, body: &Body) -> bool {
    let s = state.strings;
    let (bytes, lines) = (body.text().len(), body.text().split('\n').count());
    if bytes > state.limits.body_bytes {
        state.say(
            Tone::Problem,
            fill(s.too_long, &[&bytes, &state.limits.body_bytes]),
        );
    } else if lines > state.limits.body_lines {
        state.say(
            Tone::Problem,
            fill(s.too_many_lines, &[&lines, &state.limits.body_lines]),
        );
    } else if state.posts.len() >= PENDING {
        state.say(Tone::Problem, s.too_many_pending);
    } else {
        return true;
    }
    false
}

pub(super) fn say(state: &mut State, typed: &str, body: Body) -> Vec<Effect> {
    let (Some(room), Some(me)) = (state.current, state.me.clone()) else {
        say_where_nobody_is(state);
        return Vec::new();
    };
    if let Some(why) = state.current().and_then(|room| room.put_out.clone()) {
        state.say(Tone::Problem, why);
        return Vec::new();
    }
    if !is_sendable(state, &body) {
        return Vec::new();
    }
    post(state, &me, typed, Recipient::Room(room), body)
}

/// Without a room there is nobody to say anything to, and mostly because there is no connection.
fn say_where_nobody_is(state: &mut State) {
    let s = state.strings;
    let words = if state.link == LinkState::Online {
        s.not_in_a_room.to_owned()
    } else {
        fill(s.no_connection_yet, &[&text::line(&state.server)])
    };
    state.say(Tone::Problem, words);
}

fn privately(state: &mut State, typed: &str, name: &str, said: String) -> Vec<Effect> {
    let called = state.people_called(name);
    // A name that changed hands is asked about before a stranger reads what was meant for a friend.
    if let (Some(present), Some(peer)) = (called.present, called.peer)
        && present != peer
        && !state.is_confirmed(Confirm::Write(typed.to_owned(), present))
    {
        state.say(
            Tone::Problem,
            fill(state.strings.name_changed_hands, &[&text::line(name)]),
        );
        return Vec::new();
    }
    let person = called.present.or(called.peer);
    let conversation = person.and_then(|person| conversation_with(state, person));
    if conversation.is_some() && conversation == state.current {
        return say(state, typed, Body::Text(said));
    }
    let Some(me) = state.me.clone() else {
        say_where_nobody_is(state);
        return Vec::new();
    };
    let body = Body::Text(said);
    if !is_sendable(state, &body) {
        return Vec::new();
    }
    let to = match (conversation, person) {
        (Some(room), _) => Recipient::Room(room),
        (None, Some(person)) => Recipient::Person(person),
        (None, None) => Recipient::Name(name.to_owned()),
    };
    post(state, &me, typed, to, body)
}

fn conversation_with(state: &State, person: IdentityId) -> Option<RoomId> {
    let is_theirs = |room: &&crate::tui::state::Room| {
        room.info
            .peer
            .as_ref()
            .is_some_and(|peer| peer.id == person)
    };
    state.rooms.iter().find(is_theirs).map(|room| room.info.id)
}

fn run(state: &mut State, name: Name, argument: &str) -> Vec<Effect> {
    match name {
        Name::Help => state.overlay = Some(Overlay::help()),
        Name::Join => return join(state, argument),
        Name::Leave => return leave(state, argument),
        Name::Rooms => return super::picker::lobby(state),
        Name::Msg => return open(state, argument.trim_start_matches('@')),
        Name::Nick => {
            state.proposal = None;
            return vec![Effect::Client(Command::SetName(argument.to_owned()))];
        }
        Name::Who => who(state),
        Name::Clear => {
            if let Some(room) = state.current_mut() {
                room.timeline.clear();
            }
            if state.is_plain {
                state.say(Tone::Info, state.strings.cleared);
            }
        }
        Name::Theme if argument.is_empty() => super::picker::themes(state),
        Name::Link => return super::link_details::open(state),
        Name::Set => return super::settings::run(state, argument),
        Name::Theme => return vec![Effect::Theme(argument.to_owned())],
        Name::Connect => {
            let address = (!argument.is_empty()).then(|| argument.to_owned());
            return vec![Effect::Connect(address)];
        }
        Name::Disconnect => return vec![Effect::Client(Command::Disconnect)],
        Name::Quit => return vec![Effect::Quit],
        Name::Reply => return super::amend::answer_now(state, argument),
        Name::Edit => return super::amend::edit_to(state, argument),
        Name::React => return super::amend::react_now(state, argument),
        Name::Create
        | Name::Delete
        | Name::Topic
        | Name::Invite
        | Name::Op
        | Name::Deop
        | Name::Kick
        | Name::Ban
        | Name::Unban
        | Name::Mute
        | Name::Unmute => return super::room_commands::run(state, name, argument),
        Name::Mentions => return super::picker::mentions(state),
        Name::Search => return super::search::open(state, argument),
        Name::Away
        | Name::Back
        | Name::Status
        | Name::Whois
        | Name::Ignore
        | Name::Unignore
        | Name::Notify
        | Name::Keywords
        | Name::Typing => return super::personal::run(state, name, argument),
        Name::History => super::plain::history(state, argument),
        Name::Select => return super::plain::select(state, argument),
        Name::Pick => return super::plain::pick(state, argument),
        Name::Draft => return super::plain::draft(state, argument),
        // Said like any other text, or done before it comes here.
        Name::Me | Name::Do => {}
    }
    Vec::new()
}

/// Goes to a room: one we are in at once, another when the server let us in.
fn join(state: &mut State, argument: &str) -> Vec<Effect> {
    let name = argument.trim_start_matches('#');
    let lower = name.to_lowercase();
    // One we were made to leave, or that is no more, is asked for like any other.
    let is_it = |room: &&crate::tui::state::Room| {
        let is_ours = !room.is_conversation() && room.put_out.is_none();
        is_ours && room.info.name.to_lowercase() == lower
    };
    let known = state.rooms.iter().find(is_it);
    match known.map(|room| room.info.id) {
        Some(room) => super::show(state, room),
        None => vec![Effect::Client(Command::Join(name.to_owned()))],
    }
}

pub(super) fn open(state: &mut State, name: &str) -> Vec<Effect> {
    let called = state.people_called(name);
    let known = called
        .present
        .or(called.peer)
        .and_then(|person| conversation_with(state, person));
    match known {
        Some(room) => super::show(state, room),
        None => vec![Effect::Client(Command::Open(name.to_owned()))],
    }
}

fn leave(state: &mut State, argument: &str) -> Vec<Effect> {
    let s = state.strings;
    let wanted = argument.to_lowercase();
    let room = if argument.is_empty() {
        state.current()
    } else {
        state.rooms.iter().find(|room| {
            let label = room.label().to_lowercase();
            label == wanted || label.trim_start_matches(['#', '@']) == wanted
        })
    };
    let Some((id, is_conversation)) = room.map(|room| (room.info.id, room.is_conversation()))
    else {
        state.say(Tone::Problem, fill(s.no_such_room_here, &[&argument]));
        return Vec::new();
    };
    if state.room(id).is_some_and(|room| room.put_out.is_some()) {
        return super::rooms::left(state, id);
    }
    if !is_conversation {
        return vec![Effect::Client(Command::Leave(id))];
    }
    if let Some(room) = state.room_mut(id) {
        room.is_hidden = true;
    }
    state.say(Tone::Info, s.conversation_put_away);
    let first = state.listed().next().map(|room| room.info.id);
    match first.filter(|_| state.current == Some(id)) {
        Some(first) => super::show(state, first),
        None => Vec::new(),
    }
}

fn who(state: &mut State) {
    let s = state.strings;
    let Some(room) = state.current() else {
        state.say(Tone::Problem, s.not_in_a_room);
        return;
    };
    let lines = room.roster.people().iter().map(|person| {
        let mark = if state.is_me(person.id) { s.you } else { "" };
        let role = s.role(person.role);
        let name = text::pad(text::line(&person.name).as_str(), 20);
        let status = text::line(&person.status);
        let presence = match person.presence {
            Presence::Online => "",
            other => s.presence(other),
        };
        let words = [presence, role, s.via(person.via), mark, status.as_str()];
        let words: Vec<&str> = words.into_iter().filter(|it| !it.is_empty()).collect();
        format!("{name}  {}", words.join(" ")).trim_end().to_owned()
    });
    let title = fill(s.who_title, &[&text::line(&room.label())]);
    state.overlay = Some(Overlay::List {
        title,
        lines: lines.collect(),
        scroll: 0,
    });
}

/// The time of our own lines until the server's comes.
pub(super) fn now_ms(state: &State) -> u64 {
    u64::try_from(state.now.wall.as_millisecond()).unwrap_or(0)
}
