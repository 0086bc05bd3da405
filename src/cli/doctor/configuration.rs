//! Checks the configuration: the file, name, theme, editor, directories and keys.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Finding, WITHIN, with_timeout};
use crate::chat::{NameError, Refusal, RefusalCode, UserName};
use crate::config::Config;
use crate::tui::strings::{Doctor, Strings, fill};
use crate::tui::terminal::theme_files;
use crate::tui::theme::{self, ThemeError};

/// Runs the checks. If `is_usable` is false, the errors in the file have been reported already, and the file is not checked.
pub fn check(config: &Arc<Config>, is_usable: bool, s: &'static Strings) -> Vec<Finding> {
    let d = s.doctor;
    let mut findings = Vec::new();
    if is_usable {
        findings.extend(run(d.config_file, config, s, |config, s| {
            vec![file(config, s.doctor)]
        }));
    }
    findings.push(name(config, s));
    findings.extend(run(d.theme, config, s, |config, s| {
        vec![theme(config, s.doctor)]
    }));
    findings.extend(run(d.editor, config, s, |config, s| {
        vec![editor(config, s.doctor)]
    }));
    findings.extend(run(d.data, config, s, |config, s| {
        let d = s.doctor;
        vec![directory(d.data, &config.paths.data, d.data_option, d)]
    }));
    findings.extend(run(d.log, config, s, |config, s| {
        let d = s.doctor;
        vec![directory(d.log, &config.paths.logs, d.log_option, d)]
    }));
    findings.extend(run(d.secrets, config, s, |config, s| {
        secrets(&config.paths.data, s.doctor)
    }));
    findings
}

/// Runs one check with the time limit.
fn run(
    what: &'static str,
    config: &Arc<Config>,
    s: &'static Strings,
    check: fn(&Config, &'static Strings) -> Vec<Finding>,
) -> Vec<Finding> {
    let config = Arc::clone(config);
    with_timeout(what, WITHIN, s.doctor, move || check(&config, s))
}

fn file(config: &Config, d: &Doctor) -> Finding {
    let path = config.paths.config_file.display();
    let words = if config.paths.config_file.exists() {
        d.config_file_read
    } else {
        d.config_file_none
    };
    Finding::ok(d.config_file, fill(words, &[&path]))
}

fn name(config: &Config, s: &Strings) -> Finding {
    let (d, name) = (s.doctor, &config.join.name);
    match UserName::new(name) {
        Ok(_) => Finding::ok(d.name, name),
        Err(_) if name.is_empty() => {
            Finding::note(d.name, d.name_unknown).with_hint(d.name_unknown_next)
        }
        Err(error) => Finding::problem(d.name, s.refusal(&refusal(name, error)), d.name_next),
    }
}

/// Returns the refusal that a server would send for a name.
fn refusal(name: &str, error: NameError) -> Refusal {
    let why = match error {
        NameError::Reserved => return Refusal::new(RefusalCode::NameReserved).with(name),
        NameError::Empty => "empty",
        NameError::TooLong { .. } => "length",
        NameError::Character(_) | NameError::Mixed => "character",
    };
    Refusal::new(RefusalCode::NameInvalid).with(name).with(why)
}

fn theme(config: &Config, d: &'static Doctor) -> Finding {
    let (name, caps) = (&config.join.theme, config.join.caps);
    let resolved = theme::resolve_theme(name, caps.background);
    match theme_files::load(resolved, Some(&config.paths.themes), caps.depth) {
        Ok((_, warnings)) => match warnings.first() {
            None => Finding::ok(d.theme, name),
            Some(warning) => Finding::problem(d.theme, warning, d.theme_next),
        },
        Err(ThemeError::Unknown(name)) => {
            let all = theme_files::list(Some(&config.paths.themes)).join(", ");
            let words = fill(d.theme_unknown, &[&name, &all]);
            Finding::problem(d.theme, words, d.theme_next)
        }
        Err(error) => Finding::problem(d.theme, error.to_string(), d.theme_next),
    }
}

/// Checks the editor. It is a command line whose first word must be a program.
fn editor(config: &Config, d: &'static Doctor) -> Finding {
    let command = &config.join.editor;
    let program = command.split_whitespace().next().unwrap_or_default();
    if is_program(program) {
        Finding::ok(d.editor, command)
    } else {
        let words = fill(d.editor_missing, &[&program]);
        Finding::problem(d.editor, words, d.editor_next)
    }
}

/// A script that succeeds if a shell can run a word: as a builtin or as an executable file.
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
    // There is no `sh` that could look for it.
    true
}

/// Checks whether a directory can be written to or created.
fn directory(what: &'static str, path: &Path, option: &'static str, d: &'static Doctor) -> Finding {
    let shown = path.display();
    let mut existing = path.to_owned();
    // A missing directory is created when it is needed, so its nearest existing parent is checked.
    while !existing.exists() && existing.pop() {}
    match writable(&existing) {
        Ok(()) => Finding::ok(what, shown.to_string()),
        Err(error) => {
            let place = existing.display();
            let words = fill(d.cannot_write, &[&place, &error]);
            let next = if existing.is_dir() {
                fill(d.directory_or_next, &[&place, &option])
            } else {
                fill(d.directory_next, &[&option])
            };
            Finding::problem(what, words, next)
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

/// Checks that only the user can read the keys, which prove who the user is.
fn secrets(data: &Path, d: &'static Doctor) -> Vec<Finding> {
    let files = fs::read_dir(data.join("profiles"));
    let files = files.into_iter().flatten().flatten().map(|it| it.path());
    let secrets: Vec<PathBuf> = files
        .filter(|path| {
            path.extension()
                .is_some_and(|it| it == "device" || it == "secret")
        })
        .collect();
    let open: Vec<&PathBuf> = secrets.iter().filter(|path| is_exposed(path)).collect();
    match (open.as_slice(), secrets.len()) {
        ([], 0) => vec![Finding::ok(d.secrets, d.secrets_none)],
        ([], count) => vec![Finding::ok(d.secrets, fill(d.secrets_ok, &[&count]))],
        (open, _) => {
            let wrong = open.iter().map(|path| {
                let path = path.display();
                let words = fill(d.secrets_open, &[&path]);
                Finding::problem(d.secrets, words, format!("chmod 600 '{path}'"))
            });
            wrong.collect()
        }
    }
}

#[cfg(unix)]
fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|it| it.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_path: &Path) -> bool {
    false
}
