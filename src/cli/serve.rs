//! `tchat --serve`: runs a server without a screen.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

use super::word_list;
use crate::chat::SecretHash;
use crate::client::profile;
use crate::config::{Address, Config, Serve};
use crate::server::clock::WallClock;
use crate::server::data_dir::{DataDir, DataError, Purpose, make_directory};
use crate::server::hub::HubConfig;
use crate::server::listen::{Caps, tcp};
use crate::server::log::{self, Bodies};
use crate::server::store::Store;
use crate::server::store::sqlite::OpenError;
use crate::server::word_filter::Filter;
use crate::server::{self, ServerConfig, ServerError, Switch};

/// How long to wait at the end for tasks that still run.
const EXIT_WITHIN: Duration = Duration::from_secs(1);
/// The same after the disk has failed.
const FAIL_WITHIN: Duration = Duration::from_millis(200);
/// File descriptors reserved for files and the database.
const SPARE_DESCRIPTORS: u64 = 512;

pub fn run(config: Config) -> Result<()> {
    if config.serve.is_background {
        leave_session();
    }
    private_files();
    let directory = DataDir::open(&config.paths.data, Purpose::Serve)
        .map_err(|error| explained(error, &config))?;
    let bodies = if config.serve.log_messages {
        Bodies::Logged
    } else {
        Bodies::Left
    };
    let terminal = if config.serve.is_background {
        log::Terminal::Silent
    } else {
        log::Terminal::Shown
    };
    let _log = make_directory(&config.paths.logs)
        .and_then(|()| {
            log::start(&config.paths.logs, bodies, terminal).map_err(std::io::Error::other)
        })
        .with_context(|| format!("cannot write the log in '{}'", config.paths.logs.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(serve(config, directory));
    // A hanging disk must not keep the process alive: everything that was answered is durable already.
    runtime.shutdown_timeout(if ended.is_ok() {
        EXIT_WITHIN
    } else {
        FAIL_WITHIN
    });
    ended
}

async fn serve(config: Config, directory: DataDir) -> Result<()> {
    let store = Arc::new(
        directory
            .store()
            .map_err(|error| explained(error, &config))?,
    );
    let Config { serve, join, paths } = config;
    let stop = stopped().context("cannot wait for signals")?;
    let mut listeners = tcp::bind(&serve.host, serve.port).await.map_err(|error| {
        let next = format!(
            "another tchat may be running here; run `tchat` to join it, or choose another port with `--port {}`",
            serve.port + 1
        );
        match error {
            tcp::BindError::Bind { ref cause, .. }
                if cause.kind() == std::io::ErrorKind::AddrInUse =>
            {
                anyhow::anyhow!("{error}\n{next}")
            }
            other => other.into(),
        }
    })?;
    let addresses: Vec<SocketAddr> = listeners
        .iter()
        .filter_map(|listener| listener.local_addr().ok())
        .collect();
    let bridges = listen_for_bridges(&serve).await;
    let join_address = join_address(&addresses);
    directory.note_server(store.server_id().await?, &join_address)?;
    let profile_key = Address {
        host: "localhost".into(),
        port: serve.port,
    }
    .profile_key();
    // The user who joins from this machine with this login is the host and owns the preset rooms.
    let host: Option<SecretHash> =
        profile::secret(&paths.data.join("profiles"), &profile_key, &join.name)
            .ok()
            .map(|secret| secret.hash());
    let owner = directory.owner(host)?;
    let listened = [&addresses[..], &bridges.addresses].concat();
    let filter = Filter::default();
    let _watching = match serve.words.clone() {
        Some((path, mode)) => Some(word_list::watch(path, mode, filter.clone())?),
        None => None,
    };
    let server_config = ServerConfig {
        hub: HubConfig {
            limits: serve.limits,
            presets: serve.presets.clone(),
            operators: serve.operators.clone(),
            owner,
            retention: serve.retention,
            filter,
            wall: WallClock::default(),
        },
        caps: Caps {
            connections: connections(),
            ..Caps::default()
        },
        idle_exit: serve.idle_exit,
        bridges: serve.bridges.served,
        reflection: inward(serve.reflection, &listened),
        metrics: inward(serve.metrics, &listened),
        hosts: hosts(&serve),
    };
    if !serve.is_background {
        print_card(&serve, &addresses, &bridges, &paths.data, &join_address);
    }
    for error in &bridges.failed {
        tracing::warn!(%error, "cannot listen for bridge clients");
    }
    listeners.extend(bridges.listeners);
    for address in addresses.iter().chain(&bridges.addresses) {
        tracing::info!(%address, data = %paths.data.display(), "started");
    }
    let ended = server::run(server_config, tcp::incoming(listeners), store, stop).await;
    match &ended {
        Ok(()) => tracing::info!("stopped"),
        Err(error) => {
            tracing::error!(%error, "stopped");
            if matches!(error, ServerError::Store(_)) {
                directory.note_failure(&error.to_string());
            }
        }
    }
    drop(directory);
    Ok(ended?)
}

/// The additional addresses for old clients, besides the main one.
#[derive(Default)]
struct BridgeDoors {
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
    /// The addresses that could not be used. The server runs without them: the main address serves all bridges.
    failed: Vec<tcp::BindError>,
}

async fn listen_for_bridges(serve: &Serve) -> BridgeDoors {
    let mut doors = BridgeDoors::default();
    let is_main = |it: &&Address| it.host == serve.host && it.port == serve.port;
    for address in &serve.bridges.addresses {
        if is_main(&address) {
            continue;
        }
        match tcp::bind(&address.host, address.port).await {
            Ok(listeners) => doors.listeners.extend(listeners),
            Err(error) => doors.failed.push(error),
        }
    }
    let addresses = doors.listeners.iter();
    doors.addresses = addresses.filter_map(|it| it.local_addr().ok()).collect();
    doors
}

/// A server that only this machine can reach shows internals by default.
fn inward(decided: Option<bool>, addresses: &[SocketAddr]) -> Switch {
    let is_local = addresses.iter().all(|address| address.ip().is_loopback());
    if decided.unwrap_or(is_local) {
        Switch::On
    } else {
        Switch::Off
    }
}

/// Returns the host names of this server.
fn hosts(serve: &Serve) -> Vec<String> {
    let listened = serve.bridges.addresses.iter().map(|it| it.host.clone());
    let named = serve.public.iter().cloned().chain(listened);
    named
        .chain([serve.host.clone()])
        .chain(own_name())
        .collect()
}

/// Returns a future that completes at a signal to stop. Signals are caught from the call on, so it comes before anybody can see the server.
/// SIGHUP is left out, because a background server has no terminal to lose.
fn stopped() -> Result<impl Future<Output = ()> + Send> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => tracing::info!(signal = "SIGINT", "stopping"),
                _ = terminate.recv() => tracing::info!(signal = "SIGTERM", "stopping"),
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Detaches from the terminal of the screen, so that closing it does not end the server.
fn leave_session() {
    #[cfg(unix)]
    // It fails only for a process that leads its group already, which is independent enough.
    let _leads_already = rustix::process::setsid();
}

/// Raises the limit of file descriptors as far as possible, and returns how many connections it allows.
fn connections() -> usize {
    let most = Caps::default().connections;
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        // If it fails, the only harm is that fewer connections are possible.
        let _unraised = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                maximum: limit.maximum,
            },
        );
        if let Some(now) = getrlimit(Resource::Nofile).current {
            let spare = now.saturating_sub(SPARE_DESCRIPTORS).max(16);
            return usize::try_from(spare).unwrap_or(most).min(most);
        }
    }
    most
}

