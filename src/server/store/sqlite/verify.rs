//! Verifies a database: its pages, the digest chain of every room, and the values in every table.
//!
//! A damaged value is only reported, because everything else can be used without it. Damaged pages are an error, because it is unknown what
//! else they affect.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::decode::{self, ENTRY};
use super::encode::EDIT;
use super::encode::ERASED;
use super::{audit_log, index};
use crate::chat::{Body, Digest, IdentityId, RoomId, Seq, digest_of};
use crate::server::store::{Damage, Verified};
use crate::text;

/// How many page errors are listed.
const LISTED_ERRORS: usize = 3;
/// The maximum number of errors that SQLite returns. It is high, so that errors of the index do not hide the others.
const MAX_ERRORS: &str = "100";
/// How many entries are verified in one step, so that a reader is not occupied for long.
const STEP: i64 = 500;

/// The tables other than `entries`, each with what one of its rows is called in reports. Texts must be UTF-8, ids 16
/// bytes, secrets, keys and hashes 32 bytes; no number may be negative.
const TABLES: [(&str, &str); 14] = [
    ("rooms", "its attributes"),
    ("members", "a membership"),
    ("standings", "an invitation, a ban or a mute"),
    ("marks", "the number of the last post of a client"),
    ("reactions", "a reaction"),
    ("mentions", "a mention"),
    ("reads", "a read position"),
    ("levels", "a notification setting"),
    ("ignored", "an ignored person"),
    ("conversations", "the state of a conversation"),
    ("identities", "a person"),
    ("devices", "a device"),
    ("invites", "an invitation"),
    ("audit", "a row of the audit log"),
];

/// Lets SQLite check all pages of a file, which takes seconds for a large one. If only the search index is damaged, the file is good: the
/// index is rebuilt once the file is opened.
///
/// # Errors
/// The problems that SQLite reports.
pub fn quick_check(path: &Path) -> Result<(), String> {
    let words = |error: rusqlite::Error| error.to_string();
    let db = Connection::open(path).map_err(words)?;
    match pages(&db)? {
        Some(damage) => index::note_damage(&db, &damage).map_err(words),
        None => Ok(()),
    }
}

/// Verifies a file that a server may be using. Damaged values are in the result.
///
/// # Errors
/// The file cannot be read, or its pages are damaged.
pub fn verify_file(path: &Path) -> Result<Verified, String> {
    let db = super::readers::open(path).map_err(|error| error.to_string())?;
    verify(&db)
}

/// Checks all pages. Damage that is limited to the search index is returned and is not an error.
fn pages(db: &Connection) -> Result<Option<index::IndexDamage>, String> {
    let words = |error: rusqlite::Error| error.to_string();
    let roots = roots_of_index(db).map_err(words)?;
    let found = match check(db, MAX_ERRORS) {
        Ok(found) => found,
        // FTS5 checks the index itself and may fail to start; then the other tables are checked one by one.
        Err(error) => {
            let damage = index::IndexDamage::of(db, &error).ok_or_else(|| error.to_string())?;
            let found = tables(db).map_err(words)?;
            return without_index(&found, &[]).map(|_| Some(damage));
        }
    };
    without_index(&found, &roots)
}

/// Separates damage of the index from other damage, and ignores what is harmless.
fn without_index(found: &[String], roots: &[i64]) -> Result<Option<index::IndexDamage>, String> {
    let lines = found.iter().flat_map(|it| it.lines());
    let (mut of_index, mut wrong) = (None, Vec::new());
    for line in lines {
        let tree = line.strip_prefix("Tree ").and_then(|rest| {
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse::<i64>().ok()
        });
        let is_of_pages = tree.is_some_and(|root| roots.contains(&root));
        if is_of_pages || line.starts_with("fts5:") || line.contains("for FTS5 table") {
            of_index = of_index.or_else(|| Some(index::IndexDamage::new(is_of_pages, line)));
        } else if !is_harmless(line) {
            wrong.push(line);
        }
    }
    if wrong.is_empty() {
        Ok(of_index)
    } else {
        wrong.truncate(LISTED_ERRORS);
        Err(wrong.join("; "))
    }
}

/// Whether a line is a heading or reports an unused page of a former index or a value of the wrong type. The latter is
/// treated as a damaged value.
fn is_harmless(line: &str) -> bool {
    line == "ok"
        || line.starts_with("***")
        || (line.starts_with("Page ") && line.ends_with(": never used"))
        || line.starts_with("non-")
        || line.starts_with("NULL value in ")
}

