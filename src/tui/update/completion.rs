//! Completion of `@names`, `/commands` and their arguments, `#rooms` and `:emoji:` from the word before the cursor.
//! Plain names are completed as well, but only when Tab is pressed.

use std::collections::HashSet;

use crate::tui::input::command::{self, ALIASES, COMMANDS, CommandName, first_word};
use crate::tui::input::completion::{OFFER_LIMIT, Offer, Popup, emoji, last_word, popup};
use crate::tui::settings::Setting;
use crate::tui::state::{Room, State};

/// The completions of the word before the cursor, if there are any.
pub(super) fn offers(state: &State) -> Option<Popup> {
    let composer = state.composer();
    let (before, word) = last_word(composer.before());
    let begins_text = before.is_empty() && composer.is_in_first_line();
    if composer.is_in_first_line()
        && let Some(popup) = arguments(state, before, word)
    {
        return Some(popup);
    }
    let (sign, stem) = word.split_at_checked(1)?;
    let stem = stem.to_lowercase();
    let offers = match sign {
        "/" if begins_text => commands(state, &stem),
        "@" => people(state, &stem, "@", |_| true),
        "#" => rooms(state, &stem),
        ":" => emoji(&stem),
        _ => return None,
    };
    popup(offers, word)
}

/// The people of this room whose names begin with the word before the cursor. As in IRC clients, a name at the start of the text gets a
/// colon.
pub(super) fn names(state: &State) -> Option<Popup> {
    let composer = state.composer();
    let (before, word) = last_word(composer.before());
    let is_first_line = composer.is_in_first_line();
    // The person argument of a command is completed by `offers` only.
    if word.is_empty() || (is_first_line && is_about_somebody(state, before)) {
        return None;
    }
    let begins_text = before.is_empty() && is_first_line;
    let is_conversation = state.current().is_some_and(Room::is_conversation);
    let is_here = |place| match place {
        Proximity::Here => true,
        Proximity::Conversation => is_conversation,
        Proximity::Elsewhere => false,
    };
    let mut offers = people(state, &word.to_lowercase(), "", is_here);
    if begins_text {
        for offer in &mut offers {
            offer.text.push(':');
        }
    }
    popup(offers, word)
}

/// Whether the word after `before` is the person argument of a command.
fn is_about_somebody(state: &State, before: &str) -> bool {
    let command = before.strip_prefix('/').map(first_word);
    let (command, given) = command.unwrap_or_default();
    let known = command::find(command).filter(|_| given.is_empty());
    known.is_some_and(|known| person(state, known.name, "").is_some())
}

fn commands(state: &State, stem: &str) -> Vec<Offer> {
    let words = COMMANDS.into_iter().map(|known| (known.word, known.name));
    // Aliases come after our own command names.
    let all = words.chain(ALIASES);
    let fitting = all.filter(|(word, _)| word.starts_with(stem));
    fitting
        .map(|(word, name)| Offer {
            text: format!("/{word}"),
            about: state.preferences.strings.command(name).about.into(),
        })
        .collect()
}

/// Where we know a person from, nearest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Proximity {
    /// This room.
    Here,
    Conversation,
    /// Another room.
    Elsewhere,
}

/// The people in the wanted places whose names begin with `stem`, with a sign before each name.
fn people(
    state: &State,
    stem: &str,
    sign: &str,
    is_wanted: impl Fn(Proximity) -> bool,
) -> Vec<Offer> {
    let s = state.preferences.strings;
    let here = state.current().into_iter();
    let here = here.flat_map(|room| room.roster.people());
    let here = here.map(|it| (it.id, it.name.as_str(), Proximity::Here));
    let peers = state
        .rooms
        .list
        .iter()
        .filter_map(|it| it.info.peer.as_ref());
    let peers = peers.map(|it| (it.id, it.name.as_str(), Proximity::Conversation));
    let elsewhere = state
        .rooms
        .list
        .iter()
        .flat_map(|room| room.roster.people());
    let elsewhere = elsewhere.map(|it| (it.id, it.name.as_str(), Proximity::Elsewhere));
    let mut known = HashSet::new();
    let mut offers: Vec<Offer> = Vec::new();
    for (id, name, place) in here.chain(peers).chain(elsewhere) {
        // Collect one more than is shown, because the word itself is removed later.
        if offers.len() > OFFER_LIMIT {
            break;
        }
        let fits = name.to_lowercase().starts_with(stem) && !state.is_me(id);
        if fits && known.insert(name) && is_wanted(place) {
            let about = match place {
                Proximity::Here => s.in_this_room,
                Proximity::Conversation => s.private_conversation,
                Proximity::Elsewhere => s.in_another_room,
            };
            offers.push(Offer {
                text: format!("{sign}{name}"),
                about: about.into(),
            });
        }
    }
    offers
}

