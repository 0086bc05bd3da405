//! Search: splits a text into words that can be compared, and decides whether an entry matches.
//!
//! Each Han, kana or Hangul character is a word of its own, so that a word of one or two of them is found anywhere in a text. A phrase
//! is a sequence of words. This module knows nothing about how entries are stored.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::chat::{Body, Entry, Has, IdentityId, Search};

/// A word of a text, and its range in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// Letters and digits only, in the form for comparison: NFKC, lower case, without accents.
    pub word: String,
    pub range: Range<usize>,
}

/// Returns the words of a text, in order.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut open: Option<Token> = None;
    let mut rest = text.char_indices().peekable();
    let mut folded = String::new();
    while let Some((at, c)) = rest.next() {
        let mut end = at + c.len_utf8();
        folded.clear();
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
        } else {
            while let Some((next, mark)) = rest.next_if(|(_, c)| joins_previous(*c)) {
                end = next + mark.len_utf8();
            }
            fold(&text[at..end], &mut folded);
        }
        for c in folded.chars() {
            let place = at..end;
            if !c.is_alphanumeric() {
                tokens.extend(open.take());
            } else if is_word_by_itself(c) {
                tokens.extend(open.take());
                tokens.push(Token {
                    word: c.to_string(),
                    range: place,
                });
            } else {
                let token = open.get_or_insert_with(|| Token {
                    word: String::new(),
                    range: place.clone(),
                });
                token.word.push(c);
                token.range.end = end;
            }
        }
    }
    tokens.extend(open);
    tokens
}

/// Returns a name in the form for comparison.
pub fn folded(name: &str) -> String {
    name.nfkc().flat_map(char::to_lowercase).collect()
}

fn fold(cluster: &str, into: &mut String) {
    for c in cluster.nfkc().flat_map(char::to_lowercase) {
        // Latin, Greek and Cyrillic letters lose their accents. The voice marks of kana make different letters, so they stay.
        if matches!(c, '\u{c0}'..='\u{52f}' | '\u{1e00}'..='\u{1fff}') {
            into.extend(c.nfd().filter(|c| !is_combining_mark(*c)));
        } else {
            into.push(c);
        }
    }
}

fn joins_previous(c: char) -> bool {
    let is_jamo = matches!(c, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7fb}');
    let is_half_voice_mark = matches!(c, '\u{ff9e}' | '\u{ff9f}');
    !c.is_ascii() && (is_combining_mark(c) || is_jamo || is_half_voice_mark)
}

/// Whether a character is a word of its own, as in scripts without spaces between words. Hangul characters are as well, because
/// Korean words include their endings.
fn is_word_by_itself(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
        | '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7a3}')
}

/// A search, prepared for comparison with entries.
#[derive(Clone, Debug)]
pub struct Finder {
    /// Each phrase as the words that must follow each other.
    phrases: Vec<Vec<String>>,
    is_prefix: bool,
    names: Vec<String>,
    authors: Vec<IdentityId>,
    me: IdentityId,
    since_ms: u64,
    before_ms: u64,
    has: Vec<Has>,
}

impl Finder {
    /// Prepares a search by `me`; `authors` are the people with the names in `search.from`. Phrases without letters are ignored.
    pub fn new(search: &Search, me: IdentityId, authors: Vec<IdentityId>) -> Self {
        let phrases = search.phrases.iter().map(|phrase| {
            let tokens = tokens(phrase).into_iter();
            tokens.map(|token| token.word).collect::<Vec<_>>()
        });
        Self {
            phrases: phrases.filter(|phrase| !phrase.is_empty()).collect(),
            is_prefix: false,
            names: search.from.iter().map(|name| folded(name)).collect(),
            authors,
            me,
            since_ms: search.since_ms,
            before_ms: search.before_ms,
            has: search.has.clone(),
        }
    }

    /// Returns the search with its last word treated as the beginning of a word; `None` if that is too short.
    pub fn as_prefix_search(&self) -> Option<Self> {
        let last = self.phrases.last()?.last()?;
        (last.chars().count() >= Search::PREFIX_MIN).then(|| Self {
            is_prefix: true,
            ..self.clone()
        })
    }

    pub fn phrases(&self) -> &[Vec<String>] {
        &self.phrases
    }

    pub fn is_prefix(&self) -> bool {
        self.is_prefix
    }

