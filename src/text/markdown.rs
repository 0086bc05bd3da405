//! Parses the Markdown of chat: bold, italics, strikethrough, code, quotes, lists and links. Everything else stays as typed.
//!
//! The result is lines with marked parts. This module knows nothing about colours or widths, and runs nothing that it finds.

mod builder;
mod source;

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use self::builder::Builder;
use self::source::PreparedText;
use super::{SafeText, body, line};

/// A parsed text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RichText {
    pub lines: Vec<RichLine>,
    /// Its code blocks, in order.
    pub codes: Vec<Arc<CodeBlock>>,
}

/// One line as it was written; on the screen it may take several rows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RichLine {
    /// Drawn before the first row; the other rows are indented by its width.
    pub prefix: SafeText,
    pub text: SafeText,
    /// Marked parts of the text, as byte ranges; they may overlap.
    pub marks: Vec<(Range<usize>, Mark)>,
    pub kind: LineKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LineKind {
    #[default]
    Text,
    Quote,
    /// A line of a code block: the index of the block, and of the line in it.
    Code {
        block: usize,
        line: usize,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mark {
    Strong,
    Emphasis,
    Struck,
    Code,
    /// A link to this address, which is http, https or mailto and contains only visible ASCII.
    Link(Arc<str>),
}

/// A code block.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct CodeBlock {
    /// The language named after the fence; empty if there is none.
    pub language: SafeText,
    pub text: SafeText,
}

impl CodeBlock {
    pub fn lines(&self) -> usize {
        self.text.as_str().lines().count()
    }
}

impl RichText {
    /// Sanitises and parses a text as it was sent.
    pub fn parse(said: &str) -> Self {
        let safe = body(said);
        if is_plain(safe.as_str()) {
            return Self::plain(&safe);
        }
        let source = PreparedText::prepare(safe.as_str());
        let mut builder = Builder::new(&source);
        builder.read();
        builder.rich
    }

    /// Splits a text into lines without any marks.
    pub fn plain(safe: &SafeText) -> Self {
        let text = safe.as_str();
        let mut start = 0;
        let lines = text.split('\n').map(|part| {
            let range = start..start + part.len();
            start = range.end + 1;
            RichLine {
                text: safe.slice(range),
                ..RichLine::default()
            }
        });
        Self {
            lines: lines.collect(),
            codes: Vec::new(),
        }
    }

    /// Returns the text with a prefix.
    #[must_use]
    pub fn prefixed(&self, words: &str) -> Self {
        let mut rich = self.clone();
        match rich.lines.first_mut() {
            Some(first) if first.kind == LineKind::Text && first.prefix.is_empty() => {
                for (range, _) in &mut first.marks {
                    *range = range.start + words.len()..range.end + words.len();
                }
                first.text = body(&format!("{words}{}", first.text));
            }
            _ => {
                let text = line(words.trim_end());
                let first = RichLine {
                    text,
                    ..RichLine::default()
                };
                rich.lines.insert(0, first);
            }
        }
        rich
    }
}

/// Whether a text contains nothing that could be Markdown.
fn is_plain(text: &str) -> bool {
    let is_marking = |byte: u8| b"*_`~[<>&\\-+.)".contains(&byte);
    !text.bytes().any(is_marking) && !text.contains("://")
}

/// Returns an address in the form that may be sent to a terminal: only visible ASCII. `None` if its scheme is not http,
/// https or mailto, or if it is too long.
fn address_of(text: &str) -> Option<Arc<str>> {
    let lower = text.to_ascii_lowercase();
    let is_known = ["http://", "https://", "mailto:"]
        .iter()
        .any(|it| lower.starts_with(it));
    (is_known && text.len() <= MAX_ADDRESS).then(|| {
        let mut address = String::new();
        for c in text.chars() {
            // Everything else is percent-encoded.
            if c.is_ascii_graphic() {
                address.push(c);
            } else {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _always = write!(address, "%{byte:02X}");
                }
            }
        }
        address.into()
    })
}

/// The maximum length of an address, in bytes; terminals ignore longer ones.
const MAX_ADDRESS: usize = 2000;

#[cfg(test)]
mod tests;
