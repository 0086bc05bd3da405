//! Timers: when actions are due, and when events last happened.

use std::time::Instant;

#[derive(Clone, Debug)]
pub struct Timers {
    /// When drafts have to be saved.
    pub drafts_due: Option<Instant>,
    /// When others were last notified that we are typing.
    pub typed_at: Option<Instant>,
    /// When a key was last pressed.
    pub pressed_at: Instant,
    /// When the last notification was shown.
    pub notified_at: Option<Instant>,
    /// When the list of rooms is requested again.
    pub lobby_due: Option<Instant>,
    /// The number of searches so far.
    pub searches: u64,
    /// When the newest search is sent to the server.
    pub search_due: Option<Instant>,
    /// When the connection details are requested again.
    pub report_due: Option<Instant>,
}

impl Timers {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            drafts_due: None,
            typed_at: None,
            pressed_at: now,
            notified_at: None,
            lobby_due: None,
            searches: 0,
            search_due: None,
            report_due: None,
        }
    }
}
