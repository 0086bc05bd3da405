//! Drawing: one function for each region of the screen. The state is the only input, and drawing does not change it.
#![cfg_attr(not(test), deny(clippy::disallowed_methods))]

pub mod cells;
mod messages;
mod overlay;
mod panes;
mod picker;
mod prompt;
mod status;

use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::Arc;

use ratatui::Frame;
use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::content::prompt::prompt as prompt_of;
use super::screen::hit_map::{HitMap, Target};
use super::screen::regions::{Regions, regions};
use super::state::State;
use super::theme::{Scope, Theme};
use crate::text::{self, SafeText};

/// The symbols on the screen, with an ASCII set for terminals that cannot show the Unicode ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Glyphs {
    pub online: &'static str,
    pub away: &'static str,
    pub waiting: &'static str,
    pub offline: &'static str,
    pub hosting: &'static str,
    pub pending: &'static str,
    pub failed: &'static str,
    pub private: &'static str,
    pub above: &'static str,
    pub below: &'static str,
    pub rule: &'static str,
    pub chosen: &'static str,
    pub bridge: &'static str,
}

impl Glyphs {
    pub const UNICODE: Self = Self {
        online: "●",
        away: "◐",
        waiting: "◌",
        offline: "○",
        hosting: "◇",
        pending: "…",
        failed: "✗",
        private: "▎",
        above: "↑",
        below: "↓",
        rule: "─",
        chosen: "›",
        bridge: "⇄",
    };
    pub const ASCII: Self = Self {
        online: "*",
        away: "%",
        waiting: "~",
        offline: "o",
        hosting: "^",
        pending: ".",
        failed: "x",
        private: "|",
        above: "^",
        below: "v",
        rule: "-",
        chosen: ">",
        bridge: "=",
    };

    /// Whether these are the Unicode symbols.
    pub fn is_unicode(&self) -> bool {
        *self != Self::ASCII
    }
}

/// The theme and the symbols to draw with.
#[derive(Clone, Debug)]
pub struct Look {
    pub theme: Theme,
    pub glyphs: Glyphs,
}

/// Draws the whole screen and returns its hit map.
///
/// The size is taken from the state, so that the rows drawn are those that the scroll position was computed for.
pub fn draw(frame: &mut Frame<'_>, state: &State, look: &Look) -> HitMap {
    let prompt = prompt_of(state);
    let regions = regions(state, text::width(&prompt.text));
    let area = frame
        .area()
        .intersection(Rect::new(0, 0, state.screen.size.0, state.screen.size.1));
    let mut canvas = Canvas {
        buffer: frame.buffer_mut(),
        look,
        clip: area,
        shows_links: state.preferences.links,
        links: Vec::new(),
        hit_map: HitMap::default(),
    };
    canvas.fill(area, Scope::Background);
    panes::header(&mut canvas, state, regions.header);
    panes::rooms(&mut canvas, state, regions.rooms);
    panes::people(&mut canvas, state, regions.people);
    messages::draw(&mut canvas, state, &regions);
    prompt::rule(&mut canvas, state, &regions);
    status::draw(&mut canvas, state, &regions);
    let mut cursor = prompt::composer(&mut canvas, state, &prompt, &regions);
    overlay::popup(&mut canvas, state, &regions);
    if state.overlays.top.is_some() {
        cursor = overlay::draw(&mut canvas, state, &regions);
    }
    for link in std::mem::take(&mut canvas.links) {
        canvas.write_link(&link);
    }
    let targets = std::mem::take(&mut canvas.hit_map);
    if let Some((x, y)) = cursor.filter(|(x, y)| *x < area.width && *y < area.height) {
        frame.set_cursor_position((x, y));
    }
    targets
}

/// A buffer that accepts only safe text and never draws outside its area.
struct Canvas<'a> {
    buffer: &'a mut Buffer,
    look: &'a Look,
    clip: Rect,
    /// Whether to write hyperlinks (OSC 8), and the links drawn so far.
    shows_links: bool,
    links: Vec<Link>,
    hit_map: HitMap,
}

/// A part of a row that links to an address.
#[derive(Clone, Debug)]
struct Link {
    x: u16,
    y: u16,
    words: String,
    address: Arc<str>,
}

