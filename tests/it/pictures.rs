//! The pictures in the README match the current screen.

mod scenes;
mod svg;

#[test]
fn the_pictures_match_the_current_screen() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pictures");
    for (name, picture) in scenes::all() {
        let kept = std::fs::read_to_string(directory.join(format!("{name}.svg"))).unwrap();
        assert!(
            kept == picture,
            "{name}.svg does not match the screen: update it with cargo run --example pictures"
        );
    }
    for pages in [&["README.md", "docs/guide.md"][..], &["README.zh-CN.md"]] {
        let read =
            |page: &&str| std::fs::read_to_string(directory.join("../..").join(page)).unwrap();
        let text: String = pages.iter().map(read).collect();
        for (name, _) in scenes::all() {
            let address = format!("examples/pictures/{name}.svg");
            assert!(text.contains(&address), "{pages:?}: {name}");
        }
    }
}
