//! Deserializers for config values that have rules beyond TOML. They run while the file is read, so that an error names the line. They do
//! not know which key a value belongs to.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

use super::{Address, ServerLink, time, without_secret};
use crate::chat::{FilterMode, Networks, Pin, Registration, UserName};
use crate::text::Ambiguous;
use crate::tui::input::command::parse_switch;
use crate::tui::settings::notify_command::NotifyCommand;
use crate::tui::settings::time_format::TimeFormat;
use crate::tui::settings::typing::TypingMode;
use crate::tui::strings;
use crate::tui::terminal::caps::NotifyMethod;

/// Parses a value from its text.
struct TextVisitor<T> {
    read: fn(&str) -> Result<T, String>,
    /// Completes "invalid type: …, expected …".
    expected: &'static str,
    /// Whether `true` and `12` are read like `"true"` and `"12"`, for people who leave out the quotes.
    takes_all: bool,
}

impl<T> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<T, E> {
        (self.read)(word).map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, is_on: bool) -> Result<T, E> {
        if !self.takes_all {
            return Err(E::invalid_type(Unexpected::Bool(is_on), &self));
        }
        self.visit_str(if is_on { "true" } else { "false" })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        if !self.takes_all {
            return Err(E::invalid_type(Unexpected::Signed(number), &self));
        }
        self.visit_str(&number.to_string())
    }
}

/// Reads a string, a switch or a number.
fn parse_scalar<'de, D: Deserializer<'de>, T>(
    value: D,
    expected: &'static str,
    read: fn(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    value.deserialize_any(TextVisitor {
        read,
        expected,
        takes_all: true,
    })
}

/// Reads a string, and nothing else.
fn text<'de, D: Deserializer<'de>, T>(
    value: D,
    expected: &'static str,
    read: fn(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    value.deserialize_any(TextVisitor {
        read,
        expected,
        takes_all: false,
    })
}

/// On or off: `true`, `false`, `"on"`, `"off"`.
pub fn switch<'de, D: Deserializer<'de>>(value: D) -> Result<Option<bool>, D::Error> {
    parse_scalar(value, "on or off", |word| match parse_switch(word) {
        Some(is_on) => Ok(Some(is_on)),
        None => Err(format!("'{word}' is not on or off (use on or off)")),
    })
}

/// A time: `"5m"`, or a number of seconds.
pub fn duration<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    parse_scalar(value, "a time like \"5m\"", |word| {
        time(word).map(Some).map_err(|error| error.to_string())
    })
}

/// How long to keep something. A bare number is refused: older entries are deleted, and somebody who writes `30` means days.
pub fn age<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    parse_scalar(value, "a time like \"30d\"", |word| {
        if word.trim().parse::<u64>().is_ok() {
            let days = word.trim();
            return Err(format!("'{days}' has no unit; for days write \"{days}d\""));
        }
        time(word).map(Some).map_err(|error| error.to_string())
    })
}

/// The server to join.
pub fn server<'de, D: Deserializer<'de>>(value: D) -> Result<Option<ServerLink>, D::Error> {
    text(value, "HOST or HOST:PORT", |word| {
        let address: Result<ServerLink, _> = word.parse();
        let wrong = |error| format!("cannot use '{}': {error}", without_secret(word));
        address.map(Some).map_err(wrong)
    })
}

/// The name of a language, as `/set lang` shows it.
pub fn language<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    text(value, "a language", |word| match strings::known(word) {
        Some(known) => Ok(Some(known.language.to_owned())),
        None => Err(format!("there is no language '{word}'; use en or zh-CN")),
    })
}

/// Typing indicators: on, show, send or off.
pub fn typing<'de, D: Deserializer<'de>>(value: D) -> Result<Option<TypingMode>, D::Error> {
    parse_scalar(value, "on, show, send or off", |word| {
        let wrong = || format!("'{word}' is not one of on, show, send, off");
        TypingMode::of(word).map(Some).ok_or_else(wrong)
    })
}

/// The program that shows notifications.
pub fn notify_command<'de, D>(value: D) -> Result<Option<NotifyCommand>, D::Error>
where
    D: Deserializer<'de>,
{
    text(value, "a program with its arguments, or \"none\"", |word| {
        let wrong = || format!("'{word}' has a quote that is not closed");
        NotifyCommand::of(word).map(Some).ok_or_else(wrong)
    })
}

/// How times are written.
pub fn time_format<'de, D: Deserializer<'de>>(value: D) -> Result<Option<TimeFormat>, D::Error> {
    text(value, "24h, 12h, seconds or a pattern", |word| {
        let wrong = || format!("'{word}' is not 24h, 12h, seconds or a pattern like %H:%M");
        TimeFormat::of(word).map(Some).ok_or_else(wrong)
    })
}

