//! The file of a server's forbidden words: read at the start, and again whenever it changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow, bail};
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use crate::chat::FilterMode;
use crate::config;
use crate::server::word_filter::WordFilter;
use crate::text::Keywords;

/// How often to check the file for changes.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Reads the words, and reads them again after each change until the guard is dropped.
///
/// # Errors
/// The file cannot be read at the start. Later, that is only logged, and the words stay as they were.
pub fn watch(path: PathBuf, mode: FilterMode, filter: WordFilter) -> Result<AbortOnDropHandle<()>> {
    let words = read(&path)?;
    tracing::info!(path = %path.display(), words = words.len(), "loaded the word filter");
    filter.set(words, mode);
    let mut known = stamp(&path);
    let watching = async move {
        loop {
            sleep(POLL_INTERVAL).await;
            let now = stamp(&path);
            if now == known {
                continue;
            }
            known = now;
            match read(&path) {
                Ok(words) => {
                    tracing::info!(words = words.len(), "reloaded the word filter");
                    filter.set(words, mode);
                }
                Err(error) => {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "cannot reload the word filter; the previous words stay in use"
                    );
                }
            }
        }
    };
    Ok(AbortOnDropHandle::new(tokio::spawn(watching)))
}

/// Returns the modification time and size of a file, which show whether it has changed.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Reads the words: each line is a word or a phrase. A line that begins with `# ` is a comment.
fn read(path: &Path) -> Result<Keywords> {
    let about = format!("cannot read the words in '{}'", path.display());
    let text = config::read_text(path).map_err(|error| anyhow!("{about}: {error}"))?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("# "));
    let words = Keywords::new(lines.clone());
    if words.is_empty() && lines.count() > 0 {
        bail!(
            "cannot use the words in '{}': no line has a visible character, or there are too many lines",
            path.display()
        );
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_word_per_line_and_comments() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("words");
        fs::write(&path, "# not here\nspam\n\n 坏词 \n#hashtag\n").unwrap();
        let words = read(&path).unwrap();
        assert_eq!(words.len(), 3);
        assert_eq!(words.find("#hashtag").len(), 1);
        assert!(words.find("not here").is_empty());
        let error = read(&directory.path().join("none")).unwrap_err();
        assert!(error.to_string().starts_with("cannot read the words in"));
    }
}
