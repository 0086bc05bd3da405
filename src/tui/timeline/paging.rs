//! Loading older entries: pages are inserted between the loaded entries, and gaps mark what is missing.

use std::ops::Range;

use super::{Anchor, FILL, Gap, Item, ItemKey, ItemKind, NEAR, NEWEST, PAGE, Timeline, gap_item};
use crate::chat::{Body, Entry, Epoch, Seq};

impl Timeline {
    pub(super) fn gap(&self, from: Seq, to: Seq, at_ms: u64) -> Option<Item> {
        let is_gone = to < self.first;
        (from <= to).then(|| gap_item(Gap { from, to, is_gone }, at_ms))
    }

    /// Adds a page: the entries right before `before`, which may be [`NEWEST`]. Ignores entries that are already
    /// there, and pages of another epoch.
    pub fn fill(
        &mut self,
        before: Seq,
        epoch: Epoch,
        first: Seq,
        entries: &[Entry],
        words: impl Fn(&Entry) -> ItemKind,
    ) {
        if self.requested_page == Some(before) {
            self.requested_page = None;
        }
        // A page may contain cleared entries, for example if it was requested before the screen was cleared.
        let cleared = entries.partition_point(|entry| Some(entry.seq) <= self.cleared_to);
        let entries = &entries[cleared..];
        if cleared > 0 && entries.is_empty() {
            return;
        }
        if before == NEWEST {
            self.wants_newest = false;
            if self.epoch.is_none_or(|known| known == epoch) {
                self.first = first;
                for entry in entries {
                    self.append(entry, &words);
                }
            }
            return;
        }
        if self.epoch != Some(epoch) {
            return;
        }
        self.begins_at(first);
        if entries.is_empty() {
            self.nothing_before(before);
        } else {
            self.insert(entries, &words);
        }
        let amending = |entry: &&Entry| matches!(entry.body, Body::Amendment { .. });
        for by in entries.iter().filter(amending) {
            self.amend(by, &words);
        }
    }

    /// Records that a page was empty: the server no longer has the missing entries right before `before`.
    pub(super) fn nothing_before(&mut self, before: Seq) {
        let key = ItemKey::gap(before.before());
        let place = self.items.partition_point(|item| item.key < key);
        let gap = self
            .items
            .get(place)
            .map(|item| (item.what.clone(), item.at_ms));
        match gap {
            Some((ItemKind::Gap(gap), at_ms)) if gap.from < before => {
                self.items.remove(place);
                let lost = Gap {
                    to: before.before(),
                    is_gone: true,
                    ..gap
                };
                let rest = Gap {
                    from: before,
                    ..gap
                };
                for (place, gap) in (place..).zip([lost, rest]) {
                    if gap.from <= gap.to {
                        self.items.insert(place, gap_item(gap, at_ms));
                    }
                }
            }
            _ if place == 0 => self.first = before,
            _ => {}
        }
    }

    /// Records that the server no longer has the entries before `first`, and marks the gaps that they leave.
    pub(super) fn begins_at(&mut self, first: Seq) {
        self.first = first;
        let mut place = 0;
        while let Some(item) = self.items.get_mut(place) {
            if let ItemKind::Gap(gap) = &mut item.what {
                if gap.to < first {
                    gap.is_gone = true;
                } else if gap.from < first && !gap.is_gone {
                    let (lost, at_ms) = (*gap, item.at_ms);
                    gap.from = first;
                    let lost = Gap {
                        to: first.before(),
                        is_gone: true,
                        ..lost
                    };
                    self.items.insert(place, gap_item(lost, at_ms));
                    place += 1;
                }
            }
            place += 1;
        }
    }

