//! Markdown for chat: bold, italics, strikethrough, code, quotes, lists and links. Everything else is shown as typed.
//!
//! A text becomes lines with parts that are marked. It knows no colours and no widths, and runs nothing it finds.

mod builder;
mod source;

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use self::builder::Builder;
use self::source::Source;
use super::{SafeText, body, line};

/// A text, understood.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rich {
    pub lines: Vec<RichLine>,
    /// Blocks of code, in their order.
    pub codes: Vec<Arc<Code>>,
}

/// One line as it was written, however many rows it takes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RichLine {
    /// Stands before the first row; the others are indented by its width.
    pub lead: SafeText,
    pub text: SafeText,
    /// Marked parts of the text, in bytes; they may overlap.
    pub marks: Vec<(Range<usize>, Mark)>,
    pub kind: LineKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LineKind {
    #[default]
    Text,
    Quote,
    /// A line of a block of code: which block, and which line of it.
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
    /// Leads to this address, which is http, https or mailto and holds nothing but visible ASCII.
    Link(Arc<str>),
}

/// A block of code.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Code {
    /// As it was named behind the fence; empty if it was not.
    pub language: SafeText,
    pub text: SafeText,
}

impl Code {
    pub fn lines(&self) -> usize {
        self.text.as_str().lines().count()
    }
}

impl Rich {
    /// Understands a text as it was sent.
    pub fn of(said: &str) -> Self {
        let safe = body(said);
        if is_plain(safe.as_str()) {
            return Self::plain(&safe);
        }
        let source = Source::of(safe.as_str());
        let mut builder = Builder::new(&source);
        builder.read();
        builder.rich
    }

    /// A text in which nothing is marked.
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

    /// The text with words before it.
    #[must_use]
    pub fn prefixed(&self, words: &str) -> Self {
        let mut rich = self.clone();
        match rich.lines.first_mut() {
            Some(first) if first.kind == LineKind::Text && first.lead.is_empty() => {
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

/// Whether a text has nothing in it that Markdown would see.
fn is_plain(text: &str) -> bool {
    let is_marking = |byte: u8| b"*_`~[<>&\\-+.)".contains(&byte);
    !text.bytes().any(is_marking) && !text.contains("://")
}

/// An address a terminal may be told of; nothing of another kind, or with anything in it that is not plainly visible.
fn address_of(text: &str) -> Option<Arc<str>> {
    let lower = text.to_ascii_lowercase();
    let is_known = ["http://", "https://", "mailto:"]
        .iter()
        .any(|it| lower.starts_with(it));
    (is_known && text.len() <= ADDRESS).then(|| {
        let mut address = String::new();
        for c in text.chars() {
            // Other letters are written as an address has them.
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

/// Bytes of an address; terminals pass over longer ones.
const ADDRESS: usize = 2000;

#[cfg(test)]
mod tests;
