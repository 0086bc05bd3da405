//! The time of a batch of posts, as plain values. `server::clock` reads the clocks.

/// The times of one batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stamp {
    /// The wall clock, Unix milliseconds. For people; it may go back from one batch to the next.
    pub at_ms: u64,
    /// Log time, milliseconds. It never goes back, and a step of the wall clock does not move it. Mutes and bans are counted on it. It
    /// started as Unix milliseconds and is not corrected later.
    pub log_ms: u64,
    /// How much of `log_ms` was only estimated over restarts. Retention does not count it.
    pub doubt_ms: u64,
}
