//! Makes the pictures of the README from the real screen: what `view` draws into a terminal's buffer, as SVG.
//!
//! `cargo run --example pictures` writes `examples/pictures/*.svg`; a test fails if they differ from the screen.

#[path = "../../tests/it/pictures/scenes.rs"]
mod scenes;
#[path = "../../tests/it/pictures/svg.rs"]
mod svg;

/// The screen of the tests: keys in, a buffer out.
#[path = "../../tests/it/support"]
mod support {
    // Not all of it is needed here.
    #[allow(dead_code, clippy::unwrap_used)]
    pub mod screen;
}

use std::path::Path;

fn main() -> std::io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/pictures");
    for (name, picture) in scenes::all() {
        std::fs::write(directory.join(format!("{name}.svg")), picture)?;
    }
    Ok(())
}
