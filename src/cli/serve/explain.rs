//! What to do about a data directory or a key that cannot be used.

use std::path::Path;

use crate::config::Config;
use crate::server::data_dir::{DataError, KeyError};
use crate::server::store::sqlite::OpenError;

/// Adds what to do about a key that cannot be used.
pub(super) fn key(error: DataError, data: &Path) -> anyhow::Error {
    let data = data.display();
    match &error {
        DataError::Key(KeyError::Missing(_)) => anyhow::anyhow!(
            "{error}\nclients would not recognise this server any more; put the file back, or restore a backup of '{data}'"
        ),
        DataError::Key(KeyError::Exposed { path, .. }) => {
            anyhow::anyhow!(
                "{error}\nmake it private with `chmod 600 '{}'`",
                path.display()
            )
        }
        _ => error.into(),
    }
}

/// Adds what to do about a data directory that cannot be used.
pub(in crate::cli) fn data_directory(error: DataError, config: &Config) -> anyhow::Error {
    match error {
        DataError::InUse { ref address, .. } => {
            let server = address
                .as_ref()
                .map(|it| format!(" --server {it}"))
                .unwrap_or_default();
            let data = config.paths.data.display();
            anyhow::anyhow!(
                "{error}\nstop it with `tchat stop --data '{data}'`, join it with `tchat{server}`, \
                 or use another directory with `--data DIR`"
            )
        }
        DataError::Network { .. } => {
            anyhow::anyhow!("{error}\nuse a directory on a local disk with `--data DIR`")
        }
        DataError::Lost { ref path } => {
            let (data, id) = (path.display(), path.join("tchat.id"));
            anyhow::anyhow!(
                "{error}\nrestore a backup with `tchat restore FILE --data '{data}'`, or delete '{}' to start with an empty history",
                id.display()
            )
        }
        DataError::Damaged { .. } | DataError::Database(OpenError::Damaged { .. }) => {
            let data = config.paths.data.display();
            anyhow::anyhow!("{error}\nrestore a backup with `tchat restore FILE --data '{data}'`")
        }
        other => other.into(),
    }
}
