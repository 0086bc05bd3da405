//! The config file: TOML in which every key is optional and an unknown key is an error. Values are checked here, so that an error names
//! its line.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::invalid::{Invalid, line_of};
use super::rooms::RoomTable;
use super::values::{self, Glyphs, Notifications, PersonName};
use super::{ServerLink, bridges, keys, limits};
use crate::chat::Registration;
use crate::chat::{FilterMode, Pin};
use crate::text::Ambiguous;
use crate::tui::settings::notify_command::NotifyCommand;
use crate::tui::settings::time_format::TimeFormat;
use crate::tui::settings::typing::TypingMode;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    pub name: Option<String>,
    /// The server to join: `HOST[:PORT]` or a link.
    #[serde(rename = "join", default, deserialize_with = "values::server")]
    pub server_link: Option<ServerLink>,
    pub room: Option<String>,
    pub theme: Option<Spanned<String>>,
    /// The language of the interface, en or zh-CN.
    #[serde(default, deserialize_with = "values::language")]
    pub lang: Option<String>,
    pub data: Option<PathBuf>,
    /// Megabytes of messages cached for each server and name.
    pub cache_mb: Option<u32>,
    /// How to notify users while they are elsewhere: auto, off, bell, osc9, osc99 or osc777.
    pub notifications: Option<Notifications>,
    /// Whether links are marked as hyperlinks for the terminal.
    #[serde(default, deserialize_with = "values::switch")]
    pub links: Option<bool>,
    /// Whether rooms and people are shown beside the messages.
    #[serde(default, deserialize_with = "values::switch")]
    pub panes: Option<bool>,
    /// Whether the window title shows unread counts.
    #[serde(default, deserialize_with = "values::switch")]
    pub title: Option<bool>,
    /// The program to run instead of the terminal's own notification.
    #[serde(default, deserialize_with = "values::notify_command")]
    pub notify_command: Option<NotifyCommand>,
    /// How the time of a message is written: 24h, 12h, seconds, or a `strftime` pattern.
    #[serde(default, deserialize_with = "values::time_format")]
    pub time_format: Option<TimeFormat>,
    /// The symbols on the screen: auto, or ascii if the terminal draws others too wide.
    pub glyphs: Option<Glyphs>,
    /// How wide the terminal draws characters of ambiguous width: narrow, wide, or auto to ask it.
    #[serde(default, deserialize_with = "values::ambiguous")]
    pub ambiguous: Option<Ambiguous>,
    /// Whether to print line by line instead of drawing a screen.
    #[serde(default, deserialize_with = "values::switch")]
    pub plain: Option<bool>,
    /// Typing indicators: on, show, send or off.
    #[serde(default, deserialize_with = "values::typing")]
    pub typing: Option<TypingMode>,
    /// The command that edits a text; `$VISUAL` or `$EDITOR` if absent.
    pub editor: Option<String>,
    #[serde(default)]
    pub keys: keys::KeysTable,
    #[serde(default)]
    pub server: ServerTable,
    #[serde(default)]
    pub limits: limits::LimitsTable,
    #[serde(default)]
    pub bridges: bridges::BridgesTable,
    /// The rooms that exist from the start; everyone starts in the first one.
    #[serde(default)]
    pub rooms: Vec<RoomTable>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table, written as [server]; the server to join is `join`"
)]
pub struct ServerTable {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub log_dir: Option<PathBuf>,
    #[serde(default, deserialize_with = "values::switch")]
    pub log_messages: Option<bool>,
    #[serde(default, deserialize_with = "values::duration")]
    pub idle_exit: Option<Duration>,
    #[serde(default)]
    pub operators: Vec<PersonName>,
    pub burst: Option<u32>,
    pub per_second: Option<u32>,
    #[serde(default, deserialize_with = "values::switch")]
    pub reflection: Option<bool>,
    #[serde(default, deserialize_with = "values::switch")]
    pub metrics: Option<bool>,
    /// A certificate chain and its key (PEM), instead of the server's own.
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
    /// Additional host names of this server, besides the one that it listens on.
    #[serde(default)]
    pub public: Vec<String>,
    /// The pins of proxies that end TLS in front of this server.
    #[serde(default, deserialize_with = "values::pins")]
    pub proxy_pins: Vec<Pin>,
    /// Who may make an account.
    #[serde(default, deserialize_with = "values::registration")]
    pub registration: Option<Registration>,
    /// A file of forbidden words, one per line; they are `masked` or `refused`.
    pub words: Option<PathBuf>,
    #[serde(default, deserialize_with = "values::mode")]
    pub words_are: FilterMode,
    /// The retention of rooms that do not set their own: a number of entries, and a time like `30d`.
    pub keep: Option<u64>,
    #[serde(default, deserialize_with = "values::age")]
    pub keep_for: Option<Duration>,
}

