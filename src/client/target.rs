//! The person or the room that a request is for: by id if it was chosen from a list, otherwise by its name.

use crate::chat::{IdentityId, RoomId, RoomInfo};

/// The person that a request is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PersonRef {
    Person(IdentityId),
    Name(String),
}

/// The room that a join is for. A room from a list is identified by its id, because its name may also mean another
/// room, for example a secret room that only its members see.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoomToJoin {
    /// The name as listed or typed. Empty for the room in which the server starts everyone.
    pub name: String,
    pub id: Option<RoomId>,
}

impl RoomToJoin {
    /// Whether this is the room: by its id, or by the name if no id is known, ignoring case and a leading `#`.
    pub fn matches(&self, room: &RoomInfo) -> bool {
        match self.id {
            Some(id) => id == room.id,
            None => self.name.trim_start_matches('#').to_lowercase() == room.name.to_lowercase(),
        }
    }
}

impl From<String> for RoomToJoin {
    fn from(name: String) -> Self {
        Self { name, id: None }
    }
}

impl From<&str> for RoomToJoin {
    fn from(name: &str) -> Self {
        name.to_owned().into()
    }
}

impl From<&RoomInfo> for RoomToJoin {
    fn from(room: &RoomInfo) -> Self {
        Self {
            name: room.name.clone(),
            id: Some(room.id),
        }
    }
}
