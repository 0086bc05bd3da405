//! What a room has said, as it is scrolled: entries in order, local lines between them, posts that wait at the end.
//!
//! The scroll is anchored to an item and a line of it, never to a row, so that nothing moves when something arrives. This part
//! knows no widths: whoever scrolls says how high an item is.

use std::collections::VecDeque;

use crate::chat::{Author, Body, ClientId, Entry, Epoch, IdentityId, Seq};
use crate::text::{self, SafeText};

/// Where an item stands: after which entry, and which of the local lines there. An entry itself has 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(pub Seq, pub u32);

/// Pending posts stand after everything.
const PENDING: Seq = Seq(u64::MAX);

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    pub key: Key,
    /// Unix milliseconds.
    pub at_ms: u64,
    pub what: What,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Somebody said something.
    Said {
        author: IdentityId,
        name: SafeText,
        text: SafeText,
        is_action: bool,
    },
    /// Something about the room or its people.
    System(SafeText),
    /// A private message shown beside its conversation, with the words that say whom it is for.
    Private {
        author: IdentityId,
        name: SafeText,
        text: SafeText,
        whom: SafeText,
        fate: Fate,
        client_id: Option<ClientId>,
    },
    /// A post of ours whose entry has not come.
    Mine {
        client_id: ClientId,
        name: SafeText,
        text: SafeText,
        is_action: bool,
        fate: Fate,
    },
}

/// What became of a post of ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    Pending,
    Stored,
    /// Refused for good: why.
    Failed(SafeText),
}

/// What the top of the screen shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// The newest item is at the bottom, and stays there.
    Newest,
    /// This line of this item is at the top.
    Top { key: Key, line: usize },
}

/// A page that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Loading {
    No,
    Asked(Seq),
    /// It failed; asked again when somebody scrolls.
    Failed,
}

#[derive(Clone, Debug)]
pub struct Timeline {
    epoch: Option<Epoch>,
    items: VecDeque<Item>,
    pending: Vec<Item>,
    /// The first seq the room has.
    first: Seq,
    anchor: Anchor,
    loading: Loading,
    next_local: u32,
    next_pending: u32,
    /// Columns of the name; grows, never shrinks.
    name_columns: usize,
    /// Entries that came while something older was read.
    unread_below: usize,
}

/// Columns of names: at least, at most.
const NAME_COLUMNS: (usize, usize) = (10, 14);

impl Default for Timeline {
    fn default() -> Self {
        Self {
            epoch: None,
            items: VecDeque::new(),
            pending: Vec::new(),
            first: Seq(1),
            anchor: Anchor::Newest,
            loading: Loading::No,
            next_local: 1,
            next_pending: 1,
            name_columns: NAME_COLUMNS.0,
            unread_below: 0,
        }
    }
}

impl Timeline {
    pub fn len(&self) -> usize {
        self.items.len() + self.pending.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, index: usize) -> Option<&Item> {
        self.items
            .get(index)
            .or_else(|| self.pending.get(index - self.items.len()))
    }

    pub fn anchor(&self) -> Anchor {
        self.anchor
    }

    pub fn name_columns(&self) -> usize {
        self.name_columns
    }

    pub fn unread_below(&self) -> usize {
        self.unread_below
    }

    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// The oldest and newest entry there is here.
    pub fn oldest(&self) -> Option<Seq> {
        self.items
            .iter()
            .find(|item| item.key.1 == 0)
            .map(|item| item.key.0)
    }

    pub fn newest(&self) -> Option<Seq> {
        self.items.back().map(|item| item.key.0)
    }

    pub fn pending(&self) -> usize {
        self.pending
            .iter()
            .filter(|item| {
                matches!(
                    item.what,
                    What::Mine {
                        fate: Fate::Pending,
                        ..
                    }
                )
            })
            .count()
    }

    /// What the server told of the room when it was followed.
    pub fn followed(&mut self, epoch: Epoch, first: Seq) {
        if self.epoch.is_some_and(|known| known != epoch) {
            self.forget_entries();
        }
        self.epoch = Some(epoch);
        self.first = first;
    }

