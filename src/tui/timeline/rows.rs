//! Lays out an item of the timeline as rows of a given width. Only visible items are laid out.

mod block;
mod joins_and_leaves;

use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use self::block::{Block, Said};
use super::message_text::{Fold, MessageText, TextLayout, TextRowKind};
use super::{Direction, Gap, Height, Item, ItemKind, Timeline};
use crate::chat::{IdentityId, Seq};
use crate::text::{self, Mark, SafeText};
use crate::tui::settings::time_format::TimeFormat;
use crate::tui::strings::{Strings, fill};
use crate::tui::theme::Scope;

/// Consecutive messages of one author within this time show name and time only once.
const GROUPING_MS: u64 = 5 * 60 * 1000;
/// At most this many items without rows are skipped to find the previous visible item.
const HIDDEN_LIMIT: usize = 200;
/// At most this many items of a run of joins and leaves are summarized.
const RUN_LIMIT: usize = 5000;
/// Written before the quoted line of a reply.
const QUOTE: &str = ">";
/// Columns of the default time format.
const TIME: usize = 5;
/// Below this width the time is left out, and below `NAME_FROM` the column for names too. In columns, with the default time format.
const TIME_FROM: usize = 48;
const NAME_FROM: usize = 36;
/// Columns of the mark before a line, including the space after it.
const GUTTER: usize = 2;

/// The settings that the layout of rows depends on.
#[derive(Clone, Debug)]
pub struct Layout<'a> {
    pub columns: usize,
    pub name_columns: usize,
    pub zone: &'a TimeZone,
    pub time: &'a TimeFormat,
    pub strings: &'static Strings,
}

/// One row of the message area.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// A separator line with a date in it.
    Date(String),
    /// The separator line before new messages.
    New,
    /// A separator line with the number of entries that are missing.
    Gap(String),
    Line(Line),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    pub gutter: Gutter,
    pub time: Option<String>,
    pub name: Option<(IdentityId, SafeText)>,
    pub text: SafeText,
    /// The marked parts of the text, as byte ranges.
    pub marks: Vec<(Range<usize>, Mark)>,
    pub kind: TextRowKind,
    pub scope: Scope,
    /// Dim text after the line.
    pub suffix: Option<SafeText>,
}

