//! How light the client is, beside weechat and irssi: first frame, memory, key to screen while others talk, and what it does when
//! nothing happens.
//!
//! `cargo bench --bench light`, on Linux. weechat and irssi come from Debian's packages (`apt-get install weechat-curses irssi`);
//! without them only tchat is measured. tchat begins with 100,000 messages kept on this disk; the others keep none.
//! Last comes tchat's memory after a million live messages in one room and in a hundred (`cargo bench --bench light -- heard` runs
//! only that).

#![allow(clippy::print_stdout)] // What was measured is printed.

mod irc;
mod screen;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tchat::chat::{Body, ClientId, InstanceId, Recipient, RoomId};
use tchat::client::{Client, ClientConfig, Command as Told, Connector, Event, Pipe, Post, profile};

use self::irc::Irc;
use self::screen::{Screen, Usage};

/// Messages kept, and how many are said in a second while keys are timed.
const KEPT: u64 = 100_000;
const EACH_SECOND: u32 = 1000;
/// Starts that are timed, keys that are timed, and how long nothing happens.
const STARTS: usize = 21;
const KEYS: usize = 400;
const IDLE: Duration = Duration::from_secs(10);
/// Live messages before the client's memory is measured, and the size of each.
const HEARD: u64 = 1_000_000;
const BYTES: usize = 160;
/// The numbers of rooms they are spread over, one run each.
const ROOMS: [usize; 2] = [1, 100];
/// The most messages that are sent and not yet received.
const ON_THE_WAY: u64 = 2000;

fn main() {
    // `cargo test --benches` only wants to know whether it starts.
    if std::env::args().any(|it| it == "--test") || !cfg!(target_os = "linux") {
        return;
    }
    let home = tempfile::tempdir().expect("a directory");
    if std::env::args().any(|it| it == "heard") {
        for rooms in ROOMS {
            heard(home.path(), rooms);
        }
        return;
    }
    let host = Host::start(home.path(), 0);
    let fill = Instant::now();
    host.fill();
    println!(
        "{KEPT} messages said and kept in {:.1} s",
        fill.elapsed().as_secs_f64()
    );
    let irc = Irc::start();
    heads();
    print(&tchat(&host, home.path()));
    for other in [weechat, irssi] {
        if let Some(light) = other(&irc, home.path()) {
            print(&light);
        }
    }
    for rooms in ROOMS {
        heard(home.path(), rooms);
    }
}

/// Prints the client's memory after a million live messages, and the peak.
fn heard(home: &Path, rooms: usize) {
    let home = home.join(format!("heard-{rooms}"));
    std::fs::create_dir(&home).expect("a directory");
    let host = Host::start(&home, rooms);
    let names: Vec<String> = (0..rooms).map(room_name).collect();
    // Makes the client a member of all rooms; its screen shows the first.
    drop(host.joins("ann", &names));
    let (speaker, taken, rooms) = host.joins("zhang", &names);
    let screen = Screen::open(
        Path::new(env!("CARGO_BIN_EXE_tchat")),
        &host.arguments("ann"),
        &home,
    );
    screen.shows("PEOPLE");
    let began = Instant::now();
    for (n, room) in (1..=HEARD).zip(rooms.iter().cycle()) {
        while n - taken.load(Ordering::SeqCst).min(n) > ON_THE_WAY {
            std::thread::sleep(Duration::from_micros(200));
        }
        let mut text = format!("message {n} 今天谁值班, ");
        while text.len() < BYTES {
            text.push_str("and what else is to be said ");
        }
        text.truncate(BYTES);
        speaker.says_in(*room, &text);
    }
    speaker.says("that was all");
    screen.shows("that was all");
    let took = began.elapsed().as_secs_f64();
    std::thread::sleep(Duration::from_secs(2));
    let usage = Usage::of(screen.process());
    #[allow(clippy::cast_precision_loss)] // Far below where that begins.
    let [resident, peak] = [usage.resident, usage.peak].map(|bytes| bytes as f64 / 1e6);
    println!(
        "tchat after {HEARD} live messages in {} rooms, in {took:.0} s: {resident:.1} MB resident, {peak:.1} at most",
        rooms.len()
    );
    // Dropped messages must come back when the user scrolls up.
    for _ in 0..60 {
        screen.types("\x1b[5~");
        std::thread::sleep(Duration::from_millis(50));
    }
    screen.until("no gap", |text| !text.contains("not loaded"));
    let after = Usage::of(screen.process()).resident;
    #[allow(clippy::cast_precision_loss)] // Far below where that begins.
    let after = after as f64 / 1e6;
    println!("and {after:.1} MB after 60 pages up");
}

