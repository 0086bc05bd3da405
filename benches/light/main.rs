//! Measures the client against weechat and irssi: time to the first frame, memory, key-to-screen latency while others post, and activity
//! when idle.
//!
//! `cargo bench --bench light`, on Linux. weechat and irssi come from Debian's packages (`apt-get install weechat-curses irssi`); without
//! them only tchat is measured. tchat starts with 100,000 messages in its local store; the others store none. The last measurement is
//! tchat's memory after a million live messages in one room and in a hundred (`cargo bench --bench light -- heard` runs only that).

#![allow(clippy::print_stdout)] // A benchmark prints its results.

mod host;
mod irc;
mod screen;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tchat::chat::{Body, ClientId, InstanceId, Recipient, RoomId};
use tchat::client::{
    Client, ClientConfig, Command as Told, Connector, Dialled, Event, OutgoingPost, profile,
};

use self::host::BenchServer;
use self::irc::Irc;
use self::screen::{Screen, Usage};

/// The number of stored messages, and the number of messages posted per second while keys are timed.
const CACHED_MESSAGES: u64 = 100_000;
const MESSAGES_PER_SECOND: u32 = 1000;
/// The number of timed starts, the number of timed keys, and the length of the idle period.
const STARTS: usize = 21;
const KEYS: usize = 400;
const IDLE: Duration = Duration::from_secs(10);
/// The number of live messages before the client's memory is measured, and the bytes of each.
const LIVE_MESSAGES: u64 = 1_000_000;
const BYTES: usize = 160;
/// The numbers of rooms that the messages are spread over. Each gets its own run.
const ROOMS: [usize; 2] = [1, 100];
/// The maximum number of messages that are sent and not yet received.
const IN_FLIGHT_LIMIT: u64 = 2000;

fn main() {
    // `cargo test --benches` only checks that it starts.
    if std::env::args().any(|it| it == "--test") || !cfg!(target_os = "linux") {
        return;
    }
    let home = tempfile::tempdir().expect("a directory");
    if std::env::args().any(|it| it == "heard") {
        for rooms in ROOMS {
            live_memory(home.path(), rooms);
        }
        return;
    }
    let host = BenchServer::start(home.path(), 0);
    let fill = Instant::now();
    host.fill();
    println!(
        "{CACHED_MESSAGES} messages posted and stored in {:.1} s",
        fill.elapsed().as_secs_f64()
    );
    let irc = Irc::start();
    print_header();
    print(&tchat(&host, home.path()));
    for other in [weechat, irssi] {
        if let Some(light) = other(&irc, home.path()) {
            print(&light);
        }
    }
    for rooms in ROOMS {
        live_memory(home.path(), rooms);
    }
}

