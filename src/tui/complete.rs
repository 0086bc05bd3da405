//! Completion of `@names`, `/commands`, `#rooms` and `:emoji`: what could stand where the cursor is, and what each one is.

use super::command::COMMANDS;
use super::settings::Setting;
use super::state::State;

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
    let before = composer.before();
    let start = before.rfind(char::is_whitespace).map_or(0, |at| {
        at + before[at..].chars().next().map_or(1, char::len_utf8)
    });
    let word = &before[start..];
    let begins_text = start == 0 && composer.is_in_first_line();
    if composer.is_in_first_line()
        && let Some(popup) = arguments(state, before, start, word)
    {
        return Some(popup);
    }
    let (sign, stem) = word.split_at_checked(1)?;
    let stem = stem.to_lowercase();
    let offers = match sign {
        "/" if begins_text => commands(state, &stem),
        "@" => people(state, &stem),
        "#" => rooms(state, &stem),
        ":" => emoji(&stem),
        _ => return None,
    };
    popup(offers, word)
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
    let fitting = COMMANDS.iter().filter(|known| known.word.starts_with(stem));
    fitting
        .map(|known| Offer {
            text: format!("/{}", known.word),
            about: state.strings.command(known.name).about.into(),
        })
        .collect()
}

/// A line for each short name: the name, the emoji, and what it shows.
const EMOJI: &str = include_str!(concat!(env!("OUT_DIR"), "/emoji.txt"));

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

fn people(state: &State, stem: &str) -> Vec<Offer> {
    let s = state.strings;
    let mut offers: Vec<Offer> = Vec::new();
    let mut offer = |name: &str, about: &str| {
        let text = format!("@{name}");
        // One more than is shown: what is written already is none of them.
        let is_wanted = offers.len() <= MOST && name.to_lowercase().starts_with(stem);
        if is_wanted && !offers.iter().any(|known| known.text == text) {
            offers.push(Offer {
                text,
                about: about.into(),
            });
        }
    };
    let here = state
        .current()
        .into_iter()
        .flat_map(|room| room.roster.people());
    here.filter(|person| !state.is_me(person.id))
        .for_each(|person| offer(&person.name, s.in_this_room));
    let peers = state
        .rooms
        .iter()
        .filter_map(|room| room.info.peer.as_ref());
    peers.for_each(|peer| offer(&peer.name, s.private_conversation));
    let elsewhere = state.rooms.iter().flat_map(|room| room.roster.people());
    elsewhere
        .filter(|person| !state.is_me(person.id))
        .for_each(|person| offer(&person.name, s.in_another_room));
    offers
}

/// What could follow `/join`, `/leave`, `/theme` and `/set`.
fn arguments(state: &State, before: &str, start: usize, word: &str) -> Option<Popup> {
    let command = before[..start].trim_end();
    let stem = word.trim_start_matches('#').to_lowercase();
    let offers = match command {
        "/join" | "/leave" => rooms(state, &stem),
        "/theme" => {
            let fitting = state.themes.iter().filter(|theme| theme.starts_with(&stem));
            fitting
                .map(|theme| Offer {
                    text: theme.clone(),
                    about: String::new(),
                })
                .collect()
        }
        "/set" => {
            let fitting = Setting::ALL
                .iter()
                .filter(|(name, _)| name.starts_with(&stem));
            let of = |(name, setting): &(&str, Setting)| Offer {
                text: (*name).to_owned(),
                about: (state.strings.settings)(*setting).to_owned(),
            };
            fitting.map(of).collect()
        }
        _ => {
            let setting = Setting::of(command.strip_prefix("/set ")?.trim())?;
            let values = setting.values(state).into_iter();
            let fitting = values.filter(|value| value.to_lowercase().starts_with(&stem));
            let offer = |text| Offer {
                text,
                about: String::new(),
            };
            fitting.map(offer).collect()
        }
    };
    popup(offers, word)
}

/// Rooms we are in, then the others there are.
fn rooms(state: &State, stem: &str) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    let ours = state
        .rooms
        .iter()
        .filter(|room| !room.is_conversation())
        .map(|room| &room.info);
    for room in ours.chain(&state.directory) {
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
