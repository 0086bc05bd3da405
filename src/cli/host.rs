//! Starts the background server: this same program, started when no server is running, as tmux starts its server.

use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::chat::ServerId;
use crate::client::Dialled;
use crate::config::Config;
use crate::server::data_dir;

/// How long a server may take to start listening.
const READY_WITHIN: Duration = Duration::from_secs(10);
/// The interval between attempts to connect to it.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// How to start a background server.
#[derive(Debug)]
pub struct BackgroundServer {
    data: PathBuf,
    arguments: Vec<std::ffi::OsString>,
}

impl BackgroundServer {
    pub fn new(config: &Config, port: u16) -> Self {
        let paths = &config.paths;
        let mut arguments: Vec<std::ffi::OsString> =
            ["--serve", "--background", "--host", "localhost"]
                .into_iter()
                .map(Into::into)
                .collect();
        let mut pass =
            |flag: &str, value: std::ffi::OsString| arguments.extend([flag.into(), value]);
        pass("--port", port.to_string().into());
        pass("--data", paths.data.clone().into());
        pass("--log-dir", paths.logs.clone().into());
        pass("--name", config.join.name.clone().into());
        if let Some(config) = &paths.config {
            pass("--config", config.clone().into());
        }
        if let Some(idle) = config.serve.idle_exit {
            pass("--idle-exit", format!("{}s", idle.as_secs()).into());
        }
        let messages = if config.serve.log_messages {
            "on"
        } else {
            "off"
        };
        arguments.push(format!("--log-messages={messages}").into());
        Self {
            data: paths.data.clone(),
            arguments,
        }
    }

    /// Whether the data directory belongs to this server.
    pub fn has_server(&self, id: ServerId) -> bool {
        data_dir::server_of(&self.data) == Some(id)
    }

    /// Whether the server was stopped on purpose. A client then does not restart it automatically.
    pub fn is_stopped(&self) -> bool {
        data_dir::is_stopped(&self.data)
    }

    /// Starts a server and connects to it as soon as it listens. If another process has started one first, connects to
    /// that server.
    pub async fn start<F>(&self, dial: impl Fn() -> F) -> io::Result<Dialled>
    where
        F: Future<Output = io::Result<Dialled>>,
    {
        let mut child = self.spawn()?;
        let until = Instant::now() + READY_WITHIN;
        let failure = loop {
            match dial().await {
                Ok(stream) => {
                    reap(child);
                    return Ok(stream);
                }
                Err(error) if Instant::now() >= until => break error,
                Err(_) => {}
            }
            if let Some(status) = child.try_wait()? {
                // It also exits if another server has just started, so try to connect to that one.
                if let Ok(stream) = dial().await {
                    return Ok(stream);
                }
                break startup_error(&mut child)
                    .unwrap_or_else(|| io::Error::other(format!("the server stopped ({status})")));
            }
            sleep(TRY_EVERY).await;
        };
        reap(child);
        Err(failure)
    }

    fn spawn(&self) -> io::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // Ctrl+C in the terminal, or closing it, must not end the server.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn()
    }
}

/// Returns the error that a server printed when it could not start.
fn startup_error(child: &mut Child) -> Option<io::Error> {
    let mut words = String::new();
    io::Read::read_to_string(child.stderr.as_mut()?, &mut words).ok()?;
    // The second line says what to do about it.
    let lines: Vec<&str> = words.trim_start_matches("tchat: ").lines().collect();
    let words = lines.join("; ");
    (!words.is_empty()).then(|| io::Error::other(words))
}

/// Waits for the server in a thread, so that it leaves no zombie if it ends before this process.
fn reap(mut child: Child) {
    std::thread::spawn(move || drop(child.wait()));
}
