//! Completion of `@names`, `/commands` and their arguments, `#rooms` and `:emoji`: what could stand where the cursor is, and what each one
//! is. Plain names are completed as well, but only when Tab asks for it.

use std::collections::HashSet;

use super::command::{self, ALIASES, COMMANDS, Name, first_word};
use crate::tui::settings::Setting;
use crate::tui::state::{Room, State};

/// What is offered, most.
const MOST: usize = 8;

/// Completions that are shown above the composer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Popup {
    pub offers: Vec<Offer>,
    /// Which one is chosen; none until somebody moves, so that Enter still sends.
    pub chosen: Option<usize>,
    /// Bytes before the cursor that an offer replaces.
    pub replaces: usize,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// What is put into the composer, without the space behind it.
    pub text: String,
    /// What it is or does.
    pub about: String,
}

impl Popup {
    pub fn step(&mut self, by: isize) {
        let count = isize::try_from(self.offers.len()).unwrap_or(isize::MAX);
        let now = self.chosen.and_then(|chosen| isize::try_from(chosen).ok());
        let next = match now {
            Some(now) => (now + by).rem_euclid(count),
            None if by < 0 => count - 1,
            None => 0,
        };
        self.chosen = usize::try_from(next).ok();
    }

    /// The offer Tab takes: the chosen one, else the first.
    pub fn offer(&self) -> Option<&Offer> {
        self.offers.get(self.chosen.unwrap_or(0))
    }
}

/// What fits the word before the cursor, if it is one that can be completed.
pub fn offers(state: &State) -> Option<Popup> {
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

/// The people of this room whose names begin with the word before the cursor. As in IRC clients, a name that begins the text gets a colon.
pub fn names(state: &State) -> Option<Popup> {
    let composer = state.composer();
    let (before, word) = last_word(composer.before());
    let is_first_line = composer.is_in_first_line();
    // The person a command is about is among those that `offers` knows, or nobody.
    if word.is_empty() || (is_first_line && is_about_somebody(state, before)) {
        return None;
    }
    let begins_text = before.is_empty() && is_first_line;
    let is_conversation = state.current().is_some_and(Room::is_conversation);
    let is_here = |place| match place {
        Place::Here => true,
        Place::Conversation => is_conversation,
        Place::Elsewhere => false,
    };
    let mut offers = people(state, &word.to_lowercase(), "", is_here);
    if begins_text {
        for offer in &mut offers {
            offer.text.push(':');
        }
    }
    popup(offers, word)
}

/// Whether the word behind a text is the person a command is about.
fn is_about_somebody(state: &State, before: &str) -> bool {
    let command = before.strip_prefix('/').map(first_word);
    let (command, given) = command.unwrap_or_default();
    let known = command::find(command).filter(|_| given.is_empty());
    known.is_some_and(|known| person(state, known.name, "").is_some())
}

/// A text without its last word, and that word.
fn last_word(text: &str) -> (&str, &str) {
    let start = text.rfind(char::is_whitespace).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    text.split_at(start)
}

/// The first of the offers for a word; a word that is complete already needs no offer of itself.
fn popup(mut offers: Vec<Offer>, word: &str) -> Option<Popup> {
    offers.retain(|offer| offer.text != word);
    offers.truncate(MOST);
    (!offers.is_empty()).then_some(Popup {
        offers,
        chosen: None,
        replaces: word.len(),
    })
}

fn commands(state: &State, stem: &str) -> Vec<Offer> {
    let words = COMMANDS.into_iter().map(|known| (known.word, known.name));
    // What other clients call a command comes after our own words.
    let all = words.chain(ALIASES);
    let fitting = all.filter(|(word, _)| word.starts_with(stem));
    fitting
        .map(|(word, name)| Offer {
            text: format!("/{word}"),
            about: state.strings.command(name).about.into(),
        })
        .collect()
}

/// A line for each short name: the name, the emoji, and what it shows.
const EMOJI: &str = include_str!(concat!(env!("OUT_DIR"), "/emoji.txt"));

/// The emoji of a short name like `:tada:`, in any case; the colon at its end may be left out.
pub fn emoji_named(name: &str) -> Option<&'static str> {
    let name = name.trim_matches(':').to_lowercase();
    EMOJI.lines().find_map(|line| {
        let (known, rest) = line.split_once('\t')?;
        let (emoji, _) = rest.split_once('\t')?;
        (known == name).then_some(emoji)
    })
}

/// The emoji whose short names begin like one that is being written, which has a colon in front.
pub fn emoji_like(written: &str) -> Vec<Offer> {
    let stem = written.strip_prefix(':').map(str::to_lowercase);
    stem.map_or_else(Vec::new, |stem| emoji(&stem))
}

