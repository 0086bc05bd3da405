//! Prepares a text for the Markdown parser.
//!
//! The parser must not change addresses, backslashes that escape nothing, globs, identifiers and lone marks. Each of these is replaced by
//! private-use code points before parsing and restored afterwards. A sanitised text contains no private-use code points, so they
//! cannot be confused with what somebody typed.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::text::{AddressSpan, addresses};

/// Inserted between two characters so that they do not form a mark together; shown as nothing.
const SEPARATOR: char = '\u{e000}';
/// A backslash that escaped a mark: shown in code only.
const ESCAPE: char = '\u{e001}';
/// An ASCII character `c` that is not a mark becomes `LITERAL + c`.
const LITERAL: u32 = 0xe100;
/// The nth address becomes `ADDRESS + n`.
const ADDRESS: u32 = 0xf_0000;
/// The maximum number of addresses that are replaced in one text, limited by the code points of the private plane. Others are left as they are.
const ADDRESSES: usize = 0xfff0;

/// A prepared text, and what its private-use code points mean.
pub(super) struct PreparedText {
    pub text: String,
    addresses: Vec<(String, bool)>,
}

/// A part of a text as it was typed.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Piece<'a> {
    Text(String),
    /// An address that can be a link.
    Link(&'a str),
}

/// How a part of a text is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TextMode {
    /// Marks take effect, and so do backslashes before them.
    Prose,
    /// Everything is shown as typed.
    Verbatim,
}

impl PreparedText {
    pub fn prepare(text: &str) -> Self {
        let mut addresses = addresses(text);
        addresses.truncate(ADDRESSES);
        let literal = unmarked(text, &addresses);
        let mut source = Self {
            text: String::with_capacity(text.len() + 16),
            addresses: Vec::new(),
        };
        let mut addresses = addresses.into_iter().peekable();
        let mut before: Option<char> = None;
        let mut at = 0;
        while let Some(c) = text[at..].chars().next() {
            if let Some(address) = addresses.next_if(|it| it.range.start == at) {
                source.address(text, &address);
                before = text[address.range.clone()].chars().next_back();
                at = address.range.end;
                continue;
            }
            let after = text[at + c.len_utf8()..].chars().next();
            match (c, literal.get(&at)) {
                (_, Some(Literal::AsTyped)) => source.text.push(as_literal(c)),
                ('\\', Some(Literal::Escape)) => source.text.push(ESCAPE),
                ('*', _) => {
                    // Bold may end after Chinese punctuation as it may after a letter.
                    if before.is_some_and(is_wide_mark) {
                        source.text.push(SEPARATOR);
                    }
                    source.text.push('*');
                    if after.is_some_and(is_wide_mark) {
                        source.text.push(SEPARATOR);
                    }
                }
                // The parser would read this as a link definition, which is not shown.
                (':', _) if before == Some(']') => source.text.extend([SEPARATOR, ':']),
                // An entity like `&nbsp;` is shown as typed.
                ('&', _) => source.text.extend(['&', SEPARATOR]),
                _ => source.text.push(c),
            }
            before = Some(c);
            at += c.len_utf8();
        }
        source
    }

    fn address(&mut self, text: &str, address: &AddressSpan) {
        let Range { start, end } = address.range;
        let typed = &text[start..end];
        // The parser recognises an address in angle brackets itself, and finds no marks in it.
        if address.is_link && text[..start].ends_with('<') && text[end..].starts_with('>') {
            self.text.push_str(typed);
            return;
        }
        let code = u32::try_from(self.addresses.len()).unwrap_or_default();
        self.text
            .push(char::from_u32(ADDRESS + code).unwrap_or(SEPARATOR));
        self.addresses.push((typed.to_owned(), address.is_link));
    }

    /// Returns what was typed, for a text that came from the parser.
    pub fn typed(&self, text: &str, place: TextMode) -> String {
        let pieces = self.pieces(text, place).into_iter();
        pieces
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Link(address) => address.to_owned(),
            })
            .collect()
    }

    /// The same as `typed`, with the addresses as separate pieces.
    pub fn pieces(&self, text: &str, place: TextMode) -> Vec<Piece<'_>> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        for c in text.chars() {
            match c {
                SEPARATOR => {}
                ESCAPE if place == TextMode::Prose => {}
                ESCAPE => plain.push('\\'),
                _ => {
                    let code = u32::from(c);
                    if let Some(literal) = code.checked_sub(LITERAL).filter(|it| *it < 0x80) {
                        plain.extend(char::from_u32(literal));
                        continue;
                    }
                    let index = code.checked_sub(ADDRESS).map(|it| it as usize);
                    match index.and_then(|it| self.addresses.get(it)) {
                        Some((address, true)) => {
                            if !plain.is_empty() {
                                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                            }
                            pieces.push(Piece::Link(address));
                        }
                        Some((address, false)) => plain.push_str(address),
                        None => plain.push(c),
                    }
                }
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        pieces
    }
}

fn as_literal(c: char) -> char {
    char::from_u32(LITERAL + u32::from(c)).unwrap_or(c)
}

fn is_wide_mark(c: char) -> bool {
    !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace()
}

