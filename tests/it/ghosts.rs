//! No residue on the screen after grapheme clusters whose width terminals disagree on, checked on a model of each kind of terminal.

use std::io;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Style;
use tchat::text;
use tchat::tui::terminal::WidthSafe;
use tchat::tui::view::cells::put;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

const WIDTH: u16 = 24;
const HEIGHT: u16 = 4;

/// How a terminal counts columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Counts {
    /// By cluster, as tchat does.
    Clusters,
    /// Each code point by itself; a variation selector adds nothing.
    CodePoints,
    /// Like `CodePoints`, with two columns for characters of ambiguous width.
    Cjk,
    /// Like `CodePoints`, but an emoji variation selector makes two columns.
    Selectors,
    /// Like `CodePoints`, but emoji take one column, as in old width tables.
    Old,
}

const ALL: [Counts; 5] = [
    Counts::Clusters,
    Counts::CodePoints,
    Counts::Cjk,
    Counts::Selectors,
    Counts::Old,
];

/// A terminal without colours: one string per column; the second column of a wide character is empty.
struct Model {
    counts: Counts,
    rows: Vec<Vec<String>>,
    x: usize,
    y: usize,
}

impl Model {
    fn new(counts: Counts) -> Self {
        Self {
            counts,
            rows: vec![vec![" ".into(); WIDTH.into()]; HEIGHT.into()],
            x: 0,
            y: 0,
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let text = str::from_utf8(bytes).unwrap();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(sequence) = rest.strip_prefix("\x1b[") {
                let end = sequence.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                let (parameters, last) = (&sequence[..end], sequence.as_bytes()[end]);
                if last == b'H' {
                    let mut numbers = parameters.split(';').map(|it| it.parse::<usize>().unwrap());
                    self.y = numbers.next().unwrap() - 1;
                    self.x = numbers.next().unwrap() - 1;
                }
                rest = &sequence[end + 1..];
            } else if let Some(link) = rest.strip_prefix("\x1b]") {
                rest = link.split_once("\x1b\\").unwrap().1;
            } else if self.counts == Counts::Clusters {
                let end = rest.find('\x1b').unwrap_or(rest.len());
                let cluster = rest[..end].graphemes(true).next().unwrap();
                self.put(cluster, text::width(cluster));
                rest = &rest[cluster.len()..];
            } else {
                self.put_char(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }

    fn put_char(&mut self, c: char) {
        let columns = match self.counts {
            Counts::Cjk => c.width_cjk(),
            Counts::Old if ('\u{1f000}'..='\u{1ffff}').contains(&c) => Some(1),
            _ => c.width(),
        };
        match columns.unwrap_or(0) {
            0 => {
                // Append it to the character before the cursor.
                let mut at = self.x.saturating_sub(1);
                while at > 0 && self.rows[self.y][at].is_empty() {
                    at -= 1;
                }
                self.rows[self.y][at].push(c);
                if c == '\u{fe0f}' && self.counts == Counts::Selectors && self.x == at + 1 {
                    let widened = self.rows[self.y][at].clone();
                    self.x = at;
                    self.put(&widened, 2);
                }
            }
            columns => self.put(&c.to_string(), columns),
        }
    }

    /// Puts a character of some width. If it does not fit in the row, nothing is drawn, as without automatic wrapping.
    fn put(&mut self, symbol: &str, columns: usize) {
        if self.x + columns > usize::from(WIDTH) {
            return;
        }
        for x in self.x..self.x + columns {
            self.wipe(x);
        }
        symbol.clone_into(&mut self.rows[self.y][self.x]);
        for x in self.x + 1..self.x + columns {
            self.rows[self.y][x].clear();
        }
        self.x += columns;
    }

    /// Clears a column, and with it the other half of a wide character.
    fn wipe(&mut self, x: usize) {
        let row = &mut self.rows[self.y];
        let mut start = x;
        while start > 0 && row[start].is_empty() {
            start -= 1;
        }
        let mut end = x + 1;
        while end < row.len() && row[end].is_empty() {
            end += 1;
        }
        row[start..end].fill(" ".into());
    }
}

/// The bytes written to a model through the program's own backend.
#[derive(Clone, Debug, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A backend with a fixed size. The one of crossterm asks the process's own terminal.
struct Sized(CrosstermBackend<Sink>);

impl Backend for Sized {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        self.0.draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, _: P) -> io::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        Ok(Size::new(WIDTH, HEIGHT))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let (columns_rows, pixels) = (Size::new(WIDTH, HEIGHT), Size::ZERO);
        Ok(WindowSize {
            columns_rows,
            pixels,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Draws frames one after the other and compares what each kind of terminal shows with the intended content.
fn shows_what_was_meant(frames: &[Vec<String>]) -> Result<(), String> {
    for counts in ALL {
        let mut model = Model::new(counts);
        let sink = Sink::default();
        let backend = WidthSafe::new(Sized(CrosstermBackend::new(sink.clone())));
        let mut terminal = Terminal::new(backend).unwrap();
        for (n, rows) in frames.iter().enumerate() {
            let mut meant = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
            terminal
                .draw(|frame| {
                    for (y, row) in (0..).zip(rows) {
                        let cut = text::cut(row, WIDTH.into());
                        put(frame.buffer_mut(), 0, y, WIDTH, &cut, Style::default());
                    }
                    meant = frame.buffer_mut().clone();
                })
                .unwrap();
            let written = std::mem::take(&mut *sink.0.lock().unwrap());
            model.write(&written);
            compare(&model, &meant).map_err(|why| format!("{counts:?}, frame {n}: {why}"))?;
        }
    }
    Ok(())
}

/// Checks that every character is where it should be and nothing else is shown, except what a disputed cluster draws in its own columns.
fn compare(model: &Model, meant: &Buffer) -> Result<(), String> {
    for y in 0..HEIGHT {
        let mut x = 0;
        while x < WIDTH {
            let symbol = meant[(x, y)].symbol();
            let columns = u16::try_from(text::width(symbol)).unwrap().max(1);
            let shown = &model.rows[usize::from(y)][usize::from(x)];
            let is_right = if text::is_disputed(symbol) {
                let first = symbol.chars().next().unwrap();
                // A terminal may show less of it if it has no room.
                shown.starts_with(first) || shown == " "
            } else {
                shown == symbol
            };
            if !is_right {
                let row = model.rows[usize::from(y)].join("|");
                return Err(format!("'{shown}' for '{symbol}' at {x}, {y} of {row}"));
            }
            x += columns;
        }
    }
    Ok(())
}

/// Texts that terminals disagree on, mixed with ordinary ones.
fn word() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(
        &[
            "a",
            "bc",
            " ",
            "  ",
            "word",
            "张三",
            "，",
            "👍🏽",
            "🧑🏽‍🚀",
            "⚠️",
            "✔️",
            "➡️",
            "ℹ️",
            "1️⃣",
            "🇨🇳",
            "👩‍👩‍👧",
            "ｶﾞｷﾞｸﾞ",
            "ｶﾞ",
            "●",
            "…",
            "─",
            "°",
            "e\u{301}",
            "🎉",
            "⌚",
            "☕",
            "❤️",
            "🫠",
            "é",
            "ñ",
        ][..],
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_terminal_shows_residue_of_earlier_frames(
        frames in proptest::collection::vec(
            proptest::collection::vec(proptest::collection::vec(word(), 0..10).prop_map(|words| words.concat()), 4),
            1..5,
        )
    ) {
        if let Err(why) = shows_what_was_meant(&frames) {
            return Err(TestCaseError::fail(why));
        }
    }
}

#[test]
fn clusters_from_bug_reports_leave_no_residue() {
    let frames =
        |first: &str, then: &str| vec![vec![first.to_owned(); 4], vec![then.to_owned(); 4]];
    for (first, then) in [
        ("ends with astronaut 🧑🏽‍🚀", "short"),
        ("thumb at the end 👍🏽👍🏽👍🏽", "x"),
        ("⚠️ ✔️ ➡️ ℹ️ and on", "⚠ a"),
        ("ｶﾞｷﾞｸﾞ and on", "ｶ"),
        ("👍🏽 12:30 ann", "👍🏽 12:31 ben"),
        ("a🧑🏽‍🚀b🧑🏽‍🚀c", "a🧑🏽‍🚀b cd"),
    ] {
        assert_eq!(shows_what_was_meant(&frames(first, then)), Ok(()));
    }
}
