//! Completions: the popup with suggestions for the word before the cursor, and the lookup of emoji by short name.

/// The maximum number of completions that are offered.
pub const OFFER_LIMIT: usize = 8;

/// The completions shown above the composer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Popup {
    pub offers: Vec<Offer>,
    /// The selected completion. There is none until the user moves to one, so that Enter still sends the message.
    pub chosen: Option<usize>,
    /// The number of bytes before the cursor that a completion replaces.
    pub replaces: usize,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offer {
    /// The text for the composer, without the space after it.
    pub text: String,
    /// A short description.
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

    /// The completion that Tab inserts: the selected one, or else the first.
    pub fn offer(&self) -> Option<&Offer> {
        self.offers.get(self.chosen.unwrap_or(0))
    }
}

/// Splits off the last word of a text.
pub fn last_word(text: &str) -> (&str, &str) {
    let start = text.rfind(char::is_whitespace).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    text.split_at(start)
}

/// The popup with at most [`OFFER_LIMIT`] of the offers. The word itself is not offered. `None` if nothing is left.
pub fn popup(mut offers: Vec<Offer>, word: &str) -> Option<Popup> {
    offers.retain(|offer| offer.text != word);
    offers.truncate(OFFER_LIMIT);
    (!offers.is_empty()).then_some(Popup {
        offers,
        chosen: None,
        replaces: word.len(),
    })
}

/// One line per short name: the name, the emoji and its description, separated by tabs.
const EMOJI: &str = include_str!(concat!(env!("OUT_DIR"), "/emoji.txt"));

/// The emoji of a short name like `:tada:`, ignoring case. The colons may be left out.
pub fn emoji_named(name: &str) -> Option<&'static str> {
    let name = name.trim_matches(':').to_lowercase();
    EMOJI.lines().find_map(|line| {
        let (known, rest) = line.split_once('\t')?;
        let (emoji, _) = rest.split_once('\t')?;
        (known == name).then_some(emoji)
    })
}

/// The emoji whose short names begin with the written text, which must start with a colon.
pub fn emoji_like(written: &str) -> Vec<Offer> {
    let stem = written.strip_prefix(':').map(str::to_lowercase);
    stem.map_or_else(Vec::new, |stem| emoji(&stem))
}

/// The emoji whose short names begin with `stem`. At least two letters are needed, so that `:D` opens no popup.
pub fn emoji(stem: &str) -> Vec<Offer> {
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
    // The shortest name is the closest match. An emoji with several matching names is offered once, by its shortest.
    fitting.sort_by_key(|(name, _)| name.len());
    let mut offers: Vec<Offer> = Vec::new();
    for (_, offer) in fitting {
        if offers.len() < OFFER_LIMIT && offers.iter().all(|known| known.text != offer.text) {
            offers.push(offer);
        }
    }
    offers
}
