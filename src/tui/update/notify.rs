//! Desktop notifications, and typing indicators of the user and of others.

use std::time::Duration;

use crate::chat::{Entry, IdentityId, Level, RoomId};
use crate::client::{Command, LinkState};
use crate::text;
use crate::tui::event::Effect;
use crate::tui::input::command;
use crate::tui::state::State;
use crate::tui::strings::fill;

/// The minimum time between two notifications.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// If the terminal does not report its focus, the user counts as away after this long without a key press.
const AWAY_AFTER: Duration = Duration::from_secs(30);
/// The maximum number of code points in a notification's text.
const TEXT_LIMIT: usize = 200;
/// How long a typing indicator is shown, and how often the user's own is sent.
const TYPING: Duration = Duration::from_secs(6);
const TYPING_EVERY: Duration = Duration::from_secs(3);

/// Notifies the user of a new entry if the user is away and the notification level of the room includes it.
pub(super) fn arrived(state: &mut State, entry: &Entry) -> Option<Effect> {
    let room = state.room(entry.room)?;
    let is_news = entry.body.is_message()
        && entry.seq > room.live_after
        && entry.seq > room.reading.unread.read
        && !state.is_me(entry.author.id)
        && !state.me.settings.ignores(entry.author.id)
        && !room.is_request();
    let is_worth_it = match state.level(entry.room) {
        Level::All => true,
        Level::Mentions => state.is_for_me(entry),
        Level::Nothing => false,
    };
    let now = state.screen.now.instant;
    let is_away = !state.is_attended(AWAY_AFTER);
    let is_early = |at| now.saturating_duration_since(at) < MIN_INTERVAL;
    if !is_news || !is_worth_it || !is_away || state.timers.notified_at.is_some_and(is_early) {
        return None;
    }
    let name = text::line(&entry.author.name);
    let title = if room.is_conversation() {
        name.to_string()
    } else {
        fill(
            state.preferences.strings.notification,
            &[&name, &text::line(&room.label())],
        )
    };
    let said: String = entry.body.text().chars().take(TEXT_LIMIT).collect();
    state.timers.notified_at = Some(now);
    Some(Effect::Notify {
        title,
        text: text::line(&said).to_string(),
    })
}

/// Shows that somebody is typing.
pub(super) fn show_typing(state: &mut State, id: RoomId, person: IdentityId) {
    let is_shown = state.preferences.typing.shows()
        && !state.is_me(person)
        && !state.me.settings.ignores(person);
    let until = state.screen.now.instant + TYPING;
    if let Some(room) = state.room_mut(id).filter(|_| is_shown) {
        room.typing.retain(|(other, _)| *other != person);
        room.typing.push((person, until));
    }
}

/// Removes expired typing indicators.
pub(super) fn remove_expired_typing(state: &mut State) {
    let now = state.screen.now.instant;
    for room in &mut state.rooms.list {
        room.typing.retain(|(_, until)| *until > now);
    }
}

/// Sends a typing signal, but only for a message that everybody in the room will see.
pub(super) fn send_typing(state: &mut State) -> Option<Effect> {
    let now = state.screen.now.instant;
    let is_early = |at| now.saturating_duration_since(at) < TYPING_EVERY;
    let text = state.composer().text();
    let is_command = text.starts_with('/') && !text.starts_with("//");
    // A partly typed name may become the recipient of a private message.
    let is_private = text.starts_with(text::AT)
        && (command::addressee(&text).is_some() || !text.contains(char::is_whitespace));
    let is_for_all = !text.trim().is_empty() && !is_command && !is_private;
    let can = state.preferences.typing.sends() && state.connection.link == LinkState::Online;
    if !can || !is_for_all || state.timers.typed_at.is_some_and(is_early) {
        return None;
    }
    let room = state
        .current()
        .filter(|room| room.removal_reason.is_none())?
        .info
        .id;
    state.timers.typed_at = Some(now);
    Some(Effect::Client(Command::Typing(room)))
}
