//! One validated configuration from defaults, the config file, the environment and flags, in that order.
//!
//! The defaults live here, and nothing else reads the environment.
#![doc = include_str!("config.md")]

mod address;
mod bridges;
mod caps;
mod file;
mod keys;
mod save;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use directories::ProjectDirs;
use jiff::tz::TimeZone;

pub use self::address::Address;
use self::address::host_and_port;
pub use self::bridges::Bridging;
use self::file::File;
pub use self::save::save;
use crate::chat::{Limits, RoomName, UserName};
use crate::cli::Args;
use crate::client::cache;
use crate::server::filter::Mode;
use crate::server::hub::Preset;
use crate::server::room::retention::Retention;
use crate::tui::caps::Caps;
use crate::tui::keymap::Keymap;
use crate::tui::settings::{Setting, Source, Sources};
use crate::tui::state::TypingMode;
use crate::tui::theme;

pub const DEFAULT_PORT: u16 = 50051;
/// A host that was started in the background ends this long after the last client.
const BACKGROUND_IDLE: Duration = Duration::from_mins(5);

/// Everything the program was told.
#[derive(Clone, Debug)]
pub struct Config {
    pub paths: Paths,
    pub join: Join,
    pub serve: Serve,
}

#[derive(Clone, Debug)]
pub struct Paths {
    /// Profiles, and what a host keeps.
    pub data: PathBuf,
    pub logs: PathBuf,
    /// The user's own themes.
    pub themes: PathBuf,
    /// The config file that was named, for passing it on.
    pub config: Option<PathBuf>,
    /// The config file, whether it is there or not.
    pub config_file: PathBuf,
}

/// How to join.
#[derive(Clone, Debug)]
pub struct Join {
    pub server: Address,
    /// Nobody named a server: if none is there, one is started here.
    pub may_host: bool,
    pub name: String,
    /// The room to go to; the last one if absent.
    pub room: Option<String>,
    pub theme: String,
    pub locale: String,
    /// Bytes of messages kept here.
    pub cache_bytes: u64,
    pub zone: TimeZone,
    pub caps: Caps,
    pub typing: TypingMode,
    /// The command that edits a text.
    pub editor: String,
    pub keymap: Keymap,
    pub shows_panes: bool,
    /// Told line by line instead of on a screen.
    pub is_plain: bool,
    pub sources: Sources,
}

/// How to host.
#[derive(Clone, Debug)]
pub struct Serve {
    pub host: String,
    pub port: u16,
    pub log_messages: bool,
    pub idle_exit: Option<Duration>,
    pub is_background: bool,
    pub presets: Vec<Preset>,
    pub operators: Vec<UserName>,
    pub retention: Retention,
    pub limits: Limits,
    pub bridges: Bridging,
    /// Whether services are listed over gRPC; for those on this machine only, if nothing is said.
    pub reflection: Option<bool>,
    /// Whether what is counted is shown; the same.
    pub metrics: Option<bool>,
    /// Names others know this server by.
    pub public: Vec<String>,
    /// A file of words nobody says here, one in each line, and what is done about them.
    pub words: Option<(PathBuf, Mode)>,
}

pub use self::caps::is_dumb;

/// What the terminal can do, whatever a config file says.
///
/// # Errors
/// Never: only what a config file says can be wrong.
pub fn terminal_caps() -> Result<Caps> {
    caps::caps(&File::default())
}