    /// Inserts a run of entries in order, with gaps between it and the other items where entries are missing.
    pub(super) fn insert(&mut self, run: &[Entry], words: &impl Fn(&Entry) -> ItemKind) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        let (from, to) = (first.seq, last.seq);
        let fresh = run
            .iter()
            .filter(|entry| self.place(ItemKey::entry(entry.seq)).is_none());
        let fresh: Vec<&Entry> = fresh.collect();
        let fresh: Vec<Item> = fresh.into_iter().map(|it| self.item(it, words)).collect();
        let touches = |item: &Item| matches!(item.what, ItemKind::Gap(gap) if gap.from <= to && gap.to >= from);
        let place = self
            .items
            .partition_point(|it| it.key < ItemKey::entry(from));
        let mut after = self.items.split_off(place);
        let below = self.items.back().map(|item| item.key.seq);
        let gap = below.and_then(|below| self.gap(below.next(), from.before(), first.at_ms));
        self.items.extend(gap);
        let mut fresh = fresh.into_iter().peekable();
        while let Some(next) = after.front() {
            let is_within = next.key.seq <= to || touches(next);
            match fresh.peek() {
                Some(item) if item.key < next.key => self.items.extend(fresh.next()),
                _ if !is_within => break,
                _ => {
                    let known = after.pop_front();
                    self.items.extend(known.filter(|item| !touches(item)));
                }
            }
        }
        self.items.extend(fresh);
        if let Some(next) = after.front() {
            let end = match next.what {
                ItemKind::Gap(gap) => gap.from.before(),
                _ => next.key.seq.before(),
            };
            let gap = self.gap(to.next(), end, next.at_ms);
            self.items.extend(gap);
        }
        self.items.extend(after);
    }

    pub fn page_failed(&mut self, before: Seq) {
        if self.requested_page == Some(before) {
            self.requested_page = None;
        }
    }

    /// The page to request while these items are on the screen. Records that it was requested.
    pub fn wants_page(&mut self, shown: Range<usize>) -> Option<Seq> {
        if self.requested_page.is_some() {
            return None;
        }
        // Joins, leaves and reactions have no row of their own, and thousands of them may follow each other. Loading
        // all of them just to fill the screen would take too long.
        let here = match self.anchor {
            Anchor::Newest => self.items.len(),
            Anchor::Top { key, .. } => self.among_items(key),
        };
        let far = if self.extra_pages > 0 {
            0
        } else {
            here.saturating_sub(FILL)
        };
        let seen = shown.start.saturating_sub(self.former.len());
        let first = self.before_hidden(seen, far).saturating_sub(NEAR).max(far);
        let last = shown.end.saturating_sub(self.former.len()) + NEAR;
        let near = first..last.min(self.items.len());
        // A gap below the top of the screen is filled from its oldest end when scrolled up; every other gap from its newest end.
        let is_below = |index: usize| self.anchor != Anchor::Newest && index > seen;
        let gap = |index: usize| match self.items[index].what {
            ItemKind::Gap(gap) if gap.is_gone => None,
            ItemKind::Gap(gap) if is_below(index) => {
                Some(gap.to.next().min(Seq(gap.from.0 + PAGE)))
            }
            ItemKind::Gap(gap) => Some(gap.to.next()),
            _ => None,
        };
        let wanted = if self.oldest().is_none() {
            self.wants_newest.then_some(NEWEST)
        } else if let Some(gap) = near.rev().find_map(gap) {
            Some(gap)
        } else {
            let begins = self
                .cleared_to
                .map_or(self.first, Seq::next)
                .max(self.first);
            self.oldest()
                .filter(|oldest| first == 0 && *oldest > begins)
        };
        if wanted.is_some() {
            self.extra_pages = self.extra_pages.saturating_sub(1);
        }
        self.requested_page = wanted;
        wanted
    }

    /// The start of the run of hidden items before `place`, or `place` if there is none. Does not look further back than `far`.
    pub(super) fn before_hidden(&self, place: usize, far: usize) -> usize {
        let is_hidden = |item: &Item| item.what == ItemKind::Hidden;
        let mut first = place;
        while first > far && self.items.get(first - 1).is_some_and(is_hidden) {
            first -= 1;
        }
        first
    }
}
