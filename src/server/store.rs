//! What a server keeps: identities, rooms, members and the log of each room.
//!
//! Contract, held by the suite in `tests/it/store.rs` over every implementation:
//! 1. When a call that writes answers `Ok`, what it wrote survives a power cut; when it answers an error of the kind
//!    [`StoreError::Failed`], whether it was written is unknown and the server stops.
//!    A full disk is no failure: nothing was written, reading goes on, and writing does again once there is room.
//! 2. [`Store::append`] writes all of its entries, marks and changes or none, and only if they follow the room's last
//!    entry without a hole.
//!    Amendments among them are in what they amend from then on, and nothing of an erased body is left. Whoever joins by one has
//!    read up to it.
//! 3. Appends of one room are made one after the other, by one task; appends of different rooms may share a commit.
//! 4. Reads see everything that was answered `Ok` before they were asked.

pub mod memory;
pub mod sqlite;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::chat::{
    Changes, Digest, Entry, Epoch, Found, IdentityId, InstanceId, Level, NameKey, Person, Role,
    RoomId, RoomKind, Search, SecretHash, Seq, ServerId, Settings, Stamp, Standing, Status, Unread,
    Until, UserName, Via,
};
use crate::text;

/// When it is worth trying again what did not fit the disk.
pub const FULL_RETRY: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// I/O failed or the data is damaged. Not to be tried again.
    #[error("{0}")]
    Failed(String),
    /// The disk is full. Nothing was written, and it may be tried again.
    #[error("the disk is full")]
    Full,
    /// A unique value exists already, or an append does not follow the last entry. Nothing was written.
    #[error("it exists already")]
    Conflict,
}

/// A room as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomRecord {
    pub id: RoomId,
    pub kind: RoomKind,
    /// Empty for a conversation.
    pub name: String,
    /// Unique among rooms that are not secret: a secret room takes its name from nobody, or the name would give it away. Absent for a
    /// conversation.
    pub key: Option<NameKey>,
    pub topic: String,
    pub capacity: u32,
    /// Preset rooms come first, in this order; others have `u32::MAX`.
    pub position: u32,
    pub epoch: Epoch,
    /// The two people of a conversation, the lower id first.
    pub pair: Option<(IdentityId, IdentityId)>,
}

impl RoomRecord {
    /// Whether the server's configuration made it.
    pub fn is_preset(&self) -> bool {
        self.position != u32::MAX
    }

    /// What the log calls it: its name, if everybody may know that, and else its id.
    pub fn log_name(&self) -> String {
        match self.kind {
            RoomKind::Public | RoomKind::Private => text::line(&self.name).to_string(),
            RoomKind::Secret => format!("secret:{}", self.id),
            RoomKind::Conversation => format!("conversation:{}", self.id),
        }
    }
}

/// A person as they are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentityRecord {
    pub id: IdentityId,
    /// Whoever shows the secret with this hash is this person.
    pub secret: SecretHash,
    pub name: UserName,
    /// Had a session when last heard of.
    pub present: bool,
    /// How they are connected; a guest of a bridge is kept only as long as something names them.
    pub via: Via,
}

/// What is kept of a person beside their name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Personal {
    pub status: Status,
    /// When they were last known to be here, Unix milliseconds.
    pub seen_ms: u64,
    pub settings: Settings,
}

/// A change of that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PersonalChange {
    Status(Status),
    Ignore(IdentityId),
    Heed(IdentityId),
    /// Absent: as for every room of its kind.
    Level(RoomId, Option<Level>),
    Keywords(Vec<String>),
}

/// Entries of a room among which unread ones are counted: the newest ones.
pub const COUNTED: u64 = 20_000;

/// A room with what its task needs to go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomState {
    pub record: RoomRecord,
    /// The first seq that is kept; 1 as long as nothing was trimmed.
    pub first: Seq,
    /// The last entry, with its log time.
    pub last: Option<(Seq, Digest, u64)>,
    pub marks: Vec<(IdentityId, InstanceId, u64)>,
    pub members: Vec<(IdentityId, Role)>,
    pub standings: Vec<(IdentityId, Standing)>,
}

