//! `tchat admin`: administers the server of this data directory, through its local socket.

mod answer;
mod audit;
mod json;

use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;

use self::answer::Format;
#[cfg(unix)]
use super::machine;
use crate::chat::{AuditEntry, InviteTerms, RoomAct, Seq, ServerRole};
use crate::client::{
    AdminAnswer, AdminRequest, Connector, DisconnectReason, Unreachable, call_as_host,
};
use crate::config::{Config, Paths, time};
use crate::tui::content::accounts;
use crate::tui::content::administration::time_and_reason;
use crate::tui::input::command::parse_duration;
use crate::tui::strings::{self, Strings, fill};

/// The arguments of `tchat admin`.
#[derive(Clone, Debug, clap::Args)]
pub struct AdminArgs {
    /// Print the answer as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: AdminCommand,
}

/// What `tchat admin` does.
#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// Create an invitation and print the link to send to new people
    Invite {
        /// How many people may join with it
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        uses: u32,
        /// How long the invitation can be used, such as 12h or 7d
        #[arg(long, value_name = "TIME", default_value = "7d")]
        expires: String,
        /// The role that these people get: member, admin or owner
        #[arg(long, value_name = "ROLE", default_value = "member")]
        role: String,
        /// A public room that these people join automatically; can be repeated
        #[arg(id = "room", long = "room", value_name = "ROOM")]
        rooms: Vec<String>,
    },
    /// List the invitations that can still be used
    Invites,
    /// Revoke an invitation; people who joined with it stay
    Revoke {
        /// The ID of the invitation, as `tchat admin invites` prints it
        #[arg(value_name = "ID")]
        id: String,
    },
    /// List the accounts
    Accounts,
    /// Give an account a role: member, admin or owner
    Role {
        /// The account's name
        #[arg(value_name = "NAME")]
        account: String,
        /// member, admin or owner
        #[arg(value_name = "ROLE")]
        role: String,
    },
    /// Rename or remove an account
    #[command(subcommand)]
    Account(ChangeAccount),
    /// List the devices of an account, or remove one
    Devices {
        /// The account's name
        #[arg(value_name = "NAME")]
        account: String,
        /// Remove the device with this ID
        #[arg(long, value_name = "ID")]
        revoke: Option<String>,
    },
    /// Print a link for someone who has lost all devices; the device that uses it replaces them
    Relink {
        /// The account's name
        #[arg(value_name = "NAME")]
        account: String,
    },
    /// Create a bot account and print its credential
    Bot {
        /// The program's name
        #[arg(value_name = "NAME")]
        account: String,
        /// A public room that the program joins automatically; can be repeated
        #[arg(id = "room", long = "room", value_name = "ROOM")]
        rooms: Vec<String>,
    },
    /// Print the state of the server
    Status,
    /// List who is connected, from where and since when
    Who,
    /// Ban an account, or new people and old clients from an address or a network
    Ban {
        /// The account's name, an address, or a network like 192.0.2.0/24
        #[arg(value_name = "NAME|ADDRESS")]
        target: String,
        /// How long it lasts, such as 2h or 7d (without it: until it is lifted), and then the reason
        #[arg(value_name = "[TIME] [REASON]")]
        words: Vec<String>,
    },
    /// Lift a ban
    Unban {
        /// The account's name, the address or the network
        #[arg(value_name = "NAME|ADDRESS")]
        target: String,
    },
    /// List the bans
    Bans,
    /// End the sessions of a person, who may come back
    Kick {
        /// The person's name
        #[arg(value_name = "NAME")]
        account: String,
        /// The reason, for the audit log
        #[arg(value_name = "REASON")]
        words: Vec<String>,
    },
    /// Close a public room, set its topic, or give it an owner
    #[command(subcommand)]
    Room(ChangeRoom),
    /// Delete a message in a public room for everyone
    Erase {
        /// The room's name
        #[arg(id = "in_room", value_name = "ROOM")]
        room: String,
        /// The number of the message, as `tchat tail --json` prints it
        #[arg(value_name = "SEQ")]
        seq: u64,
    },
    /// List the limits of the server, with their values
    Limits,
    /// Print the audit log: what administrators have done
    Audit {
        /// How many of the newest rows to print
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        last: u32,
        /// Print all rows
        #[arg(long, conflicts_with = "last")]
        all: bool,
        /// Print only the head: the number and the hash of the newest row, to be kept elsewhere
        #[arg(long, conflicts_with_all = ["last", "all"])]
        head: bool,
        /// Check that nothing was changed up to this head, which was printed earlier
        #[arg(long, value_name = "HEAD", conflicts_with_all = ["last", "all", "head"])]
        verify: Option<String>,
    },
}

