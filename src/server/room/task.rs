//! The task that owns a room: it sends posts to be ordered, stores their entries and delivers them to followers.
//!
//! Posts go out on the bus and come back in order. They are then numbered, appended durably and admitted in one step. Requests to follow
//! wait in the mailbox meanwhile, so that no follower misses entries between an append and its delivery.

mod effects;
mod join;
mod messages;
mod outcome;
mod signals;
mod trim;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use self::join::Joining;
pub(crate) use self::trim::Retentions;
use super::attendance::Attendance;
use super::directory::Directory;
use super::mailbox::{Fatal, RoomMsg};
use super::permissions::Permissions;
use super::{Marks, Room, RoomHead};
use crate::chat::Retention;
use crate::chat::{
    Author, ClientId, Entry, IdentityId, InstanceId, Post, Refusal, RefusalCode, RoomId, RoomInfo,
    Seq, SessionId, Stamp,
};
use crate::server::bus::{Batch, Bus, IN_FLIGHT};
use crate::server::clock::LogClock;
use crate::server::outbox::JoinOrLeave;
use crate::server::outbox::{Outbox, Signal};
use crate::server::store::{Append, RoomRecord, RoomState, Store, StoreError};
use crate::wire::{Event, encode_event};

/// How many messages may wait in a room's mailbox.
pub(crate) const MAILBOX: usize = 1024;
/// The maximum number of posts and payload bytes in one batch.
const BATCH_POSTS: usize = 256;
const BATCH_BYTES: usize = 64 * 1024;
/// A room with at least this many followers that has just sent delays the next batch for [`BATCH_DELAY`]. At a thousand messages per second this
/// halves the server's work. A smaller room gains nothing by waiting.
const BATCH_DELAY_FOLLOWERS: usize = 32;
const BATCH_DELAY: Duration = Duration::from_millis(1);
/// Changes of presence are collected for this long and sent together.
const ROSTER_EVERY: Duration = Duration::from_millis(250);
/// The log target of message bodies. It is off by default.
pub(crate) const MESSAGES: &str = "tchat::messages";
/// The task of an unused room ends after this long. It is started again on demand.
const IDLE: Duration = Duration::from_mins(10);

/// A running room.
#[derive(Clone, Debug)]
pub(crate) struct RoomHandle {
    pub mailbox: mpsc::Sender<RoomMsg>,
    /// Cancelled when the task has ended.
    pub ended: CancellationToken,
}

/// What all rooms of a server share.
#[derive(Clone, Debug)]
pub(crate) struct RoomContext {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub fatal: Fatal,
    pub retention: Arc<Retentions>,
    pub directory: Arc<Directory>,
    /// The author of posts that the server makes by itself.
    pub server: Author,
    /// Receives invitations, to notify the invited people. If the channel is full, the invited person is not notified.
    pub invited: mpsc::Sender<Invited>,
    pub clock: LogClock,
}

/// A person was invited to a room.
#[derive(Clone, Debug)]
pub(crate) struct Invited {
    pub person: IdentityId,
    pub by: Author,
    pub room: RoomId,
}

/// Starts a room's task. It first waits for `predecessor`, an earlier task of the same room that is ending, because two tasks must never
/// number the same room.
pub(crate) fn start(
    id: RoomId,
    shared: &RoomContext,
    predecessor: Option<CancellationToken>,
) -> RoomHandle {
    let (mailbox, inbox) = mpsc::channel(MAILBOX);
    let ended = CancellationToken::new();
    let guard = ended.clone().drop_guard();
    let shared = shared.clone();
    tokio::spawn(async move {
        if let Some(predecessor) = predecessor {
            predecessor.cancelled().await;
        }
        let fatal = shared.fatal.clone();
        if let Err(error) = run(id, shared, inbox).await {
            tracing::error!(room = %id, %error, "room stopped");
            fatal.raise(&error);
        }
        drop(guard);
    });
    RoomHandle { mailbox, ended }
}

async fn run(
    id: RoomId,
    shared: RoomContext,
    inbox: mpsc::Receiver<RoomMsg>,
) -> Result<(), StoreError> {
    let Some(state) = shared.store.room(id).await? else {
        refuse_everything(id, inbox).await;
        return Ok(());
    };
    RoomTask::new(id, shared, state).serve(inbox).await
}

/// Answers what was sent to a room that does not exist.
async fn refuse_everything(id: RoomId, mut inbox: mpsc::Receiver<RoomMsg>) {
    // When the other messages are dropped, their reply channels close, and the callers see that there is no such room.
    inbox.close();
    while let Some(message) = inbox.recv().await {
        if let RoomMsg::Post { post, outbox, .. } = message {
            // A post has no reply channel, but must always be answered.
            outbox.answer(Event::Refused {
                request: 0,
                client_id: post.client_id,
                refusal: Refusal::new(RefusalCode::RoomUnknown).with(id),
            });
        }
    }
}

