//! The sanitiser: makes text from other people harmless for a terminal.
//!
//! There are two forms: [`body`] keeps newlines, [`line()`] has none. Both are idempotent. Every code point is kept, replaced by something
//! visible, or dropped, as listed in the tables below. The rules for clusters (UAX #29) remove zalgo and invisible joiners.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

/// Text that is safe to draw, log or put into a window title. Made by [`line()`], by [`body`] or from the program's own texts.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct SafeText(Cow<'static, str>);

impl SafeText {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns a part of the text, which is safe as well if it is cut between clusters.
    #[must_use]
    pub fn slice(&self, range: std::ops::Range<usize>) -> Self {
        Self(Cow::Owned(self.0.get(range).unwrap_or_default().to_owned()))
    }
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The program's own texts are safe.
impl From<&'static str> for SafeText {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

/// The maximum number of lines of a body; later newlines become spaces.
pub const BODY_LINES: usize = 100;
/// The maximum number of combining marks on one base character.
const MARKS: usize = 4;
/// The maximum number of code points in one cluster.
const CLUSTER: usize = 10;

const ZWJ: char = '\u{200d}';
const KEYCAP: char = '\u{20e3}';
const BROKEN: char = char::REPLACEMENT_CHARACTER;

/// Sanitises a text of several lines, such as a message.
pub fn body(text: &str) -> SafeText {
    let mut lines = 1;
    sanitise(text, |c| match c {
        '\n' | '\u{2028}' | '\u{2029}' if lines < BODY_LINES => {
            lines += 1;
            Rendering::As('\n')
        }
        '\n' | '\u{2028}' | '\u{2029}' => Rendering::As(' '),
        '\t' => Rendering::Tab,
        other => rendering(other),
    })
}

/// Sanitises a text of one line: a name, a topic, an error.
pub fn line(text: &str) -> SafeText {
    sanitise(text, |c| match c {
        '\n' | '\t' | '\u{2028}' | '\u{2029}' => Rendering::As(' '),
        other => rendering(other),
    })
}

/// Whether a code point may reach a terminal unchanged, whatever its neighbours.
pub fn is_harmless(c: char) -> bool {
    matches!(rendering(c), Rendering::As(as_it_is) if as_it_is == c)
}

enum Rendering {
    As(char),
    Tab,
    Omitted,
}

fn sanitise(text: &str, mut rule: impl FnMut(char) -> Rendering) -> SafeText {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\r' && chars.peek() == Some(&'\n') {
            continue;
        }
        match rule(c) {
            Rendering::As(c) => out.push(c),
            Rendering::Tab => out.push_str("    "),
            Rendering::Omitted => {}
        }
    }
    if out.chars().any(may_join) {
        apply_neighbour_rules(&mut out);
    }
    SafeText(Cow::Owned(out))
}

/// How a code point is shown, whatever its neighbours.
fn rendering(c: char) -> Rendering {
    match c {
        '\u{0}'..='\u{1f}' => {
            Rendering::As(char::from_u32(0x2400 + u32::from(c)).unwrap_or(BROKEN))
        }
        ' '..='~' | ZWJ | '\u{fe0e}' | '\u{fe0f}' => Rendering::As(c),
        '\u{7f}' => Rendering::As('\u{2421}'),
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Rendering::As(BROKEN)
        }
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{2800}' => {
            Rendering::As(' ')
        }
        _ if is_ignorable(c) => Rendering::Omitted,
        _ => match c.general_category() {
            GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
            | GeneralCategory::Surrogate
            | GeneralCategory::Control => Rendering::As(BROKEN),
            GeneralCategory::Format if !is_visible_format(c) => Rendering::Omitted,
            _ => Rendering::As(c),
        },
    }
}

/// Whether a code point is a direction mark, or one that a renderer shows as nothing (`Default_Ignorable_Code_Point`).
pub(super) fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether terminals draw a format character (Cf). Most are invisible. Arabic and other number signs are drawn. Egyptian and Shorthand
/// layout characters have a shape too, but terminals do not draw it.
fn is_visible_format(c: char) -> bool {
    matches!(
        c,
        '\u{600}'
            ..='\u{605}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'
                | '\u{891}'
                | '\u{8e2}'
                | '\u{110bd}'
                | '\u{110cd}'
    )
}

