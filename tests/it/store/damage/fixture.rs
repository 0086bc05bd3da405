//! A database with rows in every table, damaged copies of it, and all operations that are run on them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tchat::chat::{
    Amendment, Author, Body, Digest, Entry, IdentityId, Level, Removal, RemovalKind, Role, Ruling,
    Search, Seq, ServerId, Standing, Status, Until, UserName, Via, digest,
};
use tchat::server::store::sqlite::{self, SqliteStore};
use tchat::server::store::{
    Append, IdentityRecord, PageLimit, PersonalChange, RetentionCutoff, RoomRecord, SearchLimit,
    Span, Store, Verified,
};

use super::super::search::indexed;
use super::super::{ANN, BEN, at, entry, made, members, record, seen, taken};

const CAY: IdentityId = IdentityId::new([3; 16]);
pub const LAST: u64 = 11;

/// A text that is not valid UTF-8.
pub const INVALID_UTF8: &str = "CAST(x'68656c6cff' AS TEXT)";

pub fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, ServerId::new([1; 16])).unwrap()
}

/// The entries of the room, with a chain of digests.
fn entries(room: &RoomRecord) -> Vec<Entry> {
    let amends = |target, what| Body::Amendment {
        target: Seq(target),
        what,
    };
    let cay = Author {
        id: CAY,
        name: "cay".into(),
    };
    let said = [
        (ANN, Body::Created),
        (ANN, Body::Text("first words".into())),
        (BEN, Body::Text("second words".into())),
        (
            ANN,
            Body::Reply {
                to: Seq(2),
                text: "third words".into(),
            },
        ),
        (BEN, Body::Action("waves words".into())),
        (BEN, amends(3, Amendment::Edit("second again".into()))),
        (
            BEN,
            amends(
                2,
                Amendment::React {
                    emoji: "👍".into(),
                    is_on: true,
                },
            ),
        ),
        (BEN, amends(5, Amendment::Erase)),
        (ANN, Body::Topic("news".into())),
        (
            ANN,
            Body::Ruling(
                cay,
                Ruling::Kicked {
                    reason: "spam".into(),
                },
            ),
        ),
        (ANN, Body::Text("last words".into())),
    ];
    let mut previous = Digest::default();
    let made = (1..).zip(said).map(|(seq, (by, body))| {
        let mut entry = entry(room, seq, body);
        entry.author.id = by;
        previous = digest(previous, entry.seq, by, entry.client_id, &entry.body);
        entry.digest = previous;
        if seq == 2 {
            entry.mentions = vec![BEN];
        }
        entry
    });
    made.collect()
}

/// Creates a database with rows in every table.
async fn whole(path: &Path) {
    let store = open(path);
    let room = record(70, "log");
    let mut entries = entries(&room);
    let created = Append {
        room: room.id,
        at: taken(1),
        entries: Arc::new(vec![entries.remove(0)]),
        changes: members([(ANN, Some(Role::Owner)), (BEN, Some(Role::Member))]),
    };
    store.create_room(room.clone(), created).await.unwrap();
    let mut changes = members([]);
    let standing = Standing {
        banned: Some(Until::Forever),
        muted: Some(Until::At(1_700_000_000_000)),
        removal: Some(Removal {
            at: Seq(10),
            by: "安".into(),
            reason: "spam".into(),
            kind: RemovalKind::Kicked,
        }),
        ..Standing::default()
    };
    changes.standings.insert(CAY, standing);
    changes.topic = Some("news".into());
    let append = Append {
        room: room.id,
        at: taken(LAST),
        entries: Arc::new(entries),
        changes,
    };
    store.append(append).await.unwrap();
    made(&store, 71, "other").await;
    for (id, name) in [(ANN, "Ann"), (BEN, "Ben"), (CAY, "Cay")] {
        let person = IdentityRecord {
            id,
            name: UserName::new(name).unwrap(),
            via: Via::Tchat,
        };
        store.put_identity(person, seen(5)).await.unwrap();
    }
    let status = Status {
        is_away: true,
        text: "lunch".into(),
    };
    for change in [
        PersonalChange::Status(status),
        PersonalChange::Ignore(CAY),
        PersonalChange::Level(room.id, Some(Level::All)),
        PersonalChange::Keywords(vec!["deploy".into()]),
    ] {
        store.change_personal(BEN, change).await.unwrap();
    }
    store.mark_read(vec![(room.id, BEN, Seq(2))]).await.unwrap();
    let boss = UserName::new("boss").unwrap().key();
    store.bind_operator(boss, ANN).await.unwrap();
    // As a stopped server leaves it: all data in one file.
    store.close().await.unwrap();
}

