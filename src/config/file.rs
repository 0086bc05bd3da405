//! The config file: TOML, every key optional, none unknown.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub name: Option<String>,
    /// The server to join, `HOST[:PORT]`.
    #[serde(rename = "join")]
    pub server_address: Option<String>,
    pub room: Option<String>,
    pub theme: Option<String>,
    /// The language of the screen, en or zh-CN.
    pub lang: Option<String>,
    pub data: Option<PathBuf>,
    /// Megabytes of messages kept here for each server and name.
    pub cache_mb: Option<u32>,
    /// How it is told of what comes while nobody looks: auto, off, bell, osc9, osc99 or osc777.
    pub notifications: Option<String>,
    /// Whether addresses are links to the terminal, and panes stand beside the messages: on or off.
    pub links: Option<String>,
    pub panes: Option<String>,
    /// The signs of the screen: auto, or ascii where the terminal draws others too wide.
    pub glyphs: Option<String>,
    /// How wide the terminal draws characters of ambiguous width: auto, narrow or wide.
    pub ambiguous: Option<String>,
    /// Whether it is told line by line instead of on a screen: on or off.
    pub plain: Option<String>,
    /// Which way it is told who is typing: on, show, send or off.
    pub typing: Option<String>,
    /// The command that edits a text; `$VISUAL` or `$EDITOR` if absent.
    pub editor: Option<String>,
    #[serde(default)]
    pub keys: super::keys::File,
    #[serde(default)]
    pub server: Server,
    #[serde(default)]
    pub bridges: super::bridges::File,
    /// The rooms there are from the start; the first is where everybody begins.
    #[serde(default)]
    pub rooms: Vec<Room>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub host: Option<String>,
    pub port: Option<u16>,
    pub log_dir: Option<PathBuf>,
    #[serde(default)]
    pub log_messages: bool,
    pub idle_exit: Option<String>,
    #[serde(default)]
    pub operators: Vec<String>,
    pub burst: Option<u32>,
    pub per_second: Option<u32>,
    pub reflection: Option<bool>,
    pub metrics: Option<bool>,
    /// Names others know this server by, besides the one it hosts on.
    #[serde(default)]
    pub public: Vec<String>,
    /// A file of words nobody says here, one in each line; `masked` or `refused`.
    pub words: Option<PathBuf>,
    pub words_are: Option<String>,
    /// How much is kept of rooms that say nothing themselves: entries, and a time like `30d`.
    pub keep: Option<u64>,
    pub keep_for: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Room {
    pub name: String,
    #[serde(default)]
    pub topic: String,
    /// The most people present at once; 0 means no limit.
    #[serde(default)]
    pub capacity: u32,
    pub keep: Option<u64>,
    pub keep_for: Option<String>,
}

/// # Errors
/// Names the file, the line and the key that cannot be used.
pub fn parse(path: &Path, text: &str) -> Result<File> {
    match toml::from_str(text) {
        Ok(file) => Ok(file),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            Err(wrong(path, text, at, error.message().trim()))
        }
    }
}

/// What is wrong at a byte of the file: its line and key, and why.
pub fn wrong(path: &Path, text: &str, at: usize, why: &str) -> anyhow::Error {
    let line = super::keys::line(text, at.min(text.len()));
    let content = text.lines().nth(line - 1).unwrap_or_default();
    let key = content.split('=').next().unwrap_or_default().trim();
    anyhow!(
        "cannot use the config file '{}', line {line}, at '{key}': {why}",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(Path::new("config.toml"), text)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let unknown = error("name = \"ann\"\n\ncolour = \"red\"\n");
        assert!(
            unknown.starts_with(
                "cannot use the config file 'config.toml', line 3, at 'colour': unknown field"
            ),
            "{unknown}"
        );
        let wrong = error("[server]\nport = \"many\"\n");
        assert!(
            wrong.contains("line 2, at 'port'") && wrong.contains("invalid type"),
            "{wrong}"
        );
        let broken = error("name = \n");
        assert!(broken.contains("line 1, at 'name'"), "{broken}");
    }

    #[test]
    fn every_key_is_optional() {
        assert!(parse(Path::new("x"), "").is_ok());
        let file = parse(
            Path::new("x"),
            "[[rooms]]\nname = \"大厅\"\n[server]\noperators = [\"张三\"]\n",
        )
        .unwrap();
        assert_eq!(
            (file.rooms[0].name.as_str(), file.rooms[0].capacity),
            ("大厅", 0)
        );
    }
}
