//! `tchat trust` and `tchat join`: decides by which key a server is recognised from now on.

use std::io::{self, BufRead, IsTerminal, Read as _, Write};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::time::timeout;

use super::TrustArgs;
use super::target::Target;
use crate::client::{Distrust, Protection, tls};
use crate::config::{Config, LinkError, ServerLink, without_secret};
use crate::tui::strings::{self, Strings, fill};

/// The maximum length of a line to read, in bytes.
const LINE: u64 = 4096;
/// The most lines of a pasted link.
const LINK_LINES: usize = 20;
/// How long the next line of a paste may take.
const PASTE_PAUSE: Duration = Duration::from_millis(50);
/// How long a server has to answer.
const DIAL_WITHIN: Duration = Duration::from_secs(10);
/// What to type to trust an unknown key, in every language: a single letter is too easily typed by mistake.
const YES: &str = "yes";

/// Trusts a server: at once if its link has the pin, otherwise after a person has compared the key.
pub fn trust(config: &Config, args: &TrustArgs) -> Result<()> {
    let s = strings::of(&config.join.locale);
    let asked = &args.address;
    let mut link: ServerLink = asked
        .parse()
        .with_context(|| format!("cannot trust '{}'", without_secret(asked)))?;
    // Only one address is checked and trusted at a time.
    link.others.clear();
    let target = Target::new(config, link.clone());
    let shown = link.server.short_form();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let dialled = runtime.block_on(async { timeout(DIAL_WITHIN, target.dial()).await });
    let dialled = dialled.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let error = match dialled {
        Ok(dialled) => {
            // The key is known at this address, but the server may claim to be one that is known by a different key.
            if args.replace
                && let Protection::Pinned(pin) = dialled.protection
            {
                print(&fill(s.trust.key_unconfirmed, &[&shown]));
                confirm(s, s.trust.type_key, |typed| pin.begins_with(typed))?;
                target.confirm(pin)?;
            }
            print(&fill(s.trust.is_trusted, &[&shown]));
            return Ok(());
        }
        Err(error) => error,
    };
    match tls::untrusted(&error).map(|it| &it.why) {
        Some(Distrust::Unknown(pin)) => {
            if args.replace {
                // The server may claim to be one that is known by another key, so the key must come from a person.
                print(&fill(s.trust.key_unconfirmed, &[&shown]));
                confirm(s, s.trust.type_key, |typed| pin.begins_with(typed))?;
                target.confirm(*pin)?;
            } else {
                print(&fill(s.trust.key_of, &[&shown, &pin.groups()]));
                confirm(s, &fill(s.trust.type_yes, &[&YES]), |typed| {
                    typed.trim().eq_ignore_ascii_case(YES)
                })?;
            }
            target.trust(&link.server, Some(*pin))?;
        }
        Some(Distrust::Changed { before, seen }) if args.replace => {
            let before = before.map_or_else(|| s.trust.a_certificate.to_owned(), |it| it.groups());
            print(&fill(s.trust.key_changed, &[&shown, &before]));
            // The user must get the new key from somebody with access to the server, so it is not shown here.
            confirm(s, s.trust.type_key, |typed| seen.begins_with(typed))?;
            target.replace_key(&link.server, *seen)?;
        }
        _ => {
            return Err(match tls::untrusted(&error) {
                Some(untrusted) => anyhow!("{}", s.untrusted(untrusted)),
                None => anyhow!(error).context(fill(s.trust.cannot, &[&shown])),
            });
        }
    }
    print(&fill(s.trust.is_trusted, &[&shown]));
    Ok(())
}

/// Reads a link from a prompt or from standard input, unless it was given, and returns the configuration to join its server.
///
/// # Errors
/// The text is not a link.
pub fn with_link(mut config: Config, given: Option<&str>) -> Result<Config> {
    let s = strings::of(&config.join.locale);
    let text = match given {
        Some(text) => text.to_owned(),
        None => read_link(s)?,
    };
    let link: ServerLink = text
        .parse()
        .with_context(|| fill(s.trust.no_link, &[&without_secret(&text)]))?;
    config.join.set_link(link);
    Ok(config)
}

/// Reads the text of a link. In a narrow window it was copied as several lines. All of them are read, so that no part of an invitation is left
/// for the shell.
fn read_link(s: &Strings) -> Result<String> {
    if !io::stdin().is_terminal() {
        let mut text = String::new();
        io::stdin().lock().take(LINE).read_to_string(&mut text)?;
        return Ok(text);
    }
    print(s.trust.paste_link);
    let mut text = String::new();
    for _ in 0..LINK_LINES {
        let line = line()?;
        let is_end = line.trim().is_empty() && !is_input_waiting();
        if is_end && (line.is_empty() || !text.trim().is_empty()) {
            break;
        }
        text.push_str(&line);
        if is_input_waiting() {
            continue;
        }
        match text.parse::<ServerLink>() {
            Err(LinkError::Pin(_) | LinkError::Invite(_)) => print(s.trust.paste_rest),
            Err(_) if text.trim().is_empty() => print(s.trust.paste_link),
            _ => break,
        }
    }
    Ok(text)
}

/// Whether the rest of a paste is still to be read.
fn is_input_waiting() -> bool {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let stdin = io::stdin();
        let mut waiting = [PollFd::new(&stdin, PollFlags::IN)];
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: PASTE_PAUSE.subsec_nanos().into(),
        };
        poll(&mut waiting, Some(&wait)).is_ok_and(|ready| ready > 0)
    }
    #[cfg(not(unix))]
    false
}

/// Asks the user a question, and fails unless the answer is right.
fn confirm(s: &Strings, question: &str, is_right: impl Fn(&str) -> bool) -> Result<()> {
    if !io::stdin().is_terminal() {
        bail!("{}", s.trust.no_terminal);
    }
    print(question);
    if !is_right(&line()?) {
        bail!("{}", s.trust.not_trusted);
    }
    Ok(())
}

fn line() -> Result<String> {
    let mut text = String::new();
    io::stdin().lock().take(LINE).read_line(&mut text)?;
    Ok(text)
}

#[allow(clippy::print_stdout)] // The output of the command.
fn print(words: &str) {
    println!("{words}");
    let _unflushed = io::stdout().flush();
}
