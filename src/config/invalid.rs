//! Something in the config file that cannot be used, and the line that it is in.

use std::path::Path;

use anyhow::anyhow;

/// Something in the file that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// At which byte.
    pub at: usize,
    pub why: String,
}

impl Invalid {
    /// The error for people: the file, the line and the key, and why.
    pub fn of(self, path: &Path, text: &str) -> anyhow::Error {
        let line = line_of(text, self.at.min(text.len()));
        let content = text.lines().nth(line - 1).unwrap_or_default();
        let key = content.split('=').next().unwrap_or_default().trim();
        anyhow!(
            "cannot use the config file '{}', line {line}, at '{key}': {}",
            path.display(),
            self.why
        )
    }
}

/// The line of a byte, from 1 on.
pub fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}
