//! Texts about the administration of a server, for `/admin` and for `tchat admin`.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{accounts, invites, system_lines};
use crate::chat::{
    AccountInfo, AuditEntry, BanInfo, LimitInfo, RoomAct, ServerRole, ServerStatus, SessionInfo,
};
use crate::client::{AdminAnswer, AdminRequest};
use crate::text;
use crate::tui::strings::{Strings, fill};

/// The width of a column of names, and of the names of limits.
const NAME_WIDTH: usize = 20;
const LIMIT_WIDTH: usize = 28;

/// Returns the title and the lines of an answer that is a list. `None`: it is not one.
pub fn list(
    s: &Strings,
    zone: &TimeZone,
    answer: &AdminAnswer,
) -> Option<(&'static str, Vec<String>)> {
    let words = s.administration;
    Some(match answer {
        AdminAnswer::Invites(open) => {
            let lines = open.iter().map(|it| invites::line(s, it)).collect();
            (s.admin.invites_title, lines)
        }
        AdminAnswer::Accounts(all) => {
            let lines = all.iter().map(|it| account_line(s, zone, it)).collect();
            (words.accounts_title, lines)
        }
        AdminAnswer::Devices(devices) => {
            let lines = devices.iter();
            let lines = lines.flat_map(|it| accounts::device(s, zone, it)).collect();
            (words.devices_title, lines)
        }
        // The newest last, as in a log.
        AdminAnswer::Audit(rows) => {
            let lines = rows.iter().rev().map(|it| audit_line(s, zone, it));
            (words.audit_title, lines.collect())
        }
        AdminAnswer::Bans(bans) => {
            let lines = bans.iter().map(|it| ban_line(s, zone, it)).collect();
            (words.bans_title, lines)
        }
        AdminAnswer::Sessions(sessions) => {
            let lines = sessions.iter().map(|it| session_line(s, zone, it));
            (words.sessions_title, lines.collect())
        }
        AdminAnswer::Limits(limits) => {
            let lines = limits.iter().map(|it| limit_line(s, it)).collect();
            (words.limits_title, lines)
        }
        AdminAnswer::Status(status) => (words.status_title, status_lines(s, zone, status)),
        AdminAnswer::Created { .. }
        | AdminAnswer::Revoked(_)
        | AdminAnswer::Done
        | AdminAnswer::Relinked(_)
        | AdminAnswer::Bot(_) => return None,
    })
}

/// Returns what to show for an empty list.
pub fn empty(s: &Strings, answer: &AdminAnswer) -> &'static str {
    match answer {
        AdminAnswer::Invites(_) => s.admin.no_invites,
        AdminAnswer::Audit(_) => s.accounts.audit_empty,
        AdminAnswer::Bans(_) => s.administration.no_bans,
        AdminAnswer::Sessions(_) => s.administration.no_sessions,
        _ => s.administration.nothing,
    }
}

/// Returns the confirmation of a change.
pub fn done(s: &Strings, request: &AdminRequest) -> String {
    let (words, order) = (s.accounts, s.administration);
    match request {
        AdminRequest::SetRole { account, role } => fill(words.role_given, &[account, role]),
        AdminRequest::Rename { account, to } => fill(words.renamed, &[account, to]),
        AdminRequest::Remove { account } => fill(words.removed, &[account]),
        AdminRequest::RevokeDevice { id, .. } => fill(words.device_revoked, &[id]),
        AdminRequest::Ban {
            target,
            lasts: Some(lasts),
            ..
        } => fill(order.banned_for, &[target, &s.duration(*lasts)]),
        AdminRequest::Ban { target, .. } => fill(order.banned, &[target]),
        AdminRequest::Unban { target } => fill(order.unbanned, &[target]),
        AdminRequest::Kick { name, .. } => fill(order.kicked, &[name]),
        AdminRequest::ModerateRoom { room, act } => {
            let template = match act {
                RoomAct::Close => order.room_closed,
                RoomAct::Topic(_) => order.topic_set,
                RoomAct::Owner(_) => order.owner_set,
                RoomAct::Erase(_) => order.message_deleted,
            };
            fill(template, &[room])
        }
        _ => order.done.to_owned(),
    }
}

