//! The store on embedded SQLite: one file, WAL with FULL sync, one writer, pooled readers.
//!
//! A power cut loses acknowledged rows with `synchronous = NORMAL` and none with FULL. The group commit in `writer` makes FULL affordable.

mod account_changes;
mod accounts;
mod audit_log;
mod backup;
mod bans;
mod conversations;
mod decode;
mod disk_space;
mod encode;
mod index;
mod moderation;
mod open_error;
mod page;
mod personal;
mod read;
mod readers;
mod schema;
mod search;
mod search_timer;
mod slow_mode;
mod verify;
mod verify_in_steps;
mod write;
mod writer;

use std::fs;
use std::io;
use std::path::Path;

use async_trait::async_trait;
use rusqlite::Connection;

pub use self::backup::{Backup, BackupError, Restored, backup, restore};
use self::disk_space::Space;
pub use self::open_error::OpenError;
use self::readers::Readers;
pub use self::verify::{quick_check, verify_file};
use self::writer::ConflictCheck::{BeforeWriting, WhileWriting};
use self::writer::Writer;
use super::{
    AccountChange, AccountRecord, Append, BanRecord, Damage, DeviceRecord, DeviceStatus,
    IdentityRecord, InviteRecord, NewAudit, PageLimit, Personal, PersonalChange, RetentionCutoff,
    RoomRecord, RoomState, SearchLimit, Span, Store, StoreError, Verified,
};
use crate::chat::{
    AuditEntry, ConversationSide, ConversationStatus, DeviceKey, Entry, IdentityId, NameKey,
    Person, RoomId, Search, SearchResults, SecretHash, Seq, ServerId, Stamp, Unread, Until,
};

/// How many entries are deleted in one commit, so that posts do not wait for long meanwhile.
const TRIM_ROWS: usize = 500;
/// How many reads may run at the same time. Further reads wait.
const READERS: usize = 4;
/// How many searches may run at the same time, besides other reads. More wait.
const SEARCHERS: usize = 2;

#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    /// For searches, so that nothing else waits for them.
    searchers: Readers,
}

impl SqliteStore {
    /// Opens the database and migrates an older one. If there is none, creates one with `fresh_id` as its server id.
    ///
    /// # Errors
    /// Which file cannot be used, and why. A file of a newer tchat is not touched.
    pub fn open(path: &Path, fresh_id: ServerId) -> Result<Self, OpenError> {
        let directory = path.parent().unwrap_or(path).to_owned();
        Self::open_with(path, fresh_id, move || disk_space::free(&directory))
    }

    /// Like [`SqliteStore::open`], with a function that returns how many bytes are free on the disk, or `None` if that is unknown.
    ///
    /// # Errors
    /// See [`SqliteStore::open`].
    pub fn open_with(
        path: &Path,
        fresh_id: ServerId,
        free: impl FnMut() -> Option<u64> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let cause = |cause| OpenError::of(path, cause);
        let mut connection = Connection::open(path).map_err(cause)?;
        schema::prepare(&mut connection, path, fresh_id)?;
        let writer = Writer::start(connection, path, Space::new(free)).map_err(|error| {
            cause(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
                Some(error.to_string()),
            ))
        })?;
        Ok(Self {
            writer,
            readers: Readers::new(path, READERS),
            searchers: Readers::new(path, SEARCHERS),
        })
    }

    /// Records that the search index is damaged, so that it is rebuilt. If the disk is full, nothing is
    /// recorded; a later search or verification finds the damage again.
    async fn note_index_damage(&self, damage: index::IndexDamage) -> Result<(), StoreError> {
        let note = move |db: &Connection| Ok(index::note_damage(db, &damage)?);
        match self.writer.run(1, BeforeWriting, note).await {
            Err(StoreError::Full) => Ok(()),
            noted => noted,
        }
    }

    /// Runs a query on a pooled connection, in a thread where blocking is allowed.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(move |db| query(db)).await
    }
}

/// Logs a damaged value.
fn log(damage: &Damage) {
    let room = damage.room.as_ref();
    tracing::error!(
        room = room.map(|(_, name)| name.trim_start_matches('#')),
        room_id = room.map(|(id, _)| id.to_string()),
        seq = damage.seq.map(|seq| seq.0),
        what = damage.what,
        "stored value is damaged"
    );
}

