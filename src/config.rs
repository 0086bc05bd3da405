//! The configuration: defaults, overridden by the config file, by the environment and by flags, in that order.
//!
//! The defaults are defined here, and only this module reads environment variables.
#![doc = include_str!("config.md")]

mod address;
mod bridges;
mod caps;
mod certificate;
mod credential;
mod environment;
mod file;
mod invalid;
mod keys;
mod language;
mod limits;
mod link;
mod overrides;
mod read;
mod rooms;
mod save;
mod time;
mod values;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use directories::ProjectDirs;
use jiff::tz::TimeZone;

pub use self::address::{Address, AddressError, host_and_port};
pub use self::bridges::BridgeConfig;
use self::certificate::{certificate, expand_home};
pub use self::credential::{Credential, credential_text};
use self::environment::{editor, login_name, zone};
use self::file::ConfigFile;
use self::language::language;
pub use self::language::language_of;
pub use self::link::{LinkError, ServerLink, without_secret};
pub use self::overrides::Overrides;
pub use self::read::text as read_text;
pub use self::save::save;
pub use self::time::time;
use crate::chat::FilterMode;
use crate::chat::Retention;
use crate::chat::RoomPreset;
use crate::chat::{DeviceSecret, Invite, Pin, Registration};
use crate::chat::{Limits, Quotas, UserName};
use crate::tui::input::keymap::Keymap;
use crate::tui::settings::notify_command::NotifyCommand;
use crate::tui::settings::time_format::TimeFormat;
use crate::tui::settings::typing::TypingMode;
use crate::tui::settings::{Setting, Source, Sources};
use crate::tui::terminal::caps::Caps;
use crate::tui::theme;

pub const DEFAULT_PORT: u16 = 50051;
/// How much a client caches by default, in bytes.
pub const CACHE_BYTES: u64 = 100 * 1024 * 1024;
/// The name proposed to a user whose login name is missing or cannot be a user name.
const FALLBACK_NAME: &str = "guest";
/// A background server stops this long after its last client has left.
const BACKGROUND_IDLE: Duration = Duration::from_mins(5);

/// The whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    pub paths: Paths,
    pub join: Join,
    pub serve: Serve,
}

#[derive(Clone, Debug)]
pub struct Paths {
    /// The directory of profiles and of the server's data.
    pub data: PathBuf,
    pub logs: PathBuf,
    /// The directory for files that last until the user logs out (`XDG_RUNTIME_DIR`), if the system has one.
    pub runtime: Option<PathBuf>,
    /// The user's own themes.
    pub themes: PathBuf,
    /// The config file that was given explicitly, to pass it on to a background server.
    pub config: Option<PathBuf>,
    /// The path of the config file, which may not exist.
    pub config_file: PathBuf,
}

/// How to join.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each one is independent of the others.
pub struct Join {
    pub server: Address,
    /// More addresses of the server, and its pin, as a link gives them.
    pub others: Vec<Address>,
    pub pin: Option<Pin>,
    /// The invitation in its link.
    pub invite: Option<Invite>,
    /// The key to sign in with, instead of that of a profile.
    pub key: Option<DeviceSecret>,
    /// Connect without encryption.
    pub is_insecure: bool,
    /// No server was named, so one is started here if none is running.
    pub may_start_server: bool,
    /// Whether to join the server on this machine instead of the one joined last.
    pub is_here: bool,
    pub name: String,
    /// The name to propose if `name` is not available. Set only if the user chose no name, so that `name` is the login name.
    pub proposed_name: Option<String>,
    /// The room to open; the last one if absent.
    pub room: Option<String>,
    pub theme: String,
    /// The file and line that set the theme, as the context of an error about it.
    pub theme_line: Option<String>,
    pub locale: String,
    /// The maximum size of the message cache of one server and name, in bytes.
    pub cache_bytes: u64,
    pub zone: TimeZone,
    pub caps: Caps,
    pub typing: TypingMode,
    /// The command that edits a text.
    pub editor: String,
    pub keymap: Keymap,
    pub shows_panes: bool,
    pub shows_title: bool,
    pub notify_command: NotifyCommand,
    pub time_format: TimeFormat,
    /// Whether to print line by line instead of drawing a screen.
    pub is_plain: bool,
    pub sources: Sources,
}