/// The completions of a command's argument: rooms, people, themes, settings and their values.
fn arguments(state: &State, before: &str, word: &str) -> Option<Popup> {
    let (command, given) = first_word(before.strip_prefix('/')?);
    let stem = word.to_lowercase();
    let plain = |text: String, about: &str| Offer {
        text,
        about: about.to_owned(),
    };
    let offers = match command::find(command)?.name {
        CommandName::Set if !given.is_empty() => {
            let values = Setting::of(given)?.values(state).into_iter();
            let fitting = values.filter(|value| value.to_lowercase().starts_with(&stem));
            fitting.map(|value| plain(value, "")).collect()
        }
        // The other commands complete only their first argument.
        _ if !given.is_empty() => return None,
        CommandName::Join | CommandName::Leave => rooms(state, stem.trim_start_matches('#')),
        CommandName::Theme => {
            let themes = state.preferences.themes.iter();
            let fitting = themes.filter(|theme| theme.starts_with(&stem));
            fitting.map(|theme| plain(theme.clone(), "")).collect()
        }
        CommandName::Set => {
            let settings = Setting::ALL.into_iter();
            let fitting = settings.filter(|(name, _)| name.starts_with(&stem));
            let of = |(name, setting): (&str, Setting)| {
                plain(
                    name.to_owned(),
                    (state.preferences.strings.settings)(setting),
                )
            };
            fitting.map(of).collect()
        }
        name => person(state, name, &stem)?,
    };
    popup(offers, word)
}

/// The people that fit a command's person argument, or `None` if the command has none.
fn person(state: &State, name: CommandName, stem: &str) -> Option<Vec<Offer>> {
    // The name may be written with an `@`.
    let (sign, stem) = match stem.strip_prefix('@') {
        Some(stem) => ("@", stem),
        None => ("", stem),
    };
    let is_wanted: fn(Proximity) -> bool = match name {
        CommandName::Op
        | CommandName::Deop
        | CommandName::Kick
        | CommandName::Mute
        | CommandName::Unmute => |place| place == Proximity::Here,
        CommandName::Invite => |place| place != Proximity::Here,
        CommandName::Ban
        | CommandName::Unban
        | CommandName::Msg
        | CommandName::Whois
        | CommandName::Ignore => |_| true,
        CommandName::Unignore => {
            let ignored = state.me.settings.ignored.iter();
            let fitting = ignored.filter(|it| it.name.to_lowercase().starts_with(stem));
            let offers = fitting.map(|it| Offer {
                text: format!("{sign}{}", it.name),
                about: String::new(),
            });
            return Some(offers.collect());
        }
        _ => return None,
    };
    Some(people(state, stem, sign, is_wanted))
}

/// The rooms we are in, then those we are invited to, then all others.
fn rooms(state: &State, stem: &str) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    let ours = state
        .rooms
        .list
        .iter()
        .filter(|room| !room.is_conversation())
        .map(|room| &room.info);
    let invited = state.rooms.invitations.iter().map(|it| &it.room);
    for room in ours.chain(invited).chain(&state.rooms.directory) {
        let text = format!("#{}", room.name);
        if room.name.to_lowercase().starts_with(stem)
            && !offers.iter().any(|known| known.text == text)
        {
            offers.push(Offer {
                text,
                about: room.topic.clone(),
            });
        }
    }
    offers
}

/// Updates what depends on the composer's text: the pending confirmation and the completions.
pub(super) fn text_changed(state: &mut State) {
    state.input.confirm = None;
    state.input.popup = offers(state);
}

/// Puts the chosen completion into the composer.
pub(super) fn insert_offer(state: &mut State) {
    let Some(popup) = state.input.popup.take() else {
        return;
    };
    let Some(offer) = popup.offer() else { return };
    let text = format!("{} ", offer.text);
    state.composer_mut().replace_before(popup.replaces, &text);
    text_changed(state);
}