impl Canvas<'_> {
    fn style(&self, scope: Scope) -> Style {
        self.look.theme.style(scope)
    }

    /// Records that a click in this area means this target.
    fn target(&mut self, area: Rect, target: Target) {
        self.hit_map.push(area.intersection(self.clip), target);
    }

    fn fill(&mut self, area: Rect, scope: Scope) {
        let style = self.style(scope);
        self.buffer.set_style(area.intersection(self.clip), style);
    }

    /// Empties an area and sets its background.
    fn clear(&mut self, area: Rect, scope: Scope) {
        let style = self.style(scope);
        for position in area.intersection(self.clip).positions() {
            self.buffer[position].reset();
            self.buffer[position].set_style(style);
        }
    }

    /// Draws at most `columns` columns of text from (`x`, `y`) on, and returns how many it used.
    fn put(&mut self, x: u16, y: u16, columns: u16, text: &SafeText, style: Style) -> u16 {
        let inside = y < self.clip.bottom() && y >= self.clip.top() && x < self.clip.right();
        if !inside {
            return 0;
        }
        let columns = usize::from(columns.min(self.clip.right() - x));
        let cut = text::cut(text.as_str(), columns);
        let columns = u16::try_from(columns).unwrap_or(u16::MAX);
        cells::put(self.buffer, x, y, columns, &cut, style)
    }

    /// Changes the style of parts of a text that was drawn at the start of an area. `parts` are byte ranges.
    fn mark(&mut self, area: Rect, text: &SafeText, parts: &[Range<usize>], style: Style) {
        let text = text.as_str();
        let inside = area.intersection(self.clip);
        for part in parts {
            let (Some(before), Some(marked)) = (text.get(..part.start), text.get(part.clone()))
            else {
                continue;
            };
            let place = Rect {
                x: area.x.saturating_add(columns(before)),
                width: columns(marked),
                ..area
            };
            self.buffer.set_style(place.intersection(inside), style);
        }
    }

    /// Makes a part of a text that was drawn at the start of an area a link to an address, unless something is drawn over it later.
    fn link(&mut self, area: Rect, text: &SafeText, part: Range<usize>, address: &Arc<str>) {
        let text = text.as_str();
        let (Some(before), Some(linked)) = (text.get(..part.start), text.get(part)) else {
            return;
        };
        if self.shows_links {
            self.links.push(Link {
                x: area.x.saturating_add(columns(before)),
                y: area.y,
                words: linked.to_owned(),
                address: Arc::clone(address),
            });
        }
    }

    /// Writes a whole link, with its escape sequences, into its first cell, and gives that cell the width of the link. The other cells
    /// keep the symbols that are visible there.
    fn write_link(&mut self, link: &Link) {
        let Link {
            x,
            y,
            words: linked,
            address,
        } = link;
        let place = Rect::new(*x, *y, columns(linked), 1);
        let Some(width) = NonZeroU16::new(place.width)
            .filter(|_| place.intersection(self.clip).intersection(self.buffer.area) == place)
        else {
            return;
        };
        // No link if something was drawn over it since, or if only parts of it are highlighted.
        let style = self.buffer[(*x, *y)].style();
        let mut shown = String::new();
        let mut at = *x;
        while at < place.right() {
            let cell = &self.buffer[(at, *y)];
            if cell.style() != style {
                return;
            }
            shown.push_str(cell.symbol());
            at += columns(cell.symbol()).max(1);
        }
        if shown != *linked {
            return;
        }
        // The terminal treats parts with the same id as one link, even in different rows.
        let id = address
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let linked_to =
            |words: &str| format!("\x1b]8;id={id:x};{address}\x1b\\{words}\x1b]8;;\x1b\\");
        let mut clusters = text::clusters(linked);
        if !clusters.any(|(_, cluster, _)| text::is_disputed(cluster)) {
            let cell = &mut self.buffer[(*x, *y)];
            cell.set_symbol(&linked_to(linked));
            cell.set_diff_option(CellDiffOption::ForcedWidth(width));
            return;
        }
        // Terminals disagree about the width of some clusters, so each cluster is written at its own position.
        let mut at = *x;
        for (_, cluster, wide) in text::clusters(linked) {
            let wide = u16::try_from(wide).unwrap_or(2);
            if let Some(width) = NonZeroU16::new(wide) {
                let cell = &mut self.buffer[(at, *y)];
                cell.set_symbol(&linked_to(cluster));
                cell.set_diff_option(CellDiffOption::ForcedWidth(width));
            }
            at += wide;
        }
    }

    /// Draws text at the right end of a row of an area, or nothing if it does not fit.
    fn put_right(&mut self, area: Rect, row: u16, text: &SafeText, style: Style) {
        let wide = u16::try_from(text::width(text.as_str())).unwrap_or(u16::MAX);
        if wide <= area.width && row < area.height {
            self.put(area.right() - wide, area.y + row, wide, text, style);
        }
    }
}

fn columns(text: &str) -> u16 {
    u16::try_from(text::width(text)).unwrap_or(u16::MAX)
}

/// The area of an overlay with this many rows, at the top of the messages.
fn place(regions: &Regions, rows: u16) -> Rect {
    let body = regions.overlay();
    Rect {
        height: rows.min(body.height),
        ..body
    }
}

/// Clears the rows of an overlay, draws its title and returns the title style.
fn clear_overlay(
    canvas: &mut Canvas<'_>,
    regions: &Regions,
    area: Rect,
    title: &SafeText,
) -> Style {
    canvas.clear(regions.beside(area), Scope::Background);
    canvas.clear(area, Scope::Popup);
    canvas.target(area, Target::Overlay);
    let accent = canvas
        .style(Scope::Popup)
        .patch(canvas.style(Scope::Accent));
    canvas.put(
        area.x + 1,
        area.y,
        area.width.saturating_sub(2),
        title,
        accent,
    );
    accent
}
