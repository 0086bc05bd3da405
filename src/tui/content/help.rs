//! Help: every key and command, from the tables that define them.

use crate::text;
use crate::tui::input::command;
use crate::tui::input::keymap::{Action, Context, Keymap};
use crate::tui::strings::{Strings, fill};

/// The layouts of the help, in columns: the minimum width of the text, and the width of the column for keys and usages.
/// If there is less space, descriptions go on the lines below.
const KEYS: [(usize, usize); 2] = [(68, 30), (52, 24)];

/// The lines of the help for an overlay of `columns` columns. Only keys and commands that contain every word of the
/// filter are listed.
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

/// The keys of the composer and what each does.
fn keys(strings: &Strings, keymap: &Keymap) -> Vec<(String, String)> {
    // The keys for the first nine rooms share one line.
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

/// The keys for a selected message and what each does.
fn selection_keys(strings: &Strings, keymap: &Keymap) -> Vec<(String, String)> {
    let actions = keymap.actions_in(Context::Selection).into_iter();
    let known = actions.filter_map(|action| {
        let key = keymap.first_in(Context::Selection, action);
        Some((key, strings.action(action)?.to_owned()))
    });
    known.collect()
}

/// The usage of each command and what it does.
fn commands(strings: &Strings) -> Vec<(String, String)> {
    let all = command::COMMANDS.iter().map(|known| {
        let usage = strings.command(known.name).usage.to_owned();
        (usage, strings.about_command(known.name))
    });
    all.collect()
}

/// Adds a key or command and its description; both are wrapped, never cut.
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
