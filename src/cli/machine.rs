//! This machine: its name, and the local socket of the user's own server.

use std::path::PathBuf;

use crate::config::Paths;

/// Returns the path of the local socket of this user's server. `None` if the platform has no Unix sockets or the path
/// would be too long.
pub(super) fn socket(paths: &Paths) -> Option<PathBuf> {
    #[cfg(unix)]
    return crate::local_socket::path(&paths.data, paths.runtime.as_deref());
    #[cfg(not(unix))]
    None
}

/// Returns the name of this machine, if it has one.
#[cfg(unix)]
pub(super) fn name() -> Option<String> {
    rustix::system::uname()
        .nodename()
        .to_str()
        .ok()
        .map(str::to_owned)
        .filter(|name| !name.is_empty())
}

#[cfg(not(unix))]
pub(super) fn name() -> Option<String> {
    None
}
