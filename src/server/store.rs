//! The store: identities, rooms, members and the log of each room. It knows nothing of sessions or the wire format.
//!
//! The contract, which the suite in `tests/it/store.rs` checks for every implementation:
//! 1. When a writing call returns `Ok`, what it wrote survives a power cut. When it returns [`StoreError::Failed`], it is unknown whether
//!    anything was written, and the server stops. A full disk is not a failure: nothing was written, reads still work, and writes work
//!    again once there is room.
//! 2. [`Store::append`] writes all of its entries, marks and changes, or none. It writes them only if they directly follow the room's last
//!    entry. An amendment among them is applied to its target in the same write, and nothing of an erased body
//!    is left. A join also sets the read position of the person who joins to its own seq.
//! 3. Appends to one room are made one after the other, by one task. Appends to different rooms may share a commit.
//! 4. Reads see everything for which `Ok` was returned before the read was requested.

mod account;
pub mod memory;
pub mod sqlite;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use self::account::{
    AccountChange, AccountRecord, BanRecord, DeviceRecord, DeviceStatus, InvitePurpose,
    InviteRecord, NewAudit, NewDevice, OtherDevices,
};

use crate::chat::{
    AuditEntry, Changes, ClientId, ConversationSide, ConversationStatus, DeviceKey, Digest, Entry,
    Epoch, IdentityId, InstanceId, Level, NameKey, Person, Role, RoomId, RoomKind, RoomRules,
    Search, SearchResults, SecretHash, Seq, ServerId, Settings, Stamp, Standing, Status, Unread,
    Until, UserName, Via,
};
use crate::text;

/// How long to wait before retrying a write that did not fit on the disk.
pub(crate) const FULL_RETRY: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// I/O failed or the data is damaged. It must not be retried.
    #[error("{0}")]
    Failed(String),
    /// The disk is full. Nothing was written, and the write may be retried.
    #[error("the disk is full")]
    Full,
    /// A unique value already exists, or an append does not follow the last entry. Nothing was written.
    #[error("it already exists")]
    Conflict,
}

/// A room as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomRecord {
    pub id: RoomId,
    pub kind: RoomKind,
    /// Empty for a conversation.
    pub name: String,
    /// The name in the form that is compared. It is unique among rooms that are not secret. A secret room reserves no name, because a
    /// refused name would reveal that the room exists. `None` for a conversation.
    pub key: Option<NameKey>,
    pub topic: String,
    pub capacity: u32,
    /// Preset rooms come first, in this order; others have `u32::MAX`.
    pub position: u32,
    pub epoch: Epoch,
    /// The two people of a conversation, the lower id first.
    pub pair: Option<(IdentityId, IdentityId)>,
    pub rules: RoomRules,
}

impl RoomRecord {
    /// Whether the room comes from the server's configuration.
    pub fn is_preset(&self) -> bool {
        self.position != u32::MAX
    }

    /// Returns the room's name for log lines: its real name if everyone may know it, otherwise its kind and id.
    pub fn log_name(&self) -> String {
        match self.kind {
            RoomKind::Public | RoomKind::Private => text::line(&self.name).to_string(),
            RoomKind::Secret => format!("secret:{}", self.id),
            RoomKind::Conversation => format!("conversation:{}", self.id),
        }
    }
}

/// A person as they are stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdentityRecord {
    pub id: IdentityId,
    pub name: UserName,
    /// How they are connected. A guest of a bridge is stored only as long as something refers to them.
    pub via: Via,
}

/// What is stored about a person besides their name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Personal {
    pub status: Status,
    /// When they were last known to be connected, in Unix milliseconds.
    pub seen_ms: u64,
    pub settings: Settings,
}

/// A change to a person's [`Personal`] data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PersonalChange {
    Status(Status),
    Ignore(IdentityId),
    /// Blocks a person, which ignores them as well.
    Block(IdentityId),
    /// Ends ignoring and blocking.
    Unignore(IdentityId),
    /// The status of a conversation for this person. A request comes with the post that it consists of.
    Conversation(RoomId, ConversationStatus, Option<ClientId>),
    /// `None` means the default for a room of its kind.
    Level(RoomId, Option<Level>),
    Keywords(Vec<String>),
}

