//! Slash commands: what each of them does.

use super::{
    amend, link_details, navigation, personal, picker, plain_commands, room_commands, search,
    settings,
};
use crate::chat::Presence;
use crate::client::Command;
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::command::Name;
use crate::tui::state::{Overlay, State, Tone};
use crate::tui::strings::fill;

pub(super) fn run(state: &mut State, name: Name, argument: &str) -> Vec<Effect> {
    match name {
        Name::Help => state.overlays.top = Some(Overlay::help()),
        Name::Join => return navigation::join(state, argument),
        Name::Leave => return navigation::leave(state, argument),
        Name::Rooms => return picker::lobby(state),
        Name::Msg => return navigation::open(state, argument.trim_start_matches('@')),
        Name::Nick => return rename(state, argument),
        Name::Who => who(state),
        Name::Clear => clear(state),
        Name::Theme if argument.is_empty() => picker::themes(state),
        Name::Link => return link_details::open(state),
        Name::Set => return settings::run(state, argument),
        Name::Theme => return vec![Effect::Theme(argument.to_owned())],
        Name::Connect => {
            let address = (!argument.is_empty()).then(|| argument.to_owned());
            return vec![Effect::Connect(address)];
        }
        Name::Disconnect => return vec![Effect::Client(Command::Disconnect)],
        Name::Quit => return vec![Effect::Quit],
        Name::Reply => return amend::answer_now(state, argument),
        Name::Edit => return amend::edit_to(state, argument),
        Name::React => return amend::react_now(state, argument),
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
        | Name::Unmute => return room_commands::run(state, name, argument),
        Name::Mentions => return picker::mentions(state),
        Name::Search => return search::open(state, argument),
        Name::Away
        | Name::Back
        | Name::Status
        | Name::Whois
        | Name::Ignore
        | Name::Unignore
        | Name::Notify
        | Name::Keywords
        | Name::Typing => return personal::run(state, name, argument),
        Name::History => plain_commands::history(state, argument),
        Name::Select => return plain_commands::select(state, argument),
        Name::Pick => return plain_commands::pick(state, argument),
        // A screen shows the draft in the composer.
        Name::Draft => state.say(Tone::Info, state.preferences.strings.no_draft),
        // Handled earlier: `/me` is a message, and `/do` has its own case.
        Name::Me | Name::Do => {}
    }
    Vec::new()
}

fn rename(state: &mut State, name: &str) -> Vec<Effect> {
    state.me.proposal = None;
    vec![Effect::Client(Command::SetName(name.to_owned()))]
}

/// Clears the current room. In plain mode nothing on the screen changes, so that is confirmed in words.
fn clear(state: &mut State) {
    if let Some(room) = state.current_mut() {
        room.timeline.clear();
    }
    if state.screen.is_plain {
        state.say(Tone::Info, state.preferences.strings.cleared);
    }
}

pub(super) fn who(state: &mut State) {
    let s = state.preferences.strings;
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
    state.overlays.top = Some(Overlay::List {
        title,
        lines: lines.collect(),
        scroll: 0,
    });
}
