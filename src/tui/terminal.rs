//! The terminal: taken over on start, given back on every way out.
//!
//! [`Screen`] restores when it is dropped, and a panic hook restores before the message is printed, so that a shell is never
//! left without echo or in the alternate screen.

mod editor;
mod lines;
mod probe;

use std::io::{self, Stdout, Write as _, stdout};
use std::panic;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture, Event, EventStream,
};
use crossterm::style::ResetColor;
use crossterm::terminal::{
    DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use futures::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use terminal_colorsaurus::{QueryOptions, background_color};

pub use self::editor::{Editor, edit};
pub use self::lines::{Typist, lines};
pub use self::probe::{Misdrawn, Of, Probed, probe};
use super::caps::{Notifier, Way};
use super::theme::Ground;
use crate::text;

/// A terminal far away has this long to say what it is; one that knows no such question says so at once.
const ANSWERS_WITHIN: Duration = Duration::from_millis(300);

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// The terminal while it is ours.
#[derive(Debug)]
pub struct Screen {
    pub terminal: Terminal<CrosstermBackend<Synced>>,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// Standard output is no terminal, or it refuses.
    pub fn take() -> io::Result<Self> {
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                restore();
                before(info);
            }));
        });
        take_over()?;
        Ok(Self {
            terminal: Terminal::new(CrosstermBackend::new(Synced {
                frame: Vec::new(),
                out: stdout(),
            }))?,
        })
    }

    /// Sets the title; a terminal takes no more than ASCII there for granted.
    pub fn set_title(&self, title: &str) {
        let plain: String = text::line(title)
            .as_str()
            .chars()
            .filter(char::is_ascii)
            .collect();
        // A terminal without titles is no less a terminal.
        let _untitled = execute!(stdout(), SetTitle(plain));
    }
}

/// The ground of the terminal, by its own word (OSC 11); dark where it says nothing. To be asked before anything else is read.
pub fn ground() -> Ground {
    asked_ground().unwrap_or_default()
}

/// The same; nothing where it says nothing.
pub fn asked_ground() -> Option<Ground> {
    let mut options = QueryOptions::default();
    options.timeout = ANSWERS_WITHIN;
    let colour = background_color(options).ok()?;
    Some(if colour.perceived_lightness() > 0.5 {
        Ground::Light
    } else {
        Ground::Dark
    })
}

/// Puts a text into the terminal's clipboard (OSC 52); one that has none passes it over.
pub fn copy(text: &str) {
    let _uncopied = execute!(stdout(), CopyToClipboard::to_clipboard_from(text));
}

/// Tells of something in the way the terminal knows.
pub fn notify(notifier: Notifier, title: &str, text: &str) {
    let bytes = notification(notifier, title, text);
    let mut out = stdout();
    // A terminal that does not take it is no less a terminal.
    let _untold = out.write_all(bytes.as_bytes()).and_then(|()| out.flush());
}

/// The sequence that tells of something. Other people's words are made safe here once more: nothing of them may end it.
pub fn notification(notifier: Notifier, title: &str, text: &str) -> String {
    let plain = |words: &str| text::line(words).to_string();
    let (title, text) = (plain(title), plain(text));
    let sequence = match notifier.way() {
        Way::Off => return String::new(),
        Way::Bell => return "\x07".into(),
        Way::Osc9 => format!("\x1b]9;{title}: {text}\x1b\\"),
        // The title is the whole of it where no body follows.
        Way::Osc99 => format!(
            "\x1b]99;i=tchat:d=0:p=title;{title}\x1b\\\x1b]99;i=tchat:d=1:p=body;{text}\x1b\\"
        ),
        // A semicolon would begin the text.
        Way::Osc777 => format!("\x1b]777;notify;{};{text}\x1b\\", title.replace(';', ",")),
    };
    if notifier.in_tmux {
        // tmux itself knows only the bell.
        let inner = sequence.replace('\x1b', "\x1b\x1b");
        format!("\x1bPtmux;{inner}\x1b\\\x07")
    } else {
        sequence
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Writes a frame at once, between the marks that tell the terminal to show it at once, so that nothing tears.
#[derive(Debug)]
pub struct Synced {
    frame: Vec<u8>,
    out: Stdout,
}

impl io::Write for Synced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let mut whole = Vec::with_capacity(self.frame.len() + 16);
        whole.extend_from_slice(b"\x1b[?2026h");
        whole.append(&mut self.frame);
        whole.extend_from_slice(b"\x1b[?2026l");
        self.out.write_all(&whole)?;
        self.out.flush()
    }
}

