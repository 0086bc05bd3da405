//! The screen itself: its size, the time, what is where, and one line for the user.

use jiff::tz::TimeZone;

use super::{Notice, Now, Panes};
use crate::tui::content::tour::Tour;
use crate::tui::screen::hit_map::HitMap;
use crate::tui::timeline::highlight::Highlights;

#[derive(Clone, Debug)]
pub struct Screen {
    pub size: (u16, u16),
    pub now: Now,
    pub zone: TimeZone,
    /// Whether the terminal has the keyboard focus; `None` until it reports it.
    pub focus: Option<bool>,
    /// How far the lists at the sides are scrolled.
    pub panes: Panes,
    /// What was where when it was last drawn.
    pub hit_map: HitMap,
    pub highlights: Highlights,
    /// Whether there is no screen, so that everything is written line by line.
    pub is_plain: bool,
    /// One line for the user, until the next key.
    pub notice: Option<Notice>,
    /// Without a screen: every notice since they were last written.
    pub notices: Vec<Notice>,
    /// The tour that is being given.
    pub guide: Option<Tour>,
}

impl Screen {
    pub(super) fn new(size: (u16, u16), now: Now, zone: TimeZone) -> Self {
        Self {
            size,
            now,
            zone,
            focus: None,
            panes: Panes::default(),
            hit_map: HitMap::default(),
            highlights: Highlights::default(),
            is_plain: false,
            notice: None,
            notices: Vec::new(),
            guide: None,
        }
    }
}
