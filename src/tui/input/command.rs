//! Parses a typed line: a message, a private message or a command. Pure: it knows nothing of rooms and people.

mod arguments;

use std::borrow::Cow;

pub use self::arguments::{duration, first_word, new_room, switched};

use crate::chat::Body;
use crate::text;

/// The commands, in the order help lists them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name {
    Help,
    Join,
    Leave,
    Rooms,
    Create,
    Delete,
    Topic,
    Invite,
    Msg,
    Me,
    Reply,
    Edit,
    React,
    Nick,
    Away,
    Back,
    Status,
    Who,
    Whois,
    Mentions,
    Search,
    Ignore,
    Unignore,
    Notify,
    Keywords,
    Typing,
    Op,
    Deop,
    Kick,
    Ban,
    Unban,
    Mute,
    Unmute,
    Clear,
    Theme,
    Set,
    History,
    Select,
    Do,
    Pick,
    Draft,
    Link,
    Connect,
    Disconnect,
    Quit,
}

/// A command with its word and the number of arguments it takes.
#[derive(Clone, Copy, Debug)]
pub struct CommandSpec {
    pub name: Name,
    pub word: &'static str,
    least: usize,
    most: usize,
}

/// The command ends with a text of any length.
const ANY: usize = usize::MAX;

const fn known(name: Name, word: &'static str, least: usize, most: usize) -> CommandSpec {
    CommandSpec {
        name,
        word,
        least,
        most,
    }
}

/// Every command. The help texts are in `strings`, under the same name.
pub const COMMANDS: [CommandSpec; 45] = [
    known(Name::Help, "help", 0, 0),
    known(Name::Join, "join", 1, 1),
    known(Name::Leave, "leave", 0, 1),
    known(Name::Rooms, "rooms", 0, 0),
    known(Name::Create, "create", 1, ANY),
    known(Name::Delete, "delete", 0, 1),
    known(Name::Topic, "topic", 1, ANY),
    known(Name::Invite, "invite", 1, 1),
    known(Name::Msg, "msg", 1, ANY),
    known(Name::Me, "me", 1, ANY),
    known(Name::Reply, "reply", 1, ANY),
    known(Name::Edit, "edit", 0, ANY),
    known(Name::React, "react", 1, 1),
    known(Name::Nick, "nick", 1, 1),
    known(Name::Away, "away", 0, ANY),
    known(Name::Back, "back", 0, 0),
    known(Name::Status, "status", 0, ANY),
    known(Name::Who, "who", 0, 0),
    known(Name::Whois, "whois", 1, 1),
    known(Name::Mentions, "mentions", 0, 0),
    known(Name::Search, "search", 0, ANY),
    known(Name::Ignore, "ignore", 0, 1),
    known(Name::Unignore, "unignore", 1, 1),
    known(Name::Notify, "notify", 0, 1),
    known(Name::Keywords, "keywords", 0, ANY),
    known(Name::Typing, "typing", 0, 1),
    known(Name::Op, "op", 1, 1),
    known(Name::Deop, "deop", 1, 1),
    known(Name::Kick, "kick", 1, ANY),
    known(Name::Ban, "ban", 1, ANY),
    known(Name::Unban, "unban", 1, 1),
    known(Name::Mute, "mute", 1, 2),
    known(Name::Unmute, "unmute", 1, 1),
    known(Name::Clear, "clear", 0, 0),
    known(Name::Theme, "theme", 0, 1),
    known(Name::Set, "set", 0, ANY),
    known(Name::History, "history", 0, 1),
    known(Name::Select, "select", 0, 1),
    known(Name::Do, "do", 0, 2),
    known(Name::Pick, "pick", 1, 1),
    known(Name::Draft, "draft", 0, 1),
    known(Name::Link, "link", 0, 0),
    known(Name::Connect, "connect", 0, 1),
    known(Name::Disconnect, "disconnect", 0, 0),
    known(Name::Quit, "quit", 0, 0),
];

