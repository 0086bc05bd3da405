//! `tchat backup` and `tchat restore`.

use std::path::Path;

use anyhow::Result;

use super::serve::explained;
use crate::config::Config;
use crate::server::data::{self, DataDir, Purpose};

pub fn backup(config: &Config, to: &Path) -> Result<()> {
    let holds = data::backup(&config.paths.data, to)?;
    say(&format!(
        "copied {} rooms with {} entries of '{}' to '{}' and looked them through",
        holds.rooms,
        holds.entries,
        config.paths.data.display(),
        to.display()
    ));
    Ok(())
}

pub fn restore(config: &Config, from: &Path) -> Result<()> {
    // Held until it is done: nobody serves what is being replaced.
    let directory = DataDir::open(&config.paths.data, Purpose::Restore)
        .map_err(|error| explained(error, config))?;
    let restored = directory.restore(from)?;
    say(&format!(
        "put back {} rooms with {} entries from '{}'",
        restored.holds.rooms,
        restored.holds.entries,
        from.display()
    ));
    if let Some(before) = restored.before {
        say(&format!("what was there before is '{}'", before.display()));
    }
    Ok(())
}

#[allow(clippy::print_stdout)] // The answer to the command.
fn say(words: &str) {
    println!("{words}");
}
