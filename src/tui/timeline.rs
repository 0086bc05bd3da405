//! What a room has said: entries in order with the gaps between them named, local lines, and posts that wait at the end.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod amend;
mod former;
pub mod highlight;
mod item;
pub mod message_text;
mod own;
mod paging;
pub mod rows;
mod scroll;
mod trim;

use std::collections::{BTreeSet, VecDeque};

use self::amend::Amendments;
pub use self::item::{Direction, Era, Fate, Gap, Item, ItemKey, What};
pub use self::scroll::Height;
pub use self::trim::Keep;
use self::trim::Load;
use crate::chat::{Entry, Epoch, FollowResult, Seq};
use crate::text;
use crate::tui::timeline::message_text::Fold;

/// Asks for the newest page.
pub const NEWEST: Seq = Seq(u64::MAX);
/// Items beyond the screen within which what is missing is loaded.
const NEAR: usize = 100;

/// Nothing is loaded more than this many items above the anchor, because a run without rows may be endless.
const FILL: usize = 1000;
/// Pages that may be loaded beyond that each time the user scrolls.
const FURTHER: usize = 5;
/// Entries of a page, as the server has it.
const PAGE: u64 = 200;

/// What the top of the screen shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// The newest item is at the bottom, and stays there.
    Newest,
    /// This line of this item is at the top, rules before the item not counted: they are the lines before 0.
    Top { key: ItemKey, line: isize },
}

#[derive(Clone, Debug)]
pub struct Timeline {
    epoch: Option<Epoch>,
    /// What was said in a history that is no more, with a line of words at its end.
    former: Vec<Item>,
    /// Ascending by key. Where the seqs of two entries leave something out, a gap stands between them.
    items: VecDeque<Item>,
    pending: Vec<Item>,
    /// What amends which entry, also of those that are not loaded.
    amendments: Amendments,
    /// The first seq the room has, and the last that ever was here.
    first: Seq,
    head: Option<Seq>,
    /// Entries are known to be there though none is here.
    wants_newest: bool,
    /// Entries up to this one were cleared off the screen; they stay away until somebody looks for them.
    cleared_to: Option<Seq>,
    anchor: Anchor,
    /// The page that was asked for and has not come.
    asked: Option<Seq>,
    /// Pages that may still be loaded more than [`FILL`] items above the anchor.
    further: usize,
    next_local: u32,
    next_pending: u64,
    /// Columns of the name; grows, never shrinks.
    name_columns: usize,
    /// Entries that came while something older was read.
    unread_below: usize,
    /// What comes after this entry is new.
    new_after: Option<Seq>,
    /// Items whose long code is shown whole.
    unfolded: BTreeSet<ItemKey>,
    /// The memory that `items` uses.
    load: Load,
}

/// Columns of names: at least, at most.
const NAME_COLUMNS: (usize, usize) = (10, 14);

impl Default for Timeline {
    fn default() -> Self {
        Self {
            epoch: None,
            former: Vec::new(),
            items: VecDeque::new(),
            pending: Vec::new(),
            amendments: Amendments::default(),
            first: Seq(1),
            head: None,
            wants_newest: false,
            cleared_to: None,
            anchor: Anchor::Newest,
            asked: None,
            further: 0,
            next_local: 1,
            next_pending: 1,
            name_columns: NAME_COLUMNS.0,
            unread_below: 0,
            new_after: None,
            unfolded: BTreeSet::new(),
            load: Load::default(),
        }
    }
}

impl Timeline {
    pub fn len(&self) -> usize {
        self.former.len() + self.items.len() + self.pending.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, index: usize) -> Option<&Item> {
        if let Some(item) = self.former.get(index) {
            return Some(item);
        }
        let index = index - self.former.len();
        self.items
            .get(index)
            .or_else(|| self.pending.get(index - self.items.len()))
    }

    /// Whether long code of an item is folded.
    pub fn fold(&self, key: ItemKey) -> Fold {
        if self.unfolded.contains(&key) {
            Fold::Open
        } else {
            Fold::Folded
        }
    }

