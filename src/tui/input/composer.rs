//! The composer: a text field whose cursor motions and deletions go by grapheme cluster. The buffer and the undo
//! history are those of tui-textarea.
//!
//! tui-textarea itself moves, deletes and measures by char, which would split an emoji or a Hangul syllable. So every motion is computed
//! here and passed to it as a jump.

mod layout;

use tui_textarea::{CursorMove, TextArea};
use unicode_segmentation::UnicodeSegmentation;

pub use self::layout::ComposerLayout;
pub use crate::tui::input::kill_ring::KillRing;
use crate::tui::input::kill_ring::Side;

/// The number of edits that can be undone.
const UNDO: usize = 500;

#[derive(Clone, Debug)]
pub struct Composer {
    area: TextArea<'static>,
}

impl Default for Composer {
    fn default() -> Self {
        Self::with("")
    }
}

impl Composer {
    /// A composer with a text, the cursor at its end and an empty undo history.
    pub fn with(text: &str) -> Self {
        let mut area = TextArea::from(text.split('\n'));
        area.set_max_histories(UNDO);
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Self { area }
    }

    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Whether the composer contains exactly this text. Faster than comparing with [`Composer::text`], which joins all lines.
    pub fn has_text(&self, text: &str) -> bool {
        self.area
            .lines()
            .iter()
            .map(String::as_str)
            .eq(text.split('\n'))
    }

    pub fn is_empty(&self) -> bool {
        self.area.lines().iter().all(String::is_empty) && self.area.lines().len() <= 1
    }

    /// The size of the text in bytes of UTF-8, as the server counts it.
    pub fn bytes(&self) -> usize {
        self.area
            .lines()
            .iter()
            .map(|line| line.len() + 1)
            .sum::<usize>()
            .saturating_sub(1)
    }

    pub fn lines(&self) -> usize {
        self.area.lines().len()
    }

    /// The text before the cursor, in the cursor's line.
    pub fn before(&self) -> &str {
        let (line, at) = self.place();
        line.get(..at).unwrap_or_default()
    }

    /// Whether the cursor is in the first line.
    pub fn is_in_first_line(&self) -> bool {
        self.area.cursor().0 == 0
    }

    /// Deletes the whole text. Undo brings it back.
    pub fn clear(&mut self) {
        self.area.move_cursor(CursorMove::Top);
        self.area.move_cursor(CursorMove::Head);
        let all = self.text().chars().count();
        self.area.delete_str(all);
    }

    pub fn set(&mut self, text: &str) {
        self.clear();
        self.insert(text);
    }

    /// Inserts a text at the cursor. Line ends become `\n`. Other control characters, except tabs, are removed.
    pub fn insert(&mut self, text: &str) {
        let normal = text.replace("\r\n", "\n").replace('\r', "\n");
        let clean: String = normal
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
            .collect();
        if !clean.is_empty() {
            self.area.insert_str(clean);
        }
    }

    pub fn newline(&mut self) {
        self.area.insert_newline();
    }

    pub fn left(&mut self) {
        let (line, at) = self.place();
        match line
            .get(..at)
            .unwrap_or_default()
            .grapheme_indices(true)
            .next_back()
        {
            Some((start, _)) => self.jump_in_line(start),
            None if self.area.cursor().0 > 0 => {
                self.area.move_cursor(CursorMove::Up);
                self.area.move_cursor(CursorMove::End);
            }
            None => {}
        }
    }

    pub fn right(&mut self) {
        let (line, at) = self.place();
        match line.get(at..).unwrap_or_default().graphemes(true).next() {
            Some(cluster) => self.jump_in_line(at + cluster.len()),
            None if self.area.cursor().0 + 1 < self.area.lines().len() => {
                self.area.move_cursor(CursorMove::Down);
                self.area.move_cursor(CursorMove::Head);
            }
            None => {}
        }
    }

    pub fn home(&mut self) {
        self.area.move_cursor(CursorMove::Head);
    }

    pub fn end(&mut self) {
        self.area.move_cursor(CursorMove::End);
    }

    pub fn word_left(&mut self) {
        let (line, at) = self.place();
        match line
            .get(..at)
            .unwrap_or_default()
            .unicode_word_indices()
            .next_back()
        {
            Some((start, _)) => self.jump_in_line(start),
            None if at > 0 => self.jump_in_line(0),
            None => self.left(),
        }
    }

