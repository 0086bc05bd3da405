//! Why a database cannot be used.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot open '{path}': {cause}")]
    Open {
        path: PathBuf,
        cause: rusqlite::Error,
    },
    #[error("'{path}' is damaged: {cause}")]
    Damaged {
        path: PathBuf,
        cause: rusqlite::Error,
    },
    #[error("'{0}' is not a tchat database")]
    Foreign(PathBuf),
    #[error(
        "'{path}' was created by a newer tchat (format {found}; this one supports {known}); it was not changed"
    )]
    Newer {
        path: PathBuf,
        found: i64,
        known: i64,
    },
}

impl OpenError {
    pub(super) fn of(path: &Path, cause: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match cause.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path, cause }
            }
            _ => Self::Open { path, cause },
        }
    }
}
