//! Deletion of old entries: the room's first seq is raised, then the entries before it are deleted in the background.

use std::collections::HashMap;
use std::sync::Arc;

use super::RoomTask;
use crate::chat::Retention;
use crate::chat::{NameKey, Seq, Stamp};
use crate::server::store::{RoomRecord, StoreError};
use crate::text;

/// Retention is checked again after this many entries.
const CHECK_INTERVAL: u64 = 100;
/// The retention of each room.
#[derive(Clone, Debug, Default)]
pub struct Retentions {
    pub others: Retention,
    pub rooms: HashMap<NameKey, Retention>,
}

impl Retentions {
    pub(super) fn of(&self, record: &RoomRecord) -> Retention {
        // A secret room may have the same name as a preset room, but must not get that room's retention.
        let key = record.key.as_ref().filter(|_| record.is_preset());
        let own = key.and_then(|key| self.rooms.get(key));
        own.copied().unwrap_or(self.others)
    }
}

impl RoomTask {
    /// Raises the room's first seq if old entries have expired. From then on nobody is shown the entries before it, so they can be deleted
    /// in the background.
    pub(super) async fn retain(&mut self, now: Stamp) -> Result<(), StoreError> {
        let head = self.room.head();
        if self.retention.keeps_everything() || head.seq < self.next_retention_check {
            return Ok(());
        }
        match self.trimming.take() {
            Some(trimming) if !trimming.is_finished() => {
                self.trimming = Some(trimming);
                return Ok(());
            }
            Some(trimming) => match trimming.await {
                Ok(Err(StoreError::Full) | Ok(())) | Err(_) => {}
                Ok(Err(error)) => return Err(error),
            },
            None => {}
        }
        self.next_retention_check = Seq(head.seq.0 + CHECK_INTERVAL);
        let by_number = self.retention.first_by_number(&head);
        let by_age = match self.retention.since(now) {
            Some(since) => self.store.first_retained(self.record.id, since).await?,
            None => None,
        };
        let first = by_number.max(by_age);
        let Some(first) = first.filter(|first| *first > head.first) else {
            return Ok(());
        };
        self.room.set_first(first);
        // Logged first: a crash in the middle must not leave a deletion without a log line.
        tracing::info!(
            room = %self.record.id, name = %text::line(&self.record.name), from = %head.first, to = %first.before(),
            rule = if by_age > by_number { "keep_for" } else { "keep" }, "deleting old messages"
        );
        let (store, room) = (Arc::clone(&self.store), self.record.id);
        self.trimming = Some(tokio::spawn(async move { store.trim(room, first).await }));
        Ok(())
    }
}
