//! A store that wraps another one and injects faults into its appends.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tchat::chat::{
    AuditEntry, ConversationSide, ConversationStatus, DeviceKey, Entry, IdentityId, NameKey,
    Person, RoomId, Search, SearchResults, SecretHash, Seq, ServerId, Stamp, Unread, Until,
};
use tchat::server::store::{
    AccountChange, AccountRecord, Append, BanRecord, DeviceRecord, DeviceStatus, IdentityRecord,
    InviteRecord, NewAudit, PageLimit, Personal, PersonalChange, RetentionCutoff, RoomRecord,
    RoomState, SearchLimit, Span, Store, StoreError,
};
use tokio::task::yield_now;

pub struct Faulty {
    pub inner: Arc<dyn Store>,
    /// Called before each append. If it returns an error, that is the result of the append.
    pub before: Box<dyn Fn() -> Option<StoreError> + Send + Sync>,
    /// Called when an append is durable, before its entries are delivered.
    pub after: Box<dyn Fn() + Send + Sync>,
    /// Called before each change of an account but the first device. If it returns an error, that is the result of the change.
    pub accounts: Box<dyn Fn() -> Option<StoreError> + Send + Sync>,
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for Faulty {
    async fn append(&self, append: Append) -> Result<(), StoreError> {
        if let Some(fault) = (self.before)() {
            return Err(fault);
        }
        self.inner.append(append).await?;
        (self.after)();
        Ok(())
    }
    async fn moderation(
        &self,
        room: RoomId,
        before: Seq,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.inner.moderation(room, before, most).await
    }
    async fn conversation_sides(
        &self,
        room: RoomId,
    ) -> Result<Option<[ConversationSide; 2]>, StoreError> {
        self.inner.conversation_sides(room).await
    }
    async fn conversations_of(
        &self,
        person: IdentityId,
    ) -> Result<Vec<(RoomId, ConversationStatus)>, StoreError> {
        self.inner.conversations_of(person).await
    }
    async fn server_id(&self) -> Result<ServerId, StoreError> {
        self.inner.server_id().await
    }
    async fn room(&self, id: RoomId) -> Result<Option<RoomState>, StoreError> {
        self.inner.room(id).await
    }
    async fn named_rooms(&self) -> Result<Vec<RoomRecord>, StoreError> {
        self.inner.named_rooms().await
    }
    async fn memberships(&self, identity: IdentityId) -> Result<Vec<RoomRecord>, StoreError> {
        self.inner.memberships(identity).await
    }
    async fn add_audit(&self, audit: NewAudit) -> Result<(), StoreError> {
        self.inner.add_audit(audit).await
    }
    async fn server_bans(&self) -> Result<Vec<BanRecord>, StoreError> {
        self.inner.server_bans().await
    }
    async fn rooms_owned(&self, identity: IdentityId) -> Result<usize, StoreError> {
        self.inner.rooms_owned(identity).await
    }
    async fn device_addresses(&self, most: usize) -> Result<Vec<String>, StoreError> {
        self.inner.device_addresses(most).await
    }
    async fn entries_at(&self, room: RoomId, seqs: Vec<Seq>) -> Result<Vec<Entry>, StoreError> {
        self.inner.entries_at(room, seqs).await
    }

    async fn bans(&self, identity: IdentityId) -> Result<Vec<(RoomId, Until)>, StoreError> {
        self.inner.bans(identity).await
    }

    async fn last_message(&self, room: RoomId) -> Result<Option<Entry>, StoreError> {
        self.inner.last_message(room).await
    }

    async fn members(&self, room: RoomId) -> Result<Vec<IdentityId>, StoreError> {
        self.inner.members(room).await
    }
    async fn create_room(&self, record: RoomRecord, created: Append) -> Result<(), StoreError> {
        self.inner.create_room(record, created).await
    }
    async fn update_room(&self, record: RoomRecord) -> Result<(), StoreError> {
        self.inner.update_room(record).await
    }
    async fn conversation(
        &self,
        one: IdentityId,
        other: IdentityId,
    ) -> Result<Option<RoomRecord>, StoreError> {
        self.inner.conversation(one, other).await
    }
    async fn trim(&self, room: RoomId, first: Seq) -> Result<(), StoreError> {
        self.inner.trim(room, first).await
    }
    async fn first_retained(
        &self,
        room: RoomId,
        since: RetentionCutoff,
    ) -> Result<Option<Seq>, StoreError> {
        self.inner.first_retained(room, since).await
    }
    async fn newest(&self) -> Result<Option<Stamp>, StoreError> {
        self.inner.newest().await
    }
    async fn page(
        &self,
        room: RoomId,
        span: Span,
        limit: PageLimit,
    ) -> Result<Vec<Entry>, StoreError> {
        self.inner.page(room, span, limit).await
    }
    async fn identity(&self, id: IdentityId) -> Result<Option<IdentityRecord>, StoreError> {
        self.inner.identity(id).await
    }
    async fn identity_by_device(
        &self,
        device: DeviceKey,
    ) -> Result<Option<(IdentityRecord, DeviceStatus)>, StoreError> {
        self.inner.identity_by_device(device).await
    }
    async fn devices(&self, account: IdentityId) -> Result<Vec<DeviceRecord>, StoreError> {
        self.inner.devices(account).await
    }
    async fn identity_by_former_secret(
        &self,
        hint: [u8; 8],
    ) -> Result<Option<(IdentityRecord, SecretHash)>, StoreError> {
        self.inner.identity_by_former_secret(hint).await
    }
    async fn change_account(
        &self,
        change: AccountChange,
        audit: Option<NewAudit>,
    ) -> Result<(), StoreError> {
        let is_sign_in = matches!(
            change,
            AccountChange::AddDevice(_) | AccountChange::SignedIn { .. }
        );
        if !is_sign_in && let Some(fault) = (self.accounts)() {
            return Err(fault);
        }
        // Like a disk, it lets others run meanwhile.
        yield_now().await;
        self.inner.change_account(change, audit).await
    }
    async fn audit(&self, before: u64, most: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.inner.audit(before, most).await
    }
    async fn invites(&self, now: Stamp) -> Result<Vec<InviteRecord>, StoreError> {
        self.inner.invites(now).await
    }
    async fn identities_named(&self, key: NameKey) -> Result<Vec<IdentityRecord>, StoreError> {
        self.inner.identities_named(key).await
    }
    async fn members_named(
        &self,
        room: RoomId,
        keys: Vec<NameKey>,
    ) -> Result<Vec<(NameKey, IdentityId)>, StoreError> {
        self.inner.members_named(room, keys).await
    }
    async fn accounts(&self, now_ms: u64) -> Result<Vec<AccountRecord>, StoreError> {
        self.inner.accounts(now_ms).await
    }
    async fn messages_of(&self, identity: IdentityId) -> Result<u64, StoreError> {
        self.inner.messages_of(identity).await
    }
    async fn put_identity(&self, record: IdentityRecord, seen: Stamp) -> Result<(), StoreError> {
        self.inner.put_identity(record, seen).await
    }
    async fn guests(&self) -> Result<Vec<IdentityRecord>, StoreError> {
        self.inner.guests().await
    }

    async fn forget_guest(&self, id: IdentityId) -> Result<(), StoreError> {
        self.inner.forget_guest(id).await
    }

    async fn operator(&self, key: NameKey) -> Result<Option<IdentityId>, StoreError> {
        self.inner.operator(key).await
    }
    async fn bind_operator(
        &self,
        key: NameKey,
        identity: IdentityId,
    ) -> Result<IdentityId, StoreError> {
        self.inner.bind_operator(key, identity).await
    }
    async fn read_position(&self, room: RoomId, identity: IdentityId) -> Result<Seq, StoreError> {
        self.inner.read_position(room, identity).await
    }

    async fn mark_read(&self, marks: Vec<(RoomId, IdentityId, Seq)>) -> Result<(), StoreError> {
        self.inner.mark_read(marks).await
    }

    async fn unread(
        &self,
        room: RoomId,
        identity: IdentityId,
        read: Seq,
        last: Seq,
    ) -> Result<Unread, StoreError> {
        self.inner.unread(room, identity, read, last).await
    }

    async fn mentions_of(
        &self,
        identity: IdentityId,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.inner.mentions_of(identity, most).await
    }

    async fn search(
        &self,
        identity: IdentityId,
        search: Search,
        limit: SearchLimit,
    ) -> Result<SearchResults, StoreError> {
        self.inner.search(identity, search, limit).await
    }

    async fn personal(&self, identity: IdentityId) -> Result<Personal, StoreError> {
        self.inner.personal(identity).await
    }

    async fn change_personal(
        &self,
        identity: IdentityId,
        change: PersonalChange,
    ) -> Result<(), StoreError> {
        self.inner.change_personal(identity, change).await
    }

    async fn recently_present(&self, room: RoomId, most: usize) -> Result<Vec<Person>, StoreError> {
        self.inner.recently_present(room, most).await
    }

    async fn invitations(&self, identity: IdentityId) -> Result<Vec<RoomRecord>, StoreError> {
        self.inner.invitations(identity).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}
