//! The history checker can say no: a good story, and many that are each wrong in one way.

use sha2::{Digest, Sha256};

use crate::support::history::{Author, Body, ClientId, Entry, History, Sent, sends, tail};

/// Adds a valid digest chain to the entries, computed here from the definition in the protocol.
fn chained(mut entries: Vec<Entry>) -> Vec<Entry> {
    let mut previous = vec![0; 8];
    for entry in &mut entries {
        let kind = if entry.body.kind == "created" { 3 } else { 1 };
        let mut body = Sha256::new();
        body.update([kind]);
        body.update(&entry.body.text);
        let mut hash = Sha256::new();
        hash.update(&previous);
        hash.update(entry.seq.to_be_bytes());
        hash.update(hex::decode(&entry.author.id).unwrap());
        match &entry.client_id {
            Some(id) => {
                hash.update(hex::decode(&id.instance).unwrap());
                hash.update(id.counter.to_be_bytes());
            }
            None => hash.update([0; 24]),
        }
        hash.update(body.finalize());
        previous = hash.finalize()[..8].to_vec();
        entry.digest = hex::encode(&previous);
    }
    entries
}

fn entry(seq: u64) -> Entry {
    Entry {
        room: "general".into(),
        room_id: "01".repeat(16),
        epoch: "02".repeat(16),
        seq,
        digest: String::new(),
        at: Some(format!("2026-11-19T09:12:{:02}Z", seq % 60)),
        author: Author {
            id: "03".repeat(16),
            name: "ann".into(),
        },
        client_id: (seq > 1).then(|| ClientId {
            instance: "04".repeat(16),
            counter: seq,
        }),
        body: Body {
            hash: None,
            kind: if seq == 1 { "created" } else { "text" }.into(),
            text: if seq == 1 {
                String::new()
            } else {
                format!("#{seq}#")
            },
        },
    }
}

fn good() -> History {
    let log = chained((1..=10).map(entry).collect());
    let sent = |(code, n): (u8, u64)| Sent {
        code,
        text: format!("#{n}#"),
    };
    let attempts = (2..=10).map(|n| (0, n)).chain([(75, 11), (1, 12)]);
    let row = |n: u64| format!("   09:12 ann        #{n}#");
    let rows = |from: u64| (from..=10).map(row).collect::<Vec<_>>().join("\n");
    History {
        tails: vec![
            ("one".into(), log.clone()),
            ("two".into(), log[4..].to_vec()),
        ],
        sends: vec![("ann".into(), attempts.map(sent).collect())],
        screens: vec![
            (
                "whole".into(),
                format!(" ann created this room\n{}\n #general ›", rows(2)),
            ),
            (
                "gap".into(),
                format!("{}\n ──── 4 messages not loaded ────\n{}", row(2), rows(7)),
            ),
        ],
    }
}

/// The result of the checker after a change to the good history.
fn after(change: impl FnOnce(&mut History)) -> Vec<String> {
    let mut history = good();
    change(&mut history);
    history.check()
}

#[test]
fn a_good_history_is_accepted() {
    assert_eq!(good().check(), [""; 0]);
}

