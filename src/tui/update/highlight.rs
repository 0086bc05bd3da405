//! Requests syntax highlighting for code blocks that come into view.

use std::sync::Arc;

use crate::text::CodeBlock;
use crate::tui::event::Effect;
use crate::tui::state::State;
use crate::tui::timeline::highlight::Highlights;
use crate::tui::timeline::{Anchor, ItemKind};

/// Requests highlighting for blocks that may be on the screen and have none yet. Every item has at least one row, so the items on the
/// screen are among the first `rows` items from the top.
pub(super) fn request_visible(state: &mut State) -> Vec<Effect> {
    if state.screen.is_plain {
        return Vec::new();
    }
    let rows = usize::from(state.screen.size.1);
    let Some(room) = state.current() else {
        return Vec::new();
    };
    let timeline = &room.timeline;
    let first = match timeline.anchor() {
        Anchor::Top { key, .. } => timeline.place(key),
        Anchor::Newest => None,
    };
    let first = first.unwrap_or_else(|| timeline.len().saturating_sub(rows));
    let items = (first..timeline.len().min(first + rows)).filter_map(|at| timeline.get(at));
    let codes = items.flat_map(|item| match &item.what {
        ItemKind::Message { text, .. }
        | ItemKind::Private { text, .. }
        | ItemKind::OwnPost { text, .. } => text.rich().codes.as_slice(),
        _ => &[],
    });
    let seen: Vec<Arc<CodeBlock>> = codes
        .filter(|code| !code.language.is_empty())
        .take(Highlights::REQUEST_LIMIT)
        .cloned()
        .collect();
    let highlights = &mut state.screen.highlights;
    seen.into_iter()
        .filter(|code| highlights.try_begin(code))
        .map(Effect::Highlight)
        .collect()
}