/// The first room is the one every user starts in.
fn room_name(n: usize) -> String {
    match n {
        0 => "general".into(),
        n => format!("room{n}"),
    }
}

/// What was measured of one program.
struct Light {
    name: &'static str,
    /// From its start to the frame with its newest line; ascending.
    first: Vec<Duration>,
    resident: Usage,
    /// From a key to its character on the screen; ascending.
    keys: Vec<Duration>,
    /// While nothing happened.
    bytes: usize,
    wakeups: u64,
    ticks: u64,
}

fn heads() {
    row([
        "",
        "first frame, ms",
        "resident",
        "key to screen, ms",
        &format!("{} s idle", IDLE.as_secs()),
    ]);
    row([
        "",
        "median (max)",
        "MB",
        "p50 · p99 · max",
        "bytes · wakeups · CPU %",
    ]);
}

fn row([name, first, resident, keys, idle]: [&str; 5]) {
    println!("{name:8} {first:>16} {resident:>9} {keys:>20} {idle:>26}");
}

fn print(it: &Light) {
    let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
    let at = |times: &[Duration], percent: usize| {
        let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        ms(times.get(place).copied().unwrap_or_default())
    };
    #[allow(clippy::cast_precision_loss)] // Far below where that begins.
    let (mb, cpu) = (
        it.resident.resident as f64 / 1e6,
        it.ticks as f64 / IDLE.as_secs_f64(),
    );
    row([
        it.name,
        &format!("{} ({})", at(&it.first, 50), at(&it.first, 100)),
        &format!("{mb:.1}"),
        &[50, 99, 100]
            .map(|percent| at(&it.keys, percent))
            .join(" · "),
        &format!("{} · {} · {cpu:.2}", it.bytes, it.wakeups),
    ]);
}

fn tchat(host: &Host, home: &Path) -> Light {
    let newest = format!("message {KEPT} ");
    let arguments = host.arguments("ann");
    let open = || Screen::open(Path::new(env!("CARGO_BIN_EXE_tchat")), &arguments, home);
    let first = starts(&open, |text| text.contains(&newest));
    let screen = open();
    screen.shows(&newest);
    screen.shows("PEOPLE");
    let speaker = host.speaker("zhang");
    measured("tchat", first, &screen, |text| speaker.says(text))
}

/// What is measured of a program that is in its room.
fn measured(
    name: &'static str,
    first: Vec<Duration>,
    screen: &Screen,
    says: impl Fn(&str) + Sync,
) -> Light {
    // What the beginning needed is given back before it is looked at.
    std::thread::sleep(Duration::from_secs(2));
    let resident = Usage::of(screen.process());
    let (bytes, wakeups, ticks) = idle(screen);
    let keys = keys(screen, says);
    Light {
        name,
        first,
        resident,
        keys,
        bytes,
        wakeups,
        ticks,
    }
}

fn weechat(irc: &Irc, home: &Path) -> Option<Light> {
    let program = installed("weechat-curses").or_else(|| installed("weechat"))?;
    let directory = home.join("weechat").display().to_string();
    let begin = format!(
        "/server add here 127.0.0.1/{} -notls;/set irc.server.here.nicks ann;/set irc.server.here.autojoin #general;/connect here",
        irc.port
    );
    let arguments = ["-d", &directory, "-r", &begin].map(str::to_owned);
    Some(irc_client("weechat", &program, &arguments, irc, home))
}

fn irssi(irc: &Irc, home: &Path) -> Option<Light> {
    let program = installed("irssi")?;
    let directory = home.join("irssi");
    std::fs::create_dir_all(&directory).expect("a directory");
    let arguments = [
        format!("--home={}", directory.display()),
        "-c".into(),
        "127.0.0.1".into(),
        "-p".into(),
        irc.port.to_string(),
        "-n".into(),
        "ann".into(),
    ];
    Some(irc_client("irssi", &program, &arguments, irc, home))
}

fn irc_client(
    name: &'static str,
    program: &Path,
    arguments: &[String],
    irc: &Irc,
    home: &Path,
) -> Light {
    let open = || Screen::open(program, arguments, home);
    // They keep nothing: what is waited for is the bar they always show.
    let first = starts(&open, |text| text.contains("[1") || text.contains("[2]"));
    irc.forgets();
    let screen = open();
    if name == "irssi" {
        screen.shows("welcome");
        screen.types("/join #general\r");
    }
    irc.is_joined();
    irc.says("are you there");
    screen.shows("are you there");
    measured(name, first, &screen, |text| irc.says(text))
}

