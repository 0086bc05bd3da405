//! A home directory in which the real binary runs, and the processes in it.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::terminal::Screen;

/// About five times as long as the slowest operation in these tests.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A home directory for some terminals, and a free port.
pub struct Home {
    pub directory: tempfile::TempDir,
    pub port: u16,
    /// The background colour of its terminals.
    pub ground: &'static str,
    /// Returns the number of columns in which its terminals draw a text.
    pub columns: fn(&str) -> usize,
    pub answering: Answering,
}

/// How a terminal answers queries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answering {
    AtOnce,
    After(Duration),
    /// One byte at a time, with a pause before each.
    Bytewise(Duration),
}

impl Home {
    pub fn new() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Self {
            directory: tempfile::tempdir().unwrap(),
            port,
            ground: "1d1d/2020/2828",
            columns: tchat::text::width,
            answering: Answering::AtOnce,
        }
    }

    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub fn logs(&self) -> PathBuf {
        self.directory.path().join("logs")
    }

    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.directory.path().join(name).display().to_string();
        vec![
            ("HOME", path("home")),
            ("XDG_CONFIG_HOME", path("config")),
            ("TCHAT_DATA", path("data")),
            ("TCHAT_LOG_DIR", path("logs")),
            ("TCHAT_IDLE_EXIT", "30s".into()),
            ("USER", "ann".into()),
            ("LANG", "C.UTF-8".into()),
            ("TERM", "xterm-256color".into()),
            ("COLORTERM", "truecolor".into()),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
        ]
    }

    /// The program with these arguments, without a terminal.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.env_clear().envs(self.environment()).args(arguments);
        command
    }

    /// Starts `tchat --serve` on this home's port and waits until it listens.
    pub fn serves(&self, arguments: &[&str]) -> Child {
        let port = self.port.to_string();
        let arguments: Vec<&str> = ["--serve", "--port", &port]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        let child = self
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        self.is_served();
        child
    }

    /// Waits until a server is running here.
    pub fn is_served(&self) {
        let began = Instant::now();
        // It listens a moment before it has written its id.
        let is_up = || {
            let is_noted =
                std::fs::metadata(self.data().join("tchat.id")).is_ok_and(|it| it.len() > 0);
            is_noted && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        };
        while !is_up() {
            assert!(began.elapsed() < PATIENCE, "no server listens");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Makes an invitation to the server here, and returns its link in quotes.
    pub fn invites(&self, arguments: &[&str]) -> String {
        let all = [&["admin", "invite"], arguments].concat();
        let made = self.command(&all).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    /// The link of the server here, at another port that leads to it.
    pub fn link(&self, port: u16) -> String {
        let note = std::fs::read_to_string(self.data().join("tchat.id")).unwrap();
        format!("tchat://localhost:{port}/#{}", note.lines().nth(2).unwrap())
    }

    /// A shell command line with this home's environment.
    pub fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("sh");
        command.env_clear().envs(self.environment());
        command.args(["-c", line]);
        command
    }

    /// The path of a file in this home.
    pub fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Opens `tchat` with these arguments, on this home's port.
    pub fn opens(&self, size: (u16, u16), arguments: &[&str]) -> Screen {
        let port = self.port.to_string();
        let arguments: Vec<&str> = ["--port", &port]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        self.runs(&binary().display().to_string(), size, &arguments)
    }

    /// Opens `tchat` with these arguments and no others.
    pub fn screen(&self, size: (u16, u16), arguments: &[&str]) -> Screen {
        self.runs(&binary().display().to_string(), size, arguments)
    }

    /// Opens another program in its own terminal.
    pub fn runs(&self, program: &str, size: (u16, u16), arguments: &[&str]) -> Screen {
        Screen::open(self, program, size, arguments)
    }

    /// The process id of this home's server.
    pub fn host(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.data().join("tchat.lock")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// Kills the server, as in a crash.
    pub fn host_is_killed(&self) {
        let pid = self.host().expect("a server is running");
        signal(pid, "KILL");
        let gone = Instant::now();
        while Path::new(&format!("/proc/{pid}/stat")).exists() && !is_zombie(pid) {
            assert!(gone.elapsed() < PATIENCE, "the server is still running");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // A server that a test leaves running must not outlive the test.
        if let Some(pid) = self
            .host()
            .filter(|_| std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok())
        {
            signal(pid, "KILL");
        }
    }
}

fn is_zombie(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status();
    assert!(sent.is_ok(), "kill works");
}

pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_tchat"))
}

/// Waits until a process has ended and returns its status.
pub fn ends(child: &mut Child, within: Duration) -> std::process::ExitStatus {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(
            began.elapsed() < within,
            "it is still running after {within:?}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
