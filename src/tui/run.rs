//! The main loop: owns the terminal, the clock and the client, feeds `update`, performs its effects, and draws the screen or prints lines.

mod output;
mod performer;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossterm::event::Event as Input;
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use self::output::{ASKS, Output};
use self::performer::{Next, Performer};
use super::content::tour::Tour;
use super::event::Event;
use super::input::keymap::Keymap;
use super::plain::PlainWriter;
use super::settings::notify_command::NotifyCommand;
use super::settings::time_format::TimeFormat;
use super::settings::typing::TypingMode;
use super::settings::{Kept, Setting, Sources};
use super::state::{Now, Preferences, State};
use super::strings::Strings;
pub use super::terminal::caps::{Caps, Notifier, NotifyMethod};
use super::terminal::{Editor, theme_files};
use super::theme;
use super::view::{Glyphs, Look};
use crate::chat::{InstanceId, ServerId};
use crate::client::{self, Client};
use crate::text::Ambiguous;

/// The minimum time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// The minimum time between two frames while the user is typing, so that text appears at once.
const TYPED: Duration = Duration::from_millis(6);
/// How often time-dependent parts of the screen are updated.
const TICK: Duration = Duration::from_millis(250);
/// The maximum number of client events taken before the next frame.
const EVENTS: usize = 64;
/// The maximum number of waiting results of background work.
const WORKS: usize = 64;

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
    pub short: fn(&str) -> Option<String>,
    /// Copies a text to the clipboard.
    pub copy: fn(&str),
    /// Opens a link and waits until the program that opens it has ended.
    pub open: fn(&str) -> Result<(), String>,
    /// Shows a notification with a title and a line of text, through the terminal.
    pub notify: fn(Notifier, &str, &str),
    /// Runs the user's own notification program instead: the program, then its arguments.
    pub run_notifier: fn(&[String]) -> Result<(), String>,
    /// Sets the window title.
    pub entitle: fn(&str),
    /// Opens a text in the user's own editor and waits for it.
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
    /// Whether typed text is visible without being printed again.
    pub echo: bool,
    /// The name to propose while the user has not chosen one, if the login name is refused.
    pub proposal: Option<String>,
    /// The name of somebody to write to, if the tour is shown.
    pub tour: Option<String>,
}