/// How many of a room's newest entries are looked at to count unread ones.
pub(crate) const UNREAD_WINDOW: u64 = 20_000;

/// A room with everything its task needs to continue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoomState {
    pub record: RoomRecord,
    /// The first stored seq; 1 as long as nothing was trimmed.
    pub first: Seq,
    /// The last entry, with its log time.
    pub last: Option<(Seq, Digest, u64)>,
    pub marks: Vec<(IdentityId, InstanceId, u64)>,
    pub members: Vec<(IdentityId, Role)>,
    pub standings: Vec<(IdentityId, Standing)>,
    /// When members last wrote, in log time. Only in slow mode, and only those who may have to wait.
    pub wrote_ms: Vec<(IdentityId, u64)>,
}

/// A stored value that differs from what was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The room it belongs to, if any, and that room's name for log lines.
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
    /// The first damaged values, up to [`Verified::LISTED_DAMAGES`].
    pub damaged: Vec<Damage>,
    /// Whether the search index is damaged. The server rebuilds it.
    pub index_is_damaged: bool,
}

impl Verified {
    /// The maximum number of damaged values that are listed. If there are more, a backup has to be restored anyway.
    pub const LISTED_DAMAGES: usize = 100;
}

/// Entries of one room that are written together.
#[derive(Clone, Debug)]
pub struct Append {
    pub room: RoomId,
    /// When the entries were accepted; by log time never earlier than the room's last entry.
    pub at: Stamp,
    /// At least one, consecutive.
    pub entries: Arc<Vec<Entry>>,
    /// What the entries change in the room's state.
    pub changes: Changes,
}

/// The limits of retention by age: entries at or after either of the first two times are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RetentionCutoff {
    /// The limit by log time.
    pub log_ms: u64,
    /// The limit by the wall clock.
    pub at_ms: u64,
    /// The current time of the wall clock.
    pub now_ms: u64,
}

/// Which entries of a room a page contains. Both kinds of page are in ascending order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// The oldest with a greater seq.
    After(Seq),
    /// The newest with a smaller seq.
    Before(Seq),
}

/// The size limit of a page. A page has at least one entry if there is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageLimit {
    pub entries: usize,
    pub bytes: usize,
}

/// The limits of one search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SearchLimit {
    pub entries: usize,
    /// How long it may read. `None`: as long as it takes.
    pub time: Option<Duration>,
}

impl SearchLimit {
    /// Returns the limit for this many entries, whatever time they take.
    pub const fn entries(entries: usize) -> Self {
        Self {
            entries,
            time: None,
        }
    }
}

impl PageLimit {
    /// The page limit of the protocol.
    pub const PAGE: Self = Self {
        entries: 200,
        bytes: 256 * 1024,
    };
}

