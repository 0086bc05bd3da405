//! The terminal: taken over at the start and restored at every exit.
//!
//! [`Screen`] restores it when dropped, and a panic hook restores it before the panic message is printed, so that the shell is never left
//! without echo or in the alternate screen.

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
pub use self::probe::{Misdrawn, Probed, SampleKind, probe};
pub use self::width_safe::WidthSafe;
use super::terminal::caps::{Notifier, NotifyMethod};
use crate::text;

/// Whether the terminal is in our mode (raw, alternate screen).
static TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();
/// The window title that we have set.
static TITLE: Mutex<Option<String>> = Mutex::new(None);
/// Saves the window title on the terminal's own stack, and restores it from there (XTWINOPS).
const SAVE_TITLE: &str = "\x1b[22;2t";
const RESTORE_TITLE: &str = "\x1b[23;2t";

/// The terminal while the program uses it.
#[derive(Debug)]
pub struct Screen {
    pub terminal: Terminal<WidthSafe<CrosstermBackend<Synced>>>,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// Standard output is not a terminal, or the terminal cannot be set up.
    pub fn enter() -> io::Result<Self> {
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

/// Sets the window title. Only its ASCII characters are sent, because not every terminal accepts others. [`restore`] restores the old one.
pub fn set_title(title: &str) {
    let plain: String = text::line(title)
        .as_str()
        .chars()
        .filter(char::is_ascii)
        .collect();
    let mut title = TITLE.lock().unwrap_or_else(PoisonError::into_inner);
    // A failure is ignored: not every terminal has titles.
    if title.is_none() {
        let _untitled = execute!(stdout(), Print(SAVE_TITLE));
    }
    let _untitled = execute!(stdout(), SetTitle(plain.as_str()));
    *title = Some(plain);
}

/// Copies a text to the terminal's clipboard (OSC 52); terminals without one ignore it.
pub fn copy(text: &str) {
    let _uncopied = execute!(stdout(), CopyToClipboard::to_clipboard_from(text));
}

/// Sends a notification to the terminal.
pub fn notify(notifier: Notifier, title: &str, text: &str) {
    let bytes = notification(notifier, title, text);
    let mut out = stdout();
    // A failure is ignored: a notification is optional.
    let _untold = out.write_all(bytes.as_bytes()).and_then(|()| out.flush());
}

/// The control sequence for a notification. The texts of others are escaped again here, so that nothing in them can end the sequence.
pub fn notification(notifier: Notifier, title: &str, text: &str) -> String {
    let plain = |words: &str| text::line(words).to_string();
    let (title, text) = (plain(title), plain(text));
    let sequence = match notifier.method() {
        NotifyMethod::Off => return String::new(),
        NotifyMethod::Bell => return "\x07".into(),
        NotifyMethod::Osc9 => format!("\x1b]9;{title}: {text}\x1b\\"),
        // If no body follows, the title alone is shown.
        NotifyMethod::Osc99 => format!(
            "\x1b]99;i=tchat:d=0:p=title;{title}\x1b\\\x1b]99;i=tchat:d=1:p=body;{text}\x1b\\"
        ),
        // The title must not contain a semicolon: it would end there.
        NotifyMethod::Osc777 => format!("\x1b]777;notify;{};{text}\x1b\\", title.replace(';', ",")),
    };
    if notifier.in_tmux {
        // tmux itself only supports the bell.
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

/// Writes each frame in one piece as a synchronized update (mode 2026), so that no half-drawn frame is visible.
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
    // Another program, such as the editor, may have set its own title.
    if let Some(title) = TITLE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .as_deref()
    {
        let _untitled = execute!(stdout(), Print(SAVE_TITLE), SetTitle(title));
    }
    Ok(())
}

/// Restores the terminal. Can be called at any time, from any thread, and repeatedly.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    if TITLE.try_lock().is_ok_and(|title| title.is_some()) {
        let _gone = execute!(stdout(), Print(RESTORE_TITLE));
    }
    // There is no way to report a terminal that cannot be restored.
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
                requested: None,
                in_tmux,
            },
            "李四; in #tech",
            "look\x1b]0;x\x07 here",
        )
    }

    #[test]
    fn a_notification_is_one_sequence_whatever_its_text() {
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
