//! Scrolling: which part of a timeline the screen shows.
//!
//! The position is an item and a line in it, never a row of the screen, so nothing moves when entries arrive. This
//! module lays nothing out: the caller passes a function that returns the height of an item.

use super::{Anchor, FURTHER, ItemKey, ItemKind, Timeline};

/// The number of rows an item takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Height {
    /// The separator lines before the item. They depend on the items above.
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
        self.extra_pages = FURTHER;
        if anchor == Anchor::Newest {
            self.unread_below = 0;
        }
    }

    pub fn to_newest(&mut self) {
        self.set_anchor(Anchor::Newest);
    }

    /// The anchor that shows the oldest loaded item at the top.
    pub fn at_oldest(&self, height: impl Fn(usize) -> Height) -> Anchor {
        // Anchored at the top even if everything fits on the screen, so that older pages are loaded.
        self.stable_anchor((0, 0), &height)
    }

    /// The item and line at the top of a screen of `rows`. `height` returns the height of an item.
    pub fn top(&self, rows: usize, height: impl Fn(usize) -> Height) -> (usize, usize) {
        let all = |index| height(index).all();
        let newest = || above(self.len(), 0, rows, &all);
        let Anchor::Top { key, line } = self.anchor else {
            return newest();
        };
        let Some((index, line)) = self.place_of(key, line, &height) else {
            return newest();
        };
        // If less than a screen is left below, show the newest end, so that the screen is full.
        let mut left = all(index).saturating_sub(line);
        let mut next = index + 1;
        while left < rows && next < self.len() {
            left += all(next);
            next += 1;
        }
        if left < rows { newest() } else { (index, line) }
    }

    /// The current item and line of an anchor.
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
            // The item was removed, so the row just above its old position is shown.
            return Some(above(index, 0, 1, &all));
        }
        let own = height(index);
        if own.all() == 0 {
            // It has no rows, because an item before it shows it (one line for a run of joins and leaves).
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
            // A separator that was before it has disappeared.
            None => Some(above(index, 0, line.unsigned_abs() - own.head, &all)),
        }
    }

    /// The anchor of an item and a line in it, where separators before it count as lines. At the newest end it is [`Anchor::Newest`].
    fn anchored(
        &self,
        (index, line): (usize, usize),
        rows: usize,
        height: &impl Fn(usize) -> Height,
    ) -> Anchor {
        let all = |index| height(index).all();
        if (index, line) < above(self.len(), 0, rows, &all) {
            self.stable_anchor((index, line), height)
        } else {
            Anchor::Newest
        }
    }

    /// The anchor of a position, counted from an item that does not change.
    ///
    /// The first item of a run of joins and leaves shows the whole run. When more of the run is loaded, another item is first and the line
    /// changes. So a position in a run is counted from the item after it, if there is one.
    fn stable_anchor(
        &self,
        (index, line): (usize, usize),
        height: &impl Fn(usize) -> Height,
    ) -> Anchor {
        let is_steady = |index: usize| {
            let item = self.get(index);
            !item.is_some_and(|item| {
                matches!(item.what, ItemKind::JoinOrLeave { .. } | ItemKind::Hidden)
            })
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

    /// The anchor of a screen of `rows` after scrolling by some rows, up if negative. Once it reaches the newest end, it stays there when
    /// entries arrive.
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
        // Entries loaded into a gap on the screen would push the item off the screen. If the screen starts below the
        // gap, they are inserted above the screen.
        let is_gap = |at: &usize| {
            let item = self.get(*at);
            item.is_some_and(|item| matches!(item.what, ItemKind::Gap(gap) if !gap.is_gone))
        };
        if let Some(gap) = (index..on).rev().find(is_gap) {
            (index, line) = (gap + 1, 0);
        }
        self.anchored((index, line), rows, &height)
    }
}

/// The position some rows above another.
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