/// Whether a code point may form one cluster with its neighbours, so that [`apply_neighbour_rules`] has to check the text.
fn may_join(c: char) -> bool {
    c >= '\u{300}'
        && !matches!(c, '\u{3000}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{9fff}' | '\u{ff01}'..='\u{ff60}')
}

/// The maximum number of rounds of the two rules about neighbours. Every known text stops changing within them.
const ROUNDS: usize = 4;

/// Repeats the two rules about neighbours until nothing changes, usually once. Returns the number of rounds.
fn apply_neighbour_rules(text: &mut String) -> usize {
    for round in 1..=ROUNDS {
        let next = trim_clusters(&keep_joined(text));
        if next == *text {
            return round;
        }
        *text = next;
    }
    // No known text gets here. More rounds would cost every reader CPU time, so all joining characters are removed.
    text.retain(|c| !may_join(c));
    ROUNDS + 1
}

/// Removes joiners and selectors that join nothing, and marks beyond [`MARKS`].
fn keep_joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut previous = '\n';
    let mut marks = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let keep = match c {
            ZWJ => {
                let after_virama = canonical_combining_class(previous) == 9;
                let in_emoji = is_emoji_part(previous)
                    && chars.peek().is_some_and(|next| is_pictographic(*next));
                after_virama || in_emoji
            }
            '\u{fe0e}' | '\u{fe0f}' => {
                is_pictographic(previous)
                    || (is_keycap_base(previous) && chars.peek() == Some(&KEYCAP))
            }
            _ if is_combining_mark(c) => {
                marks += 1;
                marks <= MARKS && previous != '\n'
            }
            _ => {
                marks = 0;
                true
            }
        };
        if keep {
            out.push(c);
            previous = c;
        }
    }
    out
}

/// Cuts clusters of more than [`CLUSTER`] code points, and marks each cut.
fn trim_clusters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        match cluster.char_indices().nth(CLUSTER) {
            None => out.push_str(cluster),
            Some((end, _)) => out.push_str(&cut(&cluster[..end])),
        }
    }
    out
}

/// Returns the beginning of a cluster, with a replacement character for the missing part. Code points at the end that would join
/// it are removed, because they would join the next cluster as well.
fn cut(beginning: &str) -> String {
    let mut kept = beginning.trim_end_matches(ZWJ).to_owned();
    loop {
        let marked = format!("{kept}{BROKEN}");
        let last = marked.graphemes(true).next_back();
        if last.is_some_and(|last| last.chars().eq([BROKEN])) || kept.pop().is_none() {
            return marked;
        }
    }
}

fn is_keycap_base(c: char) -> bool {
    matches!(c, '0'..='9' | '#' | '*')
}

fn is_pictographic(c: char) -> bool {
    c.is_emoji_char() && !c.is_ascii()
}