/// Runs every query a server may send. None may fail, and the room must have no holes.
async fn query_all(store: &SqliteStore, what: &str) -> Vec<Entry> {
    let room = record(70, "log").id;
    let page = |span, limit| store.page(room, span, limit);
    let all = page(Span::After(Seq::ZERO), PageLimit::PAGE)
        .await
        .expect(what);
    let seqs: Vec<u64> = all.iter().map(|entry| entry.seq.0).collect();
    assert_eq!(seqs, (1..=LAST).collect::<Vec<_>>(), "{what}");
    let newest = page(Span::Before(Seq(u64::MAX)), PageLimit::PAGE).await;
    assert_eq!(newest.expect(what), all, "{what}");
    // Pages of any size give the same entries.
    let three = PageLimit {
        entries: 3,
        ..PageLimit::PAGE
    };
    let mut after = Seq::ZERO;
    while after < Seq(LAST) {
        let part = page(Span::After(after), three).await.expect(what);
        let place = usize::try_from(after.0).unwrap();
        assert_eq!(part, all[place..(place + 3).min(all.len())], "{what}");
        after = part.last().unwrap().seq;
    }
    let some = vec![Seq(2), Seq(3), Seq(LAST)];
    store.entries_at(room, some).await.expect(what);
    store.room(room).await.expect(what);
    store.named_rooms().await.expect(what);
    store.members(room).await.expect(what);
    store.last_message(room).await.expect(what);
    let since = RetentionCutoff {
        log_ms: at(5),
        at_ms: at(5),
        now_ms: at(99),
    };
    let kept = store.first_retained(room, since).await.expect(what);
    assert!(kept.is_some_and(|kept| kept <= Seq(5)), "{what}: {kept:?}");
    store.newest().await.expect(what);
    store.recently_present(room, 9).await.expect(what);
    store.accounts(0).await.expect(what);
    store.guests().await.expect(what);
    for who in [ANN, BEN, CAY] {
        store.memberships(who).await.expect(what);
        store.bans(who).await.expect(what);
        store.read_position(room, who).await.expect(what);
        store
            .unread(room, who, Seq(1), Seq(LAST))
            .await
            .expect(what);
        store.mentions_of(who, 9).await.expect(what);
        store.personal(who).await.expect(what);
        store.invitations(who).await.expect(what);
        store.identity(who).await.expect(what);
        for (phrase, is_open) in [("words", false), ("wor", true), ("again", false)] {
            let search = Search {
                phrases: vec![phrase.into()],
                is_prefix: is_open,
                ..Search::default()
            };
            store
                .search(who, search, SearchLimit::entries(9))
                .await
                .expect(what);
        }
        let search = Search {
            from: vec!["安".into()],
            ..Search::default()
        };
        store
            .search(who, search, SearchLimit::entries(9))
            .await
            .expect(what);
    }
    for name in ["Ann", "boss", "nobody"] {
        let key = UserName::new(name).unwrap().key();
        store.identities_named(key.clone()).await.expect(what);
        store.operator(key.clone()).await.expect(what);
        store.members_named(room, vec![key]).await.expect(what);
    }
    all
}

/// Reads, writes, searches, trims and copies a damaged database. Returns the entries as shown and the result of the verification.
pub async fn exercise(path: &Path, what: &str) -> (Vec<Entry>, Verified) {
    let store = open(path);
    let named = store.verify().await.expect(what);
    let shown = query_all(&store, what).await;
    indexed(path).await;
    query_all(&store, what).await;
    let room = record(70, "log");
    let more = [
        Body::Text("and more words".into()),
        Body::Amendment {
            target: Seq(LAST),
            what: Amendment::Edit("last of all".into()),
        },
        Body::Amendment {
            target: Seq(LAST + 1),
            what: Amendment::Erase,
        },
    ];
    for (seq, body) in (LAST + 1..).zip(more) {
        let append = Append {
            room: room.id,
            at: taken(seq),
            entries: Arc::new(vec![entry(&room, seq, body)]),
            changes: members([]),
        };
        store.append(append).await.expect(what);
    }
    let copy = path.with_extension("copy");
    let copied = sqlite::backup(path, &copy, None).expect(what);
    // The entries appended here do not continue the digest chain.
    assert!(copied.damages >= named.damages, "{what}: {copied:?}");
    sqlite::restore(&copy, &path.with_extension("restored")).expect(what);
    store.trim(room.id, Seq(LAST)).await.expect(what);
    indexed(path).await;
    let left = store.page(room.id, Span::After(Seq::ZERO), PageLimit::PAGE);
    let left: Vec<u64> = left.await.expect(what).iter().map(|it| it.seq.0).collect();
    assert_eq!(left, [LAST, LAST + 1, LAST + 2, LAST + 3], "{what}");
    store.close().await.expect(what);
    (shown, named)
}

pub struct DamageFixture {
    directory: tempfile::TempDir,
    whole: PathBuf,
    pub shown: Vec<Entry>,
}

impl DamageFixture {
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let whole = directory.path().join("whole.db");
        self::whole(&whole).await;
        let copy = directory.path().join("unharmed.db");
        std::fs::copy(&whole, &copy).unwrap();
        let (shown, named) = exercise(&copy, "unharmed").await;
        assert_eq!(named.damages, 0, "{named:?}");
        assert_eq!((named.rooms, named.entries), (2, LAST + 1));
        Self {
            directory,
            whole,
            shown,
        }
    }

    /// A copy of the intact database after this SQL was run on it.
    pub fn damaged(&self, sql: &str) -> PathBuf {
        let copy = tempfile::Builder::new()
            .suffix(".db")
            .tempfile_in(&self.directory);
        let (_, path) = copy.unwrap().keep().unwrap();
        std::fs::copy(&self.whole, &path).unwrap();
        let db = rusqlite::Connection::open(&path).unwrap();
        let done = db.execute_batch(sql);
        assert!(done.is_ok() && db.total_changes() > 0, "{sql}: {done:?}");
        path
    }

    /// Damages a copy with this SQL. Returns the entry at `seq` and the reported damage, and checks that all other entries are unchanged.
    pub async fn shows(&self, sql: &str, seq: u64) -> (Entry, Vec<String>) {
        let (shown, named) = exercise(&self.damaged(sql), sql).await;
        for (one, other) in shown.iter().zip(&self.shown) {
            assert!(one.seq == Seq(seq) || one == other, "{sql}: {one:?}");
        }
        let place = usize::try_from(seq - 1).unwrap();
        let named = named.damaged.iter().map(ToString::to_string);
        (shown[place].clone(), named.collect())
    }
}