#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Returns the id that this database was given when it was created.
    async fn server_id(&self) -> Result<ServerId, StoreError>;

    /// Returns a room with its head, marks and members, or `None` if there is no such room.
    async fn room(&self, id: RoomId) -> Result<Option<RoomState>, StoreError>;

    /// Returns all rooms that have a name, in list order.
    async fn named_rooms(&self) -> Result<Vec<RoomRecord>, StoreError>;

    /// Returns the rooms a person is a member of: preset rooms in list order, then conversations with the newest entry first, then other
    /// rooms by name.
    async fn memberships(&self, identity: IdentityId) -> Result<Vec<RoomRecord>, StoreError>;

    /// Adds a row to the audit log, for an act that changes nothing else in the store.
    async fn add_audit(&self, audit: NewAudit) -> Result<(), StoreError>;

    /// Returns the bans from the server. Those that have expired are included.
    async fn server_bans(&self) -> Result<Vec<BanRecord>, StoreError>;

    /// Returns how many rooms a person owns, not counting preset rooms and conversations.
    async fn rooms_owned(&self, identity: IdentityId) -> Result<usize, StoreError>;

    /// Returns the addresses from which devices of accounts signed in last, the newest first; at most `most`.
    async fn device_addresses(&self, most: usize) -> Result<Vec<String>, StoreError>;

    /// Returns the members of a room.
    async fn members(&self, room: RoomId) -> Result<Vec<IdentityId>, StoreError>;

    /// Returns some entries of a room, as amended so far. Missing ones are left out.
    async fn entries_at(&self, room: RoomId, seqs: Vec<Seq>) -> Result<Vec<Entry>, StoreError>;

    /// Returns the rooms a person is banned from. Bans that have expired are included.
    async fn bans(&self, identity: IdentityId) -> Result<Vec<(RoomId, Until)>, StoreError>;

    /// Returns a person's read position in a room. A new member has read up to the entry they joined with.
    async fn read_position(&self, room: RoomId, identity: IdentityId) -> Result<Seq, StoreError>;

    /// Raises read positions of members. A position that is not above the stored one changes nothing.
    async fn mark_read(&self, marks: Vec<(RoomId, IdentityId, Seq)>) -> Result<(), StoreError>;

    /// Counts a person's unread messages and mentions after `read`, up to `last`. Only the newest [`UNREAD_WINDOW`] entries are looked at.
    async fn unread(
        &self,
        room: RoomId,
        identity: IdentityId,
        read: Seq,
        last: Seq,
    ) -> Result<Unread, StoreError>;

    /// Returns the entries that mention a person, newest first, in the rooms they are a member of. Entries by people they ignore and
    /// conversations they have not accepted are left out.
    async fn mentions_of(
        &self,
        identity: IdentityId,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Searches the rooms a person is a member of, newest first. If [`Search::is_prefix`] is set,
    /// its last word also matches the beginning of a word,
    /// but only when fewer entries match with whole words than the limit. When the time of the limit is over, the result is partial.
    async fn search(
        &self,
        identity: IdentityId,
        search: Search,
        limit: SearchLimit,
    ) -> Result<SearchResults, StoreError>;

    /// Returns a person's status, settings and the time they were last connected.
    async fn personal(&self, identity: IdentityId) -> Result<Personal, StoreError>;

    /// Changes one part of a person's [`Personal`] data.
    async fn change_personal(
        &self,
        identity: IdentityId,
        change: PersonalChange,
    ) -> Result<(), StoreError>;

    /// Returns members of a room, most recently connected first.
    async fn recently_present(&self, room: RoomId, most: usize) -> Result<Vec<Person>, StoreError>;

    /// Returns the rooms a person is invited to and has not joined. Invitations by people they ignore are left out.
    async fn invitations(&self, identity: IdentityId) -> Result<Vec<RoomRecord>, StoreError>;

    /// Returns the newest message in a room.
    async fn last_message(&self, room: RoomId) -> Result<Option<Entry>, StoreError>;

    /// Creates a room with its first entry (seq 1) and members.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a room of that pair exists, or a room with that key and neither of the two is secret.
    async fn create_room(&self, record: RoomRecord, created: Append) -> Result<(), StoreError>;

    /// Changes a room's capacity and position, and its topic unless a member has set one. Nothing else is changed.
    async fn update_room(&self, record: RoomRecord) -> Result<(), StoreError>;

    /// Returns the conversation of two people, given in either order.
    async fn conversation(
        &self,
        one: IdentityId,
        other: IdentityId,
    ) -> Result<Option<RoomRecord>, StoreError>;

    /// Returns both sides of a conversation, or `None` if the room is no conversation.
    async fn conversation_sides(
        &self,
        room: RoomId,
    ) -> Result<Option<[ConversationSide; 2]>, StoreError>;

    /// Returns the conversations of a person that are not [`ConversationStatus::Open`] for them.
    async fn conversations_of(
        &self,
        person: IdentityId,
    ) -> Result<Vec<(RoomId, ConversationStatus)>, StoreError>;

    /// Returns what moderators did in a room before a seq, the newest first: topics, rules, invitations, decisions about people, and
    /// deletions of other people's messages.
    async fn moderation(
        &self,
        room: RoomId,
        before: Seq,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Appends entries durably; see the contract.
    async fn append(&self, append: Append) -> Result<(), StoreError>;

    /// Deletes a room's entries before a seq, in several small commits. The room then begins at that seq.
    async fn trim(&self, room: RoomId, first: Seq) -> Result<(), StoreError>;

    /// Returns the first entry that is recent enough by at least one of the clocks, or `None` if every entry is too old by both. An entry
    /// whose wall-clock time is in the future has a wrong time; for it only log time counts.
    async fn first_retained(
        &self,
        room: RoomId,
        since: RetentionCutoff,
    ) -> Result<Option<Seq>, StoreError>;

    /// Returns the stamp of the newest entry of all rooms by log time, or `None` if there are no entries.
    async fn newest(&self) -> Result<Option<Stamp>, StoreError>;

    /// Returns a page of a room's entries.
    async fn page(
        &self,
        room: RoomId,
        span: Span,
        limit: PageLimit,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Returns a person, or `None` if there is none with this id.
    async fn identity(&self, id: IdentityId) -> Result<Option<IdentityRecord>, StoreError>;

    /// Returns the account of a device, even if the device was revoked.
    async fn identity_by_device(
        &self,
        device: DeviceKey,
    ) -> Result<Option<(IdentityRecord, DeviceStatus)>, StoreError>;

    /// Returns the devices of an account that are not revoked, the most recent sign-in first.
    async fn devices(&self, account: IdentityId) -> Result<Vec<DeviceRecord>, StoreError>;

    /// Returns the account whose secret has a hash that begins with `hint`, and that hash. Protocol version 1
    /// recognised accounts by such a secret. Its hash is deleted when a device is added to the account.
    async fn identity_by_former_secret(
        &self,
        hint: [u8; 8],
    ) -> Result<Option<(IdentityRecord, SecretHash)>, StoreError>;

    /// Changes an account, and logs it as an administrative act if `audit` is given, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: see [`AccountChange`].
    async fn change_account(
        &self,
        change: AccountChange,
        audit: Option<NewAudit>,
    ) -> Result<(), StoreError>;

    /// Returns the rows of the audit log with numbers below `before`, newest first.
    async fn audit(&self, before: u64, most: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// Returns the invitations that can still be used, the latest expiry first.
    async fn invites(&self, now: Stamp) -> Result<Vec<InviteRecord>, StoreError>;

    /// Returns everyone whose current or most recent name has this key, except for removed accounts.
    async fn identities_named(&self, key: NameKey) -> Result<Vec<IdentityRecord>, StoreError>;

    /// Finds members of a room by name. Returns at most two for each key: two are enough to know that the name is ambiguous.
    async fn members_named(
        &self,
        room: RoomId,
        keys: Vec<NameKey>,
    ) -> Result<Vec<(NameKey, IdentityId)>, StoreError>;

    /// Returns all accounts that were not removed. Former names that are no longer reserved at log time `now_ms` are
    /// left out.
    async fn accounts(&self, now_ms: u64) -> Result<Vec<AccountRecord>, StoreError>;

    /// Returns how many messages of a person are stored.
    async fn messages_of(&self, identity: IdentityId) -> Result<u64, StoreError>;

    /// Adds a person, or updates their name and when they were last connected.
    async fn put_identity(&self, record: IdentityRecord, seen: Stamp) -> Result<(), StoreError>;

    /// Returns the guests of bridges and the removed accounts that are still members of a room.
    async fn guests(&self) -> Result<Vec<IdentityRecord>, StoreError>;

    /// Deletes a guest who will not be back. A guest with a conversation stays, because the other person sees their
    /// name.
    async fn forget_guest(&self, id: IdentityId) -> Result<(), StoreError>;

    /// Returns the identity that an operator's name is bound to, if any.
    async fn operator(&self, key: NameKey) -> Result<Option<IdentityId>, StoreError>;

    /// Binds an operator's name to the first identity that uses it. Returns the identity that the name is bound to.
    async fn bind_operator(
        &self,
        key: NameKey,
        identity: IdentityId,
    ) -> Result<IdentityId, StoreError>;

    /// Verifies all stored data and logs what is damaged. It works in small steps, so that other work can continue.
    ///
    /// # Errors
    /// The disk failed, or a page is damaged. A damaged value is not an error: it is shown as damaged, and everything else can be used.
    async fn verify(&self) -> Result<Verified, StoreError> {
        Ok(Verified::default())
    }

    /// Finishes all pending writes and closes the store.
    async fn close(&self) -> Result<(), StoreError>;
}

/// Returns the two people of a conversation in the order they are stored, the lower id first.
pub fn pair(one: IdentityId, other: IdentityId) -> (IdentityId, IdentityId) {
    if one <= other {
        (one, other)
    } else {
        (other, one)
    }
}
