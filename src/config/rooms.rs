//! The `[[rooms]]` section of the config file: the rooms that a server has from the start.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::invalid::Invalid;
use super::values;
use crate::chat::Retention;
use crate::chat::RoomName;
use crate::chat::RoomPreset;

/// One room of the config file.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table for each room, written as [[rooms]]"
)]
pub struct RoomTable {
    name: Spanned<String>,
    #[serde(default)]
    topic: String,
    /// The maximum number of people present at once; 0 means no limit.
    #[serde(default)]
    capacity: u32,
    /// The number of entries to keep; 0 means no limit.
    keep: Option<u64>,
    #[serde(default, deserialize_with = "values::age")]
    keep_for: Option<Duration>,
    /// Whether clients of older chat systems on other machines may join it.
    #[serde(default, deserialize_with = "values::switch")]
    bridged: Option<bool>,
}

/// Returns the rooms of the file, or the default rooms if it has none.
///
/// # Errors
/// A name is not valid, or two names are the same except for their case. The error has the byte offset in the file.
pub fn presets(rooms: &[RoomTable]) -> Result<Vec<RoomPreset>, Invalid> {
    if rooms.is_empty() {
        return default_presets();
    }
    let mut names = HashSet::new();
    let preset = |room: &RoomTable| {
        let wrong = |why: String| Invalid {
            at: room.name.span().start,
            why,
        };
        let written = room.name.get_ref();
        let name = RoomName::new(written)
            .map_err(|error| wrong(format!("cannot create the room '{written}': {error}")))?;
        if !names.insert(name.key()) {
            let why = "names must differ by more than case";
            return Err(wrong(format!(
                "cannot create the room '{written}' twice: {why}"
            )));
        }
        Ok(RoomPreset {
            name,
            topic: room.topic.clone(),
            capacity: room.capacity,
            retention: retention(room.keep, room.keep_for),
            is_bridged: room.bridged.unwrap_or(true),
        })
    };
    rooms.iter().map(preset).collect()
}

fn default_presets() -> Result<Vec<RoomPreset>, Invalid> {
    let rooms = [
        ("general", "everybody meets here", 0),
        ("tech", "machines and what makes them go", 20),
        ("gaming", "games and who plays them", 20),
        ("random", "everything else", 20),
    ];
    let preset = |(name, topic, capacity): (&str, &str, u32)| {
        let name = RoomName::new(name).map_err(|error| Invalid {
            at: 0,
            why: error.to_string(),
        })?;
        Ok(RoomPreset {
            name,
            topic: topic.to_owned(),
            capacity,
            retention: None,
            is_bridged: true,
        })
    };
    rooms.into_iter().map(preset).collect()
}

/// Returns the retention; `None` if neither limit is set.
pub fn retention(entries: Option<u64>, age: Option<Duration>) -> Option<Retention> {
    let entries = entries.filter(|entries| *entries > 0);
    let has_limit = entries.is_some() || age.is_some();
    has_limit.then_some(Retention { entries, age })
}
