//! Texts to read in an overlay, and links that are shown once.

use crate::client::SecretLink;
use crate::tui::state::{Overlay, State};

/// The number of columns after which a link in an overlay is wrapped, so that it fits on every screen.
const LINK_COLUMNS: usize = 36;

pub(super) fn show(state: &mut State, title: &str, lines: Vec<String>) {
    state.overlays.announce(Overlay::List {
        title: title.to_owned(),
        lines,
        scroll: 0,
    });
}

/// Cuts a link into lines. In plain mode it stays one line, so that it can be copied.
pub(super) fn link_lines(state: &State, SecretLink(link): &SecretLink) -> Vec<String> {
    if state.screen.is_plain {
        return vec![link.clone()];
    }
    // A link has only ASCII letters, digits and punctuation, each one column wide.
    let letters: Vec<char> = link.chars().collect();
    let pieces = letters.chunks(LINK_COLUMNS);
    pieces.map(|piece| piece.iter().collect()).collect()
}
