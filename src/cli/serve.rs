//! `tchat --serve`: runs a server without a screen.

mod card;
pub(super) mod explain;
mod listeners;
mod reload;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

use self::card::Newcomers;
use self::listeners::Listeners;
use self::reload::Reload;
use super::{machine, word_list};
use crate::chat::{DeviceKey, InviteTerms, Registration};
use crate::client::{profile, tls};
use crate::config::{Address, Config, Serve, host_and_port};
use crate::server::clock::WallClock;
use crate::server::clock::uptime::UptimeFile;
use crate::server::data_dir::{
    CertificateFiles, DataDir, Purpose, ServerKey, ServerNote, make_directory,
};
use crate::server::endpoint::shared_link::SharedLink;
use crate::server::hub::{FirstInvite, HubConfig, first_invite};
use crate::server::listen::{ClearText, ConnectionLimits, CurrentTls, Encryption};
use crate::server::log::{self, Bodies};
use crate::server::store::Store;
use crate::server::word_filter::WordFilter;
use crate::server::{self, ServerConfig, ServerError, Switch};

/// How long to wait at the end for tasks that still run.
const EXIT_WITHIN: Duration = Duration::from_secs(1);
/// The same limit if the server ended with an error, for example because the disk failed.
const FAIL_WITHIN: Duration = Duration::from_millis(200);
/// File descriptors reserved for files and the database.
const SPARE_DESCRIPTORS: u64 = 512;

