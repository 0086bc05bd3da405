//! Texts about devices and failed requests, for the screen and for `tchat admin`.

use jiff::tz::TimeZone;

use super::system_lines;
use crate::chat::Device;
use crate::client::{CallError, Missing};
use crate::text;
use crate::tui::strings::{Strings, fill};

/// Returns the lines of a device in a list: its id and name, then where and when it was used.
pub fn device(s: &Strings, zone: &TimeZone, device: &Device) -> [String; 2] {
    let words = s.accounts;
    let name = text::line(&device.name);
    let name = if name.as_str().is_empty() {
        words.unnamed
    } else {
        name.as_str()
    };
    let mark = if device.is_this {
        format!(" ({})", words.this_device)
    } else {
        String::new()
    };
    let seen = system_lines::clock(s, zone, device.seen_ms);
    let seen = match seen {
        _ if device.is_connected => words.connected.to_owned(),
        Some(at) if device.seen_ms > 0 => fill(words.seen, &[&at]),
        _ => String::new(),
    };
    let used = [seen, origin(s, &device.from)];
    let used: Vec<String> = used.into_iter().filter(|it| !it.is_empty()).collect();
    [
        format!("{}  {name}{mark}", text::line(&device.id)),
        format!("          {}", used.join(", ")),
    ]
}

/// Returns where a device has connected from.
pub fn origin(s: &Strings, from: &str) -> String {
    match from {
        "" => s.accounts.on_the_server.to_owned(),
        from => fill(s.accounts.from, &[&text::line(from)]),
    }
}

/// Returns why a call failed.
pub fn failure(s: &Strings, error: &CallError) -> String {
    let words = s.accounts;
    match error {
        CallError::NotAllowed => words.not_allowed.to_owned(),
        CallError::TooMany => words.too_many.to_owned(),
        CallError::Limited(refusal) => s.refusal(refusal),
        CallError::Missing(Missing::Invite(id)) => fill(words.no_invite, &[&text::line(id)]),
        CallError::Missing(Missing::Account(name)) => fill(words.no_account, &[&text::line(name)]),
        CallError::Missing(Missing::Device(id)) => fill(words.no_device, &[&text::line(id)]),
        CallError::Missing(Missing::Room) => words.no_room.to_owned(),
        CallError::Missing(Missing::Session(name)) => {
            fill(s.administration.not_connected, &[&text::line(name)])
        }
        CallError::Missing(Missing::PublicRoom) => s.administration.no_public_room.to_owned(),
        CallError::RoomRefuses => s.administration.room_refuses.to_owned(),
        CallError::LastOwner => words.last_owner.to_owned(),
        CallError::NameTaken(name) => fill(words.name_taken, &[&text::line(name)]),
        CallError::Invalid => words.invalid.to_owned(),
        CallError::TooOld => words.too_old.to_owned(),
        CallError::Offline => words.offline.to_owned(),
        CallError::Busy => words.busy.to_owned(),
    }
}
