//! Slash commands: what each of them does.

use super::{
    account, amend, invites, link_details, moderation, navigation, personal, picker,
    plain_commands, requests, room_commands, search, settings,
};
use crate::chat::Presence;
use crate::client::Command;
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::command::CommandName;
use crate::tui::state::{Overlay, State, Tone};
use crate::tui::strings::fill;

pub(super) fn run(state: &mut State, name: CommandName, argument: &str) -> Vec<Effect> {
    match name {
        CommandName::Help => state.overlays.top = Some(Overlay::help()),
        CommandName::Join => return navigation::join(state, argument),
        CommandName::Leave => return navigation::leave(state, argument),
        CommandName::Rooms => return picker::lobby(state),
        CommandName::Msg => return navigation::open(state, argument.trim_start_matches('@')),
        CommandName::Nick => return rename(state, argument),
        CommandName::Who => who(state),
        CommandName::Clear => clear(state),
        CommandName::Theme if argument.is_empty() => picker::themes(state),
        CommandName::Link => return link_details::open(state),
        CommandName::InviteLink => return invites::run(state, argument),
        CommandName::Admin => return invites::administer(state, argument),
        CommandName::Devices => return account::devices(state, argument),
        CommandName::Account => return account::run(state, argument),
        CommandName::Set => return settings::run(state, argument),
        CommandName::Theme => return vec![Effect::Theme(argument.to_owned())],
        CommandName::Connect => {
            let address = (!argument.is_empty()).then(|| argument.to_owned());
            return vec![Effect::Connect(address)];
        }
        CommandName::Disconnect => return vec![Effect::Client(Command::Disconnect)],
        CommandName::Quit => return vec![Effect::Quit],
        CommandName::Reply => return amend::reply_now(state, argument),
        CommandName::Edit => return amend::edit_to(state, argument),
        CommandName::React => return amend::react_now(state, argument),
        CommandName::Create
        | CommandName::Delete
        | CommandName::Topic
        | CommandName::Invite
        | CommandName::Op
        | CommandName::Deop
        | CommandName::Kick
        | CommandName::Ban
        | CommandName::Unban
        | CommandName::Mute
        | CommandName::Unmute
        | CommandName::Slow
        | CommandName::ReadOnly => return room_commands::run(state, name, argument),
        CommandName::Log => return moderation::log(state),
        CommandName::Bans => return moderation::bans(state),
        CommandName::Mentions => return picker::mentions(state),
        CommandName::Search => return search::open(state, argument),
        CommandName::Requests
        | CommandName::Accept
        | CommandName::Decline
        | CommandName::Block
        | CommandName::Unblock => return requests::run(state, name, argument),
        CommandName::Away
        | CommandName::Back
        | CommandName::Status
        | CommandName::Whois
        | CommandName::Ignore
        | CommandName::Unignore
        | CommandName::Notify
        | CommandName::Keywords
        | CommandName::Typing => return personal::run(state, name, argument),
        CommandName::History => plain_commands::history(state, argument),
        CommandName::Select => return plain_commands::select(state, argument),
        CommandName::Pick => return plain_commands::pick(state, argument),
        // Plain mode handles `/draft` earlier. A screen shows the draft in the composer.
        CommandName::Draft => state.show_notice(Tone::Info, state.preferences.strings.no_draft),
        // Handled earlier: `/me` is a message, and `/do` has its own case.
        CommandName::Me | CommandName::Do => {}
    }
    Vec::new()
}

fn rename(state: &mut State, name: &str) -> Vec<Effect> {
    state.me.proposed_name = None;
    vec![Effect::Client(Command::SetName(name.to_owned()))]
}

/// Clears the current room. In plain mode the printed lines stay visible, so a notice confirms it.
fn clear(state: &mut State) {
    if let Some(room) = state.current_mut() {
        room.timeline.clear();
    }
    if state.screen.is_plain {
        state.show_notice(Tone::Info, state.preferences.strings.cleared);
    }
}

pub(super) fn who(state: &mut State) {
    let s = state.preferences.strings;
    let Some(room) = state.current() else {
        state.show_notice(Tone::Problem, s.not_in_a_room);
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
    state.overlays.top = Some(Overlay::List {
        title,
        lines: lines.collect(),
        scroll: 0,
    });
}