fn take_over() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(
        stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange,
        EnableMouseCapture,
        DisableLineWrap
    )
}

/// Whether another program has the terminal: what interrupts is meant for that.
pub fn is_paused() -> bool {
    reading().is_paused
}

/// Gives the terminal to another program for a while: nothing is read any more either.
fn pause() {
    let mut reading = reading();
    reading.is_paused = true;
    reading.events = None;
    drop(reading);
    restore();
}

/// Takes the terminal back from another program, whatever that left there; nothing was taken where it was not ours.
fn resume() -> io::Result<()> {
    let was_ours = {
        let mut reading = reading();
        let was_ours = reading.waker.is_some();
        reading.is_paused = false;
        if let Some(waker) = reading.waker.take() {
            waker.wake();
        }
        was_ours
    };
    if was_ours { take_over() } else { Ok(()) }
}

/// Gives the terminal back. Safe to call at any time, from anywhere, more than once.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // There is nobody left to tell if the terminal refuses its own restoration.
    let _gone = execute!(
        stdout(),
        EndSynchronizedUpdate,
        EnableLineWrap,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        ResetColor,
        cursor::Show
    );
    let _raw = disable_raw_mode();
}

/// What is typed, until the terminal goes away.
///
/// A terminal that has hung up is always readable and always empty. crossterm reads it for ever, in one call, and nothing else of the
/// program would run again; so nothing is read where there is nobody any more.
#[derive(Debug)]
pub struct Input(());

/// There is one terminal, and one who reads it; while another program has it nobody does.
#[derive(Debug, Default)]
struct Reading {
    is_paused: bool,
    events: Option<EventStream>,
    /// Whoever waits for what is typed.
    waker: Option<Waker>,
}

static READING: Mutex<Reading> = Mutex::new(Reading {
    is_paused: false,
    events: None,
    waker: None,
});

fn reading() -> MutexGuard<'static, Reading> {
    READING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Input {
    #[allow(clippy::new_without_default)] // It takes the process's own terminal, which is no default of anything.
    pub fn new() -> Self {
        Self(())
    }
}

impl Stream for Input {
    type Item = io::Result<Event>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if has_hung_up() {
            return Poll::Ready(None);
        }
        let mut reading = reading();
        reading.waker = Some(context.waker().clone());
        if reading.is_paused {
            return Poll::Pending;
        }
        let events = reading.events.get_or_insert_with(EventStream::new);
        events.poll_next_unpin(context)
    }
}

#[cfg(unix)]
fn has_hung_up() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = rustix::stdio::stdin();
    let mut asked = [PollFd::new(&stdin, PollFlags::empty())];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut asked, Some(&at_once)).is_ok_and(|found| found > 0)
        && asked[0]
            .revents()
            .intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
}

#[cfg(not(unix))]
fn has_hung_up() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(way: Way, in_tmux: bool) -> String {
        notification(
            Notifier {
                known: way,
                asked: None,
                in_tmux,
            },
            "李四; in #tech",
            "look\x1b]0;x\x07 here",
        )
    }

    #[test]
    fn a_notification_is_one_sequence_whatever_it_says() {
        assert_eq!(told(Way::Off, false), "");
        assert_eq!(told(Way::Bell, true), "\x07");
        let text = "look␛]0;x␇ here";
        assert_eq!(
            told(Way::Osc777, false),
            format!("\x1b]777;notify;李四, in #tech;{text}\x1b\\")
        );
        assert_eq!(
            told(Way::Osc9, false),
            format!("\x1b]9;李四; in #tech: {text}\x1b\\")
        );
        assert!(told(Way::Osc99, false).ends_with(&format!("p=body;{text}\x1b\\")));
        assert_eq!(
            told(Way::Osc9, true),
            format!("\x1bPtmux;\x1b\x1b]9;李四; in #tech: {text}\x1b\x1b\\\x1b\\\x07")
        );
    }
}
