//! The pictures of the README are what the screen is.

mod scenes;
mod svg;

#[test]
fn the_pictures_show_the_screen_there_is() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pictures");
    for (name, picture) in scenes::all() {
        let kept = std::fs::read_to_string(directory.join(format!("{name}.svg"))).unwrap();
        assert!(
            kept == picture,
            "{name}.svg is of another screen: cargo run --example pictures makes it anew"
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
