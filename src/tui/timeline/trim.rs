//! Trimming: bounds the memory of a timeline by dropping items that are far from the screen. They are loaded again as pages when the
//! user scrolls to them.
//!
//! The newest items are never dropped, so appending and counting work as if everything were loaded. A run dropped
//! between two parts that are kept becomes a gap. A run dropped at the beginning needs no gap: it is older than the
//! oldest loaded entry.

use std::collections::VecDeque;
use std::ops::Range;

use super::{Anchor, Gap, Item, ItemKey, ItemKind, NEAR, PAGE, PostStatus, Timeline, gap_item};
use crate::chat::{Entry, Seq};

/// A timeline is not trimmed again before it has grown by at least this many bytes.
const SLACK: usize = 8 * 1024;
/// Newest items that are kept of a room that is not shown, whatever their size.
const HIDDEN_ROOM_ITEMS: usize = 20;

/// How much of a timeline trimming keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keep {
    /// The memory budget. Half of it goes to the newest items, and a quarter to each side of the screen if that is scrolled up.
    bytes: usize,
    /// At least this many of the newest items are kept, whatever their size.
    newest: usize,
    /// At least this many items are kept on each side of the screen, and of each item that is in use.
    around: usize,
    /// Items that may be visible at once. Beyond these, nothing on the far side of a gap is kept.
    screen: usize,
}

impl Keep {
    /// For the room that is shown, on a screen with this many rows.
    ///
    /// Keeps the items that [`Timeline::wants_page`] looks at, plus one page. Otherwise a page would be dropped as
    /// soon as it is loaded and requested again as soon as it is dropped, in an endless loop.
    pub fn visible(bytes: usize, rows: usize) -> Self {
        let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let items = NEAR + page + rows;
        Self {
            bytes,
            newest: items,
            around: items,
            screen: rows.max(1),
        }
    }

    /// For a room that is not shown: the place the user scrolled to is kept with a screen of items on each side.
    pub fn hidden(bytes: usize, rows: usize) -> Self {
        Self {
            bytes,
            newest: HIDDEN_ROOM_ITEMS,
            around: rows,
            screen: rows.max(1),
        }
    }

    /// Counts how many items to keep, nearest first: as many as fit into `bytes`, but at least `least`.
    fn count<'a>(self, items: impl Iterator<Item = &'a Item>, bytes: usize, least: usize) -> usize {
        let (mut left, mut count) = (bytes, 0);
        for item in items {
            let bytes = item.bytes();
            let is_apart = count >= self.screen && matches!(item.what, ItemKind::Gap(_));
            if is_apart || (count >= least && bytes > left) {
                break;
            }
            left = left.saturating_sub(bytes);
            count += 1;
        }
        count
    }
}

/// The memory that the items of a timeline use.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load {
    /// An estimate. Items that are removed one by one are not subtracted until the next trim.
    bytes: usize,
    /// The bytes left after the last trim, and the budget of that trim.
    left: usize,
    allowed: usize,
}

impl Load {
    pub fn add(&mut self, item: &Item) {
        self.bytes += item.bytes();
    }
}

impl Item {
    /// Estimates the memory it uses, including its laid-out rows.
    fn bytes(&self) -> usize {
        let text = match &self.what {
            ItemKind::Message { text, .. }
            | ItemKind::Private { text, .. }
            | ItemKind::OwnPost { text, .. } => text.bytes(),
            _ => 0,
        };
        let entry =
            |entry: &Entry| size_of::<Entry>() + entry.author.name.len() + entry.estimated_size();
        size_of::<Self>() + text + self.entry.as_deref().map_or(0, entry)
    }
}

impl Timeline {
    /// Whether it is over the budget and has grown enough since the last trim to be worth trimming.
    pub fn is_over(&self, keep: Keep) -> bool {
        let Load {
            bytes,
            left,
            allowed,
        } = self.load;
        let has_grown = bytes > left + (keep.bytes / 2).max(SLACK);
        bytes > keep.bytes && (has_grown || keep.bytes < allowed)
    }

