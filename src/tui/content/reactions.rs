//! The reactions that are offered first.

/// Emoji that a single digit chooses, in this order.
pub const OFFERED: [&str; 8] = ["👍", "❤️", "😂", "🎉", "👀", "✅", "🙏", "😢"];