/// How to run a server.
#[derive(Clone, Debug)]
pub struct Serve {
    pub host: String,
    pub port: u16,
    pub log_messages: bool,
    pub idle_exit: Option<Duration>,
    pub is_background: bool,
    pub presets: Vec<RoomPreset>,
    pub operators: Vec<UserName>,
    pub retention: Retention,
    pub limits: Limits,
    pub quotas: Quotas,
    pub bridges: BridgeConfig,
    /// Whether gRPC reflection is on; by default only if nothing but this machine can connect.
    pub reflection: Option<bool>,
    /// Whether metrics are served, with the same default.
    pub metrics: Option<bool>,
    /// A certificate chain and its key in PEM files, instead of the server's own.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Clients of other machines may sign in without encryption.
    pub is_insecure: bool,
    /// Who may make an account; `None`: everyone if only this machine can connect, otherwise people with an invitation.
    pub registration: Option<Registration>,
    /// Additional host names of this server.
    pub public: Vec<String>,
    /// The pins of proxies that end TLS in front of it.
    pub proxy_pins: Vec<Pin>,
    /// A file of forbidden words, one per line, and what to do with messages that contain one.
    pub words: Option<(PathBuf, FilterMode)>,
}

impl Join {
    /// Replaces the server to join with the one of a link.
    pub fn set_link(&mut self, link: ServerLink) {
        self.server = link.server;
        self.others = link.others;
        self.pin = link.pin;
        self.invite = link.invite;
        self.may_start_server = false;
    }

    /// Returns the server to join as a link.
    pub fn link(&self) -> ServerLink {
        ServerLink {
            server: self.server.clone(),
            others: self.others.clone(),
            pin: self.pin,
            invite: self.invite,
        }
    }
}

pub use self::caps::is_dumb;

/// Returns what the terminal can do, without the config file.
pub fn terminal_caps() -> Caps {
    caps::caps(&ConfigFile::default())
}

/// The result of looking for the config file.
struct ConfigSource {
    path: PathBuf,
    text: String,
    /// Why it could not be read.
    read_error: Option<anyhow::Error>,
}

impl ConfigSource {
    fn find(named: Option<&Path>, project: &ProjectDirs) -> Self {
        let path = match named {
            Some(path) => path.to_owned(),
            None => project.config_dir().join("config.toml"),
        };
        let (text, read_error) = match read::text(&path) {
            Ok(text) => (text, None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
                (String::new(), None)
            }
            Err(error) => {
                let path = path.display();
                let error = anyhow!("cannot read the config file '{path}': {error}");
                (String::new(), Some(error))
            }
        };
        Self {
            path,
            text,
            read_error,
        }
    }
}

impl Config {
    /// Combines the flags (which include the environment), the config file and the defaults; flags override the file.
    ///
    /// # Errors
    /// The file cannot be read, or a line of it or a flag cannot be used. The error names the file, line and key, or the flag.
    pub fn load(set: &Overrides) -> Result<Self> {
        let (config, wrong) = Self::load_usable(set)?;
        match wrong.into_iter().next() {
            None => Ok(config),
            Some(first) => Err(first),
        }
    }

