//! The Enter key: sends the composer's text as a message or a private message, or runs it as a command.

use super::navigation::conversation_with;
use super::post::{is_sendable, post, report_no_room, send_message, sent, sent_from};
use super::{amend, commands, plain_commands};
use crate::chat::{Amendment, Body, Recipient, Seq};
use crate::client::{Command, LinkState};
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::command;
use crate::tui::input::command::{CommandName, Missing, ParsedLine};
use crate::tui::state::{Confirm, State, Tone, Writing};
use crate::tui::strings::fill;

/// Handles Enter: the composer's text is a message, a private message, a substitution, a command, or the new text of a
/// message.
pub(super) fn enter(state: &mut State) -> Vec<Effect> {
    let text = state.composer().text();
    // In plain mode no key can cancel an edit, so a command is still run as a command.
    let is_command = state.screen.is_plain && plain_commands::is_command(&text);
    if let Some(Writing::Edit(seq)) = state.current().map(|room| room.writing)
        && !is_command
    {
        return rewrite(state, seq, text);
    }
    match command::parse(&text) {
        ParsedLine::Empty => retry_now(state),
        ParsedLine::Say(body) => {
            let body = as_reply(state, body);
            send_message(state, &text, body)
        }
        ParsedLine::Substitute { old, new } => {
            state.screen.notice = None;
            let effects = amend::substitute(state, &old, &new);
            if !effects.is_empty() {
                sent(state, text);
            }
            effects
        }
        ParsedLine::Private { name, text: said } => send_private(state, &text, &name, said),
        ParsedLine::Command(name, argument) => run(state, name, &argument, text),
        ParsedLine::Missing(missing) => {
            explain(state, &text, missing);
            Vec::new()
        }
        ParsedLine::Unknown { word, nearest } => {
            let s = state.preferences.strings;
            let words = match nearest {
                Some(nearest) => fill(s.unknown_command_nearest, &[&word, &nearest]),
                None => fill(s.unknown_command, &[&word]),
            };
            state.show_notice(Tone::Problem, words);
            Vec::new()
        }
    }
}

/// Reconnects without waiting, if there is no connection.
fn retry_now(state: &State) -> Vec<Effect> {
    match state.connection.link {
        LinkState::Waiting { .. } | LinkState::Stopped(_) => {
            vec![Effect::Client(Command::RetryNow)]
        }
        _ => Vec::new(),
    }
}

/// Turns a text into a reply if the user is writing one.
fn as_reply(state: &State, body: Body) -> Body {
    let writing = state.current().map(|room| room.writing);
    match (body, writing) {
        (Body::Text(text), Some(Writing::Reply(to))) => Body::Reply { to, text },
        (body, _) => body,
    }
}

/// Runs a command. `typed` is the whole line as it was typed.
fn run(state: &mut State, name: CommandName, argument: &str, typed: String) -> Vec<Effect> {
    state.screen.notice = None;
    let here = state.rooms.current;
    match name {
        CommandName::Do => {
            // Cleared first, because the action may change the composer.
            sent_from(state, here, typed);
            state.input.follow_up = plain_commands::requested(state, argument);
            return Vec::new();
        }
        CommandName::Edit if argument.is_empty() => {
            sent_from(state, here, typed);
            amend::edit_newest(state);
            return Vec::new();
        }
        _ => {}
    }
    let effects = commands::run(state, name, argument);
    // A command that fails returns to the composer to be corrected.
    let asked = effects
        .first()
        .map(|effect| (effect.clone(), typed.clone()));
    state.posting.awaited_request = asked;
    let notice = state.screen.notice.as_ref();
    if notice.is_none_or(|notice| notice.tone == Tone::Info) {
        // The command may have switched rooms; the other room's draft stays.
        sent_from(state, here, typed);
    }
    effects
}

/// Shows what is missing in a line.
fn explain(state: &mut State, typed: &str, missing: Missing) {
    let s = state.preferences.strings;
    let words = match missing {
        Missing::PrivateText => {
            let name = command::addressee(typed).map_or("", |(name, _)| name);
            fill(s.private_text_missing, &[&name])
        }
        Missing::Argument(name) => fill(s.usage, &[&s.command(name).usage]),
    };
    state.show_notice(Tone::Problem, words);
}

/// Sends the composer's text as the new text of a message. An empty text cancels the edit.
fn rewrite(state: &mut State, seq: Seq, text: String) -> Vec<Effect> {
    // An escape at the start of a line, such as `//`, which makes the line plain text, works in an edit as well.
    let new = match command::parse(&text) {
        ParsedLine::Say(Body::Text(said)) => said,
        _ => text.trim_end().to_owned(),
    };
    if new.trim().is_empty() {
        amend::cancel(state);
        return Vec::new();
    }
    let effects = amend::amend(state, text.clone(), seq, Amendment::Edit(new));
    if !effects.is_empty() {
        sent(state, text);
    }
    effects
}

fn send_private(state: &mut State, typed: &str, name: &str, said: String) -> Vec<Effect> {
    let called = state.people_named(name);
    // If the name now belongs to somebody else, ask first, before a stranger reads what was meant for a friend.
    if let (Some(present), Some(peer)) = (called.present, called.peer)
        && present != peer
        && !state
            .input
            .is_confirmed(Confirm::Write(typed.to_owned(), present))
    {
        state.show_notice(
            Tone::Problem,
            fill(
                state.preferences.strings.name_has_new_owner,
                &[&text::line(name)],
            ),
        );
        return Vec::new();
    }
    let person = called.present.or(called.peer);
    let conversation = person.and_then(|person| conversation_with(state, person));
    if conversation.is_some() && conversation == state.rooms.current {
        return send_message(state, typed, Body::Text(said));
    }
    let Some(me) = state.me.account.clone() else {
        report_no_room(state);
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