/// How to show a character that would otherwise be a mark, or escape one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Literal {
    /// As typed.
    AsTyped,
    /// A backslash that escaped a mark.
    Escape,
}

/// A run of one mark, such as `**`.
struct Run {
    /// The offsets of its marks, and of the backslashes before them.
    marks: Vec<usize>,
    escapes: Vec<usize>,
    end: usize,
    mark: char,
    before: Option<char>,
    after: Option<char>,
    is_paired: bool,
}

impl Run {
    fn start(&self) -> usize {
        let first = |offsets: &[usize]| offsets.first().copied().unwrap_or(self.end);
        first(&self.escapes).min(first(&self.marks))
    }

    fn is_escaped(&self) -> bool {
        !self.escapes.is_empty()
    }
}

/// Returns the characters that the parser must not read as marks, by their offset.
fn unmarked(text: &str, addresses: &[AddressSpan]) -> BTreeMap<usize, Literal> {
    let mut literal = BTreeMap::new();
    let mut runs = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    let mut escapes = Vec::new();
    let mut scan = Scan {
        text,
        addresses: addresses.iter().peekable(),
        at: 0,
    };
    while let Some(found) = scan.next() {
        match found {
            ScanItem::ParagraphEnd => open.clear(),
            ScanItem::Escape(at) => escapes.push(at),
            ScanItem::Run(run) => {
                runs.push(run);
                pair(text, &mut runs, &mut open);
            }
        }
    }
    for run in &runs {
        let escape = if run.is_paired {
            Literal::Escape
        } else {
            Literal::AsTyped
        };
        literal.extend(run.escapes.iter().map(|at| (*at, escape)));
        if run.is_escaped() || !run.is_paired {
            literal.extend(run.marks.iter().map(|at| (*at, Literal::AsTyped)));
        }
    }
    let all: HashSet<usize> = escapes.iter().copied().collect();
    for at in escapes {
        let escape = if escapes_a_mark(text, at, &all) {
            Literal::Escape
        } else {
            Literal::AsTyped
        };
        literal.insert(at, escape);
        literal.insert(at + 1, Literal::AsTyped);
    }
    literal
}

/// Pairs the newest run with an open one, or opens it.
fn pair(text: &str, runs: &mut [Run], open: &mut Vec<usize>) {
    let newest = runs.len() - 1;
    let Some(run) = runs.last() else { return };
    let partner = open.iter().rposition(|it| runs[*it].mark == run.mark);
    if let Some(place) = partner.filter(|_| can_close(run)) {
        let partner = open[place];
        let inner = &text[runs[partner].end..run.start()];
        let has_words = inner.contains(|c: char| c.is_alphanumeric() || !c.is_ascii());
        if has_words {
            open.truncate(place);
            if is_identifier(run, inner) {
                return;
            }
            // A mark with an escaped partner is not a mark, but a backslash before it did escape something.
            let is_real = !runs[partner].is_escaped() && !runs[newest].is_escaped();
            for at in [partner, newest] {
                runs[at].is_paired = is_real || runs[at].is_escaped();
            }
            return;
        }
    }
    if can_open(text, run) {
        open.push(newest);
    }
}

/// Whether a run ends an identifier like `__init__`.
fn is_identifier(run: &Run, inner: &str) -> bool {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    run.mark == '_' && run.marks.len() > 1 && inner.bytes().all(is_of_word)
}

fn can_open(text: &str, run: &Run) -> bool {
    let Some(after) = run.after.filter(|c| !c.is_whitespace()) else {
        return false;
    };
    match run.mark {
        '*' => {
            let is_in_word = run.before.is_some_and(|c| c.is_ascii_alphanumeric());
            if is_in_word {
                return after.is_alphanumeric() && !after.is_ascii();
            }
            !"/.".contains(after) || is_marked_path(text, run)
        }
        '_' => run.before.is_none_or(|c| {
            c.is_whitespace()
                || c.general_category_group() == GeneralCategoryGroup::Punctuation
                || "~>|=+<".contains(c)
        }),
        _ => run.marks.len() == 2,
    }
}

fn can_close(run: &Run) -> bool {
    let Some(before) = run.before.filter(|c| !c.is_whitespace()) else {
        return false;
    };
    let is_between =
        before.is_ascii_alphanumeric() && run.after.is_some_and(|c| c.is_ascii_alphanumeric());
    match run.mark {
        '*' => !is_between && before != '/',
        '_' => run.after.is_none_or(|c| !c.is_alphanumeric()),
        _ => run.marks.len() == 2,
    }
}

/// Whether a run before `/` or `.` marks a path, as in `**/etc/hosts**`, and is not a glob like `**/*.rs`.
fn is_marked_path(text: &str, run: &Run) -> bool {
    let rest = text.get(run.end..).unwrap_or_default();
    let token = rest.split_whitespace().next().unwrap_or_default();
    let token = token.trim_end_matches(|c: char| ".,;:!?)".contains(c));
    let mark = "*".repeat(run.marks.len());
    let inner = token.strip_suffix(&mark);
    inner.is_some_and(|inner| !inner.contains('*') && !inner.ends_with('/'))
}

