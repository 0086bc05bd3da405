//! `@name` in a text: whom it may call.

use unicode_normalization::char::is_combining_mark;

use crate::chat::UserName;

/// Names that mean everybody in a room and never one person.
pub const EVERYBODY: [&str; 2] = ["here", "everyone"];
/// Calls of one text that are heeded.
pub const CALLS: usize = 16;

/// The calls of a text, each with the names it may mean, the longest first.
///
/// Chinese is written without spaces, so that behind a name other words may follow: `@张三你好` may call 张三.
pub fn calls(text: &str) -> Vec<Vec<&str>> {
    let mut calls = Vec::new();
    let mut before = None;
    for (at, c) in text.char_indices() {
        // An address like ann@example.org calls nobody, and neither does what a backslash stands before.
        let is_word =
            before.is_some_and(|c: char| c.is_ascii_alphanumeric() || "_-.\\".contains(c));
        if c == '@' && !is_word {
            let names = names(&text[at + 1..]);
            if !names.is_empty() {
                calls.push(names);
            }
        }
        before = Some(c);
        if calls.len() == CALLS {
            break;
        }
    }
    calls
}

/// The names that a text may begin with.
fn names(text: &str) -> Vec<&str> {
    let is_of_name = |c: char| c.is_alphanumeric() || "_-.".contains(c) || is_combining_mark(c);
    let chars = text.char_indices().take(UserName::LIMIT);
    let run: Vec<(usize, char)> = chars.take_while(|(_, c)| is_of_name(*c)).collect();
    let mut names = Vec::new();
    for (n, (at, c)) in run.iter().enumerate().rev() {
        let next = run.get(n + 1).map(|(_, c)| *c);
        // Where a name may end: with the word, before the marks that end a sentence, or beside a letter that needs no space.
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
    fn calls_are_found_in_any_script() {
        let cases: [(&str, &[&[&str]]); 9] = [
            ("can you look, @ann?", &[&["ann"]]),
            ("@ann. @ben", &[&["ann.", "ann"], &["ben"]]),
            ("@mary-ann", &[&["mary-ann", "mary"]]),
            ("你好@张三", &[&["张三", "张"]]),
            ("@张三你好", &[&["张三你好", "张三你", "张三", "张"]]),
            ("@ann你好", &[&["ann你好", "ann你", "ann"]]),
            ("ann@example.org", &[]),
            ("\\@ann and @ alone", &[]),
            ("@here lunch", &[&["here"]]),
        ];
        for (text, expected) in cases {
            assert_eq!(calls(text), expected, "{text:?}");
        }
    }

    #[test]
    fn not_every_call_of_a_shout_is_heeded() {
        assert_eq!(calls(&"@a ".repeat(100)).len(), CALLS);
    }
}
