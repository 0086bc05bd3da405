//! The text that was killed (cut) last. All text fields share it, so text that was typed in the wrong field can be moved to another.

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KillRing {
    text: String,
    /// Whether the last key was a kill too, so that the next kill is added to the text.
    is_series_open: bool,
}

/// On which side of the cursor the killed text was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Before,
    Behind,
}

impl KillRing {
    /// Ends a series of kills. Called for every key that kills nothing.
    pub fn end_series(&mut self) {
        self.is_series_open = false;
    }

    /// Adds a text that was cut outside the composer.
    pub fn put(&mut self, text: &str) {
        self.add(text, Side::Before);
    }

    pub(super) fn add(&mut self, text: &str, side: Side) {
        if text.is_empty() {
            return;
        }
        if !self.is_series_open {
            self.text.clear();
        }
        match side {
            Side::Before => self.text.insert_str(0, text),
            Side::Behind => self.text.push_str(text),
        }
        self.is_series_open = true;
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}
