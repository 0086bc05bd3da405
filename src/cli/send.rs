//! `tchat send`: says one thing and ends with what became of it.

use std::io::{self, IsTerminal, Read};
use std::time::Duration;

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::SendArgs;
use super::pipe::{self, Exit, Pipe, REFUSED, UNKNOWN, USAGE};
use crate::chat::{Body, ClientId, InstanceId, Recipient};
use crate::client::{Command, Event, LinkState, Post};
use crate::config::{self, Config};

/// What is read from a pipe at most: far more than a message may have, so that it is refused with its size.
const MOST: u64 = 1024 * 1024;

pub fn run(config: &Config, args: &SendArgs) -> Result<()> {
    let within = config::time(&args.timeout)
        .map_err(|error| Exit::new(USAGE, format!("cannot use --timeout: {error}")))?;
    let text = if args.text.is_empty() {
        read_text()?
    } else {
        args.text.join(" ")
    };
    if text.trim().is_empty() {
        return Err(Exit::new(USAGE, "there is nothing to send").into());
    }
    pipe::run(send(config, args, text, within))
}

fn read_text() -> Result<String> {
    if io::stdin().is_terminal() {
        let words = "there is nothing to send\nwrite it behind `tchat send`, or pipe it in";
        return Err(Exit::new(USAGE, words).into());
    }
    let mut bytes = Vec::new();
    io::stdin()
        .take(MOST)
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Exit::new(REFUSED, "cannot send: standard input is no UTF-8 text"))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

async fn send(config: &Config, args: &SendArgs, text: String, within: Duration) -> Result<()> {
    let client_id = ClientId {
        instance: instance(args.id.as_deref())?,
        counter: 1,
    };
    let room = match args.user {
        Some(_) => None,
        None => Some(config.join.room.clone().unwrap_or_default()),
    };
    let mut pipe = Pipe::open(config, client_id.instance, room)?;
    let mut is_posted = false;
    let to = args
        .user
        .as_deref()
        .map(|name| name.trim_start_matches('@'));
    let answered = timeout(
        within,
        answer(&mut pipe, client_id, to, &text, &mut is_posted),
    )
    .await;
    let Ok(answered) = answered else {
        // The goodbye would wait for whatever did not answer.
        let words = match (pipe.trouble(), is_posted) {
            (Some(why), false) => format!("not sent: {why}"),
            (Some(why), true) => format!("it is not known whether it was sent: {why}"),
            (None, _) => "it is not known whether it was sent: no answer in time".into(),
        };
        let next = "with --id it is safe to send it again";
        return Err(Exit::new(UNKNOWN, format!("{words}\n{next}")).into());
    };
    pipe.close().await;
    answered
}

/// Posts as soon as it is known where to, and waits for what becomes of it.
async fn answer(
    pipe: &mut Pipe,
    id: ClientId,
    user: Option<&str>,
    text: &str,
    is_posted: &mut bool,
) -> Result<()> {
    let mut me = None;
    loop {
        let event = pipe.next().await?;
        match &event {
            Event::Welcome { you, .. } => me = Some(you.id),
            Event::Accepted { client_id, .. } if *client_id == id => return Ok(()),
            Event::PostRefused { client_id, refusal } if *client_id == id => {
                return Err(Exit::refused("send", refusal).into());
            }
            Event::Entries(entries) => {
                let is_ours = |entry: &crate::chat::Entry| {
                    entry.client_id == Some(id) && Some(entry.author.id) == me
                };
                if entries.iter().any(is_ours) {
                    return Ok(());
                }
            }
            _ => {}
        }
        let to = match (user, &pipe.room) {
            (Some(name), _) => Some(Recipient::Name(name.to_owned())),
            (None, room) => room.as_ref().map(|room| Recipient::Room(room.id)),
        };
        if let Some(to) = to.filter(|_| !*is_posted && pipe.link == LinkState::Online) {
            let post = Post::new(id, to, Body::Text(text.to_owned()));
            let busy = |_| Exit::new(UNKNOWN, "the connection has ended");
            let command = Command::Post {
                post,
                instead_of: None,
            };
            pipe.client.send(command).map_err(busy)?;
            *is_posted = true;
        }
    }
}

/// Where the post comes from: a place of its own, or the one that this `--id` always means. What others send under the same id is
/// counted apart, because the server counts for each author.
fn instance(id: Option<&str>) -> Result<InstanceId> {
    let mut bytes = [0; 16];
    match id {
        Some(id) => {
            let hash = Sha256::digest(format!("tchat send --id {id}"));
            bytes.copy_from_slice(&hash[..16]);
        }
        None => getrandom::fill(&mut bytes)
            .map_err(|error| anyhow::anyhow!("cannot get random bytes: {error}"))?,
    }
    Ok(InstanceId::new(bytes))
}
