//! The only loop: it owns terminal, clock and client, feeds `update`, performs its effects and draws.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossterm::event::Event as Input;
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

pub use super::caps::{Caps, Notifier, Way};
use super::event::{Effect, Event};
use super::highlight::highlight;
use super::keymap::Keymap;
use super::settings::{Setting, Sources};
use super::state::{Moment, State, TypingMode};
use super::strings::Strings;
use super::terminal::Editor;
use super::theme::{self, Theme};
use super::update::{flush_drafts, update};
use super::view::{Glyphs, Look, draw};
use crate::chat::{InstanceId, ServerId};
use crate::client::{self, Client, Command};

/// A frame at most this often.
const FRAME: Duration = Duration::from_millis(16);
/// How often a countdown is looked at.
const TICK: Duration = Duration::from_millis(250);
/// Client events taken at once, before the next frame.
const EVENTS: usize = 256;
/// Results of work that may wait.
const WORKS: usize = 64;

/// What the screen is started with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub caps: Caps,
    pub theme: String,
    /// Where the user's own themes are.
    pub themes: Option<PathBuf>,
    pub zone: TimeZone,
    /// How a server is shown whose address somebody wrote; nothing if it is no address.
    pub short: fn(&str) -> Option<String>,
    /// Puts a text where other programs paste from.
    pub copy: fn(&str),
    /// Tells of something by a title and a line.
    pub notify: fn(Notifier, &str, &str),
    /// Gives a text to the person's own editor, and waits for it.
    pub edit: fn(&Editor, &str) -> Result<String, String>,
    pub editor: Editor,
    pub keymap: Keymap,
    pub shows_panes: bool,
    /// Where the settings came from.
    pub sources: Sources,
    /// The config file, and what writes a setting into it.
    pub config: PathBuf,
    pub save: fn(&Path, Setting, &str) -> Result<(), String>,
    pub typing: TypingMode,
    /// The words of the screen.
    pub strings: &'static Strings,
}

