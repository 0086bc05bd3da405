//! `/invite-link`: makes, lists and withdraws invitations to the server.

use crate::client::{AdminAnswer, AdminError, Command};
use crate::text;
use crate::tui::content::invites;
use crate::tui::event::Effect;
use crate::tui::input::command::{CommandName, parse_invite};
use crate::tui::state::{Overlay, State, Tone};
use crate::tui::strings::fill;

/// The columns of an overlay that a link may fill, so that it fits on every screen.
const LINK_COLUMNS: usize = 36;

pub(super) fn run(state: &mut State, argument: &str) -> Vec<Effect> {
    let Some(request) = parse_invite(argument) else {
        let s = state.preferences.strings;
        let usage = s.command(CommandName::InviteLink).usage;
        state.show_notice(Tone::Problem, fill(s.usage, &[&usage]));
        return Vec::new();
    };
    vec![Effect::Client(Command::Admin(request))]
}

/// Shows the answer.
pub(super) fn answered(state: &mut State, answer: Result<AdminAnswer, AdminError>) -> Vec<Effect> {
    let s = state.preferences.strings;
    match answer {
        Ok(AdminAnswer::Created { link, invite }) => {
            // In plain mode it stays one line, so that it can be copied.
            let mut lines = if state.screen.is_plain {
                vec![link.clone()]
            } else {
                pieces(&link)
            };
            lines.push(String::new());
            lines.extend(invites::about(s, &invite));
            show(state, s.admin.link_title, lines);
            if !state.screen.is_plain {
                state.show_notice(Tone::Info, s.admin.link_copied);
                return vec![Effect::Copy(link)];
            }
        }
        Ok(AdminAnswer::Invites(open)) if open.is_empty() => {
            state.show_notice(Tone::Info, s.admin.no_invites);
        }
        Ok(AdminAnswer::Invites(open)) => {
            let lines = open.iter().map(|invite| {
                let line = invites::line(s, invite);
                text::line(&line).to_string()
            });
            let lines = lines.collect();
            show(state, s.admin.invites_title, lines);
        }
        Ok(AdminAnswer::Revoked(id)) => {
            let words = fill(s.admin.revoked, &[&text::line(&id)]);
            state.show_notice(Tone::Info, words);
        }
        Err(error) => {
            let words = invites::failure(s, &error);
            state.show_notice(Tone::Problem, words);
        }
    }
    Vec::new()
}

fn show(state: &mut State, title: &str, lines: Vec<String>) {
    state.overlays.announce(Overlay::List {
        title: title.to_owned(),
        lines,
        scroll: 0,
    });
}

/// Cuts a link into lines. It has only ASCII letters, digits and signs.
fn pieces(link: &str) -> Vec<String> {
    let letters: Vec<char> = link.chars().collect();
    let pieces = letters.chunks(LINK_COLUMNS);
    pieces.map(|piece| piece.iter().collect()).collect()
}
