//! What the terminal can do, according to environment variables.

use super::file::ConfigFile;
use super::values::Glyphs;
use super::variable;
use crate::tui::terminal::caps::{Caps, Notifier, NotifyMethod};
use crate::tui::theme::{Background, Depth};

/// Whether the terminal cannot position text, and only prints lines.
pub fn is_dumb() -> bool {
    variable("TERM").is_some_and(|term| term == "dumb")
}

/// Returns what the terminal can do; the config file overrides the environment.
pub(super) fn caps(file: &ConfigFile) -> Caps {
    let term = variable("TERM").unwrap_or_default();
    let colour = variable("COLORTERM").unwrap_or_default();
    let depth = if variable("NO_COLOR").is_some() || term == "dumb" {
        Depth::None
    } else if matches!(colour.as_str(), "truecolor" | "24bit") || cfg!(windows) {
        Depth::True
    } else if term.contains("256color") || term.contains("direct") {
        Depth::Ansi256
    } else {
        Depth::Ansi16
    };
    let encoding = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(variable)
        .unwrap_or_default()
        .to_lowercase();
    // A terminal without a locale is far more often UTF-8 than not. If the locale names another encoding, no Unicode symbols are drawn.
    let unicode =
        encoding.is_empty() || encoding.contains("utf") || encoding == "c" || encoding == "posix";
    Caps {
        depth,
        // The terminal itself is asked when the screen opens.
        background: Background::default(),
        ambiguous: file.ambiguous,
        unicode: file.glyphs != Some(Glyphs::Ascii) && unicode && term != "linux",
        links: file
            .links
            .unwrap_or(!matches!(term.as_str(), "linux" | "dumb" | "")),
        has_desktop: has_desktop(),
        notifier: notifier(file.notifications.and_then(|it| it.0)),
    }
}

/// Whether programs with windows can be opened from here: not on a text console, and not over ssh, where nobody would see them.
fn has_desktop() -> bool {
    if cfg!(any(windows, target_os = "macos")) {
        variable("SSH_CONNECTION").is_none()
    } else {
        variable("DISPLAY").is_some() || variable("WAYLAND_DISPLAY").is_some()
    }
}

/// Returns how this terminal shows notifications, according to environment variables.
fn notifier(asked: Option<NotifyMethod>) -> Notifier {
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let term = variable("TERM").unwrap_or_default();
    let in_tmux = variable("TMUX").is_some();
    let known = if variable("KITTY_WINDOW_ID").is_some() {
        NotifyMethod::Osc99
    } else if matches!(
        program.as_str(),
        "iTerm.app" | "WezTerm" | "ghostty" | "WarpTerminal"
    ) {
        NotifyMethod::Osc9
    } else if variable("VTE_VERSION").is_some() || term.contains("rxvt") || term.contains("foot") {
        NotifyMethod::Osc777
    } else {
        NotifyMethod::Bell
    };
    Notifier {
        known,
        requested: asked,
        in_tmux,
    }
}
