//! The texts of system entries in the user's language: joins and leaves, topics, moderation and amendments.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::chat::{Amendment, Body, Entry, Refusal, RefusalCode, RoomRules, Ruling, Until};
use crate::text::{self, SafeText};
use crate::tui::strings::{Strings, fill};

/// The text of an entry. For a message it is the message's own text.
pub fn of(s: &Strings, zone: &TimeZone, entry: &Entry) -> String {
    let name = text::line(&entry.author.name);
    match &entry.body {
        Body::Text(text) | Body::Action(text) | Body::Reply { text, .. } => text.clone(),
        Body::Created => fill(s.created, &[&name]),
        Body::Joined(_) => fill(s.joined, &[&name]),
        Body::Left => fill(s.left, &[&name]),
        Body::Renamed(to) => fill(s.renamed, &[&name, &text::line(to)]),
        Body::Topic(topic) if topic.is_empty() => fill(s.topic_cleared, &[&name]),
        Body::Topic(topic) => fill(s.topic_is, &[&name, &text::line(topic)]),
        Body::Rules(rules) => fill(s.moderation.rules_are, &[&name, &self::rules(s, *rules)]),
        Body::Closed => fill(s.closed, &[&name]),
        Body::NewKey => fill(s.new_key, &[&name]),
        Body::Ruling(person, ruling) => {
            let person = text::line(&person.name);
            self::ruling(s, zone, &name, &person, ruling)
        }
        Body::Amendment { target, what } => match what {
            Amendment::Edit(text) => fill(s.edited_to, &[&name, target, &text::line(text)]),
            Amendment::Erase => fill(s.deleted_seq, &[&name, target]),
            Amendment::React { emoji, is_on: true } => {
                fill(s.reacted, &[&name, target, &text::line(emoji)])
            }
            Amendment::React { emoji, .. } => {
                fill(s.reaction_removed, &[&name, target, &text::line(emoji)])
            }
        },
        Body::Erased(_) => s.deleted.to_owned(),
        Body::Damaged(_) => fill(s.damaged_body, &[&name]),
        Body::Unknown(_) => s.unknown_body.to_owned(),
    }
}

/// Who may write in a room, and how often.
fn rules(s: &Strings, rules: RoomRules) -> String {
    let words = s.moderation;
    match rules.slow_s {
        _ if rules.is_read_only => words.moderators.to_owned(),
        0 => words.everyone.to_owned(),
        slow_s => {
            let time = s.duration(Duration::from_secs(slow_s.into()));
            fill(words.slow, &[&time])
        }
    }
}

/// The text of a moderator's decision about a person.
fn ruling(
    s: &Strings,
    zone: &TimeZone,
    by: &SafeText,
    person: &SafeText,
    ruling: &Ruling,
) -> String {
    let ending = |template: &str, limited: &str, at: Until| match until(s, zone, at) {
        Some(at) => fill(limited, &[by, person, &at]),
        None => fill(template, &[by, person]),
    };
    let (words, reason) = match ruling {
        Ruling::Invited => (fill(s.invited, &[by, person]), ""),
        Ruling::Role(role) => (fill(s.role_given, &[by, person, &s.role_name(*role)]), ""),
        Ruling::Kicked { reason } => (fill(s.kicked, &[by, person]), reason.as_str()),
        Ruling::Banned { until, reason } => {
            (ending(s.banned, s.banned_until, *until), reason.as_str())
        }
        Ruling::Unbanned => (fill(s.unbanned, &[by, person]), ""),
        Ruling::Muted { until } => (ending(s.muted, s.muted_until, *until), ""),
        Ruling::Unmuted => (fill(s.unmuted, &[by, person]), ""),
    };
    if reason.is_empty() {
        words
    } else {
        format!("{words}: {reason}")
    }
}

/// The end of a mute or ban in local time; `None` if it never ends.
pub fn until(s: &Strings, zone: &TimeZone, until: Until) -> Option<String> {
    match until {
        Until::At(at_ms) => clock(s, zone, at_ms),
        Until::Forever | Until::For(_) => None,
    }
}

/// A time in Unix milliseconds, formatted as local date and time.
pub fn clock(s: &Strings, zone: &TimeZone, at_ms: u64) -> Option<String> {
    let at = Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
    let at = at.to_zoned(zone.clone());
    Some(at.strftime(s.date_time).to_string())
}

/// Replaces the end time of a mute or ban in a refusal with the local time, or with an empty text if it never ends.
pub fn with_local_time(s: &Strings, zone: &TimeZone, mut refusal: Refusal) -> Refusal {
    let at = match refusal.code {
        RefusalCode::Muted => refusal.arguments.get_mut(0),
        RefusalCode::Banned => refusal.arguments.get_mut(1),
        RefusalCode::ServerBanned => refusal.arguments.first_mut(),
        _ => None,
    };
    if let Some(at) = at {
        *at = match at.parse().map(Until::from_millis) {
            Ok(ends) => until(s, zone, ends).unwrap_or_default(),
            Err(_) => String::new(),
        };
    }
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::strings::ENGLISH;

    #[test]
    fn a_refusal_for_a_mute_or_ban_shows_the_local_end_time() {
        let words =
            |refusal: Refusal| ENGLISH.refusal(&with_local_time(&ENGLISH, &TimeZone::UTC, refusal));
        let muted = |until: u64| words(Refusal::new(RefusalCode::Muted).with(until));
        assert_eq!(
            muted(1_795_761_607_069),
            "you are muted in this room until 27 Nov 2026 06:40"
        );
        assert_eq!(muted(0), "you are muted in this room");
        let banned = Refusal::new(RefusalCode::Banned).with("general");
        assert_eq!(
            words(banned.clone().with(1_795_761_607_069_u64)),
            "you are banned from #general until 27 Nov 2026 06:40"
        );
        assert_eq!(words(banned.with(0)), "you are banned from #general");
    }
}
