//! The prompt before the composer: it always shows where Enter sends the text.

use crate::chat::IdentityId;
use crate::text;
use crate::tui::input::command;
use crate::tui::state::{State, Writing};
use crate::tui::strings::fill;

/// The text before the draft, which shows where Enter sends the draft.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prompt {
    pub text: String,
    pub is_private: bool,
}

/// The prompt for the current composer text.
pub fn prompt(state: &State) -> Prompt {
    let text = state.composer().text();
    if let Some((name, rest)) = command::addressee(&text) {
        let people = state.people_named(name);
        // A name is complete if a space follows it or if it belongs to a known person.
        if rest.starts_with(char::is_whitespace)
            || people.present.is_some()
            || people.peer.is_some()
        {
            return private_prompt(state, name, people.present.or(people.peer));
        }
    }
    if let Some(prompt) = writing_prompt(state) {
        return prompt;
    }
    match state.current() {
        Some(room) if room.is_conversation() => {
            let peer = room.info.peer.as_ref();
            private_prompt(state, peer.map_or("", |it| &it.name), peer.map(|it| it.id))
        }
        Some(room) => Prompt {
            text: format!(" {} › ", text::line(&room.label())),
            is_private: false,
        },
        None => Prompt {
            text: " › ".into(),
            is_private: false,
        },
    }
}

/// The prompt of a private message. It warns if the recipient is a guest of a bridge, because such messages are not
/// encrypted in transit.
fn private_prompt(state: &State, name: &str, person: Option<IdentityId>) -> Prompt {
    let s = state.preferences.strings;
    let is_guest = person.is_some_and(|person| state.is_guest(person));
    let template = if is_guest {
        s.privately_unencrypted
    } else {
        s.privately
    };
    Prompt {
        text: format!(" {} › ", fill(template, &[&text::line(name)])),
        is_private: true,
    }
}

/// The prompt of an edit or a reply.
fn writing_prompt(state: &State) -> Option<Prompt> {
    let room = state.current()?;
    let s = state.preferences.strings;
    let words = match room.writing {
        Writing::Message => return None,
        Writing::Edit(_) => s.editing_prompt.to_owned(),
        Writing::Reply(seq) => {
            let author = room.timeline.message(seq).map(|it| &it.author);
            let name = author.map(|it| text::line(&it.name)).unwrap_or_default();
            let is_guest = author.is_some_and(|it| state.is_guest(it.id));
            let template = if is_guest {
                s.reply_prompt_unencrypted
            } else {
                s.reply_prompt
            };
            fill(template, &[&name])
        }
    };
    Some(Prompt {
        text: format!(" {} {words} › ", text::line(&room.label())),
        is_private: room.is_conversation(),
    })
}
