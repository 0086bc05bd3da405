//! Columns: the one function that says how wide text is. Everything that is drawn, wrapped or cut asks it.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns a text takes. Never more than two for one cluster, as terminals draw it.
pub fn width(text: &str) -> usize {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.len();
    }
    clusters(text).map(|(_, _, columns)| columns).sum()
}

/// The clusters of a text with their byte offset and columns.
pub fn clusters(text: &str) -> impl Iterator<Item = (usize, &str, usize)> {
    text.grapheme_indices(true)
        .map(|(at, cluster)| (at, cluster, cluster.width().min(2)))
}

/// A text cut to at most `columns`, with `…` where something is missing.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for (_, cluster, wide) in clusters(text) {
        if used + wide + 1 > columns {
            break;
        }
        out.push_str(cluster);
        used += wide;
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

/// A text cut to at most `columns` in its middle: names often differ at their ends.
pub fn cut_middle(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let tail = columns.saturating_sub(1) / 3;
    let mut from = text.len();
    let mut used = 0;
    let all: Vec<(usize, &str, usize)> = clusters(text).collect();
    for (at, _, wide) in all.into_iter().rev() {
        if used + wide > tail {
            break;
        }
        (from, used) = (at, used + wide);
    }
    cut(text, columns - used) + &text[from..]
}

/// A text cut or filled up to exactly `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let mut out = cut(text, columns);
    out.extend(std::iter::repeat_n(
        ' ',
        columns.saturating_sub(width(&out)),
    ));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_per_cluster() {
        for (text, columns) in [
            ("abc", 3),
            ("张三", 4),
            ("👩‍👩‍👧", 2),
            ("e\u{301}", 1),
            ("👋🏽", 2),
            ("🇨🇳", 2),
            ("", 0),
        ] {
            assert_eq!(width(text), columns, "{text}");
        }
    }

    #[test]
    fn cutting_never_splits_a_cluster() {
        assert_eq!(cut("张三李四", 5), "张三…");
        assert_eq!(cut("张三李四", 4), "张…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(pad("张三李四", 4), "张… ");
        assert_eq!(pad("ab", 4), "ab  ");
        assert_eq!(cut_middle("release-notes-2026", 11), "release…026");
        assert_eq!(cut_middle("很长的房间名字甲", 9), "很长的…甲");
        assert_eq!(cut_middle("short", 9), "short");
        assert_eq!(cut_middle("short", 1), "…");
        assert_eq!(cut_middle("short", 0), "");
    }
}
