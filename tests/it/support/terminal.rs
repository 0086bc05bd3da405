//! The real binary in a real pty, with its screen read back through vt100.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::home::PATIENCE;
pub use super::home::{Answering, Home, binary, ends, signal};

pub struct Screen {
    master: Box<dyn MasterPty + Send>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    child: Option<Box<dyn portable_pty::Child + Send + Sync>>,
    parser: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    is_closing: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Screen {
    pub fn open(
        home: &Home,
        program: &str,
        (width, height): (u16, u16),
        arguments: &[&str],
    ) -> Self {
        let pair = native_pty_system().openpty(size(width, height)).unwrap();
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        for (name, value) in home.environment() {
            command.env(name, value);
        }
        command.args(arguments);
        command.cwd(home.directory.path());
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut output = pair.master.try_clone_reader().unwrap();
        let keys = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let answers = Arc::clone(&keys);
        let (ground, columns, answering) = (home.ground, home.columns, home.answering);
        let parser = Arc::new(Mutex::new(vt100::Parser::new(
            cells(height),
            cells(width),
            0,
        )));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let (seen, bytes) = (Arc::clone(&parser), Arc::clone(&raw));
        let is_closing = Arc::new(AtomicBool::new(false));
        let closes = Arc::clone(&is_closing);
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            let mut scanned = 0;
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                // Store the bytes before the screen shows them, or a test that sees something on the screen might not find its bytes.
                let mut all = bytes.lock().unwrap();
                all.extend_from_slice(&buffer[..read]);
                seen.lock().unwrap().process(&buffer[..read]);
                let (answer, until) = answered(&all, scanned, ground, columns);
                drop(all);
                scanned = until;
                if !answer.is_empty() {
                    let keys = Arc::clone(&answers);
                    std::thread::spawn(move || write_answer(&keys, &answer, answering));
                }
                if closes.load(Ordering::SeqCst) {
                    return;
                }
            }
        });
        Self {
            master: pair.master,
            keys,
            child: Some(child),
            parser,
            raw,
            is_closing,
            reader: Some(reader),
        }
    }

    pub fn text(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    /// Everything the program has written to its terminal.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).into_owned()
    }

    /// The colour of the first letter of a text on the screen.
    pub fn colour(&self, text: &str) -> Option<vt100::Color> {
        let parser = self.parser.lock().unwrap();
        let screen = parser.screen();
        let (_, columns) = screen.size();
        let mut rows = (0..).zip(screen.rows(0, columns.into()));
        let place = rows.find_map(|(y, row)| Some((y, row.find(text)?)));
        let (y, x) = place?;
        let cell = screen.cell(y, u16::try_from(x).unwrap())?;
        Some(cell.fgcolor())
    }

    /// Waits until the screen shows a text.
    pub fn shows(&self, text: &str) {
        self.until(&format!("'{text}'"), |screen| screen.contains(text));
    }

    pub fn until(&self, what: &str, is: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !is(&self.text()) {
            assert!(
                began.elapsed() < PATIENCE,
                "waited for {what} and see:\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn types(&mut self, text: &str) {
        let mut keys = self.keys.lock().unwrap();
        keys.write_all(text.as_bytes()).unwrap();
        keys.flush().unwrap();
    }

    /// Types a line and sends it.
    pub fn sends_line(&mut self, text: &str) {
        self.types(&format!("{text}\r"));
    }

    pub fn resize(&mut self, width: u16, height: u16) {
        self.parser
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(cells(height), cells(width));
        self.master.resize(size(width, height)).unwrap();
    }

    pub fn process(&self) -> u32 {
        self.child.as_ref().unwrap().process_id().unwrap()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    /// Waits until the program has ended; returns whether it succeeded.
    pub fn ends(&mut self) -> bool {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                return status.success();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "it does not end:\n{}",
                self.text()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Checks that the terminal is restored: main screen, cursor shown, no mouse, no bracketed paste, echo and line mode.
    pub fn is_restored(&self) {
        // The last bytes of a program may be read only after it has ended. An editor may have written the same sequence earlier.
        let is_plain = || {
            let parser = self.parser.lock().unwrap();
            let screen = parser.screen();
            let has_no_mouse = screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None;
            let is_main = !screen.alternate_screen() && !screen.hide_cursor();
            is_main && has_no_mouse && !screen.bracketed_paste()
        };
        self.until_raw("the restoration", |written| {
            written.contains("\x1b[?1049l") && is_plain()
        });
        let written = self.written();
        let (asked, taken_back) = (written.rfind("\x1b[?1004h"), written.rfind("\x1b[?1004l"));
        assert!(
            asked < taken_back,
            "the terminal still reports focus changes"
        );
        assert!(
            is_cooked(&*self.master),
            "the terminal is still in raw mode"
        );
    }

    /// Waits until the program has written these bytes, visible or not.
    pub fn until_written(&self, bytes: &str) {
        self.until_raw(bytes, |written| written.contains(bytes));
    }

    pub fn until_raw(&self, what: &str, is: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while !is(&self.written()) {
            assert!(began.elapsed() < PATIENCE, "waited for {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Closes the terminal, as when the user closes its window.
    pub fn closes(mut self) -> Box<dyn portable_pty::Child + Send + Sync> {
        // Every handle of the pty must be closed. The reader closes its own after the next read.
        self.is_closing.store(true, Ordering::SeqCst);
        self.types("x");
        self.reader.take().unwrap().join().unwrap();
        self.child.take().unwrap()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // The window closes, and a program that is still running ends with it.
        if let Some(mut child) = self.child.take() {
            let _gone = child.kill();
            let _reaped = child.wait();
        }
    }
}

/// The answers to the queries in the output after `scanned`, and the new value of `scanned`. A query may be split over two reads.
fn answered(
    written: &[u8],
    scanned: usize,
    ground: &str,
    columns: fn(&str) -> usize,
) -> (String, usize) {
    let mut answer = String::new();
    // The longest query without its last byte.
    let mut until = scanned.max(written.len().saturating_sub(5));
    let is_asked = |at: usize, question: &[u8]| written[at..].starts_with(question);
    for at in scanned..written.len() {
        let question = [&b"\x1b[6n"[..], b"\x1b[?u", b"\x1b[c", b"\x1b]11;?"]
            .into_iter()
            .find(|question| is_asked(at, question));
        let said = match question {
            // The cursor position: after the text in the line.
            Some(b"\x1b[6n") => {
                let text = String::from_utf8_lossy(&written[..at]).into_owned();
                let line = text.rsplit(['\r', '\x1b']).next().unwrap_or_default();
                let line = line.strip_prefix("[2;1H").unwrap_or(line);
                format!("\x1b[2;{}R", columns(line) + 1)
            }
            // The keyboard protocol.
            Some(b"\x1b[?u") => "\x1b[?0u".to_owned(),
            Some(b"\x1b[c") => "\x1b[?62c".to_owned(),
            // The background colour.
            Some(_) => format!("\x1b]11;rgb:{ground}\x1b\\"),
            None => continue,
        };
        answer.push_str(&said);
        until = until.max(at + 1);
    }
    (answer, until)
}

/// Writes an answer the way a terminal does. If the program has ended, nobody reads it.
fn write_answer(keys: &Mutex<Box<dyn Write + Send>>, answer: &str, answering: Answering) {
    if let Answering::After(late) = answering {
        std::thread::sleep(late);
    }
    // Keys typed meanwhile come after the whole answer.
    let mut keys = keys.lock().unwrap();
    let pieces = match answering {
        Answering::Bytewise(_) => 1,
        _ => answer.len(),
    };
    for piece in answer.as_bytes().chunks(pieces) {
        if let Answering::Bytewise(pause) = answering {
            std::thread::sleep(pause);
        }
        let _unread = keys.write_all(piece).and_then(|()| keys.flush());
    }
}

/// Whether a pty echoes and is in line mode.
fn is_cooked(master: &dyn MasterPty) -> bool {
    master.get_termios().is_some_and(|termios| {
        let flags = termios.local_flags;
        let text = format!("{flags:?}");
        text.contains("ECHO") && text.contains("ICANON")
    })
}

fn cells(count: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(count).unwrap()
}

fn size(width: u16, height: u16) -> PtySize {
    PtySize {
        rows: height,
        cols: width,
        pixel_width: 0,
        pixel_height: 0,
    }
}
