//! The prompt before the composer: it always shows where Enter sends the text.

use crate::text;
use crate::tui::input::command;
use crate::tui::state::{State, Writing};
use crate::tui::strings::fill;

/// The text before the composer's input, which shows where Enter sends it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prompt {
    pub text: String,
    pub is_private: bool,
}

/// The prompt for the current composer text.
pub fn prompt(state: &State) -> Prompt {
    let text = state.composer().text();
    if let Some((name, rest)) = command::addressee(&text) {
        let called = state.people_named(name);
        // A name is complete if a space follows it or if it belongs to a known person.
        if rest.starts_with(char::is_whitespace)
            || called.present.is_some()
            || called.peer.is_some()
        {
            let target = text::line(name);
            return Prompt {
                text: format!(
                    " {} › ",
                    fill(state.preferences.strings.privately, &[&target])
                ),
                is_private: true,
            };
        }
    }
    if let Some(prompt) = writing_prompt(state) {
        return prompt;
    }
    match state.current() {
        Some(room) if room.is_conversation() => {
            let target = text::line(room.info.peer.as_ref().map_or("", |peer| &peer.name));
            Prompt {
                text: format!(
                    " {} › ",
                    fill(state.preferences.strings.privately, &[&target])
                ),
                is_private: true,
            }
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

/// The prompt of an edit or a reply.
fn writing_prompt(state: &State) -> Option<Prompt> {
    let room = state.current()?;
    let s = state.preferences.strings;
    let words = match room.writing {
        Writing::Message => return None,
        Writing::Edit(_) => s.editing_prompt.to_owned(),
        Writing::Reply(seq) => {
            let target = room
                .timeline
                .message(seq)
                .map(|it| text::line(&it.author.name));
            fill(s.reply_prompt, &[&target.unwrap_or_default()])
        }
    };
    Some(Prompt {
        text: format!(" {} {words} › ", text::line(&room.label())),
        is_private: room.is_conversation(),
    })
}