fn starts(open: &impl Fn() -> Screen, is_shown: impl Fn(&str) -> bool) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..STARTS)
        .map(|_| {
            let screen = open();
            let at = screen.until("the first frame", &is_shown);
            let time = at - screen.began;
            // Gone before the next begins.
            drop(screen);
            std::thread::sleep(Duration::from_millis(50));
            time
        })
        .collect();
    // The first one fills the caches of the system.
    times.remove(0);
    times.sort_unstable();
    times
}

fn idle(screen: &Screen) -> (usize, u64, u64) {
    let (before, bytes) = (Usage::of(screen.process()), screen.bytes());
    std::thread::sleep(IDLE);
    let after = Usage::of(screen.process());
    (
        screen.bytes() - bytes,
        after.wakeups - before.wakeups,
        after.ticks - before.ticks,
    )
}

/// Types while somebody talks, one key after another at odd moments.
fn keys(screen: &Screen, says: impl Fn(&str) + Sync) -> Vec<Duration> {
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut due = Instant::now();
            let mut said = 0_u64;
            while !is_done.load(order) {
                due += Duration::from_secs(1) / EACH_SECOND;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                said += 1;
                says(&format!(
                    "talk {said} 大家好, and a few words more to fill the line"
                ));
            }
        });
        std::thread::sleep(Duration::from_millis(500));
        let mut times = Vec::new();
        let mut typed = String::new();
        for n in 0..KEYS {
            // A word at a time, so that the line is never full.
            if typed.len() >= 40 {
                screen.types("\x15");
                screen.until("an empty line", |text| !bottom(text).contains(&typed));
                typed.clear();
            }
            let key = char::from(b'a' + u8::try_from(n * 7 % 26).unwrap_or(0));
            typed.push(key);
            let pressed = Instant::now();
            screen.types(&key.to_string());
            let at = screen.until(&typed, |text| bottom(text).contains(&typed));
            times.push(at.saturating_duration_since(pressed));
            std::thread::sleep(Duration::from_millis(
                20 + u64::try_from(n * 13 % 23).unwrap_or(0),
            ));
        }
        is_done.store(true, order);
        times.sort_unstable();
        times
    })
}

/// The last rows, where one writes.
fn bottom(screen: &str) -> &str {
    let mut ends = screen.char_indices().rev().filter(|(_, c)| *c == '\n');
    ends.nth(2).map_or(screen, |(at, _)| &screen[at..])
}

fn installed(name: &str) -> Option<PathBuf> {
    let path = Path::new("/usr/bin").join(name);
    if !path.exists() {
        println!("{name} is not installed: apt-get install weechat-curses irssi");
    }
    path.exists().then_some(path)
}

/// A host of tchat with people who fill it.
struct Host {
    process: Child,
    port: u16,
    data: PathBuf,
    runtime: tokio::runtime::Runtime,
}

struct Speaker {
    client: Client,
    room: RoomId,
    instance: InstanceId,
    said: AtomicU64,
}

impl Speaker {
    fn says(&self, text: &str) {
        self.says_in(self.room, text);
    }

