//! The servers that were joined from this machine, with the pin by which each is recognised.
//!
//! They are in one text file, with one server per line: its address, its pin or the word `certificate`, and the key of
//! its profile. A server that moves to another address with its key has the same profile there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::chat::Pin;
use crate::files::{PRIVATE, write_atomically};

mod ids;

pub use self::ids::{IdCheck, confirm};

const FILE: &str = "known_servers";
const LOCK: &str = "known_servers.lock";
/// The file with the link of the server that was last joined by its link.
const LAST: &str = "last_server";
/// Written in place of a pin for a server whose certificate this machine trusts.
const BY_CERTIFICATE: &str = "certificate";

/// Why the file cannot be used. A file that cannot be written is an error: otherwise the next connection would accept any server.
#[derive(Debug, thiserror::Error)]
pub enum KnownServersError {
    #[error("cannot use the list of known servers '{path}': {cause}")]
    Io { path: PathBuf, cause: io::Error },
    #[error("cannot use the list of known servers '{path}': line {line} is not {expected}")]
    Line {
        path: PathBuf,
        line: usize,
        expected: &'static str,
    },
}

/// A server that was joined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownServer {
    /// `HOST:PORT`, in lower case.
    pub address: String,
    /// The pin; `None` if its certificate is one that this machine trusts.
    pub pin: Option<Pin>,
    /// The key of its profile: usually the address under which it was first joined, otherwise its pin.
    pub profile: String,
}

/// The list, as it was read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KnownServers(Vec<KnownServer>);

impl KnownServers {
    /// Reads the list of a directory. A missing file is an empty list.
    ///
    /// # Errors
    /// The file cannot be read, or a line is invalid. An invalid line is never skipped: without its pin, a wrong server
    /// would be accepted as a new one.
    pub fn read(directory: &Path) -> Result<Self, KnownServersError> {
        let path = directory.join(FILE);
        lines(&path, "an address, a pin and a profile", parse).map(Self)
    }

    pub fn at(&self, address: &str) -> Option<&KnownServer> {
        self.0.iter().find(|known| known.address == address)
    }

    /// Returns the key of the profile for a pin that is known under any address.
    pub fn profile_of(&self, pin: Pin) -> Option<&str> {
        let found = self.0.iter().find(|known| known.pin == Some(pin));
        found.map(|known| known.profile.as_str())
    }

    /// Adds a server, unless its address is known with another key. Returns whether it is known now as it was given.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn add(directory: &Path, server: KnownServer) -> Result<bool, KnownServersError> {
        let mut is_other = false;
        Self::change(directory, |known| {
            let here = known.iter().find(|it| it.address == server.address);
            is_other = here.is_some_and(|it| it.pin != server.pin);
            if !is_other {
                known.retain(|it| it.address != server.address);
                known.push(server);
            }
        })?;
        Ok(!is_other)
    }

    /// Adds a server, or replaces what is known about its address, and writes the file.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn remember(directory: &Path, server: KnownServer) -> Result<(), KnownServersError> {
        Self::change(directory, |known| {
            known.retain(|it| it.address != server.address);
            known.push(server);
        })
    }

    fn change(
        directory: &Path,
        by: impl FnOnce(&mut Vec<KnownServer>),
    ) -> Result<(), KnownServersError> {
        let failed = |cause| KnownServersError::Io {
            path: directory.join(FILE),
            cause,
        };
        // Held until the end, so that two programs do not overwrite each other's servers.
        let _lock = lock(directory).map_err(failed)?;
        let Self(mut known) = Self::read(directory)?;
        by(&mut known);
        write_atomically(&directory.join(FILE), &text_of(&known), PRIVATE).map_err(failed)
    }
}

/// Returns the link of the server that was last joined by its link.
pub fn last_joined(directory: &Path) -> Option<String> {
    let text = fs::read_to_string(directory.join(LAST)).ok()?;
    Some(text.trim().to_owned()).filter(|link| !link.is_empty())
}

