//! Opens a selected message: its link, or the message it replies to.

use std::sync::Arc;

use super::amend;
use crate::chat::{Body, Entry, Seq};
use crate::text::{self, Mark};
use crate::tui::event::Effect;
use crate::tui::state::{Overlay, State, Tone};
use crate::tui::state::{Picker, PickerKind};
use crate::tui::strings::fill;
use crate::tui::timeline::message_text::MessageText;

/// Opens the link of a message, or lists its links if there are several. A reply without links opens the message it replies to.
pub(super) fn open(state: &mut State, seq: Seq) -> Vec<Effect> {
    let said = state.current().and_then(|room| room.timeline.message(seq));
    let Some(entry) = said else {
        return Vec::new();
    };
    let links = links(entry);
    match links.as_slice() {
        [] if matches!(entry.body, Body::Reply { .. }) => amend::open_original(state, seq),
        [] => {
            state.show_notice(Tone::Info, state.preferences.strings.nothing_to_open);
            Vec::new()
        }
        [one] => open_link(state, one),
        _ => {
            state.overlays.top = Some(Overlay::Pick(Picker::new(PickerKind::Links(links))));
            Vec::new()
        }
    }
}

/// The links in a message, each once, in order.
fn links(entry: &Entry) -> Vec<Arc<str>> {
    let spoken = MessageText::of_body(&entry.body);
    let marks = spoken.rich().lines.iter().flat_map(|line| &line.marks);
    let mut links: Vec<Arc<str>> = Vec::new();
    for (_, mark) in marks {
        if let Mark::Link(address) = mark
            && !links.contains(address)
        {
            links.push(Arc::clone(address));
        }
    }
    links
}

/// Opens a link in the browser. If no browser can be started from here, copies the link so that it can be pasted elsewhere.
pub(super) fn open_link(state: &mut State, address: &str) -> Vec<Effect> {
    let s = state.preferences.strings;
    let shown = text::line(address);
    if state.preferences.has_desktop {
        state.show_notice(Tone::Info, fill(s.opening, &[&shown]));
        return vec![Effect::Open(address.to_owned())];
    }
    if state.screen.is_plain {
        // Plain mode cannot copy to the clipboard.
        state.show_notice(Tone::Info, shown.to_string());
        return Vec::new();
    }
    state.show_notice(Tone::Info, fill(s.link_copied, &[&shown]));
    vec![Effect::Copy(address.to_owned())]
}
