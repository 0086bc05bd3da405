//! Parses the arguments of commands.

use std::time::Duration;

use crate::chat::{InviteTerms, NewRoom, RoomAct, RoomKind, Seq};
use crate::client::{AccountRequest, AdminRequest};

/// How many rows of the audit log `/admin audit` shows.
const AUDIT_ROWS: u32 = 50;

/// The first word of a text, and the rest without spaces around it.
pub fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// Parses `NAME [--private|--secret] [--capacity N] [topic…]`. Returns `None` if the text does not have this form.
pub fn parse_new_room(text: &str) -> Option<NewRoom> {
    let (name, mut rest) = first_word(text);
    let name = name.trim_start_matches('#');
    if name.is_empty() || name.starts_with("--") {
        return None;
    }
    let mut room = NewRoom {
        name: name.to_owned(),
        kind: RoomKind::Public,
        topic: String::new(),
        capacity: 0,
    };
    while rest.starts_with("--") {
        let (option, after) = first_word(rest);
        rest = after;
        match option {
            "--private" if room.kind == RoomKind::Public => room.kind = RoomKind::Private,
            "--secret" if room.kind == RoomKind::Public => room.kind = RoomKind::Secret,
            "--capacity" => {
                let (number, after) = first_word(rest);
                room.capacity = number.parse().ok().filter(|most| *most > 0)?;
                rest = after;
            }
            _ => return None,
        }
    }
    rest.clone_into(&mut room.topic);
    Some(room)
}

/// Parses an empty text, `add` or `revoke ID`. Returns `None` if the text does not have one of these forms.
pub fn parse_devices(text: &str) -> Option<AccountRequest> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [] => Some(AccountRequest::ListDevices),
        ["add"] => Some(AccountRequest::AddDevice),
        ["revoke", id] => Some(AccountRequest::RevokeDevice(id.to_lowercase())),
        _ => None,
    }
}

/// Parses `[--uses N] [--expires TIME] [--role ROLE] [--room ROOM]...`, `list` or `revoke ID`. Returns `None` if the
/// text does not have one of these forms.
pub fn parse_invite(text: &str) -> Option<AdminRequest> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["list"] => return Some(AdminRequest::ListInvites),
        ["revoke", id] => return Some(AdminRequest::RevokeInvite(id.to_lowercase())),
        _ => {}
    }
    let mut terms = InviteTerms::default();
    for option in words.chunks(2) {
        match option {
            ["--uses", uses] => terms.uses = uses.parse().ok().filter(|uses| *uses > 0)?,
            ["--expires", time] => terms.valid = parse_duration(time)?,
            ["--role", role] => terms.role = role.parse().ok()?,
            ["--room", room] => terms.rooms.push(room.trim_start_matches('#').to_owned()),
            _ => return None,
        }
    }
    Some(AdminRequest::CreateInvite(terms))
}

/// Parses what follows `/admin`: the words of `tchat admin`, without those that print a secret. Returns `None` if the text has no such form.
pub fn parse_admin(text: &str) -> Option<AdminRequest> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let owned = |word: &str| word.to_owned();
    let room = |word: &str| word.trim_start_matches('#').to_owned();
    let moderate = |name: &str, act| AdminRequest::ModerateRoom {
        room: room(name),
        act,
    };
    Some(match words.as_slice() {
        ["status"] => AdminRequest::Status,
        ["accounts"] => AdminRequest::ListAccounts,
        ["who"] => AdminRequest::ListSessions,
        ["bans"] => AdminRequest::ListBans,
        ["limits"] => AdminRequest::ListLimits,
        ["audit"] => AdminRequest::ListAudit {
            before: 0,
            most: AUDIT_ROWS,
        },
        ["ban", target, rest @ ..] => {
            let lasts = rest.first().and_then(|word| parse_duration(word));
            let reason = if lasts.is_some() { &rest[1..] } else { rest };
            AdminRequest::Ban {
                target: owned(target),
                lasts,
                reason: reason.join(" "),
            }
        }
        ["unban", target] => AdminRequest::Unban {
            target: owned(target),
        },
        ["kick", name, reason @ ..] => AdminRequest::Kick {
            name: owned(name),
            reason: reason.join(" "),
        },
        ["role", account, role] => AdminRequest::SetRole {
            account: owned(account),
            role: role.parse().ok()?,
        },
        ["rename", account, to] => AdminRequest::Rename {
            account: owned(account),
            to: owned(to),
        },
        ["remove", account] => AdminRequest::Remove {
            account: owned(account),
        },
        ["devices", account] => AdminRequest::ListDevices {
            account: owned(account),
        },
        ["close", name] => moderate(name, RoomAct::Close),
        ["topic", name, topic @ ..] => moderate(name, RoomAct::Topic(topic.join(" "))),
        ["own", name, account] => moderate(name, RoomAct::Owner(owned(account))),
        ["erase", name, seq] => moderate(name, RoomAct::Erase(Seq(seq.parse().ok()?))),
        _ => return None,
    })
}

