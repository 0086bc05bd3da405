//! `tchat doctor`: checks the terminal, the configuration, the stored rooms and the server, and suggests a fix for
//! every problem. It runs every check and always finishes: an invalid configuration is a finding like any other.

mod configuration;
mod history;
mod server;
mod terminal;

use std::io::{self, Write as _};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::{Args, ExitError};
use crate::config::{self, Config};
use crate::text;
use crate::tui::strings::{self, Doctor, fill};

/// The exit code if something is wrong.
const PROBLEMS: u8 = 1;
/// The width of a finding's mark, in columns.
const MARK: usize = 5;
/// The width of the name of what was checked, in columns.
const WHAT: usize = 14;
/// The time limit of a check. A check that takes longer is reported as a problem: it may be waiting for a disk that
/// does not answer, or for a named pipe.
const WITHIN: Duration = Duration::from_secs(5);

/// How serious a finding is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Severity {
    Ok,
    /// Not wrong, but good to know.
    Note,
    Problem,
}

/// The result of one check.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Finding {
    what: &'static str,
    severity: Severity,
    words: String,
    /// What to do: a line to type, or to add to a file.
    hint: Option<String>,
}

impl Finding {
    fn ok(what: &'static str, words: impl Into<String>) -> Self {
        Self {
            what,
            severity: Severity::Ok,
            words: words.into(),
            hint: None,
        }
    }

    fn note(what: &'static str, words: impl Into<String>) -> Self {
        Self {
            severity: Severity::Note,
            ..Self::ok(what, words)
        }
    }

    fn problem(what: &'static str, words: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            severity: Severity::Problem,
            ..Self::ok(what, words)
        }
        .with_hint(next)
    }

    /// Adds what to do about it.
    fn with_hint(self, next: impl Into<String>) -> Self {
        Self {
            hint: Some(next.into()),
            ..self
        }
    }
}

/// Runs a check in its own thread. A check that does not finish in time is abandoned: it cannot be interrupted, and the
/// process exits without waiting for it.
fn with_timeout(
    what: &'static str,
    within: Duration,
    d: &Doctor,
    check: impl FnOnce() -> Vec<Finding> + Send + 'static,
) -> Vec<Finding> {
    let (done, answer) = mpsc::sync_channel(1);
    thread::spawn(move || done.send(check()));
    answer.recv_timeout(within).unwrap_or_else(|_| {
        let words = fill(d.slow, &[&within.as_secs()]);
        vec![Finding::problem(what, words, d.slow_next)]
    })
}

/// Ignores a broken pipe: if nobody reads the output any longer, the exit code still reports the result.
fn ignore_broken_pipe(shown: io::Result<()>) -> io::Result<()> {
    match shown {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        shown => shown,
    }
}

/// Checks everything.
///
/// # Errors
/// Problems were found; the error contains their number.
pub fn run(args: &Args) -> Result<()> {
    let (config, mut wrong) = Config::load_usable(&args.into())?;
    let config = match super::target::last_joined(config.clone()) {
        Ok(config) => Arc::new(config),
        Err(error) => {
            wrong.push(error);
            Arc::new(config)
        }
    };
    let s = strings::of(&config.join.locale);
    let d = s.doctor;
    let mut out = io::stdout();
    let mut problems = 0;
    let mut show = |title: &str, findings: Vec<Finding>| -> io::Result<()> {
        problems += findings
            .iter()
            .filter(|it| it.severity == Severity::Problem)
            .count();
        let mut lines = vec![title.to_owned()];
        lines.extend(findings.iter().flat_map(|finding| lines_of(finding, d)));
        ignore_broken_pipe(lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
        ignore_broken_pipe(out.flush())
    };
    let of_terminal = config::terminal_caps();
    show(
        d.terminal,
        terminal::check(config.join.caps, of_terminal, s),
    )?;
    let mut findings: Vec<Finding> = wrong.iter().map(|error| unusable(error, d)).collect();
    findings.extend(configuration::check(&config, wrong.is_empty(), s));
    show(d.configuration, findings)?;
    show(d.history, history::check(&config.paths.data, d))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let found = runtime.block_on(server::check(&config, s));
    // A name lookup cannot be interrupted.
    runtime.shutdown_background();
    show(d.server, found)?;
    match problems {
        0 => Ok(()),
        1 => Err(ExitError::new(PROBLEMS, d.one_problem).into()),
        count => Err(ExitError::new(PROBLEMS, fill(d.problems, &[&count])).into()),
    }
}

/// Returns the finding for a part of the configuration that cannot be used.
fn unusable(error: &anyhow::Error, d: &Doctor) -> Finding {
    let words = format!("{error:#}");
    let (first, rest) = words.split_once('\n').unwrap_or((&words, ""));
    let next = match first {
        _ if !rest.is_empty() => rest,
        line if line.starts_with("cannot use the config file") => d.config_line_next,
        file if file.starts_with("cannot read the config file") => d.config_file_next,
        _ => d.flag_next,
    };
    Finding::problem(d.config_file, first, next)
}

fn lines_of(finding: &Finding, d: &Doctor) -> Vec<String> {
    let mark = match finding.severity {
        Severity::Ok => d.ok,
        Severity::Note => d.note,
        Severity::Problem => d.problem,
    };
    let (mark, what) = (text::pad(mark, MARK), text::pad(finding.what, WHAT));
    let words = text::line(&finding.words);
    let mut lines = vec![format!("  {mark} {what} {words}")];
    if let Some(next) = &finding.hint {
        let under = text::pad("", MARK + 1 + WHAT);
        lines.push(format!("  {under} -> {}", text::line(next)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::strings::{CHINESE, ENGLISH};

    #[test]
    fn a_check_that_does_not_end_is_a_finding() {
        for s in [&ENGLISH, &CHINESE] {
            let (never, waits) = mpsc::channel::<()>();
            let check = move || {
                let _never_comes = waits.recv();
                Vec::new()
            };
            let found = with_timeout("theme", Duration::ZERO, s.doctor, check);
            drop(never);
            assert_eq!(found.len(), 1);
            assert_eq!(
                (found[0].what, found[0].severity),
                ("theme", Severity::Problem)
            );
        }
        let check = || vec![Finding::ok("theme", "auto")];
        let found = with_timeout("theme", WITHIN, ENGLISH.doctor, check);
        assert_eq!(found, [Finding::ok("theme", "auto")]);
    }

    #[test]
    fn findings_line_up_in_both_languages() {
        for s in [&ENGLISH, &CHINESE] {
            let finding = Finding::problem(s.doctor.config_file, "x", "y");
            let lines = lines_of(&finding, s.doctor);
            let column = |line: &str, word: &str| text::width(&line[..line.find(word).unwrap()]);
            assert_eq!(column(&lines[0], "x"), 2 + MARK + 1 + WHAT + 1);
            assert_eq!(column(&lines[1], "-> y"), 2 + MARK + 1 + WHAT + 1);
        }
    }
}
