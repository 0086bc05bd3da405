//! `tchat trust` and `tchat join`: decides by which key a server is recognised from now on.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::time::timeout;

use super::TrustArgs;
use super::target::Target;
use crate::client::{Distrust, Protection, tls};
use crate::config::{Config, ServerLink, without_secret};
use crate::tui::strings::{self, Strings, fill};

/// The maximum length of a line to read, in bytes.
const LINE: u64 = 4096;
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
            print(&fill(s.trust.key_of, &[&shown, &pin.groups()]));
            confirm(s, &fill(s.trust.type_yes, &[&YES]), |typed| {
                typed.trim().eq_ignore_ascii_case(YES)
            })?;
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

/// Reads a link from a prompt or from standard input, and returns the configuration to join its server.
///
/// # Errors
/// The text is not a link.
pub fn with_link(mut config: Config) -> Result<Config> {
    let s = strings::of(&config.join.locale);
    if io::stdin().is_terminal() {
        print(s.trust.paste_link);
    }
    let text = line()?;
    let text = text.trim();
    let link: ServerLink = text
        .parse()
        .with_context(|| fill(s.trust.no_link, &[&without_secret(text)]))?;
    config.join.set_link(link);
    Ok(config)
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
    io::Read::take(io::stdin().lock(), LINE).read_line(&mut text)?;
    Ok(text)
}

#[allow(clippy::print_stdout)] // The output of the command.
fn print(words: &str) {
    println!("{words}");
    let _unflushed = io::stdout().flush();
}
