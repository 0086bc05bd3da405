//! What the terminal can do, as far as its variables say so.

use anyhow::{Result, bail};

use super::file::File;
use super::{switch, variable};
use crate::text::Ambiguous;
use crate::tui::caps::{Caps, Notifier, Way};
use crate::tui::theme::{Depth, Ground};

/// Whether it knows no places, and shows only lines.
pub fn is_dumb() -> bool {
    variable("TERM").is_some_and(|term| term == "dumb")
}

/// What it can do, unless the config file knows better.
pub(super) fn caps(file: &File) -> Result<Caps> {
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
    // Without any locale the terminal is far more often UTF-8 than not; one that says otherwise is believed.
    let unicode =
        encoding.is_empty() || encoding.contains("utf") || encoding == "c" || encoding == "posix";
    Ok(Caps {
        depth,
        // Asked of the terminal itself, when it is taken.
        ground: Ground::default(),
        ambiguous: match file.ambiguous.as_deref() {
            None | Some("auto") => None,
            Some("narrow") => Some(Ambiguous::Narrow),
            Some("wide") => Some(Ambiguous::Wide),
            Some(other) => {
                bail!("cannot use ambiguous '{other}' of the config file: auto, narrow or wide")
            }
        },
        unicode: match file.glyphs.as_deref() {
            None | Some("auto") => unicode && term != "linux",
            Some("ascii") => false,
            Some(other) => {
                bail!("cannot use glyphs '{other}' of the config file: auto or ascii")
            }
        },
        links: switch("links", file.links.as_deref())?
            .unwrap_or(!matches!(term.as_str(), "linux" | "dumb" | "")),
        has_desktop: has_desktop(),
        notifier: notifier(file.notifications.as_deref())?,
    })
}

/// Whether programs with windows can be opened from here: not on a console, and not at the far end of ssh, where nobody would see them.
fn has_desktop() -> bool {
    if cfg!(any(windows, target_os = "macos")) {
        variable("SSH_CONNECTION").is_none()
    } else {
        variable("DISPLAY").is_some() || variable("WAYLAND_DISPLAY").is_some()
    }
}

/// How this terminal tells of something, as far as its variables say so.
fn notifier(asked: Option<&str>) -> Result<Notifier> {
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let term = variable("TERM").unwrap_or_default();
    let in_tmux = variable("TMUX").is_some();
    let known = if variable("KITTY_WINDOW_ID").is_some() {
        Way::Osc99
    } else if matches!(
        program.as_str(),
        "iTerm.app" | "WezTerm" | "ghostty" | "WarpTerminal"
    ) {
        Way::Osc9
    } else if variable("VTE_VERSION").is_some() || term.contains("rxvt") || term.contains("foot") {
        Way::Osc777
    } else {
        Way::Bell
    };
    let asked = asked.unwrap_or("auto");
    let Some((_, asked)) = Way::ALL.iter().find(|(name, _)| *name == asked) else {
        bail!(
            "cannot use notifications '{asked}' of the config file: {}",
            Way::ALL.map(|(name, _)| name).join(", ")
        );
    };
    Ok(Notifier {
        known,
        asked: *asked,
        in_tmux,
    })
}
