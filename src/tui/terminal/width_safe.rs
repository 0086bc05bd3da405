//! A backend that leaves no stray characters if the terminal and ratatui disagree about the width of a text.
//!
//! A terminal may draw `👍🏽` in two columns or in four, and `⚠️` in one or two. ratatui relies on the width that it
//! computes, so in a terminal that uses another width the cursor ends up elsewhere, letters are overwritten, and parts
//! of a cluster stay on the screen. This backend draws each such cluster separately: it clears all columns that any
//! terminal could use for it, draws it, and draws what follows in those columns again from a known position. It knows
//! nothing of chat; [`text::is_disputed`] decides which clusters are affected.

use std::io;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::{Cell, CellDiffOption};
use ratatui::layout::{Position, Size};

use crate::text;

/// Draws through another backend and remembers the contents of the screen.
#[derive(Debug)]
pub struct WidthSafe<B> {
    inner: B,
    /// The contents of each cell, row by row.
    cells: Vec<Cell>,
    size: Size,
    /// For each row, the columns that a frame changes.
    changed: Vec<Vec<u16>>,
}

impl<B: Backend<Error = io::Error>> WidthSafe<B> {
    /// Creates a backend for an empty screen.
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

    /// Draws the changed cells of a row, and everything that a disputed cluster among them may have overwritten.
    fn draw_row(&mut self, y: u16, changed: &[u16]) -> io::Result<()> {
        let width = usize::from(self.size.width);
        let row = self.row(y).to_vec();
        let mut changed = changed.iter().map(|x| usize::from(*x)).peekable();
        // Cells that are drawn together, and the column up to which everything is drawn again.
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

/// The columns of a cell as the program computes them; at least one.
fn columns(cell: &Cell) -> usize {
    match cell.diff_option {
        CellDiffOption::ForcedWidth(width) => usize::from(width.get()),
        _ => text::width(cell.symbol()).max(1),
    }
}

/// The maximum number of columns that a terminal may use for a cell, if terminals disagree; otherwise `None`.
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

/// The visible part of a symbol, which may be wrapped in hyperlink sequences.
fn shown(symbol: &str) -> &str {
    let Some(link) = symbol.strip_prefix("\x1b]8;") else {
        return symbol;
    };
    let words = link.split_once("\x1b\\").map_or("", |(_, words)| words);
    words
        .split_once("\x1b]8;")
        .map_or(words, |(words, _)| words)
}

/// A space with the same background.
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
                // Covered cells are no longer drawn, as in ratatui's own buffer.
                let before = &mut self.cells[place + usize::from(at - x)];
                // A terminal may have left something in any column that was reserved for the old cell.
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
