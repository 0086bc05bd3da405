//! `tchat`: opens the screen, and starts a background server if none is running.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use super::host::BackgroundServer;
use super::target::{self, Target, credentials};
use crate::chat::InstanceId;
use crate::client::{Client, ClientConfig, Connector, known_servers, profile};
use crate::config::{Config, ServerLink, without_secret};
use crate::text;
use crate::tui::run::{ClientConnection, Connect, RunError, Setup, run as run_screen, run_plain};
use crate::tui::strings;
use crate::tui::terminal::{self, Editor, Input, Questions, Screen, Typist};
use crate::tui::theme::AUTO;
use anyhow::{Result, bail};

pub fn run(config: Config) -> Result<()> {
    require_terminal(&config)?;
    if config.join.is_insecure && !config.join.server.is_loopback() {
        eprint_warning();
    }
    with_screen(async move {
        target::find_moved(&config).await;
        let setup = setup(&config);
        let theme_line = config.join.theme_line.clone();
        let shown = show(setup, connect(config)).await;
        shown.map_err(|error| {
            let is_theme = matches!(error.downcast_ref(), Some(RunError::Theme(_)));
            match theme_line {
                Some(line) if is_theme => error.context(line),
                _ => error,
            }
        })
    })
}

/// Runs a future that shows a screen or prints line by line.
pub(super) fn with_screen(screen: impl Future<Output = Result<()>>) -> Result<()> {
    // One thread is enough for the screen and one connection; more would only use memory.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(screen);
    // Reading the terminal cannot be interrupted; the process ends without waiting for it.
    runtime.shutdown_background();
    ended
}

/// Fails if a screen is needed and there is no terminal.
pub(super) fn require_terminal(config: &Config) -> Result<()> {
    let has_screen = io::stdout().is_terminal() && io::stdin().is_terminal();
    if !has_screen && !config.join.is_plain {
        bail!(
            "cannot open the screen: this is not a terminal\n\
             run tchat in a terminal, print line by line with `tchat --plain`, or run a server with `tchat --serve`"
        );
    }
    Ok(())
}

#[allow(clippy::print_stderr)] // Printed before the screen opens.
fn eprint_warning() {
    eprintln!("tchat: with --insecure, your messages can be read in transit");
}

/// Returns the settings that the screen starts with.
pub(super) fn setup(config: &Config) -> Setup {
    let is_plain = config.join.is_plain;
    Setup {
        caps: if is_plain {
            config.join.caps.plain(io::stdout().is_terminal())
        } else {
            config.join.caps
        },
        is_plain,
        echo: io::stdin().is_terminal(),
        proposed_name: config.join.proposed_name.clone(),
        tour: None,
        theme: config.join.theme.clone(),
        themes: Some(config.paths.themes.clone()),
        zone: config.join.zone.clone(),
        display_address: |address| Some(address.parse::<ServerLink>().ok()?.server.short_form()),
        copy: terminal::copy,
        open: terminal::open,
        notify: terminal::notify,
        run_notifier: terminal::run_notifier,
        set_title: terminal::set_title,
        edit: terminal::edit,
        suspend: terminal::suspend,
        editor: Editor {
            command: config.join.editor.clone(),
            directory: config.paths.data.clone(),
        },
        keymap: config.join.keymap.clone(),
        shows_panes: config.join.shows_panes,
        shows_title: config.join.shows_title,
        notify_command: config.join.notify_command.clone(),
        time_format: config.join.time_format.clone(),
        sources: config.join.sources.clone(),
        config: config.paths.config_file.clone(),
        save: crate::config::save,
        typing: config.join.typing,
        strings: strings::of(&config.join.locale),
    }
}

/// Runs the screen, or prints line by line, until the user quits.
pub(super) async fn show(setup: Setup, connect: Connect) -> Result<()> {
    if setup.is_plain {
        let typist = if setup.echo {
            Typist::Person
        } else {
            Typist::Pipe
        };
        let (mut out, input) = (io::stdout(), terminal::lines(typist));
        return Ok(run_plain(&mut out, input, setup, connect, stop_signal()).await?);
    }
    let mut screen = Screen::enter()?;
    let mut input = Input::new()?;
    let questions = Questions {
        ground: setup.theme == AUTO,
        ambiguous: setup.caps.ambiguous.is_none(),
    };
    let answers = terminal::ask(&mut input, questions).await;
    let mut setup = setup;
    setup.caps.background = answers.ground.unwrap_or_default();
    setup.caps.ambiguous = setup.caps.ambiguous.or(answers.ambiguous);
    text::set_ambiguous(setup.caps.ambiguous.unwrap_or_default());
    let result = run_screen(
        &mut screen.terminal,
        &mut input,
        setup,
        connect,
        stop_signal(),
    )
    .await;
    input.drain().await;
    drop(screen);
    Ok(result?)
}

