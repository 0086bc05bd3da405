//! Measures fan-out: one room, N members, 10 senders round robin, 64 to 256 bytes a message, everything durable before it is delivered.
//!
//! `cargo bench --bench fanout` runs the server in its own process (this binary again, with `serve`), because the CPU time of that process
//! is measured. It prints deliveries per second and the server's CPU seconds per million deliveries, kernel included. *Saturated*: at most
//! 64 messages in flight. *Paced*: due times at a fixed rate, latency counted from when a message was due. Each result is printed beside
//! that of a baseline in the same run: a plain TCP fan-out in its own process, which stores nothing and encodes nothing and so shows the
//! practical limit. `cargo bench --bench fanout -- flood` measures only what floods by strangers cost the others.

#![allow(clippy::print_stdout)] // The results are the output.

mod cost;
mod flood;
mod medium;
mod member;
mod peer;

use self::medium::{Medium, Place};
use self::member::{Counts, First, Member, Readers, join};

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use tchat::chat::Retention;
use tchat::chat::RoomPreset;
use tchat::chat::{Body, ClientId, Limit, Limits, Quotas, Recipient, RoomId, RoomName, ServerId};
use tchat::server::clock::WallClock;
use tchat::server::data_dir::{DataDir, Purpose};
use tchat::server::hub::HubConfig;
use tchat::server::listen::{ConnectionLimits, CurrentTls, Encryption, Peer, tcp};
use tchat::server::store::sqlite::SqliteStore;
use tchat::server::{self, ServerConfig};
use tchat::wire::{Request, RequestFrame, request_to};
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::either::Either;

const SENDERS: usize = 10;
const IN_FLIGHT: usize = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    match arguments.get(1).map(String::as_str) {
        Some(kind @ ("serve" | "guard")) => {
            let quotas = match kind {
                "guard" => Quotas::default(),
                _ => Quotas::without_rates(),
            };
            let port = arguments[3].parse().expect("a port");
            runtime.block_on(serve(&arguments[2], port, quotas));
        }
        Some("peer") => runtime.block_on(peer::serve(arguments[2].parse().expect("a port"))),
        Some("flood") => runtime.block_on(flood::compare()),
        _ => {
            println!(
                "{:<34}{:>12}{:>10}{:>12}{:>12}",
                "", "M del./s", "s/M", "p50 ms", "p99 ms"
            );
            for members in [100, 1000] {
                let ours = runtime.block_on(saturated(members));
                let bare = runtime.block_on(peer::saturated(members));
                report(&format!("saturated, N={members}"), &ours);
                report("  bare TCP, nothing stored", &bare);
                report_ratio(&ours, &bare);
            }
            for (members, rate) in [(10, 1000), (100, 1000), (1000, 100)] {
                report(
                    &format!("paced {rate} msg/s, N={members}"),
                    &runtime.block_on(paced(members, rate, Readers::AllRead)),
                );
            }
            compare_media(&runtime);
            runtime.block_on(flood::compare());
            // They alternate, so that other load on the machine affects both equally.
            for _ in 0..3 {
                for readers in [Readers::AllRead, Readers::OneStalls] {
                    let figures = runtime.block_on(paced(100, 1000, readers));
                    report(&format!("  one of 100: {readers:?}"), &figures);
                }
            }
        }
    }
}

/// Prints what encryption costs, and what the socket saves.
fn compare_media(runtime: &tokio::runtime::Runtime) {
    let [clear_text, others @ ..] =
        Medium::ALL.map(|medium| (medium, runtime.block_on(saturated_over(100, medium))));
    report("100 members over clear text", &clear_text.1);
    for (medium, figures) in others {
        report(&format!("  {medium:?}"), &figures);
        report_ratio(&figures, &clear_text.1);
    }
    println!(
        "{:<34}{:>12}{:>10}{:>12}{:>12}",
        "sign-ins", "new/s", "known/s", "CPU us", "KiB each"
    );
    for medium in Medium::ALL {
        let cost = runtime.block_on(cost::measure(medium));
        println!(
            "{:<34}{:>12.0}{:>10.0}{:>12}{:>12.1}",
            format!("  {medium:?}"),
            cost.new_per_second,
            cost.known_per_second,
            cost.cpu.as_micros(),
            cost.memory
        );
    }
}

fn report_ratio(figures: &Figures, base: &Figures) {
    println!(
        "  ratio: {:.2} of its deliveries, {:.2} of its CPU",
        figures.rate() / base.rate(),
        figures.cpu() / base.cpu()
    );
}

pub struct Figures {
    deliveries: u64,
    over: Duration,
    cpu: Duration,
    latencies: Vec<Duration>,
}

#[allow(clippy::cast_precision_loss)] // The results are only read by people.
impl Figures {
    /// Returns the deliveries per second, in millions.
    fn rate(&self) -> f64 {
        self.deliveries as f64 / self.over.as_secs_f64() / 1e6
    }

