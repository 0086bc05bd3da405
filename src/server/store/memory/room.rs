//! One room in memory, with its entries.

use std::collections::{BTreeMap, HashMap};

use super::{
    Amendment, Append, Body, Changes, ConversationStatus, Entry, IdentityId, MemoryState,
    PageLimit, Role, RoomKind, RoomRecord, Seq, Span, StoreError, StoredRoom,
};

impl MemoryState {
    pub(super) fn create_room(
        &mut self,
        record: RoomRecord,
        created: Append,
    ) -> Result<(), StoreError> {
        let is_open = |it: &RoomRecord| it.key.is_some() && it.kind != RoomKind::Secret;
        let clashes = |other: &RoomRecord| {
            other.id == record.id
                || (is_open(&record) && is_open(other) && other.key == record.key)
                || (record.pair.is_some() && other.pair == record.pair)
        };
        if self.rooms.values().any(|room| clashes(&room.record)) {
            return Err(StoreError::Conflict);
        }
        let id = record.id;
        let mut room = StoredRoom {
            record,
            entries: Vec::new(),
            stamps: Vec::new(),
            marks: HashMap::new(),
            members: BTreeMap::new(),
            standings: BTreeMap::new(),
            reads: HashMap::new(),
            sides: HashMap::new(),
            topic_is_set: false,
            is_closed: false,
        };
        let request_to = created.changes.request_to;
        room.append(created)?;
        let side = |person| (person, (ConversationStatus::Unsent, None));
        room.sides.extend(request_to.map(side));
        self.rooms.insert(id, room);
        Ok(())
    }
}

impl StoredRoom {
    /// Whether a person owns the room, and the server did not make it.
    pub(super) fn is_owned_by(&self, identity: IdentityId) -> bool {
        let is_made = !self.record.is_preset() && self.record.pair.is_none();
        let standing = self.standings.get(&identity);
        // Somebody who left is the owner again when they return.
        let role = self.members.get(&identity).copied();
        is_made && role.or(standing.and_then(|it| it.role)) == Some(Role::Owner)
    }

    pub(super) fn append(&mut self, append: Append) -> Result<(), StoreError> {
        let last = self.entries.last().map_or(Seq::ZERO, |entry| entry.seq);
        let follows = append
            .entries
            .iter()
            .zip(1..)
            .all(|(entry, n)| entry.seq.0 == last.0 + n);
        if !follows || append.entries.is_empty() {
            return Err(StoreError::Conflict);
        }
        for entry in append.entries.iter() {
            if let Some(id) = entry.client_id {
                self.marks
                    .insert((entry.author.id, id.instance), id.counter);
            }
            self.amend(entry);
            if matches!(entry.body, Body::Joined(_) | Body::Created) {
                self.reads.insert(entry.author.id, entry.seq);
            }
            self.entries.push(entry.clone());
            self.stamps.push(append.at);
        }
        self.change(append.changes);
        Ok(())
    }

    /// Returns when members last wrote since slow mode was turned on.
    pub(super) fn wrote_ms(&self) -> Vec<(IdentityId, u64)> {
        let slow_s = self.record.rules.slow_s;
        let is_slow = |entry: &Entry| match &entry.body {
            Body::Rules(rules) => Some(rules.slow_s > 0),
            _ => None,
        };
        let newest_first = || self.entries.iter().zip(&self.stamps).rev();
        let changes = newest_first().filter_map(|(entry, _)| Some((entry.seq, is_slow(entry)?)));
        let begun = changes.take_while(|(_, is_slow)| *is_slow).last();
        let Some((begun, _)) = begun.filter(|_| slow_s > 0) else {
            return Vec::new();
        };
        let now_ms = self.stamps.last().map_or(0, |at| at.log_ms);
        let since_ms = now_ms.saturating_sub(u64::from(slow_s) * 1000);
        let mut wrote = HashMap::new();
        for (entry, at) in newest_first().take_while(|(entry, _)| entry.seq > begun) {
            let is_message = entry.body.is_message() || matches!(entry.body, Body::Erased(_));
            if is_message && at.log_ms >= since_ms {
                wrote.entry(entry.author.id).or_insert(at.log_ms);
            }
        }
        wrote.into_iter().collect()
    }

    /// Returns what moderators did before a seq, the newest first.
    pub(super) fn moderation(&self, before: Seq, most: usize) -> Vec<Entry> {
        let author = |seq: Seq| {
            let target = self.entries.iter().find(|entry| entry.seq == seq);
            target.map(|entry| entry.author.id)
        };
        let is_moderation = |entry: &&Entry| match &entry.body {
            Body::Topic(_) | Body::Rules(_) | Body::Ruling(..) | Body::Closed => true,
            Body::Amendment { target, what } if *what == Amendment::Erase => {
                author(*target) != Some(entry.author.id)
            }
            _ => false,
        };
        let earlier = self.entries.iter().rev().filter(|it| it.seq < before);
        earlier.filter(is_moderation).take(most).cloned().collect()
    }

    pub(super) fn page(&self, span: Span, limit: PageLimit) -> Vec<Entry> {
        let mut page = Vec::new();
        let mut bytes = 0;
        let mut take = |entry: &Entry| {
            bytes += entry.estimated_size();
            if page.len() == limit.entries || (bytes > limit.bytes && !page.is_empty()) {
                return false;
            }
            page.push(entry.clone());
            true
        };
        match span {
            Span::After(seq) => {
                let _ = self
                    .entries
                    .iter()
                    .filter(|entry| entry.seq > seq)
                    .all(&mut take);
            }
            Span::Before(seq) => {
                let _ = self
                    .entries
                    .iter()
                    .rev()
                    .filter(|entry| entry.seq < seq)
                    .all(&mut take);
                page.reverse();
            }
        }
        page
    }

    fn amend(&mut self, by: &Entry) {
        let Body::Amendment { target, what } = &by.body else {
            return;
        };
        for entry in &mut self.entries {
            entry.amend(by);
            if *what == Amendment::Erase {
                entry.erase_edit_of(*target);
            }
        }
    }

    fn change(&mut self, changes: Changes) {
        for (identity, role) in changes.members {
            if let Some(role) = role {
                self.members.insert(identity, role);
            } else {
                self.members.remove(&identity);
                self.reads.remove(&identity);
            }
        }
        for (identity, standing) in changes.standings {
            if standing.is_empty() {
                self.standings.remove(&identity);
            } else {
                self.standings.insert(identity, standing);
            }
        }
        if let Some(topic) = changes.topic {
            self.record.topic = topic;
            self.topic_is_set = true;
        }
        if let Some(rules) = changes.rules {
            self.record.rules = rules;
        }
        if changes.closed.is_some() {
            self.is_closed = true;
            self.record.key = None;
            self.members.clear();
            self.standings.clear();
            self.reads.clear();
        }
    }
}
