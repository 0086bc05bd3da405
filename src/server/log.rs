//! The server's log: on standard error for people to read, and in one file per day.

use std::io::IsTerminal;
use std::path::Path;

use tracing::Level;
use tracing_appender::non_blocking::NonBlockingBuilder;
pub(crate) use tracing_appender::non_blocking::WorkerGuard as Guard;
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::room::task::MESSAGES;

/// How many daily files are kept.
const DAYS: usize = 14;

/// Whether message bodies are logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bodies {
    Left,
    Logged,
}

/// Whether the log also goes to standard error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Terminal {
    Shown,
    Silent,
}

/// How many lines may wait for a terminal that is paused with Ctrl+S or a pipe that nobody reads. Further lines are
/// dropped from standard error, but not from the files.
const LINES: usize = 1024;

/// Starts logging to standard error, if `terminal` allows it, and to `tchat.<date>.log` in `directory`. Call it once,
/// and keep the returned guard until the program ends.
///
/// # Errors
/// A file cannot be written in the directory.
pub(crate) fn start(
    directory: &Path,
    bodies: Bodies,
    terminal: Terminal,
) -> Result<Guard, InitError> {
    let files = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("tchat")
        .filename_suffix("log")
        .max_log_files(DAYS)
        .build(directory)?;
    let messages = match bodies {
        Bodies::Left => LevelFilter::OFF,
        Bodies::Logged => LevelFilter::INFO,
    };
    let ours = Targets::new()
        .with_target("tchat", Level::INFO)
        .with_target(MESSAGES, messages);
    // Standard error is written by a thread of its own, because a reader that stops reading would otherwise block the whole server.
    let (shown, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES)
        .finish(std::io::stderr());
    let to_terminal = (terminal == Terminal::Shown).then(|| {
        fmt::layer()
            .with_writer(shown)
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .compact()
    });
    // Each line is written at once: after a crash the last lines matter most.
    let to_files = fmt::layer()
        .with_writer(files)
        .with_ansi(false)
        .with_target(false);
    tracing_subscriber::registry()
        .with(ours)
        .with(to_terminal)
        .with(to_files)
        .init();
    Ok(guard)
}
