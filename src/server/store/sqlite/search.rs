//! Search for messages, through a full-text index that is updated shortly after the entries.
//!
//! The index is FTS5 without a copy of the texts. A row's number is made of its room and seq, so that the newest rows of a room come first
//! without sorting, and no search touches a room that the person cannot read. Entries that are not indexed yet are read directly, and every
//! entry that the index finds is compared again with the search, so a wrong index row
//! cannot add a wrong result. If the index is damaged,
//! searches read the entries themselves until `index` has rebuilt it.

use std::collections::HashMap;

use rusqlite::{Connection, ErrorCode, named_params, params};

use super::conversations::NOT_HIDDEN;
use super::decode::{self, ENTRY, checked, readable as rows, unchecked_entry};
use super::encode::MESSAGE_KINDS;
use super::encode::signed;
use super::index::{self, author_mark, mark, name_mark, row_number};
use super::page::{add_mentions, add_reactions};
use super::read::{epoch, identities_named, seq_range};
use super::search_timer::SearchTimer;
use crate::chat::{Entry, Epoch, IdentityId, RoomId, Search, SearchResults, UserName};
use crate::server::store::SearchLimit;
use crate::text::Finder;

/// How many entries one search reads, shared equally among the rooms.
const ENTRIES_READ: usize = 20_000;
/// The smallest share of one room, in entries.
const MIN_SHARE: usize = 500;
/// The maximum number of index rows that are read for the beginning of a word.
const PREFIX_ROWS: usize = 200_000;

/// A room that is searched.
struct SearchedRoom {
    num: i64,
    id: RoomId,
    epoch: Epoch,
    /// The last seq in the index.
    indexed: i64,
    /// The range of seqs that contains the requested times.
    from: i64,
    to: i64,
    /// Whether older entries may have later times, because the clock was set back.
    has_clock_steps: bool,
}

/// Searches the rooms a person is a member of, newest first. If the index turns out to be damaged, the entries are read instead, and the
/// damage is returned with the result.
pub fn search(
    db: &mut Connection,
    me: IdentityId,
    wanted: &Search,
    limit: SearchLimit,
) -> rusqlite::Result<(SearchResults, Option<index::IndexDamage>)> {
    let timer = SearchTimer::start(db, limit.time)?;
    let found = search_with(db, me, wanted, (limit.entries, &timer));
    // The connection goes back to the pool.
    db.progress_handler(0, None::<fn() -> bool>)?;
    match found {
        // The time was over before any entry was read.
        Err(error) if is_interrupted(&error) && timer.is_over() => {
            let nothing = SearchResults {
                is_partial: true,
                ..SearchResults::default()
            };
            Ok((nothing, None))
        }
        found => found,
    }
}

fn search_with(
    db: &Connection,
    me: IdentityId,
    wanted: &Search,
    (most, timer): (usize, &SearchTimer),
) -> rusqlite::Result<(SearchResults, Option<index::IndexDamage>)> {
    let search_using = |with| search_using(db, me, wanted, (most, timer), with);
    if index::is_damaged(db)? {
        return Ok((search_using(IndexUse::NoIndex)?, None));
    }
    let error = match search_using(IndexUse::Index) {
        Ok(found) => return Ok((found, None)),
        Err(error) => error,
    };
    match index::IndexDamage::of(db, &error) {
        Some(damage) => Ok((search_using(IndexUse::NoIndex)?, Some(damage))),
        None => Err(error),
    }
}

/// What a search may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum IndexUse {
    Index,
    NoIndex,
}

fn search_using(
    db: &Connection,
    me: IdentityId,
    wanted: &Search,
    (most, timer): (usize, &SearchTimer),
    with: IndexUse,
) -> rusqlite::Result<SearchResults> {
    // One snapshot for all rooms, so that an entry indexed meanwhile is neither missed nor found twice.
    let db = &*db.unchecked_transaction()?;
    let rooms = searched_rooms(db, me, wanted)?;
    let finder = Finder::new(wanted, me, holders(db, &wanted.from)?);
    let mut search_run = SearchRun {
        db,
        timer,
        with,
        most,
        share: (ENTRIES_READ / rooms.len().max(1)).max(MIN_SHARE),
        floor: 0,
        needs_details: wanted.has.iter().any(|what| mark(*what).is_none()),
        found: SearchResults::default(),
    };
    let searched = search_run.run(&rooms, &finder, wanted);
    match searched {
        // SQLite ended the query because the time is over. What was found until then counts.
        Err(error) if is_interrupted(&error) && timer.is_over() => search_run.keep_newest(),
        searched => searched?,
    }
    search_run.found.is_partial |= timer.finish();
    search_run.found.has_more |= search_run.found.entries.len() >= most;
    if !search_run.needs_details {
        let numbers: HashMap<RoomId, i64> = rooms.iter().map(|it| (it.id, it.num)).collect();
        for entry in &mut search_run.found.entries {
            let num = numbers.get(&entry.room).copied().unwrap_or_default();
            add_details(db, num, entry)?;
        }
    }
    Ok(search_run.found)
}

