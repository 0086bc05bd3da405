//! The main loop: owns the terminal, the clock and the client, passes events to `update`, performs its effects, and
//! draws the screen or prints lines.

mod app;
mod output;
mod pace;
mod performer;

use std::io;
use std::path::{Path, PathBuf};

use crossterm::event::Event as Input;
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use self::app::App;
use self::output::Output;
use self::pace::Pace;
use self::performer::Next;
use super::content::tour::Tour;
use super::event::Event;
use super::input::keymap::Keymap;
use super::plain::PlainWriter;
use super::settings::notify_command::NotifyCommand;
use super::settings::time_format::TimeFormat;
use super::settings::typing::TypingMode;
use super::settings::{SavedSettings, Setting, Sources};
use super::state::{Now, Preferences, State};
use super::strings::Strings;
pub use super::terminal::caps::{Caps, Notifier, NotifyMethod};
use super::terminal::{Editor, theme_files};
use super::theme;
use super::view::{Glyphs, Look};
use crate::chat::{InstanceId, Pin, ServerId};
use crate::client::{self, Client};
use crate::text::Ambiguous;

/// The maximum number of client events applied in one iteration of the loop.
const EVENT_LIMIT: usize = 64;
/// The capacity of the channel for results of background work.
const RESULT_LIMIT: usize = 64;

/// The terminal, the settings and the functions that the screen is started with.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each one is independent of the others.
pub struct Setup {
    pub caps: Caps,
    pub theme: String,
    /// The directory of the user's own themes.
    pub themes: Option<PathBuf>,
    pub zone: TimeZone,
    /// Turns an address typed by a user into the form that is shown; `None` if it is not an address.
    pub display_address: fn(&str) -> Option<String>,
    /// Copies a text to the clipboard.
    pub copy: fn(&str),
    /// Opens a link and waits until the program that opens it has ended.
    pub open: fn(&str) -> Result<(), String>,
    /// Shows a notification with a title and a line of text, through the terminal.
    pub notify: fn(Notifier, &str, &str),
    /// Runs the user's own notification program instead. The words are the program and its arguments.
    pub run_notifier: fn(&[String]) -> Result<(), String>,
    /// Sets the window title.
    pub set_title: fn(&str),
    /// Opens a text in the user's own editor, waits until the editor has ended, and returns the edited text.
    pub edit: fn(&Editor, &str) -> Result<String, String>,
    pub editor: Editor,
    /// Stops the process, as Ctrl+Z in a shell does, until the shell continues it.
    pub suspend: fn(),
    pub keymap: Keymap,
    pub shows_panes: bool,
    pub shows_title: bool,
    pub notify_command: NotifyCommand,
    pub time_format: TimeFormat,
    /// The source of each setting that is not a default.
    pub sources: Sources,
    /// The config file, and the function that saves a setting in it.
    pub config: PathBuf,
    pub save: fn(&Path, Setting, &str) -> Result<(), String>,
    pub typing: TypingMode,
    /// The interface language.
    pub strings: &'static Strings,
    /// Plain mode: there is no screen, and events are printed line by line.
    pub is_plain: bool,
    /// Whether the terminal itself shows what the user types, so that it need not be printed again.
    pub echo: bool,
    /// The name to propose while the user has not chosen one, if the login name is refused.
    pub proposed_name: Option<String>,
    /// The name of the bot that the tour suggests writing to; `None` if the tour is not shown.
    pub tour: Option<String>,
}

/// A connection that has been started.
pub struct ClientConnection {
    pub client: Client,
    pub events: mpsc::Receiver<client::Event>,
    /// The instance part of this connection's client ids.
    pub instance: InstanceId,
    /// The server's address as people write it.
    pub server: String,
    /// The room to show first; `None` means the server's default room.
    pub room: Option<String>,
    /// Saves the current room for the next start.
    pub remember: Box<dyn Fn(&str) + Send>,
    /// Records the name that the server knows the user by.
    pub save_name: Box<dyn Fn(&str) + Send>,
    /// Stores the pin by which the server is recognised from now on.
    pub trust: Box<dyn Fn(Pin) -> Result<(), String> + Send>,
    /// Whether a server belongs to this machine's own data directory.
    pub is_ours: Box<dyn Fn(ServerId) -> bool + Send>,
}

impl std::fmt::Debug for ClientConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientConnection")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Starts a connection to an address, or, with `None`, to the one the program was started with.
pub type Connect = Box<dyn FnMut(Option<&str>) -> Result<ClientConnection, String> + Send>;

/// Runs the screen until the user quits, the input ends or `stop` completes.
///
/// # Errors
/// The terminal or the theme cannot be used, or the first connection could not be started.
pub async fn run<B: Backend<Error = io::Error>>(
    terminal: &mut Terminal<B>,
    input: impl Stream<Item = io::Result<Input>> + Unpin,
    setup: Setup,
    connect: Connect,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let input = input.map(|event| event.map(from_input));
    run_loop(Output::Screen(terminal), input, setup, connect, stop).await
}

