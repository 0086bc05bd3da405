//! The terminal: taken over on start, given back on every way out.
//!
//! [`Screen`] restores when it is dropped, and a panic hook restores before the message is printed, so that a shell is never
//! left without echo or in the alternate screen.

mod browser;
pub mod caps;
pub mod decode;
mod editor;
mod input;
mod lines;
mod notifier;
mod probe;
pub mod theme_files;
mod width_safe;

use std::io::{self, Stdout, Write as _, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use crossterm::style::{Print, ResetColor};
use crossterm::terminal::{
    DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

pub use self::browser::open;
pub use self::editor::{Editor, edit};
pub use self::input::{Answers, Input, Questions, ask, is_paused, suspend};
pub use self::lines::{Typist, lines};
pub use self::notifier::run_notifier;
pub use self::probe::{Misdrawn, Of, Probed, probe};
pub use self::width_safe::WidthSafe;
use super::terminal::caps::{Notifier, NotifyMethod};
use crate::text;

/// Whether the terminal is ours now.
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// The title of the window, once it is ours.
static TITLE: Mutex<Option<String>> = Mutex::new(None);
/// Puts the title of the window on the terminal's own stack, and takes it back from there (XTWINOPS).
const KEEP_TITLE: &str = "\x1b[22;2t";
const TITLE_BACK: &str = "\x1b[23;2t";

/// The terminal while it is ours.
#[derive(Debug)]
pub struct Screen {
    pub terminal: Terminal<WidthSafe<CrosstermBackend<Synced>>>,
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
            terminal: Terminal::new(WidthSafe::new(CrosstermBackend::new(Synced {
                frame: Vec::new(),
                out: stdout(),
            })))?,
        })
    }
}

/// Sets the title of the window; a terminal takes no more than ASCII there for granted. The title before comes back with the terminal.
pub fn entitle(title: &str) {
    let plain: String = text::line(title)
        .as_str()
        .chars()
        .filter(char::is_ascii)
        .collect();
    let mut title = TITLE.lock().unwrap_or_else(PoisonError::into_inner);
    // A terminal without titles is no less a terminal.
    if title.is_none() {
        let _untitled = execute!(stdout(), Print(KEEP_TITLE));
    }
    let _untitled = execute!(stdout(), SetTitle(plain.as_str()));
    *title = Some(plain);
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
        NotifyMethod::Off => return String::new(),
        NotifyMethod::Bell => return "\x07".into(),
        NotifyMethod::Osc9 => format!("\x1b]9;{title}: {text}\x1b\\"),
        // The title is the whole of it where no body follows.
        NotifyMethod::Osc99 => format!(
            "\x1b]99;i=tchat:d=0:p=title;{title}\x1b\\\x1b]99;i=tchat:d=1:p=body;{text}\x1b\\"
        ),
        // A semicolon would begin the text.
        NotifyMethod::Osc777 => format!("\x1b]777;notify;{};{text}\x1b\\", title.replace(';', ",")),
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
    )?;
    // Another program may have set one of its own meanwhile.
    if let Some(title) = TITLE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .as_deref()
    {
        let _untitled = execute!(stdout(), Print(KEEP_TITLE), SetTitle(title));
    }
    Ok(())
}

/// Gives the terminal back. Safe to call at any time, from anywhere, more than once.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    if TITLE.try_lock().is_ok_and(|title| title.is_some()) {
        let _gone = execute!(stdout(), Print(TITLE_BACK));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn method_name(way: NotifyMethod, in_tmux: bool) -> String {
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
        assert_eq!(method_name(NotifyMethod::Off, false), "");
        assert_eq!(method_name(NotifyMethod::Bell, true), "\x07");
        let text = "look␛]0;x␇ here";
        assert_eq!(
            method_name(NotifyMethod::Osc777, false),
            format!("\x1b]777;notify;李四, in #tech;{text}\x1b\\")
        );
        assert_eq!(
            method_name(NotifyMethod::Osc9, false),
            format!("\x1b]9;李四; in #tech: {text}\x1b\\")
        );
        assert!(method_name(NotifyMethod::Osc99, false).ends_with(&format!("p=body;{text}\x1b\\")));
        assert_eq!(
            method_name(NotifyMethod::Osc9, true),
            format!("\x1bPtmux;\x1b\x1b]9;李四; in #tech: {text}\x1b\x1b\\\x1b\\\x07")
        );
    }
}
