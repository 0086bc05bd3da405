//! The timeline of a room: loaded entries in order, gaps for those that are not loaded, local lines, and our pending posts at the end.
//!
//! It accesses neither the screen nor the network: it only returns which page to request next.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

mod amend;
mod former;
pub mod highlight;
mod item;
pub mod message_text;
mod own_posts;
mod paging;
pub mod rows;
mod scroll;
mod trim;

use std::collections::{BTreeSet, VecDeque};

use self::amend::Amendments;
pub use self::item::{Direction, Gap, Item, ItemKey, ItemKind, PostStatus, Section};
pub use self::scroll::Height;
pub use self::trim::Keep;
use self::trim::Load;
use crate::chat::{Entry, Epoch, FollowResult, Seq};
use crate::text;
use crate::tui::timeline::message_text::Fold;

/// The seq that requests the newest page.
pub const NEWEST: Seq = Seq(u64::MAX);
/// Missing entries are loaded when they are within this many items of the screen.
const NEAR: usize = 100;

/// No page is loaded more than this many items above the anchor, because a run of items without rows may be very long.
const FILL: usize = 1000;
/// Pages that may be loaded beyond [`FILL`] each time the user scrolls.
const FURTHER: usize = 5;
/// Entries in a page. The server uses the same number.
const PAGE: u64 = 200;

/// The scroll position of a timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Anchor {
    /// The newest item is at the bottom, even when new ones arrive.
    Newest,
    /// This line of this item is at the top of the screen. Separators before the item have negative line numbers.
    Top { key: ItemKey, line: isize },
}

#[derive(Clone, Debug)]
pub struct Timeline {
    epoch: Option<Epoch>,
    /// Messages of a history that the room no longer has, followed by a line that says so.
    former: Vec<Item>,
    /// Ascending by key. Two entries whose seqs do not follow each other have a gap between them.
    items: VecDeque<Item>,
    pending: Vec<Item>,
    /// Amendments by the entry they amend, which need not be loaded.
    amendments: Amendments,
    /// The first seq the server still has, and the highest seq that was ever loaded here.
    first: Seq,
    head: Option<Seq>,
    /// Whether the room is known to have entries although none is loaded.
    wants_newest: bool,
    /// Entries up to this one were cleared from the screen. They are not loaded again until the user scrolls up or goes to one of them.
    cleared_to: Option<Seq>,
    anchor: Anchor,
    /// The page that was requested and has not arrived.
    requested_page: Option<Seq>,
    /// Pages that may still be loaded more than [`FILL`] items above the anchor.
    extra_pages: usize,
    next_local: u32,
    next_pending: u64,
    /// The width of the name column. It never shrinks.
    name_columns: usize,
    /// Messages that arrived while the screen was scrolled up.
    unread_below: usize,
    /// Entries after this one are marked as new.
    new_after: Option<Seq>,
    /// Items whose long code blocks are shown completely.
    unfolded: BTreeSet<ItemKey>,
    /// The memory that `items` uses.
    load: Load,
}