/// Whether a character may come before a joiner inside an emoji: a picture, a skin tone, or a selector after either.
fn is_emoji_part(c: char) -> bool {
    is_pictographic(c) || c == '\u{fe0f}'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::width;

    fn allowed(text: &str, newline: bool) -> Result<(), String> {
        let mut lines = 1;
        for c in text.chars() {
            if c == '\n' {
                lines += 1;
                if newline {
                    continue;
                }
            }
            let bad = c.is_control()
                || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}'
                    | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}' | '\u{a0}' | '\u{ad}' | '\u{3164}')
                || matches!(
                    c.general_category(),
                    GeneralCategory::PrivateUse | GeneralCategory::Unassigned
                );
            if bad {
                return Err(format!("{c:?} is still in {text:?}"));
            }
        }
        if lines > BODY_LINES {
            return Err(format!("{lines} lines"));
        }
        for cluster in text.graphemes(true) {
            if cluster.chars().count() > CLUSTER
                || cluster.chars().filter(|c| is_combining_mark(*c)).count() > 2 * MARKS
            {
                return Err(format!("the cluster is too large: {cluster:?}"));
            }
        }
        Ok(())
    }

    #[test]
    fn every_code_point_alone_is_harmless_and_stable() {
        for c in (0..=0x0010_ffff).filter_map(char::from_u32) {
            let text = format!("{c}a{c}👩{c}");
            let once = body(&text);
            allowed(once.as_str(), true).unwrap();
            assert_eq!(body(once.as_str()), once, "U+{:04X}", u32::from(c));
            let single = line(&text);
            allowed(single.as_str(), false).unwrap();
            assert_eq!(line(single.as_str()), single, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn an_endless_cluster_is_cut_once_and_the_text_after_it_stays() {
        let family = "👩\u{200d}".repeat(6) + &"👩".repeat(3000);
        let prepended = "\u{600}".repeat(11) + &"a".repeat(6000);
        let syllables = "\u{1100}".repeat(2000) + "end";
        let flags = "🇨\u{200d}".repeat(2000) + "end";
        for (text, tail) in [
            (family, "👩".repeat(2999)),
            (prepended, "a".repeat(5999)),
            (syllables, "end".to_owned()),
            (flags, "end".to_owned()),
        ] {
            let mut settled = text.clone();
            assert!(apply_neighbour_rules(&mut settled) <= ROUNDS, "{text}");
            assert!(settled.ends_with(&tail), "{settled}");
            allowed(&settled, false).unwrap();
        }
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        for text in [
            "大家好！",
            "早 👋🏽 ok",
            "👩‍👩‍👧 family",
            "❤️",
            "1️⃣",
            "e\u{301}",
            "🇨🇳",
            "ক্‍ষ",
            "fn main() {\n    x\n}",
            "한국어",
        ] {
            assert_eq!(body(text).as_str(), text);
        }
    }

    #[test]
    fn escapes_are_shown_and_not_obeyed() {
        assert_eq!(line("\u{1b}]0;pwn\u{7}").as_str(), "␛]0;pwn␇");
        assert_eq!(line("a\u{9b}31mb").as_str(), "a\u{fffd}31mb");
        assert_eq!(body("a\r\nb\rc").as_str(), "a\nb␍c");
        assert_eq!(line("safe\u{202e}gnp.exe").as_str(), "safe\u{fffd}gnp.exe");
        assert_eq!(line("a\u{200b}\u{200d}b\u{fe0f}").as_str(), "ab");
    }

    #[test]
    fn zalgo_and_too_many_lines_are_cut() {
        let zalgo = format!("Z{}", "\u{301}".repeat(300));
        assert_eq!(body(&zalgo).as_str().chars().count(), 1 + MARKS);
        let long = "x\n".repeat(300);
        assert_eq!(body(&long).as_str().lines().count(), BODY_LINES);
    }

    proptest! {
        #[test]
        fn any_text_becomes_allowed_text(text in any::<String>()) {
            let once = body(&text);
            prop_assert_eq!(allowed(once.as_str(), true), Ok(()));
            prop_assert_eq!(&body(once.as_str()), &once);
            prop_assert_eq!(allowed(line(&text).as_str(), false), Ok(()));
        }

        #[test]
        fn joiners_and_marks_in_any_order_settle(text in "[aक\u{94d}👩👧🏽❤1#\u{20e3}\u{200d}\u{fe0f}\u{fe0e}\u{301}\u{1100}\u{600}\u{1f1e6}\n]{0,40}") {
            let once = body(&text);
            prop_assert_eq!(allowed(once.as_str(), true), Ok(()));
            prop_assert_eq!(&body(once.as_str()), &once);
            prop_assert!(width(once.as_str()) <= 2 * text.chars().count());
        }

        #[test]
        fn long_runs_of_joining_characters_settle_soon(
            runs in prop::collection::vec(("[aक\u{94d}👩🏽1\u{20e3}\u{200d}\u{fe0f}\u{301}\u{1100}\u{1161}\u{600}\u{1f1e6}]{1,2}", 1..40_usize), 0..8),
        ) {
            let mut text: String = runs.iter().map(|(part, count)| part.repeat(*count)).collect();
            prop_assert!(apply_neighbour_rules(&mut text) <= ROUNDS);
            prop_assert_eq!(allowed(&text, false), Ok(()));
        }
    }
}
