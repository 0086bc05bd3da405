//! What the program was told, and whether it can work with that.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Finding;
use crate::chat::UserName;
use crate::config::Config;
use crate::tui::theme::{self, Theme};

pub fn look(config: &Config) -> Vec<Finding> {
    let mut findings = vec![file(config), name(config), theme(config), editor(config)];
    let (data, logs) = (&config.paths.data, &config.paths.logs);
    findings.push(directory("data", data, "--data or data in the config file"));
    findings.push(directory(
        "log",
        logs,
        "--log-dir or log_dir in the config file",
    ));
    findings.extend(secrets(data));
    findings
}

fn file(config: &Config) -> Finding {
    let path = config.paths.config_file.display();
    if config.paths.config_file.exists() {
        Finding::well("config file", format!("read: {path}"))
    } else {
        Finding::well("config file", format!("none, and none is needed: {path}"))
    }
}

fn name(config: &Config) -> Finding {
    let name = &config.join.name;
    match UserName::new(name) {
        Ok(_) => Finding::well("name", name),
        Err(_) if name.is_empty() => Finding::note("name", "none is known; you are asked for one")
            .or("name = \"…\" in the config file, or --name"),
        Err(error) => {
            let mend = "another name = \"…\" in the config file, or --name";
            Finding::wrong("name", format!("'{name}' is no name: {error}"), mend)
        }
    }
}

fn theme(config: &Config) -> Finding {
    let (name, caps) = (&config.join.theme, config.join.caps);
    let meant = theme::meant(name, caps.ground);
    let mend = "theme = \"auto\" in the config file, or that line mended";
    match Theme::load(meant, Some(&config.paths.themes), caps.depth) {
        Ok((_, warnings)) => match warnings.first() {
            None => Finding::well("theme", name),
            Some(warning) => Finding::wrong("theme", warning, mend),
        },
        Err(error) => Finding::wrong("theme", error.to_string(), mend),
    }
}

/// The editor is a command line; its first word has to be a program.
fn editor(config: &Config) -> Finding {
    let command = &config.join.editor;
    let program = command.split_whitespace().next().unwrap_or_default();
    if is_program(program) {
        Finding::well("editor", command)
    } else {
        let words = format!("'{program}' is no program that can be found");
        Finding::wrong(
            "editor",
            words,
            "editor = \"nano\" in the config file, or export EDITOR=nano",
        )
    }
}

/// What a shell runs for a word: something of its own, or a file that may be run.
#[cfg(unix)]
const IS_PROGRAM: &str =
    r#"p=$(command -v -- "$1") || exit 1; case $p in /*) [ -f "$p" ] && [ -x "$p" ];; esac"#;

#[cfg(unix)]
fn is_program(name: &str) -> bool {
    let found = std::process::Command::new("sh")
        .args(["-c", IS_PROGRAM, "sh", name])
        .status();
    found.is_ok_and(|status| status.success())
}

#[cfg(not(unix))]
fn is_program(_name: &str) -> bool {
    // The shell that would look for it is not there.
    true
}

/// Whether a directory can be written to, or made.
fn directory(what: &'static str, path: &Path, option: &str) -> Finding {
    let shown = path.display();
    let mut there = path.to_owned();
    // What is not there yet is made when it is needed.
    while !there.exists() && there.pop() {}
    match writable(&there) {
        Ok(()) => Finding::well(what, shown.to_string()),
        Err(error) => {
            let words = format!("cannot write in '{}': {error}", there.display());
            let mend = if there.is_dir() {
                format!(
                    "chmod u+rwx '{}', or another directory by {option}",
                    there.display()
                )
            } else {
                format!("another directory by {option}")
            };
            Finding::wrong(what, words, mend)
        }
    }
}

fn writable(directory: &Path) -> io::Result<()> {
    let probe = directory.join(format!(".tchat-doctor-{}", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe);
    written.and_then(|_| fs::remove_file(&probe))
}

/// Nobody else may read what proves who one is.
fn secrets(data: &Path) -> Vec<Finding> {
    let files = fs::read_dir(data.join("profiles"));
    let files = files.into_iter().flatten().flatten().map(|it| it.path());
    let secrets: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|it| it == "secret"))
        .collect();
    let open: Vec<&PathBuf> = secrets.iter().filter(|path| is_open(path)).collect();
    match (open.as_slice(), secrets.len()) {
        ([], 0) => vec![Finding::well("secrets", "none yet")],
        ([], count) => {
            vec![Finding::well(
                "secrets",
                format!("{count}, readable by you alone"),
            )]
        }
        (open, _) => {
            let wrong = open.iter().map(|path| {
                let words = format!("others can read '{}'", path.display());
                Finding::wrong("secrets", words, format!("chmod 600 '{}'", path.display()))
            });
            wrong.collect()
        }
    }
}

#[cfg(unix)]
fn is_open(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|it| it.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open(_path: &Path) -> bool {
    false
}
