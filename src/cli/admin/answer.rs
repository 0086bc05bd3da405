//! Prints the answers of `tchat admin`: results for scripts to standard output, explanations to
//! standard error.

use jiff::tz::TimeZone;

use crate::chat::{AccountInfo, AuditEntry, ServerRole};
use crate::client::{AdminAnswer, AdminRequest};
use crate::config::credential_text;
use crate::text;
use crate::tui::content::{accounts, invites, system_lines};
use crate::tui::strings::{Strings, fill};

/// The width of a column of names.
const NAME_WIDTH: usize = 20;

/// Prints the answer to a request.
pub fn print(s: &Strings, zone: &TimeZone, request: &AdminRequest, answer: AdminAnswer) {
    match answer {
        AdminAnswer::Created { link, invite } => {
            print_line(&format!("'{}'", link.0));
            for line in invites::about(s, &invite) {
                print_about(&line);
            }
        }
        AdminAnswer::Invites(open) if open.is_empty() => print_about(s.admin.no_invites),
        AdminAnswer::Invites(open) => {
            print_about(s.admin.invites_title);
            for invite in open {
                print_line(&invites::line(s, &invite));
            }
        }
        AdminAnswer::Revoked(id) => print_about(&fill(s.admin.revoked, &[&id])),
        AdminAnswer::Accounts(all) => {
            for account in all {
                print_line(&account_line(s, zone, &account));
            }
        }
        AdminAnswer::Done => print_about(&done(s, request)),
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
        AdminAnswer::Devices(devices) => {
            for device in devices {
                for line in accounts::device(s, zone, &device) {
                    print_line(&line);
                }
            }
        }
        AdminAnswer::Audit(rows) if rows.is_empty() => print_about(s.accounts.audit_empty),
        // The newest last, as in a log.
        AdminAnswer::Audit(rows) => {
            for row in rows.iter().rev() {
                print_line(&audit_line(s, zone, row));
            }
        }
    }
}

/// Returns the confirmation of a change.
fn done(s: &Strings, request: &AdminRequest) -> String {
    let words = s.accounts;
    match request {
        AdminRequest::SetRole { account, role } => fill(words.role_given, &[account, role]),
        AdminRequest::Rename { account, to } => fill(words.renamed, &[account, to]),
        AdminRequest::Remove { account } => fill(words.removed, &[account]),
        AdminRequest::RevokeDevice { id, .. } => fill(words.device_revoked, &[id]),
        _ => String::new(),
    }
}

fn account_line(s: &Strings, zone: &TimeZone, account: &AccountInfo) -> String {
    let name = text::pad(text::line(&account.name).as_str(), NAME_WIDTH);
    let seen = system_lines::clock(s, zone, account.seen_ms);
    let seen = match seen {
        _ if account.is_connected => s.accounts.connected.to_owned(),
        Some(at) if account.seen_ms > 0 => fill(s.accounts.seen, &[&at]),
        _ => String::new(),
    };
    let bot = if account.is_bot { s.accounts.bot } else { "" };
    let role = match account.role {
        ServerRole::Member => "",
        role => role.word(),
    };
    let words = [role, bot, &seen];
    let words: Vec<&str> = words.into_iter().filter(|it| !it.is_empty()).collect();
    format!("{name}  {}", words.join(", "))
        .trim_end()
        .to_owned()
}

fn audit_line(s: &Strings, zone: &TimeZone, row: &AuditEntry) -> String {
    let at = system_lines::clock(s, zone, row.at_ms).unwrap_or_default();
    let actor = row.actor.as_ref();
    let actor = actor.map_or(s.accounts.by_host, |it| it.name.as_str());
    let words = [
        row.number.to_string(),
        at,
        text::line(actor).to_string(),
        text::line(&row.act).to_string(),
        text::line(&row.target).to_string(),
        text::line(&row.detail).to_string(),
    ];
    words.join("  ").trim_end().to_owned()
}

#[allow(clippy::print_stdout)] // The output of the command.
fn print_line(line: &str) {
    println!("{line}");
}

#[allow(clippy::print_stderr)] // Explanations for people, not for scripts.
fn print_about(line: &str) {
    eprintln!("{line}");
}
