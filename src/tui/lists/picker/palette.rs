//! The rows of the palette: rooms and conversations, other people, commands, settings, and actions that do not edit the composer.

use std::collections::HashSet;

use super::{PickerRow, invited};
use crate::text;
use crate::tui::input::command::COMMANDS;
use crate::tui::input::keymap::Action;
use crate::tui::settings::Setting;
use crate::tui::state::{RowAction, State};
use crate::tui::strings::fill;

pub(super) fn palette(state: &State) -> Vec<PickerRow> {
    let mut rows = our_rooms(state);
    rows.extend(other_rooms(state));
    rows.extend(people(state));
    rows.extend(commands(state));
    rows.extend(settings(state));
    rows.extend(actions(state));
    rows
}

fn our_rooms(state: &State) -> Vec<PickerRow> {
    let rooms = state.rooms.list.iter();
    rooms
        .map(|room| PickerRow {
            unread: state.unread_counts(room).0,
            about: if room.is_request() {
                state.preferences.strings.requests.mark.to_owned()
            } else {
                text::line(&room.info.topic).to_string()
            },
            ..PickerRow::new(
                text::line(&room.label()).to_string(),
                RowAction::Show(room.info.id),
            )
        })
        .collect()
}

/// The rooms we could join: those we are invited to, then the others of the server.
fn other_rooms(state: &State) -> Vec<PickerRow> {
    let row = |name: &str, about: String, takes| PickerRow {
        about,
        ..PickerRow::new(text::line(&format!("#{name}")).to_string(), takes)
    };
    let invitations = state.rooms.invitations.iter().map(|invitation| {
        let room = &invitation.room;
        let takes = RowAction::Join(room.into());
        row(&room.name, invited(state, invitation), takes)
    });
    let is_ours = |id| state.rooms.list.iter().any(|room| room.info.id == id);
    let others = state.rooms.directory.iter();
    let others = others.filter(|room| !is_ours(room.id) && state.invitation(room.id).is_none());
    let others = others.map(|room| {
        let takes = RowAction::Join(room.into());
        row(&room.name, text::line(&room.topic).to_string(), takes)
    });
    invitations.chain(others).collect()
}

/// The people in our rooms. Those we have a conversation with are already listed among the rooms.
fn people(state: &State) -> Vec<PickerRow> {
    let rooms = &state.rooms.list;
    let peers = rooms.iter().filter_map(|room| room.info.peer.as_ref());
    let mut known: HashSet<&str> = peers.map(|peer| peer.name.as_str()).collect();
    let here = rooms.iter().flat_map(|room| room.roster.people());
    let others = here.filter(|person| !state.is_me(person.id));
    others
        .filter(|person| known.insert(person.name.as_str()))
        .map(|person| PickerRow {
            about: state.preferences.strings.private_mark_of_people.to_owned(),
            ..PickerRow::new(
                text::line(&format!("@{}", person.name)).to_string(),
                RowAction::Open(person.name.clone()),
            )
        })
        .collect()
}

fn commands(state: &State) -> Vec<PickerRow> {
    let commands = COMMANDS.iter().map(|known| PickerRow {
        about: state
            .preferences
            .strings
            .command(known.name)
            .about
            .to_owned(),
        detail: state
            .input
            .keymap
            .key_for_command(known.name)
            .unwrap_or_default(),
        ..PickerRow::new(format!("/{}", known.word), RowAction::Command(known.name))
    });
    commands.collect()
}

/// The settings with their values. Those that have a key show it.
fn settings(state: &State) -> Vec<PickerRow> {
    let s = state.preferences.strings;
    let settings = Setting::ALL.into_iter().map(|(name, setting)| {
        let action = match setting {
            Setting::Theme => Some(Action::Themes),
            Setting::Panes => Some(Action::Panes),
            _ => None,
        };
        PickerRow {
            about: format!("{} · {}", setting.value(state), (s.settings)(setting)),
            detail: action.map_or_else(String::new, |action| state.input.keymap.first(action)),
            ..PickerRow::new(fill(s.setting_set, &[&name]), RowAction::Set(setting))
        }
    });
    settings.collect()
}

/// The actions with their keys, without those whose key is already shown with a command.
fn actions(state: &State) -> Vec<PickerRow> {
    let keymap = &state.input.keymap;
    let of_commands: Vec<String> = COMMANDS
        .iter()
        .filter_map(|known| keymap.key_for_command(known.name))
        .collect();
    let actions = keymap.actions().into_iter();
    actions
        .filter(|action| action.is_offered())
        .filter_map(|action| {
            let key = keymap.first(action);
            let words = state.preferences.strings.action(action)?;
            (!of_commands.contains(&key)).then(|| PickerRow {
                detail: key,
                ..PickerRow::new(words.to_owned(), RowAction::Act(action))
            })
        })
        .collect()
}
