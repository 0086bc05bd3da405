//! This machine: its name, and the socket through which its user reaches their own server.

use std::path::PathBuf;

use crate::config::Paths;

/// Returns the path of the socket of this user's server. `None` where there is no such thing.
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