/// The names of some commands in other chat clients.
pub const ALIASES: [(&str, Name); 5] = [
    ("part", Name::Leave),
    ("list", Name::Rooms),
    ("query", Name::Msg),
    ("names", Name::Who),
    ("q", Name::Quit),
];

impl Name {
    /// The aliases of a command.
    pub fn aliases(self) -> impl Iterator<Item = &'static str> {
        let all = ALIASES.into_iter();
        all.filter_map(move |(word, name)| (name == self).then_some(word))
    }
}

/// Finds a command by its word or an alias, ignoring case.
pub fn find(word: &str) -> Option<CommandSpec> {
    let lower = word.to_lowercase();
    let alias = ALIASES.into_iter().find(|(alias, _)| *alias == lower);
    let alias = alias.map(|(_, name)| name);
    let is_it = |known: &CommandSpec| known.word == lower || Some(known.name) == alias;
    COMMANDS.into_iter().find(is_it)
}

/// A parsed line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Line {
    Empty,
    Say(Body),
    Private {
        name: String,
        text: String,
    },
    /// A command and its trimmed arguments.
    Command(Name, String),
    /// `s/old/new/`: replaces a part of our last message.
    Substitute {
        old: String,
        new: String,
    },
    /// A command or private message that is incomplete.
    Missing(Missing),
    /// An unknown command, with the most similar one.
    Unknown {
        word: String,
        nearest: Option<&'static str>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// `@name` without a text.
    PrivateText,
    /// A command with too few or too many arguments.
    Argument(Name),
}

/// Whether a slash in front makes the text an ordinary message: `//word`, so that `/word` can be sent. Code that starts with `//` is sent
/// unchanged.
fn is_escaped_command(text: &str) -> bool {
    let rest = text.strip_prefix("//");
    rest.is_some_and(|rest| rest.starts_with(char::is_alphabetic)) && !text.contains('\n')
}

/// Whether the first character only says how the rest is meant, and is not sent: `//word`, `\@name`, and what [`literal`] writes.
fn has_escape(text: &str) -> bool {
    let unescaped = text.trim_start_matches('\\');
    let is_escaped = unescaped.len() < text.len();
    is_escaped_command(unescaped) || is_escaped && unescaped.starts_with(text::AT)
}

/// Returns what to put into the composer so that exactly this text is sent. Commands and private messages stay what they are.
pub fn literal(text: &str) -> Cow<'_, str> {
    if has_escape(text.trim_end()) {
        format!("\\{text}").into()
    } else {
        text.into()
    }
}

/// Parses a typed line.
pub fn parse(text: &str) -> Line {
    if text.trim().is_empty() {
        return Line::Empty;
    }
    if matches!(text.trim(), "exit" | "/exit" | "quit" | ":q" | ":wq") {
        return Line::Command(Name::Quit, String::new());
    }
    if has_escape(text.trim_end()) {
        return Line::Say(Body::Text(text[1..].trim_end().to_owned()));
    }
    if text.starts_with("//") {
        return Line::Say(Body::Text(text.trim_end().to_owned()));
    }
    if let Some(command) = text.strip_prefix('/') {
        return parse_command(command);
    }
    if let Some((old, new)) = substitution(text) {
        return Line::Substitute { old, new };
    }
    match addressee(text) {
        Some((name, rest)) if rest.trim().is_empty() => {
            let _ = name;
            Line::Missing(Missing::PrivateText)
        }
        Some((name, rest)) => Line::Private {
            name: name.to_owned(),
            text: rest.trim().to_owned(),
        },
        // A space before `@name` makes the message public; it is not part of the text.
        None if text.trim_start().starts_with(text::AT) => {
            Line::Say(Body::Text(text.trim().to_owned()))
        }
        None => Line::Say(Body::Text(text.trim_end().to_owned())),
    }
}

