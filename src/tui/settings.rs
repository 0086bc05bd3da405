//! Settings that can be changed at run time: one table of settings, their values and where those came from. Pure.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod notify_command;
pub mod time_format;
pub mod typing;

use std::collections::HashMap;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Setting {
    Theme,
    Lang,
    Keys,
    Typing,
    Notifications,
    Links,
    Panes,
    Title,
    NotifyCommand,
    TimeFormat,
}

impl Setting {
    /// The name of each setting, also its key in the config file unless [`Setting::path`] differs.
    pub const ALL: [(&'static str, Self); 10] = [
        ("theme", Self::Theme),
        ("lang", Self::Lang),
        ("keys", Self::Keys),
        ("typing", Self::Typing),
        ("notifications", Self::Notifications),
        ("links", Self::Links),
        ("panes", Self::Panes),
        ("title", Self::Title),
        ("notify_command", Self::NotifyCommand),
        ("time_format", Self::TimeFormat),
    ];

    pub fn of(name: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|(known, _)| *known == name);
        known.map(|(_, setting)| setting)
    }

    pub fn name(self) -> &'static str {
        let known = Self::ALL.into_iter().find(|(_, known)| *known == self);
        known.map_or("", |(name, _)| name)
    }

    /// The setting's path in the config file.
    pub const fn path(self) -> &'static [&'static str] {
        match self {
            Self::Theme => &["theme"],
            Self::Lang => &["lang"],
            Self::Keys => &["keys", "preset"],
            Self::Typing => &["typing"],
            Self::Notifications => &["notifications"],
            Self::Links => &["links"],
            Self::Panes => &["panes"],
            Self::Title => &["title"],
            Self::NotifyCommand => &["notify_command"],
            Self::TimeFormat => &["time_format"],
        }
    }

    /// Whether the value may have several words.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::NotifyCommand | Self::TimeFormat)
    }
}

pub const ON: &str = "on";
pub const OFF: &str = "off";

/// Where a value came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Source {
    #[default]
    Default,
    /// The config file.
    File,
    /// A command-line flag or an environment variable.
    Flag,
    /// Changed while the program is running.
    Now,
}

/// The sources of the values that are not defaults.
pub type Sources = HashMap<Setting, Source>;

/// The value of each setting when it was last read or saved, and its source.
pub type SavedSettings = HashMap<Setting, (Source, String)>;
