//! Turns the events of the `CommonMark` parser into lines. Syntax that chat does not use is shown as typed.

use std::ops::Range;
use std::sync::Arc;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::source::{Piece, PreparedText, TextMode};
use super::{CodeBlock, LineKind, Mark, RichLine, RichText, address_of};
use crate::text::{SafeText, body, line};

/// Builds the lines of a text.
pub(super) struct Builder<'a> {
    prepared: &'a PreparedText,
    source: &'a str,
    pub(super) rich: RichText,
    /// The line being built, if there is one.
    open: Option<RichLine>,
    text: String,
    /// Open marks, with the offset in `text` at which each begins.
    open_marks: Vec<(usize, Option<Mark>)>,
    /// The address of the latest link, as it was typed. Links do not nest.
    typed_address: SafeText,
    /// The number of open quotes.
    depth: usize,
    /// How many of the open quotes the current line belongs to.
    quotes: usize,
    /// Markers of the open items; each is shown before one line only.
    items: Vec<Item>,
    /// The offset up to which the source has been shown.
    shown: usize,
}

struct Item {
    marker: String,
    is_shown: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(prepared: &'a PreparedText) -> Self {
        Self {
            prepared,
            source: &prepared.text,
            rich: RichText::default(),
            open: None,
            text: String::new(),
            open_marks: Vec::new(),
            typed_address: SafeText::default(),
            depth: 0,
            quotes: 0,
            items: Vec::new(),
            shown: 0,
        }
    }

    pub(super) fn read(&mut self) {
        let events = Parser::new_ext(self.source, Options::ENABLE_STRIKETHROUGH);
        let mut events = events.into_offset_iter();
        while let Some((event, range)) = events.next() {
            match event {
                Event::Start(tag) => {
                    if let Tag::CodeBlock(CodeBlockKind::Fenced(language)) = tag {
                        let mut code = String::new();
                        for (event, _) in events.by_ref() {
                            match event {
                                Event::Text(text) => code.push_str(&text),
                                Event::End(TagEnd::CodeBlock) => break,
                                _ => {}
                            }
                        }
                        self.code(&language, &code, range);
                    } else if let Some(end) = self.start(tag, range) {
                        // This element was shown as typed, including everything inside it, so its events are skipped.
                        let mut depth = 1;
                        while depth > 0 {
                            match events.next() {
                                Some((Event::Start(_), _)) => depth += 1,
                                Some((Event::End(_), _)) => depth -= 1,
                                Some(_) => {}
                                None => break,
                            }
                        }
                        self.shown = self.shown.max(end);
                    }
                }
                Event::End(tag) => self.end(tag, range),
                Event::Text(text) | Event::InlineHtml(text) => {
                    self.push_text(&text, range, TextMode::Prose);
                }
                Event::Html(_) | Event::Rule => self.verbatim(range),
                Event::Code(code) => {
                    let from = self.text.len();
                    self.push_text(&code, range, TextMode::Verbatim);
                    // Code contains no links.
                    if let Some(open) = &mut self.open {
                        open.marks.retain(|(marked, _)| marked.start < from);
                    }
                    self.mark(from, Mark::Code);
                }
                Event::SoftBreak | Event::HardBreak => self.end_line(range),
                _ => self.push_text(&self.source[range.clone()], range, TextMode::Verbatim),
            }
        }
        self.flush();
        // Empty lines at the end are dropped, but a text of nothing else is kept.
        if self.rich.lines.is_empty() {
            let typed = self.prepared.typed(self.source, TextMode::Verbatim);
            self.rich = RichText::plain(&body(&typed));
        }
    }