/// A connection that was begun.
pub struct Connection {
    pub client: Client,
    pub events: mpsc::Receiver<client::Event>,
    /// Where the posts of this connection come from.
    pub instance: InstanceId,
    /// The server as people write it.
    pub server: String,
    /// The room to go to; none means the one everybody begins in.
    pub room: Option<String>,
    /// Keeps the room that is read for the next time.
    pub remember: Box<dyn Fn(&str) + Send>,
    /// Whether a server is the one this machine's own directory belongs to.
    pub is_ours: Box<dyn Fn(ServerId) -> bool + Send>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Begins a connection: to an address, or to where the program was started for.
pub type Connect = Box<dyn FnMut(Option<&str>) -> Result<Connection, String> + Send>;

/// Runs the screen until the person quits, the input ends or `stop` completes.
///
/// # Errors
/// The terminal is gone, the theme cannot be used, or the first connection could not be begun.
pub async fn run<B: Backend<Error = io::Error>>(
    terminal: &mut Terminal<B>,
    mut input: impl Stream<Item = io::Result<Input>> + Unpin,
    setup: Setup,
    mut connect: Connect,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let (mut look, warnings) = first_look(&setup)?;
    let size = terminal.size().map_err(RunError::Terminal)?;
    let mut state = first_state(&setup, (size.width, size.height));
    if let Some(warning) = warnings.first() {
        state.say(super::state::Tone::Problem, warning.clone());
    }
    let connection = connect(None).map_err(RunError::Connect)?;
    state.begins(
        connection.instance,
        &connection.server,
        connection.room.clone(),
    );
    let (worked, mut works) = mpsc::channel(WORKS);
    let mut performer = Performer {
        connection: Some(connection),
        connect,
        setup,
        worked,
        is_away: false,
    };
    performer.take_kept(&mut state);

    let mut stop = std::pin::pin!(stop);
    let mut arrived = Vec::new();
    let mut drawn_at = Instant::now() - FRAME;
    let mut is_dirty = true;
    let mut ticked_at = Instant::now();
    loop {
        let frame_at = drawn_at + FRAME;
        // Also where something happens all the time.
        let tick_at = ticked_at + TICK;
        let event = tokio::select! {
            biased;
            () = stop.as_mut() => return performer.quit(&mut state).await,
            // A frame that is due goes before what would make the next one.
            () = sleep_until(frame_at), if is_dirty && !performer.is_away => {
                state.now = now();
                terminal.draw(|frame| draw(frame, &state, &look)).map_err(RunError::Terminal)?;
                (drawn_at, is_dirty) = (Instant::now(), false);
                continue;
            }
            event = input.next() => match event {
                Some(Ok(event)) => Some(from_input(event)),
                // The terminal is gone.
                Some(Err(_)) | None => return performer.quit(&mut state).await,
            },
            count = performer.recv(&mut arrived) => {
                if count == 0 {
                    performer.connection = None;
                }
                None
            }
            Some(done) = works.recv() => Some(done),
            () = sleep_until(tick_at), if state.wants_ticks() => {
                ticked_at = Instant::now();
                Some(Event::Tick)
            }
        };
        state.now = now();
        is_dirty = true;
        let is_back = matches!(event, Some(Event::Edited { .. }));
        if is_back {
            performer.is_away = false;
            // Nobody told of a size that changed meanwhile.
            let size = terminal.size().map_err(RunError::Terminal)?;
            state.size = (size.width, size.height);
        }
        if is_back || matches!(event, Some(Event::Resize(..))) {
            // Terminals cut and reflow what they show, also where the size ends up the same as before.
            start_anew(terminal).map_err(RunError::Terminal)?;
        }
        let events = event
            .into_iter()
            .chain(arrived.drain(..).map(Event::Client));
        for event in events.collect::<Vec<_>>() {
            performer.note(&event, &mut state);
            let mut effects = update(&mut state, event);
            while !effects.is_empty() {
                let mut further = Vec::new();
                for effect in effects {
                    if effect == Effect::Quit {
                        return performer.quit(&mut state).await;
                    }
                    let result = performer.perform(effect, &mut state, &mut look);
                    further.extend(
                        result
                            .into_iter()
                            .flat_map(|event| update(&mut state, event)),
                    );
                }
                effects = further;
            }
        }
    }
}

/// How it is drawn from the start, and what is wrong with the theme.
fn first_look(setup: &Setup) -> Result<(Look, Vec<String>), RunError> {
    let name = theme::meant(&setup.theme, setup.caps.ground);
    let (theme, warnings) = Theme::load(name, setup.themes.as_deref(), setup.caps.depth)?;
    let look = Look {
        theme,
        glyphs: if setup.caps.unicode {
            Glyphs::UNICODE
        } else {
            Glyphs::ASCII
        },
    };
    Ok((look, warnings))
}

/// The next frame is drawn on an empty screen.
fn start_anew<B: Backend<Error = io::Error>>(terminal: &mut Terminal<B>) -> io::Result<()> {
    terminal.backend_mut().clear_region(ClearType::All)?;
    terminal.swap_buffers();
    Ok(())
}

/// Why the screen could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("cannot use the terminal: {0}")]
    Terminal(io::Error),
    #[error(transparent)]
    Theme(#[from] theme::ThemeError),
    #[error("{0}")]
    Connect(String),
}

fn now() -> Moment {
    Moment {
        instant: Instant::now(),
        wall: Timestamp::now(),
    }
}

fn first_state(setup: &Setup, size: (u16, u16)) -> State {
    let mut state = State {
        theme: setup.theme.clone(),
        themes: {
            let mut themes = theme::list(setup.themes.as_deref());
            themes.insert(0, theme::AUTO.into());
            themes
        },
        notifier: setup.caps.notifier,
        links: setup.caps.links,
        shows_panes: setup.shows_panes,
        typing: setup.typing,
        keymap: setup.keymap.clone(),
        strings: setup.strings,
        ..State::new(size, now(), setup.zone.clone())
    };
    Setting::keep_all(&mut state, &setup.sources);
    state
}

fn from_input(event: Input) -> Event {
    match event {
        Input::Key(key) => Event::Key(key),
        Input::Paste(text) => Event::Paste(text),
        Input::Mouse(mouse) => Event::Mouse(mouse),
        Input::Resize(width, height) => Event::Resize(width, height),
        Input::FocusGained => Event::Focus(true),
        Input::FocusLost => Event::Focus(false),
    }
}

/// Does what `update` asks for.
struct Performer {
    connection: Option<Connection>,
    connect: Connect,
    setup: Setup,
    /// Takes what comes of work on other threads.
    worked: mpsc::Sender<Event>,
    /// Another program has the terminal.
    is_away: bool,
}

impl Performer {
    async fn recv(&mut self, into: &mut Vec<client::Event>) -> usize {
        match &mut self.connection {
            Some(connection) => connection.events.recv_many(into, EVENTS).await,
            None => std::future::pending().await,
        }
    }

    /// What is known already is there before the first frame.
    fn take_kept(&mut self, state: &mut State) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        let mut effects = Vec::new();
        while let Ok(event) = connection.events.try_recv() {
            effects.extend(update(state, Event::Client(event)));
        }
        for effect in effects {
            // Of what is kept nothing is asked but what stands before it.
            if let Effect::Client(command @ Command::Older { .. }) = effect {
                self.send(command);
            }
        }
    }

    /// What only the loop knows about an event.
    fn note(&self, event: &Event, state: &mut State) {
        if let (Event::Client(client::Event::Welcome { server_id, .. }), Some(connection)) =
            (event, &self.connection)
        {
            state.is_hosting = (connection.is_ours)(*server_id);
        }
    }

