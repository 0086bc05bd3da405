//! Commands about the user's own status and preferences (ignored people, notification levels, keywords), and the server's answers to them.

use super::reading;
use crate::chat::{Author, Level, Profile, RoomInfo, Settings, Status};
use crate::client::{Command, PersonRef, RequestKind};
use crate::text::{self, Keywords};
use crate::tui::content::system_lines;
use crate::tui::event::Effect;
use crate::tui::input::command::CommandName;
use crate::tui::settings::Setting;
use crate::tui::settings::typing::TypingMode;
use crate::tui::state::{Invitation, Overlay, State, Tone};
use crate::tui::strings::fill;
use crate::tui::theme::avatar;

/// The arguments of `/notify` and their levels. The last one restores the default of the room's kind.
const LEVELS: [(&str, Option<Level>); 4] = [
    ("all", Some(Level::All)),
    ("mentions", Some(Level::Mentions)),
    ("none", Some(Level::Nothing)),
    ("usual", None),
];
/// The argument of `/keywords` that removes all keywords.
const NO_WORDS: &str = "none";

pub(super) fn run(state: &mut State, name: CommandName, argument: &str) -> Vec<Effect> {
    match name {
        CommandName::Away | CommandName::Back | CommandName::Status => {
            set_status(state, name, argument)
        }
        CommandName::Whois => vec![Effect::Client(Command::Whois(person_ref(state, argument)))],
        CommandName::Ignore if argument.is_empty() => ignored(state),
        CommandName::Ignore | CommandName::Unignore => vec![Effect::Client(Command::Ignore {
            person: person_ref(state, argument),
            is_on: name == CommandName::Ignore,
        })],
        CommandName::Notify => notify(state, argument),
        CommandName::Keywords => keywords(state, argument),
        CommandName::Typing => typing(state, argument),
        _ => Vec::new(),
    }
}

/// Changes the user's status. The reason for being away replaces the status text until `/back`.
fn set_status(state: &mut State, name: CommandName, argument: &str) -> Vec<Effect> {
    let now = state
        .me
        .status_requested
        .as_ref()
        .unwrap_or(&state.me.status)
        .clone();
    let (is_away, text) = match name {
        CommandName::Away if argument.is_empty() => (true, now.text),
        CommandName::Away => {
            if !now.is_away {
                state.me.status_before = Some(now.text);
            }
            (true, argument.to_owned())
        }
        CommandName::Back => (false, state.me.status_before.take().unwrap_or(now.text)),
        _ => {
            state.me.status_before = None;
            (now.is_away, argument.to_owned())
        }
    };
    let status = Status { is_away, text };
    state.me.status_requested = Some(status.clone());
    vec![Effect::Client(Command::SetStatus(status))]
}

/// Resolves a name: to a person of the current room if exactly one has it, otherwise the server looks it up.
pub(super) fn person_ref(state: &State, name: &str) -> PersonRef {
    let name = name.trim_start_matches('@');
    let lower = name.to_lowercase();
    let people = state
        .current()
        .into_iter()
        .flat_map(|it| it.roster.people());
    let mut called = people.filter(|it| it.name.to_lowercase() == lower);
    match (called.next(), called.next()) {
        (Some(one), None) => PersonRef::Person(one.id),
        _ => PersonRef::Name(name.to_owned()),
    }
}

fn ignored(state: &mut State) -> Vec<Effect> {
    let s = state.preferences.strings;
    let names = state.me.settings.ignored.iter();
    let settings = &state.me.settings;
    let line = |it: &Author| {
        let mark = if settings.blocks(it.id) {
            s.requests.blocked_mark
        } else {
            ""
        };
        let name = text::pad(text::line(&it.name).as_str(), 20);
        format!("{name}  {mark}").trim_end().to_owned()
    };
    let mut lines: Vec<String> = names.map(line).collect();
    if lines.is_empty() {
        lines.push(s.ignored_none.to_owned());
    }
    let title = s.ignored_title.to_owned();
    state.overlays.top = Some(Overlay::List {
        title,
        lines,
        scroll: 0,
    });
    Vec::new()
}

