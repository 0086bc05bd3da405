//! What part of a timeline the screen shows.
//!
//! It is anchored to an item and a line of it, never to a row, so that nothing moves when something arrives. This part knows no
//! widths: whoever scrolls says how high an item is.

use super::{Anchor, FURTHER, ItemKey, Timeline, What};

/// How many rows an item takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Height {
    /// Rules before it: they come and go with what stands above.
    pub head: usize,
    /// The item itself.
    pub body: usize,
}

impl Height {
    pub fn all(self) -> usize {
        self.head + self.body
    }
}

impl Timeline {
    pub fn anchor(&self) -> Anchor {
        self.anchor
    }

    pub fn set_anchor(&mut self, anchor: Anchor) {
        self.anchor = anchor;
        self.further = FURTHER;
        if anchor == Anchor::Newest {
            self.unread_below = 0;
        }
    }

    pub fn to_newest(&mut self) {
        self.set_anchor(Anchor::Newest);
    }

    /// Where a screen is anchored that begins with the oldest that is loaded.
    pub fn at_oldest(&self, height: impl Fn(usize) -> Height) -> Anchor {
        // Also where all of it is on the screen: what is before that is loaded then.
        self.counted((0, 0), &height)
    }

    /// The item and line at the top of a screen of `rows`, given how high each item is.
    pub fn top(&self, rows: usize, height: impl Fn(usize) -> Height) -> (usize, usize) {
        let all = |index| height(index).all();
        let newest = || above(self.len(), 0, rows, &all);
        let Anchor::Top { key, line } = self.anchor else {
            return newest();
        };
        let Some((index, line)) = self.place_of(key, line, &height) else {
            return newest();
        };
        // Where less than a screen is left below, the newest end is shown, and the screen is full.
        let mut left = all(index).saturating_sub(line);
        let mut next = index + 1;
        while left < rows && next < self.len() {
            left += all(next);
            next += 1;
        }
        if left < rows { newest() } else { (index, line) }
    }

    /// The item and line that an anchor means now.
    fn place_of(
        &self,
        key: ItemKey,
        line: isize,
        height: &impl Fn(usize) -> Height,
    ) -> Option<(usize, usize)> {
        let all = |index| height(index).all();
        let mut index = self.index(key);
        let item = self.get(index)?;
        if item.key != key {
            // It has gone, and its row is taken by what came in its place.
            return Some(above(index, 0, 1, &all));
        }
        let own = height(index);
        if own.all() == 0 {
            // It shows in one before it, which says it for all of them.
            while index > 0 && all(index) == 0 {
                index -= 1;
            }
            let last = all(index).saturating_sub(1);
            return Some(match last.checked_add_signed(line.min(0)) {
                Some(line) => (index, line),
                None => above(index, 0, line.unsigned_abs() - last, &all),
            });
        }
        let line = line.min(isize::try_from(own.body).unwrap_or(isize::MAX) - 1);
        match own.head.checked_add_signed(line) {
            Some(line) => Some((index, line)),
            // A rule that stood before it does not any more.
            None => Some(above(index, 0, line.unsigned_abs() - own.head, &all)),
        }
    }

    /// An item and a line of it, rules before it counted, as an anchor; at the newest end that is what it is.
    fn anchored(
        &self,
        (index, line): (usize, usize),
        rows: usize,
        height: &impl Fn(usize) -> Height,
    ) -> Anchor {
        let all = |index| height(index).all();
        if (index, line) < above(self.len(), 0, rows, &all) {
            self.counted((index, line), height)
        } else {
            Anchor::Newest
        }
    }

    /// A place, counted from an item that stays as it is. Who came and went is said for all of them by the first in a run, which is another
    /// one, and says more or less, when more of the run is loaded; so that is counted from what follows it, if something does.
    fn counted(&self, (index, line): (usize, usize), height: &impl Fn(usize) -> Height) -> Anchor {
        let is_steady = |index: usize| {
            let item = self.get(index);
            !item.is_some_and(|item| matches!(item.what, What::JoinOrLeave { .. } | What::Hidden))
        };
        let next = (index..self.len()).find(|index| is_steady(*index));
        let on = next.unwrap_or(index);
        let between: usize = (index..on).map(|index| height(index).all()).sum();
        let rows = |count: usize| isize::try_from(count).unwrap_or(isize::MAX);
        self.get(on).map_or(Anchor::Newest, |item| Anchor::Top {
            key: item.key,
            line: rows(line)
                .saturating_sub(rows(between))
                .saturating_sub(rows(height(on).head)),
        })
    }

    /// Where a screen of `rows` is anchored after it was scrolled by some rows, up if negative. At the newest end it stays there
    /// from then on.
    pub fn scrolled(&self, by: isize, rows: usize, height: impl Fn(usize) -> Height) -> Anchor {
        let all = |index| height(index).all();
        let (mut index, mut line) = self.top(rows, &height);
        if by < 0 {
            (index, line) = above(index, line, by.unsigned_abs(), &all);
        } else {
            line += by.unsigned_abs();
            while index < self.len() && line >= all(index) {
                line -= all(index);
                index += 1;
            }
        }
        self.anchored((index, line), rows, &height)
    }

    /// The anchor that puts an item in the middle of a screen of `rows`, unless it is near the newest end or there is a gap just above it.
    pub fn centred(&self, on: usize, rows: usize, height: impl Fn(usize) -> Height) -> Anchor {
        let all = |index| height(index).all();
        let (mut index, mut line) = above(on, 0, rows / 2, &all);
        // Entries loaded into that gap would push the item off the screen. Below the gap, they are inserted above the screen.
        let is_gap = |at: &usize| {
            let item = self.get(*at);
            item.is_some_and(|item| matches!(item.what, What::Gap(gap) if !gap.is_gone))
        };
        if let Some(gap) = (index..on).rev().find(is_gap) {
            (index, line) = (gap + 1, 0);
        }
        self.anchored((index, line), rows, &height)
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
