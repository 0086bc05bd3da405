//! Performs the effects that `update` requests: sends commands, opens connections, and starts work on other threads.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{
    Caps, ClientConnection, Connect, EVENT_LIMIT, NotifyMethod, RunError, Setup, initial_state,
};
use crate::chat::{Pin, RoomId};
use crate::client::{self, Busy, Command, DisconnectReason, LinkState};
use crate::text::CodeBlock;
use crate::tui::content::title;
use crate::tui::event::{Effect, Event};
use crate::tui::input::composer::Composer;
use crate::tui::settings::Setting;
use crate::tui::state::{State, Tone};
use crate::tui::strings::fill;
use crate::tui::terminal::theme_files;
use crate::tui::theme;
use crate::tui::timeline::highlight::highlight;
use crate::tui::update::{flush_drafts, update};
use crate::tui::view::Look;

/// Performs the effects that `update` requests.
pub(super) struct Performer {
    pub connection: Option<ClientConnection>,
    connect: Connect,
    setup: Setup,
    /// Work on other threads sends its results here.
    results: mpsc::Sender<Event>,
    /// Whether another program, such as the editor, is using the terminal.
    pub is_away: bool,
    /// Whether the next frame is drawn on an empty screen.
    pub wants_redraw: bool,
    /// The window title that was set last.
    last_title: Option<String>,
}

/// Whether the loop continues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    Continue,
    Quit,
}

impl Performer {
    /// Opens the first connection and applies the events that it has from the local cache.
    pub fn begin(
        state: &mut State,
        setup: Setup,
        mut connect: Connect,
        results: mpsc::Sender<Event>,
    ) -> Result<Self, RunError> {
        let connection = connect(None).map_err(RunError::Connect)?;
        state.begin_connection(
            connection.instance,
            &connection.server,
            connection.room.clone(),
        );
        let mut performer = Self {
            connection: Some(connection),
            connect,
            setup,
            results,
            is_away: false,
            wants_redraw: false,
            last_title: None,
        };
        performer.apply_cached(state);
        Ok(performer)
    }

    /// Applies an event and performs its effects, repeatedly, until no more follow.
    pub fn apply(&mut self, event: Event, state: &mut State, look: &mut Look) -> Next {
        let mut effects = update(state, event);
        while !effects.is_empty() {
            let mut further = Vec::new();
            for effect in effects {
                if effect == Effect::Quit {
                    return Next::Quit;
                }
                let result = self.perform(effect, state, look);
                further.extend(result.into_iter().flat_map(|event| update(state, event)));
            }
            effects = further;
        }
        Next::Continue
    }

    pub async fn recv(&mut self, into: &mut Vec<client::Event>) -> usize {
        match &mut self.connection {
            Some(connection) => connection.events.recv_many(into, EVENT_LIMIT).await,
            None => std::future::pending().await,
        }
    }