/// How to notify; `None` means in the way that the terminal supports.
#[derive(Clone, Copy, Debug)]
pub struct Notifications(pub Option<NotifyMethod>);

impl<'de> Deserialize<'de> for Notifications {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        parse_scalar(value, "a notification method", |word| {
            let all = || NotifyMethod::ALL.map(|(name, _)| name).join(", ");
            let row = NotifyMethod::find(word)
                .ok_or_else(|| format!("'{word}' is not one of {}", all()))?;
            Ok(Self(row.1))
        })
    }
}

/// Which symbols are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Glyphs {
    /// Unicode symbols if the terminal has them.
    Auto,
    Ascii,
}

impl<'de> Deserialize<'de> for Glyphs {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        text(value, "auto or ascii", |word| {
            match word.to_ascii_lowercase().as_str() {
                "auto" => Ok(Self::Auto),
                "ascii" => Ok(Self::Ascii),
                _ => Err(format!("'{word}' is neither auto nor ascii")),
            }
        })
    }
}

/// How wide characters of ambiguous width are; `None` means that the terminal is asked.
pub fn ambiguous<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Ambiguous>, D::Error> {
    text(value, "auto, narrow or wide", |word| {
        match word.to_ascii_lowercase().as_str() {
            "auto" => Ok(None),
            "narrow" => Ok(Some(Ambiguous::Narrow)),
            "wide" => Ok(Some(Ambiguous::Wide)),
            _ => Err(format!("'{word}' is not one of auto, narrow, wide")),
        }
    })
}

/// What to do with messages that contain words of `[server] words`.
pub fn mode<'de, D: Deserializer<'de>>(value: D) -> Result<FilterMode, D::Error> {
    text(value, "masked or refused", |word| {
        match word.to_ascii_lowercase().as_str() {
            "masked" => Ok(FilterMode::Mask),
            "refused" => Ok(FilterMode::Refuse),
            _ => Err(format!("'{word}' is neither masked nor refused")),
        }
    })
}

/// Who may make an account.
pub fn registration<'de, D>(value: D) -> Result<Option<Registration>, D::Error>
where
    D: Deserializer<'de>,
{
    text(value, "open, invite or closed", |word| {
        match word.to_ascii_lowercase().as_str() {
            "open" => Ok(Some(Registration::Open)),
            "invite" => Ok(Some(Registration::Invite)),
            "closed" => Ok(Some(Registration::Closed)),
            _ => Err(format!("'{word}' is not one of open, invite, closed")),
        }
    })
}

/// A list of networks like `10.0.0.0/8`.
pub fn networks<'de, D>(value: D) -> Result<Option<Networks>, D::Error>
where
    D: Deserializer<'de>,
{
    let texts = Vec::<String>::deserialize(value)?;
    let networks = Networks::parse(texts.iter().map(String::as_str));
    networks.map(Some).map_err(D::Error::custom)
}

/// A list of pins.
pub fn pins<'de, D>(value: D) -> Result<Vec<Pin>, D::Error>
where
    D: Deserializer<'de>,
{
    let texts = Vec::<String>::deserialize(value)?;
    let pin = |text: &String| {
        let wrong = |error| D::Error::custom(format!("'{text}' is not a pin: {error}"));
        text.parse().map_err(wrong)
    };
    texts.iter().map(pin).collect()
}

/// Somebody's name.
#[derive(Clone, Debug)]
pub struct PersonName(pub UserName);

impl<'de> Deserialize<'de> for PersonName {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        text(value, "a name", |word| {
            let wrong = |error| format!("'{word}' cannot be a name: {error}");
            UserName::new(word).map(Self).map_err(wrong)
        })
    }
}

/// Where a bridge listens besides the main address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Listen {
    /// A port on the host of the main address.
    Port(u16),
    At(Address),
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        parse_scalar(value, "PORT or HOST:PORT", |word| {
            let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
            if is_number {
                let port = word.parse::<u16>().ok().filter(|port| *port > 0);
                let wrong = || format!("the port {word} is not between 1 and 65535");
                return port.map(Self::Port).ok_or_else(wrong);
            }
            let wrong = |error| format!("cannot use '{word}': {error}");
            word.parse::<Address>().map(Self::At).map_err(wrong)
        })
    }
}

impl Listen {
    /// Returns the address to listen on, for a server whose main address has this host.
    pub fn on(&self, host: &str) -> Address {
        match self {
            Self::Port(port) => Address {
                host: host.to_owned(),
                port: *port,
            },
            Self::At(address) => address.clone(),
        }
    }
}
