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
    for readme in ["README.md", "README.zh-CN.md"] {
        let text = std::fs::read_to_string(directory.join("../..").join(readme)).unwrap();
        for (name, _) in scenes::all() {
            assert!(
                text.contains(&format!("examples/pictures/{name}.svg")),
                "{readme}: {name}"
            );
        }
    }
}
