//! This machine, as others see it.

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
