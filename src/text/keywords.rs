//! Finds words in a text, ignoring case, width and invisible characters.

use std::fmt;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use unicode_normalization::UnicodeNormalization;

use super::{clusters, line};

/// A set of words to find.
///
/// In scripts with spaces between words, only whole words are found. A word that begins or ends with a wide letter, as in Chinese,
/// needs no word boundary there.
#[derive(Clone, Default)]
pub struct Keywords {
    finder: Option<AhoCorasick>,
    count: usize,
}

impl fmt::Debug for Keywords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // People may not want to see the words themselves.
        f.debug_struct("Keywords")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Keywords {
    /// Creates the set. Words without a visible character are ignored. If there are too many words to search for, nothing is found.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let words = words
            .into_iter()
            .map(|word| NormalizedText::of(word.trim()).text);
        let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
        let count = words.len();
        let finder = (count > 0).then(|| AhoCorasick::new(words).ok()).flatten();
        let count = if finder.is_some() { count } else { 0 };
        Self { finder, count }
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.finder.is_none()
    }

    /// Returns the byte ranges of words in a text, ascending and without overlaps.
    pub fn find(&self, text: &str) -> Vec<Range<usize>> {
        let Some(finder) = &self.finder else {
            return Vec::new();
        };
        let plain = NormalizedText::of(text);
        let found = finder.find_overlapping_iter(&plain.text);
        let whole = found.filter(|it| plain.is_whole(it.start(), it.end()));
        let mut ranges: Vec<Range<usize>> =
            whole.map(|it| plain.origin(it.start(), it.end())).collect();
        ranges.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
        let mut merged: Vec<Range<usize>> = Vec::new();
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }
}

/// A text in the form for comparison, and where each part of it comes from.
struct NormalizedText {
    text: String,
    /// For each byte of `text`, where its cluster begins and ends in the original.
    origin: Vec<(usize, usize)>,
}

impl NormalizedText {
    fn of(text: &str) -> Self {
        let mut plain = Self {
            text: String::with_capacity(text.len()),
            origin: Vec::with_capacity(text.len()),
        };
        for (at, cluster, _) in clusters(text) {
            // Invisible characters must not keep a word from being found.
            let seen = line(cluster);
            let form = seen.as_str().nfkc().flat_map(char::to_lowercase);
            plain.text.extend(form);
            let place = (at, at + cluster.len());
            plain.origin.resize(plain.text.len(), place);
        }
        plain
    }

    fn origin(&self, start: usize, end: usize) -> Range<usize> {
        let first = self.origin.get(start).map_or(0, |it| it.0);
        let last = self.origin.get(end - 1).map_or(first, |it| it.1);
        first..last
    }

    fn is_whole(&self, start: usize, end: usize) -> bool {
        let (before, word, after) = (
            self.text[..start].chars().next_back(),
            &self.text[start..end],
            self.text[end..].chars().next(),
        );
        let is_apart = |edge: Option<char>, beside: Option<char>| match (edge, beside) {
            (Some(edge), Some(beside)) => !(is_joined(edge) && is_joined(beside)),
            _ => true,
        };
        is_apart(word.chars().next(), before) && is_apart(word.chars().next_back(), after)
    }
}

/// Whether a letter continues the word next to it.
fn is_joined(c: char) -> bool {
    c.is_alphanumeric() && super::width(c.encode_utf8(&mut [0; 4])) < 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(words: &[&str], text: &'a str) -> Vec<&'a str> {
        let words = Keywords::new(words.iter().copied());
        let ranges = words.find(text);
        ranges.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn words_are_found_whole_and_in_any_form() {
        let words = ["spam", "坏词", "c++"];
        assert_eq!(found(&words, "SPAM, spam and spamming"), ["SPAM", "spam"]);
        assert_eq!(found(&words, "ｓｐａｍ"), ["ｓｐａｍ"]);
        assert_eq!(found(&words, "s\u{200b}pam"), ["s\u{200b}pam"]);
        assert_eq!(found(&words, "这是坏词吗"), ["坏词"]);
        assert_eq!(found(&words, "看spam吧"), ["spam"]);
        assert_eq!(found(&words, "C++ is not c"), ["C++"]);
        assert_eq!(found(&words, "nothing of it"), Vec::<&str>::new());
        assert_eq!(found(&["ab", "b c"], "ab c"), ["ab"]);
        assert_eq!(found(&["坏词", "词语"], "说坏词语了"), ["坏词语"]);
        assert_eq!(found(&["", "  "], "anything"), Vec::<&str>::new());
    }
}
