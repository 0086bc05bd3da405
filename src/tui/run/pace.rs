//! The timing of the main loop: when the next frame and the next tick are due, and when the loop ends after the
//! input has ended.

use std::time::Duration;

use tokio::time::Instant;

use super::output::ASKS;
use crate::tui::state::State;

/// The minimum time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// The minimum time between two frames while the user is typing, so that text appears at once.
const TYPED: Duration = Duration::from_millis(6);
/// How often time-dependent parts of the screen are updated.
const TICK: Duration = Duration::from_millis(250);

/// The times of the last frame, tick and input, and what the loop is still waiting for.
pub(super) struct Pace {
    /// Whether the state has changed since the last frame.
    pub is_dirty: bool,
    /// Whether the user has typed since the last frame.
    is_typed: bool,
    drawn_at: Instant,
    ticked_at: Instant,
    typed_at: Instant,
    /// Set when the input has ended: the time until which the loop waits for answers.
    ends_at: Option<Instant>,
    /// The number of answers that the loop is still waiting for.
    waits_for: usize,
}

impl Pace {
    /// Starts the timing. The first frame is due at once.
    pub fn begin() -> Self {
        Self {
            is_dirty: true,
            is_typed: false,
            drawn_at: Instant::now() - FRAME,
            ticked_at: Instant::now(),
            typed_at: Instant::now(),
            ends_at: None,
            waits_for: 0,
        }
    }

    /// Counts the missing answers after the input has ended. Each answer that arrives extends the time for the others.
    pub fn note_answers(&mut self, state: &State, patience: Duration) {
        let unanswered = self.ends_at.map_or(0, |_| state.unanswered());
        if unanswered < self.waits_for {
            self.ends_at = self.ends_at.map(|_| Instant::now() + patience);
        }
        self.waits_for = unanswered;
    }

    /// Whether the input has ended, and every answer has arrived or the wait for it has timed out.
    pub fn is_over(&self) -> bool {
        self.ends_at
            .is_some_and(|at| at <= Instant::now() || self.waits_for == 0)
    }

    pub fn frame_at(&self) -> Instant {
        self.drawn_at + if self.is_typed { TYPED } else { FRAME }
    }

    pub fn note_frame(&mut self) {
        (self.drawn_at, self.is_dirty, self.is_typed) = (Instant::now(), false, false);
    }

    /// When the next tick is due. Other events do not postpone it.
    pub fn tick_at(&self) -> Instant {
        self.ticked_at + TICK
    }

    pub fn note_tick(&mut self) {
        self.ticked_at = Instant::now();
    }

    /// The time since the last input.
    pub fn since_input(&self) -> Duration {
        self.typed_at.elapsed()
    }

    pub fn note_input(&mut self) {
        (self.typed_at, self.is_typed) = (Instant::now(), true);
    }

    /// Whether the answers to the last input may still delay the next input; see [`Pace::asks_at`].
    pub fn is_asking(&self) -> bool {
        self.since_input() < ASKS
    }

    /// Until when the answers to the last input may delay the next input.
    pub fn asks_at(&self) -> Instant {
        self.typed_at + ASKS
    }

    /// Records that the input has ended. The loop waits for answers for up to `patience`.
    pub fn end_input(&mut self, patience: Duration) {
        self.typed_at = Instant::now();
        self.ends_at = Some(self.typed_at + patience);
    }

    /// Whether the input has ended.
    pub fn is_ending(&self) -> bool {
        self.ends_at.is_some()
    }

    /// When the loop ends at the latest. Only meaningful after the input has ended.
    pub fn end_at(&self) -> Instant {
        self.ends_at.unwrap_or(self.drawn_at)
    }
}
