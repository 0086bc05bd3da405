//! The value of every setting: read from the state, and changed in it.

use super::State;
use crate::tui::input::command::parse_switch;
use crate::tui::input::keymap::Preset;
use crate::tui::settings::notify_command::NotifyCommand;
use crate::tui::settings::time_format::TimeFormat;
use crate::tui::settings::typing::TypingMode;
use crate::tui::settings::{OFF, ON, Setting, Source, Sources};
use crate::tui::strings;
use crate::tui::terminal::caps::NotifyMethod;

impl Setting {
    /// All allowed values, except free text.
    pub fn values(self, state: &State) -> Vec<String> {
        let owned = |all: &[&str]| all.iter().map(|&it| it.to_owned()).collect();
        match self {
            Self::Theme => state.preferences.themes.clone(),
            Self::Lang => owned(&strings::LANGUAGES.map(|(name, _)| name)),
            Self::Keys => owned(&Preset::ALL.map(|(name, _)| name)),
            Self::Typing => owned(&TypingMode::ALL.map(|(name, _)| name)),
            Self::Notifications => owned(&NotifyMethod::ALL.map(|(name, _)| name)),
            Self::Links | Self::Panes | Self::Title => owned(&[ON, OFF]),
            Self::NotifyCommand => Vec::new(),
            Self::TimeFormat => owned(&TimeFormat::ALL.map(|(name, _)| name)),
        }
    }

    /// The value that a word means: one of [`Setting::values`] ignoring case, `true` or `false` for a switch, and any spelling of a
    /// language. Returns `None` if it means none of them.
    pub fn resolve_value(self, word: &str, state: &State) -> Option<String> {
        let values = self.values(state);
        let find = |word: &str| {
            let mut all = values.iter();
            all.find(|value| value.eq_ignore_ascii_case(word)).cloned()
        };
        find(word).or_else(|| match self {
            Self::Lang => strings::known(word).map(|known| known.language.to_owned()),
            Self::Typing => TypingMode::of(word).map(|mode| mode.name().to_owned()),
            Self::Notifications => NotifyMethod::find(word).map(|(name, _)| name.to_owned()),
            Self::Links | Self::Panes | Self::Title => {
                find(if parse_switch(word)? { ON } else { OFF })
            }
            Self::NotifyCommand => NotifyCommand::of(word).map(|it| it.written().to_owned()),
            Self::TimeFormat => TimeFormat::of(word).map(|it| it.name().to_owned()),
            Self::Theme | Self::Keys => None,
        })
    }

    /// The current value.
    pub fn value(self, state: &State) -> String {
        let switch = |is_on: bool| if is_on { ON } else { OFF };
        match self {
            Self::Theme => state.preferences.theme.as_str(),
            Self::Lang => state.preferences.strings.language,
            Self::Keys => state.input.keymap.preset.name(),
            Self::Typing => state.preferences.typing.name(),
            Self::Notifications => {
                let mut all = NotifyMethod::ALL.iter();
                let asked = all.find(|(_, way)| *way == state.preferences.notifier.requested);
                asked.map_or("", |(name, _)| name)
            }
            Self::Links => switch(state.preferences.links),
            Self::Panes => switch(state.preferences.shows_panes),
            Self::Title => switch(state.preferences.shows_title),
            Self::NotifyCommand => state.preferences.notify_command.written(),
            Self::TimeFormat => state.preferences.time_format.name(),
        }
        .to_owned()
    }

    /// Where the current value came from.
    pub fn source(self, state: &State) -> Source {
        match state.preferences.saved_settings.get(&self) {
            Some((source, value)) if *value == self.value(state) => *source,
            Some(_) => Source::Now,
            None => Source::Default,
        }
    }

    /// Records the current values as the ones read at the start.
    pub fn record_all(state: &mut State, sources: &Sources) {
        for (_, setting) in Self::ALL {
            let source = sources.get(&setting).copied().unwrap_or_default();
            let value = setting.value(state);
            state
                .preferences
                .saved_settings
                .insert(setting, (source, value));
        }
    }

    /// Changes the setting, except the theme, which the loop has to load. The value is one of [`Setting::values`].
    pub fn apply(self, state: &mut State, value: &str) {
        match self {
            Self::Theme => {}
            Self::Lang => state.preferences.strings = strings::of(value),
            Self::Keys => {
                if let Some(preset) = Preset::of(value) {
                    state.input.keymap = state.input.keymap.with(preset);
                }
            }
            Self::Typing => {
                state.preferences.typing =
                    TypingMode::of(value).unwrap_or(state.preferences.typing);
                if !state.preferences.typing.shows() {
                    state
                        .rooms
                        .list
                        .iter_mut()
                        .for_each(|room| room.typing.clear());
                }
            }
            Self::Notifications => {
                let wanted = NotifyMethod::ALL.iter().find(|(name, _)| *name == value);
                state.preferences.notifier.requested = wanted.and_then(|(_, way)| *way);
            }
            Self::Links => state.preferences.links = value == ON,
            Self::Panes => state.preferences.shows_panes = value == ON,
            Self::Title => state.preferences.shows_title = value == ON,
            Self::NotifyCommand => {
                state.preferences.notify_command = NotifyCommand::of(value).unwrap_or_default();
            }
            Self::TimeFormat => {
                state.preferences.time_format = TimeFormat::of(value).unwrap_or_default();
            }
        }
    }
}
