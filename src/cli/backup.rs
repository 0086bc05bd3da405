//! `tchat backup` and `tchat restore`.

use std::path::Path;

use anyhow::Result;

use super::serve::{explain, private_files};
use crate::config::Config;
use crate::server::data_dir;
use crate::server::data_dir::{DataDir, Purpose};
use crate::server::store::Verified;
use crate::text;

/// The maximum number of damaged values to list; `tchat doctor` lists more.
const LISTED_LIMIT: usize = 5;

pub fn backup(config: &Config, to: &Path) -> Result<()> {
    let contents = data_dir::backup(&config.paths.data, to)?;
    print_line(&format!(
        "copied {} rooms with {} entries from '{}' to '{}' and verified them",
        contents.rooms,
        contents.entries,
        config.paths.data.display(),
        to.display()
    ));
    print_damaged(&contents);
    Ok(())
}

pub fn restore(config: &Config, from: &Path) -> Result<()> {
    private_files();
    // Locked until the restore is done, so that no server uses the data that is being replaced.
    let directory = DataDir::open(&config.paths.data, Purpose::Restore)
        .map_err(|error| explain::data_directory(error, config))?;
    let restored = directory.restore(from)?;
    print_line(&format!(
        "restored {} rooms with {} entries from '{}'",
        restored.contents.rooms,
        restored.contents.entries,
        from.display()
    ));
    print_damaged(&restored.contents);
    if let Some(before) = restored.before {
        print_line(&format!("the previous data is in '{}'", before.display()));
    }
    Ok(())
}

/// Prints the damaged values in a copy. Everything else in it can be used.
fn print_damaged(contents: &Verified) {
    if contents.damages == 0 {
        return;
    }
    print_line(&format!(
        "{} damaged values (everything else is intact):",
        contents.damages
    ));
    for damage in contents.damaged.iter().take(LISTED_LIMIT) {
        print_line(&format!("  {}", text::line(&damage.to_string())));
    }
    if contents.damages > LISTED_LIMIT as u64 {
        print_line("  `tchat doctor` lists the others");
    }
}

#[allow(clippy::print_stdout)] // The output of the command.
fn print_line(words: &str) {
    println!("{words}");
}
