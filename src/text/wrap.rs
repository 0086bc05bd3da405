//! Breaks text into lines where UAX #14 allows it, so that Chinese breaks between characters but not before "，".

use std::ops::Range;

use unicode_linebreak::linebreaks;

use super::{clusters, width};

/// Wraps `text` at `columns` and returns the byte ranges of its lines, at least one. Newlines, and the spaces at which a line was
/// broken, belong to none. A cluster wider than `columns` gets a row of its own.
pub fn wrap(text: &str, columns: usize) -> Vec<Range<usize>> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut start = 0;
    for paragraph in text.split('\n') {
        wrap_paragraph(paragraph, start, columns, &mut lines);
        start += paragraph.len() + 1;
    }
    lines
}

fn wrap_paragraph(text: &str, offset: usize, columns: usize, lines: &mut Vec<Range<usize>>) {
    if width(text) <= columns {
        lines.push(offset..offset + text.len());
        return;
    }
    // The line being filled is `line..end`; `used` is its width with the trailing spaces that may still be dropped.
    let (mut line, mut end, mut used) = (0, 0, 0);
    for (at, _) in linebreaks(text) {
        let piece = text.get(end..at).unwrap_or_default();
        let solid = width(piece.trim_end_matches(' '));
        if used + solid > columns {
            if end > line {
                lines.push(trimmed(text, line..end, offset));
                (line, used) = (end, 0);
            }
            if solid > columns {
                for (inside, _, wide) in clusters(piece) {
                    if used > 0 && used + wide > columns {
                        lines.push(trimmed(text, line..end + inside, offset));
                        (line, used) = (end + inside, 0);
                    }
                    used += wide;
                }
                end = at;
                continue;
            }
        }
        used += width(piece);
        end = at;
    }
    if line < text.len() {
        lines.push(trimmed(text, line..text.len(), offset));
    }
}

fn trimmed(text: &str, line: Range<usize>, offset: usize) -> Range<usize> {
    let solid = text
        .get(line.clone())
        .unwrap_or_default()
        .trim_end_matches(' ')
        .len();
    offset + line.start..offset + line.start + solid
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(text: &str, columns: usize) -> Vec<&str> {
        wrap(text, columns)
            .into_iter()
            .map(|range| &text[range])
            .collect()
    }

    #[test]
    fn words_and_characters_break_where_readers_expect() {
        assert_eq!(lines("hello wide world", 11), ["hello wide", "world"]);
        assert_eq!(
            lines("大家好，今天谁值班", 8),
            ["大家好，", "今天谁值", "班"]
        );
        assert_eq!(lines("你好你好，好", 8), ["你好你", "好，好"]);
        assert_eq!(lines("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(lines("a\n\nb", 4), ["a", "", "b"]);
        assert_eq!(lines("", 4), [""]);
        assert_eq!(lines("张", 1), ["张"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_wide(text in "[a-z 张三，👋🏽\n-]{0,80}", columns in 2usize..30) {
            let safe = crate::text::body(&text);
            let parts = wrap(safe.as_str(), columns);
            let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            let joined: String = parts.iter().map(|range| &safe.as_str()[range.clone()]).collect();
            prop_assert_eq!(squeezed(&joined), squeezed(safe.as_str()));
            for range in parts {
                prop_assert!(width(&safe.as_str()[range]) <= columns);
            }
        }
    }
}
