//! What the parser of `CommonMark` finds, as lines. What it finds and chat does not mark is shown as typed.

use std::ops::Range;
use std::sync::Arc;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::{Code, LineKind, Mark, Rich, RichLine, address_of};
use crate::text::{body, line};

/// A text on its way to lines.
pub(super) struct Builder<'a> {
    source: &'a str,
    pub(super) rich: Rich,
    /// The line that is being filled, if one is.
    open: Option<RichLine>,
    text: String,
    /// Marks that have begun.
    begun: Vec<(usize, Option<Mark>)>,
    quotes: usize,
    /// Markers of the items that are open; each stands before one line only.
    items: Vec<Item>,
    /// Where the source was last shown up to.
    shown: usize,
}

struct Item {
    marker: String,
    is_shown: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source,
            rich: Rich::default(),
            open: None,
            text: String::new(),
            begun: Vec::new(),
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
                    if let Some(end) = self.start(tag, range) {
                        // Shown as typed, with all that is in it.
                        let mut depth = 1;
                        while depth > 0 {
                            match events.next() {
                                Some((Event::Start(_), _)) => depth += 1,
                                Some((Event::End(_), _)) => depth -= 1,
                                Some(_) => {}
                                None => break,
                            }
                        }
                        self.shown = end;
                    }
                }
                Event::End(tag) => self.end(tag, range),
                Event::Text(text) | Event::InlineHtml(text) => self.say(&text, range.start),
                Event::Html(_) | Event::Rule => self.verbatim(range),
                Event::Code(code) => {
                    let from = self.text.len();
                    self.say(&code, range.start);
                    self.mark(from, Mark::Code);
                }
                Event::SoftBreak | Event::HardBreak => {
                    self.flush();
                    self.shown = range.end;
                    let after = &self.source[range.end..];
                    let next = after.trim_start_matches([' ', '\t']);
                    // What follows a quote without a mark of its own is an answer to it.
                    if self.quotes > 0 && !next.starts_with('>') {
                        self.quotes = 0;
                    }
                    if self.quotes == 0 && self.items.is_empty() {
                        // Spaces before a line are what somebody typed there.
                        self.ensure();
                        let spaces = &after[..after.len() - next.len()];
                        self.text.push_str(spaces);
                    }
                }
                _ => self.say(&self.source[range.clone()], range.start),
            }
        }
        self.flush();
        // Empty lines at the end are nobody's, but a text of nothing else is one.
        if self.rich.lines.is_empty() {
            self.rich = Rich::plain(&body(self.source));
        }
    }

    /// Begins something; says up to where, if it is shown as typed.
    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) -> Option<usize> {
        match tag {
            Tag::Paragraph => self.block(range.start),
            Tag::BlockQuote(_) => {
                self.block(range.start);
                self.quotes += 1;
            }
            Tag::List(_) => self.flush(),
            Tag::Item => {
                self.flush();
                self.block(range.start);
                let marker = self.source[range].split_whitespace().next().unwrap_or("-");
                let marker = if matches!(marker, "-" | "*" | "+") {
                    "•"
                } else {
                    marker
                };
                self.items.push(Item {
                    marker: format!("{marker} "),
                    is_shown: false,
                });
            }
            Tag::Emphasis => self.begun.push((self.text.len(), Some(Mark::Emphasis))),
            Tag::Strong => self.begun.push((self.text.len(), Some(Mark::Strong))),
            Tag::Strikethrough => self.begun.push((self.text.len(), Some(Mark::Struck))),
            Tag::Link {
                dest_url,
                link_type: LinkType::Inline | LinkType::Autolink,
                ..
            } => {
                let mark = address_of(&dest_url).map(Mark::Link);
                if mark.is_none() {
                    // Not a place one could go to: what was typed is what is meant.
                    self.say(&self.source[range.clone()], range.start);
                    return Some(range.end);
                }
                self.begun.push((self.text.len(), mark));
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(language)) => {
                self.block(range.start);
                self.code(&language, range.clone());
                return Some(range.end);
            }
            Tag::HtmlBlock => {}
            Tag::Link { .. } | Tag::Image { .. } => {
                self.say(&self.source[range.clone()], range.start);
                return Some(range.end);
            }
            // Headings, indented text and everything else.
            _ => {
                self.verbatim(range.clone());
                return Some(range.end);
            }
        }
        None
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::Item => {
                self.flush();
                if self.items.pop().is_some_and(|item| !item.is_shown) {
                    // Without words it is none.
                    self.verbatim(range.clone());
                }
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link => {
                if let Some((from, Some(mark))) = self.begun.pop() {
                    let address = match &mark {
                        Mark::Link(address) => Some(Arc::clone(address)),
                        _ => None,
                    };
                    self.mark(from, mark);
                    if let Some(address) = address {
                        self.name_address(from, &address);
                    }
                }
            }
            _ => self.flush(),
        }
        self.shown = self.shown.max(range.end);
    }

    /// Where words hide an address it stands behind them.
    fn name_address(&mut self, from: usize, address: &Arc<str>) {
        let words = self.text.get(from..).unwrap_or_default();
        let bare = |text: &str| {
            text.trim_start_matches("mailto:")
                .trim_end_matches('/')
                .to_owned()
        };
        if bare(words) == bare(address) {
            return;
        }
        self.text.push_str(" (");
        let from = self.text.len();
        self.text.push_str(address);
        self.mark(from, Mark::Link(Arc::clone(address)));
        self.text.push(')');
    }

    /// A block begins: what was open ends, and empty lines before it are kept.
    fn block(&mut self, at: usize) {
        self.flush();
        let between = self.source.get(self.shown..at).unwrap_or_default();
        let breaks = between.matches('\n').count();
        if !self.rich.lines.is_empty() {
            // The end of the line before is part of what was shown, or the first break.
            let ended = self.source[..self.shown].ends_with('\n');
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

    /// A line is open from here on.
    fn ensure(&mut self) -> &mut RichLine {
        let items = &mut self.items;
        let quotes = self.quotes;
        self.open.get_or_insert_with(|| {
            let mut lead = "> ".repeat(quotes);
            for item in items {
                if item.is_shown {
                    lead.extend(item.marker.chars().map(|_| ' '));
                } else {
                    lead.push_str(&item.marker);
                    item.is_shown = true;
                }
            }
            RichLine {
                lead: line(&lead),
                kind: if quotes > 0 {
                    LineKind::Quote
                } else {
                    LineKind::Text
                },
                ..RichLine::default()
            }
        })
    }

    /// Text of the line that is open. What an entity stands for may be anything, and is made safe as all text is.
    fn say(&mut self, text: &str, at: usize) {
        self.shown = self
            .shown
            .max(at + text.len().min(self.source.len().saturating_sub(at)));
        let mut parts = text.split('\n');
        if let Some(first) = parts.next() {
            self.ensure();
            self.text.push_str(line(first).as_str());
        }
        for part in parts {
            self.flush();
            self.ensure();
            self.text.push_str(line(part).as_str());
        }
    }

    fn mark(&mut self, from: usize, mark: Mark) {
        let range = from..self.text.len();
        if let Some(open) = self.open.as_mut().filter(|_| !range.is_empty()) {
            open.marks.push((range, mark));
        }
    }

    /// Ends the line that is open. Marks that go on begin anew in the next.
    fn flush(&mut self) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        let end = self.text.len();
        for (from, mark) in &mut self.begun {
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

    /// A block as it was typed.
    fn verbatim(&mut self, range: Range<usize>) {
        self.flush();
        // From the beginning of its line: spaces before it are text.
        let start = self.source[..range.start]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let start = if self.source[start..range.start].trim().is_empty() {
            start
        } else {
            range.start
        };
        let before = self.shown.max(start.min(range.start));
        self.block(start.max(self.shown).min(before));
        let text = self.source[start..range.end].trim_end_matches('\n');
        for part in text.split('\n') {
            self.ensure();
            self.text.push_str(part);
            self.flush();
        }
        self.shown = range.end;
    }

    fn code(&mut self, language: &str, range: Range<usize>) {
        let source = self.source[range].trim_end_matches('\n');
        let mut lines: Vec<&str> = source.lines().collect();
        let fence = lines.first().map_or("", |line| line.trim_start());
        let mark = fence.chars().next().unwrap_or('`');
        lines.remove(0);
        let is_fence = |line: &&str| {
            let line = line.trim();
            line.len() >= 3 && line.chars().all(|c| c == mark)
        };
        if lines.last().is_some_and(is_fence) {
            lines.pop();
        }
        let language = language.split_whitespace().next().unwrap_or_default();
        let block = self.rich.codes.len();
        let text = body(&lines.join("\n"));
        for (n, part) in Rich::plain(&text).lines.into_iter().enumerate() {
            let lead = self
                .items
                .iter()
                .map(|item| " ".repeat(item.marker.chars().count()));
            self.rich.lines.push(RichLine {
                lead: line(&format!(
                    "{}{}",
                    "> ".repeat(self.quotes),
                    lead.collect::<String>()
                )),
                kind: LineKind::Code { block, line: n },
                ..part
            });
        }
        self.rich.codes.push(Arc::new(Code {
            language: line(language),
            text,
        }));
    }
}
