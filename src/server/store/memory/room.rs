//! One room in memory, with its entries.

use super::{
    Amendment, Append, Body, Changes, Entry, IdentityId, Role, Seq, StoreError, StoredRoom,
};

impl StoredRoom {
    /// Whether a person owns the room, and the server did not make it.
    pub(super) fn is_owned_by(&self, identity: IdentityId) -> bool {
        let is_made = !self.record.is_preset() && self.record.pair.is_none();
        is_made && self.members.get(&identity) == Some(&Role::Owner)
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
        if changes.closed.is_some() {
            self.is_closed = true;
            self.record.key = None;
            self.members.clear();
            self.standings.clear();
            self.reads.clear();
        }
    }
}