/// Whether a database is missing, or has no tables. An empty file is not opened: SQLite would delete the write-ahead
/// log beside it, which may contain all the data.
pub(crate) fn is_missing_or_empty(path: &Path) -> bool {
    match fs::metadata(path) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(file) if file.len() == 0 => true,
        Ok(_) => {
            let tables = readers::open(path).and_then(|db| {
                db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            });
            matches!(tables, Ok(0_i64))
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn server_id(&self) -> Result<ServerId, StoreError> {
        self.read(read::server_id).await
    }

    async fn room(&self, id: RoomId) -> Result<Option<RoomState>, StoreError> {
        self.read(move |db| read::room(db, id)).await
    }

    async fn named_rooms(&self) -> Result<Vec<RoomRecord>, StoreError> {
        self.read(read::named_rooms).await
    }

    async fn memberships(&self, identity: IdentityId) -> Result<Vec<RoomRecord>, StoreError> {
        self.read(move |db| read::memberships(db, identity)).await
    }

    async fn add_audit(&self, audit: NewAudit) -> Result<(), StoreError> {
        self.writer
            .run(1, WhileWriting, move |db| audit_log::add(db, &audit))
            .await
    }

    async fn server_bans(&self) -> Result<Vec<BanRecord>, StoreError> {
        self.read(bans::all).await
    }

    async fn rooms_owned(&self, identity: IdentityId) -> Result<usize, StoreError> {
        self.read(move |db| read::rooms_owned(db, identity)).await
    }

    async fn device_addresses(&self, most: usize) -> Result<Vec<String>, StoreError> {
        self.read(move |db| accounts::device_addresses(db, most))
            .await
    }

    async fn entries_at(&self, room: RoomId, seqs: Vec<Seq>) -> Result<Vec<Entry>, StoreError> {
        self.read(move |db| page::entries_at(db, room, &seqs)).await
    }

    async fn bans(&self, identity: IdentityId) -> Result<Vec<(RoomId, Until)>, StoreError> {
        self.read(move |db| read::bans(db, identity)).await
    }

    async fn read_position(&self, room: RoomId, identity: IdentityId) -> Result<Seq, StoreError> {
        self.read(move |db| personal::read_position(db, room, identity))
            .await
    }

    async fn mark_read(&self, marks: Vec<(RoomId, IdentityId, Seq)>) -> Result<(), StoreError> {
        self.writer
            .run(marks.len(), BeforeWriting, move |db| {
                personal::mark_read(db, &marks)
            })
            .await
    }

    async fn unread(
        &self,
        room: RoomId,
        identity: IdentityId,
        read: Seq,
        last: Seq,
    ) -> Result<Unread, StoreError> {
        self.read(move |db| personal::unread(db, room, identity, read, last))
            .await
    }

    async fn mentions_of(
        &self,
        identity: IdentityId,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.read(move |db| personal::mentions_of(db, identity, most))
            .await
    }

    async fn search(
        &self,
        identity: IdentityId,
        search: Search,
        limit: SearchLimit,
    ) -> Result<SearchResults, StoreError> {
        let find = move |db: &mut Connection| search::search(db, identity, &search, limit);
        let found = self.searchers.run(find);
        let (found, damage) = found.await?;
        if let Some(damage) = damage {
            self.note_index_damage(damage).await?;
        }
        Ok(found)
    }

    async fn personal(&self, identity: IdentityId) -> Result<Personal, StoreError> {
        self.read(move |db| personal::personal(db, identity)).await
    }

    async fn change_personal(
        &self,
        identity: IdentityId,
        change: PersonalChange,
    ) -> Result<(), StoreError> {
        self.writer
            .run(1, BeforeWriting, move |db| {
                personal::change_personal(db, identity, &change)
            })
            .await
    }

    async fn recently_present(&self, room: RoomId, most: usize) -> Result<Vec<Person>, StoreError> {
        self.read(move |db| personal::recently_present(db, room, most))
            .await
    }

    async fn invitations(&self, identity: IdentityId) -> Result<Vec<RoomRecord>, StoreError> {
        self.read(move |db| personal::invitations(db, identity))
            .await
    }

    async fn last_message(&self, room: RoomId) -> Result<Option<Entry>, StoreError> {
        self.read(move |db| read::last_message(db, room)).await
    }

    async fn members(&self, room: RoomId) -> Result<Vec<IdentityId>, StoreError> {
        self.read(move |db| read::members(db, room)).await
    }

    async fn create_room(&self, record: RoomRecord, created: Append) -> Result<(), StoreError> {
        let rows = created.entries.len();
        self.writer
            .run(rows, WhileWriting, move |db| {
                write::create_room(db, &record, &created)
            })
            .await
    }

    async fn update_room(&self, record: RoomRecord) -> Result<(), StoreError> {
        self.writer
            .run(1, WhileWriting, move |db| write::update_room(db, &record))
            .await
    }

    async fn conversation(
        &self,
        one: IdentityId,
        other: IdentityId,
    ) -> Result<Option<RoomRecord>, StoreError> {
        self.read(move |db| read::conversation(db, one, other))
            .await
    }

    async fn conversation_sides(
        &self,
        room: RoomId,
    ) -> Result<Option<[ConversationSide; 2]>, StoreError> {
        self.read(move |db| conversations::sides(db, room)).await
    }

    async fn conversations_of(
        &self,
        person: IdentityId,
    ) -> Result<Vec<(RoomId, ConversationStatus)>, StoreError> {
        self.read(move |db| conversations::of_person(db, person))
            .await
    }

    async fn moderation(
        &self,
        room: RoomId,
        before: Seq,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.read(move |db| moderation::entries(db, room, before, most))
            .await
    }

    async fn append(&self, append: Append) -> Result<(), StoreError> {
        let rows = append.entries.len();
        self.writer
            .run(rows, BeforeWriting, move |db| write::append(db, &append))
            .await
    }

    async fn trim(&self, room: RoomId, first: Seq) -> Result<(), StoreError> {
        loop {
            let trim = move |db: &Connection| write::trim(db, room, first);
            if self.writer.run(TRIM_ROWS, BeforeWriting, trim).await? {
                return Ok(());
            }
        }
    }

    async fn first_retained(
        &self,
        room: RoomId,
        since: RetentionCutoff,
    ) -> Result<Option<Seq>, StoreError> {
        self.read(move |db| read::first_retained(db, room, since))
            .await
    }

    async fn newest(&self) -> Result<Option<Stamp>, StoreError> {
        self.read(read::newest).await
    }

    async fn page(
        &self,
        room: RoomId,
        span: Span,
        limit: PageLimit,
    ) -> Result<Vec<Entry>, StoreError> {
        self.read(move |db| page::page(db, room, span, limit)).await
    }

    async fn identity(&self, id: IdentityId) -> Result<Option<IdentityRecord>, StoreError> {
        self.read(move |db| read::identity(db, id)).await
    }

    async fn identity_by_device(
        &self,
        device: DeviceKey,
    ) -> Result<Option<(IdentityRecord, DeviceStatus)>, StoreError> {
        self.read(move |db| accounts::identity_by_device(db, device))
            .await
    }

    async fn devices(&self, account: IdentityId) -> Result<Vec<DeviceRecord>, StoreError> {
        self.read(move |db| accounts::devices(db, account)).await
    }

    async fn identity_by_former_secret(
        &self,
        hint: [u8; 8],
    ) -> Result<Option<(IdentityRecord, SecretHash)>, StoreError> {
        self.read(move |db| accounts::identity_by_former_secret(db, hint))
            .await
    }

    async fn change_account(
        &self,
        change: AccountChange,
        audit: Option<NewAudit>,
    ) -> Result<(), StoreError> {
        self.writer
            .run(1, WhileWriting, move |db| {
                account_changes::change(db, &change)?;
                match audit {
                    Some(audit) => audit_log::add(db, &audit),
                    None => Ok(()),
                }
            })
            .await
    }

    async fn audit(&self, before: u64, most: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.read(move |db| audit_log::before(db, before, most))
            .await
    }

    async fn invites(&self, now: Stamp) -> Result<Vec<InviteRecord>, StoreError> {
        self.read(move |db| accounts::invites(db, now)).await
    }

    async fn identities_named(&self, key: NameKey) -> Result<Vec<IdentityRecord>, StoreError> {
        self.read(move |db| read::identities_named(db, &key)).await
    }

    async fn members_named(
        &self,
        room: RoomId,
        keys: Vec<NameKey>,
    ) -> Result<Vec<(NameKey, IdentityId)>, StoreError> {
        self.read(move |db| personal::members_named(db, room, keys))
            .await
    }

    async fn accounts(&self, now_ms: u64) -> Result<Vec<AccountRecord>, StoreError> {
        self.read(move |db| accounts::accounts(db, now_ms)).await
    }

    async fn messages_of(&self, identity: IdentityId) -> Result<u64, StoreError> {
        self.read(move |db| accounts::messages_of(db, identity))
            .await
    }

    async fn put_identity(&self, record: IdentityRecord, seen: Stamp) -> Result<(), StoreError> {
        self.writer
            .run(1, WhileWriting, move |db| {
                write::put_identity(db, &record, seen)
            })
            .await
    }

    async fn guests(&self) -> Result<Vec<IdentityRecord>, StoreError> {
        self.read(read::guests).await
    }

    async fn forget_guest(&self, id: IdentityId) -> Result<(), StoreError> {
        self.writer
            .run(1, BeforeWriting, move |db| write::forget_guest(db, id))
            .await
    }

    async fn operator(&self, key: NameKey) -> Result<Option<IdentityId>, StoreError> {
        self.read(move |db| read::operator(db, &key)).await
    }

    async fn bind_operator(
        &self,
        key: NameKey,
        identity: IdentityId,
    ) -> Result<IdentityId, StoreError> {
        self.writer
            .run(1, WhileWriting, move |db| {
                write::bind_operator(db, &key, identity)
            })
            .await
    }

    async fn verify(&self) -> Result<Verified, StoreError> {
        self.verify_in_steps().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.writer.close().await
    }
}