/// Identifies a post, to find its waiter when it comes back from the bus.
type PostKey = (IdentityId, Option<ClientId>, u8);

fn post_key(post: &Post) -> PostKey {
    (post.author.id, post.client_id, post.body.kind())
}

/// Who waits for the outcome of a post.
enum Waiter {
    Session(SessionId, Arc<Outbox>),
    Join(Box<Joining>),
    /// The caller that makes a person a member or ends a membership.
    Membership(oneshot::Sender<Result<(), Refusal>>),
}

struct RoomTask {
    room: Room,
    record: RoomRecord,
    attendance: Attendance,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    directory: Arc<Directory>,
    server: Author,
    invited: mpsc::Sender<Invited>,
    clock: LogClock,
    ordered: mpsc::Receiver<Batch>,
    in_flight: usize,
    waiters: HashMap<PostKey, Vec<Waiter>>,
    /// People whose join is on the bus.
    joining: HashSet<IdentityId>,
    /// For each client outbox, the counter of the first post that did not fit on the disk.
    refused: HashMap<(IdentityId, InstanceId), u64>,
    /// Sessions that follow the room, even while they catch up: they get the entries of their own posts.
    subscribed: HashSet<SessionId>,
    retention: Retention,
    /// The seq at which retention is checked next.
    next_retention_check: Seq,
    /// The background task that deletes old entries.
    trimming: Option<JoinHandle<Result<(), StoreError>>>,
    roster_due: Option<Instant>,
    sent_at: Option<Instant>,
}

impl RoomTask {
    fn new(id: RoomId, shared: RoomContext, state: RoomState) -> Self {
        let (seq, digest, log_ms) = state.last.unwrap_or_default();
        let head = RoomHead {
            epoch: state.record.epoch,
            first: state.first,
            seq,
            digest,
            log_ms,
        };
        let marks: Marks = state
            .marks
            .into_iter()
            .map(|(author, instance, counter)| ((author, instance), counter))
            .collect();
        let permissions = Permissions::new(
            state.record.kind,
            shared.server.id,
            state.members.into_iter().collect(),
            state.standings.into_iter().collect(),
        )
        .with_rules(state.record.rules, state.wrote_ms.into_iter().collect());
        Self {
            room: Room::new(id, head, marks, permissions),
            attendance: Attendance::default(),
            ordered: shared.bus.follow(id),
            in_flight: 0,
            waiters: HashMap::new(),
            joining: HashSet::new(),
            refused: HashMap::new(),
            subscribed: HashSet::new(),
            retention: shared.retention.of(&state.record),
            next_retention_check: Seq::ZERO,
            trimming: None,
            roster_due: None,
            sent_at: None,
            record: state.record,
            store: shared.store,
            bus: shared.bus,
            directory: shared.directory,
            server: shared.server,
            invited: shared.invited,
            clock: shared.clock,
        }
    }

    async fn serve(mut self, mut inbox: mpsc::Receiver<RoomMsg>) -> Result<(), StoreError> {
        let mut messages = Vec::new();
        loop {
            let tell_at = self.roster_due;
            let idle =
                self.in_flight == 0 && self.subscribed.is_empty() && self.attendance.count() == 0;
            tokio::select! {
                batch = self.ordered.recv() => {
                    // The local bus never ends before its rooms. If another kind of bus does, nothing more can be ordered here.
                    let Some(batch) = batch else { return Ok(()) };
                    self.in_flight = self.in_flight.saturating_sub(1);
                    self.apply(batch).await?;
                }
                taken = inbox.recv_many(&mut messages, BATCH_POSTS), if self.in_flight < IN_FLIGHT => {
                    if taken == 0 {
                        break;
                    }
                    if self.room.followers() >= BATCH_DELAY_FOLLOWERS && self.sent_at.is_some_and(|sent| sent.elapsed() < BATCH_DELAY) {
                        sleep(BATCH_DELAY).await;
                        while messages.len() < BATCH_POSTS && let Ok(message) = inbox.try_recv() {
                            messages.push(message);
                        }
                    }
                    self.handle_all(&mut messages).await?;
                }
                () = sleep_until(tell_at.unwrap_or_else(Instant::now)), if tell_at.is_some() => self.send_roster_delta(),
                // Messages sent before the mailbox closed are still received through the arm above.
                () = sleep(IDLE), if idle => inbox.close(),
            }
            if self.in_flight == 0 {
                let joins_and_leaves = self.attendance.take_joins_and_leaves();
                self.notify_guests(joins_and_leaves);
            }
        }
        while self.in_flight > 0
            && let Some(batch) = self.ordered.recv().await
        {
            self.in_flight -= 1;
            self.apply(batch).await?;
        }
        Ok(())
    }

