//! Finds the mentions (`@name`) in a text, and the names that each may mean.

use unicode_normalization::char::is_combining_mark;

use super::{LineKind, Mark, RichText, addresses};
use crate::chat::UserName;

/// Names that mean everybody in a room and never one person.
pub const EVERYBODY: [&str; 2] = ["here", "everyone"];
/// The maximum number of mentions that count in one text.
pub const MENTION_LIMIT: usize = 16;

/// Returns the mentions in a text, each as the names it may mean, the longest first.
///
/// Chinese is written without spaces, so other words may directly follow a name: `@张三你好` may mention 张三. Code and addresses contain
/// no mentions.
pub fn mentioned_names(text: &str) -> Vec<Vec<String>> {
    let mut mentioned_names = Vec::new();
    if !text.contains(AT) {
        return mentioned_names;
    }
    for line in RichText::parse(text).lines {
        if matches!(line.kind, LineKind::Code { .. }) {
            continue;
        }
        let text = line.text.as_str();
        let marked = line.marks.iter();
        let marked = marked.filter(|(_, mark)| matches!(mark, Mark::Code | Mark::Link(_)));
        let marked = marked.map(|(range, _)| range.clone());
        let excluded: Vec<_> = marked
            .chain(addresses(text).into_iter().map(|it| it.range))
            .collect();
        for (at, sign) in text.match_indices(AT) {
            let is_excluded = excluded.iter().any(|range| range.contains(&at));
            if is_excluded || !begins_mention(&text[..at]) {
                continue;
            }
            let names = names(&text[at + sign.len()..]);
            if !names.is_empty() {
                mentioned_names.push(names.into_iter().map(ToOwned::to_owned).collect());
            }
            if mentioned_names.len() == MENTION_LIMIT {
                return mentioned_names;
            }
        }
    }
    mentioned_names
}

/// The sign before a name, also as Chinese keyboards type it.
pub const AT: [char; 2] = ['@', '＠'];

/// Whether an `@` after this text begins a mention. In an address like ann@example.org or after a backslash it does not.
fn begins_mention(before: &str) -> bool {
    let is_of_word = |c: &char| c.is_ascii_alphanumeric() || "_-+.".contains(*c);
    let word = || before.chars().rev().take_while(is_of_word);
    match word().next() {
        // An address has no full stop before the `@`; a sentence may.
        None | Some('.') => !before.ends_with('\\'),
        Some(_) => !word().any(|c| c.is_ascii_alphanumeric()),
    }
}

/// Returns the names that a text may begin with, the longest first.
fn names(text: &str) -> Vec<&str> {
    let is_of_name = |c: char| c.is_alphanumeric() || "_-.".contains(c) || is_combining_mark(c);
    let chars = text.char_indices().take(UserName::LIMIT);
    let run: Vec<(usize, char)> = chars.take_while(|(_, c)| is_of_name(*c)).collect();
    let mut names = Vec::new();
    for (n, (at, c)) in run.iter().enumerate().rev() {
        let next = run.get(n + 1).map(|(_, c)| *c);
        // A name may end with the word, before punctuation, or next to a letter of a script without spaces.
        let is_end = next.is_none_or(|next| !next.is_ascii_alphanumeric() || !c.is_ascii());
        if is_end {
            names.push(&text[..at + c.len_utf8()]);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mentions_are_found_in_any_script() {
        let cases: [(&str, &[&[&str]]); 28] = [
            ("can you look, @ann?", &[&["ann"]]),
            ("@ann. @ben", &[&["ann.", "ann"], &["ben"]]),
            ("@mary-ann", &[&["mary-ann", "mary"]]),
            ("你好@张三", &[&["张三", "张"]]),
            ("@张三你好", &[&["张三你好", "张三你", "张三", "张"]]),
            ("@ann你好", &[&["ann你好", "ann你", "ann"]]),
            ("ann@example.org", &[]),
            ("\\@ann and @ alone", &[]),
            ("@here lunch", &[&["here"]]),
            ("`@ann`", &[]),
            ("```\n@ann\n```", &[]),
            ("~~~ sh\n@ann\n~~~", &[]),
            ("``a ` @ann`` @ben", &[&["ben"]]),
            ("`not closed @ann", &[&["ann"]]),
            ("http://example.org/@ann", &[]),
            ("ssh://git@host/@ann", &[]),
            ("<https://ex.org/@ann/_x_>", &[]),
            ("[@ann](https://ex.org/@ben)", &[]),
            ("_@ann_", &[&["ann"]]),
            ("**@ann**, *@ben*", &[&["ann"], &["ben"]]),
            ("...@ann", &[&["ann"]]),
            ("done.@ann", &[&["ann"]]),
            ("-@ann", &[&["ann"]]),
            ("foo_@example.org", &[]),
            ("a.b-c@example.org", &[]),
            ("＠ann 好", &[&["ann"]]),
            ("你好＠张三", &[&["张三", "张"]]),
            ("(@ann) \"@ben\"", &[&["ann"], &["ben"]]),
        ];
        for (text, expected) in cases {
            assert_eq!(mentioned_names(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_number_of_mentions_in_one_text_is_limited() {
        assert_eq!(mentioned_names(&"@a ".repeat(100)).len(), MENTION_LIMIT);
    }
}