/// Parses a switch: `on` or `off`, or one of the usual words for them. Returns `None` for any other word.
pub fn parse_switch(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Parses a duration like `30s`, `10m`, `2h` or `7d`. Returns `None` if the text does not have this form or the duration is 0.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    let all = Some(number.saturating_mul(seconds)).filter(|all| *all > 0)?;
    // Limited to ten years, so that later additions cannot overflow.
    Some(Duration::from_secs(all.min(10 * 366 * 24 * 60 * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_has_uses_and_a_time_and_can_be_listed_and_withdrawn() {
        let of = |uses, hours| {
            let valid = Duration::from_hours(hours);
            Some(AdminRequest::CreateInvite(InviteTerms {
                uses,
                valid,
                ..InviteTerms::default()
            }))
        };
        for (text, expected) in [
            ("", of(1, 168)),
            ("--uses 20", of(20, 168)),
            ("--expires 2h --uses 3", of(3, 2)),
            ("list", Some(AdminRequest::ListInvites)),
            (
                "revoke 0A1b2c3d",
                Some(AdminRequest::RevokeInvite("0a1b2c3d".into())),
            ),
            ("ben", None),
            ("--uses", None),
            ("--uses 0", None),
            ("--uses ten", None),
            ("--expires soon", None),
            ("revoke", None),
            ("list all", None),
        ] {
            assert_eq!(parse_invite(text), expected, "{text}");
        }
    }

    #[test]
    fn administration_takes_the_words_of_the_command_line() {
        let ban = |target: &str, minutes: Option<u64>, reason: &str| {
            Some(AdminRequest::Ban {
                target: target.into(),
                lasts: minutes.map(Duration::from_mins),
                reason: reason.into(),
            })
        };
        let moderate = |act| {
            Some(AdminRequest::ModerateRoom {
                room: "tech".into(),
                act,
            })
        };
        for (text, expected) in [
            ("status", Some(AdminRequest::Status)),
            ("ban ben", ban("ben", None, "")),
            ("ban 192.0.2.0/24 2h", ban("192.0.2.0/24", Some(120), "")),
            ("ban ben 10m too loud", ban("ben", Some(10), "too loud")),
            ("ban ben too loud", ban("ben", None, "too loud")),
            ("close #tech", moderate(RoomAct::Close)),
            (
                "topic tech all of it",
                moderate(RoomAct::Topic("all of it".into())),
            ),
            ("topic tech", moderate(RoomAct::Topic(String::new()))),
            ("erase tech 12", moderate(RoomAct::Erase(Seq(12)))),
            ("erase tech twelve", None),
            ("ban", None),
            ("role ben boss", None),
            ("status now", None),
            ("", None),
        ] {
            assert_eq!(parse_admin(text), expected, "{text}");
        }
    }

    #[test]
    fn options_of_a_new_room_come_in_any_order_before_its_topic() {
        let room = |kind, capacity, topic: &str| {
            Some(NewRoom {
                name: "dev".into(),
                kind,
                topic: topic.into(),
                capacity,
            })
        };
        let cases = [
            ("dev", room(RoomKind::Public, 0, "")),
            ("#dev", room(RoomKind::Public, 0, "")),
            ("dev all of it", room(RoomKind::Public, 0, "all of it")),
            ("dev --secret", room(RoomKind::Secret, 0, "")),
            (
                "dev --capacity 20 --private 我们的 --x",
                room(RoomKind::Private, 20, "我们的 --x"),
            ),
            ("dev --private --secret", None),
            ("dev --capacity", None),
            ("dev --capacity many", None),
            ("dev --capacity 0", None),
            ("dev --hidden", None),
            ("--secret dev", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_new_room(text), expected, "{text}");
        }
    }

    #[test]
    fn a_switch_accepts_the_usual_words() {
        for word in ["on", "ON", "true", "True", "yes", "1"] {
            assert_eq!(parse_switch(word), Some(true), "{word}");
        }
        for word in ["off", "false", "FALSE", "no", "0"] {
            assert_eq!(parse_switch(word), Some(false), "{word}");
        }
        for word in ["", "o", "maybe", "10", "开", "on off"] {
            assert_eq!(parse_switch(word), None, "{word}");
        }
    }

    #[test]
    fn durations_have_a_number_and_a_unit() {
        let seconds = |text| parse_duration(text).map(|it| it.as_secs());
        assert_eq!(seconds("10m"), Some(600));
        assert_eq!(seconds("2h"), Some(7200));
        assert_eq!(seconds("7d"), Some(604_800));
        assert_eq!(seconds("99999999999999999d"), Some(316_224_000));
        for wrong in ["", "m", "10", "0m", "-1m", "1.5h", "10分", "10 m"] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
    }
}