    /// Handles messages. Posts are published in batches to be ordered; everything else is done at once.
    async fn handle_all(&mut self, messages: &mut Vec<RoomMsg>) -> Result<(), StoreError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        for message in messages.drain(..) {
            let Some(post) = self.handle(message) else {
                continue;
            };
            if bytes + post.body.payload().len() > BATCH_BYTES && !batch.is_empty() {
                self.publish(std::mem::take(&mut batch)).await?;
                bytes = 0;
            }
            bytes += post.body.payload().len();
            batch.push(post);
        }
        if batch.is_empty() {
            Ok(())
        } else {
            self.publish(batch).await
        }
    }

    /// Publishes a batch. If the bus is full, batches that are already ordered are applied first: the bus has no room until this task takes
    /// them, so waiting for it here would never end.
    async fn publish(&mut self, posts: Vec<Post>) -> Result<(), StoreError> {
        while self.in_flight >= IN_FLIGHT
            && let Some(ordered) = self.ordered.recv().await
        {
            self.in_flight -= 1;
            self.apply(ordered).await?;
        }
        self.in_flight += 1;
        // Stamped here and not in each session, so that times follow the order of the posts.
        let batch = Batch {
            at: self.now(),
            posts,
        };
        if self.bus.publish(self.record.id, batch).await.is_err() {
            self.in_flight -= 1;
        }
        Ok(())
    }

    /// Returns the current time. Its log time is never earlier than the room's last entry.
    fn now(&self) -> Stamp {
        let now = self.clock.stamp();
        Stamp {
            log_ms: now.log_ms.max(self.room.head().log_ms),
            ..now
        }
    }

    /// Numbers a batch that came back from the bus, stores it and delivers it.
    async fn apply(&mut self, mut batch: Batch) -> Result<(), StoreError> {
        batch.posts.retain(|post| !self.must_wait(post));
        let keys: Vec<PostKey> = batch.posts.iter().map(post_key).collect();
        let targets = self.targets(&batch.posts).await?;
        let numbered = self.room.order_posts(batch.posts, batch.at, &targets);
        if !numbered.entries.is_empty() {
            let append = Append {
                room: self.record.id,
                at: numbered.at,
                entries: Arc::clone(&numbered.entries),
                changes: numbered.changes.clone(),
            };
            match self.store.append(append).await {
                Err(StoreError::Full) => {
                    self.refuse_all(keys);
                    return Ok(());
                }
                stored => stored?,
            }
            // Guests must see an author join before the author's message. Leaves wait: posts of a person who left may still be on their
            // way.
            let joining = &self.joining;
            let is_here = |id| !joining.contains(&id);
            let arrivals = self.attendance.take_joins(is_here);
            self.notify_guests(arrivals);
            let room = self.record.id;
            let unfollowed_event = |entry: &Entry| effects::unfollowed_event(room, entry);
            for session in self.room.admit(&numbered, unfollowed_event) {
                self.subscribed.remove(&session);
            }
            self.sent_at = Some(Instant::now());
            for entry in numbered.entries.iter() {
                self.log_message(entry);
                self.follow_up(entry);
            }
        }
        for (key, outcome) in keys.into_iter().zip(numbered.outcomes) {
            self.answer(key, Ok(outcome));
        }
        self.schedule_roster_delta();
        self.retain(numbered.at).await
    }

    fn info(&self) -> RoomInfo {
        RoomInfo {
            id: self.record.id,
            kind: self.record.kind,
            name: self.record.name.clone(),
            topic: self.record.topic.clone(),
            capacity: self.record.capacity,
            present: self.attendance.count(),
            peer: None,
            role: None,
            rules: self.record.rules,
            request: None,
            last: None,
        }
    }

    fn schedule_roster_delta(&mut self) {
        if self.roster_due.is_none() && self.attendance.has_changes() {
            self.roster_due = Some(Instant::now() + ROSTER_EVERY);
        }
    }

    fn send_roster_delta(&mut self) {
        self.roster_due = None;
        let (came, went) = self.attendance.take_changes();
        let frame = encode_event(&Event::RosterDelta {
            room: self.record.id,
            updated: came,
            removed: went,
            count: self.attendance.count(),
        });
        self.room.signal(&Arc::new(Signal::roster(frame)), false);
    }
}

/// Sends a reply. The receiver may be gone.
fn send_reply<T>(reply: oneshot::Sender<T>, value: T) {
    let _gone = reply.send(value);
}
