//! Search: parses the query, merges local results with those of the server, and steps from result to result. Pure.

use std::ops::Range;

use jiff::Zoned;
use jiff::civil::Date;

use crate::chat::{Entry, Has, IdentityId, RoomId, Search, SearchResults, Seq};
use crate::text::{self, Finder};
use crate::tui::input::command;
use crate::tui::strings::{Strings, fill};

/// The filters, which are written before a colon.
const FILTERS: [&str; 5] = ["from", "in", "before", "after", "has"];

/// Why a query is invalid.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueryError {
    NoSuchRoom(String),
    InvalidDate(String),
    UnknownHas(String),
    /// The query has only punctuation and no word.
    NoWords,
}

/// What is needed to parse a query.
#[derive(Debug)]
pub struct QueryContext<'a> {
    /// Our rooms and conversations with the names they are shown under, without `#` or `@`.
    pub rooms: Vec<(RoomId, String)>,
    pub me: &'a str,
    pub now: Zoned,
}

/// Parses a query: words, "phrases", and the filters `from:`, `in:`, `before:`, `after:` and `has:` with a value. A filter without a
/// value is ignored, because it is still being typed.
///
/// # Errors
/// A filter has an unknown value, or there are phrases and none of them contains a word.
pub fn parse(text: &str, known: &QueryContext<'_>) -> Result<Search, QueryError> {
    let mut search = Search::default();
    let mut is_open = false;
    for piece in query_parts(text) {
        is_open = false;
        let (filter, value) = match piece.filter {
            Some(_) if piece.value.is_empty() => continue,
            Some(filter) => (filter, piece.value),
            None => {
                is_open = !piece.is_quoted;
                search.phrases.push(piece.value);
                continue;
            }
        };
        match filter {
            "from" => {
                let name = value.trim_start_matches('@');
                let name = if name == "me" { known.me } else { name };
                search.from.push(name.to_owned());
            }
            "in" => search.rooms.extend(rooms(&value, known)?),
            "before" => search.before_ms = search.before_ms.min(day(&value, known)?),
            "after" => search.since_ms = search.since_ms.max(day(&value, known)?),
            _ => {
                let all = Has::ALL.iter().find(|(word, _)| *word == value);
                let (_, what) = all.ok_or(QueryError::UnknownHas(value))?;
                search.has.push(*what);
            }
        }
    }
    search.is_prefix = is_open && !text.ends_with(char::is_whitespace);
    let has_word = |phrase: &String| !text::tokens(phrase).is_empty();
    if !search.phrases.is_empty() && !search.phrases.iter().any(has_word) {
        return Err(QueryError::NoWords);
    }
    search.phrases.truncate(Search::PHRASES);
    search.from.truncate(Search::NAMES);
    Ok(search)
}

struct QueryPart<'a> {
    filter: Option<&'a str>,
    value: String,
    is_quoted: bool,
}

/// Splits a query at spaces outside quotes.
fn query_parts(text: &str) -> Vec<QueryPart<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let colon = rest.find([':', '：']);
        let filter = colon.and_then(|colon| {
            FILTERS
                .iter()
                .copied()
                .find(|it| *it == rest[..colon].to_lowercase())
        });
        if filter.is_some()
            && let Some((_, value)) = rest.split_once([':', '：'])
        {
            rest = value;
        }
        let quote = rest.chars().next().filter(|c| "\"“".contains(*c));
        let (value, after) = match quote {
            Some(quote) => {
                let inner = &rest[quote.len_utf8()..];
                inner.split_once(['"', '”']).unwrap_or((inner, ""))
            }
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        if filter.is_some() || !value.trim().is_empty() {
            pieces.push(QueryPart {
                filter,
                value: value.trim().to_owned(),
                is_quoted: quote.is_some(),
            });
        }
        rest = after.trim_start();
    }
    pieces
}

/// The room with this name, or else the rooms whose names begin with it.
fn rooms(name: &str, known: &QueryContext<'_>) -> Result<Vec<RoomId>, QueryError> {
    let wanted = text::folded(name.trim_start_matches(['#', '@']));
    let all = known
        .rooms
        .iter()
        .map(|(id, name)| (*id, text::folded(name)));
    let all: Vec<(RoomId, String)> = all.collect();
    let of = |is: &dyn Fn(&str) -> bool| -> Vec<RoomId> {
        let of = all.iter().filter(|(_, name)| is(name));
        of.map(|(id, _)| *id).collect()
    };
    let exact = of(&|name| name == wanted);
    let found = if exact.is_empty() {
        of(&|name| name.starts_with(&wanted))
    } else {
        exact
    };
    if found.is_empty() {
        return Err(QueryError::NoSuchRoom(name.to_owned()));
    }
    Ok(found)
}

