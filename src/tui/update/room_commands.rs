//! Commands that change a room or a member's permissions there.

use super::post::post_change;
use crate::chat::{Author, Body, IdentityId, Role, RoomRules, Ruling, Until};
use crate::client::Command;
use crate::tui::event::Effect;
use crate::tui::input::command;
use crate::tui::input::command::CommandName;
use crate::tui::state::{Confirm, State, Tone};
use crate::tui::strings::fill;

/// Runs a command, or shows its usage if the arguments are wrong.
pub(super) fn run(state: &mut State, name: CommandName, argument: &str) -> Vec<Effect> {
    if name == CommandName::Delete
        && is_current(state, argument)
        && let Some(room) = state.rooms.current
        && !state.input.is_confirmed(Confirm::CloseRoom(room))
    {
        state.show_notice(Tone::Problem, state.preferences.strings.close_confirm);
        return Vec::new();
    }
    match body(state, name, argument) {
        Some(body) => {
            let typed = state.composer().text();
            post_change(state, typed, body)
        }
        None if name == CommandName::Create => create(state, argument),
        None => usage(state, name),
    }
}

fn usage(state: &mut State, name: CommandName) -> Vec<Effect> {
    let s = state.preferences.strings;
    state.show_notice(Tone::Problem, fill(s.usage, &[&s.command(name).usage]));
    Vec::new()
}

fn create(state: &mut State, argument: &str) -> Vec<Effect> {
    match command::parse_new_room(argument) {
        Some(room) => vec![Effect::Client(Command::Create(room))],
        None => usage(state, CommandName::Create),
    }
}

/// The body that a command posts; `None` if the arguments are wrong.
fn body(state: &State, name: CommandName, argument: &str) -> Option<Body> {
    let (target, rest) = command::first_word(argument);
    let person = Author {
        // The server resolves the name: the person need not be here now.
        id: IdentityId::NOBODY,
        name: target.trim_start_matches('@').to_owned(),
    };
    let ruling = match name {
        CommandName::Topic => return Some(Body::Topic(argument.to_owned())),
        CommandName::Slow => {
            let slow_s = match argument {
                "off" => 0,
                time => command::parse_duration(time)?.as_secs().try_into().ok()?,
            };
            let rules = state.current()?.info.rules;
            return Some(Body::Rules(RoomRules { slow_s, ..rules }));
        }
        CommandName::ReadOnly => {
            let is_read_only = command::parse_switch(argument)?;
            let rules = state.current()?.info.rules;
            return Some(Body::Rules(RoomRules {
                is_read_only,
                ..rules
            }));
        }
        CommandName::Delete => return is_current(state, argument).then_some(Body::Closed),
        CommandName::Invite => Ruling::Invited,
        CommandName::Op => Ruling::Role(Role::Moderator),
        CommandName::Deop => Ruling::Role(Role::Member),
        CommandName::Kick => Ruling::Kicked {
            reason: rest.to_owned(),
        },
        CommandName::Ban => {
            let (first, behind) = command::first_word(rest);
            // A first word that is not a duration belongs to the reason.
            let (until, reason) = match until(first) {
                Some(until) => (until, behind),
                None => (Until::Forever, rest),
            };
            Ruling::Banned {
                until,
                reason: reason.to_owned(),
            }
        }
        CommandName::Unban => Ruling::Unbanned,
        CommandName::Mute if rest.is_empty() => Ruling::Muted {
            until: Until::Forever,
        },
        CommandName::Mute => Ruling::Muted {
            until: until(rest)?,
        },
        CommandName::Unmute => Ruling::Unmuted,
        _ => return None,
    };
    Some(Body::Ruling(person, ruling))
}

/// Whether the argument names the current room or is empty: only the current room can be closed.
fn is_current(state: &State, argument: &str) -> bool {
    let name = argument.trim_start_matches('#').to_lowercase();
    let current = state.current();
    name.is_empty() || current.is_some_and(|room| room.info.name.to_lowercase() == name)
}

/// A duration that starts when the server accepts the post, because the local clock may differ from the server's.
fn until(text: &str) -> Option<Until> {
    let duration = command::parse_duration(text)?;
    u64::try_from(duration.as_millis()).ok().map(Until::For)
}
