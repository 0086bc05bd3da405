//! Where people have read to: raised at once, written and told to their other sessions once a second.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;

use super::Hub;
use crate::chat::{IdentityId, RoomId, Seq, Unread};
use crate::server::room::Head;
use crate::server::room::mailbox::Question;
use crate::server::store::StoreError;
use crate::wire::Event;

/// How long a raised position waits for others to be written with it.
const FLUSH: Duration = Duration::from_secs(1);

/// Positions that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Reads {
    raised: Mutex<HashMap<(RoomId, IdentityId), Seq>>,
    is_due: AtomicBool,
}

impl Reads {
    fn raised(&self) -> MutexGuard<'_, HashMap<(RoomId, IdentityId), Seq>> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// What somebody has not read of a room, as of an entry of it.
    ///
    /// # Errors
    /// The store failed.
    pub async fn unread(
        &self,
        room: RoomId,
        identity: IdentityId,
        last: Seq,
    ) -> Result<Unread, StoreError> {
        let read = self.read_to(room, identity).await?;
        if read >= last {
            return Ok(Unread::nothing(read));
        }
        self.store.unread(room, identity, read, last).await
    }

    /// Where somebody has read to.
    ///
    /// # Errors
    /// The store failed.
    pub async fn read_to(&self, room: RoomId, identity: IdentityId) -> Result<Seq, StoreError> {
        // The one in memory is looked at first: what is written in between is found in the store.
        let raised = self.reads.raised().get(&(room, identity)).copied();
        let read = self.store.read_to(room, identity).await?;
        Ok(raised.unwrap_or_default().max(read))
    }

    /// Raises where somebody has read to.
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
                        // There may be room the next time.
                        Err(StoreError::Full) => {}
                        Err(error) => return hub.fatal.raise(&error),
                        Ok(()) => return,
                    }
                }
            });
        }
    }

    /// Writes all positions that were raised, and tells the other sessions of whose they are.
    ///
    /// # Errors
    /// The store failed; positions that did not fit the disk stay in memory.
    pub async fn flush_reads(&self) -> Result<(), StoreError> {
        // Whatever is raised from here on is for the next.
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

    /// Whoever sits at more than one screen sees everywhere what was read at one.
    async fn send_read_position(
        &self,
        room: RoomId,
        identity: IdentityId,
    ) -> Result<(), StoreError> {
        if self.sessions_of(identity) < 2 {
            return Ok(());
        }
        let Some(Head {
            epoch, seq: last, ..
        }) = self.head(room, identity).await
        else {
            return Ok(());
        };
        let unread = self.unread(room, identity, last).await?;
        let moved = Event::ReadMoved {
            request: 0,
            room,
            epoch,
            last,
            unread,
        };
        self.tell(identity, &moved);
        Ok(())
    }

    /// Where a room ends for somebody; nothing if it is none of theirs.
    pub async fn head(&self, room: RoomId, identity: IdentityId) -> Option<Head> {
        self.ask(room, |reply| Question::Peek { identity, reply })
            .await
            .flatten()
    }
}
