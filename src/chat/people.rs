//! The people of a room: those who are present, and members who are not.

use super::{IdentityId, Role, RoomInfo};

/// Whether a person has a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Presence {
    Online,
    /// Here, and not at the keyboard as they say.
    Away,
    /// The link was lost and the person may be back in a moment.
    Waiting,
    /// A member who is not here.
    Offline,
}

impl Presence {
    pub const fn is_here(self) -> bool {
        !matches!(self, Self::Offline)
    }
}

/// How a person says they are.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Status {
    pub is_away: bool,
    /// May be empty.
    pub text: String,
}

impl Status {
    /// The most code points of the text.
    pub const LIMIT: usize = 128;

    /// What others see of somebody who has a session.
    pub const fn presence(&self) -> Presence {
        if self.is_away {
            Presence::Away
        } else {
            Presence::Online
        }
    }
}

/// How somebody is connected.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Via {
    /// By tchat's own protocol.
    #[default]
    Tchat,
    /// By `user.UserService`.
    User,
    /// By `gochat.ChatService`.
    Gochat,
    /// By `chat.ChatService`.
    Chat,
    /// By `service.v1.Service`.
    Service,
    /// By protobuf over WebSocket.
    WebSocket,
}

impl Via {
    /// How many there are.
    pub const COUNT: usize = 6;

    /// The word for it in configuration and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tchat => "tchat",
            Self::User => "user",
            Self::Gochat => "gochat",
            Self::Chat => "chat",
            Self::Service => "service",
            Self::WebSocket => "websocket",
        }
    }

    /// Whether the connection is one of a foreign protocol: its user is a guest, whose identity ends with it.
    pub fn is_bridge(self) -> bool {
        self != Self::Tchat
    }
}

/// A person of a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub id: IdentityId,
    pub name: String,
    pub presence: Presence,
    pub role: Role,
    pub via: Via,
    /// What they say of how they are; may be empty.
    pub status: String,
}

/// What is known of a person beside one room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    pub person: Person,
    /// When they were last here, Unix milliseconds; absent if they are, or if it is not known.
    pub seen_ms: Option<u64>,
    /// Rooms that the asker is in too, with the person's role in each.
    pub rooms: Vec<RoomInfo>,
}

/// The people of a room, in the order they are shown: those present and then the others, by name, whatever its case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    people: Vec<Person>,
}

impl Roster {
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Those who are here.
    pub fn present(&self) -> &[Person] {
        let here = self.people.partition_point(|it| it.presence.is_here());
        &self.people[..here]
    }

    pub fn clear(&mut self) {
        self.people.clear();
    }

    pub fn find(&self, id: IdentityId) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// Adds a person, or takes over what changed of one.
    pub fn put(&mut self, person: Person) {
        self.remove(person.id);
        let key = |person: &Person| {
            let is_gone = !person.presence.is_here();
            (is_gone, person.name.to_lowercase(), person.id)
        };
        let place = self
            .people
            .partition_point(|other| key(other) < key(&person));
        self.people.insert(place, person);
    }

    pub fn remove(&mut self, id: IdentityId) -> Option<Person> {
        let place = self.people.iter().position(|person| person.id == id)?;
        Some(self.people.remove(place))
    }
}