    pub fn word_right(&mut self) {
        let (line, at) = self.place();
        match line
            .get(at..)
            .unwrap_or_default()
            .unicode_word_indices()
            .next()
        {
            Some((start, word)) => self.jump_in_line(at + start + word.len()),
            None if at < line.len() => self.jump_in_line(line.len()),
            None => self.right(),
        }
    }

    pub fn delete_back(&mut self) {
        let end = self.area.cursor();
        self.left();
        self.delete_between(end.0, end.1);
    }

    pub fn delete_forward(&mut self) {
        let start = self.area.cursor();
        self.right();
        let end = self.area.cursor();
        self.jump(start.0, start.1);
        self.delete_between(end.0, end.1);
    }

    pub fn kill_to_start(&mut self, kill_ring: &mut KillRing) {
        let end = self.area.cursor();
        self.home();
        kill_ring.add(&self.delete_between(end.0, end.1), Side::Before);
    }

    pub fn kill_to_end(&mut self, kill_ring: &mut KillRing) {
        let start = self.area.cursor();
        self.end();
        let end = self.area.cursor();
        self.jump(start.0, start.1);
        kill_ring.add(&self.delete_between(end.0, end.1), Side::Behind);
    }

    /// Cuts the whole text. It can be yanked, and undo brings it back.
    pub fn kill_all(&mut self, kill_ring: &mut KillRing) {
        kill_ring.add(&self.text(), Side::Before);
        self.clear();
    }

    pub fn kill_word(&mut self, kill_ring: &mut KillRing) {
        let end = self.area.cursor();
        self.word_left();
        kill_ring.add(&self.delete_between(end.0, end.1), Side::Before);
    }

    /// Swaps the clusters on both sides of the cursor, or the last two at the end of a line.
    pub fn transpose(&mut self) {
        let (line, at) = self.place();
        let at_end = at == line.len();
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at..).unwrap_or_default();
        let mut back = before.graphemes(true).rev();
        let second = if at_end {
            back.next()
        } else {
            after.graphemes(true).next()
        };
        let (Some(first), Some(second)) = (back.next(), second) else {
            return;
        };
        let swapped = format!("{second}{first}");
        let chars = first.chars().count() + second.chars().count();
        let start = at - first.len() - if at_end { second.len() } else { 0 };
        self.jump_in_line(start);
        self.area.delete_str(chars);
        self.insert(&swapped);
    }

    /// Undoes the last edit. Returns false if there is none.
    pub fn undo(&mut self) -> bool {
        self.area.undo()
    }

    pub fn redo(&mut self) {
        self.area.redo();
    }

    /// Replaces the last `bytes` bytes before the cursor. Used for completion.
    pub fn replace_before(&mut self, bytes: usize, with: &str) {
        let (line, at) = self.place();
        let chars = line
            .get(at.saturating_sub(bytes)..at)
            .unwrap_or_default()
            .chars()
            .count();
        let (row, column) = (self.area.cursor().0, self.area.cursor().1);
        self.jump(row, column.saturating_sub(chars));
        self.area.delete_str(chars);
        self.insert(with);
    }

    /// The line of the cursor, and the cursor's byte offset in it.
    fn place(&self) -> (&str, usize) {
        let (row, column) = (self.area.cursor().0, self.area.cursor().1);
        let line = self.area.lines().get(row).map_or("", String::as_str);
        (line, byte_of(line, column))
    }

    fn jump_in_line(&mut self, byte: usize) {
        let (line, _) = self.place();
        let column = line.get(..byte).unwrap_or_default().chars().count();
        self.jump(self.area.cursor().0, column);
    }

    fn jump(&mut self, row: usize, column: usize) {
        let place = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
        self.area
            .move_cursor(CursorMove::Jump(place(row), place(column)));
        // The column of a jump is a `u16`. The rest of a longer line is crossed step by step.
        for _ in usize::from(u16::MAX)..column {
            self.area.move_cursor(CursorMove::Forward);
        }
    }

    /// Deletes from the cursor to a later position, and returns the deleted text.
    fn delete_between(&mut self, row: usize, column: usize) -> String {
        let (from_row, from) = (self.area.cursor().0, self.area.cursor().1);
        let lines = self.area.lines();
        let mut between = String::new();
        for n in from_row..=row {
            let line = lines.get(n).map_or("", String::as_str);
            let start = if n == from_row {
                byte_of(line, from)
            } else {
                0
            };
            let end = if n == row {
                byte_of(line, column)
            } else {
                line.len()
            };
            between.push_str(line.get(start..end).unwrap_or_default());
            if n < row {
                between.push('\n');
            }
        }
        self.area.delete_str(between.chars().count());
        between
    }
}

