//! Read positions: raised in memory at once; stored, and sent to a person's other sessions, once a second.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use super::Hub;
use crate::chat::{IdentityId, RoomId, Seq, Unread};
use crate::server::room::RoomHead;
use crate::server::room::mailbox::RoomQuery;
use crate::server::store::StoreError;
use crate::wire::Event;

/// How long a raised position waits, so that others are stored together with it.
const FLUSH: Duration = Duration::from_secs(1);

/// Read positions that are not stored yet.
#[derive(Debug, Default)]
pub(super) struct PendingReads {
    raised: Mutex<HashMap<(RoomId, IdentityId), Seq>>,
    is_due: AtomicBool,
}

impl PendingReads {
    fn raised(&self) -> MutexGuard<'_, HashMap<(RoomId, IdentityId), Seq>> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Returns what a person has not read in a room, counted up to the entry `last`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn unread(
        &self,
        room: RoomId,
        identity: IdentityId,
        last: Seq,
    ) -> Result<Unread, StoreError> {
        let read = self.read_position(room, identity).await?;
        if read >= last {
            return Ok(Unread::none_after(read));
        }
        self.store.unread(room, identity, read, last).await
    }

    /// Returns a person's read position in a room.
    ///
    /// # Errors
    /// The store failed.
    pub async fn read_position(
        &self,
        room: RoomId,
        identity: IdentityId,
    ) -> Result<Seq, StoreError> {
        // Memory is read first. A position that is stored between the two reads is then found in the store.
        let raised = self.reads.raised().get(&(room, identity)).copied();
        let read = self.store.read_position(room, identity).await?;
        Ok(raised.unwrap_or_default().max(read))
    }

    /// Raises a person's read position. A lower one is ignored.
    pub fn mark_read(self: &Arc<Self>, room: RoomId, identity: IdentityId, seq: Seq) {
        {
            let mut raised = self.reads.raised();
            let position = raised.entry((room, identity)).or_default();
            *position = seq.max(*position);
        }
        if !self.reads.is_due.swap(true, Ordering::AcqRel) {
            let hub = Arc::clone(self);
            tokio::spawn(async move {
                loop {
                    sleep(FLUSH).await;
                    match hub.flush_reads().await {
                        // Retried, because there may be disk space the next time.
                        Err(StoreError::Full) => {}
                        Err(error) => return hub.fatal.raise(&error),
                        Ok(()) => return,
                    }
                }
            });
        }
    }

    /// Stores all raised positions, and sends them to the other sessions of their people.
    ///
    /// # Errors
    /// The store failed. If the disk is full, the positions stay in memory.
    pub async fn flush_reads(&self) -> Result<(), StoreError> {
        // Positions raised from here on belong to the next flush.
        self.reads.is_due.store(false, Ordering::Release);
        let raised = self.reads.raised().clone();
        if raised.is_empty() {
            return Ok(());
        }
        let marks = raised.iter().map(|((room, who), seq)| (*room, *who, *seq));
        self.store.mark_read(marks.collect()).await?;
        self.reads
            .raised()
            .retain(|key, seq| raised.get(key) != Some(seq));
        for (room, identity) in raised.into_keys() {
            self.send_read_position(room, identity).await?;
        }
        Ok(())
    }

    /// Sends a read position to all sessions of a person who has more than one.
    async fn send_read_position(
        &self,
        room: RoomId,
        identity: IdentityId,
    ) -> Result<(), StoreError> {
        if self.sessions_of(identity) < 2 {
            return Ok(());
        }
        let Some(RoomHead {
            epoch, seq: last, ..
        }) = self.head(room, identity).await
        else {
            return Ok(());
        };
        let unread = self.unread(room, identity, last).await?;
        let moved = Event::ReadPositionChanged {
            request: 0,
            room,
            epoch,
            last,
            unread,
        };
        self.notify_person(identity, &moved);
        Ok(())
    }

    /// Returns the head of a room as a person may see it, or nothing if they may not see the room.
    pub async fn head(&self, room: RoomId, identity: IdentityId) -> Option<RoomHead> {
        self.ask(room, |reply| RoomQuery::Peek { identity, reply })
            .await
            .flatten()
    }
}