#[test]
fn every_bad_history_is_rejected_for_the_right_reason() {
    type Change = fn(&mut History);
    let cases: &[(&str, &str, Change)] = &[
        ("an accepted post that is lost", "lost", |it| {
            it.sends[0].1.push(Sent {
                code: 0,
                text: "#99#".into(),
            });
        }),
        (
            "a refused post that was stored",
            "refused but is there",
            |it| {
                it.sends[0].1[3].code = 1;
            },
        ),
        ("a post stored twice under two ids", "twice", |it| {
            let mut log = it.tails[0].1.clone();
            let text = log[8].body.text.clone();
            log[9].body.text = text;
            it.tails = vec![("one".into(), chained(log))];
            it.screens.clear();
        }),
        ("a client id used twice", "used before", |it| {
            let mut log = it.tails[0].1.clone();
            log[9].client_id = log[8].client_id.clone();
            it.tails = vec![("one".into(), chained(log))];
        }),
        ("a hole in a tail", "comes 6", |it| {
            drop(it.tails[0].1.remove(4));
        }),
        ("an entry printed twice", "comes 5", |it| {
            let again = it.tails[0].1[4].clone();
            it.tails[0].1.insert(5, again);
        }),
        ("entries out of order", "comes 7", |it| {
            it.tails[0].1.swap(5, 6);
        }),
        ("another entry at the same seq", "another entry", |it| {
            it.tails[1].1[0].body.text = "#forged#".into();
        }),
        ("another author at the same seq", "another entry", |it| {
            it.tails[1].1[2].author.name = "mallory".into();
        }),
        ("a text changed for everybody", "chain breaks", |it| {
            it.tails.truncate(1);
            it.tails[0].1[5].body.text = "#changed#".into();
            (it.sends, it.screens) = (Vec::new(), Vec::new());
        }),
        ("an entry left out and renumbered", "chain breaks", |it| {
            it.tails.truncate(1);
            it.tails[0].1.remove(5);
            for (n, entry) in it.tails[0].1.iter_mut().enumerate() {
                entry.seq = n as u64 + 1;
            }
        }),
        (
            "a first entry that follows nothing",
            "chain breaks at seq 1",
            |it| {
                it.tails.truncate(1);
                it.tails[0].1[0].author.id = "ff".repeat(16);
            },
        ),
        (
            "a sender's posts in another order than sent",
            "overtaken",
            |it| {
                it.sends[0].1.swap(2, 4);
            },
        ),
        ("counters that fall", "overtaken by later", |it| {
            let mut log = it.tails[0].1.clone();
            let one = log[6].client_id.clone();
            log[6].client_id = log[7].client_id.clone();
            log[7].client_id = one;
            it.tails = vec![("one".into(), chained(log))];
        }),
        ("a time before the one before", "older than", |it| {
            it.tails.truncate(1);
            it.tails[0].1[5].at = Some("2026-11-18T00:00:00Z".into());
        }),
        ("a screen with a silent hole", "comes after", |it| {
            it.screens[0].1 = it.screens[0].1.replace("   09:12 ann        #5#\n", "");
        }),
        ("a screen that shows a line twice", "comes after", |it| {
            let line = "   09:12 ann        #5#\n";
            it.screens[0].1 = it.screens[0].1.replace(line, &line.repeat(2));
        }),
        ("a screen whose gap goes backwards", "comes after", |it| {
            it.screens[1].1 = it.screens[1].1.replace("#2#", "#9#");
        }),
        ("a screen that stops early", "not at the end", |it| {
            it.screens[0].1 = it.screens[0].1.replace("   09:12 ann        #10#", "");
        }),
        (
            "a screen with a line that still waits",
            "still waits",
            |it| {
                it.screens[0].1.push_str("\n … 09:34 ann        #11#");
            },
        ),
        ("a screen that shows nothing", "shows nothing", |it| {
            it.screens[0].1 = "#general ›".into();
        }),
    ];
    assert!(cases.len() >= 12);
    for (name, expected, change) in cases {
        let wrong = after(change);
        assert!(
            wrong.iter().any(|line| line.contains(expected)),
            "{name}: expected '{expected}', got {wrong:?}"
        );
    }
}

#[test]
fn its_input_files_are_read_and_a_bad_line_is_named() {
    assert!(tail("{}").unwrap_err().starts_with("line 1"));
    assert_eq!(
        sends("0 #1#\n75 two words").unwrap(),
        [
            Sent {
                code: 0,
                text: "#1#".into()
            },
            Sent {
                code: 75,
                text: "two words".into()
            }
        ]
    );
    assert!(sends("0 fine\nnot so").unwrap_err().starts_with("line 2"));
}
