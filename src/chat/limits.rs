//! The limits that the server sends to its clients. The server enforces them; the client warns before they are reached.

/// The limits of a server, sent in Welcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of UTF-8 in a body.
    pub body_bytes: usize,
    /// Lines in a body.
    pub body_lines: usize,
    /// Posts an identity may send at once; 0 means no limit.
    pub burst: u32,
    /// Posts per second after the burst; 0 means no limit.
    pub per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 * 1024,
            body_lines: 100,
            burst: 50,
            per_second: 10,
        }
    }
}

impl Limits {
    /// Returns whether posts are rate-limited at all.
    pub const fn has_rate_limit(&self) -> bool {
        self.burst > 0 && self.per_second > 0
    }
}