impl Line {
    fn empty(scope: Scope) -> Self {
        Self {
            gutter: Gutter::Empty,
            time: None,
            name: None,
            text: SafeText::default(),
            marks: Vec::new(),
            kind: TextRowKind::Text,
            scope,
            suffix: None,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gutter {
    Empty,
    Pending,
    Failed,
    Private,
}

impl Layout<'_> {
    pub fn shows_time(&self) -> bool {
        self.columns + TIME >= TIME_FROM + self.time.columns()
    }

    pub fn shows_name(&self) -> bool {
        self.columns >= NAME_FROM
    }

    /// Columns of the name. On screens too narrow for the time, the name may be cut.
    pub fn name_width(&self) -> usize {
        if self.shows_time() {
            return self.name_columns;
        }
        let quarter = self.columns / 4;
        self.name_columns.min(quarter.saturating_sub(GUTTER + 1))
    }

    /// The column at which text starts: after gutter, time and name.
    pub fn indent(&self) -> usize {
        let time = if self.shows_time() {
            self.time.columns() + 1
        } else {
            0
        };
        let name = if self.shows_name() {
            self.name_width() + 1
        } else {
            0
        };
        GUTTER.min(self.columns / 4) + time + name
    }

    fn text_columns(&self) -> usize {
        self.columns.saturating_sub(self.indent() + 1).max(1)
    }

    /// The rows of the item at an index. An item that is hidden, or shown by another item, has none.
    pub fn rows(&self, timeline: &Timeline, index: usize) -> Vec<Row> {
        self.rows_with(timeline, index, is_continuation)
    }

    /// Like [`Layout::rows`], but a message always has its own name and time, even directly after one of the same author. Joins and leaves
    /// are still summarized in the first of a run.
    pub fn each(&self, timeline: &Timeline, index: usize) -> Vec<Row> {
        self.rows_with(timeline, index, |before, item| {
            is_join_or_leave(item) && is_continuation(before, item)
        })
    }

    /// Like [`Layout::rows`], but as if nothing came before the item.
    pub fn alone(&self, timeline: &Timeline, index: usize) -> Vec<Row> {
        self.rows_with(timeline, index, |_, _| false)
    }

    /// The first line of an item with its time and author's name, as if nothing came before it.
    pub fn heading(&self, timeline: &Timeline, index: usize) -> Option<Line> {
        let mut rows = self.alone(timeline, index).into_iter();
        let mut first = rows.find_map(|row| match row {
            Row::Line(line) => Some(line),
            _ => None,
        })?;
        // An action has the name in its text, and only `*` in the column for names.
        if let (Some(by), ItemKind::Message { name, .. } | ItemKind::OwnPost { name, .. }) =
            (&mut first.name, &timeline.get(index)?.what)
        {
            by.1 = name.clone();
        }
        Some(first)
    }

    fn rows_with(
        &self,
        timeline: &Timeline,
        index: usize,
        is_continuation: impl Fn(&Item, &Item) -> bool,
    ) -> Vec<Row> {
        let Some(item) = timeline.get(index) else {
            return Vec::new();
        };
        if matches!(item.what, ItemKind::Hidden) {
            return Vec::new();
        }
        let is_shown = |item: &&Item| !matches!(item.what, ItemKind::Hidden);
        let before = (0..index).rev().filter_map(|before| timeline.get(before));
        let before = before.take(HIDDEN_LIMIT).find(is_shown);
        let mut rows = Vec::new();
        let is_new_day = self.begins_day(before, item);
        let is_first_new = timeline.is_first_new(before, item);
        if is_new_day && let Some(date) = self.date(item.at_ms) {
            rows.push(Row::Date(self.strings.date(date)));
        }
        if is_first_new {
            rows.push(Row::New);
        }
        let continues = !is_new_day
            && !is_first_new
            && before.is_some_and(|before| is_continuation(before, item));
        if is_join_or_leave(item) {
            // The first item of a run of joins and leaves shows the whole run.
            if !continues {
                self.system_line(&self.joins_and_leaves(timeline, index), &mut rows);
            }
        } else {
            self.lines(timeline, item, continues, &mut rows);
        }
        rows
    }

    fn begins_day(&self, before: Option<&Item>, item: &Item) -> bool {
        let date = self.date(item.at_ms);
        date.is_some() && before.and_then(|before| self.date(before.at_ms)) != date
    }

    pub fn height(&self, timeline: &Timeline, index: usize) -> Height {
        height(&self.rows(timeline, index))
    }

    /// Adds the rows of an item that is shown on its own. `continues` is true for a message that needs no name and time.
    fn lines(&self, timeline: &Timeline, item: &Item, continues: bool, rows: &mut Vec<Row>) {
        let mut block = match &item.what {
            ItemKind::System(words) => return self.system_line(words, rows),
            ItemKind::Gap(gap) => return rows.push(self.gap(*gap)),
            what => match self.block(what, timeline.fold(item.key)) {
                Some(block) => block,
                None => return,
            },
        };
        block.time = self.time(item.at_ms);
        if let ItemKind::Message {
            reply_to: Some(to), ..
        } = item.what
        {
            // The quoted line comes first, so it has the time and the name.
            rows.push(Row::Line(Line {
                time: block.time.take(),
                name: block.name.take(),
                text: self.quote(timeline, to),
                ..Line::empty(Scope::MessageQuote)
            }));
        } else if continues {
            (block.time, block.name) = (None, None);
        }
        block.push_rows(self.text_columns(), rows);
    }

    /// The lines of a message, without its time. Other items have none.
    fn block(&self, what: &ItemKind, fold: Fold) -> Option<Block> {
        let lay = self.text_layout(fold);
        Some(match what {
            ItemKind::Message {
                author,
                name,
                text,
                is_action,
                suffix: aside,
                is_for_me,
                ..
            } => {
                let said = self.said(*author, name, text, *is_action, lay);
                let scope = message_scope(*is_for_me, *is_action);
                Block::new(scope, said).with_aside(aside.clone())
            }
            ItemKind::Deleted { author, name, .. } => {
                let words = MessageText::plain(&text::line(self.strings.deleted));
                let said = self.said(*author, name, &words, false, self.text_layout(Fold::Folded));
                Block::new(Scope::MessageSystem, said)
            }
            ItemKind::Private {
                author,
                name,
                text,
                recipient,
                status,
                ..
            } => {
                let said = (text.rows(lay), Some((*author, name.clone())));
                Block::private(status, recipient, said)
            }
            ItemKind::OwnPost {
                name,
                text,
                is_action,
                status,
                ..
            } => {
                let said = self.said(IdentityId::NOBODY, name, text, *is_action, lay);
                Block::own(status, said)
            }
            ItemKind::System(_)
            | ItemKind::Gap(_)
            | ItemKind::Hidden
            | ItemKind::JoinOrLeave { .. } => return None,
        })
    }

    /// The separator line in place of missing entries.
    fn gap(&self, gap: Gap) -> Row {
        let s = self.strings;
        let template = if gap.is_gone { s.gap_gone } else { s.gap };
        Row::Gap(fill(template, &[&gap.from.count_to(gap.to)]))
    }

    /// The quoted line of the message that is replied to, cut to one row.
    fn quote(&self, timeline: &Timeline, seq: Seq) -> SafeText {
        let s = self.strings;
        let words = match timeline.message(seq) {
            Some(entry) => {
                let name = text::line(&entry.author.name);
                fill(s.quote, &[&name, &text::line(entry.body.text())])
            }
            None => s.quote_unknown.to_owned(),
        };
        text::line(&text::cut(&format!("{QUOTE} {words}"), self.text_columns()))
    }

    /// The text and name of a message. The name becomes part of the text for an action, and if there is no column for names.
    fn said(
        &self,
        author: IdentityId,
        name: &SafeText,
        text: &MessageText,
        is_action: bool,
        lay: TextLayout,
    ) -> Said {
        if !is_action && self.shows_name() {
            return (text.rows(lay), Some((author, name.clone())));
        }
        let words = format!("{name}{} ", if is_action { "" } else { ":" });
        let whole = MessageText::of(text.rich().prefixed(&words));
        let name = is_action.then(|| (author, "*".into()));
        (whole.rows(lay), name)
    }

    fn text_layout(&self, fold: Fold) -> TextLayout {
        TextLayout {
            columns: self.text_columns(),
            fold,
        }
    }

    /// Adds the rows of a system line.
    fn system_line(&self, words: &SafeText, rows: &mut Vec<Row>) {
        let words = MessageText::plain(words).rows(self.text_layout(Fold::Folded));
        Block::new(Scope::MessageSystem, (words, None)).push_rows(self.text_columns(), rows);
    }

    fn time(&self, at_ms: u64) -> Option<String> {
        if !self.shows_time() {
            return None;
        }
        let at = Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
        Some(self.time.write(&at.to_zoned(self.zone.clone())))
    }

    fn date(&self, at_ms: u64) -> Option<Date> {
        let at = Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
        Some(at.to_zoned(self.zone.clone()).date())
    }
}

/// The height of an item, from its rows.
pub fn height(rows: &[Row]) -> Height {
    let is_rule = |row: &&Row| matches!(row, Row::Date(_) | Row::New);
    let head = rows.iter().take_while(is_rule).count();
    let body = rows.len() - head;
    Height { head, body }
}

fn message_scope(is_for_me: bool, is_action: bool) -> Scope {
    if is_for_me {
        Scope::MessageMention
    } else if is_action {
        Scope::MessageSystem
    } else {
        Scope::MessageText
    }
}

fn is_join_or_leave(item: &Item) -> bool {
    matches!(item.what, ItemKind::JoinOrLeave { .. })
}

/// Whether an item continues the one before: both are messages of one author a short time apart, or both are joins or leaves.
fn is_continuation(before: &Item, item: &Item) -> bool {
    if is_join_or_leave(before) && is_join_or_leave(item) {
        return true;
    }
    let (
        ItemKind::Message {
            author,
            is_action: false,
            ..
        },
        ItemKind::Message {
            author: other,
            is_action: false,
            ..
        },
    ) = (&before.what, &item.what)
    else {
        return false;
    };
    author == other && item.at_ms.abs_diff(before.at_ms) < GROUPING_MS
}

/// Builds a system line from a template.
pub fn system(template: &'static str, arguments: &[&dyn std::fmt::Display]) -> ItemKind {
    ItemKind::System(text::line(&fill(template, arguments)))
}
