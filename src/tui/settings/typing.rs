//! Typing indicators: whether the user sees those of others, and whether others see the user's.

use crate::tui::input::command::parse_switch;

/// Which typing indicators are shown and sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TypingMode {
    #[default]
    Both,
    /// Show those of others, send none.
    Show,
    /// Send the user's own, show none.
    Send,
    Off,
}

impl TypingMode {
    pub const ALL: [(&'static str, Self); 4] = [
        ("on", Self::Both),
        ("show", Self::Show),
        ("send", Self::Send),
        ("off", Self::Off),
    ];

    /// The mode of a word, in upper or lower case; `true` and `false` are `on` and `off`.
    pub fn of(word: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        let known = all.find(|(known, _)| known.eq_ignore_ascii_case(word));
        known.map(|(_, mode)| *mode).or_else(|| {
            let is_on = parse_switch(word)?;
            Some(if is_on { Self::Both } else { Self::Off })
        })
    }

    /// The word for this mode.
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.iter();
        let known = all.find(|(_, known)| *known == self);
        known.map_or("", |(word, _)| word)
    }

    pub const fn shows(self) -> bool {
        matches!(self, Self::Both | Self::Show)
    }

    pub const fn sends(self) -> bool {
        matches!(self, Self::Both | Self::Send)
    }
}