/// What to change about a room.
#[derive(Clone, Debug, Subcommand)]
pub enum ChangeRoom {
    /// Close a room
    Close {
        /// The room's name
        #[arg(id = "in_room", value_name = "ROOM")]
        room: String,
    },
    /// Set the topic of a room
    Topic {
        /// The room's name
        #[arg(id = "in_room", value_name = "ROOM")]
        room: String,
        /// The topic; without it, the room has none
        #[arg(value_name = "TOPIC")]
        words: Vec<String>,
    },
    /// Make a member of a room its owner
    Own {
        /// The room's name
        #[arg(id = "in_room", value_name = "ROOM")]
        room: String,
        /// The account's name
        #[arg(value_name = "NAME")]
        account: String,
    },
}

/// What to change about an account.
#[derive(Clone, Debug, Subcommand)]
pub enum ChangeAccount {
    /// Give an account another name
    Rename {
        /// The account's name
        #[arg(value_name = "NAME")]
        account: String,
        /// The new name
        #[arg(value_name = "NEW_NAME")]
        to: String,
    },
    /// Remove an account: its devices are revoked and its name is free; its messages stay
    Remove {
        /// The account's name
        #[arg(value_name = "NAME")]
        account: String,
    },
}

/// How many rows of the audit log are in one answer.
const AUDIT_PAGE: u32 = 200;

/// Runs one command and prints the server's answer.
///
/// # Errors
/// No server is running here, or it refused the command.
pub fn run(config: &Config, args: &AdminArgs) -> Result<()> {
    let s = strings::of(&config.join.locale);
    let format = if args.json {
        Format::Json
    } else {
        Format::Text
    };
    let call = |request| call(config, s, request);
    if let AdminCommand::Audit {
        all, head, verify, ..
    } = &args.command
        && (*all || *head || verify.is_some())
    {
        let rows = whole_audit(call, if *head { Some(1) } else { None })?;
        match verify {
            Some(exported) => answer::print_line(&audit::verify(s, &rows, exported)?),
            None if *head => answer::print_line(&audit::Head::of(&rows).to_string()),
            None => {
                let (request, rows) = (AdminRequest::ListBans, AdminAnswer::Audit(rows));
                answer::print(s, &config.join.zone, format, &request, rows);
            }
        }
        return Ok(());
    }
    let request = request(s, &args.command)?;
    let answer = call(request.clone())?;
    answer::print(s, &config.join.zone, format, &request, answer);
    Ok(())
}

/// Asks the server of this data directory.
fn call(config: &Config, s: &Strings, request: AdminRequest) -> Result<AdminAnswer> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let shown = config.paths.data.display();
    let connector =
        connector(&config.paths).ok_or_else(|| anyhow!(fill(s.admin.no_socket, &[&shown])))?;
    let called = runtime.block_on(call_as_host(connector, request));
    let answer = called.map_err(|why| match why {
        // Another user's server, for example.
        DisconnectReason::Unreachable(Unreachable::Other(cause)) => {
            anyhow!(cause).context(fill(s.admin.cannot_ask, &[&shown]))
        }
        DisconnectReason::Unreachable(_) => anyhow!(fill(s.admin.no_server, &[&shown])),
        why => anyhow!(s.why(&why)).context(fill(s.admin.cannot_ask, &[&shown])),
    })?;
    answer.map_err(|error| anyhow!(accounts::failure(s, &error)))
}

