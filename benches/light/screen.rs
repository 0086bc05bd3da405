//! Runs a program in its own terminal and reads back its screen, with the time at which each change appeared.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The rows and columns of the terminal.
const SIZE: (u16, u16) = (40, 120);

#[derive(Default)]
struct Terminal {
    parser: vt100::Parser,
    bytes: usize,
    /// When the last bytes arrived.
    at: Option<Instant>,
}

pub struct Screen {
    shown: Arc<(Mutex<Terminal>, Condvar)>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    child: Box<dyn portable_pty::Child + Send + Sync>,
    pub started: Instant,
    _master: Box<dyn MasterPty + Send>,
}

impl Screen {
    pub fn open(program: &Path, arguments: &[String], home: &Path) -> Self {
        let size = PtySize {
            rows: SIZE.0,
            cols: SIZE.1,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(program);
        command.env_clear();
        let home = home.display().to_string();
        for (name, value) in [
            ("HOME", home.as_str()),
            ("USER", "ann"),
            ("LANG", "C.UTF-8"),
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ] {
            command.env(name, value);
        }
        command.args(arguments);
        let mut output = pair.master.try_clone_reader().expect("its output");
        let keys = Arc::new(Mutex::new(pair.master.take_writer().expect("its input")));
        let parser = vt100::Parser::new(
            SIZE.0.try_into().expect("rows"),
            SIZE.1.try_into().expect("columns"),
            0,
        );
        let shown = Arc::new((
            Mutex::new(Terminal {
                parser,
                ..Terminal::default()
            }),
            Condvar::new(),
        ));
        let (seen, answers) = (Arc::clone(&shown), Arc::clone(&keys));
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                let bytes = &buffer[..read];
                // Terminal queries are answered at once, as most terminals do.
                let asks = |asked: &[u8]| bytes.windows(asked.len()).any(|it| it == asked);
                let mut answer = String::new();
                if asks(b"]11;?") {
                    answer.push_str("\x1b]11;rgb:1d1d/2020/2828\x1b\\");
                }
                if asks(b"\x1b[c") {
                    answer.push_str("\x1b[?62c");
                }
                if !answer.is_empty() {
                    let mut keys = answers.lock().unwrap_or_else(PoisonError::into_inner);
                    drop(keys.write_all(answer.as_bytes()));
                }
                let mut shown = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
                shown.parser.process(bytes);
                shown.bytes += read;
                shown.at = Some(Instant::now());
                seen.1.notify_all();
            }
        });
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("the program");
        Self {
            shown,
            keys,
            child,
            started,
            _master: pair.master,
        }
    }

    /// Waits until the screen satisfies a condition, and returns the time at which it did.
    pub fn wait_until(&self, what: &str, is: impl Fn(&str) -> bool) -> Instant {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut shown = self.shown.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let text = shown.parser.screen().contents();
            if let Some(at) = shown.at.filter(|_| is(&text)) {
                return at;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited for {what}, but found:\n{text}");
            (shown, _) = self
                .shown
                .1
                .wait_timeout(shown, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub fn wait_for_text(&self, text: &str) -> Instant {
        self.wait_until(text, |screen| screen.contains(text))
    }

    pub fn type_text(&self, text: &str) {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.write_all(text.as_bytes()).expect("it runs");
        keys.flush().expect("it runs");
    }

    /// Returns the number of bytes it has written so far.
    pub fn bytes(&self) -> usize {
        self.shown
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .bytes
    }

    pub fn process(&self) -> u32 {
        self.child.process_id().expect("it runs")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The resource usage of a process, as the system reports it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Resident memory in bytes, including shared pages.
    pub resident: u64,
    /// The peak memory use in bytes so far.
    pub peak: u64,
    /// The number of voluntary context switches of its threads.
    pub wakeups: u64,
    /// CPU time in hundredths of a second.
    pub ticks: u64,
}

impl Usage {
    pub fn of(process: u32) -> Self {
        let text = |path: String| std::fs::read_to_string(path).unwrap_or_default();
        let field = |status: &str, name: &str| -> u64 {
            let line = status.lines().find(|line| line.starts_with(name));
            let number = line.and_then(|line| line.split_whitespace().nth(1));
            number.and_then(|it| it.parse().ok()).unwrap_or(0)
        };
        let status = text(format!("/proc/{process}/status"));
        let threads = std::fs::read_dir(format!("/proc/{process}/task"));
        let threads = threads.into_iter().flatten().flatten();
        let wakeups = threads.map(|thread| {
            let status = text(thread.path().join("status").display().to_string());
            field(&status, "voluntary_ctxt_switches")
        });
        let stat = text(format!("/proc/{process}/stat"));
        let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
        let ticks = behind.split_whitespace().skip(11).take(2);
        Self {
            resident: field(&status, "VmRSS:") * 1024,
            peak: field(&status, "VmHWM:") * 1024,
            wakeups: wakeups.sum(),
            ticks: ticks.filter_map(|it| it.parse::<u64>().ok()).sum(),
        }
    }
}