    /// Loads everything that can be used, with defaults for the rest, and returns the errors in the rest.
    ///
    /// # Errors
    /// There is no home directory.
    pub fn load_usable(set: &Overrides) -> Result<(Self, Vec<anyhow::Error>)> {
        let project =
            ProjectDirs::from("", "", "tchat").context("cannot find your home directory")?;
        let ConfigSource {
            path,
            text,
            read_error: unread,
        } = ConfigSource::find(set.config.as_deref(), &project);
        let (file, mut lines) = file::parse_usable(&text);
        let keymap = file.keys.keymap(&text).unwrap_or_else(|wrong| {
            lines.push(wrong);
            Keymap::default()
        });
        let presets = rooms::presets(&file.rooms).or_else(|wrong| {
            lines.push(wrong);
            rooms::presets(&[])
        });
        let lines = lines
            .into_iter()
            .map(|wrong| wrong.into_error(&path, &text));
        let mut wrong: Vec<anyhow::Error> = unread.into_iter().chain(lines).collect();
        // Without the flags that may be wrong, this succeeds.
        let plain = Overrides {
            server: None,
            credential: None,
            host: None,
            lang: None,
            idle_exit: None,
            ..set.clone()
        };
        let join = join(set, &file).or_else(|error| {
            wrong.push(error);
            join(&plain, &file)
        })?;
        let serve = serve(set, &file).or_else(|error| {
            wrong.push(error);
            serve(&plain, &file)
        })?;
        let theme_line = file.theme.as_ref().filter(|_| set.theme.is_none());
        let theme_line = theme_line.map(|theme| {
            let line = invalid::line_of(&text, theme.span().start);
            let path = path.display();
            format!("cannot use the config file '{path}', line {line}")
        });
        let config = Self {
            join: Join {
                theme_line,
                keymap,
                ..join
            },
            serve: Serve {
                presets: presets.unwrap_or_default(),
                ..serve
            },
            paths: paths(set, &file, &project, path),
        };
        Ok((config, wrong))
    }
}

fn paths(set: &Overrides, file: &ConfigFile, project: &ProjectDirs, config_file: PathBuf) -> Paths {
    let data = set.data.clone();
    let data = data.or_else(|| file.data.as_deref().map(expand_home));
    let logs = set.log_dir.clone();
    let logs = logs.or_else(|| file.server.log_dir.as_deref().map(expand_home));
    let state = project
        .state_dir()
        .unwrap_or_else(|| project.data_local_dir());
    Paths {
        data: data.unwrap_or_else(|| project.data_dir().to_owned()),
        runtime: project.runtime_dir().map(Path::to_owned),
        logs: logs.unwrap_or_else(|| state.to_owned()),
        themes: config_file
            .parent()
            .unwrap_or_else(|| Path::new("."))
            .join("themes"),
        config: set.config.clone(),
        config_file,
    }
}

fn join(set: &Overrides, file: &ConfigFile) -> Result<Join> {
    let credential = match &set.credential {
        Some(path) => Some(credential::credential(path)?),
        None => None,
    };
    let given = set.server.as_deref().map(|text| (text, "--server"));
    let given = given.or_else(|| set.host.as_deref().map(|text| (text, "--host")));
    let given: Option<ServerLink> =
        match given {
            Some((text, flag)) => Some(text.parse::<ServerLink>().map_err(|error| {
                anyhow!("cannot use {flag} '{}': {error}", without_secret(text))
            })?),
            None => file.server_link.clone(),
        };
    let (given, name, key) = match credential {
        Some(it) => (Some(it.server), Some(it.name), Some(it.key)),
        None => (given, set.name.clone().or_else(|| file.name.clone()), None),
    };
    let may_host = given.is_none();
    let ServerLink {
        mut server,
        others,
        pin,
        invite,
    } = given.unwrap_or_else(|| {
        ServerLink::from(Address {
            host: "localhost".into(),
            port: DEFAULT_PORT,
        })
    });
    if let Some(port) = set.port {
        server.port = port;
    }
    let theme = set
        .theme
        .clone()
        .or_else(|| file.theme.as_ref().map(|theme| theme.get_ref().clone()))
        .unwrap_or_else(|| theme::AUTO.into());
    Ok(Join {
        zone: zone(),
        server,
        others,
        pin,
        invite,
        key,
        is_insecure: set.insecure,
        may_start_server: may_host,
        is_here: set.here || set.port.is_some(),
        proposed_name: name.is_none().then(|| FALLBACK_NAME.to_owned()),
        name: name.unwrap_or_else(login_name),
        room: room(set.room.as_ref().or(file.room.as_ref())),
        theme,
        theme_line: None,
        locale: language(set.lang.as_deref(), file)?,
        cache_bytes: file
            .cache_mb
            .map_or(CACHE_BYTES, |mb| u64::from(mb) * 1024 * 1024),
        caps: caps::caps(file),
        shows_panes: file.panes.unwrap_or(true),
        shows_title: file.title.unwrap_or(true),
        notify_command: file.notify_command.clone().unwrap_or_default(),
        time_format: file.time_format.clone().unwrap_or_default(),
        is_plain: set.plain.or(file.plain).unwrap_or_else(caps::is_dumb),
        sources: sources(set, file),
        editor: editor(file.editor.as_ref()),
        keymap: Keymap::default(),
        typing: file.typing.unwrap_or_default(),
    })
}

