//! The outbox of one session: the events that wait to be written to it, in two bounded lanes, and the cursors of what was written.
//!
//! The *answers* lane (Welcome, Followed, pages, Accepted, Refused …) is bounded by the session's own requests: the session waits for
//! [`Outbox::has_room`] before it takes the next one. Answers are never dropped. The *live* lane is filled by rooms, which never wait for a
//! session. When it overflows it is emptied and its generation rises, and the session catches up from its cursors.
//!
//! It is a mutex, two deques and a waker: under fan-out a third cheaper than a channel. It knows nothing of the wire
//! format.

mod budget;
mod item;

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::task::AtomicWaker;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use self::budget::Budget;
use self::item::estimated_size;
pub use self::item::{Direction, Item, JoinOrLeave, Offered, Signal};
use super::delivery::Delivery;
use crate::chat::Seq;
use crate::wire::Event;

/// The maximum number of entries and bytes that may wait in one live lane.
pub const LIVE_ENTRIES: usize = 1024;
pub(crate) const LIVE_BYTES: usize = 1024 * 1024;
/// The maximum number of bytes that may wait in all live lanes together.
pub(crate) const LIVE_BYTES_ALL: usize = 256 * 1024 * 1024;
/// With this many answers or bytes waiting, a session takes no further request.
const ANSWERS: usize = 64;
const ANSWER_BYTES: usize = 256 * 1024;
/// The limits for notifications, which the session did not request, are this many times higher.
const NOTIFICATION_FACTOR: usize = 4;
/// Signals are dropped when the live lane would exceed this many bytes.
const SIGNAL_BYTES: usize = LIVE_BYTES / 4;

/// A followed room's place in an outbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(usize);

/// The outbox of one session. See the module documentation.
#[derive(Debug)]
pub struct Outbox {
    lanes: Mutex<Lanes>,
    budget: Arc<Budget>,
    /// Wakes the task that writes to the session.
    writer: AtomicWaker,
    /// Notifies the session of the changes that [`Outbox::changed`] lists.
    changed: Notify,
}

