//! How a server is set up: rooms it has from the start, how much of a room is stored, and what is done about unwanted words.

use std::time::Duration;

use super::RoomName;

/// What is kept at least; nothing said: everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// This many of the newest entries.
    pub entries: Option<u64>,
    /// What is not older than this.
    pub age: Option<Duration>,
}

impl Retention {
    pub const fn keeps_everything(&self) -> bool {
        self.entries.is_none() && self.age.is_none()
    }
}

/// A room that is there from the start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomPreset {
    pub name: RoomName,
    pub topic: String,
    /// 0 means no limit.
    pub capacity: u32,
    /// How much of it is kept, if not as much as of the others.
    pub retention: Option<Retention>,
}

/// What is done about a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FilterMode {
    /// Stars stand in its place.
    #[default]
    Mask,
    /// The post is refused.
    Refuse,
}

/// Which protocols are served beside tchat's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub struct Bridges {
    pub user: bool,
    pub gochat: bool,
    pub chat: bool,
    pub service: bool,
    pub websocket: bool,
    /// The HTTP door to `service`.
    pub trigger: bool,
}

impl Bridges {
    pub const ALL: Self = Self {
        user: true,
        gochat: true,
        chat: true,
        service: true,
        websocket: true,
        trigger: true,
    };
}