fn check(db: &Connection, what: &str) -> rusqlite::Result<Vec<String>> {
    db.prepare(&format!("PRAGMA quick_check({what})"))?
        .query_map([], |row: &Row<'_>| decode::text(row, 0))?
        .collect()
}

/// Returns the root pages of the index's tables.
fn roots_of_index(db: &Connection) -> rusqlite::Result<Vec<i64>> {
    db.prepare("SELECT rootpage FROM sqlite_schema WHERE name LIKE 'said\\_%' ESCAPE '\\'")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Checks the tables that are not part of the index.
fn tables(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let names: Vec<String> = db
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'said'
             AND name NOT LIKE 'said\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )?
        .query_map([], |row| decode::text(row, 0))?
        .collect::<Result<_, _>>()?;
    let mut found = Vec::new();
    for name in names {
        found.extend(check(db, &name)?);
    }
    Ok(found)
}

/// Lets FTS5 check the search index alone.
pub(super) fn index(db: &Connection) -> rusqlite::Result<Option<index::IndexDamage>> {
    let found = match check(db, "said") {
        Ok(found) => found,
        Err(error) => return index::IndexDamage::of(db, &error).map(Some).ok_or(error),
    };
    let wrong = found.into_iter().find(|line| line != "ok");
    Ok(wrong.map(|line| {
        // FTS5 says "malformed" when pages cannot be read; otherwise it names the row.
        index::IndexDamage::new(line.starts_with("malformed"), &line)
    }))
}

/// Verifies everything at once.
///
/// # Errors
/// Pages are damaged or cannot be read.
pub(super) fn verify(db: &Connection) -> Result<Verified, String> {
    let index_is_damaged = pages(db)?.is_some();
    let mut verification = Verification::default();
    while verification.step(db).map_err(|error| error.to_string())? == VerifyProgress::More {}
    Ok(Verified {
        index_is_damaged,
        ..verification.verified
    })
}

/// Whether there is more to verify.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum VerifyProgress {
    More,
    Done,
}

/// Verifies all rooms and tables, one step at a time. The database may change between two steps.
#[derive(Debug, Default)]
pub(super) struct Verification {
    rooms: Option<Vec<VerifiedRoom>>,
    /// The current room, and the last seq that was verified.
    room: usize,
    after: u64,
    /// The digests that the next entry must follow from. `None` if they are unknown.
    link: Option<ChainLink>,
    table: usize,
    pub verified: Verified,
}

#[derive(Clone, Debug)]
struct VerifiedRoom {
    num: i64,
    id: RoomId,
    name: String,
}

/// The digest of the previous entry, as stored and as computed. The next entry may follow from either, so that a damaged digest is reported
/// once, not twice.
#[derive(Clone, Copy, Debug, Default)]
struct ChainLink {
    stored: Digest,
    expected: Digest,
}

impl Verification {
    /// Verifies the next part within one snapshot.
    pub fn step(&mut self, db: &Connection) -> rusqlite::Result<VerifyProgress> {
        let db = &*db.unchecked_transaction()?;
        let Some(rooms) = &self.rooms else {
            self.rooms = Some(self.all_rooms(db)?);
            self.begin_room();
            return Ok(VerifyProgress::More);
        };
        if let Some(room) = rooms.get(self.room).cloned() {
            self.entries(db, &room)?;
        } else if let Some((table, what)) = TABLES.get(self.table) {
            self.values(db, table, what)?;
            if *table == "audit"
                && let Some(number) = audit_log::first_edited(db)?
            {
                let what = format!(
                    "the hash of row {number} of the audit log does not match the row before it"
                );
                self.report(None, None, what);
            }
            self.table += 1;
        } else {
            return Ok(VerifyProgress::Done);
        }
        Ok(VerifyProgress::More)
    }

    fn report(&mut self, room: Option<&VerifiedRoom>, seq: Option<u64>, what: impl Into<String>) {
        self.verified.damages += 1;
        if self.verified.damaged.len() < Verified::LISTED_DAMAGES {
            self.verified.damaged.push(Damage {
                room: room.map(|room| (room.id, room.name.clone())),
                seq: seq.map(Seq),
                what: what.into(),
            });
        }
    }

    fn all_rooms(&mut self, db: &Connection) -> rusqlite::Result<Vec<VerifiedRoom>> {
        let mut statement = db.prepare("SELECT num, id, name, kind FROM rooms")?;
        let mut rows = statement.query([])?;
        let mut rooms = Vec::new();
        while let Some(row) = rows.next()? {
            self.verified.rooms += 1;
            // A room without a readable id is reported when the `rooms` table is verified.
            if let Some(id) = decode::bytes(row, 1)? {
                let id = RoomId::new(id);
                // As in the log: the names of secret rooms are for their members only.
                let name = match decode::number(row, 3)? {
                    Some(1 | 3) => format!("#{}", text::line(&decode::text(row, 2)?)),
                    Some(2) => format!("conversation:{id}"),
                    _ => format!("secret:{id}"),
                };
                let num = row.get(0)?;
                rooms.push(VerifiedRoom { num, id, name });
            }
        }
        Ok(rooms)
    }

    fn begin_room(&mut self) {
        self.after = 0;
        self.link = Some(ChainLink::default());
    }

    fn entries(&mut self, db: &Connection, room: &VerifiedRoom) -> rusqlite::Result<()> {
        let begins = db
            .prepare_cached("SELECT first FROM rooms WHERE num = ?1")?
            .query_row([room.num], |row| decode::number(row, 0))
            .optional()?
            .flatten();
        // After a trim, the entry before the first one is gone. The trim may have happened between two steps.
        if let Some(begins) = begins.filter(|begins| *begins > self.after + 1) {
            self.after = begins - 1;
            self.link = None;
        }
        let mut statement = db.prepare_cached(&format!(
            "SELECT {ENTRY} FROM entries e WHERE e.room = ?1 AND e.seq > ?2 ORDER BY e.seq LIMIT ?3"
        ))?;
        let after = i64::try_from(self.after).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![room.num, after, STEP])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            count += 1;
            let Some(seq) = decode::number(row, 0)? else {
                self.report(
                    Some(room),
                    None,
                    "an entry has a number that cannot be read",
                );
                continue;
            };
            self.verified.entries += 1;
            if seq != self.after + 1 {
                let missing = seq.saturating_sub(self.after + 1);
                let what = match missing {
                    1 => "it is missing".to_owned(),
                    more => format!("this entry and the next {} are missing", more - 1),
                };
                self.report(Some(room), Some(self.after + 1), what);
                self.link = None;
            }
            let wrong = self.entry(db, room, row, seq)?;
            if !wrong.is_empty() {
                self.report(Some(room), Some(seq), wrong.join(", "));
            }
            self.after = seq;
        }
        if count < STEP {
            self.room += 1;
            self.begin_room();
        }
        Ok(())
    }

    /// Returns what is wrong with an entry.
    fn entry(
        &mut self,
        db: &Connection,
        room: &VerifiedRoom,
        row: &Row<'_>,
        seq: u64,
    ) -> rusqlite::Result<Vec<&'static str>> {
        let (stored, author, hash) = (
            decode::bytes(row, 1)?.map(Digest),
            decode::bytes(row, 3)?.map(IdentityId::new),
            decode::bytes(row, 9)?,
        );
        let client_id = decode::client_id(row)?;
        let has_client_id = row.get_ref(5)? != ValueRef::Null || row.get_ref(6)? != ValueRef::Null;
        let mut wrong: Vec<&str> = [
            (stored.is_none(), "its digest cannot be read"),
            (decode::number(row, 2)?.is_none(), "its time cannot be read"),
            (author.is_none(), "its author cannot be read"),
            (
                decode::valid_text(row, 4)?.is_none(),
                "the name of its author cannot be read",
            ),
            (
                has_client_id && client_id.is_none(),
                "its client id cannot be read",
            ),
            (hash.is_none(), "the hash of its body cannot be read"),
        ]
        .into_iter()
        .filter_map(|(is_wrong, what)| is_wrong.then_some(what))
        .collect();
        wrong.extend(body(db, room.num, row, hash)?);
        let stored = stored.unwrap_or_default();
        self.link = match (self.link, author, hash) {
            (Some(link), Some(author), Some(hash)) => {
                let after = |previous| digest_of(previous, Seq(seq), author, client_id, hash);
                let expected = after(link.expected);
                if stored != expected && stored != after(link.stored) && wrong.is_empty() {
                    wrong.push("its digest does not match the entry before it");
                }
                Some(ChainLink { stored, expected })
            }
            _ => Some(ChainLink {
                stored,
                expected: stored,
            }),
        };
        Ok(wrong)
    }

    /// Verifies the values of a table.
    fn values(&mut self, db: &Connection, table: &str, what: &str) -> rusqlite::Result<()> {
        let rooms = self.rooms.clone().unwrap_or_default();
        let rooms: HashMap<i64, &VerifiedRoom> =
            rooms.iter().map(|room| (room.num, room)).collect();
        let mut statement = db.prepare(&format!("SELECT * FROM {table}"))?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let place = |names: &[&str]| columns.iter().position(|it| names.contains(&it.as_str()));
        let room_at = place(if table == "rooms" {
            &["num"]
        } else {
            &["room"]
        });
        let seq_at = place(match table {
            "reactions" => &["target"],
            "mentions" => &["seq"],
            _ => &[],
        });
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut wrong = Vec::new();
            for (column, name) in columns.iter().enumerate() {
                let is_right = match row.get_ref(column)? {
                    ValueRef::Null => true,
                    ValueRef::Integer(number) => number >= 0,
                    ValueRef::Real(_) => false,
                    ValueRef::Text(text) => str::from_utf8(text).is_ok(),
                    ValueRef::Blob(bytes) if matches!(name.as_str(), "secret" | "key" | "hash") => {
                        bytes.len() == 32
                    }
                    // The ids of several rooms.
                    ValueRef::Blob(bytes) if name == "rooms" => bytes.len() % 16 == 0,
                    ValueRef::Blob(bytes) => bytes.len() == 16,
                };
                if !is_right {
                    wrong.push(name.as_str());
                }
            }
            if wrong.is_empty() {
                continue;
            }
            let number = |at: Option<usize>| match at {
                Some(at) => decode::number(row, at),
                None => Ok(None),
            };
            let num = number(room_at)?.and_then(|num| i64::try_from(num).ok());
            let room = num.and_then(|num| rooms.get(&num).copied());
            let what = format!("{what} cannot be read ({})", wrong.join(", "));
            self.report(room, number(seq_at)?, what);
        }
        Ok(())
    }
}

