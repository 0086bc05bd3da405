//! Who may import whom.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[test]
fn dump() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let modules = source::read(&root);
    let paths: BTreeSet<String> = modules.iter().map(|m| m.path.clone()).collect();
    let mut edges: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for m in &modules {
        for n in &m.names {
            let Some(p) = n.path.strip_prefix("crate::") else {
                println!("EXT {} {}", m.path, n.path);
                continue;
            };
            let mut t = p;
            while !paths.contains(t) {
                match t.rsplit_once("::") {
                    Some((a, _)) => t = a,
                    None => {
                        t = "";
                        break;
                    }
                }
            }
            edges
                .entry((m.path.clone(), t.to_owned()))
                .or_default()
                .insert(n.path.clone());
        }
    }
    for ((a, b), what) in edges {
        println!(
            "EDGE {a} {b} {}",
            what.into_iter().collect::<Vec<_>>().join(",")
        );
    }
}
