//! Pages of entries, with their mentions and reactions.

use rusqlite::{Connection, OptionalExtension, params};

use super::decode::{self, ENTRY, bytes, entry, number, text};
use super::read::{first_seq, number_and_epoch};
use super::write;
use crate::chat::{Author, Body, Digest, Entry, IdentityId, RoomId, Seq, react};
use crate::server::store::{PageLimit, Span};

pub fn page(
    db: &Connection,
    room: RoomId,
    span: Span,
    limit: PageLimit,
) -> rusqlite::Result<Vec<Entry>> {
    let Some((num, epoch)) = number_and_epoch(db, room)? else {
        return Ok(Vec::new());
    };
    let (bound, order, seq) = match span {
        Span::After(seq) => ("e.seq > ?2", "ASC", seq),
        Span::Before(seq) => ("e.seq > 0 AND e.seq < ?2", "DESC", seq),
    };
    let mut query = db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries e WHERE e.room = ?1 AND {bound} ORDER BY e.seq {order} LIMIT ?3"
    ))?;
    let most = i64::try_from(limit.entries).unwrap_or(i64::MAX);
    let mut rows = query.query(params![num, i64::try_from(seq.0).unwrap_or(i64::MAX), most])?;
    let mut page = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let entry = entry(row, room, epoch)?;
        if entry.seq == Seq::ZERO {
            // An entry without a readable number cannot be placed.
            continue;
        }
        bytes += entry.body.payload().len();
        if bytes > limit.bytes && !page.is_empty() {
            break;
        }
        page.push(entry);
    }
    if matches!(span, Span::Before(_)) {
        page.reverse();
    }
    let mut page = filled(db, num, span, limit.entries, page)?;
    add_reactions(db, num, &mut page)?;
    add_mentions(db, num, &mut page)?;
    // The size of the reactions was not known when the rows were read.
    while page.len() > 1 && page.iter().map(Entry::estimated_size).sum::<usize>() > limit.bytes {
        match span {
            Span::After(_) => drop(page.pop()),
            Span::Before(_) => drop(page.remove(0)),
        }
    }
    Ok(page)
}

/// Fills holes in a page. A row that the disk has lost is replaced by a damaged entry: clients expect every number, and would request a
/// missing one for ever.
fn filled(
    db: &Connection,
    num: i64,
    span: Span,
    most: usize,
    page: Vec<Entry>,
) -> rusqlite::Result<Vec<Entry>> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return Ok(page);
    };
    let length = u64::try_from(page.len()).unwrap_or(u64::MAX);
    let is_whole =
        |from: Seq, to: Seq| from.count_to(to) == length && from <= first.seq && last.seq <= to;
    let (from, to) = match span {
        Span::After(seq) => (seq.next(), last.seq),
        Span::Before(seq) => (first.seq, seq.before()),
    };
    if is_whole(from, to) {
        return Ok(page);
    }
    let (from, to) = stored_bounds(db, num, span, most, (from, to))?;
    if is_whole(from, to) {
        return Ok(page);
    }
    let lost = lost_entry(first);
    fill_holes(db, num, (from, to), page, &lost)
}

/// Returns the first and last seq of a page without trimmed entries and entries that do not exist yet, because these are not holes.
fn stored_bounds(
    db: &Connection,
    num: i64,
    span: Span,
    most: usize,
    (from, to): (Seq, Seq),
) -> rusqlite::Result<(Seq, Seq)> {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    Ok(match span {
        Span::After(_) => {
            let from = from.max(Seq(first_seq(db, num)?.unsigned_abs()));
            let end = Seq(from.0.saturating_add(most).saturating_sub(1));
            (from, to.min(end))
        }
        Span::Before(_) => {
            let to = to.min(Seq(write::last(db, num)?.0.unsigned_abs()));
            let begin = Seq((to.0 + 1).saturating_sub(most));
            (from.max(begin), to)
        }
    })
}

/// Returns the entry that takes the place of a lost row of the same room as `known`.
fn lost_entry(known: &Entry) -> Entry {
    Entry {
        digest: Digest::default(),
        author: Author {
            id: IdentityId::NOBODY,
            name: "?".into(),
        },
        client_id: None,
        body: Body::Damaged([0; 32]),
        amended: None,
        ..known.clone()
    }
}