/// A connection that has been started.
pub struct Connection {
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
    pub named: Box<dyn Fn(&str) + Send>,
    /// Whether a server belongs to this machine's own data directory.
    pub is_ours: Box<dyn Fn(ServerId) -> bool + Send>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// Starts a connection to an address, or, with `None`, to the one the program was started with.
pub type Connect = Box<dyn FnMut(Option<&str>) -> Result<Connection, String> + Send>;

/// Runs the screen until the user quits, the input ends or `stop` completes.
///
/// # Errors
/// The terminal is gone, the theme cannot be used, or the first connection could not be started.
pub async fn run<B: Backend<Error = io::Error>>(
    terminal: &mut Terminal<B>,
    input: impl Stream<Item = io::Result<Input>> + Unpin,
    setup: Setup,
    connect: Connect,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let input = input.map(|event| event.map(from_input));
    turn(Output::Screen(terminal), input, setup, connect, stop).await
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
    let teller = Box::new(PlainWriter::new(setup.echo));
    let output = Output::<CrosstermBackend<io::Sink>>::Lines(teller, out);
    turn(output, input, setup, connect, stop).await
}

async fn turn<B: Backend<Error = io::Error>>(
    mut output: Output<'_, B>,
    mut input: impl Stream<Item = io::Result<Event>> + Unpin,
    setup: Setup,
    connect: Connect,
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let (mut look, warnings) = first_look(&setup)?;
    let mut state = first_state(&setup, output.size().map_err(RunError::Terminal)?);
    if let Some(warning) = warnings.first() {
        state.say(super::state::Tone::Problem, warning.clone());
    }
    let (worked, mut works) = mpsc::channel(WORKS);
    let mut performer = Performer::begin(&mut state, setup, connect, worked)?;

    let mut stop = std::pin::pin!(stop);
    let mut arrived = Vec::new();
    let mut drawn_at = Instant::now() - FRAME;
    let (mut is_dirty, mut is_typed) = (true, false);
    let mut ticked_at = Instant::now();
    // Set when the input has ended: the time until which the program waits for answers.
    let mut ends_at: Option<Instant> = None;
    let (mut typed_at, mut waits_for) = (Instant::now(), 0);
    loop {
        let unanswered = ends_at.map_or(0, |_| state.unanswered());
        if unanswered < waits_for {
            // Each answer extends the time for the others.
            ends_at = ends_at.map(|_| Instant::now() + output.patience());
        }
        waits_for = unanswered;
        let is_over = |at: Instant| at <= Instant::now() || unanswered == 0;
        if ends_at.is_some_and(is_over) {
            // A failure is ignored: the reader of the output may be gone.
            let _gone = output.show(&mut state, &look);
            let unsaid = output.unsaid(&state);
            performer.quit(&mut state).await?;
            return unsaid.map_or(Ok(()), |words| Err(RunError::Unsaid(words)));
        }
        let frame_at = drawn_at + if is_typed { TYPED } else { FRAME };
        // Ticks are needed even if other events arrive all the time.
        let tick_at = ticked_at + TICK;
        let takes_input = ends_at.is_none()
            && output.takes_input(&state, is_dirty, typed_at.elapsed())
            && !(performer.is_away && output.is_plain());
        let event = tokio::select! {
            biased;
            () = stop.as_mut() => return performer.quit(&mut state).await,
            // A frame that is due comes before input that would only cause the next one.
            () = sleep_until(frame_at), if is_dirty && !performer.is_away => {
                state.screen.now = now();
                match output.show(&mut state, &look) {
                    // The reader has closed the pipe, so the program ends without an error.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                        return performer.quit(&mut state).await;
                    }
                    shown => shown.map_err(RunError::Terminal)?,
                }
                performer.entitle(&state);
                (drawn_at, is_dirty, is_typed) = (Instant::now(), false, false);
                continue;
            }
            event = input.next(), if takes_input => {
                typed_at = Instant::now();
                let Some(Ok(event)) = event else {
                    // The terminal is gone or the piped input has ended.
                    ends_at = Some(typed_at + output.patience());
                    continue;
                };
                is_typed = true;
                Some(event)
            }
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
            () = sleep_until(ends_at.unwrap_or(frame_at)), if ends_at.is_some() => None,
            // The answer is late, so the next line is read without it.
            () = sleep_until(typed_at + ASKS), if !takes_input && typed_at.elapsed() < ASKS => None,
        };
        state.screen.now = now();
        is_dirty = true;
        let is_back = matches!(event, Some(Event::Edited { .. }));
        if is_back {
            performer.is_away = false;
            // A resize during the editor was not reported.
            state.screen.size = output.size().map_err(RunError::Terminal)?;
        }
        if is_back || matches!(event, Some(Event::Resize(..))) {
            // Terminals truncate and reflow their contents on a resize, even if the size ends up the same.
            output.reset().map_err(RunError::Terminal)?;
        }
        let events = event
            .into_iter()
            .chain(arrived.drain(..).map(Event::Client));
        for event in events.collect::<Vec<_>>() {
            performer.note(&event, &mut state);
            output.hear(&event);
            if performer.happen(event, &mut state, &mut look) == Next::Quit {
                return performer.quit(&mut state).await;
            }
        }
        if std::mem::take(&mut performer.wants_redraw) {
            output.reset().map_err(RunError::Terminal)?;
        }
    }
}

/// Loads the theme and the glyphs. Also returns warnings about the theme.
fn first_look(setup: &Setup) -> Result<(Look, Vec<String>), RunError> {
    let name = theme::resolve_theme(&setup.theme, setup.caps.ground);
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

/// Why the screen could not be run.
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
    Unsaid(String),
}

fn now() -> Now {
    Now {
        instant: Instant::now().into_std(),
        wall: Timestamp::now(),
    }
}

fn first_state(setup: &Setup, size: (u16, u16)) -> State {
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
        kept: Kept::new(),
    };
    state.input.keymap = setup.keymap.clone();
    state.screen.is_plain = setup.is_plain;
    state.screen.guide = setup.tour.as_deref().map(Tour::new);
    state.me.proposal.clone_from(&setup.proposal);
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
