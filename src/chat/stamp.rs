//! The times at which a batch of posts was accepted. Plain values: `server::clock` reads the clocks.

/// The times of one batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stamp {
    /// The wall clock, in Unix milliseconds. For display only; it may go back from one batch to the next.
    pub at_ms: u64,
    /// Log time, in milliseconds. It never goes back, and a step of the wall clock does not move it. It decides when mutes and bans end. It
    /// started as Unix milliseconds and is not corrected later.
    pub log_ms: u64,
    /// The part of `log_ms`, in milliseconds, that was only estimated across restarts. Retention does not count it.
    pub doubt_ms: u64,
}