    /// Begins a block or a mark. If it is shown as typed instead, returns where it ends.
    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) -> Option<usize> {
        match tag {
            Tag::Paragraph => self.start_paragraph(range.start),
            Tag::BlockQuote(_) => {
                self.begin_block(range.start);
                self.depth += 1;
                self.quotes = self.depth;
            }
            Tag::List(_) => self.flush(),
            Tag::Item => self.start_item(range),
            Tag::Emphasis => self
                .open_marks
                .push((self.text.len(), Some(Mark::Emphasis))),
            Tag::Strong => self.open_marks.push((self.text.len(), Some(Mark::Strong))),
            Tag::Strikethrough => self.open_marks.push((self.text.len(), Some(Mark::Struck))),
            Tag::Link {
                dest_url,
                link_type: LinkType::Inline | LinkType::Autolink,
                ..
            } => {
                let typed = self.prepared.typed(&dest_url, TextMode::Verbatim);
                let mark = address_of(&typed).map(Mark::Link);
                if mark.is_none() {
                    // The target is not an address that can be opened, so the link is shown as typed.
                    self.push_text(
                        &self.source[range.clone()],
                        range.clone(),
                        TextMode::Verbatim,
                    );
                    return Some(range.end);
                }
                self.typed_address = line(&typed);
                self.open_marks.push((self.text.len(), mark));
            }
            Tag::HtmlBlock => {}
            Tag::Link { .. } | Tag::Image { .. } => {
                self.push_text(
                    &self.source[range.clone()],
                    range.clone(),
                    TextMode::Verbatim,
                );
                return Some(range.end);
            }
            // Headings, indented text and everything else are shown as typed.
            _ => {
                self.verbatim(range.clone());
                return Some(range.end);
            }
        }
        None
    }

    /// Begins a paragraph, with the spaces before it on its line.
    fn start_paragraph(&mut self, start: usize) {
        self.begin_block(start);
        let begins = self.source[..start].rfind('\n').map_or(0, |at| at + 1);
        let spaces = &self.source[begins..start];
        if self.depth == 0 && self.items.is_empty() && spaces.trim().is_empty() {
            self.indent(spaces);
        }
    }

    /// Begins a list item. Its marker is shown before its first line.
    fn start_item(&mut self, range: Range<usize>) {
        self.flush();
        self.begin_block(range.start);
        let marker = self.source[range].split_whitespace().next().unwrap_or("-");
        let marker = if matches!(marker, "-" | "*" | "+") {
            "•"
        } else {
            marker
        };
        self.items.push(Item {
            marker: format!("{} ", self.prepared.typed(marker, TextMode::Verbatim)),
            is_shown: false,
        });
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.depth = self.depth.saturating_sub(1);
                self.quotes = self.depth;
            }
            TagEnd::Item => {
                self.flush();
                if self.items.pop().is_some_and(|item| !item.is_shown) {
                    // Without text it is not a list item.
                    self.verbatim(range.clone());
                }
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link => {
                if let Some((from, Some(mark))) = self.open_marks.pop() {
                    let address = match &mark {
                        Mark::Link(address) => Some(Arc::clone(address)),
                        _ => None,
                    };
                    self.mark(from, mark);
                    if let Some(address) = address {
                        self.append_address(from, &address);
                    }
                }
            }
            _ => self.flush(),
        }
        self.shown = self.shown.max(range.end);
    }

    /// Adds the address, as it was typed, after a link text that hides it.
    fn append_address(&mut self, from: usize, address: &Arc<str>) {
        let words = self.text.get(from..).unwrap_or_default();
        let bare = |text: &str| {
            text.trim_start_matches("mailto:")
                .trim_end_matches('/')
                .to_owned()
        };
        if bare(words) == bare(address) || bare(words) == bare(self.typed_address.as_str()) {
            return;
        }
        // The link may have no text, and be the first thing on its line.
        self.ensure_line();
        self.text.push_str(" (");
        let from = self.text.len();
        self.text.push_str(self.typed_address.as_str());
        self.mark(from, Mark::Link(Arc::clone(address)));
        self.text.push(')');
    }

    /// Ends a line within a paragraph.
    fn end_line(&mut self, range: Range<usize>) {
        if self.source[range.clone()].starts_with('\\') {
            // A backslash at the end of a shell command's line is part of the command.
            self.ensure_line();
            self.text.push('\\');
        }
        self.flush();
        self.shown = self.shown.max(range.end);
        let after = &self.source[range.end..];
        let from = self.source[..range.end].rfind('\n').map_or(0, |at| at + 1);
        if self.depth > 0 {
            // A line after a quote without its own `>` is an answer to the quote, not part of it.
            let begins = self.source[from..].trim_start_matches(' ');
            let marks = begins.chars().take_while(|c| ">\u{20}".contains(*c));
            self.quotes = marks.filter(|c| *c == '>').count().min(self.depth);
        }
        if self.depth == 0 && self.items.is_empty() {
            // Spaces before a line are shown as typed.
            let next = after.trim_start_matches([' ', '\t']);
            self.indent(&after[..after.len() - next.len()]);
        }
    }

    fn indent(&mut self, spaces: &str) {
        self.ensure_line();
        self.text.push_str(spaces);
    }

    /// Begins a block: ends the open line, and keeps the empty lines before the block.
    fn begin_block(&mut self, at: usize) {
        self.flush();
        let between = self.source.get(self.shown..at).unwrap_or_default();
        let breaks = between.matches('\n').count();
        if !self.rich.lines.is_empty() {
            // The end of the line before is either shown already, or is the first of these breaks.
            let before = self.source.get(..self.shown).unwrap_or_default();
            let ended = before.ends_with('\n');
            let empty = if ended {
                breaks
            } else {
                breaks.saturating_sub(1)
            };
            self.rich
                .lines
                .extend((0..empty).map(|_| RichLine::default()));
        }
        self.shown = self.shown.max(at);
    }

    /// Opens a line if none is open.
    fn ensure_line(&mut self) {
        if self.open.is_some() {
            return;
        }
        let kind = if self.quotes > 0 {
            LineKind::Quote
        } else {
            LineKind::Text
        };
        self.open = Some(RichLine {
            prefix: self.next_prefix(),
            kind,
            ..RichLine::default()
        });
    }

    /// Returns the prefix of the next line, and marks the list markers in it as shown.
    fn next_prefix(&mut self) -> SafeText {
        let mut lead = "> ".repeat(self.quotes);
        for item in &mut self.items {
            if item.is_shown {
                lead.extend(item.marker.chars().map(|_| ' '));
            } else {
                lead.push_str(&item.marker);
                item.is_shown = true;
            }
        }
        line(&lead)
    }

    /// Adds sanitised text; each newline in it ends the open line.
    fn push_text(&mut self, text: &str, range: Range<usize>, place: TextMode) {
        self.shown = self.shown.max(range.end);
        for (n, part) in text.split('\n').enumerate() {
            if n > 0 {
                self.flush();
            }
            self.ensure_line();
            self.push(part, place);
        }
    }

    /// Adds a part of a line as it was typed, with its addresses as links.
    fn push(&mut self, part: &str, place: TextMode) {
        let prepared = self.prepared;
        let is_linked = |(_, mark): &(usize, Option<Mark>)| matches!(mark, Some(Mark::Link(_)));
        let is_linked = self.open_marks.iter().any(is_linked);
        for piece in prepared.pieces(part, place) {
            match piece {
                Piece::Text(text) => self.text.push_str(line(&text).as_str()),
                Piece::Link(address) => {
                    let from = self.text.len();
                    self.text.push_str(line(address).as_str());
                    if let Some(address) = address_of(address).filter(|_| !is_linked) {
                        self.mark(from, Mark::Link(address));
                    }
                }
            }
        }
    }

    fn mark(&mut self, from: usize, mark: Mark) {
        let range = from..self.text.len();
        if let Some(open) = self.open.as_mut().filter(|_| !range.is_empty()) {
            open.marks.push((range, mark));
        }
    }

    /// Ends the open line. Marks that continue start again in the next line.
    fn flush(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        let end = self.text.len();
        for (from, mark) in &mut self.open_marks {
            if let Some(mark) = mark.as_ref().filter(|_| *from < end) {
                open.marks.push((*from..end, mark.clone()));
            }
            *from = 0;
        }
        open.text = line(&std::mem::take(&mut self.text));
        let fits = |range: &Range<usize>| open.text.as_str().get(range.clone()).is_some();
        open.marks.retain(|(range, _)| fits(range));
        self.rich.lines.push(open);
    }

    /// Adds a block as it was typed.
    fn verbatim(&mut self, range: Range<usize>) {
        self.flush();
        // Start at the beginning of its line: spaces before the block are text.
        let start = self.source[..range.start]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let start = if self.source[start..range.start].trim().is_empty() {
            start
        } else {
            range.start
        };
        let before = self.shown.max(start.min(range.start));
        self.begin_block(start.max(self.shown).min(before));
        let text = self.source[start..range.end].trim_end_matches('\n');
        for part in text.split('\n') {
            self.ensure_line();
            self.push(part, TextMode::Verbatim);
            self.flush();
        }
        self.shown = range.end;
    }

    /// Adds a code block. If it is empty, has an invalid language name or is an unclosed `~~~` block, it is shown as typed.
    fn code(&mut self, info: &str, text: &str, range: Range<usize>) {
        let source = &self.source[range.clone()];
        let is_tilde = source.starts_with('~');
        let last = source.trim_end().rsplit('\n').next().unwrap_or_default();
        let last = last.trim_start_matches([' ', '>']);
        let is_closed = source.trim_end().contains('\n')
            && last.len() >= 3
            && last.chars().all(|c| c == if is_tilde { '~' } else { '`' });
        let language = info.trim().split(',').next().unwrap_or_default();
        let is_language = |c: char| c.is_alphanumeric() || "+-#._".contains(c);
        let is_named = info.trim().chars().count() <= MAX_LANGUAGE
            && !info.trim().contains(char::is_whitespace)
            && language.chars().all(is_language);
        if text.trim().is_empty() || !is_named || (is_tilde && !is_closed) {
            self.verbatim(range);
            return;
        }
        self.begin_block(range.start);
        let block = self.rich.codes.len();
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = body(&self.prepared.typed(text, TextMode::Verbatim));
        for (n, part) in RichText::plain(&text).lines.into_iter().enumerate() {
            let line = RichLine {
                prefix: self.next_prefix(),
                kind: LineKind::Code { block, line: n },
                ..part
            };
            self.rich.lines.push(line);
        }
        self.rich.codes.push(Arc::new(CodeBlock {
            language: line(&self.prepared.typed(info.trim(), TextMode::Verbatim)),
            text,
        }));
        self.shown = self.shown.max(range.end);
    }
}

/// The maximum length of a language name, in characters.
const MAX_LANGUAGE: usize = 24;