fn account_line(s: &Strings, zone: &TimeZone, account: &AccountInfo) -> String {
    let seen = system_lines::clock(s, zone, account.seen_ms);
    let seen = match seen {
        _ if account.is_connected => s.accounts.connected.to_owned(),
        Some(at) if account.seen_ms > 0 => fill(s.accounts.seen, &[&at]),
        _ => String::new(),
    };
    let bot = if account.is_bot { s.accounts.bot } else { "" };
    row(&account.name, &[role(account.role), bot, &seen])
}

fn session_line(s: &Strings, zone: &TimeZone, session: &SessionInfo) -> String {
    let since = system_lines::clock(s, zone, session.since_ms).unwrap_or_default();
    let since = fill(s.administration.since, &[&since]);
    let from = accounts::origin(s, &session.from);
    let words = [role(session.role), s.via(session.via), &from, &since];
    row(&session.name, &words)
}

fn ban_line(s: &Strings, zone: &TimeZone, ban: &BanInfo) -> String {
    let words = s.administration;
    let left = match ban.remaining {
        Some(left) => fill(words.ends_in, &[&s.duration(left)]),
        None => words.for_ever.to_owned(),
    };
    let by = match ban.by.as_str() {
        "" => s.admin.by_host,
        name => name,
    };
    let at = system_lines::clock(s, zone, ban.at_ms).unwrap_or_default();
    let by = fill(words.by, &[&by, &at]);
    row(&ban.target, &[&left, &by, &ban.reason])
}

fn limit_line(s: &Strings, limit: &LimitInfo) -> String {
    let words = s.administration;
    let value = match limit.value {
        0 => words.limit_off.to_owned(),
        value if value == limit.default => value.to_string(),
        value => fill(words.limit_changed, &[&value, &limit.default]),
    };
    let name = text::pad(text::line(&limit.name).as_str(), LIMIT_WIDTH);
    let about = format!("{}, {}", limit.charged, limit.unit);
    format!("{name}  {value}  ({})", text::line(&about))
}

fn status_lines(s: &Strings, zone: &TimeZone, status: &ServerStatus) -> Vec<String> {
    let words = s.administration;
    let started = system_lines::clock(s, zone, status.started_ms).unwrap_or_default();
    let mut lines = vec![
        fill(words.running, &[&text::line(&status.version), &started]),
        fill(words.people, &[&status.connected, &status.sessions]),
        fill(
            words.accounts,
            &[&status.accounts, &text::line(&status.registration)],
        ),
        fill(words.rooms, &[&status.rooms]),
        fill(words.bans, &[&status.bans]),
    ];
    if status.damages > 0 {
        lines.push(fill(words.damages, &[&status.damages]));
    }
    lines
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

/// Returns the word for a role; empty for members.
fn role(role: ServerRole) -> &'static str {
    match role {
        ServerRole::Member => "",
        role => role.word(),
    }
}

/// Returns a line that begins with a name.
fn row(name: &str, words: &[&str]) -> String {
    let name = text::pad(text::line(name).as_str(), NAME_WIDTH);
    let words: Vec<String> = words
        .iter()
        .filter(|it| !it.is_empty())
        .map(|it| text::line(it).to_string())
        .collect();
    format!("{name}  {}", words.join(", "))
        .trim_end()
        .to_owned()
}

/// Returns the words for a ban that `/admin ban` or `tchat admin ban` ask for: a time like `2h`, and then the reason. Without a time, all words are
/// the reason.
pub fn time_and_reason(
    words: &[&str],
    parse: impl Fn(&str) -> Option<Duration>,
) -> (Option<Duration>, String) {
    match words.split_first() {
        Some((first, rest)) if parse(first).is_some() => (parse(first), rest.join(" ")),
        _ => (None, words.join(" ")),
    }
}
