//! The answers of `tchat admin --json`. The keys are those of `tchat.admin.v1`, in snake case; times are Unix milliseconds.

use serde_json::{Value, json};

use crate::chat::{AuditEntry, BanInfo, Device, OpenInvite, ServerStatus, SessionInfo};
use crate::client::AdminAnswer;

/// Returns an answer as one JSON value: an array for a list.
pub fn answer(answer: &AdminAnswer) -> Value {
    match answer {
        AdminAnswer::Created { link, invite } => {
            json!({ "link": link.0, "invite": self::invite(invite) })
        }
        AdminAnswer::Invites(open) => open.iter().map(invite).collect(),
        AdminAnswer::Revoked(id) => json!({ "revoked": id }),
        AdminAnswer::Accounts(all) => {
            let account = |it: &crate::chat::AccountInfo| {
                json!({
                    "name": it.name, "role": it.role.word(), "bot": it.is_bot, "seen_ms": it.seen_ms,
                    "connected": it.is_connected,
                })
            };
            all.iter().map(account).collect()
        }
        AdminAnswer::Done => json!({ "done": true }),
        AdminAnswer::Relinked(link) => json!({ "link": link.0 }),
        AdminAnswer::Bot(bot) => json!({
            "name": bot.name, "link": bot.link, "key": hex::encode(bot.key.seed()),
        }),
        AdminAnswer::Devices(devices) => devices.iter().map(device).collect(),
        AdminAnswer::Audit(rows) => rows.iter().map(audit_row).collect(),
        AdminAnswer::Bans(bans) => bans.iter().map(ban).collect(),
        AdminAnswer::Sessions(sessions) => sessions.iter().map(session).collect(),
        AdminAnswer::Status(status) => self::status(status),
        AdminAnswer::Limits(limits) => {
            let limit = |it: &crate::chat::LimitInfo| {
                json!({
                    "name": it.name, "value": it.value, "default": it.default, "charged": it.charged,
                    "unit": it.unit, "protects": it.protects,
                })
            };
            limits.iter().map(limit).collect()
        }
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn invite(invite: &OpenInvite) -> Value {
    json!({
        "id": invite.id, "uses_left": invite.uses_left, "valid_ms": millis(invite.valid), "maker": invite.maker,
        "role": invite.role.word(), "rooms": invite.rooms,
    })
}

fn device(device: &Device) -> Value {
    json!({
        "id": device.id, "name": device.name, "seen_ms": device.seen_ms, "from": device.from,
        "connected": device.is_connected,
    })
}

pub fn audit_row(row: &AuditEntry) -> Value {
    let (actor, actor_id) = match &row.actor {
        Some(actor) => (actor.name.clone(), actor.id.to_string()),
        None => (String::new(), String::new()),
    };
    json!({
        "number": row.number, "at_ms": row.at_ms, "actor": actor, "actor_id": actor_id, "act": row.act,
        "target": row.target, "detail": row.detail, "hash": hex::encode(row.hash),
    })
}

fn ban(ban: &BanInfo) -> Value {
    json!({
        "target": ban.target, "remaining_ms": ban.remaining.map(millis), "at_ms": ban.at_ms, "by": ban.by,
        "reason": ban.reason,
    })
}

fn session(session: &SessionInfo) -> Value {
    json!({
        "name": session.name, "role": session.role.word(), "via": session.via.name(), "from": session.from,
        "since_ms": session.since_ms,
    })
}

fn status(status: &ServerStatus) -> Value {
    json!({
        "version": status.version, "started_ms": status.started_ms, "sessions": status.sessions,
        "connected": status.connected, "accounts": status.accounts, "rooms": status.rooms,
        "registration": status.registration, "bans": status.bans, "damages": status.damages,
    })
}
