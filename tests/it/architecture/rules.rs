//! The architecture rules as tables, and the functions that check them.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Module;

/// The maximum number of lines in a file.
pub const LINES: usize = 500;

/// A part of the crate, and the other parts that it may use.
type May = (&'static str, &'static [&'static str]);

/// The parts of the crate.
const PARTS: &[May] = &[
    (
        "cli",
        &[
            "chat",
            "client",
            "config",
            "local_socket",
            "server",
            "text",
            "tui",
        ],
    ),
    ("config", &["chat", "files", "text", "tui"]),
    ("tui", &["chat", "client", "text"]),
    ("client", &["chat", "files", "text", "tls", "wire"]),
    ("server", &["chat", "files", "text", "tls", "wire"]),
    ("wire", &["chat"]),
    ("tls", &["chat"]),
    ("text", &["chat"]),
    ("files", &[]),
    ("local_socket", &[]),
    ("chat", &[]),
];

/// The parts of the server, from the sockets down to the disk.
const SERVER: &[May] = &[
    (
        "endpoint",
        &[
            "allowed_hosts",
            "bridge",
            "deadline",
            "hub",
            "listen",
            "metrics",
            "outbox",
            "session",
            "store",
        ],
    ),
    (
        "bridge",
        &[
            "allowed_hosts",
            "deadline",
            "delivery",
            "hub",
            "listen",
            "outbox",
            "rate_limit",
            "room",
            "session",
        ],
    ),
    ("allowed_hosts", &["listen"]),
    ("listen", &["hub", "outbox", "session"]),
    ("session", &["delivery", "hub", "outbox", "room", "store"]),
    (
        "hub",
        &[
            "bus",
            "clock",
            "limits",
            "metrics",
            "outbox",
            "rate_limit",
            "room",
            "store",
            "word_filter",
        ],
    ),
    ("room", &["bus", "clock", "delivery", "outbox", "store"]),
    ("outbox", &["delivery"]),
    ("data_dir", &["hub", "store"]),
    ("limits", &["rate_limit"]),
    ("log", &["room"]),
    ("bus", &[]),
    ("clock", &[]),
    ("deadline", &[]),
    ("delivery", &[]),
    ("metrics", &[]),
    ("rate_limit", &[]),
    ("store", &[]),
    ("word_filter", &[]),
];

/// The parts of the terminal client. `update` and `view` do not know each other; what both need is in `content` and `screen`.
const TUI: &[May] = &[
    (
        "run",
        &[
            "content", "event", "input", "plain", "screen", "settings", "state", "strings",
            "terminal", "theme", "timeline", "update", "view",
        ],
    ),
    (
        "update",
        &[
            "content", "event", "input", "lists", "screen", "settings", "state", "strings",
            "theme", "timeline",
        ],
    ),
    (
        "view",
        &[
            "content", "input", "lists", "screen", "state", "strings", "theme", "timeline",
        ],
    ),
    (
        "plain",
        &[
            "content", "event", "input", "screen", "state", "strings", "timeline",
        ],
    ),
    (
        "content",
        &[
            "input", "lists", "screen", "state", "strings", "theme", "timeline",
        ],
    ),
    ("lists", &["input", "settings", "state", "strings"]),
    ("screen", &["input", "state"]),
    (
        "state",
        &[
            "content", "event", "input", "lists", "screen", "settings", "strings", "terminal",
            "timeline",
        ],
    ),
    ("event", &["settings", "timeline"]),
    ("terminal", &["event", "input", "theme"]),
    ("timeline", &["settings", "strings", "theme"]),
    ("strings", &["input", "settings"]),
    ("settings", &["input"]),
    ("input", &[]),
    ("theme", &[]),
];

/// The tables, each with the module whose submodules it describes.
const TABLES: &[(&str, &[May])] = &[("", PARTS), ("server", SERVER), ("tui", TUI)];

/// Modules that do no I/O, read no clock and never await, together with their submodules.
const PURE: &[&str] = &[
    "chat",
    "client::backoff",
    "client::pending",
    "server::delivery",
    "server::rate_limit",
    "server::room::attendance",
    "server::room::permissions",
    "server::room::retention",
    "server::room::tail",
    "text",
    "tui::content",
    "tui::event",
    "tui::input",
    "tui::lists",
    "tui::plain",
    "tui::screen",
    "tui::settings",
    "tui::state",
    "tui::strings",
    "tui::theme",
    "tui::timeline",
    "tui::update",
    "tui::view",
    "wire",
];

/// Paths that the pure modules may not use, including everything below them.
const IMPURE: &[&str] = &[
    ".await",
    "crossterm::execute",
    "crossterm::queue",
    "crossterm::terminal",
    "getrandom",
    "jiff::Timestamp::now",
    "jiff::Zoned::now",
    "jiff::tz::TimeZone::system",
    "rusqlite",
    "std::env",
    "std::fs",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant::now",
    "std::time::SystemTime",
    "tokio",
];

/// Paths that only some modules may use.
const ONLY: &[(&str, &[&str])] = &[
    ("std::env", &["cli", "config"]),
    (
        "crate::wire::proto",
        &[
            "client::history",
            "client::link",
            "server::endpoint",
            "wire",
        ],
    ),
    (
        "crate::wire::admin_proto",
        &["client::link", "server::endpoint", "wire"],
    ),
    ("crate::server::bridge::proto", &["server::bridge"]),
    ("rusqlite", &["client::cache", "server::store"]),
    ("tonic", &["client", "server", "wire"]),
    ("ratatui::Frame", &["tui::run", "tui::view"]),
    (
        "crate::server::room::permissions::Permissions",
        &["server::room"],
    ),
    ("tokio::sync::mpsc::unbounded_channel", &[]),
    ("std::sync::mpsc::channel", &[]),
    ("futures::channel::mpsc::unbounded", &[]),
];

/// Modules whose submodules may not import from the module itself.
const STRICT: &[&str] = &["tui::update"];

/// Every module that a rule names.
pub fn named() -> Vec<&'static str> {
    let tables = TABLES.iter().flat_map(|(within, table)| {
        table.iter().map(move |(part, _)| {
            if within.is_empty() {
                (*part).to_owned()
            } else {
                format!("{within}::{part}")
            }
        })
    });
    let tables = tables.map(|name| -> &'static str { Box::leak(name.into_boxed_str()) });
    let only = ONLY.iter().flat_map(|(_, places)| places.iter().copied());
    let others = PURE.iter().chain(STRICT).copied().chain(only);
    tables.chain(others).collect()
}

/// Whether a path is another one or below it.
fn is_in(path: &str, other: &str) -> bool {
    path.strip_prefix(other)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Returns every violation of the rules. `known` are the paths of all modules of the crate.
pub fn check(modules: &[Module], known: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for module in modules {
        for name in &module.names {
            for why in broken(&module.path, &name.path, known) {
                wrong.push(format!(
                    "{}:{}: {} names {}: {why}",
                    module.file.display(),
                    name.line,
                    module.path,
                    name.path
                ));
            }
        }
    }
    wrong
}

/// Returns the rules that a module breaks by using a path.
fn broken(module: &str, path: &str, known: &BTreeSet<String>) -> Vec<String> {
    let mut why = Vec::new();
    if let Some(inner) = path.strip_prefix("crate::") {
        why.extend(
            TABLES
                .iter()
                .filter_map(|(within, table)| layer(within, table, module, inner)),
        );
        let target = module_of(inner, known);
        let is_above =
            |strict: &&str| target == Some(*strict) && module != *strict && is_in(module, strict);
        if STRICT.iter().any(is_above) {
            why.push("that is in the parent module".to_owned());
        }
    }
    if PURE.iter().any(|pure| is_in(module, pure)) && IMPURE.iter().any(|it| is_in(path, it)) {
        why.push("this part is pure".to_owned());
    }
    for (only, places) in ONLY {
        if is_in(path, only) && !places.iter().any(|place| is_in(module, place)) {
            why.push(format!("only {places:?} may"));
        }
    }
    why
}

/// Returns the module that a path within the crate belongs to.
fn module_of<'a>(mut path: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    loop {
        if let Some(found) = known.get(path) {
            return Some(found);
        }
        path = path.rsplit_once("::")?.0;
    }
}

/// Checks one use of a path of the crate against a table. Returns the problem, if there is one.
fn layer(within: &str, table: &[May], module: &str, path: &str) -> Option<String> {
    let part = |path: &str| -> Option<String> {
        let rest = if within.is_empty() {
            path
        } else {
            path.strip_prefix(within)?.strip_prefix("::")?
        };
        rest.split("::")
            .next()
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
    };
    let (from, to) = (part(module)?, part(path)?);
    // Items of the parent module itself may be used by all of its parts.
    table.iter().find(|(known, _)| *known == to)?;
    let Some((_, may)) = table.iter().find(|(known, _)| *known == from) else {
        return Some(format!("'{from}' is not in the table of '{within}'"));
    };
    let is_allowed = from == to || may.contains(&to.as_str());
    (!is_allowed).then(|| format!("'{from}' may not import '{to}'"))
}

/// Returns the import cycles between modules. A module and its submodules may import each other, but not within `tui::update`.
pub fn circles(modules: &[Module], known: &BTreeSet<String>) -> Vec<String> {
    let mut edges: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for module in modules.iter().filter(|module| !module.path.is_empty()) {
        let targets = module.names.iter().filter_map(|name| {
            let path = name.path.strip_prefix("crate::")?;
            module_of(path, known)
        });
        // Imports between a module and its submodules do not count, but imports between two submodules do.
        let is_family = |target: &str| is_in(target, &module.path) || is_in(&module.path, target);
        let is_strict = STRICT.iter().any(|strict| is_in(&module.path, strict));
        let targets =
            targets.filter(|target| *target != module.path && (is_strict || !is_family(target)));
        edges.entry(&module.path).or_default().extend(targets);
    }
    let circles = components(&edges)
        .into_iter()
        .filter(|circle| circle.len() > 1);
    circles
        .map(|circle| format!("import cycle: {}", circle.join(" ")))
        .collect()
}

/// The strongly connected components of a graph (Kosaraju): modules that reach each other.
fn components<'a>(edges: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> Vec<Vec<&'a str>> {
    let mut back: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, targets) in edges {
        for to in targets {
            back.entry(to).or_default().insert(from);
        }
    }
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for node in edges.keys() {
        visit(node, edges, &mut seen, &mut order);
    }
    let mut done = BTreeSet::new();
    let mut all = Vec::new();
    for node in order.into_iter().rev() {
        let mut component = Vec::new();
        visit(node, &back, &mut done, &mut component);
        if !component.is_empty() {
            all.push(component);
        }
    }
    all
}

fn visit<'a>(
    node: &'a str,
    edges: &BTreeMap<&'a str, BTreeSet<&'a str>>,
    seen: &mut BTreeSet<&'a str>,
    order: &mut Vec<&'a str>,
) {
    if !seen.insert(node) {
        return;
    }
    for next in edges.get(node).into_iter().flatten() {
        visit(next, edges, seen, order);
    }
    order.push(node);
}
