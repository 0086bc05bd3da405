//! Values from the command line and the environment that override the config file. This module does not parse the command line.

use std::path::PathBuf;

/// Values that override those of the config file. `None` means that the value was not given.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // The flags are independent of each other.
pub struct Overrides {
    pub name: Option<String>,
    pub server: Option<String>,
    /// The file with the credential of a program. It overrides `name` and `server`.
    pub credential: Option<PathBuf>,
    pub room: Option<String>,
    pub lang: Option<String>,
    pub theme: Option<String>,
    /// The config file to read, instead of the usual one.
    pub config: Option<PathBuf>,
    pub data: Option<PathBuf>,
    pub plain: Option<bool>,
    /// The address to listen on, or the host to join.
    pub host: Option<String>,
    pub port: Option<u16>,
    pub here: bool,
    pub insecure: bool,
    pub open: bool,
    pub bridges: Option<bool>,
    pub log_dir: Option<PathBuf>,
    pub log_messages: Option<bool>,
    /// As it was written, like `5m`.
    pub idle_exit: Option<String>,
    /// Whether a client started this server in the background.
    pub is_background: bool,
}
