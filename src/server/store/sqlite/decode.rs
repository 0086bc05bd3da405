//! Decoding of stored values that the disk may have damaged.
//!
//! SQLite checks its pages, not the values in them. One changed byte can make a text invalid UTF-8, or an id one byte too short. Such a
//! value is read as far as possible and never fails the query: otherwise one bad value would stop the server at every start. Errors of
//! SQLite itself, such as a damaged page, remain errors. `verify` reports what is damaged.

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::encode::ERASED;
use crate::chat::{
    Amended, Author, Body, ClientId, Digest, Entry, Epoch, IdentityId, InstanceId, RoomId, Seq,
};

/// Reads a text. Bytes that are not UTF-8 become U+FFFD.
pub fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        _ => String::new(),
    })
}

/// Reads a text, or `None` if it is damaged.
pub fn valid_text(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<String>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(bytes) => str::from_utf8(bytes).ok().map(str::to_owned),
        _ => None,
    })
}

/// Reads an id or a hash, or `None` if it is absent or damaged.
pub fn bytes<const N: usize>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<[u8; N]>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Blob(bytes) => bytes.try_into().ok(),
        _ => None,
    })
}

/// Reads a number that is not negative, or `None` if it is absent or damaged.
pub fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    Ok(match row.get_ref(column)? {
        ValueRef::Integer(number) => u64::try_from(number).ok(),
        _ => None,
    })
}

/// Reads a small number, such as a kind or a role, or `None` if it is absent or damaged.
pub fn small_number(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u8>> {
    Ok(number(row, column)?.and_then(|number| u8::try_from(number).ok()))
}

/// Reads a flag. It is false if it is damaged.
pub fn flag(row: &Row<'_>, column: usize) -> rusqlite::Result<bool> {
    Ok(matches!(row.get_ref(column)?, ValueRef::Integer(number) if number != 0))
}

/// The log time of an entry. Entries of older versions have none; for them it is the wall-clock time that people see.
pub const LOG_MS: &str = "coalesce(log_ms, at_ms)";
/// The columns of an entry, as [`entry`] reads them.
pub const ENTRY: &str = "e.seq, e.digest, e.at_ms, e.author, e.author_name, e.instance, e.counter, e.kind, e.text, e.body_hash, e.amended, e.is_edited";

/// Reads an entry without its mentions and reactions. A damaged body becomes [`Body::Damaged`].
pub fn entry(row: &Row<'_>, room: RoomId, epoch: Epoch) -> rusqlite::Result<Entry> {
    let entry = unchecked_entry(row, room, epoch)?;
    checked(row, entry)
}

/// Like [`entry`], but without comparing the body with its hash. A search reads thousands of rows and returns a few. It checks only those,
/// with [`checked`], because hashing a body takes longer than reading it.
pub fn unchecked_entry(row: &Row<'_>, room: RoomId, epoch: Epoch) -> rusqlite::Result<Entry> {
    let hash = bytes(row, 9)?;
    let amended = match (number(row, 10)?, hash) {
        (Some(seq), Some(hash)) => Some(Amended {
            seq: Seq(seq),
            hash,
            is_edited: flag(row, 11)?,
            reactions: Vec::new(),
        }),
        _ => None,
    };
    Ok(Entry {
        room,
        epoch,
        seq: Seq(number(row, 0)?.unwrap_or_default()),
        digest: Digest(bytes(row, 1)?.unwrap_or_default()),
        at_ms: number(row, 2)?.unwrap_or_default(),
        author: Author {
            id: bytes(row, 3)?.map_or(IdentityId::NOBODY, IdentityId::new),
            name: text(row, 4)?,
        },
        client_id: client_id(row)?,
        body: body(row)?,
        mentions: Vec::new(),
        amended: amended.map(Box::new),
    })
}

pub fn client_id(row: &Row<'_>) -> rusqlite::Result<Option<ClientId>> {
    let (instance, counter) = (bytes(row, 5)?, number(row, 6)?);
    Ok(instance.zip(counter).map(|(instance, counter)| ClientId {
        instance: InstanceId::new(instance),
        counter,
    }))
}

fn body(row: &Row<'_>) -> rusqlite::Result<Body> {
    let hash = bytes(row, 9)?;
    let damaged = Body::Damaged(hash.unwrap_or_default());
    let (Some(kind), Some(payload)) = (small_number(row, 7)?, valid_text(row, 8)?) else {
        return Ok(damaged);
    };
    if kind == ERASED {
        return Ok(hash.map_or(damaged, Body::Erased));
    }
    Ok(match Body::from_parts(kind, payload) {
        Body::Unknown(kind) if Body::is_known_kind(kind) => damaged,
        body => body,
    })
}

/// Compares the body of an entry with its stored hash. An edited text cannot be compared: the hash is that of the text as posted.
pub fn checked(row: &Row<'_>, mut entry: Entry) -> rusqlite::Result<Entry> {
    if matches!(entry.body, Body::Erased(_) | Body::Damaged(_)) || flag(row, 11)? {
        return Ok(entry);
    }
    let (kind, hash) = (small_number(row, 7)?.unwrap_or_default(), bytes(row, 9)?);
    let payload = match row.get_ref(8)? {
        ValueRef::Text(payload) => payload,
        _ => &[],
    };
    if hash != Some(Body::hash_of(kind, payload)) {
        entry.body = Body::Damaged(hash.unwrap_or_default());
    }
    Ok(entry)
}

/// Collects rows, leaving out those whose id is damaged: nothing could refer to them.
pub(super) fn readable<T>(
    rows: impl Iterator<Item = rusqlite::Result<Option<T>>>,
) -> rusqlite::Result<Vec<T>> {
    rows.filter_map(Result::transpose).collect()
}
