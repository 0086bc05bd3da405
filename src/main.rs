//! The entry point: parses the command line, runs the command, prints the error and sets the exit code.

use std::process::ExitCode;

use tchat::cli;
use tchat::cli::ExitError;
use tchat::server::ServerError;

/// Exit code for an I/O error of the store (`EX_IOERR` of `sysexits.h`).
const STORE_FAILED: u8 = 74;

#[allow(clippy::print_stderr)] // The one place that prints errors for people.
fn main() -> ExitCode {
    match cli::run(&cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tchat: {error:#}");
            match error.downcast_ref::<ExitError>() {
                Some(exit) => ExitCode::from(exit.code),
                None if matches!(error.downcast_ref(), Some(ServerError::Store(_))) => {
                    ExitCode::from(STORE_FAILED)
                }
                None => ExitCode::FAILURE,
            }
        }
    }
}