fn serve(set: &Overrides, file: &ConfigFile) -> Result<Serve> {
    let kept = rooms::retention(file.server.keep, file.server.keep_for);
    let idle_exit = match &set.idle_exit {
        Some(text) => Some(time(text).context("cannot use --idle-exit")?),
        None => file
            .server
            .idle_exit
            .or_else(|| set.is_background.then_some(BACKGROUND_IDLE)),
    };
    let (limits, quotas) = limits::limits(&file.limits, file.server.burst, file.server.per_second);
    let given = set.host.as_deref().map(|text| (text, "--host"));
    let given = given.or_else(|| {
        let host = file.server.host.as_deref();
        host.map(|text| (text, "`host` in [server] of the config file"))
    });
    let (host, port) = match given {
        Some((text, what)) => {
            host_and_port(text).with_context(|| format!("cannot use {what} '{text}'"))?
        }
        None => ("127.0.0.1", None),
    };
    let messages = set.log_messages.or(file.server.log_messages);
    let operators = file.server.operators.iter();
    let words = file.server.words.as_deref();
    Ok(Serve {
        bridges: bridges::bridge_config(set.bridges, &file.bridges, host),
        certificate: certificate(&file.server)?,
        is_insecure: set.insecure,
        registration: if set.open {
            Some(Registration::Open)
        } else {
            file.server.registration
        },
        public: file.server.public.clone(),
        proxy_pins: file.server.proxy_pins.clone(),
        reflection: file.server.reflection,
        metrics: file.server.metrics,
        words: words.map(|path| (expand_home(path), file.server.words_are)),
        host: host.to_owned(),
        port: set
            .port
            .or(port)
            .or(file.server.port)
            .unwrap_or(DEFAULT_PORT),
        log_messages: messages.unwrap_or(false),
        idle_exit,
        is_background: set.is_background,
        presets: Vec::new(),
        operators: operators.map(|person| person.0.clone()).collect(),
        retention: kept.unwrap_or_default(),
        limits,
        quotas,
    })
}

/// Returns the name of a room that was written with or without `#`; `None` if it is empty.
fn room(named: Option<&String>) -> Option<String> {
    let name = named?.trim_start_matches('#');
    (!name.is_empty()).then(|| name.to_owned())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns the source of each setting that does not have its default.
fn sources(set: &Overrides, file: &ConfigFile) -> Sources {
    let flags = [
        (Setting::Theme, set.theme.is_some()),
        (Setting::Lang, set.lang.is_some()),
    ];
    let files = [
        (Setting::Theme, file.theme.is_some()),
        (Setting::Lang, file.lang.is_some()),
        (Setting::Keys, file.keys.has_preset()),
        (Setting::Typing, file.typing.is_some()),
        (Setting::Notifications, file.notifications.is_some()),
        (Setting::Links, file.links.is_some()),
        (Setting::Panes, file.panes.is_some()),
        (Setting::Title, file.title.is_some()),
        (Setting::NotifyCommand, file.notify_command.is_some()),
        (Setting::TimeFormat, file.time_format.is_some()),
    ];
    let of = |all: &[(Setting, bool)], source| -> Vec<(Setting, Source)> {
        let set = all.iter().filter(|(_, is_set)| *is_set);
        set.map(|(setting, _)| (*setting, source)).collect()
    };
    // Flags override the file, so they come last.
    let all = of(&files, Source::File).into_iter();
    all.chain(of(&flags, Source::Flag)).collect()
}
