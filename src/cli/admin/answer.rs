//! Prints the answers of `tchat admin`: results for scripts to standard output, explanations to
//! standard error.

use jiff::tz::TimeZone;

use super::json;
use crate::client::{AdminAnswer, AdminRequest};
use crate::config::credential_text;
use crate::tui::content::{administration, invites};
use crate::tui::strings::{Strings, fill};

/// How an answer is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    Text,
    /// One JSON value.
    Json,
}

/// Prints the answer to a request.
pub fn print(
    s: &Strings,
    zone: &TimeZone,
    format: Format,
    request: &AdminRequest,
    answer: AdminAnswer,
) {
    if format == Format::Json {
        return print_line(&json::answer(&answer).to_string());
    }
    if let Some((title, lines)) = administration::list(s, zone, &answer) {
        if lines.is_empty() {
            print_about(administration::empty(s, &answer));
        } else if matches!(answer, AdminAnswer::Invites(_)) {
            print_about(title);
        }
        for line in lines {
            print_line(&line);
        }
        return;
    }
    match answer {
        AdminAnswer::Created { link, invite } => {
            print_line(&format!("'{}'", link.0));
            for line in invites::about(s, &invite) {
                print_about(&line);
            }
        }
        AdminAnswer::Revoked(id) => print_about(&fill(s.admin.revoked, &[&id])),
        AdminAnswer::Relinked(link) => {
            print_line(&format!("'{}'", link.0));
            if let AdminRequest::Relink { account } = request {
                print_about(&fill(s.accounts.relinked, &[account]));
            }
            print_about(s.accounts.relink_replaces);
        }
        AdminAnswer::Bot(bot) => {
            print_line(&credential_text(&bot.name, &bot.link, &bot.key));
            print_about(&fill(s.accounts.bot_saved, &[&bot.name]));
        }
        _ => print_about(&administration::done(s, request)),
    }
}

#[allow(clippy::print_stdout)] // The output of the command.
pub fn print_line(line: &str) {
    println!("{line}");
}

#[allow(clippy::print_stderr)] // Explanations for people, not for scripts.
fn print_about(line: &str) {
    eprintln!("{line}");
}
