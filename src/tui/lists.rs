//! Lists to choose from: the picker behind the lobby and the palette, search results, and the lists at the sides.

pub mod panes;
pub mod picker;
pub mod search;
