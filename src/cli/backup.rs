//! `tchat backup` and `tchat restore`.

use std::path::Path;

use anyhow::Result;

use super::serve::{explain, private_files};
use crate::config::Config;
use crate::server::data_dir;
use crate::server::data_dir::{DataDir, Purpose};
use crate::server::store::Verified;
use crate::text;

/// The most damaged values to list; `tchat doctor` lists more.
const LISTED: usize = 5;

pub fn backup(config: &Config, to: &Path) -> Result<()> {
    let holds = data_dir::backup(&config.paths.data, to)?;
    say(&format!(
        "copied {} rooms with {} entries from '{}' to '{}' and verified them",
        holds.rooms,
        holds.entries,
        config.paths.data.display(),
        to.display()
    ));
    say_damages(&holds);
    Ok(())
}

pub fn restore(config: &Config, from: &Path) -> Result<()> {
    private_files();
    // Locked until the restore is done, so that no server uses the data that is being replaced.
    let directory = DataDir::open(&config.paths.data, Purpose::Restore)
        .map_err(|error| explain::data_directory(error, config))?;
    let restored = directory.restore(from)?;
    say(&format!(
        "restored {} rooms with {} entries from '{}'",
        restored.holds.rooms,
        restored.holds.entries,
        from.display()
    ));
    say_damages(&restored.holds);
    if let Some(before) = restored.before {
        say(&format!("the previous data is in '{}'", before.display()));
    }
    Ok(())
}

/// Prints the damaged values in a copy. Everything else in it can be used.
fn say_damages(holds: &Verified) {
    if holds.damages == 0 {
        return;
    }
    say(&format!(
        "{} damaged; everything else is intact:",
        holds.damages
    ));
    for damage in holds.damaged.iter().take(LISTED) {
        say(&format!("  {}", text::line(&damage.to_string())));
    }
    if holds.damages > LISTED as u64 {
        say("  `tchat doctor` lists the others");
    }
}

#[allow(clippy::print_stdout)] // The output of the command.
fn say(words: &str) {
    println!("{words}");
}
