//! A server over in-memory pipes. It uses no sockets, so tests can pause time.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tchat::chat::Retention;
use tchat::chat::RoomPreset;
use tchat::chat::{Limits, RoomName, Seq, ServerId, UserName};
use tchat::client::{Connector, Dialled};
use tchat::server::clock::WallClock;
use tchat::server::hub::HubConfig;
use tchat::server::listen::{ConnectionLimits, Encryption, Peer};
use tchat::server::store::memory::MemoryStore;
use tchat::server::store::{PageLimit, Span, Store};
use tchat::server::{self, ServerConfig, ServerError};
use tokio::io::DuplexStream;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use super::person::Person;

/// The size of a pipe's buffer, in bytes.
const PIPE: usize = 64 * 1024;

type Incoming = mpsc::Sender<io::Result<(DuplexStream, Peer)>>;

pub struct Server {
    pub store: Arc<dyn Store>,
    connections: Arc<Mutex<Incoming>>,
    stop: CancellationToken,
    task: Option<JoinHandle<Result<(), ServerError>>>,
    config: ServerConfig,
    /// Its own runtime, so that the whole server can be ended at once.
    runtime: Option<Runtime>,
    /// Opens the same data again after a crash, if the data survives.
    reopen: Option<Box<dyn Fn() -> Arc<dyn Store> + Send>>,
}

pub fn config() -> ServerConfig {
    let preset = |name: &str, capacity| RoomPreset {
        name: RoomName::new(name).unwrap(),
        topic: format!("all about {name}"),
        capacity,
        retention: None,
        is_bridged: true,
    };
    ServerConfig {
        hub: HubConfig {
            limits: Limits {
                burst: 0,
                ..Limits::default()
            },
            quotas: tchat::chat::Quotas::without_rates(),
            presets: vec![
                preset("general", 0),
                preset("tech", 20),
                preset("random", 2),
            ],
            operators: ["boss", "olli"]
                .map(|name| UserName::new(name).unwrap())
                .into(),
            owner: None,
            guests_from: tchat::chat::Networks::default(),
            is_behind_proxy: false,
            proxy_pins: Vec::new(),
            registration: tchat::chat::Registration::Open,
            retention: Retention::default(),
            filter: tchat::server::word_filter::WordFilter::default(),
            wall: WallClock::default(),
            uptime: None,
        },
        caps: ConnectionLimits::default(),
        encryption: Encryption::default(),
        idle_exit: None,
        bridges: tchat::chat::Bridges::all(),
        metrics: server::Switch::On,
        hosts: vec!["chat.example.org".into()],
        link: tchat::server::endpoint::shared_link::SharedLink::new(
            "tchat://chat.example.org/".into(),
        ),
        reflection: server::Switch::Off,
    }
}

/// An address of this machine. Limits count 127.0.0.2, 127.0.0.3 and so on as different ones.
pub fn loopback(n: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, n], 40_000))
}

pub fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new(ServerId::new([9; 16])))
}

impl Server {
    pub fn start() -> Self {
        Self::with(config(), memory())
    }

    pub fn with(config: ServerConfig, store: Arc<dyn Store>) -> Self {
        Self::on(None, config, store)
    }

    /// A server that can crash; not for paused time. `open` opens its data at first and after each crash.
    pub fn crashing(
        config: ServerConfig,
        open: impl Fn() -> Arc<dyn Store> + Send + 'static,
    ) -> Self {
        let store = open();
        let mut server = Self::on(Some(runtime()), config, store);
        server.reopen = Some(Box::new(open));
        server
    }

    fn on(runtime: Option<Runtime>, config: ServerConfig, store: Arc<dyn Store>) -> Self {
        let (door, incoming) = mpsc::channel(16);
        let mut server = Self {
            store,
            connections: Arc::new(Mutex::new(door)),
            stop: CancellationToken::new(),
            task: None,
            config,
            runtime,
            reopen: None,
        };
        server.run(incoming);
        server
    }

    fn run(&mut self, incoming: mpsc::Receiver<io::Result<(DuplexStream, Peer)>>) {
        let stop = self.stop.clone();
        let (config, store) = (self.config.clone(), Arc::clone(&self.store));
        let run = async move {
            server::run(
                config,
                ReceiverStream::new(incoming),
                store,
                stop.cancelled(),
            )
            .await
        };
        self.task = Some(match &self.runtime {
            Some(runtime) => runtime.spawn(run),
            None => tokio::spawn(run),
        });
    }