    /// Entries were skipped: what is older is loaded again when it is scrolled to, so that there is never a silent hole.
    pub fn skipped_to(&mut self, to: Seq) {
        if self.newest().is_some_and(|newest| newest < to) {
            self.forget_entries();
        }
    }

    fn forget_entries(&mut self) {
        self.items.clear();
        self.anchor = Anchor::Newest;
        self.loading = Loading::No;
        self.unread_below = 0;
    }

    /// Removes everything from the screen but what is still on its way; older entries load again when scrolled to.
    pub fn clear(&mut self) {
        self.pending.retain(|item| {
            matches!(
                item.what,
                What::Mine {
                    fate: Fate::Pending,
                    ..
                }
            )
        });
        self.forget_entries();
    }

    /// Adds an entry at the newest end; one that is there already is passed over.
    pub fn append(&mut self, entry: &Entry, words: impl FnOnce(&Entry) -> What) -> bool {
        if self.epoch != Some(entry.epoch) {
            self.forget_entries();
            self.epoch = Some(entry.epoch);
        }
        if self.newest().is_some_and(|newest| entry.seq <= newest) {
            return false;
        }
        let item = Item {
            key: Key(entry.seq, 0),
            at_ms: entry.at_ms,
            what: words(entry),
        };
        self.widen(&item);
        self.items.push_back(item);
        if self.anchor != Anchor::Newest && entry.body.is_said() {
            self.unread_below += 1;
        }
        true
    }

    /// Adds an older page before what is there. `before` says which page it is; another one is passed over.
    pub fn prepend(
        &mut self,
        before: Seq,
        epoch: Epoch,
        first: Seq,
        entries: &[Entry],
        words: impl Fn(&Entry) -> What,
    ) {
        if self.loading == Loading::Asked(before) {
            self.loading = Loading::No;
        }
        if self.epoch != Some(epoch) || self.oldest() != Some(before) {
            return;
        }
        self.first = first;
        if entries.is_empty() {
            self.first = before;
        }
        for entry in entries.iter().rev() {
            let item = Item {
                key: Key(entry.seq, 0),
                at_ms: entry.at_ms,
                what: words(entry),
            };
            self.widen(&item);
            self.items.push_front(item);
        }
    }

    pub fn page_failed(&mut self, before: Seq) {
        if self.loading == Loading::Asked(before) {
            self.loading = Loading::Failed;
        }
    }

    /// Which page to ask for when the top is near; notes that it was asked for.
    pub fn wants_page(&mut self, top: usize) -> Option<Seq> {
        const NEAR: usize = 100;
        let oldest = self.oldest()?;
        let asked = matches!(self.loading, Loading::Asked(_));
        if top >= NEAR || asked || oldest <= self.first {
            return None;
        }
        self.loading = Loading::Asked(oldest);
        Some(oldest)
    }

    /// Shows a post of ours until its entry comes.
    pub fn post(&mut self, client_id: ClientId, author: &Author, body: &Body, at_ms: u64) {
        let what = What::Mine {
            client_id,
            name: text::line(&author.name),
            text: text::body(body.text()),
            is_action: matches!(body, Body::Action(_)),
            fate: Fate::Pending,
        };
        let item = Item {
            key: Key(PENDING, self.next_pending),
            at_ms,
            what,
        };
        self.next_pending += 1;
        self.widen(&item);
        self.pending.push(item);
        self.to_newest();
    }

    /// Adds a line of our own at the newest end, in memory only.
    pub fn local(&mut self, what: What, at_ms: u64) {
        let after = self.newest().unwrap_or(self.first.before());
        let item = Item {
            key: Key(after, self.next_local),
            at_ms,
            what,
        };
        self.next_local += 1;
        self.widen(&item);
        self.items.push_back(item);
    }

    /// A post was stored: its pending line goes, because its entry is here or elsewhere; a private line stays and is plain.
    pub fn settle(&mut self, id: ClientId) -> bool {
        let before = self.pending.len();
        self.pending
            .retain(|item| !matches!(&item.what, What::Mine { client_id, .. } if *client_id == id));
        self.set_private_fate(id, &Fate::Stored) || self.pending.len() < before
    }

