//! The lines of one item: its text, with time and name beside the first line, and a dim text after the last.

use std::sync::Arc;

use super::{Gutter, Line, Row};
use crate::chat::IdentityId;
use crate::text::{self, SafeText};
use crate::tui::theme::Scope;
use crate::tui::timeline::PostStatus;
use crate::tui::timeline::message_text::{TextRow, TextRowKind};

/// The rows of a text, and the name beside them.
pub(super) type Said = (Arc<[TextRow]>, Option<(IdentityId, SafeText)>);

pub(super) struct Block {
    text: Arc<[TextRow]>,
    scope: Scope,
    gutter: Gutter,
    pub time: Option<String>,
    pub name: Option<(IdentityId, SafeText)>,
    aside: Option<SafeText>,
}

impl Block {
    pub fn new(scope: Scope, (text, name): Said) -> Self {
        Self {
            text,
            scope,
            gutter: Gutter::Empty,
            time: None,
            name,
            aside: None,
        }
    }

    pub fn with_aside(self, aside: Option<SafeText>) -> Self {
        Self { aside, ..self }
    }

    /// A private message that is also shown outside its conversation. `recipient` says who it is for.
    pub fn private(status: &PostStatus, recipient: &SafeText, said: Said) -> Self {
        let (gutter, aside) = match status {
            PostStatus::Stored => (Gutter::Private, recipient.clone()),
            PostStatus::Pending => (Gutter::Pending, recipient.clone()),
            // Without the recipient, it would look like a message to the room.
            PostStatus::Failed(why) => {
                (Gutter::Failed, text::line(&format!("{recipient} · {why}")))
            }
        };
        Self {
            gutter,
            aside: Some(aside),
            ..Self::new(Scope::MessagePrivate, said)
        }
    }

    /// Our own post while it is pending or failed.
    pub fn own(status: &PostStatus, said: Said) -> Self {
        let (gutter, scope, aside) = match status {
            PostStatus::Failed(why) => (Gutter::Failed, Scope::MessageFailed, Some(why.clone())),
            PostStatus::Pending | PostStatus::Stored => {
                (Gutter::Pending, Scope::MessagePending, None)
            }
        };
        Self {
            gutter,
            aside,
            ..Self::new(scope, said)
        }
    }

    /// Adds the lines. `columns` is the width of the text.
    pub fn push_rows(self, columns: usize, rows: &mut Vec<Row>) {
        let first = rows.len();
        rows.extend(self.text.iter().map(|row| {
            Row::Line(Line {
                text: row.text.clone(),
                marks: row.marks.clone(),
                kind: row.kind.clone(),
                ..Line::empty(self.scope)
            })
        }));
        if let Some(Row::Line(line)) = rows.get_mut(first) {
            (line.gutter, line.time, line.name) = (self.gutter, self.time, self.name);
        }
        let Some(aside) = self.aside else { return };
        let fits = |line: &Line| {
            let is_text = matches!(line.kind, TextRowKind::Text | TextRowKind::Quote);
            let used = text::width(line.text.as_str()) + 2 + text::width(aside.as_str());
            is_text && used <= columns
        };
        match rows.last_mut() {
            Some(Row::Line(line)) if fits(line) => line.suffix = Some(aside),
            _ => {
                let whole = text::wrap(aside.as_str(), columns);
                rows.extend(whole.into_iter().map(|range| {
                    Row::Line(Line {
                        suffix: Some(aside.slice(range)),
                        ..Line::empty(self.scope)
                    })
                }));
            }
        }
    }
}