fn notify(state: &mut State, argument: &str) -> Vec<Effect> {
    let s = state.preferences.strings;
    let Some(room) = state.current() else {
        state.show_notice(Tone::Problem, s.not_in_a_room);
        return Vec::new();
    };
    let (id, kind) = (room.info.id, room.info.kind);
    if argument.is_empty() {
        let level = state.me.settings.level(id, kind);
        let mut words = LEVELS.iter();
        let word = words.find(|(_, it)| *it == Some(level));
        let word = word.map_or("", |(word, _)| word);
        state.show_notice(Tone::Info, fill(s.notify_is, &[&word]));
        return Vec::new();
    }
    let mut levels = LEVELS.iter();
    match levels.find(|(word, _)| *word == argument) {
        Some((_, level)) => vec![Effect::Client(Command::SetLevel {
            room: id,
            level: *level,
        })],
        None => usage(state, CommandName::Notify),
    }
}

fn keywords(state: &mut State, argument: &str) -> Vec<Effect> {
    let s = state.preferences.strings;
    if argument.is_empty() {
        let words = state.me.settings.keywords.join(" ");
        let words = if words.is_empty() {
            s.keywords_none.to_owned()
        } else {
            fill(s.keywords_are, &[&text::line(&words)])
        };
        state.show_notice(Tone::Info, words);
        return Vec::new();
    }
    let words = argument.split_whitespace().map(str::to_owned);
    let words = words.filter(|_| argument != NO_WORDS).collect();
    vec![Effect::Client(Command::SetKeywords(words))]
}

fn typing(state: &mut State, argument: &str) -> Vec<Effect> {
    if argument.is_empty() {
        let words = fill(
            state.preferences.strings.typing_is,
            &[&state.preferences.typing.name()],
        );
        state.show_notice(Tone::Info, words);
        return Vec::new();
    }
    let Some(mode) = TypingMode::of(argument) else {
        return usage(state, CommandName::Typing);
    };
    Setting::Typing.apply(state, mode.name());
    let words = fill(state.preferences.strings.typing_is, &[&mode.name()]);
    state.show_notice(Tone::Info, words);
    Vec::new()
}

fn usage(state: &mut State, name: CommandName) -> Vec<Effect> {
    let s = state.preferences.strings;
    state.show_notice(Tone::Problem, fill(s.usage, &[&s.command(name).usage]));
    Vec::new()
}

/// Stores new settings. If the ignored people or the keywords have changed, all messages are rendered and counted again.
pub(super) fn store_settings(state: &mut State, settings: Settings) -> Vec<Effect> {
    if state.me.settings == settings {
        return Vec::new();
    }
    let needs_rebuild = state.me.settings.ignored != settings.ignored
        || state.me.settings.keywords != settings.keywords;
    state.me.keywords = Keywords::new(settings.keywords.iter().map(String::as_str));
    state.me.settings = settings;
    if !needs_rebuild {
        return Vec::new();
    }
    rebuild_items(state);
    reading::recount_all(state)
}

/// Renders the messages of all rooms again with the current settings.
pub(super) fn rebuild_items(state: &mut State) {
    let item = crate::tui::content::entries::item(state);
    for room in &mut state.rooms.list {
        room.timeline.rebuild_items(&item);
    }
}

