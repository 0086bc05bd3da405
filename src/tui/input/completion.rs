//! Completions: the popup with what could follow at the cursor, and emoji by their short names.

/// What is offered, most.
pub const MOST: usize = 8;

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

/// A text without its last word, and that word.
pub fn last_word(text: &str) -> (&str, &str) {
    let start = text.rfind(char::is_whitespace).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    text.split_at(start)
}

/// The first of the offers for a word; a word that is complete already needs no offer of itself.
pub fn popup(mut offers: Vec<Offer>, word: &str) -> Option<Popup> {
    offers.retain(|offer| offer.text != word);
    offers.truncate(MOST);
    (!offers.is_empty()).then_some(Popup {
        offers,
        chosen: None,
        replaces: word.len(),
    })
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