/// Returns the entries of a page from one seq to another, with `lost` in each hole.
fn fill_holes(
    db: &Connection,
    num: i64,
    (from, to): (Seq, Seq),
    page: Vec<Entry>,
    lost: &Entry,
) -> rusqlite::Result<Vec<Entry>> {
    let mut rows = page.into_iter().peekable();
    let mut whole = Vec::new();
    for seq in (from.0..=to.0).map(Seq) {
        while rows.next_if(|row| row.seq < seq).is_some() {}
        if let Some(row) = rows.next_if(|row| row.seq == seq) {
            whole.push(row);
            continue;
        }
        // The lost entry gets the time of the next one, so that it is the same on every page.
        let at_ms = match rows.peek() {
            Some(next) => next.at_ms,
            None => time_after(db, num, seq)?,
        };
        whole.push(Entry {
            seq,
            at_ms,
            ..lost.clone()
        });
    }
    Ok(whole)
}

/// Returns the time of the first entry after a seq.
fn time_after(db: &Connection, num: i64, seq: Seq) -> rusqlite::Result<u64> {
    let seq = i64::try_from(seq.0).unwrap_or(i64::MAX);
    let next = db
        .prepare_cached(
            "SELECT at_ms FROM entries WHERE room = ?1 AND seq > ?2 ORDER BY seq LIMIT 1",
        )?
        .query_row([num, seq], |row| number(row, 0))
        .optional()?;
    Ok(next.flatten().unwrap_or_default())
}

/// Adds the mentions to the entries of a page.
pub(super) fn add_mentions(db: &Connection, num: i64, page: &mut [Entry]) -> rusqlite::Result<()> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return Ok(());
    };
    let bounds = [first.seq, last.seq].map(|seq| i64::try_from(seq.0).unwrap_or(i64::MAX));
    let mut query = db.prepare_cached(
        "SELECT seq, person FROM mentions WHERE room = ?1 AND seq BETWEEN ?2 AND ?3",
    )?;
    let mut rows = query.query([num, bounds[0], bounds[1]])?;
    while let Some(row) = rows.next()? {
        let seq = Seq(number(row, 0)?.unwrap_or_default());
        let Some(person) = bytes(row, 1)?.map(IdentityId::new) else {
            continue;
        };
        let place = page.binary_search_by_key(&seq, |entry| entry.seq);
        if let Some(entry) = place.ok().and_then(|place| page.get_mut(place)) {
            entry.mentions.push(person);
        }
    }
    Ok(())
}

/// Adds the reactions to the entries of a page, in the order they were made.
pub(super) fn add_reactions(db: &Connection, num: i64, page: &mut [Entry]) -> rusqlite::Result<()> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else {
        return Ok(());
    };
    if page.iter().all(|entry| entry.amended.is_none()) {
        return Ok(());
    }
    let bounds = [first.seq, last.seq].map(|seq| i64::try_from(seq.0).unwrap_or(i64::MAX));
    let mut query = db.prepare_cached(
        "SELECT target, emoji, person, name FROM reactions WHERE room = ?1 AND target BETWEEN ?2 AND ?3 ORDER BY seq",
    )?;
    let mut rows = query.query([num, bounds[0], bounds[1]])?;
    while let Some(row) = rows.next()? {
        let target = Seq(number(row, 0)?.unwrap_or_default());
        let person = bytes(row, 2)?.map(IdentityId::new);
        // A reaction without a readable emoji or person is left out.
        let Some((emoji, id)) = decode::valid_text(row, 1)?.zip(person) else {
            continue;
        };
        let name = text(row, 3)?;
        let who = Author { id, name };
        let place = page.binary_search_by_key(&target, |entry| entry.seq);
        let entry = place.ok().and_then(|place| page.get_mut(place));
        if let Some(amended) = entry.and_then(|entry| entry.amended.as_mut()) {
            react(&mut amended.reactions, &who, &emoji, true);
        }
    }
    Ok(())
}

pub fn entries_at(db: &Connection, room: RoomId, seqs: &[Seq]) -> rusqlite::Result<Vec<Entry>> {
    let Some((num, epoch)) = number_and_epoch(db, room)? else {
        return Ok(Vec::new());
    };
    let mut query = db.prepare_cached(&format!(
        "SELECT {ENTRY} FROM entries e WHERE e.room = ?1 AND e.seq = ?2"
    ))?;
    let mut found = Vec::new();
    for seq in seqs {
        let seq = i64::try_from(seq.0).unwrap_or(i64::MAX);
        let row = query.query_row([num, seq], |row| entry(row, room, epoch));
        let mut one: Vec<Entry> = row.optional()?.into_iter().collect();
        add_reactions(db, num, &mut one)?;
        add_mentions(db, num, &mut one)?;
        found.extend(one);
    }
    Ok(found)
}
