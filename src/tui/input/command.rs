//! Parses a typed line: a message, a private message or a command. Pure, and independent of rooms and people.

mod arguments;

use std::borrow::Cow;

pub use self::arguments::{
    first_word, parse_admin, parse_devices, parse_duration, parse_invite, parse_new_room,
    parse_switch,
};

use crate::chat::Body;
use crate::text;

/// The commands, in the order help lists them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandName {
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
    Requests,
    Accept,
    Decline,
    Block,
    Unblock,
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
    Slow,
    ReadOnly,
    Log,
    Bans,
    Clear,
    Theme,
    Set,
    History,
    Select,
    Do,
    Pick,
    Draft,
    InviteLink,
    Admin,
    Devices,
    Account,
    Link,
    Connect,
    Disconnect,
    Quit,
}

/// A command with its word, and the minimum and maximum number of words in its arguments.
#[derive(Clone, Copy, Debug)]
pub struct CommandSpec {
    pub name: CommandName,
    pub word: &'static str,
    min_words: usize,
    max_words: usize,
}

/// The maximum for a command that ends with a text of any length.
const ANY: usize = usize::MAX;

const fn spec(
    name: CommandName,
    word: &'static str,
    min_words: usize,
    max_words: usize,
) -> CommandSpec {
    CommandSpec {
        name,
        word,
        min_words,
        max_words,
    }
}

/// Every command. The help texts are in `strings`, under the same name.
pub const COMMANDS: [CommandSpec; 58] = [
    spec(CommandName::Help, "help", 0, 0),
    spec(CommandName::Join, "join", 1, 1),
    spec(CommandName::Leave, "leave", 0, 1),
    spec(CommandName::Rooms, "rooms", 0, 0),
    spec(CommandName::Create, "create", 1, ANY),
    spec(CommandName::Delete, "delete", 0, 1),
    spec(CommandName::Topic, "topic", 1, ANY),
    spec(CommandName::Invite, "invite", 1, 1),
    spec(CommandName::Msg, "msg", 1, ANY),
    spec(CommandName::Me, "me", 1, ANY),
    spec(CommandName::Reply, "reply", 1, ANY),
    spec(CommandName::Edit, "edit", 0, ANY),
    spec(CommandName::React, "react", 1, 1),
    spec(CommandName::Nick, "nick", 1, 1),
    spec(CommandName::Away, "away", 0, ANY),
    spec(CommandName::Back, "back", 0, 0),
    spec(CommandName::Status, "status", 0, ANY),
    spec(CommandName::Who, "who", 0, 0),
    spec(CommandName::Whois, "whois", 1, 1),
    spec(CommandName::Mentions, "mentions", 0, 0),
    spec(CommandName::Search, "search", 0, ANY),
    spec(CommandName::Ignore, "ignore", 0, 1),
    spec(CommandName::Unignore, "unignore", 1, 1),
    spec(CommandName::Requests, "requests", 0, 0),
    spec(CommandName::Accept, "accept", 0, 1),
    spec(CommandName::Decline, "decline", 0, 1),
    spec(CommandName::Block, "block", 1, 1),
    spec(CommandName::Unblock, "unblock", 1, 1),
    spec(CommandName::Notify, "notify", 0, 1),
    spec(CommandName::Keywords, "keywords", 0, ANY),
    spec(CommandName::Typing, "typing", 0, 1),
    spec(CommandName::Op, "op", 1, 1),
    spec(CommandName::Deop, "deop", 1, 1),
    spec(CommandName::Kick, "kick", 1, ANY),
    spec(CommandName::Ban, "ban", 1, ANY),
    spec(CommandName::Unban, "unban", 1, 1),
    spec(CommandName::Mute, "mute", 1, 2),
    spec(CommandName::Unmute, "unmute", 1, 1),
    spec(CommandName::Slow, "slow", 1, 1),
    spec(CommandName::ReadOnly, "readonly", 1, 1),
    spec(CommandName::Log, "log", 0, 0),
    spec(CommandName::Bans, "bans", 0, 0),
    spec(CommandName::Clear, "clear", 0, 0),
    spec(CommandName::Theme, "theme", 0, 1),
    spec(CommandName::Set, "set", 0, ANY),
    spec(CommandName::History, "history", 0, 1),
    spec(CommandName::Select, "select", 0, 1),
    spec(CommandName::Do, "do", 0, 2),
    spec(CommandName::Pick, "pick", 1, 1),
    spec(CommandName::Draft, "draft", 0, 1),
    spec(CommandName::InviteLink, "invite-link", 0, ANY),
    spec(CommandName::Admin, "admin", 1, ANY),
    spec(CommandName::Devices, "devices", 0, 2),
    spec(CommandName::Account, "account", 1, 2),
    spec(CommandName::Link, "link", 0, 0),
    spec(CommandName::Connect, "connect", 0, 1),
    spec(CommandName::Disconnect, "disconnect", 0, 0),
    spec(CommandName::Quit, "quit", 0, 0),
];

