//! The setup of a server: its initial rooms, how much of a room is stored, who may register, the word filter
//! and the bridges.

use std::time::Duration;

use super::RoomName;

/// The minimum part of a room's history that stays stored. With neither limit set, all of it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// This many of the newest entries.
    pub entries: Option<u64>,
    /// Entries that are not older than this.
    pub age: Option<Duration>,
}

impl Retention {
    pub const fn keeps_everything(&self) -> bool {
        self.entries.is_none() && self.age.is_none()
    }
}

/// A room that the server creates from its configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomPreset {
    pub name: RoomName,
    pub topic: String,
    /// 0 means no limit.
    pub capacity: u32,
    /// How much of its history is stored, if it differs from the general setting.
    pub retention: Option<Retention>,
    /// Whether clients of older chat systems on other machines may join it.
    pub is_bridged: bool,
}

/// Who may make an account on a server. People who have one, and the user who runs the server, always get in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Registration {
    /// Everyone who can connect.
    #[default]
    Open,
    /// People with an invitation.
    Invite,
    /// Nobody.
    Closed,
}

/// What the filter does with a word that it finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FilterMode {
    /// The word is replaced by stars.
    #[default]
    Mask,
    /// The post is refused.
    Refuse,
}

/// The protocol of an older chat system that a server can serve in addition to its own. If you add one, also add it to [`Bridge::ALL`]; the
/// compiler reports every `match` that must handle it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bridge {
    User,
    Gochat,
    Chat,
    Service,
    WebSocket,
    /// The HTTP request that makes `Service` greet somebody.
    Trigger,
}

impl Bridge {
    pub const ALL: [Self; 6] = [
        Self::User,
        Self::Gochat,
        Self::Chat,
        Self::Service,
        Self::WebSocket,
        Self::Trigger,
    ];

    /// Returns the ports, besides tchat's own, that its clients connect to.
    pub const fn ports(self) -> &'static [u16] {
        match self {
            Self::User | Self::Chat => &[],
            Self::Gochat => &[1234],
            Self::Service => &[9000, 9011],
            Self::WebSocket => &[9000],
            Self::Trigger => &[8010],
        }
    }
}

/// The bridges that a server has switched on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bridges(u8);

impl Bridges {
    pub fn all() -> Self {
        Bridge::ALL.into_iter().collect()
    }

    pub const fn has(self, bridge: Bridge) -> bool {
        self.0 & 1 << bridge as u8 != 0
    }

    /// Returns the set without this bridge.
    #[must_use]
    pub fn without(self, bridge: Bridge) -> Self {
        self.iter().filter(|other| *other != bridge).collect()
    }

    pub fn iter(self) -> impl Iterator<Item = Bridge> {
        Bridge::ALL
            .into_iter()
            .filter(move |bridge| self.has(*bridge))
    }
}

impl FromIterator<Bridge> for Bridges {
    fn from_iter<I: IntoIterator<Item = Bridge>>(bridges: I) -> Self {
        Self(
            bridges
                .into_iter()
                .fold(0, |set, bridge| set | 1 << bridge as u8),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_bridges_has_what_was_put_in_and_nothing_else() {
        assert!(
            Bridge::ALL
                .into_iter()
                .all(|bridge| Bridges::all().has(bridge))
        );
        for one in Bridge::ALL {
            let set: Bridges = [one].into_iter().collect();
            assert!(set.iter().eq([one]), "{one:?}");
            assert!(
                Bridge::ALL
                    .into_iter()
                    .all(|other| set.has(other) == (other == one))
            );
        }
        assert_eq!(Bridges::default().iter().count(), 0);
    }
}