/// The time of a date filter, in Unix milliseconds: the start of a day (`2026-11-19`, `today`, `yesterday`), or a time before now
/// (`3d`, `2h`).
fn day(value: &str, known: &QueryContext<'_>) -> Result<u64, QueryError> {
    let today = known.now.date();
    let back = |days: i64| today.checked_sub(jiff::Span::new().try_days(days)?);
    let date = match value {
        "today" | "今天" => Ok(today),
        "yesterday" | "昨天" => back(1),
        "前天" => back(2),
        _ => value.parse::<Date>(),
    };
    let at = match (date, command::parse_duration(value)) {
        (Ok(date), _) => date.to_zoned(known.now.time_zone().clone()).ok(),
        (_, Some(before)) => known.now.checked_sub(before).ok(),
        _ => None,
    };
    let at = at.and_then(|at| u64::try_from(at.timestamp().as_millisecond()).ok());
    at.ok_or_else(|| QueryError::InvalidDate(value.to_owned()))
}

/// A search and its results, from this device and from the server.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// The number of the search. Later searches have higher numbers.
    pub id: u64,
    pub search: Search,
    pub problem: Option<QueryError>,
    /// Finds the query in a text. While the last word is being typed, it also matches the beginning of a word.
    finder: Option<Finder>,
    local: Vec<Entry>,
    remote: Option<SearchResults>,
    /// Whether the request to the server is unanswered.
    pub is_waiting: bool,
    /// Whether the server could not be reached, so that all results are local.
    pub is_offline: bool,
}

impl Hits {
    /// A new search without results.
    pub fn new(id: u64, understood: Result<Search, QueryError>) -> Self {
        let (search, problem) = match understood {
            Ok(search) => (search, None),
            Err(problem) => (Search::default(), Some(problem)),
        };
        let finder = Finder::new(&search, IdentityId::NOBODY, Vec::new());
        let open = finder.as_prefix_search().filter(|_| search.is_prefix);
        Self {
            id,
            search,
            problem,
            finder: Some(open.unwrap_or(finder)),
            ..Self::default()
        }
    }

    /// Whether there is nothing to search for: the query is empty or invalid.
    pub fn is_empty(&self) -> bool {
        self.problem.is_some()
            || self.search == Search::default()
            || self.search
                == Search {
                    is_prefix: true,
                    ..Search::default()
                }
    }

    pub fn set_local(&mut self, found: SearchResults) {
        self.local = found.entries;
    }

    pub fn set_remote(&mut self, found: Option<SearchResults>) {
        self.is_waiting = false;
        self.is_offline = found.is_none();
        self.remote = found;
    }

    /// Applies an amendment to the results.
    pub fn amend(&mut self, by: &Entry) {
        let found = self.remote.iter_mut().flat_map(|found| &mut found.entries);
        for entry in found.chain(&mut self.local) {
            if entry.room == by.room {
                let _changed = entry.amend(by);
            }
        }
    }

    /// All results, newest first.
    ///
    /// In the period that the server has searched completely, only its results count: a local copy that it did not return no longer
    /// matches.
    pub fn all(&self) -> Vec<&Entry> {
        // An edit may have removed the words that were found.
        let is_meant = |entry: &&Entry| {
            let finder = self.finder.as_ref();
            let has = |finder: &Finder| finder.match_ranges(entry.body.text()).is_some();
            entry.body.is_message() && finder.is_none_or(has)
        };
        let found = self.remote.as_ref();
        let known_from = match found {
            // A partial search has gaps anywhere, so it rules out no local copy.
            Some(found) if found.is_partial => u64::MAX,
            Some(found) if found.has_more => {
                found.entries.last().map_or(u64::MAX, |last| last.at_ms)
            }
            Some(_) => 0,
            None => u64::MAX,
        };
        let of_server = found.map_or(&[][..], |found| &found.entries);
        let is_listed = |other: &Entry| {
            of_server
                .iter()
                .any(|it| it.room == other.room && it.seq == other.seq)
        };
        let kept = self.local.iter();
        let kept = kept.filter(|it| it.at_ms < known_from && !is_listed(it));
        let mut all: Vec<&Entry> = of_server.iter().chain(kept).filter(is_meant).collect();
        all.sort_by_key(|entry| std::cmp::Reverse((entry.at_ms, entry.room, entry.seq)));
        all
    }

    /// The text shown when there are no results.
    pub fn empty_text(&self, s: &Strings) -> String {
        match &self.problem {
            Some(QueryError::NoSuchRoom(name)) => fill(s.search_no_room, &[&text::line(name)]),
            Some(QueryError::InvalidDate(value)) => fill(s.search_no_date, &[&text::line(value)]),
            Some(QueryError::UnknownHas(value)) => fill(s.search_no_has, &[&text::line(value)]),
            Some(QueryError::NoWords) => s.search_no_words.to_owned(),
            None if self.is_complete() => s.search_nothing.to_owned(),
            None => s.search_waiting.to_owned(),
        }
    }

    pub fn has_more(&self) -> bool {
        let found = self.remote.as_ref();
        found.is_some_and(|found| found.has_more || found.is_partial)
    }

    /// Whether no more results can arrive: the server has answered or cannot be reached.
    pub fn is_complete(&self) -> bool {
        self.remote.is_some() || self.is_offline
    }

    /// The byte ranges of the query's words in a text, even if not all of them are in it.
    pub fn match_ranges(&self, text: &str) -> Vec<Range<usize>> {
        let finder = self.finder.as_ref();
        finder.map_or_else(Vec::new, |finder| finder.any_match_ranges(text))
    }

