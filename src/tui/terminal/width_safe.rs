//! A backend that leaves no residue where terminals disagree about the width of what is drawn.
//!
//! A terminal may draw `👍🏽` in two columns or in four, `⚠️` in one or in two. ratatui counts on its own answer, so that in other
//! terminals the cursor ends up elsewhere, letters are overwritten and parts of a cluster stay for ever. This backend draws each such
//! cluster by itself: it clears all columns that any terminal could use for it, draws it, and draws what follows in those columns anew
//! from a known place. It knows nothing of chat; which clusters are meant is decided by [`text::is_disputed`].

use std::io;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Cell, CellDiffOption};
use ratatui::layout::{Position, Size};

use crate::text;

/// Draws through another backend, and remembers what is on the screen.
#[derive(Debug)]
pub struct WidthSafe<B> {
    inner: B,
    /// What each cell shows, row by row.
    cells: Vec<Cell>,
    size: Size,
    /// The rows that a frame changes, with their changed columns.
    changed: Vec<Vec<u16>>,
}

impl<B: Backend<Error = io::Error>> WidthSafe<B> {
    /// A backend over an empty screen.
    pub fn new(inner: B) -> Self {
        Self {
            inner,
            cells: Vec::new(),
            size: Size::default(),
            changed: Vec::new(),
        }
    }

    fn forget(&mut self) -> io::Result<()> {
        self.size = self.inner.size()?;
        let count = usize::from(self.size.width) * usize::from(self.size.height);
        self.cells.clear();
        self.cells.resize(count, Cell::EMPTY);
        self.changed.clear();
        self.changed
            .resize(usize::from(self.size.height), Vec::new());
        Ok(())
    }

    fn row(&self, y: u16) -> &[Cell] {
        let width = usize::from(self.size.width);
        let start = usize::from(y) * width;
        self.cells.get(start..start + width).unwrap_or_default()
    }

    /// Draws the changed cells of a row, and what each disputed cluster among them might have touched.
    fn draw_row(&mut self, y: u16, changed: &[u16]) -> io::Result<()> {
        let width = usize::from(self.size.width);
        let row = self.row(y).to_vec();
        let mut changed = changed.iter().map(|x| usize::from(*x)).peekable();
        // Cells that are drawn together, and up to where everything is drawn again.
        let mut run: Vec<(u16, u16, &Cell)> = Vec::new();
        let mut touched = 0;
        let mut x = 0;
        while x < width {
            let cell = &row[x];
            let columns = columns(cell);
            let mut is_drawn = x < touched;
            while changed.next_if(|it| *it < x + columns).is_some() {
                is_drawn = true;
            }
            if is_drawn {
                let place = u16::try_from(x).unwrap_or(u16::MAX);
                match disputed(cell) {
                    None => run.push((place, y, cell)),
                    Some(widest) => {
                        self.inner.draw(run.drain(..))?;
                        let end = width.min(x + widest.max(columns));
                        let blank = blank(cell);
                        let blanks =
                            (x..end).filter_map(|x| Some((u16::try_from(x).ok()?, y, &blank)));
                        self.inner.draw(blanks)?;
                        self.inner.draw(std::iter::once((place, y, cell)))?;
                        touched = touched.max(end);
                    }
                }
            }
            x += columns;
        }
        self.inner.draw(run.into_iter())
    }
}

/// Columns that a cell takes by our own reckoning; at least one.
fn columns(cell: &Cell) -> usize {
    match cell.diff_option {
        CellDiffOption::ForcedWidth(width) => usize::from(width.get()),
        _ => text::width(cell.symbol()).max(1),
    }
}

/// The most columns that a terminal may use for a cell, if terminals disagree about it.
fn disputed(cell: &Cell) -> Option<usize> {
    let shown = shown(cell.symbol());
    if shown.is_ascii() {
        return None;
    }
    let mut widest = 0;
    let mut is_disputed = false;
    for (_, cluster, _) in text::clusters(shown) {
        is_disputed |= text::is_disputed(cluster);
        widest += text::widest(cluster);
    }
    is_disputed.then_some(widest)
}

/// What of a symbol is seen: it may be wrapped in the sequences of a link.
fn shown(symbol: &str) -> &str {
    let Some(link) = symbol.strip_prefix("\x1b]8;") else {
        return symbol;
    };
    let words = link.split_once("\x1b\\").map_or("", |(_, words)| words);
    words
        .split_once("\x1b]8;")
        .map_or(words, |(words, _)| words)
}

/// A space on the same background.
fn blank(cell: &Cell) -> Cell {
    let mut blank = Cell::EMPTY;
    blank.bg = cell.bg;
    blank
}

impl<B: Backend<Error = io::Error>> Backend for WidthSafe<B> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        if self.cells.is_empty() || self.inner.size()? != self.size {
            self.forget()?;
        }
        let (width, height) = (self.size.width, self.size.height);
        for (x, y, cell) in content.filter(|(x, y, _)| *x < width && *y < height) {
            let place = usize::from(y) * usize::from(width) + usize::from(x);
            let covered = u16::try_from(columns(cell)).unwrap_or(1);
            let row = &mut self.changed[usize::from(y)];
            for at in x..width.min(x.saturating_add(covered)) {
                // What is covered is not drawn any more, as in ratatui's own buffer.
                let before = &mut self.cells[place + usize::from(at - x)];
                // A terminal may have left something in every column that was reserved for what goes.
                let reserved = u16::try_from(columns(before)).unwrap_or(1);
                row.extend(at..width.min(at.saturating_add(reserved)));
                *before = Cell::EMPTY;
            }
            self.cells[place] = cell.clone();
        }
        let mut changed = std::mem::take(&mut self.changed);
        for (y, columns) in (0..).zip(&mut changed) {
            if !columns.is_empty() {
                columns.sort_unstable();
                self.draw_row(y, columns)?;
                columns.clear();
            }
        }
        self.changed = changed;
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.forget()?;
        self.inner.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.forget()?;
        self.inner.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}