/// The two parts of `s/old/new/` or `s/old/new`, in which `\\/` is a slash. Returns `None` for any other line.
fn substitution(text: &str) -> Option<(String, String)> {
    let mut parts = vec![String::new()];
    let mut chars = text.strip_prefix("s/")?.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, parts.last_mut()) {
            ('\\', Some(part)) if chars.peek() == Some(&'/') => part.extend(chars.next()),
            ('/', _) => parts.push(String::new()),
            (c, Some(part)) => part.push(c),
            (_, None) => {}
        }
    }
    let (old, new) = match parts.as_slice() {
        [old, new] => (old, new),
        [old, new, end] if end.is_empty() => (old, new),
        _ => return None,
    };
    (!old.is_empty() && !text.contains('\n')).then(|| (old.clone(), new.clone()))
}

/// The recipient of a line that begins with `@name`, and the text after the name.
pub fn addressee(text: &str) -> Option<(&str, &str)> {
    // A name with a full stop after it is never an address, even if somebody has that name. The prompt shows who the line goes to.
    text::addressee(text, |_| false)
}

fn parse_command(line: &str) -> Line {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = rest.trim();
    let Some(known) = find(word) else {
        return Line::Unknown {
            word: word.to_owned(),
            nearest: nearest(&word.to_lowercase()),
        };
    };
    let words = argument.split_whitespace().count();
    if !(known.least..=known.most).contains(&words) {
        return Line::Missing(Missing::Argument(known.name));
    }
    match known.name {
        Name::Me => Line::Say(Body::Action(argument.to_owned())),
        Name::Msg if words > 1 => {
            let (name, text) = first_word(argument);
            Line::Private {
                name: name.trim_start_matches('@').to_owned(),
                text: text.to_owned(),
            }
        }
        // `/edit s/old/new/` means the same as `s/old/new/` alone.
        Name::Edit if argument.starts_with("s/") => match substitution(argument) {
            Some((old, new)) => Line::Substitute { old, new },
            None => Line::Missing(Missing::Argument(Name::Edit)),
        },
        name => Line::Command(name, argument.to_owned()),
    }
}