/// Returns the function that opens connections. Each server and identity has its own profile.
fn connect(config: Config) -> Connect {
    let mut last: Option<(ServerLink, bool)> = None;
    Box::new(move |asked| {
        let (link, may_host) = match (asked, &last) {
            (Some(text), _) => {
                let link: ServerLink = text.parse().map_err(|error| {
                    format!("cannot connect to '{}': {error}", without_secret(text))
                })?;
                (link, false)
            }
            (None, Some(last)) => last.clone(),
            (None, None) => (config.join.link(), config.join.may_start_server),
        };
        let (mut target, server) = (Target::new(&config, link.clone()), link.server.clone());
        let key = target.choose_profile().map_err(|error| error.to_string())?;
        let name = config.join.name.clone();
        let profiles = config.paths.data.join("profiles");
        let credentials = credentials(&target, &profiles, (&key, &name), link.invite)
            .map_err(|error| error.to_string())?;
        let room = config
            .join
            .room
            .clone()
            .or_else(|| profile::last_room(&profiles, &key, &name));
        // Each connection has its own outbox: while one is closing, the next may already be connected to the same server.
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| format!("cannot get random bytes: {error}"))?;
        let instance = InstanceId::new(random);
        let host = may_host.then(|| Arc::new(BackgroundServer::new(&config, server.port)));
        let ours = host.clone();
        let client_config = ClientConfig {
            connector: connector(target.clone(), host),
            credentials,
            name: config.join.name.clone(),
            instance,
            room: room.clone(),
            locale: config.join.locale.clone(),
            cache: Some(profile::cache(&profiles, &key, &name)),
            cache_bytes: config.join.cache_bytes,
        };
        let (client, events) = Client::start(client_config);
        last = Some((link.clone(), may_host));
        let is_ours = Box::new(move |id| ours.as_ref().is_some_and(|host| host.has_server(id)));
        let named = {
            let (profiles, key, name) = (profiles.clone(), key.clone(), name.clone());
            let (data, link) = (config.paths.data.clone(), link.clone());
            let joined = target.clone();
            let is_program = target.has_credential();
            Box::new(move |now: &str| {
                if is_program {
                    return;
                }
                profile::record_name(&profiles, &key, &name, now);
                if link.pin.is_some() || joined.is_certified() {
                    known_servers::remember_last(&data, &link.to_string());
                }
            })
        };
        Ok(ClientConnection {
            client,
            events,
            instance,
            server: server.short_form(),
            room,
            is_ours,
            save_name: named,
            trust: Box::new(move |pin| {
                let trusted = target.trust(&target.link.server, Some(pin));
                trusted.map_err(|error| error.to_string())
            }),
            remember: Box::new(move |room| profile::remember_room(&profiles, &key, &name, room)),
        })
    })
}

pub(super) fn connector(target: Target, host: Option<Arc<BackgroundServer>>) -> Connector {
    Arc::new(move |before| {
        let (target, host) = (target.clone(), host.clone());
        Box::pin(async move {
            match (target.dial().await, host) {
                // Only our own server is restarted. A new, empty server in place of another user's would be misleading,
                // and a server that was stopped on purpose must stay stopped.
                (Err(error), Some(host))
                    if error.kind() == io::ErrorKind::ConnectionRefused
                        && before.is_none_or(|id| host.has_server(id) && !host.is_stopped()) =>
                {
                    host.start(|| target.dial()).await
                }
                (dialled, _) => dialled,
            }
        })
    })
}

/// Waits for a signal that ends the screen.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            (SignalKind::terminate(), false),
            (SignalKind::hangup(), false),
            // While another program has the terminal, these keys are meant for that program.
            (SignalKind::interrupt(), true),
            (SignalKind::quit(), true),
        ];
        let waiting = kinds.into_iter().filter_map(|(kind, is_typed)| {
            let mut signal = signal(kind).ok()?;
            Some(Box::pin(async move {
                loop {
                    signal.recv().await;
                    if !(is_typed && terminal::is_paused()) {
                        return;
                    }
                }
            }))
        });
        futures::future::select_all(waiting).await;
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
