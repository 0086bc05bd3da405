//! Who may import whom. The table is the one in `src/lib.rs`; this test scans the sources for what breaks it.

use std::fs;
use std::path::{Path, PathBuf};

/// A part of the program and the parts it may name with `crate::`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("main.rs", &[]),
    (
        "cli",
        &["chat", "cli", "client", "config", "server", "text", "tui"],
    ),
    (
        "config",
        &["chat", "cli", "client", "config", "server", "text", "tui"],
    ),
    ("tui", &["chat", "client", "text", "tui"]),
    ("client", &["chat", "client", "text", "wire"]),
    ("server", &["chat", "server", "text", "wire"]),
    ("wire", &["chat", "wire"]),
    ("text", &["chat", "text"]),
    ("chat", &["chat"]),
];

/// Inside a part: a file or folder, and words that must not appear in it.
const MUST_NOT_NAME: &[(&str, &[&str])] = &[
    // The core is pure: no I/O, no clock, no tasks, no waiting.
    (
        "chat",
        &[
            "tokio",
            "std::fs",
            "std::net",
            "SystemTime::now",
            "Instant::now",
            ".await",
            "async fn",
        ],
    ),
    (
        "text",
        &[
            "tokio",
            "std::fs",
            "std::net",
            "SystemTime::now",
            "Instant::now",
            ".await",
            "async fn",
        ],
    ),
    (
        "wire",
        &[
            "tokio",
            "std::fs",
            "std::net",
            "SystemTime::now",
            "Instant::now",
            ".await",
            "async fn",
        ],
    ),
    (
        "server/room.rs",
        &[
            "tokio",
            "SystemTime::now",
            "Instant::now",
            ".await",
            "rusqlite",
            "proto::",
        ],
    ),
    ("server/room/tail.rs", &["tokio", "Instant::now", ".await"]),
    (
        "server/room/attendance.rs",
        &["tokio", "Instant::now", ".await"],
    ),
    ("server/pace.rs", &["Instant::now()", ".await", "spawn"]),
    (
        "client/pending.rs",
        &["Instant::now()", ".await", "spawn", "proto::"],
    ),
    ("client/cache", &["link", "wire::proto", "proto::"]),
    (
        "client/backoff.rs",
        &["Instant", ".await", "spawn", "getrandom"],
    ),
    (
        "tui/update",
        &[
            ".await",
            "Instant::now",
            "Timestamp::now",
            "spawn",
            "std::fs",
            "view::",
            "stdout",
        ],
    ),
    (
        "tui/update.rs",
        &[
            ".await",
            "Instant::now",
            "Timestamp::now",
            "spawn",
            "std::fs",
            "view::",
            "stdout",
        ],
    ),
    (
        "tui/view",
        &[
            ".await",
            "Instant::now",
            "Timestamp::now",
            "spawn",
            "std::fs",
            "stdout",
            "&mut State",
        ],
    ),
    (
        "tui/view.rs",
        &[
            ".await",
            "Instant::now",
            "Timestamp::now",
            "spawn",
            "std::fs",
            "stdout",
            "&mut State",
        ],
    ),
    (
        "tui/state.rs",
        &[
            ".await",
            "Instant::now",
            "Timestamp::now",
            "spawn",
            "ratatui::",
        ],
    ),
    ("tui/search.rs", &[".await", "now()", "spawn", "std::fs"]),
    ("tui/settings.rs", &[".await", "now()", "spawn", "std::fs"]),
    (
        "tui/plain.rs",
        &[".await", "now()", "spawn", "std::fs", "stdout"],
    ),
    ("tui/lessons.rs", &[".await", "now()", "spawn", "std::fs"]),
    ("tui/spoken.rs", &[".await", "now()", "spawn", "ratatui"]),
    ("tui/highlight.rs", &[".await", "now()", "spawn", "std::fs"]),
    ("tui/keymap", &[".await", "now()", "spawn", "std::fs"]),
    ("tui/timeline.rs", &[".await", "Instant::now", "ratatui"]),
    ("tui/timeline", &[".await", "Instant::now", "ratatui"]),
    // Generated types stay at the edge.
    ("server/session.rs", &["proto::", "tonic"]),
    ("server/session", &["proto::", "tonic"]),
    ("server/hub.rs", &["proto::", "tonic"]),
    ("server/hub", &["proto::", "tonic"]),
    ("server/store.rs", &["wire", "hub", "session", "outbox"]),
    (
        "server/store",
        &["crate::wire", "hub::", "session::", "outbox::"],
    ),
    ("server/bus.rs", &["wire", "hub", "session", "outbox"]),
    (
        "server/bus",
        &["crate::wire", "hub::", "session::", "outbox::"],
    ),
    ("client.rs", &["proto::", "server::", "tui::"]),
    ("tui", &["proto::", "crate::wire", "crate::server"]),
];

