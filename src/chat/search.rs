//! A search: what it looks for, and what it found.

use super::{Entry, RoomId};

/// A search. An entry is meant that has all of it; without anything everything is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Search {
    /// Words that follow each other in the text, each of these somewhere.
    pub phrases: Vec<String>,
    /// Whether, where less is found than may be, the last word may be only the beginning of one.
    pub is_open: bool,
    /// Said by somebody who bears one of these names, or bore it then; by anybody if there is none.
    pub from: Vec<String>,
    /// Said in one of these rooms; in any of the caller's if there is none.
    pub rooms: Vec<RoomId>,
    /// Not said before this time, Unix milliseconds.
    pub since_ms: u64,
    /// Said before this time; [`u64::MAX`]: whenever.
    pub before_ms: u64,
    pub has: Vec<Has>,
}

impl Search {
    /// Phrases, names and rooms of one search, and characters of a phrase or name.
    pub const PHRASES: usize = 16;
    pub const NAMES: usize = 8;
    pub const ROOMS: usize = 256;
    pub const PHRASE: usize = 256;
    /// Characters of the shortest word that may be the beginning of one.
    pub const OPEN: usize = 3;
    /// Entries that one search answers with.
    pub const FOUND: usize = 100;
}

impl Default for Search {
    fn default() -> Self {
        Self {
            phrases: Vec::new(),
            is_open: false,
            from: Vec::new(),
            rooms: Vec::new(),
            since_ms: 0,
            before_ms: u64::MAX,
            has: Vec::new(),
        }
    }
}

/// What an entry may have beside words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Has {
    Link,
    Code,
    /// It calls the one who looks.
    Mention,
    Reaction,
    /// It answers another.
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

/// What was found, the newest first.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Found {
    pub entries: Vec<Entry>,
    /// Whether there may be more that is older: as many were found as were asked for.
    pub has_more: bool,
    /// Whether not everything could be looked at, so that there may be more anywhere.
    pub is_partial: bool,
}
