//! The server's log: readable on a terminal, and in a file that is new every day.

use std::io::IsTerminal;
use std::path::Path;

use tracing::Level;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::room::task::MESSAGES;

/// Days a file is kept.
const DAYS: usize = 14;

/// Whether what people say is logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bodies {
    Left,
    Logged,
}

/// Whether standard error gets the log, too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Terminal {
    Shown,
    Silent,
}

/// Lines that may wait for a terminal that is held with Ctrl+S, or a pipe that nobody reads; more are left out there.
const LINES: usize = 1024;

/// Starts logging to standard error and, in `directory`, to `tchat.<date>.log`. Call it once, and keep what it gives until the end.
///
/// # Errors
/// The directory cannot be written.
pub fn start(
    directory: &Path,
    bodies: Bodies,
    terminal: Terminal,
) -> Result<WorkerGuard, InitError> {
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
    // Nobody waits for a reader, and the whole server would: standard error has a thread of its own.
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
    // A line is written at once: what the log of a host that dies ends with is what one wants to know.
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
