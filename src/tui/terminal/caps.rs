//! The capabilities of the terminal, as detected before the loop starts.

use crate::text::Ambiguous;
use crate::tui::input::command::parse_switch;
use crate::tui::theme::{Background, Depth};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caps {
    pub depth: Depth,
    pub background: Background,
    /// The width of characters with ambiguous width; `None` if unknown.
    pub ambiguous: Option<Ambiguous>,
    /// Whether the terminal shows more than ASCII.
    pub unicode: bool,
    /// Whether the terminal supports hyperlinks, or at least ignores their sequences.
    pub links: bool,
    /// Whether graphical programs can be started from here.
    pub has_desktop: bool,
    pub notifier: Notifier,
}

impl Caps {
    /// The capabilities that remain in plain mode: at most a bell.
    #[must_use]
    pub fn plain(self, has_terminal: bool) -> Self {
        let asked = self
            .notifier
            .requested
            .filter(|way| *way == NotifyMethod::Off);
        Self {
            links: false,
            notifier: Notifier {
                known: if has_terminal {
                    NotifyMethod::Bell
                } else {
                    NotifyMethod::Off
                },
                requested: asked,
                in_tmux: false,
            },
            ..self
        }
    }
}

/// How a terminal shows a notification while the user is not looking at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notifier {
    /// The method this terminal supports.
    pub known: NotifyMethod,
    /// The method the user has set, which takes precedence.
    pub requested: Option<NotifyMethod>,
    /// Whether this runs inside tmux, which passes on only specially wrapped sequences.
    pub in_tmux: bool,
}

impl Notifier {
    /// No notifications.
    pub const OFF: Self = Self {
        known: NotifyMethod::Off,
        requested: None,
        in_tmux: false,
    };

    pub fn method(self) -> NotifyMethod {
        self.requested.unwrap_or(self.known)
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
    /// The methods by name; `None` means the one the terminal supports.
    pub const ALL: [(&'static str, Option<Self>); 6] = [
        ("auto", None),
        ("off", Some(Self::Off)),
        ("bell", Some(Self::Bell)),
        ("osc9", Some(Self::Osc9)),
        ("osc99", Some(Self::Osc99)),
        ("osc777", Some(Self::Osc777)),
    ];

    /// The row of [`NotifyMethod::ALL`] for a word, ignoring case; `true` is `auto` and `false` is `off`.
    pub fn find(word: &str) -> Option<(&'static str, Option<Self>)> {
        let word = match parse_switch(word) {
            Some(true) => "auto",
            Some(false) => "off",
            None => word,
        };
        let mut all = Self::ALL.into_iter();
        all.find(|(known, _)| known.eq_ignore_ascii_case(word))
    }
}