    /// Opens a new pipe to the server, as a client does.
    pub async fn dial(&self) -> DuplexStream {
        dial(&self.connections, Peer::Memory).await.unwrap()
    }

    /// Opens a new pipe that the server takes for a connection from another machine.
    pub async fn dial_from(&self, address: SocketAddr) -> DuplexStream {
        dial(&self.connections, Peer::Tcp(address)).await.unwrap()
    }

    /// Opens a new pipe that the server takes for a connection of this kind.
    pub async fn dial_through(&self, peer: Peer) -> DuplexStream {
        dial(&self.connections, peer).await.unwrap()
    }

    pub fn connector(&self) -> Connector {
        self.connector_from(Peer::Memory)
    }

    /// Opens pipes that the server takes for connections through memory or the local socket.
    pub fn connector_from(&self, peer: Peer) -> Connector {
        let door = Arc::clone(&self.connections);
        Arc::new(move |_| {
            let door = Arc::clone(&door);
            Box::pin(async move {
                let pipe = dial(&door, peer).await?;
                Ok(match peer {
                    Peer::Socket => Dialled::socket(pipe),
                    Peer::Tcp(address) if address.ip().is_loopback() => Dialled::clear_text(pipe),
                    _ => Dialled::local(pipe),
                })
            })
        })
    }

    /// A person who is in `general`.
    pub async fn joins(&self, name: &str) -> Person {
        let mut person = Person::start(self.connector(), name);
        person.is_in("general").await;
        person
    }

    /// The messages of a public room, from the store.
    pub async fn log(&self, name: &str) -> Vec<String> {
        let rooms = self.store.named_rooms().await.unwrap();
        let room = rooms.iter().find(|room| room.name == name).unwrap().id;
        let all = PageLimit {
            entries: usize::MAX,
            bytes: usize::MAX,
        };
        let entries = self
            .store
            .page(room, Span::After(Seq::ZERO), all)
            .await
            .unwrap();
        entries
            .iter()
            .filter(|entry| entry.body.is_message())
            .map(|entry| entry.body.text().to_owned())
            .collect()
    }

    /// Drains the server and waits for its end; returns its result.
    pub async fn stops(&mut self) -> Result<(), ServerError> {
        self.stop.cancel();
        self.task.take().unwrap().await.unwrap()
    }

    /// Ends the server as a crash would: without goodbyes and without writing anything back.
    pub async fn crashes(&mut self) {
        let runtime = self
            .runtime
            .replace(runtime())
            .expect("the server was made with `Server::crashing`");
        let (door, _) = mpsc::channel(1);
        *self.connections.lock().unwrap() = door;
        // Nothing of the old server may run when the new one starts, as with a killed process.
        let ended = std::thread::spawn(move || runtime.shutdown_timeout(Duration::from_secs(20)));
        tokio::task::spawn_blocking(move || ended.join().unwrap())
            .await
            .unwrap();
        self.task = None;
        self.store.close().await.unwrap();
        self.store = self
            .reopen
            .as_ref()
            .expect("`Server::crashing` sets `reopen`")();
    }

    /// Starts the server again on the same store.
    pub fn restarts(&mut self) {
        let (door, incoming) = mpsc::channel(16);
        *self.connections.lock().unwrap() = door;
        self.stop = CancellationToken::new();
        self.run(incoming);
    }

    /// Waits for the server to end by itself.
    pub async fn ends(&mut self, within: Duration) -> Result<(), ServerError> {
        tokio::time::timeout(within, self.task.take().unwrap())
            .await
            .expect("the server ends")
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A runtime must not be dropped where blocking is not allowed.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

async fn dial(door: &Mutex<Incoming>, peer: Peer) -> io::Result<DuplexStream> {
    let (ours, theirs) = tokio::io::duplex(PIPE);
    let door = door.lock().unwrap().clone();
    let refused = |_| io::Error::from(io::ErrorKind::ConnectionRefused);
    door.send(Ok((theirs, peer))).await.map_err(refused)?;
    Ok(ours)
}