/// A stored value that is not what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The room it belongs to and that room's name in the log, if it belongs to one.
    pub room: Option<(RoomId, String)>,
    /// The entry that it is part of, if any.
    pub seq: Option<Seq>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.room, self.seq) {
            (Some((_, room)), Some(seq)) => write!(f, "entry {seq} of {room}: ")?,
            (Some((_, room)), None) => write!(f, "{room}: ")?,
            (None, Some(seq)) => write!(f, "entry {seq}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.what)
    }
}

/// The result of verifying a database.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    pub rooms: u64,
    pub entries: u64,
    /// How many values are damaged.
    pub damages: u64,
    /// The first of them, up to [`Verified::NAMED`].
    pub damaged: Vec<Damage>,
    /// The search index is damaged. The server rebuilds it.
    pub index_is_damaged: bool,
}

impl Verified {
    /// Damaged values that are named. A disk that damaged more than this needs a backup, not a list.
    pub const NAMED: usize = 100;
}

/// Entries of one room that belong together.
#[derive(Clone, Debug)]
pub struct Append {
    pub room: RoomId,
    /// When they were taken; never before the last entry by log time.
    pub at: Stamp,
    /// At least one, consecutive.
    pub entries: Arc<Vec<Entry>>,
    /// What they change.
    pub changes: Changes,
}

/// Since when entries are kept for their age.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Since {
    /// By log time.
    pub log_ms: u64,
    /// By the wall clock.
    pub at_ms: u64,
    /// The wall clock now.
    pub now_ms: u64,
}

/// Which entries of a room a page is of. Both answer in ascending order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// The oldest with a greater seq.
    After(Seq),
    /// The newest with a smaller seq.
    Before(Seq),
}

/// How large a page may grow; it has at least one entry if there is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageLimit {
    pub entries: usize,
    pub bytes: usize,
}

impl PageLimit {
    /// The page of the protocol.
    pub const PAGE: Self = Self {
        entries: 200,
        bytes: 256 * 1024,
    };
}