impl Config {
    /// Puts flags (which hold the environment already) over the file over the defaults.
    ///
    /// # Errors
    /// Names the file with line and key, or the flag, that cannot be used.
    pub fn load(args: &Args) -> Result<Self> {
        let project =
            ProjectDirs::from("", "", "tchat").context("cannot find your home directory")?;
        let named = args.config.clone();
        let path = named
            .clone()
            .unwrap_or_else(|| project.config_dir().join("config.toml"));
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => {
                String::new()
            }
            Err(error) => bail!("cannot read the config file '{}': {error}", path.display()),
        };
        let file = file::parse(&path, &text)?;
        let keymap = file.keys.keymap(&text);
        let keymap = keymap.map_err(|wrong| file::wrong(&path, &text, wrong.at, &wrong.why))?;
        let state = project
            .state_dir()
            .unwrap_or_else(|| project.data_local_dir());
        let paths = Paths {
            data: args
                .data
                .clone()
                .or_else(|| file.data.as_deref().map(at_home))
                .unwrap_or_else(|| project.data_dir().to_owned()),
            logs: args
                .log_dir
                .clone()
                .or_else(|| file.server.log_dir.as_deref().map(at_home))
                .unwrap_or_else(|| state.to_owned()),
            themes: path
                .parent()
                .unwrap_or_else(|| Path::new("."))
                .join("themes"),
            config: named,
            config_file: path,
        };
        Ok(Self {
            join: Join {
                keymap,
                ..join(args, &file)?
            },
            serve: serve(args, &file)?,
            paths,
        })
    }
}

fn join(args: &Args, file: &File) -> Result<Join> {
    let given = args.server.as_deref().map(|text| (text, "--server"));
    let given = given.or_else(|| args.host.as_deref().map(|text| (text, "--host")));
    let given = given.or_else(|| {
        file.server_address
            .as_deref()
            .map(|text| (text, "server in the config file"))
    });
    let mut server = match given {
        Some((text, flag)) => text
            .parse()
            .with_context(|| format!("cannot use {flag} '{text}'"))?,
        None => Address {
            host: "localhost".into(),
            port: DEFAULT_PORT,
        },
    };
    if let Some(port) = args.port {
        server.port = port;
    }
    let theme = args
        .theme
        .clone()
        .or_else(|| file.theme.clone())
        .unwrap_or_else(|| theme::AUTO.into());
    Ok(Join {
        zone: zone(),
        server,
        may_host: given.is_none(),
        name: args
            .name
            .clone()
            .or_else(|| file.name.clone())
            .unwrap_or_else(login_name),
        room: room(args.room.as_ref().or(file.room.as_ref())),
        theme,
        locale: language(args.lang.as_deref().or(file.lang.as_deref()))?,
        cache_bytes: file
            .cache_mb
            .map_or(cache::BYTES, |mb| u64::from(mb) * 1024 * 1024),
        caps: caps::caps(file)?,
        shows_panes: switch("panes", file.panes.as_deref())?.unwrap_or(true),
        is_plain: args.plain
            || switch("plain", file.plain.as_deref())?.unwrap_or_else(caps::is_dumb),
        sources: sources(args, file),
        editor: editor(file),
        keymap: Keymap::default(),
        typing: match file.typing.as_deref() {
            Some(word) => TypingMode::of(word).with_context(|| {
                format!("cannot use typing '{word}' of the config file: on, show, send or off")
            })?,
            None => TypingMode::default(),
        },
    })
}

