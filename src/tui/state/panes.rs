//! How far the lists at the sides are scrolled.

/// How far they were scrolled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Panes {
    /// The first row of the rooms; nothing where the one that is read is to be seen.
    pub rooms: Option<usize>,
    /// The first of the people.
    pub people: usize,
}