fn searched_rooms(
    db: &Connection,
    me: IdentityId,
    wanted: &Search,
) -> rusqlite::Result<Vec<SearchedRoom>> {
    let mut rooms: Vec<SearchedRoom> = db
        .prepare_cached(&format!(
            "SELECT r.num, r.id, r.epoch, r.indexed, r.is_stepped FROM members m JOIN rooms r ON r.num = m.room
             WHERE m.identity = :me AND {NOT_HIDDEN}"
        ))?
        .query_map(named_params! {":me": me.bytes()}, |row| {
            let Some(id) = decode::bytes(row, 1)?.map(RoomId::new) else {
                return Ok(None);
            };
            Ok(Some(SearchedRoom {
                num: row.get(0)?,
                id,
                epoch: epoch(row, 2, id)?,
                indexed: signed(decode::number(row, 3)?.unwrap_or_default()),
                from: 0,
                to: signed(u64::MAX),
                has_clock_steps: decode::flag(row, 4)?,
            }))
        })
        .and_then(rows)?;
    rooms.retain(|room| wanted.rooms.is_empty() || wanted.rooms.contains(&room.id));
    let mut found = Vec::new();
    for mut room in rooms {
        if wanted.since_ms > 0 || wanted.before_ms < u64::MAX {
            let Some((from, to)) = seq_range(db, room.num, wanted.since_ms, wanted.before_ms)?
            else {
                continue;
            };
            (room.from, room.to) = (signed(from), signed(to));
        }
        found.push(room);
    }
    Ok(found)
}

/// Returns everyone whose current or most recent name is one of these.
fn holders(db: &Connection, names: &[String]) -> rusqlite::Result<Vec<IdentityId>> {
    let mut holders = Vec::new();
    let keys = names.iter().filter_map(|name| UserName::new(name).ok());
    for key in keys.map(|name| name.key()) {
        holders.extend(identities_named(db, &key)?.into_iter().map(|it| it.id));
    }
    Ok(holders)
}

/// Returns the FTS5 query for a search, or `None` if the index cannot narrow it down. It contains only letters, digits and marks.
fn query(finder: &Finder, wanted: &Search) -> Option<String> {
    let quoted = |words: &[String]| format!("\"{}\"", words.join(" "));
    let mut parts: Vec<String> = Vec::new();
    let last = finder.phrases().len().wrapping_sub(1);
    for (n, phrase) in finder.phrases().iter().enumerate() {
        let open = if finder.is_prefix() && n == last {
            " *"
        } else {
            ""
        };
        parts.push(format!("text : {}{open}", quoted(phrase)));
    }
    let mut by: Vec<String> = finder.authors().iter().map(|id| author_mark(*id)).collect();
    by.extend(finder.names().iter().map(|name| name_mark(name)));
    let by: Vec<String> = by.into_iter().map(|mark| quoted(&[mark])).collect();
    if !by.is_empty() {
        parts.push(format!("marks : ({})", by.join(" OR ")));
    }
    let has = wanted.has.iter().filter_map(|what| mark(*what));
    parts.extend(has.map(|mark| format!("marks : \"{mark}\"")));
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

/// A search in progress.
struct SearchRun<'a> {
    db: &'a Connection,
    timer: &'a SearchTimer,
    with: IndexUse,
    most: usize,
    /// How many entries may be read in each room.
    share: usize,
    /// A time in Unix milliseconds. Entries older than this are not in the result, because it is full of newer ones.
    floor: u64,
    /// Whether entries need their reactions and mentions before they can be compared.
    needs_details: bool,
    /// The newest first; never more than `most`.
    found: SearchResults,
}

/// Adds an entry's reactions and mentions.
fn add_details(db: &Connection, num: i64, entry: &mut Entry) -> rusqlite::Result<()> {
    let of_one = std::slice::from_mut(entry);
    add_reactions(db, num, of_one)?;
    add_mentions(db, num, of_one)
}

