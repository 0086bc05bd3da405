//! `/devices` and `/account`: our own account and its devices.

use super::overlay_text::{link_lines, show};
use crate::client::{AccountAnswer, AccountRequest, CallError, Command};
use crate::text;
use crate::tui::content::accounts;
use crate::tui::event::Effect;
use crate::tui::input::command::{CommandName, parse_devices};
use crate::tui::state::{State, Tone};
use crate::tui::strings::fill;
use crate::tui::timeline::ItemKind;

/// `/devices`
pub(super) fn devices(state: &mut State, argument: &str) -> Vec<Effect> {
    match parse_devices(argument) {
        Some(request) => vec![Effect::Client(Command::Account(request))],
        None => show_usage(state, CommandName::Devices),
    }
}

/// `/account delete NAME`: deletes the account if NAME, which serves as a confirmation, is our own name.
pub(super) fn run(state: &mut State, argument: &str) -> Vec<Effect> {
    let mut words = argument.split_whitespace();
    if words.next() != Some("delete") {
        return show_usage(state, CommandName::Account);
    }
    let s = state.preferences.strings;
    let Some(me) = state.me.account.as_ref().map(|it| it.name.clone()) else {
        state.show_notice(Tone::Problem, s.accounts.offline);
        return Vec::new();
    };
    let typed = words.next().unwrap_or_default();
    if typed.trim_start_matches('@') == me {
        return vec![Effect::Client(Command::Account(AccountRequest::Delete))];
    }
    let how = fill(s.accounts.delete_how, &[&text::line(&me)]);
    state.show_notice(Tone::Problem, how);
    Vec::new()
}

fn show_usage(state: &mut State, command: CommandName) -> Vec<Effect> {
    let s = state.preferences.strings;
    let usage = s.command(command).usage;
    state.show_notice(Tone::Problem, fill(s.usage, &[&usage]));
    Vec::new()
}

/// Shows the answer.
pub(super) fn answered(state: &mut State, answer: Result<AccountAnswer, CallError>) -> Vec<Effect> {
    let s = state.preferences.strings;
    match answer {
        Ok(AccountAnswer::Devices(devices)) => {
            let zone = state.screen.zone.clone();
            let lines = devices.iter();
            let lines = lines.flat_map(|device| accounts::device(s, &zone, device));
            let mut lines: Vec<String> = lines.collect();
            lines.extend([String::new(), s.accounts.devices_hint.to_owned()]);
            show(state, s.accounts.devices_title, lines);
        }
        Ok(AccountAnswer::Added(link)) => {
            let mut lines = link_lines(state, &link);
            lines.push(String::new());
            let about = [
                s.accounts.link_once,
                s.accounts.link_keep,
                s.accounts.link_how,
            ];
            lines.extend(about.map(str::to_owned));
            show(state, s.accounts.link_title, lines);
            if !state.screen.is_plain {
                state.show_notice(Tone::Info, s.admin.link_copied);
                return vec![Effect::CopySecret(link)];
            }
        }
        Ok(AccountAnswer::Revoked(id)) => {
            let words = fill(s.accounts.device_revoked, &[&text::line(&id)]);
            state.show_notice(Tone::Info, words);
        }
        Ok(AccountAnswer::Deleted) => state.show_notice(Tone::Info, s.accounts.deleted),
        Err(error) => {
            let words = accounts::failure(s, &error);
            state.show_notice(Tone::Problem, words);
        }
    }
    Vec::new()
}

/// Shows that another device was added to our account.
pub(super) fn device_added(state: &mut State, name: &str, from: &str) {
    let s = state.preferences.strings;
    let name = text::line(name);
    let name = if name.as_str().is_empty() {
        s.accounts.unnamed
    } else {
        name.as_str()
    };
    let from = accounts::origin(s, from);
    let words = fill(s.accounts.device_added, &[&name, &from]);
    state.show_notice(Tone::Problem, words.clone());
    let now = state.now_ms();
    // Also added as a line in the room: a notice disappears with the next key.
    if let Some(room) = state.current_mut() {
        let what = ItemKind::System(text::line(&words));
        room.timeline.add_local_line(what, now);
    }
}