/// The command most similar to a mistyped word: one that begins with it, or differs in at most two letters.
fn nearest(word: &str) -> Option<&'static str> {
    if word.is_empty() {
        return None;
    }
    let words = COMMANDS.into_iter().map(|known| known.word);
    let words = words.chain(ALIASES.into_iter().map(|(alias, _)| alias));
    words
        .clone()
        .find(|known| known.starts_with(word))
        .or_else(|| {
            let near = words.map(|known| (strsim::damerau_levenshtein(known, word), known));
            near.filter(|(distance, known)| *distance <= 2 && *distance < known.len())
                .min()
                .map(|(_, known)| known)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(text: &str) -> Line {
        Line::Say(Body::Text(text.into()))
    }

    fn private(name: &str, text: &str) -> Line {
        Line::Private {
            name: name.into(),
            text: text.into(),
        }
    }

    #[test]
    fn lines_are_parsed_as_users_expect() {
        let cases = [
            ("hello", say("hello")),
            ("  indented", say("  indented")),
            ("   ", Line::Empty),
            ("@ann hi there", private("ann", "hi there")),
            ("@张三 你好", private("张三", "你好")),
            ("＠ann hi", private("ann", "hi")),
            ("@ann: hi", say("@ann: hi")),
            ("@ann, hi", say("@ann, hi")),
            ("@ann. Hi", say("@ann. Hi")),
            ("@admin hi", private("admin", "hi")),
            ("@ann", Line::Missing(Missing::PrivateText)),
            ("@ann  ", Line::Missing(Missing::PrivateText)),
            (" @ann hi", say("@ann hi")),
            ("\\@ann hi", say("@ann hi")),
            ("\\\\@ann hi", say("\\@ann hi")),
            ("\\//etc/hosts", say("//etc/hosts")),
            ("\\// TODO", say("\\// TODO")),
            ("\\server\\ann", say("\\server\\ann")),
            ("@here lunch", say("@here lunch")),
            ("@Everyone lunch", say("@Everyone lunch")),
            ("@ alone", say("@ alone")),
            ("a@b.example", say("a@b.example")),
            ("//etc/hosts", say("/etc/hosts")),
            ("// main loop\nint x;", say("// main loop\nint x;")),
            ("//main\n//x", say("//main\n//x")),
            ("// TODO", say("// TODO")),
            ("/// docs", say("/// docs")),
            ("/me waves", Line::Say(Body::Action("waves".into()))),
            ("/msg ann hi", private("ann", "hi")),
            ("/msg @ann hi", private("ann", "hi")),
            ("/msg ann", Line::Command(Name::Msg, "ann".into())),
            ("/join  dev ", Line::Command(Name::Join, "dev".into())),
            ("/JOIN dev", Line::Command(Name::Join, "dev".into())),
            ("/join", Line::Missing(Missing::Argument(Name::Join))),
            ("/join a b", Line::Missing(Missing::Argument(Name::Join))),
            ("/help me", Line::Missing(Missing::Argument(Name::Help))),
            ("/kick", Line::Missing(Missing::Argument(Name::Kick))),
            (
                "/mute ann 10m now",
                Line::Missing(Missing::Argument(Name::Mute)),
            ),
            (
                "/kick ann spam",
                Line::Command(Name::Kick, "ann spam".into()),
            ),
            ("/quit", Line::Command(Name::Quit, String::new())),
            ("/q", Line::Command(Name::Quit, String::new())),
            ("/part", Line::Command(Name::Leave, String::new())),
            ("/part #dev", Line::Command(Name::Leave, "#dev".into())),
            ("/LIST", Line::Command(Name::Rooms, String::new())),
            ("/names", Line::Command(Name::Who, String::new())),
            ("/query ann", Line::Command(Name::Msg, "ann".into())),
            ("/query ann hi there", private("ann", "hi there")),
            ("/query", Line::Missing(Missing::Argument(Name::Msg))),
            ("exit", Line::Command(Name::Quit, String::new())),
            (":wq", Line::Command(Name::Quit, String::new())),
            ("quit smoking", say("quit smoking")),
            (
                "s/teh/the/",
                Line::Substitute {
                    old: "teh".into(),
                    new: "the".into(),
                },
            ),
            (
                "s/teh/the",
                Line::Substitute {
                    old: "teh".into(),
                    new: "the".into(),
                },
            ),
            (
                "/edit s/teh/the/",
                Line::Substitute {
                    old: "teh".into(),
                    new: "the".into(),
                },
            ),
            ("/edit s/teh", Line::Missing(Missing::Argument(Name::Edit))),
            (" s/teh/the", say(" s/teh/the")),
            ("s//the/", say("s//the/")),
            ("s/a/b/c/", say("s/a/b/c/")),
            (
                "s/a\\/b/c\\d/",
                Line::Substitute {
                    old: "a/b".into(),
                    new: "c\\d".into(),
                },
            ),
        ];
        for (text, line) in cases {
            assert_eq!(parse(text), line, "{text:?}");
        }
    }

    #[test]
    fn a_literal_text_is_sent_exactly_as_it_is() {
        for text in [
            "//etc/hosts",
            "\\//etc/hosts",
            "\\\\//x",
            "\\@ann hi",
            "// TODO",
            "//main\n//x",
            "\\server\\ann",
            "plain",
        ] {
            assert_eq!(parse(&literal(text)), say(text), "{text}");
        }
        for text in ["/join dev", "@ann hi", "s/a/b/", "/etc"] {
            assert_eq!(literal(text), text);
        }
    }

    #[test]
    fn unknown_commands_are_not_sent_and_the_most_similar_is_suggested() {
        let nearest_of = |text| match parse(text) {
            Line::Unknown { nearest, .. } => nearest,
            other => panic!("{other:?}"),
        };
        assert_eq!(nearest_of("/jion dev"), Some("join"));
        assert_eq!(nearest_of("/qiut"), Some("quit"));
        assert_eq!(nearest_of("/qurey ann"), Some("query"));
        assert_eq!(nearest_of("/prat"), Some("part"));
        assert_eq!(nearest_of("/disc"), Some("disconnect"));
        assert_eq!(nearest_of("/usr/bin/env"), None);
        assert_eq!(nearest_of("/"), None);
    }
}
