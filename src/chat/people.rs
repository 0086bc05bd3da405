//! People present in a room.

use super::{IdentityId, Role};

/// Whether a person has a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Presence {
    Online,
    /// The link was lost and the person may be back in a moment.
    Waiting,
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

/// A person present in a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    pub id: IdentityId,
    pub name: String,
    pub presence: Presence,
    pub role: Role,
    pub via: Via,
}

/// The people present in a room, in the order they are shown: by name, whatever its case.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    people: Vec<Person>,
}

impl Roster {
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    pub fn len(&self) -> usize {
        self.people.len()
    }

    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
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
        let key = |person: &Person| (person.name.to_lowercase(), person.id);
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