#[derive(Debug)]
struct Lanes {
    /// Events that wait for the welcome, which must be the first event a client gets. `None` once the welcome is queued.
    delayed: Option<Vec<Event>>,
    answers: VecDeque<(Option<Slot>, Item)>,
    answer_bytes: usize,
    live: VecDeque<(Slot, Item)>,
    live_entries: usize,
    live_bytes: usize,
    generation: u64,
    /// For each followed room, the last seq that was given to the writer.
    written: Vec<Option<Seq>>,
    /// Rooms whose roster signals were dropped.
    stale: Vec<Slot>,
    last_progress: Instant,
    state: OutboxState,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum OutboxState {
    Open,
    /// Queued answers are still written, then the stream ends.
    Finished,
    /// The writer is gone.
    Abandoned,
}

impl Outbox {
    pub fn new(budget: Arc<Budget>) -> Arc<Self> {
        budget.lanes.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            lanes: Mutex::new(Lanes {
                delayed: None,
                answers: VecDeque::new(),
                answer_bytes: 0,
                live: VecDeque::new(),
                live_entries: 0,
                live_bytes: 0,
                generation: 0,
                written: Vec::new(),
                stale: Vec::new(),
                last_progress: Instant::now(),
                state: OutboxState::Open,
            }),
            budget,
            writer: AtomicWaker::new(),
            changed: Notify::new(),
        })
    }

    /// Offers a delivery without waiting.
    ///
    /// 1. MUST NOT block: the caller is delivering to thousands of others.
    /// 2. MUST keep order: what was offered first is written first.
    /// 3. On overflow the live lane is emptied and its generation rises: the caller gets [`Offered::Gone`] and forgets the
    ///    follower, and the session catches up from its cursors.
    pub fn offer(
        &self,
        slot: Slot,
        generation: u64,
        delivery: &Arc<Delivery>,
        after: Seq,
    ) -> Offered {
        let mut lanes = self.lock();
        if lanes.generation != generation || lanes.state != OutboxState::Open {
            return Offered::Gone;
        }
        let entries = delivery.entries().len();
        let bytes = delivery.size();
        let full =
            lanes.live_entries + entries > LIVE_ENTRIES || lanes.live_bytes + bytes > LIVE_BYTES;
        if (full && !lanes.live.is_empty()) || self.budget.is_exceeded_by(lanes.live_bytes + bytes)
        {
            self.empty_live(&mut lanes);
            lanes.generation += 1;
            drop(lanes);
            self.changed.notify_one();
            return Offered::Gone;
        }
        let idle = lanes.live.is_empty() && lanes.answers.is_empty();
        if idle {
            lanes.last_progress = Instant::now();
        }
        lanes
            .live
            .push_back((slot, Item::Entries(Arc::clone(delivery), after)));
        lanes.live_entries += entries;
        lanes.live_bytes += bytes;
        self.budget.bytes.fetch_add(bytes, Ordering::Relaxed);
        drop(lanes);
        if idle {
            self.writer.wake();
        }
        Offered::Taken
    }

    /// Offers a signal. It is dropped, and the roster marked stale, if too much is waiting already.
    pub fn offer_signal(&self, slot: Slot, generation: u64, signal: &Arc<Signal>) -> Offered {
        let mut lanes = self.lock();
        if lanes.generation != generation || lanes.state != OutboxState::Open {
            return Offered::Gone;
        }
        if lanes.live_bytes + signal.size() > SIGNAL_BYTES {
            if signal.is_roster && !lanes.stale.contains(&slot) {
                lanes.stale.push(slot);
            }
            return Offered::Taken;
        }
        let idle = lanes.live.is_empty() && lanes.answers.is_empty();
        if idle {
            lanes.last_progress = Instant::now();
        }
        lanes
            .live
            .push_back((slot, Item::Signal(Arc::clone(signal))));
        lanes.live_bytes += signal.size();
        self.budget
            .bytes
            .fetch_add(signal.size(), Ordering::Relaxed);
        drop(lanes);
        if idle {
            self.writer.wake();
        }
        Offered::Taken
    }

    /// Queues a room's last event for a follower, behind everything that the room offered before.
    pub fn offer_last(&self, slot: Slot, generation: u64, event: &Event) -> Offered {
        let mut lanes = self.lock();
        if lanes.generation != generation || lanes.state != OutboxState::Open {
            return Offered::Gone;
        }
        lanes
            .live
            .push_back((slot, Item::Answer(Box::new(event.clone()))));
        drop(lanes);
        self.writer.wake();
        Offered::Taken
    }

    /// Queues an event that this session did not request, such as a change by another session of the same person. If
    /// too many such events wait, the session is ended: it gets the full state again when it reconnects.
    pub fn notify(&self, event: Event) {
        let is_over = {
            let mut lanes = self.lock();
            match &mut lanes.delayed {
                Some(held) if held.len() < ANSWERS => return held.push(event),
                Some(_) => true,
                None => {
                    lanes.answers.len() >= NOTIFICATION_FACTOR * ANSWERS
                        || lanes.answer_bytes >= NOTIFICATION_FACTOR * ANSWER_BYTES
                }
            }
        };
        if is_over {
            self.abandon();
            self.writer.wake();
        } else {
            self.answer(event);
        }
    }

    /// Delays notifications from now on until the welcome is queued: other sessions of the same person may cause some meanwhile.
    pub fn delay_notifications(&self) {
        self.lock().delayed.get_or_insert_default();
    }

    /// Queues the welcome, and behind it the delayed notifications.
    pub fn welcome(&self, event: Event) {
        self.answer(event);
        // No notification can come before the delayed ones: until `take`, new ones are delayed too.
        let mut lanes = self.lock();
        for event in lanes.delayed.take().unwrap_or_default() {
            let bytes = estimated_size(&event);
            lanes
                .answers
                .push_back((None, Item::Answer(Box::new(event))));
            lanes.answer_bytes += bytes;
        }
        drop(lanes);
        self.writer.wake();
    }

    /// Queues an answer.
    pub fn answer(&self, event: Event) {
        let bytes = estimated_size(&event);
        self.push_answer(None, Item::Answer(Box::new(event)), bytes);
    }

    /// Queues a page of a room that is catching up. The room's cursor moves to the end of the page.
    pub fn page(&self, slot: Slot, page: &Arc<Delivery>, after: Seq) {
        self.push_answer(
            Some(slot),
            Item::Entries(Arc::clone(page), after),
            page.size(),
        );
    }

    fn push_answer(&self, slot: Option<Slot>, item: Item, bytes: usize) {
        let mut lanes = self.lock();
        if lanes.state != OutboxState::Open {
            return;
        }
        if lanes.live.is_empty() && lanes.answers.is_empty() {
            lanes.last_progress = Instant::now();
        }
        if let (Some(slot), Item::Entries(page, _)) = (slot, &item) {
            // Answers are not dropped while the outbox is open, so a queued page counts as written.
            lanes.written[slot.0] = Some(page.last());
        }
        lanes.answers.push_back((slot, item));
        lanes.answer_bytes += bytes;
        drop(lanes);
        self.writer.wake();
    }

    /// Takes the next item to write, answers first. Returns `None` when the stream is to end.
    pub fn poll_pop(&self, context: &mut Context<'_>) -> Poll<Option<Item>> {
        if let Poll::Ready(item) = self.pop() {
            return Poll::Ready(item);
        }
        self.writer.register(context.waker());
        self.pop()
    }

    /// Like [`Outbox::poll_pop`], but registers no waker.
    pub fn pop(&self) -> Poll<Option<Item>> {
        let mut lanes = self.lock();
        lanes.last_progress = Instant::now();
        if let Some((_, item)) = lanes.answers.pop_front() {
            lanes.answer_bytes -= match &item {
                Item::Answer(event) => estimated_size(event),
                Item::Entries(page, _) => page.size(),
                Item::Signal(_) => 0,
            };
            let roomy = lanes.has_room();
            drop(lanes);
            if roomy {
                self.changed.notify_one();
            }
            return Poll::Ready(Some(item));
        }
        while let Some((slot, item)) = lanes.live.pop_front() {
            let fresh = self.leave_live(&mut lanes, slot, &item);
            let stale = lanes.live.is_empty() && !lanes.stale.is_empty();
            if stale {
                self.changed.notify_one();
            }
            if let Some(item) = fresh {
                return Poll::Ready(Some(item));
            }
        }
        if lanes.state == OutboxState::Open {
            Poll::Pending
        } else {
            Poll::Ready(None)
        }
    }

    /// Accounts for an item that leaves the live lane and moves the cursor. Returns `None` if all its entries were already written.
    fn leave_live(&self, lanes: &mut Lanes, slot: Slot, item: &Item) -> Option<Item> {
        match item {
            Item::Entries(delivery, after) => {
                lanes.live_entries -= delivery.entries().len();
                lanes.live_bytes -= delivery.size();
                self.budget
                    .bytes
                    .fetch_sub(delivery.size(), Ordering::Relaxed);
                let written = lanes
                    .written
                    .get(slot.0)
                    .copied()
                    .flatten()
                    .unwrap_or_default();
                if delivery.last() <= written {
                    return None;
                }
                lanes.written[slot.0] = Some(delivery.last());
                Some(Item::Entries(Arc::clone(delivery), written.max(*after)))
            }
            Item::Signal(signal) => {
                lanes.live_bytes -= signal.size();
                self.budget
                    .bytes
                    .fetch_sub(signal.size(), Ordering::Relaxed);
                Some(item.clone())
            }
            Item::Answer(_) => Some(item.clone()),
        }
    }

    /// Takes a slot for a room of which the client has the entries up to `seq`.
    pub fn take_slot(&self, seq: Seq) -> Slot {
        let mut lanes = self.lock();
        if let Some(free) = lanes.written.iter().position(Option::is_none) {
            lanes.written[free] = Some(seq);
            return Slot(free);
        }
        lanes.written.push(Some(seq));
        Slot(lanes.written.len() - 1)
    }

    /// Moves a room's cursor, for a client that starts at a different seq than it requested.
    pub fn set_cursor(&self, slot: Slot, seq: Seq) {
        self.lock().written[slot.0] = Some(seq);
    }

    /// Frees a slot and drops its waiting items. The room MUST have forgotten the follower before.
    pub fn free_slot(&self, slot: Slot) {
        let mut lanes = self.lock();
        let waiting = std::mem::take(&mut lanes.live);
        for (of, item) in waiting {
            if of == slot {
                self.leave_live(&mut lanes, of, &item);
            } else {
                lanes.live.push_back((of, item));
            }
        }
        lanes.stale.retain(|of| *of != slot);
        lanes.written[slot.0] = None;
    }

    /// Returns the last seq of a room that was given to the writer.
    pub fn written(&self, slot: Slot) -> Seq {
        self.lock().written[slot.0].unwrap_or_default()
    }

    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Takes the rooms whose whole roster must be sent again. It returns none until the live lane is empty.
    pub fn take_stale(&self) -> Vec<Slot> {
        let mut lanes = self.lock();
        if lanes.live.is_empty() {
            std::mem::take(&mut lanes.stale)
        } else {
            Vec::new()
        }
    }

    /// Whether a replay fits in the live lane with what already waits there. One that does not fit is sent in pages, at the writer's own
    /// pace.
    pub fn fits(&self, entries: usize, bytes: usize) -> bool {
        let lanes = self.lock();
        lanes.live_entries + entries <= LIVE_ENTRIES / 2
            && lanes.live_bytes + bytes <= LIVE_BYTES / 2
    }

    /// Whether the session may take another request or send another page.
    pub fn has_room(&self) -> bool {
        self.lock().has_room()
    }

    /// Waits until the live lane has overflowed, there is room for answers, a stale roster can be sent again, or the
    /// writer is gone. It may also return when nothing has changed.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Waits until [`Outbox::has_room`], or until the outbox is no longer open.
    pub async fn wait_for_room(&self) {
        loop {
            let changed = self.changed.notified();
            {
                let lanes = self.lock();
                if lanes.has_room() || lanes.state != OutboxState::Open {
                    break;
                }
            }
            changed.await;
        }
        // The permit that this call consumed may have been for an overflow.
        self.changed.notify_one();
    }

    /// Closes the outbox to new events. Queued answers are still written.
    pub fn finish(&self) {
        let mut lanes = self.lock();
        if lanes.state == OutboxState::Open {
            lanes.state = OutboxState::Finished;
            self.empty_live(&mut lanes);
        }
        drop(lanes);
        self.writer.wake();
    }

    /// Ends the outbox at once, because the writer is gone or too slow. Nothing more is written.
    pub fn abandon(&self) {
        let mut lanes = self.lock();
        lanes.state = OutboxState::Abandoned;
        self.empty_live(&mut lanes);
        lanes.answers.clear();
        lanes.answer_bytes = 0;
        drop(lanes);
        self.changed.notify_one();
    }

    pub fn is_abandoned(&self) -> bool {
        self.lock().state == OutboxState::Abandoned
    }

    /// Returns how long items have waited since the writer last took one, or zero if none waits.
    pub fn stalled_for(&self) -> Duration {
        let lanes = self.lock();
        if lanes.answers.is_empty() && lanes.live.is_empty() {
            Duration::ZERO
        } else {
            lanes.last_progress.elapsed()
        }
    }

    fn empty_live(&self, lanes: &mut Lanes) {
        self.budget
            .bytes
            .fetch_sub(lanes.live_bytes, Ordering::Relaxed);
        lanes.live.clear();
        (lanes.live_entries, lanes.live_bytes) = (0, 0);
    }

    /// Locks the lanes. A poisoned lock is used as it is: a panic cannot leave the lanes inconsistent in a way that affects others.
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lanes {
    fn has_room(&self) -> bool {
        self.answers.len() < ANSWERS && self.answer_bytes < ANSWER_BYTES
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let waiting = self.lock().live_bytes;
        self.budget.bytes.fetch_sub(waiting, Ordering::Relaxed);
        self.budget.lanes.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
