//! The composer as it is drawn: wrapped, with the cursor's place; and back from a place to the cursor.

use super::Composer;
use crate::text;

/// The composer wrapped for drawing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ComposerLayout {
    pub rows: Vec<String>,
    /// Row and column of the cursor in `rows`.
    pub cursor: (usize, usize),
}

/// A cluster of the text and where it is drawn.
struct Cell<'a> {
    /// Line of the text, and the byte in it.
    line: usize,
    at: usize,
    row: usize,
    column: usize,
    shown: &'a str,
}

impl Composer {
    /// Wraps the text at any cluster; columns may be as few as one.
    pub fn lay(&self, columns: usize) -> ComposerLayout {
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

    /// Moves a row up or down of those that [`Composer::lay`] gives, to the same column or the nearest before it.
    pub fn row_up(&mut self, columns: usize) {
        let (row, column) = self.lay(columns).cursor;
        if let Some(above) = row.checked_sub(1) {
            self.go_to(columns, (above, column));
        }
    }

    pub fn row_down(&mut self, columns: usize) {
        let laid = self.lay(columns);
        let (row, column) = laid.cursor;
        if row + 1 < laid.rows.len() {
            self.go_to(columns, (row + 1, column));
        }
    }

    /// The first line in one row: the part of it around the cursor, and the cursor's column there.
    pub fn lay_line(&self, columns: usize) -> (String, usize) {
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
        // The cursor has a column too, and so has the mark.
        while from < before.len() && wide + 1 + usize::from(from > 0) > columns {
            wide -= text::width(&before[from]);
            from += 1;
        }
        let mark = if from > 0 { "…" } else { "" };
        let shown = format!("{mark}{}", before[from..].concat());
        let column = text::width(&shown);
        (text::cut(&(shown + &behind), columns), column)
    }

    /// Moves the cursor to a place of what [`Composer::lay`] gives, or the nearest before it.
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

    /// Goes through what is drawn, cluster by cluster, and through the end of each line, where only the cursor may be.
    fn each_cell(&self, columns: usize, mut see: impl FnMut(Cell<'_>)) {
        let columns = columns.max(1);
        let (cursor_line, cursor_at) = (self.area.cursor().0, self.place().1);
        let mut row = 0;
        for (line, text) in self.area.lines().iter().enumerate() {
            let mut column = 0;
            for (at, cluster, _) in text::clusters(text) {
                // What is typed is drawn as it would be in a message, a tab as its four spaces.
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
    fn the_cursor_stands_where_text_goes() {
        let mut composer = Composer::with("张三李四");
        assert_eq!(
            composer.lay(10),
            ComposerLayout {
                rows: vec!["张三李四".into()],
                cursor: (0, 8)
            }
        );
        assert_eq!(composer.lay(5).rows, ["张三", "李四"]);
        assert_eq!(
            composer.lay(4),
            ComposerLayout {
                rows: vec!["张三".into(), "李四".into(), String::new()],
                cursor: (2, 0)
            }
        );
        composer.left();
        assert_eq!(composer.lay(10).cursor, (0, 6));
        composer.insert("x\ny");
        assert_eq!(
            composer.lay(10),
            ComposerLayout {
                rows: vec!["张三李x".into(), "y四".into()],
                cursor: (1, 1)
            }
        );
    }
}