    /// Returns the names of possible authors, in the form for comparison.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn authors(&self) -> &[IdentityId] {
        &self.authors
    }

    /// Whether an entry matches.
    pub fn matches(&self, entry: &Entry) -> bool {
        self.may_match(entry) && self.has.iter().all(|what| self.has(entry, *what))
    }

    /// Whether an entry matches, apart from its mentions and reactions, which are not checked. The text is compared last, because that
    /// takes longest.
    pub fn may_match(&self, entry: &Entry) -> bool {
        let body_matches = |what: &Has| match what {
            Has::Mention | Has::Reaction => true,
            what => has(&entry.body, *what),
        };
        entry.body.is_message()
            && (self.since_ms..self.before_ms).contains(&entry.at_ms)
            && self.is_from(entry)
            && self.has.iter().all(body_matches)
            && self.match_ranges(entry.body.text()).is_some()
    }

    fn has(&self, entry: &Entry, what: Has) -> bool {
        match what {
            Has::Mention => entry.mentions(self.me),
            Has::Reaction => {
                let amended = entry.amended.as_deref();
                amended.is_some_and(|amended| !amended.reactions.is_empty())
            }
            Has::Link | Has::Code | Has::Reply => has(&entry.body, what),
        }
    }

    fn is_from(&self, entry: &Entry) -> bool {
        self.names.is_empty()
            || self.authors.contains(&entry.author.id)
            || self.names.contains(&folded(&entry.author.name))
    }

    /// Returns the byte ranges of the phrases in a text, ascending; `None` if a phrase is missing.
    pub fn match_ranges(&self, text: &str) -> Option<Vec<Range<usize>>> {
        self.find_ranges(text, Wanted::All)
    }

    /// The ranges of each phrase in a text, whether the others occur or not.
    pub fn any_match_ranges(&self, text: &str) -> Vec<Range<usize>> {
        self.find_ranges(text, Wanted::Any).unwrap_or_default()
    }

    fn find_ranges(&self, text: &str, wanted: Wanted) -> Option<Vec<Range<usize>>> {
        if self.phrases.is_empty() {
            return Some(Vec::new());
        }
        let tokens = tokens(text);
        let mut places = Vec::new();
        for (n, phrase) in self.phrases.iter().enumerate() {
            let is_open = self.is_prefix && n + 1 == self.phrases.len();
            let found = tokens.windows(phrase.len()).filter(|window| {
                let (last, first) = (phrase.len() - 1, window.iter().zip(phrase));
                first.enumerate().all(|(n, (token, word))| {
                    token.word == *word || (is_open && n == last && token.word.starts_with(word))
                })
            });
            let before = places.len();
            places.extend(
                found.filter_map(|window| {
                    Some(window.first()?.range.start..window.last()?.range.end)
                }),
            );
            if places.len() == before && wanted == Wanted::All {
                return None;
            }
        }
        places.sort_by_key(|place| (place.start, place.end));
        Some(places)
    }
}

/// Which phrases must be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    Any,
}

/// Whether a body itself has a link, code or a reply. Mentions and reactions are not in the body, so for them the answer is always no.
pub fn has(body: &Body, what: Has) -> bool {
    let text = body.text();
    match what {
        Has::Link => ["http://", "https://"].iter().any(|it| text.contains(it)),
        Has::Code => text.split('`').count() > 2,
        Has::Reply => matches!(body, Body::Reply { .. }),
        Has::Mention | Has::Reaction => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.word).collect()
    }

    #[test]
    fn a_text_is_compared_by_its_words() {
        let cases: [(&str, &[&str]); 12] = [
            ("Hello, World!", &["hello", "world"]),
            ("foo_bar-baz v1.2", &["foo", "bar", "baz", "v1", "2"]),
            ("Crème brûlée ÅNGSTRÖM", &["creme", "brulee", "angstrom"]),
            ("cre\u{300}me", &["creme"]),
            ("ｆｕｌｌ　ｗｉｄｔｈ１", &["full", "width1"]),
            ("关键消息 ok了", &["关", "键", "消", "息", "ok", "了"]),
            ("がか ガ ｶﾞ", &["が", "か", "ガ", "ガ"]),
            ("한국 \u{1112}\u{1161}\u{11ab}", &["한", "국", "한"]),
            ("Straße ΣΊΣΥΦΟΣ", &["straße", "σισυφοσ"]),
            ("привет Ёлка", &["привет", "елка"]),
            ("👋🏽 \u{200d} ```", &[]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text), expected, "{text:?}");
        }
    }

    fn search(phrases: &[&str]) -> Search {
        Search {
            phrases: phrases.iter().map(|&it| it.to_owned()).collect(),
            ..Search::default()
        }
    }

    fn found<'a>(phrases: &[&str], is_open: bool, text: &'a str) -> Option<Vec<&'a str>> {
        let closed = Finder::new(&search(phrases), IdentityId::NOBODY, Vec::new());
        let finder = if is_open {
            closed.as_prefix_search()?
        } else {
            closed
        };
        let places = finder.match_ranges(text)?;
        Some(places.into_iter().map(|place| &text[place]).collect())
    }

    #[test]
    fn phrases_are_found_where_their_words_follow_each_other() {
        let text = "The Büild of 关键消息 is green, the build stays";
        assert_eq!(found(&["build"], false, text).unwrap(), ["Büild", "build"]);
        assert_eq!(found(&["关键"], false, text).unwrap(), ["关键"]);
        assert_eq!(found(&["键"], false, text).unwrap(), ["键"]);
        assert_eq!(found(&["关消"], false, text), None);
        assert_eq!(found(&["is green"], false, text).unwrap(), ["is green"]);
        assert_eq!(found(&["green is"], false, text), None);
        let both = found(&["stays", "green"], false, text);
        assert_eq!(both.unwrap(), ["green", "stays"]);
        assert_eq!(found(&["bui"], false, text), None);
        assert_eq!(found(&["bui"], true, text).unwrap(), ["Büild", "build"]);
        assert_eq!(
            found(&["bu"], true, text),
            None,
            "too short for a prefix search"
        );
        assert_eq!(found(&["!!"], false, text).unwrap(), Vec::<&str>::new());
    }
}