    /// The text of a result as one line that begins at most `lead` columns before the first match, and the byte ranges of the matches.
    pub fn snippet(&self, entry: &Entry, lead: usize) -> (String, Vec<Range<usize>>) {
        let line = text::line(entry.body.text());
        let places = self.match_ranges(line.as_str());
        let first = places.first().map_or(0, |place| place.start);
        let (mut from, mut columns) = (first, 0);
        let before: Vec<(usize, &str, usize)> = text::clusters(&line.as_str()[..first]).collect();
        for (at, _, wide) in before.into_iter().rev() {
            columns += wide;
            if columns > lead {
                break;
            }
            from = at;
        }
        // Start at a word. If only a little would be cut, keep the whole text.
        let space = line.as_str()[from..first].find(' ').filter(|_| from > 0);
        from += space.map_or(0, |space| space + 1);
        if from <= lead / 2 {
            from = 0;
        }
        let mark = if from > 0 { "…" } else { "" };
        let moved = |at: usize| (at + mark.len()).saturating_sub(from);
        let places = places.into_iter().map(|it| moved(it.start)..moved(it.end));
        (
            format!("{mark}{}", &line.as_str()[from..]),
            places.collect(),
        )
    }
}

/// The position of a user who steps through the results of a search.
#[derive(Clone, Debug)]
pub struct ResultCursor {
    /// The query.
    pub text: String,
    pub hits: Hits,
    pub at: (RoomId, Seq),
}

impl ResultCursor {
    /// The result `by` places after the current one (before it if negative), or `None` at the end of the list.
    pub fn step(&self, all: &[&Entry], by: isize) -> Option<(RoomId, Seq)> {
        let here = all.iter().position(|it| (it.room, it.seq) == self.at)?;
        let next = all.get(here.checked_add_signed(by)?)?;
        Some((next.room, next.seq))
    }

    /// The number of the current result, counted from 1, and the number of all results.
    pub fn place(&self, all: &[&Entry]) -> (usize, usize) {
        let here = all.iter().position(|it| (it.room, it.seq) == self.at);
        (here.map_or(0, |here| here + 1), all.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(text: &str) -> Result<Search, QueryError> {
        let rooms = ["general", "tech", "tech-talk", "关键", "李四"];
        let known = QueryContext {
            rooms: (1..)
                .map(|n| RoomId::new([n; 16]))
                .zip(rooms.map(str::to_owned))
                .collect(),
            me: "ann",
            now: "2026-11-20T15:04:05+08:00[Asia/Shanghai]".parse().unwrap(),
        };
        parse(text, &known)
    }

    fn phrases(text: &str) -> Vec<String> {
        understood(text).unwrap().phrases
    }

    #[test]
    fn words_quotes_and_filters_are_parsed() {
        assert_eq!(phrases("build  green"), ["build", "green"]);
        assert_eq!(phrases("\"is green\" 关键"), ["is green", "关键"]);
        assert_eq!(phrases("“未完"), ["未完"]);
        assert_eq!(
            phrases("https://example.org a:b"),
            ["https://example.org", "a:b"]
        );
        assert_eq!(phrases("\"\"  "), Vec::<String>::new());
        let search = understood("from:@李四 FROM：me in:#tech has:link word").unwrap();
        assert_eq!(search.from, ["李四", "ann"]);
        assert_eq!(search.rooms, [RoomId::new([2; 16])]);
        assert_eq!(search.has, [Has::Link]);
        assert_eq!(search.phrases, ["word"]);
        assert!(search.is_prefix);
        assert!(!understood("word ").unwrap().is_prefix);
        assert!(!understood("\"word\"").unwrap().is_prefix);
        assert!(!understood("word in:tech").unwrap().is_prefix);
        assert_eq!(
            understood("in:te").unwrap().rooms.len(),
            2,
            "the beginning of a name"
        );
        assert_eq!(understood("in:@李四").unwrap().rooms.len(), 1);
        assert_eq!(understood("from: in: has: before:"), Ok(Search::default()));
    }

    #[test]
    fn days_begin_at_midnight_in_the_readers_time_zone() {
        let day = |text: &str| understood(text).unwrap();
        let at = |time: &str| {
            let at: jiff::Timestamp = time.parse().unwrap();
            u64::try_from(at.as_millisecond()).unwrap()
        };
        assert_eq!(day("after:2026-11-19").since_ms, at("2026-11-18T16:00:00Z"));
        assert_eq!(day("before:today").before_ms, at("2026-11-19T16:00:00Z"));
        assert_eq!(day("after:昨天").since_ms, at("2026-11-18T16:00:00Z"));
        assert_eq!(day("after:2h").since_ms, at("2026-11-20T05:04:05Z"));
        for (text, problem) in [
            ("before:soon", QueryError::InvalidDate("soon".into())),
            ("in:nowhere", QueryError::NoSuchRoom("nowhere".into())),
            ("has:wings", QueryError::UnknownHas("wings".into())),
        ] {
            assert_eq!(understood(text), Err(problem));
        }
    }
}