    /// Folds the code of an item, or shows it whole.
    pub fn turn_fold(&mut self, key: ItemKey) {
        if !self.unfolded.remove(&key) {
            self.unfolded.insert(key);
        }
    }

    pub fn name_columns(&self) -> usize {
        self.name_columns
    }

    pub fn unread_below(&self) -> usize {
        self.unread_below
    }

    /// The oldest and newest entry there is here.
    pub fn oldest(&self) -> Option<Seq> {
        self.items
            .iter()
            .find(|item| item.key.line == 0)
            .map(|item| item.key.seq)
    }

    pub fn newest(&self) -> Option<Seq> {
        self.items.back().map(|item| item.key.seq)
    }

    pub fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// What comes after an entry is new from now on.
    pub fn begin_new(&mut self, after: Seq) {
        self.new_after = Some(after);
    }

    /// Nothing is new any more.
    pub fn end_new(&mut self) {
        self.new_after = None;
    }

    /// Whether a line that says so stands before an item, given the item that is shown before it.
    pub fn is_first_new(&self, before: Option<&Item>, item: &Item) -> bool {
        let is_new = |item: &Item| {
            let is_of_now = item.key.era == Era::Now;
            is_of_now && self.new_after.is_some_and(|after| item.key.seq > after)
        };
        // The line for what is not loaded stands before the gap it is in.
        is_new(item) && !before.is_some_and(is_new)
    }

    /// The first item that is new.
    pub fn first_new(&self) -> Option<ItemKey> {
        let after = self.new_after?;
        let place = self.items.partition_point(|item| item.key.seq <= after);
        self.items.get(place).map(|item| item.key)
    }

    /// The first entry that is new, if it has to be loaded before it can be shown.
    pub fn new_not_here(&self) -> Option<Seq> {
        let after = self.new_after?;
        // Where something is here after it and nothing of that can be shown, it is a gap.
        let is_here = self.goes_on_from(after) && self.after(after).next().is_some();
        (!is_here).then(|| after.next().max(self.first))
    }

    /// Whether nothing is missing between an entry and the first that is here after it.
    pub fn goes_on_from(&self, seq: Seq) -> bool {
        let begins = seq.next().max(self.first);
        self.oldest().is_some_and(|oldest| oldest <= begins)
    }

    /// Whether no gap that can be loaded stands after an entry.
    pub fn is_whole_after(&self, seq: Seq) -> bool {
        let from = self.items.partition_point(|item| item.key.seq <= seq);
        let mut items = self.items.range(from..);
        !items.any(|item| matches!(item.what, What::Gap(gap) if !gap.is_gone))
    }

    /// What stands after an entry, up to the first gap that can be loaded.
    pub fn after(&self, seq: Seq) -> impl Iterator<Item = &Item> {
        let from = self.items.partition_point(|item| item.key.seq <= seq);
        let items = self.items.range(from..);
        items.take_while(|item| !matches!(item.what, What::Gap(gap) if !gap.is_gone))
    }

    /// The first entry of the contiguous run that ends with the newest one.
    pub fn newest_run(&self) -> Option<Seq> {
        let run = self.items.iter().rev();
        let run = run.take_while(|item| !matches!(item.what, What::Gap(_)));
        let entries = run.filter(|item| item.key.line == 0);
        entries.last().map(|item| item.key.seq)
    }

    /// Makes the words of every entry anew: how they are seen has changed.
    pub fn reword(&mut self, words: impl Fn(&Entry) -> What) {
        for item in &mut self.items {
            if let Some(entry) = &item.entry {
                item.what = words(entry);
            }
        }
    }

    /// Entries that stand in gaps and could be loaded.
    pub fn missing(&self) -> u64 {
        let gap = |item: &Item| match item.what {
            What::Gap(gap) if !gap.is_gone => gap.from.count_to(gap.to),
            _ => 0,
        };
        self.items.iter().map(gap).sum()
    }

    /// Entries are known to be on disk or on the server: they are asked for when the room is shown.
    pub fn expect_entries(&mut self) {
        self.wants_newest = true;
    }

