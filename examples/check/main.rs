//! Checks a history: `cargo run --example check -- FILES`.
//!
//! `*.tail` is the output of `tchat tail --json`, `*.sends` has a line with exit code and text for each `tchat send`, `*.screen` is the
//! text of a screen. Exits with 0 if the history is consistent, with 1 and a list of the errors if it is not, and with 2 on wrong usage.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A command prints its result.

#[path = "../../tests/it/support/history.rs"]
mod history;

use std::path::Path;
use std::process::ExitCode;

use history::History;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let history = match read(&files) {
        Ok(history) => history,
        Err(why) => {
            eprintln!("check: {why}");
            return ExitCode::from(2);
        }
    };
    let wrong = history.check();
    for line in &wrong {
        println!("{line}");
    }
    let entries: usize = history.tails.iter().map(|(_, entries)| entries.len()).sum();
    println!(
        "{} files, {entries} entries read, {} errors",
        files.len(),
        wrong.len()
    );
    if wrong.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn read(files: &[String]) -> Result<History, String> {
    let mut history = History::default();
    if files.is_empty() {
        return Err("no files given: name *.tail, *.sends and *.screen files".into());
    }
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let named = |error: String| format!("{file}, {error}");
        match Path::new(file).extension().and_then(|it| it.to_str()) {
            Some("tail") => {
                let entries = history::tail(&text).map_err(named)?;
                history.tails.push((file.clone(), entries));
            }
            Some("sends") => {
                let sends = history::sends(&text).map_err(named)?;
                history.sends.push((file.clone(), sends));
            }
            Some("screen") => history.screens.push((file.clone(), text)),
            _ => {
                return Err(format!(
                    "{file}: the name must end in .tail, .sends or .screen"
                ));
            }
        }
    }
    Ok(history)
}
