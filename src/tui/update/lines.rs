//! Lines the program itself makes: the prompt, entries as items, lists to read.

use jiff::tz::TimeZone;

use crate::chat::{Body, Entry, RoomInfo};
use crate::text;
use crate::tui::command;
use crate::tui::keymap::{self, Action};
use crate::tui::state::{Overlay, State};
use crate::tui::strings::{Strings, fill};
use crate::tui::timeline::What;
use crate::tui::words;

/// What stands before the composer's text: where Enter sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prompt {
    pub text: String,
    pub is_private: bool,
}

/// The prompt for what is in the composer now.
pub fn prompt(state: &State) -> Prompt {
    let text = state.composer().text();
    if let Some((name, rest)) = command::addressee(&text) {
        let called = state.people_called(name);
        // A name is complete when a space follows it, or when it is somebody's.
        if rest.starts_with(char::is_whitespace)
            || called.present.is_some()
            || called.peer.is_some()
        {
            let whom = text::line(name);
            return Prompt {
                text: format!(" {} › ", fill(state.strings.privately, &[&whom])),
                is_private: true,
            };
        }
    }
    match state.current() {
        Some(room) if room.is_conversation() => {
            let whom = text::line(room.info.peer.as_ref().map_or("", |peer| &peer.name));
            Prompt {
                text: format!(" {} › ", fill(state.strings.privately, &[&whom])),
                is_private: true,
            }
        }
        Some(room) => Prompt {
            text: format!(" {} › ", text::line(&room.label())),
            is_private: false,
        },
        None => Prompt {
            text: " › ".into(),
            is_private: false,
        },
    }
}

/// An entry as an item of the timeline.
pub(super) fn item(
    strings: &'static Strings,
    zone: &TimeZone,
) -> impl Fn(&Entry) -> What + Clone + use<> {
    let zone = zone.clone();
    move |entry| {
        let name = text::line(&entry.author.name);
        match &entry.body {
            Body::Text(said) | Body::Reply { text: said, .. } => What::Said {
                author: entry.author.id,
                client_id: entry.client_id,
                name,
                text: text::body(said),
                is_action: false,
            },
            Body::Action(done) => What::Said {
                author: entry.author.id,
                client_id: entry.client_id,
                name,
                text: text::line(done),
                is_action: true,
            },
            _ => What::System(text::line(&words::of(strings, &zone, entry))),
        }
    }
}

/// Keys and commands, from the tables themselves.
pub fn help(strings: &Strings) -> Vec<String> {
    let mut lines = Vec::new();
    let mut seen: Vec<Action> = Vec::new();
    for binding in keymap::BINDINGS
        .iter()
        .filter(|binding| binding.context == keymap::Context::Composer)
    {
        let Some(about) = strings
            .action(binding.action)
            .filter(|_| !seen.contains(&binding.action))
        else {
            continue;
        };
        seen.push(binding.action);
        lines.push(format!(
            "{}  {about}",
            text::pad(&keymap::label(binding.action), 30)
        ));
    }
    lines.push(String::new());
    lines.push(strings.help_commands.to_owned());
    for known in command::COMMANDS {
        let words = strings.command(known.name);
        lines.push(format!("{}  {}", text::pad(words.usage, 30), words.about));
    }
    lines.push(String::new());
    lines.extend(strings.help_sending.iter().map(|line| (*line).to_owned()));
    lines
}

pub(super) fn room_list(strings: &Strings, rooms: &[RoomInfo]) -> Overlay {
    let lines = rooms.iter().map(|room| {
        let (name, topic) = (text::line(&room.name), text::line(&room.topic));
        match room.capacity {
            0 => fill(strings.rooms_line, &[&name, &room.present, &topic]),
            most => fill(
                strings.rooms_line_capacity,
                &[&name, &room.present, &most, &topic],
            ),
        }
    });
    Overlay::List {
        title: strings.rooms_title.to_owned(),
        lines: lines.collect(),
        scroll: 0,
    }
}