impl From<toml::de::Error> for Invalid {
    fn from(error: toml::de::Error) -> Self {
        let message = error.message().trim();
        Self {
            at: error.span().map_or(0, |span| span.start),
            why: unknown_key(message).unwrap_or_else(|| message.to_owned()),
        }
    }
}

/// Parses the text of a config file.
///
/// # Errors
/// A key or value cannot be used. The error has its byte offset and says what to write instead.
pub fn parse(text: &str) -> Result<ConfigFile, Invalid> {
    toml::from_str(text).map_err(Invalid::from)
}

/// Parses everything that can be used in the text of a config file, and returns the errors in the rest.
pub fn parse_usable(text: &str) -> (ConfigFile, Vec<Invalid>) {
    if let Ok(file) = parse(text) {
        return (file, Vec::new());
    }
    let (mut table, broken) = DeTable::parse_recoverable(text);
    let mut wrong: Vec<Invalid> = broken.into_iter().map(Invalid::from).collect();
    loop {
        let error = match ConfigFile::deserialize(Deserializer::from(table.clone())) {
            Ok(file) => return (file, wrong),
            Err(error) => Invalid::from(error),
        };
        let at = error.at;
        // The consequences of a broken line are not reported as a second error.
        let line = line_of(text, at);
        if wrong.iter().all(|known| line_of(text, known.at) != line) {
            wrong.push(error);
        }
        if !remove_key_at(table.get_mut(), at) {
            return (ConfigFile::default(), wrong);
        }
    }
}

/// Removes from a table the key at a byte offset of the text. Returns whether there was one.
fn remove_key_at(table: &mut DeTable<'_>, at: usize) -> bool {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        let span = value.span();
        let mut is_here = key.span().contains(&at) || (span.start..=span.end).contains(&at);
        if let DeValue::Table(inner) = value.get_mut()
            && remove_key_at(inner, at)
        {
            return true;
        }
        if let DeValue::Array(items) = value.get_mut() {
            for item in items.iter_mut() {
                is_here |= item.span().contains(&at);
                if let DeValue::Table(inner) = item.get_mut()
                    && remove_key_at(inner, at)
                {
                    return true;
                }
            }
        }
        if is_here {
            found = Some(key.get_ref().clone().into_owned());
        }
    }
    found.is_some_and(|key| table.remove(key.as_str()).is_some())
}

/// Returns the text for an error about an unknown key: the nearest known key, or where it belongs. `None` for any other error.
///
/// serde lists the keys of a table only in its error message. Reading them from there keeps the list in one place: the types.
fn unknown_key(message: &str) -> Option<String> {
    message.strip_prefix("unknown field ")?;
    let named = backquoted(message);
    let (key, known) = named.split_first()?;
    if let Some(near) = nearest(key, known) {
        return Some(format!("unknown key '{key}'; did you mean '{near}'?"));
    }
    let elsewhere = sections().into_iter().find(|(_, keys)| {
        let is_here = keys.iter().map(String::as_str).eq(known.iter().copied());
        !is_here && keys.iter().any(|other| other == key)
    });
    if let Some((section, _)) = elsewhere {
        let place = match section {
            "" => "above the first [section]".to_owned(),
            section => format!("in {section}"),
        };
        return Some(format!("unknown key '{key}' here; it belongs {place}"));
    }
    let known = known.join(", ");
    Some(format!("unknown key '{key}'; the keys here are {known}"))
}

/// The words in backquotes, in order.
fn backquoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// Returns the known key that was most likely meant: one begins with the other, or few letters differ.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    /// The maximum number of differing letters, and the minimum length of a common beginning.
    const MAX_DIFFERENCES: usize = 2;
    const MIN_PREFIX: usize = 3;
    let written = key.to_lowercase().replace('-', "_");
    let begins = |other: &&&str| {
        let shorter = written.len().min(other.len());
        shorter >= MIN_PREFIX && (other.starts_with(&written) || written.starts_with(**other))
    };
    let distance = |other: &&str| strsim::damerau_levenshtein(other, &written);
    let close = known.iter().copied().min_by_key(distance);
    let close =
        close.filter(|other| distance(other) <= MAX_DIFFERENCES && distance(other) < other.len());
    close.or_else(|| known.iter().find(begins).copied())
}

