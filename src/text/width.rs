//! Measures text in terminal columns. Everything that is drawn, wrapped or cut is measured here.

use std::cell::Cell;

use unicode_properties::UnicodeEmoji;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How wide a terminal draws characters of ambiguous width (UAX #11), like `●`, `…` and Greek letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Ambiguous {
    /// Not known: counted as one column, and drawn so that two columns do no harm.
    #[default]
    Unknown,
    Narrow,
    Wide,
}

thread_local! {
    /// How wide the terminal that this thread draws on shows characters of ambiguous width. Set when it becomes known.
    static AMBIGUOUS: Cell<Ambiguous> = const { Cell::new(Ambiguous::Unknown) };
}

/// Sets how wide this thread counts characters of ambiguous width.
pub fn set_ambiguous(width: Ambiguous) {
    AMBIGUOUS.set(width);
}

/// Returns how wide this thread counts characters of ambiguous width.
pub fn ambiguous() -> Ambiguous {
    AMBIGUOUS.get()
}

/// Returns the columns of a text. A cluster takes two at most, as terminals draw it.
pub fn width(text: &str) -> usize {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.len();
    }
    clusters(text).map(|(_, _, columns)| columns).sum()
}

/// Returns the clusters of a text with their byte offsets and columns.
pub fn clusters(text: &str) -> impl Iterator<Item = (usize, &str, usize)> {
    let is_wide = ambiguous() == Ambiguous::Wide;
    text.grapheme_indices(true).map(move |(at, cluster)| {
        let columns = if is_wide {
            cluster.width_cjk()
        } else {
            cluster.width()
        };
        (at, cluster, columns.min(2))
    })
}

/// Whether terminals disagree about the columns of a cluster: emoji, clusters of several code points, and characters of ambiguous
/// width unless it is known how this terminal draws them.
pub fn is_disputed(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    let Some(first) = chars.next() else {
        return false;
    };
    if chars.next().is_some() {
        return true;
    }
    let is_ambiguous = ambiguous() == Ambiguous::Unknown && first.width() != first.width_cjk();
    !first.is_ascii() && (is_ambiguous || first.is_emoji_char())
}

/// Returns the most columns that a terminal may use for a cluster: as if each code point were drawn by itself.
pub fn widest(cluster: &str) -> usize {
    let of = |c: char| {
        let is_picture = !c.is_ascii() && c.is_emoji_char();
        let columns = c.width_cjk().unwrap_or(0);
        if is_picture { columns.max(2) } else { columns }
    };
    let apart: usize = cluster.chars().map(of).sum();
    // A variation selector turns a digit or a symbol into a picture.
    let picture = if cluster.contains('\u{fe0f}') { 2 } else { 0 };
    apart.max(picture).max(cluster.width().min(2))
}

/// Cuts a text to at most `columns`, with `…` in place of what is missing.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mark = width("…");
    let mut out = String::new();
    let mut used = 0;
    for (_, cluster, wide) in clusters(text) {
        if used + wide + mark > columns {
            break;
        }
        out.push_str(cluster);
        used += wide;
    }
    if columns >= mark {
        out.push('…');
    }
    out
}

/// Cuts a text in the middle, to at most `columns`: names often differ at their ends.
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

/// Cuts a text, or pads it with spaces, to exactly `columns`.
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
    fn terminals_disagree_about_clusters_and_agree_about_ideographs() {
        for (cluster, most) in [
            ("👍🏽", Some(4)),
            ("🧑🏽‍🚀", Some(6)),
            ("⚠️", Some(2)),
            ("🇨🇳", Some(4)),
            ("ｶﾞ", Some(2)),
            ("1️⃣", Some(2)),
            ("🎉", Some(2)),
            ("●", Some(2)),
            ("e\u{301}", Some(1)),
            ("张", None),
            ("ｶ", None),
            ("a", None),
            ("°", Some(2)),
        ] {
            let found = is_disputed(cluster).then(|| widest(cluster));
            assert_eq!(found, most, "{cluster}");
        }
        set_ambiguous(Ambiguous::Narrow);
        assert!(!is_disputed("●") && is_disputed("👍🏽"));
        assert_eq!((width("●…°"), cut("●●●", 2).as_str()), (3, "●…"));
        set_ambiguous(Ambiguous::Wide);
        assert!(!is_disputed("●"));
        assert_eq!((width("●…"), cut("●●●", 5).as_str()), (4, "●…"));
        assert_eq!(pad("●", 4), "●  ");
        set_ambiguous(Ambiguous::Unknown);
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