fn serve(args: &Args, file: &File) -> Result<Serve> {
    let rooms = if file.rooms.is_empty() {
        default_rooms()
    } else {
        file.rooms.clone()
    };
    let presets = rooms.iter().map(|room| {
        let name = RoomName::new(&room.name)
            .with_context(|| format!("cannot make the room '{}' of the config file", room.name))?;
        Ok(Preset {
            name,
            topic: room.topic.clone(),
            capacity: room.capacity,
            retention: retention(room.keep, room.keep_for.as_deref())?,
        })
    });
    let kept = retention(file.server.keep, file.server.keep_for.as_deref())?;
    let operators = file.server.operators.iter().map(|name| {
        UserName::new(name)
            .with_context(|| format!("cannot use the operator '{name}' in the config file"))
    });
    let idle_exit = match (&args.idle_exit, &file.server.idle_exit) {
        (Some(text), _) => Some(time(text).context("cannot use --idle-exit")?),
        (None, Some(text)) => Some(time(text).context("cannot use idle_exit of the config file")?),
        (None, None) => args.background.then_some(BACKGROUND_IDLE),
    };
    let defaults = Limits::default();
    let given = args.host.as_deref().map(|text| (text, "--host"));
    let given = given.or_else(|| {
        let host = file.server.host.as_deref();
        host.map(|text| (text, "host of [server] in the config file"))
    });
    let (host, port) = match given {
        Some((text, what)) => {
            host_and_port(text).with_context(|| format!("cannot use {what} '{text}'"))?
        }
        None => ("127.0.0.1", None),
    };
    Ok(Serve {
        bridges: bridges::bridging(args.bridges, &file.bridges, host)?,
        public: file.server.public.clone(),
        reflection: file.server.reflection,
        metrics: file.server.metrics,
        words: words(&file.server)?,
        host: host.to_owned(),
        port: args
            .port
            .or(port)
            .or(file.server.port)
            .unwrap_or(DEFAULT_PORT),
        log_messages: args.log_messages || file.server.log_messages,
        idle_exit,
        is_background: args.background,
        presets: distinct(presets.collect::<Result<_>>()?)?,
        operators: operators.collect::<Result<_>>()?,
        retention: kept.unwrap_or_default(),
        limits: Limits {
            burst: file.server.burst.unwrap_or(defaults.burst),
            per_second: file.server.per_second.unwrap_or(defaults.per_second),
            ..defaults
        },
    })
}

/// Where the words are that nobody says, and what is done about them.
fn words(server: &file::Server) -> Result<Option<(PathBuf, Mode)>> {
    let mode = match server.words_are.as_deref() {
        None | Some("masked") => Mode::Mask,
        Some("refused") => Mode::Refuse,
        Some(other) => {
            bail!("cannot use words_are '{other}' of the config file: masked or refused")
        }
    };
    Ok(server.words.as_deref().map(|path| (at_home(path), mode)))
}

/// A path of the config file, in which no shell has put one's home in the place of `~`.
fn at_home(path: &Path) -> PathBuf {
    let home = directories::UserDirs::new();
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.home_dir().join(rest),
        _ => path.to_owned(),
    }
}

/// A room as people write it, with or without the mark that it is shown with.
fn room(named: Option<&String>) -> Option<String> {
    let name = named?.trim_start_matches('#');
    (!name.is_empty()).then(|| name.to_owned())
}

/// How much is kept; nothing if neither is said.
fn retention(entries: Option<u64>, age: Option<&str>) -> Result<Option<Retention>> {
    let age = age.map(time).transpose();
    let age = age.context("cannot use keep_for of the config file")?;
    let entries = entries.filter(|entries| *entries > 0);
    let is_said = entries.is_some() || age.is_some();
    Ok(is_said.then_some(Retention { entries, age }))
}

/// Two rooms cannot have one name, whatever its case.
fn distinct(presets: Vec<Preset>) -> Result<Vec<Preset>> {
    let mut seen = std::collections::HashSet::new();
    for preset in &presets {
        if !seen.insert(preset.name.key()) {
            bail!(
                "cannot make the room '{}' twice: rooms differ by more than case",
                preset.name
            );
        }
    }
    Ok(presets)
}

fn default_rooms() -> Vec<file::Room> {
    let room = |name: &str, topic: &str, capacity| file::Room {
        name: name.into(),
        topic: topic.into(),
        capacity,
        keep: None,
        keep_for: None,
    };
    vec![
        room("general", "everybody meets here", 0),
        room("tech", "machines and what makes them go", 20),
        room("gaming", "games and who plays them", 20),
        room("random", "everything else", 20),
    ]
}

/// A time as people write it: `90s`, `5m`, `1h`, `30d`.
///
/// # Errors
/// Says how it is written.
pub fn time(text: &str) -> Result<Duration> {
    let wrong =
        || format!("cannot read the time '{text}': write a number and s, m, h or d, like 5m");
    let split = text
        .len()
        .checked_sub(1)
        .filter(|at| text.is_char_boundary(*at))
        .with_context(wrong)?;
    let (digits, unit) = text.split_at(split);
    let amount: u64 = digits.parse().ok().with_context(wrong)?;
    let seconds = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3600),
        "d" => Some(24 * 3600),
        _ => None,
    };
    let seconds = seconds
        .and_then(|unit: u64| amount.checked_mul(unit))
        .with_context(wrong)?;
    Ok(Duration::from_secs(seconds))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The command that edits a text, as other programs find it.
