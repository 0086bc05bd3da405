//! `tchat doctor`: looks at the terminal, the configuration and the server, and says of whatever is wrong which line mends it.

mod configuration;
mod server;
mod terminal;

use std::io::{self, Write as _};

use anyhow::Result;

use super::Exit;
use crate::config::{self, Config};
use crate::text;

/// Something is not well.
const NOT_WELL: u8 = 1;
/// Columns of what was looked at.
const WHAT: usize = 14;

/// How one thing is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    Well,
    /// Not wrong, and good to know.
    Note,
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Finding {
    what: &'static str,
    how: How,
    words: String,
    /// The line that mends it: to be typed, or written into a file.
    mend: Option<String>,
}

impl Finding {
    fn well(what: &'static str, words: impl Into<String>) -> Self {
        Self {
            what,
            how: How::Well,
            words: words.into(),
            mend: None,
        }
    }

    fn note(what: &'static str, words: impl Into<String>) -> Self {
        Self {
            how: How::Note,
            ..Self::well(what, words)
        }
    }

    fn wrong(what: &'static str, words: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            how: How::Wrong,
            ..Self::well(what, words)
        }
        .or(mend)
    }

    /// What else could be done.
    fn or(self, mend: impl Into<String>) -> Self {
        Self {
            mend: Some(mend.into()),
            ..self
        }
    }
}

/// Where nobody reads any more, only the exit code says how it went.
fn told(shown: io::Result<()>) -> io::Result<()> {
    match shown {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        shown => shown,
    }
}

/// Looks at everything. A configuration that cannot be used is one of the findings.
pub fn run(config: Result<&Config, &anyhow::Error>) -> Result<()> {
    let mut out = io::stdout();
    let mut wrong = 0;
    let mut show = |title: &str, findings: Vec<Finding>| -> io::Result<()> {
        wrong += findings.iter().filter(|it| it.how == How::Wrong).count();
        let mut lines = vec![title.to_owned()];
        lines.extend(findings.iter().flat_map(lines_of));
        told(lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
        told(out.flush())
    };
    let of_terminal = config::terminal_caps()?;
    let caps = config.map_or(of_terminal, |config| config.join.caps);
    show("terminal", terminal::look(caps, of_terminal))?;
    match config {
        Ok(config) => {
            show("configuration", configuration::look(config))?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let found = runtime.block_on(server::look(config));
            // Looking a name up cannot be interrupted.
            runtime.shutdown_background();
            show("server", found)?;
        }
        Err(error) => {
            let words = format!("{error:#}");
            let (first, rest) = words.split_once('\n').unwrap_or((&words, ""));
            let rest = match first {
                _ if !rest.is_empty() => rest,
                line if line.starts_with("cannot use the config file") => {
                    "that line mended, or --config FILE names another file"
                }
                file if file.starts_with("cannot read the config file") => {
                    "a file that can be read, or --config FILE names another one"
                }
                _ => "another value for it, in the flag or variable it came from",
            };
            show(
                "configuration",
                vec![Finding::wrong("config file", first, rest)],
            )?;
        }
    }
    match wrong {
        0 => Ok(()),
        1 => Err(Exit::new(NOT_WELL, "one thing is not well").into()),
        wrong => Err(Exit::new(NOT_WELL, format!("{wrong} things are not well")).into()),
    }
}

fn lines_of(finding: &Finding) -> Vec<String> {
    let how = match finding.how {
        How::Well => "ok   ",
        How::Note => "note ",
        How::Wrong => "WRONG",
    };
    let what = text::pad(finding.what, WHAT);
    let words = text::line(&finding.words);
    let mut lines = vec![format!("  {how} {what} {words}")];
    if let Some(mend) = &finding.mend {
        let under = text::pad("", WHAT);
        lines.push(format!("        {under} -> {}", text::line(mend)));
    }
    lines
}
