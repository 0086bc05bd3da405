//! A room as the screen has it: what was said, who is there, what is being written, how far it was read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use crate::chat::{IdentityId, RoomInfo, RoomKind, Roster, Seq, Unread};
use crate::tui::input::composer::Composer;
use crate::tui::timeline::{Anchor, Timeline};

/// What was sent in a room and can be called back.
const HISTORY: usize = 100;
/// The most messages that are remembered one by one: more unread ones than that are not counted either.
const REMEMBERED: usize = Unread::MOST as usize;

/// What the text in a composer is going to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Writing {
    Message,
    /// An answer to this entry.
    Answer(Seq),
    /// The new text of this entry.
    Edit(Seq),
}

/// How far a room was read. The server has one position, up to which everything was read. A message that was on the screen after one that
/// was not is remembered here, until that one was on the screen as well.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// As the server told it last, and what came after that.
    pub unread: Unread,
    /// What the server told was as of this entry.
    pub counted_to: Seq,
    /// Unread messages that contain a keyword but do not mention us. They are counted even if they are no longer loaded.
    pub keywords: BTreeSet<Seq>,
    /// Messages after the read position that were on the screen; at most [`Unread::MOST`].
    pub seen: BTreeMap<Seq, ForMe>,
    /// Unread messages above the screen, and those of them that are for us; only of the room that is shown.
    pub above: (u32, u32),
    /// When what is on the screen will have been read.
    pub due: Option<Due>,
    pub asked: Recount,
}

/// See [`Reading::due`]; another part of the room has to be on the screen for as long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    pub at: Instant,
    pub anchor: Anchor,
}

/// Whether a message is for us, and by what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ForMe {
    No,
    Mention,
    Keyword,
}

impl Reading {
    /// Messages that are for us.
    pub fn mentions(&self) -> u32 {
        self.unread.mentions + u32::try_from(self.keywords.len()).unwrap_or(Unread::MOST)
    }

    /// Records whether an unread message contains a keyword but does not mention us.
    pub fn note_keyword(&mut self, seq: Seq, has: bool) {
        if !has {
            self.keywords.remove(&seq);
        } else if self.keywords.len() < REMEMBERED {
            self.keywords.insert(seq);
        }
    }

    /// Records messages that are on the screen. If there are too many, the oldest are forgotten and count as unseen again.
    pub fn note_seen(&mut self, messages: Vec<(Seq, ForMe)>) {
        self.seen.extend(messages);
        while self.seen.len() > REMEMBERED {
            self.seen.pop_first();
        }
    }

    /// Unread messages that were not on the screen, and those of them that are for us.
    pub fn unseen(&self) -> (u32, u32) {
        let messages = match self.unread.messages {
            // There may be more than were counted.
            Unread::MOST.. => Unread::MOST,
            messages => less(messages, self.seen.len()),
        };
        let for_me = self.seen.values().filter(|it| **it != ForMe::No);
        (messages, less(self.mentions(), for_me.count()))
    }

    /// Everything up to an entry was read; the newest of the room leaves nothing unread.
    pub fn advance(&mut self, to: Seq, is_newest: bool) {
        let rest = self.seen.split_off(&to.next());
        let seen = std::mem::replace(&mut self.seen, rest);
        if is_newest {
            self.unread = Unread::nothing(to);
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

/// Whether the server is asked to count anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Recount {
    #[default]
    No,
    Asked,
    /// Something more has changed since it was asked.
    AskAgain,
}

/// See [`Room::aside`].
#[derive(Clone, Debug)]
pub struct Aside {
    composer: Composer,
    /// What came instead, as it was then.
    instead: String,
}

/// An entry that is looked for in pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seeking {
    pub seq: Seq,
    /// The page that was asked for: the one before this entry. Others come for other reasons.
    pub before: Seq,
}

/// A room or conversation we are in.
#[derive(Clone, Debug)]
pub struct Room {
    pub info: RoomInfo,
    pub timeline: Timeline,
    pub roster: Roster,
    pub composer: Composer,
    /// What was being written when another text came into the composer.
    pub aside: Option<Aside>,
    /// What is on the disk of what is in the composer.
    pub drafted: String,
    pub sent: VecDeque<String>,
    /// Which of `sent` is in the composer.
    pub recalled: Option<usize>,
    /// What the text in the composer is going to be.
    pub writing: Writing,
    /// The message that is selected, while one is.
    pub selected: Option<Seq>,
    pub reading: Reading,
    /// The entry to be shown as soon as it is loaded.
    pub seeking: Option<Seeking>,
    /// The message that was looked for, marked until something else is done.
    pub found: Option<Seq>,
    /// Entries up to this one are history and no news; unknown until the room is followed.
    pub history_to: Option<Seq>,
    /// Put away with `/leave`, until something comes.
    pub is_hidden: bool,
    /// Entries up to this one were said before we followed: nobody is notified of them.
    pub live_after: Seq,
    /// Who is writing, and until when that is believed.
    pub typing: Vec<(IdentityId, Instant)>,
    /// We were made to go: why. What was said up to then stays until we leave by ourselves.
    pub put_out: Option<String>,
}

impl Room {
    pub fn new(info: RoomInfo) -> Self {
        Self {
            info,
            timeline: Timeline::default(),
            roster: Roster::default(),
            composer: Composer::default(),
            aside: None,
            drafted: String::new(),
            sent: VecDeque::new(),
            recalled: None,
            writing: Writing::Message,
            selected: None,
            reading: Reading::default(),
            seeking: None,
            found: None,
            history_to: None,
            is_hidden: false,
            live_after: Seq::ZERO,
            typing: Vec::new(),
            put_out: None,
        }
    }

    pub fn is_conversation(&self) -> bool {
        self.info.kind == RoomKind::Conversation
    }

    /// `#general` or `@张三`.
    pub fn label(&self) -> String {
        match &self.info.peer {
            Some(peer) => format!("@{}", peer.name),
            None => format!("#{}", self.info.name),
        }
    }

    /// Another text is written here for a while; what was being written comes back after that.
    pub fn write_instead(&mut self, text: &str) {
        if let Some(aside) = &mut self.aside {
            text.clone_into(&mut aside.instead);
        } else {
            self.aside = Some(Aside {
                composer: std::mem::take(&mut self.composer),
                instead: text.to_owned(),
            });
        }
        self.composer.set(text);
    }

    /// What was being written before is written on; or nothing is.
    pub fn write_on(&mut self) {
        match self.aside.take() {
            Some(aside) => self.composer = aside.composer,
            None => self.composer.clear(),
        }
    }

    /// Everything that is typed here and would be missed.
    pub fn draft(&self) -> String {
        let text = self.composer.text();
        match &self.aside {
            None => text,
            Some(aside) if aside.instead == text => aside.composer.text(),
            Some(aside) if aside.composer.is_empty() => text,
            Some(aside) => format!("{}\n{text}", aside.composer.text()),
        }
    }

    /// Remembers what was sent, newest last.
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
    fn what_is_remembered_one_by_one_is_bounded() {
        let mut reading = Reading::default();
        for seq in (1..=3000).map(Seq) {
            reading.note_seen(vec![(seq, ForMe::No)]);
            reading.note_keyword(seq, true);
        }
        assert_eq!(reading.seen.len(), REMEMBERED);
        assert_eq!(reading.seen.keys().next_back(), Some(&Seq(3000)));
        assert_eq!(reading.mentions(), Unread::MOST);
        reading.advance(Seq(2999), false);
        assert_eq!(reading.seen.len(), 1);
        assert!(reading.keywords.is_empty());
    }
}
