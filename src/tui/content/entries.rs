//! Entries as items of the timeline: what is shown of each, for this user and in this language.

use crate::chat::{Body, Entry, IdentityId};
use crate::text::{self, SafeText};
use crate::tui::content::system_lines;
use crate::tui::state::State;
use crate::tui::strings::Strings;
use crate::tui::timeline::message_text::MessageText;
use crate::tui::timeline::{Direction, What};

/// An entry as an item of the timeline, as we see it.
pub fn item(state: &State) -> impl Fn(&Entry) -> What + Clone + use<> {
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
            return What::Hidden;
        }
        let name = text::line(&entry.author.name);
        match &entry.body {
            Body::Text(_) | Body::Reply { .. } => What::Said {
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
            Body::Action(_) => What::Said {
                author: entry.author.id,
                client_id: entry.client_id,
                name,
                text: MessageText::by(&entry.body),
                is_action: true,
                answers: None,
                aside: aside(strings, entry),
                is_for_me: is_for_me(entry),
            },
            Body::Joined(_) => What::JoinOrLeave {
                person: entry.author.id,
                name,
                way: Direction::In,
            },
            Body::Left => What::JoinOrLeave {
                person: entry.author.id,
                name,
                way: Direction::Out,
            },
            Body::Amendment { .. } => What::Hidden,
            // The text an edit brought goes with what it edited; only that says so.
            Body::Erased(_) if entry.amended.is_none() => What::Hidden,
            Body::Erased(_) => What::Erased {
                author: entry.author.id,
                client_id: entry.client_id,
                name,
            },
            _ => What::System(text::line(&system_lines::of(strings, &zone, entry))),
        }
    }
}

/// What stands behind a text: that it was edited, and how people reacted.
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