fn editor(file: &File) -> String {
    let named = file
        .editor
        .clone()
        .filter(|command| !command.trim().is_empty());
    let named = named
        .or_else(|| variable("VISUAL"))
        .or_else(|| variable("EDITOR"));
    let usual = if cfg!(windows) { "notepad" } else { "vi" };
    named.unwrap_or_else(|| usual.into())
}

/// The login name, without what a name may not have.
fn login_name() -> String {
    let login = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(variable)
        .unwrap_or_default();
    if UserName::new(&login).is_ok() {
        return login;
    }
    login
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        .take(UserName::LIMIT)
        .collect()
}

/// The language of the screen: the one asked for, else that of the locale.
fn language(asked: Option<&str>) -> Result<String> {
    match asked {
        None => Ok(locale()),
        Some("en") => Ok("en".into()),
        Some("zh-CN" | "zh") => Ok("zh-CN".into()),
        Some(other) => bail!("cannot use the language '{other}': en or zh-CN"),
    }
}

fn locale() -> String {
    let value = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(variable)
        .unwrap_or_default();
    let tag = value
        .split('.')
        .next()
        .unwrap_or_default()
        .replace('_', "-");
    if tag.is_empty() || tag == "C" || tag == "POSIX" {
        "en".into()
    } else {
        tag.chars().take(35).collect()
    }
}

/// The zone that times are shown in. Read from the file itself where nothing else is said: the name of the zone, which nobody is
/// shown, would be searched for among all there are.
fn zone() -> TimeZone {
    let local = || {
        let bytes = std::fs::read("/etc/localtime").ok()?;
        TimeZone::tzif("local", &bytes).ok()
    };
    match variable("TZ") {
        None if cfg!(unix) => local().unwrap_or_else(TimeZone::system),
        _ => TimeZone::system(),
    }
}

/// A switch of the config file; nothing if it is not in it.
fn switch(name: &str, word: Option<&str>) -> Result<Option<bool>> {
    match word {
        None => Ok(None),
        Some("on") => Ok(Some(true)),
        Some("off") => Ok(Some(false)),
        Some(other) => bail!("cannot use {name} '{other}' of the config file: on or off"),
    }
}

/// Where the settings came from that are not as they are by default.
fn sources(args: &Args, file: &File) -> Sources {
    let flags = [
        (Setting::Theme, args.theme.is_some()),
        (Setting::Lang, args.lang.is_some()),
    ];
    let files = [
        (Setting::Theme, file.theme.is_some()),
        (Setting::Lang, file.lang.is_some()),
        (Setting::Keys, file.keys.has_preset()),
        (Setting::Typing, file.typing.is_some()),
        (Setting::Notifications, file.notifications.is_some()),
        (Setting::Links, file.links.is_some()),
        (Setting::Panes, file.panes.is_some()),
    ];
    let of = |all: &[(Setting, bool)], source| -> Vec<(Setting, Source)> {
        let set = all.iter().filter(|(_, is_set)| *is_set);
        set.map(|(setting, _)| (*setting, source)).collect()
    };
    // Flags go before the file.
    let all = of(&files, Source::File).into_iter();
    all.chain(of(&flags, Source::Flag)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_number_and_a_unit() {
        assert_eq!(time("5m").unwrap(), Duration::from_mins(5));
        assert_eq!(time("90s").unwrap(), Duration::from_secs(90));
        for wrong in ["", "5", "m", "5w", "-1s", "五m", "99999999999999999999h"] {
            assert!(
                time(wrong).unwrap_err().to_string().contains("like 5m"),
                "{wrong}"
            );
        }
    }
}
