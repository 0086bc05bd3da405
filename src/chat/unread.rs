//! Unread counts.

use super::{Entry, IdentityId, Seq};

/// The unread counts after a read position, as of a given entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Unread {
    /// Everything up to here was read.
    pub read: Seq,
    /// Messages by others that were not deleted.
    pub messages: u32,
    /// Those that mention the reader or everyone.
    pub mentions: u32,
}

impl Unread {
    /// The highest count; it means this many or more.
    pub const LIMIT: u32 = 1000;

    /// Returns the counts if nothing is unread after a position.
    pub const fn none_after(read: Seq) -> Self {
        Self {
            read,
            messages: 0,
            mentions: 0,
        }
    }

    /// Counts one new message.
    pub fn add(&mut self, is_mention: bool) {
        self.messages = (self.messages + 1).min(Self::LIMIT);
        if is_mention {
            self.mentions = (self.mentions + 1).min(Self::LIMIT);
        }
    }
}

impl Entry {
    /// Returns whether it counts as unread for somebody who has not read up to it.
    pub fn counts_for(&self, reader: IdentityId) -> bool {
        self.body.is_message() && self.author.id != reader
    }

    /// Returns whether it mentions this person, or everyone.
    pub fn mentions(&self, person: IdentityId) -> bool {
        let mut mentions = self.mentions.iter();
        mentions.any(|id| *id == person || *id == IdentityId::EVERYBODY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stop_at_the_limit() {
        let mut unread = Unread::none_after(Seq(7));
        unread.add(true);
        unread.add(false);
        assert_eq!((unread.messages, unread.mentions), (2, 1));
        for _ in 0..2 * Unread::LIMIT {
            unread.add(true);
        }
        let most = Unread::LIMIT;
        assert_eq!((unread.messages, unread.mentions), (most, most));
    }
}
