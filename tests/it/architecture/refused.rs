//! Tests of the architecture rules themselves: code that they must reject, and code that they must allow.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::{modules, rules, source};

static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| source::paths(&modules()));

/// A module, and code that must not be in it.
const REFUSED: &[(&str, &str)] = &[
    // The parts of the crate, by every form of `use`.
    ("client", "use crate::server::Hub;"),
    ("server::hub", "use crate::client::Command;"),
    (
        "tui::state",
        "use crate::{chat::Seq, server::store::Store};",
    ),
    ("tui::state", "use crate::wire as frames;"),
    ("text", "use crate::tui::{strings::{self, Strings}};"),
    ("chat", "pub use crate::text::width;"),
    ("wire", "use super::client::Event;"),
    ("config", "use tchat::cli::Args;"),
    ("chat::body", "use super::super::text;"),
    ("config::file", "use super::super::{cli::Args};"),
    ("text", "fn f() { use crate::wire::Frame; }"),
    ("client::link", "use crate::tui::*;"),
    // Full paths: in types, expressions, patterns, bounds, attributes of generic code and macros.
    ("client", "fn f() { crate::server::run(); }"),
    ("server", "struct S { client: super::client::Client }"),
    (
        "text",
        "fn f(x: u8) { match x { crate::tui::MOST => {} _ => {} } }",
    ),
    ("wire", "fn f<T: crate::server::store::Store>(_: T) {}"),
    ("chat", "const N: usize = crate::text::LIMIT;"),
    (
        "server::hub",
        "fn f() { assert_eq!(1, crate::client::count()); }",
    ),
    (
        "text",
        "fn f() { println!(\"{}\", [crate::wire::version()].len()); }",
    ),
    (
        "config",
        "impl From<crate::cli::Args> for u8 { fn from(_: crate::cli::Args) -> u8 { 0 } }",
    ),
    ("server", "mod inner { use crate::tui::State; }"),
    ("server", "mod inner { use super::super::tui::State; }"),
    // Layers of the server and of the terminal client.
    ("server::store::sqlite", "use crate::server::hub::Hub;"),
    ("server::room", "use super::session::Session;"),
    ("server::outbox", "use crate::server::room::Room;"),
    ("server::bus", "use crate::server::store::Store;"),
    ("tui::view", "use crate::tui::update::update;"),
    ("tui::update", "use super::view::draw;"),
    ("tui::update::send", "use crate::tui::plain::SIZE;"),
    ("tui::timeline", "use super::state::State;"),
    ("tui::input", "use super::super::tui::lists;"),
    // A submodule of `update` may not call the functions of `update` itself, which calls all of them.
    ("tui::update::send", "use super::update;"),
    ("tui::update::send", "fn f() { super::handle(); }"),
    // The pure parts.
    ("chat", "async fn f() {}"),
    ("text", "fn f() { let _ = std::fs::read(\"x\"); }"),
    ("wire", "use std::time::{Duration, SystemTime};"),
    (
        "tui::update",
        "use std::time::Instant; fn f() { let _ = Instant::now(); }",
    ),
    (
        "tui::view",
        "use std::time::Instant as Clock; fn f() { let _ = Clock::now(); }",
    ),
    ("tui::state", "use tokio::time::Instant;"),
    ("client::pending", "fn f() { std::thread::sleep(WAIT); }"),
    ("server::room::permissions", "async fn f() { g().await; }"),
    ("tui::plain", "fn f() { let _ = async { 1 }; }"),
    ("tui::content", "fn f() { select! { x = g() => x.await } }"),
    (
        "tui::lists",
        "#[cfg(not(test))] fn f() { std::process::exit(1); }",
    ),
    // Items that only some modules may use.
    ("server", "fn f() { std::env::var(\"HOME\"); }"),
    ("tui::run", "use std::env;"),
    ("server::hub", "use rusqlite::Connection;"),
    ("server::session", "use crate::wire::proto::ChatRequest;"),
    (
        "client",
        "fn f() { let _ = tokio::sync::mpsc::unbounded_channel::<u8>(); }",
    ),
    ("chat", "use tonic::Status;"),
];

/// The same, but allowed.
const ALLOWED: &[(&str, &str)] = &[
    ("client", "use crate::wire::Frame;"),
    ("tui::update::send", "use super::post::post;"),
    ("tui::update", "fn f() { send::enter(); } mod send {}"),
    ("server::room", "use super::outbox::Outbox;"),
    ("chat", "#[cfg(test)] mod tests { use crate::text::width; }"),
    ("chat", "#[cfg(test)] use std::fs;"),
    (
        "chat",
        "#[cfg(all(test, unix))] fn f() { std::fs::read(\"x\"); }",
    ),
    (
        "tui::state",
        "use std::time::Instant; struct S { at: Instant }",
    ),
    ("config", "fn f() { std::env::var(\"HOME\"); }"),
    (
        "text",
        "// use crate::server::Hub;\n/// crate::server::Hub\nfn f() { let _ = \"crate::server\"; }",
    ),
];

fn broken(module: &str, text: &str) -> Vec<String> {
    rules::check(&source::read_text(module, text), &KNOWN)
}

#[test]
fn code_that_breaks_a_rule_is_refused() {
    for (module, text) in REFUSED {
        assert!(
            !broken(module, text).is_empty(),
            "{module} is allowed to contain: {text}"
        );
    }
}

#[test]
fn code_that_follows_the_rules_is_allowed() {
    for (module, text) in ALLOWED {
        let wrong = broken(module, text);
        assert!(wrong.is_empty(), "{module}: {text}: {wrong:?}");
    }
}

#[test]
fn cycles_between_modules_are_found() {
    let of = |texts: &[(&str, &str)]| {
        let modules: Vec<_> = texts
            .iter()
            .flat_map(|(module, text)| source::read_text(module, text))
            .collect();
        rules::circles(&modules, &source::paths(&modules))
    };
    let two = [("a", "use crate::b::X;"), ("b", "use super::a::Y;")];
    assert_eq!(of(&two).len(), 1);
    let three = [
        ("a::x", "use crate::b::X;"),
        ("b", "fn f() { crate::c::g(); }"),
        ("c", "use crate::a::x::Y;"),
    ];
    assert_eq!(of(&three).len(), 1);
    let siblings = [("a::x", "use super::y::X;"), ("a::y", "use super::x::Y;")];
    assert_eq!(of(&siblings).len(), 1);
    // A module and its submodules may use each other, but not in `update`.
    let family = [("a", "use self::x::X; mod x {}"), ("a::x", "use super::Y;")];
    assert_eq!(of(&family), Vec::<String>::new());
    let update = [
        ("tui::update", "use self::send::X; mod send {}"),
        ("tui::update::send", "use super::Y;"),
    ];
    assert_eq!(of(&update).len(), 1);
    let chain = [
        ("a", "use crate::b::X;"),
        ("b", "use crate::c::Y;"),
        ("c", ""),
    ];
    assert_eq!(of(&chain), Vec::<String>::new());
}