    /// Drops items that are far from the newest end, from the screen (`shown`, if it is scrolled up) and from the items in `near`.
    ///
    /// The scroll position does not move. Our pending and failed posts are moved to the end. Other local lines exist only in memory and are
    /// lost.
    pub fn trim(&mut self, keep: Keep, shown: Range<usize>, near: &[ItemKey]) {
        let is_kept = self.kept(keep, shown, near);
        let mut left: VecDeque<Item> = VecDeque::new();
        let mut waiting = Vec::new();
        // The first and last entry of the run that is being dropped.
        let mut gone: Option<(Seq, Seq)> = None;
        let items = std::mem::take(&mut self.items);
        for (item, is_kept) in items.into_iter().zip(is_kept) {
            if !is_kept {
                if let Some((first, last)) = span(&item) {
                    gone = Some((gone.map_or(first, |(from, _)| from), last));
                } else if is_unanswered(&item) {
                    waiting.push(item);
                }
                continue;
            }
            let Some((from, to)) = gone else {
                left.push_back(item);
                continue;
            };
            if left.is_empty() {
                // A gap is always between two entries, so the list never begins with one.
                if !matches!(item.what, ItemKind::Gap(_)) {
                    gone = None;
                    left.push_back(item);
                }
                continue;
            }
            gone = None;
            join(
                &mut left,
                Gap {
                    from,
                    to,
                    is_gone: false,
                },
                item,
            );
        }
        self.items = left;
        // Marks the part of the new gaps that the server has deleted.
        self.begins_at(self.first);
        for item in waiting {
            self.push_pending(item.at_ms, item.what);
        }
        let bytes = self.items.iter().map(Item::bytes).sum();
        self.load = Load {
            bytes,
            left: bytes,
            allowed: keep.bytes,
        };
    }

    /// Which items are kept.
    fn kept(&self, keep: Keep, shown: Range<usize>, near: &[ItemKey]) -> Vec<bool> {
        let all = self.items.len();
        let newest = keep.count(self.items.iter().rev(), keep.bytes / 2, keep.newest);
        let newest = all - newest..all;
        let mut ranges = vec![newest];
        let mut around = |at: Range<usize>, bytes: usize| {
            let above = keep.count(self.items.range(..at.start).rev(), bytes, keep.around);
            let below = keep.count(self.items.range(at.end..), bytes, keep.around);
            ranges.push(at.start - above..at.end + below);
        };
        let place = |key: ItemKey| {
            let at = self.among_items(key);
            at..at
        };
        if let Anchor::Top { key, .. } = self.anchor {
            let at = |index: usize| index.saturating_sub(self.former.len()).min(all);
            // Hidden items just above the screen are passed in one step when the user scrolls up. If they were dropped, a long run
            // of them could never be crossed.
            let start = self.before_hidden(at(shown.start), 0);
            around(start..at(shown.end), keep.bytes / 4);
            around(place(key), 0);
        }
        for key in near {
            around(place(*key), 0);
        }
        let mut is_kept = vec![false; all];
        for range in ranges {
            // A local line sorts after its entry but before a gap that ends with that entry, so the entry is kept as well.
            let mut above = (0..=range.start).rev();
            let root = above.find(|at| self.items.get(*at).is_some_and(|item| !item.is_local()));
            if let Some(root) = root.and_then(|root| is_kept.get_mut(root)) {
                *root = true;
            }
            is_kept[range].fill(true);
        }
        is_kept
    }
}

/// The first and last entry that an item represents; none for a local line.
fn span(item: &Item) -> Option<(Seq, Seq)> {
    match item.what {
        ItemKind::Gap(gap) => Some((gap.from, gap.to)),
        _ => (!item.is_local()).then_some((item.key.seq, item.key.seq)),
    }
}

/// Appends a gap and the item after it. Adjacent gaps are merged.
fn join(left: &mut VecDeque<Item>, mut gap: Gap, mut next: Item) {
    if let Some(ItemKind::Gap(before)) = left.back().map(|item| &item.what)
        && !before.is_gone
    {
        gap.from = before.from;
        left.pop_back();
    }
    match &mut next.what {
        ItemKind::Gap(after) if !after.is_gone => after.from = gap.from,
        _ => left.push_back(gap_item(gap, next.at_ms)),
    }
    left.push_back(next);
}

fn is_unanswered(item: &Item) -> bool {
    matches!(
        item.what,
        ItemKind::Private {
            status: PostStatus::Pending | PostStatus::Failed(_),
            ..
        }
    )
}