/// Returns what is wrong with a body.
fn body(
    db: &Connection,
    num: i64,
    row: &Row<'_>,
    hash: Option<[u8; 32]>,
) -> rusqlite::Result<Option<&'static str>> {
    let Some(kind) = decode::small_number(row, 7)? else {
        return Ok(Some("its kind cannot be read"));
    };
    let Some(payload) = decode::valid_text(row, 8)? else {
        return Ok(Some("its text cannot be read"));
    };
    if kind == ERASED {
        return Ok(None);
    }
    let is_intact = if decode::flag(row, 11)? {
        is_edited_to(db, num, row, kind, &payload)?
    } else {
        hash.is_none_or(|hash| hash == Body::hash_of(kind, payload.as_bytes()))
    };
    if !is_intact {
        return Ok(Some("its text does not match its hash"));
    }
    let is_read = !matches!(Body::from_parts(kind, payload), Body::Unknown(kind) if Body::is_known_kind(kind));
    Ok((!is_read).then_some("its body cannot be decoded"))
}

/// Whether a text is the text of its last edit, which is a separate entry with its own hash.
fn is_edited_to(
    db: &Connection,
    num: i64,
    row: &Row<'_>,
    kind: u8,
    payload: &str,
) -> rusqlite::Result<bool> {
    let last = db
        .prepare_cached(&format!(
            "SELECT text FROM entries WHERE room = ?1 AND target = ?2 AND {EDIT} ORDER BY seq DESC LIMIT 1"
        ))?
        .query_row(params![num, row.get::<_, i64>(0)?], |row| {
            decode::valid_text(row, 0)
        })
        .optional()?
        .flatten();
    let text = match Body::from_parts(kind, payload.to_owned()) {
        Body::Unknown(_) => return Ok(false),
        body => body.text().to_owned(),
    };
    // An edit that cannot be read is reported as an entry of its own.
    let edit = last.as_deref().and_then(|last| last.split_once('\n'));
    Ok(edit.is_none_or(|(_, edit)| edit == text))
}

/// Gives every room a new epoch: the file now has a different history from the one that clients have seen.
pub(super) fn renew_epochs(db: &Connection) -> rusqlite::Result<()> {
    db.execute("UPDATE rooms SET epoch = randomblob(16)", params![])?;
    Ok(())
}
