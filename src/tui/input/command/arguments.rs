//! What stands behind a command.

use std::time::Duration;

use crate::chat::{NewRoom, RoomKind};

/// The first word, and what follows it.
pub fn first_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

/// `NAME [--private|--secret] [--capacity N] [topic…]`; nothing if it is not that.
pub fn new_room(text: &str) -> Option<NewRoom> {
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

/// Whether a word switches something on or off: `on` and `off`, or what people write instead. Nothing for any other word.
pub fn switched(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// `30s`, `10m`, `2h`, `7d`; nothing if it is not that.
pub fn duration(text: &str) -> Option<Duration> {
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
    // Ten years are as good as for ever, and no overflow anywhere.
    Some(Duration::from_secs(all.min(10 * 366 * 24 * 60 * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_room_is_described_in_any_order_before_its_topic() {
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
            assert_eq!(new_room(text), expected, "{text}");
        }
    }

    #[test]
    fn a_switch_takes_the_words_people_write() {
        for word in ["on", "ON", "true", "True", "yes", "1"] {
            assert_eq!(switched(word), Some(true), "{word}");
        }
        for word in ["off", "false", "FALSE", "no", "0"] {
            assert_eq!(switched(word), Some(false), "{word}");
        }
        for word in ["", "o", "maybe", "10", "开", "on off"] {
            assert_eq!(switched(word), None, "{word}");
        }
    }

    #[test]
    fn durations_have_a_number_and_a_unit() {
        let seconds = |text| duration(text).map(|it| it.as_secs());
        assert_eq!(seconds("10m"), Some(600));
        assert_eq!(seconds("2h"), Some(7200));
        assert_eq!(seconds("7d"), Some(604_800));
        assert_eq!(seconds("99999999999999999d"), Some(316_224_000));
        for wrong in ["", "m", "10", "0m", "-1m", "1.5h", "10分", "10 m"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