    /// A post was refused for good.
    pub fn fail(&mut self, id: ClientId, why: &SafeText) -> bool {
        let mine = self
            .pending
            .iter_mut()
            .find_map(|item| match &mut item.what {
                What::Mine {
                    client_id, fate, ..
                } if *client_id == id => Some(fate),
                _ => None,
            });
        if let Some(fate) = mine {
            *fate = Fate::Failed(why.clone());
            return true;
        }
        self.set_private_fate(id, &Fate::Failed(why.clone()))
    }

    /// A post was given back to whoever typed it: it was never said.
    pub fn take_back(&mut self, id: ClientId) {
        self.settle(id);
        let is_it = |item: &Item| matches!(&item.what, What::Private { client_id: Some(of), .. } if *of == id);
        self.items.retain(|item| !is_it(item));
    }

    fn set_private_fate(&mut self, id: ClientId, to: &Fate) -> bool {
        // What waits is near the end, and a line that is older than this was answered long ago.
        for item in self.items.iter_mut().rev().take(1000) {
            if let What::Private {
                client_id: Some(of),
                fate,
                ..
            } = &mut item.what
                && *of == id
            {
                fate.clone_from(to);
                return true;
            }
        }
        false
    }

    fn widen(&mut self, item: &Item) {
        let (What::Said { name, .. } | What::Private { name, .. } | What::Mine { name, .. }) =
            &item.what
        else {
            return;
        };
        let wide = text::width(name.as_str());
        self.name_columns = self.name_columns.max(wide.min(NAME_COLUMNS.1));
    }

    /// The item and line at the top of a screen of `rows`, given how high each item is.
    pub fn top(&self, rows: usize, height: impl Fn(usize) -> usize) -> (usize, usize) {
        let newest = || above(self.len(), 0, rows, &height);
        let Anchor::Top { key, line } = self.anchor else {
            return newest();
        };
        let index = self.index(key);
        if index >= self.len() {
            return newest();
        }
        let line = line.min(height(index).saturating_sub(1));
        // Where less than a screen is left below, the newest end is shown, and the screen is full.
        let mut left = height(index) - line;
        let mut next = index + 1;
        while left < rows && next < self.len() {
            left += height(next);
            next += 1;
        }
        if left < rows { newest() } else { (index, line) }
    }

    /// Where a screen of `rows` is anchored after it was scrolled by some rows, up if negative. At the newest end it stays there
    /// from then on.
    pub fn scrolled(&self, by: isize, rows: usize, height: impl Fn(usize) -> usize) -> Anchor {
        let (mut index, mut line) = self.top(rows, &height);
        let last = above(self.len(), 0, rows, &height);
        if by < 0 {
            (index, line) = above(index, line, by.unsigned_abs(), &height);
        } else {
            line += by.unsigned_abs();
            while index < self.len() && line >= height(index) {
                line -= height(index);
                index += 1;
            }
        }
        match self.get(index) {
            Some(item) if (index, line) < last => Anchor::Top {
                key: item.key,
                line,
            },
            _ => Anchor::Newest,
        }
    }

    pub fn set_anchor(&mut self, anchor: Anchor) {
        self.anchor = anchor;
        if anchor == Anchor::Newest {
            self.unread_below = 0;
        }
    }

    pub fn to_newest(&mut self) {
        self.set_anchor(Anchor::Newest);
    }

    /// To the oldest that is loaded.
    pub fn to_oldest(&mut self) {
        if let Some(item) = self.get(0) {
            self.anchor = Anchor::Top {
                key: item.key,
                line: 0,
            };
        }
    }

    fn index(&self, key: Key) -> usize {
        if key.0 == PENDING {
            return self.items.len() + self.pending.partition_point(|item| item.key < key);
        }
        self.items.partition_point(|item| item.key < key)
    }
}

/// The place some rows above a place.
fn above(
    mut index: usize,
    mut line: usize,
    rows: usize,
    height: &impl Fn(usize) -> usize,
) -> (usize, usize) {
    let mut left = rows;
    loop {
        if left <= line {
            return (index, line - left);
        }
        if index == 0 {
            return (0, 0);
        }
        left -= line;
        index -= 1;
        line = height(index);
    }
}

#[cfg(test)]
mod tests;
