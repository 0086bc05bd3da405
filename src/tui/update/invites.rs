//! `/invite-link` and `/admin`: invitations to the server, and its administration.

use super::overlay_text::{link_lines, show};
use crate::client::{AdminAnswer, CallError, Command};
use crate::text;
use crate::tui::content::{accounts, administration, invites};
use crate::tui::event::Effect;
use crate::tui::input::command::{CommandName, parse_admin, parse_invite};
use crate::tui::state::{State, Tone};
use crate::tui::strings::fill;

pub(super) fn run(state: &mut State, argument: &str) -> Vec<Effect> {
    let Some(request) = parse_invite(argument) else {
        let s = state.preferences.strings;
        let usage = s.command(CommandName::InviteLink).usage;
        state.show_notice(Tone::Problem, fill(s.usage, &[&usage]));
        return Vec::new();
    };
    vec![Effect::Client(Command::Admin(request))]
}

/// `/admin`
pub(super) fn administer(state: &mut State, argument: &str) -> Vec<Effect> {
    let Some(request) = parse_admin(argument) else {
        let s = state.preferences.strings;
        let usage = s.command(CommandName::Admin).usage;
        state.show_notice(Tone::Problem, fill(s.usage, &[&usage]));
        return Vec::new();
    };
    vec![Effect::Client(Command::Admin(request))]
}

/// Shows the answer.
pub(super) fn answered(state: &mut State, answer: Result<AdminAnswer, CallError>) -> Vec<Effect> {
    let s = state.preferences.strings;
    match answer {
        Ok(AdminAnswer::Created { link, invite }) => {
            let mut lines = link_lines(state, &link);
            lines.push(String::new());
            lines.extend(invites::about(s, &invite));
            show(state, s.admin.link_title, lines);
            if !state.screen.is_plain {
                state.show_notice(Tone::Info, s.admin.link_copied);
                return vec![Effect::CopySecret(link)];
            }
        }
        Ok(AdminAnswer::Revoked(id)) => {
            let words = fill(s.admin.revoked, &[&text::line(&id)]);
            state.show_notice(Tone::Info, words);
        }
        Ok(answer) => {
            let zone = state.screen.zone.clone();
            match administration::list(s, &zone, &answer) {
                Some((_, lines)) if lines.is_empty() => {
                    let words = administration::empty(s, &answer);
                    state.show_notice(Tone::Info, words);
                }
                Some((title, lines)) => {
                    let lines = lines.iter().map(|line| text::line(line).to_string());
                    let lines = lines.collect();
                    show(state, title, lines);
                }
                None => state.show_notice(Tone::Info, s.administration.done),
            }
        }
        Err(error) => {
            let words = accounts::failure(s, &error);
            state.show_notice(Tone::Problem, words);
        }
    }
    Vec::new()
}
