//! `tchat stop`: stops the server of this data directory, usually the background server.

use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::config::Config;
use crate::server::data_dir;
use crate::server::data_dir::Purpose;
use crate::tui::strings::{self, fill};

/// How long to wait for the server to end. It drains within ten seconds, and then closes its database.
const WITHIN: Duration = Duration::from_secs(15);
/// How often to check whether it has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Stops the server and waits until it has ended. Running clients stay open, and do not start it again.
///
/// # Errors
/// The server belongs to another user or does not end in time, or a restore is using the directory.
pub fn run(config: &Config) -> Result<()> {
    let words = strings::of(&config.join.locale).pipes;
    let path = &config.paths.data;
    let shown = path.display();
    let until = Instant::now() + WITHIN;
    let (holder, process) = loop {
        let Some(holder) = data_dir::holder(path)? else {
            print_line(&fill(words.nothing_to_stop, &[&shown]));
            return Ok(());
        };
        if let Some(process) = holder.process {
            break (holder, process);
        }
        // It has just started, and is about to write its process id.
        if Instant::now() >= until {
            bail!(fill(words.still_runs, &[&shown, &"?", &WITHIN.as_secs()]));
        }
        sleep(POLL_INTERVAL);
    };
    if holder.purpose == Purpose::Restore {
        bail!(fill(words.is_restored, &[&shown, &process]));
    }
    let signalled = data_dir::set_stopped(path, true).and_then(|()| terminate(process));
    if let Err(error) = signalled {
        // The server is still running, so clients may start it again after it ends.
        let _as_it_was = data_dir::set_stopped(path, false);
        bail!(fill(words.cannot_stop, &[&shown, &process, &error]));
    }
    while data_dir::holder(path)? == Some(holder) {
        if Instant::now() >= until {
            let words_next = fill(words.still_runs_next, &[&process]);
            let words = fill(words.still_runs, &[&shown, &process, &WITHIN.as_secs()]);
            bail!("{words}\n{words_next}");
        }
        sleep(POLL_INTERVAL);
    }
    print_line(&fill(words.stopped, &[&shown, &process]));
    Ok(())
}

/// Sends SIGTERM to a process.
#[cfg(unix)]
fn terminate(process: u32) -> io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process};
    let number = i32::try_from(process).ok().and_then(Pid::from_raw);
    let number = number.ok_or(io::ErrorKind::InvalidData)?;
    Ok(kill_process(number, Signal::TERM)?)
}

#[cfg(not(unix))]
fn terminate(_process: u32) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[allow(clippy::print_stdout)] // The output of the command.
fn print_line(words: &str) {
    println!("{words}");
}
