//! What a server writes into its data directory about itself, so that clients of the same user recognise it.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use super::SERVER;
use crate::chat::{Pin, ServerId};
use crate::files::{PUBLIC, write_atomically};

/// The server of a data directory: one line each for its id, its address, its pin, and where its key is. The first version wrote the first
/// two lines only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerNote {
    pub id: ServerId,
    /// The address that a client on this machine joins, as `HOST:PORT`.
    pub address: String,
    pub pin: Option<Pin>,
    /// Whether the key is in this directory, and not in certificate files that the configuration names.
    pub has_own_key: bool,
}

/// The last line of the note: for a server with a key of its own, and for one with certificate files.
const OWN: &str = "own key";
const FILES: &str = "certificate files";

impl ServerNote {
    /// Reads the note of a directory. `None` if no server has ever run there.
    pub fn read(directory: &Path) -> Option<Self> {
        let text = fs::read_to_string(directory.join(SERVER)).ok()?;
        let mut lines = text.lines().map(str::trim);
        Some(Self {
            id: ServerId::from_slice(&hex::decode(lines.next()?).ok()?)?,
            address: lines.next().unwrap_or_default().to_owned(),
            pin: lines.next().and_then(|line| line.parse().ok()),
            has_own_key: lines.next() == Some(OWN),
        })
    }

    /// Writes the note to a directory.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        write_atomically(&directory.join(SERVER), &self.to_string(), PUBLIC)
    }
}

impl fmt::Display for ServerNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.id, self.address)?;
        if let Some(pin) = self.pin {
            let key = if self.has_own_key { OWN } else { FILES };
            writeln!(f, "{pin}\n{key}")?;
        }
        Ok(())
    }
}
