//! A room as the screen shows it: its timeline, members, draft and read position.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use crate::chat::{IdentityId, RequestDirection, RoomInfo, RoomKind, Roster, Seq, Unread};
use crate::tui::input::composer::Composer;
use crate::tui::timeline::{Anchor, Timeline};

/// How many sent texts of a room can be recalled.
const HISTORY: usize = 100;
/// The maximum number of messages that are recorded individually. The server stops counting unread messages at the same number.
const TRACKED_LIMIT: usize = Unread::LIMIT as usize;

/// What the composer's text will become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writing {
    Message,
    /// A reply to this entry.
    Reply(Seq),
    /// The new text of this entry.
    Edit(Seq),
}

/// How far a room was read. The server stores one position, up to which everything was read. If a later message was on the screen before
/// an earlier one, it is recorded here until the earlier one has been on the screen as well.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// The server's latest counts, plus the entries that arrived later.
    pub unread: Unread,
    /// The entry up to which the server counted.
    pub counted_to: Seq,
    /// Unread messages that contain a keyword but do not mention us. They are counted even if they are no longer loaded.
    pub keywords: BTreeSet<Seq>,
    /// Messages after the read position that were on the screen; at most [`Unread::LIMIT`].
    pub seen: BTreeMap<Seq, ForMe>,
    /// Unread messages above the screen, and how many of them are for the user. Only set for the current room.
    pub above: (u32, u32),
    /// When the messages on the screen will count as read.
    pub due: Option<Due>,
    pub recount: Recount,
}

/// When the messages on the screen will count as read; see [`Reading::due`]. Scrolling starts the time again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    pub at: Instant,
    pub anchor: Anchor,
}

/// Whether a message is for the user, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForMe {
    No,
    Mention,
    Keyword,
}

impl Reading {
    /// The number of unread messages for the user.
    pub fn mentions(&self) -> u32 {
        self.unread.mentions + u32::try_from(self.keywords.len()).unwrap_or(Unread::LIMIT)
    }

    /// Records whether an unread message contains a keyword but does not mention us.
    pub fn record_keyword(&mut self, seq: Seq, has: bool) {
        if !has {
            self.keywords.remove(&seq);
        } else if self.keywords.len() < TRACKED_LIMIT {
            self.keywords.insert(seq);
        }
    }

    /// Records messages that are on the screen. If there are too many, the oldest are forgotten and count as unseen again.
    pub fn record_seen(&mut self, messages: Vec<(Seq, ForMe)>) {
        self.seen.extend(messages);
        while self.seen.len() > TRACKED_LIMIT {
            self.seen.pop_first();
        }
    }

    /// Unread messages that were not on the screen, and how many of them are for the user.
    pub fn unseen(&self) -> (u32, u32) {
        let messages = match self.unread.messages {
            // The server stops counting here, so there may be more.
            Unread::LIMIT.. => Unread::LIMIT,
            messages => less(messages, self.seen.len()),
        };
        let for_me = self.seen.values().filter(|it| **it != ForMe::No);
        (messages, less(self.mentions(), for_me.count()))
    }

    /// Moves the read position to an entry. If it is the newest of the room, nothing is unread any more.
    pub fn advance(&mut self, to: Seq, is_newest: bool) {
        let rest = self.seen.split_off(&to.next());
        let seen = std::mem::replace(&mut self.seen, rest);
        if is_newest {
            self.unread = Unread::none_after(to);
            self.counted_to = to.max(self.counted_to);
            self.keywords.clear();
            return;
        }
        let count = |what: ForMe| seen.values().filter(|it| **it == what).count();
        self.unread = Unread {
            read: to,
            messages: less(self.unread.messages, seen.len()),
            mentions: less(self.unread.mentions, count(ForMe::Mention)),
        };
        self.keywords = self.keywords.split_off(&to.next());
    }
}

fn less(count: u32, by: usize) -> u32 {
    count.saturating_sub(u32::try_from(by).unwrap_or(u32::MAX))
}

/// Whether the server has been asked to count again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Recount {
    #[default]
    No,
    Asked,
    /// Asked, but something has changed since, so the answer will be out of date.
    AskAgain,
}

/// A draft that another text has replaced for a while; see [`Room::stashed_draft`].
#[derive(Clone, Debug)]
pub struct StashedDraft {
    composer: Composer,
    /// The text that replaced it, before the user edited that text.
    replacement: String,
}

/// An entry that is being loaded page by page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seeking {
    pub seq: Seq,
    /// The requested page is the one before this entry. Pages before other entries were requested for another reason.
    pub before: Seq,
}

