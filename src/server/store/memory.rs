//! A store in memory, for tests. It follows the same contract, but nothing survives the process.

mod accounts;
mod conversations;
mod personal;
mod room;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use self::accounts::Accounts;
use super::{
    AccountChange, AccountRecord, Append, BanRecord, DeviceRecord, DeviceStatus, IdentityRecord,
    InviteRecord, NewAudit, PageLimit, Personal, PersonalChange, RetentionCutoff, RoomRecord,
    RoomState, SearchLimit, Span, Store, StoreError, pair,
};
use crate::chat::{
    Amendment, AuditEntry, Body, Changes, ClientId, ConversationSide, ConversationStatus,
    DeviceKey, Entry, IdentityId, InstanceId, NameKey, Person, Role, RoomId, RoomKind, Search,
    SearchResults, SecretHash, Seq, ServerId, Stamp, Standing, Unread, Until,
};

#[derive(Debug)]
pub struct MemoryStore {
    server_id: ServerId,
    state: Mutex<MemoryState>,
}

#[derive(Debug, Default)]
struct MemoryState {
    rooms: HashMap<RoomId, StoredRoom>,
    identities: HashMap<IdentityId, IdentityRecord>,
    accounts: Accounts,
    personal: HashMap<IdentityId, Personal>,
    operators: HashMap<NameKey, IdentityId>,
}

#[derive(Debug)]
struct StoredRoom {
    record: RoomRecord,
    entries: Vec<Entry>,
    /// For each entry, when it was accepted.
    stamps: Vec<Stamp>,
    marks: HashMap<(IdentityId, InstanceId), u64>,
    members: BTreeMap<IdentityId, Role>,
    standings: BTreeMap<IdentityId, Standing>,
    reads: HashMap<IdentityId, Seq>,
    /// Its status for each of its two people, if it is a conversation that is not open for both.
    sides: HashMap<IdentityId, (ConversationStatus, Option<ClientId>)>,
    topic_is_set: bool,
    is_closed: bool,
}

