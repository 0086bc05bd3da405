//! The ids that servers have claimed, with the pin of each. The client does not sign in to a server that has a known id
//! and another pin.
//!
//! They are in one text file, with one line per pin and id. In place of the id, `any` means that a person has compared
//! the key.

use std::path::{Path, PathBuf};

use super::{KnownServersError, lock};
use crate::chat::{Pin, ServerId};
use crate::files::{PRIVATE, write_atomically};

const FILE: &str = "known_server_ids";
const ANY: &str = "any";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Id {
    Of(ServerId),
    /// A person has confirmed the key, so the server with this key may have any id.
    Any,
}

/// A check of a server's id against the known ids. It is created before the server has sent its id.
#[derive(Clone, Debug)]
pub struct IdCheck {
    directory: PathBuf,
    /// The server's address, for messages.
    pub server: String,
    pin: Pin,
}

impl IdCheck {
    /// Prepares the check of the server that was recognised by a pin.
    pub fn new(directory: &Path, server: String, pin: Pin) -> Self {
        Self {
            directory: directory.to_owned(),
            server,
            pin,
        }
    }

    /// Whether the server may have this id. It may not if the id is known only with other pins.
    ///
    /// # Errors
    /// The file cannot be read, or a line is invalid.
    pub fn allows(&self, id: ServerId) -> Result<bool, KnownServersError> {
        let known = read(&self.directory)?;
        let of_id = Id::Of(id);
        let is_known = known.iter().any(|(_, of)| *of == of_id);
        let is_fine = |pin: Pin, of: Id| pin == self.pin && (of == of_id || of == Id::Any);
        Ok(!is_known || known.iter().any(|(pin, of)| is_fine(*pin, *of)))
    }

    /// Remembers the id. Only one id per pin is stored, so a server that keeps changing its id does not fill the file.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn remember(&self, id: ServerId) -> Result<(), KnownServersError> {
        change(&self.directory, |known| {
            let line = (self.pin, Id::Of(id));
            if known.contains(&line) {
                return false;
            }
            // Also what a person confirmed: it was for this id.
            known.retain(|(pin, _)| *pin != self.pin);
            known.push(line);
            true
        })
    }
}

/// Remembers that a person has compared a key.
///
/// # Errors
/// The file cannot be read or written.
pub fn confirm(directory: &Path, pin: Pin) -> Result<(), KnownServersError> {
    change(directory, |known| {
        let line = (pin, Id::Any);
        let is_new = !known.contains(&line);
        if is_new {
            known.push(line);
        }
        is_new
    })
}

fn change(
    directory: &Path,
    by: impl FnOnce(&mut Vec<(Pin, Id)>) -> bool,
) -> Result<(), KnownServersError> {
    let failed = |cause| KnownServersError::Io {
        path: directory.join(FILE),
        cause,
    };
    // Held until the end, so that two programs do not overwrite each other's lines.
    let _lock = lock(directory).map_err(failed)?;
    let mut known = read(directory)?;
    if !by(&mut known) {
        return Ok(());
    }
    let mut text = String::from("# pin of a server's key, id of the server\n");
    for (pin, id) in known {
        let id = match id {
            Id::Of(id) => id.to_string(),
            Id::Any => ANY.to_owned(),
        };
        text.push_str(&[&pin.to_string(), " ", &id, "\n"].concat());
    }
    write_atomically(&directory.join(FILE), &text, PRIVATE).map_err(failed)
}

fn read(directory: &Path) -> Result<Vec<(Pin, Id)>, KnownServersError> {
    super::lines(&directory.join(FILE), "a pin and an id", |line| {
        let (pin, id) = line.split_once(' ')?;
        let id = match id {
            ANY => Id::Any,
            id => Id::Of(ServerId::from_slice(&hex::decode(id).ok()?)?),
        };
        Some((pin.parse().ok()?, id))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const FIRST: Pin = Pin::new([1; 32]);
    const OTHER: Pin = Pin::new([2; 32]);
    const ID: ServerId = ServerId::new([3; 16]);

    fn check(directory: &Path, pin: Pin) -> IdCheck {
        IdCheck::new(directory, "chat.example".into(), pin)
    }

    #[test]
    fn a_known_id_under_another_pin_is_refused_until_a_person_confirms_the_pin() {
        let directory = tempfile::tempdir().unwrap();
        let (first, other) = (
            check(directory.path(), FIRST),
            check(directory.path(), OTHER),
        );
        assert!(first.allows(ID).unwrap());
        assert!(other.allows(ID).unwrap());
        first.remember(ID).unwrap();
        assert!(first.allows(ID).unwrap());
        assert!(!other.allows(ID).unwrap());
        // Another id is not affected.
        let another = ServerId::new([4; 16]);
        assert!(other.allows(another).unwrap());
        other.remember(another).unwrap();
        assert!(!other.allows(ID).unwrap());
        confirm(directory.path(), OTHER).unwrap();
        assert!(other.allows(ID).unwrap());
        assert!(other.allows(another).unwrap());
        other.remember(ID).unwrap();
        assert!(first.allows(ID).unwrap());
        // A third one is not confirmed.
        assert!(
            !check(directory.path(), Pin::new([5; 32]))
                .allows(ID)
                .unwrap()
        );
    }

    #[test]
    fn a_server_that_changes_its_id_again_and_again_does_not_fill_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let server = check(directory.path(), FIRST);
        for n in 0..50 {
            server.remember(ServerId::new([n; 16])).unwrap();
        }
        let text = fs::read_to_string(directory.path().join(FILE)).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(
            check(directory.path(), OTHER)
                .allows(ServerId::new([0; 16]))
                .unwrap()
        );
        assert!(
            !check(directory.path(), OTHER)
                .allows(ServerId::new([49; 16]))
                .unwrap()
        );
    }

    #[test]
    fn a_line_that_is_not_understood_is_an_error_and_not_an_unknown_id() {
        let directory = tempfile::tempdir().unwrap();
        for line in [
            FIRST.to_string(),
            format!("{FIRST} abc"),
            format!("{FIRST} {ID} more"),
            format!("abc {ID}"),
        ] {
            fs::write(directory.path().join(FILE), format!("# a remark\n{line}\n")).unwrap();
            let server = check(directory.path(), FIRST);
            let error = server.allows(ID).unwrap_err().to_string();
            assert!(error.contains("line 2 is not a pin and an id"), "{error}");
            server.remember(ID).unwrap_err();
            confirm(directory.path(), FIRST).unwrap_err();
        }
    }
}