/// The minimum and maximum width of the name column.
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
            requested_page: None,
            extra_pages: 0,
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

    /// Whether long code blocks of an item are folded.
    pub fn fold(&self, key: ItemKey) -> Fold {
        if self.unfolded.contains(&key) {
            Fold::Open
        } else {
            Fold::Folded
        }
    }

    /// Folds or unfolds the code blocks of an item.
    pub fn toggle_fold(&mut self, key: ItemKey) {
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

    /// The oldest entry that is loaded.
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

    /// Marks everything after an entry as new.
    pub fn begin_new(&mut self, after: Seq) {
        self.new_after = Some(after);
    }

    /// Removes the mark for new entries.
    pub fn end_new(&mut self) {
        self.new_after = None;
    }

    /// Whether the separator for new messages comes before `item`. `before` is the item that is shown before it.
    pub fn is_first_new(&self, before: Option<&Item>, item: &Item) -> bool {
        let is_new = |item: &Item| {
            let is_of_now = item.key.section == Section::Current;
            is_of_now && self.new_after.is_some_and(|after| item.key.seq > after)
        };
        // If the first new entry is not loaded, the separator comes before the gap that contains it.
        is_new(item) && !before.is_some_and(is_new)
    }

    /// The first new item.
    pub fn first_new(&self) -> Option<ItemKey> {
        let after = self.new_after?;
        let place = self.items.partition_point(|item| item.key.seq <= after);
        self.items.get(place).map(|item| item.key)
    }

    /// The first new entry, if it is not loaded.
    pub fn first_new_unloaded(&self) -> Option<Seq> {
        let after = self.new_after?;
        // If the next item is a gap, the entry is in that gap.
        let is_here = self.is_continuous_from(after) && self.after(after).next().is_some();
        (!is_here).then(|| after.next().max(self.first))
    }

    /// Whether the loaded entries reach back to the one directly after `seq`.
    pub fn is_continuous_from(&self, seq: Seq) -> bool {
        let begins = seq.next().max(self.first);
        self.oldest().is_some_and(|oldest| oldest <= begins)
    }

    /// Whether all entries after this one are loaded, except those that the server no longer has.
    pub fn is_whole_after(&self, seq: Seq) -> bool {
        let from = self.items.partition_point(|item| item.key.seq <= seq);
        let mut items = self.items.range(from..);
        !items.any(|item| matches!(item.what, ItemKind::Gap(gap) if !gap.is_gone))
    }

    /// The items after an entry, up to the first gap that could be loaded.
    pub fn after(&self, seq: Seq) -> impl Iterator<Item = &Item> {
        let from = self.items.partition_point(|item| item.key.seq <= seq);
        let items = self.items.range(from..);
        items.take_while(|item| !matches!(item.what, ItemKind::Gap(gap) if !gap.is_gone))
    }

    /// The first entry of the run without gaps that ends with the newest entry.
    pub fn newest_run(&self) -> Option<Seq> {
        let run = self.items.iter().rev();
        let run = run.take_while(|item| !matches!(item.what, ItemKind::Gap(_)));
        let entries = run.filter(|item| item.key.line == 0);
        entries.last().map(|item| item.key.seq)
    }

    /// Rebuilds every item from its entry, because the language or what is shown has changed.
    pub fn rebuild_items(&mut self, words: impl Fn(&Entry) -> ItemKind) {
        for item in &mut self.items {
            if let Some(entry) = &item.entry {
                item.what = words(entry);
            }
        }
    }

    /// Counts the entries in gaps that could be loaded.
    pub fn missing(&self) -> u64 {
        let gap = |item: &Item| match item.what {
            ItemKind::Gap(gap) if !gap.is_gone => gap.from.count_to(gap.to),
            _ => 0,
        };
        self.items.iter().map(gap).sum()
    }

    /// Records that there are entries on disk or on the server. They are requested when the room is shown.
    pub fn expect_entries(&mut self) {
        self.wants_newest = true;
    }

    /// Applies the server's answer to following the room. `words` is the line below messages of a history that the room no longer has.
    pub fn followed(
        &mut self,
        epoch: Epoch,
        first: Seq,
        result: FollowResult,
        words: impl FnOnce() -> ItemKind,
    ) {
        let is_another = matches!(result, FollowResult::EpochChanged | FollowResult::Ahead);
        if is_another || self.epoch.is_some_and(|known| known != epoch) {
            self.move_to_former(words);
        }
        self.epoch = Some(epoch);
        self.begins_at(first);
    }

    /// Removes all entries. Our posts that are pending or failed stay, at the end.
    fn forget_entries(&mut self) {
        for item in std::mem::take(&mut self.items) {
            if matches!(
                &item.what,
                ItemKind::Private {
                    status: PostStatus::Pending | PostStatus::Failed(_),
                    ..
                }
            ) {
                self.push_pending(item.at_ms, item.what);
            }
        }
        self.amendments = Amendments::default();
        self.load = Load::default();
        self.cleared_to = None;
        self.anchor = Anchor::Newest;
        self.requested_page = None;
        self.unread_below = 0;
    }

    /// Removes everything except pending and failed posts. The entries are not loaded again until
    /// [`Timeline::uncover`] is called.
    pub fn clear(&mut self) {
        let to = self.newest().max(self.head);
        self.former.clear();
        self.forget_entries();
        self.wants_newest = false;
        self.cleared_to = to;
    }

    /// Allows the cleared entries to be loaded again.
    pub fn uncover(&mut self) {
        self.cleared_to = None;
    }

    /// Adds an entry at the newest end, after a gap if entries are missing before it. Returns false if it was already there.
    pub fn append(&mut self, entry: &Entry, words: impl Fn(&Entry) -> ItemKind) -> bool {
        if self.epoch.is_some_and(|known| known != entry.epoch) {
            self.forget_entries();
        }
        self.epoch = Some(entry.epoch);
        let newest = self.newest().max(self.cleared_to);
        if newest.is_some_and(|newest| entry.seq <= newest) {
            return false;
        }
        let item = self.item(entry, &words);
        let is_shown = item.what != ItemKind::Hidden;
        let gap =
            newest.and_then(|newest| self.gap(newest.next(), entry.seq.before(), entry.at_ms));
        self.items.extend(gap);
        self.items.push_back(item);
        self.head = self.head.max(Some(entry.seq));
        self.amend(entry, &words);
        self.wants_newest = false;
        if self.anchor != Anchor::Newest && entry.body.is_message() && is_shown {
            self.unread_below += 1;
        }
        true
    }

    /// Adds a local line at the newest end. It exists only in memory.
    pub fn add_local_line(&mut self, what: ItemKind, at_ms: u64) {
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
        let (ItemKind::Message { name, .. }
        | ItemKind::Private { name, .. }
        | ItemKind::OwnPost { name, .. }) = &item.what
        else {
            return;
        };
        let wide = text::width(name.as_str());
        self.name_columns = self.name_columns.max(wide.min(NAME_COLUMNS.1));
    }

    /// The index of an item, if it is in the timeline.
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
        match key.section {
            Section::Former => self.former.partition_point(|item| item.key < key),
            Section::Current => {
                self.former.len() + self.items.partition_point(|item| item.key < key)
            }
            Section::Pending => {
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
        what: ItemKind::Gap(gap),
        entry: None,
    }
}
