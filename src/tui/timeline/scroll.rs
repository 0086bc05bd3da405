//! What part of a timeline the screen shows.
//!
//! It is anchored to an item and a line of it, never to a row, so that nothing moves when something arrives. This part knows no
//! widths: whoever scrolls says how high an item is.

use super::{Anchor, Timeline};

impl Timeline {
    pub fn anchor(&self) -> Anchor {
        self.anchor
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

    /// Where a screen of `rows` is anchored that has an item in its middle, as far as there is something below.
    pub fn centred(&self, on: usize, rows: usize, height: impl Fn(usize) -> usize) -> Anchor {
        let (index, line) = above(on, 0, rows / 2, &height);
        match self.get(index) {
            Some(item) if (index, line) < above(self.len(), 0, rows, &height) => Anchor::Top {
                key: item.key,
                line,
            },
            _ => Anchor::Newest,
        }
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