/// Prints how to join, in a form to paste to others.
#[allow(clippy::print_stdout)] // The card is the output of the command.
fn print_card(
    serve: &Serve,
    addresses: &[SocketAddr],
    bridges: &BridgeDoors,
    data: &std::path::Path,
    join_address: &str,
) {
    let mut all = addresses.iter().chain(&bridges.addresses);
    let is_local = all.all(|address| address.ip().is_loopback());
    println!("tchat server is running");
    for address in addresses {
        println!("  address  {address}");
    }
    let rooms: Vec<String> = serve
        .presets
        .iter()
        .map(|room| format!("#{}", room.name))
        .collect();
    println!("  rooms    {}", rooms.join(" "));
    println!("  data     {}", data.display());
    println!("  join     tchat --server {join_address}");
    print_bridges(bridges);
    if is_local {
        println!("  others   cannot reach this address; use --host :: to let them join");
    } else {
        println!("  warning  there is no encryption yet: messages can be read in transit");
    }
}

/// Prints the addresses for the clients of other systems.
#[allow(clippy::print_stdout)] // A part of the card.
fn print_bridges(doors: &BridgeDoors) {
    for address in &doors.addresses {
        println!("  bridges  {address}");
    }
    for error in &doors.failed {
        println!("  warning  {error}; old clients are served on the other addresses");
    }
}

/// Returns what others pass to `--server`: this machine's name if the server listens on every address.
fn join_address(addresses: &[SocketAddr]) -> String {
    let Some(address) = addresses.first() else {
        return "localhost".into();
    };
    let is_everywhere = matches!(address.ip(), ip if ip.is_unspecified());
    let host = if is_everywhere {
        own_name().unwrap_or_else(|| "THIS-HOST".into())
    } else {
        match address.ip() {
            IpAddr::V6(ip) if !ip.is_loopback() => ip.to_string(),
            ip if ip.is_loopback() => "localhost".into(),
            ip => ip.to_string(),
        }
    };
    let target = Address {
        host,
        port: address.port(),
    };
    target.short()
}

#[cfg(unix)]
fn own_name() -> Option<String> {
    rustix::system::uname()
        .nodename()
        .to_str()
        .ok()
        .map(str::to_owned)
        .filter(|name| !name.is_empty())
}

#[cfg(not(unix))]
fn own_name() -> Option<String> {
    None
}

pub(super) fn explained(error: DataError, config: &Config) -> anyhow::Error {
    match error {
        DataError::Held { ref address, .. } => {
            let server = address
                .as_ref()
                .map(|it| format!(" --server {it}"))
                .unwrap_or_default();
            let data = config.paths.data.display();
            anyhow::anyhow!(
                "{error}\njoin it with `tchat{server}`, stop it with `tchat stop --data '{data}'`, \
                 or use another directory with `--data DIR`"
            )
        }
        DataError::Network { .. } => {
            anyhow::anyhow!("{error}\nuse a directory on a local disk with `--data DIR`")
        }
        DataError::Lost { ref path } => {
            let (data, id) = (path.display(), path.join("tchat.id"));
            anyhow::anyhow!(
                "{error}\nrestore a backup with `tchat restore FILE --data '{data}'`, or delete '{}' to start with an empty history",
                id.display()
            )
        }
        DataError::Damaged { .. } | DataError::Database(OpenError::Damaged { .. }) => {
            let data = config.paths.data.display();
            anyhow::anyhow!("{error}\nrestore a backup with `tchat restore FILE --data '{data}'`")
        }
        other => other.into(),
    }
}

/// Makes all new files of this process private to its user: the log shows who joined and left, the database has the messages. A directory
/// that existed before keeps its mode and may be open to others, so the files cannot rely on it.
pub(super) fn private_files() {
    #[cfg(unix)]
    {
        use rustix::fs::Mode;
        let _former = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    }
}
