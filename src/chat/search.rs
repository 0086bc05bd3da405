//! A message search and its results.

use super::{Entry, RoomId};

/// A search. It finds the entries that meet all of its conditions, or every message if it has none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    /// Each phrase must be in the text, with its words next to each other.
    pub phrases: Vec<String>,
    /// Whether the last word may match just the beginning of a word, if there are fewer results than the limit.
    pub is_prefix: bool,
    /// Names of authors: the author has one of them now, or had it when writing. Empty: any author.
    pub from: Vec<String>,
    /// The rooms to search. Empty: all rooms of the caller.
    pub rooms: Vec<RoomId>,
    /// Written at this time or later, in Unix milliseconds.
    pub since_ms: u64,
    /// Written before this time, in Unix milliseconds; [`u64::MAX`]: no limit.
    pub before_ms: u64,
    pub has: Vec<Has>,
}

impl Search {
    /// The maximum numbers of phrases, names and rooms in a search, and of characters in a phrase or name.
    pub const PHRASES: usize = 16;
    pub const NAMES: usize = 8;
    pub const ROOMS: usize = 256;
    pub const PHRASE: usize = 256;
    /// The minimum length, in characters, of a word that may match just the beginning of a word.
    pub const PREFIX_MIN: usize = 3;
    /// The maximum number of results of a search.
    pub const RESULT_LIMIT: usize = 100;
}

impl Default for Search {
    fn default() -> Self {
        Self {
            phrases: Vec::new(),
            is_prefix: false,
            from: Vec::new(),
            rooms: Vec::new(),
            since_ms: 0,
            before_ms: u64::MAX,
            has: Vec::new(),
        }
    }
}

/// What an entry may have besides words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Has {
    Link,
    Code,
    /// It mentions the person who searches, or everyone.
    Mention,
    Reaction,
    /// It replies to another entry.
    Reply,
}

impl Has {
    pub const ALL: [(&'static str, Self); 5] = [
        ("link", Self::Link),
        ("code", Self::Code),
        ("mention", Self::Mention),
        ("reaction", Self::Reaction),
        ("reply", Self::Reply),
    ];
}

/// The results of a search, newest first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct SearchResults {
    pub entries: Vec<Entry>,
    /// Whether there may be older results: as many were found as were asked for.
    pub has_more: bool,
    /// Whether some entries could not be searched, so some results may be missing.
    pub is_partial: bool,
}
