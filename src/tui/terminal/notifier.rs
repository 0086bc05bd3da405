//! Runs the user's own notification program.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A program that runs longer than this is killed.
const WITHIN: Duration = Duration::from_secs(10);
/// How often to check whether the program has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Starts a program with its arguments, without a shell and without access to the terminal. Does not wait for its end.
///
/// # Errors
/// The program cannot be started; contains the reason.
pub fn run_notifier(words: &[String]) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else {
        return Ok(());
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Its own process group, so that Ctrl+C does not reach it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command
        .spawn()
        .map_err(|error| format!("cannot run '{program}': {error}"))?;
    thread::spawn(move || reap(child));
    Ok(())
}

/// Waits for the end of a program, so that it leaves no zombie, and kills it if it runs too long.
fn reap(mut child: Child) {
    let until = Instant::now() + WITHIN;
    while let Ok(None) = child.try_wait() {
        if Instant::now() >= until {
            // Fails if it has ended just now.
            let _ended = child.kill();
            let _reaped = child.wait();
            return;
        }
        thread::sleep(POLL_INTERVAL);
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn words(all: &[&str]) -> Vec<String> {
        all.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn the_program_receives_its_arguments_unchanged() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("told");
        let program = directory.path().join("tell");
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$#\" \"$@\" > '{}'\n",
            path.display()
        );
        std::fs::write(&program, script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&program, mode).unwrap();
        let program = program.display().to_string();
        let said = ["$(id); `id` > x", "李四 in #tech", "a  b 'c' \"d\""];
        let all = [&[program.as_str()][..], &said].concat();
        run_notifier(&words(&all)).unwrap();
        let began = Instant::now();
        let expected = format!("3\n{}\n", said.join("\n"));
        while std::fs::read_to_string(&path).unwrap_or_default() != expected {
            assert!(
                began.elapsed() < WITHIN,
                "{:?}",
                std::fs::read_to_string(&path)
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn the_error_names_a_missing_program() {
        for program in ["/no/such/program", "no-such-program-here", ""] {
            let error = run_notifier(&words(&[program, "x"])).unwrap_err();
            assert!(
                error.contains(&format!("cannot run '{program}'")),
                "{error}"
            );
        }
        assert_eq!(run_notifier(&[]), Ok(()));
    }
}