    /// Applies the events from the local cache before the first frame is drawn.
    fn apply_cached(&mut self, state: &mut State) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        let mut effects = Vec::new();
        while let Ok(event) = connection.events.try_recv() {
            effects.extend(update(state, Event::Client(event)));
        }
        for effect in effects {
            match effect {
                // Of the commands that cached entries cause, only the requests for older pages are sent.
                Effect::Client(command @ Command::LoadOlder { .. }) => drop(self.send(command)),
                Effect::Highlight(code) => self.highlight(code),
                _ => {}
            }
        }
    }

    /// Records whether the server belongs to this machine, and saves the name that the server knows the user by.
    pub fn record(&self, event: &Event, state: &mut State) {
        let (Event::Client(event), Some(connection)) = (event, &self.connection) else {
            return;
        };
        match event {
            client::Event::Welcome { server_id, you, .. } => {
                state.connection.is_hosting = (connection.is_ours)(*server_id);
                (connection.save_name)(&you.name);
            }
            client::Event::NameChanged(you) => (connection.save_name)(&you.name),
            _ => {}
        }
    }

    /// Updates the window title if it has changed.
    pub fn update_title(&mut self, state: &State) {
        let wanted = state.preferences.shows_title.then(|| title::title(state));
        if state.screen.is_plain || wanted == self.last_title {
            return;
        }
        (self.setup.set_title)(wanted.as_deref().unwrap_or(title::NAME));
        self.last_title = wanted;
    }

    /// Performs one effect, and returns the event it leads to.
    fn perform(&mut self, effect: Effect, state: &mut State, look: &mut Look) -> Option<Event> {
        match effect {
            Effect::Client(command) => return self.request(command),
            Effect::Connect(address) => return self.connect_to(address.as_deref(), state),
            Effect::Trust(pin) => return self.trust(pin, state),
            Effect::Notify { title, text } => return self.notify(state, &title, &text),
            Effect::Redraw => self.wants_redraw = true,
            Effect::Suspend => (self.setup.suspend)(),
            Effect::Copy(text) => (self.setup.copy)(&text),
            Effect::CopySecret(link) => (self.setup.copy)(&link.0),
            Effect::Open(address) => self.open(address),
            Effect::Edit { room, text } => self.edit(room, text),
            Effect::Highlight(code) => self.highlight(code),
            Effect::Save(setting, value) => return Some(self.save(setting, value)),
            Effect::Theme(name) => return self.change_theme(&name, state, look),
            // `apply` handles this one.
            Effect::Quit => {}
        }
        None
    }

    /// Sends a command to the client. If it is not accepted, returns the event that reports this.
    fn request(&self, command: Command) -> Option<Event> {
        match self.send(command)? {
            // The read position is sent again when the room is followed again, and typing signals repeat.
            Command::MarkRead { .. } | Command::Typing(_) => None,
            command => Some(Event::Busy(Box::new(command))),
        }
    }

    /// Connects to an address, or, with `None`, to the current one. If there is already a connection to that server, it
    /// only retries at once.
    fn connect_to(&mut self, address: Option<&str>, state: &mut State) -> Option<Event> {
        // If the server was not recognised, a new connection is opened, because the server that is there now may have
        // another profile.
        let is_distrusted = matches!(
            state.connection.link,
            LinkState::Stopped(DisconnectReason::Untrusted(_))
        );
        let is_connected = self.connection.is_some()
            && !is_distrusted
            && address.is_none_or(|address| {
                (self.setup.display_address)(address).as_ref() == Some(&state.connection.server)
            });
        if is_connected {
            self.request(Command::RetryNow)
        } else {
            self.reconnect(address, state)
        }
    }

    /// Stores the pin of the server and opens a new connection, because the profile depends on the pin.
    fn trust(&mut self, pin: Pin, state: &mut State) -> Option<Event> {
        let stored = self.connection.as_ref().map(|it| (it.trust)(pin))?;
        match stored {
            Ok(()) => self.reconnect(None, state),
            Err(why) => Some(Event::CannotConnect(why)),
        }
    }

    /// Opens a text in the user's editor, on another thread. Only one program at a time can use the terminal.
    fn edit(&mut self, room: Option<RoomId>, text: String) {
        if self.is_away {
            return;
        }
        let (results, edit) = (self.results.clone(), self.setup.edit);
        let editor = self.setup.editor.clone();
        self.is_away = true;
        tokio::task::spawn_blocking(move || {
            let text = edit(&editor, &text);
            let _gone = results.blocking_send(Event::Edited { room, text });
        });
    }

    /// Saves a setting in the config file, and returns the event with the file's path or the reason why it was not saved.
    fn save(&self, setting: Setting, value: String) -> Event {
        let saved = (self.setup.save)(&self.setup.config, setting, &value);
        let path = self.setup.config.display().to_string();
        Event::Saved {
            setting,
            value,
            saved: saved.map(|()| path),
        }
    }

    /// Opens a link on another thread: the browser may start slowly, or run until the user closes it.
    fn open(&self, address: String) {
        let (results, open) = (self.results.clone(), self.setup.open);
        tokio::task::spawn_blocking(move || {
            if let Err(why) = open(&address) {
                let _gone = results.blocking_send(Event::CannotOpen(why));
            }
        });
    }

    /// Shows a notification through the user's own program if there is one, otherwise through the terminal.
    fn notify(&self, state: &State, title: &str, text: &str) -> Option<Event> {
        let own = state.preferences.notify_command.words(title, text);
        if let Some(words) =
            own.filter(|_| state.preferences.notifier.requested != Some(NotifyMethod::Off))
        {
            let run = (self.setup.run_notifier)(&words);
            return run.err().map(Event::NotifyFailed);
        }
        (self.setup.notify)(state.preferences.notifier, title, text);
        None
    }

    fn highlight(&self, code: Arc<CodeBlock>) {
        let results = self.results.clone();
        tokio::task::spawn_blocking(move || {
            let tokens = highlight(&code);
            // Fails only after the loop has ended.
            let _gone = results.blocking_send(Event::Highlighted(code, tokens));
        });
    }

    /// Sends a command to the client. Returns it if the client does not accept it.
    fn send(&self, command: Command) -> Option<Command> {
        match &self.connection {
            Some(connection) => connection
                .client
                .send(command)
                .err()
                .map(|Busy(command)| *command),
            None => Some(command),
        }
    }

    /// Saves the drafts before the connection that stores them ends.
    fn save_drafts(&self, state: &mut State) {
        for effect in flush_drafts(state) {
            if let Effect::Client(command) = effect {
                self.send(command);
            }
        }
    }

    /// Closes the connection in the background, so that the next one does not wait for it.
    fn disconnect(&mut self, state: &mut State) {
        self.save_drafts(state);
        if let Some(connection) = self.connection.take() {
            remember(&connection, state);
            tokio::spawn(async move {
                let mut events = connection.events;
                // The link ends only after its last events have been received.
                let drained = async { while events.recv().await.is_some() {} };
                tokio::join!(connection.client.quit(), drained);
            });
        }
    }

    fn reconnect(&mut self, address: Option<&str>, state: &mut State) -> Option<Event> {
        match (self.connect)(address) {
            Ok(connection) => {
                self.disconnect(state);
                let is_elsewhere = connection.server != state.connection.server;
                if is_elsewhere {
                    let mut fresh = initial_state(&self.setup, state.screen.size);
                    // The draft and the screen settings are carried over. The messages belong to the previous server and are dropped.
                    fresh.input.lobby = Composer::with(&state.draft());
                    fresh.input.keymap = state.input.keymap.clone();
                    fresh.preferences = state.preferences.clone();
                    fresh.screen.focus = state.screen.focus;
                    fresh.screen.notices.clone_from(&state.screen.notices);
                    *state = fresh;
                }
                state.begin_connection(
                    connection.instance,
                    &connection.server,
                    connection.room.clone(),
                );
                self.connection = Some(connection);
                self.apply_cached(state);
                None
            }
            Err(why) => Some(Event::CannotConnect(why)),
        }
    }

    fn change_theme(&self, name: &str, state: &mut State, look: &mut Look) -> Option<Event> {
        let Caps {
            depth,
            background: ground,
            ..
        } = self.setup.caps;
        let meant = theme::resolve_theme(name, ground);
        match theme_files::load(meant, self.setup.themes.as_deref(), depth) {
            Ok((theme, warnings)) => {
                look.theme = theme;
                name.clone_into(&mut state.preferences.theme);
                if state.screen.is_plain {
                    // On a screen the change is visible.
                    let setting = Setting::Theme.name();
                    let words = fill(state.preferences.strings.setting_is, &[&setting, &name]);
                    state.show_notice(Tone::Info, words);
                }
                warnings
                    .first()
                    .map(|warning| Event::ThemeFailed(warning.clone()))
            }
            Err(error) => Some(Event::ThemeFailed(error.to_string())),
        }
    }

    pub async fn quit(&mut self, state: &mut State) -> Result<(), RunError> {
        self.save_drafts(state);
        if let Some(connection) = self.connection.take() {
            remember(&connection, state);
            let mut events = connection.events;
            let drained = async { while events.recv().await.is_some() {} };
            tokio::join!(connection.client.quit(), drained);
        }
        Ok(())
    }
}

/// Saves the current room as the one to show first at the next start, unless it is a private conversation.
fn remember(connection: &ClientConnection, state: &State) {
    if let Some(room) = state.current().filter(|room| !room.is_conversation()) {
        (connection.remember)(&room.info.name);
    }
}
