//! Posts (requests for an entry) and entries (ordered and stored).

use super::{Amended, Body, ClientId, Digest, Epoch, IdentityId, RoomId, Seq};

/// A person, with the name they had at the time of the entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Author {
    pub id: IdentityId,
    pub name: String,
}

/// A request for an entry. It becomes an [`Entry`] once the room has ordered it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Post {
    pub author: Author,
    /// Absent for entries that the server makes itself (joins, renames).
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
    /// When the post was accepted, in Unix milliseconds by the server's wall clock. For display only: if the clock was set back, a later
    /// entry has an earlier time.
    pub at_ms: u64,
    pub author: Author,
    pub client_id: Option<ClientId>,
    /// As amended so far.
    pub body: Body,
    /// The mentions of the text, as amended so far; [`IdentityId::EVERYBODY`] for everybody. An edit has the mentions of its new text.
    pub mentions: Vec<IdentityId>,
    /// What later entries changed in it.
    pub amended: Option<Box<Amended>>,
}

/// Where a post is sent.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Recipient {
    Room(RoomId),
    /// A private message to an identity.
    Person(IdentityId),
    /// A private message to the person who has this name.
    Name(String),
}
