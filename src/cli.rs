//! The command line: what can be asked for. Joining, hosting and looking at a demo, and what is done without a screen.

mod backup;
mod demo;
mod doctor;
mod host;
mod join;
mod parse;
mod pipe;
mod send;
mod serve;
mod stop;
mod tail;
mod word_list;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

pub use self::parse::parse;
pub use self::pipe::Exit;
use crate::config::{Config, Overrides};
use crate::tui::input::command::switched;

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
    /// The theme; /theme lists them
    #[arg(long, env = "TCHAT_THEME", value_name = "NAME")]
    pub theme: Option<String>,
    /// The config file
    #[arg(long, env = "TCHAT_CONFIG", global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where profiles and a server's rooms are kept
    #[arg(long, env = "TCHAT_DATA", global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Write line by line instead of on a screen: for screen readers, pipes and simple terminals
    #[arg(long, env = "TCHAT_PLAIN", value_name = "on|off", num_args = 0..=1, require_equals = true,
          default_missing_value = "on", value_parser = switch)]
    pub plain: Option<bool>,
    /// Look at it: a server in memory, two bots that talk, a tour of a minute. Nothing is kept
    #[arg(long, conflicts_with = "serve")]
    pub demo: bool,
    /// Run a server without a screen
    #[arg(long)]
    pub serve: bool,
    /// With --serve the address to listen on (`::` is every address of this machine), else the host to join
    #[arg(long, env = "TCHAT_HOST", value_name = "ADDR", global = true)]
    pub host: Option<String>,
    /// The port to listen on, or to join
    #[arg(long, env = "TCHAT_PORT", value_name = "PORT", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Serve the clients of five older chat systems as well, on ports 1234, 9000, 9011 and 8010 too
    #[arg(long, env = "TCHAT_BRIDGES", value_name = "on|off", num_args = 0..=1, require_equals = true,
          default_missing_value = "on", value_parser = switch)]
    pub bridges: Option<bool>,
    /// Where a server writes its log
    #[arg(long, env = "TCHAT_LOG_DIR", value_name = "DIR")]
    pub log_dir: Option<PathBuf>,
    /// Log the messages of public rooms as well
    #[arg(long, env = "TCHAT_LOG_MESSAGES", value_name = "on|off", num_args = 0..=1, require_equals = true,
          default_missing_value = "on", value_parser = switch)]
    pub log_messages: Option<bool>,
    /// End a server when nobody was connected for so long, like 5m
    #[arg(long, env = "TCHAT_IDLE_EXIT", value_name = "TIME")]
    pub idle_exit: Option<String>,
    /// Run a server for a screen that was started first
    #[arg(long, hide = true, requires = "serve")]
    pub background: bool,
    #[command(subcommand)]
    pub task: Option<Task>,
}

/// What is done without a screen.
#[derive(Clone, Debug, Subcommand)]
pub enum Task {
    /// Send one message; the exit code says what became of it
    #[command(after_help = SEND_CODES)]
    Send(SendArgs),
    /// Print the messages of a room
    Tail(TailArgs),
    /// Copy a server's data, also while it runs
    Backup {
        /// The file to write; it must not exist yet
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Check the terminal, the configuration and the server, and say what to do; ends with 0 when all is well, else with 1
    Doctor,
    /// Stop the server that runs in the background
    Stop,
    /// Put a backup back; the server has to be stopped
    Restore {
        /// What `tchat backup` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

const SEND_CODES: &str = "Ends with 0 when the message is stored, 1 when it was refused, 2 when the command line was wrong, \
and 75 when it is not known (no answer in time).";

#[derive(Clone, Debug, clap::Args)]
pub struct SendArgs {
    /// Send it privately to this person instead of to a room
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// A name for what is sent: sending it again under the same name sends it once
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// How long to wait for the answer, like 10 or 1m
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: String,
    /// The message; standard input if absent
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct TailArgs {
    /// How many of the newest messages to begin with
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub last: u64,
    /// Go on with new messages
    #[arg(short, long)]
    pub follow: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

impl From<&Args> for Overrides {
    fn from(args: &Args) -> Self {
        let args = args.clone();
        Self {
            name: args.name,
            server: args.server,
            room: args.room,
            lang: args.lang,
            theme: args.theme,
            config: args.config,
            data: args.data,
            plain: args.plain,
            host: args.host,
            port: args.port,
            bridges: args.bridges,
            log_dir: args.log_dir,
            log_messages: args.log_messages,
            idle_exit: args.idle_exit,
            is_background: args.background,
        }
    }
}

/// Reads the value of a flag or variable that switches something. A variable that is set to nothing is off.
fn switch(word: &str) -> Result<bool, String> {
    let word = if word.is_empty() { "off" } else { word };
    let wrong = || format!("'{word}' is neither on nor off");
    switched(word).ok_or_else(wrong)
}

/// Does what the command line says.
///
/// # Errors
/// What could not be done, and what to do about it on a second line.
pub fn run(args: &Args) -> Result<()> {
    if let Some(Task::Doctor) = args.task {
        // What is wrong with the configuration is one of the things it finds.
        return doctor::run(args);
    }
    let config = Config::load(&args.into()).map_err(|error| match args.task {
        // Scripts call these, and read the code.
        Some(Task::Send(_) | Task::Tail(_)) => Exit::new(pipe::USAGE, format!("{error:#}")).into(),
        _ => error,
    })?;
    match &args.task {
        Some(Task::Send(send)) => send::run(&config, send),
        Some(Task::Tail(tail)) => tail::run(&config, tail),
        Some(Task::Backup { file }) => backup::backup(&config, file),
        Some(Task::Restore { file }) => backup::restore(&config, file),
        Some(Task::Stop) => stop::run(&config),
        Some(Task::Doctor) => doctor::run(args),
        None if args.demo => demo::run(config),
        None if args.serve => serve::run(config),
        None => join::run(config),
    }
}