/// Runs in plain mode, without a screen: reads typed lines and prints events line by line.
///
/// # Errors
/// The output is closed, or the first connection could not be started.
pub async fn run_plain(
    out: &mut dyn io::Write,
    input: impl Stream<Item = io::Result<Event>> + Unpin,
    setup: Setup,
    connect: Connect,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let writer = Box::new(PlainWriter::new(setup.echo));
    let output = Output::<CrosstermBackend<io::Sink>>::Lines(writer, out);
    run_loop(output, input, setup, connect, stop).await
}

/// The loop: waits for the next event, applies it together with the client events that have arrived, and shows the
/// result when a frame is due.
async fn run_loop<B: Backend<Error = io::Error>>(
    output: Output<'_, B>,
    mut input: impl Stream<Item = io::Result<Event>> + Unpin,
    setup: Setup,
    connect: Connect,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let (results_sender, mut results) = mpsc::channel(RESULT_LIMIT);
    let mut app = App::begin(output, setup, connect, results_sender)?;
    let mut stop = std::pin::pin!(stop);
    let mut arrived = Vec::new();
    let mut pace = Pace::begin();
    loop {
        pace.note_answers(&app.state, app.output.answer_timeout());
        if pace.is_over() {
            return app.finish().await;
        }
        let takes_input = app.takes_input(&pace);
        let event = tokio::select! {
            biased;
            () = stop.as_mut() => return app.quit().await,
            // A frame that is due is drawn before more input is read, so that steady input cannot delay it.
            () = sleep_until(pace.frame_at()), if pace.is_dirty && !app.performer.is_away => {
                if app.show()? == Next::Quit {
                    return app.quit().await;
                }
                pace.note_frame();
                continue;
            }
            event = input.next(), if takes_input => {
                let Some(Ok(event)) = event else {
                    // The terminal is gone or the piped input has ended.
                    pace.end_input(app.output.answer_timeout());
                    continue;
                };
                pace.note_input();
                Some(event)
            }
            count = app.performer.recv(&mut arrived) => {
                if count == 0 {
                    app.performer.connection = None;
                }
                None
            }
            Some(done) = results.recv() => Some(done),
            () = sleep_until(pace.tick_at()), if app.state.wants_ticks() => {
                pace.note_tick();
                Some(Event::Tick)
            }
            () = sleep_until(pace.end_at()), if pace.is_ending() => None,
            // The answer is late, so the next line is read without it.
            () = sleep_until(pace.asks_at()), if !takes_input && pace.is_asking() => None,
        };
        pace.is_dirty = true;
        if app.apply(event, &mut arrived)? == Next::Quit {
            return app.quit().await;
        }
    }
}

/// Loads the theme and the glyphs. Also returns warnings about the theme.
fn initial_look(setup: &Setup) -> Result<(Look, Vec<String>), RunError> {
    let name = theme::resolve_theme(&setup.theme, setup.caps.background);
    let (theme, warnings) = theme_files::load(name, setup.themes.as_deref(), setup.caps.depth)?;
    let look = Look {
        theme,
        // Glyphs that take two columns would shift everything after them.
        glyphs: if setup.caps.unicode && setup.caps.ambiguous != Some(Ambiguous::Wide) {
            Glyphs::UNICODE
        } else {
            Glyphs::ASCII
        },
    };
    Ok((look, warnings))
}

/// Why the loop could not start or ended with an error.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("cannot use the terminal: {0}")]
    Terminal(io::Error),
    #[error(transparent)]
    Theme(#[from] theme::ThemeError),
    #[error("{0}")]
    Connect(String),
    /// Part of the piped input was not sent.
    #[error("{0}")]
    NotAllSent(String),
}

fn now() -> Now {
    Now {
        instant: Instant::now().into_std(),
        wall: Timestamp::now(),
    }
}

fn initial_state(setup: &Setup, size: (u16, u16)) -> State {
    let mut themes = theme_files::list(setup.themes.as_deref());
    themes.insert(0, theme::AUTO.into());
    let mut state = State::new(size, now(), setup.zone.clone());
    state.preferences = Preferences {
        strings: setup.strings,
        theme: setup.theme.clone(),
        themes,
        typing: setup.typing,
        time_format: setup.time_format.clone(),
        shows_panes: setup.shows_panes,
        shows_title: setup.shows_title,
        links: setup.caps.links,
        has_desktop: setup.caps.has_desktop,
        notifier: setup.caps.notifier,
        notify_command: setup.notify_command.clone(),
        saved_settings: SavedSettings::new(),
    };
    state.input.keymap = setup.keymap.clone();
    state.screen.is_plain = setup.is_plain;
    state.screen.guide = setup.tour.as_deref().map(Tour::new);
    state.me.proposed_name.clone_from(&setup.proposed_name);
    Setting::record_all(&mut state, &setup.sources);
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
