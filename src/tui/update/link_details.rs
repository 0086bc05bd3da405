//! The overlay with connection details: opens it, and requests the details again while it is open.

use std::time::Duration;

use crate::client::{Command, Report};
use crate::tui::event::Effect;
use crate::tui::state::{Overlay, State};

/// How often the details are requested while the overlay is open.
const REQUEST_INTERVAL: Duration = Duration::from_secs(1);
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    state.overlays.top = Some(Overlay::Link {
        report: Report::default(),
        scroll: 0,
    });
    state.timers.report_due = Some(state.screen.now.instant + REQUEST_INTERVAL);
    vec![Effect::Client(Command::Report)]
}

pub(super) fn set_report(state: &mut State, fresh: Report) {
    if let Some(Overlay::Link { report, .. }) = &mut state.overlays.top {
        *report = fresh;
    }
}

/// Requests the details again, if it is time and the overlay is open.
pub(super) fn request_if_due(state: &mut State) -> Vec<Effect> {
    if !matches!(state.overlays.top, Some(Overlay::Link { .. })) {
        state.timers.report_due = None;
    }
    let is_due = state
        .timers
        .report_due
        .is_some_and(|due| due <= state.screen.now.instant);
    if !is_due {
        return Vec::new();
    }
    state.timers.report_due = Some(state.screen.now.instant + REQUEST_INTERVAL);
    vec![Effect::Client(Command::Report)]
}
