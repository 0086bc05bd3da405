//! The state of the screen itself: size, time, hit map and notices.

use jiff::tz::TimeZone;

use super::{Notice, Now, Panes};
use crate::tui::content::tour::Tour;
use crate::tui::screen::hit_map::HitMap;
use crate::tui::timeline::highlight::Highlights;

#[derive(Clone, Debug)]
pub struct ScreenState {
    pub size: (u16, u16),
    pub now: Now,
    pub zone: TimeZone,
    /// Whether the terminal has the keyboard focus; `None` until it reports it.
    pub focus: Option<bool>,
    /// The scroll positions of the side panes.
    pub panes: Panes,
    /// What was drawn where in the last frame.
    pub hit_map: HitMap,
    pub highlights: Highlights,
    /// Whether this is plain mode: there is no screen, and everything is printed line by line.
    pub is_plain: bool,
    /// The notice that is shown until the next key press.
    pub notice: Option<Notice>,
    /// In plain mode: the notices that are not printed yet.
    pub notices: Vec<Notice>,
    /// The tour, as long as it is shown.
    pub guide: Option<Tour>,
}

impl ScreenState {
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
