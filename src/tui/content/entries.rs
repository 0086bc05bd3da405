//! Entries as items of the timeline: what is shown of each, for this user and in this language.

use crate::chat::{Body, Entry, IdentityId};
use crate::text::{self, SafeText};
use crate::tui::content::system_lines;
use crate::tui::state::State;
use crate::tui::strings::Strings;
use crate::tui::timeline::message_text::MessageText;
use crate::tui::timeline::{Direction, ItemKind};

/// Returns a function that turns an entry into a timeline item, with the current settings.
pub fn item(state: &State) -> impl Fn(&Entry) -> ItemKind + Clone + use<> {
    let (strings, zone) = (state.preferences.strings, state.screen.zone.clone());
    let me = state.me.account.as_ref().map(|me| me.id);
    let keywords = state.me.keywords.clone();
    let ignored: Vec<IdentityId> = state.me.settings.ignored.iter().map(|it| it.id).collect();
    let is_for_me = move |entry: &Entry| {
        let is_mine = me == Some(entry.author.id);
        let is_called = me.is_some_and(|me| entry.mentions(me));
        !is_mine && (is_called || !keywords.find(entry.body.text()).is_empty())
    };
    move |entry| {
        let is_said =
            entry.body.is_said() || matches!(entry.body, Body::Erased(_) | Body::Damaged(_));
        if is_said && ignored.contains(&entry.author.id) {
            return ItemKind::Hidden;
        }
        let name = text::line(&entry.author.name);
        match &entry.body {
            Body::Text(_) | Body::Reply { .. } => ItemKind::Message {
                author: entry.author.id,
                client_id: entry.client_id,
                name,
                text: MessageText::by(&entry.body),
                is_action: false,
                answers: match &entry.body {
                    Body::Reply { to, .. } => Some(*to),
                    _ => None,
                },
                aside: aside(strings, entry),
                is_for_me: is_for_me(entry),
            },
            Body::Action(_) => ItemKind::Message {
                author: entry.author.id,
                client_id: entry.client_id,
                name,
                text: MessageText::by(&entry.body),
                is_action: true,
                answers: None,
                aside: aside(strings, entry),
                is_for_me: is_for_me(entry),
            },
            Body::Joined(_) => ItemKind::JoinOrLeave {
                person: entry.author.id,
                name,
                way: Direction::In,
            },
            Body::Left => ItemKind::JoinOrLeave {
                person: entry.author.id,
                name,
                way: Direction::Out,
            },
            Body::Amendment { .. } => ItemKind::Hidden,
            // Erasing a message also erases its edits; only the message itself leaves a mark.
            Body::Erased(_) if entry.amended.is_none() => ItemKind::Hidden,
            Body::Erased(_) => ItemKind::Deleted {
                author: entry.author.id,
                client_id: entry.client_id,
                name,
            },
            _ => ItemKind::System(text::line(&system_lines::of(strings, &zone, entry))),
        }
    }
}

/// The suffix of a message: the edited mark and the reactions.
fn aside(s: &Strings, entry: &Entry) -> Option<SafeText> {
    let amended = entry.amended.as_deref()?;
    let edited = amended.is_edited.then(|| s.edited.to_owned());
    let reactions = amended.reactions.iter().map(|it| {
        let count = it.people.len();
        format!("{} {count}", it.emoji)
    });
    let words: Vec<String> = edited.into_iter().chain(reactions).collect();
    (!words.is_empty()).then(|| text::line(&words.join("  ")))
}
