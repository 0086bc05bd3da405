//! Markdown as chat uses it: bold, italics, struck out, code, quotes, lists and links; whatever else people type stays as typed.
//!
//! A text becomes lines with parts that are marked. It knows no colours and no widths, and runs nothing it finds.

mod builder;

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use linkify::{LinkFinder, LinkKind};

use self::builder::{Builder, prepared};
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
        let prepared = prepared(safe.as_str());
        let mut builder = Builder::new(&prepared);
        builder.read();
        let mut rich = builder.rich;
        for line in &mut rich.lines {
            if !matches!(line.kind, LineKind::Code { .. }) {
                link_addresses(line);
            }
        }
        rich
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

/// The addresses that stand in a line by themselves.
fn link_addresses(line: &mut RichLine) {
    let text = line.text.as_str();
    if !text.contains("://") {
        return;
    }
    let mut finder = LinkFinder::new();
    // Behind an address Chinese goes on without a space.
    finder.kinds(&[LinkKind::Url]).url_can_be_iri(false);
    let is_marked = |range: &Range<usize>| {
        let mut marks = line
            .marks
            .iter()
            .filter(|(_, mark)| matches!(mark, Mark::Code | Mark::Link(_)));
        marks.any(|(marked, _)| marked.start < range.end && range.start < marked.end)
    };
    let found: Vec<_> = finder
        .links(text)
        .map(|link| (link.start()..link.end(), link.as_str()))
        .filter(|(range, _)| !is_marked(range))
        .filter_map(|(range, address)| Some((range, Mark::Link(address_of(address)?))))
        .collect();
    line.marks.extend(found);
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
