//! The command line: defines its flags and commands, and runs the client, a server, the demo, or a command without a
//! screen.

mod admin;
mod backup;
mod demo;
mod doctor;
mod host;
mod join;
mod machine;
mod parse;
mod pipe;
mod send;
mod serve;
mod stop;
mod tail;
mod target;
mod trust;
mod word_list;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

pub use self::admin::{AdminArgs, ChangeAccount};
pub use self::parse::parse;
pub use self::pipe::ExitError;
use crate::config::{Config, Overrides, ServerLink};
use crate::tui::input::command::parse_switch;

/// Chat in the terminal: `tchat` joins a server, `tchat --serve` runs one.
#[derive(Clone, Debug, Default, Parser)]
#[allow(clippy::struct_excessive_bools)] // The flags are independent of each other.
#[command(name = "tchat", version, about, max_term_width = 100)]
pub struct Args {
    /// Your name (default: your login name)
    #[arg(short, long, env = "TCHAT_NAME", global = true, value_name = "NAME")]
    pub name: Option<String>,
    /// The server to join
    #[arg(
        short,
        long,
        env = "TCHAT_SERVER",
        global = true,
        value_name = "HOST[:PORT]|LINK"
    )]
    pub server: Option<String>,
    /// The credential file of a program, created by `tchat admin bot`. It contains the name, the server and the key
    #[arg(
        long,
        env = "TCHAT_CREDENTIAL_FILE",
        global = true,
        value_name = "FILE"
    )]
    pub credential: Option<PathBuf>,
    /// The room to open first
    #[arg(short, long, env = "TCHAT_ROOM", global = true, value_name = "ROOM")]
    pub room: Option<String>,
    /// The language, en or zh-CN (default: from the locale)
    #[arg(long, env = "TCHAT_LANG", global = true, value_name = "LANGUAGE")]
    pub lang: Option<String>,
    /// The theme; /theme lists all of them
    #[arg(long, env = "TCHAT_THEME", value_name = "NAME")]
    pub theme: Option<String>,
    /// The config file
    #[arg(long, env = "TCHAT_CONFIG", global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where profiles and a server's rooms are stored
    #[arg(long, env = "TCHAT_DATA", global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Print line by line instead of using the whole screen: for screen readers, pipes and simple terminals
    #[arg(long, env = "TCHAT_PLAIN", value_name = "on|off", num_args = 0..=1, require_equals = true,
          default_missing_value = "on", value_parser = switch)]
    pub plain: Option<bool>,
    /// Show a demo: a server in memory, two bots and a one-minute tour. Nothing is saved
    #[arg(long, conflicts_with = "serve")]
    pub demo: bool,
    /// Run a server without a screen
    #[arg(long)]
    pub serve: bool,
    /// With --serve, the address to listen on (`::` means every address of this machine); otherwise the host to join
    #[arg(long, env = "TCHAT_HOST", value_name = "ADDR", global = true)]
    pub host: Option<String>,
    /// The port to listen on or to connect to
    #[arg(long, env = "TCHAT_PORT", value_name = "PORT", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// Join the server on this machine (starting it if needed) instead of the one you last joined by link
    #[arg(long, conflicts_with_all = ["server", "host"], global = true)]
    pub here: bool,
    /// Connect, or let others connect, without encryption
    #[arg(long, global = true)]
    pub insecure: bool,
    /// With --serve, let anyone who can connect create an account, without an invitation
    #[arg(long, requires = "serve")]
    pub open: bool,
    /// Also serve the clients of five older chat systems; this also opens ports 1234, 9000, 9011 and 8010
    #[arg(long, env = "TCHAT_BRIDGES", value_name = "on|off", num_args = 0..=1, require_equals = true,
          default_missing_value = "on", value_parser = switch)]
    pub bridges: Option<bool>,
    /// Where the server writes its log
    #[arg(long, env = "TCHAT_LOG_DIR", value_name = "DIR")]
    pub log_dir: Option<PathBuf>,
    /// Also log the messages of public rooms
    #[arg(long, env = "TCHAT_LOG_MESSAGES", value_name = "on|off", num_args = 0..=1, require_equals = true,
          default_missing_value = "on", value_parser = switch)]
    pub log_messages: Option<bool>,
    /// Stop the server when nobody has been connected for this long, such as 5m
    #[arg(long, env = "TCHAT_IDLE_EXIT", value_name = "TIME")]
    pub idle_exit: Option<String>,
    /// Run as the background server of a client
    #[arg(long, hide = true, requires = "serve")]
    pub background: bool,
    /// The link of a server to join
    #[arg(value_name = "LINK", value_parser = server_link, conflicts_with_all = ["serve", "demo", "server", "host", "port", "here"])]
    pub link: Option<String>,
    #[command(subcommand)]
    pub task: Option<CliCommand>,
}

