//! What was killed last. There is one for the whole screen: what was typed in the wrong place is cut there and yanked elsewhere.

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KillRing {
    text: String,
    /// What is killed next is added to it: nothing else was done meanwhile.
    goes_on: bool,
}

/// On which side of the cursor it stood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Before,
    Behind,
}

impl KillRing {
    /// What a key does that kills nothing.
    pub fn ends(&mut self) {
        self.goes_on = false;
    }

    /// Takes a text that was cut elsewhere, to be pasted.
    pub fn put(&mut self, text: &str) {
        self.add(text, Side::Before);
    }

    pub(super) fn add(&mut self, text: &str, side: Side) {
        if text.is_empty() {
            return;
        }
        if !self.goes_on {
            self.text.clear();
        }
        match side {
            Side::Before => self.text.insert_str(0, text),
            Side::Behind => self.text.push_str(text),
        }
        self.goes_on = true;
    }

    pub fn text(&self) -> &str {
        &self.text
    }
}