    /// What the server told of the room when it was followed. `words` stand below what it no longer has.
    pub fn followed(
        &mut self,
        epoch: Epoch,
        first: Seq,
        result: FollowResult,
        words: impl FnOnce() -> What,
    ) {
        let is_another = matches!(result, FollowResult::EpochChanged | FollowResult::Ahead);
        if is_another || self.epoch.is_some_and(|known| known != epoch) {
            self.put_aside(words);
        }
        self.epoch = Some(epoch);
        self.begins_at(first);
    }

    /// Entries go; posts of ours that wait or failed stay, at the end.
    fn forget_entries(&mut self) {
        for item in std::mem::take(&mut self.items) {
            if matches!(
                &item.what,
                What::Private {
                    fate: Fate::Pending | Fate::Failed(_),
                    ..
                }
            ) {
                self.keep_pending(item.at_ms, item.what);
            }
        }
        self.amendments = Amendments::default();
        self.load = Load::default();
        self.cleared_to = None;
        self.anchor = Anchor::Newest;
        self.asked = None;
        self.unread_below = 0;
    }

    /// Removes everything from the screen but posts that wait or failed; it stays away until [`Timeline::uncover`].
    pub fn clear(&mut self) {
        let to = self.newest().max(self.head);
        self.former.clear();
        self.forget_entries();
        self.wants_newest = false;
        self.cleared_to = to;
    }

    /// Lets what was cleared be loaded again.
    pub fn uncover(&mut self) {
        self.cleared_to = None;
    }

    /// Adds an entry at the newest end, with the gap before it if there is one; an entry that is there already is passed over.
    pub fn append(&mut self, entry: &Entry, words: impl Fn(&Entry) -> What) -> bool {
        if self.epoch.is_some_and(|known| known != entry.epoch) {
            self.forget_entries();
        }
        self.epoch = Some(entry.epoch);
        let newest = self.newest().max(self.cleared_to);
        if newest.is_some_and(|newest| entry.seq <= newest) {
            return false;
        }
        let item = self.item(entry, &words);
        let is_shown = item.what != What::Hidden;
        let gap =
            newest.and_then(|newest| self.gap(newest.next(), entry.seq.before(), entry.at_ms));
        self.items.extend(gap);
        self.items.push_back(item);
        self.head = self.head.max(Some(entry.seq));
        self.amend(entry, &words);
        self.wants_newest = false;
        if self.anchor != Anchor::Newest && entry.body.is_said() && is_shown {
            self.unread_below += 1;
        }
        true
    }

    /// Adds a line of our own at the newest end, in memory only.
    pub fn local(&mut self, what: What, at_ms: u64) {
        let after = self.newest().or(self.head);
        let after = after.unwrap_or(self.first.before());
        let item = Item {
            key: ItemKey::local(after, self.next_local),
            at_ms,
            what,
            entry: None,
        };
        self.next_local += 1;
        self.widen(&item);
        self.load.add(&item);
        self.items.push_back(item);
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

    /// The index of an item, if it is here.
    pub fn place(&self, key: ItemKey) -> Option<usize> {
        let index = self.index(key);
        self.get(index)
            .is_some_and(|item| item.key == key)
            .then_some(index)
    }

    /// The index in `items` where a key is or would be.
    fn among_items(&self, key: ItemKey) -> usize {
        let index = self.index(key).saturating_sub(self.former.len());
        index.min(self.items.len())
    }

    fn index(&self, key: ItemKey) -> usize {
        match key.era {
            Era::Former => self.former.partition_point(|item| item.key < key),
            Era::Now => self.former.len() + self.items.partition_point(|item| item.key < key),
            Era::Pending => {
                let before = self.former.len() + self.items.len();
                before + self.pending.partition_point(|item| item.key < key)
            }
        }
    }
}

fn gap_item(gap: Gap, at_ms: u64) -> Item {
    Item {
        key: ItemKey::gap(gap.to),
        at_ms,
        what: What::Gap(gap),
        entry: None,
    }
}