/// A subcommand of `tchat`.
#[derive(Clone, Debug, Subcommand)]
pub enum CliCommand {
    /// Send one message; the exit code reports the result
    #[command(after_help = SEND_CODES)]
    Send(SendArgs),
    /// Print the messages of a room
    Tail(TailArgs),
    /// Back up a server's data, even while it runs
    Backup {
        /// The file to write; it must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Check the terminal, the configuration and the server, and explain how to fix problems; exits with 0 if there are none, else with 1
    Doctor,
    /// Manage the server running on this machine
    Admin(AdminArgs),
    /// Stop the server that runs in the background
    Stop,
    /// Join a server by pasting its link, or by reading it from standard input
    Join {
        /// The link; without it you are asked for it, so that no other user of this machine sees the invitation
        #[arg(value_name = "LINK")]
        link: Option<String>,
    },
    /// Trust the key of a server from now on
    Trust(TrustArgs),
    /// Restore a backup; stop the server first
    Restore {
        /// A file written by `tchat backup`
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

const SEND_CODES: &str = "Exits with 0 if the message is stored, 1 if it was refused, 2 if the command line was wrong, \
and 75 if there was no connection or no answer in time: the message may or may not have been sent.";

#[derive(Clone, Debug, clap::Args)]
pub struct SendArgs {
    /// Send it privately to this person instead of to a room
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// An ID for this message; if you send it again with the same ID, it is posted only once
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// How long to wait for the answer, such as 30s or 1m
    #[arg(long, value_name = "TIME", default_value = "10s")]
    pub timeout: String,
    /// The message (default: standard input)
    #[arg(value_name = "TEXT")]
    pub text: Vec<String>,
}

#[derive(Clone, Debug, clap::Args)]
pub struct TrustArgs {
    /// The server
    #[arg(value_name = "HOST[:PORT]|LINK")]
    pub address: String,
    /// Replace the key that is trusted now
    #[arg(long)]
    pub replace: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub struct TailArgs {
    /// How many of the newest messages to print first
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub last: u64,
    /// Keep printing new messages
    #[arg(short, long)]
    pub follow: bool,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

impl From<&Args> for Overrides {
    fn from(args: &Args) -> Self {
        let args = args.clone();
        Self {
            name: args.name,
            server: args.link.or(args.server),
            credential: args.credential,
            room: args.room,
            lang: args.lang,
            theme: args.theme,
            config: args.config,
            data: args.data,
            plain: args.plain,
            host: args.host,
            port: args.port,
            here: args.here,
            insecure: args.insecure,
            open: args.open,
            bridges: args.bridges,
            log_dir: args.log_dir,
            log_messages: args.log_messages,
            idle_exit: args.idle_exit,
            is_background: args.background,
        }
    }
}

/// Parses the value of a flag or variable that is a switch. An empty variable is off.
fn switch(word: &str) -> Result<bool, String> {
    let word = if word.is_empty() { "off" } else { word };
    let wrong = || format!("'{word}' is not on or off (use on or off)");
    parse_switch(word).ok_or_else(wrong)
}

/// Accepts a word only if it looks like a link, even an invalid one. Any other word is treated as a command.
fn server_link(word: &str) -> Result<String, String> {
    if ServerLink::is_meant(word) {
        Ok(word.to_owned())
    } else {
        Err(format!("'{word}' is not a link"))
    }
}

/// Runs the command given on the command line.
///
/// # Errors
/// The error says what failed, and on a second line what to do about it.
pub fn run(args: &Args) -> Result<()> {
    if let Some(CliCommand::Doctor) = args.task {
        // `doctor` loads the configuration itself, and reports its errors as findings.
        return doctor::run(args);
    }
    let config = Config::load(&args.into()).map_err(|error| match args.task {
        // Scripts run these commands and check the exit code.
        Some(CliCommand::Send(_) | CliCommand::Tail(_)) => {
            ExitError::new(pipe::USAGE, format!("{error:#}")).into()
        }
        _ => error,
    })?;
    match &args.task {
        Some(CliCommand::Send(send)) => send::run(&target::last_joined(config)?, send),
        Some(CliCommand::Tail(tail)) => tail::run(&target::last_joined(config)?, tail),
        Some(CliCommand::Backup { file }) => backup::backup(&config, file),
        Some(CliCommand::Restore { file }) => backup::restore(&config, file),
        Some(CliCommand::Admin(command)) => admin::run(&config, command),
        Some(CliCommand::Stop) => stop::run(&config),
        Some(CliCommand::Trust(args)) => trust::trust(&config, args),
        Some(CliCommand::Join { link }) => join::run(trust::with_link(config, link.as_deref())?),
        Some(CliCommand::Doctor) => doctor::run(args),
        None if args.demo => demo::run(config),
        None if args.serve => serve::run(config),
        None => join::run(target::last_joined(config)?),
    }
}
