//! The user's preferences: language, theme, notifications and so on. `Setting` reads and changes them.

use crate::tui::settings::SavedSettings;
use crate::tui::settings::notify_command::NotifyCommand;
use crate::tui::settings::time_format::TimeFormat;
use crate::tui::settings::typing::TypingMode;
use crate::tui::strings::{ENGLISH, Strings};
use crate::tui::terminal::caps::Notifier;

#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a setting of its own.
pub struct Preferences {
    pub strings: &'static Strings,
    pub theme: String,
    /// The names of all themes.
    pub themes: Vec<String>,
    pub typing: TypingMode,
    pub time_format: TimeFormat,
    pub shows_panes: bool,
    /// Whether the title of the window shows what is unread.
    pub shows_title: bool,
    /// Whether web addresses are written as terminal hyperlinks.
    pub links: bool,
    /// Whether a browser can be started from here.
    pub has_desktop: bool,
    pub notifier: Notifier,
    /// The program that notifies the user, instead of the terminal.
    pub notify_command: NotifyCommand,
    /// The values that the program started with, or that were saved since.
    pub saved_settings: SavedSettings,
}

impl Preferences {
    pub(super) fn new() -> Self {
        Self {
            strings: &ENGLISH,
            theme: String::new(),
            themes: Vec::new(),
            typing: TypingMode::Both,
            time_format: TimeFormat::default(),
            shows_panes: true,
            shows_title: true,
            links: false,
            has_desktop: false,
            notifier: Notifier::OFF,
            notify_command: NotifyCommand::default(),
            saved_settings: SavedSettings::new(),
        }
    }
}