/// Whether SQLite ended a query because it was told to stop.
fn is_interrupted(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

impl SearchRun<'_> {
    /// Searches by whole words and, if that does not find enough, by the beginning of the last word.
    fn run(
        &mut self,
        rooms: &[SearchedRoom],
        finder: &Finder,
        wanted: &Search,
    ) -> rusqlite::Result<()> {
        self.by_words(rooms, finder, wanted)?;
        if wanted.is_prefix
            && self.found.entries.len() < self.most
            && let Some(finder) = finder.as_prefix_search()
        {
            self.by_prefix(rooms, &finder, wanted)?;
        }
        Ok(())
    }

    /// Searches by whole words.
    fn by_words(
        &mut self,
        rooms: &[SearchedRoom],
        finder: &Finder,
        wanted: &Search,
    ) -> rusqlite::Result<()> {
        let query = query(finder, wanted).filter(|_| self.with == IndexUse::Index);
        for room in rooms {
            let wants_older = self.unindexed(room, finder, query.is_some())?;
            if let Some(query) = query.as_ref().filter(|_| wants_older) {
                let sql = format!(
                    "SELECT {ENTRY} FROM said s CROSS JOIN entries e ON e.room = :room AND e.seq = s.rowid - :base
                     WHERE said MATCH :query AND s.rowid BETWEEN :from AND :to ORDER BY s.rowid DESC"
                );
                let mut statement = self.db.prepare_cached(&sql)?;
                let rows = statement.query(named_params! {
                    ":room": room.num, ":base": row_number(room.num, 0), ":query": query,
                    ":from": row_number(room.num, room.from),
                    ":to": row_number(room.num, room.to.min(room.indexed)),
                })?;
                self.collect_matches(room, finder, rows)?;
            }
        }
        Ok(())
    }

    /// Searches by the beginning of the last word. The index collects the rows of such a query before it returns any, so all rooms share
    /// one query.
    fn by_prefix(
        &mut self,
        rooms: &[SearchedRoom],
        finder: &Finder,
        wanted: &Search,
    ) -> rusqlite::Result<()> {
        let Some(query) = query(finder, wanted) else {
            return Ok(());
        };
        if self.with == IndexUse::NoIndex {
            return rooms
                .iter()
                .try_for_each(|room| self.unindexed(room, finder, false).map(drop));
        }
        let by_number: HashMap<i64, &SearchedRoom> = rooms.iter().map(|it| (it.num, it)).collect();
        let mut places: HashMap<i64, Vec<i64>> = HashMap::new();
        let mut statement = self
            .db
            .prepare_cached("SELECT rowid FROM said WHERE said MATCH ?1 ORDER BY rowid DESC")?;
        let mut rows = statement.query(params![query])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(0)?;
            let (num, seq) = index::place(number);
            let room = by_number.get(&num);
            if room.is_some_and(|it| (it.from..=it.to.min(it.indexed)).contains(&seq)) {
                // The newest rows of each room come first.
                let of_room = places.entry(num).or_default();
                if of_room.len() < self.share {
                    of_room.push(seq);
                } else {
                    self.found.is_partial = true;
                }
            }
            count += 1;
            if count >= PREFIX_ROWS {
                self.found.is_partial = true;
                break;
            }
        }
        let sql = format!("SELECT {ENTRY} FROM entries e WHERE e.room = ?1 AND e.seq = ?2");
        let mut one = self.db.prepare_cached(&sql)?;
        for room in rooms {
            let mut wants_older = self.unindexed(room, finder, true)?;
            let mut seqs = places.remove(&room.num).unwrap_or_default();
            seqs.sort_unstable_by_key(|seq| std::cmp::Reverse(*seq));
            for seq in seqs {
                if !wants_older {
                    break;
                }
                wants_older = self.collect_matches(room, finder, one.query([room.num, seq])?)?;
            }
        }
        Ok(())
    }

    /// Reads entries directly: those that are not indexed yet, or all of them if the index cannot narrow the search down. Returns whether
    /// older entries are wanted.
    fn unindexed(
        &mut self,
        room: &SearchedRoom,
        finder: &Finder,
        has_words: bool,
    ) -> rusqlite::Result<bool> {
        let from = if has_words {
            room.from.max(room.indexed + 1)
        } else {
            room.from
        };
        let sql = format!(
            "SELECT {ENTRY} FROM entries e INDEXED BY entries_said WHERE e.room = ?1 AND e.{MESSAGE_KINDS}
             AND e.seq BETWEEN ?2 AND ?3 ORDER BY e.seq DESC"
        );
        let mut statement = self.db.prepare_cached(&sql)?;
        let rows = statement.query([room.num, from, room.to])?;
        self.collect_matches(room, finder, rows)
    }

    fn keep_newest(&mut self) {
        let entries = &mut self.found.entries;
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.at_ms, entry.room, entry.seq)));
        entries.dedup_by_key(|entry| (entry.room, entry.seq));
        if entries.len() >= self.most {
            entries.truncate(self.most);
            self.floor = entries.last().map_or(0, |last| last.at_ms);
        }
    }

    /// Adds the matching entries among rows of a room, newest first, until they are too old or the room's share is read. Returns whether
    /// older entries are wanted.
    fn collect_matches(
        &mut self,
        room: &SearchedRoom,
        finder: &Finder,
        mut rows: rusqlite::Rows<'_>,
    ) -> rusqlite::Result<bool> {
        let (mut count, mut read) = (0, 0);
        let mut wants_older = true;
        while wants_older && let Some(row) = rows.next()? {
            if read >= self.share || self.timer.must_stop() {
                self.found.is_partial = true;
                break;
            }
            read += 1;
            let mut entry = unchecked_entry(row, room.id, room.epoch)?;
            if entry.at_ms < self.floor {
                if room.has_clock_steps {
                    continue;
                }
                wants_older = false;
                break;
            }
            let mut is_match = finder.may_match(&entry);
            if is_match {
                entry = checked(row, entry)?;
                is_match = entry.body.is_message();
            }
            if is_match && self.needs_details {
                add_details(self.db, room.num, &mut entry)?;
                is_match = finder.matches(&entry);
            }
            if is_match {
                self.found.entries.push(entry);
                count += 1;
                wants_older = count < self.most;
            }
        }
        self.keep_newest();
        Ok(wants_older)
    }
}