#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// The id this data was given when it was made.
    async fn server_id(&self) -> Result<ServerId, StoreError>;

    /// The room with its head, marks and members; nothing if there is no such room.
    async fn room(&self, id: RoomId) -> Result<Option<RoomState>, StoreError>;

    /// All rooms that have a name, in the order they are listed.
    async fn named_rooms(&self) -> Result<Vec<RoomRecord>, StoreError>;

    /// The rooms somebody is a member of, in the order they are listed, then their conversations, the one with the newest entry
    /// first.
    async fn memberships(&self, identity: IdentityId) -> Result<Vec<RoomRecord>, StoreError>;

    /// The members of a room.
    async fn members(&self, room: RoomId) -> Result<Vec<IdentityId>, StoreError>;

    /// Some entries of a room, as amended so far; those that are not there are left out.
    async fn entries_at(&self, room: RoomId, seqs: Vec<Seq>) -> Result<Vec<Entry>, StoreError>;

    /// The rooms somebody is banned from, or was.
    async fn bans(&self, identity: IdentityId) -> Result<Vec<(RoomId, Until)>, StoreError>;

    /// Where somebody has read to in a room; whoever has become a member has read up to there.
    async fn read_to(&self, room: RoomId, identity: IdentityId) -> Result<Seq, StoreError>;

    /// Raises read positions of members; one that is not above what is kept changes nothing.
    async fn mark_read(&self, marks: Vec<(RoomId, IdentityId, Seq)>) -> Result<(), StoreError>;

    /// What somebody has not read of a room, as of an entry; of the newest [`COUNTED`] entries before it.
    async fn unread(
        &self,
        room: RoomId,
        identity: IdentityId,
        read: Seq,
        last: Seq,
    ) -> Result<Unread, StoreError>;

    /// What mentions somebody in the rooms they are a member of, by others they do not ignore; the newest first.
    async fn mentions_of(
        &self,
        identity: IdentityId,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// What somebody looks for in the rooms they are a member of, the newest first. Where a search is open, the beginnings of words
    /// are looked for only if whole words are found in less than `most` entries.
    async fn search(
        &self,
        identity: IdentityId,
        search: Search,
        most: usize,
    ) -> Result<Found, StoreError>;

    /// What is kept of a person beside their name.
    async fn personal(&self, identity: IdentityId) -> Result<Personal, StoreError>;

    /// Changes some of that.
    async fn change_personal(
        &self,
        identity: IdentityId,
        change: PersonalChange,
    ) -> Result<(), StoreError>;

    /// Members of a room, those who were here last first.
    async fn last_here(&self, room: RoomId, most: usize) -> Result<Vec<Person>, StoreError>;

    /// The rooms somebody is invited to and has not joined.
    async fn invitations(&self, identity: IdentityId) -> Result<Vec<RoomRecord>, StoreError>;

    /// The newest thing said in a room.
    async fn last_said(&self, room: RoomId) -> Result<Option<Entry>, StoreError>;

    /// Makes a room with its first entry (seq 1) and members.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a room of that pair exists, or one of that key and neither is secret.
    async fn create_room(&self, record: RoomRecord, created: Append) -> Result<(), StoreError>;

    /// Changes a room's capacity and position, and its topic as long as nobody there has set one; the rest is as it was made.
    async fn update_room(&self, record: RoomRecord) -> Result<(), StoreError>;

    /// The conversation of two people, whatever their order.
    async fn conversation(
        &self,
        one: IdentityId,
        other: IdentityId,
    ) -> Result<Option<RoomRecord>, StoreError>;

    /// Appends entries durably; see the contract.
    async fn append(&self, append: Append) -> Result<(), StoreError>;

    /// Takes away what a room has before a seq, a part at a time; the room then begins there.
    async fn trim(&self, room: RoomId, first: Seq) -> Result<(), StoreError>;

    /// The first entry that is not too old by one of the clocks; nothing if all are too old by both. A time of the wall clock that is
    /// still in the future is wrong: there only log time counts.
    async fn first_kept(&self, room: RoomId, since: Since) -> Result<Option<Seq>, StoreError>;

    /// When the newest entry of all rooms was taken, by log time; nothing if there is none.
    async fn newest(&self) -> Result<Option<Stamp>, StoreError>;

    async fn page(
        &self,
        room: RoomId,
        span: Span,
        limit: PageLimit,
    ) -> Result<Vec<Entry>, StoreError>;

    async fn identity(&self, id: IdentityId) -> Result<Option<IdentityRecord>, StoreError>;

    async fn identity_of(&self, secret: SecretHash) -> Result<Option<IdentityRecord>, StoreError>;

    /// Everybody who was last called so.
    async fn named(&self, key: NameKey) -> Result<Vec<IdentityRecord>, StoreError>;

    /// Members of a room who were last called one of these, two of each at most: more need not be told apart.
    async fn members_named(
        &self,
        room: RoomId,
        keys: Vec<NameKey>,
    ) -> Result<Vec<(NameKey, IdentityId)>, StoreError>;

    /// Everybody who had a session when last heard of.
    async fn present(&self) -> Result<Vec<IdentityRecord>, StoreError>;

    /// Marks nobody as having a session: the server starts anew.
    async fn clear_presence(&self) -> Result<(), StoreError>;

    /// Adds a person, or takes over their new name and presence.
    async fn put_identity(&self, record: IdentityRecord, seen_ms: u64) -> Result<(), StoreError>;

    /// The guests of bridges that are members of some room still.
    async fn guests(&self) -> Result<Vec<IdentityRecord>, StoreError>;

    /// Forgets a guest who will not be back; one with a conversation stays, because the other reads their name.
    async fn forget_guest(&self, id: IdentityId) -> Result<(), StoreError>;

    /// The identity an operator's name is bound to, if it is.
    async fn operator(&self, key: NameKey) -> Result<Option<IdentityId>, StoreError>;

    /// Binds an operator's name to the first identity that bears it; answers who that is.
    async fn bind_operator(
        &self,
        key: NameKey,
        identity: IdentityId,
    ) -> Result<IdentityId, StoreError>;

    /// Verifies everything that is stored, in small steps so that other work goes on, and logs what is damaged.
    ///
    /// # Errors
    /// The disk failed, or a page is damaged. A damaged value is no error: it is shown as damaged, and everything else can be used.
    async fn verify(&self) -> Result<Verified, StoreError> {
        Ok(Verified::default())
    }

    /// Writes back what can be written back, before the end.
    async fn close(&self) -> Result<(), StoreError>;
}

/// The two of a conversation in the order they are kept.
pub fn pair(one: IdentityId, other: IdentityId) -> (IdentityId, IdentityId) {
    if one <= other {
        (one, other)
    } else {
        (other, one)
    }
}