/// Returns the tables of the file, each with its keys.
fn sections() -> [(&'static str, Vec<String>); 6] {
    [
        ("", keys_of::<ConfigFile>()),
        ("[server]", keys_of::<ServerTable>()),
        ("[limits]", keys_of::<limits::LimitsTable>()),
        ("[[rooms]]", keys_of::<RoomTable>()),
        ("[bridges]", keys_of::<bridges::BridgesTable>()),
        ("[keys]", keys_of::<keys::KeysTable>()),
    ]
}

/// Returns the keys of a table, as serde lists them in an error about an unknown key.
fn keys_of<T: DeserializeOwned>() -> Vec<String> {
    let error = toml::from_str::<T>("'?' = 0").err();
    let message = error.as_ref().map_or("", toml::de::Error::message);
    let keys = backquoted(message).into_iter().skip(1);
    keys.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn error(text: &str) -> String {
        let wrong = parse(text).unwrap_err();
        wrong.into_error(Path::new("config.toml"), text).to_string()
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let unknown = error("name = \"ann\"\n\ncolour = \"red\"\n");
        assert!(
            unknown.starts_with(
                "cannot use the config file 'config.toml', line 3, at 'colour': unknown key"
            ),
            "{unknown}"
        );
        let wrong = error("[server]\nport = \"many\"\n");
        assert!(
            wrong.contains("line 2, at 'port'") && wrong.contains("invalid type"),
            "{wrong}"
        );
        let broken = error("name = \n");
        assert!(broken.contains("line 1, at 'name'"), "{broken}");
    }

    #[test]
    fn an_unknown_key_gets_a_suggestion() {
        for (text, line, meant) in [
            ("nmae = \"ann\"\n", 1, "did you mean 'name'?"),
            ("Name = \"ann\"\n", 1, "did you mean 'name'?"),
            ("language = \"en\"\n", 1, "did you mean 'lang'?"),
            ("cache-mb = 5\n", 1, "did you mean 'cache_mb'?"),
            ("[server]\nprot = 1\n", 2, "did you mean 'port'?"),
            ("[server]\nlog-dir = \"x\"\n", 2, "did you mean 'log_dir'?"),
            ("[keys]\npresets = \"emacs\"\n", 2, "did you mean 'preset'?"),
            ("[bridges]\ngchat = {}\n", 2, "did you mean 'gochat'?"),
            (
                "[bridges]\nchat = { listn = [] }\n",
                2,
                "did you mean 'listen'?",
            ),
            (
                "[[rooms]]\nname = \"x\"\ntopics = \"y\"\n",
                3,
                "did you mean 'topic'?",
            ),
        ] {
            let said = error(text);
            assert!(said.contains(&format!("line {line}, at '")), "{said}");
            assert!(said.contains(meant), "{said}");
        }
    }

    #[test]
    fn a_key_in_the_wrong_section_is_reported_with_the_right_one() {
        for (text, place) in [
            (
                "[[rooms]]\nname = \"x\"\ntheme = \"paper\"\n",
                "'theme' here; it belongs above the first [section]",
            ),
            (
                "[server]\nlang = \"en\"\n",
                "'lang' here; it belongs above the first [section]",
            ),
            (
                "idle_exit = \"5m\"\n",
                "'idle_exit' here; it belongs in [server]",
            ),
            (
                "preset = \"emacs\"\n",
                "'preset' here; it belongs in [keys]",
            ),
            ("capacity = 3\n", "'capacity' here; it belongs in [[rooms]]"),
        ] {
            let said = error(text);
            assert!(said.contains(place), "{said}");
        }
        let nowhere = error("colour = \"red\"\n");
        assert!(
            nowhere.contains("unknown key 'colour'; the keys here are name, join, room"),
            "{nowhere}"
        );
    }

    #[test]
    fn a_switch_accepts_every_spelling_of_on_and_off() {
        for word in ["true", "\"true\"", "\"on\"", "\"ON\"", "\"yes\"", "1"] {
            let text = format!(
                "panes = {word}\nlinks = {word}\nplain = {word}\ntyping = {word}\nnotifications = {word}\n[server]\nlog_messages = {word}\nmetrics = {word}\nreflection = {word}\n[bridges]\non = {word}\nuser = {{ on = {word} }}\n"
            );
            let file = parse(&text).unwrap();
            let switches = [file.panes, file.links, file.plain];
            assert_eq!(switches, [Some(true); 3], "{word}");
            assert_eq!(file.typing, Some(TypingMode::Both), "{word}");
            assert_eq!(file.notifications.unwrap().0, None, "{word}");
            let server = [
                file.server.log_messages,
                file.server.metrics,
                file.server.reflection,
            ];
            assert_eq!(server, [Some(true); 3], "{word}");
            assert_eq!(file.bridges.on, Some(true), "{word}");
            assert_eq!(file.bridges.user.on, Some(true), "{word}");
        }
        for word in ["false", "\"off\"", "\"False\"", "\"no\"", "0"] {
            let file = parse(&format!("panes = {word}\ntyping = {word}\n")).unwrap();
            assert_eq!(file.panes, Some(false), "{word}");
            assert_eq!(file.typing, Some(TypingMode::Off), "{word}");
        }
    }

    #[test]
    fn an_invalid_value_is_reported_with_its_line() {
        for (text, line, why) in [
            ("\npanes = \"maybe\"\n", 2, "'maybe' is not on or off"),
            ("typing = 3\n", 1, "'3' is not one of on, show, send, off"),
            ("name = \"x\"\nlang = \"fr\"\n", 2, "use en or zh-CN"),
            ("glyphs = \"big\"\n", 1, "neither auto nor ascii"),
            ("ambiguous = \"big\"\n", 1, "not one of auto, narrow, wide"),
            (
                "notifications = \"mail\"\n",
                1,
                "not one of auto, off, bell",
            ),
            ("join = \"a:b:c\"\n", 1, "cannot use 'a:b:c'"),
            ("title = \"maybe\"\n", 1, "not on or off"),
            ("time_format = \"noon\"\n", 1, "or a pattern like %H:%M"),
            ("notify_command = \"say 'x\"\n", 1, "not closed"),
            ("join = 50051\n", 1, "expected HOST or HOST:PORT"),
            (
                "[server]\nidle_exit = \"soon\"\n",
                2,
                "cannot read the time 'soon'",
            ),
            ("[server]\nkeep_for = 30\n", 2, "for days write \"30d\""),
            (
                "[server]\nwords_are = \"hidden\"\n",
                2,
                "neither masked nor refused",
            ),
            (
                "[server]\noperators = [\n  \"ann\",\n  \"a b\",\n]\n",
                4,
                "'a b' cannot be a name",
            ),
            (
                "[bridges]\nchat = { listen = [\"here:many\"] }\n",
                2,
                "cannot use 'here:many'",
            ),
            (
                "[bridges]\nchat = { listen = [99999] }\n",
                2,
                "the port 99999 is not between 1 and 65535",
            ),
            (
                "server = \"chat.example.org\"\n",
                1,
                "the server to join is `join`",
            ),
        ] {
            let said = error(text);
            assert!(said.contains(&format!(", line {line}, at '")), "{said}");
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn errors_leave_the_rest_usable() {
        for (text, wrong) in [
            ("nmae = \"x\"\nroom = \"tech\"\n", 1),
            ("nmae = \"x\"\nroon = \"y\"\nroom = \"tech\"\n", 2),
            ("room = \"tech\"\npanes = \"maybe\"\ntyping = 3\n", 2),
            ("name = \nroom = \"tech\"\n", 1),
            ("room = \"tech\"\n[servr]\nport = 1\nhost = \"h\"\n", 1),
            ("room = \"tech\"\n[[rooms]]\ntopic = \"no name\"\n", 1),
            (
                "room = \"tech\"\n[server]\noperatrs = [\n\"a\",\n\"b\",\n]\nport = 7\n",
                1,
            ),
            ("room = \"tech\"\nname = \"\"\"no end\n", 1),
        ] {
            let (file, all) = parse_usable(text);
            assert_eq!(all.len(), wrong, "{text}: {all:?}");
            assert_eq!(file.room.as_deref(), Some("tech"), "{text}");
        }
        let (file, _) = parse_usable("[server]\nprot = 1\nport = 7\n");
        assert_eq!(file.server.port, Some(7));
        for text in ["\u{0}", "=", "]", "[", "\"", "\r", "a.b", "[a]\n[a]\n"] {
            let (file, wrong) = parse_usable(text);
            assert!(file.name.is_none() && !wrong.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_time_without_a_unit_is_in_seconds() {
        for word in ["300", "\"300\"", "\"300s\"", "\"5m\""] {
            let file = parse(&format!("[server]\nidle_exit = {word}\n")).unwrap();
            assert_eq!(
                file.server.idle_exit,
                Some(Duration::from_mins(5)),
                "{word}"
            );
        }
    }

    #[test]
    fn every_key_is_optional() {
        assert!(parse("").is_ok());
        let file = parse("[[rooms]]\nname = \"大厅\"\n[server]\noperators = [\"张三\"]\n").unwrap();
        assert_eq!(file.rooms.len(), 1);
        assert_eq!(file.server.operators[0].0.as_str(), "张三");
    }
}
