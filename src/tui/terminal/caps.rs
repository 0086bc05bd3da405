//! What a terminal can do, as it was found out before the loop began.

use crate::text::Ambiguous;
use crate::tui::input::command::switched;
use crate::tui::theme::{Background, Depth};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    pub depth: Depth,
    pub ground: Background,
    /// How wide it draws characters of ambiguous width; nothing as long as that is not known.
    pub ambiguous: Option<Ambiguous>,
    /// Whether it shows more than ASCII.
    pub unicode: bool,
    /// Whether it leads to addresses, or passes over what it does not know.
    pub links: bool,
    /// Whether programs with windows can be opened from here.
    pub has_desktop: bool,
    pub notifier: Notifier,
}

impl Caps {
    /// What is left where nothing but lines is written: a bell, if that.
    #[must_use]
    pub fn plain(self, has_terminal: bool) -> Self {
        let asked = self.notifier.asked.filter(|way| *way == NotifyMethod::Off);
        Self {
            links: false,
            notifier: Notifier {
                known: if has_terminal {
                    NotifyMethod::Bell
                } else {
                    NotifyMethod::Off
                },
                asked,
                in_tmux: false,
            },
            ..self
        }
    }
}

/// How a terminal tells of something while nobody looks at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notifier {
    /// The way this terminal knows.
    pub known: NotifyMethod,
    /// The way that is wanted, whatever it knows.
    pub asked: Option<NotifyMethod>,
    /// It is shown inside tmux, which passes on only what is wrapped for that.
    pub in_tmux: bool,
}

impl Notifier {
    /// Tells of nothing.
    pub const OFF: Self = Self {
        known: NotifyMethod::Off,
        asked: None,
        in_tmux: false,
    };

    pub fn way(self) -> NotifyMethod {
        self.asked.unwrap_or(self.known)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotifyMethod {
    Off,
    Bell,
    /// `iTerm2`, `WezTerm`, Ghostty.
    Osc9,
    /// kitty.
    Osc99,
    /// urxvt, foot, VTE.
    Osc777,
}

impl NotifyMethod {
    /// By name; nothing is the one the terminal knows.
    pub const ALL: [(&'static str, Option<Self>); 6] = [
        ("auto", None),
        ("off", Some(Self::Off)),
        ("bell", Some(Self::Bell)),
        ("osc9", Some(Self::Osc9)),
        ("osc99", Some(Self::Osc99)),
        ("osc777", Some(Self::Osc777)),
    ];

    /// The row of [`NotifyMethod::ALL`] for a word, in upper or lower case; `true` is `auto` and `false` is `off`.
    pub fn row(word: &str) -> Option<(&'static str, Option<Self>)> {
        let word = match switched(word) {
            Some(true) => "auto",
            Some(false) => "off",
            None => word,
        };
        let mut all = Self::ALL.into_iter();
        all.find(|(known, _)| known.eq_ignore_ascii_case(word))
    }
}