/// Prints the client's memory after a million live messages, and the peak.
fn live_memory(home: &Path, rooms: usize) {
    let home = home.join(format!("heard-{rooms}"));
    std::fs::create_dir(&home).expect("a directory");
    let host = BenchServer::start(&home, rooms);
    let names: Vec<String> = (0..rooms).map(room_name).collect();
    // Makes the client a member of all rooms; its screen shows the first.
    drop(host.join("ann", &names));
    let (poster, taken, rooms) = host.join("zhang", &names);
    let screen = Screen::open(
        Path::new(env!("CARGO_BIN_EXE_tchat")),
        &host.arguments("ann"),
        &home,
    );
    screen.wait_for_text("PEOPLE");
    let began = Instant::now();
    for (n, room) in (1..=LIVE_MESSAGES).zip(rooms.iter().cycle()) {
        while n - taken.load(Ordering::SeqCst).min(n) > IN_FLIGHT_LIMIT {
            std::thread::sleep(Duration::from_micros(200));
        }
        let mut text = format!("message {n} 今天谁值班, ");
        while text.len() < BYTES {
            text.push_str("and what else is to be said ");
        }
        text.truncate(BYTES);
        poster.post_in(*room, &text);
    }
    poster.post("that was all");
    screen.wait_for_text("that was all");
    let took = began.elapsed().as_secs_f64();
    std::thread::sleep(Duration::from_secs(2));
    let usage = Usage::of(screen.process());
    #[allow(clippy::cast_precision_loss)] // The values are far too small to lose precision.
    let [resident, peak] = [usage.resident, usage.peak].map(|bytes| bytes as f64 / 1e6);
    println!(
        "tchat after {LIVE_MESSAGES} live messages in {} rooms, in {took:.0} s: {resident:.1} MB resident, {peak:.1} at most",
        rooms.len()
    );
    // Dropped messages must come back when the user scrolls up.
    for _ in 0..60 {
        screen.type_text("\x1b[5~");
        std::thread::sleep(Duration::from_millis(50));
    }
    screen.wait_until("no gap", |text| !text.contains("not loaded"));
    let after = Usage::of(screen.process()).resident;
    #[allow(clippy::cast_precision_loss)] // The values are far too small to lose precision.
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

/// The measurements of one program.
struct Measurements {
    name: &'static str,
    /// Times from the start to the first usable frame, ascending.
    first: Vec<Duration>,
    resident: Usage,
    /// Times from a key to its character on the screen, ascending.
    keys: Vec<Duration>,
    /// Counted during the idle period: bytes written, wakeups and CPU ticks.
    bytes: usize,
    wakeups: u64,
    ticks: u64,
}

fn print_header() {
    print_row([
        "",
        "first frame, ms",
        "resident",
        "key to screen, ms",
        &format!("{} s idle", IDLE.as_secs()),
    ]);
    print_row([
        "",
        "median (max)",
        "MB",
        "p50 · p99 · max",
        "bytes · wakeups · CPU %",
    ]);
}

fn print_row([name, first, resident, keys, idle]: [&str; 5]) {
    println!("{name:8} {first:>16} {resident:>9} {keys:>20} {idle:>26}");
}

fn print(it: &Measurements) {
    let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
    let at = |times: &[Duration], percent: usize| {
        let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        ms(times.get(place).copied().unwrap_or_default())
    };
    #[allow(clippy::cast_precision_loss)] // The values are far too small to lose precision.
    let (mb, cpu) = (
        it.resident.resident as f64 / 1e6,
        it.ticks as f64 / IDLE.as_secs_f64(),
    );
    print_row([
        it.name,
        &format!("{} ({})", at(&it.first, 50), at(&it.first, 100)),
        &format!("{mb:.1}"),
        &[50, 99, 100]
            .map(|percent| at(&it.keys, percent))
            .join(" · "),
        &format!("{} · {} · {cpu:.2}", it.bytes, it.wakeups),
    ]);
}

fn tchat(host: &BenchServer, home: &Path) -> Measurements {
    let newest = format!("message {CACHED_MESSAGES} ");
    let arguments = host.arguments("ann");
    let open = || Screen::open(Path::new(env!("CARGO_BIN_EXE_tchat")), &arguments, home);
    let first = starts(&open, |text| text.contains(&newest));
    let screen = open();
    screen.wait_for_text(&newest);
    screen.wait_for_text("PEOPLE");
    let poster = host.poster("zhang");
    measured("tchat", first, &screen, |text| poster.post(text))
}

/// Measures a program that has joined its room.
fn measured(
    name: &'static str,
    first: Vec<Duration>,
    screen: &Screen,
    says: impl Fn(&str) + Sync,
) -> Measurements {
    // Wait until the memory that startup needed is freed.
    std::thread::sleep(Duration::from_secs(2));
    let resident = Usage::of(screen.process());
    let (bytes, wakeups, ticks) = idle(screen);
    let keys = keys(screen, says);
    Measurements {
        name,
        first,
        resident,
        keys,
        bytes,
        wakeups,
        ticks,
    }
}

fn weechat(irc: &Irc, home: &Path) -> Option<Measurements> {
    let program = installed("weechat-curses").or_else(|| installed("weechat"))?;
    let directory = home.join("weechat").display().to_string();
    let begin = format!(
        "/server add here 127.0.0.1/{} -notls;/set irc.server.here.nicks ann;/set irc.server.here.autojoin #general;/connect here",
        irc.port
    );
    let arguments = ["-d", &directory, "-r", &begin].map(str::to_owned);
    Some(irc_client("weechat", &program, &arguments, irc, home))
}

fn irssi(irc: &Irc, home: &Path) -> Option<Measurements> {
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
) -> Measurements {
    let open = || Screen::open(program, arguments, home);
    // These clients store no messages, so wait for the status bar, which they always show.
    let first = starts(&open, |text| text.contains("[1") || text.contains("[2]"));
    irc.remove_members();
    let screen = open();
    if name == "irssi" {
        screen.wait_for_text("welcome");
        screen.type_text("/join #general\r");
    }
    irc.wait_for_member();
    irc.post("are you there");
    screen.wait_for_text("are you there");
    measured(name, first, &screen, |text| irc.post(text))
}

fn starts(open: &impl Fn() -> Screen, is_shown: impl Fn(&str) -> bool) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..STARTS)
        .map(|_| {
            let screen = open();
            let at = screen.wait_until("the first frame", &is_shown);
            let time = at - screen.started;
            // End it before the next one starts.
            drop(screen);
            std::thread::sleep(Duration::from_millis(50));
            time
        })
        .collect();
    // The first start fills the caches of the system, so it is not counted.
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

/// Types one key after another, at irregular intervals, while another user posts.
fn keys(screen: &Screen, says: impl Fn(&str) + Sync) -> Vec<Duration> {
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut due = Instant::now();
            let mut said = 0_u64;
            while !is_done.load(order) {
                due += Duration::from_secs(1) / MESSAGES_PER_SECOND;
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
            // Clear the line after 40 characters, so that it is never full.
            if typed.len() >= 40 {
                screen.type_text("\x15");
                screen.wait_until("an empty line", |text| !bottom(text).contains(&typed));
                typed.clear();
            }
            let key = char::from(b'a' + u8::try_from(n * 7 % 26).unwrap_or(0));
            typed.push(key);
            let pressed = Instant::now();
            screen.type_text(&key.to_string());
            let at = screen.wait_until(&typed, |text| bottom(text).contains(&typed));
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

/// Returns the last rows, which contain the input line.
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