impl MemoryStore {
    pub fn new(server_id: ServerId) -> Self {
        Self {
            server_id,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryState {
    /// Returns the entries of a room, the oldest first.
    fn entries(&self, room: RoomId) -> impl DoubleEndedIterator<Item = &Entry> {
        self.rooms.get(&room).into_iter().flat_map(|it| &it.entries)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn server_id(&self) -> Result<ServerId, StoreError> {
        Ok(self.server_id)
    }

    async fn room(&self, id: RoomId) -> Result<Option<RoomState>, StoreError> {
        let state = self.lock();
        let open = state.rooms.get(&id).filter(|room| !room.is_closed);
        Ok(open.map(|room| RoomState {
            wrote_ms: room.wrote_ms(),
            record: room.record.clone(),
            first: room.entries.first().map_or(Seq(1), |entry| entry.seq),
            last: room
                .entries
                .last()
                .zip(room.stamps.last())
                .map(|(entry, at)| (entry.seq, entry.digest, at.log_ms)),
            marks: room
                .marks
                .iter()
                .map(|((identity, instance), counter)| (*identity, *instance, *counter))
                .collect(),
            members: room
                .members
                .iter()
                .map(|(identity, role)| (*identity, *role))
                .collect(),
            standings: room
                .standings
                .iter()
                .map(|(identity, standing)| (*identity, standing.clone()))
                .collect(),
        }))
    }

    async fn named_rooms(&self) -> Result<Vec<RoomRecord>, StoreError> {
        let mut rooms: Vec<RoomRecord> = self
            .lock()
            .rooms
            .values()
            .filter(|room| room.record.kind != RoomKind::Conversation && !room.is_closed)
            .map(|room| room.record.clone())
            .collect();
        rooms.sort_by(|one, other| (one.position, &one.name).cmp(&(other.position, &other.name)));
        Ok(rooms)
    }

    async fn memberships(&self, identity: IdentityId) -> Result<Vec<RoomRecord>, StoreError> {
        let state = self.lock();
        let mut mine: Vec<&StoredRoom> = state
            .rooms
            .values()
            .filter(|room| room.members.contains_key(&identity))
            .collect();
        mine.sort_by_key(|room| {
            let newest = room.entries.last().map_or(0, |entry| entry.at_ms);
            (
                room.record.position,
                room.record.name.clone(),
                std::cmp::Reverse(newest),
                room.record.id,
            )
        });
        Ok(mine.into_iter().map(|room| room.record.clone()).collect())
    }

    async fn add_audit(&self, audit: NewAudit) -> Result<(), StoreError> {
        self.lock().accounts.audit.push(audit);
        Ok(())
    }

    async fn server_bans(&self) -> Result<Vec<BanRecord>, StoreError> {
        Ok(self.lock().accounts.bans.clone())
    }

    async fn rooms_owned(&self, identity: IdentityId) -> Result<usize, StoreError> {
        let stored = self.lock();
        Ok(stored
            .rooms
            .values()
            .filter(|it| it.is_owned_by(identity))
            .count())
    }

    async fn device_addresses(&self, most: usize) -> Result<Vec<String>, StoreError> {
        Ok(self.lock().accounts.addresses(most))
    }

    async fn members(&self, room: RoomId) -> Result<Vec<IdentityId>, StoreError> {
        Ok(self
            .lock()
            .rooms
            .get(&room)
            .map(|room| room.members.keys().copied().collect())
            .unwrap_or_default())
    }

    async fn entries_at(&self, room: RoomId, seqs: Vec<Seq>) -> Result<Vec<Entry>, StoreError> {
        let state = self.lock();
        let wanted = state.entries(room).filter(|it| seqs.contains(&it.seq));
        Ok(wanted.cloned().collect())
    }

    async fn bans(&self, identity: IdentityId) -> Result<Vec<(RoomId, Until)>, StoreError> {
        let state = self.lock();
        let of = |(id, room): (&RoomId, &StoredRoom)| {
            let standing = room.standings.get(&identity)?;
            Some((*id, standing.banned?))
        };
        Ok(state.rooms.iter().filter_map(of).collect())
    }

    async fn read_position(&self, room: RoomId, identity: IdentityId) -> Result<Seq, StoreError> {
        Ok(self.lock().read_position(room, identity))
    }

    async fn mark_read(&self, marks: Vec<(RoomId, IdentityId, Seq)>) -> Result<(), StoreError> {
        self.lock().mark_read(marks);
        Ok(())
    }

    async fn unread(
        &self,
        room: RoomId,
        identity: IdentityId,
        read: Seq,
        last: Seq,
    ) -> Result<Unread, StoreError> {
        Ok(self.lock().unread(room, identity, read, last))
    }

    async fn mentions_of(
        &self,
        identity: IdentityId,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        Ok(self.lock().mentions_of(identity, most))
    }

    async fn search(
        &self,
        identity: IdentityId,
        search: Search,
        limit: SearchLimit,
    ) -> Result<SearchResults, StoreError> {
        Ok(self.lock().search(identity, &search, limit.entries))
    }

    async fn personal(&self, identity: IdentityId) -> Result<Personal, StoreError> {
        Ok(self.lock().personal(identity))
    }

    async fn change_personal(
        &self,
        identity: IdentityId,
        change: PersonalChange,
    ) -> Result<(), StoreError> {
        self.lock().change_personal(identity, change);
        Ok(())
    }

    async fn recently_present(&self, room: RoomId, most: usize) -> Result<Vec<Person>, StoreError> {
        Ok(self.lock().recently_present(room, most))
    }

    async fn invitations(&self, identity: IdentityId) -> Result<Vec<RoomRecord>, StoreError> {
        Ok(self.lock().invitations(identity))
    }

    async fn last_message(&self, room: RoomId) -> Result<Option<Entry>, StoreError> {
        let state = self.lock();
        let mut messages = state.entries(room).filter(|it| it.body.is_message());
        Ok(messages.next_back().cloned())
    }

    async fn create_room(&self, record: RoomRecord, created: Append) -> Result<(), StoreError> {
        self.lock().create_room(record, created)
    }

    async fn update_room(&self, record: RoomRecord) -> Result<(), StoreError> {
        if let Some(room) = self.lock().rooms.get_mut(&record.id) {
            if !room.topic_is_set {
                room.record.topic = record.topic;
            }
            room.record.capacity = record.capacity;
            room.record.position = record.position;
        }
        Ok(())
    }

    async fn conversation(
        &self,
        one: IdentityId,
        other: IdentityId,
    ) -> Result<Option<RoomRecord>, StoreError> {
        let wanted = Some(pair(one, other));
        Ok(self
            .lock()
            .rooms
            .values()
            .find(|room| room.record.pair == wanted)
            .map(|room| room.record.clone()))
    }

    async fn conversation_sides(
        &self,
        room: RoomId,
    ) -> Result<Option<[ConversationSide; 2]>, StoreError> {
        Ok(self.lock().conversation_sides(room))
    }

    async fn conversations_of(
        &self,
        person: IdentityId,
    ) -> Result<Vec<(RoomId, ConversationStatus)>, StoreError> {
        Ok(self.lock().conversations_of(person))
    }

    async fn moderation(
        &self,
        room: RoomId,
        before: Seq,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let state = self.lock();
        let room = state.rooms.get(&room);
        Ok(room.map_or_else(Vec::new, |room| room.moderation(before, most)))
    }

    async fn append(&self, append: Append) -> Result<(), StoreError> {
        match self.lock().rooms.get_mut(&append.room) {
            Some(room) => room.append(append),
            None => Err(StoreError::Conflict),
        }
    }

    async fn trim(&self, room: RoomId, first: Seq) -> Result<(), StoreError> {
        if let Some(room) = self.lock().rooms.get_mut(&room) {
            let last = room.entries.last().map_or(Seq::ZERO, |entry| entry.seq);
            let first = first.min(last);
            let gone = room.entries.partition_point(|entry| entry.seq < first);
            room.entries.drain(..gone);
            room.stamps.drain(..gone);
        }
        Ok(())
    }

    async fn first_retained(
        &self,
        room: RoomId,
        since: RetentionCutoff,
    ) -> Result<Option<Seq>, StoreError> {
        let state = self.lock();
        let Some(room) = state.rooms.get(&room) else {
            return Ok(None);
        };
        let is_kept = |(entry, at): &(&Entry, &Stamp)| {
            at.log_ms >= since.log_ms || (since.at_ms..=since.now_ms).contains(&entry.at_ms)
        };
        let found = room.entries.iter().zip(&room.stamps).find(is_kept);
        Ok(found.map(|(entry, _)| entry.seq))
    }

    async fn newest(&self) -> Result<Option<Stamp>, StoreError> {
        let state = self.lock();
        let newest = state.rooms.values().filter_map(|room| room.stamps.last());
        Ok(newest.max_by_key(|at| at.log_ms).copied())
    }

    async fn page(
        &self,
        room: RoomId,
        span: Span,
        limit: PageLimit,
    ) -> Result<Vec<Entry>, StoreError> {
        let state = self.lock();
        let room = state.rooms.get(&room);
        Ok(room.map_or_else(Vec::new, |room| room.page(span, limit)))
    }

    async fn identity(&self, id: IdentityId) -> Result<Option<IdentityRecord>, StoreError> {
        Ok(self.lock().identities.get(&id).cloned())
    }

    async fn identity_by_device(
        &self,
        device: DeviceKey,
    ) -> Result<Option<(IdentityRecord, DeviceStatus)>, StoreError> {
        let state = self.lock();
        let Some(stored) = state.accounts.devices.get(&device) else {
            return Ok(None);
        };
        let account = state.identities.get(&stored.account).cloned();
        Ok(account.map(|account| (account, stored.status)))
    }

    async fn devices(&self, account: IdentityId) -> Result<Vec<DeviceRecord>, StoreError> {
        Ok(self.lock().accounts.devices_of(account))
    }

    async fn identity_by_former_secret(
        &self,
        _hint: [u8; 8],
    ) -> Result<Option<(IdentityRecord, SecretHash)>, StoreError> {
        Ok(None)
    }

    async fn change_account(
        &self,
        change: AccountChange,
        audit: Option<NewAudit>,
    ) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.change_account(change)?;
        state.accounts.audit.extend(audit);
        Ok(())
    }

    async fn audit(&self, before: u64, most: usize) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self.lock().accounts.audit_before(before, most))
    }

    async fn invites(&self, now: Stamp) -> Result<Vec<InviteRecord>, StoreError> {
        let state = self.lock();
        let mut invites: Vec<InviteRecord> = state.accounts.invites.values().cloned().collect();
        invites.retain(|it| it.is_open(now));
        invites.sort_by_key(|it| (std::cmp::Reverse(it.expires.log_ms), it.hash));
        Ok(invites)
    }

    async fn members_named(
        &self,
        room: RoomId,
        keys: Vec<NameKey>,
    ) -> Result<Vec<(NameKey, IdentityId)>, StoreError> {
        Ok(self.lock().members_named(room, keys))
    }

    async fn identities_named(&self, key: NameKey) -> Result<Vec<IdentityRecord>, StoreError> {
        let state = self.lock();
        let named = state.identities.values();
        let named = named.filter(|it| it.name.key() == key && !state.accounts.is_removed(it.id));
        Ok(named.cloned().collect())
    }

    async fn accounts(&self, now_ms: u64) -> Result<Vec<AccountRecord>, StoreError> {
        Ok(self.lock().accounts(now_ms))
    }

    async fn messages_of(&self, identity: IdentityId) -> Result<u64, StoreError> {
        Ok(self.lock().messages_of(identity))
    }

    async fn put_identity(&self, record: IdentityRecord, seen: Stamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.personal.entry(record.id).or_default().seen_ms = seen.at_ms;
        state
            .accounts
            .facts
            .entry(record.id)
            .or_default()
            .seen_log_ms = seen.log_ms;
        state.identities.insert(record.id, record);
        Ok(())
    }

    async fn guests(&self) -> Result<Vec<IdentityRecord>, StoreError> {
        let state = self.lock();
        let is_member = |id| state.rooms.values().any(|it| it.members.contains_key(id));
        let guests = state.identities.values();
        let guests = guests.filter(|it| {
            (it.via.is_bridge() || state.accounts.is_removed(it.id)) && is_member(&it.id)
        });
        Ok(guests.cloned().collect())
    }

    async fn forget_guest(&self, id: IdentityId) -> Result<(), StoreError> {
        self.lock().forget_guest(id);
        Ok(())
    }

    async fn operator(&self, key: NameKey) -> Result<Option<IdentityId>, StoreError> {
        Ok(self.lock().operators.get(&key).copied())
    }

    async fn bind_operator(
        &self,
        key: NameKey,
        identity: IdentityId,
    ) -> Result<IdentityId, StoreError> {
        Ok(*self.lock().operators.entry(key).or_insert(identity))
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