/// The names of some commands in other chat clients.
pub const ALIASES: [(&str, CommandName); 5] = [
    ("part", CommandName::Leave),
    ("list", CommandName::Rooms),
    ("query", CommandName::Msg),
    ("names", CommandName::Who),
    ("q", CommandName::Quit),
];

impl CommandName {
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
pub enum ParsedLine {
    Empty,
    Say(Body),
    Private {
        name: String,
        text: String,
    },
    /// A command and its trimmed arguments.
    Command(CommandName, String),
    /// `s/old/new/`: replaces a part of our last message.
    Substitute {
        old: String,
        new: String,
    },
    /// A command with the wrong number of arguments, or a private message without a text.
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
    Argument(CommandName),
}

/// Whether the text is an escaped command: `//word` sends `/word` as an ordinary message. A comment (`// …`) or several
/// lines of code are not escaped commands and are sent unchanged.
fn is_escaped_command(text: &str) -> bool {
    let rest = text.strip_prefix("//");
    rest.is_some_and(|rest| rest.starts_with(char::is_alphabetic)) && !text.contains('\n')
}

/// Whether the first character is an escape and not sent: in `//word`, `\@name`, and what [`literal`] escapes.
fn has_escape(text: &str) -> bool {
    let unescaped = text.trim_start_matches('\\');
    let is_escaped = unescaped.len() < text.len();
    is_escaped_command(unescaped) || is_escaped && unescaped.starts_with(text::AT)
}

/// Escapes a text for the composer, so that exactly this text is sent. Commands and private messages are returned
/// unchanged.
pub fn literal(text: &str) -> Cow<'_, str> {
    if has_escape(text.trim_end()) {
        format!("\\{text}").into()
    } else {
        text.into()
    }
}

/// Parses a typed line.
pub fn parse(text: &str) -> ParsedLine {
    if text.trim().is_empty() {
        return ParsedLine::Empty;
    }
    if matches!(text.trim(), "exit" | "/exit" | "quit" | ":q" | ":wq") {
        return ParsedLine::Command(CommandName::Quit, String::new());
    }
    if has_escape(text.trim_end()) {
        return ParsedLine::Say(Body::Text(text[1..].trim_end().to_owned()));
    }
    if text.starts_with("//") {
        return ParsedLine::Say(Body::Text(text.trim_end().to_owned()));
    }
    if let Some(command) = text.strip_prefix('/') {
        return parse_command(command);
    }
    if let Some((old, new)) = substitution(text) {
        return ParsedLine::Substitute { old, new };
    }
    match addressee(text) {
        Some((name, rest)) if rest.trim().is_empty() => {
            let _ = name;
            ParsedLine::Missing(Missing::PrivateText)
        }
        Some((name, rest)) => ParsedLine::Private {
            name: name.to_owned(),
            text: rest.trim().to_owned(),
        },
        // A space before `@name` makes the message public; the space is not part of the text.
        None if text.trim_start().starts_with(text::AT) => {
            ParsedLine::Say(Body::Text(text.trim().to_owned()))
        }
        None => ParsedLine::Say(Body::Text(text.trim_end().to_owned())),
    }
}

/// The two parts of `s/old/new/` or `s/old/new`, in which `\/` is a slash. Returns `None` for any other line.
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
    // A word that ends with a full stop is never a recipient, even if somebody has that name. The prompt shows who the
    // line goes to.
    text::addressee(text, |_| false)
}

fn parse_command(line: &str) -> ParsedLine {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let argument = rest.trim();
    let Some(known) = find(word) else {
        return ParsedLine::Unknown {
            word: word.to_owned(),
            nearest: nearest(&word.to_lowercase()),
        };
    };
    let words = argument.split_whitespace().count();
    if !(known.min_words..=known.max_words).contains(&words) {
        return ParsedLine::Missing(Missing::Argument(known.name));
    }
    match known.name {
        CommandName::Me => ParsedLine::Say(Body::Action(argument.to_owned())),
        CommandName::Msg if words > 1 => {
            let (name, text) = first_word(argument);
            ParsedLine::Private {
                name: name.trim_start_matches('@').to_owned(),
                text: text.to_owned(),
            }
        }
        // `/edit s/old/new/` means the same as `s/old/new/` alone.
        CommandName::Edit if argument.starts_with("s/") => match substitution(argument) {
            Some((old, new)) => ParsedLine::Substitute { old, new },
            None => ParsedLine::Missing(Missing::Argument(CommandName::Edit)),
        },
        name => ParsedLine::Command(name, argument.to_owned()),
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
mod tests;
