//! `tchat admin`: administers the server of this data directory, through its local socket.

mod answer;

use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;

#[cfg(unix)]
use super::machine;
use crate::chat::{InviteTerms, ServerRole};
use crate::client::{AdminRequest, Connector, DisconnectReason, Unreachable, call_as_host};
use crate::config::{Config, Paths, time};
use crate::tui::content::accounts;
use crate::tui::strings::{self, Strings, fill};

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
    /// Print the audit log: what administrators have done
    Audit {
        /// How many of the newest rows to print
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        last: u32,
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

/// Runs one command and prints the server's answer.
///
/// # Errors
/// No server is running here, or it refused the command.
pub fn run(config: &Config, command: &AdminCommand) -> Result<()> {
    let s = strings::of(&config.join.locale);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let shown = config.paths.data.display();
    let connector =
        connector(&config.paths).ok_or_else(|| anyhow!(fill(s.admin.no_socket, &[&shown])))?;
    let request = request(s, command)?;
    let called = runtime.block_on(call_as_host(connector, request.clone()));
    let answer = called.map_err(|why| match why {
        // Another user's server, for example.
        DisconnectReason::Unreachable(Unreachable::Other(cause)) => {
            anyhow!(cause).context(fill(s.admin.cannot_ask, &[&shown]))
        }
        DisconnectReason::Unreachable(_) => anyhow!(fill(s.admin.no_server, &[&shown])),
        why => anyhow!(s.why(&why)).context(fill(s.admin.cannot_ask, &[&shown])),
    })?;
    match answer {
        Ok(answer) => answer::print(s, &config.join.zone, &request, answer),
        Err(error) => bail!(accounts::failure(s, &error)),
    }
    Ok(())
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
        AdminCommand::Audit { last } => AdminRequest::ListAudit {
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
