//! Recognises `@name text`, a private line for one person. The composer and every bridge use this one rule.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::mentions::{AT, EVERYBODY};
use super::safe::is_ignorable;

/// Names that mean everybody in other systems. Users cannot take them, so here they never mean one person either.
const ALL: [&str; 3] = ["all", "channel", "所有人"];

/// Returns the name of the person a line is for, and the rest of the line, including the space before it.
///
/// The line must begin with the `@` sign, and the name ends at a space or with the line. With punctuation after the name
/// (`@ann, are you there?`) or a space before the sign, the line is for everybody. Anything that looks like a name counts as one, even
/// if nobody can have it: a line with a mistyped name must not become public. `is_taken` returns whether somebody has a name; it is
/// called only for a name that ends with a full stop.
pub fn addressee(text: &str, is_taken: impl FnOnce(&str) -> bool) -> Option<(&str, &str)> {
    let after = text.trim_start_matches(is_ignorable).strip_prefix(AT)?;
    let end = after.find(char::is_whitespace).unwrap_or(after.len());
    let (word, rest) = after.split_at(end);
    let name = word.trim_matches(is_ignorable);
    let is_of_name = |c: char| {
        c.is_alphanumeric() || "_-.".contains(c) || is_combining_mark(c) || is_ignorable(c)
    };
    let is_name = name.chars().all(is_of_name) && name.chars().any(char::is_alphanumeric);
    if !is_name || is_everybody(name) {
        return None;
    }
    let ends_a_sentence = name.ends_with('.') && !is_taken(name);
    (!ends_a_sentence).then_some((name, rest))
}

fn is_everybody(name: &str) -> bool {
    let name: String = name.nfkc().flat_map(char::to_lowercase).collect();
    EVERYBODY.iter().chain(&ALL).any(|all| *all == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(&str, &str)> {
        addressee(text, |name| name == "j.r.")
    }

    #[test]
    fn a_name_and_a_space_address_one_person() {
        for (text, name, rest) in [
            ("@ann hi", "ann", " hi"),
            ("@ANN hi", "ANN", " hi"),
            ("＠ann hi", "ann", " hi"),
            ("@张三 你好", "张三", " 你好"),
            ("＠张三\u{3000}你好", "张三", "\u{3000}你好"),
            ("@ann\thi", "ann", "\thi"),
            ("@ann\nhi", "ann", "\nhi"),
            ("@ann\r\nhi", "ann", "\r\nhi"),
            ("@ann\u{a0}hi", "ann", "\u{a0}hi"),
            ("@ann ", "ann", " "),
            ("@ann", "ann", ""),
            ("@j.r. hi", "j.r.", " hi"),
            // Names that nobody has or can have: a line for one of them must not become public.
            ("@nobody hi", "nobody", " hi"),
            ("@admin hi", "admin", " hi"),
            ("@аnn hi", "аnn", " hi"),
            ("@राम hi", "राम", " hi"),
            // Invisible characters change nothing.
            ("\u{feff}@ann hi", "ann", " hi"),
            ("@ann\u{200b} hi", "ann", " hi"),
        ] {
            assert_eq!(found(text), Some((name, rest)), "{text:?}");
        }
        let long = format!("@{} hi", "x".repeat(50));
        assert!(found(&long).is_some());
    }

    #[test]
    fn everything_else_is_for_everybody() {
        for text in [
            "",
            "hello @ann",
            " @ann hi",
            "\\@ann hi",
            "@ann, hi",
            "@ann: hi",
            "@ann; hi",
            "@ann! hi",
            "@ann? hi",
            "@ann， 你好",
            "@ann： 你好",
            "@ann、 你好",
            "@ann。 你好",
            "@ann. See you",
            "@ann... hi",
            "@ann's turn",
            "(@ann hi",
            "@ alone",
            "@-- hi",
            "@@ann hi",
            "@here lunch",
            "@Everyone lunch",
            "＠ＨＥＲＥ lunch",
            "@all lunch",
            "@channel lunch",
            "@所有人 开会",
            "ann@example.org hi",
        ] {
            assert_eq!(found(text), None, "{text:?}");
        }
    }
}
