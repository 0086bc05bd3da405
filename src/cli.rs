//! The command line: what can be asked for. Joining, hosting and looking at a demo, and what is done without a screen.

mod copies;
mod demo;
mod doctor;
mod host;
mod join;
mod pipe;
mod send;
mod serve;
mod tail;
mod words;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

pub use self::pipe::Exit;
use crate::config::Config;

/// Chat that lives in the terminal. `tchat` joins, `tchat --serve` hosts.
#[derive(Clone, Debug, Default, Parser)]
#[allow(clippy::struct_excessive_bools)] // Flags are what they are.
#[command(name = "tchat", version, about, max_term_width = 100)]
pub struct Args {
    /// Your name; the login name if absent
    #[arg(short, long, env = "TCHAT_NAME", global = true, value_name = "NAME")]
    pub name: Option<String>,
    /// The server to join
    #[arg(
        short,
        long,
        env = "TCHAT_SERVER",
        global = true,
        value_name = "HOST[:PORT]"
    )]
    pub server: Option<String>,
    /// The room to begin in
    #[arg(short, long, env = "TCHAT_ROOM", global = true, value_name = "ROOM")]
    pub room: Option<String>,
    /// The language of the screen, en or zh-CN; that of the locale if absent
    #[arg(long, env = "TCHAT_LANG", global = true, value_name = "LANGUAGE")]
    pub lang: Option<String>,
    /// The colours; /theme lists them
    #[arg(long, env = "TCHAT_THEME", value_name = "NAME")]
    pub theme: Option<String>,
    /// The config file
    #[arg(long, env = "TCHAT_CONFIG", global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where profiles and a host's rooms are kept
    #[arg(long, env = "TCHAT_DATA", global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Tell what happens line by line instead of on a screen: for screen readers, pipes and terminals that know no places
    #[arg(long, env = "TCHAT_PLAIN", value_parser = clap::builder::BoolishValueParser::new())]
    pub plain: bool,
    /// Look at it: a host in memory, two bots that talk, a tour of a minute. Nothing is kept
    #[arg(long, conflicts_with = "serve")]
    pub demo: bool,
    /// Host without a screen
    #[arg(long)]
    pub serve: bool,
    /// With --serve the address to host on (`::` is every address of both families), else the host to join
    #[arg(long, env = "TCHAT_HOST", value_name = "ADDR", global = true)]
    pub host: Option<String>,
    /// The port to host on or to join
    #[arg(long, env = "TCHAT_PORT", value_name = "PORT", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Serve the clients of five older chat systems as well, on ports 1234, 9000, 9011 and 8010 besides
    #[arg(long, env = "TCHAT_BRIDGES", requires = "serve")]
    pub bridges: bool,
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
    #[command(subcommand)]
    pub task: Option<Task>,
}

/// What is done without a screen.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Say one thing; the exit code says what became of it
    #[command(after_help = SEND_CODES)]
    Send(SendArgs),
    /// Print what a room says
    Tail(TailArgs),
    /// Copy what a host keeps, while it hosts
    Backup {
        /// Where to; it must not be there yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Look at the terminal, the configuration and the server, and say what mends them; ends with 0 when all is well, 1 otherwise
    Doctor,
    /// Put a backup back, while nobody hosts
    Restore {
        /// What `tchat backup` made
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

const SEND_CODES: &str = "Ends with 0 when it is stored for good, 1 when it was refused, 2 when it was called wrongly, \
and 75 when it is not known (no answer in time).";

#[derive(Clone, Debug, clap::Args)]
pub struct SendArgs {
    /// Say it privately to this person instead of to a room
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// Names what is sent: sending it again under the same name says it once
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// How long to wait for the answer
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: String,
    /// What to say; standard input if absent
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct TailArgs {
    /// How many of the newest entries to begin with
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub last: u64,
    /// Go on with what comes
    #[arg(short, long)]
    pub follow: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// Does what the command line says.
///
/// # Errors
/// What could not be done, and what to do about it on a second line.
pub fn run(args: &Args) -> Result<()> {
    let config = Config::load(args);
    if let Some(Task::Doctor) = args.task {
        // What is wrong with it is one of the things to be found.
        return doctor::run(config.as_ref());
    }
    let config = config.map_err(|error| match args.task {
        // Whoever calls these reads the code.
        Some(Task::Send(_) | Task::Tail(_)) => Exit::new(pipe::USAGE, format!("{error:#}")).into(),
        _ => error,
    })?;
    match &args.task {
        Some(Task::Send(send)) => send::run(&config, send),
        Some(Task::Tail(tail)) => tail::run(&config, tail),
        Some(Task::Backup { file }) => copies::backup(&config, file),
        Some(Task::Restore { file }) => copies::restore(&config, file),
        Some(Task::Doctor) => doctor::run(Ok(&config)),
        None if args.demo => demo::run(config),
        None if args.serve => serve::run(config),
        None => join::run(config),
    }
}