    /// Returns the server's CPU seconds per million deliveries.
    fn cpu(&self) -> f64 {
        self.cpu.as_secs_f64() / (self.deliveries as f64 / 1e6)
    }

    fn percentile(&self, share: f64) -> f64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // An index.
        let place = ((self.latencies.len() as f64 - 1.0).max(0.0) * share) as usize;
        self.latencies
            .get(place)
            .map_or(f64::NAN, |wait| wait.as_secs_f64() * 1e3)
    }
}

fn report(name: &str, figures: &Figures) {
    let (p50, p99) = (figures.percentile(0.5), figures.percentile(0.99));
    println!(
        "{name:<34}{:>12.2}{:>10.2}{p50:>12.2}{p99:>12.2}",
        figures.rate(),
        figures.cpu()
    );
}

async fn serve(directory: &str, port: u16, quotas: Quotas) {
    let directory = std::path::Path::new(directory);
    let path = directory.join("tchat.db");
    let store = Arc::new(SqliteStore::open(&path, ServerId::new([1; 16])).expect("a database"));
    let general = RoomPreset {
        name: RoomName::new("general").expect("a name"),
        topic: String::new(),
        capacity: 0,
        retention: None,
        is_bridged: true,
    };
    let hub = HubConfig {
        limits: Limits {
            burst: quotas.get(Limit::PostBurst).unwrap_or(0),
            ..Limits::default()
        },
        quotas: quotas.clone(),
        presets: vec![general],
        operators: Vec::new(),
        guests_from: tchat::chat::Networks::default(),
        is_behind_proxy: false,
        proxy_pins: Vec::new(),
        owner: None,
        registration: tchat::chat::Registration::Open,
        retention: Retention::default(),
        filter: tchat::server::word_filter::WordFilter::default(),
        wall: WallClock::default(),
        uptime: None,
    };
    let config = ServerConfig {
        hub,
        encryption: encryption(directory),
        caps: if quotas == Quotas::default() {
            ConnectionLimits::default()
        } else {
            ConnectionLimits {
                strangers: 2000,
                strangers_per_address: 2000,
                strangers_reserved: 0,
                ..ConnectionLimits::default()
            }
        },
        idle_exit: None,
        bridges: tchat::chat::Bridges::default(),
        metrics: server::Switch::Off,
        hosts: Vec::new(),
        link: tchat::server::endpoint::shared_link::SharedLink::new(
            "tchat://chat.example.org/".into(),
        ),
        reflection: server::Switch::Off,
    };
    let socket = UnixListener::bind(medium::socket(directory)).expect("a socket");
    let socket = futures::stream::unfold(socket, async |socket| {
        let accepted = socket.accept().await;
        let accepted = accepted.map(|(stream, _)| (Either::Right(stream), Peer::Socket));
        Some((accepted, socket))
    });
    let listeners = tcp::bind("127.0.0.1", port).await.expect("a port");
    let tcp = tcp::incoming(listeners).map_ok(|(stream, peer)| (Either::Left(stream), peer));
    let incoming = futures::stream::select(tcp, socket.boxed());
    let ended = server::run(config, incoming, store, std::future::pending()).await;
    ended.expect("the server runs");
}

/// Returns TLS with a new key, and writes its pin for the members.
fn encryption(directory: &std::path::Path) -> Encryption {
    let data = DataDir::open(directory, Purpose::Serve).expect("a directory");
    let key = data.key(None).expect("a key");
    std::fs::write(medium::pin(directory), key.pin().to_string()).expect("a file");
    let config = key.config().expect("TLS is supported");
    Encryption {
        tls: Some(Arc::new(CurrentTls::new(config, key.pin()))),
        ..Encryption::default()
    }
}

/// A server in its own process, which is killed on drop.
pub struct Server {
    child: Child,
    pub port: u16,
    directory: tempfile::TempDir,
}

impl Server {
    pub async fn start(kind: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|it| it.local_addr())
            .expect("a free port")
            .port();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(kind);
        if kind != "peer" {
            command.arg(directory.path());
        }
        let child = command
            .arg(port.to_string())
            .stdout(Stdio::null())
            .spawn()
            .expect("a process");
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self {
            child,
            port,
            directory,
        }
    }

    pub fn place(&self) -> Place {
        Place {
            port: self.port,
            directory: self.directory.path().to_owned(),
        }
    }

    /// Returns the memory of the process, in KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|it| it.parse().ok()).unwrap_or(0)
    }

    /// Returns the CPU time of the process so far, user and kernel.
    pub fn cpu(&self) -> Duration {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let ticks: u64 = after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|it| it.parse::<u64>().ok())
            .sum();
        Duration::from_millis(ticks * 10)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Returns a message of 64 to 256 bytes that begins with its due time in microseconds.
pub fn text(due: Duration, n: u64) -> String {
    let length = 64 + usize::try_from(n * 67 % 193).unwrap_or(0);
    let mut text = format!("{} ", due.as_micros());
    text.extend(std::iter::repeat_n('x', length.saturating_sub(text.len())));
    text
}

