//! The language of the interface, and of errors before the configuration is known.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Result, bail};
use directories::ProjectDirs;

use super::environment::locale;
use super::file::{self, ConfigFile};
use super::{ConfigSource, variable};
use crate::tui::strings::{self, Strings};

/// Returns the language of help and errors before the command line is parsed: that of the flag, variable, config file or locale.
pub fn language_of(words: &[OsString]) -> &'static Strings {
    let flag = |name: &str| {
        let mut words = words.iter().filter_map(|word| word.to_str());
        let begins = format!("{name}=");
        loop {
            let word = words.next()?;
            if let Some(value) = word.strip_prefix(&begins) {
                return Some(value.to_owned());
            }
            if word == name {
                return words.next().map(str::to_owned);
            }
        }
    };
    let asked = flag("--lang").or_else(|| variable("TCHAT_LANG"));
    let asked = asked.or_else(|| {
        let named = flag("--config").or_else(|| variable("TCHAT_CONFIG"));
        let project = ProjectDirs::from("", "", "tchat")?;
        let found = ConfigSource::find(named.as_deref().map(Path::new), &project);
        file::parse_usable(&found.text).0.lang
    });
    strings::of(&asked.unwrap_or_else(locale))
}

/// Returns the language of the interface: that of the flag, the config file or the locale.
pub(super) fn language(flag: Option<&str>, file: &ConfigFile) -> Result<String> {
    let Some(asked) = flag else {
        return Ok(file.lang.clone().unwrap_or_else(locale));
    };
    match strings::known(asked) {
        Some(known) => Ok(known.language.to_owned()),
        None => bail!("cannot use --lang '{asked}': no such language; use en or zh-CN"),
    }
}
