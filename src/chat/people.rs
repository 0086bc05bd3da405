//! The people of a room: those who are present, and members who are not.

use super::{IdentityId, Role, RoomInfo};

/// Whether a person has a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Presence {
    Online,
    /// Has a session, but is not at the keyboard, according to their status.
    Away,
    /// The connection was lost, and the person may be back in a moment.
    Waiting,
    /// A member without a session.
    Offline,
}

impl Presence {
    pub const fn is_here(self) -> bool {
        !matches!(self, Self::Offline)
    }
}

/// A person's own status (away flag and text).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Status {
    pub is_away: bool,
    /// May be empty.
    pub text: String,
}

impl Status {
    /// The maximum length of the text, in code points.
    pub const LIMIT: usize = 128;

    /// Returns the presence that others see while this person has a session.
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
    /// Through tchat's own protocol.
    #[default]
    Tchat,
    /// Through `user.UserService`.
    User,
    /// Through `gochat.ChatService`.
    Gochat,
    /// Through `chat.ChatService`.
    Chat,
    /// Through `service.v1.Service`.
    Service,
    /// Through protobuf over WebSocket.
    WebSocket,
}

impl Via {
    /// The number of variants.
    pub const COUNT: usize = 6;

    /// Returns the name used in configuration and metrics.
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

    /// Returns whether the connection uses a foreign protocol. Its user is a guest, whose identity ends with the connection.
    pub fn is_bridge(self) -> bool {
        self != Self::Tchat
    }
}

/// A person in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub id: IdentityId,
    pub name: String,
    pub presence: Presence,
    pub role: Role,
    pub via: Via,
    /// Their status text; may be empty.
    pub status: String,
}

/// What is known about a person, in addition to their place in one room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    pub person: Person,
    /// When they were last connected, in Unix milliseconds; absent if they are connected now or if it is not known.
    pub seen_ms: Option<u64>,
    /// The rooms that this person and the requester are both in, with this person's role in each.
    pub rooms: Vec<RoomInfo>,
}

/// The people of a room in display order: those present first, then the others; each group sorted by name, ignoring case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    people: Vec<Person>,
}

impl Roster {
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// Returns those who are present.
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

    /// Adds a person, or updates them if they are already listed.
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