/// Words that must not appear anywhere but in the files named.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("std::env::var", &["config.rs"]),
    ("unbounded_channel", &[]),
    ("mpsc::unbounded", &[]),
    ("todo!(", &[]),
    ("unimplemented!(", &[]),
];

fn sources(under: &Path) -> Vec<PathBuf> {
    if under.is_file() {
        return vec![under.to_owned()];
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(under).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The code of a file, without comments and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
    shipped
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tests.rs")
}

/// The files of a part: `tui.rs` and everything below `tui/`.
fn part(name: &str) -> Vec<PathBuf> {
    let file = root().join(format!("{}.rs", name.trim_end_matches(".rs")));
    let mut files = sources(&root().join(name.trim_end_matches(".rs")));
    if file.is_file() {
        files.push(file);
    }
    files.retain(|path| !is_test(path));
    assert!(!files.is_empty(), "there is no part '{name}'");
    files
}

#[test]
fn each_part_imports_only_what_it_may() {
    let parts: Vec<&str> = MAY_IMPORT
        .iter()
        .map(|(part, _)| *part)
        .filter(|part| !part.contains('.'))
        .collect();
    for (name, allowed) in MAY_IMPORT {
        for path in part(name) {
            let code = code(&path);
            for other in parts.iter().filter(|other| !allowed.contains(other)) {
                let named = format!("crate::{other}::");
                assert!(!code.contains(&named), "{} names {named}", path.display());
                assert!(
                    !code.contains(&format!("crate::{other};")),
                    "{} imports {other}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn pure_parts_stay_pure_and_generated_types_stay_at_the_edge() {
    for (place, words) in MUST_NOT_NAME {
        let path = root().join(place);
        assert!(path.exists(), "there is no {place}");
        for path in sources(&path).into_iter().filter(|path| !is_test(path)) {
            let code = code(&path);
            for word in *words {
                assert!(!code.contains(word), "{} says '{word}'", path.display());
            }
        }
    }
}

#[test]
fn some_words_belong_nowhere_or_in_one_place() {
    for path in sources(&root()).into_iter().filter(|path| !is_test(path)) {
        let code = code(&path);
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        for (word, places) in ONLY_IN {
            assert!(
                !code.contains(word) || places.contains(&name.as_str()),
                "{name} says '{word}'"
            );
        }
    }
}

#[test]
fn no_module_hides_in_a_mod_rs_and_every_file_says_what_it_is() {
    for path in sources(&root()).into_iter().filter(|path| !is_test(path)) {
        assert_ne!(path.file_name().unwrap(), "mod.rs", "{}", path.display());
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//!"),
            "{} does not say what it is",
            path.display()
        );
    }
}

#[test]
fn every_rust_file_is_of_a_readable_size() {
    for path in sources(&root()) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(
            lines <= 600,
            "{} has {lines} lines: cut it along a real seam",
            path.display()
        );
    }
}
