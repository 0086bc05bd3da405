//! The command line: what can be asked for, and the two things the program does, joining and hosting.

mod host;
mod join;
mod serve;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

use crate::config::Config;

/// Chat that lives in the terminal. `tchat` joins, `tchat --serve` hosts.
#[derive(Clone, Debug, Default, Parser)]
#[command(name = "tchat", version, about, max_term_width = 100)]
pub struct Args {
    /// Your name; the login name if absent
    #[arg(short, long, env = "TCHAT_NAME", value_name = "NAME")]
    pub name: Option<String>,
    /// The server to join
    #[arg(short, long, env = "TCHAT_SERVER", value_name = "HOST[:PORT]")]
    pub server: Option<String>,
    /// The room to begin in
    #[arg(short, long, env = "TCHAT_ROOM", value_name = "ROOM")]
    pub room: Option<String>,
    /// The colours; /theme lists them
    #[arg(long, env = "TCHAT_THEME", value_name = "NAME")]
    pub theme: Option<String>,
    /// The config file
    #[arg(long, env = "TCHAT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where profiles and a host's rooms are kept
    #[arg(long, env = "TCHAT_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Host without a screen
    #[arg(long)]
    pub serve: bool,
    /// With --serve the address to host on (`::` is every address of both families), else the host to join
    #[arg(long, env = "TCHAT_HOST", value_name = "ADDR")]
    pub host: Option<String>,
    /// The port to host on or to join
    #[arg(long, env = "TCHAT_PORT", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Where a host writes its log
    #[arg(long, env = "TCHAT_LOG_DIR", value_name = "DIR")]
    pub log_dir: Option<PathBuf>,
    /// Log what people say in public rooms as well
    #[arg(long, env = "TCHAT_LOG_MESSAGES")]
    pub log_messages: bool,
    /// End a host when nobody was there for so long, like 5m
    #[arg(long, env = "TCHAT_IDLE_EXIT", value_name = "TIME")]
    pub idle_exit: Option<String>,
    /// Host for a screen that was started first
    #[arg(long, hide = true, requires = "serve")]
    pub background: bool,
}

/// Does what the command line says.
///
/// # Errors
/// What could not be done, and what to do about it on a second line.
pub fn run(args: &Args) -> Result<()> {
    let config = Config::load(args)?;
    if args.serve {
        serve::run(config)
    } else {
        join::run(config)
    }
}
