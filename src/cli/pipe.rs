//! Shared by `tchat send` and `tchat tail`: a client without a screen, and exit codes that a script can tell apart.

use std::time::Duration;

use anyhow::Result;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::join::connector;
use super::target::{self, Target, credentials};
use crate::chat::{InstanceId, Refusal, RoomInfo};
use crate::client::{Client, ClientConfig, Command, Event, LinkState, RequestKind, profile};
use crate::config::Config;
use crate::text;
use crate::tui::content::system_lines;
use crate::tui::strings::{self, Strings, fill};

/// The exit code if the request was refused, and repeating it unchanged would not help.
pub const REFUSED: u8 = 1;
/// The exit code if the command line is wrong.
pub const USAGE: u8 = 2;
/// The exit code if the result is unknown or there was no connection; the command may be tried again (`EX_TEMPFAIL`).
pub const UNKNOWN: u8 = 75;

/// A failure with the exit code of the process.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub struct ExitError {
    pub code: u8,
    pub words: String,
}

impl ExitError {
    pub fn new(code: u8, words: impl Into<String>) -> Self {
        Self {
            code,
            words: words.into(),
        }
    }
}

/// A client without a screen, with the state of its connection and the room that was requested.
pub struct HeadlessClient {
    pub client: Client,
    events: mpsc::Receiver<Event>,
    /// The requested room; an empty name means the room that everyone starts in.
    requested_room: Option<String>,
    pub room: Option<RoomInfo>,
    pub link: LinkState,
    /// The language and time zone for errors.
    pub s: &'static Strings,
    zone: TimeZone,
    /// Saves the name that the server has for this identity.
    save_name: Box<dyn Fn(&str)>,
}

impl HeadlessClient {
    /// Connects. There is no outbox on disk: what was not sent when this process ends is never sent.
    pub async fn open(config: &Config, instance: InstanceId, room: Option<String>) -> Result<Self> {
        target::find_moved(config).await;
        let mut target = Target::new(config, config.join.link());
        let key = target.choose_profile()?;
        let profiles = config.paths.data.join("profiles");
        let name = config.join.name.clone();
        let credentials = credentials(&target, &profiles, (&key, &name), config.join.invite)?;
        let (client, events) = Client::start(ClientConfig {
            connector: connector(target, None),
            credentials,
            name: config.join.name.clone(),
            instance,
            room: room.clone().filter(|room| !room.is_empty()),
            locale: config.join.locale.clone(),
            cache: None,
            cache_bytes: 0,
        });
        Ok(Self {
            client,
            events,
            requested_room: room,
            room: None,
            link: LinkState::Connecting,
            s: strings::of(&config.join.locale),
            zone: config.join.zone.clone(),
            save_name: match config.join.key {
                Some(_) => Box::new(|_| {}),
                None => Box::new(move |now| profile::record_name(&profiles, &key, &name, now)),
            },
        })
    }

    /// Returns the failure for an action that was refused.
    pub fn refusal_error(&self, what: &str, refusal: &Refusal) -> ExitError {
        let refusal = system_lines::with_local_time(self.s, &self.zone, refusal.clone());
        let words = fill(self.s.cannot, &[&what, &self.s.refusal(&refusal)]);
        ExitError::new(REFUSED, text::line(&words).to_string())
    }

    /// Returns the error for a connection that has ended.
    pub fn end_error(&self) -> ExitError {
        ExitError::new(UNKNOWN, self.s.pipes.connection_ended)
    }

    /// Returns the next event. The link joins the requested room automatically. If the server refuses the join for a
    /// limited time, this waits that long and joins again.
    ///
    /// # Errors
    /// The server refuses the connection or the room.
    pub async fn next(&mut self) -> Result<Event> {
        let s = self.s;
        let Some(event) = self.events.recv().await else {
            return Err(self.end_error().into());
        };
        match &event {
            Event::Link(link) => {
                self.link = link.clone();
                match link {
                    LinkState::NameRefused(refusal) => {
                        return Err(self.refusal_error(s.pipes.join, refusal).into());
                    }
                    LinkState::Stopped(why) => {
                        let words = fill(s.cannot, &[&s.pipes.join, &s.why(why)]);
                        return Err(ExitError::new(REFUSED, words).into());
                    }
                    LinkState::Online | LinkState::Connecting | LinkState::Waiting { .. } => {}
                }
            }
            Event::Welcome { you, .. } => (self.save_name)(&you.name),
            Event::Room { room, .. } if self.is_requested(room) => {
                self.room.get_or_insert_with(|| room.clone());
            }
            Event::Refused {
                about: RequestKind::Join(room),
                refusal,
            } if self.requested_room.as_ref() == Some(&room.name) => {
                if let Some(after) = refusal.retry_after {
                    sleep(after).await;
                    let again = Command::Join(room.clone());
                    self.client.send(again).map_err(|_| self.end_error())?;
                    return Ok(event);
                }
                let what = s.about(&RequestKind::Join(room.clone()));
                return Err(self.refusal_error(&what, refusal).into());
            }
            _ => {}
        }
        Ok(event)
    }

    /// Whether a room is the requested one. An empty name matches the first room, because the link joins the room that
    /// everyone starts in before any other.
    fn is_requested(&self, room: &RoomInfo) -> bool {
        let Some(requested) = &self.requested_room else {
            return false;
        };
        room.peer.is_none()
            && (requested.is_empty() || requested.to_lowercase() == room.name.to_lowercase())
    }

    /// Returns why there is no connection now, as a text.
    pub fn disconnect_reason(&self) -> Option<String> {
        match &self.link {
            LinkState::Waiting { why, .. } | LinkState::Stopped(why) => Some(self.s.why(why)),
            LinkState::Connecting => Some(self.s.pipes.no_answer_yet.into()),
            LinkState::Online | LinkState::NameRefused(_) => None,
        }
    }

    /// Sends goodbye and closes the connection.
    pub async fn close(self) {
        let mut events = self.events;
        let drained = async { while events.recv().await.is_some() {} };
        tokio::join!(self.client.quit(), drained);
    }
}

/// Runs a command that uses a connection. The process does not wait for tasks that are left.
pub fn run(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_millis(100));
    done
}