/// Remembers the link of a server that was joined. Best effort: without it, the user has to name the server again at
/// the next start.
pub fn remember_last(directory: &Path, link: &str) {
    if last_joined(directory).as_deref() != Some(link) {
        let _forgotten = write_atomically(&directory.join(LAST), &format!("{link}\n"), PRIVATE);
    }
}

/// Reads a file line by line, and skips comments and empty lines. A missing file has no lines.
fn lines<T>(
    path: &Path,
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, KnownServersError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(cause) => {
            let path = path.to_owned();
            return Err(KnownServersError::Io { path, cause });
        }
    };
    let numbered = text.lines().map(str::trim).zip(1..);
    let meant = numbered.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    meant
        .map(|(text, line)| {
            parse(text).ok_or_else(|| KnownServersError::Line {
                path: path.to_owned(),
                line,
                expected,
            })
        })
        .collect()
}

fn parse(line: &str) -> Option<KnownServer> {
    let mut words = line.split_whitespace();
    let (address, pin, profile) = (words.next()?, words.next()?, words.next()?);
    let pin = match pin {
        BY_CERTIFICATE => None,
        pin => Some(pin.parse().ok()?),
    };
    words.next().is_none().then(|| KnownServer {
        address: address.to_owned(),
        pin,
        profile: profile.to_owned(),
    })
}

fn text_of(known: &[KnownServer]) -> String {
    let mut text = String::from("# address, pin of the server's key, profile\n");
    for server in known {
        let pin = server.pin.map(|pin| pin.to_string());
        let pin = pin.as_deref().unwrap_or(BY_CERTIFICATE);
        let line = [server.address.as_str(), pin, &server.profile].join(" ");
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Locks the list. Waits while another process is changing it.
fn lock(directory: &Path) -> io::Result<File> {
    fs::create_dir_all(directory)?;
    let mut options = OpenOptions::new();
    let lock = options
        .create(true)
        .append(true)
        .open(directory.join(LOCK))?;
    lock.lock()?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(address: &str, pin: Option<Pin>, profile: &str) -> KnownServer {
        KnownServer {
            address: address.into(),
            pin,
            profile: profile.into(),
        }
    }

    #[test]
    fn a_server_is_recognised_at_its_address_and_found_by_its_pin() {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (Pin::new([1; 32]), Pin::new([2; 32]));
        let remember = |address: &str, pin, profile: &str| {
            let server = server(address, pin, profile);
            KnownServers::remember(directory.path(), server).unwrap();
            KnownServers::read(directory.path()).unwrap()
        };
        let known = remember("a:1", Some(one), "a:1");
        assert_eq!(known.at("a:1").unwrap().pin, Some(one));
        assert_eq!(known.at("b:1"), None);
        let known = remember("b:1", Some(one), "a:1");
        assert_eq!(known.profile_of(one), Some("a:1"));
        // Another server moves to the old address.
        let known = remember("a:1", Some(other), "other");
        assert_eq!(known.profile_of(one), Some("a:1"));
        assert_eq!(known.at("a:1").unwrap().profile, "other");
        let known = remember("c:1", None, "c:1");
        assert_eq!(known.at("c:1").unwrap().pin, None);
    }

    #[test]
    fn a_line_that_is_not_understood_is_an_error_and_not_an_unknown_server() {
        let directory = tempfile::tempdir().unwrap();
        let pin = Pin::new([1; 32]);
        for (text, line) in [
            ("a:1 abc a:1\n".to_owned(), 1),
            (format!("# a remark\n\na:1 {pin}\n"), 3),
            (format!("a:1 {pin} a:1 more\n"), 1),
        ] {
            fs::write(directory.path().join(FILE), text).unwrap();
            let error = KnownServers::read(directory.path()).unwrap_err();
            assert!(
                error.to_string().contains(&format!("line {line} ")),
                "{error}"
            );
            KnownServers::remember(directory.path(), server("b:1", None, "b:1")).unwrap_err();
        }
    }
}
