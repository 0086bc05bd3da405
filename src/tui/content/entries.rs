//! Turns entries into timeline items, in the user's language and with the user's settings.

use jiff::tz::TimeZone;

use crate::chat::{Body, Entry, IdentityId};
use crate::text::{self, Keywords, SafeText};
use crate::tui::content::system_lines;
use crate::tui::state::State;
use crate::tui::strings::Strings;
use crate::tui::timeline::message_text::MessageText;
use crate::tui::timeline::{Direction, ItemKind};

/// Returns a function that turns an entry into a timeline item, with the current settings.
pub fn item(state: &State) -> impl Fn(&Entry) -> ItemKind + Clone + use<> {
    let reader = ItemBuilder {
        strings: state.preferences.strings,
        zone: state.screen.zone.clone(),
        me: state.me.account.as_ref().map(|me| me.id),
        keywords: state.me.keywords.clone(),
        ignored: state.me.settings.ignored.iter().map(|it| it.id).collect(),
    };
    move |entry| reader.item(entry)
}

/// The settings that an item depends on, in addition to its entry.
#[derive(Clone)]
struct ItemBuilder {
    strings: &'static Strings,
    zone: TimeZone,
    me: Option<IdentityId>,
    keywords: Keywords,
    ignored: Vec<IdentityId>,
}

impl ItemBuilder {
    fn item(&self, entry: &Entry) -> ItemKind {
        let is_said =
            entry.body.is_message() || matches!(entry.body, Body::Erased(_) | Body::Damaged(_));
        if is_said && self.ignored.contains(&entry.author.id) {
            return ItemKind::Hidden;
        }
        match &entry.body {
            Body::Text(_) | Body::Reply { .. } | Body::Action(_) => self.message(entry),
            Body::Joined(_) => join_or_leave(entry, Direction::In),
            Body::Left => join_or_leave(entry, Direction::Out),
            Body::Amendment { .. } => ItemKind::Hidden,
            // Erasing a message also erases its edits. Only the message itself is shown as deleted.
            Body::Erased(_) if entry.amended.is_none() => ItemKind::Hidden,
            Body::Erased(_) => ItemKind::Deleted {
                author: entry.author.id,
                client_id: entry.client_id,
                name: text::line(&entry.author.name),
            },
            _ => ItemKind::System(text::line(&system_lines::of(
                self.strings,
                &self.zone,
                entry,
            ))),
        }
    }

    fn message(&self, entry: &Entry) -> ItemKind {
        ItemKind::Message {
            author: entry.author.id,
            client_id: entry.client_id,
            name: text::line(&entry.author.name),
            text: MessageText::of_body(&entry.body),
            is_action: matches!(entry.body, Body::Action(_)),
            reply_to: match &entry.body {
                Body::Reply { to, .. } => Some(*to),
                _ => None,
            },
            suffix: suffix(self.strings, entry),
            is_for_me: self.is_for_me(entry),
        }
    }

    /// Whether an entry by somebody else mentions us or contains one of our keywords.
    fn is_for_me(&self, entry: &Entry) -> bool {
        let is_mine = self.me == Some(entry.author.id);
        let is_mention = self.me.is_some_and(|me| entry.mentions(me));
        !is_mine && (is_mention || !self.keywords.find(entry.body.text()).is_empty())
    }
}

fn join_or_leave(entry: &Entry, way: Direction) -> ItemKind {
    ItemKind::JoinOrLeave {
        person: entry.author.id,
        name: text::line(&entry.author.name),
        way,
    }
}

/// The suffix of a message: the edited mark and the reactions.
fn suffix(s: &Strings, entry: &Entry) -> Option<SafeText> {
    let amended = entry.amended.as_deref()?;
    let edited = amended.is_edited.then(|| s.edited.to_owned());
    let reactions = amended.reactions.iter().map(|it| {
        let count = it.people.len();
        format!("{} {count}", it.emoji)
    });
    let words: Vec<String> = edited.into_iter().chain(reactions).collect();
    (!words.is_empty()).then(|| text::line(&words.join("  ")))
}