/// Whether a backslash keeps the next character from being a list, quote, code or link mark.
fn escapes_a_mark(text: &str, at: usize, escapes: &HashSet<usize>) -> bool {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let before = text[line..at].trim_start_matches([' ', '>']);
    let rest = &text[at + 2..];
    let is_last_of_word = rest.is_empty() || rest.starts_with(char::is_whitespace);
    let paragraph = rest.split("\n\n").next().unwrap_or_default();
    let begins = text[..at].rfind("\n\n").map_or(0, |end| end + 2);
    let is_escaped_before = |c: char| {
        let mut earlier = escapes.iter().filter(|it| (begins..at).contains(*it));
        earlier.any(|it| text[it + 1..].starts_with(c))
    };
    match text[at + 1..].chars().next() {
        Some('-' | '+') => before.is_empty() && is_last_of_word,
        Some('>') => before.is_empty(),
        Some('.' | ')') => {
            let is_number = !before.is_empty() && before.bytes().all(|byte| byte.is_ascii_digit());
            is_number && is_last_of_word
        }
        Some('`') => paragraph.contains('`') || is_escaped_before('`'),
        Some('[') => paragraph.contains("]("),
        Some(']') => rest.starts_with('(') && is_escaped_before('['),
        _ => false,
    }
}

enum ScanItem {
    Run(Run),
    /// A backslash before a mark that does not form runs.
    Escape(usize),
    ParagraphEnd,
}

/// Scans a text for marks, skipping addresses and code.
struct Scan<'a, 'b> {
    text: &'a str,
    addresses: std::iter::Peekable<std::slice::Iter<'b, AddressSpan>>,
    at: usize,
}

impl Scan<'_, '_> {
    fn next(&mut self) -> Option<ScanItem> {
        while let Some(c) = self.text[self.at..].chars().next() {
            if let Some(address) = self.addresses.next_if(|it| it.range.start <= self.at) {
                self.at = self.at.max(address.range.end);
                continue;
            }
            let rest = &self.text[self.at..];
            let marked = rest[c.len_utf8()..].chars().next();
            match (c, marked) {
                ('\n', Some('\n')) => {
                    self.at += 2;
                    return Some(ScanItem::ParagraphEnd);
                }
                ('\\', Some('*' | '_' | '~')) => return Some(ScanItem::Run(self.run(true))),
                ('\\', Some(marked)) if marked.is_ascii_punctuation() => {
                    self.at += 2;
                    return Some(ScanItem::Escape(self.at - 2));
                }
                ('`', _) => self.code('`'),
                ('~', _) if rest.starts_with("~~~") && self.is_line_start() => self.code('~'),
                ('*', Some(' ')) if self.is_line_start() => self.at += 1,
                ('*' | '_' | '~', _) => return Some(ScanItem::Run(self.run(false))),
                _ => self.at += c.len_utf8(),
            }
        }
        None
    }

    fn is_line_start(&self) -> bool {
        let line = self.text[..self.at].rfind('\n').map_or(0, |end| end + 1);
        let before = &self.text[line..self.at];
        before
            .chars()
            .all(|c| " >-*+".contains(c) || c.is_ascii_digit())
    }

    /// Reads a run of one mark, with or without backslashes.
    fn run(&mut self, is_escaped: bool) -> Run {
        let start = self.at;
        let mark = self.text[start + usize::from(is_escaped)..].chars().next();
        let mark = mark.unwrap_or('*');
        let escaped = format!("\\{mark}");
        let (mut marks, mut escapes) = (Vec::new(), Vec::new());
        loop {
            let rest = &self.text[self.at..];
            if is_escaped && rest.starts_with(&escaped) {
                escapes.push(self.at);
                self.at += 1;
            } else if !rest.starts_with(mark) {
                break;
            }
            marks.push(self.at);
            self.at += 1;
        }
        Run {
            marks,
            escapes,
            end: self.at,
            mark,
            before: self.text[..start].chars().next_back(),
            after: self.text[self.at..].chars().next(),
            is_paired: false,
        }
    }

    /// Skips a code span or a code block; marks that enclose no code are skipped alone.
    fn code(&mut self, mark: char) {
        let rest = &self.text[self.at..];
        let length = rest.len() - rest.trim_start_matches(mark).len();
        let inside = &rest[length..];
        let is_block = length >= 3 && self.is_line_start();
        let inside = if is_block {
            inside
        } else {
            inside.split("\n\n").next().unwrap_or_default()
        };
        let mut from = 0;
        while let Some(found) = inside[from..].find(mark) {
            let start = from + found;
            let tail = &inside[start..];
            let run = tail.len() - tail.trim_start_matches(mark).len();
            from = start + run;
            let ends = if is_block {
                run >= length
            } else {
                run == length
            };
            if ends {
                self.at += length + from;
                return;
            }
        }
        // A block that is not closed extends to the end of the text.
        self.at += if is_block { rest.len() } else { length };
        let ends = |it: &&AddressSpan| it.range.end <= self.at;
        while self.addresses.next_if(ends).is_some() {}
    }
}