/// A room or conversation of the user.
#[derive(Clone, Debug)]
pub struct Room {
    pub info: RoomInfo,
    pub timeline: Timeline,
    pub roster: Roster,
    pub composer: Composer,
    /// The draft that another text has replaced for a while.
    pub stashed_draft: Option<StashedDraft>,
    /// The draft as saved on disk.
    pub drafted: String,
    pub sent: VecDeque<String>,
    /// The index in `sent` of the recalled text that is in the composer.
    pub recalled: Option<usize>,
    /// What the composer's text will become.
    pub writing: Writing,
    /// The selected message, in selection mode.
    pub selected: Option<Seq>,
    pub reading: Reading,
    /// The entry to show as soon as it is loaded.
    pub seeking: Option<Seeking>,
    /// The message that was jumped to; marked until the user does something else.
    pub found: Option<Seq>,
    /// Entries up to this one are history and not new; `None` until the room is followed.
    pub history_to: Option<Seq>,
    /// Entries up to this one are older than our subscription and cause no notifications.
    pub live_after: Seq,
    /// Who is typing, and when each indicator expires.
    pub typing: Vec<(IdentityId, Instant)>,
    /// Why the user was removed, if they were. The messages up to then stay until the user leaves the room.
    pub removal_reason: Option<String>,
}

impl Room {
    pub fn new(info: RoomInfo) -> Self {
        Self {
            info,
            timeline: Timeline::default(),
            roster: Roster::default(),
            composer: Composer::default(),
            stashed_draft: None,
            drafted: String::new(),
            sent: VecDeque::new(),
            recalled: None,
            writing: Writing::Message,
            selected: None,
            reading: Reading::default(),
            seeking: None,
            found: None,
            history_to: None,
            live_after: Seq::ZERO,
            typing: Vec::new(),
            removal_reason: None,
        }
    }

    pub fn is_conversation(&self) -> bool {
        self.info.kind == RoomKind::Conversation
    }

    /// Whether it is a request of a stranger that the user has not answered.
    pub fn is_request(&self) -> bool {
        self.info.request == Some(RequestDirection::Incoming)
    }

    /// The name as it is shown: `#general` or `@张三`.
    pub fn label(&self) -> String {
        match &self.info.peer {
            Some(peer) => format!("@{}", peer.name),
            None => format!("#{}", self.info.name),
        }
    }

    /// Replaces the draft by another text for a while; see [`Room::restore_draft`].
    pub fn stash_draft(&mut self, text: &str) {
        if let Some(aside) = &mut self.stashed_draft {
            text.clone_into(&mut aside.replacement);
        } else {
            self.stashed_draft = Some(StashedDraft {
                composer: std::mem::take(&mut self.composer),
                replacement: text.to_owned(),
            });
        }
        self.composer.set(text);
    }

    /// Restores the draft that was replaced, or clears the composer if there is none.
    pub fn restore_draft(&mut self) {
        match self.stashed_draft.take() {
            Some(aside) => self.composer = aside.composer,
            None => self.composer.clear(),
        }
    }

    /// Whether the saved draft is up to date. This is called after every event, so it avoids building the text of the draft.
    pub fn is_saved(&self) -> bool {
        match &self.stashed_draft {
            None => self.composer.has_text(&self.drafted),
            Some(_) => self.draft() == self.drafted,
        }
    }

    /// The text to save as this room's draft.
    pub fn draft(&self) -> String {
        let text = self.composer.text();
        match &self.stashed_draft {
            None => text,
            Some(aside) if aside.replacement == text => aside.composer.text(),
            Some(aside) if aside.composer.is_empty() => text,
            Some(aside) => format!("{}\n{text}", aside.composer.text()),
        }
    }

    /// Adds a text to the sent texts, of which the newest is last.
    pub fn remember(&mut self, text: String) {
        self.recalled = None;
        if self.sent.back() != Some(&text) {
            self.sent.push_back(text);
        }
        if self.sent.len() > HISTORY {
            self.sent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seen_messages_and_keywords_are_bounded() {
        let mut reading = Reading::default();
        for seq in (1..=3000).map(Seq) {
            reading.record_seen(vec![(seq, ForMe::No)]);
            reading.record_keyword(seq, true);
        }
        assert_eq!(reading.seen.len(), TRACKED_LIMIT);
        assert_eq!(reading.seen.keys().next_back(), Some(&Seq(3000)));
        assert_eq!(reading.mentions(), Unread::LIMIT);
        reading.advance(Seq(2999), false);
        assert_eq!(reading.seen.len(), 1);
        assert!(reading.keywords.is_empty());
    }
}
