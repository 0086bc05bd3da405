//! A user at a screen: the real client feeds the real `update` and performs its effects. No terminal, no sockets.

use std::path::Path;
use std::time::Duration;

use tchat::chat::InstanceId;
use tchat::client::{Client, ClientConfig, Command, Connector, Credentials, Event as ClientEvent};
use tchat::tui::event::{Effect, Event};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::person::device;
use super::screen::Screen;

/// Longer than any time limit of the program, also in paused time.
const PATIENCE: Duration = Duration::from_secs(200);

/// After this long without an event nothing more arrives by itself, in paused time.
const QUIET: Duration = Duration::from_millis(200);

pub struct Viewer {
    pub screen: Screen,
    /// The desktop notifications so far.
    pub notified: Vec<String>,
    client: Client,
    events: mpsc::Receiver<ClientEvent>,
}

impl Viewer {
    pub async fn opens(connector: Connector, name: &str, cache: Option<&Path>) -> Self {
        let mut random = [0; 16];
        getrandom::fill(&mut random).unwrap();
        let instance = InstanceId::new(random);
        let (client, events) = Client::start(ClientConfig {
            connector,
            credentials: Credentials::new(device(name)),
            name: name.into(),
            instance,
            room: Some("general".into()),
            locale: "en".into(),
            cache: cache.map(Path::to_owned),
            cache_bytes: tchat::config::CACHE_BYTES,
        });
        let mut screen = Screen::blank(100, 60);
        screen.state.posting.instance = instance;
        let mut viewer = Self {
            screen,
            notified: Vec::new(),
            client,
            events,
        };
        viewer.shows("#general ›").await;
        viewer
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let command = match effect {
                Effect::Client(command) => command,
                Effect::Connect(None) => Command::RetryNow,
                Effect::Notify { title, text } => {
                    self.notified.push(format!("{title}: {text}"));
                    continue;
                }
                other => panic!("not handled: {other:?}"),
            };
            self.client.send(command).unwrap();
        }
    }

    pub fn keys(&mut self, keys: &str) {
        let effects = self.screen.keys(keys);
        self.perform(effects);
    }

    /// Sends a tick to the screen and performs the effects.
    pub fn ticks(&mut self) {
        self.screen.effects.clear();
        self.screen.handles(Event::Tick);
        let effects = std::mem::take(&mut self.screen.effects);
        self.perform(effects);
    }

    /// Advances the screen's time and sends a tick.
    pub fn advances(&mut self, time: Duration) {
        self.screen.state.screen.now.instant += time;
        self.ticks();
    }

    /// The terminal gets or loses focus.
    pub fn sets_focus(&mut self, has: bool) {
        self.screen.handles(Event::Focus(has));
    }

    /// The unread messages and the mentions of a room, as the room list shows them.
    pub fn unread_of(&self, label: &str) -> (u32, u32) {
        let mut rooms = self.screen.state.rooms.list.iter();
        let room = rooms.find(|room| room.label() == label).unwrap();
        self.screen.state.unread_counts(room)
    }

    /// Waits for these unread counts of a room.
    pub async fn has_unread(&mut self, label: &str, unread: u32, mentions: u32) {
        let what = format!("{unread} unread and {mentions} mentions in {label}");
        self.until(&what, |screen| {
            let mut rooms = screen.state.rooms.list.iter();
            let room = rooms.find(|room| room.label() == label).unwrap();
            screen.state.unread_counts(room) == (unread, mentions)
        })
        .await;
    }

    pub fn pastes(&mut self, text: &str) {
        self.screen.handles(Event::Paste(text.into()));
    }

    /// Takes events until the screen is as expected.
    pub async fn until(&mut self, what: &str, mut is: impl FnMut(&Screen) -> bool) {
        // For the whole wait: a client that reconnects again and again has events without end.
        let end = Instant::now() + PATIENCE;
        while !is(&self.screen) {
            let Ok(event) = timeout_at(end, self.events.recv()).await else {
                panic!("waited for {what} and see:\n{}", self.screen.text())
            };
            let event = event.expect("the client runs");
            self.handles(event);
        }
    }

    /// Takes events until none arrives for a while.
    pub async fn waits_until_idle(&mut self) {
        while let Ok(Some(event)) = timeout(QUIET, self.events.recv()).await {
            self.handles(event);
        }
    }

    fn handles(&mut self, event: ClientEvent) {
        self.screen.effects.clear();
        self.screen.handles(Event::Client(event));
        let effects = std::mem::take(&mut self.screen.effects);
        self.perform(effects);
    }

    pub async fn shows(&mut self, text: &str) {
        self.until(&format!("'{text}'"), |screen| screen.shows(text))
            .await;
    }
}
