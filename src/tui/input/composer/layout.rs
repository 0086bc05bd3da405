//! The layout of the composer: the text wrapped into rows, and the mapping between the cursor and its position on the screen.

use super::Composer;
use crate::text;

/// The composer's text, wrapped for drawing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ComposerLayout {
    pub rows: Vec<String>,
    /// Row and column of the cursor in `rows`.
    pub cursor: (usize, usize),
}

/// A cluster of the text and its position on the screen.
struct Cell<'a> {
    /// The line of the text, and the byte offset in it.
    line: usize,
    at: usize,
    row: usize,
    column: usize,
    shown: &'a str,
}

impl Composer {
    /// Wraps the text, which may be broken between any two clusters. `columns` may be as small as 1.
    pub fn layout(&self, columns: usize) -> ComposerLayout {
        let (cursor_line, cursor_at) = (self.area.cursor().0, self.place().1);
        let mut rows = vec![String::new()];
        let mut cursor = (0, 0);
        self.each_cell(columns, |cell| {
            while rows.len() <= cell.row {
                rows.push(String::new());
            }
            if (cell.line, cell.at) == (cursor_line, cursor_at) {
                cursor = (cell.row, cell.column);
            }
            if let Some(row) = rows.last_mut() {
                row.push_str(cell.shown);
            }
        });
        ComposerLayout { rows, cursor }
    }

    /// Moves the cursor up one of the rows that [`Composer::layout`] returns, to the same column or the nearest one before it.
    pub fn row_up(&mut self, columns: usize) {
        let (row, column) = self.layout(columns).cursor;
        if let Some(above) = row.checked_sub(1) {
            self.go_to(columns, (above, column));
        }
    }

    pub fn row_down(&mut self, columns: usize) {
        let laid = self.layout(columns);
        let (row, column) = laid.cursor;
        if row + 1 < laid.rows.len() {
            self.go_to(columns, (row + 1, column));
        }
    }

    /// Fits the first line into one row: returns the part around the cursor, and the cursor's column in it.
    pub fn layout_line(&self, columns: usize) -> (String, usize) {
        let mut before = Vec::new();
        let mut behind = String::new();
        let cursor = self.place().1;
        self.each_cell(usize::MAX, |cell| match cell.line {
            0 if cell.at < cursor => before.push(cell.shown.to_owned()),
            0 => behind.push_str(cell.shown),
            _ => {}
        });
        let mut wide: usize = before.iter().map(|cell| text::width(cell)).sum();
        let mut from = 0;
        // The cursor and the `…` need a column each.
        while from < before.len() && wide + 1 + usize::from(from > 0) > columns {
            wide -= text::width(&before[from]);
            from += 1;
        }
        let mark = if from > 0 { "…" } else { "" };
        let shown = format!("{mark}{}", before[from..].concat());
        let column = text::width(&shown);
        (text::cut(&(shown + &behind), columns), column)
    }

    /// Moves the cursor to a row and column of [`Composer::layout`], or to the nearest position before it.
    pub fn go_to(&mut self, columns: usize, (row, column): (usize, usize)) {
        let mut nearest = (0, 0);
        self.each_cell(columns, |cell| {
            if (cell.row, cell.column) <= (row, column) {
                nearest = (cell.line, cell.at);
            }
        });
        let (line, at) = nearest;
        let text = self.area.lines().get(line).map_or("", String::as_str);
        let chars = text.get(..at).unwrap_or_default().chars().count();
        self.jump(line, chars);
    }

    /// Calls `see` for each cluster in order, and for the end of each line, where only the cursor can be.
    fn each_cell(&self, columns: usize, mut see: impl FnMut(Cell<'_>)) {
        let columns = columns.max(1);
        let (cursor_line, cursor_at) = (self.area.cursor().0, self.place().1);
        let mut row = 0;
        for (line, text) in self.area.lines().iter().enumerate() {
            let mut column = 0;
            for (at, cluster, _) in text::clusters(text) {
                // The draft is drawn as it would be in a message, so a tab is four spaces.
                let shown = if cluster == "\t" {
                    "    ".to_owned()
                } else {
                    text::line(cluster).to_string()
                };
                let wide = text::width(&shown);
                if column > 0 && column + wide > columns {
                    (row, column) = (row + 1, 0);
                }
                let shown = shown.as_str();
                see(Cell {
                    line,
                    at,
                    row,
                    column,
                    shown,
                });
                column += wide;
            }
            let at = text.len();
            if column >= columns && (line, at) == (cursor_line, cursor_at) {
                (row, column) = (row + 1, 0);
            }
            see(Cell {
                line,
                at,
                row,
                column,
                shown: "",
            });
            row += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_where_the_next_character_goes() {
        let mut composer = Composer::with("张三李四");
        assert_eq!(
            composer.layout(10),
            ComposerLayout {
                rows: vec!["张三李四".into()],
                cursor: (0, 8)
            }
        );
        assert_eq!(composer.layout(5).rows, ["张三", "李四"]);
        assert_eq!(
            composer.layout(4),
            ComposerLayout {
                rows: vec!["张三".into(), "李四".into(), String::new()],
                cursor: (2, 0)
            }
        );
        composer.left();
        assert_eq!(composer.layout(10).cursor, (0, 6));
        composer.insert("x\ny");
        assert_eq!(
            composer.layout(10),
            ComposerLayout {
                rows: vec!["张三李x".into(), "y四".into()],
                cursor: (1, 1)
            }
        );
    }
}
