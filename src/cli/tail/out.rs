//! Prints entries as lines, for people or for programs.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::chat::{Amendment, Body, Entry, Reaction, Ruling};
use crate::text;
use crate::tui::content::system_lines;
use crate::tui::strings::Strings;

#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Text,
    Json,
}

pub(super) struct EntryWriter {
    pub format: Format,
    pub zone: TimeZone,
    pub s: &'static Strings,
    pub room: String,
}

impl EntryWriter {
    pub fn print(&self, entries: &[Entry]) -> io::Result<()> {
        let mut lines = String::new();
        for entry in entries {
            match self.format {
                Format::Json => lines.push_str(&escape_unprintable(&self.json(entry).to_string())),
                Format::Text => lines.push_str(&self.text(entry)),
            }
            lines.push('\n');
        }
        let mut out = io::stdout().lock();
        out.write_all(lines.as_bytes())?;
        out.flush()
    }

    /// Returns the object for one line; ids are hexadecimal, `at` is RFC 3339.
    fn json(&self, entry: &Entry) -> serde_json::Value {
        let id = entry
            .client_id
            .map(|id| json!({"instance": id.instance.to_string(), "counter": id.counter}));
        let kind = match &entry.body {
            Body::Text(_) => "text",
            Body::Reply { .. } => "reply",
            Body::Action(_) => "action",
            Body::Created => "created",
            Body::Joined(_) => "joined",
            Body::Left => "left",
            Body::Renamed(_) => "renamed",
            Body::Topic(_) => "topic",
            Body::Rules(_) => "rules",
            Body::Closed => "closed",
            Body::NewKey => "new_key",
            Body::Ruling(_, ruling) => match ruling {
                Ruling::Invited => "invited",
                Ruling::Role(_) => "role",
                Ruling::Kicked { .. } => "kicked",
                Ruling::Banned { .. } => "banned",
                Ruling::Unbanned => "unbanned",
                Ruling::Muted { .. } => "muted",
                Ruling::Unmuted => "unmuted",
            },
            Body::Amendment { what, .. } => match what {
                Amendment::Edit(_) => "edited",
                Amendment::Erase => "deleted",
                Amendment::React { .. } => "reacted",
            },
            Body::Erased(_) => "erased",
            Body::Damaged(_) => "damaged",
            Body::Unknown(_) => "unknown",
        };
        let target = match &entry.body {
            Body::Amendment { target, .. } | Body::Reply { to: target, .. } => Some(target.0),
            _ => None,
        };
        let amended = entry.amended.as_ref().map(|it| {
            let reaction = |it: &Reaction| {
                let people = it.people.iter().map(|who| who.id.to_string());
                json!({"emoji": it.emoji, "people": people.collect::<Vec<_>>()})
            };
            let reactions: Vec<_> = it.reactions.iter().map(reaction).collect();
            json!({"seq": it.seq.0, "edited": it.is_edited, "reactions": reactions})
        });
        json!({
            "room": self.room,
            "room_id": entry.room.to_string(),
            "epoch": entry.epoch.to_string(),
            "seq": entry.seq.0,
            "digest": hex::encode(entry.digest.0),
            "at": at(entry).map(|at| at.to_string()),
            "author": {"id": entry.author.id.to_string(), "name": entry.author.name},
            "client_id": id,
            "target": target,
            "amended": amended,
            "body": {"kind": kind, "text": entry.body.text(), "hash": hex::encode(entry.original_hash())},
        })
    }

    /// Returns a line of time, name and text; further lines of a text are indented. Nothing in it can move a terminal's cursor.
    fn text(&self, entry: &Entry) -> String {
        let time = at(entry).map(|at| at.to_zoned(self.zone.clone()));
        let time = time.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M").to_string());
        let name = text::line(&entry.author.name);
        match &entry.body {
            Body::Text(said) | Body::Reply { text: said, .. } => {
                let said = text::body(said).to_string().replace('\n', "\n    ");
                format!("{time}  {name}  {said}")
            }
            Body::Action(done) => format!("{time}  * {name} {}", text::line(done)),
            _ => {
                let words = system_lines::of(self.s, &self.zone, entry);
                format!("{time}  * {}", text::line(&words))
            }
        }
    }
}

fn at(entry: &Entry) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(entry.at_ms).ok()?).ok()
}

/// Escapes the code points in JSON that could control a terminal. A JSON parser reads the same value.
fn escape_unprintable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if text::is_harmless(c) {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let escaped = format!("\\u{unit:04x}");
                out.push_str(&escaped);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tail::tests::entries;

    #[test]
    fn text_cannot_move_the_cursor_of_a_terminal() {
        let out = EntryWriter {
            format: Format::Text,
            zone: TimeZone::UTC,
            s: &crate::tui::strings::ENGLISH,
            room: "general".into(),
        };
        let mut entry = entries(1, 1..=1).remove(0);
        entry.body = Body::Text("a\u{1b}[2Jb\u{9b}c\nd".into());
        let line = out.text(&entry);
        assert!(!line.contains(['\u{1b}', '\u{9b}']), "{line:?}");
        assert!(line.contains("\n    d"));
        let plain = out.json(&entry).to_string();
        let json = escape_unprintable(&plain);
        assert!(!json.contains(['\n', '\u{1b}', '\u{9b}']), "{json:?}");
        // A parser reads the same value.
        let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap();
        assert_eq!(read(&json), read(&plain));
    }
}
