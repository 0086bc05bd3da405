//! Commands that change a room or a member's permissions there.

use super::post::order;
use crate::chat::{Author, Body, IdentityId, Role, Ruling, Until};
use crate::client::Command;
use crate::tui::event::Effect;
use crate::tui::input::command;
use crate::tui::input::command::Name;
use crate::tui::state::{Confirm, State, Tone};
use crate::tui::strings::fill;

/// Runs a command, or shows its usage if the arguments are wrong.
pub(super) fn run(state: &mut State, name: Name, argument: &str) -> Vec<Effect> {
    if name == Name::Delete
        && is_current(state, argument)
        && let Some(room) = state.rooms.current
        && !state.input.is_confirmed(Confirm::CloseRoom(room))
    {
        state.say(Tone::Problem, state.preferences.strings.close_again);
        return Vec::new();
    }
    match body(state, name, argument) {
        Some(body) => {
            let typed = state.composer().text();
            order(state, typed, body)
        }
        None if name == Name::Create => create(state, argument),
        None => usage(state, name),
    }
}

fn usage(state: &mut State, name: Name) -> Vec<Effect> {
    let s = state.preferences.strings;
    state.say(Tone::Problem, fill(s.usage, &[&s.command(name).usage]));
    Vec::new()
}

fn create(state: &mut State, argument: &str) -> Vec<Effect> {
    match command::new_room(argument) {
        Some(room) => vec![Effect::Client(Command::Create(room))],
        None => usage(state, Name::Create),
    }
}

/// The body that a command posts; `None` if the arguments are wrong.
fn body(state: &State, name: Name, argument: &str) -> Option<Body> {
    let (whom, rest) = command::first_word(argument);
    let person = Author {
        // The server resolves the name: the person need not be here now.
        id: IdentityId::NOBODY,
        name: whom.trim_start_matches('@').to_owned(),
    };
    let ruling = match name {
        Name::Topic => return Some(Body::Topic(argument.to_owned())),
        Name::Delete => return is_current(state, argument).then_some(Body::Closed),
        Name::Invite => Ruling::Invited,
        Name::Op => Ruling::Role(Role::Moderator),
        Name::Deop => Ruling::Role(Role::Member),
        Name::Kick => Ruling::Kicked {
            reason: rest.to_owned(),
        },
        Name::Ban => {
            let (first, behind) = command::first_word(rest);
            // A first word that is not a duration belongs to the reason.
            let (until, reason) = match until(first) {
                Some(until) => (until, behind),
                None => (Until::Ever, rest),
            };
            Ruling::Banned {
                until,
                reason: reason.to_owned(),
            }
        }
        Name::Unban => Ruling::Unbanned,
        Name::Mute if rest.is_empty() => Ruling::Muted { until: Until::Ever },
        Name::Mute => Ruling::Muted {
            until: until(rest)?,
        },
        Name::Unmute => Ruling::Unmuted,
        _ => return None,
    };
    Some(Body::Ruling(person, ruling))
}

/// Whether the argument names the current room or is empty: a room can be closed only from inside.
fn is_current(state: &State, argument: &str) -> bool {
    let name = argument.trim_start_matches('#').to_lowercase();
    let current = state.current();
    name.is_empty() || current.is_some_and(|room| room.info.name.to_lowercase() == name)
}

/// A duration that starts when the server accepts the post, because the local clock may differ from the server's.
fn until(text: &str) -> Option<Until> {
    let duration = command::duration(text)?;
    u64::try_from(duration.as_millis()).ok().map(Until::For)
}