fn byte_of(line: &str, chars: usize) -> usize {
    line.char_indices()
        .nth(chars)
        .map_or(line.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn motions_and_deletions_go_by_cluster() {
        let mut composer = Composer::with("a👩‍👩‍👧张e\u{301}");
        composer.delete_back();
        assert_eq!(composer.text(), "a👩‍👩‍👧张");
        composer.left();
        composer.delete_back();
        assert_eq!(composer.text(), "a张");
        composer.delete_forward();
        assert_eq!(composer.text(), "a");
        composer.undo();
        assert_eq!(composer.text(), "a张");
    }

    #[test]
    fn lines_join_and_split_at_their_ends() {
        let mut composer = Composer::with("ab\ncd");
        composer.home();
        composer.delete_back();
        assert_eq!(composer.text(), "abcd");
        composer.newline();
        assert_eq!(composer.text(), "ab\ncd");
        composer.left();
        composer.delete_forward();
        assert_eq!(composer.text(), "abcd");
    }

    #[test]
    fn killed_text_can_be_yanked_and_undone() {
        let mut composer = Composer::with("hello 世界 wide");
        let mut kill_ring = KillRing::default();
        composer.kill_word(&mut kill_ring);
        assert_eq!(composer.text(), "hello 世界 ");
        assert_eq!(kill_ring.text(), "wide");
        // Consecutive kills are joined.
        composer.kill_word(&mut kill_ring);
        assert_eq!(
            (composer.text().as_str(), kill_ring.text()),
            ("hello 世", "界 wide")
        );
        kill_ring.end_series();
        composer.home();
        composer.kill_to_end(&mut kill_ring);
        assert_eq!(
            (composer.text().as_str(), kill_ring.text()),
            ("", "hello 世")
        );
        composer.kill_to_start(&mut kill_ring);
        assert_eq!(
            kill_ring.text(),
            "hello 世",
            "an empty kill does not change the kill ring"
        );
        kill_ring.end_series();
        composer.insert("one\ntwo");
        composer.kill_all(&mut kill_ring);
        assert_eq!(
            (composer.text().as_str(), kill_ring.text()),
            ("", "one\ntwo")
        );
        composer.undo();
        assert_eq!(composer.text(), "one\ntwo");
    }

    #[test]
    fn the_end_of_a_very_long_line_can_be_edited() {
        let mut composer = Composer::with(&"y".repeat(65_540));
        composer.delete_back();
        assert_eq!(composer.text().len(), 65_539);
        composer.left();
        composer.insert("x");
        assert!(composer.text().ends_with("yxy"));
    }

    #[test]
    fn control_characters_are_removed_from_pasted_text() {
        let mut composer = Composer::default();
        composer.insert("a\r\nb\u{1b}[31m\rc\u{7}");
        assert_eq!(composer.text(), "a\nb[31m\nc");
    }

    #[test]
    fn up_and_down_keep_the_column_on_the_screen() {
        let mut composer = Composer::with("张三\nabcd\nx");
        composer.row_up(80);
        composer.end();
        composer.row_up(80);
        assert_eq!(composer.before(), "张三");
        composer.row_down(80);
        assert_eq!(composer.before(), "abcd");
        composer.row_down(80);
        assert_eq!(composer.before(), "x");
        // Rows of a wrapped line count too.
        let mut composer = Composer::with("one two three four");
        composer.row_up(5);
        assert_eq!(composer.before(), "one two three");
        composer.row_up(5);
        composer.row_up(5);
        composer.row_up(5);
        assert_eq!(composer.before(), "one");
        composer.row_down(5);
        assert_eq!(composer.before(), "one two ");
    }
}
