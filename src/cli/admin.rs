//! `tchat admin`: administers the server of this data directory, through its local socket.

use anyhow::{Result, anyhow, bail};

use super::AdminCommand;
#[cfg(unix)]
use super::machine;
use crate::chat::InviteTerms;
use crate::client::{
    AdminAnswer, AdminRequest, Connector, DisconnectReason, Unreachable, call_as_host,
};
use crate::config::{Config, Paths, time};
use crate::tui::content::invites;
use crate::tui::strings::{self, fill};

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
    let called = runtime.block_on(call_as_host(connector, request(command)?));
    let answer = called.map_err(|why| match why {
        // Another user's server, for example.
        DisconnectReason::Unreachable(Unreachable::Other(cause)) => {
            anyhow!(cause).context(fill(s.admin.cannot_ask, &[&shown]))
        }
        DisconnectReason::Unreachable(_) => anyhow!(fill(s.admin.no_server, &[&shown])),
        why => anyhow!(s.why(&why)).context(fill(s.admin.cannot_ask, &[&shown])),
    })?;
    match answer {
        Ok(AdminAnswer::Created { link, invite }) => {
            print(&format!("'{link}'"));
            // Only the link is for a program that reads this.
            for line in invites::about(s, &invite) {
                print_about(&line);
            }
        }
        Ok(AdminAnswer::Invites(open)) if open.is_empty() => print_about(s.admin.no_invites),
        Ok(AdminAnswer::Invites(open)) => {
            print_about(s.admin.invites_title);
            for invite in open {
                print(&invites::line(s, &invite));
            }
        }
        Ok(AdminAnswer::Revoked(id)) => print_about(&fill(s.admin.revoked, &[&id])),
        Err(error) => bail!(invites::failure(s, &error)),
    }
    Ok(())
}

fn request(command: &AdminCommand) -> Result<AdminRequest> {
    Ok(match command {
        AdminCommand::Invite { uses, expires } => AdminRequest::CreateInvite(InviteTerms {
            uses: *uses,
            valid: time(expires)?,
        }),
        AdminCommand::Invites => AdminRequest::ListInvites,
        AdminCommand::Revoke { id } => AdminRequest::RevokeInvite(id.to_lowercase()),
    })
}

/// Returns what connects to the socket of this user's server.
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

#[allow(clippy::print_stdout)] // The output of the command.
fn print(line: &str) {
    println!("{line}");
}

#[allow(clippy::print_stderr)] // What a person reads, and a program does not.
fn print_about(line: &str) {
    eprintln!("{line}");
}
