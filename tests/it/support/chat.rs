//! A chat of real processes that is to be disturbed: a server, screens behind bad networks, and the story they tell afterwards.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::chaos::{Chaos, Weather};
use super::history::{History, Sent, tail};
use super::terminal::{Home, Screen, ends, signal};

/// Within this a frame that was due is on the screen.
const FRAME: Duration = Duration::from_millis(100);

/// Lines typed before it is waited for them to be stored: a screen takes a thousand that wait.
const AT_ONCE: usize = 100;
/// A screen that does not change for so long has read what was typed.
const QUIET: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(120);
/// Rows of a screen, so that much of what was said is on it.
const SIZE: (u16, u16) = (80, 60);

/// One of those who talk.
pub struct Talker {
    name: &'static str,
    pub screen: Screen,
    pub network: Chaos,
    typed: Vec<String>,
    /// Connections there were when the link was up last.
    dialled: u64,
}

pub struct Chat {
    pub home: Home,
    pub server: Child,
    pub talkers: Vec<Talker>,
}

impl Chat {
    /// A server without a send rate, or with the usual one, and somebody for each name.
    pub fn begins(names: &[&'static str], weather: Weather, rate: Rate) -> Self {
        let home = Home::new();
        let burst = match rate {
            Rate::Off => "burst = 0",
            Rate::On => "",
        };
        std::fs::write(home.file("config.toml"), format!("[server]\n{burst}\n")).unwrap();
        let server = home.serves(&["--config", &home.file("config.toml")]);
        let talkers = names.iter().zip(1..).map(|(name, seed)| {
            let network = Chaos::before(home.port, seed, weather);
            let server = format!("localhost:{}", network.port);
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

    /// Everything that was typed is stored, and everybody sees the end of it.
    ///
    /// Each says a line and sees it stored, after which nothing of anybody waits; and then a last one, so that all of those stand near
    /// the end.
    pub fn settles(&mut self) {
        for talker in &mut self.talkers {
            talker.says();
            let own = talker.typed.last().cloned();
            talker.waits_for(own.as_slice());
        }
        for talker in &mut self.talkers {
            talker.says();
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

    /// The story, from the log, from what was typed and from the screens as they are now.
    pub fn story(&mut self) -> History {
        self.settles();
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

    /// How many lines were typed by all together.
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

/// Whether the server has people wait who send too much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rate {
    On,
    Off,
}

impl Talker {
    /// Types the next line.
    pub fn says(&mut self) {
        let text = format!("={}{}=", self.name, self.typed.len() + 1);
        self.screen.says(&text);
        self.typed.push(text);
        if self.typed.len().is_multiple_of(AT_ONCE) {
            self.waits_for(&[]);
        }
    }

    /// Waits until nothing of one's own waits any more and some lines are on the screen. Enter on an empty line dials at once, as an
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
            // What was typed last may not have been read yet.
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
            // What the screen shows until it has dialled again is of the link before.
            let has_dialled = self.network.accepted() > self.dialled;
            // And from then on a frame may be on its way.
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

    /// How often the link came back, as its own overlay has it.
    pub fn reconnects(&mut self) -> usize {
        self.screen.types("\x1bOQ");
        self.screen.shows("there and back");
        let text = self.screen.text();
        let words: Vec<&str> = text.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "reconnects");
        let count = at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok());
        self.screen.types("\x1b");
        count.expect("the overlay says how often")
    }

    /// The client is killed and started again.
    pub fn is_killed(&mut self, home: &Home) {
        signal(self.screen.process(), "KILL");
        self.screen.ends();
        let server = format!("localhost:{}", self.network.port);
        self.screen = home.screen(SIZE, &["--server", &server, "--name", self.name]);
        self.screen.shows("#general ›");
    }
}
