//! Values damaged on the disk: each is shown as far as it can be read and is reported, and everything else stays available.

mod fixture;

use std::sync::Arc;

use tchat::chat::{
    Amendment, Body, Digest, Entry, IdentityId, Role, RoomKind, Seq, Until, UserName, digest,
};
use tchat::server::store::sqlite;
use tchat::server::store::{Append, PageLimit, RetentionCutoff, Span, Store};

use self::fixture::{DamageFixture, INVALID_UTF8, LAST, exercise, open};
use super::{ANN, BEN, at, entry, made, members, record, taken};

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_body_is_shown_as_damaged_and_the_rest_of_the_entry_is_kept() {
    let bench = DamageFixture::new().await;
    let unread = "its text cannot be read";
    let other = "its text does not match its hash";
    for (seq, set, named) in [
        (2, format!("text = {INVALID_UTF8}"), unread),
        (2, "text = 'first wards'".into(), other),
        (2, "text = ''".into(), other),
        (2, "text = text || char(10)".into(), other),
        (2, "kind = 2".into(), other),
        (2, "kind = 99".into(), other),
        (2, "kind = 300".into(), "its kind cannot be read"),
        (2, "kind = -1".into(), "its kind cannot be read"),
        // A reply without the seq it answers, an amendment without its target, a ruling about nobody.
        (4, "text = 'third words'".into(), other),
        (4, format!("text = {INVALID_UTF8}"), unread),
        (6, "text = 'x'".into(), other),
        (6, format!("text = {INVALID_UTF8}"), unread),
        (7, "text = '2'".into(), other),
        (8, format!("text = {INVALID_UTF8}"), unread),
        (9, format!("text = {INVALID_UTF8}"), unread),
        (10, "text = 'cay'".into(), other),
        (1, format!("text = {INVALID_UTF8}"), unread),
        (LAST, format!("text = {INVALID_UTF8}"), unread),
    ] {
        let sql = format!("UPDATE entries SET {set} WHERE room = 1 AND seq = {seq}");
        let (shown, found) = bench.shows(&sql, seq).await;
        let before = &bench.shown[usize::try_from(seq - 1).unwrap()];
        let expected = Entry {
            body: Body::Damaged(before.original_hash()),
            ..before.clone()
        };
        assert_eq!(shown, expected, "{sql}");
        assert_eq!(found, [format!("entry {seq} of #log: {named}")], "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_damaged_values_of_an_entry_are_read_as_far_as_possible() {
    let bench = DamageFixture::new().await;
    let entry = |seq: u64| bench.shown[usize::try_from(seq - 1).unwrap()].clone();
    let of = |seq, change: fn(&mut Entry)| {
        let mut entry = entry(seq);
        change(&mut entry);
        entry
    };
    let damaged = |hash: [u8; 32]| Body::Damaged(hash);
    let cases = [
        (
            format!("author_name = {INVALID_UTF8}"),
            of(2, |it| it.author.name = "hell\u{fffd}".into()),
            "the name of its author cannot be read",
        ),
        (
            "author = x'01'".into(),
            of(2, |it| it.author.id = IdentityId::NOBODY),
            "its author cannot be read",
        ),
        (
            "instance = x'0505'".into(),
            of(2, |it| it.client_id = None),
            "its client id cannot be read",
        ),
        (
            "counter = -20".into(),
            of(2, |it| it.client_id = None),
            "its client id cannot be read",
        ),
        (
            "digest = x'00'".into(),
            of(2, |it| it.digest = Digest::default()),
            "its digest cannot be read",
        ),
        (
            "digest = x'0102030405060708'".into(),
            of(2, |it| it.digest = Digest([1, 2, 3, 4, 5, 6, 7, 8])),
            "its digest does not match the entry before it",
        ),
        (
            "at_ms = -1".into(),
            of(2, |it| it.at_ms = 0),
            "its time cannot be read",
        ),
        (
            "body_hash = x'00'".into(),
            Entry {
                body: damaged([0; 32]),
                amended: None,
                ..entry(2)
            },
            "the hash of its body cannot be read",
        ),
        (
            "author = x'09090909090909090909090909090909'".into(),
            of(2, |it| it.author.id = IdentityId::new([9; 16])),
            "its digest does not match the entry before it",
        ),
    ];
    for (set, expected, named) in cases {
        let sql = format!("UPDATE entries SET {set} WHERE room = 1 AND seq = 2");
        let (shown, found) = bench.shows(&sql, 2).await;
        assert_eq!(shown, expected, "{sql}");
        assert_eq!(found, [format!("entry 2 of #log: {named}")], "{sql}");
    }
    // An edited text has no hash of its own, but its edit has one.
    let sql = "UPDATE entries SET text = 'second agoin' WHERE room = 1 AND seq = 3";
    let (_, found) = bench.shows(sql, 3).await;
    assert_eq!(found, ["entry 3 of #log: its text does not match its hash"]);
    let sql = format!("UPDATE entries SET text = {INVALID_UTF8} WHERE room = 1 AND seq = 3");
    let (shown, found) = bench.shows(&sql, 3).await;
    assert_eq!(shown.body, damaged(entry(3).original_hash()));
    assert_eq!(found, ["entry 3 of #log: its text cannot be read"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_row_is_replaced_by_a_damaged_entry() {
    let bench = DamageFixture::new().await;
    for (lost, named) in [
        (4..=4_u64, "entry 4 of #log: it is missing"),
        (
            4..=9,
            "entry 4 of #log: this entry and the next 5 are missing",
        ),
        (9..=9, "entry 9 of #log: it is missing"),
    ] {
        let (first, last) = (lost.start(), lost.end());
        let sql = format!("DELETE FROM entries WHERE room = 1 AND seq BETWEEN {first} AND {last}");
        let (shown, found) = exercise(&bench.damaged(&sql), &sql).await;
        for entry in shown.iter().filter(|it| lost.contains(&it.seq.0)) {
            assert_eq!(entry.body, Body::Damaged([0; 32]), "{sql}");
        }
        assert_eq!(found.damaged[0].to_string(), named, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_values_in_other_tables_do_not_affect_the_entries() {
    let bench = DamageFixture::new().await;
    for (set, named) in [
        (
            "rooms SET topic = TORN WHERE num = 1",
            "#log: its attributes",
        ),
        (
            "rooms SET epoch = x'00' WHERE num = 2",
            "#other: its attributes",
        ),
        (
            "rooms SET capacity = -1 WHERE num = 1",
            "#log: its attributes",
        ),
        (
            "members SET identity = x'00' WHERE identity = x'02020202020202020202020202020202' AND room = 1",
            "#log: a membership",
        ),
        ("standings SET out_reason = TORN", "#log: an invitation"),
        ("standings SET out_by = TORN", "#log: an invitation"),
        ("standings SET identity = x'00'", "#log: an invitation"),
        ("standings SET banned_ms = -5", "#log: an invitation"),
        (
            "marks SET instance = x'00' WHERE room = 1 AND author = x'01010101010101010101010101010101'",
            "#log: the number of the last post",
        ),
        (
            "marks SET counter = -1 WHERE room = 1 AND author = x'01010101010101010101010101010101'",
            "#log: the number of the last post",
        ),
        (
            "reads SET seq = -1 WHERE room = 1 AND identity = x'02020202020202020202020202020202'",
            "#log: a read position",
        ),
        (
            "identities SET status = TORN WHERE name = 'Ben'",
            "a person",
        ),
        (
            "identities SET keywords = TORN WHERE name = 'Ben'",
            "a person",
        ),
        ("identities SET name = TORN WHERE name = 'Cay'", "a person"),
        (
            "identities SET secret = x'00' WHERE name = 'Cay'",
            "a person",
        ),
        ("identities SET seen_ms = -1 WHERE name = 'Ben'", "a person"),
        ("ignored SET person = x'00'", "an ignored person"),
        ("levels SET level = -1", "#log: a notification setting"),
    ] {
        let sql = format!("UPDATE {}", set.replace("TORN", INVALID_UTF8));
        let (shown, found) = exercise(&bench.damaged(&sql), &sql).await;
        let of_room = set.starts_with("rooms SET epoch");
        assert!(of_room || shown == bench.shown, "{sql}");
        let found: Vec<String> = found.damaged.iter().map(ToString::to_string).collect();
        assert!(
            found.len() == 1 && found[0].starts_with(named),
            "{sql}: {found:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_mentions_and_reactions_are_omitted_from_their_entry() {
    let bench = DamageFixture::new().await;
    for (set, names) in [
        ("mentions SET person = x'00'", 0),
        (&format!("reactions SET emoji = {INVALID_UTF8}"), 0),
        ("reactions SET person = x'00'", 0),
        (&format!("reactions SET name = {INVALID_UTF8}"), 1),
    ] {
        let sql = format!("UPDATE {set}");
        let (shown, found) = bench.shows(&sql, 2).await;
        assert_eq!(shown.body, Body::Text("first words".into()), "{sql}");
        if set.starts_with("mentions") {
            assert_eq!(shown.mentions, [], "{sql}");
        } else {
            let reactions = &shown.amended.unwrap().reactions;
            let people: usize = reactions.iter().map(|it| it.people.len()).sum();
            assert_eq!(people, names, "{sql}");
        }
        assert!(
            found.len() == 1 && found[0].starts_with("entry 2 of #log: a "),
            "{sql}: {found:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_name_falls_back_to_its_key_and_damage_grants_no_permission() {
    let bench = DamageFixture::new().await;
    let sql = format!(
        "UPDATE identities SET name = {INVALID_UTF8} WHERE name = 'Ann'; UPDATE rooms SET name = {INVALID_UTF8} WHERE num = 1;
         UPDATE operators SET identity = x'00'; UPDATE rooms SET kind = 77 WHERE num = 2;
         UPDATE members SET role = 77 WHERE room = 1; UPDATE standings SET banned_ms = -1, muted_ms = -1"
    );
    let store = open(&bench.damaged(&sql));
    let ann = store.identity(ANN).await.unwrap().unwrap();
    assert_eq!(ann.name.as_str(), "ann");
    let rooms = store.named_rooms().await.unwrap();
    let log = rooms
        .iter()
        .find(|it| it.id == record(70, "log").id)
        .unwrap();
    assert_eq!(log.name, "log");
    assert_eq!(log.key, record(70, "log").key);
    // Every value that decides a permission falls back to the least permission.
    let other = rooms.iter().find(|it| it.name == "other").unwrap();
    assert_eq!(other.kind, RoomKind::Secret);
    let boss = UserName::new("boss").unwrap().key();
    assert_eq!(
        store.operator(boss.clone()).await.unwrap(),
        Some(IdentityId::NOBODY)
    );
    assert_eq!(
        store.bind_operator(boss, BEN).await.unwrap(),
        IdentityId::NOBODY
    );
    let state = store.room(log.id).await.unwrap().unwrap();
    assert!(state.members.iter().all(|(_, role)| *role == Role::Member));
    let cay = &state.standings[0].1;
    assert_eq!(
        (cay.banned, cay.muted),
        (Some(Until::Forever), Some(Until::Forever))
    );
    store.close().await.unwrap();
}

/// A page that cannot be read is an error and not a damaged value.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_of_the_entries_table_is_an_error() {
    let bench = DamageFixture::new().await;
    let path = bench.damaged("UPDATE rooms SET position = position");
    let db = rusqlite::Connection::open(&path).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'entries'";
    let root: u64 = db
        .query_row(root, [], |row| row.get::<_, u32>(0))
        .unwrap()
        .into();
    let _closed = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    drop(db);
    let mut bytes = std::fs::read(&path).unwrap();
    let start = usize::try_from((root - 1) * 4096).unwrap();
    bytes[start..start + 4096].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let store = open(&path);
    let room = record(70, "log").id;
    let page = store
        .page(room, Span::After(Seq::ZERO), PageLimit::PAGE)
        .await;
    assert!(page.is_err(), "{page:?}");
    assert!(store.verify().await.is_err());
    assert!(sqlite::quick_check(&path).is_err());
}

/// The digest chain is intact while the room is trimmed, edited and appended to during a verification.
#[tokio::test(flavor = "multi_thread")]
async fn changes_during_a_verification_are_not_reported_as_damage() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tchat.db");
    let store = Arc::new(open(&path));
    let room = made(&*store, 72, "busy").await;
    let mut previous = store.room(room.id).await.unwrap().unwrap().last.unwrap().1;
    let mut append = |seqs: std::ops::RangeInclusive<u64>| {
        let at = taken(*seqs.end());
        let entries = seqs.map(|seq| {
            let body = match seq % 7 {
                3 => Body::Amendment {
                    target: Seq(seq - 1),
                    what: Amendment::Edit(format!("edited {seq}")),
                },
                5 => Body::Amendment {
                    target: Seq(seq - 1),
                    what: Amendment::Erase,
                },
                _ => Body::Text(format!("said {seq}")),
            };
            let mut entry = entry(&room, seq, body);
            previous = digest(previous, entry.seq, ANN, entry.client_id, &entry.body);
            entry.digest = previous;
            entry
        });
        Append {
            room: room.id,
            at,
            entries: Arc::new(entries.collect()),
            changes: members([]),
        }
    };
    store.append(append(2..=2000)).await.unwrap();
    let looking = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for _ in 0..5 {
                let found = store.verify().await.unwrap();
                assert_eq!(found.damages, 0, "{:?}", found.damaged);
            }
        }
    });
    for n in 0..20 {
        let first = 2001 + n * 50;
        store.append(append(first..=first + 49)).await.unwrap();
        store.trim(room.id, Seq(first - 1500)).await.unwrap();
    }
    looking.await.unwrap();
}

/// A damaged time or a lost row must not make the entries around it expire.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_entry_does_not_make_others_expire() {
    let bench = DamageFixture::new().await;
    let room = record(70, "log").id;
    for sql in [
        "UPDATE entries SET at_ms = -1, log_ms = -1 WHERE room = 1 AND seq IN (3, 6, 9)",
        "UPDATE entries SET at_ms = -1 WHERE room = 1",
        "UPDATE entries SET log_ms = -1 WHERE room = 1",
        "DELETE FROM entries WHERE room = 1 AND seq IN (3, 6, 9)",
    ] {
        let store = open(&bench.damaged(sql));
        for seq in 1..=LAST {
            let since = RetentionCutoff {
                log_ms: at(seq),
                at_ms: at(seq),
                now_ms: at(99),
            };
            let kept = store.first_retained(room, since).await.unwrap();
            assert!(
                kept.is_some_and(|kept| kept <= Seq(seq)),
                "{sql}: {seq} {kept:?}"
            );
        }
        store.close().await.unwrap();
    }
}
