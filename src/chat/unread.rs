//! Unread counts.

use super::{Entry, IdentityId, Seq};

/// What is above a read position, as of some entry of the room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Unread {
    /// Everything up to here was read.
    pub read: Seq,
    /// What others said, and did not delete.
    pub messages: u32,
    /// Those of them that mention the reader or everybody.
    pub mentions: u32,
}

impl Unread {
    /// Counting ends here: that many or more.
    pub const MOST: u32 = 1000;

    /// Nothing above a position.
    pub const fn nothing(read: Seq) -> Self {
        Self {
            read,
            messages: 0,
            mentions: 0,
        }
    }

    /// Adds one more that came.
    pub fn add(&mut self, is_mention: bool) {
        self.messages = (self.messages + 1).min(Self::MOST);
        if is_mention {
            self.mentions = (self.mentions + 1).min(Self::MOST);
        }
    }
}

impl Entry {
    /// Whether it counts as unread for somebody, as long as they have not read so far.
    pub fn counts_for(&self, reader: IdentityId) -> bool {
        self.body.is_said() && self.author.id != reader
    }

    /// Whether it calls somebody, or everybody.
    pub fn mentions(&self, whom: IdentityId) -> bool {
        let mut mentions = self.mentions.iter();
        mentions.any(|id| *id == whom || *id == IdentityId::EVERYBODY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_ends() {
        let mut unread = Unread::nothing(Seq(7));
        unread.add(true);
        unread.add(false);
        assert_eq!((unread.messages, unread.mentions), (2, 1));
        for _ in 0..2 * Unread::MOST {
            unread.add(true);
        }
        let most = Unread::MOST;
        assert_eq!((unread.messages, unread.mentions), (most, most));
    }
}