    fn perform(&mut self, effect: Effect, state: &mut State, look: &mut Look) -> Option<Event> {
        let command = match effect {
            Effect::Client(command) => command,
            Effect::Connect(None) if self.connection.is_some() => Command::RetryNow,
            // Who is there already only comes back.
            Effect::Connect(Some(address))
                if self.connection.is_some()
                    && (self.setup.short)(&address).as_ref() == Some(&state.server) =>
            {
                Command::RetryNow
            }
            Effect::Connect(address) => return self.reconnect(address.as_deref(), state),
            Effect::Notify { title, text } => {
                (self.setup.notify)(state.notifier, &title, &text);
                return None;
            }
            Effect::Copy(text) => {
                (self.setup.copy)(&text);
                return None;
            }
            // One at a time has the terminal.
            Effect::Edit { .. } if self.is_away => return None,
            Effect::Edit { room, text } => {
                let (worked, edit) = (self.worked.clone(), self.setup.edit);
                let editor = self.setup.editor.clone();
                self.is_away = true;
                tokio::task::spawn_blocking(move || {
                    let text = edit(&editor, &text);
                    let _gone = worked.blocking_send(Event::Edited { room, text });
                });
                return None;
            }
            Effect::Highlight(code) => {
                let worked = self.worked.clone();
                tokio::task::spawn_blocking(move || {
                    let tokens = highlight(&code);
                    // Nobody waits any more where the screen has ended.
                    let _gone = worked.blocking_send(Event::Highlighted(code, tokens));
                });
                return None;
            }
            Effect::Save(setting, value) => {
                let saved = (self.setup.save)(&self.setup.config, setting, &value);
                let path = self.setup.config.display().to_string();
                let saved = saved.map(|()| path);
                return Some(Event::Saved {
                    setting,
                    value,
                    saved,
                });
            }
            Effect::Theme(name) => return self.change_theme(&name, state, look),
            Effect::Quit => return None,
        };
        let busy = match &command {
            Command::Post { post, .. } => Some(Event::Busy(Some(post.client_id))),
            // What was read is said when the room is followed again; who is typing goes on.
            Command::MarkRead { .. } | Command::Typing(_) => None,
            _ => Some(Event::Busy(None)),
        };
        if self.send(command) { None } else { busy }
    }

    fn send(&self, command: Command) -> bool {
        self.connection
            .as_ref()
            .is_some_and(|connection| connection.client.send(command).is_ok())
    }

    /// What is typed is kept before the connection that keeps it ends.
    fn keep_drafts(&self, state: &mut State) {
        for effect in flush_drafts(state) {
            if let Effect::Client(command) = effect {
                self.send(command);
            }
        }
    }

    /// Says goodbye in the background: whoever goes elsewhere does not wait for it.
    fn hang_up(&mut self, state: &mut State) {
        self.keep_drafts(state);
        if let Some(connection) = self.connection.take() {
            remember(&connection, state);
            tokio::spawn(async move {
                let mut events = connection.events;
                // The link ends once its last events are taken, so they are.
                let drained = async { while events.recv().await.is_some() {} };
                tokio::join!(connection.client.quit(), drained);
            });
        }
    }

    fn reconnect(&mut self, address: Option<&str>, state: &mut State) -> Option<Event> {
        match (self.connect)(address) {
            Ok(connection) => {
                self.hang_up(state);
                let is_elsewhere = connection.server != state.server;
                if is_elsewhere {
                    let fresh = first_state(&self.setup, state.size);
                    // What was typed is taken along; what was said stays with the server it was said on.
                    let lobby = super::composer::Composer::with(&state.composer().text());
                    // So is what was set, and whether anybody looks.
                    *state = State {
                        lobby,
                        typing: state.typing,
                        focus: state.focus,
                        shows_panes: state.shows_panes,
                        theme: state.theme.clone(),
                        strings: state.strings,
                        keymap: state.keymap.clone(),
                        notifier: state.notifier,
                        links: state.links,
                        kept: state.kept.clone(),
                        ..fresh
                    };
                }
                state.begins(
                    connection.instance,
                    &connection.server,
                    connection.room.clone(),
                );
                self.connection = Some(connection);
                self.take_kept(state);
                None
            }
            Err(why) => Some(Event::CannotConnect(why)),
        }
    }

    fn change_theme(&self, name: &str, state: &mut State, look: &mut Look) -> Option<Event> {
        let Caps { depth, ground, .. } = self.setup.caps;
        let meant = theme::meant(name, ground);
        match Theme::load(meant, self.setup.themes.as_deref(), depth) {
            Ok((theme, warnings)) => {
                look.theme = theme;
                name.clone_into(&mut state.theme);
                warnings
                    .first()
                    .map(|warning| Event::ThemeFailed(warning.clone()))
            }
            Err(error) => Some(Event::ThemeFailed(error.to_string())),
        }
    }

    async fn quit(mut self, state: &mut State) -> Result<(), RunError> {
        self.keep_drafts(state);
        if let Some(connection) = self.connection.take() {
            remember(&connection, state);
            let mut events = connection.events;
            let drained = async { while events.recv().await.is_some() {} };
            tokio::join!(connection.client.quit(), drained);
        }
        Ok(())
    }
}

/// The room that is read is where one begins the next time; a private conversation is not.
fn remember(connection: &Connection, state: &State) {
    if let Some(room) = state.current().filter(|room| !room.is_conversation()) {
        (connection.remember)(&room.info.name);
    }
}
