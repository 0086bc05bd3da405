//! Lines the program itself makes: the prompt, entries as items, lists to read.

use crate::chat::{Body, Entry, IdentityId};
use crate::text::{self, SafeText};
use crate::tui::command;
use crate::tui::keymap::{Action, Context, Keymap};
use crate::tui::spoken::Spoken;
use crate::tui::state::{State, Writing};
use crate::tui::strings::{Strings, fill};
use crate::tui::timeline::{Way, What};
use crate::tui::words;

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
        let called = state.people_called(name);
        // A name is complete when a space follows it, or when it is somebody's.
        if rest.starts_with(char::is_whitespace)
            || called.present.is_some()
            || called.peer.is_some()
        {
            let whom = text::line(name);
            return Prompt {
                text: format!(" {} › ", fill(state.strings.privately, &[&whom])),
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
                text: format!(" {} › ", fill(state.strings.privately, &[&whom])),
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
    let s = state.strings;
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

/// An entry as an item of the timeline, as we see it.
pub(super) fn item(state: &State) -> impl Fn(&Entry) -> What + Clone + use<> {
    let (strings, zone) = (state.strings, state.zone.clone());
    let me = state.me.as_ref().map(|me| me.id);
    let keywords = state.keywords.clone();
    let ignored: Vec<IdentityId> = state.settings.ignored.iter().map(|it| it.id).collect();
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
                text: Spoken::by(&entry.body),
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
                text: Spoken::by(&entry.body),
                is_action: true,
                answers: None,
                aside: aside(strings, entry),
                is_for_me: is_for_me(entry),
            },
            Body::Joined(_) => What::Passage {
                person: entry.author.id,
                name,
                way: Way::In,
            },
            Body::Left => What::Passage {
                person: entry.author.id,
                name,
                way: Way::Out,
            },
            Body::Amendment { .. } => What::Hidden,
            // The text an edit brought goes with what it edited; only that says so.
            Body::Erased(_) if entry.amended.is_none() => What::Hidden,
            Body::Erased(_) => What::Erased {
                author: entry.author.id,
                client_id: entry.client_id,
                name,
            },
            _ => What::System(text::line(&words::of(strings, &zone, entry))),
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

/// Columns of keys and usages in help, by the columns of the overlay; where there are fewer, what they do is said below them.
const KEYS: [(usize, usize); 2] = [(68, 30), (52, 24)];

/// Keys and commands, from the tables themselves, for an overlay of so many columns: those in which every word of the filter stands.
pub fn help(strings: &Strings, keymap: &Keymap, columns: u16, filter: &str) -> Vec<String> {
    let columns = usize::from(columns.saturating_sub(4)).max(16);
    let filter = text::folded(filter);
    let is_wanted = |what: &str, about: &str| {
        let whole = text::folded(&format!("{what} {about}"));
        filter.split_whitespace().all(|word| whole.contains(word))
    };
    let mut lines = Vec::new();
    let mut section = |title: &str, all: Vec<(String, String)>| {
        let mut wanted = all.into_iter().filter(|it| is_wanted(&it.0, &it.1));
        let Some(first) = wanted.next() else { return };
        if !lines.is_empty() {
            lines.push(String::new());
        }
        if !title.is_empty() {
            lines.push(title.to_owned());
        }
        for (what, about) in std::iter::once(first).chain(wanted) {
            entry(&mut lines, &what, &about, columns);
        }
    };
    section("", keys(strings, keymap));
    let select = keymap.first(Action::Select);
    let title = fill(strings.help_selection, &[&select]);
    section(&title, selection_keys(strings, keymap));
    section(strings.help_commands, commands(strings));
    let sending = strings.help_sending.iter();
    let sending: Vec<_> = sending.filter(|line| is_wanted(line, "")).collect();
    if !sending.is_empty() && !lines.is_empty() {
        lines.push(String::new());
    }
    lines.extend(sending.into_iter().map(|line| (*line).to_owned()));
    if lines.is_empty() {
        lines.push(strings.nothing_matches.to_owned());
    }
    lines
}

/// The keys where text is typed, and what each does.
fn keys(strings: &Strings, keymap: &Keymap) -> Vec<(String, String)> {
    // The keys that lead to the first rooms are one line.
    let actions = keymap.actions().into_iter();
    let actions = actions.filter(|action| action.room().is_none_or(|place| place == 0));
    let known = actions.filter_map(|action| {
        let label = match action {
            Action::Room1 => [Action::Room1, Action::Room9]
                .map(|it| keymap.first(it))
                .join(" … "),
            action => keymap.label(action),
        };
        Some((label, strings.action(action)?.to_owned()))
    });
    known.collect()
}

/// The same for a selected message.
fn selection_keys(strings: &Strings, keymap: &Keymap) -> Vec<(String, String)> {
    let actions = keymap.actions_in(Context::Selection).into_iter();
    let known = actions.filter_map(|action| {
        let key = keymap.first_in(Context::Selection, action);
        Some((key, strings.action(action)?.to_owned()))
    });
    known.collect()
}

/// How each command is used, and what it does.
fn commands(strings: &Strings) -> Vec<(String, String)> {
    let all = command::COMMANDS.iter().map(|known| {
        let usage = strings.command(known.name).usage.to_owned();
        (usage, strings.about_command(known.name))
    });
    all.collect()
}

/// A key or command and what it does; nothing of either is cut.
fn entry(lines: &mut Vec<String>, what: &str, about: &str, columns: usize) {
    let keys = KEYS.iter().find(|(from, _)| columns >= *from);
    let keys = keys.map_or(0, |(_, keys)| *keys);
    let wrapped = |text: &str, columns: usize| -> Vec<String> {
        let parts = text::wrap(text, columns).into_iter();
        parts.map(|part| text[part].trim_end().to_owned()).collect()
    };
    let indent = keys + 2;
    let mut about = wrapped(about, columns - indent).into_iter();
    if text::width(what) <= keys {
        let first = about.next().unwrap_or_default();
        lines.push(format!("{}  {first}", text::pad(what, keys)));
    } else {
        lines.extend(wrapped(what, columns));
    }
    lines.extend(about.map(|part| format!("{}{part}", " ".repeat(indent))));
}
