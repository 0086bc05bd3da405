//! The user's editor, login name, language and time zone, from the environment.

use jiff::tz::TimeZone;

use super::variable;
use crate::chat::UserName;

/// Returns the command that edits a text: the one of the config file, or `$VISUAL`, or `$EDITOR`.
pub fn editor(named: Option<&String>) -> String {
    let named = named
        .filter(|command| !command.trim().is_empty())
        .cloned()
        .or_else(|| variable("VISUAL"))
        .or_else(|| variable("EDITOR"));
    let usual = if cfg!(windows) { "notepad" } else { "vi" };
    named.unwrap_or_else(|| usual.into())
}

/// Returns the login name, without characters that a user name may not have.
pub fn login_name() -> String {
    let login = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(variable)
        .unwrap_or_default();
    if UserName::new(&login).is_ok() {
        return login;
    }
    login
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        .take(UserName::LIMIT)
        .collect()
}

/// Returns the language of the locale, as a tag like `zh-CN`.
pub fn locale() -> String {
    let value = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(variable)
        .unwrap_or_default();
    let tag = value
        .split('.')
        .next()
        .unwrap_or_default()
        .replace('_', "-");
    if tag.is_empty() || tag == "C" || tag == "POSIX" {
        "en".into()
    } else {
        tag.chars().take(35).collect()
    }
}

/// Returns the time zone for the screen. Without `TZ` it is read from `/etc/localtime` directly: the system lookup would search all
/// zones for the name of this one, which is never shown.
pub fn zone() -> TimeZone {
    let local = || {
        let bytes = std::fs::read("/etc/localtime").ok()?;
        TimeZone::tzif("local", &bytes).ok()
    };
    match variable("TZ") {
        None if cfg!(unix) => local().unwrap_or_else(TimeZone::system),
        _ => TimeZone::system(),
    }
}
