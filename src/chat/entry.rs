//! Posts (requests to say something) and entries (what is ordered and stored).

use super::{Amended, Body, ClientId, Digest, Epoch, IdentityId, RoomId, Seq};

/// Who said something, with the name they had then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Author {
    pub id: IdentityId,
    pub name: String,
}

/// Something asked for: it becomes an [`Entry`] once the room has ordered it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Post {
    pub author: Author,
    /// Absent for what the server does by itself (joins, renames).
    pub client_id: Option<ClientId>,
    pub body: Body,
    /// The members that the text mentions; for an edit, those that the new text mentions.
    pub mentions: Vec<IdentityId>,
}

/// One ordered, durable item of a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub room: RoomId,
    pub epoch: Epoch,
    pub seq: Seq,
    pub digest: Digest,
    /// Unix milliseconds by the wall clock when it was taken. For people: where the clock was set back, a later entry has an earlier
    /// time.
    pub at_ms: u64,
    pub author: Author,
    pub client_id: Option<ClientId>,
    /// As amended so far.
    pub body: Body,
    /// The mentions of the text, as amended so far; [`IdentityId::EVERYBODY`] for everybody. An edit has the mentions of its new text.
    pub mentions: Vec<IdentityId>,
    /// What later entries did to it.
    pub amended: Option<Box<Amended>>,
}

/// Where a post is meant to go.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Recipient {
    Room(RoomId),
    /// A private message to an identity.
    Person(IdentityId),
    /// A private message to the person who has this name.
    Name(String),
}