    fn says_in(&self, room: RoomId, text: &str) {
        let counter = self.said.fetch_add(1, Ordering::SeqCst) + 1;
        let id = ClientId {
            instance: self.instance,
            counter,
        };
        let post = Post::new(id, Recipient::Room(room), Body::Text(text.to_owned()));
        let command = Told::Post {
            post,
            instead_of: None,
        };
        // Whoever is faster than the link waits for it.
        while self.client.send(command.clone()).is_err() {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Host {
    /// `rooms` is the number of rooms to create; 0 means the default ones.
    fn start(home: &Path, rooms: usize) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let (data, config) = (home.join("data"), home.join("host.toml"));
        let rooms = (0..rooms).map(|n| format!("[[rooms]]\nname = \"{}\"\n", room_name(n)));
        let limits = "cache_mb = 400\n[server]\nburst = 0\nper_second = 0\n";
        let words = format!("{limits}{}", rooms.collect::<String>());
        std::fs::write(&config, words).expect("a file");
        let process = Command::new(env!("CARGO_BIN_EXE_tchat"))
            .args(["--serve", "--port", &port.to_string(), "--data"])
            .arg(&data)
            .arg("--config")
            .arg(&config)
            .arg("--log-dir")
            .arg(home.join("logs"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a host");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self {
            process,
            port,
            data,
            runtime,
        }
    }

    fn arguments(&self, name: &str) -> Vec<String> {
        let data = self.data.display().to_string();
        [
            "--server",
            &format!("localhost:{}", self.port),
            "--data",
            &data,
            "--name",
            name,
        ]
        .map(str::to_owned)
        .into()
    }

    fn client(&self, name: &str) -> (Client, tokio::sync::mpsc::Receiver<Event>, InstanceId) {
        let (profiles, key) = self.profiles();
        self.client_with(name, Some(profile::cache(&profiles, &key, name)))
    }

    fn profiles(&self) -> (PathBuf, String) {
        let address = format!("localhost:{}", self.port);
        let address: tchat::config::Address = address.parse().expect("an address");
        (self.data.join("profiles"), address.profile_key())
    }

    fn client_with(
        &self,
        name: &str,
        cache: Option<PathBuf>,
    ) -> (Client, tokio::sync::mpsc::Receiver<Event>, InstanceId) {
        let port = self.port;
        let connector: Connector = Arc::new(move |_| {
            Box::pin(async move {
                let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream) as Box<dyn Pipe>)
            })
        });
        let (profiles, key) = self.profiles();
        let mut bytes = [7; 16];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        let instance = InstanceId::new(bytes);
        let _entered = self.runtime.enter();
        let (client, events) = Client::start(ClientConfig {
            connector,
            secret: profile::secret(&profiles, &key, name).expect("a secret"),
            name: name.into(),
            instance,
            room: Some("general".into()),
            locale: "en".into(),
            cache,
            cache_bytes: 400 * 1024 * 1024,
        });
        (client, events, instance)
    }

    /// Joins rooms. Returns the client, a counter of its messages that came back, and the ids of the rooms in the given order.
    fn joins(&self, name: &str, rooms: &[String]) -> (Speaker, Arc<AtomicU64>, Vec<RoomId>) {
        let (client, mut events, instance) = self.client_with(name, None);
        for room in rooms {
            client.send(Told::Join(room.clone())).expect("it listens");
        }
        let mut ids = HashMap::new();
        let mut followed = HashSet::new();
        self.runtime.block_on(async {
            while !rooms
                .iter()
                .all(|it| ids.get(it).is_some_and(|id| followed.contains(id)))
            {
                match events.recv().await.expect("the link goes on") {
                    Event::Welcome { rooms, .. } => {
                        ids.extend(rooms.into_iter().map(|room| (room.name, room.id)));
                    }
                    Event::Room { room, .. } => drop(ids.insert(room.name, room.id)),
                    Event::Followed { room, .. } => drop(followed.insert(room)),
                    _ => {}
                }
            }
        });
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&taken);
        self.runtime.spawn(async move {
            while let Some(event) = events.recv().await {
                let is_mine = |id: Option<ClientId>| id.is_some_and(|id| id.instance == instance);
                let count = match event {
                    Event::Entries(entries) => {
                        entries.iter().filter(|it| is_mine(it.client_id)).count()
                    }
                    Event::Accepted { client_id, .. } => usize::from(is_mine(Some(client_id))),
                    _ => 0,
                };
                counted.fetch_add(count as u64, Ordering::SeqCst);
            }
        });
        let rooms: Vec<RoomId> = rooms.iter().filter_map(|it| ids.get(it).copied()).collect();
        let speaker = Speaker {
            client,
            room: rooms[0],
            instance,
            said: AtomicU64::new(0),
        };
        (speaker, taken, rooms)
    }

    /// Somebody who talks.
    fn speaker(&self, name: &str) -> Speaker {
        let (client, mut events, instance) = self.client(name);
        let room = self.runtime.block_on(async {
            loop {
                if let Some(Event::Followed { room, .. }) = events.recv().await {
                    return room;
                }
            }
        });
        self.runtime
            .spawn(async move { while events.recv().await.is_some() {} });
        Speaker {
            client,
            room,
            instance,
            said: AtomicU64::new(0),
        }
    }

    /// Has one person hear, and keep, everything that another says.
    fn fill(&self) {
        let (listener, mut events, _) = self.client("ann");
        let speaker = self.speaker("li");
        let (heard, all_heard) = std::sync::mpsc::channel();
        self.runtime.spawn(async move {
            let newest = format!("message {KEPT} ");
            while let Some(event) = events.recv().await {
                if let Event::Entries(entries) = event
                    && entries.iter().any(|it| it.body.text().starts_with(&newest))
                {
                    let _gone = heard.send(());
                }
            }
        });
        for n in 1..=KEPT {
            speaker.says(&format!(
                "message {n} 今天谁值班, and what else is to be said"
            ));
        }
        all_heard
            .recv_timeout(Duration::from_secs(120))
            .expect("all of it is heard");
        self.runtime.block_on(async {
            listener.quit().await;
            speaker.client.quit().await;
        });
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