/// Returns all rows of the audit log, or the newest `most`; the newest first.
fn whole_audit(
    call: impl Fn(AdminRequest) -> Result<AdminAnswer>,
    most: Option<u32>,
) -> Result<Vec<AuditEntry>> {
    let (mut rows, mut before) = (Vec::new(), 0);
    loop {
        let most = most.unwrap_or(AUDIT_PAGE);
        let AdminAnswer::Audit(page) = call(AdminRequest::ListAudit { before, most })? else {
            bail!("the server gave another answer");
        };
        before = page.last().map_or(0, |row| row.number);
        let is_last = page.len() < AUDIT_PAGE as usize || before <= 1;
        rows.extend(page);
        if is_last {
            return Ok(rows);
        }
    }
}

fn request(s: &Strings, command: &AdminCommand) -> Result<AdminRequest> {
    let role = |word: &str| -> Result<ServerRole> {
        let role = word.parse().ok();
        role.with_context(|| fill(s.accounts.role_wrong, &[&word]))
    };
    let rooms = |names: &[String]| {
        let names = names
            .iter()
            .map(|name| name.trim_start_matches('#').to_owned());
        names.collect()
    };
    Ok(match command.clone() {
        AdminCommand::Invite {
            uses,
            expires,
            role: word,
            rooms: names,
        } => AdminRequest::CreateInvite(InviteTerms {
            uses,
            valid: time(&expires)?,
            role: role(&word)?,
            rooms: rooms(&names),
        }),
        AdminCommand::Invites => AdminRequest::ListInvites,
        AdminCommand::Revoke { id } => AdminRequest::RevokeInvite(id.to_lowercase()),
        AdminCommand::Accounts => AdminRequest::ListAccounts,
        AdminCommand::Role {
            account,
            role: word,
        } => AdminRequest::SetRole {
            account,
            role: role(&word)?,
        },
        AdminCommand::Account(ChangeAccount::Rename { account, to }) => {
            AdminRequest::Rename { account, to }
        }
        AdminCommand::Account(ChangeAccount::Remove { account }) => {
            AdminRequest::Remove { account }
        }
        AdminCommand::Devices { account, revoke } => match revoke {
            Some(id) => AdminRequest::RevokeDevice {
                account,
                id: id.to_lowercase(),
            },
            None => AdminRequest::ListDevices { account },
        },
        AdminCommand::Relink { account } => AdminRequest::Relink { account },
        AdminCommand::Bot {
            account,
            rooms: names,
        } => AdminRequest::CreateBot {
            name: account,
            rooms: rooms(&names),
        },
        AdminCommand::Status => AdminRequest::Status,
        AdminCommand::Who => AdminRequest::ListSessions,
        AdminCommand::Ban { target, words } => {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let (lasts, reason) = time_and_reason(&words, parse_duration);
            AdminRequest::Ban {
                target,
                lasts,
                reason,
            }
        }
        AdminCommand::Unban { target } => AdminRequest::Unban { target },
        AdminCommand::Bans => AdminRequest::ListBans,
        AdminCommand::Kick { account, words } => AdminRequest::Kick {
            name: account,
            reason: words.join(" "),
        },
        AdminCommand::Room(change) => {
            let (room, act) = match change {
                ChangeRoom::Close { room } => (room, RoomAct::Close),
                ChangeRoom::Topic { room, words } => (room, RoomAct::Topic(words.join(" "))),
                ChangeRoom::Own { room, account } => (room, RoomAct::Owner(account)),
            };
            let room = room.trim_start_matches('#').to_owned();
            AdminRequest::ModerateRoom { room, act }
        }
        AdminCommand::Erase { room, seq } => AdminRequest::ModerateRoom {
            room: room.trim_start_matches('#').to_owned(),
            act: RoomAct::Erase(Seq(seq)),
        },
        AdminCommand::Limits => AdminRequest::ListLimits,
        AdminCommand::Audit { last, .. } => AdminRequest::ListAudit {
            before: 0,
            most: last,
        },
    })
}

/// Returns a connector to the local socket of this user's server; `None` if there is no such socket.
#[cfg(unix)]
fn connector(paths: &Paths) -> Option<Connector> {
    let path = machine::socket(paths)?;
    Some(std::sync::Arc::new(move |_| {
        let path = path.clone();
        Box::pin(async move {
            let stream = crate::local_socket::connect(&path).await?;
            Ok(crate::client::Dialled::socket(stream))
        })
    }))
}

#[cfg(not(unix))]
fn connector(_paths: &Paths) -> Option<Connector> {
    None
}