pub fn run(config: Config) -> Result<()> {
    if config.serve.is_background {
        detach_from_terminal();
    }
    private_files();
    let directory = DataDir::open(&config.paths.data, Purpose::Serve)
        .map_err(|error| explain::data_directory(error, &config))?;
    let _log = start_log(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(serve(config, directory));
    // A hanging disk must not keep the process alive: everything that was acknowledged is already durable.
    runtime.shutdown_timeout(if ended.is_ok() {
        EXIT_WITHIN
    } else {
        FAIL_WITHIN
    });
    ended
}

fn start_log(config: &Config) -> Result<log::Guard> {
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
    make_directory(&config.paths.logs)
        .and_then(|()| {
            log::start(&config.paths.logs, bodies, terminal).map_err(std::io::Error::other)
        })
        .with_context(|| format!("cannot write the log to '{}'", config.paths.logs.display()))
}

async fn serve(config: Config, directory: DataDir) -> Result<()> {
    let store = directory.store();
    let store = Arc::new(store.map_err(|error| explain::data_directory(error, &config))?);
    let Config { serve, join, paths } = config;
    let stop = stop_signal().context("cannot wait for signals")?;
    let listeners = Listeners::open(&serve, machine::socket(&paths).as_deref()).await?;
    let join_address = card::join_address(&listeners.main);
    let files = certificate_files(&serve);
    let key = directory
        .key(files.as_ref())
        .map_err(|error| explain::key(error, &paths.data))?;
    let note = ServerNote {
        id: store.server_id().await?,
        address: join_address.clone(),
        pin: Some(key.pin()),
        has_own_key: files.is_none(),
    };
    directory.write_server(&note)?;
    let own = Address {
        host: "localhost".into(),
        port: serve.port,
    };
    let profile_key = directory.profile(&own.profile_key())?;
    let host = profile::credentials(&paths.data.join("profiles"), &profile_key, &join.name);
    if let Err(error) = &host {
        tracing::warn!(%error, "the user who runs the server cannot be recognised as its owner");
    }
    // The user who joins from this machine with this login owns the preset rooms.
    let host = host.ok();
    let host = host.map(|it| (it.device.public(), it.former.map(|secret| secret.hash())));
    let owner = directory.owner(host)?;
    let filter = WordFilter::default();
    let _watching = match serve.words.clone() {
        Some((path, mode)) => Some(word_list::watch(path, mode, filter.clone())?),
        None => None,
    };
    let tls = Arc::new(CurrentTls::new(key.config()?, key.pin()));
    let card_key = card::Key {
        pin: key.pin(),
        is_public: is_public(&serve, &key).await,
    };
    let link = card::link(&serve, &listeners.main, &join_address, card_key);
    let shared_link = SharedLink::new(link.clone());
    let _reloading = match files {
        Some(files) => {
            let reload = Reload {
                files,
                current: Arc::clone(&tls),
                link: shared_link.clone(),
                note,
                data: paths.data.clone(),
            };
            Some(reload.watch()?)
        }
        None => None,
    };
    let mut server_config = server_config(&serve, &listeners, tls, owner, filter, shared_link);
    server_config.hub.uptime = Some(UptimeFile::new(&directory.uptime()));
    if !serve.is_background {
        let newcomers = newcomers(server_config.hub.registration, &*store).await?;
        if matches!(newcomers, Newcomers::NeedInvite { .. }) {
            tracing::info!("new people need an invitation: run `tchat admin invite`");
        }
        let joining = (link.as_str(), newcomers);
        card::print(
            &serve,
            &listeners,
            &paths.data,
            &join_address,
            joining,
            card_key,
        );
    }
    for error in &listeners.failed {
        tracing::warn!(%error, "cannot listen for bridge clients");
    }
    for address in listeners.addresses() {
        tracing::info!(%address, data = %paths.data.display(), "started");
    }
    let ended = server::run(server_config, listeners.incoming(), store, stop).await;
    match &ended {
        Ok(()) => tracing::info!("stopped"),
        Err(error) => {
            tracing::error!(%error, "stopped");
            if matches!(error, ServerError::Store(_)) {
                directory.record_failure(&error.to_string());
            }
        }
    }
    drop(directory);
    Ok(ended?)
}

/// Returns how new people can join. Creates the first invitation, but only if the output is a terminal: the output of a
/// service is logged, and an invitation is secret.
async fn newcomers(registration: Registration, store: &dyn Store) -> Result<Newcomers> {
    match registration {
        Registration::Open => return Ok(Newcomers::Open),
        Registration::Closed => return Ok(Newcomers::Refused),
        Registration::Invite => {}
    }
    let invite = if std::io::stdout().is_terminal() {
        first_invite(store, InviteTerms::TEAM).await?
    } else {
        FirstInvite::Exists { uses_left: 0 }
    };
    Ok(match invite {
        FirstInvite::Made(invite) => Newcomers::Invited(invite),
        FirstInvite::Exists { uses_left } => Newcomers::NeedInvite { uses_left },
    })
}

/// Whether the first public name of a server has a certificate that other machines trust.
async fn is_public(serve: &Serve, key: &ServerKey) -> bool {
    let (Some(name), Some(_)) = (serve.public.first(), &serve.certificate) else {
        return false;
    };
    match host_and_port(name) {
        Ok((host, _)) => tls::is_public(key.chain(), host).await,
        Err(_) => false,
    }
}

fn certificate_files(serve: &Serve) -> Option<CertificateFiles> {
    let (certificate, key) = serve.certificate.clone()?;
    Some(CertificateFiles { certificate, key })
}

fn server_config(
    serve: &Serve,
    listeners: &Listeners,
    tls: Arc<CurrentTls>,
    owner: Option<DeviceKey>,
    filter: WordFilter,
    link: SharedLink,
) -> ServerConfig {
    let is_local = listeners.is_local();
    ServerConfig {
        hub: HubConfig {
            limits: serve.limits,
            quotas: serve.quotas.clone(),
            presets: serve.presets.clone(),
            operators: serve.operators.clone(),
            guests_from: serve.bridges.from.clone(),
            is_behind_proxy: is_behind_proxy(serve),
            proxy_pins: serve.proxy_pins.clone(),
            owner,
            registration: registration(serve, listeners),
            retention: serve.retention,
            filter,
            wall: WallClock::default(),
            uptime: None,
        },
        caps: ConnectionLimits {
            connections: connections(ConnectionLimits::from(&serve.quotas).connections),
            ..ConnectionLimits::from(&serve.quotas)
        },
        encryption: Encryption {
            tls: Some(tls),
            clear_text: if serve.is_insecure {
                ClearText::Everything
            } else {
                ClearText::Bridges
            },
        },
        idle_exit: serve.idle_exit,
        bridges: serve.bridges.served,
        reflection: internal_service(serve.reflection, is_local),
        metrics: internal_service(serve.metrics, is_local),
        hosts: hosts(serve),
        link,
    }
}

/// Returns who may create an account. This depends on how the server listens, never on where a client seems to be:
/// through a tunnel or a proxy, every client seems to be on this machine.
fn registration(serve: &Serve, listeners: &Listeners) -> Registration {
    // The background server of one user is for that user.
    let is_for_everyone = listeners.is_local() && !is_behind_proxy(serve) && !serve.is_background;
    let usual = if is_for_everyone {
        Registration::Open
    } else {
        Registration::Invite
    };
    serve.registration.unwrap_or(usual)
}

/// Whether the configuration indicates that clients may connect through a proxy or a tunnel.
fn is_behind_proxy(serve: &Serve) -> bool {
    !serve.public.is_empty() || !serve.proxy_pins.is_empty()
}

/// Returns whether an internal service (reflection, metrics) is on. By default it is on only if no other machine can
/// reach the server.
fn internal_service(decided: Option<bool>, is_local: bool) -> Switch {
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
        .chain(machine::name())
        .collect()
}

/// Returns a future that completes at a signal to stop. Signals are caught as soon as this is called, so call it before
/// clients can see the server. SIGHUP is not among these signals: a background server has no terminal that could
/// close, and a server with certificate files reloads them.
fn stop_signal() -> Result<impl Future<Output = ()> + Send> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let is_on_terminal = std::io::stdin().is_terminal();
        let terminal_gone = async move {
            while hangup.recv().await.is_some() {
                if is_on_terminal && !std::io::stdin().is_terminal() {
                    return;
                }
            }
        };
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => tracing::info!(signal = "SIGINT", "stopping"),
                _ = terminate.recv() => tracing::info!(signal = "SIGTERM", "stopping"),
                () = terminal_gone => {
                    tracing::info!(signal = "SIGHUP", "stopping: the terminal was closed");
                }
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

/// Detaches from the client's terminal, so that closing the terminal does not end the server.
fn detach_from_terminal() {
    #[cfg(unix)]
    // It fails only if the process already leads a process group, which is detached enough.
    let _leads_already = rustix::process::setsid();
}

/// Raises the limit of file descriptors as far as possible, and returns how many connections it allows, at most `most`.
fn connections(most: usize) -> usize {
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

/// Makes all new files of this process private to its user: the log shows who joined and left, and the database
/// contains the messages. An existing directory keeps its mode and may be readable by others, so it cannot protect
/// them.
pub(super) fn private_files() {
    #[cfg(unix)]
    {
        use rustix::fs::Mode;
        let _former = rustix::process::umask(Mode::RWXG | Mode::RWXO);
    }
}
