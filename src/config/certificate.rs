//! Paths in the config file: the certificate files of a server, and the expansion of `~`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::file::ServerTable;

/// Returns the certificate files of a server, if it uses any.
pub fn certificate(server: &ServerTable) -> Result<Option<(PathBuf, PathBuf)>> {
    match (&server.cert, &server.key) {
        (Some(cert), Some(key)) => Ok(Some((expand_home(cert), expand_home(key)))),
        (None, None) => Ok(None),
        (Some(_), None) => bail!("cannot use `cert` without `key` in [server] of the config file"),
        (None, Some(_)) => bail!("cannot use `key` without `cert` in [server] of the config file"),
    }
}

/// Expands `~` in a path from the config file, because no shell has done so.
pub fn expand_home(path: &Path) -> PathBuf {
    let home = directories::UserDirs::new();
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.home_dir().join(rest),
        _ => path.to_owned(),
    }
}
