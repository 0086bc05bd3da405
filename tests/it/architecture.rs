//! Architecture tests: which module may import which, what the pure modules may not use, and how long a file may be.
//!
//! The rules work on resolved paths, see [`source`]. [`refused`] checks that each rule rejects what it should.

mod refused;
mod rules;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use self::source::Module;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn modules() -> Vec<Module> {
    source::read(&root().join("src/lib.rs"))
}

/// All Rust files under a directory.
fn files(under: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(under).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn every_module_keeps_to_the_rules() {
    let modules = modules();
    let wrong = rules::check(&modules, &source::paths(&modules));
    assert!(
        wrong.is_empty(),
        "{} violations:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn modules_have_no_import_cycles() {
    let modules = modules();
    let circles = rules::circles(&modules, &source::paths(&modules));
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn every_rule_names_a_module_that_exists() {
    let modules = modules();
    let exists = |name: &str| modules.iter().any(|module| module.path == name);
    for name in rules::named() {
        assert!(exists(name), "there is no module '{name}'");
    }
}

#[test]
fn every_file_belongs_to_a_module_and_says_what_it_is() {
    let modules = modules();
    let known: BTreeSet<&Path> = modules.iter().map(|module| module.file.as_path()).collect();
    for path in files(&root().join("src")) {
        assert_ne!(path.file_name().unwrap(), "mod.rs", "{}", path.display());
        let is_tests = path.file_name().unwrap() == "tests.rs";
        let is_main = path.ends_with("src/main.rs");
        assert!(
            is_tests || is_main || known.contains(path.as_path()),
            "{} is in no module",
            path.display()
        );
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            is_tests || text.starts_with("//!"),
            "{} does not begin with a `//!` description",
            path.display()
        );
    }
}

#[test]
fn every_file_has_a_readable_size() {
    for part in ["src", "tests", "benches", "examples"] {
        for path in files(&root().join(part)) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(
                lines <= rules::LINES,
                "{} has {lines} lines: split it where it has a natural seam",
                path.display()
            );
        }
    }
}
