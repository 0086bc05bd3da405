//! A chat of real processes for fault tests: one server, screens behind bad networks, and the history collected at the end.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::chaos_proxy::{Chaos, NetworkFaults};
use super::history::{History, Sent, tail};
use super::terminal::{Home, Screen, ends, signal};

/// A pending frame is drawn within this time.
const FRAME: Duration = Duration::from_millis(100);

/// The number of lines typed before waiting until they are stored. A screen accepts at most a thousand waiting posts.
const AT_ONCE: usize = 100;
/// A screen that has not changed for this long has read all keys.
const QUIET: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(120);
/// Tall enough to show many of the messages.
const SIZE: (u16, u16) = (80, 60);

/// One of the people who post.
pub struct Talker {
    name: &'static str,
    pub screen: Screen,
    pub network: Chaos,
    typed: Vec<String>,
    /// The number of connections accepted when the link was last known to be up.
    dialled: u64,
}

pub struct Chat {
    pub home: Home,
    pub server: Child,
    pub talkers: Vec<Talker>,
}

impl Chat {
    /// Starts a server, without a rate limit or with the default one, and a client for each name.
    pub fn begins(names: &[&'static str], weather: NetworkFaults, rate: Rate) -> Self {
        let home = Home::new();
        let burst = match rate {
            Rate::Off => "burst = 0",
            Rate::On => "",
        };
        std::fs::write(home.file("config.toml"), format!("[server]\n{burst}\n")).unwrap();
        let server = home.serves(&["--config", &home.file("config.toml")]);
        let talkers = names.iter().zip(1..).map(|(name, seed)| {
            let network = Chaos::before(home.port, seed, weather);
            let server = home.link(network.port);
            let screen = home.screen(SIZE, &["--server", &server, "--name", name]);
            screen.shows("#general ›");
            Talker {
                name,
                screen,
                dialled: network.accepted(),
                network,
                typed: Vec::new(),
            }
        });
        let talkers = talkers.collect();
        Self {
            home,
            server,
            talkers,
        }
    }

    pub fn server_is_killed(&mut self) {
        signal(self.server.id(), "KILL");
        ends(&mut self.server, PATIENCE);
        self.server = self
            .home
            .serves(&["--config", &self.home.file("config.toml")]);
    }

    /// Waits until everything that was typed is stored and everybody sees the last lines.
    ///
    /// Each person posts a line and waits until it is stored; after that nobody has a waiting post. Then each posts a last line, so that
    /// all of these are near the end.
    pub fn waits_until_stored(&mut self) {
        for talker in &mut self.talkers {
            talker.posts_line();
            let own = talker.typed.last().cloned();
            talker.waits_for(own.as_slice());
        }
        for talker in &mut self.talkers {
            talker.posts_line();
        }
        let last: Vec<String> = self
            .talkers
            .iter()
            .filter_map(|it| it.typed.last().cloned())
            .collect();
        for talker in &mut self.talkers {
            talker.waits_for(&last);
        }
    }

    /// Collects the history: the log, the typed lines, and the current screens.
    pub fn history(&mut self) -> History {
        self.waits_until_stored();
        let port = self.home.port.to_string();
        let mut history = History::default();
        for reader in ["reader1", "reader2"] {
            let arguments = ["tail", "--json", "--last", "1000000", "--port", &port];
            let output = self
                .home
                .command(&[&arguments[..], &["--name", reader]].concat())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            let text = String::from_utf8(output.stdout).unwrap();
            history.tails.push((reader.into(), tail(&text).unwrap()));
        }
        for talker in &self.talkers {
            let sent = |text: &String| Sent {
                code: 0,
                text: text.clone(),
            };
            let sends = talker.typed.iter().map(sent).collect();
            history.sends.push((talker.name.into(), sends));
            let text = talker.screen.text();
            history.screens.push((talker.name.into(), text));
        }
        history
    }

    /// The number of lines typed by all together.
    pub fn typed(&self) -> usize {
        self.talkers.iter().map(|it| it.typed.len()).sum()
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _gone = self.server.kill();
        let _reaped = self.server.wait();
    }
}

/// Whether the server limits the send rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rate {
    On,
    Off,
}

impl Talker {
    /// Types and sends the next line.
    pub fn posts_line(&mut self) {
        let text = format!("={}{}=", self.name, self.typed.len() + 1);
        self.screen.sends_line(&text);
        self.typed.push(text);
        if self.typed.len().is_multiple_of(AT_ONCE) {
            self.waits_for(&[]);
        }
    }

    /// Waits until no own post is waiting and these lines are on the screen. Presses Enter on an empty line to reconnect at once, as an
    /// impatient person would.
    fn waits_for(&mut self, texts: &[String]) {
        let began = Instant::now();
        let mut quiet_since = None;
        loop {
            let text = self.screen.text();
            let waits = |row: &str| row.contains('…') || row.contains('✗');
            let is_done = text.lines().any(|row| row.trim() == "#general ›")
                && !text.lines().any(waits)
                && texts.iter().all(|it| text.contains(it.as_str()));
            // The last keys may not have been read yet.
            if is_done && quiet_since.get_or_insert_with(Instant::now).elapsed() > QUIET {
                return;
            }
            if !is_done {
                quiet_since = None;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{} waits for {texts:?}:\n{text}",
                self.name
            );
            std::thread::sleep(Duration::from_millis(20));
            if text.contains("Enter now") {
                self.screen.types("\r");
            }
        }
    }

    /// Waits until the link is up again after it went down.
    pub fn is_back(&mut self) {
        let began = Instant::now();
        let mut dialled_since = None;
        loop {
            let text = self.screen.text();
            // Until the client has reconnected, the screen shows the state of the old link.
            let has_dialled = self.network.accepted() > self.dialled;
            // After that, one frame may still be pending.
            let is_fresh =
                has_dialled && dialled_since.get_or_insert_with(Instant::now).elapsed() > FRAME;
            if is_fresh && text.lines().last().is_some_and(|row| row.contains('●')) {
                self.dialled = self.network.accepted();
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{} is not back:\n{text}",
                self.name
            );
            std::thread::sleep(Duration::from_millis(20));
            if text.contains("Enter now") {
                self.screen.types("\r");
            }
        }
    }

    /// The number of reconnects, as shown in the link overlay.
    pub fn reconnects(&mut self) -> usize {
        self.screen.types("\x1bOQ");
        self.screen.shows("round trip");
        let text = self.screen.text();
        let words: Vec<&str> = text.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "reconnects");
        let count = at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok());
        self.screen.types("\x1b");
        count.expect("the overlay has a number")
    }

    /// Kills the client and starts it again.
    pub fn is_killed(&mut self, home: &Home) {
        signal(self.screen.process(), "KILL");
        self.screen.ends();
        let server = format!("localhost:{}", self.network.port);
        self.screen = home.screen(SIZE, &["--server", &server, "--name", self.name]);
        self.screen.shows("#general ›");
    }
}
