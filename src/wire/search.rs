//! Converts searches to and from messages.

use super::parts::{Malformed, room_id};
use super::proto;
use super::proto::search_request::Has as Number;
use crate::chat::{Has, Search};

/// Converts a search to a message.
pub fn search_to(search: &Search, limit: u32) -> proto::SearchRequest {
    let rooms = search.rooms.iter().map(|room| room.bytes().to_vec());
    proto::SearchRequest {
        phrases: search.phrases.clone(),
        open: search.is_prefix,
        from: search.from.clone(),
        rooms: rooms.collect(),
        since_ms: search.since_ms,
        before_ms: match search.before_ms {
            u64::MAX => 0,
            before => before,
        },
        has: search
            .has
            .iter()
            .map(|what| has_number(*what) as i32)
            .collect(),
        limit,
    }
}

/// Converts a message to a search.
///
/// # Errors
/// A field exceeds its limit or has an unknown value; the error names it.
pub fn search_from(message: proto::SearchRequest) -> Result<Search, Malformed> {
    let fits = |all: &[String], most: usize| {
        let short = |one: &String| one.chars().count() <= Search::PHRASE;
        all.len() <= most && all.iter().all(short)
    };
    if !fits(&message.phrases, Search::PHRASES) {
        return Err(Malformed("phrases"));
    }
    if !fits(&message.from, Search::NAMES) {
        return Err(Malformed("from"));
    }
    if message.rooms.len() > Search::ROOMS {
        return Err(Malformed("rooms"));
    }
    let mut has = Vec::new();
    for what in message.has {
        // Ignoring an unknown condition would find entries that were not asked for.
        let known = Has::ALL.iter().map(|(_, known)| *known);
        let found = known.into_iter().find(|it| has_number(*it) as i32 == what);
        let what = found.ok_or(Malformed("has"))?;
        if !has.contains(&what) {
            has.push(what);
        }
    }
    Ok(Search {
        phrases: message.phrases,
        is_prefix: message.open,
        from: message.from,
        rooms: message
            .rooms
            .iter()
            .map(|room| room_id(room))
            .collect::<Result<_, _>>()?,
        since_ms: message.since_ms,
        before_ms: match message.before_ms {
            0 => u64::MAX,
            before => before,
        },
        has,
    })
}

const fn has_number(has: Has) -> Number {
    match has {
        Has::Link => Number::Link,
        Has::Code => Number::Code,
        Has::Mention => Number::Mention,
        Has::Reaction => Number::Reaction,
        Has::Reply => Number::Reply,
    }
}