/// Stores settings that the server sent after a change, and shows the user what has changed.
pub(super) fn changed(state: &mut State, settings: Settings) -> Vec<Effect> {
    let s = state.preferences.strings;
    let asked = state
        .posting
        .awaited_request
        .take_if(|(effect, _)| effect.asks_about(&RequestKind::Settings));
    let is_answer = asked.is_some();
    let (before, after) = (&state.me.settings, &settings);
    let names = |one: &Settings, other: &Settings| -> Option<String> {
        let mut names = one.ignored.iter();
        let only = names.find(|it| !other.ignores(it.id))?;
        Some(text::line(&only.name).to_string())
    };
    let blocked = after.ignored.iter();
    let mut blocked = blocked.filter(|it| after.blocks(it.id) && !before.blocks(it.id));
    let words = if let Some(person) = blocked.next() {
        Some(fill(s.requests.blocked, &[&text::line(&person.name)]))
    } else if let Some(name) = names(after, before) {
        Some(fill(s.ignored_now, &[&name]))
    } else if let Some(name) = names(before, after) {
        Some(fill(s.unignored, &[&name]))
    } else if before != after || is_answer {
        Some(s.saved_for_account.to_owned())
    } else {
        None
    };
    if let Some(words) = words {
        state.show_notice(Tone::Info, words);
    }
    store_settings(state, settings)
}

/// Stores the user's own status as reported by the server.
pub(super) fn status(state: &mut State, status: Status) {
    let s = state.preferences.strings;
    state.me.status_requested = None;
    let asked = state
        .posting
        .awaited_request
        .take_if(|(effect, _)| effect.asks_about(&RequestKind::Status));
    if asked.is_some() || state.me.status != status {
        let words = match (status.is_away, status.text.is_empty()) {
            (true, true) => s.away_now.to_owned(),
            (true, false) => fill(s.away_because, &[&text::line(&status.text)]),
            (false, true) => s.online_now.to_owned(),
            (false, false) => fill(s.status_now, &[&text::line(&status.text)]),
        };
        state.show_notice(Tone::Info, words);
    }
    state.me.status = status;
}

/// Shows a person's profile.
pub(super) fn profile(state: &mut State, profile: &Profile) {
    let s = state.preferences.strings;
    let person = &profile.person;
    let name = text::line(&person.name);
    let glyph = avatar::glyph(person.id, true);
    let seen = profile
        .seen_ms
        .and_then(|at| system_lines::clock(s, &state.screen.zone, at));
    let presence = match seen {
        Some(at) => fill(s.seen_at, &[&at]),
        None => s.presence(person.presence).to_owned(),
    };
    let mut lines = vec![format!("{glyph} {name}  {presence}")];
    if !person.status.is_empty() {
        lines.push(fill(s.status_is, &[&text::line(&person.status)]));
    }
    let via = s.via(person.via);
    if !via.is_empty() {
        lines.push(fill(s.connected_through, &[&via]));
    }
    lines.push(fill(s.identity_is, &[&avatar::fingerprint(person.id)]));
    for room in &profile.rooms {
        let role = room.role.map_or("", |role| s.role_name(role));
        let label = text::pad(text::line(&format!("#{}", room.name)).as_str(), 20);
        lines.push(format!("{label}  {role}"));
    }
    let title = fill(s.whois_title, &[&name]);
    state.overlays.announce(Overlay::List {
        title,
        lines,
        scroll: 0,
    });
}

/// Handles an invitation to a room.
pub(super) fn invited(state: &mut State, room: &RoomInfo, by: Option<&Author>) {
    let s = state.preferences.strings;
    let is_ignored = by.is_some_and(|by| state.me.settings.ignores(by.id));
    // The server sends open invitations again after every new connection; the user is notified only once.
    let is_new = state.rooms.invited.insert(room.id) || by.is_some();
    if is_ignored {
        return;
    }
    state.rooms.invitations.retain(|it| it.room.id != room.id);
    state.rooms.invitations.push(Invitation {
        room: room.clone(),
        by: by.cloned(),
    });
    if !is_new {
        return;
    }
    let room = text::line(&room.name);
    let words = match by {
        Some(by) => fill(s.invited_by, &[&text::line(&by.name), &room]),
        None => fill(s.invited_to, &[&room]),
    };
    state.show_notice(Tone::Info, words.clone());
    let now = state.now_ms();
    // Also added as a line in the room: a notice disappears with the next key.
    if let Some(room) = state.current_mut() {
        let what = crate::tui::timeline::ItemKind::System(text::line(&words));
        room.timeline.add_local_line(what, now);
    }
}