/// Emoji by the short names that people know from elsewhere. One letter would offer something with every `:D`.
fn emoji(stem: &str) -> Vec<Offer> {
    if stem.chars().count() < 2 {
        return Vec::new();
    }
    let stem = stem.trim_end_matches(':');
    let fitting = EMOJI.lines().filter(|line| line.starts_with(stem));
    let mut fitting: Vec<(&str, Offer)> = fitting
        .filter_map(|line| {
            let (name, rest) = line.split_once('\t')?;
            let (emoji, shows) = rest.split_once('\t')?;
            let (text, about) = (emoji.to_owned(), format!(":{name}: {shows}"));
            Some((name, Offer { text, about }))
        })
        .collect();
    // The shorter a name, the more of it was written; of several names of one emoji that is the one.
    fitting.sort_by_key(|(name, _)| name.len());
    let mut offers: Vec<Offer> = Vec::new();
    for (_, offer) in fitting {
        if offers.len() < MOST && offers.iter().all(|known| known.text != offer.text) {
            offers.push(offer);
        }
    }
    offers
}

/// Where we know somebody from, the nearest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// This room.
    Here,
    Conversation,
    /// Another room.
    Elsewhere,
}

/// People in some places whose names begin so, with a sign before each name.
fn people(state: &State, stem: &str, sign: &str, is_wanted: impl Fn(Place) -> bool) -> Vec<Offer> {
    let s = state.strings;
    let here = state.current().into_iter();
    let here = here.flat_map(|room| room.roster.people());
    let here = here.map(|it| (it.id, it.name.as_str(), Place::Here));
    let peers = state.rooms.iter().filter_map(|it| it.info.peer.as_ref());
    let peers = peers.map(|it| (it.id, it.name.as_str(), Place::Conversation));
    let elsewhere = state.rooms.iter().flat_map(|room| room.roster.people());
    let elsewhere = elsewhere.map(|it| (it.id, it.name.as_str(), Place::Elsewhere));
    let mut known = HashSet::new();
    let mut offers: Vec<Offer> = Vec::new();
    for (id, name, place) in here.chain(peers).chain(elsewhere) {
        // One more than is shown: what is written already is none of them.
        if offers.len() > MOST {
            break;
        }
        let fits = name.to_lowercase().starts_with(stem) && !state.is_me(id);
        if fits && known.insert(name) && is_wanted(place) {
            let about = match place {
                Place::Here => s.in_this_room,
                Place::Conversation => s.private_conversation,
                Place::Elsewhere => s.in_another_room,
            };
            offers.push(Offer {
                text: format!("{sign}{name}"),
                about: about.into(),
            });
        }
    }
    offers
}

/// What could follow a command: a room, a person, a theme, or a setting and its value.
fn arguments(state: &State, before: &str, word: &str) -> Option<Popup> {
    let (command, given) = first_word(before.strip_prefix('/')?);
    let stem = word.to_lowercase();
    let plain = |text: String, about: &str| Offer {
        text,
        about: about.to_owned(),
    };
    let offers = match command::find(command)?.name {
        Name::Set if !given.is_empty() => {
            let values = Setting::of(given)?.values(state).into_iter();
            let fitting = values.filter(|value| value.to_lowercase().starts_with(&stem));
            fitting.map(|value| plain(value, "")).collect()
        }
        // The others take one word.
        _ if !given.is_empty() => return None,
        Name::Join | Name::Leave => rooms(state, stem.trim_start_matches('#')),
        Name::Theme => {
            let themes = state.themes.iter();
            let fitting = themes.filter(|theme| theme.starts_with(&stem));
            fitting.map(|theme| plain(theme.clone(), "")).collect()
        }
        Name::Set => {
            let settings = Setting::ALL.into_iter();
            let fitting = settings.filter(|(name, _)| name.starts_with(&stem));
            let of = |(name, setting): (&str, Setting)| {
                plain(name.to_owned(), (state.strings.settings)(setting))
            };
            fitting.map(of).collect()
        }
        name => person(state, name, &stem)?,
    };
    popup(offers, word)
}

/// The people a command can be about; nothing for a command that is not about somebody.
fn person(state: &State, name: Name, stem: &str) -> Option<Vec<Offer>> {
    // The name may be written as a mention.
    let (sign, stem) = match stem.strip_prefix('@') {
        Some(stem) => ("@", stem),
        None => ("", stem),
    };
    let is_wanted: fn(Place) -> bool = match name {
        Name::Op | Name::Deop | Name::Kick | Name::Mute | Name::Unmute => {
            |place| place == Place::Here
        }
        Name::Invite => |place| place != Place::Here,
        Name::Ban | Name::Unban | Name::Msg | Name::Whois | Name::Ignore => |_| true,
        Name::Unignore => {
            let ignored = state.settings.ignored.iter();
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

/// Rooms we are in, those we are invited to, then the others there are.
fn rooms(state: &State, stem: &str) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    let ours = state
        .rooms
        .iter()
        .filter(|room| !room.is_conversation())
        .map(|room| &room.info);
    let invited = state.invitations.iter().map(|it| &it.room);
    for room in ours.chain(invited).chain(&state.directory) {
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
