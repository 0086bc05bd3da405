//! The composer as it is drawn: wrapped, with the cursor's place; and back from a place to the cursor.

use super::Composer;
use crate::text;

/// The composer wrapped for drawing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Laid {
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
    pub fn lay(&self, columns: usize) -> Laid {
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
        Laid { rows, cursor }
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
                see(Cell {
                    line,
                    at,
                    row,
                    column,
                    shown: &shown,
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
            Laid {
                rows: vec!["张三李四".into()],
                cursor: (0, 8)
            }
        );
        assert_eq!(composer.lay(5).rows, ["张三", "李四"]);
        assert_eq!(
            composer.lay(4),
            Laid {
                rows: vec!["张三".into(), "李四".into(), String::new()],
                cursor: (2, 0)
            }
        );
        composer.left();
        assert_eq!(composer.lay(10).cursor, (0, 6));
        composer.insert("x\ny");
        assert_eq!(
            composer.lay(10),
            Laid {
                rows: vec!["张三李x".into(), "y四".into()],
                cursor: (1, 1)
            }
        );
    }
}