struct Bench {
    server: Server,
    members: Vec<Member>,
    /// The number of members that read.
    reading: usize,
    room: RoomId,
    counts: Arc<Counts>,
    permits: Arc<Semaphore>,
    waits: mpsc::Receiver<Duration>,
    started: Instant,
}

/// Starts a server, with its default limits (`guard`) or without those for rates (`serve`), and signs members in.
async fn set_up(kind: &str, members: usize, medium: Medium, readers: Readers) -> Bench {
    let server = Server::start(kind).await;
    let counts = Arc::new(Counts::default());
    let permits = Arc::new(Semaphore::new(IN_FLIGHT));
    let started = Instant::now();
    let (sender, waits) = mpsc::channel(1_000_000);
    let first = First {
        permits: Arc::clone(&permits),
        started,
        waits: sender,
    };
    let place = server.place();
    let way = (&place, medium);
    let (one, room) = join(way, 0, &counts, Some(first), Readers::AllRead).await;
    let joining = futures::stream::iter(1..members).map(|n| {
        let counts = Arc::clone(&counts);
        let readers = if n + 1 == members {
            readers
        } else {
            Readers::AllRead
        };
        async move { join(way, n, &counts, None, readers).await.0 }
    });
    let mut all = vec![one];
    all.extend(joining.buffer_unordered(32).collect::<Vec<_>>().await);
    while counts.ready.load(Ordering::Relaxed) < members {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    Bench {
        server,
        members: all,
        reading: members - usize::from(readers == Readers::OneStalls),
        room,
        counts,
        permits,
        waits,
        started,
    }
}

impl Bench {
    async fn send(&self, n: u64, due: Duration) {
        let sender = &self.members[usize::try_from(n).unwrap_or(0) % SENDERS];
        let client_id = ClientId {
            instance: sender.instance,
            counter: n + 1,
        };
        let body = Body::Text(text(due, n));
        let what = Request::Post {
            client_id,
            to: Recipient::Room(self.room),
            body,
        };
        sender
            .frames
            .send(request_to(&RequestFrame { request: 0, what }))
            .await
            .expect("the stream is open");
    }

    /// Sends messages at a fixed rate, from the message with number `from` on. Waits until the first member has received all of them, or none
    /// for five seconds.
    async fn chat(&mut self, from: u64, messages: u64, rate: u64) -> Figures {
        let (began, cpu) = (Instant::now(), self.server.cpu());
        let offset = self.started.elapsed();
        for n in 0..messages {
            let due = Duration::from_micros(n * 1_000_000 / rate);
            tokio::time::sleep_until((began + due).into()).await;
            self.send(from + n, offset + due).await;
        }
        let mut latencies = Vec::new();
        for _ in 0..messages {
            // A member that is flooded skips messages, which then have no latency.
            match tokio::time::timeout(Duration::from_secs(5), self.waits.recv()).await {
                Ok(Some(wait)) => latencies.push(wait),
                _ => break,
            }
        }
        latencies.sort_unstable();
        Figures {
            deliveries: messages * self.reading as u64,
            over: began.elapsed(),
            cpu: self.server.cpu().saturating_sub(cpu),
            latencies,
        }
    }

    async fn finish(mut self, messages: u64, began: Instant, cpu: Duration) -> Figures {
        let all = messages * self.reading as u64;
        while self.counts.delivered.load(Ordering::Relaxed) < all {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let (over, cpu) = (began.elapsed(), self.server.cpu().saturating_sub(cpu));
        let mut latencies = Vec::new();
        while let Ok(wait) = self.waits.try_recv() {
            latencies.push(wait);
        }
        latencies.sort_unstable();
        Figures {
            deliveries: all,
            over,
            cpu,
            latencies,
        }
    }
}

async fn saturated(members: usize) -> Figures {
    saturated_over(members, Medium::ClearText).await
}

async fn saturated_over(members: usize, medium: Medium) -> Figures {
    let bench = set_up("serve", members, medium, Readers::AllRead).await;
    let (began, cpu) = (Instant::now(), bench.server.cpu());
    let run = Duration::from_secs(5);
    let mut n = 0;
    while began.elapsed() < run {
        bench.permits.acquire().await.expect("open").forget();
        bench.send(n, bench.started.elapsed()).await;
        n += 1;
    }
    bench.finish(n, began, cpu).await
}

async fn paced(members: usize, rate: u64, readers: Readers) -> Figures {
    let bench = set_up("serve", members, Medium::ClearText, readers).await;
    let (began, cpu) = (Instant::now(), bench.server.cpu());
    let offset = bench.started.elapsed();
    let messages = rate * 5;
    for n in 0..messages {
        let due = Duration::from_micros(n * 1_000_000 / rate);
        tokio::time::sleep_until((began + due).into()).await;
        bench.send(n, offset + due).await;
    }
    bench.finish(messages, began, cpu).await
}
