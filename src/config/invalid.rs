//! Something in the config file that cannot be used, and the line that it is in.

use std::path::Path;

use anyhow::anyhow;

/// Something in the file that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// The byte offset in the file.
    pub at: usize,
    pub why: String,
}

impl Invalid {
    /// Returns the error for people, with the file, line, key and reason.
    pub fn into_error(self, path: &Path, text: &str) -> anyhow::Error {
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

/// Returns the line of a byte offset, counted from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}
