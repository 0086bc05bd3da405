//! `tchat send`: posts one message, and reports the result with the exit code.

use std::io::{self, IsTerminal, Read};
use std::time::Duration;

use anyhow::Result;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::SendArgs;
use super::pipe::{self, ExitError, HeadlessClient, REFUSED, UNKNOWN, USAGE};
use crate::chat::{Body, ClientId, InstanceId, Recipient, Refusal, RefusalCode};
use crate::client::{Command, Event, LinkState, OutgoingPost};
use crate::config::{self, Config};
use crate::text;
use crate::tui::input::command::addressee;
use crate::tui::strings::{self, Pipes, fill};

/// The maximum number of bytes read from a pipe: far more than a message may have, so that the error for a long message
/// contains its size.
const INPUT_LIMIT: u64 = 1024 * 1024;

pub fn run(config: &Config, args: &SendArgs) -> Result<()> {
    let words = strings::of(&config.join.locale).pipes;
    let within = config::time(&args.timeout)
        .map_err(|_| ExitError::new(USAGE, fill(words.timeout_wrong, &[&args.timeout])))?;
    let text = if args.text.is_empty() {
        read_text(words)?
    } else {
        args.text.join(" ")
    };
    // The output of other programs may contain escape sequences for terminals.
    let text = text::strip_ansi(&text);
    if args.id.as_deref().is_some_and(str::is_empty) {
        return Err(ExitError::new(USAGE, words.id_empty).into());
    }
    if text.trim().is_empty() {
        return Err(ExitError::new(USAGE, words.nothing_to_send).into());
    }
    // In the composer, a line that begins with `@name` is sent privately, so here it is refused instead of posted to
    // everyone. Piped text is data and is posted unchanged.
    if let (None, false, Some((name, _))) = (&args.user, args.text.is_empty(), addressee(&text)) {
        let next = fill(words.to_everyone_next, &[&name]);
        let words = format!("{}\n{next}", fill(words.to_everyone, &[&name]));
        return Err(ExitError::new(USAGE, words).into());
    }
    pipe::run(send(config, args, text, within))
}

fn read_text(words: &Pipes) -> Result<String> {
    if io::stdin().is_terminal() {
        let words = format!("{}\n{}", words.nothing_to_send, words.nothing_to_send_next);
        return Err(ExitError::new(USAGE, words).into());
    }
    let mut bytes = Vec::new();
    if let Err(error) = io::stdin().take(INPUT_LIMIT).read_to_end(&mut bytes) {
        return Err(ExitError::new(REFUSED, fill(words.input_fails, &[&error])).into());
    }
    let text = String::from_utf8(bytes).map_err(|_| ExitError::new(REFUSED, words.no_text))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

async fn send(config: &Config, args: &SendArgs, text: String, within: Duration) -> Result<()> {
    let client_id = ClientId {
        instance: instance(config, args, &text)?,
        counter: 1,
    };
    let room = match args.user {
        Some(_) => None,
        None => Some(config.join.room.clone().unwrap_or_default()),
    };
    let mut pipe = HeadlessClient::open(config, client_id.instance, room).await?;
    let mut is_posted = false;
    let to = args
        .user
        .as_deref()
        .map(|name| name.trim_start_matches('@'));
    let answered = timeout(
        within,
        post_and_wait(&mut pipe, client_id, to, &text, &mut is_posted),
    )
    .await;
    let Ok(answered) = answered else {
        // Closing the connection would wait for the server that did not answer.
        let s = pipe.s.pipes;
        let words = match (pipe.disconnect_reason(), is_posted) {
            (Some(why), false) => fill(s.not_sent, &[&why]),
            (Some(why), true) => fill(s.maybe_sent, &[&why]),
            (None, _) => fill(s.maybe_sent, &[&s.no_answer_in_time]),
        };
        let words = match (is_posted, &args.id) {
            (true, None) => format!("{words}\n{}", s.maybe_sent_next),
            (true, Some(_)) => format!("{words}\n{}", s.maybe_sent_again_next),
            (false, _) => words,
        };
        return Err(ExitError::new(UNKNOWN, words).into());
    };
    pipe.close().await;
    answered
}

/// Posts as soon as the recipient is known, and waits for the result.
async fn post_and_wait(
    pipe: &mut HeadlessClient,
    id: ClientId,
    user: Option<&str>,
    text: &str,
    is_posted: &mut bool,
) -> Result<()> {
    let mut me = None;
    loop {
        let event = pipe.next().await?;
        match &event {
            Event::Welcome { you, limits, .. } => {
                me = Some(you.id);
                // A server may close the connection if a message is far too long.
                if text.len() > limits.body_bytes {
                    let refusal = Refusal::new(RefusalCode::BodyTooLong)
                        .with(text.len())
                        .with(limits.body_bytes);
                    return Err(pipe.refusal_error(pipe.s.pipes.send, &refusal).into());
                }
            }
            Event::Accepted { client_id, .. } if *client_id == id => return Ok(()),
            Event::PostRefused { client_id, refusal } if *client_id == id => {
                return Err(pipe.refusal_error(pipe.s.pipes.send, refusal).into());
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
            let post = OutgoingPost::new(id, to, Body::Text(text.to_owned()));
            let command = Command::Post {
                post,
                replaces: None,
            };
            pipe.client.send(command).map_err(|_| pipe.end_error())?;
            *is_posted = true;
        }
    }
}

/// Returns the instance id of the post: random, or with `--id` derived from the id, the recipient and the text. The
/// same id with another text is another post, so that it is not mistaken for one that was sent already. The ids of
/// other people do not matter, because the server recognises repeated posts for each author separately.
fn instance(config: &Config, args: &SendArgs, text: &str) -> Result<InstanceId> {
    let mut bytes = [0; 16];
    if let Some(id) = &args.id {
        let mut hash = Sha256::new();
        let place = config.join.room.as_deref().filter(|_| args.user.is_none());
        for part in [
            "tchat send",
            id,
            place.unwrap_or(""),
            args.user.as_deref().unwrap_or(""),
            text,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        bytes.copy_from_slice(&hash.finalize()[..16]);
    } else {
        getrandom::fill(&mut bytes)
            .map_err(|error| anyhow::anyhow!("cannot get random bytes: {error}"))?;
    }
    Ok(InstanceId::new(bytes))
}
