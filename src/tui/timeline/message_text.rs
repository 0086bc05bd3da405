//! The text of a message, laid out as rows of a given width: Markdown rendered, long code blocks folded. The last layout is cached.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::chat::Body;
use crate::text::{self, CodeBlock, LineKind, Mark, RichLine, RichText, SafeText};

/// A code block with more lines than this is folded. It then shows its first `SHOWN` lines.
pub const FOLDED_FROM: usize = 15;
const SHOWN: usize = 8;

/// A text and its last layout.
#[derive(Default)]
pub struct MessageText {
    rich: RichText,
    layout: Mutex<Option<(TextLayout, Arc<[TextRow]>)>>,
}

/// The width and folding of a layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextLayout {
    pub columns: usize,
    pub fold: Fold,
}

/// Whether long code blocks are shown completely.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Fold {
    #[default]
    Folded,
    Open,
}

/// One row of a text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TextRow {
    pub text: SafeText,
    /// The marked parts of the row, as byte ranges.
    pub marks: Vec<(Range<usize>, Mark)>,
    pub kind: TextRowKind,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum TextRowKind {
    #[default]
    Text,
    Quote,
    /// A part of a line of code: the block, the index of the line in it, the byte of the line at which the part starts, and the bytes of
    /// indent before it.
    Code {
        code: Arc<CodeBlock>,
        line: usize,
        from: usize,
        indent: usize,
    },
    /// The language of a code block.
    Language,
    /// The number of folded lines.
    Folded(usize),
}

impl Clone for MessageText {
    fn clone(&self) -> Self {
        Self::of(self.rich.clone())
    }
}

impl PartialEq for MessageText {
    fn eq(&self, other: &Self) -> bool {
        self.rich == other.rich
    }
}

impl Eq for MessageText {}

impl fmt::Debug for MessageText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rich.fmt(f)
    }
}

impl MessageText {
    pub fn of(rich: RichText) -> Self {
        Self {
            rich,
            layout: Mutex::default(),
        }
    }

    /// The text of a body. An action is one plain line without Markdown.
    pub fn of_body(body: &Body) -> Self {
        match body {
            Body::Action(done) => Self::plain(&text::line(done)),
            body => Self::of(RichText::parse(body.text())),
        }
    }

    /// A text without Markdown.
    pub fn plain(text: &SafeText) -> Self {
        Self::of(RichText::plain(text))
    }

    pub fn rich(&self) -> &RichText {
        &self.rich
    }

    /// Whether there is a code block that can be folded.
    pub fn folds(&self) -> bool {
        self.rich
            .codes
            .iter()
            .any(|code| code.lines() > FOLDED_FROM)
    }

    /// Estimates the memory it uses, including its laid-out rows, which take about three times as much as the text.
    pub fn bytes(&self) -> usize {
        let line = |line: &RichLine| size_of::<RichLine>() + 4 * line.text.as_str().len();
        let lines: usize = self.rich.lines.iter().map(line).sum();
        let codes = self.rich.codes.iter();
        lines + codes.map(|code| code.text.as_str().len()).sum::<usize>()
    }

    /// The rows of the text. There is always at least one.
    pub fn rows(&self, lay: TextLayout) -> Arc<[TextRow]> {
        let mut laid = self.layout.lock().unwrap_or_else(PoisonError::into_inner);
        match &*laid {
            Some((known, rows)) if *known == lay => Arc::clone(rows),
            _ => {
                let rows: Arc<[TextRow]> = rows(&self.rich, lay).into();
                *laid = Some((lay, Arc::clone(&rows)));
                rows
            }
        }
    }
}

fn rows(rich: &RichText, lay: TextLayout) -> Vec<TextRow> {
    let mut rows = Vec::new();
    for line in &rich.lines {
        if let LineKind::Code { block, line: n } = line.kind
            && let Some(code) = rich.codes.get(block)
        {
            let count = code.lines();
            let is_folded = lay.fold == Fold::Folded && count > FOLDED_FROM;
            if !is_folded || n < SHOWN {
                let kind = |from, indent| TextRowKind::Code {
                    code: Arc::clone(code),
                    line: n,
                    from,
                    indent,
                };
                wrap_line(line, lay.columns, kind, &mut rows);
            } else if n == SHOWN {
                rows.push(TextRow {
                    kind: TextRowKind::Folded(count - SHOWN),
                    ..TextRow::default()
                });
            }
            if n + 1 == count && !code.language.is_empty() {
                rows.push(TextRow {
                    text: text::line(&text::cut(code.language.as_str(), lay.columns)),
                    kind: TextRowKind::Language,
                    ..TextRow::default()
                });
            }
            continue;
        }
        let kind = match line.kind {
            LineKind::Quote => TextRowKind::Quote,
            _ => TextRowKind::Text,
        };
        wrap_line(line, lay.columns, |_, _| kind.clone(), &mut rows);
    }
    if rows.is_empty() {
        rows.push(TextRow::default());
    }
    rows
}

/// Wraps a line into rows. The first row starts with the line's prefix (a list bullet, for example); the others are
/// indented by its width.
fn wrap_line(
    line: &RichLine,
    columns: usize,
    kind: impl Fn(usize, usize) -> TextRowKind,
    rows: &mut Vec<TextRow>,
) {
    // A narrow screen has no space for the indent.
    let lead = text::width(line.prefix.as_str());
    let lead = if lead * 2 > columns { 0 } else { lead };
    let whole = line.text.as_str();
    for (n, range) in text::wrap(whole, columns - lead).into_iter().enumerate() {
        let before = match n {
            _ if lead == 0 => String::new(),
            0 => line.prefix.to_string(),
            // Every row of a quote has its `>`.
            _ => line
                .prefix
                .as_str()
                .chars()
                .map(|c| if c == '>' { c } else { ' ' })
                .collect(),
        };
        let marks = line.marks.iter().filter_map(|(marked, mark)| {
            let (start, end) = (marked.start.max(range.start), marked.end.min(range.end));
            let place = (start < end)
                .then(|| start - range.start + before.len()..end - range.start + before.len())?;
            Some((place, mark.clone()))
        });
        rows.push(TextRow {
            marks: marks.collect(),
            kind: kind(range.start, before.len()),
            text: text::line(&format!("{before}{}", &whole[range])),
        });
    }
}
