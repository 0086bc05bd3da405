//! The prompt before the composer: it always says where Enter sends.

use crate::text;
use crate::tui::input::command;
use crate::tui::state::{State, Writing};
use crate::tui::strings::fill;

/// What stands before the composer's text: where Enter sends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prompt {
    pub text: String,
    pub is_private: bool,
}

/// The prompt for what is in the composer now.
pub fn prompt(state: &State) -> Prompt {
    let text = state.composer().text();
    if let Some((name, rest)) = command::addressee(&text) {
        let called = state.people_named(name);
        // A name is complete when a space follows it, or when it is somebody's.
        if rest.starts_with(char::is_whitespace)
            || called.present.is_some()
            || called.peer.is_some()
        {
            let whom = text::line(name);
            return Prompt {
                text: format!(
                    " {} › ",
                    fill(state.preferences.strings.privately, &[&whom])
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
            let whom = text::line(room.info.peer.as_ref().map_or("", |peer| &peer.name));
            Prompt {
                text: format!(
                    " {} › ",
                    fill(state.preferences.strings.privately, &[&whom])
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

/// The prompt of a text that is more than a message.
fn writing_prompt(state: &State) -> Option<Prompt> {
    let room = state.current()?;
    let s = state.preferences.strings;
    let words = match room.writing {
        Writing::Message => return None,
        Writing::Edit(_) => s.editing_prompt.to_owned(),
        Writing::Answer(seq) => {
            let whom = room
                .timeline
                .said(seq)
                .map(|it| text::line(&it.author.name));
            fill(s.answer_prompt, &[&whom.unwrap_or_default()])
        }
    };
    Some(Prompt {
        text: format!(" {} {words} › ", text::line(&room.label())),
        is_private: room.is_conversation(),
    })
}
